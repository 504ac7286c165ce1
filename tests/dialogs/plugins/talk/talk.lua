-- talk.lua - several calls of say, and none at all.

local function talk(citizen)
  citizen:say("Satu.")
  citizen:say("Dua %s.", "setengah")
  local name = citizen:ask("Siapa nama Anda?")
  citizen:say("Halo %s.", name)
  citizen:say("100 % selesai.")
  citizen:say("Sampai jumpa.")
end

local function quiet(citizen)
  citizen:ask("Pesan Anda?")
end

return {
  name = "talk", api = 1, summary = "Says much, or nothing",
  triggers = { keywords = { BICARA = "talk", DIAM = "quiet" } },
  dialogs = { talk = talk, quiet = quiet },
}
