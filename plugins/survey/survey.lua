-- survey.lua - asks one question with a few answers to choose from, and tells how all have answered.

local function options_of(settings)
  local options = {}
  for option in settings.options:gmatch("%s*([^;]*[^;%s])") do -- without the blanks around it
    options[#options + 1] = option
  end
  return options
end

local function take(citizen, settings)
  local rating = citizen:choose(settings.question, options_of(settings))
  local row = { rating = rating, area = citizen.area }
  if settings.replace then
    records.answers:put(row)
  elseif not records.answers:insert(row) then
    citizen:say("Anda sudah pernah menjawab. Terima kasih.")
    return
  end
  citizen:say(settings.thanks)
end

-- Each share rounded half up by itself, so that equal counts never show different figures.
local function rounded_each(counts, total)
  local shares = {}
  for i, count in ipairs(counts) do
    shares[i] = (200 * count + total) // (2 * total)
  end
  return shares
end

-- The sum is 100: what is left over goes to the largest remainders, the first option first.
local function largest_remainder(counts, total)
  local shares, order, left = {}, {}, 100
  for i, count in ipairs(counts) do
    shares[i] = 100 * count // total
    order[i] = i
    left = left - shares[i]
  end
  table.sort(order, function(a, b) return 100 * counts[a] % total > 100 * counts[b] % total end)
  for i = 1, left do
    shares[order[i]] = shares[order[i]] + 1
  end
  return shares
end

local function results(citizen, settings)
  local options = options_of(settings)
  local counts, total = {}, 0
  for i = 1, #options do
    counts[i] = records.answers:count { rating = i }
    total = total + counts[i]
  end
  if total == 0 then
    citizen:say("Belum ada jawaban. Kirim SURVEI untuk menjawab.")
    return
  end
  local shares = settings.rounding == "largest" and largest_remainder(counts, total) or rounded_each(counts, total)
  local lines = { settings.question }
  for i, option in ipairs(options) do
    lines[#lines + 1] = string.format("%s %d %%", option, shares[i])
  end
  lines[#lines + 1] = "n = " .. total
  citizen:say(table.concat(lines, "\n"))
end

return {
  name = "survey", api = 1, summary = "Asks citizens one question, and tells how all have answered",
  triggers = {
    keywords = { SURVEI = "take", SURVEY = "take", HASIL = "results" },
    ussd = { ["1"] = "take", ["2"] = "results" },
    menu = { ["1"] = "Survei", ["2"] = "Hasil survei" },
  },
  needs = { "records" },
  records = { answers = { rating = "integer", area = "area", index = { "rating" }, unique = { "citizen" } } },
  settings = {
    question = { "text", default = "Bagaimana pelayanan kantor kami?", min = 1, max = 120, help = "What is asked" },
    options = { "text", default = "Sangat puas; Puas; Cukup puas; Tidak puas", min = 1, max = 300,
      help = "The answers, with a semicolon between them" },
    thanks = { "text", default = "Terima kasih atas jawaban Anda.", min = 1, max = 120,
      help = "What is said afterwards" },
    replace = { "boolean", default = true,
      help = "Whether a later answer of a citizen takes the place of the one before" },
    rounding = { "choice", choices = { "each", "largest" }, default = "each",
      help = "each: every share half up by itself; largest: by largest remainder, so that the sum is 100" },
  },
  dialogs = { take = take, results = results },
}
