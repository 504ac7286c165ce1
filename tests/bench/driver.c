/* driver.c - plays the telco: sends citizens' messages, hears the replies, and measures.
 *
 * What it measures is told by templates, so that Kannel, a bare evhttp and the gateway are driven by the very same
 * code: a request is --target (and --body), the reply comes to the sink or is the request's own answer.  Closed loop: --in-flight
 * messages are under way at any time.  Open loop: --rate messages a second begin whatever is under way, and a
 * message's latency counts from when it should have been sent.  Every reply is compared with what the citizen should
 * read now, and counted: lost, doubled, wrong.  One JSON object comes out.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <event2/event.h>
#include <jansson.h>

#include "base.h"
#include "citizens.h"
#include "proc.h"
#include "wire.h"

enum { STALLED_SECONDS = 15, AGAIN_MS = 50, LINGER_MS = 300, NUMBER_TEXT = 16 };
#define NUMBER_PREFIX "62812"
#define ACCEPTED                                                                         \
	"HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\r\n" \
	"0: Accepted for delivery"

struct plan {
	unsigned port, sink_port, connections, in_flight;
	double rate; /* messages a second, 0: closed loop */
	uint32_t citizens, keep_open;
	bool opened, to_sink;
	int64_t warm, count;           /* messages before, and in, the measured window */
	const char *target, *body;     /* templates; body NULL: GET */
	const char *first, *second;    /* what a citizen writes: begins, answers */
	const char *question, *thanks; /* what she then reads, in part; "" anything */
};

