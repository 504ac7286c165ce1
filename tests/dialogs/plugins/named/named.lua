-- named.lua - has several dialogs, of which one is named as a single one would be.

local function dialog(citizen)
  citizen:say("Satu.")
end

local function another(citizen)
  citizen:say("Dua.")
end

return {
  name = "named", api = 1, summary = "A dialog named dialog",
  triggers = { keywords = { BERNAMA = "dialog", TAKBERNAMA = "another" } },
  dialogs = { dialog = dialog, another = another },
}
