/* plugin_pattern.c - Lua's patterns with a budget.
 *
 * A pattern is a sequence of items; an item is one class of characters with perhaps a repetition, or a capture's
 * bracket, %b, %f or a back-reference.  Each item is a small function that matches itself and then the rest.
 * Every character looked at is charged against the step's budget, so no pattern costs more than the step may.
 */
#include "plugin_pattern.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "plugin_sandbox_priv.h"

enum { DEPTH_MAX = 200, CAPTURE_OPEN = -1, CAPTURE_POSITION = -2, CHARGE_EVERY = 64 };

static void charge(struct pattern *p, long steps)
{
	p->steps += steps;
	if (p->steps >= CHARGE_EVERY) {
		long due = p->steps;

		p->steps = 0;
		p->charge(p->charge_arg, due);
	}
}

static const char *broken(struct pattern *p, const char *error)
{
	if (!p->error)
		p->error = error;
	return NULL;
}

/* Behind the class that begins at c, or NULL where it is broken. */
static const char *class_end(struct pattern *p, const char *c)
{
	if (*c == '%')
		return c + 1 < p->pattern_end ? c + 2
					      : broken(p, "malformed pattern (ends with '%')");
	if (*c != '[')
		return c + 1;
	c++;
	if (c < p->pattern_end && *c == '^')
		c++;
	do { /* a ']' that stands first is itself */
		if (c >= p->pattern_end)
			return broken(p, "malformed pattern (missing ']')");
		if (*c++ == '%')
			c++;
	} while (c >= p->pattern_end || *c != ']');
	return c + 1;
}

static bool letter_class(unsigned char c, char letter)
{
	bool in, upper = letter >= 'A' && letter <= 'Z';

	switch (upper ? letter - 'A' + 'a' : letter) {
	case 'a':
		in = isalpha(c);
		break;
	case 'c':
		in = iscntrl(c);
		break;
	case 'd':
		in = isdigit(c);
		break;
	case 'g':
		in = isgraph(c);
		break;
	case 'l':
		in = islower(c);
		break;
	case 'p':
		in = ispunct(c);
		break;
	case 's':
		in = isspace(c);
		break;
	case 'u':
		in = isupper(c);
		break;
	case 'w':
		in = isalnum(c);
		break;
	case 'x':
		in = isxdigit(c);
		break;
	default:
		return (unsigned char)letter == c;
	}
	return upper ? !in : in;
}

/* set points at '[', last at the set's ']' */
static bool in_set(unsigned char c, const char *set, const char *last)
{
	bool inside = true;

	set++;
	if (*set == '^') {
		inside = false;
		set++;
	}
	while (set < last) {
		if (*set == '%') {
			if (letter_class(c, set[1]))
				return inside;
			set += 2;
		} else if (set[1] == '-' && set + 2 < last) {
			if ((unsigned char)set[0] <= c && c <= (unsigned char)set[2])
				return inside;
			set += 3;
		} else {
			if ((unsigned char)*set == c)
				return inside;
			set++;
		}
	}
	return !inside;
}

/* Whether the class takes c; the charge is the caller's. */
static bool takes(unsigned char c, const char *item, const char *item_end)
{
	switch (*item) {
	case '.':
		return true;
	case '%':
		return letter_class(c, item[1]);
	case '[':
		return in_set(c, item, item_end - 1);
	default:
		return (unsigned char)*item == c;
	}
}

/* What one look at a character costs. */
static long cost_of(const char *item, const char *item_end)
{
	return *item == '[' ? item_end - item : 1;
}

static bool single(struct pattern *p, const char *s, const char *item, const char *item_end)
{
	charge(p, cost_of(item, item_end));
	return s < p->subject_end && takes((unsigned char)*s, item, item_end);
}

static const char *match(struct pattern *p, const char *s, const char *item);

/* Behind the last repetition at the end of the pattern anything matches: no call for it. */
static const char *match_most(struct pattern *p, const char *s, const char *item, const char *end)
{
	long cost = cost_of(item, end);
	const char *at = s;

	while (at < p->subject_end && takes((unsigned char)*at, item, end)) {
		charge(p, cost);
		at++;
	}
	charge(p, cost);
	if (end + 1 == p->pattern_end)
		return at;
	for (; at >= s; at--) {
		const char *found = match(p, at, end + 1);

		if (found || p->error)
			return found;
	}
	return NULL;
}

static const char *match_least(struct pattern *p, const char *s, const char *item, const char *end)
{
	for (;;) {
		const char *found = match(p, s, end + 1);

		if (found || p->error)
			return found;
		if (!single(p, s, item, end))
			return NULL;
		s++;
	}
}

