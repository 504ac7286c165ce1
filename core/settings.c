/* settings.c - the tables of settings, and how a value gets into its row.
 *
 * What a person may change is a row: type, default, bounds and help stand in one place, so the check, its error
 * text, `kentongan settings` and the sample file can't tell different stories.  A connection has rows of its
 * own; what is none of them belongs to the connection's adapter, which checks it when it is loaded.
 */
#include "settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_priv.h"
#include "utf8.h"

enum { CONNECTIONS_MAX = 64, LIST_MAX = 256, TEXT_SETTING_MAX = 255, NAME_MAX_BYTES = 31 };

enum setting_type {
	SETTING_COUNT, /* unsigned, as all numbers but the next */
	SETTING_MICROSECONDS,
	SETTING_PORT,
	SETTING_SECONDS,
	SETTING_DAYS,
	SETTING_MIB,
	SETTING_TEXT,
	SETTING_CHOICE, /* a text of choices, or its place among them where the field is a number */
	SETTING_LIST,   /* of texts */
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset, size; /* of the field */
	int64_t def, min, max;
	const char *def_text;
	const char *const *choices; /* ended by NULL */
	bool (*check)(const char *text);
	const char *allowed; /* what check wants, for people */
	const char *help;
};

static bool is_address(const char *text)
{
	unsigned char out[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, out) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static bool is_country(const char *text)
{
	return strlen(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' &&
	       text[1] <= 'Z';
}

static bool is_made_of(const char *text, const char *characters, size_t most)
{
	size_t len = strlen(text);

	return len >= 1 && len <= most && text[strspn(text, characters)] == '\0';
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_service_code(const char *text)
{
	size_t len = strlen(text);

	return len >= 3 && len <= 20 && text[0] == '*' && text[len - 1] == '#' &&
	       strspn(text, DIGITS "*") == len - 1;
}

static bool is_own_number(const char *text)
{
	return is_made_of(text, LOWER UPPER DIGITS "*#+ ", 20);
}

static bool is_name(const char *text)
{
	return is_made_of(text, LOWER DIGITS "_-", NAME_MAX_BYTES);
}

static bool is_zone(const char *text)
{
	return is_made_of(text, LOWER UPPER DIGITS "_+-/", 63) && text[0] != '/';
}

static bool is_store(const char *text)
{
	return strncmp(text, "sqlite:", 7) == 0 && text[7] != '\0';
}

static bool is_base_url(const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return true;
	return (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) &&
	       text[len - 1] != '/' && strpbrk(text, " \"<>#?\t\r\n") == NULL;
}

static bool is_some_text(const char *text)
{
	return text[0] != '\0';
}

static const char *const languages[] = { "id", "jv", "en", NULL };
static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const on_unknown[] = {
	[ON_UNKNOWN_HOLD] = "hold", [ON_UNKNOWN_RESEND_ONCE] = "resend_once", NULL
};

#define ADDRESS_ALLOWED "an IPv4 or IPv6 address, such as \"127.0.0.1\""
#define NUMBERS_ALLOWED \
	"each a short code, a number, a service code or a name of up to 20 characters"
#define URL_ALLOWED "\"https://host\" without a slash at its end, or \"\""
#define OF(field) \
	.offset = offsetof(struct settings, field), .size = sizeof(((struct settings *)0)->field)
#define TEXT(text, checker, what) .def_text = (text), .check = (checker), .allowed = (what)
#define RANGE(from, to, default) .min = (from), .max = (to), .def = (default)

/* clang-format off */
static const struct setting settings_table[] = {
	{ "state", SETTING_TEXT, OF(state), TEXT("state", is_some_text, "a folder"),
	  .help = "Folder of the store and of the program's own secrets, from where the program was started" },
	{ "store", SETTING_TEXT, OF(store), TEXT("sqlite:kentongan.db", is_store, "\"sqlite:\" and a path"),
	  .help = "Where messages and dialogs are kept; a path is taken from the state folder" },
	{ "plugins", SETTING_TEXT, OF(plugins), TEXT(KENTONGAN_PLUGINS, is_some_text, "a folder"),
	  .help = "Folder of the plugins; telco/ in it has the adapters" },
	{ "public_host", SETTING_TEXT, OF(public_host), TEXT("127.0.0.1", is_address, ADDRESS_ALLOWED),
	  .help = "Where telcos' callbacks are taken" },
	{ "public_port", SETTING_PORT, OF(public_port), RANGE(0, 65535, 8080), .help = "Its port; 0: any that is free" },
	{ "admin_host", SETTING_TEXT, OF(admin_host), TEXT("127.0.0.1", is_address, ADDRESS_ALLOWED),
	  .help = "Where operators' requests, /metrics and /healthz are taken; keep it from the outside" },
	{ "admin_port", SETTING_PORT, OF(admin_port), RANGE(0, 65535, 8081), .help = "Its port; 0: any that is free" },
	{ "public_url", SETTING_TEXT, OF(public_url), TEXT("", is_base_url, URL_ALLOWED),
	  .help = "How telcos reach public_host from outside; \"\": http:// with public_host and public_port" },
	{ "country", SETTING_TEXT, OF(country), TEXT("ID", is_country, "a country's two capital letters, such as \"ID\""),
	  .help = "Country of numbers that come without one" },
	{ "language", SETTING_CHOICE, OF(language), .def_text = "id", .choices = languages,
	  .help = "Language of the gateway's own texts" },
	{ "ussd_code", SETTING_TEXT, OF(ussd_code), TEXT("*123#", is_service_code, "a service code such as \"*123#\""),
	  .help = "What citizens dial" },
	{ "office", SETTING_TEXT, OF(office), TEXT("Pemkab Bojonegoro", is_some_text, "a name"),
	  .help = "Who signs the gateway's own texts" },
	{ "time_zone", SETTING_TEXT, OF(time_zone), TEXT("Asia/Jakarta", is_zone, "a zone's name, such as \"Asia/Jakarta\""),
	  .help = "Zone of dates that people read and write" },
	{ "dialog_expiry", SETTING_SECONDS, OF(dialog_expiry), RANGE(60, 7776000, 604800),
	  .help = "How long an open dialog waits for the citizen" },
	{ "session_expiry", SETTING_SECONDS, OF(session_expiry), RANGE(10, 600, 180),
	  .help = "How long a USSD session lives without a key pressed" },
	{ "workers", SETTING_COUNT, OF(workers), RANGE(0, 64, 0), .help = "Threads that run plugins; 0: one a core, at least two" },
	{ "readers", SETTING_COUNT, OF(readers), RANGE(1, 8, 2), .help = "Threads that read the store" },
	{ "dialog_cache", SETTING_COUNT, OF(dialog_cache), RANGE(0, 100000, 256),
	  .help = "Dialogs kept live in each worker; 0: every step is replayed" },
	{ "citizen_cache", SETTING_COUNT, OF(citizen_cache), RANGE(0, 1000000, 10000),
	  .help = "Citizens kept in memory; 0: every event reads the store" },
	{ "max_segments", SETTING_COUNT, OF(max_segments), RANGE(1, 10, 3), .help = "SMS parts of one reply; a longer text is paged" },
	{ "commit_wait_us", SETTING_MICROSECONDS, OF(commit_wait_us), RANGE(0, 5000, 2000),
	  .help = "How long a commit waits for others to share its disk write" },
	{ "commit_group", SETTING_COUNT, OF(commit_group), RANGE(1, 1024, 256), .help = "Steps that share one commit at most" },
	{ "inbox_max", SETTING_COUNT, OF(inbox_max), RANGE(1, 1000000, 10000), .help = "Messages in work; beyond it telcos get 503" },
	{ "outbox_max", SETTING_COUNT, OF(outbox_max), RANGE(1, 10000000, 100000),
	  .help = "Messages waiting for telcos; beyond it telcos get 503" },
	{ "store_max", SETTING_COUNT, OF(store_max), RANGE(1, 1000000, 10000), .help = "Steps waiting for the store; beyond it telcos get 503" },
	{ "connections_max", SETTING_COUNT, OF(connections_max), RANGE(1, 65536, 512), .help = "Open HTTP connections of each listener" },
	{ "reserve_mib", SETTING_MIB, OF(reserve_mib), RANGE(0, 1048576, 200), .help = "Free disk below which nothing is accepted" },
	{ "dedupe_days", SETTING_DAYS, OF(dedupe_days), RANGE(7, 90, 7), .help = "How long a telco's message id is remembered" },
	{ "keep_messages_days", SETTING_DAYS, OF(keep_messages_days), RANGE(7, 3650, 90), .help = "How long messages are kept" },
	{ "keep_dialogs_days", SETTING_DAYS, OF(keep_dialogs_days), RANGE(1, 3650, 90), .help = "How long ended dialogs are kept" },
	{ "log_level", SETTING_CHOICE, OF(log_level), .def_text = "info", .choices = log_levels, .help = "The least that is logged" },
	{ "trusted", SETTING_LIST, OF(trusted), .check = is_address, .allowed = "each " ADDRESS_ALLOWED,
	  .help = "Addresses of aggregators: no limit of connections an address" },
	{ "proxies", SETTING_LIST, OF(proxies), .check = is_address, .allowed = "each " ADDRESS_ALLOWED,
	  .help = "Addresses of proxies whose X-Forwarded-For is believed" },
};

#undef OF
#define OF(field) .offset = offsetof(struct telco_config, field), .size = sizeof(((struct telco_config *)0)->field)

static const struct setting connection_table[] = {
	{ "adapter", SETTING_TEXT, OF(adapter), TEXT(NULL, is_name, "the name of a file in telco/, such as \"kannel\""),
	  .help = "Which telco adapter speaks to it" },
	{ "country", SETTING_TEXT, OF(country), TEXT("", is_country, "a country's two capital letters, such as \"ID\""),
	  .help = "Country of its numbers; the setting country where it is left out" },
	{ "numbers", SETTING_LIST, OF(numbers), .min = 1, .check = is_own_number, .allowed = NUMBERS_ALLOWED,
	  .help = "Our numbers and service codes there" },
	{ "public_url", SETTING_TEXT, OF(public_url), TEXT("", is_base_url, URL_ALLOWED),
	  .help = "How this telco reaches us; the setting public_url where it is left out" },
	{ "tps", SETTING_COUNT, OF(tps), RANGE(0, 10000, 0), .help = "Messages a second out; 0: the adapter's limit" },
	{ "in_flight", SETTING_COUNT, OF(in_flight), RANGE(0, 1024, 0), .help = "Requests at once; 0: 16" },
	{ "on_unknown", SETTING_CHOICE, OF(unknown_reply), .def_text = "resend_once", .choices = on_unknown,
	  .help = "What becomes of a reply whose outcome stays unknown" },
	{ "on_unknown_broadcast", SETTING_CHOICE, OF(unknown_broadcast), .def_text = "hold", .choices = on_unknown,
	  .help = "What becomes of a broadcast message whose outcome stays unknown" },
	{ "unknown_seconds", SETTING_SECONDS, OF(unknown_seconds), RANGE(1, 86400, 60),
	  .help = "How long a receipt is awaited where the outcome is unknown" },
	{ "validity_seconds", SETTING_SECONDS, OF(validity_seconds), RANGE(60, 604800, 86400), .help = "How long a message is tried" },
};
/* clang-format on */

static const char *const units[] = {
	[SETTING_MICROSECONDS] = "microseconds",
	[SETTING_SECONDS] = "seconds",
	[SETTING_DAYS] = "days",
	[SETTING_MIB] = "MiB",
	[SETTING_LIST] = NULL,
};

/* What reads one file. */
struct loader {
	struct settings *settings;
	char *error;
	size_t error_size;
};

/* Writes "file:line: field: why" and gives -EINVAL. */
static int PRINTF_LIKE(4, 5)
	wrong(struct loader *loader, int line, const char *field, const char *fmt, ...)
{
	struct buf text = { 0 };
	char why[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (loader->settings->file[0] != '\0')
		buf_addf(&text, "%s:%d: ", loader->settings->file, line);
	buf_addf(&text, "%s: %s", field, why);
	snprintf(loader->error, loader->error_size, "%s", text.data);
	buf_free(&text);
	return -EINVAL;
}

/* What a row allows, for people: "60 to 7776000 seconds". */
static const char *allowed(struct arena *arena, const struct setting *row)
{
	struct buf text = { 0 };
	const char *copy;
	unsigned i;

	switch (row->type) {
	case SETTING_TEXT:
		return row->allowed;
	case SETTING_LIST:
		return arena_printf(arena, "a list of texts%s, %s",
				    row->min > 0 ? ", at least one" : "", row->allowed);
	case SETTING_CHOICE:
		for (i = 0; row->choices[i]; i++)
			buf_addf(&text, "%s\"%s\"",
				 i == 0                ? ""
				 : row->choices[i + 1] ? ", "
						       : " or ",
				 row->choices[i]);
		copy = arena_strdup(arena, text.data);
		buf_free(&text);
		return copy;
	default:
		return arena_printf(arena, "%" PRId64 " to %" PRId64 "%s%s", row->min, row->max,
				    units[row->type] ? " " : "",
				    units[row->type] ? units[row->type] : "");
	}
}

/* A value as an error text shows it, cut where it is long. */
static const char *shown(struct arena *arena, const struct setting_value *value)
{
	size_t at = 0, cut = 0;

	if (value->type == VALUE_TABLE)
		return value->list ? "a list" : "a table";
	if (value->type != VALUE_TEXT)
		return value->text.data;
	while (at < value->text.len && at < 60) {
		cut = at;
		utf8_next(value->text, &at);
	}
	cut = at >= value->text.len ? value->text.len : cut;
	return arena_printf(arena, "\"%.*s%s\"", (int)cut, value->text.data,
			    cut < value->text.len ? "..." : "");
}

static int refuse(struct loader *loader, const struct setting *row,
		  const struct setting_value *value, const char *path)
{
	struct arena *arena = &loader->settings->arena;

	return wrong(loader, value->line, path, "must be %s, not %s", allowed(arena, row),
		     shown(arena, value));
}

static void put_number(const struct setting *row, void *target, int64_t number)
{
	unsigned narrow = (unsigned)number;

	if (row->size == sizeof(int64_t))
		memcpy((char *)target + row->offset, &number, sizeof(number));
	else
		memcpy((char *)target + row->offset, &narrow, sizeof(narrow));
}

static void put_pointer(const struct setting *row, void *target, const void *pointer)
{
	memcpy((char *)target + row->offset, &pointer, sizeof(pointer));
}

/* The place of a text among a row's choices, or -1. */
static int choice_of(const struct setting *row, const char *text)
{
	int i;

	for (i = 0; row->choices[i]; i++)
		if (strcmp(row->choices[i], text) == 0)
			return i;
	return -1;
}

/* text is in the arena or static. */
static bool put_text(const struct setting *row, void *target, const char *text)
{
	int choice;

	if (row->type == SETTING_TEXT) {
		if (strlen(text) > TEXT_SETTING_MAX || (row->check && !row->check(text)))
			return false;
		put_pointer(row, target, text);
		return true;
	}
	choice = choice_of(row, text);
	if (choice < 0)
		return false;
	if (row->size == sizeof(char *))
		put_pointer(row, target, row->choices[choice]);
	else
		put_number(row, target, choice);
	return true;
}

static bool put_list(struct arena *arena, const struct setting *row, void *target,
		     const struct setting_value *value)
{
	const char **list;
	unsigned i;

	if (value->type != VALUE_TABLE || !value->list || value->count > LIST_MAX ||
	    value->count < (unsigned)row->min)
		return false;
	list = arena_alloc(arena, (value->count + 1) * sizeof(char *));
	for (i = 0; i < value->count; i++) {
		if (value->items[i].type != VALUE_TEXT || !row->check(value->items[i].text.data))
			return false;
		list[i] = value->items[i].text.data;
	}
	put_pointer(row, target, list);
	return true;
}

static int put_value(struct loader *loader, const struct setting *row, void *target,
		     const struct setting_value *value, const char *path)
{
	bool fine;

	switch (row->type) {
	case SETTING_TEXT:
	case SETTING_CHOICE:
		fine = value->type == VALUE_TEXT && put_text(row, target, value->text.data);
		break;
	case SETTING_LIST:
		fine = put_list(&loader->settings->arena, row, target, value);
		break;
	default:
		fine = value->type == VALUE_NUMBER && value->whole &&
		       value->number >= (double)row->min && value->number <= (double)row->max;
		if (fine)
			put_number(row, target, (int64_t)value->number);
		break;
	}
	return fine ? 0 : refuse(loader, row, value, path);
}

static void put_defaults(const struct setting *rows, unsigned count, void *target,
			 struct arena *arena)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		if (rows[i].type == SETTING_LIST)
			put_pointer(&rows[i], target, arena_alloc(arena, sizeof(char *)));
		else if (rows[i].type == SETTING_TEXT)
			put_pointer(&rows[i], target, rows[i].def_text ? rows[i].def_text : "");
		else if (rows[i].type == SETTING_CHOICE)
			put_text(&rows[i], target, rows[i].def_text);
		else
			put_number(&rows[i], target, rows[i].def);
	}
}

static const struct setting *find_row(const struct setting *rows, unsigned count, const char *name)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to change, add or leave out between two names. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], len = (unsigned)strlen(b), i, j;

	if (strlen(a) >= ARRAY_LEN(row) || len >= ARRAY_LEN(row))
		return UINT32_MAX;
	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 0; a[i] != '\0'; i++) {
		unsigned before = row[0];

		row[0] = i + 1;
		for (j = 0; j < len; j++) {
			unsigned changed = before + (a[i] != b[j]);

			before = row[j + 1];
			row[j + 1] = least(changed, least(row[j], before) + 1);
		}
	}
	return row[len];
}

