/* check_text.c - whether what a citizen is shown fits: a screen, a few SMS.
 *
 * A longer text is not lost, the gateway pages it; but one character of another alphabet can double what a conversation costs, so
 * it is named.
 */
#include <string.h>

#include "check_priv.h"
#include "gsm7.h"
#include "phrases.h"
#include "screen.h"
#include "utf8.h"

enum { USSD_CHARS = 182 };

static const char *phrase(struct explore *explore, enum phrase which)
{
	return phrase_text(&explore->arena, explore->citizen->language, which, NULL).data;
}

/* As turn_run.c and turn_show.c put it together. */
static struct bytes shown(struct explore *explore, const struct node *node)
{
	const struct request *request = &node->request;
	struct buf buf = { 0 };
	struct bytes out;

	buf_add(&buf, node->said.data, node->said.len);
	if (node->kind == NODE_QUESTION) {
		buf_addstr(&buf, buf.len > 0 ? "\n" : "");
		buf_add(&buf, request->prompt.data, request->prompt.len);
		if (request->kind == REQUEST_CONFIRM)
			buf_addf(&buf, "\n1 %s\n2 %s", phrase(explore, PHRASE_YES),
				 phrase(explore, PHRASE_NO));
		if (request->optional)
			buf_addf(&buf, "\n%s", phrase(explore, PHRASE_OPTIONAL));
	} else if (buf.len == 0) {
		buf_addstr(&buf, phrase(explore, PHRASE_DONE));
	}
	out = arena_bytes(&explore->arena, buf.data, buf.len);
	buf_free(&buf);
	return out;
}

/* The first character that is not in the GSM alphabet; its place in the text, or -1. */
static ssize_t first_foreign(struct bytes text, struct bytes *character, uint32_t *point)
{
	for (size_t at = 0; at < text.len;) {
		size_t start = at;

		*point = utf8_next(text, &at);
		*character = (struct bytes){ text.data + start, at - start };
		if (gsm7_size(*character, NULL, 0).coding == CODING_UCS2)
			return (ssize_t)start;
	}
	return -1;
}

/* The call that said what stands at a place of the text; behind all of that it is the question. */
static void place_at(const struct node *node, size_t at, struct run_place *place)
{
	for (unsigned i = 0; i < node->mark_count; i++)
		if (at < node->marks[i].end ||
		    (node->kind == NODE_END && i + 1 == node->mark_count)) {
			place->file = node->marks[i].file;
			place->line = node->marks[i].line;
			return;
		}
}

static const char *about_foreign(struct explore *explore, struct bytes text, ssize_t *at)
{
	struct arena *arena = &explore->arena;
	struct bytes character, instead;
	uint32_t point;
	char *about;

	*at = first_foreign(text, &character, &point);
	if (*at < 0)
		return "";
	character = arena_bytes(arena, character.data, character.len);
	instead = gsm7_smart(arena, character, true);
	about = arena_printf(arena,
			     "; \"%s\" (U+%04X) is not in the GSM alphabet and halves the room",
			     character.data, (unsigned)point);
	if (gsm7_size(instead, NULL, 0).coding == CODING_UCS2 || instead.len == 0)
		return about;
	instead = arena_bytes(arena, instead.data, instead.len);
	return arena_printf(arena, "%s: write \"%s\"", about, instead.data);
}

static void report(struct explore *explore, const struct node *node, struct bytes text,
		   enum finding_kind kind, unsigned count, const char *what)
{
	struct run_place place = node->place;
	ssize_t at;
	const char *foreign = about_foreign(explore, text, &at);

	place_at(node, at >= 0 ? (size_t)at : node->kind == NODE_END ? 0 : SIZE_MAX, &place);
	check_add(explore->check, kind,
		  check_path(&explore->arena, explore->plugin, place.file ? place.file : ""),
		  place.line, count, "%s%s", what, foreign);
}

void check_shown(struct explore *explore, struct node *node)
{
	struct bytes text = shown(explore, node);
	unsigned most = explore->check->settings->max_segments;
	struct screen_rule rule = { .chars = USSD_CHARS,
				    .more = phrase(explore, PHRASE_MORE_USSD),
				    .back = phrase(explore, PHRASE_BACK_USSD) };
	struct arena *arena = &explore->arena;
	unsigned pages;

	if (explore->channel == CHANNEL_USSD) {
		pages = screen_count(text, &rule);
		if (pages > 1)
			report(explore, node, text, FOUND_SCREENS, pages,
			       arena_printf(arena, "the text takes %u screens", pages));
		return;
	}
	text = gsm7_smart(arena, text, false);
	node->segments = gsm7_size(text, NULL, 0).segments;
	if (node->segments > most)
		report(explore, node, text, FOUND_SEGMENTS, node->segments,
		       arena_printf(arena, "the text takes %u SMS segments, more than %u",
				    node->segments, most));
}
