/* route.c - whose message is it.
 *
 * The readings of a text are rows of a table, tried in order; the first that fits decides.  A question that takes any
 * words at all has a shorter table: there only what is certain to be for somebody else is not the answer.
 */
#include "route.h"

#include <ctype.h>
#include <string.h>

#include "plugin.h"
#include "utf8.h"
#include "words.h"

enum { LEADING_MAX = 4, WORD_BYTES = 64, GLUED_MIN = 4 };

struct reading {
	struct arena *arena;
	const struct route_view *view;
	struct bytes text;
	enum word word;
	bool has_word;       /* a keyword stands at the start */
	const char *keyword; /* it, in upper case, or "" */
	struct bytes rest;
	struct route *out;
};

/* Words that people write before the keyword: greetings, titles, and what printed guides say ("ketik", "<spasi>"). */
static const char *const leading[] = {
	"ASS",     "ASSALAMUALAIKUM",
	"BAPAK",   "BJN",
	"BU",      "DEAR",
	"HALO",    "HAI",
	"HELLO",   "IBU",
	"KETIK",   "MALAM",
	"MAS",     "MBAK",
	"MIN",     "ADMIN",
	"MOHON",   "NUWUN",
	"PAGI",    "PAK",
	"SELAMAT", "SIANG",
	"SORE",    "SPASI",
	"TOLONG",  "YTH",
	NULL,
};

static bool is_leading(const char *word)
{
	for (const char *const *one = leading; *one; one++)
		if (strcmp(*one, word) == 0)
			return true;
	return false;
}

static void find(struct reading *reading, const char *keyword)
{
	struct route *out = reading->out;

	out->to = plugins_keyword(reading->view->plugins, keyword, &out->dialog);
}

/* "LAPORjalan": a keyword in capitals, and the rest glued to it in small letters. */
static bool find_glued(struct reading *reading, struct bytes text)
{
	char word[WORD_BYTES];
	size_t len = 0;

	while (len < text.len && len < sizeof(word) - 1 && isupper((unsigned char)text.data[len]))
		len++;
	if (len < GLUED_MIN || len >= text.len || !islower((unsigned char)text.data[len]))
		return false;
	memcpy(word, text.data, len);
	word[len] = '\0';
	find(reading, word);
	if (!reading->out->to)
		return false;
	reading->keyword = arena_strdup(reading->arena, word);
	reading->rest = (struct bytes){ text.data + len, text.len - len };
	return true;
}

static struct bytes skip_word(struct arena *arena, struct bytes text, const char *word)
{
	const char *first;
	struct bytes rest;

	words_split(arena, text, &first, &rest);
	return strcmp(first, word) == 0 ? rest : text;
}

/* The first word that isn't a greeting, and what follows. */
static void split(struct reading *reading)
{
	struct bytes text = reading->text;

	for (unsigned i = 0; i <= LEADING_MAX; i++) {
		words_split(reading->arena, text, &reading->keyword, &reading->rest);
		find(reading, reading->keyword);
		if (reading->out->to || find_glued(reading, text)) {
			reading->has_word = true;
			reading->rest = skip_word(reading->arena, reading->rest, "SPASI");
			return;
		}
		if (!is_leading(reading->keyword) || reading->rest.len == 0)
			return;
		text = reading->rest;
	}
}

/* ---- the rows: each says whether the text is this, and fills in out ---- */

static bool is(struct reading *reading, enum route_kind kind)
{
	reading->out->kind = kind;
	return true;
}

/* A word of the gateway's own; where a service has it as its keyword, it is the service's, but for STOP. */
static bool read_own_word(struct reading *reading)
{
	bool ours = !reading->has_word || reading->word == WORD_STOP;

	if (reading->word == WORD_STOP)
		return is(reading, ROUTE_STOP);
	if (reading->word == WORD_START && reading->view->stopped)
		return is(reading, ROUTE_START);
	if (reading->word == WORD_HELP && ours)
		return is(reading, ROUTE_HELP);
	if (reading->word == WORD_CANCEL && ours)
		return is(reading, ROUTE_CANCEL);
	return false;
}

