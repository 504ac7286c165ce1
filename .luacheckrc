-- .luacheckrc - plugins run in a sandbox: these are its words (plugins/README.md).
std = "none"
max_line_length = 120
exclude_files = { "contrib/skeletons" }  -- with holes; what `kentongan new` makes of them is played in tests/system
read_globals = {
  -- of the language
  "assert", "error", "ipairs", "next", "pairs", "pcall", "print", "require", "select", "tonumber", "tostring",
  "type", "math", "string", "table", "utf8",
  -- of the gateway, for services
  "records", "tables", "send", "notify", "start", "broadcast", "citizens", "staff", "after", "job", "http", "now",
  "random", "code", "t", "log", "date",
}
files["plugins/telco"] = {
  read_globals = { "base64", "digest", "equal", "hmac", "json", "number", "status_outcome", "text", "time", "url" },
}
files["contrib/*.conf.lua"] = {
  read_globals = { "env", "secret" },
  allow_defined_top = true,
  ignore = { "131" },  -- a setting is a global that the program reads
}
files["tests/crash/*.conf.lua.in"] = files["contrib/*.conf.lua"]
files["contrib/editor"] = {
  globals = { "code", "date", "log", "now", "random", "records", "tables" },
  ignore = { "212", "241" },  -- functions without bodies
}
