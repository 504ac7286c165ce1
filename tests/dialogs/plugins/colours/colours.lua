-- colours.lua - options with values of their own, one the beginning of another, and more of them than letters go.

local function colour(citizen)
  local value = citizen:choose("Warna apa?", {
    { "Merah", value = "r" }, { "Merah muda", value = "p" }, { "Hijau", value = "g" }, "Biru tua",
    { "Abu-abu", value = false },
  })
  citizen:say("Anda memilih %s.", tostring(value))
end

local function village(citizen)
  local options = {}
  for i = 1, 99 do
    options[i] = "Desa " .. string.char(64 + (i - 1) // 26 + 1, 64 + (i - 1) % 26 + 1)
  end
  citizen:say("Nomor %d.", citizen:choose("Desa mana?", options))
end

return {
  name = "colours", api = 1, summary = "Options with values; and many options",
  triggers = {
    keywords = { WARNA = "colour", DESAKU = "village" },
    ussd = { ["6"] = "village" }, menu = "Desa",
  },
  dialogs = { colour = colour, village = village },
}