static int unknown_name(struct loader *loader, const struct setting_value *value)
{
	static const char *const others[] = { "connections", "plugin_settings" };
	const char *nearest = NULL;
	unsigned i, best = (unsigned)strlen(value->name) / 3 + 2;

	for (i = 0; i < ARRAY_LEN(settings_table) + ARRAY_LEN(others); i++) {
		const char *name = i < ARRAY_LEN(settings_table)
					   ? settings_table[i].name
					   : others[i - ARRAY_LEN(settings_table)];
		unsigned far = distance(value->name, name);

		if (far < best) {
			best = far;
			nearest = name;
		}
	}
	if (nearest)
		return wrong(loader, value->line, value->name, "no such setting; the nearest is %s",
			     nearest);
	return wrong(loader, value->line, value->name,
		     "no such setting; `kentongan settings` lists all");
}

/* What an adapter's setting is, is the adapter's to say: here it only has to be a plain value. */
static int put_adapter_setting(struct loader *loader, struct telco_config *config,
			       const struct setting_value *value, const char *path)
{
	struct telco_setting *own = (struct telco_setting *)config->settings +
				    config->setting_count;

	if (value->type == VALUE_TABLE)
		return wrong(loader, value->line, path, "must be a text, a number, true or false");
	*own = (struct telco_setting){ value->name, value->text, value->line };
	config->setting_count++;
	return 0;
}

