-- tiga.lua - two questions and a record, by SMS and on a screen.  For tests on the running program.

local function steps(citizen, settings)
  local name = citizen:ask(settings.question)
  local colour = citizen:choose("Warna apa?", { "Merah", "Putih" })
  records.rows:insert { name = name, colour = colour }
  citizen:say("Terima kasih, %s. Jawaban ke-%d.", name, records.rows:count { name = name })
end

return {
  name = "tiga", api = 1, summary = "Two questions, and how often the same name has answered",
  triggers = { keywords = { TIGA = "steps" }, ussd = { ["5"] = "steps" }, menu = "Tiga" },
  needs = { "records" },
  records = { rows = { name = "text", colour = "integer", index = { "name" } } },
  settings = { question = { "text", default = "Siapa nama Anda?", min = 1, max = 60, help = "What is asked first" } },
  dialogs = { steps = steps },
}
