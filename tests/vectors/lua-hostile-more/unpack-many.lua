-- must: not crash where many values are unpacked and passed
-- outcome: ok|refused|stopped|memory
local t = {}
for i = 1, 90000 do t[i] = i end
pcall(function() return select('#', table.unpack(t)) end)
pcall(string.char, table.unpack(t))
pcall(math.max, table.unpack(t))
return 'ok'
