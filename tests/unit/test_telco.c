/* test_telco.c - the host of telco adapters: manifests, secrets, hostile input, limits.
 *
 * Adapters are written into a folder of the test's own; the shipped ones are run by the test
 * vectors, and here where only they show something.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "telco.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define VERIFY "verify = function(r) return equal(r.key, \"" KEY "\"), \"wrong key\" end,\n"
#define REST                                                                                  \
	"outbound = function(m) return \"GET\", \"http://127.0.0.1/?\" .. url.query(\"to\", " \
	"m.to, \"text\", m.text) end,\n"                                                      \
	"outcome = function(r) return status_outcome(r.status) end,\n"
#define SMS                                                 \
	"inbound = { sms = function(r) local q = r.query\n" \
	"return { id = q.id, from = q.from, to = q.to, text = q.text, time = q.ts } end },\n"

enum { NOW = 1795489500 };

static char folder[] = "telco-test-XXXXXX"; /* in the folder that the tests run in */
static struct telco *telco;
static struct telco_connection *connection;
static struct arena arena;
static struct telco_events events;
static char error[1024];

static void begin(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	log_set_level(LOG_ERROR + 1);
}

static void finish(void)
{
	char path[128];

	telco_close(telco);
	arena_free(&arena);
	snprintf(path, sizeof(path), "%s/one.lua", folder);
	unlink(path);
	rmdir(folder);
}

TestSuite(telco, .init = begin, .fini = finish);

static void write_adapter(const char *source)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/one.lua", folder);
	file = fopen(path, "w");
	fputs(source, file);
	fclose(file);
}

static int open_with(const char *in, const char *adapter, const struct telco_setting *settings,
		     unsigned count)
{
	static const char *const numbers[] = { "2020", "0855-7467-0000", "*123#", NULL };
	struct telco_config config = { .name = "one",
				       .adapter = adapter,
				       .country = "ID",
				       .numbers = numbers,
				       .public_url = "https://gw.example.org",
				       .settings = settings,
				       .setting_count = count };
	int rc;

	telco_close(telco);
	telco = NULL;
	error[0] = '\0';
	rc = telco_open(in, &config, 1, &telco, error, sizeof(error));
	connection = rc == 0 ? telco_find(telco, "one") : NULL;
	return rc;
}

/* An adapter of which `fields` are all but its name. */
static int open_adapter(const char *fields)
{
	char source[4096];

	snprintf(source, sizeof(source), "return { name = \"one\",\n%s}\n", fields);
	write_adapter(source);
	return open_with(folder, "one", NULL, 0);
}

static void decode_raw(const char *query, size_t len, const char *key)
{
	struct http_request request = { .path = "/telco/one/sms",
					.target = "",
					.peer = "192.0.2.1" };

	arena_free(&arena);
	cr_assert(http_parse_form(&arena, query, len, &request.query));
	if (key)
		request.path = arena_printf(&arena, "/telco/one/sms/%s", key);
	telco_decode(connection, TELCO_SMS, &request, NOW, &arena, &events);
}

static enum telco_verdict decode(const char *query)
{
	decode_raw(query, strlen(query), KEY);
	return events.verdict;
}

/* ---- manifests ---- */

