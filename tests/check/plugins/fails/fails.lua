-- fails.lua - one of the answers makes it fail.

local prices = { 100, 200 }

local function dialog(citizen)
  local size = citizen:choose("Ukuran apa?", { "Kecil", "Sedang", "Besar" })
  citizen:say("Harganya %d.", prices[size] * 2)
end

return {
  name = "fails", api = 1, summary = "Fails on one answer",
  triggers = { keywords = { UKURAN = "dialog" } },
  dialog = dialog,
}
