-- clock.lua - the time and what comes by chance are the same however often the dialog is replayed.

local function dialog(citizen, _, message)
  local began, ticket, number = now(), code(), random(1000000)
  citizen:say("Saat %d, kode %s, angka %d.", began - message.time, ticket, number)
  citizen:ask("Tulis sesuatu.")
  local later, other = now(), code()
  citizen:say("%d detik kemudian, kode kedua %s.", later - began, other)
  citizen:ask("Sekali lagi.")
  citizen:say("Kode %s, angka %d, kode kedua %s, %d dan %d detik kemudian.", ticket, number, other, later - began,
    now() - began)
end

return {
  name = "clock", api = 1, summary = "Time and chance",
  triggers = { keywords = { JAMBERAPA = "dialog" } },
  dialog = dialog,
}
