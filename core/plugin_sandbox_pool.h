/* plugin_sandbox_pool.h - the small blocks of one Lua state.
 *
 * For one thread at a time.  A block is given back with the size that it was taken with; all of it goes at once with the pool.
 */
#pragma once
#include "base.h"

enum { POOL_GRAIN = 16, POOL_SMALL_MAX = 1024, POOL_CLASSES = POOL_SMALL_MAX / POOL_GRAIN };

struct pool_slab;
struct pool_free;

/* Zeroed is empty. */
struct pool {
	struct pool_free *free[POOL_CLASSES]; /* by size */
	struct pool_slab *slabs;              /* owned; newest first */
	char *at;                             /* what is left of the newest slab */
	size_t left;
	size_t held; /* bytes of all slabs */
};

/* Aligned for any type.  size: 1 to POOL_SMALL_MAX. */
void *pool_take(struct pool *pool, size_t size) MUST_CHECK;
void pool_give(struct pool *pool, void *block, size_t size);
/* Whether both sizes are served by the same block, so that it need not move. */
bool pool_same(size_t a, size_t b);
void pool_free(struct pool *pool); /* empty again; all blocks are gone */
