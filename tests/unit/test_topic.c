/* test_topic.c - what texts without a keyword are about, as tables: problems, questions, news of a report, greetings, talk. */
#include "topic.h"

#include <criterion/criterion.h>
#include <string.h>

#include "topic_table.h"

static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(topic, .fini = clear);

static void expect_all(enum topic topic, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bytes text = { texts[i], strlen(texts[i]) };
		bool sure;

		cr_expect_eq(topic_of(&arena, text, &sure), topic, "'%s' is %d", texts[i],
			     (int)topic_of(&arena, text, &sure));
		cr_expect_eq(topic_is_greeting(&arena, text), topic == TOPIC_GREETING, "'%s'",
			     texts[i]);
	}
}

Test(topic, the_vocabulary_is_in_order)
{
	for (unsigned i = 1; i < topic_words_count; i++)
		cr_expect_lt(strcmp(topic_words[i - 1].word, topic_words[i].word), 0, "%s",
			     topic_words[i].word);
}

Test(topic, what_is_broken_and_a_governments_is_a_problem)
{
	static const char *const texts[] = {
		"jalan desa rusak parah",
		"JALAN DESA RUSAK!!!",
		"lampu pju di gang 3 mati semua",
		"jmbatan rsk prah blm d perbaiki",
		"dalane bodol kabeh pak",
		"margi dusun kulo risak, nyuwun dipun dandosi",
		"petugas loket minta sumbangan",
		"bidan desa tidak pernah di tempat",
		"kapan jalan kami diperbaiki? sudah rusak 2 tahun",
		"kenapa bantuan kami dipotong",
		"saya mau melaporkan jalan ambles",
		"bantuan beras untuk warga miskin dipotong oknum",
		"pju mati hub WA 081000000001",
		"tolong stop pembuangan limbah ke sungai",
	};

	expect_all(TOPIC_PROBLEM, texts, ARRAY_LEN(texts));
}

Test(topic, what_is_asked_about_is_a_question)
{
	static const char *const texts[] = {
		"syarat bikin ktp apa saja",
		"kapan bansos cair",
		"brp harga gabah skrg",
		"harga gabah",
		"jam buka kantor samsat",
		"listrik padam sampai jam berapa", /* broken, but asked about */
		"ktp hilang syaratnya apa",
		"bantuan pkh wis metu durung pak",
		"biaya surat keterangan usaha gratis tidak",
		"hari ini ada dokter gigi di puskesmas?",
		"regane gabah piro saiki",
		"posyandu tanggal pinten nggih",
	};

	expect_all(TOPIC_QUESTION, texts, ARRAY_LEN(texts));
}

Test(topic, what_became_of_a_report_is_asked_for)
{
	static const char *const texts[] = {
		"laporan saya sudah sampai mana",
		"laporan kulo pripun pak kok dereng wonten kabar",
		"aduan saya kemarin belum ada tanggapan",
		"perkembangan aduan saya gimana",
	};

	expect_all(TOPIC_STATUS, texts, ARRAY_LEN(texts));
}

Test(topic, a_greeting_or_thanks_is_one_with_nothing_else)
{
	static const char *const texts[] = {
		"assalamualaikum",
		"Ass. wr. wb.",
		"Selamat pagi pak",
		"pagi \xF0\x9F\x99\x8F",
		"halo",
		"matur nuwun sanget",
		"terima kasih banyak",
		"mksh pak",
		"sugeng enjing",
		"selamat idul fitri",
		"ok siap",
		"tes 123",
		"kulo nuwun",
		"mtr nwn",
		"assalamu'alaikum wr wb",
	};

	expect_all(TOPIC_GREETING, texts, ARRAY_LEN(texts));
}

Test(topic, how_the_service_is_used_is_help)
{
	static const char *const texts[] = {
		"gimana cara lapor",    "tidak tau caranya",   "gak paham maksudnya",
		"saya bingung caranya", "apa saja layanannya",
	};

	expect_all(TOPIC_HELP, texts, ARRAY_LEN(texts));
}

Test(topic, talk_between_friends_and_what_swindlers_send_is_none)
{
	static const char *const texts[] = {
		"",
		"   ",
		"???",
		"\xF0\x9F\x98\x80",
		"asdfgh",
		"sayang udah makan belum",
		"lagi dimana",
		"mas jadi kesini gak nanti sore",
		"Mama minta pulsa 50rb ke nomor baru ini, penting",
		"SELAMAT anda mendapat hadiah dari undian hub 081000000002",
		"Butuh dana cepat? pinjaman tanpa agunan proses 1 jam WA 081000000003",
		"jemput di terminal jam 5 ya sayang",
		"Maaf saya sedang rapat, nanti saya hubungi kembali",
		"dasar maling semua",
	};

	expect_all(TOPIC_NONE, texts, ARRAY_LEN(texts));
}

Test(topic, a_word_is_no_slip_and_a_subject_may_be_glued)
{
	static const char *const words[] = { "kabar",    "laporan", "indo",
					     "jalannya", "smsan2",  "rusak" };
	static const char *const others[] = { "kapor", "lpr", "imfo", "", "zzz" };

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		cr_expect_eq(topic_is_word(words[i]), i != 4, "%s", words[i]);
	for (unsigned i = 0; i < ARRAY_LEN(others); i++)
		cr_expect_not(topic_is_word(others[i]), "%s", others[i]);
	cr_expect(topic_is_subject("ktp"));
	cr_expect(topic_is_subject("harga"));
	cr_expect_not(topic_is_subject("saya"));
	cr_expect(topic_is_courtesy("pak", false));
	cr_expect_not(topic_is_courtesy("bupati", false));
	cr_expect(topic_is_courtesy("bupati", true));
}

Test(topic, any_text_has_one_however_long_or_cut)
{
	char text[2000];
	bool sure;

	for (size_t len = 470; len < 490; len++) {
		for (size_t i = 0; i < len; i++)
			text[i] = "\xC3\xA9"[i % 2];
		topic_of(&arena, (struct bytes){ text, len & ~(size_t)1 }, &sure);
	}
	memset(text, 'x', sizeof(text));
	cr_expect_eq(topic_of(&arena, (struct bytes){ text, sizeof(text) }, &sure), TOPIC_NONE);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "rusak "[i % 6];
	topic_of(&arena, (struct bytes){ text, sizeof(text) }, &sure);
}
