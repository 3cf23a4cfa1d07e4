-- Changes of request headers in the Gateway API: { set = { { name, value } }, add = likewise, remove = { name } }.

local modifier = {}

local TYPE = "RequestHeaderModifier"
local LIMIT = 16 -- headers in each list, and filters

-- What happens to one header, whatever happened to it before.

local function set(one, value)
  one.set, one.add, one.remove = value, nil, nil
end

local function add(one, value)
  if one.remove then
    set(one, value)
  elseif one.set then
    one.set = one.set .. "," .. value
  else
    one.add = one.add and one.add .. "," .. value or value
  end
end

local function remove(one)
  one.set, one.add, one.remove = nil, nil, true
end

-- Return what happens to each header by a list of modifiers, one after the other.
local function changes(modifiers)
  local all, known = {}, {}
  local function header(name)
    local key = name:lower()
    if not known[key] then
      known[key] = { name = name }
      table.insert(all, known[key])
    end
    return known[key]
  end
  for _, each in ipairs(modifiers) do
    for _, one in ipairs(each.set or {}) do
      set(header(one.name), one.value)
    end
    for _, one in ipairs(each.add or {}) do
      add(header(one.name), one.value)
    end
    for _, name in ipairs(each.remove or {}) do
      remove(header(name))
    end
  end
  return all
end

local function joined(modifiers, field)
  local made = {}
  for _, one in ipairs(changes(modifiers)) do
    local verb = one.set and "set" or one.add and "add" or "remove"
    made[verb] = made[verb] or list()
    table.insert(made[verb], one.remove and one.name or { name = one.name, value = one[verb] })
    if #made[verb] > LIMIT then
      fail(field, "would " .. verb .. " " .. #made[verb] .. " headers, and the Gateway API allows " .. LIMIT)
    end
  end
  return made
end

-- Return the filter of a rule or a backend that changes request headers, nil where it has none.
function modifier.of(holder)
  for _, filter in ipairs(holder.filters or {}) do
    if filter.type == TYPE then
      return filter
    end
  end
end

-- Let a rule or a backend change headers as it does now, and then as `extra` says.
function modifier.extend(holder, extra, field)
  local own = modifier.of(holder)
  if own then
    own.requestHeaderModifier = joined({ own.requestHeaderModifier or {}, extra }, field .. ".filters")
    return
  end
  local made = joined({ extra }, field .. ".filters")
  if made.set or made.add or made.remove then
    holder.filters = holder.filters or list()
    table.insert(holder.filters, { type = TYPE, requestHeaderModifier = made })
    if #holder.filters > LIMIT then
      fail(field .. ".filters", "would be " .. #holder.filters .. " filters, and the Gateway API allows " .. LIMIT)
    end
  end
end

-- Let a backend add a header to its answers.
function modifier.answer(holder, name, value, field)
  local own
  for _, filter in ipairs(holder.filters or {}) do
    own = filter.type == "ResponseHeaderModifier" and filter or own
  end
  if not own then
    own = { type = "ResponseHeaderModifier", responseHeaderModifier = {} }
    holder.filters = holder.filters or list()
    table.insert(holder.filters, own)
  end
  local change = own.responseHeaderModifier
  change.add = change.add or list()
  table.insert(change.add, { name = name, value = value })
  if #change.add > LIMIT or #holder.filters > LIMIT then
    fail(field .. ".filters", "would be more than the " .. LIMIT .. " that the Gateway API allows")
  end
end

return modifier
