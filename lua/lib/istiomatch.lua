-- What an HTTP rule of a VirtualService asks of a request, and how to ask for more.
--
-- A condition on a text is { exact }, { prefix } or { regex } (RE2, of the whole text), and {} where it only has to be
-- there. A match holds where all its conditions do, a rule where one of its matches does, or where it has none.
-- https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest

local matching = {}

-- Header names that mean something else in a match.
local PARTS = { uri = true, scheme = true, method = true, authority = true }

local function any(condition)
  local asks = condition.exact or condition.prefix or condition.regex
  return not asks or condition.regex == "*" or condition.regex == ".*"
end

local function shown(condition)
  local kind = condition.exact and "exact" or condition.prefix and "prefix" or "regex"
  return kind .. " " .. tostring(condition[kind])
end

local function both_hold(a, b, what, field)
  fail(field, "asks for " .. what .. " (" .. shown(a) .. ") where the step does too (" .. shown(b) .. "), and Istio "
    .. "asks for one of them; write in one place what has to hold, or let the step look at something else")
end

-- Return the condition that holds where a and b do, nil where no text can meet both.
local function both(a, b, what, field)
  if any(a) or any(b) then
    return any(a) and b or a
  elseif a.regex or b.regex then
    return a.regex == b.regex and a or both_hold(a, b, what, field)
  elseif not a.exact and (b.exact or #b.prefix > #a.prefix) then
    a, b = b, a
  end
  local text = a.exact or a.prefix
  if b.exact and text == b.exact or b.prefix and text:sub(1, #b.prefix) == b.prefix then
    return a
  end
end

local function lowered(condition)
  return { exact = condition.exact and condition.exact:lower(), prefix = condition.prefix and condition.prefix:lower() }
end

-- The rule's own path may be written in any case, the step's may not.
local function both_in_any_case(own, asked, field)
  local text = asked.exact or asked.prefix
  local found = both(lowered(asked), lowered(own), "a path", field)
  if not found or asked.exact or own.prefix and #own.prefix <= #text then
    return found and asked
  elseif text:lower() == text:upper() then
    return own, true
  end
  both_hold(own, asked, "a path in any case", field .. ".ignoreUriCase")
end

-- Return the path condition of both, nil where there is none, and whether case is ignored; false where none can hold.
local function both_paths(own, asked, field)
  if not asked then
    return own.uri, own.ignoreUriCase
  elseif not own.uri or any(own.uri) or own.uri.prefix == "/" or own.uri.prefix == "" then
    return asked
  elseif own.ignoreUriCase and not (own.uri.regex or asked.regex) then
    local uri, ignored = both_in_any_case(own.uri, asked, field)
    return uri or false, ignored
  end
  return both(own.uri, asked, "a path", field .. ".uri") or false, own.ignoreUriCase and own.uri.regex and true or nil
end

-- Add a condition to a map of them; return false where it cannot hold beside what is there.
local function add(conditions, name, asked, field)
  local known = name
  for key in pairs(conditions) do
    known = field:match("headers$") and key:lower() == name:lower() and key or known
  end
  local found = asked
  if conditions[known] then
    found = both(conditions[known], asked, name, field)
  end
  conditions[known] = found or conditions[known]
  return found ~= nil
end

-- Add the labels of who calls; return false where nobody has them all.
local function add_callers(made, asked, field)
  if made.gateways and made.gateways[1] then
    fail(field .. ".gateways", "is written, and beside it Istio does not look at the labels of who calls, for which "
      .. "the step asks; leave it out, or give the mesh a VirtualService of its own")
  end
  made.sourceLabels = made.sourceLabels or {}
  for name, value in pairs(asked) do
    if (made.sourceLabels[name] or value) ~= value then
      return false
    end
    made.sourceLabels[name] = value
  end
  return true
end

-- Return the match that holds where `own` and `asked` do, nil where none can.
local function narrowed(own, asked, field)
  local made = copy(own)
  if next(asked.callers) and not add_callers(made, asked.callers, field) then
    return nil
  end
  for _, part in ipairs { "headers", "queryParams" } do
    for name, condition in pairs(asked[part]) do
      made[part] = made[part] or {}
      if not add(made[part], name, condition, field .. "." .. part) then
        return nil
      end
    end
  end
  if asked.method and not add(made, "method", asked.method, field) then
    return nil
  end
  local uri, ignored = both_paths(own, asked.uri, field)
  if uri == false then
    return nil
  end
  made.uri, made.ignoreUriCase = copy(uri), ignored
  return made
end

-- Return the matches that hold where one of `own` (nil: all requests) and one of `asked` do, each { match, own, by }
-- with what it is, what it was, and which match of the step it is for.
function matching.narrowed(own, asked, field)
  local made = {}
  for i, match in ipairs(own and own[1] and own or { {} }) do
    for _, other in ipairs(asked) do
      local found = narrowed(match, other, field .. ".match[" .. i - 1 .. "]")
      table.insert(made, found and { match = found, own = match, by = other.by })
    end
  end
  return made
end

-- What a step asks for ------------------------------------------------------------------------------------------------

local function said(condition)
  return { [condition.type == "RegularExpression" and "regex" or "exact"] = condition.value }
end

local function quoted(text)
  return (text:gsub("[%.%+%*%?%(%)%|%[%]%{%}%^%$\\]", "\\%0"))
end

-- Istio knows the header only. What a regular expression of the step would match could reach into the next cookie.
local function in_cookies(cookie)
  if cookie.type == "RegularExpression" then
    fail("matches", "a regular expression for the cookie " .. cookie.name .. " cannot be kept from other cookies; ask "
      .. "for a value, or match the header cookie with a regular expression of your own")
  end
  return { regex = "(.*;\\s*)?" .. quoted(cookie.name) .. "=" .. quoted(cookie.value) .. "(;.*)?" }
end

-- A path prefix means whole segments in a step, and any text in Istio.
local function paths(path)
  if not path then
    return { false }
  elseif path.type ~= "PathPrefix" then
    return { said(path) }
  end
  local prefix = path.value:gsub("/+$", "")
  return prefix == "" and { false } or { { exact = prefix }, { prefix = prefix .. "/" } }
end

local function header_name(name)
  if PARTS[name:lower()] then
    fail("matches", "Istio does not take " .. name .. " for a header")
  end
  return name:sub(1, 1) == "@" and name or name:lower()
end

local function conditions(match, field)
  local headers, query, possible = {}, {}, true
  for _, header in ipairs(match.headers or {}) do
    possible = add(headers, header_name(header.name), said(header), field .. ".headers") and possible
  end
  for _, cookie in ipairs(match.cookies or {}) do
    possible = add(headers, "cookie", in_cookies(cookie), field .. ".headers") and possible
  end
  for _, param in ipairs(match.queryParams or {}) do
    possible = add(query, param.name, said(param), field .. ".queryParams") and possible
  end
  if not possible then
    fail(field, "asks for two values of one header or parameter, which no request has; write two matches where either "
      .. "will do")
  end
  return headers, query
end

-- Return the labels of who calls. A gateway's are its own, never those of who called it.
local function callers(match, field, gateways)
  local labels, possible, mesh = {}, true, not (gateways and gateways[1])
  for _, caller in ipairs(match.callers or {}) do
    possible = possible and (labels[caller.name] or caller.value) == caller.value
    labels[caller.name] = caller.value
  end
  for _, gateway in ipairs(gateways or {}) do
    mesh = mesh or gateway == "mesh"
  end
  if not possible then
    fail(field, "asks for two values of one label, which no pod has; write two matches where either will do")
  elseif next(labels) and not mesh then
    fail("spec.gateways", "does not have mesh, so the proxies of those who call do not route by this, and nobody "
      .. "else knows their labels, for which the step asks; add mesh, or match on a header")
  end
  return labels
end

-- Return what a stage's matches, which stand in a field of it, ask for: a list of which any may hold, of { headers,
-- queryParams, callers, method, uri, by }; `by` is the match, `gateways` are those of the VirtualService.
function matching.asked(matches, field, gateways)
  local asked = {}
  for i, match in ipairs(matches) do
    local by = { field = field .. "[" .. i - 1 .. "]" }
    local headers, query = conditions(match, by.field)
    local labels = callers(match, by.field, gateways)
    for _, uri in ipairs(paths(match.path)) do
      local method = match.method and said(match.method)
      table.insert(asked, { headers = headers, queryParams = query, callers = labels, method = method, uri = uri or nil,
        by = by })
    end
  end
  return asked
end

return matching
