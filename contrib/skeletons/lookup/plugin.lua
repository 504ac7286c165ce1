-- @NAME@.lua - takes a request, gives a code, and tells by the code what was asked for.

local function take(citizen)
  local title = citizen:ask("Apa permohonan Anda?", { max = 160 })
  local row = records.requests:insert { code = code(), title = title }
  citizen:say("Permohonan Anda tercatat dengan kode %s. Kirim @KEYWORD@ %s untuk melihatnya.", row.code, row.code)
end

local function look(citizen, _, message)
  local wanted = message.rest ~= "" and message.rest or citizen:ask("Apa kode Anda? Belum punya: kirim -", { optional = true })
  if not wanted then
    return take(citizen)
  end
  local row = records.requests:get(wanted:upper())
  if row then
    citizen:say("%s: %s", row.code, row.title)
  else
    citizen:say("Kode %s tidak ada.", wanted)
  end
end

return {
  name = "@NAME@", api = 1, summary = "Takes requests, and tells by a code what was asked for",
  triggers = { keywords = { @KEYWORD@ = "look" }, ussd = "@NUMBER@", menu = "@LABEL@" },
  needs = { "records" },
  records = { requests = { code = "text", title = "text", unique = { "code" } } },
  dialogs = { look = look },
}
