-- evolve.lua - as it is afterwards: another order of questions, one more of them.

local words = require "words"
local greeting = require "lib.greeting"

local function dialog(citizen, settings)
  local second = citizen:choose(words.second, { "Di kota", "Di desa" })
  local first = citizen:ask(settings.question .. " (kode baru)")
  local third = citizen:ask("Kapan?")
  citizen:say("%s %s, %d, %s. %s", greeting.hello, first, second, third, settings.thanks)
  citizen:say("Kode baru.")
end

return {
  name = "evolve", api = 1, summary = "Its code has changed",
  triggers = { keywords = { VERSI = "dialog" }, ussd = "30", menu = "Versi" },
  settings = {
    question = { "text", default = "Apa kabar?", help = "What is asked" },
    thanks = { "text", default = "Terima kasih.", help = "What is said afterwards" },
  },
  dialog = dialog,
}
