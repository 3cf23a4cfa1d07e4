-- The room a script runs in: what it finds there, what it does not, and how it leaves.
--
-- Called once per Lua state with the codec (json.lua), whether the script is one of ours, how many instructions it
-- may use, and the directory of our own Lua library. Returns the function that runs one script.
--
-- Nothing here is reachable for a script but the values in `room`: the functions below keep what they need in locals.

local codec, ours, budget, library = ...

local byte, find, floor, rep, sub = string.byte, string.find, math.floor, string.rep, string.sub
local error, getmetatable, loadstring, next, pcall, rawget, setfenv, setmetatable, sort, tonumber, tostring, type = error,
  getmetatable, loadstring, next, pcall, rawget, setfenv, setmetatable, table.sort, tonumber, tostring, type
local getinfo, sethook, open = debug.getinfo, debug.sethook, io.open

local TICK = 10000 -- instructions between two looks at the budget
local LONGEST = 16 * 2 ^ 20 -- bytes of a string made by string.rep

-- Order --------------------------------------------------------------------------------------------------------------

local RANK = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local left, right = RANK[type(a)], RANK[type(b)]
  if not left or not right then
    error("keys that are tables or functions have no order", 3)
  elseif left ~= right then
    return left < right
  elseif left == 3 then
    return not a and b
  end
  return a < b
end

local function expect_table(t, name)
  if type(t) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(t) .. ")", 3)
  end
end

-- The order of a table's keys depends on its history and on addresses; output may not. A list is in order already.
local function sorted_pairs(t)
  expect_table(t, "pairs")
  local keys, n, in_order = {}, 0, true
  for key in next, t do
    n = n + 1
    keys[n] = key
    in_order = in_order and key == n
  end
  if not in_order then
    sort(keys, before)
  end
  local i = 0
  return function()
    while i < n do
      i = i + 1
      local item = rawget(t, keys[i])
      if item ~= nil then
        return keys[i], item
      end
    end
  end, t, nil
end

local function sorted_next(t, last)
  expect_table(t, "next")
  local found
  for key in next, t do
    if (last == nil or before(last, key)) and (found == nil or before(key, found)) then
      found = key
    end
  end
  if found ~= nil then
    return found, rawget(t, found)
  end
end

-- What is safe to say --------------------------------------------------------------------------------------------------

-- An address is different in every run.
local function plain_tostring(v)
  local kind = type(v)
  if kind == "table" then
    local meta = getmetatable(v)
    if type(meta) ~= "table" or rawget(meta, "__tostring") == nil then
      return kind
    end
  elseif kind == "function" or kind == "userdata" or kind == "thread" then
    return kind
  end
  return tostring(v)
end

-- The original multiplies in 32 bits.
local function short_rep(s, n)
  local text, times = type(s) == "number" and tostring(s) or s, tonumber(n)
  if type(text) ~= "string" or not times then
    error("string.rep takes a text and a number", 2)
  elseif #text == 0 or not (times >= 1) then
    return ""
  elseif #text * times > LONGEST then
    error("string.rep: the result would be longer than " .. LONGEST / 2 ^ 20 .. " MB", 2)
  end
  return rep(text, times)
end

local function own_metatable(t)
  if type(t) == "table" then
    return getmetatable(t)
  end
end

-- As Kruise's json.encode and json.decode: nil and a message where it cannot be done.
local function careful(work)
  return function(...)
    local done, result = pcall(work, ...)
    if done then
      return result
    end
    return nil, result
  end
end

local refusal = {} -- what `fail` raises

local function fail(field, message)
  if type(field) ~= "string" or type(message) ~= "string" then
    error("fail takes the path of a field and a message", 2)
  end
  refusal.field, refusal.message = field, message
  error(refusal, 0)
end

-- The room -------------------------------------------------------------------------------------------------------------

local function subset(from, names)
  local kept = {}
  for name in string.gmatch(names, "%S+") do
    kept[name] = from[name]
  end
  return kept
end

local room = subset(_G, "assert error ipairs pcall rawequal rawget rawset select setmetatable tonumber type unpack _VERSION")
room.getmetatable, room.next, room.pairs, room.tostring = own_metatable, sorted_next, sorted_pairs, plain_tostring
room.fail, room.copy, room.list = fail, codec.copy, codec.list
room.string = subset(string, "byte char find format gmatch gsub len lower match reverse sub upper")
room.string.rep = short_rep
room.table = subset(table, "concat insert maxn remove sort getn")
room.math = subset(math, "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min "
  .. "modf pi pow rad sin sinh sqrt tan tanh")
