/* plugin.h - finds, checks, loads, pins and reloads plugins; owns what each manifest says.
 *
 * plugins/NAME/NAME.lua returns a table, the manifest (plugins/README.md).  A plugin that is wrong stops itself: the others
 * are loaded, and the error names file, line and field and says what is allowed.  What was loaded at one time is a
 * set, which nothing changes; a reload makes a new set, and dialogs that are open keep their bundles.
 */
#pragma once
#include "base.h"
#include "plugin_bundle.h"
#include "topic.h"

struct keywords;
struct plugin_setting;

enum {
	PLUGIN_API = 1,
	PLUGIN_NAME_MAX = 31,
	PLUGINS_MAX = 200,
};

struct plugin_keyword {
	const char *keyword; /* upper case; letters and digits, or two such words with a blank */
	const char *dialog;
	const char *means; /* of another name: the keyword that it stands for; else NULL */
};

/* Where a USSD code leads: *123*ANCHOR#. */
struct plugin_anchor {
	const char *anchor; /* 1 to 3 digits, no 0 in front, not 98 */
	const char *dialog;
	const char *label; /* in the root menu */
};

/* What a plugin asks the operator to set. */
struct plugin_setting_row {
	const char *name;
	enum setting_value_type type;
	const char *const *choices; /* ended by NULL; or NULL */
	bool has_bounds;
	double min, max; /* numbers; characters of a text */
	struct bundle_setting def;
	const char *help;
};

struct plugin {
	const char *name, *summary;
	const char *path;  /* of its file, for people */
	const char *error; /* why it isn't loaded; NULL: it is, and all below is set */
	struct plugin_keyword *keywords; /* in order of the alphabet */
	unsigned keyword_count;
	struct plugin_keyword *aliases; /* other names of them */
	unsigned alias_count;
	struct plugin_keyword *prefixes; /* may stand before any keyword, such as a region's name */
	unsigned prefix_count;
	const char *texts[TOPICS];     /* the dialog that takes texts without a keyword; or NULL */
	struct plugin_anchor *anchors; /* by number */
	unsigned anchor_count;
	const char *
		*dialogs; /* in order of the alphabet; "dialog" where there is one without a name */
	unsigned dialog_count;
	struct plugin_setting_row *settings; /* in order of the alphabet */
	unsigned setting_count;
	struct bundle *bundle; /* owned */
	/* The loop's: */
	unsigned breaches; /* of limits, lately */
	bool paused;       /* it kept breaching its limits: citizens are told */
};

struct plugin_set {
	struct arena arena;
	struct plugin *plugins; /* by name */
	unsigned count;
	struct keywords *keywords; /* the index of keywords.c */
};

/* Loads all plugins of a folder; each runs once, sandboxed.  Needs a stack of 8 MiB; safe on any thread.
 * values: what the operator set (plugin_settings of the file, named `settings_file` in errors); one for a plugin or setting that isn't
 * there makes that plugin's error, or a logged warning.
 * Errors: -ENOENT, -EACCES, ...: the folder can't be read; error_text names it. */
int plugins_load(const char *folder, const struct plugin_setting *values, unsigned value_count,
		 const char *settings_file, struct plugin_set **out, char *error_text,
		 size_t error_size) MUST_CHECK;
void plugins_free(struct plugin_set *set);      /* NULL is fine */
void plugins_log(const struct plugin_set *set); /* one line for each that is not loaded */

struct plugin *plugins_find(const struct plugin_set *set,
			    const char *name); /* NULL: none, or not loaded */
/* The plugin of a keyword, or NULL. */
struct plugin *plugins_keyword(const struct plugin_set *set, const char *keyword,
			       const char **dialog);
/* The plugin that takes texts about something, or NULL. */
struct plugin *plugins_topic(const struct plugin_set *set, enum topic topic, const char **dialog);
int plugin_anchor_order(const struct plugin_anchor *a,
			const struct plugin_anchor *b); /* by number */
struct plugin *plugins_anchor(const struct plugin_set *set, const char *anchor,
			      const char **dialog);
/* The keyword that people know a dialog by: its longest, else the plugin's first.  NULL: it has none, or is not there (any more). */
const char *plugin_keyword_of(const struct plugin_set *set, const char *plugin, const char *dialog);
/* "LAPOR, SURVEI, INFO": one keyword for each dialog, as many whole ones as fit. */
const char *plugins_keywords(const struct plugin_set *set, struct arena *arena, size_t most);