static int read_connection(struct loader *loader, const struct setting_value *value,
			   struct telco_config *config)
{
	struct arena *arena = &loader->settings->arena;
	const char *path = arena_printf(arena, "connections.%s", value->name);
	unsigned i;
	int rc = 0;

	if (!is_name(value->name))
		return wrong(loader, value->line, path,
			     "its name must be 1 to 31 small letters, digits, '_' and '-'");
	if (value->type != VALUE_TABLE || (value->list && value->count > 0))
		return wrong(loader, value->line, path,
			     "must be a table such as { adapter = \"kannel\", ... }");
	config->name = value->name;
	config->file = loader->settings->file;
	config->line = value->line;
	put_defaults(connection_table, ARRAY_LEN(connection_table), config, arena);
	/* Two more: what complete_phone may add. */
	config->settings = arena_alloc(arena, (value->count + 2) * sizeof(*config->settings));
	for (i = 0; i < value->count && rc == 0; i++) {
		const struct setting_value *field = &value->items[i];
		const char *field_path = arena_printf(arena, "%s.%s", path, field->name);
		const struct setting *row = find_row(connection_table, ARRAY_LEN(connection_table),
						     field->name);

		rc = row ? put_value(loader, row, config, field, field_path)
			 : put_adapter_setting(loader, config, field, field_path);
	}
	if (rc == 0 && config->adapter[0] == '\0')
		rc = wrong(loader, value->line, path, "adapter is missing: %s",
			   connection_table[0].allowed);
	if (rc == 0 && !config->numbers[0])
		rc = wrong(loader, value->line, path,
			   "numbers is missing: our numbers there, such as { \"2772\" }");
	return rc;
}

