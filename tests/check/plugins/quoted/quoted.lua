-- quoted.lua - a typographic mark makes a text of one screen two.

local function dialog(citizen)
  citizen:say("Kantor desa buka Senin sampai Jum’at, jam delapan pagi sampai jam tiga sore. Bawalah kartu keluarga.")
end

return {
  name = "quoted", api = 1, summary = "A mark that costs",
  triggers = { keywords = { JAM = "dialog" }, ussd = "4", menu = "Jam buka" },
  dialog = dialog,
}
