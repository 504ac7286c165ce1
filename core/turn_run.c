/* turn_run.c - a dialog's steps: workers, the store's reads, and what a run comes to.
 *
 * A step ends where the dialog waits for the citizen, ends, or wants to know something of the store.  Where it has written before
 * it wants to know, what it wrote commits first, with the request that waits, so that a crash between the two
 * finds the dialog runnable and goes on from there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "crash.h"
#include "log.h"
#include "metrics.h"
#include "store.h"
#include "turn.h"

enum {
	RETRY_MS = 1000,
	READS_MAX = 100,      /* of the store in one turn */
	STEPS_MAX = 1000,     /* of one dialog */
	AGAINS_MAX = 3,       /* replays that hit a limit */
	BREACHES_MAX = 5,     /* of one plugin... */
	BREACH_SECONDS = 600, /* ...in this time, and it is paused */
};

static void run(struct turn *turn, const struct request *committed, const struct read_result *read);

/* ---- pending requests ---- */

bool turn_pending(struct turn *turn, const struct dialog *dialog, struct request *out)
{
	struct bytes pending = dialog->row.pending;

	*out = (struct request){ 0 };
	return pending.len > 0 &&
	       request_decode(&turn->arena, arena_bytes(&turn->arena, pending.data, pending.len),
			      out);
}

void turn_set_pending(struct turn *turn UNUSED, struct dialog *dialog,
		      const struct request *request)
{
	struct buf buf = { 0 };

	request_encode(&buf, request);
	dialog->row.pending = arena_bytes(&dialog->arena, buf.data, buf.len);
	dialog->dirty = true;
	buf_free(&buf);
}

/* ---- ends ---- */

void turn_end_dialog(struct turn *turn, struct dialog *dialog, enum dialog_reason reason,
		     const char *error)
{
	struct dialog_row *row = &dialog->row;

	if (row->state == DIALOG_ENDED)
		return;
	row->state = DIALOG_ENDED;
	row->reason = reason;
	row->error = arena_strdup(&dialog->arena, error);
	row->pending = (struct bytes){ "", 0 };
	row->touched = turn->now;
	dialog->dirty = true;
	if (reason != DIALOG_DONE && dialog->seen > 0)
		workers_forget(turn->inbox->parts.workers, dialog->worker, row->id);
	dialog->seen = 0;
}

void turn_done(struct turn *turn)
{
	struct dialog *front = dialog_front(citizen_data(turn->citizen));

	turn->show = front ? SHOW_QUESTION : SHOW_TEXT;
	if (front)
		turn->dialog = front;
	turn_finish(turn);
}

/* What it has said so far goes before what comes. */
static void move_said(struct turn *turn)
{
	if (turn->said.len == 0)
		return;
	if (turn->text.len > 0)
		buf_add(&turn->text, "\n", 1);
	buf_add(&turn->text, turn->said.data, turn->said.len);
	buf_reset(&turn->said);
}

/* A plugin that keeps breaching its limits is paused, until it is loaded again. */
static void count_breach(struct turn *turn, const char *name)
{
	struct inbox *inbox = turn->inbox;
	struct plugin *plugin = plugins_find(inbox->parts.plugins, name);
	struct breach *breach;

	HASH_FIND_STR(inbox->breaches, name, breach);
	if (!breach) {
		breach = xcalloc(1, sizeof(*breach));
		snprintf(breach->plugin, sizeof(breach->plugin), "%s", name);
		HASH_ADD_STR(inbox->breaches, plugin, breach);
	}
	if (turn->now - breach->first > BREACH_SECONDS) {
		breach->first = turn->now;
		breach->count = 0;
	}
	breach->count++;
	if (!plugin || plugin->paused || breach->count < BREACHES_MAX)
		return;
	plugin->paused = true;
	breach->count = 0;
	log_event(LOG_ERROR, "plugin.paused", "splugin", name, "swhat",
		  "it has breached its limits again and again; citizens are told that it is out of "
		  "use until it is loaded again",
		  NULL);
}

