/* telco.c - runs plugins/telco/<adapter>.lua: raw request -> our messages, and back.
 *
 * Each connection has a Lua state of its own on the loop thread: an adapter is pure and short, so
 * it is cheaper there than behind a queue, and one connection's fault leaves the others alone.
 * Two calls happen for each message in and two for each out, so nothing is built for them that
 * isn't looked at: a request, a message and an answer are views (telco_view.c), and one resume
 * does the checking of the secret and the decoding.  An adapter that fails or breaches its limits
 * loses its state, and the next call makes a new one from the same source.
 */
#include "telco.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsm7.h"
#include "log.h"
#include "msisdn.h"
#include "telco_priv.h"

enum {
	NAME_MAX_LEN = 31,
	SOURCE_MAX = 32 * 1024,
	RETRY_AFTER_MAX = 86400, /* seconds */
};

/* 2 ms a call; memory far above what 64 KiB of request can make of itself. */
static const struct sandbox_limits adapter_limits = {
	.instructions = 200000,
	.cpu_us = 2000,
	.memory = 4 << 20,
	.allocation = 1 << 20,
	.state_memory = 8 << 20,
	.source = SOURCE_MAX,
	.log = 4 << 10,
};

struct telco {
	struct telco_connection **connections; /* owned */
	unsigned count;
};

struct load {
	struct telco_connection *connection;
	char *error;
	size_t error_size;
	bool ok;
};

static void adapter_drop(struct telco_connection *connection)
{
	sandbox_run_free(connection->run);
	sandbox_free(connection->sandbox);
	connection->run = NULL;
	connection->sandbox = NULL;
}

static void provide_fn(lua_State *L, void *arg)
{
	struct telco_connection *connection = arg;

	telco_provide(L, connection->sandbox);
	telco_make_views(L, connection);
}

static void manifest_fn(lua_State *L, void *arg)
{
	struct load *load = arg;
	struct telco_connection *connection = load->connection;

	lua_xmove(sandbox_run_thread(connection->run), L, 1);
	load->ok = telco_read_manifest(L, connection, load->error, load->error_size);
	lua_pop(L, 1);
}

/* Makes the adapter's Lua from the source that was read at start. */
static bool adapter_load(struct telco_connection *connection, char *error, size_t error_size)
{
	struct load load = { connection, error, error_size, false };

	connection->sandbox = sandbox_new(&adapter_limits);
	if (!sandbox_protected(connection->sandbox, provide_fn, connection))
		snprintf(error, error_size, "out of memory");
	else if (sandbox_add(connection->sandbox, connection->config.adapter,
			     connection->source.data, connection->source.len, error, error_size)) {
		connection->run = sandbox_run_new(connection->sandbox, connection);
		if (sandbox_run_load(connection->run, connection->config.adapter) != SANDBOX_DONE)
			snprintf(error, error_size, "%s", sandbox_run_error(connection->run));
		else if (!sandbox_protected(connection->sandbox, manifest_fn, &load))
			snprintf(error, error_size, "the manifest is too large");
	}
	arena_free(&connection->scratch);
	if (load.ok)
		sandbox_run_freeze(connection->run);
	else
		adapter_drop(connection);
	return load.ok;
}

/* Runs fn, which calls the adapter, on the adapter's coroutine.  false: it failed, which is
 * logged with file and line. */
static bool adapter_call(struct telco_connection *connection, lua_CFunction fn,
			 struct telco_call *call, const char *what)
{
	char error[512];
	enum sandbox_end end;
	lua_State *thread;
	int results;

	if (!connection->run && !adapter_load(connection, error, sizeof(error))) {
		log_event(LOG_ERROR, "telco.adapter_failed", "sconnection", connection->config.name,
			  "sfunction", what, "serror", error, NULL);
		return false;
	}
	thread = sandbox_run_thread(connection->run);
	sandbox_run_budget(connection->run);
	lua_settop(thread, 0);
	lua_pushcfunction(thread, fn);
	connection->call = call;
	end = sandbox_run_resume(connection->run, 0, &results);
	connection->call = NULL;
	if (end == SANDBOX_DONE && !sandbox_spoiled(connection->sandbox))
		return true;
	if (end != SANDBOX_DONE)
		log_event(LOG_ERROR, "telco.adapter_failed", "sconnection", connection->config.name,
			  "sfunction", what, "serror", sandbox_run_error(connection->run), NULL);
	adapter_drop(connection);
	return end == SANDBOX_DONE;
}

