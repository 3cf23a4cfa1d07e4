-- Emissary (Ambassador): Mappings of the canary's own beside the given one, which is never touched.
--
-- Mappings that ask for the same share what comes: each with a weight gets that percentage, those without one the rest.
-- A Mapping that asks for more headers or parameters is tried first; all of them have to hold. A map has one value for
-- a name, which is all that is asked of a header, beside one regular expression. Which other Mappings there are is not
-- seen from here: none of them may have this one's prefix and ask for what a step asks for.
-- https://www.getambassador.io/docs/emissary/latest/topics/using/canary
-- https://www.getambassador.io/docs/emissary/latest/topics/using/headers/headers

local services = use "services"

local REGEX = "RegularExpression"
-- Where exact values are, where regular expressions, and the names of which any value will do.
local HEADERS = { any = "v2BoolHeaders", exact = "headers", regex = "regex_headers" }
local PARAMS = { any = "v2BoolQueryParameters", exact = "query_parameters", regex = "regex_query_parameters" }

-- Where it leads ------------------------------------------------------------------------------------------------------

-- Return the parts of a service: what stands before its name, the name, and what stands behind it.
local function parts(service)
  local scheme, rest = service:match("^(%w+://)(.*)$")
  local name, behind = (rest or service):match("^([^.:/]+)(.*)$")
  return scheme or "", name or "", behind or ""
end

local function leads(given, service)
  local _, name, behind = parts(given.spec.service or "")
  local namespace, own = behind:match("^%.([^.:]+)"), given.metadata and given.metadata.namespace
  return name == service and (not namespace or not own or namespace == own)
end

local function check(given, stage)
  local spec = given.spec
  services.refuse_one(stage, "spec.service")
  if not leads(given, stage.stableService) then
    fail("spec.service", "is " .. (spec.service or "missing") .. ", and not the Service " .. stage.stableService)
  elseif spec.weight then
    fail("spec.weight", "is the share of this Mapping beside others, and the canary's would be a share of the same "
      .. "whole; leave it out")
  elseif spec.shadow then
    fail("spec.shadow", "makes it a Mapping for copies of requests, which cannot be divided")
  elseif spec.host_redirect then
    fail("spec.host_redirect", "makes it a redirect, which leads to no Service")
  end
end

-- What is asked for ---------------------------------------------------------------------------------------------------

-- Return the name under which a map has a header or a parameter.
local function key_of(map, name, fold)
  for key in pairs(map or {}) do
    if key == name or fold and key:lower() == name:lower() then
      return key
    end
  end
end

-- Forget that any value of a header or a parameter will do.
local function forget(spec, field, name, fold)
  local kept = list()
  for _, each in ipairs(spec[field] or {}) do
    if each ~= name and not (fold and each:lower() == name:lower()) then
      table.insert(kept, each)
    end
  end
  local known = #kept < #(spec[field] or {})
  if known then
    spec[field] = kept[1] and kept or nil
  end
  return known
end

-- Ask for one more value. Return "never" where another one is asked for already, "more" where that leaves less.
local function ask(spec, part, condition, field)
  local fold, regex = part == HEADERS, condition.type == REGEX
  local home = regex and part.regex or part.exact
  local key = key_of(spec[home], condition.name, fold)
  local written = key and spec[home][key]
  local any = not regex and (forget(spec, part.any, condition.name, fold) or written == true)
  if written == condition.value and not any then
    return nil
  elseif key and not any and regex then
    fail(field, "asks for a second regular expression for " .. condition.name .. ", which a Mapping has no room for; "
      .. "write one that does for both")
  elseif key and not any then
    return "never"
  end
  spec[home] = spec[home] or {}
  spec[home][key or condition.name] = condition.value
  return "more"
end

-- A cookie is one part of a header.
local function of_cookie(cookie)
  local function quoted(text)
    return (text:gsub("[^%w_\128-\255-]", "\\%0"))
  end
  return { name = "cookie", type = REGEX, value = "(.*;\\s*)?" .. quoted(cookie.name) .. "=" .. quoted(cookie.value)
    .. "(;.*)?" }
end

-- Let a spec ask for what a match does. Return "never" where no request has all of it, "more" where some do.
local function narrow(spec, match, field)
  local verdict
  local function note(part, condition)
    local one = ask(spec, part, condition, field)
    verdict = verdict ~= "never" and one or verdict
  end
  for _, header in ipairs(match.headers or {}) do
    note(HEADERS, header)
  end
  for _, cookie in ipairs(match.cookies or {}) do
    note(HEADERS, of_cookie(cookie))
  end
  for _, param in ipairs(match.queryParams or {}) do
    note(PARAMS, param)
  end
  return verdict
end

-- Mappings ------------------------------------------------------------------------------------------------------------

local function twin(given, stage, name)
  local meta, spec = given.metadata or {}, copy(given.spec)
  local scheme, _, behind = parts(spec.service)
  spec.service = scheme .. stage.canaryService .. behind
  return {
    apiVersion = given.apiVersion,
    kind = given.kind,
    metadata = {
      name = name,
      namespace = meta.namespace,
      labels = copy(meta.labels),
      annotations = copy(meta.annotations),
    },
    spec = spec,
  }
end

local function weighted(given, stage, weight)
  local made = twin(given, stage, stage.name)
  made.spec.weight = weight
  return made
end

return {
  reads = [[
    spec.service                                                          text
    spec.headers|regex_headers|query_parameters|regex_query_parameters    map
    spec.v2BoolHeaders|v2BoolQueryParameters[]                            text
  ]],

  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "query.exact", "query.regex", "matches.many",
    "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    given.spec = given.spec or {}
    check(given, stage)
    if stage.neutral then
      return { weighted(given, stage, 0) }
    end
    local made = list()
    if stage.weight then
      table.insert(made, weighted(given, stage, stage.weight))
    end
    for k, match in ipairs(stage.matches) do
      local field = "matches[" .. k - 1 .. "]"
      local one = twin(given, stage, stage.name .. (made[1] and "-" .. #made + 1 or ""))
      local verdict = narrow(one.spec, match, field)
      if verdict == "never" then
        fail(field, "no request can satisfy this and be one that the Mapping sends to the stable Service")
      elseif not verdict then
        return { weighted(given, stage, 100) }
      end
      table.insert(made, one)
    end
    return made
  end,
}
