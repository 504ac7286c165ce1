-- optional.lua - questions that may be passed over.

local function note(citizen)
  local text = citizen:ask("Ada catatan?", { optional = true })
  local people = citizen:ask("Berapa orang?", { kind = "integer", min = 1, max = 20, optional = true })
  citizen:say("Catatan: %s. Orang: %s.", text or "(kosong)", people or "(kosong)")
end

-- 0 is an answer here, so it doesn't pass the question over.
local function children(citizen)
  local count = citizen:ask("Berapa anak?", { kind = "integer", min = 0, max = 20, optional = true })
  citizen:say("Anak: %s.", count or "(kosong)")
end

-- Longer than a screen.
local function guests(citizen)
  local count = citizen:ask("Undangan musyawarah desa dicetak oleh kantor desa dan diantar oleh ketua RT ke rumah Anda "
    .. "satu minggu sebelumnya, tanpa biaya. Satu undangan berlaku untuk satu orang saja. Berapa undangan?",
    { kind = "integer", min = 1, max = 20, optional = true })
  citizen:say("Undangan: %s.", count or "(kosong)")
end

return {
  name = "optional", api = 1, summary = "Questions that may be passed over",
  triggers = { keywords = { OPSI = "note", ANAK = "children", UNDANGAN = "guests" } },
  dialogs = { note = note, children = children, guests = guests },
}
