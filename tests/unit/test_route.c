/* test_route.c - whose message it is: design 3's order of reading, as a table; and the corpus of what people write. */
#include "route.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "keywords.h"
#include "plugin.h"

static struct arena arena;

/* ---- the plugins ---- */

static struct plugin_keyword complaint[] = { { "ADUAN", "report", NULL },
					     { "CEK", "status", NULL },
					     { "LAPOR", "report", NULL },
					     { "LAPOR RAHASIA", "secret", NULL } };
static struct plugin_keyword regions[] = { { "BJN", "report", NULL } };
static struct plugin_keyword info[] = { { "INFO", "dialog", NULL } };
static struct plugin_keyword member[] = { { "DAFTAR", "dialog", NULL } };
static struct plugin_keyword survey[] = { { "SURVEI", "take", NULL } };
static struct plugin_keyword broken[] = { { "RUSAK", "dialog", NULL } };

static struct plugin plugins[] = {
	{ .name = "broken", .error = "broken.lua:1: no", .keywords = broken, .keyword_count = 1 },
	{ .name = "complaint",
	  .keywords = complaint,
	  .keyword_count = 4,
	  .prefixes = regions,
	  .prefix_count = 1,
	  .texts = { [TOPIC_PROBLEM] = "report", [TOPIC_STATUS] = "status" } },
	{ .name = "info",
	  .keywords = info,
	  .keyword_count = 1,
	  .texts = { [TOPIC_QUESTION] = "dialog" } },
	{ .name = "member", .keywords = member, .keyword_count = 1 },
	{ .name = "survey", .keywords = survey, .keyword_count = 1 },
};
static struct plugin_set set = { .plugins = plugins, .count = ARRAY_LEN(plugins) };

static void begin(void)
{
	keywords_index(&set);
}

static void clear(void)
{
	arena_free(&arena);
	arena_free(&set.arena);
}

TestSuite(route, .init = begin, .fini = clear);

/* ---- the states that a citizen can be in ---- */

static struct bytes opinions[] = {
	{ "Sangat puas", 11 }, { "Puas", 4 }, { "Cukup puas", 10 }, { "Tidak puas", 10 }
};
static struct bytes services[] = { { "Info jalan", 10 }, { "Survei", 6 }, { "Lapor", 5 } };

static const struct request ask = {
	.kind = REQUEST_ASK, .answer = ANSWER_TEXT, .min = 1, .max = 100
};
static const struct request ask_short = {
	.kind = REQUEST_ASK, .answer = ANSWER_TEXT, .min = 1, .max = 5
};
static const struct request paged_ask = {
	.kind = REQUEST_ASK, .answer = ANSWER_TEXT, .min = 1, .max = 100, .page = 1
};
static const struct request number = {
	.kind = REQUEST_ASK, .answer = ANSWER_INTEGER, .min = 0, .max = 120
};
static const struct request paged_number = {
	.kind = REQUEST_ASK, .answer = ANSWER_INTEGER, .min = 1, .max = 50, .page = 1
};
static const struct request choose = {
	.kind = REQUEST_CHOOSE, .answer = ANSWER_CHOICE, .options = opinions, .option_count = 4
};
static const struct request paged_choose = { .kind = REQUEST_CHOOSE,
					     .answer = ANSWER_CHOICE,
					     .options = opinions,
					     .option_count = 4,
					     .page = 1 };
static const struct request choose_service = {
	.kind = REQUEST_CHOOSE, .answer = ANSWER_CHOICE, .options = services, .option_count = 3
};
static const struct request confirm = { .kind = REQUEST_CONFIRM, .answer = ANSWER_YES_NO };
static const struct request more = { .kind = REQUEST_MORE };
static const struct request more_second = { .kind = REQUEST_MORE, .page = 1 };

static const struct route_view nothing = { .plugins = &set };
static const struct route_view stopped = { .plugins = &set, .stopped = true };
#define IN(name, question, page_count, by, has_stopped)                \
	static const struct route_view name = { .plugins = &set,       \
						.plugin = "complaint", \
						.dialog = "report",    \
						.request = &question,  \
						.pages = page_count,   \
						.channel = by,         \
						.stopped = has_stopped }
