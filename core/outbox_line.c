/* outbox_line.c - one citizen's messages, in order.
 *
 * What waits stands in four lists, one a class, by id.  Ids rise with time, so a new message goes to the end and one
 * that comes back (a retry) to the front: neither needs a search.  At most the first of all is offered to its
 * connection, and none while another is on its way.
 */
#include "outbox_priv.h"

#include <string.h>

#include "metrics.h"

enum { SPARES_MAX = 1024 }; /* lines kept for the next citizens */

struct line *line_find(struct outbox *outbox, const char *key)
{
	struct line *line;

	HASH_FIND(hh, outbox->lines, key, strnlen(key, CITIZEN_MAX), line);
	return line;
}

static struct line *line_new(struct outbox *outbox, const char *key)
{
	struct line *line = SLIST_FIRST(&outbox->spare_lines);
	size_t len = strnlen(key, CITIZEN_MAX);

	if (line) {
		SLIST_REMOVE_HEAD(&outbox->spare_lines, spare);
		outbox->spares--;
	} else {
		line = xmalloc(sizeof(*line));
	}
	line->offered = NULL;
	line->blocked = 0;
	for (int class = 0; class < CLASSES; class ++)
		TAILQ_INIT(&line->waiting[class]);
	TAILQ_INIT(&line->out);
	memcpy(line->key, key, len);
	line->key[len] = '\0';
	HASH_ADD_KEYPTR(hh, outbox->lines, line->key, len, line);
	return line;
}

struct line *line_get(struct outbox *outbox, const char *key)
{
	struct line *line = line_find(outbox, key);

	return line ? line : line_new(outbox, key);
}

static void line_free(struct outbox *outbox, struct line *line)
{
	HASH_DEL(outbox->lines, line);
	if (outbox->spares >= SPARES_MAX) {
		free(line);
		return;
	}
	SLIST_INSERT_HEAD(&outbox->spare_lines, line, spare);
	outbox->spares++;
}

struct parcel *line_first(const struct line *line)
{
	for (int class = 0; class < CLASSES; class ++) {
		if (!TAILQ_EMPTY(&line->waiting[class]))
			return TAILQ_FIRST(&line->waiting[class]);
	}
	return NULL;
}

/* Offers the first one, if none is on its way; frees the line where nothing is left of it. */
static void line_update(struct outbox *outbox, struct line *line)
{
	struct parcel *first = line->blocked > 0 ? NULL : line_first(line);

	if (line->offered != first) {
		if (line->offered)
			link_withdraw(line->offered);
		line->offered = first;
		if (first)
			link_offer(first);
	}
	if (!first && line->blocked == 0)
		line_free(outbox, line);
}

void line_reserve(struct outbox *outbox, struct line *line)
{
	line->blocked++;
	line_update(outbox, line);
}

void line_unreserve(struct outbox *outbox, struct line *line)
{
	line->blocked--;
	line_update(outbox, line);
}

static void insert(struct parcel_list *list, struct parcel *parcel)
{
	struct parcel *before = TAILQ_LAST(list, parcel_list);
	int64_t serial = parcel->row.id.serial;

	if (before && TAILQ_FIRST(list)->row.id.serial > serial)
		before = NULL;
	while (before && before->row.id.serial > serial)
		before = TAILQ_PREV(before, parcel_list, waiting);
	if (before)
		TAILQ_INSERT_AFTER(list, before, parcel, waiting);
	else
		TAILQ_INSERT_HEAD(list, parcel, waiting);
}

static void count_waiting(struct outbox *outbox, int n)
{
	outbox->waiting += (unsigned)n;
	metrics_set(METRIC_OUTBOX_WAITING, outbox->waiting);
}

void parcel_wait(struct parcel *parcel)
{
	struct line *line = line_get(parcel->outbox, parcel->row.citizen);

	parcel->line = line;
	parcel->blocks = false;
	count_waiting(parcel->outbox, 1);
	insert(&line->waiting[parcel->row.class], parcel);
	line_update(parcel->outbox, line);
	if (line->offered != parcel)
		parcel_arm(parcel); /* it may grow too old where it stands */
}

void parcel_block(struct parcel *parcel, bool reserved)
{
	struct line *line = line_get(parcel->outbox, parcel->row.citizen);

	if (parcel->line)
		TAILQ_REMOVE(&line->waiting[parcel->row.class], parcel, waiting);
	else
		count_waiting(parcel->outbox, 1);
	parcel->line = line;
	parcel->blocks = true;
	TAILQ_INSERT_TAIL(&line->out, parcel, waiting);
	if (!reserved)
		line->blocked++;
	line_update(parcel->outbox, line);
}

void parcel_leave(struct parcel *parcel)
{
	struct line *line = parcel->line;

	if (parcel->blocks) {
		TAILQ_REMOVE(&line->out, parcel, waiting);
		line->blocked--;
	} else {
		TAILQ_REMOVE(&line->waiting[parcel->row.class], parcel, waiting);
	}
	parcel->line = NULL;
	parcel->blocks = false;
	count_waiting(parcel->outbox, -1);
	line_update(parcel->outbox, line);
}
