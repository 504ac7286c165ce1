/* turn_show.c - what the citizen is shown when the turn is over: a message, or a screen.
 *
 * One turn shows one text.  By SMS it is a message, and pages follow when she asks for them; in a USSD session it is a screen. The
 * last text of a dialog that doesn't fit keeps the dialog open, with nothing left to run, until its pages were seen.
 */
#include <ctype.h>
#include <string.h>

#include "telco.h"
#include "turn.h"

enum { USSD_CHARS = 182, KEYWORDS_ROOM = 60 };

enum channel turn_channel(const struct turn *turn)
{
	return turn->late ? CHANNEL_SMS : turn->msg.channel;
}

const char *turn_language(const struct turn *turn)
{
	const struct citizen_data *data = citizen_data(turn->citizen);

	return data && data->profile.language[0] ? data->profile.language
						 : turn->inbox->parts.settings->language;
}

struct telco_connection *turn_connection(const struct turn *turn)
{
	struct telco *telco = turn->inbox->parts.telco;

	return telco ? telco_find(telco, turn->msg.connection) : NULL;
}

/* One that names no list of keywords: that is gathered only for what is said. */
static struct bytes phrase(struct turn *turn, enum phrase which, const char *keyword)
{
	struct phrase_holes holes = { .office = turn->inbox->parts.settings->office,
				      .keyword = keyword };

	return phrase_text(&turn->arena, turn_language(turn), which, &holes);
}

void turn_say(struct turn *turn, enum phrase which, const char *keyword)
{
	const struct inbox_parts *parts = &turn->inbox->parts;
	struct phrase_holes holes = { .office = parts->settings->office,
				      .keywords = plugins_keywords(parts->plugins, &turn->arena,
								   KEYWORDS_ROOM),
				      .keyword = keyword };
	struct bytes text = phrase_text(&turn->arena, turn_language(turn), which, &holes);

	if (turn->text.len > 0)
		buf_add(&turn->text, "\n", 1);
	buf_add(&turn->text, text.data, text.len);
}

const char *turn_keyword(struct turn *turn, const char *plugin, const char *dialog)
{
	const char *keyword = plugin_keyword_of(turn->inbox->parts.plugins, plugin, dialog);
	char *name;

	if (keyword)
		return keyword;
	name = arena_strdup(&turn->arena, plugin);
	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return name;
}

/* ---- pages ---- */

/* Whether a key that pages is also an answer to the question: then the screen names words for it. */
static bool keys_are_answers(const struct request *request)
{
	if (request && request->kind == REQUEST_CHOOSE)
		return request->option_count >= 98;
	return request && request->kind == REQUEST_ASK &&
	       (request->answer == ANSWER_INTEGER || request->answer == ANSWER_DECIMAL) &&
	       (request->optional || (request->min <= 0 && request->max >= 0) ||
		(request->min <= 98 && request->max >= 98));
}

static struct screen_rule rule_of(struct turn *turn, const struct request *request)
{
	const struct telco_connection *connection = turn_connection(turn);
	struct screen_rule rule = { .back = "" };
	bool words = keys_are_answers(request);

	if (turn_channel(turn) == CHANNEL_SMS) {
		rule.segments = turn->inbox->parts.settings->max_segments;
		rule.more = phrase(turn, PHRASE_MORE_SMS, NULL).data;
		return rule;
	}
	rule.chars = connection && telco_limits(connection)->ussd_chars
			     ? telco_limits(connection)->ussd_chars
			     : USSD_CHARS;
	rule.more = words ? "LANJUT" : phrase(turn, PHRASE_MORE_USSD, NULL).data;
	rule.back = words ? "KEMBALI" : phrase(turn, PHRASE_BACK_USSD, NULL).data;
	return rule;
}

unsigned turn_pages(struct turn *turn, struct bytes text)
{
	struct screen_rule rule = rule_of(turn, NULL);

	return screen_count(text, &rule);
}

struct bytes turn_page(struct turn *turn, struct bytes text, unsigned page,
		       const struct request *request)
{
	struct screen_rule rule = rule_of(turn, request);

	return screen_page(&turn->arena, text, page, &rule);
}

