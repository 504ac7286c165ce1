/* turn_read.c - what a text or a USSD input means, and what is done about it.
 *
 * A text goes through route.c.  A USSD session shows one of three things: the root menu, the question whether to go on with
 * a dialog that was broken off, or a dialog; what was typed is read by what was shown.  One request can bring several
 * inputs (*123*1*2#): they are read one after the other, each with all its checks, before anything is shown.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "calendar.h"
#include "log.h"
#include "metrics.h"
#include "route.h"
#include "telco.h"
#include "turn.h"
#include "utf8.h"

static void read_text(struct turn *turn, struct bytes text);

/* ---- what a text does ---- */

void turn_stop(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);
	struct dialog *dialog;

	if (!data->profile.stopped) {
		data->profile.stopped = true;
		data->profile.stopped_at = turn->now;
		data->profile_dirty = true;
	}
	TAILQ_FOREACH (dialog, &data->dialogs, next)
		turn_end_dialog(turn, dialog, DIALOG_STOPPED, "");
	turn->step->drop_unasked = true;
	turn->show = SHOW_NOTHING;
	log_event(LOG_INFO, "citizen.stopped", "sconnection", turn->msg.connection, "ncitizen",
		  citizen_key(turn->citizen), NULL);
}

static void do_stop(struct turn *turn, const struct route *route UNUSED)
{
	turn_stop(turn);
	buf_reset(&turn->text);
	turn_say(turn, PHRASE_STOPPED, NULL);
	turn->show = SHOW_TEXT;
	turn_finish(turn);
}

/* The question of the dialog in front comes back below what was said. */
static void ask_again(struct turn *turn)
{
	turn->show = turn->dialog ? SHOW_QUESTION : SHOW_TEXT;
	turn_finish(turn);
}

static void do_start(struct turn *turn, const struct route *route UNUSED)
{
	struct citizen_data *data = citizen_data(turn->citizen);

	data->profile.stopped = false;
	data->profile_dirty = true;
	turn_say(turn, PHRASE_STARTED, NULL);
	ask_again(turn);
}

static void do_started(struct turn *turn, const struct route *route UNUSED)
{
	turn_say(turn, PHRASE_START_NOT_STOPPED, NULL);
	ask_again(turn);
}

static void do_help(struct turn *turn, const struct route *route UNUSED)
{
	turn_say(turn, PHRASE_HELP, NULL);
	ask_again(turn);
}

static void do_cancel(struct turn *turn, const struct route *route UNUSED)
{
	if (!turn->dialog) {
		turn_say(turn, PHRASE_NOTHING_TO_CANCEL, NULL);
		ask_again(turn);
		return;
	}
	turn_say(turn, PHRASE_CANCELLED, NULL);
	turn_end_dialog(turn, turn->dialog, DIALOG_STOPPED, "");
	turn_done(turn);
}

static void do_answer(struct turn *turn, const struct route *route)
{
	turn_give(turn, &route->answer);
}

static void turn_page_by(struct turn *turn, int by)
{
	struct request request;

	if (turn_pending(turn, turn->dialog, &request)) {
		request.page = (unsigned)((int)request.page + by);
		turn_set_pending(turn, turn->dialog, &request);
	}
	turn->show = SHOW_PAGE;
	turn_finish(turn);
}

static void do_more(struct turn *turn, const struct route *route UNUSED)
{
	turn_page_by(turn, 1);
}

static void do_back(struct turn *turn, const struct route *route UNUSED)
{
	turn_page_by(turn, -1);
}

/* To the question before; where that can't be the citizen learns why, and has the same one again. */
static void do_undo(struct turn *turn, const struct route *route UNUSED)
{
	static const enum phrase why[] = {
		[BACK_NONE] = PHRASE_FIRST_QUESTION, [BACK_BARRED] = PHRASE_BACK_BARRED
	};
	struct request request;

	if (turn_pending(turn, turn->dialog, &request) && request.back == BACK_FREE) {
		turn_undo(turn);
		return;
	}
	turn_say(turn, why[request.back], NULL);
	ask_again(turn);
}

static void do_repeat(struct turn *turn, const struct route *route UNUSED)
{
	ask_again(turn);
}