static int read_connections(struct loader *loader, const struct setting_value *value)
{
	struct settings *settings = loader->settings;
	unsigned i;
	int rc = 0;

	if (value->type != VALUE_TABLE || (value->list && value->count > 0))
		return wrong(loader, value->line, value->name,
			     "must be a table such as { k1 = { adapter = \"kannel\", ... } }");
	if (value->count > CONNECTIONS_MAX)
		return wrong(loader, value->line, value->name, "must be at most %d",
			     CONNECTIONS_MAX);
	settings->connections = arena_alloc(&settings->arena,
					    value->count * sizeof(*settings->connections));
	settings->connection_count = value->count;
	for (i = 0; i < value->count && rc == 0; i++)
		rc = read_connection(loader, &value->items[i], &settings->connections[i]);
	return rc;
}

static int read_plugin_setting(struct loader *loader, const char *plugin,
			       const struct setting_value *value)
{
	struct settings *settings = loader->settings;
	struct plugin_setting *out = &settings->plugin_settings[settings->plugin_setting_count];

	if (value->type == VALUE_TABLE)
		return wrong(loader, value->line,
			     arena_printf(&settings->arena, "plugin_settings.%s.%s", plugin,
					  value->name),
			     "must be a text, a number, true or false");
	*out = (struct plugin_setting){
		.plugin = plugin,
		.name = value->name,
		.type = value->type == VALUE_TEXT     ? PLUGIN_SETTING_TEXT
			: value->type == VALUE_NUMBER ? PLUGIN_SETTING_NUMBER
						      : PLUGIN_SETTING_BOOLEAN,
		.text = value->text.data,
		.number = value->number,
		.boolean = value->boolean,
		.line = value->line,
	};
	settings->plugin_setting_count++;
	return 0;
}

