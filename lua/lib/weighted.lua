-- Destinations that share what comes by their weights, and the canary's part in that.
--
-- A dialect says how they are written in one API:
--
--   side(entry)             "stable", "canary", or nil for anything else
--   twin(entry)             the canary's counterpart of a stable destination
--   unwritten               what a destination without a weight counts (0)
--   weights(entries, field) how much each of them counts (without: its weight)
--   put(entry, weight)      (without: write its weight)
--   name(entry)             what it is called in a message, where weighted.leading is called
--   kept                    what is not divided stays as it is written, and so does a stable side that gets nothing;
--                           where weights have to grow, any share divides them
--   alone(entry)            write a destination that has no other beside it (without: put its weight)
--   pair(stable, canary)    whether that one is the counterpart (without: any is)
--   total, limit            what the weights have to sum to, and the largest of them, where there is such a thing
--   steps                   what a weight of 1 counts, where there are smaller ones

local services, numbers = use "services", use "istioweights"

local weighted = {}

-- Return a dialect whose sides are told by their Services: `leads(entry, service)`, and `point(entry, service)` lets a
-- destination of the stable Service lead to another one.
function weighted.by_service(stage, dialect)
  function dialect.side(entry)
    return dialect.leads(entry, stage.stableService) and "stable"
      or dialect.leads(entry, stage.canaryService) and "canary" or nil
  end

  function dialect.twin(entry)
    local twin = copy(entry)
    dialect.point(twin, stage.canaryService)
    return twin
  end

  return dialect
end

local function weights_of(entries, dialect, field)
  if dialect.weights then
    return dialect.weights(entries, field)
  end
  local weights = {}
  for i, entry in ipairs(entries) do
    weights[i] = entry.weight or dialect.unwritten or 0
  end
  return weights
end

local function put(dialect, entry, weight)
  if dialect.put then
    dialect.put(entry, weight)
  else
    entry.weight = weight
  end
end

-- Tell a side that gets nothing from what is divided.
local function forget_idle(groups, rest)
  local kept = {}
  for _, group in ipairs(groups) do
    if group.own > 0 then
      table.insert(kept, group)
    else
      rest[group.at] = 0
      rest[group.canary or group.at] = 0
    end
  end
  return kept
end

-- Return a list of { at, canary, own }: where a stable destination stands, its counterpart where the author has written
-- one, and what the two get together; and what each destination of another side gets, by its place.
local function grouped(entries, dialect, field)
  local weights, groups, rest = weights_of(entries, dialect, field), {}, {}
  for i, entry in ipairs(entries) do
    local side = dialect.side(entry)
    if side == "stable" then
      table.insert(groups, { at = i, own = weights[i] })
    elseif not side then
      rest[i] = weights[i]
    end
  end
  for i, entry in ipairs(entries) do
    if dialect.side(entry) == "canary" then
      local found
      for _, group in ipairs(groups) do
        local fits = not group.canary and (not dialect.pair or dialect.pair(entries[group.at], entry))
        found = found or fits and group
      end
      if found then
        found.canary, found.own = i, found.own + weights[i]
      else
        rest[i] = weights[i]
      end
    end
  end
  return dialect.kept and forget_idle(groups, rest) or groups, rest
end

-- Return the first stable destination that gets anything, nil where there is none.
function weighted.stable(entries, dialect, field)
  for _, group in ipairs((grouped(entries, dialect, field))) do
    if group.own > 0 then
      return entries[group.at]
    end
  end
end

-- Tell whether destinations have a stable one among them that gets anything.
function weighted.leads(entries, dialect, field)
  return weighted.stable(entries, dialect, field) ~= nil
end

-- Return the destinations of some lists that get anything.
local function served(lists, dialect, field)
  local found = {}
  for _, entries in ipairs(lists) do
    for i, weight in ipairs(weights_of(entries, dialect, field)) do
      table.insert(found, weight > 0 and entries[i] or nil)
    end
  end
  return found
end

-- Return which of some lists lead to the stable Service. Refuses where none does, or where it is the canary's, too.
function weighted.leading(lists, dialect, stage, field)
  services.refuse_one(stage, field)
  local leads, any = {}, false
  for i, entries in ipairs(lists) do
    leads[i] = weighted.leads(entries, dialect, field)
    any = any or leads[i]
  end
  if not any then
    services.refuse_others(field, stage.stableService, served(lists, dialect, field), dialect.name)
  end
  return leads
end

-- Tell whether the author has written the canary beside the stable side: then it is divided also by nothing.
function weighted.written(entries, dialect, field)
  for _, group in ipairs((grouped(entries, dialect, field))) do
    if group.canary then
      return true
    end
  end
  return false
