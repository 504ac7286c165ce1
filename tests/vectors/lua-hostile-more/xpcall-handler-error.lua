-- must: not hang where the handler fails again and again
-- outcome: ok|refused|stopped|memory
local function handler() return xpcall(error, handler) end
xpcall(error, handler)
return 'ok'
