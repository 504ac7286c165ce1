/* test_screen.c - long texts in pages: what fits, where a page breaks, that nothing is lost. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "gsm7.h"
#include "screen.h"

static const struct screen_rule ussd = { .chars = 60, .more = "98 Lanjut", .back = "0 Kembali" };
static const struct screen_rule wider = { .chars = 100,
					  .more = "98 Lanjut",
					  .back = "0 Kembali" }; /* 44 units of UCS-2 */
static const struct screen_rule sms = { .segments = 3, .more = "(Balas LANJUT)", .back = "" };
static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(screen, .fini = clear);

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

static char *page_of(const char *text, unsigned page, const struct screen_rule *rule)
{
	struct bytes out = screen_page(&arena, text_of(text), page, rule);

	return arena_memdup(&arena, out.data, out.len);
}

static char *repeated(const char *what, unsigned times)
{
	struct buf buf = { 0 };
	char *out;

	while (times-- > 0)
		buf_addstr(&buf, what);
	out = arena_strdup(&arena, buf.data);
	buf_free(&buf);
	return out;
}

/* Takes the blanks and the given lines out, so that pages and text can be compared. */
static void add_bare(struct buf *buf, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(" \n\r\t", text.data[i]))
			buf_add(buf, text.data + i, 1);
	}
}

static struct bytes without_line(struct bytes page, const char *line)
{
	size_t len = strlen(line);

	cr_expect(page.len >= len && memcmp(page.data + page.len - len, line, len) == 0,
		  "%.*s lacks %s", (int)page.len, page.data, line);
	page.len -= len;
	return page;
}

static void expect_whole(const char *text, const struct screen_rule *rule)
{
	unsigned count = screen_count(text_of(text), rule);
	struct buf pages = { 0 }, whole = { 0 };

	add_bare(&whole, text_of(text));
	for (unsigned i = 0; i < count; i++) {
		struct bytes page = screen_page(&arena, text_of(text), i, rule);
		struct text_size size = gsm7_size(page, NULL, 0);

		if (rule->chars)
			cr_expect(size.units <= gsm7_ussd_room(size.coding, rule->chars), "%.*s",
				  (int)page.len, page.data);
		else
			cr_expect(size.segments <= rule->segments, "%.*s", (int)page.len,
				  page.data);
		if (i > 0 && rule->back[0])
			page = without_line(page, rule->back);
		while (page.len > 0 && page.data[page.len - 1] == '\n')
			page.len--;
		if (i + 1 < count)
			page = without_line(page, rule->more);
		add_bare(&pages, page);
	}
	cr_expect(eq(sz, pages.len, whole.len));
	cr_expect(pages.len == whole.len && memcmp(pages.data, whole.data, whole.len) == 0);
	buf_free(&pages);
	buf_free(&whole);
}

Test(screen, a_text_that_fits_is_one_page_as_it_is)
{
	static const char *const texts[] = { "", " ", "Halo", "Puas?\n1 Ya\n2 Tidak\n",
					     "  blanks stay  " };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cr_expect(eq(u32, screen_count(text_of(texts[i]), &ussd), 1));
		cr_expect(eq(str, page_of(texts[i], 0, &ussd), (char *)texts[i]));
		cr_expect(eq(str, page_of(texts[i], 7, &sms), (char *)texts[i]));
	}
}

Test(screen, pages_break_between_words_and_say_how_to_go_on)
{
	const char *text = "Pelayanan surat pengantar dibuka setiap hari kerja dari jam delapan "
			   "pagi sampai jam tiga sore di balai desa.";

	cr_expect(eq(u32, screen_count(text_of(text), &ussd), 3));
	cr_expect(eq(str, page_of(text, 0, &ussd),
		     "Pelayanan surat pengantar dibuka setiap hari kerja\n98 Lanjut"));
	cr_expect(eq(str, page_of(text, 1, &ussd),
		     "dari jam delapan pagi sampai jam tiga\n98 Lanjut\n0 Kembali"));
	cr_expect(eq(str, page_of(text, 2, &ussd), "sore di balai desa.\n0 Kembali"));
	cr_expect(eq(str, page_of(text, 9, &ussd), "sore di balai desa.\n0 Kembali"));
	expect_whole(text, &ussd);
}

Test(screen, a_page_never_ends_inside_a_line_that_offers_an_answer)
{
	const char *text = "Tentang apa?\n1 Jalan dan jembatan\n2 Lampu jalan umum\n3. Air "
			   "bersih\n4) Sampah dan lingkungan";

	cr_expect(
		eq(str, page_of(text, 0, &ussd), "Tentang apa?\n1 Jalan dan jembatan\n98 Lanjut"));
	cr_expect(eq(str, page_of(text, 1, &ussd),
		     "2 Lampu jalan umum\n3. Air bersih\n98 Lanjut\n0 Kembali"));
	cr_expect(eq(str, page_of(text, 2, &ussd), "4) Sampah dan lingkungan\n0 Kembali"));
	expect_whole(text, &ussd);
}

