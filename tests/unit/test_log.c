/* test_log.c - one JSON line an event. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

static int ends[2];
static char line[8192];

static void start(void)
{
	cr_assert(eq(int, pipe(ends), 0));
	log_set_output(ends[1]);
	clock_fake(1795521600123);
}

TestSuite(log, .init = start);

/* The line that was logged, parsed. */
static json_t *logged(void)
{
	ssize_t n = read(ends[0], line, sizeof(line) - 1);
	json_t *json;

	cr_assert(gt(long, (long)n, 0));
	line[n] = '\0';
	cr_assert(eq(chr, line[n - 1], '\n'));
	cr_assert(eq(ptr, strchr(line, '\n'), line + n - 1));
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(ne(ptr, json, NULL), "%s", line);
	return json;
}

static const char *text(json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "(none)";
}

Test(log, an_event_is_one_line_with_time_level_and_values)
{
	struct id id = { 1, 2 };

	log_event(LOG_WARN, "telco.refused", "sconnection", "k1", "ncitizen", "+6281234567890",
		  "istatus", (int64_t)401, "did", &id, "ewhy", -ENOSPC, NULL);
	json_decref(logged());
	cr_expect(eq(str, line,
		     "{\"time\":\"2026-11-24T12:00:00.123Z\",\"level\":\"warn\",\"event\":\"telco."
		     "refused\",\"connection\":\"k1\","
		     "\"citizen\":\"+62812******90\",\"status\":401,\"id\":"
		     "\"00000000000000010000000000000002\","
		     "\"why\":\"No space left on device\"}\n"));
}

Test(log, control_characters_and_broken_bytes_cannot_make_a_second_line)
{
	json_t *json;

	log_event(LOG_INFO, "x", "sv", "a\nb\"c\\d\x7f\xe2\x80\xae", NULL);
	json = logged();
	cr_expect(eq(str, (char *)text(json, "v"), "a\nb\"c\\d\x7f\xe2\x80\xae"));
	cr_expect(ne(ptr, strstr(line, "\\u000a"), NULL));
	cr_expect(ne(ptr, strstr(line, "\\u202e"), NULL));
	json_decref(json);
	log_event(LOG_INFO, "x", "sv", "ok\xff\xc0\x80 end", NULL);
	json = logged();
	cr_expect(eq(str, (char *)text(json, "v"), "ok\uFFFD\uFFFD\uFFFD end"));
	json_decref(json);
}

Test(log, a_line_is_at_most_4_KiB_and_stays_whole)
{
	char *long_text = xmalloc(5000);
	json_t *json;

	memset(long_text, '\n', 4999);
	long_text[4999] = '\0';
	log_event(LOG_INFO, "x", "sa", long_text, "sb", long_text, "sc", long_text, "ilast",
		  (int64_t)1, NULL);
	json = logged();
	cr_expect(le(sz, strlen(line), 4096));
	cr_expect(gt(sz, strlen(text(json, "a")), 500));
	json_decref(json);
	memset(long_text, 'a', 4999);
	log_event(LOG_INFO, "x", "sa", long_text, "sb", long_text, "ilast", (int64_t)1, NULL);
	json = logged();
	cr_expect(eq(sz, strlen(text(json, "b")), 1536));
	cr_expect(eq(i64, json_integer_value(json_object_get(json, "last")), 1));
	json_decref(json);
	free(long_text);
}

Test(log, what_is_below_the_level_is_not_written)
{
	json_t *json;

	log_event(LOG_DEBUG, "quiet", NULL);
	log_set_level(LOG_ERROR);
	log_event(LOG_WARN, "quiet", NULL);
	log_event(LOG_ERROR, "loud", "snothing", NULL, NULL);
	json = logged();
	cr_expect(eq(str, (char *)text(json, "event"), "loud"));
	json_decref(json);
}

Test(log, a_number_is_masked_so_that_at_least_half_of_a_short_one_is_hidden)
{
	static const struct {
		const char *number, *masked;
	} rows[] = {
		{ "", "" },
		{ "1", "1" },
		{ "12", "12" },
		{ "2772", "**72" },
		{ "1234567", "*****67" },
		{ "+6281234", "+6****34" },
		{ "+628123456", "+628****56" },
		{ "+628123456789", "+62812*****89" },
		{ "+6281234567890123", "+62812*********23" },
		{ "ext:abcdefgh", "ext:ab****gh" },
	};
	char out[64];
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		mask_number(rows[i].number, out, sizeof(out));
		cr_expect(eq(str, out, (char *)rows[i].masked));
	}
	mask_number("+628123456789", out, 5);
	cr_expect(eq(str, out, "+628"));
}
