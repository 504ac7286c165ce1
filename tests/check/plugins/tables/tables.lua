-- tables.lua - records that nobody reads, an index that nobody uses.

local function dialog(citizen)
  local text = citizen:ask("Apa usulan Anda?", { max = 60 })
  records.notes:insert { text = text }
  records.proposals:insert { text = text, area = citizen.area }
  citizen:say("Ada %d usulan.", records.proposals:count())
end

return {
  name = "tables", api = 1, summary = "Records in vain",
  triggers = { keywords = { USUL = "dialog" } },
  needs = { "records" },
  records = {
    notes = { text = "text" },
    proposals = { text = "text", area = "area", index = { "area" } },
    votes = { number = "integer" },
  },
  dialog = dialog,
}