room.json = {
  decode = careful(function(s)
    return codec.decode(type(s) == "string" and s or error("json.decode takes a text", 0))
  end),
  encode = careful(function(v)
    return codec.encode(v, nil, "list", LONGEST)
  end),
}

local function load_source(source, name)
  if byte(source) == 27 then
    error("is compiled Lua; give the source", 0)
  end
  local chunk, problem = loadstring(source, "=" .. name)
  return setfenv(chunk or error(problem, 0), room)
end

if ours then
  local loaded = {}
  -- The library of our own providers: use "ingress" is lua/lib/ingress.lua.
  function room.use(name)
    if not loaded[name] then
      local file = find(name, "^%l+$") and open(library .. "/lib/" .. name .. ".lua", "rb")
      if not file then
        error("there is no lua/lib/" .. name .. ".lua", 2)
      end
      local source = file:read("*a")
      file:close()
      loaded[name] = load_source(source, "lib/" .. name)()
    end
    return loaded[name]
  end

  setmetatable(room, {
    __newindex = function(_, name)
      error("global '" .. tostring(name) .. "' assigned; use local", 2)
    end,
    __index = function(_, name)
      error("'" .. tostring(name) .. "' is not defined", 2)
    end,
  })
else
  room._G = room
end

-- Belt and braces: should a script ever get out of its environment, there is nothing outside.
getmetatable("").__index = room.string
getmetatable("").__metatable = false
for name in next, package.loaded do
  package.loaded[name] = nil
end
local outside = _G
for name in next, outside do
  outside[name] = nil
end

-- Running --------------------------------------------------------------------------------------------------------------

local run

-- Once the budget is used up every instruction is an error, so that no pcall of the script's own gets around it.
local function arm()
  local left = budget / TICK
  sethook(function()
    left = left - 1
    if left > 0 then
      return
    end
    local here = getinfo(2, "f")
    if here and here.func == run then
      return
    end
    sethook(getinfo(1, "f").func, "", 1)
    local level, place = 2, getinfo(2, "Sl")
    while place and place.short_src ~= "script" do
      level = level + 1
      place = getinfo(level, "Sl")
    end
    local where = place and "script:" .. place.currentline .. ": " or ""
    error(where .. "used more than " .. floor(budget / 1e6) .. " million instructions", 0)
  end, "", TICK)
end

local function provider(source)
  local found = load_source(source, "script")()
  if type(found) ~= "table" or type(found.render) ~= "function" or type(found.supports) ~= "table" then
    error("must return { supports = { … }, render = function(manifest, stage) … end }", 0)
  end
  return found
end

local function table_of(result)
  if type(result) ~= "table" then
    error("returned " .. (result == nil and "nothing" or "a " .. type(result)) .. ", not a table", 0)
  end
  return result
end

-- Our own script: `input` is { given, stage }, or nil to ask what it supports and reads. New manifests get the key order of the
-- given one.
local function run_ours(source, input)
  if not input then
    local found = provider(source)
    return codec.encode({ supports = found.supports, reads = found.reads or "" }, nil, "list", LONGEST)
  end
  local origin = codec.origin(input.given)
  local result = table_of(provider(source).render(input.given, input.stage))
  local kids = setmetatable({}, { __index = function() return origin end })
  return codec.encode(result, { list = true, keys = {}, null = {}, digits = {}, kids = kids }, "map", LONGEST)
end

-- A user's script: `input` is its global `obj`; `like` names the member that the result is shaped like.
local function run_theirs(source, input, like)
  local origin = codec.origin(input[like])
  room.obj = input
  local result = table_of(load_source(source, "script")())
  return codec.encode(result, origin, "drop", LONGEST)
end

-- Return "ok" and JSON; "fail", a message and the field; or "error" and a message.
function run(source, text, like)
  local done, result = true, nil
  if text then
    done, result = pcall(codec.decode, text)
  end
  if done then
    arm()
    done, result = pcall(ours and run_ours or run_theirs, source, result, like)
  end
  sethook()
  if done then
    return "ok", result, ""
  elseif result == refusal then
    return "fail", refusal.message, refusal.field
  elseif type(result) ~= "string" then
    return "error", "raised a " .. type(result) .. ", not a message", ""
  end
  return "error", sub(result, 1, 2000), ""
end

return run
