-- broken.lua - a mistake in the manifest.

return {
  name = "broken", api = 1, summary = "Not loaded",
  triggers = { keywords = { RUSAK = "dialog" } },
  colour = "red",
  dialog = function() end,
}
