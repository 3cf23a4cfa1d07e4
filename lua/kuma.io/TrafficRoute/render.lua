-- Kuma: a TrafficRoute, edited in place.
--
-- The items of `conf.http` are tried in their order, and what none of them holds for goes where `conf` says. They count
-- for HTTP only, the weights of `conf` for all connections.
-- https://kuma.io/docs/2.8.x/policies/traffic-route/

local weighted, paths, ordered = use "weighted", use "textpaths", use "ordered"
local services, kuma = use "services", use "kuma"

local SERVICE, REGEX = "kuma.io/service", "RegularExpression"

-- Destinations --------------------------------------------------------------------------------------------------------

local function namespace_of(entry, service)
  return (kuma.tagged((entry.destination or {})[SERVICE] or "", service))
end

local function dialect_of(stage)
  local dialect = { leads = kuma.leads(stage, "spec.conf", namespace_of) }

  -- The tags of the stable side's pods are not the canary's, but for those of Kuma.
  function dialect.point(entry, service)
    local _, rest = kuma.tagged(entry.destination[SERVICE], stage.stableService)
    for tag in pairs(entry.destination) do
      if tag:sub(1, 8) ~= "kuma.io/" then
        entry.destination[tag] = nil
      end
    end
    entry.destination[SERVICE] = service .. rest
  end

  function dialect.pair(stable, canary)
    local _, a = kuma.tagged(stable.destination[SERVICE], stage.stableService)
    local _, b = kuma.tagged(canary.destination[SERVICE], stage.canaryService)
    return a == b
  end

  return weighted.by_service(stage, dialect)
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

local function asked(match, path)
  local one = { path = path, headers = {} }
  for _, header in ipairs(match.headers or {}) do
    table.insert(one.headers, { name = header.name, said = said(header) })
  end
  return one
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

local function meet(own, want, rule, place)
  local match, field = copy(own), place .. ".match"
  if want.path then
    local path = paths.both(own.path, want.path)
    if path == nil then
      cannot(field .. ".path", "a path")
    elseif not path then
      return nil
    elseif ((rule.modify or {}).path or {}).rewritePrefix and not paths.same(own.path or {}, path) then
      fail(place .. ".modify.path.rewritePrefix", "replaces what matched of the path, which is "
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

local function matches_of(rule)
  return { rule.match or {} }
end

-- Each item has one match.
local function like(rule, matches)
  local twins = {}
  for i, match in ipairs(matches) do
    twins[i] = { match = match, modify = copy(rule.modify) }
    twins[i].destination, twins[i].split = copy(rule.destination), copy(rule.split)
  end
  return twins
end

local function lead_nowhere(conf, service)
  local names = {}
  local function note(rule)
    for _, entry in ipairs(entries_of(rule)) do
      table.insert(names, (entry.destination or {})[SERVICE] or "?")
    end
  end
  for _, item in ipairs(conf.http or {}) do
    note(item)
  end
  note(conf)
  fail("spec.conf", "does not lead to the Service " .. service .. ", which Kuma calls " .. service
    .. "_<namespace>_svc_<port>, " .. services.only(names))
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
    services.refuse_one(stage, "spec.conf")
    ordered.refuse_cookies(ordered.matches(stage), "a TrafficRoute")
    local conf = given.spec and given.spec.conf or {}
    local api = ordered.weighted {
      asked = ordered.asked(stage, asked),
      dialect = dialect_of(stage),
      share = weighted.share(stage),
      entries = entries_of,
      lead_to = lead_to,
      matches = matches_of,
      meet = meet,
      like = like,
    }
    local rest = { rule = conf, field = "spec.conf" }
    local made, found, used = ordered.with_canary(conf.http or {}, "spec.conf.http", api, rest)
    if not found then
      lead_nowhere(conf, stage.stableService)
    end
    ordered.check(api.asked, used, stage.stableService)
    if made[1] then
      conf.http = made
    end
    return { given }
  end,
}
