-- Lists of weighted backends: what the stable Service gets of a list is divided, and all others keep their shares.
--
-- How a backend is written is a matter of its `api`:
--
--   leads(backend, service, stage)   it goes to that Service
--   alike(a, b)                      apart from the Service they are the same, such as the port
--   point(backend, service)          let it go to that Service
--   name(backend)                    what it goes to, for a message
--   weight(backend)                  its part of what all get (if this is missing: its weight, or else 1)
--   write(backend, weight)           let it have that part (if this is missing: its weight)

local services = use "services"

local shares = {}

local function weight(api, backend)
  if api.weight then
    return api.weight(backend)
  end
  return backend.weight or 1
end

local function write(api, backend, number)
  if api.write then
    api.write(backend, number)
  else
    backend.weight = number
  end
end

-- Return the canary's backend that an author has written beside a stable one; what the two get together is divided.
local function written(api, backends, stable, stage, taken)
  for _, backend in ipairs(backends) do
    if not taken[backend] and api.leads(backend, stage.canaryService, stage) and api.alike(backend, stable) then
      taken[backend] = true
      return backend
    end
  end
end

-- Return what is to be divided in a list, each { stable, canary, sum }, and the same by stable backend.
function shares.of(api, backends, stage)
  local taken, found, by = {}, {}, {}
  for _, backend in ipairs(backends or {}) do
    if api.leads(backend, stage.stableService, stage) then
      local canary = written(api, backends, backend, stage, taken)
      local sum = weight(api, backend) + (canary and weight(api, canary) or 0)
      local share = { stable = backend, canary = canary, sum = sum }
      if sum > 0 then
        by[backend] = share
        table.insert(found, share)
      end
    end
  end
  return found, by
end

local function divisor(a, b)
  while b > 0 do
    a, b = b, a % b
  end
  return a
end

-- Say what each share counts, so that it can be divided into whole numbers: a list that goes nowhere else is divided in
-- hundreds, any other keeps its weights, or multiples of them where that is not enough.
local function scale(api, backends, found, percent)
  if #found == 1 and #backends == (found[1].canary and 2 or 1) then
    found[1].sum = 100
    return
  end
  local common, whole = 100, true
  for _, share in ipairs(found) do
    common = divisor(common, share.sum)
    whole = whole and share.sum * percent % 100 == 0
  end
  local times = whole and 1 or 100 / common
  for _, backend in ipairs(times > 1 and backends or {}) do
    write(api, backend, weight(api, backend) * times)
  end
  for _, share in ipairs(found) do
    share.sum = share.sum * times
  end
end

local function to_canary(api, share, stage)
  local canary = share.canary or copy(share.stable)
  api.point(canary, stage.canaryService)
  return canary
end

-- Return the list where `percent` of what the stable Service gets are the canary's, and the canary's backends in it.
-- `beside` are backends of another list that get their shares of the same whole.
function shares.divide(api, backends, stage, percent, beside)
  local found, by = shares.of(api, backends, stage)
  local all = {}
  for _, each in ipairs({ backends, beside or {} }) do
    for _, backend in ipairs(each) do
      table.insert(all, backend)
    end
  end
  scale(api, all, found, percent)
  local made, canaries = list(), {}
  for _, backend in ipairs(backends) do
    table.insert(made, backend)
    local share = by[backend]
    if share and not share.canary then
      share.canary = to_canary(api, share, stage)
      table.insert(made, share.canary)
    end
  end
  for _, share in ipairs(found) do
    local part = share.sum * percent / 100
    write(api, share.canary, part)
    write(api, share.stable, share.sum - part)
    table.insert(canaries, share.canary)
  end
  return made, canaries
end

-- Return the list where the canary gets all that the stable Service gets, and the canary's backends in it.
function shares.turn(api, backends, stage)
  local _, by = shares.of(api, backends, stage)
  local made, canaries = list(), {}
  for _, backend in ipairs(backends) do
    local share = by[backend]
    if not share then
      table.insert(made, backend)
    else
      local canary = to_canary(api, share, stage)
      if share.canary then
        write(api, canary, share.sum)
      else
        table.insert(made, canary)
      end
      table.insert(canaries, canary)
    end
  end
  return made, canaries
end

-- Return the backends of some lists that get anything.
local function served(api, lists)
  local found = {}
  for _, backends in ipairs(lists) do
    for _, backend in ipairs(backends) do
      table.insert(found, weight(api, backend) > 0 and backend or nil)
    end
  end
  return found
end

-- Return which of some lists lead to the stable Service. Fails where none does, or where the canary has no Service.
function shares.leading(api, lists, stage, field)
  services.refuse_one(stage, field)
  local leads, any = {}, false
  for i, backends in ipairs(lists) do
    leads[i] = shares.of(api, backends, stage)[1] ~= nil
    any = any or leads[i]
  end
  if not any then
    services.refuse_others(field, stage.stableService, served(api, lists), api.name)
  end
  return leads
end

-- Tell whether an author has written the canary beside the stable Service: then a list is divided also by 0 percent.
function shares.has_canary(api, backends, stage)
  for _, share in ipairs((shares.of(api, backends, stage))) do
    if share.canary then
      return true
    end
  end
  return false
end

return shares
