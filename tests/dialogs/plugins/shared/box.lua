-- box.lua - keeps a count.

local box = { count = 0 }

function box.put()
  box.count = box.count + 1
end

return box