/* ---- opening ---- */

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static const char *text_or_empty(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : "";
}

static void copy_digits(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		if (isdigit((unsigned char)*from))
			to[n++] = *from;
	to[n] = '\0';
}

static void keep_own_number(struct telco_connection *connection, const char *number)
{
	char digits[CITIZEN_MAX + 1], complete[CITIZEN_MAX + 1];
	struct bytes raw = { number, strlen(number) };

	copy_digits(number, digits, sizeof(digits));
	connection->own_numbers[connection->own_count++] = arena_strdup(&connection->arena, digits);
	if (strpbrk(number, "*#") || msisdn_complete(raw, connection->config.country, false,
						     complete, sizeof(complete)) != MSISDN_NUMBER)
		return;
	copy_digits(complete, digits, sizeof(digits));
	connection->own_numbers[connection->own_count++] = arena_strdup(&connection->arena, digits);
}

static void copy_numbers(struct telco_connection *connection, const char *const *numbers)
{
	const char **copy;
	unsigned count = 0;

	while (numbers && numbers[count])
		count++;
	copy = arena_alloc(&connection->arena, (count + 1) * sizeof(*copy));
	connection->own_numbers = arena_alloc(&connection->arena, (2 * count + 1) * sizeof(*copy));
	connection->config.numbers = copy;
	for (unsigned i = 0; i < count; i++) {
		copy[i] = arena_strdup(&connection->arena, numbers[i]);
		keep_own_number(connection, copy[i]);
	}
}

static void copy_settings(struct telco_connection *connection, const struct telco_config *config)
{
	struct arena *arena = &connection->arena;
	struct telco_setting *copy = arena_alloc(arena,
						 (config->setting_count + 1) * sizeof(*copy));

	for (unsigned i = 0; i < config->setting_count; i++) {
		const struct telco_setting *from = &config->settings[i];

		copy[i].name = arena_strdup(arena, from->name);
		copy[i].value = arena_bytes(arena, from->value.data, from->value.len);
	}
	connection->config.settings = copy;
}

static struct telco_connection *connection_new(const struct telco_config *config,
					       const char *folder)
{
	struct telco_connection *connection = xcalloc(1, sizeof(*connection));
	struct arena *arena = &connection->arena;

	connection->config = *config;
	connection->config.name = arena_strdup(arena, config->name);
	connection->config.adapter = arena_strdup(arena, config->adapter);
	connection->config.country = text_or_empty(arena, config->country);
	connection->config.public_url = text_or_empty(arena, config->public_url);
	connection->path = arena_printf(arena, "%s/%s.lua", folder, config->adapter);
	copy_numbers(connection, config->numbers);
	copy_settings(connection, config);
	return connection;
}

static void connection_free(struct telco_connection *connection)
{
	if (!connection)
		return;
	adapter_drop(connection);
	arena_free(&connection->scratch);
	arena_free(&connection->arena);
	buf_free(&connection->buf);
	free(connection);
}

static int read_source(struct telco_connection *connection, char *error, size_t error_size)
{
	static char source[SOURCE_MAX + 1];
	FILE *file = fopen(connection->path, "rb");
	size_t len;
	int rc = file ? 0 : -errno;

	if (!file) {
		snprintf(error, error_size, "%s", strerror(-rc));
		return rc == -ENOENT ? -ENOENT : -EINVAL;
	}
	len = fread(source, 1, sizeof(source), file);
	if (ferror(file)) {
		snprintf(error, error_size, "can't be read");
		rc = -EINVAL;
	} else if (len > SOURCE_MAX) {
		snprintf(error, error_size, "larger than %d KiB", SOURCE_MAX / 1024);
		rc = -EINVAL;
	} else {
		connection->source = arena_bytes(&connection->arena, source, len);
	}
	fclose(file);
	return rc;
}

