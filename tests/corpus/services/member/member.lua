-- member.lua - the corpus' REG.
return {
  name = "member", api = 1, summary = "Takes part",
  triggers = {
    keywords = { REG = "join" },
    aliases = { DAFTAR = "REG", GABUNG = "REG", IKUT = "REG", MULAI = "REG" },
  },
  dialogs = { join = function(citizen) citizen:ask("Nama?") end },
}
