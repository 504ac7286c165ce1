/* words_way.c - words for moving in a dialog: back, again, in another language.
 *
 * They count only where they are the whole message, but for courtesy: "kembali" within a complaint is part of it.  So a
 * table of whole phrases is enough, and what isn't in it is an answer.
 * Source: the reference's civic-domain.md 5; design 3.  The Javanese words should be checked by a native speaker.
 */
#include <string.h>

#include "utf8.h"
#include "words.h"

struct phrase {
	const char *text;
	enum way way;
	const char *language;
};

static const struct phrase phrases[] = {
	{ "kembali", WAY_BACK, NULL },
	{ "kembali ke sebelumnya", WAY_BACK, NULL },
	{ "sebelumnya", WAY_BACK, NULL },
	{ "mundur", WAY_BACK, NULL },
	{ "back", WAY_BACK, NULL },
	{ "go back", WAY_BACK, NULL },
	{ "wangsul", WAY_BACK, NULL },
	{ "bali", WAY_BACK, NULL },
	{ "mbalik", WAY_BACK, NULL },
	{ "ulang", WAY_REPEAT, NULL },
	{ "ulangi", WAY_REPEAT, NULL },
	{ "ulang pertanyaan", WAY_REPEAT, NULL },
	{ "ulangi pertanyaan", WAY_REPEAT, NULL },
	{ "repeat", WAY_REPEAT, NULL },
	{ "baleni", WAY_REPEAT, NULL },
	{ "bahasa indonesia", WAY_LANGUAGE, "id" },
	{ "basa indonesia", WAY_LANGUAGE, "id" },
	{ "indonesian", WAY_LANGUAGE_WEAK, "id" },
	{ "indonesia", WAY_LANGUAGE_WEAK, "id" },
	{ "bahasa jawa", WAY_LANGUAGE, "jv" },
	{ "basa jawa", WAY_LANGUAGE, "jv" },
	{ "boso jowo", WAY_LANGUAGE, "jv" },
	{ "basa jowo", WAY_LANGUAGE, "jv" },
	{ "bahasa jowo", WAY_LANGUAGE, "jv" },
	{ "javanese", WAY_LANGUAGE_WEAK, "jv" },
	{ "jawa", WAY_LANGUAGE_WEAK, "jv" },
	{ "jowo", WAY_LANGUAGE_WEAK, "jv" },
	{ "bahasa inggris", WAY_LANGUAGE, "en" },
	{ "basa inggris", WAY_LANGUAGE, "en" },
	{ "in english", WAY_LANGUAGE, "en" },
	{ "speak english", WAY_LANGUAGE, "en" },
	{ "english", WAY_LANGUAGE_WEAK, "en" },
	{ "inggris", WAY_LANGUAGE_WEAK, "en" },
};

static const char *const courtesies[] = { "tolong", "mohon", "minta", "saya",  "pakai",
					  "pake",   "pak",   "bu",    "bapak", "ibu",
					  "mas",    "mbak",  "kak",   "ya",    "dong",
					  "please", "pls",   "nggih", "nyuwun" };

enum { WAY_BYTES = 48 }; /* a longer message says more */

static bool is_courtesy(const char *word, size_t len)
{
	for (unsigned i = 0; i < ARRAY_LEN(courtesies); i++)
		if (strlen(courtesies[i]) == len && memcmp(courtesies[i], word, len) == 0)
			return true;
	return false;
}

/* The words without courtesies, one blank between: at most size - 1 bytes. */
static void plain_words(const char *text, char *out, size_t size)
{
	static const char marks[] = " \t\r\n.,;:!?()\"'";
	size_t used = 0;

	while (*(text += strspn(text, marks))) {
		size_t len = strcspn(text, marks);

		if (!is_courtesy(text, len) && used + len + 2 <= size) {
			if (used > 0)
				out[used++] = ' ';
			memcpy(out + used, text, len);
			used += len;
		}
		text += len;
	}
	out[used] = '\0';
}

enum way words_way(struct arena *arena, struct bytes text, const char **language)
{
	char plain[WAY_BYTES + 2];

	*language = NULL;
	if (text.len > WAY_BYTES)
		return WAY_NONE;
	plain_words(utf8_fold(arena, text).data, plain, sizeof(plain));
	for (unsigned i = 0; i < ARRAY_LEN(phrases); i++)
		if (strcmp(phrases[i].text, plain) == 0) {
			*language = phrases[i].language;
			return phrases[i].way;
		}
	return WAY_NONE;
}