/* What the step had gathered is dropped: the end, its reason and an apology commit instead. */
static void fail(struct turn *turn, enum dialog_reason reason, const char *error)
{
	struct dialog *dialog = turn->dialog;

	log_event(LOG_ERROR, reason == DIALOG_DIVERGED ? "dialog.diverged" : "dialog.failed",
		  "splugin", dialog->row.plugin, "sdialog", dialog->row.dialog, "did",
		  &dialog->row.id, "ncitizen", citizen_key(turn->citizen), "serror", error, NULL);
	metrics_add(METRIC_STEPS_FAILED, 1);
	STAILQ_INIT(&turn->step->records);
	buf_reset(&turn->said);
	buf_reset(&turn->text);
	turn_say(turn, PHRASE_APOLOGY, NULL);
	turn_end_dialog(turn, dialog, reason, error);
	turn->dialog = NULL;
	turn_done(turn);
}

/* ---- what a run came to ---- */

/* The question as it is shown: with what is always answered, in the citizen's language. */
static struct bytes shown_prompt(struct turn *turn, const struct request *request)
{
	const char *language = turn_language(turn);
	struct arena *arena = &turn->arena;
	const char *text = request->prompt.data;

	if (request->kind == REQUEST_CONFIRM)
		text = arena_printf(arena, "%s\n1 %s\n2 %s", text,
				    phrase_text(arena, language, PHRASE_YES, NULL).data,
				    phrase_text(arena, language, PHRASE_NO, NULL).data);
	if (request->optional)
		text = arena_printf(arena, "%s\n%s", text,
				    phrase_text(arena, language, PHRASE_OPTIONAL, NULL).data);
	return (struct bytes){ text, strlen(text) };
}

static void waits(struct turn *turn)
{
	struct dialog *dialog = turn->dialog;
	struct request request = turn->work.call.request;

	request.prompt = shown_prompt(turn, &request);
	request.text = request.prompt;
	request.inputs = (struct bytes){ "", 0 };
	turn_set_pending(turn, dialog, &request);
	dialog->row.state = DIALOG_WAITING;
	dialog->row.touched = turn->now;
	dialog->row.expires = turn->now + turn->inbox->parts.settings->dialog_expiry;
	move_said(turn);
	if (turn->msg.channel == CHANNEL_USSD) {
		if (request.random) /* a number that was dialled ahead means nothing here */
			turn->input = turn->input_count;
		turn_next_input(turn);
		return;
	}
	turn->show = SHOW_QUESTION;
	turn_finish(turn);
}

static struct bytes joined_inputs(struct turn *turn)
{
	struct buf buf = { 0 };
	struct bytes out;

	for (unsigned i = turn->input; i < turn->input_count; i++)
		buf_addf(&buf, "%s%s", i > turn->input ? "*" : "", turn->inputs[i].data);
	out = arena_bytes(&turn->arena, buf.data, buf.len);
	buf_free(&buf);
	return out;
}

/* Commits what was gathered; turn_read_on goes on from there, in this process or the next. */
static void commit_runnable(struct turn *turn)
{
	struct dialog *dialog = turn->dialog;

	move_said(turn);
	turn->request.text = arena_bytes(&turn->arena, turn->text.data, turn->text.len);
	turn->request.reply_to = turn->msg.id;
	turn->request.inputs = joined_inputs(turn);
	turn->request.channel = turn->msg.channel;
	turn_set_pending(turn, dialog, &turn->request);
	dialog->row.state = DIALOG_RUNNABLE;
	dialog->row.touched = turn->now;
	turn_commit(turn, false);
}

/* The store can't be read now: what is stored already goes on later, the rest comes again. */
static void not_read(struct turn *turn, int error)
{
	if (turn->stored)
		turn_restart(turn, RETRY_MS);
	else
		turn_fail(turn, error);
}

static struct record_value keep_value(struct arena *arena, const struct record_value *value)
{
	struct record_value copy = *value;

	copy.text = arena_bytes(arena, value->text.data, value->text.len);
	return copy;
}

