/* settings.h - kentongan.conf.lua: one sandboxed Lua file, read into plain values.
 *
 * Each setting is a row of the table in settings.c: name, type, default, bounds, help.
 * contrib/kentongan.conf.lua has every row (make check compares).  A mistake is told with file, line and field and what is allowed.
 */
#pragma once
#include "base.h"
#include "telco.h"

/* One value a person set for a plugin: plugins.survey.question = "..." */
struct plugin_setting {
	const char *plugin, *name;
	enum { PLUGIN_SETTING_TEXT, PLUGIN_SETTING_NUMBER, PLUGIN_SETTING_BOOLEAN } type;
	const char *text; /* number and boolean also as text */
	double number;
	bool boolean;
	int line; /* in the file, 0 unknown */
};

struct settings {
	struct arena arena;  /* owns all below */
	const char *file;    /* what was read, or "" */
	const char *state;   /* folder of the store and secrets */
	const char *store;   /* "sqlite:PATH", relative to state */
	const char *plugins; /* folder */
	const char *public_host, *admin_host;
	unsigned public_port, admin_port;
	const char *public_url; /* as telcos reach us, "" : http://public_host:public_port */
	const char *country;    /* default country of numbers */
	const char *language;   /* default language of the gateway's own texts: id, jv, en */
	const char *ussd_code;  /* "*123#": what the phone simulator dials */
	const char *office;     /* who signs the gateway's own texts: "Pemkab Bojonegoro" */
	const char *time_zone;  /* "Asia/Jakarta" */
	int64_t dialog_expiry;  /* seconds an open dialog waits: 604,800 */
	int64_t session_expiry; /* seconds a USSD session lives: 180 */
	unsigned workers;       /* Lua threads, 0: one a core, at least two */
	unsigned readers;
	unsigned dialog_cache;  /* live coroutines in each worker, 0: always replay */
	unsigned citizen_cache; /* citizens' states kept in memory, 0: always read */
	unsigned max_segments;  /* longer texts are paged on SMS */
	unsigned commit_wait_us, commit_group;
	unsigned inbox_max, outbox_max, store_max; /* the queues' maxima */
	unsigned connections_max;                  /* HTTP */
	int64_t reserve_mib;                       /* free disk below which nothing is accepted */
	int64_t dedupe_days, keep_messages_days, keep_dialogs_days; /* retention */
	const char *log_level;
	const char *const *trusted; /* aggregators' addresses, ended by NULL */
	const char *const *proxies;
	struct telco_config *connections;
	unsigned connection_count;
	struct plugin_setting *plugin_settings;
	unsigned plugin_setting_count;
};

/* path NULL: the embedded default alone (state is then the caller's to set before).  secret_get gives the value of a `secret "NAME"`:
 * from CREDENTIALS_DIRECTORY/NAME, or the environment with env "NAME".
 * Errors: -ENOENT, -EINVAL; error_text: "kentongan.conf.lua:12: dialog_expiry: must be 60 to 7776000 seconds, not 5". */
int settings_read(const char *path, const char *state, struct settings **out, char *error_text,
		  size_t error_size) MUST_CHECK;
void settings_free(struct settings *settings);
/* Prints every setting with type, default, bounds and help, as the table has it (kentongan settings). */
void settings_print(struct buf *out);
