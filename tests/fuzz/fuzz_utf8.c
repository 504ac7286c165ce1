/* fuzz_utf8.c - any bytes become valid text, whatever they were taken for, and fold to text that
 * folds to itself.
 *
 * Input: a byte for how many characters are kept, then the bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void check_fold(struct arena *arena, struct bytes text)
{
	struct bytes folded = utf8_fold(arena, text);

	require(utf8_valid(folded.data, folded.len));
	require(folded.data[folded.len] == '\0');
	for (size_t i = 0; i < folded.len; i++) {
		unsigned char c = (unsigned char)folded.data[i];

		require(c >= ' ' && c != 0x7f && !(c >= 'A' && c <= 'Z'));
		require(c != ' ' || (i > 0 && i + 1 < folded.len && folded.data[i + 1] != ' '));
	}
}

static void check_clean(struct arena *arena, struct bytes raw, size_t max)
{
	bool cut, again;
	struct bytes text = utf8_clean(arena, raw, max, &cut);

	require(utf8_valid(text.data, text.len) && strlen(text.data) == text.len);
	require(utf8_length(text) <= max);
	require(!cut || utf8_length(text) == max);
	require(same(text, utf8_clean(arena, text, max, &again)) && !again);
	if (utf8_valid(raw.data, raw.len) && !cut && !memchr(raw.data, 0, raw.len))
		require(same(text, raw));
	for (size_t at = 0; at < text.len;)
		require(utf8_next(text, &at) <= 0x10ffff && at <= text.len);
	check_fold(arena, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct bytes raw, text;

	if (size == 0)
		return 0;
	raw = (struct bytes){ (const char *)data + 1, size - 1 };
	check_clean(&arena, raw, data[0] < 255 ? data[0] : 10000);
	text = utf8_from_utf16be(&arena, raw);
	require(utf8_valid(text.data, text.len));
	text = utf8_from_latin1(&arena, raw);
	require(utf8_valid(text.data, text.len) && utf8_length(text) == raw.len);
	arena_free(&arena);
	return 0;
}