/* What the store gave outlives the call that it was lent to. */
static struct read_result *keep_result(struct arena *arena, const struct record_result *result)
{
	struct read_result *read = arena_alloc(arena, sizeof(*read));
	struct bytes *rows = arena_alloc(arena, (result->row_count + 1) * sizeof(*rows));
	struct record_group *groups = arena_alloc(arena,
						  (result->group_count + 1) * sizeof(*groups));

	for (unsigned i = 0; i < result->row_count; i++)
		rows[i] = arena_bytes(arena, result->rows[i].data, result->rows[i].len);
	for (unsigned i = 0; i < result->group_count; i++) {
		groups[i].value = keep_value(arena, &result->groups[i].value);
		groups[i].count = result->groups[i].count;
	}
	*read = (struct read_result){ .rows = rows,
				      .row_count = result->row_count,
				      .count = result->count,
				      .groups = groups,
				      .group_count = result->group_count,
				      .more = result->more,
				      .last.number = result->last.number };
	read->last.value = keep_value(arena, &result->last.value);
	return read;
}

static void records_cb(int error, const struct record_result *result, void *arg)
{
	struct turn *turn = arg;

	if (turn->inbox->closed)
		return;
	if (error != 0) {
		not_read(turn, error);
		return;
	}
	run(turn, &turn->request, keep_result(&turn->arena, result));
}

static void read_store(struct turn *turn)
{
	int rc;

	crash_point("dialog.before_read");
	rc = store_records(turn->inbox->parts.store, &turn->work.call.query, records_cb, turn);
	if (rc < 0)
		not_read(turn, rc);
}

static void reads(struct turn *turn)
{
	if (++turn->reads > READS_MAX) {
		fail(turn, DIALOG_FAILED,
		     arena_printf(
			     &turn->arena,
			     "%s: more than %d reads of records without a question to the citizen",
			     turn->dialog->row.plugin, READS_MAX));
		return;
	}
	turn->request = turn->work.call.request;
	if (!STAILQ_EMPTY(&turn->step->records))
		commit_runnable(turn);
	else
		read_store(turn);
}

void turn_read_on(struct turn *turn)
{
	turn->step = step_new();
	if (request_is_write(turn->request.kind))
		run(turn, NULL, NULL);
	else
		read_store(turn);
}

static void again(struct turn *turn)
{
	struct dialog *dialog = turn->dialog;

	if (++turn->agains >= AGAINS_MAX) {
		fail(turn, DIALOG_FAILED, turn->work.call.error);
		return;
	}
	dialog->seen = 0;
	run(turn, turn->work.call.committed, turn->work.call.read);
}

static void log_lines(struct turn *turn)
{
	struct bytes log = turn->work.call.log;

	if (log.len > 0)
		log_event(LOG_INFO, "plugin.log", "splugin", turn->dialog->row.plugin, "stext",
			  log.data, NULL);
}

/* What the dialog changed of the citizen; it commits with the step. */
static void take_set(struct turn *turn, const struct journal_citizen *set)
{
	struct citizen_data *data = citizen_data(turn->citizen);

	if (set->name)
		data->profile.name = arena_strdup(&data->arena, set->name);
	if (set->area)
		data->profile.area = arena_strdup(&data->arena, set->area);
	if (set->language)
		data->profile.language = arena_strdup(&data->arena, set->language);
	if (set->name || set->area || set->language)
		data->profile_dirty = true;
}

