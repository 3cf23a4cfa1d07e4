-- What all providers that read an Ingress share.
--
-- v1 spells a backend { service = { name, port } }, v1beta1 { serviceName, servicePort }; and the default backend is
-- `defaultBackend` in v1 and `backend` in v1beta1. Everything here takes either.

local ingress = {}

ingress.reads = [[
  spec.tls[].hosts[]                                          text
  spec.rules[].host                                           text
  spec.rules[].http.paths[].path                              text
  spec.rules[].http.paths[].pathType                          Exact,Prefix,ImplementationSpecific
  spec.rules[].http.paths[].backend.serviceName               text
  spec.rules[].http.paths[].backend.servicePort               scalar
  spec.rules[].http.paths[].backend.service.name               text
  spec.rules[].http.paths[].backend.service.port.name         text
  spec.rules[].http.paths[].backend.service.port.number       count
  spec.defaultBackend|backend.serviceName                     text
  spec.defaultBackend|backend.servicePort                     scalar
  spec.defaultBackend|backend.service.name                    text
  spec.defaultBackend|backend.service.port.name               text
  spec.defaultBackend|backend.service.port.number             count
]]

local DEFAULTS = { "defaultBackend", "backend" }
local COOKIE = "canary-by-cookie" -- the header name by which Kruise's users ask for a cookie; its value is the cookie
local REGEX = "RegularExpression"

-- Return the name of the Service a backend goes to, nil where it goes to something else.
function ingress.service(backend)
  return backend and (backend.serviceName or backend.service and backend.service.name)
end

local function port(backend)
  local written = backend.servicePort or backend.service and backend.service.port or ""
  if type(written) == "table" then
    return written.number or written.name or ""
  end
  return written
end

-- Let a backend go to another Service.
function ingress.redirect(backend, service)
  if backend.serviceName then
    backend.serviceName = service
  else
    backend.service.name = service
  end
end

-- Call visit(backend, rule, path) for the backend of every path.
function ingress.each_path(spec, visit)
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
  ingress.each_path(spec, note)
  return names
end

-- Return the rules of the canary, and the ports of the stable Service that they use. take(path, rule, stable) returns
-- the paths of the canary for one of the given paths, copied; those that lead to the stable Service are then sent to
-- the canary's.
local function canary_rules(spec, stage, take)
  local rules, ports = list(), {}
  for _, rule in ipairs(spec.rules or {}) do
    local paths = list()
    for _, path in ipairs(rule.http and rule.http.paths or {}) do
      local stable = ingress.service(path.backend) == stage.stableService
      for _, twin in ipairs(take(path, rule, stable)) do
        if stable then
          ports[port(path.backend)] = true
          ingress.redirect(twin.backend, stage.canaryService)
        end
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

local function only_stable(path, _, stable)
  return stable and { copy(path) } or {}
end

-- In an Ingress with rules the default backend is the "/" of their hosts. Controllers find the canary of a Service by
-- host and path, and its share then holds for every place that goes to the same Service and port; ingress-nginx looks
-- for a canary's default backend among the rules without a host only, and forgets the whole canary where it is not
-- there. So it is left out beside rules, and where no rule covers it that cannot be expressed.
local function canary_default(spec, stage, ports)
  for _, key in ipairs(DEFAULTS) do
    if ingress.service(spec[key]) == stage.stableService then
      if not (spec.rules and spec.rules[1]) then
        ingress.redirect(spec[key], stage.canaryService)
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

local function check_services(given, stage)
  local names = ingress.services(given.spec or {})
  local leads = false
  for _, name in ipairs(names) do
    leads = leads or name == stage.stableService
  end
  if not leads then
    fail("spec.rules", "does not route to the Service " .. stage.stableService .. ", only to "
      .. (names[1] and table.concat(names, ", ") or "no Service at all"))
  elseif stage.canaryService == stage.stableService and not stage.apart then
    fail("spec.rules", "tells the two sides apart by their Services, and " .. stage.stableService
      .. " is both; let the rollout make a Service for the canary")
  end
end

-- Refuse a default backend that leads to the stable Service, for controllers that divide rules only.
function ingress.refuse_default(given, stage, product)
  for _, key in ipairs(DEFAULTS) do
    if given.spec and ingress.service(given.spec[key]) == stage.stableService then
      fail("spec." .. key, product .. " divides no default backend; put a rule with the path / to "
        .. stage.stableService .. " in its place")
    end
  end
