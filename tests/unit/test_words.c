/* test_words.c - stop, start, help and cancel however they are put, what only looks like them, and
 * keywords. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "csv.h"
#include "words.h"
#include "words_table.h"

static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(words, .fini = clear);

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

static void expect_all(enum word word, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cr_expect(eq(int, words_whole(text_of(texts[i])), word), "'%s'", texts[i]);
}

Test(words, the_vocabulary_is_in_order)
{
	for (unsigned i = 0; i < words_table_count; i++) {
		cr_expect(i == 0 || strcmp(words_table[i - 1].word, words_table[i].word) < 0, "%s",
			  words_table[i].word);
		cr_expect(ne(u64, words_table[i].classes, 0));
	}
}

Test(words, a_stop_is_one_however_it_is_put)
{
	static const char *const texts[] = {
		"STOP",
		"stop",
		" Stop. ",
		"\"STOP\"",
		"*STOP*",
		"stop!!!",
		"stoppp",
		"ST0P",
		"ＳＴＯＰ！",
		"STOP\n",
		"stop 🙏",
		"STOP PLEASE",
		"please stop",
		"tolong stop ya pak",
		"mohon berhenti min",
		"Berhenti!",
		"BERHENTI",
		"berhentii",
		"setop",
		"UNREG",
		"unreg all",
		"UNREG ALL.",
		"UNREG BOLA",
		"UNREG#LAPOR",
		"unreg info harga",
		"KELUAR",
		"saya mau keluar",
		"MANDEG",
		"mandheg",
		"STOPALL",
		"STOP ALL",
		"Unsubscribe",
		"CANCEL",
		"END",
		"QUIT",
		"OPTOUT",
		"opt out",
		"opt-out",
		"REMOVE",
		"REVOKE",
		"ARRET",
		"Arrêt",
		"STOP SURVEI",
		"survei stop",
		"sms nya stop",
		"stop sms promo",
		"hentikan sms ini",
		"berhenti langganan",
		"qtop",
		"sotp",
		"jangan kirim sms lagi",
		"jgn sms saya",
		"don't text me",
		"do not text me again",
		"no more texts",
		"hapus nomor hp saya",
		"keluarkan saya dari grup",
		"remove me from this list please",
		"gausah sms lagi",
		"tidak mau terima sms lagi",
		"aja sms maneh",
		"mboten purun dipun sms malih",
		"stop, terima kasih",
		"Assalamualaikum, tolong stop sms",
		"sudah stop saja",
		"batal langganan",
		"S T O P",
		"sto",
		"unrek",
		"stop.stop.stop",
		"gak usah kirim2 sms lagi",
		"gak usah sms2 lagi",
		"nomor saya tolong dihapus",
		"hapus nomerku",
		"mandek",
		"leren sms",
		"stop sms survei ini, mengganggu",
		"males jawab, stop",
		"saya gak mau dapat sms kayak gini",
		"udah jangan sms terus pusing saya",
		"tolong jangan kirim sms undian lagi",
		"STOP, saya tidak kenal nomor ini",
		"do not send me any more messages",
	};

	expect_all(WORD_STOP, texts, ARRAY_LEN(texts));
}

Test(words, what_only_sounds_like_stop_is_not_one)
{
	static const char *const texts[] = {
		"stop kontak",
		"stop kontak rusak",
		"lampu stopan mati",
		"bis tidak berhenti di halte",
		"minta ampun",
		"jangan berhenti",
		"jangan stop sms",
		"tidak mau berhenti",
		"sudah berhenti",
		"air tidak keluar",
		"air keluar",
		"keluar masuk desa",
		"stok",
		"stor",
		"spot",
		"step",
		"kelar",
		"terhenti",
		"tidak",
		"tidak mau",
		"jangan",
		"jangan kirim",
		"ga usah",
		"emoh",
		"ampun",
		"cukup",
		"sudah cukup",
		"hapus",
		"hapus data",
		"no sms saya",
		"terima kasih",
		"LAPOR STOP kontak di balai desa rusak",
		"ya",
		"siap",
		"sms aja",
		"the end of the road",
		"how do you stop the flood",
		"tolong stop pembuangan limbah",
		"tolong hentikan penebangan liar di hutan",
		"jangan ada lagi pungli di sekolah",
		"jangan kirim truk lagi ke jalan kami",
		"stop bullying di sekolah kami",
		"stop! ada maling",
		"STOP pungli pak",
		"hapus pungutan parkir liar di pasar",
		"keluar masuk truk pasir bikin jalan hancur",
		"bantuan blt kapan keluar",
		"jangan sampai telat kirim pupuk",
		"tidak mau antri",
		"petugas tidak mau menerima berkas saya",
		"sms dari desa tidak masuk",
		"stan",
		"top",
		"sop",
		"jangan lupa besok rapat rt jam 7",
		"hp saya hilang tolong hapus",
	};

	expect_all(WORD_NONE, texts, ARRAY_LEN(texts));
}

Test(words, not_wanting_to_take_part_is_a_stop_or_a_no)
{
	static const char *const texts[] = { "tidak mau ikut survei",
					     "saya gak mau ikut survei ini", "emoh melu survei" };

	expect_all(WORD_DECLINE, texts, ARRAY_LEN(texts));
}

Test(words, help_is_a_word_or_a_question_about_the_service)
{
	static const char *const texts[] = {
		"BANTUAN",
		"bantuan.",
		"HELP",
		"MENU",
		"menu utama",
		"petunjuk",
		"?",
		" ?? ",
		"INFO",
		"info?",
		"BANTUAN LAPOR",
		"help please",
		"bantuann",
		"cara lapor gimana",
		"format sms nya bagaimana",
		"carane piye pak",
		"ini nomor siapa",
		"niki sinten",
		"maksudnya?",
		"apakah sms ini gratis",
		"kena pulsa tidak sms ini",
		"how do i report",
		"HELP ME",
		"cara berhenti",
	};

	expect_all(WORD_HELP, texts, ARRAY_LEN(texts));
}

Test(words, aid_and_information_are_not_help)
{
	static const char *const texts[] = {
		"bantuan beras",
		"info bantuan",
		"bantuannya kapan cair",
		"minta bantuan",
		"saya mau bantuan",
		"info jalan",
		"INFO KTP",
		"cara bikin ktp",
		"status laporan saya gimana",
		"biaya surat gratis tidak",
		"apa",
		"gimana",
		"bayar",
		"batuan",
		"tolong",
		"",
		" ",
		".",
		"....",
		"😀",
		"1",
		"08",
		"*123#",
	};

	expect_all(WORD_NONE, texts, ARRAY_LEN(texts));
}

Test(words, start_and_cancel_are_whole_messages_too)
{
	static const char *const starts[] = {
		"START",    "MULAI",  "mulai lagi",         "mulai terima sms lagi",
		"Mulai ya", "UNSTOP", "saya mau mulai lagi"
	};
	static const char *const cancels[] = { "BATAL", "batal pak", "Batalkan!", "batal survei",
					       "batal dulu" };
	static const char *const neither[] = { "YES", "mulai survei", "mulai jam berapa",
					       "jalan batal diperbaiki", "jangan dibatalkan" };

	expect_all(WORD_START, starts, ARRAY_LEN(starts));
	expect_all(WORD_CANCEL, cancels, ARRAY_LEN(cancels));
	expect_all(WORD_NONE, neither, ARRAY_LEN(neither));
}

/* What a text of the corpus may be read as. */
static bool is_right(const struct csv *csv, enum word word)
{
	const char *intent = csv_column(csv, "intent"), *note = csv_column(csv, "note");

	if (strcmp(intent, "stop") == 0)
		return word == WORD_STOP ||
		       (word == WORD_CANCEL && strstr(note, "ambiguous-cancel"));
	if (strcmp(intent, "help") == 0)
		return word == WORD_HELP;
	if (strcmp(csv_column(csv, "keyword"), "INFO") == 0 &&
	    strcmp(csv_column(csv, "argument"), "?") == 0)
		return word == WORD_NONE || word == WORD_HELP; /* INFO alone */
	return word == (strstr(note, "resubscribe") ? WORD_START : WORD_NONE);
}

