-- agree.lua - a question for yes or no.

local function dialog(citizen)
  citizen:say(citizen:confirm("Setuju?") and "Anda setuju." or "Anda tidak setuju.")
end

return {
  name = "agree", api = 1, summary = "Yes or no",
  triggers = { keywords = { SETUJU = "dialog" } },
  dialog = dialog,
}