end

-- Return the Ingress of the canary: named stage.name, with the labels, annotations and class of the given one, and
-- those of its rules that go to the stable Service, to the canary's instead (or what `take` makes of them, see above).
function ingress.canary(given, stage, take)
  check_services(given, stage)
  local spec = copy(given.spec)
  local rules, ports = canary_rules(spec, stage, take or only_stable)
  canary_default(spec, stage, ports)
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

-- Classes that mean the same controller everywhere. One that is not here may be anybody's.
local OWNERS = {}
for name in ([[alb apisix azure-application-gateway cilium contour gce gce-internal haproxy higress istio kong mse
  openshift-default skipper traefik tyk]]):gmatch("%S+") do
  OWNERS[name] = true
end

-- Refuse an Ingress of another controller, which would serve the canary's Ingress as if it were one more of its own:
-- who gets the canary then depends on how that controller merges two that say the same.
function ingress.refuse_class(given, own, product)
  local class, field = given.spec and given.spec.ingressClassName, "spec.ingressClassName"
  if not class then
    local key = "kubernetes.io/ingress.class"
    local annotations = given.metadata and given.metadata.annotations or {}
    class, field = annotations[key], "metadata.annotations[" .. key .. "]"
  end
  if OWNERS[class] and class ~= own then
    fail(field, "is " .. class .. ", whose controller reads nothing of what divides requests for " .. product
      .. "; say that class in the rollout, or divide by that controller's own kind of route (krmfn providers lists all)")
  end
end

-- Refuse an Ingress that is a canary already, by any of the prefixes that its controller reads.
function ingress.refuse_canary(given, prefixes)
  local annotations = given.metadata and given.metadata.annotations or {}
  for _, prefix in ipairs(prefixes) do
    if annotations[prefix .. "canary"] == "true" then
      fail("metadata.annotations[" .. prefix .. "canary]", "is itself the canary of another Ingress; name that one")
    end
  end
end

