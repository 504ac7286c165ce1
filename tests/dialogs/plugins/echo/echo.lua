-- echo.lua - says what a dialog is told of the message that began it, and how long an answer was.

local function message_of(citizen, _, message)
  citizen:say("kata=%s sisa=%s teks=%s lewat=%s/%s", message.keyword, message.rest, message.text, message.channel,
    citizen.channel)
end

local function answer(citizen, _, message)
  local text = citizen:ask("Tulis sesuatu.")
  citizen:say("%d huruf, %d byte: %s", utf8.len(text), #text, #text < 200 and text or "(panjang)")
  citizen:say("Lewat %s, sekarang %s.", message.channel, citizen.channel)
end

local function length(citizen, _, message)
  citizen:say("Sisa: %d huruf.", utf8.len(message.rest))
end

return {
  name = "echo", api = 1, summary = "Says what it hears",
  triggers = {
    keywords = { GEMA = "message_of", TIRUKAN = "answer", PANJANG = "length" },
    ussd = { ["11"] = "message_of", ["12"] = "answer" },
    menu = { ["11"] = "Gema dari apa yang Anda tekan", ["12"] = "Tirukan apa yang Anda tulis" },
  },
  dialogs = { message_of = message_of, answer = answer, length = length },
}
