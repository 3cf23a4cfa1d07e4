-- ingress-nginx: a second Ingress, annotated as the canary of the first, which is never touched.
--
-- The controller knows one canary per host and path, and evaluates its rules in this order: header, cookie, weight.
-- A header is compared with one value or searched with one regular expression (an empty value would mean "always" or
-- "never"); of a cookie only those two words count. What is not canary-* is taken from the stable Ingress.
-- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary

local ingress = use "ingress"

local PREFIX = "nginx.ingress.kubernetes.io/"
-- The controller drops an annotation with any other character, and then looks for "always".
-- https://github.com/kubernetes/ingress-nginx/blob/main/internal/ingress/annotations/parser/validators.go
local PLAIN, REGEX = "^[%w/:~_. -]+$", "^[%w/:~_.^$()[%]{}*+?|&=\\-]+$"
local COOKIE = "^[%w/:~_.-]+$"
local DIALECT = {
  product = "ingress-nginx",
  class = "nginx",
  prefixes = { PREFIX },
  looks = "one header or one cookie",
  plain = PLAIN,
}

local function by_header(annotations, header)
  -- To it - and _ are the same in a name, and requests with _ are dropped.
  if header.name:find("[^%w-]") then
    fail("matches", "ingress-nginx looks only for header names of letters, digits and -, not for " .. header.name)
  end
  ingress.look_for(annotations, PREFIX .. "canary-by-header", header, DIALECT)
  local pattern = annotations[PREFIX .. "canary-by-header-pattern"]
  if pattern and not pattern:find(REGEX) then
    fail("matches", "ingress-nginx takes no regular expression with such characters: " .. pattern
      .. '; write them as \\x and two digits ("\\x20" is a space)')
  end
end

local function annotate(annotations, stage)
  local wanted = ingress.wanted(stage.matches, DIALECT)
  if wanted.query then
    fail("matches", "ingress-nginx looks at one header or one cookie of a request")
  elseif wanted.cookie and stage.weight then
    fail("weight", "ingress-nginx keeps whoever has the cookie " .. wanted.cookie.name .. ' with the value "never" '
      .. "out of the weight; match on a header")
  end
  if stage.weight then
    annotations[PREFIX .. "canary-weight"] = tostring(stage.weight)
  end
  if wanted.header then
    by_header(annotations, wanted.header)
  end
  if wanted.cookie and not wanted.cookie.name:find(COOKIE) then
    fail("matches", "ingress-nginx takes no cookie name with such characters: " .. wanted.cookie.name .. "; use letters, "
      .. "digits and -")
  elseif wanted.cookie then
    annotations[PREFIX .. "canary-by-cookie"] = wanted.cookie.name
  end
end

return {
  reads = ingress.reads,

  supports = { "weight", "header.exact", "header.regex", "cookie.exact", "matches.many", "weight+matches" },

  render = function(given, stage)
    return { ingress.annotated(given, stage, DIALECT, annotate) }
  end,
}
