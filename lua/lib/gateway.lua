-- What the routes of the Gateway API share: rules with matches, filters and weighted backends, edited in place.
--
-- A weight divides the stable Service's share of every rule that leads to it. Requests that match get rules of their
-- own, copies of those rules that lead to the canary, right before them; lib/precedence.lua says why there may be more.
-- https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule

local modifier, precedence = use "modifier", use "precedence"

local gateway = {}

local RULES, MATCHES, ALL_MATCHES, CONDITIONS, BACKENDS, WEIGHT = 16, 64, 128, 16, 16, 1000000

local function allow(count, limit, field, what)
  if count > limit then
    fail(field, "would have " .. count .. " " .. what .. ", and the Gateway API allows " .. limit)
  end
end

-- Backends ------------------------------------------------------------------------------------------------------------

local function weight(ref)
  return ref.weight or 1
end

local function goes_to(ref, service, namespace)
  return ref.name == service and (ref.kind or "Service") == "Service" and (ref.group or "") == ""
    and (ref.namespace or namespace) == namespace
end

-- Return the canary's backend that an author has written beside a stable one; what the two get together is divided.
local function written(refs, stable, stage, taken)
  for _, ref in ipairs(refs) do
    if not taken[ref] and ref.port == stable.port and goes_to(ref, stage.canaryService, stage.namespace) then
      taken[ref] = true
      return ref
    end
  end
end

-- Return what is to be divided in a rule, a list of { stable, canary, sum }, and the same by stable backend.
local function shares(rule, stage)
  local refs, taken, found, by = rule.backendRefs or {}, {}, {}, {}
  for _, ref in ipairs(refs) do
    if goes_to(ref, stage.stableService, stage.namespace) then
      local canary = written(refs, ref, stage, taken)
      local share = { stable = ref, canary = canary, sum = weight(ref) + (canary and weight(canary) or 0) }
      if share.sum > 0 then
        by[ref] = share
        table.insert(found, share)
      end
    end
  end
  return found, by
end

local function divisor(a, b)
  while b > 0 do
    a, b = b, a % b
  end
  return a
end

-- Say what each share counts, so that it can be divided into whole numbers: a rule that goes nowhere else is divided in
-- hundreds, any other keeps its weights, or multiples of them where that is not enough.
local function scale(refs, found, percent)
  if #found == 1 and #refs == (found[1].canary and 2 or 1) then
    found[1].sum = 100
    return
  end
  local common, whole = 100, true
  for _, share in ipairs(found) do
    common = divisor(common, share.sum)
    whole = whole and share.sum * percent % 100 == 0
  end
  local times = whole and 1 or 100 / common
  for _, ref in ipairs(times > 1 and refs or {}) do
    ref.weight = weight(ref) * times
  end
  for _, share in ipairs(found) do
    share.sum = share.sum * times
  end
end

local function to_canary(share, stage)
  local canary = share.canary or copy(share.stable)
  canary.name = stage.canaryService
  return canary
end

-- Rules ---------------------------------------------------------------------------------------------------------------

