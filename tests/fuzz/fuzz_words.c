/* fuzz_words.c - any text as a whole message, as a keyword with its rest, by what it is about, and laid out in pages.
 *
 * Input: a byte for the width of a page, then the text.
 */
#include <stdlib.h>
#include <string.h>

#include "gsm7.h"
#include "screen.h"
#include "spell.h"
#include "topic.h"
#include "utf8.h"
#include "words.h"

enum {
	PAGED_CHARS = 250
}; /* each page is found from the first on, so long texts cost their square here */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_split(struct arena *arena, struct bytes text)
{
	const char *keyword;
	struct bytes rest;

	words_split(arena, text, &keyword, &rest);
	require(utf8_valid(keyword, strlen(keyword)) && !strpbrk(keyword, " .,:;#*/-_=\n"));
	require(rest.data >= text.data && rest.data + rest.len <= text.data + text.len);
	require(utf8_valid(rest.data, rest.len));
}

/* What it is about, and that a greeting is one at its first words too. */
static void check_topic(struct arena *arena, struct bytes text)
{
	bool sure, greets = topic_is_greeting(arena, text);
	enum topic topic = topic_of(arena, text, &sure);

	require(topic <= TOPIC_NONE);
	require(!greets || topic == TOPIC_GREETING);
}

/* A word costs nothing alone where it is the other, and no less than its letters tell. */
static void check_spelling(struct arena *arena, struct bytes text)
{
	const char *keyword;
	char tidied[128];
	struct bytes rest;
	unsigned cost;

	words_split(arena, text, &keyword, &rest);
	if (strlen(keyword) >= sizeof(tidied))
		return;
	spell_tidy(keyword, 2, tidied);
	require(strlen(tidied) <= strlen(keyword));
	cost = spell_cost(tidied, "lapor", spell_room(5));
	require(cost == SPELL_FAR || cost <= spell_room(5));
	require(cost != 0 || strcmp(tidied, "lapor") == 0);
	require(cost == SPELL_FAR ||
		!spell_lacks_more(spell_letters(tidied), spell_letters("lapor"), 2));
	topic_is_word(tidied);
}

static size_t bare_length(struct bytes text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++)
		len += !strchr(" \n\r\t", text.data[i]);
	return len;
}

/* Bytes of a page that are its own and no blanks; the hints are of letters that the text has
 * not. */
static size_t own_length(struct bytes page)
{
	const char *hint = memmem(page.data, page.len, "\n~", 2);

	return bare_length(
		(struct bytes){ page.data, hint ? (size_t)(hint - page.data) : page.len });
}

/* All pages together are the text, and none is wider than it may be. */
static void check_pages(struct arena *arena, struct bytes text, unsigned width)
{
	const struct screen_rule rules[] = {
		{ .chars = 40 + width % 143, .more = "~98 Lanjut", .back = "~0 Kembali" },
		{ .segments = 1 + width % 3, .more = "~LANJUT", .back = "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		unsigned count = screen_count(text, &rules[i]);
		size_t total = 0;

		for (unsigned page = 0; page < count; page++) {
			struct bytes out = screen_page(arena, text, page, &rules[i]);
			struct text_size size = gsm7_size(out, NULL, 0);

			require(utf8_valid(out.data, out.len));
			require(i == 0 ? size.units <= gsm7_ussd_room(size.coding, rules[i].chars)
				       : size.segments <= rules[i].segments);
			total += count > 1 ? own_length(out) : bare_length(out);
		}
		require(total == bare_length(text));
	}
}

static struct bytes without_tildes(struct arena *arena, struct bytes text)
{
	char *out = arena_memdup(arena, text.data, text.len);

	for (size_t i = 0; i < text.len; i++)
		out[i] = out[i] == '~' ? '-' : out[i];
	return (struct bytes){ out, text.len };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct bytes text;
	bool cut;

	if (size == 0 || size > 4000)
		return 0;
	text = utf8_clean(&arena, (struct bytes){ (const char *)data + 1, size - 1 }, 2000, &cut);
	words_whole(text);
	check_split(&arena, text);
	check_topic(&arena, text);
	check_spelling(&arena, text);
	check_pages(&arena, without_tildes(&arena, utf8_clean(&arena, text, PAGED_CHARS, &cut)),
		    data[0]);
	arena_free(&arena);
	return 0;
}
