/* words.c - what a citizen's words mean before any plugin sees them: stop, start, help; keywords.
 *
 * STOP must work however it is put ("tolong stop sms nya pak"), yet "stop kontak rusak" is a
 * complaint.  So a message means one of our words only if each of its words is in a small
 * vocabulary (words_table.c), and what they mean together is decided by the classes that they
 * belong to: one word from outside and it is the plugins'.  That also makes the usual message
 * cheap: it is left at its first or second word.
 */
#include "words.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

#include "lookup.h"
#include "spell.h"
#include "topic.h"
#include "utf8.h"
#include "words_table.h"

enum {
	WHOLE_MAX = 240, /* bytes of a message that can mean one of our words */
	TOKENS_MAX = 14,
	TOKEN_SIZE = 24, /* bytes of a word with its NUL; a longer one is not ours */
	STRANGE_MAX = 3, /* words outside of the vocabulary that are read on over */
	NEAR_TOKENS = 4, /* words of a message of which one may be mistyped... */
	NEAR_COST = 6,   /* ...by so much (spell.h) where it is short... */
	NEAR_COST_LONG = 10,
	NEAR_LEN = 5,      /* ...and by that from so many letters on */
	LOOSE_TOKENS = 10, /* words of a refusal of which... */
	LOOSE_STRANGE = 2, /* ...so many may be about anything */
	REACH = 3,         /* words from a "don't" to what is forbidden */
	UNREG_WORDS = 2,   /* what may follow UNREG: a keyword, or a keyword and its part */
	CUT_MIN = 3,       /* letters of a word of which the last is missing */
	DOUBLED_MIN = 3,   /* letters of a word that a 2 doubles */
	LETTERS_MIN = 3,   /* letters with blanks between that are one word */
	KEYWORD_MAX = 64,  /* bytes of a keyword; a longer first word is none */
};

/* What may surround the words that a rule asks for. */
#define AROUND                                                                                     \
	(WORDS_POLITE | WORDS_ME | WORDS_THIS | WORDS_ALL | WORDS_PREP | WORDS_NUMBER | WORDS_NO | \
	 WORDS_LIST)
#define COMMON (WORDS_SERVICE | WORDS_LOOKUP | WORDS_INFO)
#define TALK                                                                               \
	(WORDS_CHANNEL | WORDS_SEND | WORDS_PEST | WORDS_JOIN | WORDS_AGAIN | WORDS_MORE | \
	 WORDS_WANT)
#define REFUSAL                                                                            \
	(WORDS_PROHIBIT | WORDS_NEG | WORDS_DO | WORDS_USAH | WORDS_REFUSE | WORDS_CUKUP | \
	 WORDS_SUDAH | WORDS_VERB)
#define STOPPING (WORDS_STOP | WORDS_QUIT | WORDS_UNREG)
/* What may stand before the word that a rule begins with. */
#define LEADING (WORDS_POLITE | WORDS_ME | WORDS_WANT | WORDS_THIS | WORDS_SUDAH | WORDS_CUKUP)

/* A message as its words. */
struct tokens {
	char word[TOKENS_MAX][TOKEN_SIZE];
	uint64_t classes[TOKENS_MAX];
	bool new_clause[TOKENS_MAX]; /* behind a mark */
	uint64_t have;               /* all classes together */
	uint64_t first;              /* of the first word that isn't leading */
	unsigned count;
	unsigned strange; /* words outside of the vocabulary, but for what follows UNREG */
	bool question;    /* has a question mark */
	bool foreign;     /* too many words, one too long, or too many strange ones: not ours */
};

static bool is_part_of_word(uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80)
		return (point | 0x20) - 'a' < 26U || point - '0' < 10U;
	kind = utf8proc_category((utf8proc_int32_t)point);
	return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO;
}

/* ---- the words of a whole message ---- */

static uint64_t look_up(const char *word)
{
	const struct words_entry *row = lookup(word, words_table, words_table_count,
					       sizeof(*words_table));

	return row ? row->classes : 0;
}

