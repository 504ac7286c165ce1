-- ledger.lua - writes down what it is told and counts it, so that a test can see what was written how often.

-- One more entry of this citizen; answers how many there are now.  It reads what it has just written.
local function write(citizen, token)
  records.entries:insert { token = token }
  local count = records.counts:increment(citizen, "count")
  assert(records.counts:get(citizen).count == count)
  return count
end

local function note(citizen, _, message)
  local token = message.rest
  citizen:say("Tercatat %s nomor %d.", token, write(citizen, token))
end

local function question(citizen, _, message)
  local answer = citizen:ask("Apa isi " .. message.rest .. "?")
  citizen:say("Disimpan %s nomor %d.", answer, write(citizen, answer))
end

local function screen(citizen)
  local answer = citizen:ask("Apa isinya?")
  citizen:say("Disimpan %s nomor %d.", answer, write(citizen, answer))
end

return {
  name = "ledger",
  api = 1,
  summary = "Writes down and counts",
  triggers = { keywords = { CATAT = "note", TANYA = "question" }, ussd = { ["7"] = "screen" }, menu = "Buku" },
  needs = { "records" },
  records = {
    entries = { token = "text", index = { "token" } },
    counts = { count = "integer", unique = { "citizen" } },
  },
  dialogs = { note = note, question = question, screen = screen },
}
