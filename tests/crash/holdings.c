/* holdings.c - tells the oracle what a store holds, one JSON value a line for each question on standard input.
 *
 * It reads through the store's contract, in a process of its own after the gateway's end, so that the oracle neither
 * knows a schema nor asks the program that it judges.  Questions, with tabs between the words:
 *   count PLUGIN TABLE FIELD TEXT   how many records have this text in an indexed field
 *   get PLUGIN TABLE KEY            the record of this key, or null
 *   inbound, outbound               all messages, as one array
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/thread.h>
#include <jansson.h>

#include "base.h"
#include "store.h"

enum { LINE_SIZE = 1024, WORDS_MAX = 5, PAGE = 1000 };

struct holdings {
	struct event_base *base;
	struct store *store;
	json_t *answer; /* owned: what the question in work has come to */
	struct id last; /* of a page */
	unsigned page_count;
};

static void must(int rc, const char *what)
{
	if (rc < 0)
		errx(1, "%s: %s", what, strerror(-rc));
}

static void records_cb(int error, const struct record_result *result, void *arg)
{
	struct holdings *holdings = arg;

	must(error, "records");
	if (result->row_count > 0)
		holdings->answer = json_loadb(result->rows[0].data, result->rows[0].len, 0, NULL);
	else
		holdings->answer = json_integer(result->count);
	event_base_loopbreak(holdings->base);
}

static void ask_count(struct holdings *holdings, char **words)
{
	struct record_term term = { .field = words[3],
				    .op = RECORD_EQ,
				    .value = { .type = RECORD_TEXT,
					       .text = { words[4], strlen(words[4]) } } };
	struct record_query query = { .plugin = words[1],
				      .table = words[2],
				      .terms = &term,
				      .term_count = 1,
				      .limit = 1,
				      .count = true };

	must(store_records(holdings->store, &query, records_cb, holdings), "records");
	event_base_dispatch(holdings->base);
}

static void ask_get(struct holdings *holdings, char **words)
{
	struct record_query query = {
		.plugin = words[1], .table = words[2], .key = words[3], .limit = 1
	};

	must(store_records(holdings->store, &query, records_cb, holdings), "records");
	event_base_dispatch(holdings->base);
	if (json_is_integer(holdings->answer)) {
		json_decref(holdings->answer);
		holdings->answer = json_null();
	}
}

static json_t *id_json(struct id id)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	return json_string(id.serial ? text : "");
}

static json_t *inbound_json(const struct inbound_row *row)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:b}", "id", id_json(row->msg.id), "provider_id",
			 row->msg.provider_id, "citizen", row->msg.from, "session",
			 row->msg.session ? row->msg.session : "", "done",
			 row->state == INBOUND_DONE);
}

static json_t *outbound_json(const struct outbound *msg)
{
	return json_pack("{s:o, s:o, s:s, s:s%, s:s, s:i, s:i, s:s, s:s}", "id", id_json(msg->id),
			 "reply_to", id_json(msg->reply_to), "citizen", msg->citizen, "text",
			 msg->text.data, msg->text.len, "state", outbound_state_name(msg->state),
			 "attempts", (int)msg->attempts, "doubts", (int)msg->doubts, "note",
			 msg->note, "connection", msg->connection);
}

static void page_cb(int error, const struct find_rows *rows, void *arg)
{
	struct holdings *holdings = arg;

	must(error, "find");
	holdings->page_count = rows->count;
	for (unsigned i = 0; i < rows->count; i++) {
		json_array_append_new(holdings->answer,
				      rows->inbound ? inbound_json(&rows->inbound[i])
						    : outbound_json(&rows->outbound[i]));
		holdings->last = rows->inbound ? rows->inbound[i].msg.id : rows->outbound[i].id;
	}
	event_base_loopbreak(holdings->base);
}

static void ask_messages(struct holdings *holdings, enum find_kind kind)
{
	struct find find = { .kind = kind, .limit = PAGE };

	holdings->answer = json_array();
	do {
		must(store_find(holdings->store, &find, page_cb, holdings), "find");
		event_base_dispatch(holdings->base);
		find.after = holdings->last;
	} while (holdings->page_count == PAGE);
}

static void ask(struct holdings *holdings, char *line)
{
	char *words[WORDS_MAX] = { NULL };
	unsigned count = 0;

	for (char *word = strtok(line, "\t\n"); word && count < WORDS_MAX;
	     word = strtok(NULL, "\t\n"))
		words[count++] = word;
	if (count == 5 && strcmp(words[0], "count") == 0)
		ask_count(holdings, words);
	else if (count == 4 && strcmp(words[0], "get") == 0)
		ask_get(holdings, words);
	else if (count == 1 && strcmp(words[0], "inbound") == 0)
		ask_messages(holdings, FIND_INBOUND);
	else if (count == 1 && strcmp(words[0], "outbound") == 0)
		ask_messages(holdings, FIND_OUTBOUND);
	else
		errx(2, "no such question");
	json_dumpf(holdings->answer, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
	json_decref(holdings->answer);
	holdings->answer = NULL;
}

int main(int argc, char **argv)
{
	struct store_sqlite_options options = {
		.readers = 1, .group_max = 1, .queue_max = 16, .dedupe_seconds = 7 * 86400
	};
	struct holdings holdings = { 0 };
	char line[LINE_SIZE], error[512];

	if (argc != 2)
		errx(2, "usage: holdings STORE < questions");
	options.path = argv[1];
	evthread_use_pthreads();
	holdings.base = event_base_new();
	if (store_sqlite_open(holdings.base, &options, &holdings.store, error, sizeof(error)) < 0)
		errx(1, "%s", error);
	while (fgets(line, sizeof(line), stdin))
		ask(&holdings, line);
	store_close(holdings.store);
	event_base_free(holdings.base);
	return 0;
}