/* "smsnya", "carane", "caranipun": the thing, of which there is talk. Not with what acts:
 * "bantuannya" is the aid. */
static uint64_t look_up_stem(const char *word)
{
	static const char *const endings[] = { "nipun", "ipun", "nya", "ku", "ne", "e" };
	const uint64_t things = WORDS_CHANNEL | COMMON | WORDS_CARA | WORDS_VERB | WORDS_MEANS |
				WORDS_COST | WORDS_NUMBER;
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t ending = strlen(endings[i]);
		char stem[TOKEN_SIZE];
		uint64_t classes;

		if (len < ending + 3 || strcmp(word + len - ending, endings[i]) != 0)
			continue;
		memcpy(stem, word, len - ending);
		stem[len - ending] = '\0';
		classes = look_up(stem) & ~WORDS_INFO; /* "makasih infonya" */
		if (classes & WORDS_NUMBER && endings[i][0] == 'k')
			classes |= WORDS_ME;
		if (classes & things)
			return classes;
	}
	return 0;
}

static uint64_t look_up_slip(const char *word)
{
	static const char *const ours[] = {
		"bantuan", "berhenti", "help", "hentikan", "keluar",
		"menu",    "petunjuk", "stop", "unreg",    "unsubscribe"
	};
	unsigned best = SPELL_FAR;
	uint64_t classes = 0;
	size_t len;

	if (topic_is_word(word))
		return 0;
	len = strlen(word);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		/* a help too many harms nobody, a stop does */
		bool strict = strlen(ours[i]) < NEAR_LEN && !(look_up(ours[i]) & WORDS_HELP);
		unsigned most = strict ? NEAR_COST : NEAR_COST_LONG;
		unsigned cost = spell_cost(word, ours[i], most);

		if (len >= CUT_MIN && strncmp(word, ours[i], len) == 0 && !ours[i][len + 1])
			cost = 0; /* "sto": sent too early */

		if (cost < best) {
			best = cost;
			classes = look_up(ours[i]);
		}
	}
	return classes;
}

static uint64_t classify(const char *word)
{
	uint64_t classes = look_up(word);
	size_t len = strlen(word);
	char tidied[TOKEN_SIZE];

	if (!classes)
		classes = look_up_stem(word);
	if (classes)
		return classes;
	spell_tidy(word, 1, tidied);
	classes = look_up(tidied);
	if (!classes && len > DOUBLED_MIN && word[len - 1] == '2') { /* "sms2": sms-sms */
		memcpy(tidied, word, len - 1);
		tidied[len - 1] = '\0';
		classes = look_up(tidied);
	}
	return classes || !topic_is_courtesy(word, false) ? classes : WORDS_POLITE;
}

static void end_token(struct tokens *tokens, size_t *len)
{
	uint64_t classes;

	if (*len == 0)
		return;
	tokens->word[tokens->count][*len] = '\0';
	classes = classify(tokens->word[tokens->count]);
	tokens->have |= classes;
	tokens->classes[tokens->count++] = classes;
	if (!classes && !(tokens->have & WORDS_UNREG) && ++tokens->strange > STRANGE_MAX &&
	    *len > 1)
		tokens->foreign = true;
	*len = 0;
}

/* text is folded, or ASCII in any case. */
static void split(struct bytes text, struct tokens *tokens)
{
	size_t len = 0;

	for (size_t at = 0; at < text.len && !tokens->foreign;) {
		size_t before = at;
		uint32_t point = utf8_next(text, &at);

		if (point == '\'' || point == 0x2019) /* don't */
			continue;
		if (!is_part_of_word(point)) {
			tokens->question |= point == '?' || point == 0x61f;
			end_token(tokens, &len);
			if (tokens->count < TOKENS_MAX && point < 0x80 &&
			    strchr(",.;!\n", (int)point))
				tokens->new_clause[tokens->count] = true;
			continue;
		}
		if (tokens->count == TOKENS_MAX || len + (at - before) >= TOKEN_SIZE) {
			tokens->foreign = true;
			return;
		}
		memcpy(tokens->word[tokens->count] + len, text.data + before, at - before);
		if (point - 'A' < 26U)
			tokens->word[tokens->count][len] = (char)(point | 0x20);
		len += at - before;
	}
	end_token(tokens, &len);
}

