-- What the providers of Istio share: which Service a host is, and which side of a release a destination is on.
--
-- A host is a Service by its name in the namespace of the object, by name and namespace, or by its whole name.
-- https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination

local istio = {}

-- Return the name and the namespace (nil where it is not written) of the Service that a host is; nil for no Service.
local function parts(host)
  local name, rest = (host or ""):match("^([^.*]+)(.*)$")
  local namespace, domain = (rest or ""):match("^%.([^.]+)(.*)$")
  if rest == "" or namespace and (domain == "" or domain == ".svc" or domain:sub(1, 5) == ".svc.") then
    return name, namespace
  end
end

-- Return the namespace that short names mean, "" where nothing says. Where the object does not say its namespace (a
-- host will add it), the hosts do, as long as they agree.
local function home(given, hosts, service)
  local written = given.metadata and given.metadata.namespace
  if written then
    return written
  end
  local found
  for _, host in ipairs(hosts) do
    local name, namespace = parts(host)
    namespace = namespace or ""
    if name == service and found and found ~= namespace then
      fail("metadata.namespace", "is not written, and the hosts spell the Service " .. service .. " in more than one "
        .. "way, which may be several Services; write the namespace")
    elseif name == service then
      found = namespace
    end
  end
  return found or ""
end

-- Return the host with another Service in it, in the same spelling.
function istio.renamed(host, service)
  return service .. host:sub(#parts(host) + 1)
end

-- Return a function that tells whether a host is a Service; `hosts` are all that the object names.
function istio.finder(given, hosts, service)
  local namespace = home(given, hosts, service)
  return function(host, other)
    local name, written = parts(host)
    return name == (other or service) and (written == nil or written == namespace)
  end
end

-- Return what tells the two sides apart: `of(destination)` is "stable", "canary" or nil, `to_canary(destination)` the
-- canary's counterpart, and `subsets` whether one Service has both sides.
function istio.sides(given, hosts, stage)
  local is = istio.finder(given, hosts, stage.stableService)
  local subsets, subset = stage.canaryService == stage.stableService, stage.subset or "canary"
  local sides = { subsets = subsets }

  function sides.of(destination)
    if subsets and is(destination.host) then
      local third = stage.stableSubset and destination.subset and destination.subset ~= stage.stableSubset
      return destination.subset == subset and "canary" or not third and "stable" or nil
    elseif subsets then
      return nil
    end
    return is(destination.host) and "stable" or is(destination.host, stage.canaryService) and "canary" or nil
  end

  -- The stable Service's subsets are not the canary Service's.
  function sides.to_canary(destination)
    local twin = copy(destination)
    twin.host = subsets and twin.host or istio.renamed(twin.host, stage.canaryService)
    twin.subset = subsets and subset or nil
    return twin
  end

  return sides
end

-- Tell whether two values mean the same, whatever the order of their keys.
function istio.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, item in pairs(a) do
    if not istio.same(item, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

return istio