IN(words, ask, 1, CHANNEL_SMS, false);
IN(short_words, ask_short, 1, CHANNEL_SMS, false);
IN(words_stopped, ask, 1, CHANNEL_SMS, true);
IN(words_paged, ask, 3, CHANNEL_SMS, false);
IN(words_second, paged_ask, 2, CHANNEL_SMS, false);
IN(words_screen, paged_ask, 3, CHANNEL_USSD, false);
IN(count, number, 1, CHANNEL_SMS, false);
IN(count_screen, number, 3, CHANNEL_USSD, false);
IN(count_second, paged_number, 3, CHANNEL_USSD, false);
IN(choice, choose, 1, CHANNEL_SMS, false);
IN(choice_paged, choose, 2, CHANNEL_SMS, false);
IN(choice_screen, paged_choose, 3, CHANNEL_USSD, false);
IN(choice_service, choose_service, 1, CHANNEL_SMS, false);
IN(yes_no, confirm, 1, CHANNEL_SMS, false);
IN(pages, more, 3, CHANNEL_SMS, false);
IN(pages_last, more_second, 2, CHANNEL_SMS, false);
IN(pages_screen, more_second, 3, CHANNEL_USSD, false);

static const char *const kinds[] = {
	[ROUTE_STOP] = "stop",   [ROUTE_START] = "start",     [ROUTE_STARTED] = "started",
	[ROUTE_HELP] = "help",   [ROUTE_CANCEL] = "cancel",   [ROUTE_ANSWER] = "answer",
	[ROUTE_MORE] = "more",   [ROUTE_BACK] = "back",       [ROUTE_KEYWORD] = "keyword",
	[ROUTE_SAME] = "same",   [ROUTE_AGAIN] = "again",     [ROUTE_GREETING] = "greeting",
	[ROUTE_WHICH] = "which", [ROUTE_UNKNOWN] = "unknown",
};

/* A route as text: "keyword info.dialog INFO|jalan", "answer 2", "stop". */
static const char *read(const struct route_view *view, const char *text)
{
	struct route route;
	const char *kind, *rest;

	route_text(&arena, view, (struct bytes){ text, strlen(text) }, &route);
	kind = kinds[route.kind];
	rest = arena_memdup(&arena, route.rest.data, route.rest.len);
	if (route.kind == ROUTE_KEYWORD)
		return arena_printf(&arena, "%s %s.%s %s|%s", kind, route.to->name, route.dialog,
				    route.keyword, rest);
	if (route.kind == ROUTE_WHICH)
		return arena_printf(&arena, "%s %s, %s", kind, route.keyword, route.other);
	if (route.kind == ROUTE_STOP || route.kind == ROUTE_HELP)
		return rest[0] ? arena_printf(&arena, "%s %s", kind, rest) : kind;
	if (route.kind == ROUTE_SAME)
		return arena_printf(&arena, "%s %s|%s", kind, route.keyword, rest);
	if (route.kind != ROUTE_ANSWER)
		return kind;
	switch (view->request->answer) {
	case ANSWER_TEXT:
		return arena_printf(
			&arena, "%s %s", kind,
			arena_memdup(&arena, route.answer.text.data, route.answer.text.len));
	case ANSWER_INTEGER:
		return arena_printf(&arena, "%s %d", kind, (int)route.answer.integer);
	case ANSWER_CHOICE:
		return arena_printf(&arena, "%s %u", kind, route.answer.option + 1);
	default:
		return arena_printf(&arena, "%s %s", kind, route.answer.yes ? "yes" : "no");
	}
}

struct row {
	const struct route_view *view;
	const char *text, *route;
};

static void expect_rows(const struct row *rows, unsigned row_count)
{
	for (unsigned i = 0; i < row_count; i++) {
		const char *route = read(rows[i].view, rows[i].text);

		cr_expect_str_eq(route, rows[i].route, "row %u: '%s' is '%s', not '%s'", i,
				 rows[i].text, route, rows[i].route);
	}
}

#define EXPECT_ROWS(rows) expect_rows(rows, ARRAY_LEN(rows))

/* ---- the order of reading ---- */