/* "S T O P" */
static void join_letters(struct tokens *tokens)
{
	if (tokens->count < LETTERS_MIN)
		return;
	for (unsigned i = 0; i < tokens->count; i++)
		if (tokens->word[i][1])
			return;
	for (unsigned i = 1; i <= tokens->count; i++)
		tokens->word[0][i] = i < tokens->count ? tokens->word[i][0] : '\0';
	tokens->count = 1;
	tokens->classes[0] = classify(tokens->word[0]);
	tokens->strange = tokens->classes[0] ? 0 : 1;
}

/* ---- what they mean together ---- */

/* Each word is of one of these classes. */
static bool only(const struct tokens *tokens, uint64_t allowed)
{
	for (unsigned i = 0; i < tokens->count; i++) {
		if (!(tokens->classes[i] & allowed))
			return false;
	}
	return true;
}

/* The class of the word before i, over "mau" and "usah": "tidak mau berhenti" denies the stop. */
static uint64_t class_before(const struct tokens *tokens, unsigned i)
{
	while (i > 0 && tokens->classes[i - 1] & (WORDS_WANT | WORDS_USAH | WORDS_ME))
		i--;
	return i > 0 ? tokens->classes[i - 1] : 0;
}

static bool stop_is_denied(const struct tokens *tokens)
{
	for (unsigned i = 0; i < tokens->count; i++) {
		if (tokens->classes[i] & (STOPPING | WORDS_DELETE | WORDS_CANCEL) &&
		    class_before(tokens, i) & (WORDS_NEG | WORDS_PROHIBIT | WORDS_REFUSE))
			return true;
	}
	return false;
}

/* "tidak mau", but not "mau tidak", which asks. */
static bool does_not_want(const struct tokens *tokens)
{
	for (unsigned i = 1; i < tokens->count; i++) {
		if (tokens->classes[i] & WORDS_WANT && tokens->classes[i - 1] & WORDS_NEG)
			return true;
	}
	return tokens->have & WORDS_REFUSE;
}

static bool is_prohibition(uint64_t have)
{
	return have & WORDS_PROHIBIT || (have & WORDS_NEG && have & (WORDS_USAH | WORDS_DO)) ||
	       (have & WORDS_NO && have & WORDS_MORE);
}

/* "sudah berhenti" tells, "sudah berhenti saja" asks. */
static bool has_just(const struct tokens *tokens)
{
	static const char *const words[] = { "aja", "mawon", "saja", "wae" };

	for (unsigned i = 0; i < tokens->count; i++)
		for (size_t j = 0; j < ARRAY_LEN(words); j++)
			if (strcmp(tokens->word[i], words[j]) == 0)
				return true;
	return false;
}

/* STOP, BERHENTI SMS, saya mau keluar, SURVEI STOP. */
static bool is_plain_stop(const struct tokens *tokens)
{
	uint64_t allowed = AROUND | COMMON | TALK | STOPPING;

	if (tokens->have & (WORDS_STOP | WORDS_UNREG) || has_just(tokens))
		allowed |= WORDS_SUDAH | WORDS_CUKUP;
	if (tokens->classes[0] & STOPPING && tokens->new_clause[1])
		allowed |= REFUSAL; /* "berhenti, saya tidak ikut lagi" */
	if (!(tokens->have & STOPPING) || !only(tokens, allowed))
		return false;
	if (tokens->first & STOPPING)
		return true;
	if (tokens->first &
	    (WORDS_CHANNEL | WORDS_NUMBER)) /* "sms nya stop", "nomer ini di unreg" */
		return tokens->have & (WORDS_STOP | WORDS_UNREG);
	return tokens->count == 2 && tokens->classes[0] & WORDS_SERVICE &&
	       tokens->classes[1] & WORDS_STOP;
}

