/* plugin_sandbox_pool.c - the small blocks of one Lua state.
 *
 * A dialog's start makes a hundred objects of a few dozen bytes and throws most of them away, and Lua says how large each was when
 * it gives it back.  So a block needs no head and no lock: a list for each size, cut from slabs in rising order, by which what is
 * made together lies together.  Slabs are never given back one by one: a state that is not worth its memory is dropped as a whole.
 */
#include "plugin_sandbox_pool.h"

#include <stdalign.h>
#include <stdlib.h>

enum { SLAB_FIRST = 8 << 10, SLAB_MOST = 64 << 10 }; /* bytes; doubled for each further one */

struct pool_free {
	struct pool_free *next;
};

struct pool_slab {
	struct pool_slab *older; /* owned */
	alignas(POOL_GRAIN) char data[];
};

static unsigned class_of(size_t size)
{
	return (unsigned)((size - 1) / POOL_GRAIN);
}

bool pool_same(size_t a, size_t b)
{
	return class_of(a) == class_of(b);
}

/* What is left of the slab before is a block too: less than POOL_SMALL_MAX and a multiple of the grain. */
static void add_slab(struct pool *pool)
{
	size_t size = pool->held < SLAB_FIRST ? SLAB_FIRST
					      : (pool->held < SLAB_MOST ? pool->held : SLAB_MOST);
	struct pool_slab *slab = xmalloc(size);

	if (pool->left > 0)
		pool_give(pool, pool->at, pool->left);
	slab->older = pool->slabs;
	pool->slabs = slab;
	pool->at = slab->data;
	pool->left = size - sizeof(*slab);
	pool->held += size;
}

void *pool_take(struct pool *pool, size_t size)
{
	unsigned class = class_of(size);
	struct pool_free *block = pool->free[class];

	if (block) {
		pool->free[class] = block->next;
		__builtin_prefetch(block->next,
				   1); /* it was given back long ago, at a collection */
		return block;
	}
	size = ((size_t) class + 1) * POOL_GRAIN;
	if (pool->left < size)
		add_slab(pool);
	block = (struct pool_free *)(void *)pool->at;
	pool->at += size;
	pool->left -= size;
	return block;
}

void pool_give(struct pool *pool, void *block, size_t size)
{
	struct pool_free *given = block;
	unsigned class = class_of(size);

	given->next = pool->free[class];
	pool->free[class] = given;
}

void pool_free(struct pool *pool)
{
	struct pool_slab *slab, *older;

	for (slab = pool->slabs; slab; slab = older) {
		older = slab->older;
		free(slab);
	}
	*pool = (struct pool){ 0 };
}
