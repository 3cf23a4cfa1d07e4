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

-- Return a function that notes namespaces, and refuses a second one.
function kuma.one_namespace(service, field)
  local known
  return function(namespace)
    if known and known ~= namespace then
      fail(field, "leads to " .. service .. " in several namespaces (" .. (known == "" and "its own" or known) .. ", "
        .. (namespace == "" and "its own" or namespace) .. "), and nobody can tell which is released; write a route "
        .. "for each")
    end
    known = namespace
  end
end

function kuma.refuse_one_service(stage, field)
  if stage.stableService == stage.canaryService then
    fail(field, "can only divide requests between Services: let the canary have one of its own beside "
      .. stage.stableService)
  end
end

return kuma
