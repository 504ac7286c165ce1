-- must: not show the address of a table, function or coroutine
-- outcome: ok
local text = string.format('%s %s %s %10.3s', {}, print, coroutine.create(print), {})
if text:find('0x', 1, true) then return 'ESCAPED: ' .. text end
return 'ok'
