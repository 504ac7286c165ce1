/* spell.c - how near a typed word is to the one that was meant.
 *
 * The weighted distance of Damerau (letters other, more, fewer, swapped), with three rows of the usual table; what a slip
 * costs is in tenths of a letter that nothing explains.
 */
#include "spell.h"

#include <string.h>

enum {
	COST_LOOKS = 2, /* 0 for o */
	COST_HELD = 3,  /* a letter twice */
	COST_KEY = 5,   /* another letter of the same key of a keypad */
	COST_VOWEL_LESS = 5,
	COST_SWAP = 6,
	COST_BESIDE = 6, /* the key beside, or a letter that sounds alike */
	COST_BESIDE_MORE = 7,
	COST_VOWEL = 8, /* a vowel for a vowel, or one too many */
	COST_LESS = 10,
	COST_MORE = 11,
	COST_OTHER = 12,
};

static const char keypad[] = "22233344455566677778889999"; /* for a to z */
/* The keys beside each of a to z on a phone's keyboard, a bit for each letter. */
static const uint32_t beside[26] = {
	[0] = 0x2450000,  /* a: qwsz */
	[1] = 0x02020c0,  /* b: vghn */
	[2] = 0x0a00028,  /* c: xdfv */
	[3] = 0x0860034,  /* d: serfcx */
	[4] = 0x0460008,  /* e: wsdr */
	[5] = 0x02a004c,  /* f: drtgvc */
	[6] = 0x12800a2,  /* g: ftyhbv */
	[7] = 0x1102242,  /* h: gyujnb */
	[8] = 0x0104600,  /* i: ujko */
	[9] = 0x0103580,  /* j: huikmn */
	[10] = 0x0005b00, /* k: jiolm */
	[11] = 0x000c400, /* l: kop */
	[12] = 0x0002600, /* m: njk */
	[13] = 0x0001282, /* n: bhjm */
	[14] = 0x0008d00, /* o: iklp */
	[15] = 0x0004800, /* p: ol */
	[16] = 0x0400001, /* q: wa */
	[17] = 0x0080038, /* r: edft */
	[18] = 0x2c00019, /* s: awedxz */
	[19] = 0x1020060, /* t: rfgy */
	[20] = 0x1000380, /* u: yhji */
	[21] = 0x0000066, /* v: cfgb */
	[22] = 0x0050011, /* w: qase */
	[23] = 0x204000c, /* x: zsdc */
	[24] = 0x01800c0, /* y: tghu */
	[25] = 0x0840001, /* z: asx */
};
/* Letters that sound alike, at least at the end of a word; Javanese has no f. */
static const uint32_t alike[26] = {
	[1] = 0x0008000,  /* b: p */
	[3] = 0x0080000,  /* d: t */
	[5] = 0x0208000,  /* f: pv */
	[6] = 0x0000400,  /* g: k */
	[9] = 0x2000000,  /* j: z */
	[10] = 0x0000040, /* k: g */
	[15] = 0x0200022, /* p: bfv */
	[19] = 0x0000008, /* t: d */
	[21] = 0x0008020, /* v: fp */
	[25] = 0x0000200, /* z: j */
};

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_vowel(char c)
{
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

static bool is_beside(char a, char b)
{
	return is_letter(a) && is_letter(b) && beside[a - 'a'] >> (b - 'a') & 1;
}

/* One a digit that stands for the other, or the two letters that look the same. */
static bool looks_like(char a, char b)
{
	static const char letters[] = "oizeas"; /* for 0 to 5 */

	if (a > b) {
		char c = a;

		a = b;
		b = c;
	}
	if (a >= '0' && a <= '5')
		return letters[a - '0'] == b || (a == '1' && b == 'l');
	return a == 'i' && b == 'l';
}

static unsigned cost_of_other(char typed, char meant)
{
	if (typed == meant)
		return 0;
	if (looks_like(typed, meant))
		return COST_LOOKS;
	if (!is_letter(typed) || !is_letter(meant))
		return COST_OTHER;
	if (keypad[typed - 'a'] == keypad[meant - 'a'])
		return COST_KEY;
	if ((beside[typed - 'a'] | alike[typed - 'a']) >> (meant - 'a') & 1)
		return COST_BESIDE;
	return is_vowel(typed) && is_vowel(meant) ? COST_VOWEL : COST_OTHER;
}

/* word[i] is one too many. */
static unsigned cost_of_more(const char *word, size_t i)
{
	if (i > 0 && word[i] == word[i - 1])
		return COST_HELD;
	if ((i > 0 && is_beside(word[i], word[i - 1])) || is_beside(word[i], word[i + 1]))
		return COST_BESIDE_MORE;
	return is_vowel(word[i]) ? COST_VOWEL : COST_MORE;
}

/* meant[j] is missing. */
static unsigned cost_of_less(const char *meant, size_t j)
{
	if (j > 0 && meant[j] == meant[j - 1])
		return COST_HELD;
	return j > 0 && is_vowel(meant[j]) ? COST_VOWEL_LESS : COST_LESS;
}

static unsigned fewer(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* A table of which three rows are kept: row i has what it takes to make word's first i letters of meant's first j. */
struct table {
	const char *word, *meant;
	size_t meant_len;
	unsigned rows[3][SPELL_MAX + 1];
};

/* Gives the least of the row. */
static unsigned fill_row(struct table *table, size_t i)
{
	const char *word = table->word, *meant = table->meant;
	unsigned *row = table->rows[i % 3], *above = table->rows[(i + 2) % 3];
	const unsigned *two_above = table->rows[(i + 1) % 3];
	unsigned more = cost_of_more(word, i - 1), least;

	least = row[0] = above[0] + more;
	for (size_t j = 1; j <= table->meant_len; j++) {
		unsigned cost = above[j - 1] + cost_of_other(word[i - 1], meant[j - 1]);

		cost = fewer(cost, above[j] + more);
		cost = fewer(cost, row[j - 1] + cost_of_less(meant, j - 1));
		if (i > 1 && j > 1 && word[i - 1] == meant[j - 2] && word[i - 2] == meant[j - 1])
			cost = fewer(cost, two_above[j - 2] + COST_SWAP);
		row[j] = cost;
		least = fewer(least, cost);
	}
	return least;
}

unsigned spell_cost(const char *word, const char *meant, unsigned most)
{
	struct table table = { .word = word, .meant = meant, .meant_len = strlen(meant) };
	size_t word_len = strlen(word);
	unsigned before = 0, least;

	if (word_len > SPELL_MAX || table.meant_len > SPELL_MAX)
		return SPELL_FAR;
	for (size_t j = 1; j <= table.meant_len; j++)
		table.rows[0][j] = table.rows[0][j - 1] + cost_of_less(meant, j - 1);
	for (size_t i = 1; i <= word_len; i++) {
		least = fill_row(&table, i);
		if (least > most && before > most) /* a swap reaches over one row */
			return SPELL_FAR;
		before = least;
	}
	least = table.rows[word_len % 3][table.meant_len];
	return least <= most ? least : SPELL_FAR;
}

unsigned spell_room(size_t letters)
{
	static const unsigned room[] = { 0, 0, 0, 6, 10, 13, 13 };

	return letters < ARRAY_LEN(room) ? room[letters] : 20;
}

uint32_t spell_letters(const char *word)
{
	uint32_t letters = 0;

	for (; *word; word++)
		if (is_letter(*word))
			letters |= 1U << (*word - 'a');
	return letters;
}

void spell_tidy(const char *word, unsigned held, char *out)
{
	static const char letters[] = "oi2eas6789"; /* for 0 to 9 */
	bool has_letter = strpbrk(word, "abcdefghijklmnopqrstuvwxyz") != NULL;
	unsigned run = 0;
	size_t len = 0;

	for (; *word; word++) {
		char c = *word;

		if (has_letter && c >= '0' && c <= '9')
			c = letters[c - '0'];
		run = len > 0 && out[len - 1] == c ? run + 1 : 1;
		if (run <= held)
			out[len++] = c;
	}
	out[len] = '\0';
}
