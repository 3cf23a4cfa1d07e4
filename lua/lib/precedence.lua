-- Which rules a route of the Gateway API needs, so that some of the requests of a rule go elsewhere.
--
-- Its rules are not tried in the order in which they are written. Of all matches of a route that hold, the one that
-- asks for most wins; the order of the rules counts only between equals. So a rule that asks for one thing more than
-- the rule it was made from may win over a third one, which was to win over both. Wherever that can happen, a copy of
-- the third rule is added that asks for all of it (a guard), and in turn for that one. Then for every request the first
-- match is one that was made from the match that was first before:
--
--   Let e, made from the match q, be first for a request, and p the match that was first for it before. If p is not q,
--   then p was tried before q, and e is tried before p. So there is a guard that asks for e and p. It holds, and is
--   tried before e: it asks for no less than e does, and stands before it. But e was first.
--
-- A match is compared by what is the matter of its API:
--
--   everything             the match of a rule without matches
--   meet(a, b, found)      narrow the place (path, method) of a to that of b; set found.more where that leaves less,
--                          found.never where nothing, found.unknown to why nobody can tell
--   rank(match, loose)     numbers, the most important first; larger ones are tried first. `loose`: as those read it
--                          who take a trailing "/" for nothing
--   unsure(a, owner, b)    the API leaves it open whether a is tried before b, and not only because it leaves the same
--                          open for the match that a was made from; a text says what to do about it
--   unordered              equals are told apart by what they say, not by their order
--   field                  where the rules are, if not in spec.rules
--   used                   learns which matches are of use, and then it is the caller's affair when one is not

local precedence = {}

local EXACT = "Exact"

-- Return the conditions that count, by their names: the first of each name.
local function named(conditions, part)
  local names, found = {}, {}
  for _, one in ipairs(conditions or {}) do
    local name = part == "headers" and one.name:lower() or one.name
    if not found[name] then
      found[name] = one
      table.insert(names, name)
    end
  end
  return found, names
end

local function meet_conditions(into, from, part, found)
  local mine = named(into[part], part)
  local theirs, names = named(from[part], part)
  for _, name in ipairs(names) do
    local old, one = mine[name], theirs[name]
    local kind = one.type or EXACT
    if not old then
      into[part] = into[part] or list()
      table.insert(into[part], { name = one.name, type = kind, value = one.value })
      found.more = true
    elseif (old.type or EXACT) ~= kind or old.value ~= one.value then
      if kind == EXACT and (old.type or EXACT) == EXACT then
        found.never = true
      else
        found.unknown = one.name .. " would have to be both " .. (old.value or old.type) .. " and "
          .. (one.value or kind)
      end
    end
  end
end

-- Return a match for the requests that satisfy both, nil where there are none, and what was found out about them.
local function meet(api, a, b)
  local both, found = copy(a), {}
  api.meet(both, b, found)
  meet_conditions(both, b, "headers", found)
  meet_conditions(both, b, "queryParams", found)
  return not found.never and both or nil, found
end

