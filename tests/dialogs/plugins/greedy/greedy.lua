-- greedy.lua - takes more than it may: time, and memory.

local function loop(citizen)
  records.tries:insert { what = "putar" }
  pcall(function()
    while true do
      pcall(citizen.nothing)
    end
  end)
  citizen:say("Ini tidak boleh terbaca.")
end

-- Only after an answer: what was asked before has been committed.
local function late(citizen)
  citizen:ask("Mulai?")
  while true do end
end

local function memory(citizen)
  local all, block = {}, string.rep(string.rep("x", 1000), 60)
  records.tries:insert { what = "memori" }
  pcall(function()
    for i = 1, 1000 do
      all[i] = block .. i
    end
  end)
  citizen:say("Ini tidak boleh terbaca: %d.", #all)
end

local function count(citizen)
  citizen:say("Tersimpan: %d.", records.tries:count())
end

return {
  name = "greedy", api = 1, summary = "Breaks its limits",
  triggers = { keywords = { PUTAR = "loop", LAMBAT = "late", MEMORI = "memory", SISA = "count" } },
  needs = { "records" },
  records = { tries = { what = "text" } },
  dialogs = { loop = loop, late = late, memory = memory, count = count },
}
