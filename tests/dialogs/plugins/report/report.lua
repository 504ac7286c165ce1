-- report.lua - two free answers; the first may come with the keyword.

local function dialog(citizen, _, message)
  local what = message.rest ~= "" and message.rest or citizen:ask("Apa yang ingin dilaporkan?")
  local where = citizen:ask("Di mana?")
  citizen:say("Laporan: %s, di %s.", what, where)
end

return {
  name = "report", api = 1, summary = "Two free answers",
  triggers = { keywords = { LAPOR = "dialog" }, ussd = "2", menu = "Lapor" },
  dialog = dialog,
}
