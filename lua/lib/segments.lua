-- Prefixes of paths that are of whole segments: /a holds for /a and /a/b, and not for /ab. A "/" at the end of a prefix
-- counts for nothing.

local segments = {}

function segments.trim(prefix)
  return (prefix:gsub("/$", ""))
end

-- Tell whether a path is a prefix, or below it.
function segments.within(path, prefix)
  prefix = segments.trim(prefix)
  return path == prefix or path:sub(1, #prefix + 1) == prefix .. "/"
end

return segments
