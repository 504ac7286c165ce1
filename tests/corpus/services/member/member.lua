-- member.lua - the corpus' REG.
return {
  name = "member", api = 1, summary = "Takes part",
  triggers = { keywords = { REG = "join", DAFTAR = "join", GABUNG = "join", IKUT = "join", MULAI = "join" } },
  dialogs = { join = function(citizen) citizen:ask("Nama?") end },
}