/* jangan sms saya lagi, ga mau disms, tidak mau ikut survei lagi. */
static bool is_refusal(const struct tokens *tokens)
{
	uint64_t have = tokens->have;
	bool of_messages = have & (WORDS_CHANNEL | WORDS_PEST);

	if (!only(tokens, AROUND | COMMON | TALK | STOPPING | REFUSAL))
		return false;
	if (is_prohibition(have))
		return of_messages || (have & (WORDS_SEND | COMMON) && have & WORDS_AGAIN);
	if (does_not_want(tokens))
		return of_messages || (have & (WORDS_JOIN | WORDS_SEND | COMMON) &&
				       have & (WORDS_AGAIN | WORDS_CUKUP));
	return false;
}

/* tidak mau ikut survei ini: stops, but where it is asked whether one wants to, it answers. */
static bool declines(const struct tokens *tokens)
{
	return only(tokens, AROUND | COMMON | TALK | REFUSAL) && does_not_want(tokens) &&
	       tokens->have & WORDS_JOIN && tokens->have & (COMMON | WORDS_THIS);
}

/* "jangan", "ga usah", "tidak mau", "do not" */
static bool is_no_to(const struct tokens *tokens, unsigned i)
{
	uint64_t next = i + 1 < tokens->count ? tokens->classes[i + 1] : 0;

	return tokens->classes[i] & (WORDS_PROHIBIT | WORDS_REFUSE) ||
	       (tokens->classes[i] & WORDS_NEG && next & (WORDS_USAH | WORDS_WANT)) ||
	       (tokens->classes[i] & WORDS_DO && next & WORDS_NEG);
}

/* What is forbidden are messages: "jangan kirim sms", "jangan ganggu". */
static bool forbids_messages(const struct tokens *tokens)
{
	for (unsigned i = 0; i < tokens->count; i++)
		for (unsigned j = i + 1; is_no_to(tokens, i) && j < tokens->count && j <= i + REACH;
		     j++)
			if (tokens->classes[j] & (WORDS_CHANNEL | WORDS_PEST))
				return true;
	return false;
}

/* "males jawab, stop" */
static bool ends_in_stop(const struct tokens *tokens)
{
	unsigned last = tokens->count - 1;

	while (last > 0 && tokens->classes[last] & WORDS_POLITE && !tokens->new_clause[last])
		last--;
	return last > 0 && tokens->classes[last] & WORDS_STOP && tokens->new_clause[last];
}

/* With a word or two about anything: "tolong jangan kirim sms undian lagi", "STOP, saya tidak kenal". */
static bool is_loose_stop(const struct tokens *tokens)
{
	const uint64_t own = WORDS_ME | WORDS_NUMBER | WORDS_CHANNEL;
	unsigned at = 0;

	if (tokens->count > LOOSE_TOKENS || tokens->strange > LOOSE_STRANGE)
		return false;
	while (at < tokens->count && tokens->classes[at] & WORDS_POLITE)
		at++;
	if (at + 1 < tokens->count && tokens->classes[at] & STOPPING &&
	    tokens->classes[at + 1] & WORDS_CHANNEL)
		return true; /* "stop sms dari pemkab" */
	for (unsigned i = 0; i < tokens->count; i++)
		if (!tokens->classes[i] && topic_is_subject(tokens->word[i]))
			return false;
	if (ends_in_stop(tokens))
		return true;
	if (forbids_messages(tokens))
		return tokens->have & (WORDS_AGAIN | WORDS_ME | WORDS_THIS);
	return at + 1 < tokens->count && tokens->classes[at] & WORDS_STOP &&
	       tokens->new_clause[at + 1] && tokens->have & own;
}

