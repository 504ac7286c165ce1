-- must: not crash on an __index that calls itself
-- outcome: ok|refused|stopped|memory
local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
pcall(function() return t[1] end)
return 'ok'