/* ---- handing out ---- */

/* The number that an SMS comes from: where she wrote to, or after a USSD session the first that isn't a code. */
static const char *sms_number(const struct turn *turn)
{
	const struct telco_connection *connection = turn_connection(turn);
	const char *const *numbers = connection ? telco_config(connection)->numbers : NULL;

	if (turn->msg.channel == CHANNEL_SMS &&
	    (!connection || telco_is_our_number(connection, turn->msg.to)))
		return turn->msg.to;
	for (; numbers && *numbers; numbers++)
		if (!strchr(*numbers, '*') && !strchr(*numbers, '#'))
			return *numbers;
	return turn->msg.to;
}

static struct outbound *add_outbound(struct turn *turn, struct bytes text,
				     enum outbound_state state)
{
	struct arena *arena = &turn->step->arena;
	struct outbound *out = &step_add_outbound(turn->step)->msg;

	out->id = id_new(citizen_key(turn->citizen));
	out->reply_to = turn->msg.id;
	out->citizen = arena_strdup(arena, citizen_key(turn->citizen));
	out->connection = arena_strdup(arena, turn->msg.connection);
	out->from = arena_strdup(arena, sms_number(turn));
	out->meta = arena_strdup(arena, turn->msg.meta);
	out->text = arena_bytes(arena, text.data, text.len);
	out->class = CLASS_REPLY;
	out->asked_for = true;
	out->state = state;
	out->provider_id = out->note = out->code = "";
	out->created = turn->now;
	return out;
}

static void close_session(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);

	data->session.open = false;
	data->session_dirty = true;
}

/* A screen: the last one is a message too, which follows by SMS where it could not be handed over. */
static void hand_out_screen(struct turn *turn, struct bytes text, bool more)
{
	turn->answer.screen = text;
	turn->answer.more = more;
	if (more)
		return;
	turn->end_screen = add_outbound(turn, text, OUTBOUND_SCREEN)->id;
	close_session(turn);
}

static void hand_out(struct turn *turn, struct bytes text, bool more)
{
	if (turn_channel(turn) == CHANNEL_USSD) {
		hand_out_screen(turn, text, more);
		return;
	}
	add_outbound(turn, text, OUTBOUND_QUEUED);
	if (turn->late) {
		turn->answer.screen = phrase(turn, PHRASE_USSD_BY_SMS, NULL);
		close_session(turn);
	}
}

/* ---- what is shown ---- */

static struct bytes gathered(struct turn *turn)
{
	return arena_bytes(&turn->arena, turn->text.data, turn->text.len);
}

static struct bytes below(struct turn *turn, struct bytes text)
{
	char *both = arena_printf(&turn->arena, "%s\n%s", turn->text.data ? turn->text.data : "",
				  text.data);

	return turn->text.len > 0 ? (struct bytes){ both, strlen(both) } : text;
}

static void show_text(struct turn *turn)
{
	struct bytes text = turn->text.len > 0 ? gathered(turn) : phrase(turn, PHRASE_DONE, NULL);
	struct dialog *dialog = turn->dialog;
	struct request more = { .kind = REQUEST_MORE,
				.text = text,
				.shape = { "", 0 },
				.prompt = { "", 0 },
				.inputs = { "", 0 } };
	bool pages = dialog && dialog->row.state == DIALOG_ENDED &&
		     dialog->row.reason == DIALOG_DONE && turn_pages(turn, text) > 1;

	if (pages) {
		turn_set_pending(turn, dialog, &more);
		dialog->row.state = DIALOG_WAITING;
		dialog->row.reason = DIALOG_OPEN;
	}
	hand_out(turn, turn_page(turn, text, 0, NULL), pages);
}

/* On a screen of one page, and where there is room, how one gets to the question before. */
static struct bytes with_back(struct turn *turn, const struct request *request)
{
	char *both = arena_printf(&turn->arena, "%s\n%s", request->text.data,
				  phrase(turn, PHRASE_BACK_USSD, NULL).data);
	struct bytes longer = { both, strlen(both) };

