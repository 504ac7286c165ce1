-- gema.lua - says back what it is told: short, long, and in any alphabet.  For tests on the running program.

local SENTENCE = "Kalimat ini diulang supaya pesannya menjadi panjang. "

local function echo(citizen)
  local words = citizen:ask("Apa yang diulang?")
  citizen:say("Anda menulis: %s", words)
end

local function long(citizen)
  citizen:say("%s", SENTENCE:rep(7))
end

local function wide(citizen)
  citizen:say("%s", ("Halo 😀 dunia. "):rep(10))
end

return {
  name = "gema", api = 1, summary = "Says back what it is told",
  triggers = { keywords = { GEMA = "echo", PANJANG = "long", LEBAR = "wide" } },
  dialogs = { echo = echo, long = long, wide = wide },
}
