/* base.c - memory, buffers, arenas and ids.
 *
 * Arenas exist because all that belongs to one step or one request dies together: one free instead of
 * hundreds, and no ownership to get wrong.  An id's serial is time first, so that rows made together lie
 * together in an index, and its shard is a keyed hash, so that a citizen's rows can be found by an id that
 * doesn't give away the number (numbers are few: an unkeyed hash of one can be undone by trying all).
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#include "base.h"

#include <sched.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static void out_of_memory(void)
{
	fputs("kentongan: out of memory\n", stderr);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *text)
{
	return xmemdup(text, strlen(text));
}

void *xmemdup(const void *data, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

/* Room for len more bytes and a NUL. */
static void buf_reserve(struct buf *buf, size_t len)
{
	size_t cap = buf->cap > 0 ? buf->cap : 64;

	if (len > SIZE_MAX / 2 - buf->len)
		out_of_memory();
	while (cap < buf->len + len + 1)
		cap *= 2;
	if (cap == buf->cap)
		return;
	buf->data = xrealloc(buf->data, cap);
	buf->cap = cap;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	buf_reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_addstr(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len >= 0) {
		buf_reserve(buf, (size_t)len);
		vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

/* Bytes of a block with its head: the first one's, doubled for each further one. */
enum { ARENA_FIRST = 1024, ARENA_MOST = 256 * 1024 };

struct arena_block {
	struct arena_block *older; /* owned */
	size_t used, size;         /* of data */
	alignas(max_align_t) unsigned char data[];
};

/* Blocks of the usual sizes that were given back.  Arenas are filled on one thread and freed on another all the time, which
 * is the worst case of malloc; and there are few sizes. */
enum { POOL_SIZES = 5, POOL_BLOCKS = 256 }; /* 1 to 16 KiB; of each */
static struct {
	atomic_flag busy;
	unsigned count[POOL_SIZES];
	struct arena_block *blocks[POOL_SIZES];
} pool = { .busy = ATOMIC_FLAG_INIT };

/* Which of the sizes it is, or POOL_SIZES.  Memory checkers shall see each block by itself. */
static unsigned pool_place(size_t total)
{
	unsigned place = 0;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return POOL_SIZES;
#endif
	while (place < POOL_SIZES && total != (size_t)ARENA_FIRST << place)
		place++;
	return place;
}

static void pool_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&pool.busy, memory_order_acquire))
		sched_yield(); /* whoever holds it has a few instructions to go */
}

static void pool_unlock(void)
{
	atomic_flag_clear_explicit(&pool.busy, memory_order_release);
}

static struct arena_block *block_new(size_t total)
{
	unsigned place = pool_place(total);
	struct arena_block *block = NULL;

	if (place < POOL_SIZES) {
		pool_lock();
		block = pool.blocks[place];
		if (block) {
			pool.blocks[place] = block->older;
			pool.count[place]--;
		}
		pool_unlock();
	}
	return block ? block : xmalloc(total);
}

static void block_free(struct arena_block *block)
{
	unsigned place = pool_place(block->size + sizeof(*block));

	if (place < POOL_SIZES) {
		pool_lock();
		if (pool.count[place] < POOL_BLOCKS) {
			block->older = pool.blocks[place];
			pool.blocks[place] = block;
			pool.count[place]++;
			block = NULL;
		}
		pool_unlock();
	}
	free(block);
}

/* The next block of an arena, with room for at least size bytes. */
static struct arena_block *arena_grow(struct arena *arena, size_t size)
{
	size_t total = ARENA_FIRST;
	struct arena_block *block;

	if (arena->block) {
		total = (arena->block->size + sizeof(*block)) * 2;
		total = total < ARENA_MOST ? total : ARENA_MOST;
	}
	if (size > SIZE_MAX / 2)
		out_of_memory();
	if (total < size + sizeof(*block))
		total = size + sizeof(*block);
	block = block_new(total);
	block->older = arena->block;
	block->used = 0;
	block->size = total - sizeof(*block);
	arena->block = block;
	return block;
}

