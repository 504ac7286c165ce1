-- @NAME@.lua - tells citizens what they choose to know.

local function dialog(citizen, settings)
  local topic = citizen:choose("Informasi apa yang Anda cari?", {
    { "Jam buka", value = "hours" },
    { "Alamat", value = "address" },
    { "Telepon", value = "phone" },
  })
  citizen:say(settings[topic])
end

return {
  name = "@NAME@", api = 1, summary = "Tells citizens what they choose to know",
  triggers = { keywords = { @KEYWORD@ = "dialog" }, ussd = "@NUMBER@", menu = "@LABEL@" },
  settings = {
    hours = { "text", default = "Kantor buka Senin sampai Jumat, 08.00-15.00.", min = 1, max = 300, help = "When it is open" },
    address = { "text", default = "Jalan Merdeka 1.", min = 1, max = 300, help = "Where it is" },
    phone = { "text", default = "Telepon: 112.", min = 1, max = 300, help = "How to call it" },
  },
  dialog = dialog,
}