static bool read_start(struct reading *reading)
{
	return reading->word == WORD_START && !reading->has_word && is(reading, ROUTE_STARTED);
}

static enum answer_fit fit(struct reading *reading, struct bytes text)
{
	const struct request *request = reading->view->request;
	struct question question = { .kind = request->answer,
				     .optional = request->optional,
				     .min = request->min,
				     .max = request->max,
				     .options = request->options,
				     .option_count = request->option_count,
				     .today = reading->view->today,
				     .country = reading->view->country };

	if (request->kind == REQUEST_MORE)
		return ANSWER_NONE;
	return answer_read(reading->arena, &question, text, &reading->out->answer);
}

static bool read_answer(struct reading *reading)
{
	return fit(reading, reading->text) == ANSWER_FITS && is(reading, ROUTE_ANSWER);
}

static bool read_near_answer(struct reading *reading)
{
	return fit(reading, reading->text) == ANSWER_NEAR && is(reading, ROUTE_ANSWER);
}

static bool page_by(struct reading *reading, bool more, bool back)
{
	const struct route_view *view = reading->view;

	if (more && view->request->page + 1 < view->pages)
		return is(reading, ROUTE_MORE);
	return back && view->request->page > 0 && is(reading, ROUTE_BACK);
}

/* The question before or again, or another language; on a screen "kembali" goes back a page first. */
static bool read_way(struct reading *reading)
{
	static const enum route_kind kinds[] = { [WAY_BACK] = ROUTE_UNDO,
						 [WAY_REPEAT] = ROUTE_REPEAT,
						 [WAY_LANGUAGE] = ROUTE_LANGUAGE };
	enum way way = words_way(reading->arena, reading->text, &reading->out->language);

	return way != WAY_NONE && way != WAY_LANGUAGE_WEAK && is(reading, kinds[way]);
}

/* The name of a language alone, where nothing else is meant by it. */
static bool read_language(struct reading *reading)
{
	enum way way = words_way(reading->arena, reading->text, &reading->out->language);

	return (way == WAY_LANGUAGE || way == WAY_LANGUAGE_WEAK) && is(reading, ROUTE_LANGUAGE);
}

/* 0 on a screen, where it is no answer and there is no page before. */
static bool read_back_key(struct reading *reading)
{
	struct bytes text = utf8_fold(reading->arena, reading->text);

	return reading->view->channel == CHANNEL_USSD && strcmp(text.data, "0") == 0 &&
	       is(reading, ROUTE_UNDO);
}

/* LANJUT, where something is left to be read: above an answer, because it also passes a question over. */
static bool read_page_word(struct reading *reading)
{
	const char *text = utf8_fold(reading->arena, reading->text).data;
	bool ussd = reading->view->channel == CHANNEL_USSD;

	return page_by(reading,
		       strcmp(text, "lanjut") == 0 || strcmp(text, "next") == 0 ||
			       strcmp(text, "more") == 0,
		       ussd && (strcmp(text, "kembali") == 0 || strcmp(text, "back") == 0));
}

/* 98 and 0 on a screen: below an answer, because a key that is one is the answer. */
static bool read_page_key(struct reading *reading)
{
	const char *text = utf8_fold(reading->arena, reading->text).data;
	bool ussd = reading->view->channel == CHANNEL_USSD;

	return page_by(reading, ussd && strcmp(text, "98") == 0, ussd && strcmp(text, "0") == 0);
}

static bool is_front(const struct reading *reading)
{
	const struct route_view *view = reading->view;

	return view->plugin && strcmp(view->plugin, reading->out->to->name) == 0 &&
	       strcmp(view->dialog, reading->out->dialog) == 0;
}

static bool read_keyword(struct reading *reading)
{
	if (!reading->has_word)
		return false;
	reading->out->keyword = reading->keyword;
	reading->out->rest = reading->rest;
	return is(reading, is_front(reading) ? ROUTE_SAME : ROUTE_KEYWORD);
}

