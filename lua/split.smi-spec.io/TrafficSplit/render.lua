-- Service Mesh Interface: a TrafficSplit, edited in place. Who calls spec.service is sent to its backends by their
-- weights, which are whole numbers, and in v1alpha1 quantities: texts such as "90" or "900m".
-- https://github.com/servicemeshinterface/smi-spec/blob/main/apis/traffic-split/v1alpha4/traffic-split.md

local weighted = use "weighted"

local FIELD = "spec.backends"

-- Return the thousandths that a quantity counts, nil where it is none of those that a weight can be.
local function thousandths(quantity)
  local text = type(quantity) == "number" and tostring(quantity) or quantity or ""
  local whole = text:match("^(%d+)m$")
  if whole then
    return tonumber(whole)
  end
  local number = text:find("^%d+%.?%d*$") and tonumber(text) * 1000
  return number and math.abs(number - math.floor(number + 0.5)) < 1e-6 and math.floor(number + 0.5) or nil
end

local function is_whole(number)
  return type(number) == "number" and number >= 0 and number % 1 == 0
end

-- A weight counts in thousandths only where one of them does.
local function dialect_of(given, backends)
  local quantities, known, plain = given.apiVersion:find("/v1alpha1$") ~= nil, {}, true
  for i, backend in ipairs(backends) do
    local number = is_whole(backend.weight) and backend.weight * 1000 or nil
    number = quantities and thousandths(backend.weight) or number
    if not number then
      fail(FIELD .. "[" .. i - 1 .. "].weight", "has to be a whole number" .. (quantities and " as text, or one of "
        .. "thousandths such as 500m" or "") .. ", and is " .. tostring(backend.weight or "missing"))
    end
    known[backend], plain = number, plain and number % 1000 == 0
  end
  local unit = plain and 1000 or 1
  return {
    kept = true,
    leads = function(backend, service)
      return backend.service == service
    end,
    point = function(backend, service)
      backend.service = service
    end,
    name = function(backend)
      return backend.service
    end,
    weights = function(entries)
      local weights = {}
      for i, backend in ipairs(entries) do
        weights[i] = known[backend] / unit
      end
      return weights
    end,
    put = function(backend, weight)
      known[backend] = weight * unit
      backend.weight = quantities and weight .. (plain and "" or "m") or weight
    end,
  }
end

return {
  reads = [[
    spec.backends[].service  text!
    spec.backends[].weight   scalar
  ]],

  supports = { "weight" },

  render = function(given, stage)
    given.spec = given.spec or {}
    local backends = given.spec.backends or list()
    local dialect = weighted.by_service(stage, dialect_of(given, backends))
    weighted.leading({ backends }, dialect, stage, FIELD)
    given.spec.backends = weighted.divide(backends, dialect, weighted.share(stage), FIELD)
    return { given }
  end,
}
