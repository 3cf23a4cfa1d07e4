-- AWS App Mesh: a VirtualRouter, edited in place.
--
-- Its routes are tried by their priorities, 0 first; those without one come last, the longer prefixes first. A route
-- has one match, so each that is asked for gets a route with a priority of its own, just before that of the route which
-- it is an exception to. The two sides are VirtualNodes of the Services' names.
-- https://docs.aws.amazon.com/app-mesh/latest/userguide/routes.html

local weighted, paths, ordered, services = use "weighted", use "textpaths", use "ordered", use "services"

local REGEX = "RegularExpression"
local KINDS = { "httpRoute", "http2Route", "grpcRoute", "tcpRoute" }
local LAST, CONDITIONS, TARGETS = 1000, 10, 10

-- Return what a route is of, and its kind.
local function body(route)
  for _, kind in ipairs(KINDS) do
    if route[kind] then
      return route[kind], kind
    end
  end
  return {}, "none"
end

-- Targets -------------------------------------------------------------------------------------------------------------

local function targets(route)
  local action = (body(route)).action
  return action and action.weightedTargets or {}
end

local function dialect_of(stage, namespace)
  local dialect = { limit = 100 }

  function dialect.leads(entry, service)
    local ref = entry.virtualNodeRef
    return ref ~= nil and ref.name == service and (not ref.namespace or not namespace or ref.namespace == namespace)
  end

  function dialect.pair(stable, canary)
    return stable.port == canary.port
  end

  function dialect.point(entry, service)
    entry.virtualNodeRef.name = service
  end

  -- Weights that sum to 100 go on doing so, for some of Amazon's tools ask for that.
  function dialect.weights(entries)
    local weights, sum = {}, 0
    for i, entry in ipairs(entries) do
      weights[i] = entry.weight or 0
      sum = sum + weights[i]
    end
    dialect.total = sum == 100 and 100 or nil
    return weights
  end

  return weighted.by_service(stage, dialect)
end

