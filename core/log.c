/* log.c - one JSON line an event, on standard error.
 *
 * A line is made in one buffer of fixed size and leaves in one write, so that threads need no lock and
 * lines don't mix.  What doesn't fit is cut at a character, never the JSON.
 */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "utf8.h"

enum {
	LINE_MAX_BYTES = 4096,
	LINE_END = 3, /* a quote, a brace and a newline always fit */
	VALUE_MAX =
		1536,   /* bytes of one text, so that a long one leaves room for the other pairs */
	MASK_HEAD = 6,  /* characters shown at the start, at most */
	MASK_TAIL = 2,  /* and at the end */
	MASK_LEAST = 4, /* masked characters of a number that is long enough to show its start */
	MASK_SHORT = 8,
};

static atomic_int lowest_level = LOG_INFO;
static atomic_int output = STDERR_FILENO;

struct line {
	char data[LINE_MAX_BYTES];
	size_t len;
};

void log_set_level(enum log_level lowest)
{
	atomic_store(&lowest_level, (int)lowest);
}

void log_set_output(int fd)
{
	atomic_store(&output, fd);
}

void mask_number(const char *number, char *out, size_t size)
{
	size_t len = strlen(number), head = 0, i;

	if (size == 0)
		return;
	if (len >= MASK_SHORT)
		head = len - MASK_TAIL - MASK_LEAST < MASK_HEAD ? len - MASK_TAIL - MASK_LEAST
								: MASK_HEAD;
	for (i = 0; i < len && i + 1 < size; i++)
		out[i] = i < head || i + MASK_TAIL >= len ? number[i] : '*';
	out[i] = '\0';
}

static bool line_add(struct line *line, const char *text, size_t len)
{
	if (line->len + len > sizeof(line->data) - LINE_END)
		return false;
	memcpy(line->data + line->len, text, len);
	line->len += len;
	return true;
}

/* Characters that move, hide or end other text where a person reads the log. */
static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x2069) || point == 0xfeff;
}

/* One character as JSON has it. */
static bool line_add_char(struct line *line, const char *bytes, size_t len, uint32_t point)
{
	char escape[8];

	if (point == '"' || point == '\\')
		snprintf(escape, sizeof(escape), "\\%c", (char)point);
	else if (is_control(point))
		snprintf(escape, sizeof(escape), "\\u%04" PRIx32, point);
	else
		return line_add(line, bytes, len);
	return line_add(line, escape, strlen(escape));
}

static void line_add_text(struct line *line, const char *text)
{
	struct bytes bytes = { text, strlen(text) };
	bool valid = utf8_valid(text, bytes.len);
	size_t at = 0, start;
	uint32_t point;

	while (at < bytes.len && at < VALUE_MAX) {
		start = at;
		if (valid)
			point = utf8_next(bytes, &at);
		else if ((unsigned char)text[at++] < 0x80)
			point = (unsigned char)text[start];
		else if (line_add(line, "\\ufffd", 6))
			continue;
		else
			return;
		if (!line_add_char(line, text + start, at - start, point))
			return;
	}
}

static void line_add_time(struct line *line)
{
	int64_t ms = clock_now_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[64];

	gmtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(ms % 1000));
	line_add(line, text, strlen(text));
}

/* ,"key":"text" */
static void line_add_pair(struct line *line, const char *key, const char *text)
{
	size_t before = line->len;

	if (!line_add(line, ",\"", 2) || !line_add(line, key, strlen(key)) ||
	    !line_add(line, "\":\"", 3)) {
		line->len = before;
		return;
	}
	line_add_text(line, text);
	line->data[line->len++] =
		'"'; /* of LINE_END; where it was needed, nothing fits behind it */
}

static void line_add_number(struct line *line, const char *key, int64_t number)
{
	char text[192];
	int len = snprintf(text, sizeof(text), ",\"%s\":%" PRId64, key, number);

	if (len > 0 && (size_t)len < sizeof(text))
		line_add(line, text, (size_t)len);
}

static void line_add_value(struct line *line, const char *key, va_list *args)
{
	char text[ID_TEXT_SIZE + 64] = "";
	const char *value;

	switch (*key++) {
	case 'i':
		line_add_number(line, key, va_arg(*args, int64_t));
		break;
	case 'n':
		value = va_arg(*args, const char *);
		mask_number(value ? value : "", text, sizeof(text));
		line_add_pair(line, key, text);
		break;
	case 'd':
		id_format(*va_arg(*args, const struct id *), text);
		line_add_pair(line, key, text);
		break;
	case 'e':
		line_add_pair(line, key, strerrordesc_np(-va_arg(*args, int)));
		break;
	default: /* 's' */
		value = va_arg(*args, const char *);
		line_add_pair(line, key, value ? value : "");
		break;
	}
}

static void line_write(struct line *line)
{
	int fd = atomic_load(&output);
	ssize_t n;

	memcpy(line->data + line->len, "}\n", 2);
	line->len += 2;
	do
		n = write(fd, line->data, line->len);
	while (n < 0 && errno == EINTR);
}

void log_event(enum log_level level, const char *event, ...)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	struct line line = { .len = 0 };
	const char *key;
	va_list args;

	if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
		return;
	line_add_time(&line);
	line_add_pair(&line, "level", names[level]);
	line_add_pair(&line, "event", event);
	va_start(args, event);
	while ((key = va_arg(args, const char *)) != NULL)
		line_add_value(&line, key, &args);
	va_end(args);
	line_write(&line);
}