	if (turn_channel(turn) != CHANNEL_USSD || request->back != BACK_FREE ||
	    keys_are_answers(request) || turn_pages(turn, longer) > 1)
		return request->text;
	return longer;
}

static void show_question(struct turn *turn)
{
	struct request request;

	if (!turn_pending(turn, turn->dialog, &request)) {
		show_text(turn);
		return;
	}
	request.text = below(turn, request.kind == REQUEST_MORE ? request.text : request.prompt);
	request.page = 0;
	turn_set_pending(turn, turn->dialog, &request);
	turn->dialog->row.expires = turn->now + turn->inbox->parts.settings->dialog_expiry;
	if (turn_channel(turn) == CHANNEL_USSD)
		citizen_data(turn->citizen)->session.view = USSD_VIEW_DIALOG;
	hand_out(turn, turn_page(turn, with_back(turn, &request), 0, &request), true);
}

static void show_page(struct turn *turn)
{
	struct request request;
	bool last;

	if (!turn_pending(turn, turn->dialog, &request)) {
		show_text(turn);
		return;
	}
	last = request.page + 1 >= turn_pages(turn, request.text);
	if (last && request.kind == REQUEST_MORE)
		turn_end_dialog(turn, turn->dialog, DIALOG_DONE, "");
	hand_out(turn, turn_page(turn, request.text, request.page, &request),
		 turn->dialog->row.state != DIALOG_ENDED);
}

/* The entry that follows an anchor in the order of numbers; NULL: that was the last. */
static const struct plugin_anchor *next_anchor(const struct plugin_set *set,
					       const struct plugin_anchor *after)
{
	const struct plugin_anchor *best = NULL;

	for (unsigned i = 0; i < set->count; i++)
		for (unsigned a = 0; !set->plugins[i].error && a < set->plugins[i].anchor_count;
		     a++) {
			const struct plugin_anchor *anchor = &set->plugins[i].anchors[a];

			if ((!after || plugin_anchor_order(anchor, after) > 0) &&
			    (!best || plugin_anchor_order(anchor, best) < 0))
				best = anchor;
		}
	return best;
}

static void show_menu(struct turn *turn)
{
	const struct plugin_set *set = turn->inbox->parts.plugins;
	struct ussd_session *session = &citizen_data(turn->citizen)->session;
	struct buf menu = { 0 };
	struct bytes text;
	unsigned pages;

	buf_addstr(&menu, phrase(turn, PHRASE_USSD_TITLE, NULL).data);
	for (const struct plugin_anchor *anchor = NULL; (anchor = next_anchor(set, anchor));)
		buf_addf(&menu, "\n%s %s", anchor->anchor, anchor->label);
	text = below(turn, arena_bytes(&turn->arena, menu.data, menu.len));
	buf_free(&menu);
	pages = turn_pages(turn, text);
	session->page = session->page < pages ? session->page : pages - 1;
	session->view = USSD_VIEW_MENU;
	citizen_data(turn->citizen)->session_dirty = true;
	hand_out(turn, turn_page(turn, text, session->page, NULL), true);
}

static void show_resume(struct turn *turn)
{
	const struct dialog_row *row = &turn->dialog->row;
	const char *keyword = turn_keyword(turn, row->plugin, row->dialog);
	char *text = arena_printf(&turn->arena, "%s\n1 %s\n2 %s",
				  phrase(turn, PHRASE_USSD_RESUME, keyword).data,
				  phrase(turn, PHRASE_USSD_GO_ON, NULL).data,
				  phrase(turn, PHRASE_USSD_ANEW, NULL).data);

	hand_out(turn, turn_page(turn, below(turn, (struct bytes){ text, strlen(text) }), 0, NULL),
		 true);
}

void turn_compose(struct turn *turn)
{
	switch (turn->show) {
	case SHOW_NOTHING:
		break;
	case SHOW_TEXT:
		show_text(turn);
		break;
	case SHOW_QUESTION:
		show_question(turn);
		break;
	case SHOW_PAGE:
		show_page(turn);
		break;
	case SHOW_MENU:
		show_menu(turn);
		break;
	case SHOW_RESUME:
		show_resume(turn);
		break;
	}
}
