-- NGINX Ingress Controller (of F5): a VirtualServer, edited in place.
--
-- A route leads to upstreams, each of which is a Service. Its `matches` are tried in their order, and what none of them
-- holds for goes where the route says; weights (`splits`) sum to 100. A text is compared whatever its case, so what a
-- step asks for is always a regular expression; and what a request does not have is an empty text, so the expression
-- asks for one that is not.
-- https://docs.nginx.com/nginx-ingress-controller/configuration/virtualserver-and-virtualserverroute-resources/

local weighted, ordered, services = use "weighted", use "ordered", use "services"

local REGEX = "RegularExpression"
local KINDS = { headers = "header", queryParams = "argument", cookies = "cookie" }

-- Upstreams -----------------------------------------------------------------------------------------------------------

local function named(action)
  return action and (action.pass or action.proxy and action.proxy.upstream)
end

local function rename(action, name)
  if action.pass then
    action.pass = name
  else
    action.proxy.upstream = name
  end
end

-- Return the side of each upstream by its name, and its counterpart. Each of the stable Service gets one for the
-- canary's, unless an author has written it.
local function sides_of(spec, stage)
  local sides, twins, made, taken = {}, {}, list(), {}
  for _, upstream in ipairs(spec.upstreams or {}) do
    taken[upstream.name] = true
    sides[upstream.name] = upstream.service == stage.stableService and "stable"
      or upstream.service == stage.canaryService and "canary" or nil
  end
  for _, upstream in ipairs(spec.upstreams or {}) do
    table.insert(made, upstream)
    if sides[upstream.name] == "stable" then
      for _, other in ipairs(spec.upstreams) do
        local fits = sides[other.name] == "canary" and other.port == upstream.port
        twins[upstream.name] = twins[upstream.name] or fits and other.name or nil
      end
      if not twins[upstream.name] then
        local twin = copy(upstream)
        twin.name, twin.service = upstream.name .. "-canary", stage.canaryService
        if taken[twin.name] then
          fail("spec.upstreams", "has one of the name " .. twin.name .. " which is not for the canary; rename it")
        end
        taken[twin.name], sides[twin.name], twins[upstream.name] = true, "canary", twin.name
        table.insert(made, twin)
      end
    end
  end
  spec.upstreams = made
  return sides, twins
end

local function dialect_of(sides, twins)
  local dialect = { total = 100 }

  function dialect.side(entry)
    return sides[named(entry.action) or ""]
  end

  function dialect.pair(stable, canary)
    return twins[named(stable.action)] == named(canary.action)
  end

  function dialect.twin(entry)
    local twin = copy(entry)
    rename(twin.action, twins[named(entry.action)])
    return twin
  end

  return dialect
end

local function entries_of(rule)
  if rule.splits and rule.splits[1] then
    return rule.splits
  end
  return rule.action and { { weight = 100, action = rule.action } } or {}
end

local function lead_to(rule, entries)
  if #entries == 1 then
    rule.action, rule.splits = entries[1].action, nil
  else
    rule.action, rule.splits = nil, entries
  end
end

-- Conditions ----------------------------------------------------------------------------------------------------------

local function check(condition, kind)
  local text = condition.value
  if condition.name:find(kind == "header" and "[^%w-]" or "[^%w_]") then
    fail("matches", "NGINX cannot look for a " .. kind .. " of the name " .. condition.name)
  elseif text:find('["%c]') or text:find("\\\\", 1, true) or condition.type ~= REGEX and text:find("\\", 1, true) then
    fail("matches", "NGINX cannot look for " .. json.encode(text) .. ": quotes, backslashes and control characters "
      .. "would be read in another way; write it as a regular expression without them")
  elseif text == "" then
    fail("matches", "NGINX takes an empty " .. kind .. " for none; ask for a value")
  end
end

local function said(condition, kind)
  check(condition, kind)
  local pattern = condition.type == REGEX and "(?:" .. condition.value .. ")"
    or condition.value:gsub("[%.%+%*%?%(%)%|%[%]%{%}%^%$]", "\\%0")
  return { [kind] = condition.name, value = "~^" .. (condition.type == REGEX and "(?=.)" or "") .. pattern .. "$" }
end

local function asked(matches)
  local found = {}
  for place, match in ipairs(matches) do
    local one = { place = place, conditions = list() }
    for part in pairs { headers = 1, queryParams = 1, cookies = 1 } do
      for _, condition in ipairs(match[part] or {}) do
        table.insert(one.conditions, said(condition, KINDS[part]))
      end
    end
    found[place] = one
  end
  return found
end

-- What it comes to ----------------------------------------------------------------------------------------------------

local function api_of(stage, dialect, wanted)
  local api = { asked = wanted, dialect = dialect, share = weighted.share(stage) }
  api.entries, api.lead_to = entries_of, lead_to

  function api.matches(item)
    return { item.conditions or list() }
  end

  function api.meet(own, want)
    local conditions = copy(own)
    for _, condition in ipairs(want.conditions) do
      table.insert(conditions, copy(condition))
    end
    return conditions
  end

  -- Each item has one list of conditions.
  function api.like(item, matches)
    local twins = {}
    for i, conditions in ipairs(matches) do
      twins[i] = { conditions = conditions, action = copy(item.action), splits = copy(item.splits) }
    end
    return twins
  end

  return ordered.weighted(api)
end

return {
  reads = [[
    spec.upstreams[].name|service  text!
    spec.upstreams[].port          count
    spec.routes[].splits[].weight  count
    spec.routes[].matches[].conditions[]     map
    spec.routes[].matches[].splits[].weight  count
    spec.routes[].action.pass            text
    spec.routes[].action.proxy.upstream  text
    spec.routes[].splits[].action.pass            text
    spec.routes[].splits[].action.proxy.upstream  text
    spec.routes[].matches[].action.pass            text
    spec.routes[].matches[].action.proxy.upstream  text
    spec.routes[].matches[].splits[].action.pass            text
    spec.routes[].matches[].splits[].action.proxy.upstream  text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "cookie.regex", "query.exact", "query.regex",
    "matches.many", "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    given.spec = given.spec or {}
    services.refuse_one(stage, "spec.upstreams")
    local wanted, found = asked(ordered.matches(stage)), false
    local upstreams = given.spec.upstreams or {}
    local api = api_of(stage, dialect_of(sides_of(given.spec, stage)), wanted)
    for i, route in ipairs(given.spec.routes or {}) do
      local field = "spec.routes[" .. i - 1 .. "]"
      local rest = { rule = route, field = field }
      local made, leads = ordered.with_canary(route.matches or {}, field .. ".matches", api, rest)
      found = found or leads
      if made[1] then
        route.matches = made
      end
    end
    if not found then
      services.refuse_others("spec.routes", stage.stableService, upstreams, function(upstream)
        return upstream.service
      end)
    end
    return { given }
  end,
}