Test(route, stop_comes_before_everything_in_every_state)
{
	static const struct route_view *const views[] = {
		&nothing,      &stopped,     &words,        &words_screen, &count,
		&choice,       &yes_no,      &pages,        &pages_screen, &choice_service,
		&count_screen, &words_paged, &words_stopped
	};
	static const char *const texts[] = { "STOP",      " stop. ",         "berhenti",
					     "unreg all", "tolong stop sms", "S T O P" };

	for (unsigned v = 0; v < ARRAY_LEN(views); v++)
		for (unsigned t = 0; t < ARRAY_LEN(texts); t++)
			cr_expect_str_eq(read(views[v], texts[t]), "stop", "view %u, '%s'", v,
					 texts[t]);
}

Test(route, help_and_cancel_come_before_an_answer)
{
	static const struct row rows[] = {
		{ &words, "BANTUAN", "help" },
		{ &words, "?", "help" },
		{ &choice, "bantuan", "help" },
		{ &yes_no, "HELP", "help" },
		{ &count, "menu", "help" },
		{ &pages, "bantuan", "help" },
		{ &words, "BATAL", "cancel" },
		{ &choice, "batal", "cancel" },
		{ &yes_no, "batal pak", "cancel" },
		{ &pages, "batal", "cancel" },
		{ &nothing, "batal", "cancel" },
		{ &nothing, "BANTUAN LAPOR", "help LAPOR" },
		{ &nothing, "STOP SURVEI", "stop SURVEI" },
		{ &words, "UNREG#BOLA", "stop BOLA" },
		{ &nothing, "stop sms", "stop" },
		{ &yes_no, "tidak mau ikut survei ini", "answer no" },
		{ &choice, "tidak mau ikut survei ini", "stop" },
		{ &nothing, "tidak mau ikut survei ini", "stop" },
		{ &words, "tidak mau ikut survei ini", "answer tidak mau ikut survei ini" },
		{ &choice, "gak paham maksudnya", "help" },
		{ &choice, "matur nuwun pak", "greeting" },
		{ &words, "bantuan beras belum cair", "answer bantuan beras belum cair" },
		{ &words, "stop kontak rusak", "answer stop kontak rusak" },
	};

	EXPECT_ROWS(rows);
}

Test(route, start_undoes_a_stop_and_else_is_an_answer)
{
	static const struct row rows[] = {
		{ &stopped, "MULAI", "start" },
		{ &words_stopped, "START", "start" },
		{ &nothing, "mulai", "started" },
		{ &pages, "MULAI", "started" },
		{ &words, "mulai", "answer mulai" },
		{ &choice, "MULAI", "again" },
		{ &stopped, "LAPOR x", "keyword complaint.report LAPOR|x" },
	};

	EXPECT_ROWS(rows);
}

Test(route, an_answer_that_fits_comes_before_a_keyword)
{
	static const struct row rows[] = {
		{ &choice, "2", "answer 2" },
		{ &choice, "puas", "answer 2" },
		{ &choice, "Tidak puas.", "answer 4" },
		{ &yes_no, "ya", "answer yes" },
		{ &yes_no, "2", "answer no" },
		{ &count, "41", "answer 41" },
		{ &choice_service, "SURVEI",
		  "answer 2" }, /* a label, although another service's keyword */
		{ &choice_service, "lapor", "answer 3" }, /* and this dialog's own */
		{ &choice, "SURVEI 2", "keyword survey.take SURVEI|2" },
		{ &yes_no, "INFO KTP", "keyword info.dialog INFO|KTP" },
		{ &count, "cek A7K2", "keyword complaint.status CEK|A7K2" },
	};

	EXPECT_ROWS(rows);
}

Test(route, a_keyword_comes_before_a_near_answer_and_that_before_a_near_keyword)
{
	static const struct row rows[] = {
		{ &choice, "pues", "answer 2" },
		{ &choice, "tidka puas", "answer 4" },
		{ &choice, "srvei", "keyword survey.take SURVEI|" },
		{ &choice, "IFNO KTP", "keyword info.dialog INFO|KTP" },
		{ &choice_service, "srvei", "answer 2" },
		{ &choice, "entah", "again" },
		{ &choice, "9", "again" },
		{ &choice, "", "again" },
		{ &yes_no, "mungkin", "again" },
		{ &count, "121", "again" },
		{ &count, "banyak", "again" },
	};

	EXPECT_ROWS(rows);
}

