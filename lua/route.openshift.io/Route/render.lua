-- OpenShift: a Route, edited in place.
--
-- It has one backend and up to three more, which share what comes by their weights, 0 to 256. There is nothing else
-- that it looks at in a request.
-- https://docs.openshift.com/container-platform/latest/networking/routes/route-configuration.html

local weighted = use "weighted"

local LIMIT, MORE, DEFAULT = 256, 3, 100

local function dialect_of(stage)
  local dialect = { limit = LIMIT }

  function dialect.side(entry)
    if (entry.kind or "") ~= "" and entry.kind ~= "Service" then
      return nil
    end
    return entry.name == stage.stableService and "stable" or entry.name == stage.canaryService and "canary" or nil
  end

  function dialect.twin(entry)
    local twin = copy(entry)
    twin.name = stage.canaryService
    return twin
  end

  function dialect.weights(entries)
    local weights = {}
    for i, entry in ipairs(entries) do
      weights[i] = entry.weight or DEFAULT
    end
    return weights
  end

  function dialect.put(entry, weight)
    entry.weight = weight
  end

  return dialect
end

local function lead_nowhere(entries, service)
  local names = {}
  for _, entry in ipairs(entries) do
    table.insert(names, entry.name)
  end
  fail("spec.to", "does not lead to the Service " .. service .. ", "
    .. (names[1] and "only to " .. table.concat(names, ", ") or "nor anywhere else"))
end

return {
  reads = [[
    spec.to.name                          text!
    spec.to.kind                          text
    spec.to.weight                        count
    spec.alternateBackends[].name         text!
    spec.alternateBackends[].kind         text
    spec.alternateBackends[].weight       count
  ]],

  supports = { "weight" },

  render = function(given, stage)
    given.spec = given.spec or {}
    if stage.stableService == stage.canaryService then
      fail("spec.to", "can only divide requests between Services: let the canary have one of its own beside "
        .. stage.stableService)
    end
    local spec, dialect = given.spec, dialect_of(stage)
    local entries = { spec.to, unpack(spec.alternateBackends or {}) }
    if not weighted.leads(entries, dialect, "spec.to") then
      lead_nowhere(entries, stage.stableService)
    end
    local made = weighted.divide(entries, dialect, stage.neutral and 0 or stage.weight or 0, "spec")
    local more = list()
    for i, entry in ipairs(made) do
      table.insert(more, i > 1 and entry or nil)
    end
    if #more > MORE then
      fail("spec.alternateBackends", "would be " .. #more .. ", and OpenShift allows " .. MORE)
    end
    spec.to, spec.alternateBackends = made[1], more
    return { given }
  end,
}
