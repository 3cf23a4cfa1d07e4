-- Gateway API: an HTTPRoute, edited in place.
--
-- An exact path is tried before a prefix, a long prefix before a short one; then count a method, the number of headers,
-- the number of query parameters, and last the order of the rules. Where a regular expression stands among the paths is
-- left to each gateway (Istio tries it last, Envoy Gateway before the prefixes), so no path of the canary's requests
-- can be one: no rule made of it would be sure to come before the one that it is an exception to.
-- https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule

local gateway, segments = use "gateway", use "segments"

local trim, within = segments.trim, segments.within

local EXACT, PREFIX, REGEX = "Exact", "PathPrefix", "RegularExpression"
local REPLACE, REPLACE_ALL = "ReplacePrefixMatch", "ReplaceFullPath"

local function path_of(match)
  local path = match.path or {}
  return path.type or PREFIX, path.value or "/"
end

-- Return how every text begins that a regular expression accepts, as far as that can be read off it.
local function beginning(kind, value)
  if kind ~= REGEX then
    return kind == PREFIX and trim(value) or value
  elseif value:find("|", 1, true) then
    return ""
  end
  local plain, after = value:match("^%^?([%w/_-]*)(.?)")
  return after:find("[?*{]") and plain:sub(1, -2) or plain
end

local function apart(kind, value, other_kind, other_value)
  local a, b = beginning(kind, value), beginning(other_kind, other_value)
  local length = math.min(#a, #b)
  return a:sub(1, length) ~= b:sub(1, length)
end

-- Where a regular expression meets another path.
local function meet_regex(kind, value, other, text)
  if other == PREFIX and text == "/" then
    return "stay"
  elseif kind == PREFIX and value == "/" then
    return "narrow"
  end
  return apart(kind, value, other, text) and "never" or "unknown"
end

local function meet_prefix(kind, value, other, text)
  if kind == EXACT then
    return other == PREFIX and within(value, text) and "stay" or "never"
  elseif other == EXACT then
    return within(text, value) and "narrow" or "never"
  elseif within(trim(value), text) then
    return "stay"
  end
  return within(trim(text), value) and "narrow" or "never"
end

local function meet(into, from, found)
  local kind, value = path_of(into)
  local other, text = path_of(from)
  into.path = into.path or copy(from.path)
  if kind ~= other or value ~= text then
    local verdict = ((kind == REGEX or other == REGEX) and meet_regex or meet_prefix)(kind, value, other, text)
    if verdict == "narrow" then
      into.path = { type = other, value = text }
    end
    found.more = found.more or verdict == "narrow"
    found.never = verdict == "never"
    found.unknown = verdict == "unknown" and "the path would have to be " .. text .. " and to match " .. value or nil
  end
  if from.method and into.method ~= from.method then
    found.never = found.never or into.method ~= nil
    into.method, found.more = from.method, true
  end
end

local function rank(match, loose)
  local kind, value = path_of(match)
  local length = kind == PREFIX and (loose and #trim(value) + 1 or #value) or 0
  return {
    kind == EXACT and 1 or 0,
    length,
    match.method and 1 or 0,
    match.headers and #match.headers or 0,
    match.queryParams and #match.queryParams or 0,
  }
end

-- Every gateway keeps to one order of paths, whichever; so what has kept its path has kept its place among others.
local function unsure(match, owner, other)
  local kind, value = path_of(match)
  local other_kind, other_value = path_of(other)
  if kind ~= REGEX and other_kind ~= REGEX or kind == other_kind and value == other_value then
    return false
  end
  local own_kind, own_value = path_of(owner)
  return kind == other_kind or kind ~= own_kind or value ~= own_value
end

local function wanted(match)
  if match.cookies and match.cookies[1] then
    fail("matches", "an HTTPRoute does not look at cookies; match on the header Cookie with a regular expression")
  elseif match.path and match.path.type == REGEX then
    fail("matches", "where a regular expression stands among the paths of an HTTPRoute is left to each gateway; use an "
      .. "exact path or a prefix")
  end
  match.method = match.method and match.method.value
  return match
end

-- Call visit(path) for every change of the path that a rule makes.
local function each_change(rule, visit)
  local function of(holder)
    for _, filter in ipairs(holder.filters or {}) do
      local change = filter.urlRewrite or filter.requestRedirect
      if change and change.path then
        visit(change.path)
      end
    end
  end
  of(rule)
  for _, ref in ipairs(rule.backendRefs or {}) do
    of(ref)
  end
end

-- A prefix can be replaced only in a rule with one match, which has to be that prefix.
local function single(rule)
  local found = false
  each_change(rule, function(path)
    found = found or path.type == REPLACE
  end)
  return found
end

-- A longer prefix gets a longer replacement.
local function adapt(rule, from, to)
  local _, prefix = path_of(from)
  local kind, path = path_of(to)
  local rest = (kind == EXACT and path or trim(path)):sub(#trim(prefix) + 1)
  each_change(rule, function(change)
    local old = change.replacePrefixMatch or "/"
    if change.type == REPLACE and kind == EXACT then
      local new = rest == "" and old or trim(old) .. rest
      change.type, change.replacePrefixMatch, change.replaceFullPath = REPLACE_ALL, nil, new ~= "" and new or "/"
    elseif change.type == REPLACE and rest ~= "" then
      change.replacePrefixMatch = trim(old) .. rest
    end
  end)
end

local API = {
  everything = { path = { type = PREFIX, value = "/" } },
  meet = meet,
  rank = rank,
  unsure = unsure,
  wanted = wanted,
  single = single,
  adapt = adapt,
}

return {
  reads = gateway.reads .. [[
    spec.rules[].matches[].path.type   Exact,PathPrefix,RegularExpression
    spec.rules[].matches[].path.value  text
    spec.rules[].matches[].method      text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "query.exact", "query.regex", "path.exact", "path.prefix",
    "method.exact", "matches.many", "conditions.many", "weight+matches", "headerModifier", "mirror", "mirror.matches",
    "cookie.sticky",
  },

  render = function(given, stage)
    return gateway.render(API, given, stage)
  end,
}
