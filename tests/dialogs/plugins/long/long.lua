-- long.lua - texts of more than one screen, and of more than three segments.

local function lines(count)
  local out = {}
  for i = 1, count do
    out[i] = string.format("Baris ke-%02d dari cerita yang panjang sekali.", i)
  end
  return table.concat(out, "\n")
end

local function story(citizen)
  citizen:say(lines(25))
end

local function rules(citizen)
  citizen:say(lines(12))
  local agreed = citizen:choose("Anda setuju?", { "Setuju", "Menolak" })
  local note = citizen:ask("Catatan Anda?")
  citizen:say("Jawaban %d, %s.", agreed, note)
end

local function present(citizen)
  citizen:say(lines(12))
  local count = citizen:ask("Berapa yang hadir?", { kind = "integer", min = 1, max = 500, optional = true })
  citizen:say("Hadir: %s.", count or "(kosong)")
end

return {
  name = "long", api = 1, summary = "Long texts",
  triggers = {
    keywords = { CERITA = "story", SYARAT = "rules", HADIR = "present" },
    ussd = { ["4"] = "story", ["5"] = "rules" }, menu = { ["4"] = "Cerita", ["5"] = "Syarat dan ketentuan" },
  },
  dialogs = { story = story, rules = rules, present = present },
}
