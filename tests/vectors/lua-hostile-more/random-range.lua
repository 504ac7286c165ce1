-- must: draw from any range without hanging
-- outcome: same
local a = math.random(math.mininteger, math.maxinteger)
local b = math.random(0, math.maxinteger)
local c = math.random(3)
return 'ok ' .. a .. ' ' .. b .. ' ' .. c
