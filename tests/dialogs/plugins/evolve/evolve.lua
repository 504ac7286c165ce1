-- evolve.lua - as it was at first: plugins-later has it as it is afterwards.

local words = require "words"
local greeting = require "lib.greeting"

local function dialog(citizen, settings)
  local first = citizen:ask(settings.question .. " (kode lama)")
  local second = citizen:ask(words.second)
  citizen:say("%s %s, %s. %s", greeting.hello, first, second, settings.thanks)
  citizen:say("Kode lama.")
end

return {
  name = "evolve", api = 1, summary = "Its code changes",
  triggers = { keywords = { VERSI = "dialog" }, ussd = "30", menu = "Versi" },
  settings = {
    question = { "text", default = "Apa kabar?", help = "What is asked" },
    thanks = { "text", default = "Terima kasih.", help = "What is said afterwards" },
  },
  dialog = dialog,
}
