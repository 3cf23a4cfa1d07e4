-- AWS Load Balancer Controller: an Ingress, edited in place.
--
-- Weights stand in an annotation, see lib/albactions.lua. A path that names the Service itself is made to ask for one.
-- Requests that match get paths of their own right before those that they were made from, equal to them so that the
-- controller does not sort them elsewhere, each with an action and conditions. All conditions of a rule have to hold;
-- values are compared without regard to case. No condition is about cookies, and none is a regular expression.
-- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#traffic-routing
-- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html

local actions, paths, ingress = use "albactions", use "albpaths", use "ingress"

local service_of = ingress.service
local ANNOTATED, MOST = "use-annotation", 5

local function port_of(backend)
  local port = backend.servicePort or backend.service and backend.service.port
  if type(port) == "table" then
    return port.number or port.name
  end
  return port
end

local function ask_for(backend, name)
  if backend.serviceName then
    backend.serviceName, backend.servicePort = name, ANNOTATED
  else
    backend.service = { name = name, port = { name = ANNOTATED } }
  end
end

-- Call visit(backend, path, paths, at, rule) for the default backend, whose only argument that is, and for all paths.
local function each_backend(spec, visit)
  if spec.defaultBackend then
    visit(spec.defaultBackend)
  end
  for _, rule in ipairs(spec.rules or {}) do
    for i, path in ipairs(rule.http and rule.http.paths or {}) do
      visit(path.backend or {}, path, rule.http.paths, i, rule)
    end
  end
end

-- What leads where ----------------------------------------------------------------------------------------------------

-- Return the names that are in use for something, so that they cannot be used for something else.
local function names_of(given)
  local taken = {}
  for key in pairs(given.metadata.annotations) do
    taken[key:match("^alb%.ingress%.kubernetes%.io/%l+%.(.+)$") or ""] = true
  end
  each_backend(given.spec, function(backend)
    taken[service_of(backend) or ""] = true
  end)
  return taken
end

-- Return the action that a backend asks for, nil where there is none. One that stands for the stable Service, by its
-- name or as stage.rootService, has to be there: without a controller that writes it, nothing is served at rest.
local function annotated(given, stage, name)
  local action = actions.read(given.metadata.annotations, "actions", name)
  if not action and (name == stage.stableService or name == stage.rootService) then
    local wanted = actions.to(stage.stableService, stage.servicePort or 80)
    fail(actions.field("actions", name), "is missing, and nobody writes it any more; write this line, or let "
      .. "`krmfn adopt` do it where a controller still runs: " .. actions.key("actions", name) .. ": '"
      .. json.encode(wanted) .. "'")
  end
  return action
end

-- Fail where a path or a port is not written that has to be.
local function check_paths(spec)
  each_backend(spec, function(backend, path)
    local kind = path and path.pathType
    if service_of(backend) and not port_of(backend) then
      fail(path and "spec.rules" or "spec.defaultBackend", "names no port of " .. service_of(backend) .. "; write its "
        .. "number or its name")
    elseif (kind == "Exact" or kind == "Prefix") and not path.path then
      fail("spec.rules", "has a path of the type " .. kind .. " without the path; write one, such as /")
    end
  end)
end

-- Return the actions of an Ingress by the backends that lead to them: { name, action, from, plain }; `from` is the name
-- that conditions are under. `plain`: the backend names the Service and a port, and there is no annotation yet.
local function find(given, stage, taken)
  check_paths(given.spec)
  local found, known, stable = {}, {}, stage.stableService
  local free = #stable <= 52 and not given.metadata.annotations[actions.key("actions", stable)]
  each_backend(given.spec, function(backend)
    free = free and not (service_of(backend) == stable and port_of(backend) == ANNOTATED)
  end)
  each_backend(given.spec, function(backend)
    local service, port = service_of(backend), port_of(backend)
    if service and port == ANNOTATED then
      known[service] = known[service] or { name = service, from = service, action = annotated(given, stage, service) }
      found[backend] = known[service].action and known[service]
    elseif service == stable then
      local key = "/" .. port
      if not known[key] then
        local name = free and stable or actions.free(stable .. "-" .. port, taken)
        known[key], free = { name = name, from = stable, plain = true, action = actions.to(stable, port) }, false
      end
      found[backend] = known[key]
    end
  end)
  return found
end

-- Tell whether requests for an action may be divided: where one stands for both Services, no other may, since a host
-- beside it can be for the stable side alone.
local function divides(one, stage)
  local root = stage.rootService
  return not root or root == stage.stableService or root == one.name
end

-- Note which actions lead to the stable Service. Fails where none does, and says where they lead instead.
local function mark(given, stage, found)
  local lists = {}
  each_backend(given.spec, function(backend)
    local one = found[backend]
    if one and not divides(one, stage) then
      one.leads = false
    elseif one then
      table.insert(lists, actions.groups(one.action))
      one.leads = actions.leads(one.action, stage)
    elseif service_of(backend) and port_of(backend) ~= ANNOTATED then
      table.insert(lists, { { serviceName = service_of(backend) } })
    end
  end)
  actions.check(lists, stage, "spec.rules")
