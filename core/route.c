/* route.c - whose message is it.
 *
 * The readings of a text are rows of a table, tried in order; the first that fits decides.  A question that takes any
 * words at all has a shorter table: there only what is certain to be for somebody else is not the answer.
 */
#include "route.h"

#include <ctype.h>
#include <string.h>

#include "keywords.h"
#include "plugin.h"
#include "spell.h"
#include "topic.h"
#include "utf8.h"
#include "words.h"

enum {
	LEADING_MAX = 12,  /* words before a keyword */
	WORD_BYTES = 64,   /* of a word */
	INFLECTED_MIN = 4, /* letters of a keyword that may have a beginning such as ber- */
	REST_TRIMMED = 48, /* bytes of what follows a keyword that may be courtesy alone */
	SENTENCE_MIN = 4,  /* words behind a keyword that make a sentence of it */
};

struct reading {
	struct arena *arena;
	const struct route_view *view;
	struct bytes text;
	enum word word;
	enum way way;
	bool has_word;       /* a keyword stands at the start */
	bool greeted;        /* a greeting stands before it */
	bool in_sentence;    /* behind "saya mau": it may be any word of a sentence */
	const char *keyword; /* it, in upper case, or "" */
	const char *folded;  /* the first word that may be one, in lower case */
	const struct keyword *found;
	struct bytes rest;
	enum answer_fit fit; /* of the whole text, once it was read as an answer */
	struct answer answer;
	struct route *out;
};

/* ---- the keyword at the start ---- */

