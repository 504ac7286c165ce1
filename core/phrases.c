/* phrases.c - the gateway's own texts to citizens, in their languages.
 *
 * One table, so that a translator sees all of it.  No abbreviations, one idea a sentence, and only
 * letters of GSM-7 (a screen with one other letter holds half).  The words that a citizen is asked
 * to send (STOP, MULAI, BATAL, BANTUAN, LANJUT) are the same in every language but those that
 * words.c knows in English.  The English CANCEL means stop there, so also English texts say BATAL.
 *
 * The Javanese texts (krama) have not been read by a native speaker yet: one should check them
 * before they go to citizens.
 */
#include "phrases.h"

#include <string.h>

enum language { LANGUAGE_ID, LANGUAGE_JV, LANGUAGE_EN, LANGUAGES };
static const char tags[LANGUAGES][3] = { "id", "jv", "en" };

static const char *const phrases[PHRASES][LANGUAGES] = {
	[PHRASE_HELP] = {
		"{office}. Kirim salah satu kata ini: {keywords}. Balas BATAL untuk membatalkan, STOP untuk berhenti.",
		"{office}. Kirim salah satunggaling tembung: {keywords}. BATAL kangge mbatalaken, STOP kangge kendel.",
		"{office}. Send one of these words: {keywords}. Reply BATAL to leave a service, STOP to end messages.",
	},
	[PHRASE_HELP_SHORT] = {
		"Kirim BANTUAN untuk melihat layanan.",
		"Kirim BANTUAN kangge mirsani layanan.",
		"Send HELP to see the services.",
	},
	[PHRASE_STOPPED] = {
		"Anda tidak akan kami kirimi pesan lagi. Pertanyaan Anda tetap kami jawab. Untuk menerima pesan lagi, kirim MULAI.",
		"Panjenengan mboten badhe kita kirimi pesen malih. Pitakenan tetep kita wangsuli. Menawi badhe nampi malih, "
		"kirim MULAI.",
		"We will not send you messages any more. We still answer when you write. To get messages again, send START.",
	},
	[PHRASE_STARTED] = {
		"Selamat datang kembali. Anda akan menerima pesan lagi. Kirim STOP untuk berhenti, BANTUAN untuk melihat layanan.",
		"Sugeng rawuh malih. Panjenengan badhe nampi pesen malih. Kirim STOP kangge kendel, BANTUAN kangge mirsani layanan.",
		"Welcome back. You will get messages again. Send STOP to end them, HELP to see the services.",
	},
	[PHRASE_START_NOT_STOPPED] = {
		"Layanan sudah aktif untuk Anda. Kirim salah satu kata ini: {keywords}.",
		"Layanan sampun aktif kangge panjenengan. Kirim salah satunggaling tembung: {keywords}.",
		"The services are open to you. Send one of these words: {keywords}.",
	},
	[PHRASE_APOLOGY] = {
		"Maaf, layanan ini sedang terganggu dan pesan Anda tadi belum diproses. Silakan coba lagi nanti.",
		"Nyuwun pangapunten, layanan punika saweg wonten alangan, pesen wau dereng kaproses. Mangga dipun cobi malih mangke.",
		"Sorry, this service has a problem and your message was not handled. Please try again later.",
	},
	[PHRASE_GREETING] = {
		"Salam dari {office}. Kirim salah satu kata ini: {keywords}. Kirim BANTUAN untuk petunjuk.",
		"Salam saking {office}. Kirim salah satunggaling tembung: {keywords}. Kirim BANTUAN kangge pitedah.",
		"Greetings from {office}. Send one of these words: {keywords}. Send HELP for help.",
	},
	[PHRASE_WHICH] = {
		"Maaf, yang dimaksud yang mana? Kirim salah satu kata ini: {keyword}.",
		"Nyuwun pangapunten, ingkang dipun maksud ingkang pundi? Kirim salah satunggal: {keyword}.",
		"Sorry, which one do you mean? Send one of these words: {keyword}.",
	},
	[PHRASE_NOT_UNDERSTOOD] = {
		"Maaf, pesan Anda belum kami pahami. Kirim salah satu kata ini: {keywords}. Kirim BANTUAN untuk petunjuk.",
		"Nyuwun pangapunten, pesen panjenengan dereng kita mangertosi. Kirim: {keywords}. Kirim BANTUAN kangge pitedah.",
		"Sorry, we did not understand your message. Send one of these words: {keywords}. Send HELP for help.",
	},
	[PHRASE_EXPIRED] = {
		"Percakapan {keyword} sudah berakhir karena lama tidak dijawab. Kirim {keyword} untuk memulai lagi.",
		"Wawan rembag {keyword} sampun rampung amargi dangu mboten dipun wangsuli. Kirim {keyword} kangge miwiti malih.",
		"{keyword} has ended because there was no answer for a long time. Send {keyword} to start again.",
	},
	[PHRASE_EXPIRED_GONE] = {
		"Percakapan {keyword} sudah berakhir karena lama tidak dijawab.",
		"Wawan rembag {keyword} sampun rampung amargi dangu mboten dipun wangsuli.",
		"{keyword} has ended because there was no answer for a long time.",
	},
	[PHRASE_SAME_KEYWORD] = {
		"Anda masih di {keyword}. Untuk mulai dari awal, kirim BATAL dulu, lalu {keyword} lagi.",
		"Panjenengan taksih wonten ing {keyword}. Kangge miwiti saking awal, kirim BATAL rumiyin, lajeng {keyword} malih.",
		"You are still in {keyword}. To start anew, send BATAL first, then {keyword} again.",
	},
	[PHRASE_CANCELLED] = {
		"Sudah dibatalkan. Kirim BANTUAN untuk melihat layanan.",
		"Sampun dipun batalaken. Kirim BANTUAN kangge mirsani layanan.",
		"Cancelled. Send HELP to see the services.",
	},
	[PHRASE_NOTHING_TO_CANCEL] = {
		"Tidak ada yang perlu dibatalkan. Kirim BANTUAN untuk melihat layanan.",
		"Mboten wonten ingkang dipun batalaken. Kirim BANTUAN kangge mirsani layanan.",
		"There is nothing to cancel. Send HELP to see the services.",
	},
	[PHRASE_NOT_FITTING] = {
		"Maaf, jawaban itu belum sesuai.",
		"Nyuwun pangapunten, wangsulan punika dereng trep.",
		"Sorry, that answer does not fit.",
	},
	[PHRASE_FIRST_QUESTION] = {
		"Ini pertanyaan pertama.",
		"Punika pitakenan kapisan.",
		"This is the first question.",
	},
	[PHRASE_BACK_BARRED] = {
		"Jawaban sebelumnya sudah disimpan dan tidak bisa diubah di sini.",
		"Wangsulan saderengipun sampun kasimpen, mboten saged dipun ewahi ing mriki.",
		"The answer before is stored already and can't be changed here.",
	},
	[PHRASE_LANGUAGE] = {
		"Baik, mulai sekarang dalam bahasa Indonesia.",
		"Inggih, wiwit sapunika ngagem basa Jawi.",
		"All right, in English from now on.",
	},
	[PHRASE_MORE_SMS] = { "(Balas LANJUT)", "(Balas LANJUT)", "(Reply LANJUT for more)" },
	[PHRASE_MORE_USSD] = { "98 Lanjut", "98 Lajeng", "98 More" },
	[PHRASE_BACK_USSD] = { "0 Kembali", "0 Wangsul", "0 Back" },
	[PHRASE_USSD_TITLE] = { "Layanan {office}", "Layanan {office}", "Services of {office}" },
	[PHRASE_USSD_BY_SMS] = {
		"Terima kasih. Jawabannya kami kirim lewat SMS.",
		"Matur nuwun. Wangsulanipun kita kirim lumantar SMS.",
		"Thank you. We will text you the answer.",
	},
	[PHRASE_USSD_RESUME] = {
		"Anda belum selesai di {keyword}. Lanjutkan?",
		"Panjenengan dereng rampung ing {keyword}. Dipun lajengaken?",
		"You have not finished {keyword}. Go on?",
	},
	[PHRASE_USSD_GO_ON] = { "Lanjutkan", "Lajengaken", "Go on" },
	[PHRASE_USSD_ANEW] = { "Mulai dari awal", "Miwiti saking awal", "Start anew" },
	[PHRASE_USSD_ENDED] = {
		"Sesi sudah berakhir. Terima kasih.",
		"Sesi sampun rampung. Matur nuwun.",
		"The session has ended. Thank you.",
	},
	[PHRASE_BUSY] = {
		"Maaf, layanan sedang sibuk. Silakan coba lagi beberapa menit lagi.",
		"Nyuwun pangapunten, layanan saweg ribet. Mangga dipun cobi malih sawetawis menit malih.",
		"Sorry, the service is busy. Please try again in a few minutes.",
	},
	[PHRASE_PAUSED] = {
		"Maaf, layanan {keyword} sedang dihentikan sementara. Silakan coba lagi nanti.",
		"Nyuwun pangapunten, layanan {keyword} dipun kendelaken sawetawis. Mangga dipun cobi malih mangke.",
		"Sorry, {keyword} is out of service for now. Please try again later.",
	},
	[PHRASE_YES] = { "Ya", "Inggih", "Yes" },
	[PHRASE_NO] = { "Tidak", "Mboten", "No" },
	[PHRASE_OPTIONAL] = { "(Balas - bila tidak ada)", "(Balas - menawi mboten wonten)", "(Reply - if there is none)" },
	[PHRASE_DONE] = { "Selesai. Terima kasih.", "Sampun rampung. Matur nuwun.", "Done. Thank you." },
};

