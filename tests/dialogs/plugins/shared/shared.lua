-- shared.lua - a local at file level belongs to one dialog, and so does what a required part keeps.

local box = require "box"

local seen = 0

local function dialog(citizen)
  seen = seen + 1
  box.put()
  local first, boxed = seen, box.count
  citizen:ask(string.format("Sudah dilihat %d kali, di kotak %d.", first, boxed))
  seen = seen + 1
  box.put()
  citizen:say("Sudah dilihat %d lalu %d kali, di kotak %d lalu %d.", first, seen, boxed, box.count)
end

return {
  name = "shared", api = 1, summary = "What is not shared",
  triggers = { keywords = { BERSAMA = "dialog" } },
  dialog = dialog,
}
