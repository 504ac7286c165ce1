/* msisdn.c - a phone number as telcos write it, completed to E.164.
 *
 * One pass takes off what people and telcos put around the digits; then the rules are asked in the
 * order of the reference, first answer wins.  What a country needs is a row; a number that no rule
 * is sure of is refused rather than guessed, because an answer to a wrong guess goes to a stranger.
 */
#include "msisdn.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "utf8.h"

enum {
	RAW_MAX = 96, /* bytes of a sender field that is looked at */
	DIGITS_MIN = 8,
	DIGITS_MAX = 15, /* E.164, with the country code */
	NAME_MAX_CHARS = 11,
	SHORT_MIN = 3,
	SHORT_MAX = 6,
};

struct country {
	const char *name; /* ISO 3166 */
	const char *code;
	const char *idd;    /* where it is longer than 00, which all networks write */
	const char *mobile; /* beginnings of a national significant number, between blanks */
	unsigned min, max;  /* digits of one */
};
static const struct country countries[] = {
	{ "GH", "233", "", " 2 5 ", 9, 9 },
	{ "ID", "62", "", " 8 ", 9, 12 },
	{ "IN", "91", "", " 6 7 8 9 ", 10, 10 },
	{ "KE", "254", "000", " 7 1 ", 9, 9 },
	{ "NG", "234", "009", " 70 80 81 90 91 ", 10, 10 },
	{ "PH", "63", "", " 9 ", 10, 10 },
	{ "TZ", "255", "000", " 6 7 ", 9, 9 },
};

/* A sender field taken apart. */
struct field {
	const struct country *country; /* NULL: none is known */
	char digits[RAW_MAX + 1];
	unsigned count; /* of digits */
	bool plus;      /* before the first */
	bool letters;
	bool strange; /* holds what belongs to neither a number nor a name */
};

static const struct country *find_country(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(countries); i++) {
		if (strcmp(countries[i].name, name) == 0)
			return &countries[i];
	}
	return NULL;
}

bool msisdn_country_known(const char *country)
{
	return find_country(country) != NULL;
}

static bool is_blank(uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80)
		return point == ' ' || (point >= '\t' && point <= '\r');
	kind = utf8proc_category((utf8proc_int32_t)point);
	return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL ||
	       kind == UTF8PROC_CATEGORY_ZP || point == 0x85;
}

static bool is_letter(uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80)
		return (point | 0x20) - 'a' < 26U;
	kind = utf8proc_category((utf8proc_int32_t)point);
	return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_ME;
}

/* What is written between digits: brackets, dashes, dots, slashes. */
static bool is_separator(uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80)
		return point != 0 && strchr("-./()[]{}", (int)point) != NULL;
	kind = utf8proc_category((utf8proc_int32_t)point);
	return (kind >= UTF8PROC_CATEGORY_PD && kind <= UTF8PROC_CATEGORY_PE) || point == 0x2212;
}

/* Full-width and other compatible forms become plain, marks without width go; an ASCII field stays
 * where it is. false: too long, or not valid. */
static bool normalise(struct bytes *raw, char plain[static RAW_MAX + 1])
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
					  UTF8PROC_IGNORE;
	utf8proc_int32_t points[RAW_MAX + 1];
	utf8proc_ssize_t count;
	bool ascii = true;

	for (size_t i = 0; i < raw->len; i++)
		ascii &= (unsigned char)raw->data[i] < 0x80;
	if (ascii)
		return raw->len <= RAW_MAX;
	count = utf8proc_decompose((const utf8proc_uint8_t *)raw->data, (utf8proc_ssize_t)raw->len,
				   points, RAW_MAX, options);
	if (count < 0 || count > RAW_MAX)
		return false;
	count = utf8proc_normalize_utf32(points, count, options);
	raw->data = plain;
	raw->len = 0;
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		if (raw->len + 4 > RAW_MAX)
			return false;
		raw->len += (size_t)utf8proc_encode_char(points[i],
							 (utf8proc_uint8_t *)plain + raw->len);
	}
	return true;
}

static struct bytes trim(struct bytes text)
{
	while (text.len > 0) {
		size_t at = 0;

		if (!is_blank(utf8_next(text, &at)))
			break;
		text.data += at;
		text.len -= at;
	}
	while (text.len > 0) {
		size_t last = text.len - 1, at;

		while (last > 0 && ((unsigned char)text.data[last] & 0xc0) == 0x80)
			last--;
		at = last;
		if (!is_blank(utf8_next(text, &at)))
			break;
		text.len = last;
	}
	return text;
}

/* tel:+62812...;ext=1 -> +62812...  (RFC 3966) */
static struct bytes drop_scheme(struct bytes text)
{
	const char *parameters;

	if (text.len < 4 || strncasecmp(text.data, "tel:", 4) != 0)
		return text;
	text.data += 4;
	text.len -= 4;
	parameters = memchr(text.data, ';', text.len);
	if (parameters)
		text.len = (size_t)(parameters - text.data);
	return trim(text);
}

/* Whether the digits so far are a country code alone: "+62", "0062", "62" of the default
 * country. */
static bool is_country_code(const struct field *field)
{
	if (field->plus)
		return field->count >= 1 && field->count <= 3;
	if (field->count >= 3 && field->count <= 5 && memcmp(field->digits, "00", 2) == 0)
		return true;
	return field->country && field->count == strlen(field->country->code) &&
	       memcmp(field->digits, field->country->code, field->count) == 0;
}

