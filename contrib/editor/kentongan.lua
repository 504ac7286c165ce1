---@meta
-- kentongan.lua - what a plugin can call, for editors with LuaLS.  plugins/README.md says it in words.

---The citizen who writes.  Her fields are as they were when the message came.
---@class Citizen
---@field language "id"|"jv"|"en"
---@field name string|nil
---@field area string|nil
---@field channel "sms"|"ussd"
local Citizen = {}

---@class AskOptions
---@field kind? "text"|"integer"|"decimal"|"date"|"phone"
---@field min? number|string characters (1 to 1000), the least number, or a date such as "2026-12-31"
---@field max? number|string characters (1 to 1000), the greatest number, or a date
---@field optional? boolean may be passed over with "-": nil then

---Asks and waits for the answer.
---@param prompt string
---@param options? AskOptions
---@return string|number|nil answer a date is "1945-08-17", a phone number "+62..."
function Citizen:ask(prompt, options) end

---@class ChooseOptions
---@field many? boolean one or more of them: a list of values
---@field order? "random" another order for each citizen

---Asks for one of 1 to 99 options, each a text or { "text", value = ... }.
---@param prompt string
---@param options (string|{ [1]: string, value: any })[]
---@param how? ChooseOptions
---@return any value the option's value, or its number where it has none; with many a list of them
function Citizen:choose(prompt, options, how) end

---Runs another dialog function as a part of this one.
---@param dialog fun(citizen: Citizen, ...): ...
---@param ... any
---@return any ... what it returns
function Citizen:call(dialog, ...) end

---Changes what is kept of the citizen; "" forgets a name or an area.
---@param fields { name?: string, area?: string, language?: "id"|"jv"|"en" }
function Citizen:set(fields) end

---Asks for yes or no.
---@param prompt string
---@return boolean
function Citizen:confirm(prompt) end

---Adds a line to what is read next; with arguments the text is a format as of string.format.
---@param text string
---@param ... any
function Citizen:say(text, ...) end

---What began the dialog.
---@class Message
---@field keyword string "" from the menu
---@field rest string the words behind the keyword
---@field text string all of it
---@field channel "sms"|"ussd"
---@field time integer seconds UTC

---@alias Row table<string, string|number|boolean|nil>
---@alias Range { min?: number|string, max?: number|string }
---@alias Where table<string, string|number|boolean|Range>

---@class FindOptions
---@field order? string an indexed field
---@field descending? boolean
---@field limit? integer 20; at most 100
---@field after? string a cursor of the find before

---A table of the manifest's `records`.
---@class RecordTable
local RecordTable = {}

---@param row Row
---@return Row|nil row nil where its unique key is taken
---@return "exists"|nil why
function RecordTable:insert(row) end

---Takes the place of the record with its unique key.
---@param row Row
---@return Row
function RecordTable:put(row) end

---@param ... string|number|boolean|Citizen the unique key's fields in their order
---@return Row|nil
function RecordTable:get(...) end

---@param where? Where
---@param options? FindOptions
---@return Row[]
---@return string|nil cursor where there are more
function RecordTable:find(where, options) end

---@param where? Where
---@param options? { by: string } of each value of an indexed field
---@return integer|table<string|integer, integer>
function RecordTable:count(where, options) end

---Changes fields of the record with that unique key, as one act.
---@param ... any the unique key's fields in their order, then the changes
---@return Row|nil row nil where there is none
---@return "bound"|nil why
function RecordTable:update(...) end

---Adds to a number, as one act; makes the record where there is none.
---@param ... any the unique key's fields in their order, the field, by how much (1), { min =, max = }
---@return number|nil sum
---@return "bound"|nil why
function RecordTable:increment(...) end

---@type table<string, RecordTable>
records = {}

---A table of data, of a CSV file beside the plugin.
---@class DataTable
---@field get fun(self: DataTable, key: string|integer): table<string, string>|nil
---@field search fun(self: DataTable, text: string, options?: { limit: integer }): table<string, string>[], integer[]

---@type table<string, DataTable>
tables = {}

---Seconds UTC of the message that is being worked on.
---@return integer
function now() end

---That as text, in Western Indonesian Time.
---@param format string %Y %m %d %H %M %S %j %y %w %a %A %b %B %p
---@param time? integer
---@return string
function date(format, time) end

---A number by chance; the same again when the dialog is replayed.
---@overload fun(): number
---@param m integer
---@param n? integer
---@return integer
function random(m, n) end

---A code to quote: five characters by chance and one that checks them.
---@return string
function code() end

---A line in the gateway's log; no numbers or texts of citizens, please.
---@param ... any
function log(...) end

---@class Triggers
---@field keywords? table<string, string> KEYWORD = "dialog"
---@field ussd? string|table<string, string> "1", or { ["1"] = "dialog" }
---@field menu? string|table<string, string> the line in the menu, or { ["1"] = "..." }

---@alias Dialog fun(citizen: Citizen, settings: table<string, any>, message: Message)

---What a plugin's file returns.
---@class Manifest
---@field name string as the folder
---@field api 1
---@field summary? string one line for operators
---@field triggers Triggers
---@field needs? "records"[]
---@field records? table<string, table>
---@field settings? table<string, table>
---@field tables? table<string, { file: string, key?: string, search?: string[] }>
---@field dialog? Dialog
---@field dialogs? table<string, Dialog>
