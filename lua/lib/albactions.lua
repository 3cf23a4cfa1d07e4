-- What the annotations of the AWS Load Balancer Controller say: actions, and the conditions under which they are taken.
--
-- Each is JSON in an annotation of its own, alb.ingress.kubernetes.io/actions.<name>, that a backend of the Ingress
-- asks for with <name> in the place of a Service and `use-annotation` in that of its port. Like the controller this
-- reads the names of members without regard to their case. What is not changed keeps its order.

local weighted = use "weighted"

local actions = {}

local PREFIX = "alb.ingress.kubernetes.io/"
local GROUPS, WEIGHT, LONGEST_NAME = 5, 999, 52 -- with "conditions." before it a name may have 63 characters

local function member(of, name)
  for key in pairs(of or {}) do
    if type(key) == "string" and key:lower() == name:lower() then
      return key
    end
  end
end

local function get(of, name)
  local key = type(of) == "table" and member(of, name)
  return key and of[key]
end

local function put(of, name, item)
  of[member(of, name) or member(of, "serviceName") == "ServiceName" and name:gsub("^%l", string.upper) or name] = item
end

local GROUP = {
  kept = true,
  leads = function(group, service)
    return get(group, "serviceName") == service
  end,
  pair = function(a, b)
    return tostring(get(a, "servicePort")) == tostring(get(b, "servicePort"))
  end,
  point = function(group, service)
    put(group, "serviceName", service)
  end,
  name = function(group)
    return get(group, "serviceName") or get(group, "targetGroupName") or get(group, "targetGroupARN") or "nowhere"
  end,
  weights = function(groups)
    local weights = {}
    for i, group in ipairs(groups) do
      weights[i] = get(group, "weight") or 1
    end
    return weights
  end,
  put = function(group, weight)
    put(group, "weight", weight)
  end,
}

local function dialect_of(stage)
  return weighted.by_service(stage, GROUP)
end

function actions.key(word, name)
  return PREFIX .. word .. "." .. name
end

function actions.field(word, name)
  return "metadata.annotations[" .. actions.key(word, name) .. "]"
end

-- Return what an annotation says, nil where there is none.
function actions.read(annotations, word, name)
  local text = annotations[actions.key(word, name)]
  if not text then
    return nil
  end
  local said = json.decode(text)
  return type(said) == "table" and said or fail(actions.field(word, name), "is not JSON")
end

-- Return an action that leads to one Service.
function actions.to(service, port)
  local made = json.decode '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"","servicePort":0}]}}'
  local group = made.forwardConfig.targetGroups[1]
  group.serviceName, group.servicePort = service, port
  return made
end

-- Return the target groups of an action, none where it does not forward to such.
function actions.groups(action)
  return get(get(action, "forwardConfig"), "targetGroups") or {}
end

local function set_groups(action, groups, name)
  if #groups > GROUPS then
    fail(actions.field("actions", name), "would have " .. #groups .. " target groups, and ALB takes " .. GROUPS)
  end
  for _, group in ipairs(groups) do
    local weight = get(group, "weight") or 1
    if weight > WEIGHT then
      fail(actions.field("actions", name), "would need the weight " .. weight .. ", and ALB takes up to "
        .. WEIGHT .. "; write weights of which the wanted percentage is a whole number")
    end
  end
  put(get(action, "forwardConfig"), "targetGroups", groups)
  return action
end

-- Fail where none of the actions lead to the stable Service.
function actions.check(lists, stage, field)
  weighted.leading(lists, dialect_of(stage), stage, field)
end

function actions.leads(action, stage)
  return weighted.leads(actions.groups(action), dialect_of(stage))
end

function actions.has_canary(action, stage)
  return weighted.written(actions.groups(action), dialect_of(stage))
end

function actions.divide(action, stage, percent, name)
  return set_groups(action, weighted.divide(actions.groups(action), dialect_of(stage), percent), name)
end

function actions.turn(action, stage, name)
  return set_groups(action, weighted.turn(actions.groups(action), dialect_of(stage)), name)
end

-- Return a name that nothing in an Ingress has, and remember it.
function actions.free(name, taken)
  local cut, found, count = name:sub(1, LONGEST_NAME), nil, 1
  found = cut
  while taken[found] do
    count = count + 1
    local ending = "-" .. count
    found = cut:sub(1, LONGEST_NAME - #ending) .. ending
  end
  taken[found] = true
  return found
end

-- Conditions ----------------------------------------------------------------------------------------------------------

local function literal(text, what)
  if text == "" or #text > 128 or text:find("[^ -~]") then
    fail("matches", "ALB compares the " .. what .. " with 1 to 128 characters of ASCII")
  elseif text:find("[*?\\]") then
    fail("matches", "ALB reads *, ? and \\ in the " .. what .. " " .. text .. " as a pattern, and a match is to be "
      .. "exact; look for a value without them")
  end
  return text
end

-- Return the conditions for what a step asks of a request beside its path. All of them have to hold.
function actions.conditions(match)
  local made = list()
  for _, header in ipairs(match.headers or {}) do
    local one = json.decode '{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"","values":[""]}}'
    one.httpHeaderConfig.httpHeaderName = literal(header.name, "name of a header")
    one.httpHeaderConfig.values[1] = literal(header.value, "value of the header " .. header.name)
    table.insert(made, one)
  end
  for _, param in ipairs(match.queryParams or {}) do
    local one = json.decode '{"field":"query-string","queryStringConfig":{"values":[{"key":"","value":""}]}}'
    local pair = one.queryStringConfig.values[1]
    pair.key = literal(param.name, "name of a query parameter")
    pair.value = literal(param.value, "value of the query parameter " .. param.name)
    table.insert(made, one)
  end
  return made
end

-- Return how many values conditions compare with, and whether one of them is about the path.
function actions.count(conditions)
  local count, path = 0, false
  for _, condition in ipairs(conditions) do
    for key, config in pairs(condition) do
      if type(config) == "table" then
        count = count + #(get(config, "values") or {})
        path = path or key:lower() == "pathpatternconfig"
      end
    end
  end
  return count, path
end

return actions
