-- faulty.lua - fails: by a mistake in its code, and by asking the store for ever.

local function mistake(citizen)
  records.kept:insert { text = "dibuang" }
  citizen:say("Ini tidak boleh terbaca.")
  return citizen.area.name -- she has no area
end

local function later(citizen)
  records.kept:insert { text = "disimpan" }
  local answer = citizen:ask("Teks?")
  records.kept:insert { text = "dibuang" }
  error("tidak bisa " .. answer)
end

local function reads(citizen, count)
  local sum = 0
  for _ = 1, count do
    sum = sum + records.kept:count()
  end
  citizen:say("Dibaca %d kali.", count)
end

local function hundred(citizen)
  reads(citizen, 100)
end

local function more(citizen)
  reads(citizen, 101)
end

local function apart(citizen)
  reads(citizen, 60)
  citizen:ask("Lagi?")
  reads(citizen, 60)
end

local function kept(citizen)
  citizen:say("Tersimpan: %d.", records.kept:count())
end

return {
  name = "faulty", api = 1, summary = "Fails",
  triggers = { keywords = {
    GAGAL = "mistake", NANTI = "later", SERATUS = "hundred", SERATUSSATU = "more", TERPISAH = "apart",
    TERSIMPAN = "kept",
  } },
  needs = { "records" },
  records = { kept = { text = "text" } },
  dialogs = { mistake = mistake, later = later, hundred = hundred, more = more, apart = apart, kept = kept },
}