static void do_language(struct turn *turn, const struct route *route)
{
	struct citizen_data *data = citizen_data(turn->citizen);

	data->profile.language = route->language; /* static */
	data->profile_dirty = true;
	turn_say(turn, PHRASE_LANGUAGE, NULL);
	ask_again(turn);
}

/* The dialog in front makes room: it is parked, or over where only pages were left. */
static void park(struct turn *turn)
{
	struct request request;

	if (!turn->dialog)
		return;
	if (turn_pending(turn, turn->dialog, &request) && request.kind == REQUEST_MORE) {
		turn_end_dialog(turn, turn->dialog, DIALOG_DONE, "");
	} else {
		turn->dialog->row.state = DIALOG_PARKED;
		turn->dialog->row.touched = turn->now;
		turn->dialog->dirty = true;
	}
	turn->dialog = NULL;
}

static void begin_dialog(struct turn *turn, struct plugin *plugin, const char *dialog,
			 const char *keyword, struct bytes rest)
{
	if (plugin->paused) {
		turn_say(turn, PHRASE_PAUSED, turn_keyword(turn, plugin->name, dialog));
		ask_again(turn);
		return;
	}
	park(turn);
	turn_start(turn, plugin, dialog, keyword, rest);
}

/* The dialog that was parked and is begun by the same word. */
static struct dialog *find_parked(struct turn *turn, const struct route *route)
{
	struct dialog *dialog;

	TAILQ_FOREACH (dialog, &citizen_data(turn->citizen)->dialogs, next)
		if (dialog->row.state == DIALOG_PARKED &&
		    strcmp(dialog->row.plugin, route->to->name) == 0 &&
		    strcmp(dialog->row.dialog, route->dialog) == 0)
			return dialog;
	return NULL;
}

static void do_same(struct turn *turn, const struct route *route);

static void do_keyword(struct turn *turn, const struct route *route)
{
	struct dialog *parked = route->rest.len == 0 ? find_parked(turn, route) : NULL;

	if (parked) {
		park(turn);
		parked->row.state = DIALOG_WAITING;
		parked->dirty = true;
		turn->dialog = parked;
		do_same(turn, route);
		return;
	}
	begin_dialog(turn, route->to, route->dialog, route->keyword, route->rest);
}

static void do_same(struct turn *turn, const struct route *route UNUSED)
{
	const struct dialog_row *row = &turn->dialog->row;

	turn_say(turn, PHRASE_SAME_KEYWORD, turn_keyword(turn, row->plugin, row->dialog));
	ask_again(turn);
}

static void do_again(struct turn *turn, const struct route *route UNUSED)
{
	turn_say(turn, PHRASE_NOT_FITTING, NULL);
	ask_again(turn);
}

static void do_greeting(struct turn *turn, const struct route *route UNUSED)
{
	turn_say(turn, PHRASE_GREETING, NULL);
	ask_again(turn);
}

static void do_which(struct turn *turn, const struct route *route)
{
	char both[64];

	park(turn); /* pages at most */
	snprintf(both, sizeof(both), "%s, %s", route->keyword, route->other);
	turn_say(turn, PHRASE_WHICH, arena_strdup(&turn->arena, both));
	turn->show = SHOW_TEXT;
	turn_finish(turn);
}

static void do_unknown(struct turn *turn, const struct route *route UNUSED)
{
	park(turn); /* pages at most */
	turn_say(turn, PHRASE_NOT_UNDERSTOOD, NULL);
	turn->show = SHOW_TEXT;
	turn_finish(turn);
}