static void ran_cb(struct work *work, void *arg)
{
	struct turn *turn = arg;
	struct dialog *dialog = turn->dialog;
	struct run_call *call = &work->call;

	if (turn->inbox->closed)
		return;
	if (call->replayed && dialog->row.steps > 0)
		metrics_add(METRIC_REPLAYS, 1);
	buf_add(&dialog->journal, call->appended.data, call->appended.len);
	dialog->dirty = true;
	dialog->worker = work->worker;
	dialog->seen = work->end == RUN_WAITS || work->end == RUN_READS ? dialog->journal.len : 0;
	if (work->end != RUN_AGAIN)
		dialog->row.steps++;
	if (call->said.len > 0) {
		if (turn->said.len > 0)
			buf_add(&turn->said, "\n", 1);
		buf_add(&turn->said, call->said.data, call->said.len);
	}
	log_lines(turn);
	if (work->end == RUN_WAITS || work->end == RUN_READS || work->end == RUN_DONE)
		take_set(turn, &call->set);
	switch (work->end) {
	case RUN_WAITS:
		waits(turn);
		break;
	case RUN_READS:
		reads(turn);
		break;
	case RUN_DONE:
		move_said(turn);
		turn_end_dialog(turn, dialog, DIALOG_DONE, "");
		turn_done(turn);
		break;
	case RUN_BREACHED:
		count_breach(turn, dialog->row.plugin);
		fail(turn, DIALOG_FAILED, call->error);
		break;
	case RUN_AGAIN:
		again(turn);
		break;
	default:
		fail(turn, work->end == RUN_DIVERGED ? DIALOG_DIVERGED : DIALOG_FAILED,
		     call->error);
		break;
	}
}

/* ---- running ---- */

static void put_work(struct turn *turn)
{
	struct dialog *dialog = turn->dialog;
	struct work *work = &turn->work;

	work->bundle = dialog->bundle;
	work->dialog = dialog->row.dialog;
	work->known = dialog->seen;
	work->worker = dialog->seen > 0 ? dialog->worker : -1;
	work->cb = ran_cb;
	work->arg = turn;
	workers_put(turn->inbox->parts.workers, work);
}

static struct bundle *find_bundle(struct inbox *inbox, const unsigned char *hash)
{
	const struct plugin_set *set = inbox->parts.plugins;
	struct held_bundle *held;

	for (unsigned i = 0; i < set->count; i++)
		if (set->plugins[i].bundle &&
		    memcmp(set->plugins[i].bundle->hash, hash, BUNDLE_SIZE) == 0)
			return set->plugins[i].bundle;
	HASH_FIND(hh, inbox->bundles, hash, BUNDLE_SIZE, held);
	return held ? held->bundle : NULL;
}

static struct bundle *hold_bundle(struct inbox *inbox, struct bytes content)
{
	enum { HELD_MAX = 64 };
	struct held_bundle *held = inbox->bundles;
	struct bundle *bundle = bundle_new(content);

	if (!bundle)
		return NULL;
	if (HASH_COUNT(inbox->bundles) >=
	    HELD_MAX) { /* the oldest; dialogs that use it have references of their own */
		HASH_DEL(inbox->bundles, held);
		bundle_unref(held->bundle);
		free(held);
	}
	held = xcalloc(1, sizeof(*held));
	held->bundle = bundle;
	HASH_ADD_KEYPTR(hh, inbox->bundles, bundle->hash, BUNDLE_SIZE, held);
	return bundle;
}

static void bundle_cb(int error, struct bytes content, void *arg)
{
	struct turn *turn = arg;
	struct bundle *bundle;

	if (turn->inbox->closed)
		return;
	if (error != 0 && error != -ENOENT) {
		not_read(turn, error);
		return;
	}
	bundle = find_bundle(turn->inbox, turn->dialog->row.bundle);
	if (!bundle && error == 0)
		bundle = hold_bundle(turn->inbox, content);
	if (!bundle || memcmp(bundle->hash, turn->dialog->row.bundle, BUNDLE_SIZE) != 0) {
		fail(turn, DIALOG_FAILED,
		     "the code that this dialog began with is not in the store, or damaged");
		return;
	}
	turn->dialog->bundle = bundle_ref(bundle);
	put_work(turn);
}

