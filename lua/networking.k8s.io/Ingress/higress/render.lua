-- Higress: a second Ingress, annotated as the canary of the first, which is never touched.
--
-- It reads ingress-nginx's annotations, but only one of them for each Ingress: a header, else a cookie, else a weight.
-- There is no query parameter among them, and the default backend is never divided. What changes request headers is
-- read from the canary's own Ingress. https://higress.cn/en/docs/latest/user/annotation-use-case and
-- https://github.com/alibaba/higress/blob/main/pkg/ingress/kube/annotations/canary.go

local ingress = use "ingress"

local PREFIX, OWN = "nginx.ingress.kubernetes.io/", "higress.io/"
-- The value of a header becomes a part of a regular expression there; one without special characters means itself.
local DIALECT = {
  product = "Higress",
  class = "higress",
  prefixes = { PREFIX, OWN },
  rules = true,
  looks = "one header or one cookie",
  plain = "^[%w/:~_ -]+$",
  grouped = true,
}

local function annotate(annotations, stage)
  local wanted = ingress.wanted(stage.matches, DIALECT)
  if wanted.query or wanted.header and wanted.cookie then
    fail("matches", "Higress looks at one header or one cookie of a request")
  elseif stage.weight and stage.matches[1] then
    fail("weight", "Higress reads no weight beside a header or a cookie; make them two steps")
  end
  if stage.weight then
    annotations[PREFIX .. "canary-weight"] = tostring(stage.weight)
  elseif wanted.header then
    ingress.look_for(annotations, PREFIX .. "canary-by-header", wanted.header, DIALECT)
  elseif wanted.cookie then
    annotations[PREFIX .. "canary-by-cookie"] = wanted.cookie.name
  end
  if stage.headerModifier then
    ingress.change_headers(annotations, OWN .. "request-header-control-", stage.headerModifier)
  end
end

return {
  reads = ingress.reads,

  supports = { "weight", "header.exact", "header.regex", "cookie.exact", "matches.many", "headerModifier" },

  render = function(given, stage)
    return { ingress.annotated(given, stage, DIALECT, annotate) }
  end,
}
