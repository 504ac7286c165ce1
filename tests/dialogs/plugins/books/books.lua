-- books.lua - all that records can do.

-- BUKU number title: one of a citizen's own; a later one takes its place.
local function own(citizen, _, message)
  local pages, title = message.rest:match("^(%d+) (.+)$")
  records.own:put { pages = tonumber(pages), title = title }
  local row = records.own:get(citizen)
  citizen:say("%s, %d halaman. Semua: %d.", row.title, row.pages, records.own:count())
end

-- UNIK code: the first has it.
local function unique(citizen, _, message)
  local row, why = records.codes:insert { code = message.rest }
  citizen:say(row and "Baru: " .. row.code or "Ditolak: " .. why)
  citizen:say("Ada %d.", records.codes:count { code = message.rest })
end

local function fill()
  for i = 1, 9 do
    records.pages:insert { number = i, kind = i % 2 == 0 and "genap" or "ganjil", size = i * 1.5, done = i > 6 }
  end
end

local function numbers(rows)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = tostring(row.number)
  end
  return table.concat(out, " ")
end

-- What was written a moment ago is found at once.
local function find(citizen)
  local pages = records.pages
  fill()
  citizen:say("semua %s", numbers(pages:find()))
  citizen:say("genap %s", numbers(pages:find { kind = "genap" }))
  citizen:say("3-5 %s", numbers(pages:find { number = { min = 3, max = 5 } }))
  citizen:say("dari 8 %s", numbers(pages:find { number = { min = 8 } }))
  citizen:say("turun %s", numbers(pages:find({ kind = "ganjil" }, { order = "number", descending = true, limit = 3 })))
  citizen:say("besar %s", numbers(pages:find({ size = { max = 4.5 }, done = false }, { order = "size" })))
  citizen:say("tidak ada [%s]", numbers(pages:find { kind = "lain" }))
  citizen:say("hitung %d %d %d", pages:count(), pages:count { kind = "genap" },
    pages:count { number = { min = 7 }, done = true })
end

-- A question lies between the write and the reads.
local function own_writes(citizen)
  local before = records.notes:count()
  records.notes:insert { text = "satu" }
  local between = records.notes:count()
  records.notes:insert { text = citizen:ask("Catatan kedua?") }
  local texts = {}
  for i, row in ipairs(records.notes:find()) do
    texts[i] = row.text
  end
  citizen:say("Dulu %d, lalu %d, kini %d: %s.", before, between, records.notes:count(), table.concat(texts, ", "))
end

-- UBAH n title: changes one field of one's own, if there is one.
local function change(citizen, _, message)
  local row, why = records.own:update(citizen, { title = message.rest })
  if row then
    citizen:say("%s, %d halaman.", row.title, row.pages)
  else
    citizen:say("Belum ada buku (%s).", why)
  end
end

-- PINJAM title: two copies of each; the count is one for all citizens.
local function borrow(citizen, _, message)
  local out, why = records.loans:increment(message.rest, "out", 1, { max = 2 })
  if not out then
    citizen:say("Habis: %s.", why)
    return
  end
  if not citizen:confirm("Pinjam " .. message.rest .. "?") then
    out = records.loans:increment(message.rest, "out", -1, { min = 0 })
  end
  citizen:say("Dipinjam: %d. Ditemukan: %d.", out, records.loans:count { out = out })
end

-- All, in pages of four, both ways.
local function leaf(citizen)
  fill()
  for _, order in ipairs { "none", "kind" } do
    for _, descending in ipairs { false, true } do
      local out = {}
      local rows, cursor
      repeat
        rows, cursor = records.pages:find({ number = { min = 1 } }, {
          order = order ~= "none" and order or nil, descending = descending, limit = 4, after = cursor,
        })
        out[#out + 1] = numbers(rows)
      until not cursor
      citizen:say(table.concat(out, " | "))
    end
  end
end

-- How many of each.
local function totals(citizen)
  fill()
  local by_kind = records.pages:count({ number = { max = 8 } }, { by = "kind" })
  local by_number = records.pages:count(nil, { by = "number" })
  citizen:say("genap %d, ganjil %d, tiga %d", by_kind.genap, by_kind.ganjil, by_number[3])
  citizen:say("ga-gb %d", records.pages:count { kind = { min = "ga", max = "gb" } })
end

-- RIWAYAT text: what can't be changed later.
local function history(citizen, _, message)
  records.history:insert { what = message.rest }
  local ok, why = pcall(records.history.put, records.history, { what = "lain" })
  citizen:say("Catatan ke-%d. Ubah: %s %s", records.history:count(), ok, why:match("append_only"))
end

return {
  name = "books", api = 1, summary = "Records",
  triggers = { keywords = { BUKU = "own", UNIK = "unique", TEMUKAN = "find", CATATAN = "own_writes",
    UBAH = "change", PINJAM = "borrow", LEMBAR = "leaf", JUMLAH = "totals", RIWAYAT = "history" } },
  needs = { "records" },
  records = {
    own = { pages = "integer", title = "text", unique = { "citizen" } },
    codes = { code = "text", index = { "code" }, unique = { "code" } },
    pages = {
      number = "integer", kind = "text", size = "number", done = "boolean",
      index = { "number", "kind", "size", "done" },
    },
    notes = { text = "text" },
    loans = { title = "text", out = "integer", index = { "out" }, unique = { "title" } },
    history = { what = "text", append_only = true },
  },
  dialogs = { own = own, unique = unique, find = find, own_writes = own_writes,
    change = change, borrow = borrow, leaf = leaf, totals = totals, history = history },
}
