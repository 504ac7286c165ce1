-- hall.lua - takes what comes without a keyword: problems, questions, news of a report.

local function report(citizen, _, message)
  if message.keyword == "" and not citizen:confirm("Anda ingin melapor: " .. message.rest .. "?") then
    return citizen:say("Baik, tidak dicatat.")
  end
  citizen:say("Dicatat: %s.", message.rest)
end

local function look_up(citizen, _, message)
  citizen:say("[%s] Dicari: %s.", message.keyword, message.rest)
end

local function status(citizen, _, message)
  citizen:say("[%s] Kode: %s.", message.keyword, message.rest)
end

return {
  name = "hall", api = 1, summary = "A town hall that listens",
  triggers = {
    keywords = { LAPOR = "report", ["LAPOR RAHASIA"] = "report", INFO = "look_up", CEK = "status" },
    aliases = { ADUAN = "LAPOR", STATUS = "CEK" },
    prefixes = { BJN = "report" },
    texts = { problem = "report", question = "look_up", status = "status" },
  },
  dialogs = { report = report, look_up = look_up, status = status },
}
