-- What the providers of Kuma share: which Service is meant.
--
-- Kuma names a Service <name>_<namespace>_svc_<port> in the tag kuma.io/service. Its routes need not be in the
-- namespace of the Service, so that is known from the names only; all that are meant have to be in one.

local kuma = {}

-- Return the namespace, and all after the name of a Service, in the value of the tag; nil for another Service.
function kuma.tagged(tag, service)
  local rest = tag:sub(1, #service) == service and tag:sub(#service + 1) or ""
  return rest:match("^_([^_]+)_svc_?%d*$"), rest
end

-- Return what tells whether a destination leads to a Service. `namespace_of(entry, service)` says of which namespace
-- ("" where nobody says it), nil where it leads elsewhere. Refuses a second namespace of the stable Service.
function kuma.leads(stage, field, namespace_of)
  local known
  return function(entry, service)
    local namespace = namespace_of(entry, service)
    if namespace and service == stage.stableService then
      if known and known ~= namespace then
        fail(field, "leads to " .. service .. " in several namespaces (" .. (known == "" and "its own" or known) .. ", "
          .. (namespace == "" and "its own" or namespace) .. "), and nobody can tell which is released; write a route "
          .. "for each")
      end
      known = namespace
    end
    return namespace ~= nil
  end
end

return kuma
