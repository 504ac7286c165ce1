-- survey.lua - the corpus' SURVEI.
return {
  name = "survey", api = 1, summary = "Asks citizens",
  triggers = { keywords = { SURVEI = "take" }, aliases = { SURVEY = "SURVEI" } },
  dialogs = { take = function(citizen) citizen:ask("Bagaimana?") end },
}
