-- satu.lua - one answer for each message, by SMS and on a screen.  For tests on the running program.

local function one(citizen, _, message)
  citizen:say("Satu %s.", message.rest or "")
end

local function screen(citizen)
  citizen:say("Layar terakhir.")
end

return {
  name = "satu", api = 1, summary = "One answer for each message",
  triggers = { keywords = { SATU = "one" }, ussd = { ["7"] = "screen" }, menu = "Satu" },
  dialogs = { one = one, screen = screen },
}
