-- Traefik: a TraefikService, edited in place. It says how those share that an IngressRoute leads to; what is asked of a
-- request stands in the IngressRoute, which is another object.
-- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/traefikservice/

local weighted, services = use "weighted", use "services"

local FIELD = "spec.weighted.services"
-- Other ways to serve than by weights, and where they name what they lead to.
local OTHERS = { { "mirroring" }, { "failover", "service" }, { "failover", "fallback" }, { "highestRandomWeight" } }

-- Refuse a TraefikService that leads to the stable Service, but not by weights.
local function check_others(spec, dialect, service)
  for _, path in ipairs(OTHERS) do
    local found, place = spec, "spec"
    for _, key in ipairs(path) do
      found, place = found and found[key], place .. "." .. key
    end
    for _, entry in ipairs(found and (found.services or { found }) or {}) do
      if dialect.leads(entry, service) then
        fail(place, "leads to the Service " .. service .. ", and only spec.weighted divides by weights; let "
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
    local spec, dialect = given.spec or {}, weighted.by_service(stage, services.references(given))
    check_others(spec, dialect, stage.stableService)
    local entries = spec.weighted and spec.weighted.services or list()
    weighted.leading({ entries }, dialect, stage, FIELD)
    spec.weighted.services = weighted.divide(entries, dialect, weighted.share(stage), FIELD)
    return { given }
  end,
}
