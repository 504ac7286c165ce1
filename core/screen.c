/* screen.c - lays a long text out in pages.
 *
 * A page grows by whole words (by whole lines where a line offers an answer) as long as it fits together with the
 * lines that the caller wants at its end; measuring is left to gsm7.c, so a page with one foreign letter is
 * shorter and its neighbours are not.  Nearly every text is one page and is measured once.
 */
#include "screen.h"

#include <string.h>
#include <utf8proc.h>

#include "gsm7.h"
#include "utf8.h"

/* Where a page may end, the best first; the next is tried where not even one step of it fits. */
enum step { STEP_LINE_OR_WORD, STEP_WORD, STEP_CHARACTER, STEPS };

struct layout {
	struct bytes text;
	const struct screen_rule *rule;
	struct buf page; /* the page being measured */
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

/* Whether the line at start offers an answer: up to three digits, perhaps a mark, a blank, words. */
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

static void add_line(struct buf *page, const char *line)
{
	if (!line[0])
		return;
	if (page->len > 0)
		buf_addstr(page, "\n");
	buf_addstr(page, line);
}

/* A page from one place to another, with the lines at its end. */
static void compose(struct layout *layout, size_t from, size_t to, bool more, bool back)
{
	while (to > from && is_blank(layout->text.data[to - 1]))
		to--;
	buf_reset(&layout->page);
	buf_add(&layout->page, layout->text.data + from, to - from);
	if (more)
		add_line(&layout->page, layout->rule->more);
	if (back)
		add_line(&layout->page, layout->rule->back);
}

static bool is_within(struct bytes text, const struct screen_rule *rule)
{
	struct text_size size = gsm7_size(text, NULL, 0);

	if (rule->chars == 0)
		return size.segments <= rule->segments;
	return size.units <= gsm7_ussd_room(size.coding, rule->chars);
}

static bool fits(struct layout *layout, size_t from, size_t to, bool more)
{
	compose(layout, from, to, more, from > 0);
	return is_within((struct bytes){ layout->page.data, layout->page.len }, layout->rule);
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

static size_t next_end(struct bytes text, size_t at, enum step step)
{
	if (step == STEP_CHARACTER)
		return next_character(text, at);
	at = skip_blanks(text, at);
	if (step == STEP_LINE_OR_WORD && is_option(text, line_start(text, at)))
		return line_end(text, at);
	while (at < text.len && !is_blank(text.data[at]))
		at++;
	return at;
}

/* The farthest end of a page that another follows; start where not one step fits. */
static size_t grow(struct layout *layout, size_t start, enum step step)
{
	size_t end = start;

	while (end < layout->text.len) {
		size_t next = next_end(layout->text, end, step);

		if (!fits(layout, start, next, true))
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

/* Where the page would part a question from its answers, or these from each other: the start of the question, if that
 * leaves something on this page and all of it fits the next. */
static size_t keep_together(struct layout *layout, size_t start, size_t end)
{
	struct bytes text = layout->text;
	size_t next = skip_blanks(text, end), line = line_start(text, next), behind = line_end(text, line), option = line;
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

static size_t page_end(struct layout *layout, size_t start)
{
	size_t end;

	if (fits(layout, start, layout->text.len, false))
		return layout->text.len;
	for (enum step step = 0; step < STEPS; step++) {
		end = grow(layout, start, step);
		if (end > start)
			return keep_together(layout, start, end);
	}
	return next_character(layout->text, start);
}

/* Goes to a page; gives its number, which is smaller where there are fewer. */
static unsigned find_page(struct layout *layout, unsigned page, size_t *start, size_t *end)
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

unsigned screen_count(struct bytes text, const struct screen_rule *rule)
{
	struct layout layout = { .text = text, .rule = rule };
	size_t start, end;
	unsigned count;

	if (is_within(text, rule))
		return 1;
	count = find_page(&layout, UINT32_MAX, &start, &end) + 1;
	buf_free(&layout.page);
	return count;
}

struct bytes screen_page(struct arena *arena, struct bytes text, unsigned page, const struct screen_rule *rule)
{
	struct layout layout = { .text = text, .rule = rule };
	struct bytes out;
	size_t start, end;
	bool more;

	if (is_within(text, rule))
		return text;
	find_page(&layout, page, &start, &end);
	more = skip_blanks(text, end) < text.len;
	compose(&layout, start, end, more, start > 0);
	out = arena_bytes(arena, layout.page.data ? layout.page.data : "", layout.page.len);
	buf_free(&layout.page);
	return out;
}