static bool config_ok(const struct telco *telco, const struct telco_config *config, char *error,
		      size_t error_size)
{
	if (!config->name || !name_ok(config->name))
		snprintf(error, error_size,
			 "connection \"%.40s\": the name must be 1 to %d of a-z, 0-9, _ and -",
			 config->name ? config->name : "", NAME_MAX_LEN);
	else if (!config->adapter || !name_ok(config->adapter))
		snprintf(
			error, error_size,
			"connection %s: adapter must name a file of the folder telco, without .lua",
			config->name);
	else if (telco_find((struct telco *)telco, config->name))
		snprintf(error, error_size, "connection %s: there are two of this name",
			 config->name);
	else if (config->country && config->country[0] && !msisdn_country_known(config->country))
		snprintf(error, error_size,
			 "connection %s: country \"%.10s\" is not known; two letters, as in ID",
			 config->name, config->country);
	else
		return true;
	return false;
}

static int line_of(const struct telco_config *config, const char *name)
{
	for (unsigned i = 0; i < config->setting_count; i++)
		if (strcmp(config->settings[i].name, name) == 0 && config->settings[i].line)
			return config->settings[i].line;
	return config->line;
}

/* Where the operator made the mistake, if it is hers: else in which adapter it is. */
static void explain(const struct telco_connection *connection, const char *why, char *error,
		    size_t error_size)
{
	const struct telco_config *config = &connection->config;
	const char *wrong = connection->wrong;
	bool adapter = wrong && strcmp(wrong, "adapter") == 0;

	if (wrong && config->file && config->file[0])
		snprintf(error, error_size, "%s:%d: connections.%s.%s: %s%s%s", config->file,
			 line_of(config, wrong), config->name, wrong,
			 adapter ? connection->path : "", adapter ? ": " : "", why);
	else
		snprintf(error, error_size, "connection %s: %s: %s%s%s%s", config->name,
			 connection->path, wrong && !adapter ? "setting " : "",
			 wrong && !adapter ? wrong : "", wrong && !adapter ? " " : "", why);
}

static int open_one(struct telco *telco, const char *folder, const struct telco_config *config,
		    char *error, size_t error_size)
{
	struct telco_connection *connection;
	char why[640];
	int rc;

	if (!config_ok(telco, config, error, error_size))
		return -EINVAL;
	connection = connection_new(config, folder);
	telco->connections[telco->count++] = connection;
	rc = read_source(connection, why, sizeof(why));
	if (rc < 0)
		connection->wrong = "adapter";
	if (rc == 0 && !adapter_load(connection, why, sizeof(why)))
		rc = -EINVAL;
	if (rc != 0)
		explain(connection, why, error, error_size);
	return rc;
}

int telco_open(const char *folder, const struct telco_config *configs, unsigned count,
	       struct telco **out, char *error_text, size_t error_size)
{
	struct telco *telco = xcalloc(1, sizeof(*telco));
	int rc = 0;

	telco->connections = xcalloc(count + 1, sizeof(*telco->connections));
	for (unsigned i = 0; i < count && rc == 0; i++)
		rc = open_one(telco, folder, &configs[i], error_text, error_size);
	if (rc == 0) {
		*out = telco;
		telco = NULL; /* the caller's now */
	}
	telco_close(telco);
	return rc;
}

void telco_close(struct telco *telco)
{
	if (!telco)
		return;
	for (unsigned i = 0; i < telco->count; i++)
		connection_free(telco->connections[i]);
	free(telco->connections);
	free(telco);
}

struct telco_connection *telco_find(struct telco *telco, const char *name)
{
	for (unsigned i = 0; i < telco->count; i++)
		if (strcmp(telco->connections[i]->config.name, name) == 0)
			return telco->connections[i];
	return NULL;
}

const struct telco_config *telco_config(const struct telco_connection *connection)
{
	return &connection->config;
}

const struct telco_limits *telco_limits(const struct telco_connection *connection)
{
	return &connection->limits;
}

bool telco_is_our_number(const struct telco_connection *connection, const char *number)
{
	char digits[CITIZEN_MAX + 1];

	copy_digits(number, digits, sizeof(digits));
	for (unsigned i = 0; digits[0] && i < connection->own_count; i++)
		if (strcmp(digits, connection->own_numbers[i]) == 0)
			return true;
	return false;
}

/* ---- the calls ---- */

static bool is_form(const struct http_request *request)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const struct http_field *type = http_field(&request->headers, "content-type", true);

	return type && type->value.len >= sizeof(form) - 1 &&
	       strncasecmp(type->value.data, form, sizeof(form) - 1) == 0;
}

