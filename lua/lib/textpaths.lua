-- Paths as proxies compare them: { exact }, { prefix } (of the text, not of its segments) or { regex } (of all of it).

local paths = {}

-- Return the paths of a step, of which any may hold; { false } where any path will do. A prefix of a step is one of
-- segments: the path itself, and all that is below it.
function paths.asked(path)
  if not path then
    return { false }
  elseif path.type == "RegularExpression" then
    return { { regex = path.value } }
  elseif path.type == "Exact" then
    return { { exact = path.value } }
  end
  local prefix = path.value:gsub("/+$", "")
  return prefix == "" and { false } or { { exact = prefix }, { prefix = prefix .. "/" } }
end

-- Tell whether a path asks for nothing.
function paths.any(path)
  return not path or not (path.exact or path.prefix or path.regex) or path.prefix == "" or path.prefix == "/" or path.regex == ".*" or path.regex == "/.*"
end

function paths.same(a, b)
  return a.exact == b.exact and a.prefix == b.prefix and a.regex == b.regex
end

function paths.shown(path)
  return path.exact and "exact " .. path.exact or path.prefix and "prefix " .. path.prefix or "regex " .. path.regex
end

-- Tell whether no path can be within both; nil where a regular expression hides that.
function paths.apart(a, b)
  if paths.any(a) or paths.any(b) then
    return false
  elseif a.regex or b.regex then
    return nil
  elseif a.exact and b.exact then
    return a.exact ~= b.exact
  elseif a.exact then
    return a.exact:sub(1, #b.prefix) ~= b.prefix
  elseif b.exact then
    return paths.apart(b, a)
  end
  local length = math.min(#a.prefix, #b.prefix)
  return a.prefix:sub(1, length) ~= b.prefix:sub(1, length)
end

-- Return the path that is within both, false where none is, nil where nobody can tell.
function paths.both(own, asked)
  if paths.any(asked) then
    return own or asked
  elseif paths.any(own) or paths.same(own, asked) then
    return asked
  elseif own.regex or asked.regex then
    return nil
  elseif paths.apart(own, asked) then
    return false
  elseif asked.exact or own.prefix and #own.prefix < #asked.prefix then
    return asked
  end
  return own
end

return paths
