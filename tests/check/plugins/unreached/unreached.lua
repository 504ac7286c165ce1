-- unreached.lua - nothing leads to one of its dialogs.

local function take(citizen)
  citizen:say("Baik.")
end

local function results(citizen)
  citizen:say("Belum ada.")
end

return {
  name = "unreached", api = 1, summary = "A dialog for nobody",
  triggers = { keywords = { AMBIL = "take" } },
  dialogs = {
    take = take,
    results = results,
  },
}
