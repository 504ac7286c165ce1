-- tongues.lua - one language lacks a text, and one channel too.

local words = { id = "Selamat datang", en = "Welcome" }

local function dialog(citizen)
  citizen:say(words[citizen.language] .. ".")
  if citizen.channel == "ussd" then
    citizen:say(words[citizen.channel] .. ".")
  end
end

return {
  name = "tongues", api = 1, summary = "Lacks a text",
  triggers = { keywords = { HALO = "dialog" }, ussd = "1", menu = "Halo" },
  dialog = dialog,
}