static int read_plugin_settings(struct loader *loader, const struct setting_value *value)
{
	static const char example[] = "must be a table such as { survey = { question = \"...\" } }";
	struct settings *settings = loader->settings;
	unsigned i, j, total = 0;
	int rc = 0;

	if (value->type != VALUE_TABLE || (value->list && value->count > 0))
		return wrong(loader, value->line, value->name, "%s", example);
	for (i = 0; i < value->count; i++) {
		if (value->items[i].type != VALUE_TABLE ||
		    (value->items[i].list && value->items[i].count > 0))
			return wrong(loader, value->items[i].line, value->items[i].name, "%s",
				     example);
		total += value->items[i].count;
	}
	settings->plugin_settings = arena_alloc(&settings->arena,
						total * sizeof(*settings->plugin_settings));
	for (i = 0; i < value->count; i++)
		for (j = 0; j < value->items[i].count && rc == 0; j++)
			rc = read_plugin_setting(loader, value->items[i].name,
						 &value->items[i].items[j]);
	return rc;
}

static int read_root(struct loader *loader, const struct setting_value *root)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < root->count && rc == 0; i++) {
		const struct setting_value *value = &root->items[i];
		const struct setting *row = find_row(settings_table, ARRAY_LEN(settings_table),
						     value->name);

		if (row)
			rc = put_value(loader, row, loader->settings, value, value->name);
		else if (strcmp(value->name, "connections") == 0)
			rc = read_connections(loader, value);
		else if (strcmp(value->name, "plugin_settings") == 0)
			rc = read_plugin_settings(loader, value);
		else
			rc = unknown_name(loader, value);
	}
	if (rc == 0 && loader->settings->public_port == loader->settings->admin_port &&
	    loader->settings->public_port != 0 &&
	    strcmp(loader->settings->public_host, loader->settings->admin_host) == 0)
		rc = wrong(loader, root->count > 0 ? root->items[root->count - 1].line : 0,
			   "admin_port", "must be another than public_port, %u",
			   loader->settings->public_port);
	return rc;
}

