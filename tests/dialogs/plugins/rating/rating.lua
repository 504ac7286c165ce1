-- rating.lua - a choice and a free answer: what most dialogs are made of.

local function dialog(citizen)
  local rating = citizen:choose("Bagaimana layanan kami?", { "Sangat puas", "Puas", "Cukup puas", "Tidak puas" })
  local advice = citizen:ask("Apa yang perlu diperbaiki?")
  citizen:say("Nilai %d, saran: %s.", rating, advice)
end

return {
  name = "rating", api = 1, summary = "A choice and a free answer",
  triggers = { keywords = { NILAI = "dialog", PENILAIAN = "dialog" }, ussd = "1", menu = "Penilaian layanan" },
  dialog = dialog,
}
