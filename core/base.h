/* base.h - the few words that every module shares.
 *
 * Running out of memory within our stated bounds aborts (x*alloc): what we accepted is stored, so a
 * restart loses nothing, and no code path exists that is never tested.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Memory that is there or the program ends.  Ownership: the caller frees with free(). */
void *xmalloc(size_t size) MUST_CHECK;
void *xcalloc(size_t count, size_t size) MUST_CHECK;
void *xrealloc(void *old, size_t size) MUST_CHECK;
char *xstrdup(const char *text) MUST_CHECK;
void *xmemdup(const void *data, size_t len) MUST_CHECK; /* one NUL is added behind the copy */

/* Bytes with a length: may hold NUL, and is not necessarily ended by one unless a comment says so. */
struct bytes {
	const char *data;
	size_t len;
};

/* A buffer that grows.  Zeroed is empty; always has a NUL behind its last byte once anything was added. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_addstr(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_reset(struct buf *buf); /* empty, memory kept */
void buf_free(struct buf *buf);  /* empty, memory given back */

/* Memory that is given back all at once: what belongs to one step or one request.  Zeroed is empty. */
struct arena {
	struct arena_block *block; /* owned; newest first */
};
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK; /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *text) MUST_CHECK; /* NULL gives NULL */
char *arena_memdup(struct arena *arena, const void *data,
		   size_t len) MUST_CHECK; /* a NUL is added */
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
struct bytes arena_bytes(struct arena *arena, const void *data, size_t len) MUST_CHECK;
void arena_free(struct arena *arena);

/* Names a message or a dialog, ours.  shard is a keyed hash of the citizen, so that a row can be found
 * with its citizen's other rows without naming the number; serial rises with time and is unique in a store. */
struct id {
	uint64_t shard;
	int64_t serial; /* 0: no id */
};
enum { ID_TEXT_SIZE = 33 }; /* 32 hexadecimal digits and a NUL */
void id_format(struct id id, char out[static ID_TEXT_SIZE]);
bool id_parse(const char *text,
	      struct id *out) MUST_CHECK; /* false: not exactly 32 lower-case digits */
int64_t
id_serial_at(int64_t ms); /* what is made from that moment on (UTC) has a serial above, or equal */
struct id id_new(const char *citizen); /* thread-safe; unique in this process and over restarts */
void id_init(uint64_t secret,
	     unsigned node); /* before any other call; node 0..1023, secret from the store */
