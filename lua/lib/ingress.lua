-- What all providers that read an Ingress share.
--
-- v1 spells a backend { service = { name, port } }, v1beta1 { serviceName, servicePort }; and the default backend is
-- `defaultBackend` in v1 and `backend` in v1beta1. Everything here takes either.

local ingress = {}

local DEFAULTS = { "defaultBackend", "backend" }

-- Return the name of the Service a backend goes to, nil where it goes to something else.
function ingress.service(backend)
  return backend and (backend.serviceName or backend.service and backend.service.name)
end

local function port(backend)
  local written = backend.servicePort or backend.service.port or ""
  return type(written) == "table" and (written.number or written.name) or written
end

local function redirect(backend, service)
  if backend.serviceName then
    backend.serviceName = service
  else
    backend.service.name = service
  end
end

-- Call visit(backend, rule, path) for the backend of every path.
local function each_path(spec, visit)
  for _, rule in ipairs(spec.rules or {}) do
    for _, path in ipairs(rule.http and rule.http.paths or {}) do
      visit(path.backend or {}, rule, path)
    end
  end
end

-- Return the names of the Services an Ingress goes to, each once, in order.
function ingress.services(spec)
  local seen, names = {}, list()
  local function note(backend)
    local name = ingress.service(backend)
    if name and not seen[name] then
      seen[name] = true
      table.insert(names, name)
    end
  end
  for _, key in ipairs(DEFAULTS) do
    note(spec[key])
  end
  each_path(spec, note)
  return names
end

-- Keep the rules and paths that go to the stable Service, and send them to the canary's. Return the rules that are
-- left and the ports they use.
local function canary_rules(spec, stage)
  local rules, ports = list(), {}
  for _, rule in ipairs(spec.rules or {}) do
    local paths = list()
    for _, path in ipairs(rule.http and rule.http.paths or {}) do
      if ingress.service(path.backend) == stage.stableService then
        local twin = copy(path)
        redirect(twin.backend, stage.canaryService)
        ports[port(path.backend)] = true
        table.insert(paths, twin)
      end
    end
    if paths[1] then
      local twin = copy(rule)
      twin.http.paths = paths
      table.insert(rules, twin)
    end
  end
  return rules, ports
end

-- In an Ingress with rules the default backend is the "/" of their hosts. Controllers find the canary of a Service by
-- host and path, and its share then holds for every place that goes to the same Service and port; ingress-nginx looks
-- for a canary's default backend among the rules without a host only, and forgets the whole canary where it is not
-- there. So it is left out beside rules, and where no rule covers it that cannot be expressed.
local function canary_default(spec, stage, ports)
  for _, key in ipairs(DEFAULTS) do
    if ingress.service(spec[key]) == stage.stableService then
      if not (spec.rules and spec.rules[1]) then
        redirect(spec[key], stage.canaryService)
      elseif ports[port(spec[key])] then
        spec[key] = nil
      else
        fail("spec." .. key, "is divided only in an Ingress without rules; add a rule with the path / to "
          .. stage.stableService)
      end
    else
      spec[key] = nil
    end
  end
end

-- Keep the TLS entries of the hosts that are left; one without hosts is for all.
local function canary_tls(spec)
  local kept, hosts = list(), {}
  for _, rule in ipairs(spec.rules or {}) do
    hosts[rule.host or ""] = true
  end
  for _, entry in ipairs(spec.tls) do
    local left = list()
    for _, host in ipairs(entry.hosts or {}) do
      if hosts[host] then
        table.insert(left, host)
      end
    end
    if left[1] then
      entry.hosts = left
    end
    if left[1] or not (entry.hosts and entry.hosts[1]) then
      table.insert(kept, entry)
    end
  end
  return (kept[1] or not spec.tls[1]) and kept or nil
end

-- Return the Ingress of the canary: named stage.name, with the labels, annotations and class of the given one, and
-- those of its rules that go to the stable Service, to the canary's instead.
function ingress.canary(given, stage)
  local spec = copy(given.spec or {})
  local rules, ports = canary_rules(spec, stage)
  canary_default(spec, stage, ports)
  if not (rules[1] or spec.defaultBackend or spec.backend) then
    local names = table.concat(ingress.services(given.spec or {}), ", ")
    fail("spec.rules", "does not route to the Service " .. stage.stableService .. ", only to "
      .. (names ~= "" and names or "no Service at all"))
  end
  if spec.rules then
    spec.rules = rules
  end
  if spec.tls then
    spec.tls = canary_tls(spec)
  end
  local meta = given.metadata or {}
  return {
    apiVersion = given.apiVersion,
    kind = given.kind,
    metadata = {
      name = stage.name,
      namespace = meta.namespace,
      labels = copy(meta.labels),
      annotations = copy(meta.annotations),
    },
    spec = spec,
  }
end

return ingress
