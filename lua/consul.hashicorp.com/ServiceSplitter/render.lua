-- Consul: a ServiceSplitter, edited in place.
--
-- Its splits sum to 100, in steps of 0.01, and lead to Services or to subsets of one, which a ServiceResolver defines.
-- A split without a Service is for the one that the splitter is named as.
-- https://developer.hashicorp.com/consul/docs/connect/config-entries/service-splitter

local weighted, services = use "weighted", use "services"

local STEPS = 100 -- of a percent

local function dialect_of(given, stage)
  local dialect = { total = 100 * STEPS, steps = STEPS }
  local own = given.metadata and given.metadata.name
  local subsets, subset = stage.stableService == stage.canaryService, stage.subset or "canary"

  function dialect.side(entry)
    local service = entry.service or own
    if subsets then
      return service == stage.stableService and (entry.serviceSubset == subset and "canary" or "stable") or nil
    end
    return service == stage.stableService and "stable" or service == stage.canaryService and "canary" or nil
  end

  -- The stable Service's subsets are not the canary Service's.
  function dialect.twin(entry)
    local twin = copy(entry)
    twin.service = (not subsets or entry.service) and stage.canaryService or nil
    twin.serviceSubset = subsets and subset or nil
    return twin
  end

  function dialect.weights(entries, field)
    local weights, sum = {}, 0
    for i, entry in ipairs(entries) do
      weights[i] = math.floor((entry.weight or 0) * STEPS + 0.5)
      sum = sum + weights[i]
    end
    if sum ~= 100 * STEPS then
      fail(field, "sum to " .. sum / STEPS .. ", and Consul asks for 100")
    end
    return weights
  end

  function dialect.put(entry, weight)
    entry.weight = weight / STEPS
  end

  return dialect
end

-- A split without a subset is for all of the Service, also for the canary's part of it.
local function check_subsets(splits, dialect)
  for i, entry in ipairs(splits) do
    if dialect.side(entry) == "stable" and not entry.serviceSubset then
      fail("spec.splits[" .. i - 1 .. "].serviceSubset", "is not written: this is every instance of the Service, also "
        .. "the canary's, which have no Service of their own; name a subset that has only the stable ones")
    end
  end
end

return {
  reads = [[
    spec.splits[].service|serviceSubset  text
    spec.splits[].weight                 part
  ]],

  supports = { "weight" },

  render = function(given, stage)
    given.spec = given.spec or {}
    local splits, dialect = given.spec.splits or list(), dialect_of(given, stage)
    if not splits[1] or not weighted.leads(splits, dialect, "spec.splits") then
      services.refuse_others("spec.splits", stage.stableService, splits, function(entry)
        return entry.service or given.metadata and given.metadata.name or "?"
      end)
    elseif stage.stableService == stage.canaryService then
      check_subsets(splits, dialect)
    end
    given.spec.splits = weighted.divide(splits, dialect, weighted.share(stage) or 0, "spec.splits")
    return { given }
  end,
}
