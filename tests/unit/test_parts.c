/* test_parts.c - parts of long messages: any order, repeats, cut characters, what never becomes
 * whole. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "parts.h"

enum { HOUR = 3600 };

static struct arena arena;
static struct part_row rows[32];
static unsigned row_count;
static struct inbound joined;

static void reset(void)
{
	arena_free(&arena);
	row_count = 0;
}

TestSuite(parts, .init = reset, .fini = reset);

static struct inbound part_of(unsigned ref, unsigned number, unsigned total, const char *id,
			      const char *text)
{
	return (struct inbound){
		.connection = "k1",
		.from = "+6281200000001",
		.to = "2020",
		.provider_id = id,
		.text = { text, strlen(text) },
		.time = 100 + number,
		.network = "",
		.meta = "",
		.session = "",
		.part_ref = ref,
		.part_number = number,
		.part_total = total,
	};
}

static enum parts_result add(struct inbound part, int64_t now)
{
	enum parts_result result = parts_add(rows, row_count, &part, &arena, &joined);

	if (result == PARTS_WAIT)
		rows[row_count++] = (struct part_row){ .msg = part, .arrived = now };
	return result;
}

static void wide(struct inbound *part, const char *bytes, size_t len)
{
	part->part_coding = PART_UCS2;
	part->text = (struct bytes){ bytes, len };
}

Test(parts, join_in_the_order_of_their_numbers_whatever_the_order_of_arrival)
{
	cr_expect(eq(int, add(part_of(7, 3, 3, "c", "tiga"), 0), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(7, 1, 3, "a", "satu "), 0), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(7, 2, 3, "b", "dua "), 0), PARTS_JOINED));
	cr_expect(eq(str, (char *)joined.text.data, "satu dua tiga"));
	cr_expect(eq(str, (char *)joined.provider_id, "a"));
	cr_expect(eq(i64, joined.time, 101));
	cr_expect(eq(u32, joined.part_total, 0));
}

Test(parts, a_repeated_part_changes_nothing)
{
	cr_expect(eq(int, add(part_of(7, 1, 2, "a", "satu "), 0), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(7, 1, 2, "a", "satu "), 5), PARTS_REPEATED));
	cr_expect(eq(int, add(part_of(7, 1, 2, "other", "satu "), 5), PARTS_REPEATED));
	cr_expect(eq(int, add(part_of(7, 2, 2, "b", "dua"), 9), PARTS_JOINED));
	cr_expect(eq(str, (char *)joined.text.data, "satu dua"));
}

Test(parts, of_two_senders_or_recipients_do_not_mix)
{
	struct inbound other = part_of(7, 2, 2, "b", "dua");

	cr_expect(eq(int, add(part_of(7, 1, 2, "a", "satu"), 0), PARTS_WAIT));
	other.to = "3030";
	cr_expect(eq(int, add(other, 0), PARTS_WAIT));
	other.to = "2020";
	other.from = "+6281200000002";
	cr_expect(eq(int, add(other, 0), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(8, 2, 2, "c", "dua"), 0), PARTS_WAIT), "another reference");
	cr_expect(eq(int, add(part_of(7, 2, 3, "d", "dua"), 0), PARTS_WAIT), "another total");
}

Test(parts, a_character_cut_in_two_is_whole_again)
{
	struct inbound first = part_of(7, 1, 2, "a", ""), second = part_of(7, 2, 2, "b", "");

	wide(&first, "\0H\0i\xd8\x3d", 6);
	wide(&second, "\xde\0\0!", 4);
	cr_expect(eq(int, add(second, 0), PARTS_WAIT));
	cr_expect(eq(int, add(first, 0), PARTS_JOINED));
	cr_expect(eq(str, (char *)joined.text.data, "Hi\xf0\x9f\x98\x80!"));
	cr_expect(eq(int, joined.part_coding, PART_TEXT));
}

Test(parts, of_two_codings_are_decoded_each)
{
	struct inbound second = part_of(7, 2, 2, "b", "");

	wide(&second, "\x04\x1f", 2);
	cr_expect(eq(int, add(part_of(7, 1, 2, "a", "x"), 0), PARTS_WAIT));
	cr_expect(eq(int, add(second, 0), PARTS_JOINED));
	cr_expect(eq(str, (char *)joined.text.data, "x\xd0\x9f"));
}

Test(parts, what_never_became_whole_is_given_up_after_a_day)
{
	struct part_key key;

	cr_expect(eq(int, add(part_of(7, 2, 3, "b", "dua "), 0), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(7, 3, 3, "c", "tiga"), HOUR), PARTS_WAIT));
	cr_expect(not(parts_give_up(rows, row_count, NULL, 24 * HOUR - 1, &arena, &key, &joined)));
	cr_assert(parts_give_up(rows, row_count, NULL, 24 * HOUR, &arena, &key, &joined));
	cr_expect(eq(str, (char *)joined.text.data, "dua tiga"));
	cr_expect(eq(str, (char *)joined.provider_id, "b"));
	cr_expect(eq(u32, key.ref, 7));
	cr_expect(eq(u32, key.total, 3));
}

Test(parts, a_fifth_open_message_makes_the_oldest_go_as_it_is)
{
	struct part_key key;
	struct inbound fifth = part_of(5, 1, 2, "5", "lima");

	cr_expect(eq(int, add(part_of(1, 1, 2, "1", "satu"), 40), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(2, 1, 2, "2", "dua"), 10), PARTS_WAIT));
	cr_expect(eq(int, add(part_of(3, 1, 2, "3", "tiga"), 20), PARTS_WAIT));
	cr_expect(not(parts_give_up(rows, row_count, &fifth, 50, &arena, &key, &joined)));
	cr_expect(eq(int, add(part_of(4, 1, 2, "4", "empat"), 30), PARTS_WAIT));
	cr_assert(parts_give_up(rows, row_count, &fifth, 50, &arena, &key, &joined));
	cr_expect(eq(u32, key.ref, 2));
	cr_expect(eq(str, (char *)joined.text.data, "dua"));
}

Test(parts, a_reference_used_again_for_another_message_gives_the_first_up)
{
	struct part_key key;
	struct inbound again = part_of(7, 1, 2, "z", "lain "),
		       same = part_of(7, 1, 2, "a", "satu ");

	cr_expect(eq(int, add(part_of(7, 1, 2, "a", "satu "), 0), PARTS_WAIT));
	cr_expect(not(parts_give_up(rows, row_count, &same, 9, &arena, &key, &joined)));
	cr_assert(parts_give_up(rows, row_count, &again, 9, &arena, &key, &joined));
	cr_expect(eq(str, (char *)joined.text.data, "satu "));
}
