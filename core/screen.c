/* screen.c - lays a long text out in pages.
 *
 * A page grows by whole words (by whole lines where a line offers an answer) as long as it fits
 * together with the lines that the caller wants at its end.  Each page is measured by itself, so
 * one with a foreign letter is shorter and its neighbours are not.  Nearly every text is one page
 * and is measured once.
 */
#include "screen.h"

#include <string.h>
#include <utf8proc.h>

#include "gsm7.h"
#include "utf8.h"

/* Where a page may end, the best first; the next is tried where not even one step of it fits. */
enum step { STEP_LINE_OR_WORD, STEP_WORD, STEP_CHARACTER, STEPS };

/* What a part of a text takes, in either coding. */
struct measure {
	unsigned septets, utf16;
	bool ucs2; /* holds a character outside of GSM-7; septets says nothing then */
};

struct layout {
	struct bytes text;
	const struct screen_rule *rule;
	const char *more, *back; /* the rule's, or "" where they would take too much of a page */
	size_t reach;            /* bytes that no page is longer than */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static size_t skip_blanks(struct bytes text, size_t at)
{
	while (at < text.len && is_blank(text.data[at]))
		at++;
	return at;
}

static size_t trim_end(struct bytes text, size_t from, size_t to)
{
	while (to > from && is_blank(text.data[to - 1]))
		to--;
	return to;
}

static size_t line_start(struct bytes text, size_t at)
{
	while (at > 0 && text.data[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(struct bytes text, size_t at)
{
	const char *end = memchr(text.data + at, '\n', text.len - at);

	return end ? (size_t)(end - text.data) : text.len;
}

/* Whether nothing but blanks is before `at` on its line. */
static bool begins_line(struct bytes text, size_t at)
{
	while (at > 0 && text.data[at - 1] != '\n' && is_blank(text.data[at - 1]))
		at--;
	return at == 0 || text.data[at - 1] == '\n';
}

/* Whether the line at start offers an answer: up to three digits, perhaps a mark, a blank,
 * words. */
static bool is_option(struct bytes text, size_t start)
{
	size_t end = line_end(text, start), digits = 0;

	while (start < end && is_blank(text.data[start]))
		start++;
	for (; start < end && text.data[start] >= '0' && text.data[start] <= '9'; start++)
		digits++;
	if (digits == 0 || digits > 3)
		return false;
	if (start < end && strchr(".):-", text.data[start]))
		start++;
	return start + 1 < end && text.data[start] == ' ';
}

static void add(struct measure *measure, struct bytes part)
{
	struct text_size size = gsm7_size(part, NULL, 0);

	if (size.coding == CODING_GSM7)
		measure->septets += size.units;
	else
		measure->ucs2 = true;
	for (size_t at = 0; at < part.len;)
		measure->utf16 += utf8_next(part, &at) > 0xffff ? 2 : 1;
}

static void add_line(struct measure *measure, const char *line)
{
	if (!line[0])
		return;
	measure->septets++; /* the line end before it */
	measure->utf16++;
	add(measure, (struct bytes){ line, strlen(line) });
}

/* The lines at the end of a page. */
static struct measure measure_hints(const struct layout *layout, bool more, bool back)
{
	struct measure measure = { 0 };

	if (more)
		add_line(&measure, layout->more);
	if (back)
		add_line(&measure, layout->back);
	return measure;
}

/* Units of a page. Where it is several segments, one unit for each end of one may be lost to a pair
 * that stays whole. */
static unsigned room(const struct screen_rule *rule, enum text_coding coding)
{
	bool gsm7 = coding == CODING_GSM7;

	if (rule->chars > 0)
		return gsm7_ussd_room(coding, rule->chars);
	if (rule->segments == 1)
		return gsm7 ? 160 : 70;
	return rule->segments * (gsm7 ? 153 : 67) - (rule->segments - 1);
}

static bool is_within(const struct measure *measure, const struct screen_rule *rule)
{
	if (measure->ucs2)
		return measure->utf16 <= room(rule, CODING_UCS2);
	return measure->septets <= room(rule, CODING_GSM7);
}

/* Whether a whole text is one page. */
static bool is_one_page(struct bytes text, const struct screen_rule *rule)
{
	struct text_size size = gsm7_size(text, NULL, 0);

	return rule->chars > 0 ? size.units <= gsm7_ussd_room(size.coding, rule->chars)
			       : size.segments <= rule->segments;
}

static bool fits(const struct layout *layout, size_t from, size_t to, bool more)
{
	struct measure measure = measure_hints(layout, more, from > 0);

	if (to - from > layout->reach)
		return false;
	add(&measure, (struct bytes){ layout->text.data + from, to - from });
	return is_within(&measure, layout->rule);
}

/* Behind the character at `at` and all that belongs to it. */
static size_t next_character(struct bytes text, size_t at)
{
	utf8proc_int32_t state = 0, previous = (utf8proc_int32_t)utf8_next(text, &at);

	while (at < text.len) {
		size_t behind = at;
		utf8proc_int32_t point = (utf8proc_int32_t)utf8_next(text, &behind);

		if (utf8proc_grapheme_break_stateful(previous, point, &state))
			break;
		previous = point;
		at = behind;
	}
	return at;
}

static size_t next_end(const struct layout *layout, size_t at, enum step step)
{
	struct bytes text = layout->text;
	bool far = text.len - at > layout->reach; /* what lies behind that is on a later page */
	size_t stop = far ? at + layout->reach + 1 : text.len;

	if (step == STEP_CHARACTER)
		return next_character(text, at);
	at = skip_blanks(text, at);
	if (at > stop)
		return at;
	if (step == STEP_LINE_OR_WORD && begins_line(text, at) && is_option(text, at))
		return line_end(text, at);
	while (at < stop && !is_blank(text.data[at]))
		at++;
	return at;
}

/* The farthest end of a page that another follows; start where not one step fits. */
static size_t grow(const struct layout *layout, size_t start, enum step step)
{
	struct measure measure = measure_hints(layout, true, start > 0);
	struct bytes text = layout->text;
	size_t end = start;

	while (end < text.len) {
		size_t next = next_end(layout, end, step);

		if (next - start > layout->reach)
			break;
		add(&measure, (struct bytes){ text.data + end, next - end });
		if (!is_within(&measure, layout->rule))
			break;
		end = next;
	}
	return end;
}

/* The start of the question of an answer's line: above all answers, and above empty lines. */
static size_t question_start(struct bytes text, size_t option)
{
	size_t start = option;

	while (start > 0) {
		start = line_start(text, start - 1);
		if (!is_option(text, start) && line_end(text, start) > start)
			break;
	}
	return start;
}

static size_t options_end(struct bytes text, size_t option)
{
	size_t end = line_end(text, option);

	while (end < text.len && is_option(text, end + 1))
		end = line_end(text, end + 1);
	return end;
}

/* Where the page would part a question from its answers, or these from each other: the start of the
 * question, if that leaves something on this page and all of it fits the next. */
static size_t keep_together(const struct layout *layout, size_t start, size_t end)
{
	struct bytes text = layout->text;
	size_t next = skip_blanks(text, end), line = line_start(text, next);
	size_t behind = line_end(text, line), option = line;
	size_t question;

	if (!is_option(text, line)) {
		if (line == next || behind == text.len || !is_option(text, behind + 1))
			return end;
		option = behind + 1;
	}
	question = question_start(text, option);
	if (question <= start || question >= next)
		return end;
	behind = options_end(text, option);
	return fits(layout, question, behind, behind < text.len) ? question : end;
}

static size_t page_end(const struct layout *layout, size_t start)
{
	if (fits(layout, start, trim_end(layout->text, start, layout->text.len), false))
		return layout->text.len;
	for (enum step step = 0; step < STEPS; step++) {
		size_t end = grow(layout, start, step);

		if (end > start)
			return keep_together(layout, start, end);
	}
	return next_character(layout->text, start);
}

/* Goes to a page; gives its number, which is smaller where there are fewer. */
static unsigned find_page(const struct layout *layout, unsigned page, size_t *start, size_t *end)
{
	unsigned number = 0;

	*start = 0;
	*end = page_end(layout, 0);
	while (number < page && skip_blanks(layout->text, *end) < layout->text.len) {
		*start = skip_blanks(layout->text, *end);
		*end = page_end(layout, *start);
		number++;
	}
	return number;
}

/* Whether hints leave at least half of a page to a text of this coding. */
static bool leave_room(const struct layout *layout, bool back, bool ucs2)
{
	struct measure hints = measure_hints(layout, true, back);

	if (ucs2 || hints.ucs2)
		return hints.utf16 <= room(layout->rule, CODING_UCS2) / 2;
	return hints.septets <= room(layout->rule, CODING_GSM7) / 2;
}

static struct layout layout_of(struct bytes text, const struct screen_rule *rule)
{
	struct layout layout = {
		.text = text,
		.rule = rule,
		.more = rule->more,
		.back = rule->back,
		.reach = (size_t)3 * room(rule, CODING_GSM7), /* most bytes of a unit are 3 */
	};
	bool ucs2 = gsm7_size(text, NULL, 0).coding == CODING_UCS2;

	if (!leave_room(&layout, true, ucs2))
		layout.back = "";
	if (!leave_room(&layout, false, ucs2))
		layout.more = "";
	return layout;
}

unsigned screen_count(struct bytes text, const struct screen_rule *rule)
{
	struct layout layout;
	size_t start, end;

	if (is_one_page(text, rule))
		return 1;
	layout = layout_of(text, rule);
	return find_page(&layout, UINT32_MAX, &start, &end) + 1;
}

static void put_line(struct buf *page, const char *line)
{
	if (!line[0])
		return;
	buf_addstr(page, "\n");
	buf_addstr(page, line);
}

struct bytes screen_page(struct arena *arena, struct bytes text, unsigned page,
			 const struct screen_rule *rule)
{
	struct layout layout;
	struct buf buf = { 0 };
	struct bytes out;
	size_t start, end;

	if (is_one_page(text, rule))
		return text;
	layout = layout_of(text, rule);
	find_page(&layout, page, &start, &end);
	buf_add(&buf, text.data + start, trim_end(text, start, end) - start);
	if (skip_blanks(text, end) < text.len)
		put_line(&buf, layout.more);
	if (start > 0)
		put_line(&buf, layout.back);
	out = arena_bytes(arena, buf.data, buf.len);
	buf_free(&buf);
	return out;
}
