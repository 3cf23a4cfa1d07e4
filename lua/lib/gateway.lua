-- What the routes of the Gateway API share: rules with matches, filters and weighted backends, edited in place.
--
-- A weight divides the stable Service's share of every rule that leads to it. Requests that match get rules of their
-- own, copies of those rules that lead to the canary, right before them; lib/precedence.lua says why there may be more.
-- https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule

local modifier, precedence = use "modifier", use "precedence"
local weighted, services = use "weighted", use "services"

local gateway = {}

gateway.reads = [[
  spec.rules[].name                                                       text
  spec.rules[].matches[].headers|queryParams[].name                       text!
  spec.rules[].matches[].headers|queryParams[].type                       Exact,RegularExpression
  spec.rules[].matches[].headers|queryParams[].value                      text
  spec.rules[].filters[].type                                             text
  spec.rules[].filters[].requestHeaderModifier.set|add[].name|value       text!
  spec.rules[].filters[].requestHeaderModifier.remove[]                   text
  spec.rules[].filters[].urlRewrite|requestRedirect.path.type             text
  spec.rules[].filters[].urlRewrite|requestRedirect.path.replacePrefixMatch  text
  spec.rules[].backendRefs[].name                                         text!
  spec.rules[].backendRefs[].group|kind|namespace                         text
  spec.rules[].backendRefs[].port|weight                                  count
  spec.rules[].backendRefs[].filters[].type                               text
  spec.rules[].backendRefs[].filters[].requestHeaderModifier.set|add[].name|value  text!
  spec.rules[].backendRefs[].filters[].requestHeaderModifier.remove[]     text
  spec.rules[].backendRefs[].filters[].responseHeaderModifier.add[]       map
  spec.rules[].backendRefs[].filters[].urlRewrite|requestRedirect.path.type  text
  spec.rules[].backendRefs[].filters[].urlRewrite|requestRedirect.path.replacePrefixMatch  text
]]

local RULES, MATCHES, ALL_MATCHES, CONDITIONS, BACKENDS, FILTERS, WEIGHT = 16, 64, 128, 16, 16, 16, 1000000

local function allow(count, limit, field, what)
  if count > limit then
    fail(field, "would have " .. count .. " " .. what .. ", and the Gateway API allows " .. limit)
  end
end

-- Rules ---------------------------------------------------------------------------------------------------------------

