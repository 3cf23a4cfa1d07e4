-- Skipper: a weight is written into the Ingress itself, and requests that match get a copy of it.
--
-- Backends of one path share what comes by the annotation backend-weights, which has one number for each Service of the
-- Ingress. The predicates of the annotation skipper-predicate hold for all of an Ingress, so the copy has every path,
-- also those to other Services: whatever path is tried first, it is the same one as without the copy, which is only
-- preferred for its weight.
-- https://opensource.zalan.do/skipper/kubernetes/ingress-usage/ and ../reference/predicates/

local ingress = use "ingress"

local WEIGHTS, PREDICATE = "zalando.org/backend-weights", "zalando.org/skipper-predicate"
local ROUTES = "zalando.org/skipper-routes" -- more routes, which are the given Ingress's
local REGEX = "RegularExpression"
local NAME = 253

-- Paths ---------------------------------------------------------------------------------------------------------------

local function redirected(path, service)
  local twin = copy(path)
  ingress.redirect(twin.backend, service)
  return twin
end

-- Call visit(services, paths, rule) for each path of each rule, with the names of the Services that share it.
local function each_group(spec, visit)
  for _, rule in ipairs(spec.rules or {}) do
    local order, groups = {}, {}
    for _, path in ipairs(rule.http and rule.http.paths or {}) do
      local text = path.path or ""
      if not groups[text] then
        groups[text] = list()
        table.insert(order, text)
      end
      table.insert(groups[text], ingress.service(path.backend) or "")
    end
    for _, text in ipairs(order) do
      visit(groups[text], text, rule)
    end
  end
end

local function has(services, name)
  for _, each in ipairs(services) do
    if each == name then
      return true
    end
  end
  return false
end

-- Weights -------------------------------------------------------------------------------------------------------------

local function written_weights(given)
  local text = given.metadata and given.metadata.annotations and given.metadata.annotations[WEIGHTS]
  if not text then
    return {}
  end
  local ok, weights = pcall(json.decode, text)
  if not ok or type(weights) ~= "table" then
    fail("metadata.annotations[" .. WEIGHTS .. "]", 'is not a map of Services to numbers, as {"web": 90}')
  end
  for name, weight in pairs(weights) do
    if type(weight) ~= "number" then
      fail("metadata.annotations[" .. WEIGHTS .. "]", "has no number for " .. name)
    end
  end
  return weights
end

local function check_alone(given, stage)
  each_group(given.spec, function(services, text)
    if has(services, stage.stableService) and services[2] then
      fail("metadata.annotations[" .. WEIGHTS .. "]", "gives nothing to " .. stage.stableService .. ", which shares "
        .. "the path " .. text .. " with others; write a weight for it")
    end
  end)
end

-- Return what each Service counts, so that the stable one's can be divided: where nothing is written, all are equal.
local function weights_of(given, stage)
  local weights = written_weights(given)
  if not next(weights) then
    each_group(given.spec, function(services)
      for _, name in ipairs(services[2] and services or {}) do
        weights[name] = 100
      end
    end)
    weights[stage.stableService] = 100
    if weights[stage.canaryService] then
      weights[stage.canaryService] = 0
      check_alone(given, stage)
    end
  elseif (weights[stage.stableService] or 0) + (weights[stage.canaryService] or 0) == 0 then
    check_alone(given, stage)
    weights[stage.stableService] = 100
  end
  return weights
end

local function common(a, b)
  return b == 0 and a or common(b, a % b)
end

-- Divide what the stable Service counts; all numbers grow where it cannot be divided in whole ones.
local function divide(weights, stage, percent)
  local own = (weights[stage.stableService] or 0) + (weights[stage.canaryService] or 0)
  local times = own % 1 == 0 and 100 / common(100, own * percent % 100) or 1
  for name, weight in pairs(weights) do
    weights[name] = weight * times
  end
  weights[stage.canaryService] = own * times * percent / 100
  weights[stage.stableService] = own * times - weights[stage.canaryService]
end

-- Put the canary beside the stable Service, wherever an author has not done so.
local function beside(spec, stage)
  for _, rule in ipairs(spec.rules or {}) do
    local written, paths = {}, list()
    for _, path in ipairs(rule.http and rule.http.paths or {}) do
      written[path.path or ""] = written[path.path or ""] or ingress.service(path.backend) == stage.canaryService
    end
    for _, path in ipairs(rule.http and rule.http.paths or {}) do
      table.insert(paths, path)
      if ingress.service(path.backend) == stage.stableService and not written[path.path or ""] then
        table.insert(paths, redirected(path, stage.canaryService))
      end
    end
    if rule.http then
      rule.http.paths = paths
    end
  end
end

-- A share of a path is one more predicate, as is a host; so a shared path for all hosts may win over that of one host.
local function check_hosts(given, stage)
  local known = {}
  each_group(given.spec, function(services, text, rule)
    local host = rule.host or ""
    known[text] = known[text] or {}
    table.insert(known[text], { any = host == "", stable = has(services, stage.stableService) })
    for _, one in ipairs(known[text]) do
      if one.any ~= (host == "") and (one.stable or has(services, stage.stableService)) then
        fail("spec.rules", "has the path " .. text .. " for all hosts and for one, and Skipper may take the wrong one "
          .. "when its backends share it; write the hosts of each rule")
      end
    end
  end)