struct driver {
	struct plan plan;
	struct procs procs;
	struct event_base *base;
	struct wire_pool *pool;
	struct wire_sink *sink;
	struct citizens *citizens;
	struct event *tick, *watch, *again;
	uint64_t seed;       /* names this run's messages */
	int64_t begun, done; /* messages */
	int64_t run_us, window_us, end_us, progress_us;
	double own_cpu;      /* the driver's, in the window */
	int32_t *latency_us; /* plan.count of them */
	int64_t latencies;
	int64_t doubled, wrong, refused, broken, starved;
	uint32_t *refusals; /* citizens whose message was refused: sent again */
	uint32_t refusal_count;
	char first_wrong[256];
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double own_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* A telco's message id: random in form, the same when a message is sent again. */
static void add_id(struct buf *out, const struct driver *driver, uint32_t index, uint32_t turn)
{
	uint64_t high = mix(driver->seed + ((uint64_t)index << 24) + turn), low = mix(high);

	buf_addf(out, "%08x-%04x-4%03x-a%03x-%012" PRIx64, (unsigned)(high >> 32),
		 (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff, (unsigned)(low >> 52),
		 (uint64_t)(low & 0xffffffffffffULL));
}

/* {number} {id} {session} {time} {n} {text} in a template are replaced. */
static void expand(struct buf *out, const struct driver *driver, uint32_t index,
		   const char *template)
{
	const struct citizen *citizen = citizens_at(driver->citizens, index);
	const char *open;

	for (; (open = strchr(template, '{')); template = strchr(open, '}') + 1) {
		buf_add(out, template, (size_t)(open - template));
		if (!strncmp(open, "{number}", 8))
			buf_addf(out, NUMBER_PREFIX "%08u", index);
		else if (!strncmp(open, "{id}", 4))
			add_id(out, driver, index, citizen->turn);
		else if (!strncmp(open, "{session}", 9))
			buf_addf(out, "ATUid_%08x%08x%08x", (unsigned)driver->seed, index,
				 (citizen->turn + 1) / 2);
		else if (!strncmp(open, "{time}", 6))
			buf_addf(out, "%lld", (long long)time(NULL));
		else if (!strncmp(open, "{n}", 3))
			buf_addf(out, "%u", (index + citizen->turn) % 4 + 1);
		else if (!strncmp(open, "{text}", 6))
			expand(out, driver, index,
			       citizen->open ? driver->plan.second : driver->plan.first);
		else
			errx(1, "unknown word in a template: %s", open);
	}
	buf_addstr(out, template);
}

static void send_message(struct driver *driver, uint32_t index)
{
	static struct buf request, body;

	buf_reset(&request);
	buf_reset(&body);
	buf_addstr(&request, driver->plan.body ? "POST " : "GET ");
	expand(&request, driver, index, driver->plan.target);
	buf_addstr(&request, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: telco\r\n");
	if (driver->plan.body) {
		expand(&body, driver, index, driver->plan.body);
		buf_addf(&request,
			 "Content-Type: application/x-www-form-urlencoded\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 body.len);
		buf_add(&request, body.data, body.len);
	} else {
		buf_addstr(&request, "\r\n");
	}
	wire_send(driver->pool, request.data, request.len, index);
}

/* Begins the next citizen's message, which should have left at sent_us. */
static void begin(struct driver *driver, int64_t sent_us)
{
	struct citizen *citizen;
	uint32_t index;

	if (driver->begun == driver->plan.warm + driver->plan.count)
		return;
	if (!citizens_take(driver->citizens, &index)) {
		driver->starved++;
		return;
	}
	citizen = citizens_at(driver->citizens, index);
	citizen->turn++;
	citizen->sent_us = sent_us;
	citizen->waits_ack = true;
	citizen->waits_reply = true;
	driver->begun++;
	send_message(driver, index);
}

static void window_begins(struct driver *driver, int64_t now)
{
	driver->window_us = now;
	driver->own_cpu = own_cpu();
	procs_start(&driver->procs);
}

static void window_ends(struct driver *driver, int64_t now)
{
	struct timeval linger = { .tv_usec = LINGER_MS * 1000 };

	driver->end_us = now;
	driver->own_cpu = own_cpu() - driver->own_cpu;
	procs_stop(&driver->procs);
	event_base_loopexit(driver->base, &linger); /* a doubled reply would come now */
}

/* Reply and acknowledgement are both there: the next one's turn. */
static void message_done(struct driver *driver, uint32_t index)
{
	struct citizen *citizen = citizens_at(driver->citizens, index);
	int64_t now = now_us();

	citizen->open = !citizen->open;
	citizens_give(driver->citizens, index);
	driver->progress_us = now;
	driver->done++;
	if (driver->done == driver->plan.warm)
		window_begins(driver, now);
	if (driver->done == driver->plan.warm + driver->plan.count)
		window_ends(driver, now);
	else if (driver->plan.rate == 0)
		begin(driver, now);
}

static void hear_reply(struct driver *driver, uint32_t index, const char *text)
{
	struct citizen *citizen = citizens_at(driver->citizens, index);
	const char *expected = citizen && citizen->open ? driver->plan.thanks
							: driver->plan.question;

	if (!citizen || !citizen->waits_reply) {
		driver->doubled++;
		return;
	}
	if (!strstr(text, expected) && !driver->wrong++)
		snprintf(driver->first_wrong, sizeof(driver->first_wrong), "%s", text);
	citizen->waits_reply = false;
	if (driver->done >= driver->plan.warm && driver->latencies < driver->plan.count)
		driver->latency_us[driver->latencies++] = (int32_t)(now_us() - citizen->sent_us);
	if (!citizen->waits_ack)
		message_done(driver, index);
}

static const char *heard_cb(const char *target, void *arg)
{
	char to[NUMBER_TEXT + 1], text[1024];
	const char *digits = to;

	if (wire_param(target, "to", to, sizeof(to)) &&
	    wire_param(target, "text", text, sizeof(text))) {
		digits += *digits == '+' || *digits == ' ';
		if (!strncmp(digits, NUMBER_PREFIX, strlen(NUMBER_PREFIX)))
			hear_reply(arg, (uint32_t)strtoul(digits + strlen(NUMBER_PREFIX), NULL, 10),
				   text);
	}
	return ACCEPTED;
}

static void again_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct driver *driver = arg;
	uint32_t count = driver->refusal_count;

	driver->refusal_count = 0;
	for (uint32_t i = 0; i < count; i++)
		send_message(driver, driver->refusals[i]);
}

/* As a telco does: the same message once more, a little later. */
static void send_again(struct driver *driver, uint32_t index)
{
	struct timeval later = { .tv_usec = AGAIN_MS * 1000 };

	driver->refusals[driver->refusal_count++] = index;
	if (!event_pending(driver->again, EV_TIMEOUT, NULL))
		event_add(driver->again, &later);
}

static void answer_cb(unsigned status, struct bytes body, uint32_t index, void *arg)
{
	struct driver *driver = arg;
	struct citizen *citizen = citizens_at(driver->citizens, index);
	char text[1024];

	if (!citizen->waits_ack)
		return;
	if (status != 200 && status != 202) {
		*(status ? &driver->refused : &driver->broken) += 1;
		send_again(driver, index);
		return;
	}
	citizen->waits_ack = false;
	if (driver->plan.to_sink) {
		if (!citizen->waits_reply)
			message_done(driver, index);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)body.len, body.data);
	hear_reply(driver, index, text);
}

/* Open loop: begins all that should have left by now. */
static void tick_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct driver *driver = arg;
	int64_t now = now_us();
	int64_t sent;

	while ((sent = driver->run_us +
		       (int64_t)((double)driver->begun * 1e6 / driver->plan.rate)) <= now &&
	       driver->begun < driver->plan.warm + driver->plan.count) {
		int64_t before = driver->begun;

		begin(driver, sent);
		if (driver->begun == before)
			return; /* all citizens are in work: it stays late, and that is measured */
	}
}

static void watch_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct driver *driver = arg;

