-- varied.lua - fails with one value of a setting, and only then asks.

local greetings = { short = "Halo.", long = "Selamat datang." }

local function dialog(citizen, settings)
  citizen:say(greetings[settings.greeting])
  if settings.ask then
    citizen:confirm("Lanjut?")
  end
end

return {
  name = "varied", api = 1, summary = "Depends on settings",
  triggers = { keywords = { SAPA = "dialog" } },
  settings = {
    greeting = { "choice", choices = { "short", "long", "warm" }, default = "short", help = "The greeting" },
    ask = { "boolean", default = false, help = "Whether they are asked" },
  },
  dialog = dialog,
}
