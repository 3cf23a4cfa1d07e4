-- Gloo: a RouteTable, edited in place.
--
-- Its routes are tried in their order, and a destination is a Service or an Upstream. Upstreams are known by the names
-- that Gloo's discovery gives them, <namespace>-<Service>-<port>, or by the Service's own; the canary's has to be named
-- in the same way (discovery sees to that).
-- https://docs.solo.io/gloo-edge/latest/guides/traffic_management/

local weighted, paths, ordered, services = use "weighted", use "textpaths", use "ordered", use "services"

local REGEX = "RegularExpression"

-- Destinations --------------------------------------------------------------------------------------------------------

-- Return what stands before and after the name of a Service in that of an Upstream, nil where that is another's.
local function around(name, service, namespace)
  for _, before in ipairs { "", namespace and namespace .. "-" } do
    local rest = name:sub(#before + #service + 1)
    if name:sub(1, #before + #service) == before .. service
      and (rest == "" or rest:find("^%-%d+$") or rest:find("^upstream%-%d+$")) then
      return before, rest
    end
  end
end

local function check_namespace(name, service, namespace)
  local rest = name:match("upstream%-%d+$") or name:match("%-%d+$") or ""
  local ending = "-" .. service .. rest
  if not namespace and rest ~= "" and #name > #ending and name:sub(-#ending) == ending then
    fail("metadata.namespace", "is not written, so nobody can tell whether the Upstream " .. name .. " is for the "
      .. "Service " .. service .. "; write it, or lead to the Service (kube)")
  end
end

local function names(destination, service, namespace)
  local kube, upstream = destination.kube, destination.upstream
  if kube then
    local ref = kube.ref or {}
    return ref.name == service and (not ref.namespace or not namespace or ref.namespace == namespace)
  elseif upstream then
    check_namespace(upstream.name or "", service, namespace)
    return around(upstream.name or "", service, namespace) ~= nil
  end
  return false
end

local function dialect_of(stage, namespace)
  return weighted.by_service(stage, {
    leads = function(entry, service)
      return names(entry.destination or {}, service, namespace)
    end,
    point = function(entry, service)
      local kube, upstream = entry.destination.kube, entry.destination.upstream
      if kube then
        kube.ref.name = service
      else
        local before, rest = around(upstream.name, stage.stableService, namespace)
        upstream.name = before .. service .. rest
      end
    end,
  })
end

-- Return the destinations of a route: of one it is the only one.
local function destinations(route)
  local action = route.routeAction or {}
  if action.single then
    return { { destination = action.single, weight = 100 } }
  end
  return action.multi and action.multi.destinations or {}
end

local function lead_to(route, entries)
  if #entries == 1 and route.routeAction.single then
    route.routeAction.single = entries[1].destination
    return
  end
  route.routeAction.single = nil
  route.routeAction.multi = route.routeAction.multi or {}
  route.routeAction.multi.destinations = entries
end

-- Matchers ------------------------------------------------------------------------------------------------------------

local function said(condition)
  local regex = condition.type == REGEX
  if condition.value == "" then
    return { name = condition.name, value = "^$", regex = true } -- an empty value would ask for any
  end
  return { name = condition.name, value = condition.value, regex = regex or nil }
end

local function asked(match, path)
  local one = { path = path, headers = {}, queryParameters = {} }
  for part, conditions in pairs { headers = match.headers or {}, queryParameters = match.queryParams or {} } do
    for _, condition in ipairs(conditions) do
      table.insert(one[part], said(condition))
    end
  end
  return one
end

local function equal(a, b, part)
  local same = part == "headers" and a.name:lower() == b.name:lower() or a.name == b.name
  return same and (a.regex or false) == (b.regex or false) and not a.invertMatch and a.value == b.value
end

-- Tell whether no value can be both; an empty one is any.
local function contradict(a, b, part)
  local same = part == "headers" and a.name:lower() == b.name:lower() or a.name == b.name
  return same and not a.regex and not b.regex and not a.invertMatch and (a.value or "") ~= "" and a.value ~= b.value
end

-- Add conditions, all of which have to hold; return false where they cannot.
local function add(match, part, conditions)
  for _, condition in ipairs(conditions) do
    local known = false
    for _, own in ipairs(match[part] or {}) do
      known = known or equal(own, condition, part)
      if contradict(own, condition, part) then
        return false
      end
    end
    if not known then
      match[part] = match[part] or list()
      table.insert(match[part], copy(condition))
    end
  end
  return true
end

local function own_path(match)
  if match.connectMatcher then
    return nil
  end
  return { exact = match.exact, prefix = match.prefix, regex = match.regex }
end

-- Return the path of both, false where there is none.
local function met_path(match, want, route, field)
  local own = own_path(match)
  if route.inheritablePathMatchers or route.inheritableMatchers or not own then
    fail(field .. ".matchers", "has its path from somewhere else, so a path cannot be asked for; look for a header")
  end
  local path = paths.both(next(own) and own or nil, want)
  if path and match.caseSensitive == false and not paths.any(own) then
    path = nil
  end
  if path == nil then
    fail(field .. ".matchers", "has a path that cannot be put together with what the step asks for ("
      .. paths.shown(want) .. "); write it as a prefix that minds upper case, or let the step look at something else")
  elseif path and (route.options or {}).prefixRewrite and not paths.same(own, path) then
    fail(field .. ".options.prefixRewrite", "replaces what matched of the path, which is another part where the step "
      .. "asks for " .. paths.shown(path) .. "; do not ask for a path, or write it as regexRewrite")
  end
  return path
end

local function meet(own, want, route, field)
  local match = copy(own)
  if want.path then
    local path = met_path(own, want.path, route, field)
    if not path then
      return nil
    end
    match.exact, match.prefix, match.regex, match.caseSensitive = path.exact, path.prefix, path.regex, nil
  end
  if add(match, "headers", want.headers) and add(match, "queryParameters", want.queryParameters) then
    return match
  end
end

-- Return what a route asks for. Without matchers it is for all paths, which has to be written where anything is asked.
local function matchers(route)
  if route.matchers and route.matchers[1] then
    return route.matchers
  elseif route.inheritablePathMatchers or route.inheritableMatchers then
    return { {} }
  end
  return { { prefix = "/" } }
end

-- Routes --------------------------------------------------------------------------------------------------------------

-- Return a copy of a route, in a list. One without matchers is built anew, so that they do not come last.
local function like(route, matches)
  local twin = route.matchers and copy(route) or {}
  for key, item in pairs(route.matchers and {} or route) do
    twin[key] = copy(item)
  end
  twin.matchers = matches
  twin.name = route.name and route.name .. "-canary"
  return { twin }
end

local function lead_nowhere(routes, service)
  local found = {}
  local function note(name)
    table.insert(found, name)
  end
  for _, route in ipairs(routes) do
    for _, entry in ipairs(destinations(route)) do
      local to = entry.destination or {}
      note(to.upstream and "Upstream " .. to.upstream.name or to.kube and (to.kube.ref or {}).name)
    end
    local group = route.routeAction and route.routeAction.upstreamGroup
    note(group and "UpstreamGroup " .. group.name)
    note(route.delegateAction and "another RouteTable")
  end
  fail("spec.routes", "does not lead to the Service " .. service .. ", " .. services.only(found))
end

return {
  reads = [[
    spec.routes[].name                                              text
    spec.routes[].matchers[].exact|prefix|regex                     text
    spec.routes[].matchers[].caseSensitive                          flag
    spec.routes[].matchers[].headers|queryParameters[].name         text!
    spec.routes[].matchers[].headers|queryParameters[].value        text
    spec.routes[].matchers[].headers|queryParameters[].regex|invertMatch  flag
    spec.routes[].options                                           map
    spec.routes[].routeAction.single.upstream.name                         text!
    spec.routes[].routeAction.single.kube.ref.name                         text!
    spec.routes[].routeAction.single.kube.ref.namespace                    text
    spec.routes[].routeAction.multi.destinations[].destination.upstream.name  text!
    spec.routes[].routeAction.multi.destinations[].destination.kube.ref.name  text!
    spec.routes[].routeAction.multi.destinations[].destination.kube.ref.namespace  text
    spec.routes[].routeAction.multi.destinations[].weight                  count
    spec.routes[].routeAction.upstreamGroup.name                           text!
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "query.exact", "query.regex", "path.exact", "path.prefix", "path.regex",
    "matches.many", "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    given.spec = given.spec or {}
    services.refuse_one(stage, "spec.routes")
    ordered.refuse_cookies(ordered.matches(stage), "a RouteTable")
    local routes = given.spec.routes or list()
    local api = ordered.weighted {
      asked = ordered.asked(stage, asked),
      dialect = dialect_of(stage, given.metadata and given.metadata.namespace),
      share = weighted.share(stage),
      entries = destinations,
      lead_to = lead_to,
      part = ".routeAction",
      matches = matchers,
      meet = meet,
      like = like,
    }
    local made, found, used = ordered.with_canary(routes, "spec.routes", api)
    if not found then
      lead_nowhere(routes, stage.stableService)
    end
    ordered.check(api.asked, used, stage.stableService)
    given.spec.routes = made
    return { given }
  end,
}
