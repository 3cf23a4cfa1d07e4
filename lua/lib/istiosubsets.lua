-- Istio: whether the subsets that a VirtualService names are those of the two sides. One Service has the pods of both, so
-- it is the DestinationRule that says which pods a subset is; where it says too many, nobody's share is what it seems.

local istio = use "istio"

local subsets = {}

-- Return what the DestinationRules beside a VirtualService say of a Service: { by = subsets by name, rule = a name,
-- named = whether the rollout has it }, nil where there is none.
local function said(stage)
  local found
  for _, other in ipairs(stage.beside) do
    local object = other.manifest
    local host = object.spec and object.spec.host
    if object.kind == "DestinationRule" and host and istio.finder(object, { host }, stage.stableService)(host) then
      found = found or { by = {}, rule = object.metadata.name }
      found.named = found.named or other.named
      for _, subset in ipairs(object.spec.subsets or {}) do
        found.by[subset.name] = subset.labels or {}
      end
    end
  end
  return found
end

-- Tell whether pods with these labels are in a subset, and if not the label that keeps them out.
local function has(labels, pods)
  for key, item in pairs(labels) do
    if pods[key] ~= item then
      return false, key .. ": " .. item
    end
  end
  return true
end

local function check_stable(labels, pods, field, rule)
  if has(labels, pods.canary) and istio.same(pods.canary, pods.promoted) then
    fail(field, "is all pods that the DestinationRule " .. rule .. " gives it, also those of the new version, which get "
      .. "the same labels in their turn; let the rollout make a Service for the canary")
  elseif has(labels, pods.canary) then
    fail(field, "is all pods that the DestinationRule " .. rule .. " gives it, also the canary's; give those another "
      .. "value of one of its labels (patchPodTemplateMetadata), or the subset a label that they do not carry")
  end
  local there, label = has(labels, pods.stable)
  local who = "no stable pod carries"
  if there then
    there, label = has(labels, pods.promoted)
    who = "no pod of the new version carries, so that from promote on nobody would answer"
  end
  if not there then
    fail(field, "is the pods with " .. label .. ", as the DestinationRule " .. rule .. " says, which " .. who
      .. "; choose a label that stays on the stable pods")
  end
end

local function check_canary(found, stage, name)
  local labels = found.by[name]
  if not labels and not found.named then
    fail("spec", "needs the subset " .. name .. ", and the DestinationRule " .. found.rule .. " has none; name that "
      .. "object in the rollout beside this one, and it gets one")
  elseif labels and not found.named and not has(labels, stage.pods.canary) then
    fail("spec", "needs the subset " .. name .. ", and that of the DestinationRule " .. found.rule
      .. " does not have the canary's pods")
  end
end

-- Fail where a rule of a VirtualService leads to a subset that is not what it has to be. `used` are the destinations on
-- the stable side, each { subset, field }.
function subsets.check(stage, used)
  if not stage.beside or stage.stableSubset or stage.canaryService ~= stage.stableService then
    return
  end
  local name, found = stage.subset or "canary", said(stage)
  if not found then
    fail("spec", "divides the Service " .. stage.stableService .. " by subsets, and the package has no DestinationRule "
      .. "for it that says which pods they are; add one, and name it in the rollout beside this object")
  end
  check_canary(found, stage, name)
  for _, one in ipairs(used) do
    local labels = found.by[one.subset]
    if not labels then
      fail(one.field, "is no subset of the DestinationRule " .. found.rule)
    end
    check_stable(labels, stage.pods, one.field, found.rule)
  end
end

return subsets
