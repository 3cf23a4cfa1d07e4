-- Gateway API: a GRPCRoute, edited in place.
--
-- The match that names the longest service is tried first, then the one with the longest method, then the one with the
-- most headers, then the first in order. A request of gRPC has no query, and its path is its service and method.
-- https://gateway-api.sigs.k8s.io/reference/spec/#grpcrouterule

local gateway = use "gateway"

local EXACT = "Exact"
local PARTS = { "service", "method" }

local function named(match, part)
  local name = match.method and match.method[part] or ""
  return name ~= "" and name or nil
end

local function kind_of(match)
  return match.method and match.method.type or EXACT
end

local function differ(a, b, part)
  local x, y = named(a, part), named(b, part)
  return x and y and (x ~= y or kind_of(a) ~= kind_of(b))
end

-- Two names that differ exclude each other, but regular expressions may both accept a third one.
local function meet(into, from, found)
  local exact = kind_of(into) == EXACT and kind_of(from) == EXACT
  for _, part in ipairs(PARTS) do
    if differ(into, from, part) then
      found.never = found.never or exact
      found.unknown = found.unknown or "the " .. part .. " would have to be " .. named(into, part) .. " and "
        .. named(from, part)
    elseif named(from, part) and not named(into, part) then
      if into.method and kind_of(into) ~= kind_of(from) then
        found.unknown = "one part of the method would be a regular expression, and the other not"
      end
      into.method = into.method or { type = kind_of(from) }
      into.method[part] = named(from, part)
      found.more = true
    end
  end
end

local function rank(match)
  return {
    #(named(match, "service") or ""),
    #(named(match, "method") or ""),
    match.headers and #match.headers or 0,
  }
end

-- The API counts characters, but not what those of a regular expression count.
local function unsure(match, _, other)
  local regex = kind_of(match) ~= EXACT or kind_of(other) ~= EXACT
  return regex and (differ(match, other, "service") or differ(match, other, "method")) and true or false
end

local function wanted(match)
  if match.path or match.queryParams and match.queryParams[1] or match.cookies and match.cookies[1] then
    fail("matches", "a GRPCRoute looks at headers only, beside the service and the method that its rules name")
  end
  return match
end

local API = {
  everything = {},
  meet = meet,
  rank = rank,
  unsure = unsure,
  wanted = wanted,
  single = function()
    return false
  end,
  adapt = function() end,
}

return {
  reads = gateway.reads .. [[
    spec.rules[].matches[].method.type            Exact,RegularExpression
    spec.rules[].matches[].method.service|method  text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "matches.many", "conditions.many", "weight+matches", "headerModifier",
    "mirror", "mirror.matches",
  },

  render = function(given, stage)
    return gateway.render(API, given, stage)
  end,
}
