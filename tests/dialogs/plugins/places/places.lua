-- places.lua - rows of a table of data, by their code and by words.

local places = tables.places

local function line(row)
  return row.name .. ", kec. " .. row.district
end

-- KODE code: the row of a key.
local function by_code(citizen, _, message)
  local row = places:get(message.rest)
  citizen:say(row and line(row) or "Tidak ada kode " .. message.rest .. ".")
end

-- CARI words: the best, or a question where it isn't sure.
local function by_words(citizen, _, message)
  local found, scores = places:search(message.rest, { limit = 3 })
  if #found == 0 then
    citizen:say("%s tidak ditemukan.", message.rest)
    return
  end
  local row = found[1]
  if #found > 1 and scores[1] - scores[2] < 5 then
    local options = {}
    for i, other in ipairs(found) do
      options[i] = line(other)
    end
    row = found[citizen:choose("Yang mana?", options)]
  end
  citizen:say("%s: %s", row.code, line(row))
  local phone = tables.phones:get(row.code)
  citizen:say(phone and "Telepon " .. phone.phone or "Tanpa telepon.")
end

-- TANDAI words: look-ups between what is said, written, read and asked.
local function mark(citizen, _, message)
  citizen:say("Mencari %s.", message.rest)
  local row = places:search(message.rest)[1]
  citizen:say("Ditemukan %s.", row.name)
  records.marks:put { code = row.code }
  local again = places:get(row.code)
  local count = records.marks:count()
  local phone = tables.phones:get(row.code)
  local why = citizen:ask(again.name .. ", ditandai " .. count .. ", " .. (phone and phone.phone or "-") .. ". Kenapa?")
  local other = places:search(why)[1]
  citizen:say("%s: %s. %d.", row.name, other and other.name or "tidak ada", records.marks:count())
end

return {
  name = "places", api = 1, summary = "Tables of data",
  triggers = { keywords = { KODE = "by_code", CARI = "by_words", TANDAI = "mark" } },
  needs = { "records" },
  records = { marks = { code = "text", unique = { "citizen" } } },
  tables = {
    places = { file = "places.csv", key = "code", search = { "name", "district" } },
    phones = { file = "phones.csv", key = "code" },
  },
  dialogs = { by_code = by_code, by_words = by_words, mark = mark },
}