/* The journal is what the dialog has until now; what else the run needs is given. */
static void run(struct turn *turn, const struct request *committed, const struct read_result *read)
{
	struct dialog *dialog = turn->dialog;
	struct bundle *bundle;
	int rc;

	if (turn->inbox->closed)
		return;
	if (dialog->row.steps >= STEPS_MAX) {
		fail(turn, DIALOG_FAILED,
		     arena_printf(&turn->arena, "%s: the dialog has more than %d steps",
				  dialog->row.plugin, STEPS_MAX));
		return;
	}
	turn->work = (struct work){ 0 };
	turn->work.call = (struct run_call){
		.journal = { dialog->journal.data, dialog->journal.len },
		.citizen = citizen_key(turn->citizen),
		.dialog = dialog->row.id,
		.committed = committed,
		.read = read,
		.step = turn->step,
		.arena = &turn->run_arena, /* repeats may join meanwhile, in the other one */
	};
	bundle = dialog->bundle ? dialog->bundle : find_bundle(turn->inbox, dialog->row.bundle);
	if (bundle) {
		if (!dialog->bundle)
			dialog->bundle = bundle_ref(bundle);
		put_work(turn);
		return;
	}
	rc = store_bundle(turn->inbox->parts.store, dialog->row.bundle, bundle_cb, turn);
	if (rc < 0)
		not_read(turn, rc);
}

/* ---- events ---- */

/* From the system, many at a time: a ticket's code must not be guessed. */
static uint64_t new_seed(void)
{
	static uint64_t seeds[32];
	static unsigned left;

	if (left == 0) {
		if (getrandom(seeds, sizeof(seeds), 0) != (ssize_t)sizeof(seeds))
			abort();
		left = ARRAY_LEN(seeds);
	}
	return seeds[--left];
}

static void add_event(struct turn *turn, struct dialog *dialog, const char *keyword,
		      struct bytes rest, bool start)
{
	const struct profile *profile = &citizen_data(turn->citizen)->profile;
	struct journal_event event = { .time = turn->now,
				       .channel = turn_channel(turn),
				       .citizen = { turn_language(turn), profile->name,
						    profile->area },
				       .start = start,
				       .keyword = { keyword, strlen(keyword) },
				       .rest = rest,
				       .text = turn->msg.text };

	event.seed = new_seed();
	journal_add_event(&dialog->journal, &event);
	dialog->row.connection = turn->msg.connection;
	dialog->row.number = turn->msg.to;
	dialog->row.meta = turn->msg.meta;
	dialog->dirty = true;
	turn->dialog = dialog;
	turn->dialog_id = dialog->row.id;
}

/* A bundle is put with the first dialog of each hour: one that nobody needs goes after its retention time. */
static void add_bundle(struct turn *turn, struct bundle *bundle)
{
	enum { PUT_AGAIN_SECONDS = 3600 };
	struct bundle_row *row;

	if (turn->now - bundle->stored_at < PUT_AGAIN_SECONDS)
		return;
	row = step_add_bundle(turn->step);
	memcpy(row->hash, bundle->hash, BUNDLE_SIZE);
	row->plugin = arena_strdup(&turn->step->arena, bundle->plugin);
	row->content = arena_bytes(&turn->step->arena, bundle->content.data, bundle->content.len);
}

void turn_bundles_stored(struct turn *turn, const struct step *step)
{
	const struct bundle_row *row;
	struct bundle *bundle;

	STAILQ_FOREACH (row, &step->bundles, next) {
		bundle = find_bundle(turn->inbox, row->hash);
		if (bundle)
			bundle->stored_at = turn->now;
	}
}

void turn_start(struct turn *turn, struct plugin *plugin, const char *dialog_name,
		const char *keyword, struct bytes rest)
{
	struct dialog_row row = {
		.id = id_new(citizen_key(turn->citizen)),
		.citizen = citizen_key(turn->citizen),
		.plugin = plugin->name,
		.dialog = dialog_name,
		.state = DIALOG_RUNNABLE,
		.error = "",
		.connection = turn->msg.connection,
		.number = turn->msg.to,
		.meta = turn->msg.meta,
		.asked_for = true,
		.pending = { "", 0 },
		.journal = { "", 0 },
		.started = turn->now,
		.touched = turn->now,
		.expires = turn->now + turn->inbox->parts.settings->dialog_expiry,
	};
	struct dialog *dialog;

	memcpy(row.bundle, plugin->bundle->hash, BUNDLE_SIZE);
	dialog = dialog_add(citizen_data(turn->citizen), &row);
	dialog->bundle = bundle_ref(plugin->bundle);
	add_bundle(turn, plugin->bundle);
	add_event(turn, dialog, keyword, rest, true);
	run(turn, NULL, NULL);
}

