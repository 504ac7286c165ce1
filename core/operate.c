/* operate.c - what operators ask and do.
 *
 * Everything is read from the store, so what is shown is what a restart would find, and acts go the way that all
 * others go: through the outbox and through the citizen's line.
 */
#include "operate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inbox.h"
#include "journal.h"
#include "msisdn.h"
#include "outbox.h"
#include "store.h"

/* One question, until it is answered. */
struct question_of {
	struct operate *operate;
	struct admin_call *call;
	struct id id;
	char *citizen; /* owned, or NULL */
	char *plugin;  /* owned, or NULL */
	char *table;   /* owned, or NULL */
	json_t *list;  /* owned: what was found so far */
};

static struct question_of *question_new(struct operate *operate, struct admin_call *call,
					struct id id)
{
	struct question_of *question = xcalloc(1, sizeof(*question));

	*question = (struct question_of){ .operate = operate, .call = call, .id = id };
	return question;
}

static void question_free(struct question_of *question)
{
	free(question->citizen);
	free(question->plugin);
	free(question->table);
	json_decref(question->list);
	free(question);
}

static void answer_error(struct question_of *question, int error)
{
	admin_answer_error(question->call, error);
	question_free(question);
}

static void answer_list(struct question_of *question, const char *name)
{
	json_t *body = json_object();

	json_object_set(body, name, question->list);
	admin_answer(question->call, 200, body);
	question_free(question);
}

/* The store is asked; where it can't be, the question is answered so. */
static void find(struct question_of *question, const struct find *what, store_find_cb *cb)
{
	int rc = store_find(question->operate->store, what, cb, question);

	if (rc < 0)
		answer_error(question, rc);
}

/* ---- values as JSON ---- */

static json_t *id_text(struct id id)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	return json_string(text);
}

static json_t *text_json(struct bytes text)
{
	json_t *value = json_stringn(text.data ? text.data : "", text.len);

	return value ? value : json_string("");
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text && text[0])
		json_object_set_new(object, name, json_string(text));
}

static json_t *inbound_json(const struct inbound_row *row)
{
	return json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:o, s:s, s:I}", "id", id_text(row->msg.id), "direction",
		"in", "citizen", row->msg.from, "connection", row->msg.connection, "number",
		row->msg.to, "text", text_json(row->msg.text), "state",
		row->state == INBOUND_DONE ? "done" : "in work", "time", (json_int_t)row->arrived);
}

static json_t *outbound_json(const struct outbound *msg)
{
	json_t *object = json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:i}", "id",
				   id_text(msg->id), "direction", "out", "citizen", msg->citizen,
				   "connection", msg->connection, "number", msg->from, "text",
				   text_json(msg->text), "state", outbound_state_name(msg->state),
				   "time", (json_int_t)msg->created, "attempts",
				   (int)msg->attempts);

	if (msg->reply_to.serial)
		json_object_set_new(object, "reply_to", id_text(msg->reply_to));
	set_text(object, "note", msg->note);
	set_text(object, "code", msg->code);
	set_text(object, "provider_id", msg->provider_id);
	return object;
}

static json_t *dialog_json(const struct dialog_row *row)
{
	json_t *object = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id",
				   id_text(row->id), "citizen", row->citizen, "plugin", row->plugin,
				   "dialog", row->dialog, "state", dialog_state_name(row->state),
				   "reason", dialog_reason_name(row->reason), "time",
				   (json_int_t)row->started, "expires", (json_int_t)row->expires);

	set_text(object, "error", row->error);
	return object;
}

/* ---- messages ---- */

/* Puts a message into its place by time, then by id: both ways are in one list. */
static void insert_message(json_t *list, json_t *message)
{
	size_t at = json_array_size(list);
	json_int_t time = json_integer_value(json_object_get(message, "time"));

	while (at > 0 &&
	       json_integer_value(json_object_get(json_array_get(list, at - 1), "time")) > time)
		at--;
	json_array_insert_new(list, at, message);
}

static void found_outbound_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (error) {
		answer_error(question, error);
		return;
	}
	for (unsigned i = 0; i < rows->count; i++)
		insert_message(question->list, outbound_json(&rows->outbound[i]));
	answer_list(question, "messages");
}

static void found_inbound_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (error) {
		answer_error(question, error);
		return;
	}
	question->list = json_array();
	for (unsigned i = 0; i < rows->count; i++)
		json_array_append_new(question->list, inbound_json(&rows->inbound[i]));
	find(question,
	     &(struct find){
		     .kind = FIND_OUTBOUND, .citizen = question->citizen, .limit = ADMIN_LIST_MAX },
	     found_outbound_cb);
}

