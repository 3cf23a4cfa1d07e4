-- JSON text to Lua tables and back, without losing what a Lua table cannot hold.
--
-- A table knows neither the order of its keys, nor null, nor whether it is an empty list or an empty map, and a number
-- has 53 bits. So every table that is decoded here has an *origin*, kept beside it:
--
--   { list = true|false, keys = { k, … in order }, null = { [k] = true }, digits = { [k] = "9007199254740993" },
--     size = length of a list with nulls in it, kids = { [k] = origin of that value } }
--
-- and encoding a table that has one, or stands where one stood, puts all of this back. The origin goes with the table
-- when a script moves it; `copy` takes it along.

local byte, char, concat, find, floor, format, gsub, match = string.byte, string.char, table.concat, string.find,
  math.floor, string.format, string.gsub, string.match
local error, max, next, pcall, rawget, setmetatable, sort, sub, tonumber, type = error, math.max, next, pcall, rawget,
  setmetatable, table.sort, string.sub, tonumber, type

-- Manifests may be nested 200 deep; what a script is called with is wrapped around them.
local DEEP, EXACT, HUGE = 210, 2 ^ 53, math.huge
local NULL = {}

local origins = setmetatable({}, { __mode = "k" })
local wide = {} -- a number beyond 53 bits -> its digits; false where two numbers of the input became the same one

-- Reading ------------------------------------------------------------------------------------------------------------

local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local WORDS = { ["true"] = { true }, ["false"] = { false }, ["null"] = { NULL } }

local function broken(at)
  error("not JSON at byte " .. at, 0)
end

local function skip(s, i)
  return find(s, "[^ \t\r\n]", i) or #s + 1
end

