-- leaving.lua - is there at first, and is not in plugins-later.

local greeting = require "lib.greeting"

local function dialog(citizen)
  local first = citizen:ask("Hendak ke mana?")
  records.trips:insert { place = first }
  citizen:say("Perjalanan: %d.", records.trips:count())
  local second = citizen:ask("Kapan?")
  citizen:say("%s: %s, %s.", greeting.hello, first, second)
end

return {
  name = "leaving", api = 1, summary = "It is removed",
  triggers = { keywords = { PERGI = "dialog" } },
  needs = { "records" },
  records = { trips = { place = "text" } },
  dialog = dialog,
}