-- Return 1, 0 or -1: a is tried before b, they are equals, after it.
local function compare(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then
      return a[i] > b[i] and 1 or -1
    end
  end
  return 0
end

-- Return all matches of a route in the order in which they are tried.
local function spread(api, rules)
  local all = {}
  for i, rule in ipairs(rules) do
    local matches = rule.matches or {}
    for j, match in ipairs(matches[1] and matches or { api.everything }) do
      local at = matches[1] and not api.field and ".matches[" .. j - 1 .. "]" or ""
      local place = (api.field or "spec.rules") .. "[" .. i - 1 .. "]" .. at
      table.insert(all, { match = match, rule = i, at = j, place = place, rank = api.rank(match) })
    end
  end
  table.sort(all, function(a, b)
    local by_rank = compare(a.rank, b.rank)
    if by_rank ~= 0 then
      return by_rank > 0
    elseif a.rule ~= b.rule then
      return a.rule < b.rule
    end
    return a.at < b.at
  end)
  for order, one in ipairs(all) do
    one.order = order
  end
  return all
end

-- Tell whether an additional match that stands before the rule `block` may be tried before one of the author's.
local function may_win(api, match, block, other)
  local strict = compare(api.rank(match), other.rank)
  local loose = compare(api.rank(match, true), api.rank(other.match, true))
  local most = math.max(strict, loose)
  return most > 0 or most == 0 and (api.unordered or block <= other.rule)
end

-- Return the guard that an additional match needs against one of the author's, nil if it needs none, and true instead
-- where nothing is left of the match.
local function guard(api, entry, other)
  local both, found = meet(api, entry.match, other.match)
  local unsure = both and api.unsure(entry.match, entry.owner.match, other.match)
  if not both then
    return nil
  elseif unsure then
    fail(other.place, "may hold for the same requests as " .. entry.owner.place .. ", and which of the two is tried "
      .. (unsure ~= true and unsure or "first where one asks for more is left to each gateway; write them without "
      .. "regular expressions"))
  elseif other.order > entry.owner.order or not may_win(api, entry.match, entry.block, other) then
    return nil
  elseif found.unknown then
    fail(other.place, "is tried before " .. entry.owner.place .. ", but what is asked of the canary's requests would "
      .. "turn that around: " .. found.unknown)
  end
  return not found.more or { match = both, owner = other, block = entry.block }
end

-- Return what a match of a rule and the wanted ones make.
local function crossed(api, owner, wanted)
  local entries = {}
  for k, want in ipairs(wanted) do
    local both, found = meet(api, owner.match, want)
    if both and found.unknown then
      fail(owner.place, "cannot be combined with what the canary's requests have to be: " .. found.unknown)
    elseif both then
      table.insert(entries, { match = both, owner = owner, block = owner.rule, want = want.place or k })
    end
  end
  return entries
end

-- Return the entries that something is left of, with all guards that they need. `seen` are those of the rules before,
-- which do for this one too; `used` learns which wanted matches something is left of.
local function guarded(api, entries, all, seen, used)
  local kept, i = {}, 1
  while entries[i] do
    local entry, needed, left = entries[i], {}, true
    local key = entry.owner.order .. json.encode(entry.match)
    if seen[key] == nil then
      for _, other in ipairs(all) do
        local found = other.rule ~= entry.owner.rule and guard(api, entry, other) or nil
        left = left and found ~= true
        needed[#needed + 1] = found
      end
      for _, each in ipairs(left and needed or {}) do
        table.insert(entries, each)
      end
      kept[#kept + 1] = left and entry or nil
      seen[key] = left
    end
    if entry.want then
      used[entry.want] = used[entry.want] or seen[key]
    end
    i = i + 1
  end
  return kept
end

-- Return, for each rule, the additional matches that have to stand before it, in order: { rule, at, from, to }, where
-- `from` is the match it was made from, in a rule and at a place there, and `to` what it asks for. `leads`: the rules
-- that are divided. `wanted`: the matches, any of which a request of theirs has to satisfy; those with the same `place`
-- are one match of the stage, which stands in the member `name` of it.
function precedence.additions(api, rules, leads, wanted, name)
  local all, seen, used, blocks = spread(api, rules), {}, api.used or {}, {}
  for i in ipairs(rules) do
    local entries = {}
    for _, owner in ipairs(all) do
      for _, entry in ipairs(owner.rule == i and leads[i] and crossed(api, owner, wanted) or {}) do
        table.insert(entries, entry)
      end
    end
    entries = guarded(api, entries, all, seen, used)
    blocks[i] = {}
    for _, owner in ipairs(all) do
      for _, entry in ipairs(entries) do
        if entry.owner == owner then
          table.insert(blocks[i], { rule = owner.rule, at = owner.at, from = owner.match, to = entry.match })
        end
      end
    end
  end
  for k, want in ipairs(api.used and {} or wanted) do
    local place = want.place or k
    if not used[place] then
      fail((name or "matches") .. "[" .. place - 1 .. "]", "no request can satisfy this and be one that a rule sends to "
        .. "the stable Service")
    end
  end
  return blocks
end

return precedence
