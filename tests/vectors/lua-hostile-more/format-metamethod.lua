-- must: be stopped inside __tostring that format calls
-- outcome: stopped
pcall(string.format, '%s', setmetatable({}, { __tostring = function() while true do end end }))
return 'ok'
