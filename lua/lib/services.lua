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

return services
