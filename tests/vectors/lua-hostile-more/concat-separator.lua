-- must: be stopped by memory in concat with a large separator
-- outcome: memory|stopped|refused
local t = {}
for i = 1, 90000 do t[i] = 'x' end
return #table.concat(t, ('y'):rep(100000))