end

local function largest(groups, rest)
  local most = 1
  for _, group in ipairs(groups) do
    most = math.max(most, group.own)
  end
  for _, weight in pairs(rest) do
    most = math.max(most, weight)
  end
  return most
end

-- Return by how much all weights are multiplied, so that what the stable side has can be divided in whole numbers.
local function factor(groups, rest, share, dialect)
  if dialect.total then
    return 1
  end
  local common, whole = 100, true
  for _, group in ipairs(groups) do
    local left = group.own * share % 100
    common, whole = numbers.gcd(common, dialect.kept and group.own or left), whole and left == 0
  end
  local times, limit = whole and 1 or 100 / common, dialect.limit
  if not limit or largest(groups, rest) * times <= limit then
    return times
  end
  return math.max(1, math.floor(limit / largest(groups, rest)))
end

local function check(parts, groups, share, dialect, field)
  local given, whole, steps = 0, 0, dialect.steps or 1
  for n, group in ipairs(groups) do
    given, whole = given + parts[n], whole + group.own
  end
  if whole > 0 and share > 0 and share < 100 and (given == 0 or given == whole) then
    fail(field, "cannot give " .. share .. " percent of a weight of " .. whole / steps .. " to the canary: weights are "
      .. (steps == 1 and "whole numbers" or "multiples of " .. 1 / steps) .. " here; give the stable side a larger "
      .. "part, or take a larger step")
  end
end

-- Say in each group what its canary gets (`part`), and return by how much all weights are multiplied.
local function divided(groups, rest, share, dialect, field)
  if #groups == 1 and not next(rest) then
    groups[1].own = dialect.total or 100
  end
  local times = factor(groups, rest, share, dialect)
  local owns = {}
  for n, group in ipairs(groups) do
    group.own = group.own * times
    owns[n] = group.own
  end
  local parts = numbers.portions(owns, share)
  check(parts, groups, share, dialect, field)
  for n, group in ipairs(groups) do
    group.part = parts[n]
  end
  return times
end

-- Return the destinations with `share` percent of what the stable side gets given to the canary. What the author has
-- given to the canary is part of what is divided. Return the canary's destinations, too.
function weighted.divide(entries, dialect, share, field)
  local groups, rest = grouped(entries, dialect, field)
  local times, made, by, canaries = divided(groups, rest, share, dialect, field), list(), {}, {}
  for n, group in ipairs(groups) do
    by[group.at], canaries[n] = group, entries[group.canary] or dialect.twin(entries[group.at])
    group.twin = not group.canary and canaries[n] or nil
    put(dialect, canaries[n], group.part)
  end
  for i, entry in ipairs(entries) do
    table.insert(made, entry)
    local group = by[i]
    if group then
      table.insert(made, group.twin)
      put(dialect, entry, group.own - group.part)
    elseif rest[i] and (times > 1 or not dialect.kept) then
      put(dialect, entry, rest[i] * times)
    end
  end
  return made, canaries
end

-- Return the destinations of a stage with `share`; nil where it has none and the author has not written the canary.
function weighted.wanted(entries, dialect, share, field)
  if share or weighted.written(entries, dialect, field) then
    return weighted.divide(entries, dialect, share or 0, field)
  end
end

-- Return the share of the canary that a stage asks for, nil where it asks for none.
function weighted.share(stage)
  return stage.neutral and 0 or stage.weight
end

-- Let the canary have the place of the stable side, and what that is written to get.
local function replaced(entries, dialect, field)
  local made, by, canaries = list(), {}, {}
  for n, group in ipairs((grouped(entries, dialect, field))) do
    canaries[n] = entries[group.canary] or dialect.twin(entries[group.at])
    by[group.at] = canaries[n]
    if group.canary then
      put(dialect, canaries[n], group.own)
      by[group.at] = false
    end
  end
  for i, entry in ipairs(entries) do
    table.insert(made, by[i] == nil and entry or by[i] or nil)
  end
  return made, canaries
end

-- Return the destinations with the canary in the place of the stable side, and the canary's.
function weighted.turn(entries, dialect, field)
  if dialect.kept then
    return replaced(entries, dialect, field)
  end
  local kept, last = list(), nil
  for _, entry in ipairs(weighted.divide(entries, dialect, 100, field)) do
    if dialect.side(entry) ~= "stable" then
      table.insert(kept, entry)
      last = entry
    end
  end
  if #kept == 1 then
    (dialect.alone or function(entry)
      put(dialect, entry, dialect.total or 100)
    end)(last)
  end
  return kept
end

return weighted
