-- Rules of a VirtualService like one that is there, for some of its requests.

local istio, matching = use "istio", use "istiomatch"

local twins = {}

-- Return the `rewrite.uri` of a rule for a match that asks for more of the path than it did: it replaces what matched.
local function rewritten(rule, found, field)
  local to = rule.rewrite and not rule.rewrite.uriRegexRewrite and rule.rewrite.uri
  local old, new = found.own.uri or { prefix = "/" }, found.match.uri
  if not to or to == "" or not new or istio.same(old, new) then
    return to
  elseif new.exact and (old.exact or old.regex) then
    return to
  elseif new.regex or old.regex then
    fail(field .. ".rewrite.uri", "replaces what matched of the path, which is another part where the step asks for ("
      .. (new.regex or new.prefix) .. "); ask for a path or a prefix, or write it as uriRegexRewrite")
  end
  return to .. (new.exact or new.prefix):sub(#(old.prefix or "/") + 1)
end

-- Return a rule like this one. One without `match` is built anew, so that this does not come last.
local function twin_of(rule, change)
  local twin = rule.match and copy(rule) or {}
  for key, item in pairs(rule.match and {} or rule) do
    twin[key] = copy(item)
  end
  twin.match = list {}
  change(twin)
  return twin
end

-- Return the rules for requests that this rule would have met and that match: one, or one for each `rewrite.uri`, each
-- with what `change(twin)` does to it.
function twins.of(rule, asked, field, change)
  local made, last = {}, nil
  for _, found in ipairs(matching.narrowed(rule.match, asked, field)) do
    local to = rewritten(rule, found, field)
    found.by.met = true
    if not made[1] or to ~= last then
      table.insert(made, twin_of(rule, change))
      last = to
    end
    local twin = made[#made]
    if to then
      twin.rewrite.uri = to
    end
    table.insert(twin.match, found.match)
  end
  for _, twin in ipairs(made) do
    if not (twin.match[2] or next(twin.match[1])) then
      twin.match = nil -- it asks for nothing; beside others it decides which part of the path a rewrite replaces
    end
  end
  return made
end

-- Fail where something was asked for that no rule meets.
function twins.check(asked, service)
  for _, one in ipairs(asked) do
    if not one.by.met then
      fail(one.by.field, "no request can satisfy this and be one that a rule sends to the Service " .. service)
    end
  end
end

return twins
