/* fuzz_gsm7.c - any bytes as text, as septets and as packed octets: what is encoded comes back,
 * segments hold what they may.
 *
 * Input: the bytes alone.
 */
#include <stdlib.h>
#include <string.h>

#include "gsm7.h"
#include "utf8.h"

enum { TEXT_CHARS = 3000, SEPTETS = TEXT_CHARS * 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_segments(struct bytes text)
{
	static size_t ends[SEPTETS];
	struct text_size size = gsm7_size(text, ends, SEPTETS);
	size_t from = 0;

	require(size.segments >= 1 && size.segments <= SEPTETS);
	for (unsigned i = 0; i < size.segments; i++) {
		struct bytes part = { text.data + from, ends[i] - from };

		require(ends[i] >= from && ends[i] <= text.len);
		require(utf8_valid(part.data, part.len));
		require(gsm7_size(part, NULL, 0).segments == 1);
		from = ends[i];
	}
	require(from == text.len);
	require(gsm7_size(text, NULL, 0).segments == size.segments);
}

static void check_packing(const unsigned char *septets, size_t count)
{
	static unsigned char octets[SEPTETS + 8], back[SEPTETS + 16];

	for (unsigned i = 0; i < 8; i++) {
		bool ussd = i == 7;
		unsigned fill = i % 7;
		size_t len = gsm7_pack(septets, count, fill, ussd, octets);
		size_t got = gsm7_unpack(octets, len, fill, ussd, back);

		require(len <= (count * 7 + fill + 7) / 8 + ussd);
		require(got + 1 >= count && got <= count + 1);
		require(memcmp(back, septets, got < count ? got : count) == 0);
	}
}

static void check_encoding(struct arena *arena, struct bytes text)
{
	static unsigned char septets[SEPTETS];
	struct text_size size = gsm7_size(text, NULL, 0);
	ssize_t count = gsm7_encode(text, septets, sizeof(septets));
	struct bytes back;

	require((count >= 0) == (size.coding == CODING_GSM7));
	if (count < 0)
		return;
	require((size_t)count == size.units);
	back = gsm7_decode(arena, septets, (size_t)count);
	require(back.len == text.len &&
		(text.len == 0 || memcmp(back.data, text.data, text.len) == 0));
	check_packing(septets, (size_t)count);
}

static void check_text(struct arena *arena, struct bytes raw)
{
	bool cut;
	struct bytes text = utf8_clean(arena, raw, TEXT_CHARS, &cut);

	check_segments(text);
	check_encoding(arena, text);
	for (int optional = 0; optional < 2; optional++) {
		struct bytes smart = gsm7_smart(arena, text, optional);

		require(utf8_valid(smart.data, smart.len));
		require(smart.data == text.data || gsm7_size(smart, NULL, 0).coding == CODING_GSM7);
		require(gsm7_smart(arena, smart, optional).data == smart.data);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char septets[SEPTETS];
	struct arena arena = { 0 };
	struct bytes decoded;

	if (size > TEXT_CHARS)
		return 0;
	check_text(&arena, (struct bytes){ (const char *)data, size });
	decoded = gsm7_decode(&arena, data, size);
	require(utf8_valid(decoded.data, decoded.len));
	for (unsigned fill = 0; fill < 7; fill++) {
		require(gsm7_unpack(data, size, fill, false, septets) <= size * 8 / 7);
		gsm7_unpack(data, size, fill, true, septets);
	}
	arena_free(&arena);
	return 0;
}
