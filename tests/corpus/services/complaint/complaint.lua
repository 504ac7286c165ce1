-- complaint.lua - the corpus' LAPOR and CEK: only where a text goes matters here.

local function report(citizen) citizen:ask("Apa yang ingin dilaporkan?") end
local function status(citizen) citizen:ask("Kode laporan?") end

return {
  name = "complaint", api = 1, summary = "Complaints and their status",
  triggers = {
    keywords = {
      LAPOR = "report", ["LAPOR RAHASIA"] = "report", ["LAPOR ANONIM"] = "report", CEK = "status",
    },
    aliases = {
      ADUAN = "LAPOR", PENGADUAN = "LAPOR", KELUHAN = "LAPOR", ATUR = "LAPOR", MATUR = "LAPOR", STATUS = "CEK",
    },
    prefixes = { BJN = "report" },
    texts = { problem = "report", status = "status" },
  },
  dialogs = { report = report, status = status },
}
