-- Istio: the canary becomes one more destination of every rule that leads to the stable Service, and requests that
-- match get a rule of their own, right before the one that they would have met: the first rule that holds wins.
-- https://istio.io/latest/docs/reference/config/networking/virtual-service/

local istio, matching, headers, weights = use "istio", use "istiomatch", use "istioheaders", use "istioweights"
local twins, mirror, subsets = use "istiotwins", use "istiomirror", use "istiosubsets"

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

-- Tell whether a rule leads to the stable side; to which subsets is added to `used`.
local function leads(rule, sides, field, used)
  local stable = places(rule.route or {}, sides)
  for _, i in ipairs(sides.subsets and stable or {}) do
    local place, subset = field .. ".route[" .. i - 1 .. "].destination.subset", rule.route[i].destination.subset
    table.insert(used, { subset = subset, field = place })
    if not subset then
      fail(place, "is not written: this is every pod of the Service, "
        .. "also the canary's, which have no Service of their own; name a subset that has only the stable pods")
    end
  end
  return stable[1] ~= nil
end

-- Return a rule that leads to the stable side with its weights divided, and the rules to put before it.
local function worked(rule, protocol, work, field)
  local before, _, written = {}, places(rule.route, work.sides)
  local copied = protocol == "http" and work.mirror and mirror.leading(rule, work, field)
  if protocol == "http" then
    if work.modifier then
      headers.check(rule, work.modifier, field)
    end
    before = twins.of(rule, work.asked, field, function(twin)
      twin.route = moved(rule.route, work, field)
    end)
  end
  for _, twin in ipairs(protocol == "http" and twins.of(rule, work.stays, field, function(twin)
    twin.route = divided(rule.route, 0, { sides = work.sides }, field)
  end) or {}) do
    table.insert(before, twin)
  end
  if work.share or written then
    rule.route = divided(rule.route, work.share or 0,
      protocol == "http" and work or { sides = work.sides }, field)
    for _, entry in ipairs(protocol == "http" and rule.route or {}) do
      local cookie = work.cookies[work.sides.of(entry.destination or {}) or ""]
      if cookie then
        headers.answer(entry, "Set-Cookie", cookie)
      end
    end
  end
  for _, twin in ipairs(copied and mirror.put(rule, work, field, copied) or {}) do
    table.insert(before, twin)
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
  local what = work.asked[1] and "matches" or work.modifier and "headerModifier" or work.mirror and "mirror"
  if what and not found.http then
    fail("spec", "routes connections (tls, tcp) to the Service " .. stage.stableService .. " and no http, so there is "
      .. "nothing that the " .. what .. " of the step could look at; use a weight")
  end
  twins.check(work.asked, stage.stableService)
  twins.check(work.copied, stage.stableService)
end

return {
  reads = [[
    spec.http|tls|tcp[].route[].destination.host              text!
    spec.http|tls|tcp[].route[].destination.subset            text
    spec.http|tls|tcp[].route[].destination.port.number       count
    spec.http|tls|tcp[].route[].weight                        count
    spec.http|tls|tcp[].route[].headers.request.set|add.*     text
    spec.http|tls|tcp[].route[].headers.request.remove[]      text
    spec.http|tls|tcp[].route[].headers.response.add.*        text
    spec.http[].headers.request.set|add.*                     text
    spec.http[].headers.request.remove[]                      text
    spec.http[].match[].uri|method.exact|prefix|regex         text
    spec.http[].match[].headers|queryParams.*.exact|prefix|regex    text
    spec.http[].match[].ignoreUriCase                         flag
    spec.http[].match[].gateways[]                            text
    spec.http[].match[].sourceLabels.*                        text
    spec.gateways[]                                           text
    spec.http[].rewrite.uri|authority                         text
    spec.http[].delegate.name                                 text
    spec.http[].mirror                                        map
    spec.http[].mirrors[]                                     map
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "query.exact", "query.regex", "path.exact", "path.prefix",
    "path.regex", "method.exact", "method.regex", "caller.exact", "matches.many", "conditions.many", "weight+matches",
    "headerModifier", "mirror", "mirror.matches", "cookie.sticky",
  },

  render = function(given, stage)
    local spec = given.spec or {}
    local hosts = hosts_of(spec)
    local work = {
      sides = istio.sides(given, hosts, stage),
      share = stage.neutral and 0 or stage.weight,
      asked = matching.asked(stage.neutral and {} or stage.matches, "matches", spec.gateways),
      modifier = not stage.neutral and stage.headerModifier or nil,
      mirror = not stage.neutral and stage.mirror or nil,
      cookies = stage.neutral and {} or { canary = stage.setCookie, stable = stage.stay and stage.stay.setCookie },
      stays = matching.asked(not stage.neutral and stage.stay and { stage.stay.match } or {}, "stay.match"),
      copied = matching.asked(not stage.neutral and stage.mirror and stage.mirror.matches or {}, "mirror.matches",
        spec.gateways),
    }
    local found, http, used = {}, list {}, {}
    each_rule(spec, function(rule, field, protocol)
      local before = {}
      if leads(rule, work.sides, field, used) then
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
    subsets.check(stage, used)
    spec.http = spec.http and http
    return { given }
  end,
}