/* The two connections of the embedded default: the phone, and Kannel's side of a curl line. */
static void default_connections(struct settings *settings)
{
	static const char *const numbers[] = { "2772", "*123#", NULL };
	static const struct telco_setting kannel[] = {
		{ "send_url", { "http://127.0.0.1:13013/cgi-bin/sendsms", 38 }, 0 },
		{ "username", { "kentongan", 9 }, 0 },
		{ "password", { "kentongan", 9 }, 0 },
	};
	static const struct {
		const char *name;
		const struct telco_setting *settings;
		unsigned count;
	} rows[] = { { "phone", NULL, 0 }, { "kannel", kannel, ARRAY_LEN(kannel) } };
	struct arena *arena = &settings->arena;
	unsigned i;

	settings->connections = arena_alloc(arena,
					    ARRAY_LEN(rows) * sizeof(*settings->connections));
	settings->connection_count = ARRAY_LEN(rows);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct telco_config *config = &settings->connections[i];
		struct telco_setting *own = arena_alloc(arena, (rows[i].count + 2) * sizeof(*own));

		put_defaults(connection_table, ARRAY_LEN(connection_table), config, arena);
		config->name = rows[i].name;
		config->adapter = rows[i].name;
		config->numbers = numbers;
		if (rows[i].count > 0)
			memcpy(own, rows[i].settings, rows[i].count * sizeof(*own));
		config->settings = own;
		config->setting_count = rows[i].count;
	}
}

