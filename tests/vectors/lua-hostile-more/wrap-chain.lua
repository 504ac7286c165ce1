-- must: not crash on coroutines nested in each other
-- outcome: ok|refused|stopped|memory
local function nest(n)
  return coroutine.wrap(function() return nest(n + 1)() end)
end
pcall(nest(1))
return 'ok'