Test(words, the_corpus_is_read_as_it_is_labelled)
{
	struct csv *csv = csv_open(csv_path("sms-corpus.csv"));
	unsigned rows = 0;

	cr_assert(csv != NULL, "%s", csv_path("sms-corpus.csv"));
	while (csv_next(csv)) {
		const char *text = csv_column(csv, "text");
		enum word word = words_whole(text_of(text));

		cr_expect(is_right(csv, word), "%s '%s' is read as %d", csv_column(csv, "id"), text,
			  (int)word);
		rows++;
	}
	csv_close(csv);
	cr_expect(gt(u32, rows, 340));
}

Test(words, long_texts_and_broken_ends_are_none)
{
	char text[4096];

	memset(text, 'a', sizeof(text));
	cr_expect(eq(int, words_whole((struct bytes){ text, sizeof(text) }), WORD_NONE));
	cr_expect(eq(int, words_whole((struct bytes){ text, 200 }), WORD_NONE));
	for (size_t i = 0; i < sizeof(text); i += 5)
		memcpy(text + i, "stop ", sizeof(text) - i < 5 ? sizeof(text) - i : 5);
	cr_expect(eq(int, words_whole((struct bytes){ text, 200 }), WORD_NONE));
	cr_expect(eq(int, words_whole((struct bytes){ text, 20 }), WORD_STOP));
	cr_expect(eq(int, words_whole((struct bytes){ text, 4 }), WORD_STOP));
	cr_expect(eq(int, words_whole((struct bytes){ text, 2 }), WORD_NONE));
}

