/* test_base.c - memory, buffers, arenas and ids. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"

static const int64_t NOON = 1795521600000; /* 2026-11-24T12:00:00Z */

Test(buf, grows_and_always_ends_in_a_nul)
{
	struct buf buf = { 0 };
	int i;

	for (i = 0; i < 1000; i++)
		buf_addf(&buf, "%d,", i % 10);
	buf_add(&buf, "\0x", 2);
	buf_addstr(&buf, "end");
	cr_expect(eq(sz, buf.len, 2005));
	cr_expect(eq(str, buf.data + 2002, "end"));
	cr_expect(eq(chr, buf.data[2000], '\0'));
	buf_free(&buf);
	cr_expect(eq(ptr, buf.data, NULL));
}

Test(buf, adding_nothing_gives_an_empty_text)
{
	struct buf buf = { 0 };

	buf_add(&buf, NULL, 0);
	cr_expect(eq(str, buf.data, ""));
	buf_addstr(&buf, "words");
	buf_reset(&buf);
	cr_expect(eq(str, buf.data, ""));
	cr_expect(eq(sz, buf.len, 0));
	buf_free(&buf);
}

Test(arena, gives_zeroed_aligned_memory_of_any_size)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 4000, 4096, 5000, 300000, 3 };
	struct arena arena = { 0 };
	size_t i, at;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		unsigned char *p = arena_alloc(&arena, sizes[i]);

		cr_expect(eq(sz, (uintptr_t)p % _Alignof(max_align_t), 0));
		for (at = 0; at < sizes[i]; at++)
			cr_assert(eq(int, p[at], 0));
		memset(p, 0xff, sizes[i]);
	}
	arena_free(&arena);
	cr_expect(eq(ptr, arena.block, NULL));
}

Test(arena, what_it_gave_stays_where_it_was_when_it_grows)
{
	struct arena arena = { 0 };
	char *texts[2000];
	unsigned i;

	for (i = 0; i < ARRAY_LEN(texts); i++)
		texts[i] = arena_printf(&arena, "text %u", i);
	for (i = 0; i < ARRAY_LEN(texts); i++)
		cr_assert(eq(int, atoi(texts[i] + 5), (int)i));
	arena_free(&arena);
}

Test(arena, copies_end_in_a_nul_and_null_gives_null)
{
	struct arena arena = { 0 };
	struct bytes copy = arena_bytes(&arena, "a\0b", 3);

	cr_expect(eq(int, memcmp(copy.data, "a\0b", 4), 0));
	cr_expect(eq(sz, copy.len, 3));
	cr_expect(eq(ptr, arena_strdup(&arena, NULL), NULL));
	cr_expect(eq(str, arena_strdup(&arena, "x"), "x"));
	cr_expect(eq(str, arena_memdup(&arena, NULL, 0), ""));
	arena_free(&arena);
}

Test(id, reads_back_what_it_wrote)
{
	struct id ids[] = {
		{ 0, 1 }, { UINT64_MAX, INT64_MAX }, { 1, -1 }, { 0x0123456789abcdef, 77 }
	};
	char text[ID_TEXT_SIZE];
	struct id back;
	unsigned i;

	for (i = 0; i < ARRAY_LEN(ids); i++) {
		id_format(ids[i], text);
		cr_assert(id_parse(text, &back));
		cr_expect(eq(u64, back.shard, ids[i].shard));
		cr_expect(eq(i64, back.serial, ids[i].serial));
	}
	cr_expect(not(id_parse("00000000000000010000000000000000", &back)), "serial 0 is no id");
	id_format(ids[3], text);
	cr_expect(eq(str, text, "0123456789abcdef000000000000004d"));
}

Test(id, takes_exactly_32_lower_case_digits)
{
	static const char *const wrong[] = {
		"",
		"0",
		"0123456789abcdef000000000000004",
		"0123456789abcdef000000000000004dd",
		"0123456789ABCDEF000000000000004d",
		"0123456789abcdef-00000000000004d",
		" 123456789abcdef000000000000004d",
		"0123456789abcdef000000000000004g",
	};
	struct id id = { 5, 5 };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect(not(id_parse(wrong[i], &id)), "%s", wrong[i]);
	cr_expect(eq(i64, id.serial, 5));
}

Test(id, rises_also_when_the_clock_stands_or_is_set_back)
{
	int64_t last = 0;
	int i;

	clock_fake(NOON);
	for (i = 0; i < 20000; i++) { /* several times a counter */
		struct id id = id_new("+6281234567890");

		cr_assert(gt(i64, id.serial, last));
		last = id.serial;
		if (i == 10000)
			clock_fake(NOON - 60000);
	}
}

Test(id, of_a_clock_before_its_epoch_is_still_an_id)
{
	clock_fake(0);
	cr_expect(gt(i64, id_new("a").serial, 0));
}

Test(id, of_a_moment_divides_what_was_made_before_from_what_is_made_later)
{
	int64_t ms = 1800000000123, serial;

	clock_fake(ms);
	serial = id_new("a").serial;
	cr_expect(ge(i64, serial, id_serial_at(ms)));
	cr_expect(lt(i64, serial, id_serial_at(ms + 1)));
	cr_expect(eq(i64, id_serial_at(0), 0));
}

Test(id, shard_is_the_citizens_and_depends_on_the_secret)
{
	uint64_t first, other;

	id_init(1, 0);
	first = id_new("+6281234567890").shard;
	cr_expect(eq(u64, id_new("+6281234567890").shard, first));
	cr_expect(ne(u64, id_new("+6281234567891").shard, first));
	id_init(2, 0);
	other = id_new("+6281234567890").shard;
	cr_expect(ne(u64, other, first));
}

Test(id, of_two_nodes_never_meet)
{
	struct id a, b;

	clock_fake(NOON);
	id_init(1, 7);
	a = id_new("x");
	id_init(1, 8);
	b = id_new("x");
	cr_expect(eq(i64, a.serial >> 12 & 1023, 7));
	cr_expect(eq(i64, b.serial >> 12 & 1023, 8));
}

enum { THREADS = 4, EACH = 5000 };

static void *make_ids(void *arg)
{
	int64_t *serials = arg;
	int i;

	for (i = 0; i < EACH; i++)
		serials[i] = id_new("x").serial;
	return NULL;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

Test(id, is_unique_over_threads)
{
	static int64_t serials[THREADS * EACH];
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		cr_assert(eq(
			int,
			pthread_create(&threads[i], NULL, make_ids, serials + (ptrdiff_t)i * EACH),
			0));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	qsort(serials, ARRAY_LEN(serials), sizeof(serials[0]), compare);
	for (i = 1; i < THREADS * EACH; i++)
		cr_assert(ne(i64, serials[i], serials[i - 1]));
}
