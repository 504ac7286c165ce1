-- counting.lua - asks more questions than anybody answers.

local function dialog(citizen)
  for i = 1, 1000 do
    citizen:confirm(string.format("Pertanyaan %d?", i))
  end
end

return {
  name = "counting", api = 1, summary = "A thousand questions",
  triggers = { keywords = { BANYAK = "dialog" } },
  dialog = dialog,
}