void telco_decode(struct telco_connection *connection, enum telco_kind kind,
		  const struct http_request *request, int64_t now, struct arena *arena,
		  struct telco_events *out)
{
	struct telco_call call = {
		.arena = arena, .now = now, .kind = kind, .request = request, .events = out
	};

	*out = (struct telco_events){ .verdict = TELCO_BAD, .why = "" };
	if (request->method == HTTP_HEAD) { /* somebody looks whether we are there */
		out->verdict = TELCO_IGNORE;
		return;
	}
	if (connection->function[TELCO_INBOUND + kind] == LUA_NOREF) {
		out->why = "this telco has no such callback";
		return;
	}
	if (request->body.len > 0 && is_form(request) &&
	    !http_parse_form(arena, request->body.data, request->body.len, &call.form)) {
		out->why = "the form is broken";
		return;
	}
	if (adapter_call(connection, telco_run_decode, &call, "inbound"))
		return;
	*out = (struct telco_events){ .verdict = TELCO_BROKEN, .why = "the adapter failed" };
}

void telco_answer(struct telco_connection *connection, enum telco_kind kind,
		  const struct bytes *screen, bool more, const struct http_request *request,
		  struct arena *arena, struct http_response *out)
{
	struct telco_call call = { .arena = arena,
				   .kind = kind,
				   .request = request,
				   .screen = screen,
				   .more = more,
				   .response = out };

	*out = (struct http_response){ .status = 200 };
	if (connection->function[TELCO_ANSWER + kind] == LUA_NOREF)
		return;
	/* A telco reads an error as "send it again", and that repeat gets the stored answer. */
	if (!adapter_call(connection, telco_run_answer, &call, "answer"))
		*out = (struct http_response){ .status = 500 };
}

/* Most texts need no substitution, and finding that out is much cheaper than making one. */
static bool fits_gsm7(struct bytes text)
{
	return text.len == 0 || (!memchr(text.data, '\r', text.len) &&
				 gsm7_size(text, NULL, 0).coding == CODING_GSM7);
}

int telco_encode(struct telco_connection *connection, const struct outbound *message, int64_t now,
		 struct arena *arena, struct http_call *out)
{
	struct telco_call call = {
		.arena = arena, .now = now, .message = message, .text = message->text, .http = out
	};

	*out = (struct http_call){ 0 };
	if (connection->smart && !fits_gsm7(message->text))
		call.text = gsm7_smart(arena, message->text, false);
	if (!adapter_call(connection, telco_run_encode, &call, "outbound"))
		return -EINVAL;
	if (!call.refused)
		return 0;
	log_event(LOG_ERROR, "telco.not_sendable", "sconnection", connection->config.name,
		  "dmessage", &message->id, "ncitizen", message->citizen, "swhy", call.refused,
		  NULL);
	return -EINVAL;
}

/* Seconds; the form with a date is not worth reading: the outbox waits by itself then. */
static int64_t retry_after_ms(const struct http_result *result)
{
	const struct http_field *field = http_field(&result->headers, "retry-after", true);
	int64_t seconds = 0;

	if (!field || field->value.len == 0 || field->value.len > 6)
		return 0;
	for (size_t i = 0; i < field->value.len; i++) {
		if (!isdigit((unsigned char)field->value.data[i]))
			return 0;
		seconds = seconds * 10 + (field->value.data[i] - '0');
	}
	return (seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) * 1000;
}

void telco_outcome(struct telco_connection *connection, const struct http_result *result,
		   struct arena *arena, struct telco_outcome *out)
{
	struct telco_call call = { .arena = arena, .result = result, .outcome = out };

	*out = (struct telco_outcome){ .kind = OUTCOME_UNKNOWN, .provider_id = "", .code = "" };
	if (result->error != 0) {
		out->kind = result->left ? OUTCOME_UNKNOWN : OUTCOME_TEMPORARY;
		return;
	}
	if (!adapter_call(connection, telco_run_outcome, &call, "outcome"))
		*out = (struct telco_outcome){ .kind = OUTCOME_UNKNOWN,
					       .provider_id = "",
					       .code = "" };
	else if (out->retry_after_ms == 0 &&
		 (out->kind == OUTCOME_THROTTLED || out->kind == OUTCOME_TEMPORARY))
		out->retry_after_ms = retry_after_ms(result);
}