/* hapus nomor saya dari daftar, keluarkan saya. */
static bool is_removal(const struct tokens *tokens)
{
	uint64_t have = tokens->have;

	if (!(have & WORDS_DELETE) ||
	    !only(tokens, AROUND | WORDS_DELETE | WORDS_WANT | WORDS_SUDAH))
		return false;
	return have & WORDS_ME || (have & WORDS_NUMBER && have & (WORDS_LIST | WORDS_THIS));
}

/* UNREG, UNREG ALL, UNREG BOLA: whatever the keyword is. */
static bool is_unreg(const struct tokens *tokens)
{
	unsigned at = 0, others = 0;

	while (at < tokens->count && tokens->classes[at] & LEADING)
		at++;
	if (at == tokens->count || !(tokens->classes[at] & WORDS_UNREG))
		return false;
	for (unsigned i = at + 1; i < tokens->count; i++)
		others += !(tokens->classes[i] & WORDS_POLITE);
	return others <= UNREG_WORDS;
}

/* cara lapor gimana, carane piye, format lapornya. */
static bool asks_how(const struct tokens *tokens)
{
	const uint64_t allowed = AROUND | COMMON | TALK | STOPPING | WORDS_CARA | WORDS_HOW |
				 WORDS_VERB | WORDS_DO | WORDS_ASK | WORDS_WHAT;
	uint64_t have = tokens->have;

	if (!only(tokens, allowed))
		return false;
	if (have & WORDS_CARA)
		return true;
	if (have & WORDS_WHAT && have & WORDS_VERB && have & (WORDS_SERVICE | WORDS_CHANNEL))
		return true; /* "ketik apa buat lapor" */
	return have & WORDS_HOW && have & (WORDS_VERB | WORDS_SERVICE | WORDS_JOIN) &&
	       !(have & WORDS_LOOKUP);
}

/* ini nomor apa ya, maksudnya apa, iki sapa. */
static bool asks_what(const struct tokens *tokens)
{
	if (!only(tokens,
		  AROUND | WORDS_WHAT | WORDS_MEANS | WORDS_CHANNEL | WORDS_ASK | WORDS_SERVICE))
		return false;
	return tokens->have & WORDS_MEANS ||
	       (tokens->have & WORDS_WHAT && tokens->have & WORDS_THIS);
}

/* sms ini bayar tidak? balas sms gratis? */
static bool asks_cost(const struct tokens *tokens)
{
	uint64_t have = tokens->have;

	if (!(have & WORDS_COST) ||
	    (!(have & (WORDS_CHANNEL | WORDS_THIS | WORDS_VERB | WORDS_SEND)) &&
	     !(tokens->count == 2 && have & WORDS_ASK)))
		return false;
	if (!only(tokens, AROUND | WORDS_COST | WORDS_CHANNEL | WORDS_VERB | WORDS_SEND |
				  WORDS_ASK | WORDS_WHAT | WORDS_NEG))
		return false;
	return have & (WORDS_ASK | WORDS_WHAT | WORDS_NEG) || tokens->question;
}

/* BANTUAN, MENU UTAMA, BANTUAN LAPOR, INFO; not "bantuan beras", nor "minta bantuan". */
static bool is_plain_help(const struct tokens *tokens)
{
	if (tokens->classes[0] & (WORDS_WANT | WORDS_ME))
		return false;
	if (tokens->first & WORDS_HELP)
		return only(tokens, WORDS_HELP | WORDS_POLITE | WORDS_MAIN | WORDS_CARA | COMMON);
	return tokens->first & WORDS_INFO && only(tokens, WORDS_INFO | WORDS_POLITE);
}

static enum word judge(const struct tokens *tokens)
{
	const uint64_t of_cancel = WORDS_CANCEL | AROUND | COMMON | WORDS_WANT | WORDS_SUDAH;
	const uint64_t of_start = WORDS_START | WORDS_POLITE | WORDS_AGAIN | WORDS_ALL | WORDS_ME |
				  WORDS_WANT | WORDS_CHANNEL | WORDS_JOIN | WORDS_SEND;

