-- must: be stopped inside __tostring that print calls
-- outcome: stopped
pcall(print, setmetatable({}, { __tostring = function() while true do end end }))
return 'ok'
