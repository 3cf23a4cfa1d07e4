-- ingress-nginx: a second Ingress, annotated as the canary of the first, which is never touched.
--
-- The controller knows one canary per host and path, and evaluates its rules in this order: header, cookie, weight.
-- A header is compared with one value or searched with one regular expression (an empty value would mean "always" or
-- "never"); of a cookie only those two words count. What is not canary-* is taken from the stable Ingress.
-- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary

local ingress = use "ingress"

local PREFIX = "nginx.ingress.kubernetes.io/canary"
local COOKIE = "canary-by-cookie" -- the header name by which Kruise's users ask for a cookie; its value is the cookie

local function by_header(annotations, header)
  if header.name == COOKIE then
    annotations[PREFIX .. "-by-cookie"] = header.value
    return
  end
  if header.value == "" then
    fail("matches", "ingress-nginx cannot look for an empty value of the header " .. header.name)
  end
  annotations[PREFIX .. "-by-header"] = header.name
  annotations[PREFIX .. (header.type == "RegularExpression" and "-by-header-pattern" or "-by-header-value")] = header.value
end

local function by_cookie(annotations, cookie)
  if cookie.value ~= "always" then
    fail("matches", "ingress-nginx looks for the cookie " .. cookie.name .. " with the value always, and for no other; "
      .. 'set that cookie to "always" for those who shall see the canary, or match on a header')
  end
  annotations[PREFIX .. "-by-cookie"] = cookie.name
end

local function by_match(annotations, match)
  local headers, cookies = match.headers or {}, match.cookies or {}
  if #headers + #cookies ~= 1 or match.path or match.queryParams and match.queryParams[1] then
    fail("matches", "ingress-nginx looks at one header or one cookie of a request")
  elseif headers[1] then
    by_header(annotations, headers[1])
  else
    by_cookie(annotations, cookies[1])
  end
end

local function annotate(old, stage)
  local annotations = old or {}
  for key in pairs(annotations) do
    if key == PREFIX or key:sub(1, #PREFIX + 1) == PREFIX .. "-" then
      annotations[key] = nil
    end
  end
  annotations[PREFIX] = "true"
  if stage.neutral then
    annotations[PREFIX .. "-weight"] = "0"
    return annotations
  end
  if stage.weight then
    annotations[PREFIX .. "-weight"] = tostring(stage.weight)
  end
  if #stage.matches > 1 then
    fail("matches", "ingress-nginx looks at one header or one cookie of a request")
  elseif stage.matches[1] then
    by_match(annotations, stage.matches[1])
  end
  return annotations
end

return {
  supports = { "weight", "header.exact", "header.regex", "cookie.exact", "weight+matches" },

  render = function(given, stage)
    local own = given.metadata and given.metadata.annotations or {}
    if own[PREFIX] == "true" then
      fail("metadata.annotations[" .. PREFIX .. "]", "is itself the canary of another Ingress; name that one")
    end
    local canary = ingress.canary(given, stage)
    canary.metadata.annotations = annotate(canary.metadata.annotations, stage)
    return { canary }
  end,
}