static void read_text(struct turn *turn, struct bytes text)
{
	static void (*const rows[])(struct turn *, const struct route *) = {
		[ROUTE_STOP] = do_stop,         [ROUTE_START] = do_start,
		[ROUTE_STARTED] = do_started,   [ROUTE_HELP] = do_help,
		[ROUTE_CANCEL] = do_cancel,     [ROUTE_ANSWER] = do_answer,
		[ROUTE_MORE] = do_more,         [ROUTE_BACK] = do_back,
		[ROUTE_UNDO] = do_undo,         [ROUTE_REPEAT] = do_repeat,
		[ROUTE_LANGUAGE] = do_language, [ROUTE_KEYWORD] = do_keyword,
		[ROUTE_SAME] = do_same,         [ROUTE_AGAIN] = do_again,
		[ROUTE_GREETING] = do_greeting, [ROUTE_WHICH] = do_which,
		[ROUTE_UNKNOWN] = do_unknown,
	};
	struct citizen_data *data = citizen_data(turn->citizen);
	struct route_view view = { .plugins = turn->inbox->parts.plugins,
				   .channel = turn_channel(turn),
				   .stopped = data->profile.stopped };
	const struct telco_connection *connection = turn_connection(turn);
	struct request request;
	struct route route;

	view.today = (turn->now + WIB_SECONDS) / DAY_SECONDS;
	view.country = connection ? telco_config(connection)->country
				  : turn->inbox->parts.settings->country;
	turn->dialog = dialog_front(data);
	if (turn->dialog && !turn_pending(turn, turn->dialog, &request)) {
		turn_end_dialog(turn, turn->dialog, DIALOG_DIVERGED,
				"the stored request is damaged, or of a later version");
		turn_say(turn, PHRASE_APOLOGY, NULL);
		turn_done(turn);
		return;
	}
	if (turn->dialog) {
		view.plugin = turn->dialog->row.plugin;
		view.dialog = turn->dialog->row.dialog;
		view.request = &request;
		view.pages = turn_pages(turn, request.text);
	}
	route_text(&turn->arena, &view, text, &route);
	rows[route.kind](turn, &route);
}

/* ---- before any text ---- */

/* Dialogs that have waited too long are over; of the one in front the citizen learns so. */
static void expire(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);
	struct dialog *front = dialog_front(data), *dialog;

	TAILQ_FOREACH (dialog, &data->dialogs, next) {
		struct request request;
		bool over;

		if (dialog->row.state == DIALOG_ENDED || dialog->row.expires == 0 ||
		    dialog->row.expires > turn->now)
			continue;
		over = turn_pending(turn, dialog, &request) && request.kind == REQUEST_MORE;
		if (dialog == front && !over)
			turn_say(turn,
				 plugins_find(turn->inbox->parts.plugins, dialog->row.plugin)
					 ? PHRASE_EXPIRED
					 : PHRASE_EXPIRED_GONE,
				 turn_keyword(turn, dialog->row.plugin, dialog->row.dialog));
		turn_end_dialog(turn, dialog, over ? DIALOG_DONE : DIALOG_EXPIRED, "");
	}
}

/* Where an answer would harm: machines answer back. */
static const char *why_silent(const struct turn *turn)
{
	const struct inbound *msg = &turn->msg;
	const struct telco_connection *connection;

	if (msg->sender == SENDER_ALNUM)
		return "the sender is a name, not a number";
	if (msg->sender == SENDER_SHORT)
		return "the sender is a short code";
	connection = turn_connection(turn);
	if (connection && telco_is_our_number(connection, msg->from))
		return "the sender is a number of our own";
	return NULL;
}

static void stay_silent(struct turn *turn, const char *why)
{
	log_event(LOG_INFO, "inbox.unanswered", "sconnection", turn->msg.connection, "dmessage",
		  &turn->msg.id, "ncitizen", turn->msg.from, "swhy", why, NULL);
	metrics_add(METRIC_UNANSWERED, 1);
	turn_commit(turn, true);
}

/* ---- USSD ---- */

static struct ussd_session *session_of(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);

	data->session_dirty = true;
	return &data->session;
}

/* What follows our own code in what was dialled: "1*2" of *123*1*2#. */
static struct bytes dialled(struct turn *turn, const char *to)
{
	const char *code = turn->inbox->parts.settings->ussd_code;
	const struct telco_connection *connection = turn_connection(turn);
	const char *const *numbers = connection ? telco_config(connection)->numbers : NULL;
	size_t best = 0, len = strlen(to);

	for (unsigned i = 0; (numbers && numbers[i]) || i == 0; i++) {
		const char *own = numbers && numbers[i] ? numbers[i] : code;
		size_t own_len = strlen(own);

		if (own_len > 1 && own[own_len - 1] == '#' && own_len - 1 > best &&
		    strncmp(to, own, own_len - 1) == 0 && to[own_len - 1] == '*')
			best = own_len - 1;
		if (!numbers || !numbers[i])
			break;
	}
	if (best == 0 || best + 1 >= len)
		return (struct bytes){ "", 0 };
	len -= to[len - 1] == '#';
	return arena_bytes(&turn->arena, to + best + 1, len > best ? len - best - 1 : 0);
}

