/* fill.c - gives a store very many citizens, each with a dialog open.
 *
 * One citizen has held the real conversation before, so her open dialog is in the store; every other gets a copy of it
 * with a message and a reply of her own, committed through the store's contract like any step.  So the rows are
 * what the gateway would have written, in a fraction of the time.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base.h"
#include "clock.h"
#include "store.h"

enum { IN_FLIGHT = 2048 };

struct fill {
	struct event_base *base;
	struct store *store;
	struct arena arena; /* the model's */
	struct dialog_row model;
	bool found;
	uint32_t next, count, done; /* citizens */
};

static void add_message(struct step *step, struct id id, const char *citizen, uint32_t index,
			const struct dialog_row *dialog)
{
	struct inbound_row *row = arena_alloc(&step->arena, sizeof(*row));

	row->msg = (struct inbound){ .id = id,
				     .channel = CHANNEL_SMS,
				     .sender = SENDER_NUMBER,
				     .connection = dialog->connection,
				     .provider_id = arena_printf(&step->arena, "fill-%08x-%08u",
								 index * 2654435761U, index),
				     .from = citizen,
				     .to = dialog->number,
				     .text = { "SURVEI", 6 },
				     .time = dialog->started,
				     .network = "",
				     .meta = "",
				     .session = "" };
	row->state = INBOUND_DONE;
	row->arrived = row->done_at = dialog->started;
	step->inbound = row;
}

static void add_reply(struct step *step, struct id inbound, const char *citizen,
		      const struct dialog_row *dialog)
{
	struct outbound *msg = &step_add_outbound(step)->msg;

	*msg = (struct outbound){ .id = id_new(citizen),
				  .reply_to = inbound,
				  .citizen = citizen,
				  .connection = dialog->connection,
				  .from = dialog->number,
				  .meta = "",
				  .text = { "1 2 3 4", 7 },
				  .class = CLASS_REPLY,
				  .asked_for = true,
				  .state = OUTBOUND_ACCEPTED,
				  .attempts = 1,
				  .provider_id = "",
				  .note = "",
				  .code = "",
				  .created = dialog->started,
				  .expires = dialog->started + 86400 };
}

static struct step *citizen_step(const struct fill *fill, uint32_t index)
{
	struct step *step = step_new();
	const char *citizen = arena_printf(&step->arena, "+62812%08u", index);
	struct id inbound = id_new(citizen);
	struct dialog_change *change = step_add_dialog(step);

	step->citizen = citizen;
	change->kind = DIALOG_CHANGE_OPEN;
	change->row = fill->model;
	change->row.id = id_new(citizen);
	change->row.citizen = citizen;
	add_message(step, inbound, citizen, index, &fill->model);
	add_reply(step, inbound, citizen, &fill->model);
	return step;
}

static void go_on(struct fill *fill);

static void committed_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct fill *fill = arg;

	if (result != STORE_DONE)
		errx(1, "a step did not commit: result %d, error %d", result, error);
	step_free(step);
	if (++fill->done == fill->count)
		event_base_loopbreak(fill->base);
	else
		go_on(fill);
}

static void go_on(struct fill *fill)
{
	while (fill->next < fill->count && fill->next - fill->done < IN_FLIGHT) {
		/* 1000003 is a prime, so this visits every index once, and neighbours far apart as in life. */
		uint32_t index = (uint32_t)((uint64_t)fill->next * 1000003 % fill->count);
		struct step *step = citizen_step(fill, index);

		if (store_commit(fill->store, step, committed_cb, fill) < 0) {
			step_free(step);
			return; /* the store has enough; its next callback goes on */
		}
		fill->next++;
	}
}

static void model_cb(int error, const struct find_rows *rows, void *arg)
{
	struct fill *fill = arg;

	if (error == 0 && rows->count > 0) {
		dialog_row_copy(&fill->arena, &fill->model, &rows->dialogs[0]);
		fill->found = true;
	}
	event_base_loopbreak(fill->base);
}

static void open_store(struct fill *fill, const char *path)
{
	const struct store_sqlite_options options = { .path = path,
						      .readers = 1,
						      .group_max = 1024,
						      .group_wait_us = 2000,
						      .queue_max = 2 * IN_FLIGHT,
						      .dedupe_seconds = 7 * 86400 };
	char error[512];

	evthread_use_pthreads();
	fill->base = event_base_new();
	if (store_sqlite_open(fill->base, &options, &fill->store, error, sizeof(error)) < 0)
		errx(1, "%s", error);
	id_init(store_secret(fill->store), 0);
}

int main(int argc, char **argv)
{
	struct fill fill = { 0 };
	struct find find = { .kind = FIND_DIALOGS, .limit = 1 };

	if (argc != 4)
		errx(2, "usage: fill STORE MODEL-CITIZEN COUNT");
	find.citizen = argv[2];
	fill.count = (uint32_t)strtoul(argv[3], NULL, 10);
	open_store(&fill, argv[1]);
	if (store_find(fill.store, &find, model_cb, &fill) < 0)
		errx(1, "can't read %s", argv[1]);
	event_base_dispatch(fill.base);
	if (!fill.found)
		errx(1, "%s has no open dialog", argv[2]);
	go_on(&fill);
	event_base_dispatch(fill.base);
	store_close(fill.store);
	event_base_free(fill.base);
	arena_free(&fill.arena);
	printf("%u citizens with a dialog open\n", fill.done);
	return 0;
}