/* A citizen's key as people write it: a number may lack its country. */
static char *citizen_key_of(const struct operate *operate, const char *written)
{
	char number[CITIZEN_MAX + 1];
	enum msisdn_kind kind = msisdn_complete((struct bytes){ written, strlen(written) },
						operate->country, false, number, sizeof(number));

	return xstrdup(kind == MSISDN_NUMBER ? number : written);
}

static void message_find(void *arg, const char *number, struct admin_call *call)
{
	struct question_of *question = question_new(arg, call, (struct id){ 0 });

	question->citizen = citizen_key_of(arg, number);
	find(question,
	     &(struct find){
		     .kind = FIND_INBOUND, .citizen = question->citizen, .limit = ADMIN_LIST_MAX },
	     found_inbound_cb);
}

static void show_inbound_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (!error && rows->count == 0)
		error = -ENOENT;
	if (error) {
		answer_error(question, error);
		return;
	}
	admin_answer(question->call, 200, inbound_json(&rows->inbound[0]));
	question_free(question);
}

static void show_outbound_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (error) {
		answer_error(question, error);
	} else if (rows->count == 0) {
		find(question,
		     &(struct find){ .kind = FIND_INBOUND, .id = question->id, .limit = 1 },
		     show_inbound_cb);
	} else {
		admin_answer(question->call, 200, outbound_json(&rows->outbound[0]));
		question_free(question);
	}
}

static void message_show(void *arg, struct id id, struct admin_call *call)
{
	find(question_new(arg, call, id),
	     &(struct find){ .kind = FIND_OUTBOUND, .id = id, .limit = 1 }, show_outbound_cb);
}

/* An act is done: what became of the message is shown. */
static void acted_cb(int error, void *arg)
{
	struct question_of *question = arg;

	if (error)
		answer_error(question, error);
	else
		find(question,
		     &(struct find){ .kind = FIND_OUTBOUND, .id = question->id, .limit = 1 },
		     show_outbound_cb);
}

static void message_release(void *arg, struct id id, struct admin_call *call)
{
	struct operate *operate = arg;
	struct question_of *question = question_new(operate, call, id);
	int rc = outbox_release(operate->outbox, id, acted_cb, question);

	if (rc < 0)
		answer_error(question, rc);
}

static void message_drop(void *arg, struct id id, struct admin_call *call)
{
	struct operate *operate = arg;
	struct question_of *question = question_new(operate, call, id);
	int rc = outbox_drop(operate->outbox, id, acted_cb, question);

	if (rc < 0)
		answer_error(question, rc);
}

/* ---- citizens who said STOP ---- */

static void found_stopped_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (error) {
		answer_error(question, error);
		return;
	}
	question->list = json_array();
	for (unsigned i = 0; i < rows->count; i++)
		json_array_append_new(question->list,
				      json_pack("{s:s, s:I}", "citizen", rows->citizens[i].citizen,
						"since",
						(json_int_t)rows->citizens[i].profile.stopped_at));
	answer_list(question, "citizens");
}

static void optout_list(void *arg, struct admin_call *call)
{
	find(question_new(arg, call, (struct id){ 0 }),
	     &(struct find){ .kind = FIND_STOPPED, .limit = ADMIN_LIST_MAX }, found_stopped_cb);
}

/* ---- dialogs ---- */

static void found_dialogs_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (error) {
		answer_error(question, error);
		return;
	}
	question->list = json_array();
	for (unsigned i = 0; i < rows->count; i++)
		json_array_append_new(question->list, dialog_json(&rows->dialogs[i]));
	answer_list(question, "dialogs");
}

static void dialog_list(void *arg, const char *citizen, const char *plugin, struct admin_call *call)
{
	struct question_of *question = question_new(arg, call, (struct id){ 0 });

	question->citizen = citizen ? citizen_key_of(arg, citizen) : NULL;
	find(question,
	     &(struct find){ .kind = FIND_DIALOGS,
			     .citizen = question->citizen,
			     .plugin = citizen ? NULL : plugin,
			     .limit = ADMIN_LIST_MAX },
	     found_dialogs_cb);
}

static json_t *journal_json(struct bytes journal)
{
	json_t *lines = json_array();
	struct journal_entry entry;
	struct buf line = { 0 };
	size_t at = 0;
	int rc;

	while ((rc = journal_next(&journal, &at, &entry)) == 1) {
		buf_reset(&line);
		journal_describe(&entry, &line);
		json_array_append_new(lines, text_json((struct bytes){ line.data, line.len }));
	}
	if (rc < 0)
		json_array_append_new(
			lines,
			json_string("(the rest can't be read: damaged, or of a later version)"));
	buf_free(&line);
	return lines;
}

