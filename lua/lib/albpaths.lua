-- Paths of an Ingress as the AWS Load Balancer Controller reads them.
--
-- It tries exact paths first, then prefixes, the longest first, then those that are patterns (ImplementationSpecific)
-- in the order in which they are written. In a pattern * is any text.
-- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/spec/

local segments = use "segments"

local trim, within = segments.trim, segments.within
local paths = {}

local EXACT, PREFIX, PATTERN = "Exact", "Prefix", "ImplementationSpecific"
local CLASS = { [EXACT] = 1, [PREFIX] = 2, [PATTERN] = 3 }

local function kind_of(path)
  return path.pathType or PATTERN
end

local function text_of(path)
  return path.path ~= "" and path.path or "/*"
end

-- Tell whether a is tried before b; `first`: it stands before it.
local function before(a, b, first)
  local x, y = CLASS[kind_of(a)], CLASS[kind_of(b)]
  if x ~= y then
    return x < y
  elseif kind_of(a) == PREFIX and #a.path ~= #b.path then
    return #a.path > #b.path
  end
  return first
end

local function like(path, kind, text)
  local twin = copy(path)
  twin.pathType, twin.path = kind, text
  return twin
end

local function of_pattern(path, wanted)
  local text, exact = text_of(path), wanted.type == "Exact"
  local start = text:match("^([^*?]*)/%*$")
  local plain = not text:find("[*?]")
  if not start and not plain then
    fail("matches", "ALB cannot look for a path within the pattern " .. text .. "; write it with pathType Prefix")
  elseif plain then
    local holds = exact and text == wanted.value or not exact and within(text, wanted.value)
    return holds and { copy(path) } or {}
  elseif exact then
    return wanted.value:sub(1, #start + 1) == start .. "/" and { like(path, PATTERN, wanted.value) } or {}
  elseif within(start .. "/", wanted.value) then
    return { copy(path) }
  end
  local narrow = trim(wanted.value)
  return within(narrow, start) and { like(path, PATTERN, narrow), like(path, PATTERN, narrow .. "/*") } or {}
end

-- Return the paths that have what is both within a path of an Ingress and within a wanted one.
function paths.narrowed(path, wanted)
  if not wanted or wanted.type == "PathPrefix" and trim(wanted.value) == "" then
    return { copy(path) }
  elseif wanted.value:find("[*?]") then
    fail("matches", "ALB reads * and ? in the path " .. wanted.value .. " as something else")
  elseif kind_of(path) == PATTERN then
    return of_pattern(path, wanted)
  elseif wanted.type == "Exact" then
    local holds = kind_of(path) == EXACT and path.path == wanted.value
      or kind_of(path) == PREFIX and within(wanted.value, path.path)
    return holds and { like(path, EXACT, wanted.value) } or {}
  elseif kind_of(path) == EXACT then
    return within(path.path, wanted.value) and { copy(path) } or {}
  elseif within(path.path, wanted.value) then
    return { copy(path) }
  end
  return within(wanted.value, path.path) and { like(path, PREFIX, trim(wanted.value)) } or {}
end

-- Return the first of some paths that is tried before the one at `at`, but not before what was narrowed from it, and
-- that has requests of it (all of them, as those in between contain it); nil where there is none.
function paths.between(all, at, narrow)
  for i, other in ipairs(all) do
    if i ~= at and before(other, all[at], i < at) and not before(other, narrow, i < at) then
      local exact = kind_of(other) == EXACT
      if exact and other.path == narrow.path or not exact and within(narrow.path, other.path) then
        return other
      end
    end
  end
end

-- Return how many values a rule with this path compares the path with.
function paths.count(path)
  return kind_of(path) == PREFIX and trim(path.path) ~= "" and 2 or 1
end

return paths