/* The language of a tag ("id" of "id-ID"), or LANGUAGES. */
static enum language find_language(const char *tag)
{
	enum language language = 0;

	while (tag && language < LANGUAGES &&
	       (strncasecmp(tag, tags[language], 2) != 0 || (tag[2] && tag[2] != '-')))
		language++;
	return tag ? language : LANGUAGES;
}

bool phrase_language_known(const char *language)
{
	return find_language(language) != LANGUAGES;
}

/* What a hole is filled with; at is behind its '{' and moves behind its '}'. */
static const char *fill(const char **at, const struct phrase_holes *holes)
{
	static const char *const names[] = { "office}", "keywords}", "keyword}" };
	const char *const values[] = { holes->office, holes->keywords, holes->keyword };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strncmp(*at, names[i], strlen(names[i])) != 0)
			continue;
		*at += strlen(names[i]);
		return values[i] ? values[i] : "";
	}
	return "";
}

struct bytes phrase_text(struct arena *arena, const char *language, enum phrase phrase,
			 const struct phrase_holes *holes)
{
	static const struct phrase_holes none = { 0 };
	enum language known = find_language(language);
	const char *at = phrases[phrase][known == LANGUAGES ? LANGUAGE_ID : known];
	struct buf buf = { 0 };
	struct bytes text;

	while (*at) {
		size_t plain = strcspn(at, "{");

		buf_add(&buf, at, plain);
		at += plain;
		if (*at == '{') {
			at++;
			buf_addstr(&buf, fill(&at, holes ? holes : &none));
		}
	}
	text = arena_bytes(arena, buf.data, buf.len);
	buf_free(&buf);
	return text;
}
