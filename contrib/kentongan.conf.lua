-- kentongan.conf.lua - every setting with its default.  What is left out has its default too.
--
-- kentongan serve --config kentongan.conf.lua
--
-- The file is Lua, but only values and tables are there, and two words for what should not stand in a file:
--   env "NAME"      the environment variable NAME
--   secret "NAME"   the file NAME in $CREDENTIALS_DIRECTORY (systemd: LoadCredential=NAME:/path)
-- kill -HUP reads it again.  A mistake is told with line and field, and the old settings go on.

-- Folder of the store and of the program's own secrets, from where the program was started.
-- Allowed: a folder.
state = "state"

-- Where messages and dialogs are kept; a path is taken from the state folder.
-- Allowed: "sqlite:" and a path.
store = "sqlite:kentongan.db"

-- Folder of the plugins; telco/ in it has the adapters.
-- Allowed: a folder.
plugins = "/usr/share/kentongan/plugins"

-- Where telcos' callbacks are taken.
-- Allowed: an IPv4 or IPv6 address, such as "127.0.0.1".
public_host = "127.0.0.1"

-- Its port; 0: any that is free.
-- Allowed: 0 to 65535.
public_port = 8080

-- Where operators' requests, /metrics and /healthz are taken; keep it from the outside.
-- Allowed: an IPv4 or IPv6 address, such as "127.0.0.1".
admin_host = "127.0.0.1"

-- Its port; 0: any that is free.
-- Allowed: 0 to 65535.
admin_port = 8081

-- How telcos reach public_host from outside; "": http:// with public_host and public_port.
-- Allowed: "https://host" without a slash at its end, or "".
public_url = ""

-- Country of numbers that come without one.
-- Allowed: a country's two capital letters, such as "ID".
country = "ID"

-- Language of the gateway's own texts.
-- Allowed: "id", "jv" or "en".
language = "id"

-- What citizens dial.
-- Allowed: a service code such as "*123#".
ussd_code = "*123#"

-- Who signs the gateway's own texts.
-- Allowed: a name.
office = "Pemkab Bojonegoro"

-- Zone of dates that people read and write.
-- Allowed: a zone's name, such as "Asia/Jakarta".
time_zone = "Asia/Jakarta"

-- How long an open dialog waits for the citizen.
-- Allowed: 60 to 7776000 seconds.
dialog_expiry = 604800

-- How long a USSD session lives without a key pressed.
-- Allowed: 10 to 600 seconds.
session_expiry = 180

-- Threads that run plugins; 0: one a core, at least two.
-- Allowed: 0 to 64.
workers = 0

-- Threads that read the store.
-- Allowed: 1 to 8.
readers = 2

-- Dialogs kept live in each worker; 0: every step is replayed.
-- Allowed: 0 to 100000.
dialog_cache = 256

-- Citizens kept in memory; 0: every event reads the store.
-- Allowed: 0 to 1000000.
citizen_cache = 10000

-- SMS parts of one reply; a longer text is paged.
-- Allowed: 1 to 10.
max_segments = 3

-- How long a commit waits for others to share its disk write.
-- Allowed: 0 to 5000 microseconds.
commit_wait_us = 2000

-- Steps that share one commit at most.
-- Allowed: 1 to 1024.
commit_group = 256

-- Messages in work; beyond it telcos get 503.
-- Allowed: 1 to 1000000.
inbox_max = 10000

-- Messages waiting for telcos; beyond it telcos get 503.
-- Allowed: 1 to 10000000.
outbox_max = 100000

-- Steps waiting for the store; beyond it telcos get 503.
-- Allowed: 1 to 1000000.
store_max = 10000

-- Open HTTP connections of each listener.
-- Allowed: 1 to 65536.
connections_max = 512

-- Free disk below which nothing is accepted.
-- Allowed: 0 to 1048576 MiB.
reserve_mib = 200

-- How long a telco's message id is remembered.
-- Allowed: 7 to 90 days.
dedupe_days = 7

-- How long messages are kept.
-- Allowed: 7 to 3650 days.
keep_messages_days = 90

-- How long ended dialogs are kept.
-- Allowed: 1 to 3650 days.
keep_dialogs_days = 90

-- The least that is logged.
-- Allowed: "debug", "info", "warn" or "error".
log_level = "info"

-- Addresses of aggregators: no limit of connections an address.
-- Allowed: a list of texts, each an IPv4 or IPv6 address, such as "127.0.0.1".
trusted = {}

-- Addresses of proxies whose X-Forwarded-For is believed.
-- Allowed: a list of texts, each an IPv4 or IPv6 address, such as "127.0.0.1".
proxies = {}

-- The telcos, one row each.  Its name stands in the address that the telco calls:
-- https://public_url/telco/k1/sms?key=SECRET, and so on (plugins/telco/README.md).
connections = {
  k1 = {
    adapter = "kannel", numbers = { "2772" },
    secret = secret "k1-key",  -- 22 characters or more, by chance; what the telco shows to us
    username = "kentongan",
    password = secret "k1-password",
    send_url = "http://127.0.0.1:13013/cgi-bin/sendsms",
  },
  -- the simulated phones of `kentongan chat`: its secret is made in the state folder
  phone = { adapter = "phone", numbers = { "2772", "*123#" } },
}

--[[
-- In each of connections = { NAME = { ... } }, beside what its adapter takes:

-- Which telco adapter speaks to it.
-- Allowed: the name of a file in telco/, such as "kannel".
adapter = ""

-- Country of its numbers; the setting country where it is left out.
-- Allowed: a country's two capital letters, such as "ID".
country = ""

-- Our numbers and service codes there.
-- Allowed: a list of texts, at least one, each a short code, a number, a service code or a name of up to 20 characters.
numbers = {}

-- How this telco reaches us; the setting public_url where it is left out.
-- Allowed: "https://host" without a slash at its end, or "".
public_url = ""

-- Messages a second out; 0: the adapter's limit.
-- Allowed: 0 to 10000.
tps = 0

-- Requests at once; 0: 16.
-- Allowed: 0 to 1024.
in_flight = 0

-- What becomes of a reply whose outcome stays unknown.
-- Allowed: "hold" or "resend_once".
on_unknown = "resend_once"

-- What becomes of a broadcast message whose outcome stays unknown.
-- Allowed: "hold" or "resend_once".
on_unknown_broadcast = "hold"

-- How long a receipt is awaited where the outcome is unknown.
-- Allowed: 1 to 86400 seconds.
unknown_seconds = 60

-- How long a message is tried.
-- Allowed: 60 to 604800 seconds.
validity_seconds = 86400

--]]

-- What plugins let you choose, by plugin; each plugin's README.md has its list.
plugin_settings = {
  survey = { question = "Bagaimana pelayanan kami?" },
}
