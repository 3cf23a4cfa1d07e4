-- MSE Ingress (Microservices Engine): a second Ingress, annotated as the canary of the first, which is never touched.
--
-- It reads ingress-nginx's annotations, and has some under a prefix of its own, which the other cannot stand for: query
-- parameters, request headers ("name value", one in a line), subsets. How a header and a query parameter on one Ingress
-- go together is not documented, so there is only one. An Ingress that names a subset of its Service sends the canary's
-- requests to the subset "gray", which can do without a Service for the canary.
-- https://www.alibabacloud.com/help/en/mse/user-guide/advanced-usage-of-mse-ingress
-- https://www.alibabacloud.com/help/en/mse/user-guide/annotations-supported-by-mse-ingress-gateways

local ingress = use "ingress"

local PREFIX, OWN = "nginx.ingress.kubernetes.io/", "mse.ingress.kubernetes.io/"
local SUBSET = OWN .. "service-subset"
local LOOKS = "one header, one cookie or one query parameter"
local DIALECT = {
  product = "MSE",
  class = "mse",
  prefixes = { PREFIX, OWN },
  rules = true,
  looks = LOOKS,
  plain = "^[%w/:~_ -]+$",
  grouped = true,
}

local function annotate(annotations, stage)
  local wanted = ingress.wanted(stage.matches, DIALECT)
  local first, another = next(wanted)
  another = first and next(wanted, first)
  if another then
    fail("matches", "MSE looks at " .. LOOKS .. " of a request, not at a " .. first .. " and a " .. another)
  elseif stage.weight and first then
    fail("weight", "MSE takes a weight for all requests or conditions for some; make them two steps")
  end
  if stage.weight then
    annotations[PREFIX .. "canary-weight"] = tostring(stage.weight)
  elseif first == "header" then
    ingress.look_for(annotations, PREFIX .. "canary-by-header", wanted.header, DIALECT)
  elseif first == "query" then
    ingress.look_for(annotations, OWN .. "canary-by-query", wanted.query, DIALECT)
  elseif first == "cookie" then
    annotations[PREFIX .. "canary-by-cookie"] = wanted.cookie.name
  end
  if stage.headerModifier then
    ingress.change_headers(annotations, OWN .. "request-header-control-", stage.headerModifier)
  end
end

local function check_subset(given, stage)
  local annotations = given.metadata and given.metadata.annotations or {}
  if stage.canaryService == stage.stableService and not annotations[SUBSET] then
    fail("metadata.annotations[" .. SUBSET .. "]", "has to be there (its value may be empty) where "
      .. stage.stableService .. ' has the pods of both sides; then the canary gets the subset "gray"')
  end
end

return {
  reads = ingress.reads,

  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "query.exact", "query.regex", "matches.many",
    "headerModifier",
  },

  render = function(given, stage)
    check_subset(given, stage)
    stage.apart = true
    local canary = ingress.annotated(given, stage, DIALECT, annotate)
    if canary.metadata.annotations[SUBSET] then
      canary.metadata.annotations[SUBSET] = "gray"
    end
    return { canary }
  end,
}
