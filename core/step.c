/* step.c - all that one event causes, as plain data in one arena.
 *
 * A step is built on one thread, handed to the store, and read there by another: it points to nothing but its own arena, so
 * handing it over is handing over one pointer, and freeing it is freeing one arena.
 */
#include "step.h"

#include <stdlib.h>
#include <string.h>

const char *dialog_state_name(enum dialog_state state)
{
	static const char *const names[] = {
		[DIALOG_WAITING] = "waiting",
		[DIALOG_RUNNABLE] = "runnable",
		[DIALOG_PARKED] = "parked",
		[DIALOG_ENDED] = "ended",
	};

	return (unsigned)state < ARRAY_LEN(names) ? names[state] : "?";
}

const char *dialog_reason_name(enum dialog_reason reason)
{
	static const char *const names[] = {
		[DIALOG_OPEN] = "open",         [DIALOG_DONE] = "done",
		[DIALOG_STOPPED] = "stopped",   [DIALOG_EXPIRED] = "expired",
		[DIALOG_FAILED] = "failed",     [DIALOG_REPLACED] = "replaced",
		[DIALOG_DIVERGED] = "diverged",
	};

	return (unsigned)reason < ARRAY_LEN(names) ? names[reason] : "?";
}

struct step *step_new(void)
{
	struct step *step = xcalloc(1, sizeof(*step));

	STAILQ_INIT(&step->done);
	STAILQ_INIT(&step->parts);
	STAILQ_INIT(&step->bundles);
	STAILQ_INIT(&step->dialogs);
	STAILQ_INIT(&step->records);
	STAILQ_INIT(&step->outbound);
	STAILQ_INIT(&step->updates);
	STAILQ_INIT(&step->reports);
	return step;
}

void step_free(struct step *step)
{
	if (!step)
		return;
	arena_free(&step->arena);
	free(step);
}

#define DEFINE_ADD(function, type, list)                                    \
	struct type *function(struct step *step)                            \
	{                                                                   \
		struct type *row = arena_alloc(&step->arena, sizeof(*row)); \
                                                                            \
		STAILQ_INSERT_TAIL(&step->list, row, next);                 \
		return row;                                                 \
	}

DEFINE_ADD(step_add_done, inbound_done, done)
DEFINE_ADD(step_add_part, part_row, parts)
DEFINE_ADD(step_add_bundle, bundle_row, bundles)
DEFINE_ADD(step_add_dialog, dialog_change, dialogs)
DEFINE_ADD(step_add_record, record_write, records)
DEFINE_ADD(step_add_outbound, outbound_row, outbound)
DEFINE_ADD(step_add_update, outbound_update, updates)
DEFINE_ADD(step_add_report, report_row, reports)

/* Text that is never NULL afterwards. */
static const char *copy_text(struct arena *arena, const char *text)
{
	return text && *text ? arena_strdup(arena, text) : "";
}

static struct bytes copy_bytes(struct arena *arena, struct bytes bytes)
{
	return arena_bytes(arena, bytes.len ? bytes.data : "", bytes.len);
}

void inbound_copy(struct arena *arena, struct inbound *to, const struct inbound *from)
{
	*to = *from;
	to->connection = copy_text(arena, from->connection);
	to->provider_id = copy_text(arena, from->provider_id);
	to->from = copy_text(arena, from->from);
	to->to = copy_text(arena, from->to);
	to->text = copy_bytes(arena, from->text);
	to->network = copy_text(arena, from->network);
	to->meta = copy_text(arena, from->meta);
	to->session = copy_text(arena, from->session);
}

void outbound_copy(struct arena *arena, struct outbound *to, const struct outbound *from)
{
	*to = *from;
	to->citizen = copy_text(arena, from->citizen);
	to->connection = copy_text(arena, from->connection);
	to->from = copy_text(arena, from->from);
	to->meta = copy_text(arena, from->meta);
	to->text = copy_bytes(arena, from->text);
	to->provider_id = copy_text(arena, from->provider_id);
	to->note = copy_text(arena, from->note);
	to->code = copy_text(arena, from->code);
}

void profile_copy(struct arena *arena, struct profile *to, const struct profile *from)
{
	*to = *from;
	to->language = copy_text(arena, from->language);
	to->name = copy_text(arena, from->name);
	to->area = copy_text(arena, from->area);
	to->fields = copy_text(arena, from->fields);
}

void session_copy(struct arena *arena, struct ussd_session *to, const struct ussd_session *from)
{
	*to = *from;
	to->connection = copy_text(arena, from->connection);
	to->session = copy_text(arena, from->session);
	to->service_code = copy_text(arena, from->service_code);
	to->raw = copy_bytes(arena, from->raw);
}

void dialog_row_copy(struct arena *arena, struct dialog_row *to, const struct dialog_row *from)
{
	*to = *from;
	to->citizen = copy_text(arena, from->citizen);
	to->plugin = copy_text(arena, from->plugin);
	to->dialog = copy_text(arena, from->dialog);
	to->error = copy_text(arena, from->error);
	to->connection = copy_text(arena, from->connection);
	to->number = copy_text(arena, from->number);
	to->meta = copy_text(arena, from->meta);
	to->pending = copy_bytes(arena, from->pending);
	to->journal = copy_bytes(arena, from->journal);
}
