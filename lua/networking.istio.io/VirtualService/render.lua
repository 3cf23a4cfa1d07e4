-- Istio: the canary becomes one more destination of every rule that leads to the stable Service, and requests that
-- match get a rule of their own, right before the one that they would have met: the first rule that holds wins.
-- https://istio.io/latest/docs/reference/config/networking/virtual-service/

local istio, matching, headers, weights = use "istio", use "istiomatch", use "istioheaders", use "istioweights"

-- Call visit(rule, field, protocol) for every rule.
local function each_rule(spec, visit)
  for _, protocol in ipairs { "http", "tls", "tcp" } do
    for i, rule in ipairs(spec[protocol] or {}) do
      visit(rule, "spec." .. protocol .. "[" .. i - 1 .. "]", protocol)
    end
  end
end

-- Routes --------------------------------------------------------------------------------------------------------------

-- Return the entry for the canary's counterpart of a destination, which is made where there is none.
local function counterpart(route, entry, written, work)
  if written then
    return route[written]
  end
  local twin = { destination = work.sides.to_canary(entry.destination), headers = copy(entry.headers) }
  if work.modifier then
    headers.change(twin, work.modifier)
  end
  for _, other in ipairs(route) do
    if istio.same(other.destination, twin.destination) and istio.same(other.headers, twin.headers) then
      return other
    end
  end
  twin.weight = 0
  table.insert(route, twin)
  return twin
end

-- Return the places of the stable destinations in a route, and that of a canary's, where the author has written one.
local function places(route, sides)
  local stable, written = {}, nil
  for i, entry in ipairs(route) do
    local side = sides.of(entry.destination or {})
    table.insert(stable, side == "stable" and i or nil)
    written = written or side == "canary" and i
  end
  return stable, written
end

-- Return the route with `share` percent of what goes to the stable Service given to the canary. What the author has
-- given to the canary is part of what is divided.
local function divided(route, share, work, field)
  local shares, total = weights.of(route, field)
  local stable, written = places(route, work.sides)
  for i, entry in ipairs(route) do
    if work.sides.of(entry.destination or {}) == "canary" then
      shares[stable[1]], shares[i] = shares[stable[1]] + shares[i], 0
    end
  end
  local own = {}
  for n, i in ipairs(stable) do
    own[n] = shares[i]
  end
  local times, made = weights.factor(own, share, total), copy(route)
  for i, entry in ipairs(made) do
    entry.weight = shares[i] * times
  end
  for n, i in ipairs(stable) do
    own[n] = made[i].weight
  end
  if written and work.modifier then
    headers.change(made[written], work.modifier)
  end
  for n, part in ipairs(weights.portions(own, share)) do
    local twin = counterpart(made, made[stable[n]], written, work)
    made[stable[n]].weight, twin.weight = own[n] - part, twin.weight + part
  end
  return made
end

-- Return the route with the canary in the place of the stable Service.
local function moved(route, work, field)
  local kept = list {}
  for _, entry in ipairs(divided(route, 100, work, field)) do
    table.insert(kept, work.sides.of(entry.destination or {}) ~= "stable" and entry or nil)
  end
  if #kept == 1 then
    kept[1].weight = nil
  end
  return kept
end

-- Rules ---------------------------------------------------------------------------------------------------------------

