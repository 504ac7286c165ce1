-- same.lua - answers that make no difference.

local function dialog(citizen)
  local about = citizen:choose("Tentang apa?", { "Jalan", "Air", "Listrik" })
  citizen:confirm("Apakah mendesak?")
  citizen:say(about == 1 and "Dinas jalan menjawab Anda." or "Kantor desa menjawab Anda.")
end

return {
  name = "same", api = 1, summary = "Asks in vain",
  triggers = { keywords = { TANYA = "dialog" } },
  dialog = dialog,
}
