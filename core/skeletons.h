/* skeletons.h - what `kentongan new` writes: contrib/skeletons, compiled in. */
#pragma once

/* One file of a kind of plugin.  @NAME@, @KEYWORD@, @NUMBER@, @LABEL@ and @FOLDER@ in it are to be replaced. */
struct skeleton {
	const char *kind; /* "survey", "menu", "lookup" */
	const char *file; /* "plugin.lua", "plugin.dialog", "README.md" */
	const char *text;
};
extern const struct skeleton skeletons[]; /* ended by one whose kind is NULL */
