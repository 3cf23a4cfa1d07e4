-- What a VirtualService changes in the headers of requests, for one destination.
--
-- Istio removes, then sets, then adds. A destination cannot have the last word over its rule: where there is more than
-- one destination, what the rule does comes after.

local headers = {}

local PARTS = { "set", "add", "remove" }

local function each_name(request, visit)
  for _, part in ipairs(PARTS) do
    for key, item in pairs(request[part] or {}) do
      visit(part == "remove" and item or key, part)
    end
  end
end

-- Fail where the rule does something to a header that the canary's requests shall get changed.
function headers.check(rule, modifier, field)
  local taken = { host = rule.rewrite and rule.rewrite.authority and field .. ".rewrite.authority" }
  each_name(rule.headers and rule.headers.request or {}, function(name, part)
    taken[name:lower()] = field .. ".headers.request." .. part
  end)
  for _, part in ipairs(PARTS) do
    for _, entry in ipairs(modifier[part] or {}) do
      local name = part == "remove" and entry or entry.name
      if taken[name:lower()] then
        fail(taken[name:lower()], "changes the header " .. name .. " for all destinations, and the step for the canary "
          .. "only; move it to the destinations of this rule")
      elseif name:sub(1, 1) == ":" or name:lower() == "host" and part ~= "set" then
        fail("headerModifier", "Istio cannot " .. part .. " the header " .. name)
      end
    end
  end
end

local function forget(request, name)
  for _, part in ipairs { "set", "add" } do
    for key in pairs(request[part] or {}) do
      if key:lower() == name:lower() then
        request[part][key] = nil
      end
    end
    request[part] = next(request[part] or {}) and request[part]
  end
  local kept = list {}
  for _, key in ipairs(request.remove or {}) do
    table.insert(kept, key:lower() ~= name:lower() and key or nil)
  end
  request.remove = kept[1] and kept
end

-- Set, add and remove headers of what goes to a destination, after what its author does.
function headers.change(entry, modifier)
  entry.headers = entry.headers or {}
  local request = entry.headers.request or {}
  for _, header in ipairs(modifier.set or {}) do
    forget(request, header.name)
    request.set = request.set or {}
    request.set[header.name] = header.value
  end
  for _, header in ipairs(modifier.add or {}) do
    local known = header.name
    request.add = request.add or {}
    for key in pairs(request.add) do
      known = key:lower() == known:lower() and key or known
    end
    request.add[known] = (request.add[known] and request.add[known] .. "," or "") .. header.value
  end
  for _, name in ipairs(modifier.remove or {}) do
    forget(request, name)
    request.remove = request.remove or list {}
    table.insert(request.remove, name)
  end
  entry.headers.request = request
end

-- Add a header to the answers of a destination.
function headers.answer(entry, name, value)
  entry.headers = entry.headers or {}
  local response = entry.headers.response or {}
  response.add = response.add or {}
  response.add[name] = value
  entry.headers.response = response
end

return headers