struct mistake {
	const char *fields, *says;
};
static const struct mistake mistakes[] = {
	{ SMS REST, "verify is missing" },
	{ "verify = 1," SMS REST, "verify must be a function" },
	{ VERIFY REST, "inbound must have sms, or ussd" },
	{ VERIFY REST "inbound = { smss = 1 },", "inbound has no field \"smss\"" },
	{ VERIFY REST "inbound = { sms = \"x\" },", "inbound.sms must be a function" },
	{ VERIFY REST "inbound = 7,", "inbound must be a table" },
	{ VERIFY SMS, "outbound is missing" },
	{ VERIFY SMS "outbound = function() end,", "outbound and outcome belong together" },
	{ VERIFY REST "inbound = { ussd = function() end },", "answer.ussd is missing" },
	{ VERIFY SMS REST "limit = {},", "no field \"limit\"" },
	{ VERIFY SMS REST "limits = { tps = -1 },", "limits.tps must be a number from 0" },
	{ VERIFY SMS REST "limits = { ussd_chars = 183 },",
	  "limits.ussd_chars must be a number from 20 to 182" },
	{ VERIFY SMS REST "limits = { splits = 1 },", "limits.splits must be true or false" },
	{ VERIFY SMS REST "limits = { speed = 1 },", "limits has no field \"speed\"" },
	{ VERIFY SMS REST "settings = 1,", "settings must be a table" },
	{ VERIFY SMS REST "settings = { a = \"string\" },", "settings.a must be a table" },
	{ VERIFY SMS REST "settings = { a = { \"text\" } },", "settings.a: the type" },
	{ VERIFY SMS REST "settings = { a = { \"number\", default = \"x\" } },",
	  "settings.a.default must be a number" },
	{ VERIFY SMS REST "settings = { a = { \"string\", required = 1 } },",
	  "settings.a.required must be true or false" },
	{ VERIFY SMS REST "settings = { a = { \"string\", min = true } },",
	  "settings.a.min must be a number" },
	{ VERIFY SMS REST "settings = { a = { \"string\", help = 1 } },",
	  "settings.a.help must be text" },
	{ VERIFY SMS REST
	  "settings = { a = { \"secret\", required = true, help = \"what Kannel sends\" } },",
	  "setting a is missing: what Kannel sends" },
	{ VERIFY SMS REST "summary = 1,", "summary must be text" },
	{ VERIFY SMS REST "name = \"two\",", "name must be \"one\"" },
	{ VERIFY SMS REST "1,", "has an entry without a name" },
};

Test(telco, a_mistake_in_a_manifest_names_file_and_field)
{
	for (unsigned i = 0; i < ARRAY_LEN(mistakes); i++) {
		cr_expect(eq(int, open_adapter(mistakes[i].fields), -EINVAL), "%s",
			  mistakes[i].says);
		cr_expect(ne(ptr, strstr(error, mistakes[i].says), NULL), "\"%s\" says not \"%s\"",
			  error, mistakes[i].says);
		cr_expect(ne(ptr, strstr(error, "connection one"), NULL), "%s", error);
		cr_expect(ne(ptr, strstr(error, "one.lua"), NULL), "%s", error);
	}
}

Test(telco, a_syntax_error_names_the_line)
{
	write_adapter("local a = 1\nlocal b = = 2\n");
	cr_expect(eq(int, open_with(folder, "one", NULL, 0), -EINVAL));
	cr_expect(ne(ptr, strstr(error, ":2:"), NULL), "%s", error);
}

Test(telco, what_returns_no_table_is_refused)
{
	write_adapter("return 1");
	cr_expect(eq(int, open_with(folder, "one", NULL, 0), -EINVAL));
	cr_expect(ne(ptr, strstr(error, "must return a table"), NULL), "%s", error);
}

Test(telco, an_adapter_that_is_not_there_is_told_so)
{
	cr_expect(eq(int, open_with(folder, "none", NULL, 0), -ENOENT));
	cr_expect(ne(ptr, strstr(error, "none.lua"), NULL), "%s", error);
	cr_expect(eq(int, open_with(folder, "../one", NULL, 0), -EINVAL), "a path is not a name");
}

Test(telco, an_adapter_that_loops_at_file_level_is_refused)
{
	write_adapter("while true do end");
	cr_expect(eq(int, open_with(folder, "one", NULL, 0), -EINVAL));
}

Test(telco, two_connections_of_one_name_are_refused)
{
	static const char *const none[] = { NULL };
	struct telco_config configs[2] = { { .name = "one", .adapter = "one", .numbers = none },
					   { .name = "one", .adapter = "one", .numbers = none } };

	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0));
	telco_close(telco);
	telco = NULL;
	cr_expect(eq(int, telco_open(folder, configs, 2, &telco, error, sizeof(error)), -EINVAL));
	cr_expect(ne(ptr, strstr(error, "there are two of this name"), NULL), "%s", error);
}

