/* vectors.c - what all kinds of vectors share: connections, requests, replies, counting. */
#include "vectors.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msisdn.h"

#define SECRET "only-for-vectors-0123456789abcdef"
enum { SETTINGS_MAX = 64, NOW = 1795489500 };

void tally_pass(struct tally *tally)
{
	tally->passed++;
}

void tally_fail(struct tally *tally, const char *id, const char *fmt, ...)
{
	va_list args;

	tally->failed++;
	printf("FAIL %s %s: ", tally->file, id);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void tally_result(struct tally *tally, const char *id, const char *why)
{
	if (why)
		tally_fail(tally, id, "%s", why);
	else
		tally_pass(tally);
}

const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool has_adapter(const struct tally *tally, const char *provider)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.lua", tally->adapters, provider);
	return access(path, R_OK) == 0;
}

/* Whether this provider is to be run. */
static bool vectors_wanted(struct tally *tally, const char *provider)
{
	if (tally->only) {
		for (const char *const *name = tally->only; *name; name++)
			if (strcmp(*name, provider) == 0)
				return true;
		return false;
	}
	if (has_adapter(tally, provider))
		return true;
	json_object_set_new(tally->skipped, provider, json_true());
	return false;
}

void vectors_each(struct tally *tally, const json_t *rows,
		  void (*run)(struct tally *tally, const json_t *row))
{
	size_t i;
	json_t *row;

	json_array_foreach ((json_t *)rows, i, row)
		if (vectors_wanted(tally, text_of(row, "provider")))
			run(tally, row);
}

/* ---- a connection ---- */

/* A value of a vector's `config` as the settings file would give it. */
static const char *config_text(struct arena *arena, const json_t *value)
{
	if (json_is_string(value))
		return arena_strdup(arena, json_string_value(value));
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	if (json_is_integer(value))
		return arena_printf(arena, "%lld", (long long)json_integer_value(value));
	return arena_printf(arena, "%.15g", json_number_value(value));
}

/* What a vector leaves out but the adapter can't be without. */
static const char *filler(const char *type)
{
	if (strcmp(type, "url") == 0)
		return "http://127.0.0.1/";
	if (strcmp(type, "number") == 0)
		return "1";
	return strcmp(type, "boolean") == 0 ? "false" : SECRET;
}

/* Only what the adapter declares is handed to it: a vector's config also describes the telco's
 * side. */
static unsigned choose_settings(lua_State *L, struct arena *arena, const json_t *config,
				struct telco_setting *out)
{
	unsigned count = 0;

	for (lua_pushnil(L); lua_next(L, -2) && count < SETTINGS_MAX - 1; lua_pop(L, 1)) {
		const char *name = arena_strdup(arena, lua_tostring(L, -2)), *text = NULL;
		const json_t *given = json_object_get(config, name);

		if (given && !json_is_null(given)) {
			text = config_text(arena, given);
		} else if (lua_getfield(L, -1, "required") != LUA_TNIL && lua_toboolean(L, -1)) {
			lua_rawgeti(L, -2, 1);
			text = filler(lua_tostring(L, -1));
			lua_pop(L, 2);
		} else {
			lua_pop(L, 1);
		}
		if (text)
			out[count++] = (struct telco_setting){ name, { text, strlen(text) }, 0 };
	}
	return count;
}

static unsigned declared_settings(const char *path, struct arena *arena, const json_t *config,
				  struct telco_setting *out)
{
	lua_State *L = luaL_newstate();
	unsigned count = 0;

	luaL_openlibs(L);
	if (luaL_dofile(L, path) == LUA_OK && lua_istable(L, -1) &&
	    lua_getfield(L, -1, "settings") == LUA_TTABLE)
		count = choose_settings(L, arena, config, out);
	lua_close(L);
	return count;
}

