/* search_words.c - words as the search compares them, and how near two words are. */
#include <limits.h>
#include <string.h>
#include <utf8proc.h>

#include "search_priv.h"
#include "utf8.h"

/* A text on its way to words. */
struct splitter {
	struct search_token *out;
	unsigned count, most;
	bool expand;
	struct search_token word; /* that is being read */
	char initials[WORD_BYTES];
	unsigned initial_count; /* letters of "S.D.N." so far */
};

unsigned search_letters(const char *text, unsigned bytes, uint32_t out[static WORD_BYTES])
{
	struct bytes all = { text, bytes };
	unsigned count = 0;

	for (size_t at = 0; at < bytes && count < WORD_BYTES;)
		out[count++] = (unsigned char)text[at] < 0x80 ? (unsigned char)text[at++]
							      : utf8_next(all, &at);
	return count;
}

uint32_t search_mask(const uint32_t *letters, unsigned len)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < len; i++)
		mask |= UINT32_C(1) << (letters[i] % 32);
	return mask;
}

unsigned search_edits(unsigned len)
{
	return len < 4 ? 0 : len < 7 ? 1 : 2;
}

bool search_is_vowel(char c)
{
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

unsigned search_skeleton(const char *text, unsigned bytes, char out[static WORD_BYTES])
{
	unsigned len = 0;

	for (unsigned i = 0; i < bytes && len < WORD_BYTES - 1; i++)
		if (i == 0 || !search_is_vowel(text[i]))
			out[len++] = text[i];
	out[len] = '\0';
	return len;
}

/* ---- distance ---- */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The cost of a swap that ends at i and j, with a letter more or less between the two, or UINT_MAX / 2. */
static unsigned wide_swap(const uint32_t *a, unsigned i, const uint32_t *b, unsigned j,
			  const unsigned *two_before, const unsigned *three_before)
{
	if (i > 1 && j > 2 && a[i - 1] == b[j - 3] && a[i - 2] == b[j - 1])
		return two_before[j - 3] + 2;
	if (i > 2 && j > 1 && a[i - 1] == b[j - 2] && a[i - 3] == b[j - 1])
		return three_before[j - 2] + 2;
	return UINT_MAX / 2;
}

/* Damerau's distance (insert, delete, replace, swap two neighbours), right up to two edits: what lies further than
 * `most` from the diagonal costs more. */
static unsigned align(const uint32_t *a, unsigned a_len, const uint32_t *b, unsigned b_len,
		      unsigned most)
{
	unsigned rows[4][WORD_BYTES + 2] = { { 0 } };

	for (unsigned j = 0; j <= b_len + 1; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 4], *last = rows[(i - 1) % 4];
		unsigned low = i > most ? i - most : 1, high = least(i + most, b_len), best;

		now[low - 1] = best = low == 1 ? i : UINT_MAX / 2;
		now[high + 1] = UINT_MAX / 2;
		for (unsigned j = low; j <= high; j++) {
			now[j] = least(least(last[j], now[j - 1]) + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], rows[(i - 2) % 4][j - 2] + 1);
			now[j] = least(now[j],
				       wide_swap(a, i, b, j, rows[(i + 2) % 4], rows[(i + 1) % 4]));
			best = least(best, now[j]);
		}
		/* A swap reaches over two rows, so one row above is not the end. */
		if (best > most + 1)
			return most + 1;
	}
	return least(rows[a_len % 4][b_len], most + 1);
}

unsigned search_distance(const uint32_t *a, unsigned a_len, const uint32_t *b, unsigned b_len,
			 unsigned most)
{
	if ((a_len > b_len ? a_len - b_len : b_len - a_len) > most)
		return most + 1;
	while (a_len > 0 && b_len > 0 && *a == *b)
		a++, b++, a_len--, b_len--;
	while (a_len > 0 && b_len > 0 && a[a_len - 1] == b[b_len - 1])
		a_len--, b_len--;
	if (a_len == 0 || b_len == 0)
		return least(a_len + b_len, most + 1);
	return align(a, a_len, b, b_len, most);
}

/* ---- deletions ---- */

/* The letters without those at `i` and `j`. */
static uint32_t hash_without(const uint32_t *letters, unsigned len, unsigned i, unsigned j)
{
	uint64_t hash = UINT64_C(0x9E3779B97F4A7C15);

	for (unsigned at = 0; at < len; at++)
		if (at != i && at != j)
			hash = (hash ^ letters[at]) * UINT64_C(0xD6E8FEB86659FD93) ^ hash >> 29;
	hash ^= hash >> 32;
	hash *= UINT64_C(0xD6E8FEB86659FD93);
	return (uint32_t)(hash >> 32);
}

static unsigned add_key(uint32_t *out, unsigned count, uint32_t key)
{
	for (unsigned i = 0; i < count; i++)
		if (out[i] == key)
			return count;
	out[count] = key;
	return count + 1;
}

unsigned search_near_keys(const uint32_t *letters, unsigned len, unsigned edits,
			  uint32_t out[static NEAR_KEYS])
{
	unsigned most = least(len, NEAR_PREFIX), count = 0;

	out[count++] = hash_without(letters, most, most, most);
	for (unsigned i = 0; edits > 0 && i < most; i++) {
		count = add_key(out, count, hash_without(letters, most, i, i));
		for (unsigned j = i + 1; edits > 1 && j < most; j++)
			count = add_key(out, count, hash_without(letters, most, i, j));
	}
	return count;
}