/* ---- settings ---- */

struct value_mistake {
	const char *row, *value, *says;
};
static const struct value_mistake value_mistakes[] = {
	{ "{ \"number\", min = 1, max = 5 }", "6", "setting a must be from 1 to 5" },
	{ "{ \"number\" }", "12x", "setting a must be a number" },
	{ "{ \"number\" }", "", "setting a must be a number" },
	{ "{ \"number\" }", "nan", "setting a must be a number" },
	{ "{ \"boolean\" }", "yes", "setting a must be true or false" },
	{ "{ \"url\" }", "ftp://x", "setting a must be a URL" },
	{ "{ \"url\" }", "http://a b", "setting a must be a URL" },
	{ "{ \"url\" }", "http://", "setting a must be a URL" },
	{ "{ \"secret\", min = 22 }", "tooshortsecret", "setting a is too short; at least 22" },
	{ "{ \"string\", max = 3 }", "four", "setting a is too long; at most 3" },
	{ "{ \"string\" }", "a\nb", "setting a must be text without control characters" },
	{ "{ \"string\" }", "\xff", "setting a must be text without control characters" },
};

static int open_setting(const char *row, const char *name, const char *value)
{
	struct telco_setting setting = { name, { value, strlen(value) }, 0 };
	char source[4096];

	snprintf(source, sizeof(source),
		 "return { name = \"one\", settings = { a = %s },\n" VERIFY SMS REST "}", row);
	write_adapter(source);
	return open_with(folder, "one", &setting, 1);
}

Test(telco, a_wrong_value_of_a_setting_is_told_without_the_value)
{
	for (unsigned i = 0; i < ARRAY_LEN(value_mistakes); i++) {
		const struct value_mistake *m = &value_mistakes[i];

		cr_expect(eq(int, open_setting(m->row, "a", m->value), -EINVAL), "%s", m->says);
		cr_expect(ne(ptr, strstr(error, m->says), NULL), "\"%s\" says not \"%s\"", error,
			  m->says);
		cr_expect(strlen(m->value) < 10 || !strstr(error, m->value), "%s", error);
	}
}

Test(telco, an_unknown_setting_is_told_with_those_that_exist)
{
	cr_expect(eq(int, open_setting("{ \"string\" }", "b", "x"), -EINVAL));
	cr_expect(
		ne(ptr, strstr(error, "setting b is not a setting of one; it has a, smart"), NULL),
		"%s", error);
}

Test(telco, settings_come_typed_and_cannot_be_changed)
{
	struct telco_setting setting = { "n", { "5", 1 }, 0 };

	write_adapter("return { name = \"one\", settings = { n = { \"number\" }, d = { \"string\", "
		      "default = \"x\" } },\n"
		      "verify = function(r, s) return s.n == 5 and s.d == \"x\" and s.none == nil "
		      "and not pcall(function() s.n = 6 end) "
		      "end,\n" SMS REST "}");
	cr_assert(eq(int, open_with(folder, "one", &setting, 1), 0), "%s", error);
	cr_expect(eq(int, decode("from=081200000001&text=a"), TELCO_TAKE));
}

/* ---- verify ---- */

Test(telco, a_wrong_or_missing_key_is_unauthorized)
{
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	decode_raw("from=081200000001&text=a", 24, NULL);
	cr_expect(eq(int, events.verdict, TELCO_UNAUTHORIZED));
	cr_expect(eq(str, (char *)events.why, "wrong key"));
	decode_raw("from=081200000001&text=a", 24, "0123456789abcdef0123456789abcdeF");
	cr_expect(eq(int, events.verdict, TELCO_UNAUTHORIZED));
	decode_raw("from=081200000001&text=a", 24, KEY);
	cr_expect(eq(int, events.verdict, TELCO_TAKE));
	cr_expect(eq(int, decode("from=081200000001&text=a&key=" KEY), TELCO_TAKE), "in the query");
	decode_raw("from=081200000001&text=a&key=", 29, KEY);
	cr_expect(eq(int, events.verdict, TELCO_UNAUTHORIZED), "the query's goes first");
}