bool subject_open(struct tally *tally, struct subject *subject, const char *provider,
		  const json_t *config, bool smart)
{
	struct telco_setting settings[SETTINGS_MAX];
	const char *country = text_of(config, "default_country"),
		   *public_url = text_of(config, "public_url");
	static const char *const no_numbers[] = { NULL };
	struct telco_config row = {
		.name = "v1", .adapter = provider, .numbers = no_numbers, .settings = settings
	};

	*subject = (struct subject){ 0 };
	row.country = country && msisdn_country_known(country) ? country : "";
	row.public_url = public_url ? public_url : "";
	row.setting_count = declared_settings(
		arena_printf(&subject->arena, "%s/%s.lua", tally->adapters, provider),
		&subject->arena, config, settings);
	settings[row.setting_count++] =
		smart ? (struct telco_setting){ "smart", { "true", 4 }, 0 }
		      : (struct telco_setting){ "smart", { "false", 5 }, 0 };
	if (telco_open(tally->adapters, &row, 1, &subject->telco, subject->error,
		       sizeof(subject->error)) != 0)
		return false;
	subject->connection = telco_find(subject->telco, "v1");
	return true;
}

void subject_close(struct subject *subject)
{
	telco_close(subject->telco);
	arena_free(&subject->arena);
}

int64_t vector_now(const json_t *config)
{
	const json_t *at = json_object_get(config, "verify_at");

	if (!json_is_integer(at))
		at = json_object_get(config, "now");
	return json_is_integer(at) ? json_integer_value(at) : NOW;
}

/* ---- requests ---- */

static struct bytes from_hex(struct arena *arena, const char *hex)
{
	size_t len = strlen(hex) / 2;
	char *data = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++) {
		unsigned byte = 0;

		sscanf(hex + 2 * i, "%2x", &byte);
		data[i] = (char)byte;
	}
	return (struct bytes){ data, len };
}

static struct bytes request_body(struct arena *arena, const json_t *request)
{
	const json_t *body = json_object_get(request, "body");
	const char *hex = text_of(request, "body_hex");

	if (hex)
		return from_hex(arena, hex);
	if (json_is_string(body))
		return arena_bytes(arena, json_string_value(body), json_string_length(body));
	return (struct bytes){ "", 0 };
}

static void request_headers(struct arena *arena, const json_t *headers, struct http_fields *out)
{
	void *at;

	out->items = arena_alloc(arena, (json_object_size(headers) + 1) * sizeof(*out->items));
	for (at = json_object_iter((json_t *)headers); at;
	     at = json_object_iter_next((json_t *)headers, at)) {
		const json_t *value = json_object_iter_value(at);
		struct http_field *field = &out->items[out->count++];

		field->name = arena_strdup(arena, json_object_iter_key(at));
		field->value = arena_bytes(arena, json_string_value(value),
					   json_string_length(value));
	}
}

bool vector_request(struct subject *subject, const json_t *request, enum telco_kind kind,
		    struct http_request *out)
{
	static const char *const kinds[] = {
		[TELCO_SMS] = "sms", [TELCO_USSD] = "ussd", [TELCO_RECEIPT] = "receipt"
	};
	struct arena *arena = &subject->arena;
	const char *method = text_of(request, "method"), *path = text_of(request, "path");
	const char *query = path ? strchr(path, '?') : NULL;

	*out = (struct http_request){ .method = HTTP_GET, .peer = "192.0.2.1" };
	if (method && strcmp(method, "POST") == 0)
		out->method = HTTP_POST;
	else if (method && strcmp(method, "HEAD") == 0)
		out->method = HTTP_HEAD;
	out->path = arena_printf(arena, "/telco/v1/%s/%s", kinds[kind], SECRET);
	out->target = arena_printf(arena, "%s%s", out->path, query ? query : "");
	request_headers(arena, json_object_get(request, "headers"), &out->headers);
	out->body = request_body(arena, request);
	return !query || http_parse_form(arena, query + 1, strlen(query + 1), &out->query);
}

/* ---- replies ---- */

static bool status_fits(int status, const json_t *expected)
{
	size_t i;
	json_t *one;

	if (!json_is_array(expected))
		return !expected || status == json_integer_value(expected);
	json_array_foreach ((json_t *)expected, i, one)
		if (status == json_integer_value(one))
			return true;
	return false;
}

