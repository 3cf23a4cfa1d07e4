-- OpenShift: a Route, edited in place.
--
-- It has one backend and up to three more, which share what comes by their weights, 0 to 256. There is nothing else
-- that it looks at in a request.
-- https://docs.openshift.com/container-platform/latest/networking/routes/route-configuration.html

local weighted = use "weighted"

local MORE = 3

local TARGET = {
  limit = 256,
  unwritten = 100,
  leads = function(entry, service)
    return entry.name == service and ((entry.kind or "") == "" or entry.kind == "Service")
  end,
  point = function(entry, service)
    entry.name = service
  end,
  name = function(entry)
    return entry.name
  end,
}

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
    local spec, dialect = given.spec, weighted.by_service(stage, TARGET)
    local entries = { spec.to, unpack(spec.alternateBackends or {}) }
    weighted.leading({ entries }, dialect, stage, "spec.to")
    local made = weighted.divide(entries, dialect, weighted.share(stage) or 0, "spec")
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
