-- Rules that are tried one after the other, of which the first that holds wins: those for the canary's requests stand
-- right before the ones that they were made from.

local weighted, paths = use "weighted", use "textpaths"

local ordered = {}

-- Return what is asked for and can hold beside what a rule asks for, a list of matches. Learn in `used` what can.
local function crossed(own, api, rule, field, used)
  local made = list()
  for _, match in ipairs(own) do
    for _, asked in ipairs(api.asked) do
      local found = api.meet(match, asked, rule, field)
      if found then
        table.insert(made, found)
        used[asked.place] = true
      end
    end
  end
  return made
end

-- Return the rules with those for the canary, whether any leads to the stable side, and which places can hold. `field`
-- is where they are; `rest` ({ rule, field }, may be left out) is tried after them, and stands elsewhere. `api` is
--
--   asked                           what the stage asks for, each with a `place`: those with one place are one match
--   leads(rule, field)              whether it sends anything to the stable side
--   matches(rule)                   of which any has to hold, as a list
--   meet(match, asked, rule, field) a match for requests that satisfy both, nil where there are none
--   twins(rule, matches, field)     the rules for the canary's requests
--   divide(rule, field)             divide what the rule sends to the stable side
function ordered.with_canary(rules, field, api, rest)
  local made, used, found = list(), {}, false
  local function visit(rule, place)
    if api.leads(rule, place) then
      found = true
      local matches = crossed(api.matches(rule), api, rule, place, used)
      for _, twin in ipairs(matches[1] and api.twins(rule, matches, place) or {}) do
        table.insert(made, twin)
      end
      api.divide(rule, place)
    end
  end
  for i, rule in ipairs(rules) do
    visit(rule, field .. "[" .. i - 1 .. "]")
    table.insert(made, rule)
  end
  if rest then
    visit(rest.rule, rest.field)
  end
  return made, found, used
end

-- Return an `api` with `leads`, `twins` and `divide` by lib/weighted.lua, from
--
--   dialect, share                  see there
--   entries(rule)                   its destinations
--   lead_to(rule, entries, field)   let it lead to them
--   part                            where they are in a rule, "" if left out
--   like(rule, matches, field)      rules that lead where it does, for those matches
function ordered.weighted(api)
  local dialect, part = api.dialect, api.part or ""

  function api.leads(rule, field)
    return weighted.leads(api.entries(rule), dialect, field)
  end

  function api.twins(rule, matches, field)
    local twins = api.like(rule, matches, field)
    for _, twin in ipairs(twins) do
      api.lead_to(twin, weighted.turn(api.entries(twin), dialect, field .. part), field)
    end
    return twins
  end

  function api.divide(rule, field)
    local entries = weighted.wanted(api.entries(rule), dialect, api.share, field .. part)
    if entries then
      api.lead_to(rule, entries, field)
    end
  end

  return api
end

-- Return the matches that a stage asks for.
function ordered.matches(stage)
  return stage.neutral and {} or stage.matches
end

-- Return what a stage asks for, as `say(match, path)` writes it. `path` is nil where any will do, and a match for which
-- one of several has to hold is several.
function ordered.asked(stage, say)
  local found = {}
  for place, match in ipairs(ordered.matches(stage)) do
    for _, path in ipairs(paths.asked(match.path)) do
      local one = say(match, path or nil)
      one.place = place
      table.insert(found, one)
    end
  end
  return found
end

-- Refuse what no request can be asked for that the stable side gets.
function ordered.check(asked, used, service)
  for _, one in ipairs(asked) do
    if not used[one.place] then
      fail("matches[" .. one.place - 1 .. "]", "no request can satisfy this and be one that a rule sends to the stable "
        .. "side of " .. service)
    end
  end
end

-- Refuse cookies, which can be asked for as the header that holds them.
function ordered.refuse_cookies(matches, product)
  for i, match in ipairs(matches) do
    if match.cookies and match.cookies[1] then
      fail("matches[" .. i - 1 .. "].cookies", product .. " does not look at cookies; match on the header Cookie with "
        .. "a regular expression")
    end
  end
end

return ordered
