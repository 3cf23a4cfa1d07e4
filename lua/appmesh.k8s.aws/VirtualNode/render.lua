-- AWS App Mesh: who the pods of a VirtualNode are. It divides nothing; the VirtualRouter does.
--
-- The stable side's node leaves the canary's pods out by the label that only its own carry, the canary's node the other
-- way round. Without a selector a node has no pods of the cluster at all.
-- https://aws.github.io/aws-app-mesh-controller-for-k8s/reference/api_spec/#appmesh.k8s.aws/v1beta2.VirtualNodeSpec

local FIELD = "spec.podSelector.matchLabels"

local function check_stable(match, pods)
  for key, item in pairs(match) do
    if pods[key] ~= item then
      return
    end
  end
  fail(FIELD, "selects the canary's pods as well; add a label that only stable pods carry")
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
    end
    local more = name == stage.stableService and stage.stableLabels
      or name == stage.canaryService and stage.podMetadata and stage.podMetadata.labels or {}
    for key, item in pairs(more) do
      match[key] = item
    end
    if name == stage.stableService and stage.canaryPods then
      check_stable(match, stage.canaryPods)
    end
    return { given }
  end,
}
