/* gsm7.c - the GSM 7-bit alphabet: what fits an SMS segment and a USSD screen.
 *
 * Every text out is measured here at least once, so the common one (ASCII, one segment) is one pass
 * with one look at a table for each byte.  Only a text of several segments is walked again, because
 * a simple division is too small where a pair would lie across two segments.
 */
#include "gsm7.h"

#include <errno.h>
#include <string.h>
#include <utf8proc.h>

#include "gsm7_table.h"
#include "utf8.h"

enum {
	CR = 0x0d,
	USSD_SEPTETS = 182,
};
static const struct {
	unsigned single, part; /* units in a message of one segment, in each of several */
} rooms[] = { [CODING_GSM7] = { 160, 153 }, [CODING_UCS2] = { 70, 67 } };

/* The septet of a character, with GSM7_EXTENDED where an escape goes before it, or GSM7_NONE. */
static unsigned code_of(uint32_t point)
{
	if (point < ARRAY_LEN(gsm7_latin))
		return gsm7_latin[point];
	if (point >= GSM7_GREEK_FIRST && point <= GSM7_GREEK_LAST)
		return gsm7_greek[point - GSM7_GREEK_FIRST];
	return point == GSM7_EURO ? GSM7_EURO_CODE : GSM7_NONE;
}

static unsigned units_of(uint32_t point, enum text_coding coding)
{
	if (coding == CODING_UCS2)
		return point > 0xffff ? 2 : 1;
	return code_of(point) & GSM7_EXTENDED ? 2 : 1;
}

/* Septets of a text, or false where a character is outside. */
static bool count_septets(struct bytes text, unsigned *units)
{
	unsigned sum = 0;

	for (size_t at = 0; at < text.len;) {
		unsigned char byte = (unsigned char)text.data[at];
		unsigned code;

		if (byte < 0x80) {
			code = gsm7_latin[byte];
			at++;
		} else {
			code = code_of(utf8_next(text, &at));
		}
		if (code == GSM7_NONE)
			return false;
		sum += 1 + code / GSM7_EXTENDED;
	}
	*units = sum;
	return true;
}

static unsigned count_utf16(struct bytes text)
{
	unsigned sum = 0;

	for (size_t at = 0; at < text.len; at++) {
		unsigned char byte = (unsigned char)text.data[at];

		sum += (byte & 0xc0) != 0x80;
		sum += byte >= 0xf0;
	}
	return sum;
}

static unsigned walk_segments(struct bytes text, enum text_coding coding, size_t *part_ends,
			      unsigned max_ends)
{
	unsigned segments = 0, used = 0;

	for (size_t at = 0; at < text.len;) {
		size_t before = at;
		unsigned units = units_of(utf8_next(text, &at), coding);

		if (used + units > rooms[coding].part) {
			if (segments < max_ends)
				part_ends[segments] = before;
			segments++;
			used = 0;
		}
		used += units;
	}
	if (segments < max_ends)
		part_ends[segments] = text.len;
	return segments + 1;
}

struct text_size gsm7_size(struct bytes text, size_t *part_ends, unsigned max_ends)
{
	struct text_size size = { .coding = CODING_GSM7, .segments = 1 };

	if (!part_ends)
		max_ends = 0;
	if (!count_septets(text, &size.units)) {
		size.coding = CODING_UCS2;
		size.units = count_utf16(text);
	}
	if (size.units > rooms[size.coding].single)
		size.segments = walk_segments(text, size.coding, part_ends, max_ends);
	else if (max_ends > 0)
		part_ends[0] = text.len;
	return size;
}

static const struct gsm7_substitute *find_row(const struct gsm7_substitute *rows, unsigned count,
					      uint32_t point)
{
	unsigned low = 0, high = count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (point > rows[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && point >= rows[low].first ? &rows[low] : NULL;
}

/* The letter that is left of one with accents, or 0. A mark on a sign (as in "not equal") is not an
 * accent. */
static uint32_t base_letter(uint32_t point)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
	utf8proc_int32_t parts[8];
	int boundary = 0;
	utf8proc_category_t kind;

	if (utf8proc_decompose_char((utf8proc_int32_t)point, parts, ARRAY_LEN(parts), options,
				    &boundary) < 2)
		return 0;
	kind = utf8proc_category(parts[0]);
	return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO ? (uint32_t)parts[0]
									    : 0;
}

/* Writes what stands for a character, at most 3 bytes; false: nothing does. */
static bool substitute(uint32_t point, bool optional, char *out, size_t *len)
{
	const struct gsm7_substitute *row = NULL;

	if (code_of(point) != GSM7_NONE) {
		*len += (size_t)utf8proc_encode_char((utf8proc_int32_t)point,
						     (utf8proc_uint8_t *)out + *len);
		return true;
	}
	if (point >= 0x300 && point <= 0x36f) /* a mark that nothing composes with */
		return true;
	row = find_row(gsm7_safe, gsm7_safe_count, point);
	if (!row && optional)
		row = find_row(gsm7_optional, gsm7_optional_count, point);
	if (row) {
		size_t row_len = strlen(row->text);

		memcpy(out + *len, row->text, row_len);
		*len += row_len;
		return true;
	}
	point = base_letter(point);
	return point && substitute(point, optional, out, len);
}

/* In NFC, in the arena; -1: not valid UTF-8. */
static utf8proc_ssize_t compose(struct arena *arena, struct bytes text, utf8proc_int32_t **points)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	const utf8proc_uint8_t *raw = (const utf8proc_uint8_t *)text.data;
	utf8proc_ssize_t count = utf8proc_decompose(raw, (utf8proc_ssize_t)text.len, NULL, 0,
						    options);

	if (count <= 0)
		return -1;
	*points = arena_alloc(arena, ((size_t)count + 1) * sizeof(**points));
	count = utf8proc_decompose(raw, (utf8proc_ssize_t)text.len, *points, count, options);
	return utf8proc_normalize_utf32(*points, count, options);
}

