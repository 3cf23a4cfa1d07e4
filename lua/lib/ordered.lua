-- Rules that are tried one after the other, of which the first that holds wins: those for the canary's requests stand
-- right before the ones that they were made from.

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

-- Return the rules with those for the canary. `field` is where they are, and `api` is
--
--   asked                           what the stage asks for, each with a `place`: those with one place are one match
--   leads(rule, field)              whether it sends anything to the stable side
--   matches(rule)                   of which any has to hold, as a list
--   meet(match, asked, rule, field) a match for requests that satisfy both, nil where there are none
--   twins(rule, matches, field)     the rules for the canary's requests
--   divide(rule, field)             divide what the rule sends to the stable side
--   place(i)                        where a rule is, nil where it is in the list (may be left out)
function ordered.with_canary(rules, field, api)
  local made, used, found = list(), {}, false
  for i, rule in ipairs(rules) do
    local place = api.place and api.place(i) or field .. "[" .. i - 1 .. "]"
    if api.leads(rule, place) then
      found = true
      local matches = crossed(api.matches(rule), api, rule, place, used)
      for _, twin in ipairs(matches[1] and api.twins(rule, matches, place) or {}) do
        table.insert(made, twin)
      end
      api.divide(rule, place)
    end
    table.insert(made, rule)
  end
  return made, found, used
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