static void add_chosen(const struct request *request, const struct answer *answer, struct buf *buf)
{
	unsigned count = 0, place = 0;

	for (unsigned i = 0; i < request->option_count; i++)
		count += answer_chosen(answer, i);
	journal_result_list(buf, count);
	for (unsigned i = 0; i < request->option_count; i++)
		if (answer_chosen(answer, i)) {
			journal_result_integer(buf, ++place);
			buf_add(buf, request->values[i].data, request->values[i].len);
		}
}

static void add_result(const struct request *request, const struct answer *answer, struct buf *buf)
{
	if (answer->skipped)
		journal_result_nil(buf);
	else if (request->answer == ANSWER_CHOICES)
		add_chosen(request, answer, buf);
	else if (request->kind == REQUEST_CHOOSE)
		buf_add(buf, request->values[answer->option].data,
			request->values[answer->option].len);
	else if (request->kind == REQUEST_CONFIRM)
		journal_result_boolean(buf, answer->yes);
	else if (request->answer == ANSWER_INTEGER)
		journal_result_integer(buf, answer->integer);
	else if (request->answer == ANSWER_DECIMAL)
		journal_result_real(buf, answer->decimal);
	else
		journal_result_text(buf, answer->text);
}

void turn_give(struct turn *turn, const struct answer *answer)
{
	struct dialog *dialog = turn->dialog;
	struct journal_call call;
	struct request request;
	struct buf results = { 0 };

	if (!turn_pending(turn, dialog, &request)) {
		fail(turn, DIALOG_DIVERGED, "the stored request is damaged, or of a later version");
		return;
	}
	add_result(&request, answer, &results);
	call = (struct journal_call){
		request.kind, request.hash, request.shape, { results.data, results.len }
	};
	add_event(turn, dialog, "", (struct bytes){ "", 0 }, false);
	journal_add_call(&dialog->journal, &call);
	buf_free(&results);
	run(turn, NULL, NULL);
}

/* The last answer is cancelled, and its question waits again.  What was caused before it is kept already. */
void turn_undo(struct turn *turn)
{
	struct dialog *dialog = turn->dialog;
	struct journal_call question;
	struct request *before;

	if (!journal_question_before((struct bytes){ dialog->journal.data, dialog->journal.len },
				     &question)) {
		fail(turn, DIALOG_DIVERGED, "the journal is damaged, or of a later version");
		return;
	}
	before = arena_alloc(&turn->arena, sizeof(*before));
	before->kind = question.kind;
	before->hash = question.hash;
	journal_add_back(&dialog->journal, turn->now);
	dialog->dirty = true;
	dialog->seen = 0;
	run(turn, before, NULL);
}

/* Nothing to go on with: it was finished by somebody else, or ended. */
static void nothing_left(struct turn *turn)
{
	step_free(turn->step);
	turn->step = step_new();
	turn->show = SHOW_NOTHING;
	turn_commit(turn, true);
}

void turn_resume(struct turn *turn)
{
	struct dialog *dialog = dialog_find(citizen_data(turn->citizen), turn->dialog_id);
	struct inbound *msg = &turn->msg;

	turn->stored = true;
	if (!dialog || dialog->row.state != DIALOG_RUNNABLE ||
	    !turn_pending(turn, dialog, &turn->request)) {
		nothing_left(turn);
		return;
	}
	turn->dialog = dialog;
	msg->id = turn->request.reply_to;
	msg->channel = turn->request.channel;
	msg->connection = arena_strdup(&turn->arena, dialog->row.connection);
	msg->to = arena_strdup(&turn->arena, dialog->row.number);
	msg->meta = arena_strdup(&turn->arena, dialog->row.meta);
	buf_add(&turn->text, turn->request.text.data, turn->request.text.len);
	turn->inputs = arena_alloc(&turn->arena,
				   (turn->request.inputs.len + 2) * sizeof(*turn->inputs));
	turn_add_inputs(turn, turn->request.inputs);
	run(turn, request_is_write(turn->request.kind) ? NULL : &turn->request, NULL);
}
