-- must: be stopped: allocations that fail in a loop
-- outcome: memory|stopped
local keep = {}
for i = 1, 15 do keep[i] = ('x'):rep(1000000) .. i end
while true do pcall(string.rep, 'y', 1000000) keep[#keep + 1] = ('z'):rep(900000) .. #keep end