static const char *open_capture(struct pattern *p, const char *s, const char *rest, ptrdiff_t kind)
{
	const char *found;

	if (p->count >= PATTERN_CAPTURES_MAX)
		return broken(p, "too many captures");
	p->captures[p->count++] = (struct pattern_capture){ s, kind };
	found = match(p, s, rest);
	if (!found)
		p->count--;
	return found;
}

static const char *close_capture(struct pattern *p, const char *s, const char *rest)
{
	const char *found;

	for (unsigned i = p->count; i-- > 0;) {
		if (p->captures[i].len != CAPTURE_OPEN)
			continue;
		p->captures[i].len = s - p->captures[i].start;
		found = match(p, s, rest);
		if (!found)
			p->captures[i].len = CAPTURE_OPEN;
		return found;
	}
	return broken(p, "invalid pattern capture");
}

static const char *balance(struct pattern *p, const char *s, const char *item)
{
	int open = 1;

	if (item + 3 >= p->pattern_end)
		return broken(p, "malformed pattern (missing arguments to '%b')");
	if (s >= p->subject_end || *s != item[2])
		return NULL;
	while (++s < p->subject_end) {
		charge(p, 1);
		if (*s == item[3]) {
			if (--open == 0)
				return s + 1;
		} else if (*s == item[2]) {
			open++;
		}
	}
	return NULL;
}

static const char *back_reference(struct pattern *p, const char *s, char digit)
{
	static const char *const errors[] = {
		"invalid capture index %0", "invalid capture index %1", "invalid capture index %2",
		"invalid capture index %3", "invalid capture index %4", "invalid capture index %5",
		"invalid capture index %6", "invalid capture index %7", "invalid capture index %8",
		"invalid capture index %9",
	};
	int i = digit - '1';
	size_t len;

	if (i < 0 || (unsigned)i >= p->count || p->captures[i].len == CAPTURE_OPEN)
		return broken(p, errors[i + 1]);
	len = p->captures[i].len == CAPTURE_POSITION ? 0 : (size_t)p->captures[i].len;
	charge(p, 1 + (long)(len / 8));
	if ((size_t)(p->subject_end - s) < len || memcmp(p->captures[i].start, s, len) != 0)
		return NULL;
	return s + len;
}

static bool frontier(struct pattern *p, const char *s, const char *set, const char *set_end)
{
	unsigned char before = s == p->subject ? '\0' : (unsigned char)s[-1];
	unsigned char here = s == p->subject_end ? '\0' : (unsigned char)*s;

	charge(p, set_end - set);
	return !in_set(before, set, set_end - 1) && in_set(here, set, set_end - 1);
}

/* %b, %f, %1: *s moves behind what matched, *item behind the item. 1: matched, 0: not, -1: an ordinary class. */
static int match_special(struct pattern *p, const char **s, const char **item)
{
	const char *set, *end;

	switch ((*item)[1]) {
	case 'b':
		*s = balance(p, *s, *item);
		*item += 4;
		return *s != NULL;
	case 'f':
		set = *item + 2;
		if (set >= p->pattern_end || *set != '[')
			return broken(p, "missing '[' after '%f' in pattern") != NULL;
		end = class_end(p, set);
		if (!end || !frontier(p, *s, set, end))
			return 0;
		*item = end;
		return 1;
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		*s = back_reference(p, *s, (*item)[1]);
		*item += 2;
		return *s != NULL;
	default:
		return -1;
	}
}

/* end: the class's. */
static const char *match_class(struct pattern *p, const char **s, const char **item,
			       const char *end)
{
	const char *found;

	switch (end < p->pattern_end ? *end : '\0') {
	case '?':
		if (single(p, *s, *item, end)) {
			found = match(p, *s + 1, end + 1);
			if (found || p->error)
				return found;
		}
		*item = end + 1;
		return *s; /* go on without it */
	case '*':
		return match_most(p, *s, *item, end);
	case '+':
		return single(p, *s, *item, end) ? match_most(p, *s + 1, *item, end) : NULL;
	case '-':
		return match_least(p, *s, *item, end);
	default:
		if (!single(p, *s, *item, end))
			return NULL;
		*item = end;
		return ++*s;
	}
}

static const char *match_items(struct pattern *p, const char *s, const char *item)
{
	while (item < p->pattern_end) {
		int special = -1;
		const char *before, *end, *found;

		charge(p, 1);
		if (*item == '(')
			return item + 1 < p->pattern_end && item[1] == ')'
				       ? open_capture(p, s, item + 2, CAPTURE_POSITION)
				       : open_capture(p, s, item + 1, CAPTURE_OPEN);
		if (*item == ')')
			return close_capture(p, s, item + 1);
		if (*item == '$' && item + 1 == p->pattern_end)
			return s == p->subject_end ? s : NULL;
		if (*item == '%' && item + 1 < p->pattern_end)
			special = match_special(p, &s, &item);
		if (special == 0)
			return NULL;
		if (special > 0)
			continue;
		end = class_end(p, item);
		if (!end)
			return NULL;
		before = item;
		found = match_class(p, &s, &item, end);
		if (!found || p->error || item == before)
			return found; /* no match, or the item has matched the whole rest too */
	}
	return s;
}