Test(words, a_keyword_ends_at_a_blank_or_a_mark)
{
	static const struct {
		const char *text, *keyword, *rest;
	} cases[] = {
		{ "LAPOR jalan rusak", "LAPOR", "jalan rusak" },
		{ "  lapor\njalan\nrusak \n", "LAPOR", "jalan\nrusak" },
		{ "LAPOR#jalan rusak#Ds Contoh", "LAPOR", "jalan rusak#Ds Contoh" },
		{ "Lapor - bak penuh", "LAPOR", "bak penuh" },
		{ "info.posyandu.desa", "INFO", "posyandu.desa" },
		{ "LAPOR: , jalan", "LAPOR", "jalan" },
		{ "CEK=1042", "CEK", "1042" },
		{ "CEK_1042", "CEK", "1042" },
		{ "CEK/1042", "CEK", "1042" },
		{ "lapor*lampu mati*rt 5", "LAPOR", "lampu mati*rt 5" },
		{ "#LAPOR# jalan", "LAPOR", "jalan" },
		{ "\"LAPOR\" jalan", "LAPOR", "jalan" },
		{ "LAPOR! (jalan)", "LAPOR", "(jalan)" },
		{ "ＬＡＰＯＲ：　jalan", "LAPOR", "jalan" },
		{ "lapor\u00a0–\u00a0jalan", "LAPOR", "jalan" },
		{ "café au lait", "CAFÉ", "au lait" },
		{ "SURVEI", "SURVEI", "" },
		{ "SURVEI.", "SURVEI", "" },
		{ "1", "1", "" },
		{ "?", "", "?" },
		{ " !! ", "", "!!" },
		{ "", "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *keyword;
		struct bytes rest;

		words_split(&arena, text_of(cases[i].text), &keyword, &rest);
		cr_expect(eq(str, (char *)keyword, (char *)cases[i].keyword));
		cr_expect(
			eq(str, arena_memdup(&arena, rest.data, rest.len), (char *)cases[i].rest));
		cr_expect(rest.data >= cases[i].text &&
			  rest.data <= cases[i].text + strlen(cases[i].text));
	}
}

Test(words, the_way_through_a_dialog_is_said_by_the_whole_message)
{
	static const struct {
		const char *text;
		enum way way;
		const char *language;
	} cases[] = {
		{ "KEMBALI", WAY_BACK, "" },
		{ " kembali. ", WAY_BACK, "" },
		{ "tolong kembali ya pak", WAY_BACK, "" },
		{ "Wangsul", WAY_BACK, "" },
		{ "go back please", WAY_BACK, "" },
		{ "ULANG", WAY_REPEAT, "" },
		{ "ulangi pertanyaan dong", WAY_REPEAT, "" },
		{ "bahasa jawa", WAY_LANGUAGE, "jv" },
		{ "Pakai Basa Jawa, nggih", WAY_LANGUAGE, "jv" },
		{ "In English please!", WAY_LANGUAGE, "en" },
		{ "bahasa Indonesia", WAY_LANGUAGE, "id" },
		{ "jawa", WAY_LANGUAGE_WEAK, "jv" },
		{ "English", WAY_LANGUAGE_WEAK, "en" },
		{ "jalan kembali rusak", WAY_NONE, "" },
		{ "kembali rusak", WAY_NONE, "" },
		{ "guru bahasa jawa kurang", WAY_NONE, "" },
		{ "tolong", WAY_NONE, "" },
		{ "", WAY_NONE, "" },
		{ "0", WAY_NONE, "" },
		{ "ulang ulang ulang ulang ulang ulang ulang ulang ulang", WAY_NONE, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *language;

		cr_expect(
			eq(int, words_way(&arena, text_of(cases[i].text), &language), cases[i].way),
			"%s", cases[i].text);
		cr_expect(eq(str, (char *)(language ? language : ""), (char *)cases[i].language),
			  "%s", cases[i].text);
	}
}

Test(words, a_first_word_that_is_too_long_is_no_keyword)
{
	char text[128];
	const char *keyword;
	struct bytes rest;

	memset(text, 'a', sizeof(text));
	words_split(&arena, (struct bytes){ text, sizeof(text) }, &keyword, &rest);
	cr_expect(eq(str, (char *)keyword, ""));
	cr_expect(eq(sz, rest.len, sizeof(text)));
}
