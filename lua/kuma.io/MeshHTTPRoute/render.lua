-- Kuma: a MeshHTTPRoute, edited in place.
--
-- Its rules are tried in the order of the Gateway API: an exact path, then prefixes, then regular expressions, the
-- longer before the shorter, and last those without a path; then count a method, the number of headers and that of
-- query parameters, and last the order of the rules. So no regular expression of a step would win over the rule that it
-- is an exception to. What no rule holds for goes to the Service itself, undivided, up to Kuma 2, and nowhere from
-- Kuma 3 on. Of several conditions on one header the first counts.
-- https://kuma.io/docs/latest/policies/meshhttproute/ and api/v1alpha1/compare.go of the policy in kumahq/kuma

local weighted, precedence, ordered = use "weighted", use "precedence", use "ordered"
local services, segments, kuma = use "services", use "segments", use "kuma"

local trim, within = segments.trim, segments.within

local EXACT, PREFIX, REGEX = "Exact", "PathPrefix", "RegularExpression"
local NAME, NAMESPACE = "kuma.io/display-name", "k8s.kuma.io/namespace"
local CLASSES = { [EXACT] = 3, [PREFIX] = 2, [REGEX] = 1 }

-- Backends ------------------------------------------------------------------------------------------------------------

-- Return the namespace of a Service in a reference ("" where that does not say), nil where it is to another one.
local function namespace_of(ref, service)
  if ref.kind ~= "MeshService" and ref.kind ~= "MeshServiceSubset" then
    return nil
  elseif ref.name then
    return kuma.tagged(ref.name, service) or ref.name == service and (ref.namespace or "") or nil
  end
  local labels = ref.labels or {}
  return labels[NAME] == service and (labels[NAMESPACE] or "") or nil
end

local function dialect_of(stage)
  local dialect = { unwritten = 1, leads = kuma.leads(stage, "spec.to", namespace_of) }

  function dialect.pair(stable, canary)
    return stable.port == canary.port and stable.sectionName == canary.sectionName
  end

  -- What tells a subset of the stable Service apart is not the canary Service's.
  function dialect.point(ref, service)
    ref.kind, ref.tags = "MeshService", nil
    if ref.name then
      local _, rest = kuma.tagged(ref.name, stage.stableService)
      ref.name = service .. rest
    else
      ref.labels[NAME] = service
    end
  end

  function dialect.alone(ref)
    ref.weight = nil
  end

  return weighted.by_service(stage, dialect)
end

-- Return the backends of a rule: without any it leads to what the route is to, or answers by itself.
local function backends(rule, target)
  local default = rule.default or {}
  for _, filter in ipairs(default.filters or {}) do
    if filter.type == "RequestRedirect" then
      return {}
    end
  end
  return default.backendRefs or { copy(target) }
end

local function lead_to(rule, refs)
  rule.default = rule.default or {}
  rule.default.backendRefs = refs
end

-- Matches -------------------------------------------------------------------------------------------------------------

local function every(path)
  return path.type == PREFIX and trim(path.value) == ""
end

-- Return the path that is within both, false where none is, nil where nobody can tell.
local function both(own, other)
  if own.type == other.type and own.value == other.value or every(other) then
    return own
  elseif every(own) then
    return other
  elseif own.type == REGEX or other.type == REGEX then
    return nil
  elseif own.type == EXACT then
    return other.type == PREFIX and within(own.value, other.value) and own
  elseif other.type == EXACT then
    return within(other.value, own.value) and other
  elseif within(trim(own.value), other.value) then
    return own
  end
  return within(trim(other.value), own.value) and other
end

local function meet_paths(into, from, found)
  if not from.path then
    return
  elseif not into.path then
    into.path, found.more = copy(from.path), true
    return
  end
  local path = both(into.path, from.path)
  found.never = path == false
  found.unknown = path == nil and "the path would have to be " .. into.path.value .. " and " .. from.path.value or nil
  found.more = found.more or path and path ~= into.path
  into.path = copy(path) or into.path
end

local function meet(into, from, found)
  meet_paths(into, from, found)
  if from.method and into.method ~= from.method then
    found.never = found.never or into.method ~= nil
    into.method, found.more = from.method, true
  end
end

local function rank(match)
  local path = match.path or {}
  return {
    CLASSES[path.type] or 0,
    path.type and path.type ~= EXACT and #path.value or 0,
    match.method and 1 or 0,
    match.headers and #match.headers or 0,
    match.queryParams and #match.queryParams or 0,
  }
end

-- Some versions take no path for the prefix "/", others try it later.
local function unsure(match, _, other)
  local a, b = match.path, other.path
  return (not a and b and every(b) or a and not b and every(a)) and "first is another one in other versions of Kuma; "
    .. 'write the prefix "/" in both' or false
end

local function wanted(stage)
  local found = {}
  ordered.refuse_cookies(ordered.matches(stage), "a MeshHTTPRoute")
  for place, match in ipairs(ordered.matches(stage)) do
    local one = { place = place, path = match.path and not every(match.path) and copy(match.path) or nil }
    one.headers, one.queryParams = copy(match.headers), copy(match.queryParams)
    if one.path and one.path.type == PREFIX then
      one.path.value = trim(one.path.value)
    end
    found[place] = one
  end
  return found
end

-- Rules ---------------------------------------------------------------------------------------------------------------