static void take_apart(struct bytes text, struct field *field)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t point;

		if (text.len - at >= 3 && memcmp(text.data + at, "(0)", 3) == 0 &&
		    is_country_code(field)) {
			at += 3;
			continue;
		}
		point = utf8_next(text, &at);
		if (point == '+' && field->count == 0 && !field->plus)
			field->plus = true;
		else if (point >= '0' && point <= '9')
			field->digits[field->count++] = (char)point;
		else if (is_letter(point))
			field->letters = true;
		else if (!is_blank(point) && !is_separator(point))
			field->strange = true;
	}
	field->digits[field->count] = '\0';
}

static enum msisdn_kind give(const char *prefix, const char *text, size_t len,
			     enum msisdn_kind kind, char *out, size_t size)
{
	if ((size_t)snprintf(out, size, "%s%.*s", prefix, (int)len, text) >= size) {
		out[0] = '\0';
		return MSISDN_INVALID;
	}
	return kind;
}

static enum msisdn_kind invalid(char *out)
{
	out[0] = '\0';
	return MSISDN_INVALID;
}

/* A name of a sender, as it is; never one that a log or a terminal would act on. */
static enum msisdn_kind give_name(struct bytes text, char *out, size_t size)
{
	if (utf8_length(text) > NAME_MAX_CHARS)
		return invalid(out);
	for (size_t at = 0; at < text.len;) {
		utf8proc_category_t kind = utf8proc_category(
			(utf8proc_int32_t)utf8_next(text, &at));

		if (kind == UTF8PROC_CATEGORY_CN || kind >= UTF8PROC_CATEGORY_ZL)
			return invalid(out);
	}
	return give("", text.data, text.len, MSISDN_ALNUM, out, size);
}

static enum msisdn_kind give_number(const char *code, const char *digits, char *out, size_t size)
{
	char whole[RAW_MAX + 8];
	size_t len = (size_t)snprintf(whole, sizeof(whole), "+%s%s", code, digits) - 1;

	if (len < DIGITS_MIN || len > DIGITS_MAX || whole[1] == '0')
		return invalid(out);
	return give("", whole, len + 1, MSISDN_NUMBER, out, size);
}

/* Digits that begin with the default country's code: what follows it, else NULL. */
static const char *behind_code(const struct country *country, const char *digits)
{
	size_t len;

	if (!country)
		return NULL;
	len = strlen(country->code);
	return strncmp(digits, country->code, len) == 0 ? digits + len : NULL;
}

static enum msisdn_kind give_international(const struct country *country, const char *digits,
					   char *out, size_t size)
{
	const char *national = behind_code(country, digits);

	if (national && national[0] == '0' && national[1] == '0')
		return invalid(out);
	if (national && national[0] == '0') /* the trunk prefix, wrongly kept */
		return give_number(country->code, national + 1, out, size);
	return give_number("", digits, out, size);
}

/* Behind the international prefix, or NULL. */
static const char *behind_idd(const struct country *country, const char *digits)
{
	if (country && country->idd[0] && strncmp(digits, country->idd, 3) == 0)
		return digits + 3;
	return strncmp(digits, "00", 2) == 0 ? digits + 2 : NULL;
}

static bool plausible(const struct country *country, size_t len)
{
	return len >= country->min && len <= country->max;
}

static bool begins_like_mobile(const struct country *country, const char *digits)
{
	const char one[] = { ' ', digits[0], ' ', '\0' };
	const char two[] = { ' ', digits[0], digits[0] ? digits[1] : '\0', ' ', '\0' };

	return strstr(country->mobile, one) || strstr(country->mobile, two);
}

/* Digits without anything before them: with the country code, or national. */
static enum msisdn_kind give_bare(const struct country *country, const char *digits, unsigned count,
				  char *out, size_t size)
{
	const char *national = behind_code(country, digits);

	if (count >= SHORT_MIN && count <= SHORT_MAX)
		return give("", digits, count, MSISDN_SHORT, out, size);
	if (!country)
		return invalid(out);
	if (national && plausible(country, strlen(national + (national[0] == '0'))))
		return give_international(country, digits, out, size);
	if (plausible(country, count) && begins_like_mobile(country, digits))
		return give_number(country->code, digits, out, size);
	if (count > country->max)
		return give_international(country, digits, out, size);
	return invalid(out);
}

static enum msisdn_kind give_field(const struct field *field, bool international_digits, char *out,
				   size_t size)
{
	const struct country *country = field->country;
	const char *digits = field->digits;
	const char *international = field->plus ? digits : behind_idd(country, digits);

	if (international)
		return give_international(country, international, out, size);
	if (international_digits && digits[0] != '0' && field->count >= DIGITS_MIN &&
	    field->count <= DIGITS_MAX)
		return give_number("", digits, out, size);
	if (digits[0] != '0')
		return give_bare(country, digits, field->count, out, size);
	return country ? give_number(country->code, digits + 1, out, size) : invalid(out);
}

enum msisdn_kind msisdn_complete(struct bytes raw, const char *country, bool international_digits,
				 char *out, size_t size)
{
	struct field field = { .country = find_country(country) };
	char plain[RAW_MAX + 1];
	struct bytes text = raw;

	if (!utf8_valid(raw.data, raw.len) || !normalise(&text, plain))
		return invalid(out);
	text = drop_scheme(trim(text));
	take_apart(text, &field);
	if (field.letters)
		return give_name(text, out, size);
	if (field.strange || field.count == 0)
		return invalid(out);
	return give_field(&field, international_digits, out, size);
}