Test(screen, a_question_stays_with_its_answers_where_one_page_holds_them)
{
	const char *text =
		"Terima kasih, laporan Anda kami terima.\nApakah Anda puas?\n1 Ya\n2 Tidak";

	cr_expect(eq(u32, screen_count(text_of(text), &ussd), 2));
	cr_expect(eq(str, page_of(text, 0, &ussd),
		     "Terima kasih, laporan Anda kami terima.\n98 Lanjut"));
	cr_expect(eq(str, page_of(text, 1, &ussd), "Apakah Anda puas?\n1 Ya\n2 Tidak\n0 Kembali"));
}

Test(screen, a_break_inside_the_question_moves_before_it)
{
	const char *text = "Laporan diterima.\nApakah Anda puas dengan layanan?\n1 Ya\n2 Tidak";

	cr_expect(eq(str, page_of(text, 0, &ussd), "Laporan diterima.\n98 Lanjut"));
	cr_expect(eq(str, page_of(text, 1, &ussd),
		     "Apakah Anda puas dengan layanan?\n1 Ya\n2 Tidak\n0 Kembali"));
}

Test(screen, an_answer_longer_than_a_screen_breaks_between_words)
{
	const char *text = "Pilih:\n1 Surat keterangan usaha untuk warga yang baru pindah dari "
			   "luar kabupaten\n2 Lain";

	cr_expect(eq(str, page_of(text, 0, &ussd), "Pilih:\n98 Lanjut"));
	expect_whole(text, &ussd);
}

Test(screen, a_word_longer_than_a_screen_is_cut_between_characters)
{
	expect_whole(repeated("a", 200), &ussd);
	expect_whole(repeated("\u20ac", 200), &ussd);
	expect_whole(repeated("\U0001f600", 100), &wider);
	cr_expect(eq(u32, screen_count(text_of(repeated("\u20ac", 50)), &ussd),
		     2)); /* 50 septets each, and 10 of a hint */
	cr_expect(eq(u32, screen_count(text_of(repeated("\u20ac", 51)), &ussd), 3));
}

Test(screen, what_belongs_to_one_character_is_not_parted)
{
	const struct screen_rule narrow = { .chars = 40, .more = "", .back = "" }; /* 17 units */
	const char *text = repeated("e\u0301", 30);

	for (unsigned i = 0; i < screen_count(text_of(text), &narrow); i++) {
		struct bytes page = screen_page(&arena, text_of(text), i, &narrow);

		cr_expect(eq(chr, page.data[0], 'e'));
		cr_expect(eq(sz, page.len % 3, 0));
	}
}

Test(screen, a_page_with_another_alphabet_is_shorter_than_its_neighbours)
{
	const char *text = "\ua98f\ua98f\ua98f satu dua tiga empat lima enam tujuh delapan "
			   "sembilan sepuluh sebelas dua belas tiga belas "
			   "empat belas lima belas enam belas tujuh belas delapan belas";
	struct bytes first = screen_page(&arena, text_of(text), 0, &wider),
		     second = screen_page(&arena, text_of(text), 1, &wider);

	cr_expect(eq(int, gsm7_size(first, NULL, 0).coding, CODING_UCS2));
	cr_expect(eq(int, gsm7_size(second, NULL, 0).coding, CODING_GSM7));
	cr_expect(le(u32, gsm7_size(first, NULL, 0).units, 44));
	cr_expect(gt(u32, gsm7_size(second, NULL, 0).units, 80));
	expect_whole(text, &wider);
}

Test(screen, an_sms_of_more_than_three_segments_is_paged)
{
	const char *fits = repeated("lima ", 459 / 5);
	const char *text = repeated("Warga yang terhormat. ", 40);

	cr_expect(eq(u32, screen_count(text_of(fits), &sms), 1));
	cr_expect(eq(u32, screen_count(text_of(text), &sms), 2));
	cr_expect(strstr(page_of(text, 0, &sms), "\n(Balas LANJUT)") != NULL);
	cr_expect(strstr(page_of(text, 1, &sms), "(Balas LANJUT)") == NULL);
	expect_whole(text, &sms);
}

Test(screen, pages_of_long_texts_lose_nothing_at_any_width)
{
	const char *text = repeated(
		"Desa Contoh: 12 jalan, 3 jembatan [rusak]\n1 Ya \u20ac\n2 Tidak  \n\n", 12);
	struct screen_rule rule = ussd;

	for (rule.chars = 40; rule.chars <= 182; rule.chars++)
		expect_whole(text, &rule);
	for (rule = sms; rule.segments >= 1; rule.segments--)
		expect_whole(text, &rule);
}

Test(screen, hints_that_would_take_most_of_a_page_are_left_out)
{
	const char *text = "satu dua tiga empat lima enam tujuh";
	struct screen_rule narrow = { .chars = 30, .more = "98 Lanjut", .back = "0 Kembali" };

	cr_expect(eq(str, page_of(text, 0, &narrow), "satu dua tiga empat\n98 Lanjut"));
	cr_expect(eq(str, page_of(text, 1, &narrow), "lima enam tujuh"));
	narrow.chars = 15;
	cr_expect(eq(str, page_of(text, 0, &narrow), "satu dua tiga"));
}

Test(screen, a_page_without_room_still_goes_on)
{
	const struct screen_rule impossible = { .chars = 1,
						.more = "98 Lanjut",
						.back = "0 Kembali" };

	cr_expect(eq(u32, screen_count(text_of("\u044f\u044f\u044f"), &impossible), 3));
}