local function check_rewrite(rule, one, field)
  local same = json.encode(one.from.path or { type = PREFIX, value = "/" })
    == json.encode(one.to.path or { type = PREFIX, value = "/" })
  for _, filter in ipairs((rule.default or {}).filters or {}) do
    local change = filter.urlRewrite or filter.requestRedirect
    if not same and change and change.path and change.path.type == "ReplacePrefixMatch" then
      fail(field .. ".default.filters", "replace what matched of the path, which is another part where the step asks "
        .. "for " .. one.to.path.value .. "; do not ask for a path")
    end
  end
end

-- Return what a match asks for, to know it again by.
local function text_of(match)
  local parts = { path = match.path, method = match.method, headers = match.headers, queryParams = match.queryParams }
  return json.encode(parts)
end

-- Return copies of rules for what was added, one for what comes from one rule without another in between. Of two that
-- ask for the same the first wins.
local function copies(rules, additions, work)
  local made, last = {}, nil
  for _, one in ipairs(additions) do
    local field = work.field .. "[" .. one.rule - 1 .. "]"
    check_rewrite(rules[one.rule], one, field)
    if last ~= one.rule then
      local twin = copy(rules[one.rule])
      twin.matches = list()
      local refs = backends(twin, work.target)
      if weighted.leads(refs, work.dialect, field) then
        lead_to(twin, weighted.turn(refs, work.dialect, field .. ".default.backendRefs"))
      end
      table.insert(made, twin)
      last = one.rule
    end
    if not work.seen[text_of(one.to)] then
      work.seen[text_of(one.to)] = true
      table.insert(made[#made].matches, one.to)
    end
  end
  local kept = {}
  for _, twin in ipairs(made) do
    table.insert(kept, twin.matches[1] and twin or nil)
  end
  return kept
end

-- Kuma takes rules with the same matches for one, so what the canary gets whole it gets instead of beside.
local function replaces(twins, rule)
  for _, twin in ipairs(twins) do
    if json.encode(twin.matches) == json.encode(rule.matches) then
      return true
    end
  end
  return false
end

local function check_rest(rules, work, stage)
  for _, rule in ipairs(rules) do
    for _, match in ipairs(rule.matches or {}) do
      local more = match.method or (match.headers or {})[1] or (match.queryParams or {})[1]
      if not more and (not match.path or every(match.path)) then
        return
      end
    end
  end
  if work.dialect.side(work.target) == "stable" then
    fail(work.field, "have none for all requests, and what none holds for goes to " .. stage.stableService
      .. ' undivided; add one for the path prefix "/"')
  end
end

local function render_rules(rules, work, stage)
  local leads, any = {}, false
  for i, rule in ipairs(rules) do
    leads[i] = weighted.leads(backends(rule, work.target), work.dialect, work.field .. "[" .. i - 1 .. "]")
    any = any or leads[i]
  end
  check_rest(rules, work, stage)
  work.seen = {}
  if not any then
    return rules, false
  end
  local api = { field = work.field, used = work.used, everything = {}, meet = meet, rank = rank, unsure = unsure }
  local blocks, made = precedence.additions(api, rules, leads, work.wanted), list()
  for i, rule in ipairs(rules) do
    local twins, refs = copies(rules, blocks[i], work), backends(rule, work.target)
    for _, twin in ipairs(twins) do
      table.insert(made, twin)
    end
    if not replaces(twins, rule) then
      local field = work.field .. "[" .. i - 1 .. "].default.backendRefs"
      local divided = leads[i] and weighted.wanted(refs, work.dialect, work.share, field)
      if divided then
        lead_to(rule, divided)
      end
      table.insert(made, rule)
    end
  end
  return made, true
end

local function lead_nowhere(spec, service)
  local refs = {}
  for _, to in ipairs(spec.to or {}) do
    for _, rule in ipairs(to.rules or {}) do
      for _, ref in ipairs(backends(rule, to.targetRef or {})) do
        table.insert(refs, ref)
      end
    end
  end
  services.refuse_others("spec.to", service, refs, function(ref)
    return ref.name or (ref.labels or {})[NAME] or ref.kind or "?"
  end)
end

return {
  reads = [[
    spec.to[].targetRef.kind|name|namespace|sectionName    text
    spec.to[].targetRef.labels.*                           text
    spec.to[].targetRef.port                               count
    spec.to[].rules[].matches[].path.type                  Exact,PathPrefix,RegularExpression!
    spec.to[].rules[].matches[].path.value                 text!
    spec.to[].rules[].matches[].method                     text
    spec.to[].rules[].matches[].headers|queryParams[].name          text!
    spec.to[].rules[].matches[].headers|queryParams[].type|value    text
    spec.to[].rules[].default.filters[].type               text
    spec.to[].rules[].default.filters[].urlRewrite|requestRedirect.path.type    text
    spec.to[].rules[].default.backendRefs[].kind|name|namespace|sectionName     text
    spec.to[].rules[].default.backendRefs[].labels.*       text
    spec.to[].rules[].default.backendRefs[].port|weight    count
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "query.exact", "query.regex", "path.exact", "path.prefix",
    "matches.many", "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    services.refuse_one(stage, "spec.to")
    local spec, found = given.spec or {}, false
    local work = { dialect = dialect_of(stage), share = weighted.share(stage), used = {} }
    work.wanted = wanted(stage)
    for i, to in ipairs(spec.to or {}) do
      work.field, work.target = "spec.to[" .. i - 1 .. "].rules", to.targetRef or {}
      local rules, leads = render_rules(to.rules or list(), work, stage)
      to.rules = to.rules and rules
      found = found or leads
    end
    if not found then
      lead_nowhere(spec, stage.stableService)
    end
    ordered.check(work.wanted, work.used, stage.stableService)
    return { given }
  end,
}