Test(route, words_are_the_answer_but_for_an_exact_keyword_of_others)
{
	static const struct row rows[] = {
		{ &words, "Jl. Mawar 5", "answer Jl. Mawar 5" },
		{ &words, "  di pasar \n", "answer di pasar" },
		{ &words, "SURVEI", "keyword survey.take SURVEI|" },
		{ &words, "info pupuk", "keyword info.dialog INFO|pupuk" },
		{ &words, "CEK 1042", "keyword complaint.status CEK|1042" },
		{ &words, "srvei", "answer srvei" },
		{ &words, "ya", "answer ya" },
		{ &words, "2", "answer 2" },
		{ &words, "survei itu apa", "keyword survey.take SURVEI|itu apa" },
		{ &short_words, "terlalu panjang", "again" },
		{ &short_words, "pas", "answer pas" },
		{ &words, "", "again" },
		{ &words, "RUSAK parah",
		  "answer RUSAK parah" }, /* of a plugin that is not loaded */
	};

	EXPECT_ROWS(rows);
}

Test(route, the_keyword_of_the_open_dialog_repeats_its_question)
{
	static const struct row rows[] = {
		{ &choice, "LAPOR", "same LAPOR|" },
		{ &choice, "aduan jalan rusak", "same ADUAN|jalan rusak" },
		{ &yes_no, "LAPOR", "same LAPOR|" },
		{ &count, "lapor.", "same LAPOR|" },
		{ &words, "LAPOR", "same LAPOR|" },
		{ &words, "Aduan", "same ADUAN|" },
		{ &words, "lapor ke pak RT sudah",
		  "answer lapor ke pak RT sudah" }, /* with more it is words */
		{ &choice, "lapro", "same LAPOR|" },
		{ &pages, "LAPOR", "same LAPOR|" },
	};

	EXPECT_ROWS(rows);
}

Test(route, pages_are_turned_where_the_key_is_no_answer)
{
	static const struct row rows[] = {
		{ &words_paged, "LANJUT", "more" },
		{ &words_paged, " lanjut ", "more" },
		{ &words_paged, "98", "answer 98" },          /* by SMS it is words */
		{ &words_second, "lanjut", "answer lanjut" }, /* that was the last page */
		{ &words, "lanjut", "answer lanjut" },
		{ &words_screen, "98", "more" },
		{ &words_screen, "0", "back" },
		{ &words_screen, "lanjut", "more" }, /* where something is left to be read */
		{ &choice_paged, "LANJUT", "more" },
		{ &choice, "LANJUT", "again" },
		{ &choice_screen, "98", "more" },
		{ &choice_screen, "0", "back" },
		{ &count_screen, "98",
		  "answer 98" }, /* a key that is a valid answer is the answer */
		{ &count_screen, "0", "answer 0" },
		{ &count_second, "98", "more" },
		{ &count_second, "0", "back" },
	};

	EXPECT_ROWS(rows);
}

Test(route, what_is_left_of_a_dialog_that_is_over_can_be_read_on)
{
	static const struct row rows[] = {
		{ &pages, "LANJUT", "more" },
		{ &pages, "lagi", "unknown" },
		{ &pages_last, "LANJUT", "unknown" },
		{ &pages_screen, "98", "more" },
		{ &pages_screen, "0", "back" },
		{ &pages, "SURVEI", "keyword survey.take SURVEI|" },
		{ &pages, "srvei 2", "keyword survey.take SURVEI|2" },
		{ &pages, "terima kasih", "greeting" },
		{ &pages, "3", "help" },
	};

	EXPECT_ROWS(rows);
}

Test(route, outside_of_a_dialog_a_keyword_begins_one)
{
	static const struct row rows[] = {
		{ &nothing, "LAPOR jalan rusak", "keyword complaint.report LAPOR|jalan rusak" },
		{ &nothing, "aduan", "keyword complaint.report ADUAN|" },
		{ &nothing, "INFO",
		  "keyword info.dialog INFO|" }, /* a service's, although it means help */
		{ &nothing, "info?", "keyword info.dialog INFO|" },
		{ &nothing, "DAFTAR", "keyword member.dialog DAFTAR|" },
		{ &nothing, "RUSAK", "unknown" },
		{ &nothing, "terima kasih", "greeting" },
		{ &nothing, "Selamat pagi", "greeting" },
		{ &nothing, "2", "help" },
		{ &nothing, "(3).", "help" },
		{ &nothing, "terserah", "unknown" },
	};

	EXPECT_ROWS(rows);
}

