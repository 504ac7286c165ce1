-- kinds.lua - answers of every kind, and dialogs that call others.

local function born(citizen)
  return citizen:ask("Tanggal lahir?", { kind = "date", min = "1920-01-01", max = date("%Y-%m-%d") })
end

local function area(citizen, unit)
  return citizen:ask("Luas dalam " .. unit .. "?", { kind = "decimal", min = 0.5, max = 1000 })
end

local function data(citizen)
  local day = citizen:call(born)
  local size, unit = citizen:call(area, "hektar"), "ha"
  local phone = citizen:ask("Nomor telepon?", { kind = "phone", optional = true })
  citizen:say("%s; %.2f %s; %s", day, size, unit, phone or "tanpa telepon")
end

local function needs(citizen)
  local list = citizen:choose("Apa yang perlu?", { "Jalan", { "Air", value = "water" }, "Lampu" }, { many = true })
  for i, one in ipairs(list) do
    list[i] = tostring(one)
  end
  citizen:say("Perlu: %s.", table.concat(list, ", "))
end

local function any(citizen)
  citizen:say("Dipilih: %s.", citizen:choose("Pilih calon", {
    { "Anggrek", value = "a" }, { "Bakung", value = "b" }, { "Cempaka", value = "c" }, { "Dahlia", value = "d" },
    { "Edelweis", value = "e" }, { "Flamboyan", value = "f" }, { "Gading", value = "g" }, { "Hortensia", value = "h" },
  }, { order = "random" }))
end

local function me(citizen)
  citizen:say("Dulu %s.", citizen.name or "tanpa nama")
  citizen:set { name = citizen:ask("Nama?", { max = 60 }), area = "35.22.01", language = "jv" }
  citizen:say("%s, %s, %s.", citizen.name, citizen.area, citizen.language)
  if citizen:confirm("Benar?") then
    citizen:set { name = "" }
    citizen:say("%s; %s.", citizen.name or "tanpa nama", citizen.language)
  end
end

return {
  name = "kinds", api = 1, summary = "Kinds of answers",
  triggers = { keywords = { DATA = "data", PERLU = "needs", CALON = "any", SAYA = "me" },
    ussd = { ["8"] = "any", ["9"] = "needs" }, menu = { ["8"] = "Calon", ["9"] = "Keperluan" } },
  dialogs = { data = data, needs = needs, any = any, me = me },
}
