-- Kuma: a TrafficRoute, edited in place.
--
-- The items of `conf.http` are tried in their order, and what none of them holds for goes where `conf` says. They count
-- for HTTP only, the weights of `conf` for all connections.
-- https://kuma.io/docs/2.8.x/policies/traffic-route/

local weighted, paths, ordered, kuma = use "weighted", use "textpaths", use "ordered", use "kuma"

local SERVICE, REGEX = "kuma.io/service", "RegularExpression"

-- Destinations --------------------------------------------------------------------------------------------------------

local function dialect_of(stage)
  local dialect, note = {}, kuma.one_namespace(stage.stableService, "spec.conf")

  function dialect.side(entry)
    local tag = (entry.destination or {})[SERVICE] or ""
    local stable, canary = kuma.tagged(tag, stage.stableService), kuma.tagged(tag, stage.canaryService)
    if stable then
      note(stable)
    end
    return stable and "stable" or canary and "canary" or nil
  end

  -- The tags of the stable side's pods are not the canary's, but for those of Kuma.
  function dialect.twin(entry)
    local twin = copy(entry)
    local _, rest = kuma.tagged(entry.destination[SERVICE], stage.stableService)
    for tag in pairs(entry.destination) do
      if tag:sub(1, 8) ~= "kuma.io/" then
        twin.destination[tag] = nil
      end
    end
    twin.destination[SERVICE] = stage.canaryService .. rest
    return twin
  end

  function dialect.pair(stable, canary)
    local _, a = kuma.tagged(stable.destination[SERVICE], stage.stableService)
    local _, b = kuma.tagged(canary.destination[SERVICE], stage.canaryService)
    return a == b
  end

  function dialect.weights(entries)
    local weights = {}
    for i, entry in ipairs(entries) do
      weights[i] = entry.weight or 0
    end
    return weights
  end

  function dialect.put(entry, weight)
    entry.weight = weight
  end

  return dialect
end

local function entries_of(rule)
  return rule.destination and { { weight = 100, destination = rule.destination } } or rule.split or {}
end

local function lead_to(rule, entries)
  if rule.destination and #entries == 1 then
    rule.destination = entries[1].destination
    return
  end
  rule.destination, rule.split = nil, entries
end

-- Matches -------------------------------------------------------------------------------------------------------------

local function said(condition)
  if condition.value == "" then
    return { regex = "^$" } -- an empty text is nothing that is asked for
  end
  return { [condition.type == REGEX and "regex" or "exact"] = condition.value }
end

local function asked(matches)
  local found = {}
  ordered.refuse_cookies(matches, "a TrafficRoute")
  for place, match in ipairs(matches) do
    for _, path in ipairs(paths.asked(match.path)) do
      local one = { place = place, path = path or nil, headers = {} }
      for _, header in ipairs(match.headers or {}) do
        table.insert(one.headers, { name = header.name, said = said(header) })
      end
      table.insert(found, one)
    end
  end
  return found
end

local function cannot(field, what)
  fail(field, "asks for " .. what .. " as the step does, in another way, and Kuma asks for one of them; let the step "
    .. "look at something else")
end

-- Add a condition; return false where it cannot hold beside what is asked already.
local function add(match, header, field)
  match.headers = match.headers or {}
  for name, own in pairs(match.headers) do
    if name:lower() == header.name:lower() then
      if own.exact and header.said.exact then
        return own.exact == header.said.exact
      elseif own.prefix and header.said.exact and header.said.exact:sub(1, #own.prefix) == own.prefix then
        match.headers[name] = header.said
        return true
      elseif own.prefix and header.said.exact then
        return false
      elseif not (own.regex and own.regex == header.said.regex) then
        cannot(field .. ".headers", header.name)
      end
      return true
    end
  end
  match.headers[header.name:lower()] = header.said
  return true
end

local function meet(own, want, rule, field)
  local match = copy(own)
  if want.path then
    local path = paths.both(own.path, want.path)
    if path == nil then
      cannot(field .. ".path", "a path")
    elseif not path then
      return nil
    elseif ((rule.modify or {}).path or {}).rewritePrefix and not paths.same(own.path or {}, path) then
      fail(field:gsub("match$", "") .. "modify.path.rewritePrefix", "replaces what matched of the path, which is "
        .. "another part where the step asks for " .. paths.shown(path) .. "; do not ask for a path")
    end
    match.path = path
  end
  for _, header in ipairs(want.headers) do
    if not add(match, header, field) then
      return nil
    end
  end
  return match
end

-- What it comes to ----------------------------------------------------------------------------------------------------

local function api_of(stage, dialect, count)
  local share = stage.neutral and 0 or stage.weight
  local api = { asked = asked(stage.neutral and {} or stage.matches) }

  -- The last rule is `conf` itself.
  function api.place(i)
    return i == count and "spec.conf" or nil
  end

  function api.leads(rule, field)
    return weighted.leads(entries_of(rule), dialect, field)
  end

  function api.matches(rule)
    return { rule.match or {} }
  end

  function api.meet(own, want, rule, field)
    return meet(own, want, rule, field .. ".match")
  end

  -- Each item has one match.
  function api.twins(rule, matches, field)
    local twins = {}
    for i, match in ipairs(matches) do
      local twin = { match = match, modify = copy(rule.modify) }
      twin.destination, twin.split = copy(rule.destination), copy(rule.split)
      lead_to(twin, weighted.turn(entries_of(twin), dialect, field))
      twins[i] = twin
    end
    return twins
  end

  function api.divide(rule, field)
    local entries = entries_of(rule)
    if share or weighted.written(entries, dialect, field) then
      lead_to(rule, weighted.divide(entries, dialect, share or 0, field))
    end
  end

  return api
end

local function lead_nowhere(rules, service)
  local names, seen = {}, {}
  for _, rule in ipairs(rules) do
    for _, entry in ipairs(entries_of(rule)) do
      local name = (entry.destination or {})[SERVICE] or "?"
      table.insert(names, not seen[name] and name or nil)
      seen[name] = true
    end
  end
  fail("spec.conf", "does not lead to the Service " .. service .. ", which Kuma calls " .. service
    .. "_<namespace>_svc_<port>, " .. (names[1] and "only to " .. table.concat(names, ", ") or "nor anywhere else"))
end

return {
  reads = [[
    spec.conf.destination.*                            text
    spec.conf.split[].destination.*                    text
    spec.conf.split[].weight                           count
    spec.conf.http[].match.path.exact|prefix|regex     text
    spec.conf.http[].match.headers.*.exact|prefix|regex    text
    spec.conf.http[].modify.path.rewritePrefix         text
    spec.conf.http[].destination.*                     text
    spec.conf.http[].split[].destination.*             text
    spec.conf.http[].split[].weight                    count
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "path.exact", "path.prefix", "path.regex", "matches.many",
    "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    kuma.refuse_one_service(stage, "spec.conf")
    local conf = given.spec and given.spec.conf or {}
    local dialect, rules = dialect_of(stage), list()
    for _, item in ipairs(conf.http or {}) do
      table.insert(rules, item)
    end
    table.insert(rules, conf) -- the rest
    local api = api_of(stage, dialect, #rules)
    local made, found, used = ordered.with_canary(rules, "spec.conf.http", api)
    if not found then
      lead_nowhere(rules, stage.stableService)
    end
    ordered.check(api.asked, used, stage.stableService)
    made[#made] = nil
    if made[1] then
      conf.http = made
    end
    return { given }
  end,
}