Test(telco, verify_must_say_true_itself)
{
	cr_assert(eq(int, open_adapter("verify = function() return 1 end," SMS REST), 0), "%s",
		  error);
	cr_expect(eq(int, decode("from=081200000001&text=a"), TELCO_UNAUTHORIZED));
	cr_assert(eq(int, open_adapter("verify = function() end," SMS REST), 0), "%s", error);
	cr_expect(eq(int, decode("from=081200000001&text=a"), TELCO_UNAUTHORIZED));
	cr_assert(eq(int, open_adapter("verify = function() error(\"x\") end," SMS REST), 0), "%s",
		  error);
	cr_expect(eq(int, decode("from=081200000001&text=a"), TELCO_BROKEN));
}

/* ---- what a telco may send ---- */

Test(telco, nul_and_invalid_bytes_in_a_text_become_replacements)
{
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	cr_assert(eq(int, decode("from=081200000001&text=a%00b%ff%c0%afc"), TELCO_TAKE));
	cr_expect(eq(int,
		     strncmp(events.messages[0].text.data,
			     "a\xef\xbf\xbd"
			     "b\xef\xbf\xbd",
			     8),
		     0));
	cr_expect(
		eq(int,
		   memchr(events.messages[0].text.data, '\0', events.messages[0].text.len) == NULL,
		   1));
}

Test(telco, a_text_of_ten_thousand_characters_is_kept_and_more_is_cut)
{
	static char query[40000];
	size_t at = (size_t)sprintf(query, "from=081200000001&text=");

	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	memset(query + at, 'x', 10000);
	cr_assert(eq(int, decode(query), TELCO_TAKE));
	cr_expect(eq(sz, events.messages[0].text.len, 10000));
	memset(query + at, 'x', 20000);
	cr_assert(eq(int, decode(query), TELCO_TAKE));
	cr_expect(eq(sz, events.messages[0].text.len, 10000));
}

struct sender {
	const char *query;
	enum telco_verdict verdict;
	enum sender_kind kind;
	const char *from;
};
static const struct sender senders[] = {
	{ "from=081200000001&text=a", TELCO_TAKE, SENDER_NUMBER, "+6281200000001" },
	{ "from=%2B6281200000001&text=", TELCO_TAKE, SENDER_NUMBER, "+6281200000001" },
	{ "from=+6281200000001&text=a", TELCO_TAKE, SENDER_NUMBER, "+6281200000001" },
	{ "from=TELKOMSEL&text=a", TELCO_TAKE, SENDER_ALNUM, "TELKOMSEL" },
	{ "from=4444&text=a", TELCO_TAKE, SENDER_SHORT, "4444" },
	{ "text=a", TELCO_BAD, 0, NULL },
	{ "from=&text=a", TELCO_BAD, 0, NULL },
	{ "from=%00081200000001&text=a", TELCO_BAD, 0, NULL },
	{ "from=%ff%fe&text=a", TELCO_BAD, 0, NULL },
	{ "from=081200000001&text=a&id=%ff", TELCO_BAD, 0, NULL },
	{ "from=081200000001&text=a&id=a%0ab", TELCO_BAD, 0, NULL },
	{ "from=081200000001&text=a&to=%00", TELCO_BAD, 0, NULL },
	{ "from=081200000001&text=a&to="
	  "0123456789012345678901234567890123456789012345678901234567890123456789",
	  TELCO_BAD, 0, NULL },
	{ "from=081200000001&text=a&ts=yesterday", TELCO_TAKE, SENDER_NUMBER, "+6281200000001" },
};

Test(telco, senders_ids_and_recipients_are_clean_or_refused)
{
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	for (unsigned i = 0; i < ARRAY_LEN(senders); i++) {
		cr_expect(eq(int, decode(senders[i].query), senders[i].verdict), "%s",
			  senders[i].query);
		if (senders[i].verdict != TELCO_TAKE || events.verdict != TELCO_TAKE)
			continue;
		cr_expect(eq(int, events.messages[0].sender, senders[i].kind), "%s",
			  senders[i].query);
		cr_expect(eq(str, (char *)events.messages[0].from, (char *)senders[i].from));
	}
}