/* ---- splitting ---- */

static void put_token(struct splitter *splitter, const struct search_token *token)
{
	if (splitter->count < splitter->most)
		splitter->out[splitter->count++] = *token;
}

static void finish_token(struct search_token *token)
{
	uint32_t letters[WORD_BYTES];

	token->text[token->bytes] = '\0';
	token->len = (uint8_t)search_letters(token->text, token->bytes, letters);
	token->digits = token->text[0] >= '0' && token->text[0] <= '9';
}

/* An abbreviation's words, or the word itself. */
static void expand(struct splitter *splitter, struct search_token *token)
{
	const char *words = splitter->expand ? search_abbreviation(token->text) : NULL;

	if (!words) {
		put_token(splitter, token);
		return;
	}
	while (*words) {
		struct search_token word = { .bytes = (uint8_t)strcspn(words, " ") };

		memcpy(word.text, words, word.bytes);
		finish_token(&word);
		put_token(splitter, &word);
		words += word.bytes;
		words += *words == ' ';
	}
}

static void end_initials(struct splitter *splitter)
{
	struct search_token token = { .bytes = (uint8_t)splitter->initial_count };

	if (splitter->initial_count == 0)
		return;
	memcpy(token.text, splitter->initials, splitter->initial_count);
	splitter->initial_count = 0;
	finish_token(&token);
	expand(splitter, &token);
}

/* dotted: a full stop follows, so a single letter may be the beginning of "S.D.N.". */
static void end_word(struct splitter *splitter, bool dotted)
{
	struct search_token *word = &splitter->word;
	unsigned zeros = 0;

	if (word->bytes == 0)
		return;
	finish_token(word);
	while (word->digits && zeros + 1U < word->bytes && word->text[zeros] == '0')
		zeros++; /* RT 05 is RT 5 */
	memmove(word->text, word->text + zeros, word->bytes - zeros + 1U);
	word->bytes = (uint8_t)(word->bytes - zeros);
	word->len = (uint8_t)(word->len - zeros);
	if (word->bytes == 1 && !word->digits && (dotted || splitter->initial_count > 0) &&
	    splitter->initial_count < WORD_BYTES - 1) {
		splitter->initials[splitter->initial_count++] = word->text[0];
	} else {
		end_initials(splitter);
		expand(splitter, word);
	}
	if (!dotted)
		end_initials(splitter);
	word->bytes = 0;
}

static bool is_digit(uint32_t point)
{
	return point - '0' < 10U;
}

static void add_letter(struct splitter *splitter, uint32_t point)
{
	struct search_token *word = &splitter->word;
	utf8proc_uint8_t bytes[4] = { (utf8proc_uint8_t)point };
	unsigned len = point < 0x80
			       ? 1
			       : (unsigned)utf8proc_encode_char((utf8proc_int32_t)point, bytes);

	if (word->bytes > 0 && is_digit((unsigned char)word->text[0]) != is_digit(point))
		end_word(splitter, false); /* sdn1 is sdn 1 */
	if (word->bytes + len >= WORD_BYTES)
		return;
	memcpy(word->text + word->bytes, bytes, len);
	word->bytes = (uint8_t)(word->bytes + len);
}

static bool is_apostrophe(uint32_t point)
{
	return point == '\'' || point == '`' || point == 0x2018 || point == 0x2019 ||
	       point == 0x2BC;
}

static void add_point(struct splitter *splitter, uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80) {
		if (point - 'A' < 26U)
			point |= 0x20;
		if (point - 'a' < 26U || is_digit(point))
			add_letter(splitter, point);
		else if (!is_apostrophe(point)) /* ma'arif is maarif */
			end_word(splitter, point == '.');
		return;
	}
	if ((point >= 0x300 && point <= 0x36F) || (point >= 0x64B && point <= 0x65F))
		return; /* an accent, or a vowel mark that Arabic leaves out as a rule */
	kind = utf8proc_category((utf8proc_int32_t)point);
	if (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO)
		add_letter(splitter, point);
	else if (!is_apostrophe(point))
		end_word(splitter, false);
}

static void add_accented(struct splitter *splitter, struct bytes text)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
	struct arena arena = { 0 };
	struct bytes folded = utf8_fold(&arena, text);
	const utf8proc_uint8_t *raw = (const utf8proc_uint8_t *)folded.data;
	utf8proc_ssize_t count = utf8proc_decompose(raw, (utf8proc_ssize_t)folded.len, NULL, 0,
						    options);
	utf8proc_int32_t *points;

	if (count > 0) {
		points = arena_alloc(&arena, ((size_t)count + 1) * sizeof(*points));
		count = utf8proc_decompose(raw, (utf8proc_ssize_t)folded.len, points, count,
					   options);
		for (utf8proc_ssize_t i = 0; i < count; i++)
			add_point(splitter, (uint32_t)points[i]);
	}
	arena_free(&arena);
}

static bool is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

unsigned search_tokens(struct bytes text, bool expand, struct search_token *out, unsigned most)
{
	struct splitter splitter = { .out = out, .most = most, .expand = expand };

	if (is_ascii(text)) {
		for (size_t i = 0; i < text.len && splitter.count < most; i++)
			add_point(&splitter, (unsigned char)text.data[i]);
	} else {
		add_accented(&splitter, text);
	}
	end_word(&splitter, false);
	end_initials(&splitter);
	return splitter.count;
}