-- Return the annotations without those that say how an Ingress is a canary.
function ingress.without_canary(annotations, prefixes)
  annotations = annotations or {}
  for _, prefix in ipairs(prefixes) do
    for key in pairs(annotations) do
      if key:sub(1, #prefix) == prefix and (key .. "-"):sub(#prefix + 1, #prefix + 7) == "canary-" then
        annotations[key] = nil
      end
    end
  end
  return annotations
end

-- Return an Ingress for the canary with nothing that says how another one is a canary, but what `annotate(annotations,
-- stage)` says. `dialect` is the one below, with the `class` and the `prefixes` of annotations of its controller, of
-- which the first is that of the canary's, and `rules`, if that is all that it divides.
function ingress.annotated(given, stage, dialect, annotate)
  ingress.refuse_class(given, dialect.class, dialect.product)
  ingress.refuse_canary(given, dialect.prefixes)
  if dialect.rules then
    ingress.refuse_default(given, stage, dialect.product)
  end
  local canary = ingress.canary(given, stage)
  local annotations, prefix = ingress.without_canary(canary.metadata.annotations, dialect.prefixes), dialect.prefixes[1]
  annotations[prefix .. "canary"] = "true"
  if stage.neutral then
    annotations[prefix .. "canary-weight"] = "0"
  else
    annotate(annotations, stage)
  end
  canary.metadata.annotations = annotations
  return canary
end

-- Conditions ----------------------------------------------------------------------------------------------------------
--
-- What follows is for controllers that look at one header, one cookie or one query parameter for each host and path.
-- A dialect is { product, looks, plain, grouped }: the name of the controller, what it looks at in words, the Lua
-- pattern of values that it compares as they are, and whether it puts something around a regular expression. What is
-- in a regular expression, and whether it has to cover the whole value, is the controller's affair.

local function single(match, dialect)
  local found = list()
  for kind, conditions in pairs({ header = match.headers, cookie = match.cookies, query = match.queryParams }) do
    for _, condition in ipairs(conditions) do
      if kind == "header" and condition.name == COOKIE then
        kind, condition = "cookie", { name = condition.value, value = "always", type = "Exact" }
      end
      table.insert(found, { kind = kind, condition = condition })
    end
  end
  if #found ~= 1 or match.path then
    fail("matches", dialect.product .. " looks at " .. dialect.looks .. " of a request")
  end
  return found[1].kind, found[1].condition
end

local function check(kind, condition, dialect)
  if kind == "cookie" and (condition.value ~= "always" or condition.type == REGEX) then
    fail("matches", dialect.product .. " looks for the cookie " .. condition.name .. " with the value always, and for "
      .. 'no other; set that cookie to "always" for those who shall see the canary, or match on a header')
  elseif condition.value == "" then
    fail("matches", dialect.product .. " cannot look for an empty value of the " .. kind .. " " .. condition.name)
  end
end

-- Return what the matches ask for: { header, cookie, query }, each { name, any } with the conditions of which any has
-- to hold. Several matches are one question where they ask the same header, cookie or query parameter.
function ingress.wanted(matches, dialect)
  local wanted = {}
  for _, match in ipairs(matches) do
    local kind, condition = single(match, dialect)
    check(kind, condition, dialect)
    local group = wanted[kind] or { name = condition.name, any = list() }
    local same = group.name == condition.name or kind == "header" and group.name:lower() == condition.name:lower()
    if not same then
      fail("matches", dialect.product .. " looks at " .. dialect.looks .. " of a request, not at both " .. group.name
        .. " and " .. condition.name)
    end
    table.insert(group.any, condition)
    wanted[kind] = group
  end
  return wanted
end

-- The regular expression of one value, in characters that every controller accepts in an annotation.
local function exactly(value)
  if value:find("[^ -~]") then
    fail("matches", "the value " .. value .. " has characters that a request can only send encoded; write it so")
  end
  return "^" .. value:gsub("[^%w_/:~-]", function(char)
    return char == "." and "\\." or string.format("\\x%02x", char:byte())
  end) .. "$"
end

local function pattern(any, dialect)
  local parts = {}
  for i, condition in ipairs(any) do
    local text = condition.type == REGEX and condition.value or exactly(condition.value)
    local alone = not any[2] and not (dialect.grouped and text:find("|", 1, true))
    parts[i] = (alone or condition.type ~= REGEX) and text or "(" .. text .. ")"
  end
  local joined = table.concat(parts, "|")
  return dialect.grouped and any[2] and "(" .. joined .. ")" or joined
end

-- Write what to look for in one header or query parameter: by one value as it is, else by a regular expression, and
-- never both.
function ingress.look_for(annotations, key, group, dialect)
  annotations[key] = group.name
  local first = group.any[1]
  if not group.any[2] and first.type ~= REGEX and first.value:find(dialect.plain) then
    annotations[key .. "-value"] = first.value
  else
    annotations[key .. "-pattern"] = pattern(group.any, dialect)
  end
end

-- Request headers -----------------------------------------------------------------------------------------------------

-- Return the parts of an annotation without those about the headers that are changed now.
local function kept(written, touched, separator)
  local parts = list()
  for part in (written or ""):gmatch("[^" .. separator .. "]+") do
    local name = part:match("^%s*(%S+)")
    local by = name and touched[name:lower()]
    if by == "add" then
      fail("headerModifier", "adds to the header " .. name .. ", which the Ingress changes already; set it instead")
    elseif name and not by then
      table.insert(parts, part:match("^%s*(.-)%s*$"))
    end
  end
  return parts
end

local function touched_by(modifier)
  local touched = {}
  for _, part in ipairs({ "set", "add", "remove" }) do
    for _, header in ipairs(modifier[part] or {}) do
      local name = (part == "remove" and header or header.name):lower()
      if touched[name] then
        fail("headerModifier", "names the header " .. name .. " twice")
      end
      touched[name] = part
    end
  end
  return touched
end

local function line(header)
  if not header.value:find("%S") or header.value:find("[\r\n]") then
    fail("headerModifier", "the value of the header " .. header.name .. " has to be one line that is not empty")
  end
  return header.name .. " " .. header.value
end

-- Change the request headers of the canary: <key>update and <key>add hold a line "name value" for each, <key>remove
-- names with commas between. What is there already stays, but for the headers that are changed now.
function ingress.change_headers(annotations, key, modifier)
  local touched = touched_by(modifier)
  for part, word in pairs({ set = "update", add = "add", remove = "remove" }) do
    local separator = part == "remove" and "," or "\n"
    local parts = kept(annotations[key .. word], touched, separator)
    for _, header in ipairs(modifier[part] or {}) do
      table.insert(parts, part == "remove" and header or line(header))
    end
    annotations[key .. word] = parts[1] and table.concat(parts, separator) or nil
  end
end

return ingress