static void add_input(struct turn *turn, struct bytes input)
{
	if (input.len > 0 || turn->input_count == 0)
		turn->inputs[turn->input_count++] = input;
}

void turn_add_inputs(struct turn *turn, struct bytes joined)
{
	const char *at = joined.data, *end = at + joined.len;

	while (at < end) {
		const char *star = memchr(at, '*', (size_t)(end - at));

		add_input(turn, arena_bytes(&turn->arena, at, (size_t)((star ? star : end) - at)));
		at = star ? star + 1 : end;
	}
}

static bool is_same_session(struct turn *turn)
{
	const struct ussd_session *session = &citizen_data(turn->citizen)->session;

	return turn->msg.ussd != USSD_START &&
	       strcmp(session->connection, turn->msg.connection) == 0 &&
	       strcmp(session->session, turn->msg.session) == 0;
}

static bool is_new_session(struct turn *turn)
{
	const struct ussd_session *session = &citizen_data(turn->citizen)->session;

	return !is_same_session(turn) || !session->open ||
	       session->touched + turn->inbox->parts.settings->session_expiry < turn->now;
}

static void open_session(struct turn *turn)
{
	struct ussd_session *session = session_of(turn);
	const struct inbound *msg = &turn->msg;

	*session = (struct ussd_session){ .connection = msg->connection,
					  .session = msg->session,
					  .service_code = msg->to,
					  .raw = { "", 0 },
					  .open = true,
					  .view = USSD_VIEW_MENU };
}

/* Takes what is new in a request. */
static void take_inputs(struct turn *turn)
{
	struct ussd_session *session = session_of(turn);
	const struct inbound *msg = &turn->msg;
	struct bytes *inputs = NULL;
	unsigned count = 0;
	int rc;

	turn->inputs = arena_alloc(&turn->arena,
				   (msg->text.len + strlen(msg->to) + 4) * sizeof(*turn->inputs));
	if (turn->fresh_session)
		turn_add_inputs(turn, dialled(turn, turn->msg.to));
	if (msg->cumulative) {
		rc = telco_ussd_inputs(session->raw, turn->fresh_session, msg->text, &turn->arena,
				       &inputs, &count);
		if (rc == -EINVAL)
			log_event(LOG_WARN, "ussd.input_unfitting", "sconnection", msg->connection,
				  "ncitizen", msg->from, "swhat",
				  "it does not go on from what came before; the screen is shown "
				  "again",
				  NULL);
		for (unsigned i = 0; i < count; i++)
			add_input(turn, inputs[i]);
		session->raw = msg->text;
	} else if (turn->fresh_session) {
		turn_add_inputs(turn, msg->text);
	} else {
		add_input(turn, msg->text);
	}
	session->touched = turn->now;
}

/* A dialog that waits is gone on with only if the citizen wants: except where she dialled another service. */
static void choose_view(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);
	struct dialog *front = dialog_front(data);
	struct request request;
	const char *dialog;
	struct plugin *to = NULL;

	if (!front || !turn_pending(turn, front, &request) || request.kind == REQUEST_MORE)
		return;
	if (turn->input_count > 0 && !turn->timed_out)
		to = plugins_anchor(turn->inbox->parts.plugins, turn->inputs[0].data, &dialog);
	if (to &&
	    (strcmp(to->name, front->row.plugin) != 0 || strcmp(dialog, front->row.dialog) != 0))
		return;
	data->session.view = USSD_VIEW_RESUME;
	turn->input = turn->input_count; /* no answers to a question that was not seen */
}

static void read_ussd(struct turn *turn)
{
	if (turn->msg.ussd == USSD_END) {
		session_of(turn)->open = false;
		turn_commit(turn, true);
		return;
	}
	turn->fresh_session = is_new_session(turn);
	turn->timed_out = turn->fresh_session && is_same_session(turn);
	if (turn->fresh_session)
		open_session(turn);
	take_inputs(turn);
	if (turn->fresh_session)
		choose_view(turn);
	turn_next_input(turn);
}