static void show_dialog_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;
	json_t *object;

	if (!error && rows->count == 0)
		error = -ENOENT;
	if (error) {
		answer_error(question, error);
		return;
	}
	object = dialog_json(&rows->dialogs[0]);
	json_object_set_new(object, "journal", journal_json(rows->dialogs[0].journal));
	admin_answer(question->call, 200, object);
	question_free(question);
}

static void dialog_show(void *arg, struct id id, struct admin_call *call)
{
	find(question_new(arg, call, id),
	     &(struct find){ .kind = FIND_DIALOGS, .id = id, .limit = 1 }, show_dialog_cb);
}

static void ended_cb(int error, void *arg)
{
	struct question_of *question = arg;

	if (error)
		answer_error(question, error == -ENOENT ? -EALREADY : error);
	else
		find(question,
		     &(struct find){ .kind = FIND_DIALOGS, .id = question->id, .limit = 1 },
		     show_dialog_cb);
}

/* Whose it is, is known: her line ends it. */
static void end_cb(int error, const struct find_rows *rows, void *arg)
{
	struct question_of *question = arg;

	if (!error && rows->count == 0)
		error = -ENOENT;
	if (!error && rows->dialogs[0].state == DIALOG_ENDED)
		error = -EALREADY;
	if (error)
		answer_error(question, error);
	else
		inbox_end_dialog(question->operate->inbox, rows->dialogs[0].citizen, question->id,
				 DIALOG_STOPPED, ended_cb, question);
}

static void dialog_end(void *arg, struct id id, struct admin_call *call)
{
	find(question_new(arg, call, id),
	     &(struct find){ .kind = FIND_DIALOGS, .id = id, .limit = 1 }, end_cb);
}

/* ---- records ---- */

static void walk_chain(struct question_of *question, const struct record_chain *from);

static void answer_chain(struct question_of *question, const struct record_chain *chain)
{
	static const char *const states[] = {
		[CHAIN_WHOLE] = "whole", [CHAIN_BROKEN] = "broken", [CHAIN_SHORT] = "short"
	};
	char hash[2 * CHAIN_HASH_SIZE + 1];
	json_t *body;

	for (unsigned i = 0; i < CHAIN_HASH_SIZE; i++)
		snprintf(hash + 2 * i, 3, "%02x", chain->hash[i]);
	body = json_pack("{s:s, s:I, s:I, s:s}", "state", states[chain->state], "records",
			 (json_int_t)chain->count, "number", (json_int_t)chain->number, "hash",
			 hash);
	if (chain->unchained > 0)
		json_object_set_new(body, "unchained", json_integer(chain->unchained));
	admin_answer(question->call, 200, body);
	question_free(question);
}

static void walked_cb(int error, const struct record_chain *chain, void *arg)
{
	struct question_of *question = arg;

	if (error)
		answer_error(question, error);
	else if (chain->state == CHAIN_MORE)
		walk_chain(question, chain);
	else
		answer_chain(question, chain);
}

static void walk_chain(struct question_of *question, const struct record_chain *from)
{
	int rc = store_verify(question->operate->store, question->plugin, question->table, from,
			      walked_cb, question);

	if (rc < 0)
		answer_error(question, rc);
}

static void records_verify(void *arg, const char *plugin, const char *table,
			   struct admin_call *call)
{
	struct question_of *question = question_new(arg, call, (struct id){ 0 });

	question->plugin = xstrdup(plugin);
	question->table = xstrdup(table);
	walk_chain(question, &(struct record_chain){ 0 });
}

static bool well(void *arg, char *why, size_t size)
{
	const struct operate *operate = arg;
	int error = operate->inbox ? inbox_store_error(operate->inbox) : 0;

	if (operate->stopping)
		snprintf(why, size, "the gateway is stopping\n");
	else if (error)
		snprintf(why, size, "the store can't be written: %s\n", strerror(-error));
	else
		return true;
	return false;
}

const struct admin_ops operate_ops = {
	.well = well,
	.message_find = message_find,
	.message_show = message_show,
	.message_release = message_release,
	.message_drop = message_drop,
	.optout_list = optout_list,
	.dialog_list = dialog_list,
	.dialog_show = dialog_show,
	.dialog_end = dialog_end,
	.records_verify = records_verify,
};
