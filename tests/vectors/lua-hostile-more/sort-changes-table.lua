-- must: not crash where the comparator empties the table
-- outcome: ok|refused
local t = {}
for i = 1, 1000 do t[i] = (i * 7919) % 1000 end
pcall(table.sort, t, function(a, b) t[1], t[500] = nil, nil return a < b end)
pcall(table.sort, t, function() return true end)
return 'ok'
