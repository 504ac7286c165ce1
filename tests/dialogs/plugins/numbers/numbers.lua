-- numbers.lua - whole numbers with bounds; one question is longer than a screen, and keys that page are answers to it.

local function age(citizen)
  citizen:say("Umur %d.", citizen:ask("Berapa umur Anda?", { kind = "integer", min = 1, max = 120 }))
end

local function degrees(citizen)
  citizen:say("Suhu %d.", citizen:ask("Berapa derajat?", { kind = "integer", min = -10, max = 50 }))
end

local function house(citizen)
  local number = citizen:ask("Nomor rumah dipakai untuk mengirim surat undangan musyawarah desa, dan tidak diberikan "
    .. "kepada siapa pun di luar kantor desa. Surat dikirim satu kali setahun saja, "
    .. "pada bulan Juni. Berapa nomor rumah Anda?",
    { kind = "integer", min = 0, max = 999 })
  citizen:say("Rumah %d.", number)
end

return {
  name = "numbers", api = 1, summary = "Whole numbers",
  triggers = {
    keywords = { UMUR = "age", SUHU = "degrees", RUMAH = "house" },
    ussd = { ["3"] = "house" }, menu = "Nomor rumah",
  },
  dialogs = { age = age, degrees = degrees, house = house },
}