static const char *match(struct pattern *p, const char *s, const char *item)
{
	const char *found;

	if (p->depth >= DEPTH_MAX)
		return broken(p, "pattern too complex");
	p->depth++;
	found = match_items(p, s, item);
	p->depth--;
	return found;
}

const char *pattern_match(struct pattern *p, const char *at)
{
	p->count = 0;
	p->depth = 0;
	return match(p, at, p->pattern);
}

const char *pattern_search(struct pattern *p, const char **at, bool anchored)
{
	for (; *at <= p->subject_end; (*at)++) {
		const char *end = pattern_match(p, *at);

		if (end || p->error || anchored)
			return end;
	}
	return NULL;
}

/* ---- the four functions ---- */

static void charge_run(void *arg, long steps)
{
	sandbox_charge(arg, steps);
}

static void begin(lua_State *L, struct pattern *p, bool *anchored)
{
	size_t subject_len, pattern_len;

	memset(p, 0, offsetof(struct pattern, captures));
	p->subject = luaL_checklstring(L, 1, &subject_len);
	p->pattern = luaL_checklstring(L, 2, &pattern_len);
	p->subject_end = p->subject + subject_len;
	p->pattern_end = p->pattern + pattern_len;
	p->charge = charge_run;
	p->charge_arg = L;
	*anchored = pattern_len > 0 && *p->pattern == '^';
	if (*anchored)
		p->pattern++;
}

static void check_pattern(lua_State *L, const struct pattern *p)
{
	if (p->error)
		luaL_error(L, "%s", p->error);
}

static void push_capture(lua_State *L, const struct pattern *p, unsigned i, const char *start,
			 const char *end)
{
	const struct pattern_capture *capture = &p->captures[i];

	if (i >= p->count) {
		if (i != 0)
			luaL_error(L, "invalid capture index %%%d", (int)i + 1);
		lua_pushlstring(L, start, (size_t)(end - start));
	} else if (capture->len == CAPTURE_POSITION) {
		lua_pushinteger(L, capture->start - p->subject + 1);
	} else if (capture->len == CAPTURE_OPEN) {
		luaL_error(L, "unfinished capture");
	} else {
		lua_pushlstring(L, capture->start, (size_t)capture->len);
	}
}

static int push_captures(lua_State *L, const struct pattern *p, const char *start, const char *end,
			 bool whole)
{
	unsigned n = p->count == 0 && whole ? 1 : p->count;

	luaL_checkstack(L, (int)n, "too many captures");
	for (unsigned i = 0; i < n; i++)
		push_capture(L, p, i, start, end);
	return (int)n;
}

/* Where to begin, from 0; past the end: false. */
static bool start_at(lua_State *L, int arg, size_t len, size_t *out)
{
	lua_Integer init = luaL_optinteger(L, arg, 1);

	if (init < 0)
		init = (lua_Unsigned)0 - (lua_Unsigned)init > len ? 1 : (lua_Integer)len + init + 1;
	else if (init == 0)
		init = 1;
	*out = (size_t)init - 1;
	return *out <= len;
}

static int find_plain(lua_State *L, size_t start)
{
	size_t len, find_len;
	const char *text = lua_tolstring(L, 1, &len), *find = lua_tolstring(L, 2, &find_len);
	const char *found;

	sandbox_charge(L, 1 + (long)((len - start) / 16));
	found = memmem(text + start, len - start, find, find_len);
	if (!found) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, found - text + 1);
	lua_pushinteger(L, found - text + (lua_Integer)find_len);
	return 2;
}

static int find_or_match(lua_State *L, bool find)
{
	struct pattern p;
	const char *at, *end;
	bool anchored;
	size_t start;

	begin(L, &p, &anchored);
	if (!start_at(L, 3, (size_t)(p.subject_end - p.subject), &start)) {
		lua_pushnil(L);
		return 1;
	}
	if (find &&
	    (lua_toboolean(L, 4) || (!anchored && !strpbrk(lua_tostring(L, 2), "^$*+?.([%-") &&
				     strlen(p.pattern) == (size_t)(p.pattern_end - p.pattern))))
		return find_plain(L, start);
	at = p.subject + start;
	end = pattern_search(&p, &at, anchored);
	check_pattern(L, &p);
	sandbox_charge(L, p.steps);
	if (!end) {
		lua_pushnil(L);
		return 1;
	}
	if (!find)
		return push_captures(L, &p, at, end, true);
	lua_pushinteger(L, at - p.subject + 1);
	lua_pushinteger(L, end - p.subject);
	return push_captures(L, &p, at, end, false) + 2;
}