/* Not zeroed.  The size is kept as asked for where memory checkers can see what lies behind it. */
static void *arena_take(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->block;
	const size_t align = alignof(max_align_t);
	size_t start;

	if (block) {
		start = (block->used + align - 1) & ~(align - 1);
		if (start <= block->size && size <= block->size - start) {
			block->used = start + size;
			return block->data + start;
		}
	}
	block = arena_grow(arena, size);
	block->used = size;
	return block->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p = arena_take(arena, size);

	memset(p, 0, size);
	return p;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_memdup(arena, text, strlen(text)) : NULL;
}

char *arena_memdup(struct arena *arena, const void *data, size_t len)
{
	char *copy = arena_take(arena, len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	len = len < 0 ? 0 : len;
	text = arena_take(arena, (size_t)len + 1);
	text[0] = '\0';
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	return text;
}

struct bytes arena_bytes(struct arena *arena, const void *data, size_t len)
{
	return (struct bytes){ arena_memdup(arena, data, len), len };
}

void arena_free(struct arena *arena)
{
	struct arena_block *block = arena->block, *older;

	for (; block; block = older) {
		older = block->older;
		block_free(block);
	}
	arena->block = NULL;
}

static struct {
	uint64_t key[2];
	unsigned node;
	atomic_uint_least64_t
		last; /* milliseconds of the last serial << COUNTER_BITS | its counter */
} ids;

enum { NODE_BITS = 10, COUNTER_BITS = 12 };
static const int64_t ID_EPOCH_MS = 1577836800000; /* 2020-01-01T00:00:00Z */

static uint64_t rotl(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

/* SipHash-2-4. */
static uint64_t siphash(const uint64_t key[static 2], const char *data, size_t len)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
			  key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		word |= (uint64_t)(unsigned char)data[i] << (i % 8 * 8);
		if (i % 8 != 7)
			continue;
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
		word = 0;
	}
	word |= (uint64_t)len << 56;
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void id_init(uint64_t secret, unsigned node)
{
	static const uint64_t own[2] = { 0 };

	ids.key[0] = secret;
	ids.key[1] = siphash(own, (const char *)&secret, sizeof(secret));
	ids.node = node & ((1u << NODE_BITS) - 1);
}

int64_t id_serial_at(int64_t ms)
{
	return ms > ID_EPOCH_MS ? (ms - ID_EPOCH_MS) << (COUNTER_BITS + NODE_BITS) : 0;
}

struct id id_new(const char *citizen)
{
	int64_t ms = clock_now_ms() - ID_EPOCH_MS;
	uint64_t now = (uint64_t)(ms > 0 ? ms : 0) << COUNTER_BITS;
	uint64_t last = atomic_load_explicit(&ids.last, memory_order_relaxed), next;

	/* Where the counter of this millisecond is used up, adding one goes on in the next; a clock that was set back
	 * waits for the serials to be overtaken. */
	do {
		next = now > last ? now : last + 1;
	} while (!atomic_compare_exchange_weak_explicit(
		&ids.last, &last, next, memory_order_relaxed, memory_order_relaxed));
	return (struct id){
		.shard = siphash(ids.key, citizen, strlen(citizen)),
		.serial = (int64_t)(next >> COUNTER_BITS << (COUNTER_BITS + NODE_BITS) |
				    (uint64_t)ids.node << COUNTER_BITS |
				    (next & ((1u << COUNTER_BITS) - 1))),
	};
}

void id_format(struct id id, char out[static ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t serial = (uint64_t)id.serial;
	int i;

	for (i = 0; i < 16; i++) {
		out[i] = digits[id.shard >> (60 - 4 * i) & 15];
		out[16 + i] = digits[serial >> (60 - 4 * i) & 15];
	}
	out[32] = '\0';
}

static bool parse_hex(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	int i;

	for (i = 0; i < 16; i++) {
		if (text[i] >= '0' && text[i] <= '9')
			value = value << 4 | (uint64_t)(text[i] - '0');
		else if (text[i] >= 'a' && text[i] <= 'f')
			value = value << 4 | (uint64_t)(text[i] - 'a' + 10);
		else
			return false; /* a NUL too: nothing is read behind it */
	}
	*out = value;
	return true;
}

bool id_parse(const char *text, struct id *out)
{
	uint64_t shard, serial;

	if (!parse_hex(text, &shard) || !parse_hex(text + 16, &serial) || text[32] != '\0' ||
	    serial == 0)
		return false;
	*out = (struct id){ .shard = shard, .serial = (int64_t)serial };
	return true;
}