-- Return the `rewrite.uri` of a rule for a match that asks for more of the path than it did: it replaces what matched.
local function rewritten(rule, found, field)
  local to = rule.rewrite and not rule.rewrite.uriRegexRewrite and rule.rewrite.uri
  local old, new = found.own.uri or { prefix = "/" }, found.match.uri
  if not to or to == "" or not new or istio.same(old, new) then
    return to
  elseif new.exact and (old.exact or old.regex) then
    return to
  elseif new.regex or old.regex then
    fail(field .. ".rewrite.uri", "replaces what matched of the path, which is another part where the step asks for ("
      .. (new.regex or new.prefix) .. "); ask for a path or a prefix, or write it as uriRegexRewrite")
  end
  return to .. (new.exact or new.prefix):sub(#(old.prefix or "/") + 1)
end

-- Return a rule like this one for the canary. One without `match` is built anew, so that this does not come last.
local function twin_of(rule, work, field)
  local twin = rule.match and copy(rule) or {}
  for key, item in pairs(rule.match and {} or rule) do
    twin[key] = copy(item)
  end
  twin.match, twin.route = list {}, moved(rule.route, work, field)
  return twin
end

-- Return the rules for requests that this rule would have met and that match: one, or one for each `rewrite.uri`.
local function canary_rules(rule, work, field)
  local made, last = {}, nil
  for _, found in ipairs(matching.narrowed(rule.match, work.asked, field)) do
    local to = rewritten(rule, found, field)
    work.met[found.place] = true
    if not made[1] or to ~= last then
      table.insert(made, twin_of(rule, work, field))
      last = to
    end
    local twin = made[#made]
    if to then
      twin.rewrite.uri = to
    end
    table.insert(twin.match, found.match)
  end
  for _, twin in ipairs(made) do
    for _, match in ipairs(twin.match or {}) do
      twin.match = next(match) and twin.match -- one that asks for nothing is no condition at all
    end
  end
  return made
end

-- Tell whether a rule leads to the stable side.
local function leads(rule, sides, field)
  local stable = places(rule.route or {}, sides)
  for _, i in ipairs(sides.subsets and stable or {}) do
    if not rule.route[i].destination.subset then
      fail(field .. ".route[" .. i - 1 .. "].destination.subset", "is not written: this is every pod of the Service, "
        .. "also the canary's, which have no Service of their own; name a subset that has only the stable pods")
    end
  end
  return stable[1] ~= nil
end

-- Return a rule that leads to the stable side with its weights divided, and the rules to put before it.
local function worked(rule, protocol, work, field)
  local before, _, written = {}, places(rule.route, work.sides)
  if protocol == "http" then
    if work.modifier then
      headers.check(rule, work.modifier, field)
    end
    before = canary_rules(rule, work, field)
  end
  if work.share or written then
    rule.route = divided(rule.route, work.share or 0,
      protocol == "http" and work or { sides = work.sides }, field)
  end
  return before
end

-- The object ----------------------------------------------------------------------------------------------------------

local function hosts_of(spec)
  local hosts = {}
  each_rule(spec, function(rule)
    for _, entry in ipairs(rule.route or {}) do
      table.insert(hosts, entry.destination and entry.destination.host)
    end
  end)
  return hosts
end

local function lead_nowhere(spec, hosts, service)
  local seen, others, delegates = {}, {}, {}
  each_rule(spec, function(rule)
    table.insert(delegates, rule.delegate and rule.delegate.name)
  end)
  for _, host in ipairs(hosts) do
    table.insert(others, not seen[host] and host or nil)
    seen[host] = true
  end
  if delegates[1] then
    fail("spec.http", "does not route to the Service " .. service .. " itself; name the VirtualService that it "
      .. "delegates to in its place: " .. table.concat(delegates, ", "))
  end
  fail("spec", "does not route to the Service " .. service .. ", only to "
    .. (others[1] and table.concat(others, ", ") or "no Service at all"))
end

local function check_use(found, work, stage)
  local what = work.asked[1] and "matches" or work.modifier and "headerModifier"
  if what and not found.http then
    fail("spec", "routes connections (tls, tcp) to the Service " .. stage.stableService .. " and no http, so there is "
      .. "nothing that the " .. what .. " of the step could look at; use a weight")
  end
  for _, one in ipairs(work.asked) do
    if not work.met[one.place] then
      fail("matches[" .. one.place - 1 .. "]", "no request can satisfy this and be one that a rule sends to the "
        .. "Service " .. stage.stableService)
    end
  end
end

return {
  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "query.exact", "query.regex", "path.exact", "path.prefix",
    "path.regex", "matches.many", "conditions.many", "weight+matches", "headerModifier",
  },

  render = function(given, stage)
    local spec = given.spec or {}
    local hosts = hosts_of(spec)
    local work = {
      sides = istio.sides(given, hosts, stage),
      share = stage.neutral and 0 or stage.weight,
      asked = stage.neutral and {} or matching.asked(stage.matches),
      modifier = not stage.neutral and stage.headerModifier or nil,
      met = {},
    }
    local found, http = {}, list {}
    each_rule(spec, function(rule, field, protocol)
      local before = {}
      if leads(rule, work.sides, field) then
        found[protocol] = true
        before = worked(rule, protocol, work, field)
      end
      for _, new in ipairs(before) do
        table.insert(http, new)
      end
      table.insert(http, protocol == "http" and rule or nil)
    end)
    if not next(found) then
      lead_nowhere(spec, hosts, stage.stableService)
    end
    check_use(found, work, stage)
    spec.http = spec.http and http
    return { given }
  end,
}
