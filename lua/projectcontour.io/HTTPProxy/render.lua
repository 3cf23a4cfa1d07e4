-- Contour: an HTTPProxy, edited in place.
--
-- Contour sorts the routes of a host: exact paths first, then regular expressions, then prefixes, the longer of which
-- come first; then count the conditions on headers, and those on query parameters. Between equals it goes by what they
-- say. So the order in which routes are written is of no account, and lib/precedence.lua says what has to be added.
-- https://projectcontour.io/docs/main/config/request-routing/ and internal/sorter/sorter.go in projectcontour/contour

local weighted, paths, precedence = use "weighted", use "textpaths", use "precedence"
local ordered, services = use "ordered", use "services"

local REGEX = "RegularExpression"
local LINKERD = "l5d-dst-override" -- a header that names the Service which a request is for
local CLASSES = { exact = 2, regex = 1, prefix = 0 }

-- Services ------------------------------------------------------------------------------------------------------------

local function dialect_of(stage)
  local dialect = {}

  function dialect.leads(entry, service)
    return not entry.mirror and entry.name == service
  end

  function dialect.pair(stable, canary)
    return stable.port == canary.port
  end

  function dialect.point(entry, service)
    entry.name = service
    for _, header in ipairs(entry.requestHeadersPolicy and entry.requestHeadersPolicy.set or {}) do
      local rest = (header.value or ""):sub(#stage.stableService + 1)
      if header.name:lower() == LINKERD and header.value == stage.stableService .. rest and rest:find("^[.:]") then
        header.value = service .. rest
      end
    end
  end

  -- Where all are 0, all are equal.
  function dialect.weights(entries)
    local weights, sum = {}, 0
    for i, entry in ipairs(entries) do
      weights[i] = entry.mirror and 0 or entry.weight or 0
      sum = sum + weights[i]
    end
    for i, entry in ipairs(sum == 0 and entries or {}) do
      weights[i] = entry.mirror and 0 or 1
    end
    return weights
  end

  function dialect.put(entry, weight)
    if not entry.mirror then
      entry.weight = weight
    end
  end

  function dialect.alone(entry)
    entry.weight = nil
  end

  return weighted.by_service(stage, dialect)
end

-- Conditions ----------------------------------------------------------------------------------------------------------

-- A match is { path, conditions, seen }: a path (see lib/textpaths.lua), and what is asked of headers and parameters,
-- with `seen` to know them again by.

local function key_of(condition)
  local part = condition.header and "header" or "queryParameter"
  local texts = {}
  for name, value in pairs(condition[part]) do
    if value ~= false then
      local plain = name == "name" and part == "header" and value:lower() or tostring(value)
      table.insert(texts, name .. "=" .. plain)
    end
  end
  return part .. " " .. json.encode(list(texts))
end

local function match_of(conditions)
  local match = { conditions = list(), seen = {} }
  for _, condition in ipairs(conditions or {}) do
    if condition.header or condition.queryParameter then
      match.seen[key_of(condition)] = true
      table.insert(match.conditions, condition)
    elseif not (condition.exact or condition.prefix or condition.regex) then
      fail("spec.routes", "has a condition that is none of prefix, exact, regex, header and queryParameter, so nobody "
        .. "can tell what else would hold; leave it out or write one of them")
    else
      match.path = { exact = condition.exact, prefix = condition.prefix, regex = condition.regex }
    end
  end
  return match
end

local function written(match)
  local conditions = list()
  if match.path then
    table.insert(conditions, copy(match.path))
  end
  for _, condition in ipairs(match.conditions) do
    table.insert(conditions, copy(condition))
  end
  return conditions[1] and conditions or nil
end

local function about(condition)
  local it = condition.header or condition.queryParameter
  return it, condition.header and "header " .. it.name:lower() or "query " .. it.name
end

-- Tell whether two conditions cannot both hold, as far as that can be seen without regular expressions.
local function contradict(a, b)
  local one, what = about(a)
  local other, same = about(b)
  if what ~= same or one.ignoreCase or other.ignoreCase then
    return false
  elseif one.exact and other.exact then
    return one.exact ~= other.exact
  end
  return one.exact ~= nil and (one.exact == other.notexact or other.notpresent == true)
    or other.exact ~= nil and (other.exact == one.notexact or one.notpresent == true)
end

local function meet(into, from, found)
  local path = into.path
  if from.path then
    path = paths.both(into.path, from.path)
  end
  if path == nil and from.path then
    found.unknown = "the path would have to be within both " .. paths.shown(into.path or { prefix = "/" }) .. " and "
      .. paths.shown(from.path or { prefix = "/" })
  end
  found.never = path == false
  found.more = path and not paths.any(path) and not paths.same(path, into.path or {}) or false
  into.path = path or into.path
  for _, condition in ipairs(from.conditions) do
    for _, own in ipairs(into.conditions) do
      found.never = found.never or contradict(own, condition)
    end
    if not into.seen[key_of(condition)] then
      into.seen[key_of(condition)] = true
      table.insert(into.conditions, copy(condition))
      found.more = true
    end
  end
end

local function rank(match)
  local path, headers = match.path or { prefix = "/" }, 0
  local kind = path.exact and "exact" or path.regex and "regex" or "prefix"
  for _, condition in ipairs(match.conditions) do
    headers = headers + (condition.header and 1 or 0)
  end
  return { CLASSES[kind], path[kind], headers, #match.conditions - headers }
end

local function unsure(_, owner, other)
  local a, b = rank(owner), rank(other)
  for i = 1, #a do
    if a[i] ~= b[i] then
      return false
    end
  end
  return "first is not told by their number of conditions; let one of them ask for more than the other"
end

local API = {
  field = "spec.routes",
  unordered = true,
  everything = match_of(),
  meet = meet,
  rank = rank,
  unsure = unsure,
}

local function said(condition)
  return { name = condition.name, [condition.type == REGEX and "regex" or "exact"] = condition.value }
end

local function asked(match, path)
  local conditions = list()
  if match.cookies and match.cookies[1] then
    fail("matches", "an HTTPProxy does not look at cookies; match on the header Cookie with a regular expression")
  end
  for _, header in ipairs(match.headers or {}) do
    table.insert(conditions, { header = said(header) })
  end
  for _, param in ipairs(match.queryParams or {}) do
    table.insert(conditions, { queryParameter = said(param) })
  end
  local one = match_of(conditions)
  one.path = path
  return one
end

-- Routes --------------------------------------------------------------------------------------------------------------

-- Refuse additional routes that may win over those of a proxy that this one includes, which nobody sees from here.
local function check_includes(given, match, place)
  local path = match.path or { prefix = "/" }
  for i, include in ipairs(given.spec.includes or {}) do
    local within = match_of(include.conditions).path or { prefix = "/" }
    local text, outer = path.exact or path.prefix, within.prefix or within.exact
    if not text or not outer or text:sub(1, #outer) == outer then
      fail("spec.includes[" .. i - 1 .. "]", "may hold for the same requests as " .. place .. ", and whether its "
        .. "routes are still tried first when the step asks for more cannot be seen from here; release by a weight, or "
        .. "name the HTTPProxy that is included")
    end
  end
end

local function check_path(given, stage)
  for place, match in ipairs(stage.matches) do
    if match.path and not given.spec.virtualhost then
      fail("matches[" .. place - 1 .. "].path", "cannot be looked for in an HTTPProxy without a virtualhost: what "
        .. "comes before its paths is said by whoever includes it; look for a header, or name the including one")
    end
  end
end

local function check_rewrite(route, from, to, place)
  local prefix = route.requestRedirectPolicy and route.requestRedirectPolicy.prefix
  local own, path = from.path or { prefix = "/" }, to.path or { prefix = "/" }
  if (prefix or route.pathRewritePolicy) and not paths.same(own, path) then
    fail(place .. (prefix and ".requestRedirectPolicy" or ".pathRewritePolicy"), "replaces what matched of the path, "
      .. "which is another part where the step asks for " .. paths.shown(path) .. "; do not ask for a path")
  end
end

-- Return the route for the requests of another one that ask for more. One without conditions is built anew, so that
-- they do not come last.
local function narrowed(given, route, one, work)
  local place = "spec.routes[" .. one.rule - 1 .. "]"
  check_includes(given, one.to, place)
  check_rewrite(route, one.from, one.to, place)
  local twin = route.conditions and copy(route) or {}
  for key, item in pairs(route.conditions and {} or route) do
    twin[key] = copy(item)
  end
  twin.conditions = written(one.to)
  if twin.services and weighted.leads(twin.services, work.dialect, place) then
    twin.services = weighted.turn(twin.services, work.dialect, place .. ".services")
  end
  return twin
end

local function text_of(match)
  local keys = {}
  for key in pairs(match.seen) do
    table.insert(keys, key)
  end
  return json.encode(list { match.path or { prefix = "/" }, list(keys) })
end

-- Return the routes with those for the canary before the ones that they were made from. Two routes that ask for the
-- same are one too many, so what the canary gets whole it gets instead.
local function with_additions(given, rules, blocks, work)
  local made, gone, seen = list(), {}, {}
  for i, route in ipairs(given.spec.routes) do
    for _, one in ipairs(blocks[i]) do
      local text = text_of(one.to)
      if not seen[text] then
        seen[text] = true
        gone[one.rule] = gone[one.rule] or text == text_of(rules[one.rule].matches[1])
        table.insert(made, narrowed(given, given.spec.routes[one.rule], one, work))
      end
    end
    table.insert(made, { i = i, route = route })
  end
  return made, gone
end

-- What it comes to ----------------------------------------------------------------------------------------------------

local function lead_nowhere(spec, service)
  local names = {}
  for _, holder in ipairs({ spec.tcpproxy or {}, unpack(spec.routes or {}) }) do
    for _, entry in ipairs(holder.services or {}) do
      table.insert(names, entry.name)
    end
  end
  local included = {}
  for _, include in ipairs(spec.includes or {}) do
    table.insert(included, include.name)
  end
  fail("spec.routes", "does not lead to the Service " .. service .. ", " .. services.only(names)
    .. (included[1] and "; or name the HTTPProxy that it includes: " .. table.concat(included, ", ") or ""))
end

local function render(given, stage)
  given.spec = given.spec or {}
  services.refuse_one(stage, "spec.routes")
  local spec = given.spec
  local work = { dialect = dialect_of(stage), share = weighted.share(stage) }
  local rules, leads, http = {}, {}, false
  local function divide(holder, field)
    local divided = weighted.wanted(holder.services, work.dialect, work.share, field .. ".services")
    holder.services = divided or holder.services
  end
  for i, route in ipairs(spec.routes or {}) do
    rules[i] = { matches = { match_of(route.conditions) } }
    leads[i] = weighted.leads(route.services or {}, work.dialect, "spec.routes[" .. i - 1 .. "].services")
    http = http or leads[i]
  end
  local tcp = spec.tcpproxy and spec.tcpproxy.services
  tcp = tcp and weighted.leads(tcp, work.dialect, "spec.tcpproxy.services")
  if not http and not tcp then
    lead_nowhere(spec, stage.stableService)
  end
  local wanted = ordered.asked(stage, asked)
  if wanted[1] and not http then
    fail("spec.tcpproxy", "leads connections to the Service " .. stage.stableService .. " and no route does, so "
      .. "there is nothing that the matches of the step could look at; use a weight")
  end
  check_path(given, stage)
  if http then
    local blocks = precedence.additions(API, rules, leads, wanted)
    local made, gone = with_additions(given, rules, blocks, work)
    spec.routes = list()
    for _, one in ipairs(made) do
      if not one.i then
        table.insert(spec.routes, one)
      elseif not gone[one.i] then
        if leads[one.i] then
          divide(one.route, "spec.routes[" .. one.i - 1 .. "]")
        end
        table.insert(spec.routes, one.route)
      end
    end
  end
  if tcp then
    divide(spec.tcpproxy, "spec.tcpproxy")
  end
  return { given }
end

return {
  reads = [[
    spec.virtualhost  map
    spec.includes[].name  text
    spec.routes[].requestRedirectPolicy|pathRewritePolicy  map
    spec.routes[].conditions[].exact|prefix|regex  text
    spec.routes[].conditions[].header|queryParameter.name  text!
    spec.routes[].conditions[].header|queryParameter.exact|notexact|regex  text
    spec.includes[].conditions[].exact|prefix|regex  text
    spec.includes[].conditions[].header|queryParameter.name  text!
    spec.includes[].conditions[].header|queryParameter.exact|notexact|regex  text
    spec.routes[].services[].name  text!
    spec.routes[].services[].port|weight  count
    spec.routes[].services[].mirror  flag
    spec.routes[].services[].requestHeadersPolicy.set[].name  text!
    spec.routes[].services[].requestHeadersPolicy.set[].value  text
    spec.tcpproxy.services[].name  text!
    spec.tcpproxy.services[].port|weight  count
    spec.tcpproxy.services[].mirror  flag
    spec.tcpproxy.services[].requestHeadersPolicy.set[].name  text!
    spec.tcpproxy.services[].requestHeadersPolicy.set[].value  text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "query.exact", "query.regex", "path.exact", "path.prefix", "path.regex",
    "matches.many", "conditions.many", "weight+matches",
  },

  render = render,
}
