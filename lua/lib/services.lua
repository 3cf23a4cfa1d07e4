-- Services as what tells the two sides apart, and what is said where they cannot.

local services = {}

-- Refuse a stage whose sides share a Service.
function services.refuse_one(stage, field)
  if stage.stableService == stage.canaryService then
    fail(field, "can only divide requests between Services: let the canary have one of its own beside "
      .. stage.stableService)
  end
end

-- Return where a route leads, for a message: the names, each once.
function services.only(names)
  local found, known = {}, {}
  for _, name in ipairs(names) do
    if not known[name] then
      known[name] = true
      table.insert(found, name)
    end
  end
  return found[1] and "only to " .. table.concat(found, ", ") or "nor anywhere else"
end

-- Refuse a route that does not lead to a Service, but to what `name(entry)` says of some entries.
function services.refuse_others(field, service, entries, name)
  local names = {}
  for _, entry in ipairs(entries) do
    table.insert(names, name(entry))
  end
  fail(field, "does not lead to the Service " .. service .. ", " .. services.only(names))
end

-- Return a dialect (see lib/weighted.lua) of destinations that refer to objects by kind and name; the namespace is the
-- route's where they name none.
function services.references(given)
  local own = given.metadata and given.metadata.namespace
  local dialect = { kept = true, unwritten = 1 }

  function dialect.leads(ref, service)
    return ref.name == service and (ref.kind or "Service") == "Service" and (ref.group or "") == ""
      and (ref.namespace or own) == own
  end

  function dialect.pair(stable, canary)
    return stable.port == canary.port
  end

  function dialect.point(ref, service)
    ref.name = service
  end

  function dialect.name(ref)
    local name = (ref.namespace and ref.namespace .. "/" or "") .. ref.name
    return (ref.kind or "Service") == "Service" and name or ref.kind .. " " .. name
  end

  return dialect
end

return services
