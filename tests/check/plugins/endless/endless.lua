-- endless.lua - one answer leads into a circle that no answer leads out of.

local function dialog(citizen)
  if citizen:confirm("Sudah mendaftar?") then
    citizen:say("Terima kasih.")
    return
  end
  while true do
    citizen:ask("Siapa nama Anda?", { max = 40 })
  end
end

return {
  name = "endless", api = 1, summary = "Never ends",
  triggers = { keywords = { DAFTAR = "dialog" } },
  dialog = dialog,
}
