-- Knative: the traffic of a Service, edited in place.
--
-- The sides are revisions. The canary's is the latest one, which each change of the template makes, or one that is
-- named as the canary's Service is; the stable one has to be named, for nothing here knows what the cluster called it.
-- https://knative.dev/docs/serving/traffic-management/

local weighted = use "weighted"

local FLAGGER = "flagger.app/primary-revision" -- where Flagger notes the stable revision
local FIELD = "spec.traffic"

-- Tell whether an entry follows the latest revision.
local function latest(entry)
  return entry.latestRevision == true or not entry.revisionName
end

-- Return the name of the stable revision: that of the stable Service, one that is noted, or the only one there is.
local function stable_revision(given, stage)
  local noted = given.metadata and given.metadata.annotations and given.metadata.annotations[FLAGGER]
  local names, seen = {}, {}
  for _, entry in ipairs(given.spec.traffic or {}) do
    local name = entry.revisionName
    if name == stage.stableService or name and name == noted then
      return name
    elseif name and name ~= stage.canaryService and not seen[name] then
      seen[name] = true
      table.insert(names, name)
    end
  end
  if #names > 1 then
    fail(FIELD, "names several revisions (" .. table.concat(names, ", ") .. "), and nobody can tell which is the "
      .. "stable one; note it in the annotation " .. FLAGGER)
  end
  return names[1] or noted or fail(FIELD, "does not name the stable revision, and without its name all requests follow "
    .. "the latest one; add { revisionName: <the revision that is served now>, percent: 100 }")
end

local function dialect_of(stable, canary)
  local dialect = { total = 100 }

  function dialect.side(entry)
    if entry.revisionName == stable then
      return "stable"
    end
    return (latest(entry) or entry.revisionName == canary) and "canary" or nil
  end

  function dialect.twin()
    return { latestRevision = true }
  end

  function dialect.weights(entries)
    local weights, sum = {}, 0
    for i, entry in ipairs(entries) do
      weights[i] = entry.percent or 0
      sum = sum + weights[i]
    end
    if sum ~= 100 then
      fail(FIELD, "has percents that sum to " .. sum .. ", and Knative asks for 100")
    end
    return weights
  end

  function dialect.put(entry, percent)
    entry.percent = percent
  end

  return dialect
end

-- Return the traffic as it is without a rollout: all to the stable revision, where nothing is written.
local function base(given, stable)
  local traffic = given.spec.traffic or list()
  if not traffic[1] then
    return list { { revisionName = stable, percent = 100 } }
  end
  local named = false
  for _, entry in ipairs(traffic) do
    named = named or entry.revisionName == stable
  end
  if not named then
    fail(FIELD, "does not lead to the revision " .. stable .. ", which is noted as the stable one; add it")
  end
  return traffic
end

return {
  reads = [[
    spec.traffic[].revisionName    text
    spec.traffic[].latestRevision  flag
    spec.traffic[].percent         count
  ]],

  supports = { "weight" },

  render = function(given, stage)
    given.spec = given.spec or {}
    local stable = stable_revision(given, stage)
    local traffic, dialect = base(given, stable), dialect_of(stable, stage.canaryService)
    if not weighted.leads(traffic, dialect, FIELD) then
      fail(FIELD, "gives nothing to the revision " .. stable .. " nor to the latest one")
    end
    given.spec.traffic = weighted.divide(traffic, dialect, stage.neutral and 0 or stage.weight or 0, FIELD)
    return { given }
  end,
}
