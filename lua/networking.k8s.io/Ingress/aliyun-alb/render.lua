-- Alibaba Cloud ALB Ingress: a second Ingress, annotated as the canary of the first, which is never touched.
--
-- With a weight the controller divides the stable rules of the same host and path. With conditions the canary's rules
-- stand for themselves, and all rules of a load balancer are tried one after the other: by the order of their Ingress,
-- then by their place in it. So they come right before those of the stable Ingress; with them goes each rule to another
-- Service that stands before a stable one, under the same conditions, or the canary would take its requests. A path to
-- look for narrows the paths of the rules. Conditions are AND-ed, the values of one OR-ed; a rule holds up to ten.
-- https://www.alibabacloud.com/help/en/cs/user-guide/use-alb-ingresses-to-perform-canary-releases-1
-- https://www.alibabacloud.com/help/en/cs/user-guide/customize-the-routing-rules-of-an-alb-ingress-1

local ingress, segments = use "ingress", use "segments"

local PREFIX = "alb.ingress.kubernetes.io/"
-- The controller reads both.
local PREFIXES = { PREFIX, "nginx.ingress.kubernetes.io/" }
local MOST = 10 - 3 -- conditions of a rule, without the host and the two patterns of a path

-- Conditions ----------------------------------------------------------------------------------------------------------

local function literal(text, what)
  if text == "" then
    fail("matches", "ALB cannot look for an empty " .. what)
  elseif text:find("[*?]") then
    fail("matches", "ALB cannot look for the " .. what .. " " .. text .. ", since it reads * and ? as wildcards")
  end
  return text
end

local function split(text)
  local parts = list()
  for part in text:gmatch("[^;]+") do
    table.insert(parts, literal(part:match("^%s*(.-)%s*$"), "value"))
  end
  return parts
end

local function pair(condition)
  return { key = literal(condition.name, "name"), value = literal(condition.value, "value") }
end

-- As Kruise's users write it: the header SourceIp for the address that a request comes from, the header Cookie for
-- cookies, each with ";" between several of which any will do.
local function of_header(header)
  if header.name == "SourceIp" then
    return { type = "SourceIp", sourceIpConfig = { values = split(header.value) } }
  elseif header.name:lower() == "cookie" then
    local cookies = list()
    for _, cookie in ipairs(split(header.value)) do
      local name, value = cookie:match("^([^=]+)=(.*)$")
      table.insert(cookies, pair { name = name or cookie, value = value or "" })
    end
    return { type = "Cookie", cookieConfig = { values = cookies } }
  elseif header.name == "canary-by-cookie" then
    return { type = "Cookie", cookieConfig = { values = list { pair { name = header.value, value = "always" } } } }
  end
  return { type = "Header", headerConfig = { key = header.name, values = list { literal(header.value, "value") } } }
end

local function of_query(query)
  return { type = "QueryString", queryStringConfig = { values = list { pair(query) } } }
end

local function of_cookie(cookie)
  return { type = "Cookie", cookieConfig = { values = list { pair(cookie) } } }
end

local KINDS = { { "headers", of_header }, { "queryParams", of_query }, { "cookies", of_cookie } }

local function config(block)
  return block.headerConfig or block.cookieConfig or block.queryStringConfig or block.sourceIpConfig
end

local function blocks_of(match)
  local blocks = list()
  for _, kind in ipairs(KINDS) do
    for _, condition in ipairs(match[kind[1]] or {}) do
      if condition.type == "RegularExpression" then
        fail("matches", "ALB knows no regular expression for " .. condition.name .. "; list the values")
      end
      table.insert(blocks, kind[2](condition))
    end
  end
  return blocks
end

-- Return one condition for several matches.
local function or_together(matches)
  local merged = blocks_of(matches[1])
  local first = merged[1]
  for i, match in ipairs(matches) do
    local blocks = blocks_of(match)
    local one = blocks[1]
    if #blocks ~= 1 or match.path or one.type ~= first.type or config(one).key ~= config(first).key then
      fail("matches", "ALB takes one of several for the values of one header, for cookies, for query parameters or for "
        .. "addresses, not for a mixture; make them steps that follow each other")
    end
    for _, value in ipairs(i > 1 and config(one).values or {}) do
      table.insert(config(first).values, value)
    end
  end
  return merged
end

local function check_count(blocks)
  local count = 0
  for _, block in ipairs(blocks) do
    count = count + #config(block).values
  end
  if count > MOST then
    fail("matches", "an ALB rule has room for " .. MOST .. " conditions beside its host and path, and these are "
      .. count)
  end
end

-- Paths ---------------------------------------------------------------------------------------------------------------

-- Return the part of a given path that is within the wanted one, nil if there is none.
local function narrowed(path, wanted)
  local twin = copy(path)
  if not wanted then
    return twin
  end
  local own, exact = path.path or "/", path.pathType ~= "Prefix"
  if wanted.type == "RegularExpression" then
    fail("matches", "ALB is not told of a path by a regular expression; write it as a prefix")
  elseif own:find("[*?]") or wanted.value:find("[*?]") then
    fail("matches", "ALB cannot look for a path within a pattern; write the path " .. own .. " with pathType Prefix")
  end
  local within
  if wanted.type == "Exact" then
    within = exact and own == wanted.value or not exact and segments.within(wanted.value, own)
    twin.path, twin.pathType = wanted.value, "Exact"
  elseif not exact and segments.within(wanted.value, own) then
    within, twin.path = true, wanted.value
  else
    within = segments.within(own, wanted.value)
  end
  return within and twin or nil