	if (driver->end_us || now_us() - driver->progress_us < STALLED_SECONDS * 1000000LL)
		return;
	driver->end_us = now_us();
	procs_stop(&driver->procs);
	event_base_loopbreak(driver->base);
}

static struct event *every(struct driver *driver, event_callback_fn cb, long ms)
{
	struct event *event = event_new(driver->base, -1, EV_PERSIST, cb, driver);

	if (!event || event_add(event, &(struct timeval){ ms / 1000, ms % 1000 * 1000 }) < 0)
		errx(1, "no timer");
	return event;
}

static void drive(struct driver *driver)
{
	driver->run_us = driver->progress_us = now_us();
	if (driver->plan.warm == 0)
		window_begins(driver, driver->run_us);
	driver->watch = every(driver, watch_cb, 1000);
	driver->again = event_new(driver->base, -1, 0, again_cb, driver);
	if (driver->plan.rate > 0)
		driver->tick = every(driver, tick_cb, 1);
	else
		for (unsigned i = 0; i < driver->plan.in_flight; i++)
			begin(driver, now_us());
	event_base_dispatch(driver->base);
}

static int compare(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static json_t *latency_json(struct driver *driver, double share)
{
	int64_t n = driver->latencies;

	return n ? json_integer(driver->latency_us[(int64_t)((double)(n - 1) * share)])
		 : json_null();
}

static json_t *procs_json(const struct driver *driver)
{
	int64_t messages = driver->done > driver->plan.warm ? driver->done - driver->plan.warm : 1;
	json_t *all = json_object();

	for (const struct proc *proc = driver->procs.items;
	     proc < driver->procs.items + driver->procs.count; proc++)
		json_object_set_new(all, proc->name,
				    json_pack("{s:f, s:f, s:i, s:i}", "cpu_seconds", proc->cpu,
					      "cpu_us_per_message",
					      proc->cpu * 1e6 / (double)messages, "resident_kib",
					      (int)proc->resident_kib, "peak_kib",
					      (int)proc->peak_kib));
	return all;
}

static void report(struct driver *driver)
{
	double seconds = (double)(driver->end_us - driver->window_us) / 1e6;
	int64_t messages = driver->done > driver->plan.warm ? driver->done - driver->plan.warm : 0;
	json_t *out;

	qsort(driver->latency_us, (size_t)driver->latencies, sizeof(int32_t), compare);
	out = json_pack("{s:s, s:f, s:i, s:I, s:I, s:f, s:f, s:o, s:o, s:o, s:o}", "loop",
			driver->plan.rate > 0 ? "open" : "closed", "rate_asked", driver->plan.rate,
			"in_flight", (int)driver->plan.in_flight, "citizens",
			(json_int_t)driver->plan.citizens, "messages", (json_int_t)messages,
			"seconds", seconds, "per_second",
			seconds > 0 ? (double)messages / seconds : 0, "p50_us",
			latency_json(driver, 0.5), "p99_us", latency_json(driver, 0.99), "max_us",
			latency_json(driver, 1), "processes", procs_json(driver));
	json_object_set_new(out, "open_dialogs", json_integer(citizens_open(driver->citizens)));
	json_object_set_new(out, "driver_cpu_seconds", json_real(driver->own_cpu));
	json_object_set_new(out, "lost", json_integer(driver->begun - driver->done));
	json_object_set_new(out, "doubled", json_integer(driver->doubled));
	json_object_set_new(out, "wrong", json_integer(driver->wrong));
	json_object_set_new(out, "refused_and_sent_again", json_integer(driver->refused));
	json_object_set_new(out, "broken_and_sent_again", json_integer(driver->broken));
	json_object_set_new(out, "all_citizens_in_work", json_integer(driver->starved));
	if (driver->wrong)
		json_object_set_new(out, "first_wrong", json_string(driver->first_wrong));
	json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(out);
}

static const struct option OPTIONS[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "sink", required_argument, NULL, 's' },
	{ "connections", required_argument, NULL, 'c' },
	{ "in-flight", required_argument, NULL, 'f' },
	{ "rate", required_argument, NULL, 'r' },
	{ "citizens", required_argument, NULL, 'n' },
	{ "keep-open", required_argument, NULL, 'k' },
	{ "opened", no_argument, NULL, 'o' },
	{ "warm", required_argument, NULL, 'w' },
	{ "count", required_argument, NULL, 'm' },
	{ "target", required_argument, NULL, 't' },
	{ "body", required_argument, NULL, 'b' },
	{ "first", required_argument, NULL, '1' },
	{ "second", required_argument, NULL, '2' },
	{ "question", required_argument, NULL, 'q' },
	{ "thanks", required_argument, NULL, 'd' },
	{ "process", required_argument, NULL, 'P' },
	{ NULL, 0, NULL, 0 },
};

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void take_option(struct driver *driver, int option, char *value)
{
	struct plan *plan = &driver->plan;

	switch (option) {
	case 'p':
		plan->port = number(value);
		break;
	case 's':
		plan->sink_port = number(value), plan->to_sink = true;
		break;
	case 'c':
		plan->connections = number(value);
		break;
	case 'f':
		plan->in_flight = number(value);
		break;
	case 'r':
		plan->rate = strtod(value, NULL);
		break;
	case 'n':
		plan->citizens = number(value);
		break;
	case 'k':
		plan->keep_open = number(value);
		break;
	case 'o':
		plan->opened = true;
		break;
	case 'w':
		plan->warm = number(value);
		break;
	case 'm':
		plan->count = number(value);
		break;
	case 't':
		plan->target = value;
		break;
	case 'b':
		plan->body = value;
		break;
	case '1':
		plan->first = value;
		break;
	case '2':
		plan->second = value;
		break;
	case 'q':
		plan->question = value;
		break;
	case 'd':
		plan->thanks = value;
		break;
	case 'P':
		if (!procs_add(&driver->procs, value))
			errx(2, "--process is name=pid, at most %d times", PROC_MAX);
		break;
	default:
		errx(2, "see scripts/bench for how this is called");
	}
}

