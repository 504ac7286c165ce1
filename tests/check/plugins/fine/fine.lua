-- fine.lua - nothing is wrong with it: a circle that can be left, records that may be taken, checks of what is read.

local function enter(citizen, settings)
  local text
  repeat
    text = citizen:ask("Apa usulan Anda?", { max = 60 })
  until citizen:confirm("Usulan: " .. text .. ". Benar?")
  local place = citizen:ask("Di mana?", { max = 30, optional = true })
  if not records.proposals:insert { text = text, place = place, area = citizen.area } then
    citizen:say("Anda sudah mengusulkan.")
  elseif records.proposals:get(citizen).text == text and records.proposals:count() > 0 then
    citizen:say("Tercatat. %s akan membacanya.", settings.office)
  end
end

local function list(citizen)
  if records.proposals:count() == 0 then
    citizen:say("Belum ada usulan.")
  else
    citizen:say("Terbaru: %s", records.proposals:find()[1].text)
  end
end

return {
  name = "fine", api = 1, summary = "Nothing is wrong",
  triggers = { keywords = { CATAT = "enter", USULAN = "list" }, ussd = { ["3"] = "enter" }, menu = "Usul" },
  needs = { "records" },
  records = { proposals = { text = "text", place = "text", area = "area", unique = { "citizen" } } },
  settings = { office = { "text", default = "Kantor desa", help = "Who reads it" } },
  dialogs = { enter = enter, list = list },
}
