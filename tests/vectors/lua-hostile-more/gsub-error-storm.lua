-- must: be stopped: errors in gsub's callback in a loop of pcall
-- outcome: stopped
while true do pcall(string.gsub, ('x'):rep(1000), '.', function() error('x') end) end