/* "SURVEI 1": people write the keyword before everything. */
static bool read_answer_behind_keyword(struct reading *reading)
{
	return reading->has_word && reading->rest.len > 0 && is_front(reading) &&
	       fit(reading, reading->rest) == ANSWER_FITS && is(reading, ROUTE_ANSWER);
}

/* In words that may say anything, the open dialog's own keyword counts where it stands alone. */
static bool read_keyword_of_others(struct reading *reading)
{
	if (reading->has_word && is_front(reading) && reading->rest.len > 0)
		return false;
	return read_keyword(reading);
}

static const char *lower(struct arena *arena, const char *word)
{
	char *copy = arena_strdup(arena, word);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* The one keyword that the first word is nearest to. */
static bool read_near_keyword(struct reading *reading)
{
	const struct plugin_set *set = reading->view->plugins;
	const char *word = lower(reading->arena, reading->keyword), *best = NULL;
	const char *dialog = NULL;
	unsigned least = UINT32_MAX, plugin = 0;
	bool two = false;

	for (unsigned p = 0; word[0] && p < set->count; p++)
		for (unsigned k = 0; !set->plugins[p].error && k < set->plugins[p].keyword_count;
		     k++) {
			const char *keyword = set->plugins[p].keywords[k].keyword;
			unsigned slips = answer_slips(word, lower(reading->arena, keyword));

			if (slips > least || slips == UINT32_MAX)
				continue;
			if (slips < least)
				two = false;
			else if (dialog &&
				 strcmp(dialog, set->plugins[p].keywords[k].dialog) == 0 &&
				 plugin == p)
				continue; /* another name of the same */
			else
				two = true;
			least = slips;
			best = keyword;
			dialog = set->plugins[p].keywords[k].dialog;
			plugin = p;
		}
	if (!best || two)
		return false;
	reading->keyword = best;
	reading->has_word = true;
	find(reading, best);
	return read_keyword(reading);
}

static bool read_again(struct reading *reading)
{
	return is(reading, ROUTE_AGAIN);
}

static bool read_number(struct reading *reading)
{
	struct bytes text = utf8_fold(reading->arena, reading->text);

	return strspn(text.data, "0123456789.,()# ") == text.len && is(reading, ROUTE_HELP);
}

static bool read_unknown(struct reading *reading)
{
	return is(reading, ROUTE_UNKNOWN);
}

typedef bool read_row(struct reading *reading);

static read_row *const in_free_text[] = {
	read_own_word,          read_page_word, read_way,   read_page_key, read_back_key,
	read_keyword_of_others, read_answer,    read_again, NULL,
};
static read_row *const in_question[] = {
	read_own_word,
	read_page_word,
	read_way,
	read_answer,
	read_page_key,
	read_back_key,
	read_answer_behind_keyword,
	read_keyword_of_others,
	read_near_answer,
	read_keyword,
	read_language,
	read_near_keyword,
	read_again,
	NULL,
};
/* Pages are left of a dialog that is over; or there is none. */
static read_row *const in_pages[] = {
	read_own_word, read_page_word,    read_page_key, read_keyword, read_start,
	read_language, read_near_keyword, read_number,   read_unknown, NULL,
};
static read_row *const outside[] = {
	read_own_word,     read_keyword, read_start,   read_language,
	read_near_keyword, read_number,  read_unknown, NULL,
};

void route_text(struct arena *arena, const struct route_view *view, struct bytes text,
		struct route *out)
{
	struct reading reading = { .arena = arena,
				   .view = view,
				   .text = text,
				   .keyword = "",
				   .rest = { "", 0 },
				   .out = out };
	read_row *const *rows = outside;

	*out = (struct route){ .keyword = "", .rest = { "", 0 } };
	reading.word = words_whole(text);
	split(&reading);
	if (view->request && view->request->kind == REQUEST_MORE)
		rows = in_pages;
	else if (view->request)
		rows = view->request->answer == ANSWER_TEXT ? in_free_text : in_question;
	while (!(*rows)(&reading))
		rows++;
}
