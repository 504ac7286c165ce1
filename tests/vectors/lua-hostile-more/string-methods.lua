-- must: not reach the table behind strings
-- outcome: ok
local ok = pcall(function() local s = ''; s.x = 1 end)
if ok or getmetatable('') ~= nil then return 'ESCAPED: strings' end
return ('ok'):lower()