/* The keys of `expected` have the same values; others are allowed. */
static bool json_holds(const json_t *value, const json_t *expected)
{
	const char *key;
	json_t *member;

	json_object_foreach ((json_t *)expected, key, member)
		if (!json_equal(json_object_get(value, key), member))
			return false;
	return true;
}

const char *check_reply(struct subject *subject, const struct http_response *response,
			const json_t *reply)
{
	const char *type = response->content_type ? response->content_type : "text/plain";
	const json_t *body = json_object_get(reply, "body"), *json = json_object_get(reply, "json");
	const char *want_type = text_of(reply, "content_type");
	json_t *got;
	bool ok;

	if (!status_fits(response->status, json_object_get(reply, "status")))
		return arena_printf(&subject->arena, "answered with status %d", response->status);
	if (want_type && strncasecmp(type, want_type, strlen(want_type)) != 0)
		return arena_printf(&subject->arena, "answered as %s, not %s", type, want_type);
	if (json_is_string(body) &&
	    (response->body.len != json_string_length(body) ||
	     memcmp(response->body.data, json_string_value(body), response->body.len) != 0))
		return arena_printf(
			&subject->arena, "answered \"%.*s\", not \"%s\"", (int)response->body.len,
			response->body.data ? response->body.data : "", json_string_value(body));
	if (!json_is_object(json))
		return NULL;
	got = json_loadb(response->body.data, response->body.len, 0, NULL);
	ok = json_holds(got, json);
	json_decref(got);
	return ok ? NULL
		  : arena_printf(&subject->arena, "answered other JSON: %.*s",
				 (int)response->body.len, response->body.data);
}

void verdict_reply(struct subject *subject, enum telco_kind kind, const struct telco_events *events,
		   const struct http_request *request, struct http_response *out)
{
	static const int statuses[] = {
		[TELCO_UNAUTHORIZED] = 401, [TELCO_BAD] = 400, [TELCO_BROKEN] = 500
	};

	*out = (struct http_response){ 0 };
	if (events->verdict == TELCO_TAKE || events->verdict == TELCO_IGNORE)
		telco_answer(subject->connection, kind, NULL, false, request, &subject->arena, out);
	else
		out->status = statuses[events->verdict];
}

/* ---- the files of a folder ---- */

struct json_file {
	const char *name;
	void (*run)(struct tally *tally, const json_t *content);
	bool of_providers; /* its vectors name one */
};
static const struct json_file json_files[] = {
	{ "inbound-samples.json", run_inbound_samples, true },
	{ "inbound-sequences.json", run_inbound_sequences, true },
	{ "dlr-samples.json", run_dlr_samples, true },
	{ "dlr-order.json", run_dlr_order, false },
	{ "mt-samples.json", run_mt_samples, true },
	{ "ussd-sequences.json", run_ussd_sequences, true },
};

static const char *path_of(const struct tally *tally, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", tally->folder, name);
	return path;
}

/* NULL where the file isn't there, which is no failure, or is broken, which is. */
static json_t *load(struct tally *tally, const char *name)
{
	char path[512];
	json_error_t error;
	json_t *content;

	tally->file = name;
	if (access(path_of(tally, name, path, sizeof(path)), R_OK) != 0)
		return NULL;
	content = json_load_file(path, 0, &error);
	if (!content)
		tally_fail(tally, "file", "line %d: %s", error.line, error.text);
	return content;
}

static json_t *signatures_by_id(struct tally *tally)
{
	json_t *list = load(tally, "signatures.json"), *by_id = json_object(), *one;
	size_t i;

	json_array_foreach (list, i, one)
		json_object_set(by_id, text_of(one, "id"), one);
	json_decref(list);
	return by_id;
}

static void run_json_files(struct tally *tally)
{
	for (unsigned i = 0; i < ARRAY_LEN(json_files); i++) {
		json_t *content;

		if (tally->only && !json_files[i].of_providers)
			continue;
		content = load(tally, json_files[i].name);
		if (content)
			json_files[i].run(tally, content);
		json_decref(content);
	}
}

void run_vectors(struct tally *tally)
{
	tally->signatures = signatures_by_id(tally);
	run_json_files(tally);
	json_decref(tally->signatures);
	tally->signatures = NULL;
}