static bool is(struct bytes input, const char *text)
{
	return input.len == strlen(text) && memcmp(input.data, text, input.len) == 0;
}

/* In the root menu: a number begins a dialog. */
static void read_menu(struct turn *turn, struct bytes input)
{
	struct ussd_session *session = session_of(turn);
	const char *dialog;
	struct plugin *plugin = plugins_anchor(turn->inbox->parts.plugins, input.data, &dialog);

	turn->show = SHOW_MENU;
	if (plugin) {
		session->view = USSD_VIEW_DIALOG;
		turn->dialog = dialog_front(citizen_data(turn->citizen));
		begin_dialog(turn, plugin, dialog, "", (struct bytes){ "", 0 });
		return;
	}
	if (is(input, "98"))
		session->page++;
	else if (is(input, "0") && session->page > 0)
		session->page--;
	else if (input.len > 0)
		turn_say(turn, PHRASE_NOT_FITTING, NULL);
	turn_next_input(turn);
}

/* "Go on where you were?" */
static void read_resume(struct turn *turn, struct bytes input)
{
	struct ussd_session *session = session_of(turn);
	struct dialog *front = dialog_front(citizen_data(turn->citizen));
	struct bytes way;

	if (is(input, "1") || !front) {
		session->view = front ? USSD_VIEW_DIALOG : USSD_VIEW_MENU;
	} else if (is(input, "2")) {
		turn_end_dialog(turn, front, DIALOG_REPLACED, "");
		session->view = USSD_VIEW_MENU;
		way = dialled(turn, session->service_code);
		if (way.len > 0) { /* what she had dialled leads to the beginning */
			turn->inputs = arena_alloc(&turn->arena,
						   (way.len + 1) * sizeof(*turn->inputs));
			turn->input = turn->input_count = 0;
			turn_add_inputs(turn, way);
		}
	} else if (input.len > 0) {
		turn_say(turn, PHRASE_NOT_FITTING, NULL);
	}
	turn_next_input(turn);
}

/* What the session shows, where nothing is left to read. */
static void show_view(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);

	turn->dialog = dialog_front(data);
	switch (data->session.view) {
	case USSD_VIEW_RESUME:
		turn->show = SHOW_RESUME;
		break;
	case USSD_VIEW_DIALOG:
		turn->show = turn->dialog ? SHOW_QUESTION : SHOW_MENU;
		break;
	default:
		turn->show = SHOW_MENU;
		break;
	}
	if (turn->show == SHOW_MENU)
		session_of(turn)->view = USSD_VIEW_MENU;
	turn_finish(turn);
}

void turn_next_input(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);
	struct bytes input;

	if (turn->input >= turn->input_count) {
		show_view(turn);
		return;
	}
	input = turn->inputs[turn->input++];
	if (data->session.view == USSD_VIEW_DIALOG && !dialog_front(data))
		session_of(turn)->view = USSD_VIEW_MENU;
	switch (data->session.view) {
	case USSD_VIEW_RESUME:
		read_resume(turn, input);
		break;
	case USSD_VIEW_DIALOG:
		read_text(turn, input);
		break;
	default:
		read_menu(turn, input);
		break;
	}
}

/* What an operator should know of a message that is answered all the same. */
static void log_odd(const struct turn *turn)
{
	const struct inbound *msg = &turn->msg;
	const struct telco_connection *connection = turn_connection(turn);
	const char *what = NULL;

	if (msg->channel == CHANNEL_SMS && connection && !telco_is_our_number(connection, msg->to))
		what = "it was sent to a number that is not among the connection's; one of those "
		       "answers";
	else if (msg->channel == CHANNEL_SMS && msg->text.len == 0)
		what = "it has no text";
	if (what)
		log_event(LOG_WARN, "inbox.odd", "sconnection", msg->connection, "dmessage",
			  &msg->id, "ncitizen", msg->from, "swhat", what, NULL);
}

void turn_message(struct turn *turn)
{
	const char *silent = why_silent(turn);

	if (silent) {
		stay_silent(turn, silent);
		return;
	}
	log_odd(turn);
	expire(turn);
	if (turn->msg.channel == CHANNEL_USSD)
		read_ussd(turn);
	else
		read_text(turn, turn->msg.text);
}