end

local function overlap(one, other)
  return one == other or one == "" or other == "" or one:sub(1, 1) == "*" or other:sub(1, 1) == "*"
end

-- Return what ingress.canary asks for each path.
local function taking(given, stage, wanted)
  local behind = {}
  ingress.each_path(given.spec, function(backend, rule, path)
    if ingress.service(backend) == stage.stableService then
      table.insert(behind, { host = rule.host or "", path = path })
    end
  end)
  local next_stable = 1
  return function(path, rule, stable)
    local needed = stable
    for i = next_stable, #behind do
      needed = needed or overlap(rule.host or "", behind[i].host)
    end
    next_stable = next_stable + (stable and 1 or 0)
    return needed and { narrowed(path, wanted) } or {}
  end
end

-- Annotations ---------------------------------------------------------------------------------------------------------

local function order(annotations)
  local written = annotations[PREFIX .. "order"] or "10"
  if not (tonumber(written) and tonumber(written) >= 2) then
    fail("metadata.annotations[" .. PREFIX .. "order]", "has to be 2 or more, since the canary's rules come before; it "
      .. "is " .. written)
  end
  return tostring(tonumber(written) - 1)
end

local function check_own(annotations, service)
  for _, word in ipairs({ "conditions.", "actions." }) do
    local key = PREFIX .. word .. service
    if annotations[key] then
      fail("metadata.annotations[" .. key .. "]", "is a rule of its own for the Service " .. service
        .. ", which cannot be divided as well; give it an Ingress of its own")
    end
  end
end

local function check_weight(given, stage)
  local leads = {}
  ingress.each_path(given.spec, function(backend, rule, path)
    local place, stable = (rule.host or "") .. (path.path or ""), ingress.service(backend) == stage.stableService
    if leads[place] ~= nil and leads[place] ~= stable then
      fail("spec.rules", "has two rules for " .. place .. ", and ALB divides by host and path alone")
    end
    leads[place] = stable
  end)
end

-- One condition as the controller has always known it, so that no version of it takes the rules to have none.
local function write(annotations, blocks, canary)
  local first, own = blocks[1], config(blocks[1])
  local alone = not blocks[2] and not own.values[2]
  if alone and first.type == "Header" then
    annotations[PREFIX .. "canary-by-header"] = own.key
    annotations[PREFIX .. "canary-by-header-value"] = own.values[1]
  elseif alone and first.type == "Cookie" and own.values[1].value == "always" then
    annotations[PREFIX .. "canary-by-cookie"] = own.values[1].key
  else
    for _, service in ipairs(ingress.services(canary.spec)) do
      annotations[PREFIX .. "conditions." .. service] = json.encode(blocks)
    end
  end
end

local function by_matches(given, stage)
  local matches, wanted = stage.matches, stage.matches[1].path
  local blocks = matches[2] and or_together(matches) or blocks_of(matches[1])
  check_count(blocks)
  local canary = ingress.canary(given, stage, taking(given, stage, wanted))
  local services = ingress.services(canary.spec)
  local leads = false
  for _, service in ipairs(services) do
    leads = leads or service == stage.canaryService
    check_own(canary.metadata.annotations or {}, service)
  end
  if not leads then
    fail("matches", "none of the rules to " .. stage.stableService .. " has the path " .. wanted.value)
  end
  return canary, blocks
end

return {
  reads = ingress.reads,

  supports = {
    "weight", "header.exact", "cookie.exact", "query.exact", "path.exact", "path.prefix", "matches.many",
    "conditions.many",
  },

  render = function(given, stage)
    given.spec = given.spec or {}
    local own = given.metadata and given.metadata.annotations or {}
    ingress.refuse_class(given, "alb", "ALB")
    ingress.refuse_canary(given, PREFIXES)
    ingress.refuse_default(given, stage, "ALB")
    check_own(own, stage.stableService)
    local canary, blocks
    if stage.matches[1] and not stage.neutral then
      canary, blocks = by_matches(given, stage)
    else
      canary = ingress.canary(given, stage)
      check_weight(given, stage)
    end
    local annotations = ingress.without_canary(canary.metadata.annotations, PREFIXES)
    annotations[PREFIX .. "canary"] = "true"
    annotations[PREFIX .. "order"] = order(own)
    if not blocks then
      annotations[PREFIX .. "canary-weight"] = tostring(stage.neutral and 0 or stage.weight)
    elseif stage.weight then
      fail("weight", "ALB takes conditions and a weight in two Ingresses; make them two steps")
    elseif blocks[1] then
      write(annotations, blocks, canary)
    end
    canary.metadata.annotations = annotations
    return { canary }
  end,
}
