-- info.lua - the corpus' INFO.
return {
  name = "info", api = 1, summary = "Looks things up",
  triggers = { keywords = { INFO = "look_up" }, texts = { question = "look_up" } },
  dialogs = { look_up = function(citizen) citizen:ask("Tentang apa?") end },
}
