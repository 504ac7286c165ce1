-- wide.lua - texts that fit neither a screen nor three segments; one character costs more than half of the room.

local long = "Musyawarah desa diadakan di balai desa, dan semua warga diundang untuk hadir. "

local function dialog(citizen)
  citizen:say(long:rep(2) .. "Bawalah surat undangan Anda.")
  local fine = citizen:confirm("Anda hadir?")
  citizen:say(fine and "Sampai jumpa di balai desa." or long:rep(3) .. "Kami mencatat bahwa Anda ω tidak hadir.")
end

return {
  name = "wide", api = 1, summary = "Long texts",
  triggers = { keywords = { HADIR = "dialog" }, ussd = "2", menu = "Hadir" },
  dialog = dialog,
}
