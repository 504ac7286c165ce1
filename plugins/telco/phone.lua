-- phone.lua - the simulated phones of the gateway itself: `kentongan chat` and the console's phone.
--
-- They come through the same listener and the same path as a telco; a secret that only this machine's
-- operator can read lets them in.  All bodies are JSON.

local JSON = { ["Content-Type"] = "application/json" }

local function sms(request)
  local body = request.json
  if type(body) ~= "table" then return "bad", "not a JSON object" end
  return { id = body.id, from = body.from, to = body.to, text = body.text or "" }
end

local function event(body)
  if body["end"] == true then return "end" end
  return body.input == nil and "start" or "input"
end

local function ussd(request)
  local body = request.json
  if type(body) ~= "table" then return "bad", "not a JSON object" end
  return { session = body.session, from = body.from, to = body.code, text = body.input or "", event = event(body),
    step = body.step or "0" }
end

local function receipt(request)
  local body = request.json
  if type(body) ~= "table" then return "bad", "not a JSON object" end
  return { ref = body.ref, own_id = true, status = body.status }
end

local function screen(words, more)
  return 200, JSON, json.encode { text = words or "", more = more and words ~= nil }
end

local function outbound(message, settings)
  return "POST", settings.url, { ["Content-Type"] = "application/json", ["X-Kentongan-Secret"] = settings.secret },
    json.encode { id = message.id, from = message.from, to = message.to, text = message.text }
end

local function outcome(response)
  local status = response.status
  if status ~= 202 then return status_outcome(status) end
  local answer = response.json
  return "accepted", { provider_id = type(answer) == "table" and answer.id or nil }
end

return {
  name = "phone",
  summary = "The gateway's own simulated phones",
  settings = {
    secret = { "secret", required = true, min = 22, help = "what a phone shows in the header X-Kentongan-Secret" },
    url = { "url", default = "http://127.0.0.1:8081/phone/send", help = "where the phones take what is sent to them" },
  },
  verify = function(request, settings)
    return equal(request.headers["x-kentongan-secret"], settings.secret), "wrong secret"
  end,
  inbound = { sms = sms, ussd = ussd, receipt = receipt },
  answer = { ussd = screen },
  outbound = outbound,
  outcome = outcome,
  limits = { tps = 0, in_flight = 64, ussd_chars = 182, ussd_seconds = 10, splits = true },
}
