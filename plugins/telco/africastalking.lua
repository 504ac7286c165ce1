-- africastalking.lua - Africa's Talking: SMS both ways, delivery reports, USSD.
--
-- Nothing is signed: a secret in the callback's URL tells who calls.  A USSD request carries the whole input of its
-- session; what is new in it is found by the host, which keeps the text before.

local HOST = { bulk = "https://api.africastalking.com", premium = "https://content.africastalking.com",
  sandbox = "https://api.sandbox.africastalking.com" }

-- The same word is written in two ways, by sending and by reports.
local function barred(word)
  return word ~= nil and word:lower() == "userinblacklist"
end

-- A citizen who leaves a list there has said STOP: it is handed on as the word itself.
local function stopped(form)
  return { from = form.phoneNumber, to = form.senderId or form.shortCode, text = "STOP" }
end

local function sms(request)
  local form = request.form
  if not form.from and form.phoneNumber then
    if form.senderId and not form.updateType then return stopped(form) end
    if form.updateType and form.updateType:lower() == "deletion" then return stopped(form) end
    if form.updateType then return "ignore", "subscription" end
  end
  if not form.from then return "bad", "no sender" end
  if not form.text then return "bad", "no text" end
  local link = form.linkId
  return { id = form.id, from = form.from, to = form.to, text = form.text, time = form.date, network = form.networkCode,
    meta = link and link ~= "" and { linkId = link } or nil }
end

local STATUS = { Sent = "sent", Submitted = "sent", Buffered = "sent", Success = "delivered", Failed = "failed",
  Rejected = "rejected", Expired = "expired" }

local function receipt(request)
  local form = request.form
  local status = STATUS[form.status or ""]
  if not form.id or form.id == "" then return "bad", "no id" end
  if not status then return "ignore", "unknown status" end
  return { ref = form.id, status = status, code = form.failureReason, opted_out = barred(form.failureReason) }
end

local REASON = { Success = "completed", Incomplete = "incomplete", Failed = "failed" }

-- The end of a session comes as a notice of its own, with a status and without a text.
local function ussd(request)
  local form = request.form
  if not form.phoneNumber then return "bad", "no sender" end
  local result = { session = form.sessionId, from = form.phoneNumber, to = form.serviceCode, network = form.networkCode,
    cumulative = true }
  if form.status and not form.text then
    result.event, result.text, result.time = "end", "", form.date
    result.meta = { reason = REASON[form.status] or "failed" }
  else
    result.text = form.text or ""
    result.event = result.text == "" and "start" or "input"
    result.step = result.text
  end
  return result
end

local PLAIN = { ["Content-Type"] = "text/plain" }

local function screen(text_, more)
  if not text_ then return 200, PLAIN, "" end
  return 200, PLAIN, (more and "CON " or "END ") .. text_
end

local function outbound(out, settings)
  if out.token then return nil, "Africa's Talking sends to numbers only" end
  local premium = settings.premium
  local host = settings.username == "sandbox" and HOST.sandbox or premium and HOST.premium or HOST.bulk
  local link = premium and out.meta.linkId or nil
  local form = url.query("username", settings.username, "to", out.to, "message", out.text, "from", out.from,
    "bulkSMSMode", premium and "0" or nil, "keyword", premium and settings.keyword or nil, "linkId", link)
  return "POST", settings.url or host .. "/version1/messaging", {
    apikey = settings.api_key, Accept = "application/json", ["Content-Type"] = "application/x-www-form-urlencoded",
  }, form
end

-- By statusCode of the one recipient; what isn't listed is judged by its hundred.
local CODES = { ["401"] = "permanent", ["402"] = "config", ["403"] = "permanent", ["404"] = "permanent",
  ["405"] = "insufficient_funds", ["406"] = "permanent", ["407"] = "temporary", ["409"] = "permanent" }
local HUNDREDS = { ["1"] = "accepted", ["4"] = "permanent", ["5"] = "temporary" }
local MESSAGES = { InvalidSenderId = "config", InsufficientBalance = "insufficient_funds" }

local function by_code(code)
  return CODES[code] or (#code == 3 and HUNDREDS[code:sub(1, 1)]) or "unknown"
end

-- 201 says only that the request was understood: the recipient's own code tells.
local function outcome(response)
  local status = response.status
  if status < 200 or status > 299 then return status_outcome(status) end
  local answer = response.json
  local data = type(answer) == "table" and answer.SMSMessageData
  if type(data) ~= "table" then return "unknown" end
  local recipient = type(data.Recipients) == "table" and data.Recipients[1]
  if type(recipient) ~= "table" then
    local word = type(data.Message) == "string" and data.Message:match("^%w+$") or nil
    return MESSAGES[word or ""] or "unknown", { code = word }
  end
  local code, id = tostring(recipient.statusCode), recipient.messageId
  if type(id) ~= "string" or id == "None" then id = nil end
  return by_code(code), { code = code, provider_id = id, opted_out = code == "406" or barred(recipient.status) }
end

return {
  name = "africastalking",
  summary = "Africa's Talking: SMS and USSD",
  settings = {
    secret = { "secret", required = true, min = 22, help = "stands as key= in the callback URLs; made by chance" },
    secret_before = { "secret", min = 22, help = "also taken, while the callback URLs are being changed to a new key" },
    username = { "string", required = true, help = "the account's; \"sandbox\" goes to the sandbox" },
    api_key = { "secret", required = true, help = "the account's API key" },
    premium = { "boolean", default = false, help = "whether answers are premium messages, with the keyword below" },
    keyword = { "string", help = "the premium keyword" },
    url = { "url", help = "where messages are sent, instead of Africa's Talking's own address" },
  },
  verify = function(request, settings)
    local key = request.key
    return equal(key, settings.secret) or equal(key, settings.secret_before), "wrong key"
  end,
  inbound = { sms = sms, ussd = ussd, receipt = receipt },
  answer = { ussd = screen },
  outbound = outbound,
  outcome = outcome,
  limits = { tps = 30, in_flight = 16, ussd_chars = 182, ussd_seconds = 10, splits = true },
}
