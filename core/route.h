/* route.h - whose message is it: stop, help, the open dialog, a keyword.  Pure.
 *
 * Source: design 3 (what an open dialog makes of a text); the reference's civic-domain.md 5 (order of reading).
 */
#pragma once
#include "answer.h"
#include "base.h"
#include "journal.h"
#include "message.h"

struct plugin;
struct plugin_set;

enum route_kind {
	ROUTE_STOP,
	ROUTE_START,   /* undoes a stop */
	ROUTE_STARTED, /* the same, of one who had not stopped */
	ROUTE_HELP,
	ROUTE_CANCEL,   /* ends the dialog in front */
	ROUTE_ANSWER,   /* to the question of the dialog in front */
	ROUTE_MORE,     /* the next page of what the citizen was shown */
	ROUTE_BACK,     /* the page before */
	ROUTE_UNDO,     /* the question before */
	ROUTE_REPEAT,   /* the question again */
	ROUTE_LANGUAGE, /* speaks another language from now on */
	ROUTE_KEYWORD,  /* begins a dialog */
	ROUTE_SAME,     /* the keyword of the dialog in front */
	ROUTE_AGAIN,    /* no answer that fits: the question comes back */
	ROUTE_GREETING, /* says hello, or thanks */
	ROUTE_WHICH,    /* a keyword that may be one or the other */
	ROUTE_UNKNOWN,  /* there is no question, and this is no keyword */
};

struct route_view {
	const struct plugin_set *plugins;
	enum channel channel;
	bool stopped; /* the citizen has said STOP */
	/* The dialog in front, or NULL. */
	const char *plugin, *dialog;
	const struct request *request;
	unsigned pages;      /* of request->text */
	int64_t today;       /* as answer.h has it */
	const char *country; /* of numbers, as answer.h has it */
};

struct route {
	enum route_kind kind;
	struct answer answer; /* ROUTE_ANSWER */
	struct plugin *to;    /* ROUTE_KEYWORD */
	const char *dialog;
	const char *keyword,
		*other; /* "": a text without one, which is guessed to be for this dialog; other: WHICH */
	/* The words behind the keyword, without what is courtesy alone; all words where there is none.  STOP, HELP: the keyword of
	 * the service that it is about. */
	struct bytes rest;
	const char *language; /* ROUTE_LANGUAGE: "id", "jv", "en" */
};

/* text is valid UTF-8.  Ownership: in the arena, the text and the plugin set. */
void route_text(struct arena *arena, const struct route_view *view, struct bytes text,
		struct route *out);
