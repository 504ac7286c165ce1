/* record.c - a record's JSON, changed as text.
 *
 * Records are written by plugin_value.c or by what is here, so there are no blanks, no nesting and no name twice, and
 * two records can be walked side by side.
 */
#include "record.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const char *at, *end;
	struct bytes name, value; /* of the member that is next; name.data NULL: there is none */
	bool broken;
};

/* Behind a text that begins here; NULL: it doesn't end. */
static const char *skip_text(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : NULL;
}

static const char *skip_value(const char *at, const char *end)
{
	if (at < end && *at == '"')
		return skip_text(at, end);
	while (at < end && *at != ',' && *at != '}' && *at != '"')
		at++;
	return at < end ? at : NULL;
}

static void break_off(struct walk *walk)
{
	walk->broken = true;
	walk->name = (struct bytes){ NULL, 0 };
}

static void step_on(struct walk *walk)
{
	struct bytes before = walk->name;
	const char *behind;

	walk->name = (struct bytes){ NULL, 0 };
	if (walk->at < walk->end && *walk->at == '}') {
		walk->broken = walk->at + 1 != walk->end;
		return;
	}
	if (before.data && (walk->at == walk->end || *walk->at++ != ',')) {
		break_off(walk);
		return;
	}
	behind = walk->at < walk->end && *walk->at == '"' ? skip_text(walk->at, walk->end) : NULL;
	if (!behind || behind == walk->end || *behind != ':') {
		break_off(walk);
		return;
	}
	walk->name = (struct bytes){ walk->at, (size_t)(behind - walk->at) };
	walk->at = skip_value(behind + 1, walk->end);
	if (!walk->at || walk->at == behind + 1)
		break_off(walk);
	else
		walk->value = (struct bytes){ behind + 1, (size_t)(walk->at - behind - 1) };
}

static struct walk walk_from(struct bytes json)
{
	struct walk walk = { .at = json.data, .end = json.data + json.len };

	if (json.len < 2 || *walk.at++ != '{')
		break_off(&walk);
	else
		step_on(&walk);
	return walk;
}

/* Names with their quotes: what is made of a-z, 0-9 and _ has the same order with them. */
static int compare(struct bytes a, struct bytes b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return order != 0 || a.len == b.len ? order : a.len < b.len ? -1 : 1;
}

static void add_member(struct buf *out, struct walk *walk)
{
	if (out->data[out->len - 1] != '{')
		buf_add(out, ",", 1);
	buf_add(out, walk->name.data, walk->name.len);
	buf_add(out, ":", 1);
	buf_add(out, walk->value.data, walk->value.len);
	step_on(walk);
}

bool record_merge(struct bytes old, struct bytes changes, struct buf *out)
{
	struct walk a = walk_from(old), b = walk_from(changes);

	buf_add(out, "{", 1);
	while (!a.broken && !b.broken && (a.name.data || b.name.data)) {
		int order = !a.name.data ? 1 : !b.name.data ? -1 : compare(a.name, b.name);

		if (order == 0)
			step_on(&a); /* replaced */
		add_member(out, order < 0 ? &a : &b);
	}
	buf_add(out, "}", 1);
	return !a.broken && !b.broken;
}

static struct record_value parse_number(struct bytes text)
{
	struct record_value value = { .type = RECORD_TEXT, .text = { "", 0 } };
	char copy[64], *end;

	if (text.len >= sizeof(copy) ||
	    (*text.data != '-' && (*text.data < '0' || *text.data > '9')))
		return value;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (strpbrk(copy, ".eE")) {
		value.type = RECORD_REAL;
		value.real = strtod(copy, &end);
	} else {
		value.type = RECORD_INTEGER;
		value.integer = strtoll(copy, &end, 10);
	}
	return value;
}

bool record_number(struct bytes json, const char *field, struct record_value *out)
{
	size_t len = strlen(field);
	struct walk walk = walk_from(json);

	*out = (struct record_value){ .type = RECORD_NULL, .text = { "", 0 } };
	for (; walk.name.data; step_on(&walk))
		if (walk.name.len == len + 2 && memcmp(walk.name.data + 1, field, len) == 0)
			*out = parse_number(walk.value);
	return !walk.broken;
}

void record_add_number(struct buf *out, const char *field, const struct record_value *number)
{
	double real = number->real;

	buf_addf(out, "{\"%s\":", field);
	if (number->type == RECORD_INTEGER)
		buf_addf(out, "%" PRId64, number->integer);
	else /* as plugin_value.c writes it */
		buf_addf(out, "%.17g%s", real,
			 real == floor(real) && fabs(real) < 1e15 ? ".0" : "");
	buf_add(out, "}", 1);
}

static double real_of(const struct record_value *number)
{
	return number->type == RECORD_INTEGER ? (double)number->integer : number->real;
}

/* Less than 0, 0 or more; integers exactly. */
static int compare_numbers(const struct record_value *a, const struct record_value *b)
{
	double x = real_of(a), y = real_of(b);

	if (a->type == RECORD_INTEGER && b->type == RECORD_INTEGER)
		return (a->integer > b->integer) - (a->integer < b->integer);
	return (x > y) - (x < y);
}

bool record_sum(const struct record_value *number, const struct record_write *write,
		struct record_value *out)
{
	const struct record_value *by = &write->increment.by, *min = &write->increment.min,
				  *max = &write->increment.max;

	*out = *by;
	if (number->type == RECORD_INTEGER && by->type == RECORD_INTEGER) {
		if (__builtin_add_overflow(number->integer, by->integer, &out->integer))
			return false;
	} else if (number->type == RECORD_TEXT) {
		return false;
	} else if (number->type != RECORD_NULL) {
		out->type = RECORD_REAL;
		out->real = real_of(number) + real_of(by);
	}
	if (out->type == RECORD_REAL && !isfinite(out->real))
		return false;
	return (min->type == RECORD_NULL || compare_numbers(out, min) >= 0) &&
	       (max->type == RECORD_NULL || compare_numbers(out, max) <= 0);
}