struct bytes gsm7_smart(struct arena *arena, struct bytes text, bool optional)
{
	utf8proc_int32_t *points;
	utf8proc_ssize_t count;
	unsigned units;
	size_t len = 0;
	char *out;

	if (count_septets(text, &units) && (text.len == 0 || !memchr(text.data, '\r', text.len)))
		return text;
	count = compose(arena, text, &points);
	if (count < 0)
		return text;
	out = arena_alloc(arena, (size_t)count * 3 + 1);
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		uint32_t point = (uint32_t)points[i];

		if (point == '\r') {
			if (i + 1 < count && points[i + 1] == '\n')
				continue;
			point = '\n';
		}
		if (!substitute(point, optional, out, &len))
			return text;
	}
	return (struct bytes){ out, len };
}

ssize_t gsm7_encode(struct bytes text, unsigned char *septets, size_t size)
{
	size_t count = 0;

	for (size_t at = 0; at < text.len;) {
		unsigned code = code_of(utf8_next(text, &at));

		if (code == GSM7_NONE)
			return -EILSEQ;
		if (size - count < 1 + code / GSM7_EXTENDED)
			return -ENOSPC;
		if (code & GSM7_EXTENDED)
			septets[count++] = GSM7_ESCAPE;
		septets[count++] = (unsigned char)(code & ~(unsigned)GSM7_EXTENDED);
	}
	return (ssize_t)count;
}

/* The character behind an escape; a code that isn't in the extension has its place in the default
 * alphabet.  0: none. */
static uint32_t extended(unsigned char septet)
{
	if (septet == CR) /* reserved for control */
		return 0;
	for (unsigned i = 0; i < gsm7_extension_count; i++) {
		if (gsm7_extensions[i].septet == septet)
			return gsm7_extensions[i].point;
	}
	return gsm7_default[septet];
}

struct bytes gsm7_decode(struct arena *arena, const unsigned char *septets, size_t count)
{
	char *out = arena_alloc(arena, count * 3 + 1);
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		bool escaped = septets[i] == GSM7_ESCAPE;
		uint32_t point;

		if (escaped && ++i == count)
			break;
		if (septets[i] > 0x7f)
			point = 0xfffd;
		else
			point = escaped ? extended(septets[i]) : gsm7_default[septets[i]];
		if (point)
			len += (size_t)utf8proc_encode_char((utf8proc_int32_t)point,
							    (utf8proc_uint8_t *)out + len);
	}
	return (struct bytes){ out, len };
}

/* Puts one septet at a bit; the octets from there on are zero. */
static void put_septet(unsigned char *out, size_t bit, unsigned char septet)
{
	unsigned wide = (septet & 0x7fU) << bit % 8;

	out[bit / 8] |= (unsigned char)wide;
	if (wide > 0xff)
		out[bit / 8 + 1] = (unsigned char)(wide >> 8);
}

size_t gsm7_pack(const unsigned char *septets, size_t count, unsigned fill, bool ussd,
		 unsigned char *out)
{
	size_t bits = count * 7 + fill, spare = (8 - bits % 8) % 8;
	bool filler = ussd && count > 0 && (spare == 7 || (spare == 0 && septets[count - 1] == CR));
	size_t octets = (bits + (filler ? 7 : 0) + 7) / 8;

	memset(out, 0, octets);
	for (size_t i = 0; i < count; i++)
		put_septet(out, fill + i * 7, septets[i]);
	if (filler)
		put_septet(out, bits, CR);
	return octets;
}

size_t gsm7_unpack(const unsigned char *octets, size_t len, unsigned fill, bool ussd,
		   unsigned char *septets)
{
	size_t count = len * 8 > fill ? (len * 8 - fill) / 7 : 0;
	size_t spare = len * 8 - fill - count * 7;

	for (size_t i = 0; i < count; i++) {
		size_t bit = fill + i * 7;
		unsigned wide = octets[bit / 8];

		if (bit / 8 + 1 < len)
			wide |= (unsigned)octets[bit / 8 + 1] << 8;
		septets[i] = (unsigned char)(wide >> bit % 8 & 0x7f);
	}
	if (!ussd || count == 0 || septets[count - 1] != CR)
		return count;
	/* The CR filled seven spare bits, or doubled one that ended on an octet. */
	if (spare == 0 || (spare == 1 && count > 1 && septets[count - 2] == CR))
		count--;
	return count;
}

unsigned gsm7_ussd_room(enum text_coding coding, unsigned chars_gsm7)
{
	unsigned septets = chars_gsm7 < USSD_SEPTETS ? chars_gsm7 : USSD_SEPTETS;

	if (coding == CODING_GSM7)
		return septets;
	return (septets * 7 + 7) / 8 / 2; /* 80 of 160 octets */
}
