-- Traefik: a TraefikService, edited in place. It says how those share that an IngressRoute leads to; what is asked of a
-- request stands in the IngressRoute, which is another object.
-- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/traefikservice/

local shares = use "shares"

local FIELD = "spec.weighted.services"
-- Other ways to serve than by weights, and where they name what they lead to.
local OTHERS = { { "mirroring" }, { "failover", "service" }, { "failover", "fallback" }, { "highestRandomWeight" } }

local ENTRY = {
  leads = function(entry, service, stage)
    return entry.name == service and (entry.kind or "Service") == "Service"
      and (entry.namespace or stage.namespace) == stage.namespace
  end,
  alike = function(a, b)
    return a.port == b.port
  end,
  point = function(entry, service)
    entry.name = service
  end,
  name = function(entry)
    local name = (entry.namespace and entry.namespace .. "/" or "") .. entry.name
    return (entry.kind or "Service") == "Service" and name or entry.kind .. " " .. name
  end,
}

-- Refuse a TraefikService that leads to the stable Service, but not by weights.
local function check_others(spec, stage)
  for _, path in ipairs(OTHERS) do
    local found, place = spec, "spec"
    for _, key in ipairs(path) do
      found, place = found and found[key], place .. "." .. key
    end
    for _, entry in ipairs(found and (found.services or { found }) or {}) do
      if ENTRY.leads(entry, stage.stableService, stage) then
        fail(place, "leads to the Service " .. stage.stableService .. ", and only spec.weighted divides by weights; let "
          .. "it lead to a TraefikService that has that, and name this one")
      end
    end
  end
end

return {
  reads = [[
    spec.weighted.services[].port  scalar
    spec.weighted.services[].weight  count
    spec.weighted.services[].name  text!
    spec.weighted.services[].kind|namespace  text
    spec.mirroring.name  text!
    spec.mirroring.kind|namespace  text
    spec.failover.service.name  text!
    spec.failover.service.kind|namespace  text
    spec.failover.fallback.name  text!
    spec.failover.fallback.kind|namespace  text
    spec.highestRandomWeight.services[].name  text!
    spec.highestRandomWeight.services[].kind|namespace  text
  ]],

  supports = { "weight" },

  render = function(given, stage)
    stage.namespace = given.metadata and given.metadata.namespace
    local spec = given.spec or {}
    check_others(spec, stage)
    local services = spec.weighted and spec.weighted.services or list()
    shares.leading(ENTRY, { services }, stage, FIELD)
    spec.weighted.services = shares.divide(ENTRY, services, stage, stage.neutral and 0 or stage.weight)
    return { given }
  end,
}