-- Divide what a rule sends to the stable Service; `percent` is the canary's.
local function divide(rule, stage, percent, field)
  local refs, canaries = weighted.divide(rule.backendRefs, stage.backends, percent)
  for _, canary in ipairs(canaries) do
    modifier.extend(canary, stage.headerModifier or {}, field .. ".backendRefs")
  end
  for _, ref in ipairs(refs) do
    allow(ref.weight or 1, WEIGHT, field .. ".backendRefs", "as a weight")
  end
  allow(#refs, BACKENDS, field .. ".backendRefs", "backends")
  rule.backendRefs = refs
end

-- Send what a rule sends to the stable Service to the canary.
local function turn(rule, stage, field)
  local refs, canaries = weighted.turn(rule.backendRefs, stage.backends)
  rule.backendRefs = refs
  local bare = true
  for _, canary in ipairs(canaries) do
    bare = bare and not modifier.of(canary)
  end
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

-- Return copies of rules that ask for more than those do, one after the other; `change(twin, field)` is done to those
-- that lead to the stable Service. Like any rule in `stage.turned`, a copy of one there leads where it is to lead.
local function copies(api, rules, additions, stage, change)
  local made, last, places = {}, nil, nil
  for _, one in ipairs(additions) do
    if last ~= one.rule or api.single(rules[last]) then
      local twin = copy(rules[one.rule])
      twin.name, twin.matches = nil, list()
      api.adapt(twin, one.from, one.to)
      stage.turned[twin] = stage.turned[rules[one.rule]]
      if not stage.turned[twin] and weighted.leads(twin.backendRefs or {}, stage.backends) then
        change(twin, "spec.rules[" .. one.rule - 1 .. "]")
      end
      table.insert(made, twin)
      last, places = one.rule, {}
    end
    insert(made[#made].matches, places, one)
  end
  return made
end

-- Return the rules, each after its copies.
local function joined(rules, blocks)
  local made = list()
  for i, rule in ipairs(rules) do
    for _, twin in ipairs(blocks[i]) do
      table.insert(made, twin)
    end
    table.insert(made, rule)
  end
  return made
end

-- Copies of requests --------------------------------------------------------------------------------------------------

-- Fail where a rule that leads to the stable Service leads elsewhere as well.
local function check_copies(rules, leads, stage)
  for i, rule in ipairs(rules) do
    for j, ref in ipairs(leads[i] and rule.backendRefs or {}) do
      if not stage.backends.side(ref) and ref.weight ~= 0 then
        fail("spec.rules[" .. i - 1 .. "].backendRefs[" .. j - 1 .. "]", "leads elsewhere than " .. stage.stableService
          .. ", and a rule has all of its requests copied or none; give this backend a rule of its own")
      end
    end
  end
end

-- Let a rule that leads to the stable Service send a copy of its requests to the canary, beside what its author copies.
local function mirror(rule, stage, field)
  local to, percent = copy(weighted.stable(rule.backendRefs, stage.backends)), stage.mirror.percent
  stage.backends.point(to, stage.canaryService)
  to.weight, to.filters = nil, nil
  rule.filters = rule.filters or list()
  table.insert(rule.filters, {
    type = "RequestMirror",
    requestMirror = { backendRef = to, percent = percent < 100 and percent or nil },
  })
  allow(#rule.filters, FILTERS, field .. ".filters", "filters")
end

-- Return the rules with what the stage says about copies. Whatever meets a request does the same as before and sends a
-- copy, be it the rule itself or, where only some requests are copied, one like it right before it.
local function with_copies(api, rules, stage)
  local leads, blocks, wanted = {}, {}, {}
  local function change(rule, field)
    mirror(rule, stage, field)
  end
  for i, rule in ipairs(rules) do
    leads[i] = not stage.turned[rule] and weighted.leads(rule.backendRefs or {}, stage.backends)
    blocks[i] = {}
    if leads[i] and not stage.mirror.matches[1] then
      change(rule, "spec.rules[" .. i - 1 .. "]")
    end
  end
  for k, match in ipairs(stage.mirror.matches) do
    wanted[k] = api.wanted(match)
  end
  local additions = precedence.additions(api, rules, leads, wanted, "mirror.matches")
  for i in ipairs(rules) do
    blocks[i] = copies(api, rules, additions[i], stage, change)
  end
  return joined(rules, blocks)
end

-- Visitors who stay --------------------------------------------------------------------------------------------------

-- Return the rules with those before them that keep whoever has the stable side's cookie there.
local function with_stays(api, rules, stage)
  local leads, blocks = {}, {}
  for i, rule in ipairs(rules) do
    leads[i] = not stage.turned[rule] and weighted.leads(rule.backendRefs or {}, stage.backends)
  end
  local additions = precedence.additions(api, rules, leads, { api.wanted(stage.stay.match) }, "stay.match")
  for i in ipairs(rules) do
    blocks[i] = copies(api, rules, additions[i], stage, function(twin)
      twin.backendRefs = weighted.divide(twin.backendRefs, stage.backends, 0)
      stage.turned[twin] = true
    end)
  end
  return joined(rules, blocks)
end

-- Let the answers of both sides set their cookies, where a weight has sent a request there.
local function set_cookies(rules, stage)
  local cookies = {
    { stage.canaryService, stage.setCookie },
    { stage.stableService, stage.stay and stage.stay.setCookie },
  }
  for i, rule in ipairs(rules) do
    for _, ref in ipairs(not stage.turned[rule] and rule.backendRefs or {}) do
      for _, each in ipairs(cookies) do
        if each[2] and stage.backends.leads(ref, each[1]) then
          modifier.answer(ref, "Set-Cookie", each[2], "spec.rules[" .. i - 1 .. "].backendRefs")
        end
      end
    end
  end
end

-- The object ----------------------------------------------------------------------------------------------------------

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
  stage.backends = weighted.by_service(stage, services.references(given))
  given.spec = given.spec or {}
  local rules, wanted, percent = given.spec.rules or list(), {}, weighted.share(stage)
  check(rules, 0)
  local lists = {}
  for i, rule in ipairs(rules) do
    lists[i] = rule.backendRefs or {}
  end
  local leads = weighted.leading(lists, stage.backends, stage, "spec.rules")
  for k, match in ipairs(stage.neutral and {} or stage.matches) do
    wanted[k] = api.wanted(match)
  end
  if stage.mirror and not stage.neutral then
    check_copies(rules, leads, stage)
  end
  local blocks = precedence.additions(api, rules, leads, wanted)
  stage.turned = {}
  for i in ipairs(rules) do
    blocks[i] = copies(api, rules, blocks[i], stage, function(twin, field)
      turn(twin, stage, field)
      stage.turned[twin] = true
    end)
  end
  for i, rule in ipairs(rules) do
    if leads[i] and (percent or weighted.written(rule.backendRefs, stage.backends)) then
      divide(rule, stage, percent or 0, "spec.rules[" .. i - 1 .. "]")
    end
  end
  local made = joined(rules, blocks)
  if stage.stay and not stage.neutral then
    made = with_stays(api, made, stage)
  end
  if stage.setCookie and not stage.neutral then
    set_cookies(made, stage)
  end
  if stage.mirror and not stage.neutral then
    made = with_copies(api, made, stage)
  end
  check(made, #made - #rules)
  given.spec.rules = made
  return { given }
end

-- The provider of a route whose rules have no matches.
gateway.connections = {
  reads = gateway.reads,

  supports = { "weight" },

  render = function(given, stage)
    return gateway.render({
      everything = {},
      rank = function()
        return {}
      end,
      wanted = function()
        fail("matches", "nothing tells one connection from another; use a weight")
      end,
    }, given, stage)
  end,
}

return gateway
