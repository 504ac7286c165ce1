-- must: never run a finalizer that was put into the metatable afterwards
-- outcome: ok|refused|stopped
local meta = {}
local t = setmetatable({}, meta)
meta.__gc = function() while true do end end
t = nil
local waste = {}
for i = 1, 10000 do waste[i % 100 + 1] = { i } end
return pcall(setmetatable, {}, meta) and 'ESCAPED: a finalizer' or 'ok'