Test(telco, a_long_id_is_hashed_and_stays_the_same)
{
	char query[400] = "from=081200000001&text=a&id=", first[128];

	memset(query + strlen(query), 'i', 200);
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	cr_assert(eq(int, decode(query), TELCO_TAKE));
	cr_assert(le(sz, strlen(events.messages[0].provider_id), PROVIDER_ID_MAX));
	strcpy(first, events.messages[0].provider_id);
	cr_assert(eq(int, decode(query), TELCO_TAKE));
	cr_expect(eq(str, first, (char *)events.messages[0].provider_id));
}

Test(telco, a_time_that_cannot_be_read_is_that_of_arrival)
{
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	cr_assert(eq(int, decode("from=081200000001&text=a&ts=1795489498"), TELCO_TAKE));
	cr_expect(eq(i64, events.messages[0].time, 1795489498));
	cr_expect(events.messages[0].time_is_telcos);
	cr_assert(eq(int, decode("from=081200000001&text=a&ts=2026-11-24+10:04:58%2B0700"),
		     TELCO_TAKE));
	cr_expect(eq(i64, events.messages[0].time, 1795489498));
	cr_assert(eq(int, decode("from=081200000001&text=a&ts=2026-02-30+10:04:58"), TELCO_TAKE));
	cr_expect(eq(i64, events.messages[0].time, NOW));
	cr_expect(not(events.messages[0].time_is_telcos));
}

Test(telco, a_form_with_a_name_twice_or_a_bad_escape_is_refused)
{
	static const char *const bodies[] = { "from=0812000001&from=0812000002&text=a",
					      "from=0812000001&text=%zz", "from=%4" };
	struct http_field type = { "Content-Type", { "application/x-www-form-urlencoded", 33 } };
	struct http_request request = { .method = HTTP_POST,
					.path = "/telco/one/sms/" KEY,
					.headers = { &type, 1 } };

	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	for (unsigned i = 0; i < ARRAY_LEN(bodies); i++) {
		request.body = (struct bytes){ bodies[i], strlen(bodies[i]) };
		telco_decode(connection, TELCO_SMS, &request, NOW, &arena, &events);
		cr_expect(eq(int, events.verdict, TELCO_BAD), "%s", bodies[i]);
	}
}

Test(telco, our_own_numbers_are_known_in_any_form)
{
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	cr_expect(telco_is_our_number(connection, "2020"));
	cr_expect(telco_is_our_number(connection, "+6285574670000"));
	cr_expect(telco_is_our_number(connection, "085574670000"));
	cr_expect(telco_is_our_number(connection, "*123#"));
	cr_expect(not(telco_is_our_number(connection, "20201")));
	cr_expect(not(telco_is_our_number(connection, "INFO")));
}

/* ---- what an adapter may do wrong ---- */

static const char *const broken_inbound[] = {
	"error(\"x\")",
	"return nil",
	"return \"what\"",
	"return { from = {} , text = \"a\" }, nil, error()",
	"while true do end",
	"local s = \"x\" while true do s = s .. s end",
	"coroutine.yield(1)",
	"return { 1, 2 }",
	"return r.nothing",
	"local t = {} for i = 1, 1e9 do t[i] = i end",
	"return pcall(function() while true do end end)",
};

Test(telco, an_adapter_that_fails_breaks_its_own_call_alone)
{
	char fields[2048];

	for (unsigned i = 0; i < ARRAY_LEN(broken_inbound); i++) {
		snprintf(fields, sizeof(fields),
			 VERIFY REST
			 "inbound = { sms = function(r) if r.query.text == \"bad\" then %s end\n"
			 "return { from = r.query.from, text = r.query.text } end },\n",
			 broken_inbound[i]);
		cr_assert(eq(int, open_adapter(fields), 0), "%s", error);
		cr_expect(eq(int, decode("from=081200000001&text=bad"), TELCO_BROKEN), "%s",
			  broken_inbound[i]);
		cr_expect(eq(int, decode("from=081200000001&text=good"), TELCO_TAKE), "after %s",
			  broken_inbound[i]);
	}
}