end

-- Requests that match -------------------------------------------------------------------------------------------------

-- Let another name have the transforms that a name has: what is changed in a request before it is sent on.
local function take_transforms(annotations, from, name)
  if from ~= name then
    annotations[actions.key("transforms", name)] = annotations[actions.key("transforms", from)]
  end
end

-- Return the action for requests of another one that match, { name, conditions }, and write it down.
local function twin_of(given, one, match, stage, taken)
  one.twins = one.twins or {}
  local twin, annotations = one.twins[match], given.metadata.annotations
  if not twin then
    twin = { name = actions.free(one.name .. "-canary", taken) }
    twin.conditions = actions.read(annotations, "conditions", one.from) or list()
    for _, condition in ipairs(actions.conditions(match)) do
      table.insert(twin.conditions, condition)
    end
    annotations[actions.key("actions", twin.name)] = json.encode(actions.turn(copy(one.action), stage, one.name))
    annotations[actions.key("conditions", twin.name)] = twin.conditions[1] and json.encode(twin.conditions) or nil
    take_transforms(annotations, one.from, twin.name)
    one.twins[match] = twin
  end
  return twin
end

local function check(twin, rule, path, narrow)
  local count, about_path = actions.count(twin.conditions)
  count = count + paths.count(narrow) + (rule.host and 1 or 0)
  if count > MOST then
    fail("matches", "an ALB rule has room for " .. MOST .. " values, and its host, its path and its conditions would "
      .. "be " .. count)
  elseif about_path and (narrow.path ~= path.path or narrow.pathType ~= path.pathType) then
    fail("matches", "cannot look for a path where the conditions of the Ingress do, since ALB takes either of the two")
  end
end

-- Tell whether requests are left for a path that was narrowed from another one.
local function is_left(given, all, at, narrow)
  local other = paths.between(all, at, narrow)
  local name = other and service_of(other.backend or {})
  if name and given.metadata.annotations[actions.key("conditions", name)] then
    fail("matches", "ALB would look for the path " .. narrow.path .. " before it looks for " .. other.path
      .. " with the conditions of " .. name .. ", which it does first now; do not look for a path")
  end
  return not other
end

-- Put the paths for requests that match before those that they are made from.
local function match_paths(given, stage, found, taken)
  local used = {}
  for _, rule in ipairs(given.spec.rules or {}) do
    local all, made = rule.http and rule.http.paths or {}, list()
    for i, path in ipairs(all) do
      local one = found[path.backend]
      for _, match in ipairs(one and one.leads and stage.matches or {}) do
        for _, narrow in ipairs(paths.narrowed(path, match.path)) do
          if is_left(given, all, i, narrow) then
            local twin = twin_of(given, one, match, stage, taken)
            check(twin, rule, path, narrow)
            ask_for(narrow.backend, twin.name)
            table.insert(made, narrow)
            used[match] = true
          end
        end
      end
      table.insert(made, path)
    end
    if #made > #all then
      rule.http.paths = made
    end
  end
  for k, match in ipairs(stage.matches) do
    if not used[match] then
      fail("matches[" .. k - 1 .. "]", "no request can satisfy this and be one that a rule sends to the stable Service")
    end
  end
end

local function check_default(given, found)
  local one = found[given.spec.defaultBackend]
  if one and one.leads then
    fail("spec.defaultBackend", "has no conditions, so it cannot be left to the canary for some requests only; put a "
      .. "rule with the path /* in its place")
  end
end

-- Weights -------------------------------------------------------------------------------------------------------------

local function divide(given, stage, found)
  local annotations, done = given.metadata.annotations, {}
  each_backend(given.spec, function(backend)
    local one = found[backend]
    local percent = stage.weight or stage.neutral and 0 or one and actions.has_canary(one.action, stage) and 0
    if not (one and one.leads and percent) then
      return
    elseif not done[one] then
      done[one] = true
      annotations[actions.key("actions", one.name)] = json.encode(actions.divide(one.action, stage, percent, one.name))
      if one.name ~= one.from then
        annotations[actions.key("conditions", one.name)] = annotations[actions.key("conditions", one.from)]
        take_transforms(annotations, one.from, one.name)
      end
    end
    if one.plain then
      ask_for(backend, one.name)
    end
  end)
end

return {
  reads = ingress.reads,

  supports = {
    "weight", "header.exact", "query.exact", "path.exact", "path.prefix", "matches.many", "conditions.many",
    "weight+matches",
  },

  render = function(given, stage)
    given.metadata = given.metadata or {}
    given.metadata.annotations = given.metadata.annotations or {}
    given.spec = given.spec or {}
    ingress.refuse_class(given, "alb", "ALB")
    local taken = names_of(given)
    local found = find(given, stage, taken)
    mark(given, stage, found)
    if stage.matches[1] and not stage.neutral then
      check_default(given, found)
      match_paths(given, stage, found, taken)
    end
    divide(given, stage, found)
    return { given }
  end,
}