local function utf8(code)
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40)
  elseif code < 0x10000 then
    return char(0xE0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return char(0xF0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40, 0x80 + floor(code / 0x40) % 0x40,
    0x80 + code % 0x40)
end

local function hex(s, i)
  return tonumber(match(s, "^%x%x%x%x", i) or broken(i), 16)
end

-- Read the escape whose backslash stands at i; return its text and the place behind it.
local function escape(s, i)
  local letter = sub(s, i + 1, i + 1)
  if letter ~= "u" then
    return ESCAPES[letter] or broken(i), i + 2
  end
  local code = hex(s, i + 2)
  if code >= 0xD800 and code < 0xDC00 and sub(s, i + 6, i + 7) == "\\u" then
    local low = hex(s, i + 8)
    if low >= 0xDC00 and low < 0xE000 then
      return utf8(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), i + 12
    end
  end
  return utf8(code), i + 6
end

-- Read the string whose opening quote stands before i.
local function text(s, i)
  local out, n, piece = {}, 0, nil
  while true do
    local stop = find(s, '[%z\1-\31"\\]', i) or broken(#s + 1)
    n = n + 1
    out[n] = sub(s, i, stop - 1)
    local what = byte(s, stop)
    if what == 34 then
      return n == 1 and out[1] or concat(out), stop + 1
    elseif what ~= 92 then
      broken(stop)
    end
    piece, i = escape(s, stop)
    n = n + 1
    out[n] = piece
  end
end

local function number(s, i, origin, key)
  local digits = match(s, "^-?%d[%d.eE+-]*", i) or broken(i)
  local value = tonumber(digits) or broken(i)
  if value >= EXACT or value <= -EXACT then
    origin.digits[key] = digits
    wide[value] = (wide[value] == nil or wide[value] == digits) and digits
  end
  return value, i + #digits
end

local function fresh(list)
  return { list = list, keys = {}, null = {}, digits = {}, kids = {} }
end

local value

-- Keep what was read under its key, and what the table will not tell about it in the origin.
local function keep(t, origin, key, item)
  if item == NULL then
    origin.null[key] = true
  else
    t[key] = item
    origin.kids[key] = origins[item]
  end
end

local function map(s, i, depth)
  local t, origin, item, key = {}, fresh(false), nil, nil
  origins[t] = origin
  i = skip(s, i)
  if byte(s, i) == 125 then
    return t, i + 1
  end
  while true do
    if byte(s, i) ~= 34 then
      broken(i)
    end
    key, i = text(s, i + 1)
    i = skip(s, i)
    if byte(s, i) ~= 58 then
      broken(i)
    end
    item, i = value(s, skip(s, i + 1), depth, origin, key)
    origin.keys[#origin.keys + 1] = key
    keep(t, origin, key, item)
    i = skip(s, i)
    if byte(s, i) == 125 then
      return t, i + 1
    elseif byte(s, i) ~= 44 then
      broken(i)
    end
    i = skip(s, i + 1)
  end
end

local function list(s, i, depth)
  local t, origin, item, n = {}, fresh(true), nil, 0
  origins[t] = origin
  i = skip(s, i)
  if byte(s, i) == 93 then
    return t, i + 1
  end
  while true do
    n = n + 1
    item, i = value(s, i, depth, origin, n)
    keep(t, origin, n, item)
    i = skip(s, i)
    if byte(s, i) == 93 then
      origin.size = next(origin.null) and n
      return t, i + 1
    elseif byte(s, i) ~= 44 then
      broken(i)
    end
    i = skip(s, i + 1)
  end
end

function value(s, i, depth, origin, key)
  if depth > DEEP then
    error("JSON nested deeper than " .. DEEP .. " levels", 0)
  end
  local what = byte(s, i)
  if what == 34 then
    return text(s, i + 1)
  elseif what == 123 then
    return map(s, i + 1, depth + 1)
  elseif what == 91 then
    return list(s, i + 1, depth + 1)
  end
  local word = match(s, "^%a+", i)
  if word then
    return (WORDS[word] or broken(i))[1], i + #word
  end
  return number(s, i, origin, key)
end

local function decode(s)
  local item, i = value(s, skip(s, 1), 0, fresh(false), "")
  if skip(s, i) <= #s then
    broken(i)
  end
  if item == NULL then
    return nil
  end
  return item
end

-- Writing ------------------------------------------------------------------------------------------------------------

local QUOTED = { ['"'] = '\\"', ["\\"] = "\\\\" }
for code = 0, 31 do
  QUOTED[char(code)] = format("\\u%04x", code)
end

-- `bare` says what an empty table is of which nothing is known: "map", "list", or "drop" to leave the key out.
local function writer(bare, limit)
  local out, n, size, path, open, put_table = {}, 0, 0, {}, {}, nil

  local function refuse(why)
    error(why .. (path[1] and " (at " .. concat(path, ".") .. ")" or ""), 0)
  end

  local function put(piece)
    n = n + 1
    out[n] = piece
    size = size + #piece
    if size > limit then
      error("returned more than " .. floor(limit / 2 ^ 20) .. " MB", 0)
    end
  end

  local function put_text(s)
    put('"' .. gsub(s, '[%z\1-\31"\\]', QUOTED) .. '"')
  end

  local function put_number(v, digits)
    if v ~= v or v == HUGE or v == -HUGE then
      refuse("a number that is not finite")
    elseif v > -EXACT and v < EXACT then
      put(format(v == floor(v) and "%d" or "%.17g", v))
    elseif digits and tonumber(digits) == v then
      put(digits)
    elseif wide[v] == false then
      refuse("a number beyond 2^53 that Lua cannot tell from another one")
    else
      put(wide[v] or format("%.17g", v))
    end
  end

  local function put_value(v, hint, digits)
    local kind = type(v)
    if kind == "string" then
      put_text(v)
    elseif kind == "number" then
      put_number(v, digits)
    elseif kind == "boolean" then
      put(v and "true" or "false")
    elseif kind == "table" then
      put_table(v, hint)
    else
      refuse("a " .. kind .. " is not data")
    end
  end

  -- Return the names of a map, or the highest index of a list and how many there are.
  local function inspect(v)
    local names, top, count = {}, 0, 0
    for key in next, v do
      if type(key) == "string" then
        names[#names + 1] = key
      elseif type(key) == "number" and key >= 1 and key == floor(key) then
        top, count = max(top, key), count + 1
      else
        refuse("a key that is neither a name nor a place in a list")
      end
    end
    if names[1] and count > 0 then
      refuse("a table that is both a list and a map")
    end
    return names, top, count
  end

  local function put_list(v, top, count, origin, own)
    local null = own and origin.size and origin.null or {}
    if count < top then
      for i = 1, top do
        if rawget(v, i) == nil and not null[i] then
          refuse("a list with holes")
        end
      end
    end
    put("[")
    for i = 1, max(top, next(null) and origin.size or 0) do
      if i > 1 then
        put(",")
      end
      path[#path + 1] = i - 1
      local item = rawget(v, i)
      if item == nil then
        put("null")
      else
        put_value(item, origin and origin.kids[i], origin and origin.digits[i])
      end
      path[#path] = nil
    end
    put("]")
  end

  -- Return the keys in the order of the origin, with those that are null there, then the new ones in order of the
  -- alphabet.
  local function order(v, names, origin, own)
    local keys, known = {}, {}
    for _, key in next, origin and origin.keys or {} do
      if not known[key] and (rawget(v, key) ~= nil or own and origin.null[key]) then
        keys[#keys + 1] = key
      end
      known[key] = true
    end
    sort(names)
    for i = 1, #names do
      if not known[names[i]] then
        keys[#keys + 1] = names[i]
      end
    end
    return keys
  end

  local function dropped(item, hint)
    return bare == "drop" and type(item) == "table" and next(item) == nil and not origins[item] and not hint
  end

  local function put_map(v, names, origin, own)
    local keys, comma = order(v, names, origin, own), ""
    put("{")
    for i = 1, #keys do
      local key = keys[i]
      local item, hint = rawget(v, key), origin and origin.kids[key]
      path[#path + 1] = key
      if not dropped(item, hint) then
        put(comma)
        put_text(key)
        put(":")
        comma = ","
        if item == nil then
          put("null")
        else
          put_value(item, hint, origin and origin.digits[key])
        end
      end
      path[#path] = nil
    end
    put("}")
  end

  function put_table(v, hint)
    if open[v] then
      refuse("a table that contains itself")
    elseif #path > DEEP then
      path = {}
      refuse("nested deeper than " .. DEEP .. " levels")
    end
    open[v] = true
    local names, top, count = inspect(v)
    local own = origins[v]
    local origin = own or hint
    local is_list = count > 0 or not names[1] and (origin and origin.list or not origin and bare == "list")
    if origin and origin.list ~= is_list then
      own, origin = nil, nil
    end
    if is_list then
      put_list(v, top, count, origin, own)
    else
      put_map(v, names, origin, own)
    end
    open[v] = nil
  end

  return put_value, function()
    return concat(out)
  end
end

local function encode(v, hint, bare, limit)
  local put_value, done = writer(bare, limit)
  put_value(v, hint)
  return done()
end

local function copy(v)
  if type(v) ~= "table" then
    return v
  end
  local twin = {}
  for key, item in next, v do
    twin[key] = copy(item)
  end
  origins[twin] = origins[v]
  return twin
end

return {
  decode = decode,
  encode = encode,
  copy = copy,
  -- Say that a table is a list, also while it is empty.
  list = function(t)
    t = t or {}
    origins[t] = fresh(true)
    return t
  end,
  origin = function(t)
    return origins[t]
  end,
}