static int pattern_find(lua_State *L)
{
	return find_or_match(L, true);
}

static int pattern_first(lua_State *L)
{
	return find_or_match(L, false);
}

/* upvalues: subject, pattern, where to go on, where the last match ended (or -1) */
static int gmatch_next(lua_State *L)
{
	struct pattern p;
	const char *at, *end, *last;
	bool anchored;

	lua_settop(L, 0);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, lua_upvalueindex(2));
	begin(L, &p, &anchored);
	if (anchored)
		p.pattern--; /* in gmatch a '^' has no meaning of its own */
	at = p.subject + lua_tointeger(L, lua_upvalueindex(3));
	last = p.subject + lua_tointeger(L, lua_upvalueindex(4));
	for (; at <= p.subject_end; at++) {
		end = pattern_search(&p, &at, false);
		check_pattern(L, &p);
		sandbox_charge(L, p.steps);
		p.steps = 0;
		if (!end)
			return 0;
		if (end == last)
			continue; /* an empty match where the last one ended */
		lua_pushinteger(L, end - p.subject);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		return push_captures(L, &p, at, end, true);
	}
	return 0;
}

static int pattern_gmatch(lua_State *L)
{
	size_t len, start;

	luaL_checklstring(L, 1, &len);
	luaL_checkstring(L, 2);
	if (!start_at(L, 3, len, &start))
		start = len + 1;
	lua_settop(L, 2);
	lua_pushinteger(L, (lua_Integer)start);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_next, 4);
	return 1;
}

/* A replacement text with %0 to %9 and %%. */
static void add_text(lua_State *L, luaL_Buffer *buffer, const struct pattern *p, const char *start,
		     const char *end)
{
	size_t len;
	const char *text = lua_tolstring(L, 3, &len);

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			luaL_addchar(buffer, text[i]);
			continue;
		}
		i++;
		if (i < len && text[i] == '%') {
			luaL_addchar(buffer, '%');
		} else if (i < len && text[i] == '0') {
			luaL_addlstring(buffer, start, (size_t)(end - start));
		} else if (i < len && isdigit((unsigned char)text[i])) {
			push_capture(L, p, (unsigned)(text[i] - '1'), start, end);
			luaL_tolstring(L, -1, NULL);
			lua_remove(L, -2);
			luaL_addvalue(buffer);
		} else {
			luaL_error(L, "invalid use of '%%' in replacement string");
		}
	}
	sandbox_charge(L, 1 + (long)(len / 16));
}

/* Adds what stands for one match. */
static void add_replacement(lua_State *L, luaL_Buffer *buffer, const struct pattern *p,
			    const char *start, const char *end)
{
	int type = lua_type(L, 3);

	if (type == LUA_TSTRING || type == LUA_TNUMBER) {
		add_text(L, buffer, p, start, end);
		return;
	}
	if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, push_captures(L, p, start, end, true), 1);
		sandbox_check_dead(L, LUA_OK);
	} else {
		push_capture(L, p, 0, start, end);
		lua_gettable(L, 3);
		sandbox_check_dead(L, LUA_OK);
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(buffer, start, (size_t)(end - start));
	} else if (!lua_isstring(L, -1)) {
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	} else {
		luaL_addvalue(buffer);
	}
}

static int pattern_gsub(lua_State *L)
{
	struct pattern p;
	const char *at, *end, *last = NULL, *kept; /* kept: since the last match, to be copied */
	bool anchored;
	lua_Integer max, n = 0;
	int type = lua_type(L, 3);
	luaL_Buffer buffer;

	begin(L, &p, &anchored);
	luaL_argexpected(L,
			 type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
				 type == LUA_TTABLE,
			 3, "string/function/table");
	max = luaL_optinteger(L, 4, (lua_Integer)(p.subject_end - p.subject) + 1);
	lua_settop(L, 4);
	luaL_buffinit(L, &buffer);
	for (at = kept = p.subject; n < max && at <= p.subject_end;) {
		end = pattern_search(&p, &at, anchored);
		check_pattern(L, &p);
		if (!end)
			break;
		if (end == last) {
			at++; /* an empty match where the last one ended */
		} else {
			n++;
			luaL_addlstring(&buffer, kept, (size_t)(at - kept));
			add_replacement(L, &buffer, &p, at, end);
			at = last = kept = end;
		}
		if (anchored)
			break;
	}
	luaL_addlstring(&buffer, kept, (size_t)(p.subject_end - kept));
	luaL_pushresult(&buffer);
	sandbox_charge(L, p.steps + (long)(lua_rawlen(L, -1) / 64));
	lua_pushinteger(L, n);
	return 2;
}

void sandbox_open_patterns(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "find", pattern_find }, { "gmatch", pattern_gmatch },
		{ "gsub", pattern_gsub }, { "match", pattern_first },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