static bool has_setting(const struct telco_config *config, const char *name)
{
	unsigned i;

	for (i = 0; i < config->setting_count; i++)
		if (strcmp(config->settings[i].name, name) == 0)
			return true;
	return false;
}

static void add_setting(struct telco_config *config, const char *name, const char *text)
{
	struct telco_setting *own = (struct telco_setting *)config->settings +
				    config->setting_count;

	*own = (struct telco_setting){ name, { text, strlen(text) }, 0 };
	config->setting_count++;
}

/* http://host:port of one of our own listeners. */
static const char *own_url(struct arena *arena, const char *host, unsigned port)
{
	bool six = strchr(host, ':') != NULL;

	return arena_printf(arena, "http://%s%s%s:%u", six ? "[" : "", host, six ? "]" : "", port);
}

/* What a connection takes from elsewhere where it doesn't say: the country, our address; the phones' own
 * secret, and where they listen. */
static int complete_connection(struct loader *loader, struct telco_config *config)
{
	struct settings *settings = loader->settings;
	struct arena *arena = &settings->arena;
	bool phone = strcmp(config->adapter, "phone") == 0;
	const char *secret;
	int rc;

	if (config->country[0] == '\0')
		config->country = settings->country;
	if (config->public_url[0] == '\0')
		config->public_url = settings->public_url;
	if (config->public_url[0] == '\0')
		config->public_url = own_url(arena, settings->public_host, settings->public_port);
	if (phone && !has_setting(config, "url"))
		add_setting(
			config, "url",
			arena_printf(arena, "%s/phone/send",
				     own_url(arena, settings->admin_host, settings->admin_port)));
	if (has_setting(config, "secret") || !(phone || settings->file[0] == '\0'))
		return 0;
	rc = settings_secret(settings->state, config->name, arena, &secret, loader->error,
			     loader->error_size);
	if (rc == 0)
		add_setting(config, "secret", secret);
	return rc;
}

