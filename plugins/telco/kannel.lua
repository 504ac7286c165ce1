-- kannel.lua - Kannel's smsbox: messages in by get-url (or post-url), out by sendsms, receipts by dlr-url.
--
-- Kannel returns no message id, so a receipt names ours: it stands in the dlr-url that goes with each message.
-- What to put into smsbox.conf stands in README.md.

-- Element identifiers of a user data header (3GPP TS 23.040, 9.2.3.24).
local CONCAT_8, CONCAT_16 = 0x00, 0x08
local PORTS_8, PORTS_16 = 0x04, 0x05
local SIM_FIRST, SIM_LAST = 0x70, 0x7F

-- What Kannel's charset (%C, or of the Content-Type) means; its coding (%c) decides where it names none.
local CHARSETS = {
  ["UTF-8"] = "utf8", ["US-ASCII"] = "utf8", ["ASCII"] = "utf8",
  ["UTF-16BE"] = "ucs2", ["UTF-16"] = "ucs2", ["UCS-2"] = "ucs2", ["UCS-2BE"] = "ucs2", ["ISO-10646-UCS-2"] = "ucs2",
  ["ISO-8859-1"] = "latin1", ["LATIN1"] = "latin1", ["WINDOWS-1252"] = "latin1", ["CP1252"] = "latin1",
}
local BINARY = "8-BIT"
local PLUS = ("+"):byte()

-- Reads a user data header: total, number and reference of a part, or nothing; the second result is why it is no text.
local function read_udh(udh)
  local at, total, number, ref = 2, nil, nil, nil
  local last = 1 + udh:byte(1)
  if last > #udh then return nil end
  while at + 1 <= last do
    local element, len = udh:byte(at, at + 1)
    local data = at + 2
    at = data + len
    if at - 1 > last then return nil end
    if element == CONCAT_8 and len == 3 then
      ref, total, number = udh:byte(data, data + 2)
    elseif element == CONCAT_16 and len == 4 then
      local high, low
      high, low, total, number = udh:byte(data, data + 3)
      ref = high * 256 + low
    elseif element == PORTS_8 or element == PORTS_16 or (element >= SIM_FIRST and element <= SIM_LAST) then
      return nil, "binary"
    end
  end
  if total and total > 1 and number >= 1 and number <= total then return total, number, ref end
  return nil
end

local function message(id, from, to, body, time, coding, charset, udh, smsc)
  local known = charset and CHARSETS[charset:upper()]
  if coding == "1" or charset == BINARY then return "ignore", "binary" end
  if not body then return "bad", "no text" end
  local result = {
    id = id, from = from, to = to, text = body, time = time, network = smsc,
    coding = known or (coding == "2" and "ucs2" or nil),
  }
  if udh and udh ~= "" then
    local total, number, ref = read_udh(udh)
    if number == "binary" then return "ignore", "binary" end
    result.part_total, result.part_number, result.part_ref = total, number, ref
  end
  return result
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- post-url: the text is the body, all else is in headers; there is no id.
local function posted(request)
  local headers = request.headers
  local charset = (headers["content-type"] or ""):match("charset=\"?([%w-]+)")
  local udh = headers["x-kannel-udh"]
  return message(nil, headers["x-kannel-from"], headers["x-kannel-to"], request.body, headers["x-kannel-time"],
    headers["x-kannel-coding"], charset, udh and unescape(udh), headers["x-kannel-smsc"])
end

local function sms(request)
  if request.method == "POST" then return posted(request) end
  local q = request.query
  return message(q.id, q.from, q.to, q.text, q.ts, q.coding, q.charset, q.udh, q.smsc)
end

-- What %d says; 64 and above tell nothing about delivery.
local STATUS = {
  ["1"] = "delivered", ["2"] = "failed", ["4"] = "sent", ["8"] = "sent", ["16"] = "rejected", ["32"] = "sent",
}
local REFINED = { EXPIRED = "expired", REJECTD = "rejected" }

