-- @NAME@.lua - asks citizens two questions and keeps what they answer.

local function dialog(citizen, settings)
  local rating = citizen:choose(settings.question, { "Puas", "Cukup puas", "Tidak puas" })
  local reason = citizen:ask("Mengapa?", { max = 160, optional = true })
  records.answers:put { rating = rating, reason = reason }
  citizen:say(settings.thanks)
end

return {
  name = "@NAME@", api = 1, summary = "Asks citizens two questions",
  triggers = { keywords = { @KEYWORD@ = "dialog" }, ussd = "@NUMBER@", menu = "@LABEL@" },
  needs = { "records" },
  records = { answers = { rating = "integer", reason = "text", index = { "rating" }, unique = { "citizen" } } },
  settings = {
    question = { "text", default = "Bagaimana pelayanan kami?", min = 1, max = 120, help = "What is asked first" },
    thanks = { "text", default = "Terima kasih atas jawaban Anda.", min = 1, max = 120, help = "What is said afterwards" },
  },
  dialog = dialog,
}
