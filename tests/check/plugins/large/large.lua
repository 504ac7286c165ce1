-- large.lua - has more ways than a small budget reaches.

local function dialog(citizen)
  local sum = 0
  for i = 1, 10 do
    sum = 3 * sum + citizen:choose(string.format("Nilai ke-%d?", i), { "Baik", "Cukup", "Kurang" })
  end
  citizen:say("Jumlah %d.", sum)
end

return {
  name = "large", api = 1, summary = "Many ways",
  triggers = { keywords = { NILAI = "dialog" } },
  dialog = dialog,
}
