-- must: be stopped inside __pairs
-- outcome: stopped
for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end
return 'ok'
