-- APISIX: an ApisixRoute, edited in place.
--
-- The backends of a rule share what comes by their weights, 100 where none is written. Of the rules for one path the
-- one with the highest priority is tried first. So requests that match get a rule of their own for the same hosts and
-- paths, one priority above the rule that it was made from; what they have to be, their path included, is AND-ed to
-- what that rule asks for. It leaves open who is first among equals, so nobody else may have that priority.
-- https://apisix.apache.org/docs/ingress-controller/references/apisix_route_v2/
-- https://apisix.apache.org/docs/apisix/router-radixtree/

local weighted = use "weighted"

local BACKEND = {
  kept = true,
  unwritten = 100,
  leads = function(backend, service)
    return backend.serviceName == service
  end,
  pair = function(a, b)
    return a.servicePort == b.servicePort and a.subset == b.subset
  end,
  point = function(backend, service)
    backend.serviceName = service
  end,
  name = function(backend)
    return backend.serviceName
  end,
}

-- What a step asks of requests ----------------------------------------------------------------------------------------

local function expression(scope, condition)
  local regex = condition.type == "RegularExpression"
  return {
    subject = { scope = scope, name = condition.name },
    op = regex and "RegexMatch" or "Equal",
    value = condition.value,
  }
end

-- A prefix of a step is one of segments.
local function of_path(path)
  if path.type ~= "PathPrefix" then
    return expression("Path", path)
  end
  local prefix = path.value:gsub("/+$", ""):gsub("[^%w/_\128-\255-]", "\\%0")
  return prefix ~= "" and { subject = { scope = "Path" }, op = "RegexMatch", value = "^" .. prefix .. "(/|$)" } or nil
end

local SCOPES = { { "headers", "Header" }, { "queryParams", "Query" }, { "cookies", "Cookie" } }

-- Return expressions that hold together for what a match asks for.
local function expressions(match)
  local made = list()
  for _, each in ipairs(SCOPES) do
    for _, condition in ipairs(match[each[1]] or {}) do
      table.insert(made, expression(each[2], condition))
    end
  end
  table.insert(made, match.path and of_path(match.path))
  return made
end

-- Rules ---------------------------------------------------------------------------------------------------------------

local function priority(rule)
  return rule.priority or 0
end

-- Tell whether two rules have a place in common at which they are tried one after the other.
local function meet(a, b)
  local known = {}
  for _, path in ipairs(a.match and a.match.paths or {}) do
    known[path] = true
  end
  for _, path in ipairs(b.match and b.match.paths or {}) do
    if known[path] then
      return true
    end
  end
  return false
end

-- Refuse to put a rule right before another one where a third one stands already; if that is divided as well, what is
-- the canary's is taken out of it before.
local function check_room(rules, i, leads)
  for k, other in ipairs(rules) do
    if not leads[k] and priority(other) == priority(rules[i]) + 1 and meet(other, rules[i]) then
      fail("spec.http[" .. k - 1 .. "].priority", "is " .. priority(other) .. ", one more than that of the rule "
        .. (rules[i].name or "http[" .. i - 1 .. "]") .. " for the same path, which leaves no room for the canary's between them; make it at least "
        .. priority(other) + 1)
    end
  end
end

-- Return a name that no rule has: two of one name make the whole object invalid.
local function free(name, taken)
  local found, count = name, 1
  while taken[found] do
    count = count + 1
    found = name .. "-" .. count
  end
  taken[found] = true
  return found
end

-- Return the rule for requests of another rule that match.
local function narrowed(rule, match, stage, taken)
  local twin = copy(rule)
  twin.name = free((rule.name or stage.name) .. "-canary", taken)
  twin.priority = priority(rule) + 1
  twin.match = twin.match or {}
  for _, each in ipairs(expressions(match)) do
    twin.match.exprs = twin.match.exprs or list()
    table.insert(twin.match.exprs, each)
  end
  twin.backends = weighted.turn(twin.backends, BACKEND)
  return twin
end

-- Divide a rule, if there is a weight for the canary or the author has given it one. Upstreams get their shares of the
-- same whole.
local function divide(rule, stage)
  local percent = weighted.share(stage)
  if percent or weighted.written(rule.backends, BACKEND) then
    local all, upstreams = { unpack(rule.backends) }, rule.upstreams or {}
    for _, upstream in ipairs(upstreams) do
      table.insert(all, upstream)
    end
    rule.backends = weighted.divide(all, BACKEND, percent or 0)
    for _ in ipairs(upstreams) do
      table.remove(rule.backends)
    end
  end
end

-- The controller writes weights into this plugin itself, over what the author has put there.
local function check_plugins(rule, place)
  for k, plugin in ipairs(rule.plugins or {}) do
    if plugin.name == "traffic-split" and plugin.enable ~= false then
      fail(place .. ".plugins[" .. k - 1 .. "]", "is what APISIX divides requests with, so the weights of the backends "
        .. "would take its place; write it as backends with weights")
    end
  end
end

-- A backend without another one gets everything, whatever its weight.
local function forget_weight(rule)
  local first, second = unpack(rule.backends or {})
  if first and first.weight == 0 and not second and not (rule.upstreams and rule.upstreams[1]) then
    first.weight = nil
  end
end

-- Connections have neither weights nor anything to match on.
local function check_streams(spec, stage)
  for i, stream in ipairs(spec.stream or {}) do
    if stream.backend and BACKEND.leads(stream.backend, stage.stableService) then
      fail("spec.stream[" .. i - 1 .. "]", "leads connections to the Service " .. stage.stableService .. ", and APISIX "
        .. "divides requests only; give it an ApisixRoute of its own")
    end
  end
end

return {
  reads = [[
    spec.http[].name                           text
    spec.http[].priority                       number
    spec.http[].match.paths[]                  text
    spec.http[].match.exprs[]                  map
    spec.http[].plugins[].name                 text
    spec.http[].plugins[].enable               flag
    spec.http[].backends[].serviceName         text!
    spec.http[].backends[].servicePort         scalar
    spec.http[].backends[].subset              text
    spec.http[].backends|upstreams[].weight    count
    spec.stream[].backend.serviceName          text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "cookie.regex", "query.exact", "query.regex",
    "path.exact", "path.prefix", "path.regex", "matches.many", "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    given.spec = given.spec or {}
    local rules, lists, made, taken = given.spec.http or list(), {}, list(), {}
    for i, rule in ipairs(rules) do
      forget_weight(rule)
      lists[i] = rule.backends or {}
      taken[rule.name or ""] = true
    end
    local leads = weighted.leading(lists, weighted.by_service(stage, BACKEND), stage, "spec.http")
    check_streams(given.spec, stage)
    for i, rule in ipairs(rules) do
      for _, match in ipairs(leads[i] and not stage.neutral and stage.matches or {}) do
        check_room(rules, i, leads)
        table.insert(made, narrowed(rule, match, stage, taken))
      end
      table.insert(made, rule)
    end
    for i, rule in ipairs(rules) do
      if leads[i] then
        check_plugins(rule, "spec.http[" .. i - 1 .. "]")
        divide(rule, stage)
      end
    end
    given.spec.http = made
    return { given }
  end,
}
