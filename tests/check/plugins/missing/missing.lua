-- missing.lua - takes a record for granted.

local function take(citizen)
  records.houses:put { number = citizen:ask("Nomor rumah?", { kind = "integer", min = 1, max = 99 }) }
  citizen:say("Rumah %d.", records.houses:get(citizen).number) -- it was written just now
end

local function show(citizen)
  citizen:say("Rumah %d.", records.houses:get(citizen).number)
end

return {
  name = "missing", api = 1, summary = "Reads what may not be there",
  triggers = { keywords = { RUMAH = "take", TAMPIL = "show" } },
  needs = { "records" },
  records = { houses = { number = "integer", unique = { "citizen" } } },
  dialogs = { take = take, show = show },
}
