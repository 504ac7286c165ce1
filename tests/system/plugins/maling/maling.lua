-- maling.lua - looks for what belongs to other plugins, and says how much it found.  For tests on the running program.

-- Others have tables of these names; "rows" is also one of its own, and empty.
local WANTED = { "answers", "tiga.rows", "tiga/rows", "../tiga/rows", "*", "" }

-- Counts what a way in gives: an error, nil and 0 are nothing.
local function found(way)
  local ok, result = pcall(way)
  return ok and result and result ~= 0 and 1 or 0
end

local function steal(citizen)
  local count = found(function() return records.rows:count() end)
    + found(function() return #records.rows:find() end)
    + found(function() return records.rows.count({ name = "answers" }) end)
    + found(function() return records.rows.count(records) end)
    + found(function() return records.rows:find({ plugin = "tiga" }) end)
    + found(function() return require "tiga" end)
    + found(function() return require "survey.survey" end)
  for _, name in ipairs(WANTED) do
    count = count + found(function() return records[name]:count() end)
    count = count + found(function() return #records[name]:find() end)
  end
  citizen:say("Didapat: %d.", count)
end

return {
  name = "maling", api = 1, summary = "Looks for records of others",
  triggers = { keywords = { MALING = "steal" } },
  needs = { "records" },
  records = { rows = { name = "text", index = { "name" } } },
  dialogs = { steal = steal },
}