end

local function weigh(given, stage, percent)
  check_hosts(given, stage)
  local weights = weights_of(given, stage)
  divide(weights, stage, percent)
  beside(given.spec, stage)
  given.metadata = given.metadata or {}
  given.metadata.annotations = given.metadata.annotations or {}
  given.metadata.annotations[WEIGHTS] = json.encode(weights)
end

-- Predicates ----------------------------------------------------------------------------------------------------------

local function quoted(text)
  if text:find("%c") then
    fail("matches", "a predicate cannot hold the control characters of " .. json.encode(text))
  end
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

-- Skipper searches for a regular expression, a step means all of a value.
local function pattern(condition)
  if condition.type == REGEX then
    return "^(?:" .. condition.value .. ")$"
  end
  return "^" .. condition.value:gsub("[%.%+%*%?%(%)%|%[%]%{%}%^%$\\]", "\\%0") .. "$"
end

local function on_path(path)
  if path.type ~= "PathPrefix" then
    return pattern(path)
  end
  local prefix = path.value:gsub("/+$", "")
  return pattern { value = prefix }:sub(1, -2) .. "(?:/.*)?$"
end

-- Return the predicates of a match. Of two Header("x", …) in one route Skipper takes the last, so only where there is
-- no other one it is written so.
local function predicates(match, old)
  local parts, seen = { "Weight(100)" }, {}
  for _, header in ipairs(match.headers or {}) do
    local plain = header.type ~= REGEX and not old and not seen[header.name:lower()]
    seen[header.name:lower()] = true
    table.insert(parts, plain and "Header(" .. quoted(header.name) .. ", " .. quoted(header.value) .. ")"
      or "HeaderRegexp(" .. quoted(header.name) .. ", " .. quoted(pattern(header)) .. ")")
  end
  for word, conditions in pairs { Cookie = match.cookies or {}, QueryParam = match.queryParams or {} } do
    for _, condition in ipairs(conditions) do
      table.insert(parts, word .. "(" .. quoted(condition.name) .. ", " .. quoted(pattern(condition)) .. ")")
    end
  end
  if match.path then
    table.insert(parts, "PathRegexp(" .. quoted(on_path(match.path)) .. ")")
  end
  table.insert(parts, old)
  return table.concat(parts, " && ")
end

-- Copies --------------------------------------------------------------------------------------------------------------

-- Every path of the given Ingress, and of two that would lead to the canary one.
local function take(path, rule, stable, stage)
  local written = false
  for _, other in ipairs(rule.http.paths) do
    written = written or stable and other.path == path.path and ingress.service(other.backend) == stage.canaryService
  end
  return written and {} or { copy(path) }
end

local function copy_for(given, stage, match, number)
  local twin = ingress.canary(given, stage, function(path, rule, stable)
    return take(path, rule, stable, stage)
  end)
  local annotations, weights = twin.metadata.annotations or {}, written_weights(given)
  twin.metadata.name = stage.name .. (number > 1 and "-" .. number or "")
  if #twin.metadata.name > NAME then
    fail("metadata.name", "is too long for the canary's Ingress " .. twin.metadata.name)
  end
  if next(weights) then
    weights[stage.canaryService] = (weights[stage.stableService] or 0) + (weights[stage.canaryService] or 0)
    weights[stage.stableService] = nil
    annotations[WEIGHTS] = json.encode(weights)
  end
  annotations[ROUTES] = nil
  annotations[PREDICATE] = predicates(match, annotations[PREDICATE])
  twin.metadata.annotations = annotations
  twin.spec.defaultBackend, twin.spec.backend = nil, nil
  return twin
end

-- A path leads to a Service once.
local function check(given, stage)
  ingress.refuse_default(given, stage, "Skipper")
  ingress.canary(given, stage) -- fails where it does not lead to the stable Service, or that is both sides
  each_group(given.spec, function(services, text)
    local times = 0
    for _, name in ipairs(services) do
      times = times + (name == stage.stableService and 1 or 0)
    end
    if times > 1 then
      fail("spec.rules", "leads from the path " .. text .. " to " .. stage.stableService .. " more than once, and "
        .. "Skipper takes one of them; leave the others out")
    end
  end)
end

return {
  reads = ingress.reads,

  supports = {
    "weight", "header.exact", "header.regex", "cookie.exact", "cookie.regex", "query.exact", "query.regex",
    "path.exact", "path.prefix", "path.regex", "matches.many", "conditions.many", "weight+matches",
  },

  render = function(given, stage)
    ingress.refuse_class(given, "skipper", "Skipper")
    check(given, stage)
    local copies = {}
    for number, match in ipairs(stage.neutral and {} or stage.matches) do
      copies[number] = copy_for(given, stage, match, number)
    end
    local percent = stage.neutral and 0 or stage.weight
    if percent or has(ingress.services(given.spec), stage.canaryService) then
      weigh(given, stage, percent or 0)
    end
    return { given, unpack(copies) }
  end,
}