static const char *lower(struct arena *arena, const char *word)
{
	char *copy = arena_strdup(arena, word);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static void take(struct reading *reading, const struct keyword *found, struct bytes rest)
{
	reading->found = found;
	reading->keyword = found->word;
	reading->out->to = found->plugin;
	reading->out->dialog = found->dialog;
	reading->has_word = true;
	reading->rest = rest;
}

static const char *next_word(struct reading *reading, struct bytes text, struct bytes *rest)
{
	const char *word;

	words_split(reading->arena, text, &word, rest);
	return lower(reading->arena, word);
}

static bool is_title(const char *word)
{
	static const char *const titles[] = { "admin", "bapak", "bpk", "bu",  "ibu", "kak", "mas",
					      "mbak",  "min",   "om",  "pak", "yth", NULL };
	unsigned i = 0;

	while (titles[i] && strcmp(word, titles[i]) != 0)
		i++;
	return titles[i];
}

/* "ya", "ya pak", "dong": asks to listen, and is nothing that is said. */
static struct bytes skip_call(struct reading *reading, struct bytes text)
{
	static const char *const calls[] = { "dong", "donk", "nih", "ya", "yaa" };
	struct bytes rest, behind;
	const char *word = next_word(reading, text, &rest);
	bool called = false;

	for (unsigned i = 0; i < ARRAY_LEN(calls); i++)
		called |= strcmp(word, calls[i]) == 0;
	if (!called)
		return text;
	word = next_word(reading, rest, &behind);
	return is_title(word) ? behind : rest;
}

/* Nothing but courtesy, and other names of the dialog: "pak", "ya bu", "daftar" behind IKUT. */
static bool is_empty(struct reading *reading, struct bytes text)
{
	bool title = false;

	while (text.len > 0 && text.len <= REST_TRIMMED) {
		struct bytes rest;
		const char *word = next_word(reading, text, &rest);
		const struct keyword *other = keywords_find(reading->view->plugins, word);

		if (!word[0] ||
		    (!words_is_polite(word) && !(title && topic_is_courtesy(word, true)) &&
		     !(other && keywords_same_dialog(other, reading->found))))
			return false;
		title = is_title(word);
		text = rest;
	}
	return text.len == 0;
}

/* "PILIH ya": a lone yes may be what the service wants to know. */
static bool is_yes(struct reading *reading, struct bytes text)
{
	static const char *const words[] = { "iya", "inggih", "injih", "iyo", "nggih", "ok",
					     "oke", "siap",   "y",     "ya",  "yes",   "yo" };
	struct bytes rest;
	const char *word = next_word(reading, text, &rest);

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return rest.len == 0;
	return false;
}

/* The words behind a keyword, as they are meant. */
static void trim_rest(struct reading *reading)
{
	struct bytes rest;

	if (strcmp(next_word(reading, reading->rest, &rest), "spasi") == 0)
		reading->rest = rest; /* printed guides say LAPOR<spasi>... */
	if (is_yes(reading, reading->rest))
		return;
	reading->rest = skip_call(reading, reading->rest);
	if (is_empty(reading, reading->rest))
		reading->rest = (struct bytes){ "", 0 };
}

static bool is_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* What may be glued to a keyword: "LAPORjalan", "INFOKTP", "CEK1042", "infoharga". */
static bool may_be_glued(const struct reading *reading, const char *first, const char *glued)
{
	return (isupper((unsigned char)first[-1]) && islower((unsigned char)first[0])) ||
	       is_digits(glued) || topic_is_subject(glued) ||
	       keywords_find(reading->view->plugins, glued);
}

static bool find_glued(struct reading *reading, struct bytes text)
{
	const struct keyword *found = keywords_begin(reading->view->plugins, reading->folded);
	const char *start = text.data;

	if (!found)
		return false;
	while (start < text.data + text.len && !isalnum((unsigned char)*start))
		start++;
	start += found->len;
	if (start >= text.data + text.len ||
	    !may_be_glued(reading, start, reading->folded + found->len))
		return false;
	take(reading, found, (struct bytes){ start, (size_t)(text.data + text.len - start) });
	return true;
}

/* A keyword of its own behind one that may stand before any: "BJN LAPOR". */
static void skip_prefix(struct reading *reading)
{
	struct bytes rest;
	const struct keyword *behind;

	if (!reading->found->prefix)
		return;
	behind = keywords_find(reading->view->plugins, next_word(reading, reading->rest, &rest));
	if (behind)
		take(reading, behind, rest);
}

/* "saya mau melapor", "ingin bergabung" */
static const struct keyword *find_inflected(struct reading *reading)
{
	static const char *const beginnings[] = { "ber",  "me", "mem", "men",
						  "meng", "ng", "nge", "n" };

	for (unsigned i = 0; reading->in_sentence && i < ARRAY_LEN(beginnings); i++) {
		size_t len = strlen(beginnings[i]);
		const struct keyword *found = NULL;

		if (strncmp(reading->folded, beginnings[i], len) == 0)
			found = keywords_find(reading->view->plugins, reading->folded + len);
		if (found && found->len >= INFLECTED_MIN)
			return found;
	}
	return NULL;
}

/* "matur nuwun" is thanks, though MATUR is a keyword. */
static bool is_thanks(struct reading *reading, struct bytes rest)
{
	struct bytes behind;

	return topic_is_courtesy(reading->folded, false) && rest.len > 0 &&
	       topic_is_greeting_word(next_word(reading, rest, &behind));
}

/* "LAPOR RAHASIA": a keyword of two words. */
static void take_second(struct reading *reading)
{
	struct bytes rest;
	const struct keyword *both;

	if (!keywords_have_pairs(reading->view->plugins))
		return;
	both = keywords_find(reading->view->plugins,
			     arena_printf(reading->arena, "%s %s", reading->found->folded,
					  next_word(reading, reading->rest, &rest)));
	if (both)
		take(reading, both, rest);
}

/* "Yth. Bpk Bupati": an office behind a title leads too. */
static bool may_lead(struct reading *reading, const char *word, bool behind_title)
{
	if (topic_is_greeting_word(word)) {
		reading->greeted = true;
		return true;
	}
	if (words_is_polite(word) ||
	    ((reading->greeted || behind_title) && topic_is_courtesy(word, behind_title)))
		return true;
	reading->in_sentence |= words_may_lead(word);
	return words_may_lead(word);
}

/* The first word that isn't a greeting, a title, "saya mau"..., and what follows. */
static void split(struct reading *reading)
{
	struct bytes text = reading->text;
	bool alone = false, title = false;

	for (unsigned i = 0; i <= LEADING_MAX; i++) {
		struct bytes rest;
		const struct keyword *found;

		reading->folded = next_word(reading, text, &rest);
		reading->rest = rest;
		found = keywords_find(reading->view->plugins, reading->folded);
		if (!found)
			found = find_inflected(reading);
		else if (is_thanks(reading, rest))
			found = NULL;
		if (found)
			take(reading, found, rest);
		if (found || find_glued(reading, text)) {
			alone = i == 0 && reading->rest.len == 0;
			skip_prefix(reading);
			take_second(reading);
			trim_rest(reading);
			break;
		}
		if (rest.len == 0 || !reading->folded[0] ||
		    !may_lead(reading, reading->folded, title))
			break;
		title = is_title(reading->folded);
		text = rest;
	}
	/* "matur nuwun" is thanks, though MATUR may be a keyword */
	if (reading->has_word && !alone && topic_is_greeting(reading->arena, reading->text))
		reading->has_word = false;
}

static unsigned count_words(struct reading *reading, struct bytes text)
{
	unsigned count = 0;
	struct bytes rest;

	while (count < SENTENCE_MIN && next_word(reading, text, &rest)[0]) {
		count++;
		text = rest;
	}
	return count;
}

/* ---- the rows: each says whether the text is this, and fills in out ---- */

static bool is(struct reading *reading, enum route_kind kind)
{
	reading->out->kind = kind;
	return true;
}

/* The one service that "UNREG BANJIR", "BANTUAN LAPOR" is about. */
static void name_service(struct reading *reading)
{
	struct bytes behind, rest;
	const char *first = next_word(reading, reading->text, &behind);
	const char *word = next_word(reading, behind, &rest);
	bool any = strncmp(first, "unreg", 5) == 0 && !words_is_own(word);

	if (words_whole((struct bytes){ first, strlen(first) }) != reading->word || !word[0] ||
	    rest.len > 0 || (!any && !keywords_find(reading->view->plugins, word)))
		return;
	while (behind.len > 0 && !isalnum((unsigned char)behind.data[behind.len - 1]))
		behind.len--;
	reading->out->rest = behind;
}

/* A word of the gateway's own; where a service has it as its keyword, it is the service's, but for STOP. */
static bool read_own_word(struct reading *reading)
{
	/* "INFO" is the service's, "lapor kemana ya" asks how */
	bool ours = !reading->has_word || (!reading->view->request && reading->rest.len > 0);

	if (reading->word == WORD_STOP || reading->word == WORD_HELP)
		name_service(reading);
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

/* "tidak mau ikut survei": below an answer. */
static bool read_decline(struct reading *reading)
{
	const struct request *request = reading->view->request;
	bool asked = request && request->kind != REQUEST_MORE && request->answer == ANSWER_YES_NO;

	return reading->word == WORD_DECLINE && !asked && is(reading, ROUTE_STOP);
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
	reading->fit = fit(reading, reading->text);
	reading->answer = reading->out->answer;
	return reading->fit == ANSWER_FITS && is(reading, ROUTE_ANSWER);
}

/* Below read_answer. */
static bool read_near_answer(struct reading *reading)
{
	reading->out->answer = reading->answer;
	return reading->fit == ANSWER_NEAR && is(reading, ROUTE_ANSWER);
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

	return reading->way != WAY_NONE && reading->way != WAY_LANGUAGE_WEAK &&
	       is(reading, kinds[reading->way]);
}

/* The name of a language alone, where nothing else is meant by it. */
static bool read_language(struct reading *reading)
{
	bool language = reading->way == WAY_LANGUAGE || reading->way == WAY_LANGUAGE_WEAK;

	return language && is(reading, ROUTE_LANGUAGE);
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

/* A text without a keyword goes to the service that takes what it is about, with all its words. */
static bool begin_topic(struct reading *reading, enum topic topic)
{
	struct route *out = reading->out;

	out->to = plugins_topic(reading->view->plugins, topic, &out->dialog);
	out->keyword = "";
	out->rest = reading->text;
	return out->to && is(reading, ROUTE_KEYWORD);
}

/* "info jam buka di papan salah, sudah datang jauh ternyata tutup", "aduan saya kemarin belum ada tanggapan": the keyword is only
 * the first word of a sentence, which says plainly what it is about. */
static bool read_sentence(struct reading *reading)
{
	const struct plugin_set *plugins = reading->view->plugins;
	const char *question = NULL, *problem = NULL;
	bool to_question, to_problem, sure;
	enum topic topic;

	if (!reading->has_word || count_words(reading, reading->rest) < SENTENCE_MIN)
		return false;
	to_question = plugins_topic(plugins, TOPIC_QUESTION, &question) == reading->out->to &&
		      strcmp(question, reading->out->dialog) == 0;
	to_problem = plugins_topic(plugins, TOPIC_PROBLEM, &problem) == reading->out->to &&
		     strcmp(problem, reading->out->dialog) == 0;
	if (!to_question && !to_problem && !reading->in_sentence)
		return false;
	topic = topic_of(reading->arena, reading->text, &sure);
	if (!sure || (topic == TOPIC_PROBLEM && to_problem))
		return false;
	return (topic == TOPIC_PROBLEM || topic == TOPIC_STATUS) && begin_topic(reading, topic);
}

static bool read_keyword(struct reading *reading)
{
	if (!reading->has_word)
		return false;
	if (read_sentence(reading))
		return true;
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
	if (!reading->has_word || reading->in_sentence ||
	    (is_front(reading) && reading->rest.len > 0))
		return false;
	return read_keyword(reading);
}

/* The same, and where it begins a sentence of several words that takes it for a noun, that is the answer: "info di papan kurang
 * jelas". */
static bool read_keyword_in_words(struct reading *reading)
{
	const char *question = NULL;

	if (reading->has_word && count_words(reading, reading->rest) == SENTENCE_MIN &&
	    islower((unsigned char)reading->text.data[0]) &&
	    plugins_topic(reading->view->plugins, TOPIC_QUESTION, &question) == reading->out->to &&
	    strcmp(question, reading->out->dialog) == 0)
		return false;
	return read_keyword_of_others(reading);
}

/* The one keyword that the first word is nearest to; where two are as near it is asked which. */
static bool read_near_keyword(struct reading *reading)
{
	const struct keyword *near, *second;
	char tidied[WORD_BYTES + 1];

	if (reading->has_word || strlen(reading->folded) > WORD_BYTES ||
	    topic_is_word(reading->folded) || words_is_own(reading->folded))
		return false;
	spell_tidy(reading->folded, 2, tidied);
	near = keywords_near(reading->view->plugins, tidied, &second);
	if (near && second && !reading->view->request) {
		reading->out->keyword = near->word;
		reading->out->other = second->word;
		return is(reading, ROUTE_WHICH);
	}
	if (!near || second)
		return false;
	take(reading, near, reading->rest);
	take_second(reading);
	trim_rest(reading);
	return read_keyword(reading);
}

static bool read_greeting(struct reading *reading)
{
	return !reading->has_word && topic_is_greeting(reading->arena, reading->text) &&
	       is(reading, ROUTE_GREETING);
}

static bool read_topic(struct reading *reading)
{
	bool sure;
	enum topic topic = topic_of(reading->arena, reading->text, &sure);

	if (topic == TOPIC_HELP)
		return is(reading, ROUTE_HELP);
	return topic < TOPICS && begin_topic(reading, topic);
}

/* In a dialog only a question about the service itself. */
static bool read_help(struct reading *reading)
{
	bool sure;

	return topic_of(reading->arena, reading->text, &sure) == TOPIC_HELP &&
	       is(reading, ROUTE_HELP);
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
	read_own_word,         read_page_word, read_way,   read_page_key, read_back_key,
	read_keyword_in_words, read_answer,    read_again, NULL,
};
static read_row *const in_question[] = {
	read_own_word,
	read_page_word,
	read_way,
	read_answer,
	read_decline,
	read_page_key,
	read_back_key,
	read_answer_behind_keyword,
	read_keyword_of_others,
	read_near_answer,
	read_keyword,
	read_language,
	read_near_keyword,
	read_greeting,
	read_help,
	read_again,
	NULL,
};
/* Pages are left of a dialog that is over; or there is none. */
static read_row *const in_pages[] = {
	read_own_word, read_decline, read_page_word, read_page_key,     read_greeting,
	read_keyword,  read_start,   read_language,  read_near_keyword, read_number,
	read_topic,    read_unknown, NULL,
};
static read_row *const outside[] = {
	read_own_word,     read_decline, read_greeting, read_keyword, read_start, read_language,
	read_near_keyword, read_number,  read_topic,    read_unknown, NULL,
};

void route_text(struct arena *arena, const struct route_view *view, struct bytes text,
		struct route *out)
{
	struct reading reading = { .arena = arena,
				   .view = view,
				   .text = text,
				   .keyword = "",
				   .folded = "",
				   .rest = { "", 0 },
				   .out = out };
	read_row *const *rows = outside;

	*out = (struct route){ .keyword = "", .other = "", .rest = { "", 0 } };
	reading.word = words_whole(text);
	reading.way = words_way(arena, text, &out->language);
	split(&reading);
	if (view->request && view->request->kind == REQUEST_MORE)
		rows = in_pages;
	else if (view->request)
		rows = view->request->answer == ANSWER_TEXT ? in_free_text : in_question;
	while (!(*rows)(&reading))
		rows++;
}
