-- must: not change a library by rawset, insert, move or sort
-- outcome: ok
for _, f in ipairs { function() rawset(string, 'rep', 1) end, function() table.insert(string, 1) end,
    function() table.move({ 1 }, 1, 1, 1, string) end, function() setmetatable(math, {}) end } do
  if pcall(f) then return 'ESCAPED: a library was changed' end
end
return 'ok'
