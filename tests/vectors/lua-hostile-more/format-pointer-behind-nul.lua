-- must: not show an address through %p behind a NUL byte
-- outcome: ok|refused
local ok, text = pcall(string.format, '\0%p', 'x')
if ok and text:find('0x', 1, true) then return 'ESCAPED: ' .. text end
return 'ok'
