-- must: be stopped: a __close handler that loops in a coroutine that failed
-- outcome: stopped
while true do
  pcall(coroutine.wrap(function()
    local guard <close> = setmetatable({}, { __close = function() while true do end end })
    error('x')
  end))
end