static void driver_open(struct driver *driver)
{
	const struct plan *plan = &driver->plan;

	if (!plan->port || !plan->target || !plan->count || !plan->citizens)
		errx(2, "--port, --target, --citizens and --count are needed");
	driver->seed = mix((uint64_t)now_us()) & 0xffffffff00000000ULL;
	driver->seed |= (uint64_t)time(NULL) & 0xffffffffULL;
	driver->latency_us = xcalloc((size_t)plan->count, sizeof(int32_t));
	driver->refusals = xcalloc(plan->citizens, sizeof(uint32_t));
	driver->citizens = citizens_new(plan->citizens, plan->opened, plan->keep_open);
	driver->base = event_base_new();
	if (!driver->base)
		errx(1, "no event loop");
	driver->pool = wire_pool_new(driver->base, plan->port, plan->connections, answer_cb,
				     driver);
	if (plan->to_sink)
		driver->sink = wire_sink_new(driver->base, plan->sink_port, heard_cb, driver);
}

static void driver_close(struct driver *driver)
{
	if (driver->tick)
		event_free(driver->tick);
	event_free(driver->watch);
	event_free(driver->again);
	if (driver->sink)
		wire_sink_free(driver->sink);
	wire_pool_free(driver->pool);
	event_base_free(driver->base);
	citizens_free(driver->citizens);
	free(driver->latency_us);
	free(driver->refusals);
}

int main(int argc, char **argv)
{
	static struct driver driver = { .plan = { .connections = 32,
						  .in_flight = 32,
						  .first = "",
						  .second = "",
						  .question = "",
						  .thanks = "" } };
	int option;

	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
		take_option(&driver, option, optarg);
	driver_open(&driver);
	drive(&driver);
	report(&driver);
	driver_close(&driver);
	return 0;
}