	if (is_unreg(tokens))
		return WORD_STOP;
	if (tokens->have & (STOPPING | REFUSAL | WORDS_DELETE | WORDS_NO) &&
	    !stop_is_denied(tokens) &&
	    (is_plain_stop(tokens) || is_refusal(tokens) || is_removal(tokens)))
		return WORD_STOP;
	if (declines(tokens))
		return WORD_DECLINE;
	if (ends_in_stop(tokens))
		return WORD_STOP;
	if (tokens->first & WORDS_CANCEL && only(tokens, of_cancel))
		return WORD_CANCEL;
	if (tokens->first & WORDS_CANCEL && only(tokens, of_cancel | WORDS_CHANNEL))
		return WORD_STOP; /* "batal langganan" */
	if (tokens->first & WORDS_START && only(tokens, of_start))
		return WORD_START;
	if (is_plain_help(tokens) || asks_how(tokens) || asks_what(tokens) || asks_cost(tokens))
		return WORD_HELP;
	return WORD_NONE;
}

static bool is_pair(const struct tokens *tokens, unsigned i, const char *first, const char *second)
{
	return strcmp(tokens->word[i], first) == 0 && strcmp(tokens->word[i + 1], second) == 0;
}

static bool is_title(const char *word)
{
	static const char *const titles[] = { "bapak", "bpk", "bu", "ibu", "pak", "yth" };

	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (strcmp(titles[i], word) == 0)
			return true;
	return false;
}

/* Words that mean something else where they stand: "terima kasih" is thanks, though "terima" is to
 * receive; "help me" asks no more than "help"; "aja" is Javanese for "don't" at the start, and
 * Indonesian for "just" behind. */
static void mind_places(struct tokens *tokens)
{
	if (strcmp(tokens->word[0], "aja") == 0)
		tokens->classes[0] = WORDS_PROHIBIT;
	for (unsigned i = 0; i + 1 < tokens->count; i++) {
		if (is_pair(tokens, i, "terima", "kasih"))
			tokens->classes[i] = WORDS_POLITE;
		else if (is_pair(tokens, i, "help", "me"))
			tokens->classes[i + 1] = WORDS_POLITE;
		else if (is_pair(tokens, i, "un", "reg") || is_pair(tokens, i, "reg", "off"))
			tokens->classes[i] = tokens->classes[i + 1] = WORDS_UNREG;
		else if (!tokens->classes[i + 1] && is_title(tokens->word[i]) &&
			 topic_is_courtesy(tokens->word[i + 1], true))
			tokens->classes[i + 1] = WORDS_POLITE; /* "pak bupati" */
	}
	tokens->strange = 0;
	for (unsigned i = 0; i < tokens->count; i++)
		tokens->strange += !tokens->classes[i] && !(tokens->have & WORDS_UNREG);
}

/* A strange word becomes the one of ours that it is near to; false: there is none, or are more. */
static bool mend(struct tokens *tokens)
{
	char tidied[TOKEN_SIZE];

	if (tokens->strange == 0)
		return true;
	if (tokens->strange > 1 || tokens->count > NEAR_TOKENS)
		return false;
	for (unsigned i = 0; i < tokens->count; i++) {
		if (tokens->classes[i])
			continue;
		spell_tidy(tokens->word[i], 2, tidied);
		tokens->classes[i] = look_up_slip(tidied);
		return tokens->classes[i] != 0;
	}
	return false;
}

static void sum_up(struct tokens *tokens)
{
	tokens->have = 0;
	for (unsigned i = 0; i < tokens->count; i++) {
		tokens->have |= tokens->classes[i];
		if (!tokens->first && !(tokens->classes[i] & LEADING))
			tokens->first = tokens->classes[i];
	}
}

static enum word words_of(struct bytes text)
{
	struct tokens tokens;