Test(route, what_stands_before_a_keyword_is_read_over)
{
	static const struct row rows[] = {
		{ &nothing, "Selamat pagi pak, LAPOR lampu",
		  "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "Ass. wr. wb. mohon ijin lapor lampu",
		  "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "Yth. Bpk Bupati, lapor lampu",
		  "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "kulo bade lapor lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "ketik LAPOR<spasi>lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "BJN LAPOR lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "BJN#INFO#ktp", "keyword info.dialog INFO|ktp" },
		{ &nothing, "BJN lampu jalan", "keyword complaint.report BJN|lampu jalan" },
		{ &nothing, "saya mau melapor lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing,
		  "pagi pagi pagi pagi pagi pagi pagi pagi pagi pagi pagi pagi pagi pagi pagi "
		  "LAPOR",
		  "unknown" }, /* greetings end somewhere */
		{ &nothing, "bupati lapor polisi",
		  "unknown" }, /* an office without a title is somebody */
	};

	EXPECT_ROWS(rows);
}

Test(route, courtesy_behind_a_keyword_is_no_argument)
{
	static const struct row rows[] = {
		{ &nothing, "lapor ya pak lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "lapor pak, lampu", "keyword complaint.report LAPOR|pak, lampu" },
		{ &nothing, "lapor pak", "keyword complaint.report LAPOR|" },
		{ &nothing, "lapor ya pak", "keyword complaint.report LAPOR|" },
		{ &nothing, "survei ya",
		  "keyword survey.take SURVEI|ya" }, /* may be what it asks for */
		{ &nothing, "survei y", "keyword survey.take SURVEI|y" },
		{ &nothing, "info dong min", "keyword info.dialog INFO|" },
		{ &nothing, "lapor aduan", "keyword complaint.report LAPOR|" },
		{ &nothing, "LAPOR <spasi> lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "lapor rahasia guru bolos",
		  "keyword complaint.secret LAPOR RAHASIA|guru bolos" },
		{ &nothing, "lapor rahasianya", "keyword complaint.report LAPOR|rahasianya" },
	};

	EXPECT_ROWS(rows);
}

Test(route, a_keyword_may_be_glued_to_what_it_is_about)
{
	static const struct row rows[] = {
		{ &nothing, "LAPORjalan rusak", "keyword complaint.report LAPOR|jalan rusak" },
		{ &nothing, "laporjalan rusak", "keyword complaint.report LAPOR|jalan rusak" },
		{ &nothing, "INFOKTP", "keyword info.dialog INFO|KTP" },
		{ &nothing, "CEK1042", "keyword complaint.status CEK|1042" },
		{ &nothing, "SURVEI2", "keyword survey.take SURVEI|2" },
		{ &nothing, "informasi", "unknown" },
		{ &nothing, "LAPORAN", "unknown" },
		{ &nothing, "ceker ayam", "unknown" },
	};

	EXPECT_ROWS(rows);
}

Test(route, a_mistyped_keyword_is_found_where_it_is_near_to_one_alone)
{
	static const struct row rows[] = {
		{ &nothing, "kapor lampu",
		  "keyword complaint.report LAPOR|lampu" }, /* one key of a keypad */
		{ &nothing, "lapos lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "lspor lampu",
		  "keyword complaint.report LAPOR|lampu" }, /* the key beside */
		{ &nothing, "LPR lampu", "keyword complaint.report LAPOR|lampu" }, /* no vowels */
		{ &nothing, "LAP0R lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "1apor lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "lapoooor lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "laopr lampu", "keyword complaint.report LAPOR|lampu" },
		{ &nothing, "CK 1042", "keyword complaint.status CEK|1042" },
		{ &nothing, "inpo ktp", "keyword info.dialog INFO|ktp" },
		{ &nothing, "datfar", "keyword member.dialog DAFTAR|" },
		{ &nothing, "kabar baik", "unknown" }, /* a word is not a slip */
		{ &nothing, "indo jaya", "unknown" },
		{ &nothing, "laporan", "unknown" },
		{ &nothing, "cok", "unknown" },
	};

	EXPECT_ROWS(rows);
}

Test(route, a_text_without_a_keyword_goes_to_who_takes_what_it_is_about)
{
	static const struct row rows[] = {
		{ &nothing, "jalan desa rusak parah",
		  "keyword complaint.report |jalan desa rusak parah" },
		{ &nothing, "kapan bansos cair", "keyword info.dialog |kapan bansos cair" },
		{ &nothing, "laporan saya sampai mana",
		  "keyword complaint.status |laporan saya sampai mana" },
		{ &nothing, "caranya gimana melapor", "help" },
		{ &nothing, "sayang udah makan belum", "unknown" },
		{ &pages, "jalan desa rusak parah",
		  "keyword complaint.report |jalan desa rusak parah" },
		{ &choice, "jalan desa rusak parah", "again" }, /* in a dialog it is asked again */
		{ &nothing, "info jam buka loket salah, sudah datang jauh ternyata tutup",
		  "keyword complaint.report |info jam buka loket salah, sudah datang jauh ternyata "
		  "tutup" },
		{ &nothing, "aduan saya kemarin belum ada tanggapan",
		  "keyword complaint.status |aduan saya kemarin belum ada tanggapan" },
		{ &nothing, "info jalan rusak", "keyword info.dialog INFO|jalan rusak" },
	};

	EXPECT_ROWS(rows);
}

Test(route, a_keyword_in_a_sentence_does_not_take_an_answer_away)
{
	static const struct row rows[] = {
		{ &words, "info di papan kurang jelas", "answer info di papan kurang jelas" },
		{ &words, "INFO di papan kurang jelas",
		  "keyword info.dialog INFO|di papan kurang jelas" },
		{ &words, "saya mau daftar ulang", "answer saya mau daftar ulang" },
		{ &yes_no, "saya mau daftar", "answer yes" },
	};

	EXPECT_ROWS(rows);
}

Test(route, a_word_as_near_to_two_services_is_nobodys)
{
	static struct plugin_keyword banjar[] = { { "BANJAR", "dialog", NULL } },
				     banjir[] = { { "BANJIR", "dialog", NULL } };
	static struct plugin two[] = {
		{ .name = "a", .keywords = banjar, .keyword_count = 1 },
		{ .name = "b", .keywords = banjir, .keyword_count = 1 },
	};
	static struct plugin_set near = { .plugins = two, .count = 2 };
	static const struct route_view view = { .plugins = &near };
	static const struct row rows[] = {
		{ &view, "banjer", "which BANJAR, BANJIR" },
		{ &view, "banjur", "unknown" },
		{ &view, "banjarr", "keyword a.dialog BANJAR|" },
		{ &view, "banjir", "keyword b.dialog BANJIR|" },
	};

	keywords_index(&near);
	EXPECT_ROWS(rows);
	arena_free(&near.arena);
}

Test(route, a_word_as_near_to_two_keywords_of_one_dialog_begins_it)
{
	static struct plugin_keyword both[] = { { "SURVEI", "take", NULL },
						{ "SURVEY", "take", NULL } };
	static struct plugin one[] = { { .name = "survey", .keywords = both, .keyword_count = 2 } };
	static struct plugin_set near = { .plugins = one, .count = 1 };
	static const struct route_view view = { .plugins = &near };

	keywords_index(&near);
	cr_expect_eq(strncmp(read(&view, "survej 2"), "keyword survey.take SURVE", 25), 0, "%s",
		     read(&view, "survej 2"));
	cr_expect_eq(strncmp(read(&view, "surve"), "keyword survey.take SURVE", 25), 0, "%s",
		     read(&view, "surve"));
	arena_free(&near.arena);
}

Test(route, any_text_has_a_route)
{
	static const struct route_view *const views[] = { &nothing, &words, &choice, &pages,
							  &count_screen };
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned v = 0; v < ARRAY_LEN(views); v++) {
		cr_expect_not_null(read(views[v], ""));
		cr_expect_not_null(read(views[v], " \n "));
		cr_expect_not_null(read(views[v], "\xF0\x9F\x98\x80"));
		cr_expect_not_null(read(views[v], text));
	}
}