Test(telco, a_view_kept_beyond_its_call_shows_nothing)
{
	cr_assert(eq(int,
		     open_adapter(VERIFY REST "inbound = { sms = function(r)\n"
					      "assert(not pcall(function() r.query.x = 1 end))\n"
					      "return { from = r.query.from, text = "
					      "tostring(r.query.none) } end },\n"),
		     0),
		  "%s", error);
	cr_assert(eq(int, decode("from=081200000001&text=a"), TELCO_TAKE));
	cr_expect(eq(str, (char *)events.messages[0].text.data, "nil"));
}

/* ---- sending ---- */

static struct outbound message_to(const char *citizen, const char *text)
{
	return (struct outbound){ .id = { 1, 2 },
				  .citizen = citizen,
				  .connection = "one",
				  .from = "2020",
				  .meta = "",
				  .text = { text, strlen(text) },
				  .provider_id = "",
				  .note = "",
				  .code = "" };
}

Test(telco, a_message_becomes_a_request)
{
	struct outbound message = message_to("+6281200000001", "a+b & c");
	struct http_call call;

	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	cr_assert(eq(int, telco_encode(connection, &message, NOW, &arena, &call), 0));
	cr_expect(eq(str, (char *)call.method, "GET"));
	cr_expect(eq(str, (char *)call.url,
		     "http://127.0.0.1/?to=%2B6281200000001&text=a%2Bb%20%26%20c"));
	cr_expect(not(call.https_only));
}

Test(telco, typography_is_substituted_unless_the_connection_says_no)
{
	struct outbound message = message_to("+6281200000001", "\xe2\x80\x9chalo\xe2\x80\x9d");
	struct http_call call;

	cr_assert(eq(int, open_setting("{ \"string\" }", "smart", "true"), 0), "%s", error);
	cr_assert(eq(int, telco_encode(connection, &message, NOW, &arena, &call), 0));
	cr_expect(ne(ptr, strstr(call.url, "text=%22halo%22"), NULL), "%s", call.url);
	cr_assert(eq(int, open_setting("{ \"string\" }", "smart", "false"), 0), "%s", error);
	cr_assert(eq(int, telco_encode(connection, &message, NOW, &arena, &call), 0));
	cr_expect(ne(ptr, strstr(call.url, "text=%E2%80%9Chalo"), NULL), "%s", call.url);
}

static const char *const bad_requests[] = {
	"return nil, \"no\"",
	"return \"PUT\", \"http://a/\"",
	"return \"GET\"",
	"return \"GET\", \"file:///etc/passwd\"",
	"return \"GET\", \"http://a/b c\"",
	"return \"GET\", \"http://a/\\n\"",
	"return \"POST\", \"http://a/\", { [\"X: y\"] = \"z\" }",
	"return \"POST\", \"http://a/\", { X = \"a\\r\\nB: c\" }",
	"return \"POST\", \"http://a/\", { X = 1 }",
	"return \"POST\", \"http://a/\", 1",
	"return \"POST\", \"http://a/\", nil, {}",
	"error(\"x\")",
};

Test(telco, what_cannot_be_a_request_is_not_sent)
{
	struct outbound message = message_to("+6281200000001", "a");
	struct http_call call;
	char fields[1024];

	for (unsigned i = 0; i < ARRAY_LEN(bad_requests); i++) {
		snprintf(fields, sizeof(fields),
			 VERIFY SMS "outbound = function(m) %s end, outcome = function() end,",
			 bad_requests[i]);
		cr_assert(eq(int, open_adapter(fields), 0), "%s", error);
		cr_expect(eq(int, telco_encode(connection, &message, NOW, &arena, &call), -EINVAL),
			  "%s", bad_requests[i]);
	}
}

static enum telco_outcome_kind outcome_of(struct http_result result)
{
	struct telco_outcome outcome;

