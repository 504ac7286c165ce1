-- must: not change the metatable of the globals
-- outcome: ok
if getmetatable(_G) or pcall(setmetatable, _G, {}) then return 'ESCAPED: globals' end
return 'ok'
