-- AWS App Mesh: who the pods of a VirtualNode are. It divides nothing; the VirtualRouter does.
--
-- A pod gets its node when it starts, and one that two nodes select does not start at all; nor does one without a node,
-- where each has to have one. So every pod has exactly one at every stage: the stable side's node leaves the canary's
-- pods out by the label that only its own carry, the canary's node the other way round. Where nothing tells them apart,
-- which may be once both are new, the stable side's node has them all: requests go by Services, whoever's they are.
-- https://aws.github.io/aws-app-mesh-controller-for-k8s/reference/api_spec/#appmesh.k8s.aws/v1beta2.VirtualNodeSpec

local FIELD = "spec.podSelector.matchLabels"

local function selects(match, pods)
  for key, item in pairs(match) do
    if pods[key] ~= item then
      return false
    end
  end
  return true
end

local function stable(match, members)
  for key, item in pairs(members and members.stable or {}) do
    match[key] = item
  end
  if members and selects(match, members.canary) then
    fail(FIELD, "selects the canary's pods as well; add a label that only stable pods carry")
  end
end

-- Between releases the canary's node has other values, so that it selects nobody.
local function canary(match, members, own)
  for key in pairs(members and match or {}) do
    match[key] = members.canary[key]
      or fail(FIELD, "asks for " .. key .. ", which no pod of the canary has; leave it out")
  end
  for key, item in pairs(members and own or {}) do
    match[key] = item
  end
end

return {
  reads = [[
    spec.podSelector.matchLabels.*  text
  ]],

  -- It stands beside the object that divides, and is in the way of nothing that that one can express.
  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "cookie.regex", "query.exact", "query.regex",
    "path.exact", "path.prefix", "path.regex", "matches.many", "conditions.many", "weight+matches", "headerModifier",
    "method.exact", "method.regex", "mirror", "mirror.matches",
  },

  render = function(given, stage)
    local name, spec = given.metadata and given.metadata.name, given.spec or {}
    local match = spec.podSelector and spec.podSelector.matchLabels
    if name ~= stage.stableService and name ~= stage.canaryService then
      fail("metadata.name", "is neither " .. stage.stableService .. " nor " .. stage.canaryService)
    elseif not match or not next(match) then
      fail(FIELD, "is missing, so this node has no pods to tell apart")
    elseif name == stage.stableService then
      stable(match, stage.members)
    else
      canary(match, stage.members, stage.podMetadata and stage.podMetadata.labels)
    end
    return { given }
  end,
}