	telco_outcome(connection, &result, &arena, &outcome);
	return outcome.kind;
}

Test(telco, a_failure_before_the_request_left_is_temporary_and_after_it_unknown)
{
	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	cr_expect(eq(int, outcome_of((struct http_result){ .error = -ECONNREFUSED }),
		     OUTCOME_TEMPORARY));
	cr_expect(eq(int, outcome_of((struct http_result){ .error = -ETIMEDOUT, .left = true }),
		     OUTCOME_UNKNOWN));
	cr_expect(eq(int, outcome_of((struct http_result){ .status = 202, .left = true }),
		     OUTCOME_ACCEPTED));
	cr_expect(eq(int, outcome_of((struct http_result){ .status = 302, .left = true }),
		     OUTCOME_CONFIG));
	cr_expect(eq(int, outcome_of((struct http_result){ .status = 404, .left = true }),
		     OUTCOME_PERMANENT));
	cr_expect(eq(int, outcome_of((struct http_result){ .status = 503, .left = true }),
		     OUTCOME_TEMPORARY));
}

Test(telco, retry_after_is_read_where_the_adapter_says_nothing)
{
	struct http_field field = { "Retry-After", { "7", 1 } };
	struct http_result result = { .status = 429, .left = true, .headers = { &field, 1 } };
	struct telco_outcome outcome;

	cr_assert(eq(int, open_adapter(VERIFY SMS REST), 0), "%s", error);
	telco_outcome(connection, &result, &arena, &outcome);
	cr_expect(eq(int, outcome.kind, OUTCOME_THROTTLED));
	cr_expect(eq(i64, outcome.retry_after_ms, 7000));
}

Test(telco, an_outcome_that_the_adapter_cannot_tell_is_unknown)
{
	cr_assert(
		eq(int,
		   open_adapter(
			   VERIFY SMS
			   "outbound = function() end, outcome = function() return \"great\" end,"),
		   0),
		"%s", error);
	cr_expect(eq(int, outcome_of((struct http_result){ .status = 200, .left = true }),
		     OUTCOME_UNKNOWN));
}

/* ---- host functions ---- */

Test(telco, host_functions_do_what_their_description_says)
{
	static const char source[] =
		"local function check()\n"
		"assert(url.encode(\"a b+\\0~\") == \"a%20b%2B%00~\")\n"
		"assert(url.query(\"a\", \"1\", \"b\", nil, \"c\", \"&\") == \"a=1&c=%26\")\n"
		"assert(json.decode(\"{\\\"a\\\":[1,2.50]}\").a[2] == \"2.50\")\n"
		"assert(json.decode(\"{\") == nil)\n"
		"assert(json.encode({ a = \"b\" }) == \"{\\\"a\\\":\\\"b\\\"}\")\n"
		"assert(text.from_ucs2(\"\\0H\\xd8\\x3d\\xde\\0\") == \"H\\u{1F600}\")\n"
		"assert(text.to_ucs2(\"H\\u{1F600}\") == \"\\0H\\xd8\\x3d\\xde\\0\")\n"
		"assert(text.from_latin1(\"Ol\\xe1\") == \"Ol\\u{E1}\")\n"
		"assert(text.from_gsm7(\"\\0\\x1be\") == \"@\\u{20AC}\")\n"
		"assert(text.clean(\"a\\xff\") == \"a\\u{FFFD}\")\n"
		"local coding, units, segments = text.size(\"\\u{20AC}\")\n"
		"assert(coding == \"gsm7\" and units == 2 and segments == 1)\n"
		"assert(number.complete(\"0812 0000 0001\") == \"+6281200000001\")\n"
		"assert(select(2, number.complete(\"4444\")) == \"short\")\n"
		"assert(number.complete(\"12345678901234567890\") == nil)\n"
		"assert(hmac.sha1(\"key\", \"The quick brown fox jumps over the lazy dog\") == "
		"\"de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9\")\n"
		"assert(hmac.md5(\"key\", \"The quick brown fox jumps over the lazy dog\") == "
		"\"80070713463e7749b90c2dc24911e275\")\n"
		"assert(hmac.sha256(\"key\", \"The quick brown fox jumps over the lazy dog\", "
		"\"base64\") == "
		"\"97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=\")\n"
		"assert(digest.md5(\"\") == \"d41d8cd98f00b204e9800998ecf8427e\")\n"
		"assert(#digest.sha256(\"\", \"raw\") == 32)\n"
		"assert(base64.encode(\"open sesame\") == \"b3BlbiBzZXNhbWU=\")\n"
		"assert(base64.decode(\"b3BlbiBzZXNhbWU\") == \"open sesame\")\n"
		"assert(base64.decode(\"-_8\") == \"\\xfb\\xff\" and base64.decode(\"a\") == nil "
		"and base64.decode(\"!!\") == nil)\n"
		"assert(equal(\"a\", \"a\") and not equal(\"a\", \"b\") and not equal(\"a\", nil) "
		"and not equal(nil, nil))\n"
		"assert(time.parse(\"2026-11-24T03:04:58Z\") == 1795489498)\n"
		"assert(time.parse(\"2026-11-24 03:04:58\") == 1795489498)\n"
		"assert(time.parse(\"2026-11-24T10:04:58.250+07:00\") == 1795489498)\n"
		"assert(time.parse(\"1795489498\") == 1795489498 and time.parse(\"\") == nil and "
		"time.parse(\"2026-13-01T00:00:00Z\") == nil)\n"
		"assert(not pcall(function() url.encode = 1 end))\n"
		"assert(io == nil and os == nil and load == nil and require == nil)\n"
		"end\n"
		"return { name = \"one\", verify = function() check() return true end,\n" SMS REST
		"}";

	write_adapter(source);
	cr_assert(eq(int, open_with(folder, "one", NULL, 0), 0), "%s", error);
	log_set_level(LOG_ERROR);
	cr_expect(eq(int, decode("from=081200000001&text=a"), TELCO_TAKE));
}

