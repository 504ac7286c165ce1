/* citizens.c - the people of a measurement.
 *
 * Two queues, of those with an open dialog and of those without, each in a random order that is the same in every run.
 */
#include "citizens.h"

#include <stdlib.h>

struct queue {
	uint32_t *items; /* owned; a ring of size entries */
	uint32_t size, first, count;
};

struct citizens {
	struct citizen *all;
	uint32_t count, keep_open;
	struct queue open, closed;
};

static void queue_put(struct queue *queue, uint32_t item)
{
	queue->items[(queue->first + queue->count++) % queue->size] = item;
}

static uint32_t queue_take(struct queue *queue)
{
	uint32_t item = queue->items[queue->first];

	queue->first = (queue->first + 1) % queue->size;
	queue->count--;
	return item;
}

/* Fisher and Yates, with a small generator of its own (xorshift64). */
static void shuffle(uint32_t *items, uint32_t count)
{
	uint64_t x = 88172645463325252ULL;

	for (uint32_t i = count; i > 1; i--) {
		uint32_t other, item = items[i - 1];

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		other = (uint32_t)(x % i);
		items[i - 1] = items[other];
		items[other] = item;
	}
}

struct citizens *citizens_new(uint32_t count, bool opened, uint32_t keep_open)
{
	struct citizens *citizens = xcalloc(1, sizeof(*citizens));
	struct queue *queue = opened ? &citizens->open : &citizens->closed;

	citizens->all = xcalloc(count, sizeof(*citizens->all));
	citizens->count = count;
	citizens->keep_open = keep_open;
	citizens->open = (struct queue){ .items = xcalloc(count, sizeof(uint32_t)), .size = count };
	citizens->closed = (struct queue){ .items = xcalloc(count, sizeof(uint32_t)),
					   .size = count };
	for (uint32_t i = 0; i < count; i++) {
		citizens->all[i].open = opened;
		queue_put(queue, i);
	}
	shuffle(queue->items, count);
	return citizens;
}

void citizens_free(struct citizens *citizens)
{
	free(citizens->open.items);
	free(citizens->closed.items);
	free(citizens->all);
	free(citizens);
}

struct citizen *citizens_at(struct citizens *citizens, uint32_t index)
{
	return index < citizens->count ? &citizens->all[index] : NULL;
}

bool citizens_take(struct citizens *citizens, uint32_t *index)
{
	struct queue *queue = citizens->open.count > citizens->keep_open ? &citizens->open
									 : &citizens->closed;

	if (queue->count == 0)
		queue = queue == &citizens->open ? &citizens->closed : &citizens->open;
	if (queue->count == 0)
		return false;
	*index = queue_take(queue);
	return true;
}

void citizens_give(struct citizens *citizens, uint32_t index)
{
	queue_put(citizens->all[index].open ? &citizens->open : &citizens->closed, index);
}

uint32_t citizens_open(const struct citizens *citizens)
{
	return citizens->open.count;
}