-- Divide what a rule sends to the stable Service; `percent` is the canary's.
local function divide(rule, stage, percent, field)
  local found, by = shares(rule, stage)
  scale(rule.backendRefs, found, percent)
  local refs = list()
  for _, ref in ipairs(rule.backendRefs) do
    table.insert(refs, ref)
    if by[ref] and not by[ref].canary then
      by[ref].canary = to_canary(by[ref], stage)
      table.insert(refs, by[ref].canary)
    end
  end
  for _, share in ipairs(found) do
    share.canary.weight = share.sum * percent / 100
    share.stable.weight = share.sum - share.canary.weight
    modifier.extend(share.canary, stage.headerModifier or {}, field .. ".backendRefs")
  end
  for _, ref in ipairs(refs) do
    allow(weight(ref), WEIGHT, field .. ".backendRefs", "as a weight")
  end
  allow(#refs, BACKENDS, field .. ".backendRefs", "backends")
  rule.backendRefs = refs
end

-- Send what a rule sends to the stable Service to the canary.
local function turn(rule, stage, field)
  local _, by = shares(rule, stage)
  local refs, canaries, bare = list(), {}, true
  for _, ref in ipairs(rule.backendRefs) do
    local share = by[ref]
    if not share then
      table.insert(refs, ref)
    else
      local canary = to_canary(share, stage)
      if share.canary then
        canary.weight = share.sum
      else
        table.insert(refs, canary)
      end
      table.insert(canaries, canary)
      bare = bare and not modifier.of(canary)
    end
  end
  rule.backendRefs = refs
  -- More gateways can change headers for a rule than for one of its backends.
  for _, holder in ipairs(bare and #refs == #canaries and { rule } or canaries) do
    modifier.extend(holder, stage.headerModifier or {}, field)
  end
end

-- Put a match into a copy of a rule, once, and in the author's order, which within a rule counts for nothing.
local function insert(matches, places, one)
  local at = #matches + 1
  for _, match in ipairs(matches) do
    if json.encode(match) == json.encode(one.to) then
      return
    end
  end
  while at > 1 and places[at - 1] > one.at do
    at = at - 1
  end
  table.insert(matches, at, one.to)
  table.insert(places, at, one.at)
end

-- Return copies of rules that ask for more than those do, one after the other.
local function copies(api, rules, additions, stage)
  local made, last, places = {}, nil, nil
  for _, one in ipairs(additions) do
    if last ~= one.rule or api.single(rules[last]) then
      local twin = copy(rules[one.rule])
      twin.name, twin.matches = nil, list()
      api.adapt(twin, one.from, one.to)
      if shares(twin, stage)[1] then
        turn(twin, stage, "spec.rules[" .. one.rule - 1 .. "]")
      end
      table.insert(made, twin)
      last, places = one.rule, {}
    end
    insert(made[#made].matches, places, one)
  end
  return made
end

-- Tell whether an author has written the canary beside the stable Service: then a rule is divided also by 0 percent.
local function has_canary(rule, stage)
  for _, share in ipairs((shares(rule, stage))) do
    if share.canary then
      return true
    end
  end
  return false
end

-- Return the names of the Services that rules lead to, or where else they lead.
local function names(rules)
  local found, known = {}, {}
  for _, rule in ipairs(rules) do
    for _, ref in ipairs(rule.backendRefs or {}) do
      local name = (ref.namespace and ref.namespace .. "/" or "") .. ref.name
      name = (ref.kind or "Service") == "Service" and name or ref.kind .. " " .. name
      if not known[name] and weight(ref) > 0 then
        known[name] = true
        table.insert(found, name)
      end
    end
  end
  return found[1] and "only to " .. table.concat(found, ", ") or "nor anywhere else"
end

local function leading(rules, stage)
  local leads, any = {}, false
  for i, rule in ipairs(rules) do
    leads[i] = shares(rule, stage)[1] ~= nil
    any = any or leads[i]
  end
  if not any then
    fail("spec.rules", "does not lead to the Service " .. stage.stableService .. ", " .. names(rules))
  end
  return leads
end

local function check(rules, added)
  local count = 0
  for _, rule in ipairs(rules) do
    local matches = rule.matches or {}
    count = count + #matches
    allow(#matches, MATCHES, "spec.rules", "matches in a rule")
    for _, match in ipairs(matches) do
      allow(#(match.headers or {}), CONDITIONS, "spec.rules", "headers in a match")
      allow(#(match.queryParams or {}), CONDITIONS, "spec.rules", "query parameters in a match")
    end
  end
  local why = added > 0 and " (" .. added .. " of them for the requests that are the canary's)" or ""
  allow(#rules, RULES, "spec.rules", "rules" .. why)
  allow(count, ALL_MATCHES, "spec.rules", "matches in all" .. why)
end

-- Return the route at a stage. `api` says what lib/precedence.lua wants to know, and
--
--   wanted(match)          what a match of the stage is in this API; fails where it is nothing
--   single(rule)           each match needs a rule of its own
--   adapt(rule, from, to)  let a rule for the match `from` do the same to requests of the narrower match `to`
function gateway.render(api, given, stage)
  if stage.stableService == stage.canaryService then
    fail("spec.rules", "can only divide requests between Services: let the canary have one of its own beside "
      .. stage.stableService)
  end
  stage.namespace = given.metadata and given.metadata.namespace
  given.spec = given.spec or {}
  local rules, wanted, percent = given.spec.rules or list(), {}, stage.weight or stage.neutral and 0 or nil
  local leads = leading(rules, stage)
  for k, match in ipairs(stage.neutral and {} or stage.matches) do
    wanted[k] = api.wanted(match)
  end
  local blocks = precedence.additions(api, rules, leads, wanted)
  for i in ipairs(rules) do
    blocks[i] = copies(api, rules, blocks[i], stage)
  end
  local made, added = list(), 0
  for i, rule in ipairs(rules) do
    for _, twin in ipairs(blocks[i]) do
      table.insert(made, twin)
      added = added + 1
    end
    if leads[i] and (percent or has_canary(rule, stage)) then
      divide(rule, stage, percent or 0, "spec.rules[" .. i - 1 .. "]")
    end
    table.insert(made, rule)
  end
  check(made, added)
  given.spec.rules = made
  return { given }
end

return gateway
