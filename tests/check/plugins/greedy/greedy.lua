-- greedy.lua - works too long where the number is large.

local function dialog(citizen)
  local sum = 0
  for i = 1, citizen:ask("Sampai angka berapa?", { kind = "integer", min = 1, max = 10000000 }) do
    sum = sum + i
  end
  citizen:say("Jumlahnya %d.", sum)
end

return {
  name = "greedy", api = 1, summary = "Works too long",
  triggers = { keywords = { JUMLAH = "dialog" } },
  dialog = dialog,
}
