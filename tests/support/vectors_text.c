/* vectors_text.c - runs the test vectors of the codecs.
 *
 * A row is a function of its columns by name, so that a file with further columns, or with columns
 * in another order, runs too.  A column named ..._json holds a JSON string.
 */
#include "vectors_text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "gsm7.h"
#include "msisdn.h"
#include "utf8.h"
#include "vectors.h"

enum { SEPTETS_MAX = 4096, ENDS_MAX = 256 };

/* The file being run. */
struct run {
	const char *folder, *file;
	struct arena arena; /* for one row */
	char row[128];      /* its id or number, for failures */
	bool row_failed;
	unsigned passed, failed;
	struct csv *csv; /* where it is one */
	char path[512];
};
typedef void row_fn(struct run *run);

static void fail(struct run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void fail(struct run *run, const char *fmt, ...)
{
	va_list args;

	printf("%s: %s: ", run->file, run->row);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	run->row_failed = true;
}

static void end_row(struct run *run)
{
	if (run->row_failed)
		run->failed++;
	else
		run->passed++;
	run->row_failed = false;
	arena_free(&run->arena);
}

/* Bytes as JSON writes them, for a line of output. */
static const char *shown(struct run *run, struct bytes text)
{
	json_t *value = json_stringn(text.data, text.len);
	char *line = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	const char *kept = arena_strdup(&run->arena, line ? line : "(not valid UTF-8)");

	free(line);
	json_decref(value);
	return kept;
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void check_text(struct run *run, const char *what, struct bytes expected, struct bytes got)
{
	if (!same(expected, got))
		fail(run, "%s: expected %s, got %s", what, shown(run, expected), shown(run, got));
}

static void check_number(struct run *run, const char *what, long long expected, long long got)
{
	if (expected != got)
		fail(run, "%s: expected %lld, got %lld", what, expected, got);
}

static void check_word(struct run *run, const char *what, const char *expected, const char *got)
{
	if (strcmp(expected, got) != 0)
		fail(run, "%s: expected %s, got %s", what, expected, got);
}

static const char *to_hex(struct run *run, const unsigned char *octets, size_t len)
{
	char *out = arena_alloc(&run->arena, len * 2 + 1);

	for (size_t i = 0; i < len; i++)
		snprintf(out + i * 2, 3, "%02X", octets[i]);
	return out;
}

/* ---- files ---- */

static const char *file_path(struct run *run, const char *name)
{
	run->file = name;
	snprintf(run->path, sizeof(run->path), "%s/%s", run->folder, name);
	return run->path;
}

static const char *column(const struct run *run, const char *name)
{
	return csv_column(run->csv, name);
}

static void run_csv(struct run *run, const char *name, row_fn *row)
{
	run->csv = csv_open(file_path(run, name));
	while (run->csv && csv_next(run->csv)) {
		const char *id = column(run, "id");

		if (id[0])
			snprintf(run->row, sizeof(run->row), "%s", id);
		else
			snprintf(run->row, sizeof(run->row), "row %u", csv_row(run->csv));
		row(run);
		end_row(run);
	}
	csv_close(run->csv);
}

static void run_json(struct run *run, const char *name,
		     void (*row)(struct run *run, const json_t *vector))
{
	json_error_t error;
	json_t *list, *one;
	size_t i;

	if (access(file_path(run, name), R_OK) != 0)
		return;
	list = json_load_file(run->path, JSON_ALLOW_NUL, &error);
	if (!list) {
		snprintf(run->row, sizeof(run->row), "line %d", error.line);
		fail(run, "%s", error.text);
		end_row(run);
	}
	json_array_foreach (list, i, one) {
		const char *id = json_string_value(json_object_get(one, "id"));

		snprintf(run->row, sizeof(run->row), "%s", id ? id : "?");
		row(run, one);
		end_row(run);
	}
	json_decref(list);
}

static struct bytes json_bytes(struct run *run, const json_t *value)
{
	return arena_bytes(&run->arena, json_is_string(value) ? json_string_value(value) : "",
			   json_string_length(value));
}

/* The text of a column that holds a JSON string. */
static struct bytes json_column(struct run *run, const char *name)
{
	const char *raw = column(run, name);
	json_t *value = json_loads(raw, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	struct bytes text = json_bytes(run, value);

	if (raw[0] && !value)
		fail(run, "%s is not a JSON string: %s", name, raw);
	json_decref(value);
	return text;
}

/* ---- what each file says ---- */

static void alphabet_row(struct run *run)
{
	bool extension = strcmp(column(run, "table"), "extension") == 0;
	unsigned code = (unsigned)strtoul(column(run, "code_hex"), NULL, 16);
	unsigned char septets[2] = { 0x1b, (unsigned char)code }, encoded[4];
	struct bytes text = json_column(run, "char_json"), got;
	ssize_t count;

	snprintf(run->row, sizeof(run->row), "%s %02X", column(run, "table"), code);
	if (!extension && code == 0x1b) /* the escape itself */
		return;
	got = gsm7_decode(&run->arena, septets + !extension, extension ? 2 : 1);
	if (!column(run, "unicode")
		    [0]) { /* reserved: a further table shows as a blank, a control as nothing */
		check_text(run, "decoded", (struct bytes){ " ", code == 0x1b }, got);
		return;
	}
	check_text(run, "decoded", text, got);
	count = gsm7_encode(text, encoded, sizeof(encoded));
	check_number(run, "septets", atoi(column(run, "septets")), count);
	if (count == 1 + extension && memcmp(encoded, septets + !extension, (size_t)count) != 0)
		fail(run, "encoded: expected %02X, got %02X", code, encoded[count - 1]);
	check_number(run, "size", atoi(column(run, "septets")), gsm7_size(text, NULL, 0).units);
}

static void smart_row(struct run *run)
{
	bool optional = strcmp(column(run, "class"), "optional") == 0;
	struct bytes from = json_column(run, "from_json"), to = json_column(run, "to_json");

	snprintf(run->row, sizeof(run->row), "%s", column(run, "from_unicode"));
	check_text(run, "substituted", to, gsm7_smart(&run->arena, from, optional));
	if (optional)
		check_text(run, "left alone", from, gsm7_smart(&run->arena, from, false));
	else
		check_text(run, "with the optional class", to, gsm7_smart(&run->arena, from, true));
}

struct segments_vector {
	struct bytes text, sent;
	bool smart, sent_known;
	const char *encoding;
	long long units, segments;
	const char *segment_units; /* "153 8" */
};

static unsigned units_in(struct bytes text, enum text_coding coding)
{
	unsigned units = 0;

	if (coding == CODING_GSM7)
		return gsm7_size(text, NULL, 0).units;
	for (size_t at = 0; at < text.len;)
		units += utf8_next(text, &at) > 0xffff ? 2 : 1;
	return units;
}

static void check_segments(struct run *run, const struct segments_vector *vector)
{
	struct bytes text = vector->smart ? gsm7_smart(&run->arena, vector->text, false)
					  : vector->text;
	size_t ends[ENDS_MAX], from = 0;
	struct text_size size = gsm7_size(text, ends, ENDS_MAX);
	struct buf units = { 0 };

	if (vector->sent_known)
		check_text(run, "sent", vector->sent, text);
	check_word(run, "encoding", vector->encoding, size.coding == CODING_GSM7 ? "GSM7" : "UCS2");
	check_number(run, "units", vector->units, size.units);
	check_number(run, "segments", vector->segments, size.segments);
	for (unsigned i = 0; i < size.segments && i < ENDS_MAX; i++) {
		buf_addf(&units, i ? " %u" : "%u",
			 units_in((struct bytes){ text.data + from, ends[i] - from }, size.coding));
		from = ends[i];
	}
	if (vector->segment_units[0])
		check_word(run, "units per segment", vector->segment_units, units.data);
	buf_free(&units);
}

static void segments_csv_row(struct run *run)
{
	struct segments_vector vector = {
		.text = json_column(run, "text_json"),
		.sent = json_column(run, "sent_text_json"),
		.smart = strcmp(column(run, "smart"), "1") == 0 ||
			 strcasecmp(column(run, "smart"), "true") == 0,
		.sent_known = column(run, "sent_text_json")[0] != '\0',
		.encoding = column(run, "encoding"),
		.units = atoll(column(run, "units")),
		.segments = atoll(column(run, "segments")),
		.segment_units = column(run, "segment_units"),
	};

	check_segments(run, &vector);
}

static void segments_json_row(struct run *run, const json_t *json)
{
	const json_t *list = json_object_get(json, "segment_units"), *one;
	const char *encoding = json_string_value(json_object_get(json, "encoding"));
	struct buf units = { 0 };
	struct segments_vector vector = {
		.text = json_bytes(run, json_object_get(json, "text")),
		.sent = json_bytes(run, json_object_get(json, "sent_text")),
		.smart = json_is_true(json_object_get(json, "smart")),
		.sent_known = json_is_string(json_object_get(json, "sent_text")),
		.encoding = encoding ? encoding : "",
		.units = json_integer_value(json_object_get(json, "units")),
		.segments = json_integer_value(json_object_get(json, "segments")),
	};
	size_t i;

	json_array_foreach (list, i, one)
		buf_addf(&units, i ? " %lld" : "%lld", (long long)json_integer_value(one));
	vector.segment_units = units.len ? units.data : "";
	check_segments(run, &vector);
	buf_free(&units);
}

/* A member that holds octets in hexadecimal; absent or null says nothing. */
static void check_octets(struct run *run, const json_t *json, const char *member, size_t skip,
			 const unsigned char *octets, size_t len)
{
	const char *expected = json_string_value(json_object_get(json, member));

	if (expected && strlen(expected) >= skip * 2)
		check_word(run, member, expected + skip * 2, to_hex(run, octets, len));
}

static void check_unpacked(struct run *run, const unsigned char *octets, size_t len, bool ussd,
			   const unsigned char *septets, size_t count)
{
	unsigned char back[SEPTETS_MAX];
	size_t got = gsm7_unpack(octets, len, 0, ussd, back);

	if (ussd)
		check_number(run, "septets of the USSD string", (long long)count, (long long)got);
	if (got < count || memcmp(back, septets, count) != 0)
		fail(run, "unpacked %s: got %s", ussd ? "USSD" : "SMS", to_hex(run, back, got));
}

static void packing_row(struct run *run, const json_t *json)
{
	struct bytes text = json_bytes(run, json_object_get(json, "text"));
	unsigned char septets[SEPTETS_MAX], octets[SEPTETS_MAX];
	ssize_t encoded = gsm7_encode(text, septets, sizeof(septets));
	size_t count = encoded < 0 ? 0 : (size_t)encoded, len;

	check_number(run, "septet_count", json_integer_value(json_object_get(json, "septet_count")),
		     encoded);
	check_octets(run, json, "septets_hex", 0, septets, count);
	check_text(run, "decoded", text, gsm7_decode(&run->arena, septets, count));
	len = gsm7_pack(septets, count, 0, false, octets);
	check_octets(run, json, "sms_packed_hex", 0, octets, len);
	check_unpacked(run, octets, len, false, septets, count);
	len = gsm7_pack(septets, count, 0, true, octets);
	check_octets(run, json, "ussd_packed_hex", 0, octets, len);
	check_unpacked(run, octets, len, true, septets, count);
	check_number(run, "ussd_octets", json_integer_value(json_object_get(json, "ussd_octets")),
		     (long long)len);
	if (json_is_boolean(json_object_get(json, "fits_ussd")))
		check_number(run, "fits_ussd", json_is_true(json_object_get(json, "fits_ussd")),
			     count <= gsm7_ussd_room(CODING_GSM7, 182));
	len = gsm7_pack(septets, count, 1, false, octets);
	check_octets(run, json, "concat_part_ud_hex", 6, octets, len);
}

static void number_row(struct run *run)
{
	static const char *const kinds[] = {
		[MSISDN_SHORT] = "short",
		[MSISDN_ALNUM] = "alnum",
		[MSISDN_INVALID] = "invalid",
	};
	struct bytes raw = json_column(run, "input_json");
	const char *digits = column(run, "international_digits");
	char out[64];
	enum msisdn_kind kind = msisdn_complete(
		raw, column(run, "default_country"),
		strcmp(digits, "1") == 0 || strcasecmp(digits, "true") == 0, out, sizeof(out));

	snprintf(run->row, sizeof(run->row), "%s %s", column(run, "default_country"),
		 shown(run, raw));
	check_word(run, "number", column(run, "expected"),
		   kind == MSISDN_NUMBER ? out : kinds[kind]);
}

unsigned vectors_text_run(const char *folder, unsigned *failed)
{
	struct run run = { .folder = folder };

	run_csv(&run, "gsm0338.csv", alphabet_row);
	run_csv(&run, "smart-encoding.csv", smart_row);
	run_json(&run, "segments.json", segments_json_row);
	run_csv(&run, "segments.csv", segments_csv_row);
	run_json(&run, "packing.json", packing_row);
	run_csv(&run, "e164.csv", number_row);
	*failed = run.failed;
	return run.passed;
}

void run_text_vectors(struct tally *tally)
{
	unsigned failed;

	tally->passed += vectors_text_run(tally->folder, &failed);
	tally->failed += failed;
}
