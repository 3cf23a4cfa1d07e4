-- How the destinations of an Istio route share what comes.
--
-- Weights are relative. Those that sum to 100 go on doing so (before Istio 1.15 they had to), unless rounding would
-- leave a side with nothing; others are multiplied where only that divides them. A single destination gets everything.

local weights = {}

function weights.gcd(a, b)
  return b == 0 and a or weights.gcd(b, a % b)
end

-- Return the weights of a route, and their sum.
function weights.of(route, field)
  local found, sum = {}, 0
  for i, entry in ipairs(route) do
    found[i] = #route == 1 and 100 or entry.weight or 0
    sum = sum + found[i]
  end
  if sum == 0 then
    fail(field .. ".route", "has several destinations and no weights, which Istio refuses")
  end
  return found, sum
end

-- Return `share` percent of each number, in whole numbers whose sum is the nearest to `share` percent of them all (a
-- half goes to the stable side): the largest remainders are rounded up.
function weights.portions(whole, share)
  local found, order, left, sum = {}, {}, 0, 0
  for i, weight in ipairs(whole) do
    found[i], order[i] = math.floor(weight * share / 100), i
    left, sum = left - found[i], sum + weight
  end
  table.sort(order, function(a, b)
    local x, y = whole[a] * share % 100, whole[b] * share % 100
    return x > y or x == y and a < b
  end)
  for i = 1, left + math.ceil(sum * share / 100 - 0.5) do
    found[order[i]] = found[order[i]] + 1
  end
  return found
end

-- Return by how much the weights of a route are multiplied before the stable ones among them are divided.
function weights.factor(stable, share, total)
  local common, sum, given = 100, 0, 0
  for i, part in ipairs(weights.portions(stable, share)) do
    common, sum, given = weights.gcd(common, stable[i] * share % 100), sum + stable[i], given + part
  end
  return total == 100 and given > 0 and given < sum and 1 or 100 / common
end

return weights