/* ---- USSD ---- */

struct ussd_case {
	const char *previous;
	bool first;
	const char *raw;
	int rc;
	const char *inputs; /* joined by '|' */
};
static const struct ussd_case ussd_cases[] = {
	{ "", true, "", 0, "" },
	{ "", true, "1", 0, "1" },
	{ "", true, "2*0142", 0, "2|0142" },
	{ "", true, "2**3", 0, "2||3" },
	{ "", false, "", -EALREADY, "" },
	{ "", false, "1", 0, "1" },
	{ "", false, "a*b", 0, "a*b" },
	{ "1", false, "1", -EALREADY, "" },
	{ "1", false, "1*2", 0, "2" },
	{ "1", false, "1*blok*A*3", 0, "blok*A*3" },
	{ "1", false, "1*", 0, "" },
	{ "1", false, "12", -EINVAL, "" },
	{ "1", false, "2*2", -EINVAL, "" },
	{ "1*2", false, "1", -EINVAL, "" },
	{ "1*2", false, "", -EINVAL, "" },
};

Test(telco, only_what_is_new_in_a_cumulative_input_is_handed_over)
{
	for (unsigned i = 0; i < ARRAY_LEN(ussd_cases); i++) {
		const struct ussd_case *c = &ussd_cases[i];
		struct bytes previous = { c->previous, strlen(c->previous) },
			     raw = { c->raw, strlen(c->raw) }, *inputs;
		struct buf all = { 0 };
		unsigned count;

		cr_expect(eq(int,
			     telco_ussd_inputs(previous, c->first, raw, &arena, &inputs, &count),
			     c->rc),
			  "\"%s\" after \"%s\"", c->raw, c->previous);
		buf_addstr(&all, "");
		for (unsigned j = 0; c->rc == 0 && j < count; j++) {
			buf_addstr(&all, j ? "|" : "");
			buf_add(&all, inputs[j].data, inputs[j].len);
		}
		cr_expect(eq(str, all.data ? all.data : "", (char *)c->inputs),
			  "\"%s\" after \"%s\"", c->raw, c->previous);
		buf_free(&all);
	}
}
