-- journey.lua - three questions, and something that is kept behind the second.

local function dialog(citizen)
  local since = records.visits:get(citizen)
  records.visits:put({ count = (since and since.count or 0) + 1 })
  citizen:say("Kunjungan ke-%d.", (since and since.count or 0) + 1)
  local from = citizen:ask("Dari mana?")
  local how = citizen:choose("Naik apa dari " .. from .. "?", { "Bus", "Kereta", { "Sepeda", value = "bike" } })
  local seats = citizen:ask("Berapa orang?", { kind = "integer", min = 0, max = 9 })
  records.trips:insert({ from = from, how = tostring(how), seats = seats })
  local again = citizen:confirm("Sudah dicatat. Perlu kami telepon?")
  citizen:say("%s, %s, %d orang, %s; chance %d; rows %d.", from, how, seats,
    again and "telepon" or "diam", random(1000), records.trips:count())
end

return {
  name = "journey", api = 1, summary = "Trips",
  triggers = { keywords = { PERGI = "dialog" }, ussd = "7", menu = "Perjalanan" },
  needs = { "records" },
  records = {
    visits = { count = "integer", unique = { "citizen" } },
    trips = { from = "text", how = "text", seats = "integer" },
  },
  dialog = dialog,
}
