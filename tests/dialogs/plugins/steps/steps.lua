-- steps.lua - a long dialog of every kind of call, to be replayed after each of its steps.

local function names(rows)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = row.name .. "/" .. row.answer
  end
  return table.concat(out, " ")
end

local function dialog(citizen, settings, message)
  local began, log = now(), { message.rest }
  local name = citizen:ask("Satu: nama?")
  records.marks:insert { name = name, answer = 0 }
  citizen:say("Tanda: %d.", records.marks:count())
  local letter = citizen:choose("Dua: huruf?", { "Alif", { "Ba", value = "b" } })
  records.marks:insert { name = name, answer = 1 }
  log[#log + 1] = names(records.marks:find({}, { order = "answer" }))
  local yes = citizen:confirm("Tiga: benar?")
  local row, why = records.keys:insert { key = name }
  log[#log + 1] = row and row.key or why
  local number = citizen:ask("Empat: angka?", { kind = "integer", min = 0, max = 9 })
  row, why = records.keys:insert { key = name }
  log[#log + 1] = row and row.key or why
  local ticket, chance = code(), random(100)
  citizen:say("Kode %s, %d.", ticket, chance)
  local note = citizen:ask("Lima: catatan?", { optional = true })
  records.own:put { note = note or "-", number = number }
  local own = records.own:get(citizen)
  local more = citizen:ask(settings.last)
  records.own:put { note = more, number = own.number + 1 }
  own = records.own:get(citizen)
  citizen:say("%s %s %s %d %s %s", name, letter, tostring(yes), number, note or "kosong", more)
  citizen:say(table.concat(log, "; "))
  citizen:say("%s %d; kode %s, %d; sesudah %d hari", own.note, own.number, ticket, chance, (now() - began) // 86400)
end

return {
  name = "steps", api = 1, summary = "A long dialog",
  triggers = { keywords = { LANGKAH = "dialog" }, ussd = "20", menu = "Langkah" },
  needs = { "records" },
  settings = { last = { "text", default = "Enam: yang terakhir?", help = "The last question" } },
  records = {
    marks = { name = "text", answer = "integer", index = { "answer" } },
    keys = { key = "text", unique = { "key" } },
    own = { note = "text", number = "integer", unique = { "citizen" } },
  },
  dialog = dialog,
}
