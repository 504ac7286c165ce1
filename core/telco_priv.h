/* telco_priv.h - what telco.c's files share: a connection, its adapter in Lua, and the call in
 * work. */
#pragma once
#include <lua.h>

#include "plugin_sandbox.h"
#include "telco.h"

/* The functions that an adapter may have; the order is that of the table in telco_manifest.c. */
enum telco_function {
	TELCO_VERIFY,
	TELCO_INBOUND,                    /* + enum telco_kind */
	TELCO_ANSWER = TELCO_INBOUND + 3, /* + enum telco_kind */
	TELCO_OUTBOUND = TELCO_ANSWER + 3,
	TELCO_OUTCOME,
	TELCO_FUNCTIONS,
};

/* What Lua sees of C's values: userdata without a copy, each field pushed when it is asked for. */
enum telco_view {
	VIEW_REQUEST,
	VIEW_QUERY,
	VIEW_FORM,
	VIEW_HEADERS,
	VIEW_MESSAGE,
	VIEW_RESPONSE,
	VIEW_RESPONSE_HEADERS,
	VIEW_COUNT,
};

/* Names of fields that adapters hand back, kept as Lua strings: looking one up makes none. */
enum telco_key {
	KEY_ID = 1,
	KEY_FROM,
	KEY_TOKEN,
	KEY_TO,
	KEY_TEXT,
	KEY_TIME,
	KEY_NETWORK,
	KEY_META,
	KEY_CODING,
	KEY_PART_REF,
	KEY_PART_TOTAL,
	KEY_PART_NUMBER,
	KEY_SESSION,
	KEY_STEP,
	KEY_EVENT,
	KEY_CUMULATIVE,
	KEY_REF,
	KEY_OWN_ID,
	KEY_STATUS,
	KEY_CODE,
	KEY_OPTED_OUT,
	KEY_PROVIDER_ID,
	KEY_RETRY_AFTER_MS,
	KEY_COUNT,
};

/* One call of the adapter, while it runs. */
struct telco_call {
	struct arena *arena; /* for what the call gives */
	int64_t now;         /* seconds UTC */
	enum telco_kind kind;
	const struct http_request *request; /* decode and answer */
	struct http_fields form;
	const struct outbound *message; /* encode */
	struct bytes text;              /* its text, substituted where the connection wants that */
	const struct http_result *result; /* outcome */
	const struct bytes *screen;       /* answer */
	bool more;
	struct telco_events *events;    /* out: decode */
	struct http_response *response; /* out: answer */
	struct http_call *http;         /* out: encode */
	struct telco_outcome *outcome;  /* out: outcome */
	const char *refused;            /* out: encode; why the adapter can't send this, or NULL */
	bool json_ready; /* the body was parsed in this call and is kept in its view */
};

struct telco_connection {
	struct telco_config config; /* a copy, in the arena */
	struct telco_limits limits;
	struct arena arena; /* owns the configuration, the path and the source */
	const char *path;   /* of the adapter, for people */
	struct bytes source;
	const char *wrong;        /* the operator's setting that could not be taken, or NULL */
	bool smart;               /* the connection's setting: substitute before sending */
	const char **own_numbers; /* digits of our numbers, as given and completed */
	unsigned own_count;

	/* The adapter's Lua; NULL after a breach, made anew at the next call. */
	struct sandbox *sandbox;
	struct sandbox_run *run;
	int function[TELCO_FUNCTIONS]; /* references in the registry; LUA_NOREF: it has none */
	int view[VIEW_COUNT];
	int keys;            /* array of enum telco_key -> name */
	int settings, about; /* read-only tables: the adapter's settings; the connection */

	struct telco_call *call; /* NULL outside of a call */
	struct arena scratch;    /* for host functions that run outside of a call */
	struct buf buf; /* for host functions; what it holds is worth nothing between two */
};

/* telco_manifest.c: reads what the file returned (on top of L, left there), checks each field,
 * keeps references, and makes the settings tables.  false: error says which field is wrong and
 * what is allowed. */
bool telco_read_manifest(lua_State *L, struct telco_connection *connection, char *error,
			 size_t error_size) MUST_CHECK;

/* telco_host.c: gives the sandbox the functions that adapters may call.  Runs under
 * sandbox_protected. */
void telco_provide(lua_State *L, struct sandbox *sandbox);
/* The connection whose adapter calls. */
struct telco_connection *telco_caller(lua_State *L);
/* Memory for a host function's result: the call's, or the scratch at file level. */
struct arena *telco_arena(struct telco_connection *connection);

/* telco_view.c: makes the views and the key names, under sandbox_protected. */
void telco_make_views(lua_State *L, struct telco_connection *connection);

/* telco_values.c: C functions that run on the adapter's coroutine: push the arguments, call, read
 * what came back. */
int telco_run_decode(lua_State *L);
int telco_run_answer(lua_State *L);
int telco_run_encode(lua_State *L);
int telco_run_outcome(lua_State *L);
bool telco_plain(const char *text, size_t len); /* valid UTF-8 without control characters */

/* telco_time.c: RFC 3339, "YYYY-MM-DD HH:MM:SS" (UTC where no zone is given), or Unix seconds. */
bool telco_parse_time(const char *text, size_t len, int64_t *out) MUST_CHECK;
