-- Copies of requests in a VirtualService: whatever a rule that leads to the stable Service does, it sends a copy to the
-- canary as well. Where only some requests are copied they get a rule of their own, which does the same otherwise.
-- https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMirrorPolicy

local twins = use "istiotwins"

local mirror = {}

-- Return the stable destination whose counterpart gets the copies: the first that gets anything of what is not divided
-- yet.
function mirror.leading(rule, work, field)
  local first, idle, other
  for i, entry in ipairs(rule.route) do
    local side = work.sides.of(entry.destination or {})
    local gets = not rule.route[2] or (entry.weight or 0) > 0
    first = first or side == "stable" and gets and entry.destination or nil
    idle = idle or side == "stable" and entry.destination or nil
    other = other or side == nil and entry.weight ~= 0 and i or nil
  end
  first = first or idle
  if other then
    fail(field .. ".route[" .. other - 1 .. "]", "leads elsewhere than " .. first.host .. ", and a rule has all of its "
      .. "requests copied or none; give this destination a rule of its own")
  end
  return first
end

-- Let a rule send copies to one more destination.
local function put(rule, destination, percent)
  local share = percent < 100 and { value = percent } or nil
  if not rule.mirror and not rule.mirrors then
    rule.mirror, rule.mirrorPercentage = destination, share
    return
  end
  if rule.mirror then
    local old = rule.mirrorPercentage or rule.mirrorPercent and { value = rule.mirrorPercent }
    rule.mirrors = list { { destination = rule.mirror, percentage = old or nil } }
    rule.mirror, rule.mirrorPercentage, rule.mirrorPercent = nil, nil, nil
  end
  table.insert(rule.mirrors, { destination = destination, percentage = share })
end

-- Let a rule that leads to the stable Service have its requests copied: all of them, or those that one of `work.copied`
-- asks for, by the rules that are returned to be put before it. `first` is from mirror.leading; see lib/istio.lua for
-- `work.sides`.
function mirror.put(rule, work, field, first)
  local function change(twin)
    put(twin, work.sides.to_canary(first), work.mirror.percent)
  end
  if work.copied[1] then
    return twins.of(rule, work.copied, field, change)
  end
  change(rule)
  return {}
end

return mirror