local function lead_to(route, entries, field)
  if #entries > TARGETS then
    fail(field, "would have " .. #entries .. " targets, and App Mesh allows " .. TARGETS)
  end
  local of = body(route)
  of.action.weightedTargets = entries
end

-- Matches -------------------------------------------------------------------------------------------------------------

local function said(condition)
  if condition.value == "" then
    return { name = condition.name, match = { regex = "^$" } } -- an empty text is not allowed
  end
  return { name = condition.name, match = { [condition.type == REGEX and "regex" or "exact"] = condition.value } }
end

local function asked(match, path)
  local one = { path = path, headers = {}, queryParameters = {} }
  for _, header in ipairs(match.headers or {}) do
    table.insert(one.headers, said(header))
  end
  for _, param in ipairs(match.queryParams or {}) do
    table.insert(one.queryParameters, { name = param.name, match = { exact = param.value } })
  end
  return one
end

local function path_of(match)
  local path = match.path or {}
  local prefix = match.prefix or not (path.exact or path.regex) and "/" or nil
  return { prefix = prefix, exact = path.exact, regex = path.regex }
end

-- Add conditions, all of which have to hold; return false where they cannot.
local function add(match, part, conditions, field)
  for _, condition in ipairs(conditions) do
    local known, one = false, condition.match
    for _, own in ipairs(match[part] or {}) do
      local said_before = own.match or {}
      local same = own.name == condition.name
        or part ~= "queryParameters" and own.name:lower() == condition.name:lower()
      if same and not own.invert and said_before.exact and one.exact and said_before.exact ~= one.exact then
        return false
      end
      known = known or same and not own.invert and (said_before.exact or false) == (one.exact or false)
        and (said_before.regex or false) == (one.regex or false)
    end
    if not known then
      match[part] = match[part] or list()
      table.insert(match[part], copy(condition))
    end
    if match[part] and #match[part] > CONDITIONS then
      fail(field .. ".match." .. part, "would be " .. #match[part] .. " conditions, and App Mesh allows " .. CONDITIONS)
    end
  end
  return true
end

local function add_path(match, want, field)
  local path = paths.both(path_of(match), want)
  if path == nil then
    fail(field .. ".match", "has a path that cannot be put together with what the step asks for (" .. paths.shown(want)
      .. "); let the step look at something else")
  end
  if path then
    match.prefix = path.prefix
    match.path = not path.prefix and { exact = path.exact, regex = path.regex } or nil
  end
  return path ~= false
end

local function meet_grpc(match, want, field)
  if want.path or want.queryParameters[1] then
    fail(field .. ".match", "is about calls, which have no path and no query to look at; let the step look at a header")
  end
  return add(match, "metadata", want.headers, field) and match or nil
end

local function meet(own, want, route, field)
  local match, _, kind = copy(own), body(route)
  if kind == "grpcRoute" then
    return meet_grpc(match, want, field .. ".grpcRoute")
  end
  field = field .. "." .. kind
  if want.path and not add_path(match, want.path, field) then
    return nil
  end
  return add(match, "headers", want.headers, field) and add(match, "queryParameters", want.queryParameters, field)
    and match or nil
end

-- Connections have nothing to look at.
local function matches(route)
  local of, kind = body(route)
  return kind == "tcpRoute" and {} or { of.match or {} }
end

-- Priorities ----------------------------------------------------------------------------------------------------------

-- Tell whether nothing says that a route is tried before another of the same priority, though both may hold.
local function tied(route, other, match)
  local own, kind = body(route)
  local of, other_kind = body(other)
  if kind ~= other_kind or route.priority ~= other.priority then
    return false
  elseif kind == "grpcRoute" then
    return true
  end
  local a, b = path_of(own.match or {}), path_of(of.match or {})
  local longer = a.prefix and b.prefix and #a.prefix > #b.prefix
  return not longer and paths.apart(path_of(match), b) ~= true
end

local function check_order(routes, route, made, field)
  for j, other in ipairs(routes) do
    for _, match in ipairs(made) do
      if other ~= route and tied(route, other, match) then
        fail("spec.routes[" .. j - 1 .. "].priority", "does not say whether this is tried before " .. field .. " or "
          .. "after it, so an exception to that one may take its requests; give each of them a priority of its own")
      end
    end
  end
end

-- Return the priority of the first of `count` routes just before one.
local function first_before(routes, route, count, field)
  local first = (route.priority or LAST + 1) - count
  for _, other in ipairs(routes) do
    local taken = other ~= route and other.priority
    if taken and taken >= first and taken < (route.priority or LAST + 1) then
      fail(field .. ".priority", "leaves no room for " .. count .. " more before it and after " .. taken
        .. "; make the gap larger")
    end
  end
  if first < 0 then
    fail(field .. ".priority", "leaves no room for " .. count .. " more before it; make it larger")
  end
  return first
end

-- Routes --------------------------------------------------------------------------------------------------------------

local function api_of(routes, stage, dialect)
  local api = { asked = ordered.asked(stage, asked), dialect = dialect, share = weighted.share(stage) }
  api.entries, api.lead_to, api.matches, api.meet = targets, lead_to, matches, meet

  function api.like(route, made, field)
    check_order(routes, route, made, field)
    local first, twins = first_before(routes, route, #made, field), {}
    for i, match in ipairs(made) do
      local twin = copy(route)
      local of = body(twin)
      twin.name = route.name and route.name .. "-canary" .. (i > 1 and "-" .. i or "")
      twin.priority = first + i - 1
      of.match = match
      twins[i] = twin
    end
    return twins
  end

  return ordered.weighted(api)
end

local function lead_nowhere(routes, service)
  local found = {}
  for _, route in ipairs(routes) do
    for _, entry in ipairs(targets(route)) do
      table.insert(found, entry.virtualNodeRef and entry.virtualNodeRef.name or entry.virtualNodeARN or "?")
    end
  end
  fail("spec.routes", "does not lead to a VirtualNode of the name " .. service .. ", " .. services.only(found)
    .. "; the two sides are told apart by VirtualNodes that are named as their Services")
end

local function check_use(routes, api, dialect)
  local looks = not api.asked[1]
  for i, route in ipairs(routes) do
    looks = looks or not route.tcpRoute and api.leads(route, "spec.routes[" .. i - 1 .. "]")
  end
  if not looks then
    fail("spec.routes", "leads connections to the stable side and no requests, so there is nothing that the matches of "
      .. "the step could look at; use a weight")
  end
end

return {
  reads = [[
    spec.routes[].name        text
    spec.routes[].priority    count
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.action.weightedTargets[].virtualNodeRef.name  text!
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.action.weightedTargets[].virtualNodeRef.namespace  text
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.action.weightedTargets[].virtualNodeARN  text
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.action.weightedTargets[].port|weight  count
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.match.prefix  text
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.match.path.exact|regex  text
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.match.headers|metadata|queryParameters[].name  text!
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.match.headers|metadata|queryParameters[].invert  flag
    spec.routes[].httpRoute|http2Route|grpcRoute|tcpRoute.match.headers|metadata|queryParameters[].match.exact|regex  text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "query.exact", "path.exact", "path.prefix", "path.regex", "matches.many",
    "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    given.spec = given.spec or {}
    if stage.stableService == stage.canaryService then
      fail("spec.routes", "can only divide requests between VirtualNodes: let the canary have a Service and a "
        .. "VirtualNode of its own beside " .. stage.stableService)
    end
    local routes = given.spec.routes or list()
    local dialect = dialect_of(stage, given.metadata and given.metadata.namespace)
    ordered.refuse_cookies(ordered.matches(stage), "App Mesh")
    local api = api_of(routes, stage, dialect)
    local made, found, used = ordered.with_canary(routes, "spec.routes", api)
    if not found then
      lead_nowhere(routes, stage.stableService)
    end
    check_use(routes, api, dialect)
    ordered.check(api.asked, used, stage.stableService)
    given.spec.routes = made
    return { given }
  end,
}
