-- complaint.lua - the corpus' LAPOR and CEK: only where a text goes matters here.

local function report(citizen) citizen:ask("Apa yang ingin dilaporkan?") end
local function status(citizen) citizen:ask("Kode laporan?") end

return {
  name = "complaint", api = 1, summary = "Complaints and their status",
  triggers = {
    keywords = {
      LAPOR = "report", ADUAN = "report", PENGADUAN = "report", KELUHAN = "report", ATUR = "report", MATUR = "report",
      ["LAPOR RAHASIA"] = "report", ["LAPOR ANONIM"] = "report",
      CEK = "status", STATUS = "status",
    },
    prefixes = { BJN = "report" },
    texts = { problem = "report", status = "status" },
  },
  dialogs = { report = report, status = status },
}