	/* Not the words themselves: each is written before it is read. */
	tokens.count = tokens.strange = 0;
	tokens.have = tokens.first = 0;
	tokens.question = tokens.foreign = false;
	memset(tokens.new_clause, 0, sizeof(tokens.new_clause));
	split(text, &tokens);
	if (tokens.foreign)
		return WORD_NONE;
	if (tokens.count == 0)
		return tokens.question ? WORD_HELP : WORD_NONE;
	join_letters(&tokens);
	mind_places(&tokens);
	if (!mend(&tokens)) {
		sum_up(&tokens);
		return is_loose_stop(&tokens) ? WORD_STOP : WORD_NONE;
	}
	sum_up(&tokens);
	return judge(&tokens);
}

enum word words_whole(struct bytes text)
{
	struct arena arena = { 0 };
	enum word word;

	if (text.len > WHOLE_MAX)
		return WORD_NONE;
	for (size_t at = 0; at < text.len; at++) {
		if ((unsigned char)text.data[at] < 0x80)
			continue;
		word = words_of(utf8_fold(&arena, text));
		arena_free(&arena);
		return word;
	}
	return words_of(text);
}

/* ---- single words ---- */

bool words_is_own(const char *word)
{
	return look_up(word) != 0;
}

bool words_is_polite(const char *word)
{
	return look_up(word) & WORDS_POLITE;
}

bool words_may_lead(const char *word)
{
	static const char *const others[] = { "dear",  "hendak", "ijin", "izin",
					      "ketik", "kirim",  "pun",  "tulis" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(others[i], word) == 0)
			return true;
	return look_up(word) & (WORDS_POLITE | WORDS_ME | WORDS_WANT | WORDS_THIS);
}

/* ---- keyword and rest ---- */

static bool is_between(uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80)
		return point <= ' ' || point == 0x7f ||
		       strchr(".,:;#*/-_=!?\"')]}>", (int)point) != NULL;
	kind = utf8proc_category((utf8proc_int32_t)point);
	return kind >= UTF8PROC_CATEGORY_ZS ||
	       (kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO);
}

static bool is_blank(uint32_t point)
{
	return point == ' ' || (point >= '\t' && point <= '\r');
}

static bool is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* The folded word in upper case; some letters fold to a blank and a mark, of which the mark
 * stays. */
static char *upper(struct arena *arena, struct bytes word)
{
	struct bytes folded;
	char *out;
	size_t len = 0;

	if (is_ascii(word)) {
		out = arena_memdup(arena, word.data, word.len);
		for (; len < word.len; len++)
			out[len] = (char)toupper((unsigned char)out[len]);
		return out;
	}
	folded = utf8_fold(arena, word);
	out = arena_alloc(arena, folded.len * 3 + 1);

	for (size_t at = 0; at < folded.len;) {
		uint32_t point = utf8_next(folded, &at);

		if (is_part_of_word(point))
			len += (size_t)utf8proc_encode_char(
				utf8proc_toupper((utf8proc_int32_t)point),
				(utf8proc_uint8_t *)out + len);
	}
	return out;
}

/* Without the characters at the start that skip takes, and the blanks at the end. */
static struct bytes trim(struct bytes text, bool (*skip)(uint32_t point))
{
	size_t at = 0, start = 0;

	while (at < text.len && skip(utf8_next(text, &at)))
		start = at;
	text.data += start;
	text.len -= start;
	while (text.len > 0 && is_blank((unsigned char)text.data[text.len - 1]))
		text.len--;
	return text;
}

void words_split(struct arena *arena, struct bytes text, const char **keyword, struct bytes *rest)
{
	size_t start = 0, end, at = 0;

	if (!text.data)
		text = (struct bytes){ "", 0 };
	while (at < text.len && !is_part_of_word(utf8_next(text, &at)))
		start = at;
	for (end = at = start; at < text.len && is_part_of_word(utf8_next(text, &at));)
		end = at;
	*keyword = "";
	if (end - start <= KEYWORD_MAX)
		*keyword = upper(arena, (struct bytes){ text.data + start, end - start });
	if (!**keyword) {
		*rest = trim(text, is_blank);
		return;
	}
	*rest = trim((struct bytes){ text.data + end, text.len - end }, is_between);
}