/* Tests run everything a second time with nothing cached. */
static int read_environment(struct loader *loader)
{
	struct settings *settings = loader->settings;
	const char *plugins = getenv("KENTONGAN_PLUGINS"),
		   *cache = getenv("KENTONGAN_DIALOG_CACHE");
	char *end;
	long size;

	if (plugins && plugins[0] != '\0' && settings->file[0] == '\0')
		settings->plugins = arena_strdup(&settings->arena, plugins);
	if (!cache || cache[0] == '\0')
		return 0;
	size = strtol(cache, &end, 10);
	if (*end != '\0' || size < 0 || size > 100000)
		return wrong(loader, 0, "KENTONGAN_DIALOG_CACHE", "must be 0 to 100000, not \"%s\"",
			     cache);
	settings->dialog_cache = (unsigned)size;
	settings->citizen_cache = (unsigned)size;
	return 0;
}

static int read_all(struct loader *loader, const char *path)
{
	struct settings *settings = loader->settings;
	struct setting_value root = { .type = VALUE_TABLE };
	unsigned i;
	int rc = 0;

	if (path) {
		rc = settings_file_read(path, &settings->arena, &root, loader->error,
					loader->error_size);
		if (rc == 0)
			rc = read_root(loader, &root);
	} else {
		default_connections(settings);
	}
	if (rc == 0)
		rc = read_environment(loader);
	for (i = 0; i < settings->connection_count && rc == 0; i++)
		rc = complete_connection(loader, &settings->connections[i]);
	return rc;
}

int settings_read(const char *path, const char *state, struct settings **out, char *error_text,
		  size_t error_size)
{
	struct settings *settings = xcalloc(1, sizeof(*settings));
	struct loader loader = { .settings = settings,
				 .error = error_text,
				 .error_size = error_size };
	int rc;

	put_defaults(settings_table, ARRAY_LEN(settings_table), settings, &settings->arena);
	settings->file = path ? arena_strdup(&settings->arena, path) : "";
	if (state)
		settings->state = arena_strdup(&settings->arena, state);
	rc = read_all(&loader, path);
	if (rc == 0) {
		*out = settings;
		settings = NULL; /* the caller's now */
	}
	settings_free(settings); /* NULL on success */
	return rc;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	arena_free(&settings->arena);
	free(settings);
}

static void print_default(struct buf *out, const struct setting *row)
{
	if (row->type == SETTING_LIST)
		buf_addstr(out, "{}");
	else if (row->type == SETTING_TEXT || row->type == SETTING_CHOICE)
		buf_addf(out, "\"%s\"", row->def_text ? row->def_text : "");
	else
		buf_addf(out, "%" PRId64, row->def);
}

static void print_rows(struct buf *out, const struct setting *rows, unsigned count)
{
	struct arena arena = { 0 };
	unsigned i;

	for (i = 0; i < count; i++) {
		buf_addf(out, "-- %s.\n-- Allowed: %s.\n%s = ", rows[i].help,
			 allowed(&arena, &rows[i]), rows[i].name);
		print_default(out, &rows[i]);
		buf_addstr(out, "\n\n");
	}
	arena_free(&arena);
}

void settings_print(struct buf *out)
{
	print_rows(out, settings_table, ARRAY_LEN(settings_table));
	buf_addstr(out, "-- In each of connections = { NAME = { ... } }, beside what its adapter "
			"takes:\n\n");
	print_rows(out, connection_table, ARRAY_LEN(connection_table));
}
