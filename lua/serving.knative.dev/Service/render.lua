-- Knative: the traffic of a Service, edited in place.
--
-- The sides are revisions. Where the stage tells their names, they are in the place of the latest one, and the canary's
-- is left out while it gets nothing: a Route that names a revision which is not ready stays as it was, and so would one
-- that is to take requests away from it. Else the canary's is the latest one, which each change of the template makes,
-- or one that is named as the canary's Service is; the stable one has to be named, for nothing here knows what the
-- cluster called it.
-- https://knative.dev/docs/serving/traffic-management/

local weighted = use "weighted"

local FLAGGER = "flagger.app/primary-revision" -- where Flagger notes the stable revision
local REVISION = "serving.knative.dev/revision" -- the label by which the cluster marks a revision's pods
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

-- Return the names of both revisions where the stage knows them; they are one where every side is new.
local function told(stage)
  local pods = stage.podMetadata and stage.podMetadata.labels or {}
  return stage.stableLabels and stage.stableLabels[REVISION] or pods[REVISION], pods[REVISION]
end

-- Return the traffic with a revision in the place of the latest one; which of those entries get anything.
local function named(traffic, revision)
  local found, own, gets = list(), {}, 0
  for i, entry in ipairs(traffic[1] and traffic or list { { latestRevision = true, percent = 100 } }) do
    local made = copy(entry)
    if latest(entry) then
      own[i], gets = (entry.percent or 0) > 0, gets + (entry.percent or 0)
      made.latestRevision, made.revisionName = nil, revision
    end
    table.insert(found, made)
  end
  if gets == 0 then
    fail(FIELD, "gives nothing to the latest revision, so a new version would never get a request; give its part to "
      .. "{ latestRevision: true }")
  end
  return found, own
end

-- Return the traffic of two revisions whose names are known.
local function shared(given, stage, stable, canary)
  local traffic, own = named(given.spec.traffic or list(), stable)
  local dialect, sides = dialect_of(stable, canary), {}
  for i, entry in ipairs(traffic) do
    sides[entry] = own[i] and "stable" or nil
  end
  function dialect.side(entry)
    return sides[entry]
  end
  function dialect.twin()
    return { revisionName = canary }
  end
  if stage.neutral or not stage.weight or stage.weight == 0 or stable == canary then
    dialect.weights(traffic)
    return traffic
  end
  return weighted.divide(traffic, dialect, stage.weight, FIELD)
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
    local known, canary = told(stage)
    if known then
      given.spec.traffic = shared(given, stage, known, canary)
      return { given }
    end
    local stable = stable_revision(given, stage)
    local traffic, dialect = base(given, stable), dialect_of(stable, stage.canaryService)
    if not weighted.leads(traffic, dialect, FIELD) then
      fail(FIELD, "gives nothing to the revision " .. stable .. " nor to the latest one")
    end
    given.spec.traffic = weighted.divide(traffic, dialect, stage.neutral and 0 or stage.weight or 0, FIELD)
    return { given }
  end,
}
