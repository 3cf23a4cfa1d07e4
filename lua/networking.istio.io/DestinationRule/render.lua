-- Istio: who the pods of the canary are, and how to talk to them. It divides nothing; the VirtualService does.
--
-- Where one Service has both sides, the canary is a subset of it: the pods with the labels that only they carry. It is
-- treated as the subsets that are there, so that a release changes nothing but the version. Where the canary has a
-- Service of its own, that gets a DestinationRule with the same policy; without one, mutual TLS, timeouts or ejection
-- would hold for the stable side only.
-- https://istio.io/latest/docs/reference/config/networking/destination-rule/

local istio = use "istio"

local function is_wildcard(host)
  return host and host:sub(1, 1) == "*"
end

-- Tell whether a wildcard has every Service of the object's namespace.
local function covers(host, given)
  local namespace = given.metadata and given.metadata.namespace
  local ending, name = host:sub(2), "." .. (namespace or "") .. ".svc.cluster.local"
  return namespace == nil or name:sub(-#ending) == ending or ending == ""
end

local function check_host(given, stage)
  local host = given.spec and given.spec.host
  local is = istio.finder(given, { host }, stage.stableService)
  if not (is_wildcard(host) and covers(host, given) or is(host)) then
    fail("spec.host", "is " .. (host or "not written") .. ", and not the Service " .. stage.stableService)
  end
end

-- Fail where a subset is all that would come of it.
local function check_beside(stage)
  if stage.beside and not stage.beside[1] then
    fail("spec.subsets", "only says which pods the canary is, and the rollout names nothing that sends them requests; "
      .. "name the VirtualService beside it")
  end
end

-- Subsets -------------------------------------------------------------------------------------------------------------

-- Return labels with some more.
local function merged(labels, more)
  local made = copy(labels) or {}
  for key, item in pairs(more or {}) do
    made[key] = item
  end
  return made
end

-- Fail where a subset that the author has written for the canary is not about its pods.
local function check_own(subset, labels, field)
  local shared = not next(labels)
  for key, item in pairs(subset.labels or {}) do
    if labels[key] and labels[key] ~= item then
      fail(field .. ".labels", "says " .. key .. ": " .. item .. ", and the canary's pods get " .. key .. ": "
        .. labels[key])
    end
    shared = shared or labels[key] ~= nil
  end
  if not shared or not next(subset.labels or {}) then
    fail(field .. ".labels", "has no label that only the canary's pods carry; leave this subset out or give it one")
  end
end

-- Fail where every subset is all pods, so that none of them can be the stable side.
local function check_others(subsets, name)
  local first
  for i, subset in ipairs(subsets) do
    if subset.name ~= name and next(subset.labels or {}) then
      return
    end
    first = first or subset.name ~= name and i
  end
  if first then
    fail("spec.subsets[" .. first - 1 .. "].labels", "is empty, so that " .. subsets[first].name .. " is every pod of "
      .. "the Service, also the canary's; give it a label that only stable pods carry")
  end
end

-- Return the label of a subset that keeps pods out, nil where they are in it.
local function keeps_out(subset, pods)
  for key, item in pairs(subset.labels or {}) do
    if pods[key] ~= item then
      return key .. ": " .. item
    end
  end
end

-- Fail where a subset asks for what the pods of its side do not carry; `who` says which pods those are.
local function check_has(subset, pods, who, field)
  local label = pods and keeps_out(subset, pods)
  if label then
    fail(field .. ".labels", "asks for " .. label .. ", which " .. who .. "; leave that label out")
  end
end

-- Let the stable side's subset have its own pods only. Where it has no name, any may be the one that leaves the canary's
-- pods out.
local function keep_stable(subsets, name, stage)
  local found, wrong
  for i, subset in ipairs(subsets) do
    if subset.name == (stage.stableSubset or subset.name) and subset.name ~= name then
      local field, pods = "spec.subsets[" .. i - 1 .. "]", stage.stableSubset and stage.pods or {}
      check_has(subset, pods.stable, "no stable pod carries", field)
      check_has(subset, pods.promoted, "no pod of the new version carries, so that nobody would answer from promote on",
        field)
      subset.labels = stage.stableSubset and merged(subset.labels, stage.stableLabels) or subset.labels
      if stage.canaryPods and not keeps_out(subset, stage.canaryPods) then
        wrong = wrong or i
      else
        found = true
      end
    end
  end
  if wrong and not found then
    fail("spec.subsets[" .. wrong - 1 .. "].labels", "has the canary's pods as well; give the subset "
      .. subsets[wrong].name .. " a label that only stable pods carry")
  elseif stage.stableSubset and not found then
    fail("spec.subsets", "has no subset " .. stage.stableSubset .. ", which is to have the stable pods")
  end
end

-- Return the first subset, whose policy all of them have, nil where there is none.
local function example(subsets, name)
  local first = subsets[1]
  for _, subset in ipairs(subsets) do
    if not istio.same(subset.trafficPolicy, first.trafficPolicy) then
      fail("spec.subsets", "have different policies (" .. first.name .. ", " .. subset.name .. "), and which one the "
        .. "canary shall have is not said; write the subset " .. name .. " with its labels and its policy")
    end
  end
  return first
end

local function with_subset(given, stage)
  local name, labels = stage.subset or "canary", stage.podMetadata and stage.podMetadata.labels or {}
  local subsets = given.spec.subsets or list {}
  if not stage.stableSubset then
    check_others(subsets, name)
  end
  keep_stable(subsets, name, stage)
  for i, subset in ipairs(subsets) do
    if subset.name == name then
      subset.labels = stage.stableSubset and merged(subset.labels, labels) or subset.labels
      check_own(subset, labels, "spec.subsets[" .. i - 1 .. "]")
      check_has(subset, stage.stableSubset and stage.pods and stage.pods.canary, "no canary pod carries",
        "spec.subsets[" .. i - 1 .. "]")
      return given
    end
  end
  if not next(labels) then
    fail("spec.subsets", "needs a subset " .. name .. ", and the canary's pods carry no label that others do not; give "
      .. "them one with patchPodTemplateMetadata, such as version: canary")
  end
  local made = copy(example(subsets, name)) or {}
  made.name, made.labels = name, copy(labels)
  table.insert(subsets, made)
  given.spec.subsets = subsets
  return given
end

-- Services ------------------------------------------------------------------------------------------------------------

-- Return the DestinationRule of the canary's Service, nil where there is nothing to say. Which subset its pods would be
-- like is for the VirtualService to say, which may name none.
local function twin(given, stage)
  local spec, meta = given.spec, given.metadata or {}
  for i, subset in ipairs(spec.subsets or {}) do
    if subset.trafficPolicy then
      fail("spec.subsets[" .. i - 1 .. "].trafficPolicy", "is for one subset, and the Service " .. stage.canaryService
        .. " has none, so which policy it shall have is not said; take this object out of the rollout and write a "
        .. "DestinationRule for it")
    end
  end
  return spec.trafficPolicy and {
    apiVersion = given.apiVersion,
    kind = given.kind,
    metadata = {
      name = stage.name,
      namespace = meta.namespace,
      labels = copy(meta.labels),
      annotations = copy(meta.annotations),
    },
    spec = {
      host = istio.renamed(spec.host, stage.canaryService),
      trafficPolicy = copy(spec.trafficPolicy),
      exportTo = copy(spec.exportTo),
      workloadSelector = copy(spec.workloadSelector),
    },
  }
end

return {
  reads = [[
    spec.host                text
    spec.subsets[].name      text!
    spec.subsets[].labels.*  text
    spec.trafficPolicy       map
    spec.exportTo[]          text
  ]],

  -- It stands beside the object that divides, and is in the way of nothing that that one can express.
  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "cookie.regex", "query.exact", "query.regex",
    "path.exact", "path.prefix", "path.regex", "matches.many", "conditions.many", "weight+matches", "headerModifier",
    "method.exact", "method.regex", "caller.exact", "mirror", "mirror.matches",
  },

  render = function(given, stage)
    check_host(given, stage)
    if stage.canaryService == stage.stableService then
      check_beside(stage)
      return { with_subset(given, stage) }
    end
    return { not is_wildcard(given.spec.host) and twin(given, stage) or given }
  end,
}
