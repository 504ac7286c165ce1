-- town.lua - two keywords that are near to each other.
return {
  name = "town", api = 1, summary = "Near keywords",
  triggers = { keywords = { BANJAR = "town", BANJIR = "flood" } },
  dialogs = {
    town = function(citizen) citizen:say("Kota.") end,
    flood = function(citizen) citizen:say("Air.") end,
  },
}