-- %A holds the SMSC's own receipt: "id:… stat:EXPIRED err:001 text:…", or "NACK/0x0000000B/…".
-- Its text is the message's own words: left out.
local function receipt(request)
  local q = request.query
  local status = STATUS[q.st or ""]
  if not q.ref or q.ref == "" then return "bad", "no id" end
  if not status then return "ignore", "not about delivery" end
  local answer = q.a or ""
  local text_at = answer:lower():find(" text:", 1, true)
  if text_at then answer = answer:sub(1, text_at) end
  if q.st == "2" then status = REFINED[(answer:match("stat:(%w+)") or ""):upper()] or status end
  local code = answer:match("err:(%w+)") or answer:match("^NACK/([^/]+)")
  return { ref = q.ref, own_id = true, status = status, code = code }
end

-- Where Kannel reports on a message; "<own id>" becomes its id.  The same for all messages of a connection.
local function make_dlr_url(settings, connection)
  if settings.dlr_url or connection.public_url == "" then return settings.dlr_url end
  return connection.public_url .. "/telco/" .. connection.name .. "/receipt?key=" .. url.encode(settings.secret)
    .. "&ref=<own id>&st=%d&a=%A&fid=%F&ts=%T"
end

-- What is the same in each request, before and behind the message's id; made once, with the first message.
local before, behind, names_id

local function prepare(settings, connection)
  local report = make_dlr_url(settings, connection)
  local first = settings.send_url .. (settings.send_url:find("?", 1, true) and "&" or "?") .. url.query(
    "username", settings.username, "password", settings.password, "smsc", settings.smsc,
    "dlr-mask", report and tostring(settings.dlr_mask), "dlr-url", report)
  local from, to = first:find(url.encode("<own id>"), 1, true)
  before = from and first:sub(1, from - 1) or first
  behind = (to and first:sub(to + 1) or "") .. "&"
  names_id = from ~= nil
end

-- Kannel turns what GSM 03.38 lacks into "?", so the coding is chosen here; UCS-2 goes as bytes, which needs no iconv.
local function outbound(out, settings, connection)
  if out.token then return nil, "Kannel sends to numbers only" end
  if not before then prepare(settings, connection) end
  local to = out.to
  if to:byte(1) == PLUS then to = to:sub(2) end
  local wide = out.coding == "ucs2"
  return "GET", before .. (names_id and out.id or "") .. behind .. url.query("from", out.from, "to", to,
    "coding", wide and "2" or nil, "text", wide and text.to_ucs2(out.text) or out.text)
end

-- One line of plain text says what came of it; 403 is both bad credentials and no route.
local function outcome(response)
  local status, body = response.status, response.body
  if status == 202 or status == 200 then
    return body:find("Denied receivers", 1, true) and "partial" or "accepted"
  end
  if status == 403 then
    return body:find("Not routable", 1, true) and "permanent" or "auth"
  end
  if status == 404 then return "config" end
  return status_outcome(status)
end

return {
  name = "kannel",
  summary = "Kannel 1.4: sendsms, get-url and dlr-url of smsbox",
  settings = {
    secret = { "secret", required = true, min = 22, help = "stands as key= in get-url; made by chance" },
    secret_before = { "secret", min = 22, help = "also taken, while get-url is being changed to a new key" },
    send_url = { "url", default = "http://127.0.0.1:13013/cgi-bin/sendsms", help = "sendsms of smsbox" },
    username = { "string", required = true, help = "username of Kannel's group sendsms-user" },
    password = { "secret", required = true, help = "its password" },
    smsc = { "string", help = "smsc-id to send through; Kannel chooses where it is left out" },
    dlr_mask = { "number", default = 27, min = 1, max = 63, help = "1 delivered, 2 failed, 8 sent, 16 refused" },
    dlr_url = { "string", help = "dlr-url instead of the gateway's own; <own id> becomes the message's id" },
  },
  verify = function(request, settings)
    local key = request.key
    return equal(key, settings.secret) or equal(key, settings.secret_before), "wrong key"
  end,
  inbound = { sms = sms, receipt = receipt },
  outbound = outbound,
  outcome = outcome,
  limits = { tps = 0, in_flight = 16, splits = true },
}
