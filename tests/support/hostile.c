/* hostile.c - runs a folder of hostile plugins by its rules: each in a process of its own, with a deadline.
 *
 * hostile DIR: for each DIR/NAME.lua, whose second line is "-- outcome: a|b", a child process loads the file twice in a row
 * as a plugin, runs it as a dialog's body, then runs the canary, another plugin, and counts Lua's memory after
 * unloading.  `same` is compared over five processes.  One line a failure, then "N passed, M failed".
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base.h"
#include "plugin_sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
enum { DEADLINE_MS = 10000 };
#else
enum { DEADLINE_MS = 1000 };
#endif
enum { SOURCE_MAX = 64 << 10, VERDICT_MAX = 4096, PROCESSES = 5 };

static const char canary[] = "return ('x'):rep(3) .. string.format('%d', 7)";
/* Any global that isn't one of ours was left behind. */
static const char other[] =
	"local own = { _G = true }\n"
	"for name in pairs(_G) do if not own[name] then return 'left behind: ' .. name end end\n"
	"if leaked ~= nil or leaked2 ~= nil then return 'left behind' end\n"
	"return 'clean'";

static const char *outcome_name(enum sandbox_end end)
{
	switch (end) {
	case SANDBOX_DONE:
		return "ok";
	case SANDBOX_STOPPED:
		return "stopped";
	case SANDBOX_MEMORY:
		return "memory";
	default:
		return "refused";
	}
}

struct result {
	enum sandbox_end end;
	char text[256]; /* what it returned, or its error */
	bool is_text;
};

static bool limits_hold(struct sandbox_run *run, char *why, size_t size)
{
	if (sandbox_run_log(run).len > sandbox_default_limits.log) {
		snprintf(why, size, "wrote %zu bytes of log", sandbox_run_log(run).len);
		return false;
	}
	if (strlen(sandbox_run_error(run)) > 1024 || strpbrk(sandbox_run_error(run), "\r\n")) {
		snprintf(why, size, "an error that is not one bounded line");
		return false;
	}
	return true;
}

/* Runs one file as a dialog's body in the sandbox. */
static bool run_once(struct sandbox *sandbox, const char *name, struct result *result, char *why,
		     size_t size)
{
	struct sandbox_run *run = sandbox_run_new(sandbox, NULL);
	bool held;

	memset(result, 0, sizeof(*result));
	sandbox_run_seed(run, 7);
	sandbox_run_time(run, 1795489498);
	result->end = sandbox_run_load(run, name);
	if (result->end == SANDBOX_DONE) {
		lua_State *L = sandbox_run_thread(run);

		if (lua_type(L, -1) == LUA_TSTRING) {
			result->is_text = true;
			snprintf(result->text, sizeof(result->text), "%s", lua_tostring(L, -1));
		}
		lua_pop(L, 1);
	} else {
		snprintf(result->text, sizeof(result->text), "%s", sandbox_run_error(run));
	}
	held = limits_hold(run, why, size);
	sandbox_run_free(run);
	return held;
}

/* Makes a sandbox with one file, runs it, and checks that unloading gives everything back (the leak
 * checker of a sanitizer, and the allocator's own count, which ends in lua_close). */
static bool run_alone(const char *source, size_t len, const char *want, char *why, size_t size)
{
	struct sandbox *sandbox = sandbox_new(&sandbox_default_limits);
	struct result result = { 0 };
	char error[1100];
	bool good = sandbox_add(sandbox, "canary", source, len, error, sizeof(error)) &&
		    run_once(sandbox, "canary", &result, why, size) && result.end == SANDBOX_DONE &&
		    strcmp(result.text, want) == 0;

	if (!good)
		snprintf(why, size, "afterwards another plugin gave '%s', not '%s'", result.text,
			 want);
	sandbox_free(sandbox);
	return good;
}

static bool same_sandbox_clean(struct sandbox *sandbox, char *why, size_t size)
{
	struct result result = { 0 };
	char error[1100];

	if (sandbox_spoiled(sandbox))
		return true; /* the host drops such a state */
	if (!sandbox_add(sandbox, "canary", canary, sizeof(canary) - 1, error, sizeof(error)) ||
	    !sandbox_add(sandbox, "other", other, sizeof(other) - 1, error, sizeof(error)) ||
	    !run_once(sandbox, "canary", &result, why, size) || strcmp(result.text, "xxx7") != 0 ||
	    !run_once(sandbox, "other", &result, why, size) || strcmp(result.text, "clean") != 0) {
		snprintf(why, size, "another run in the same state gave '%s'", result.text);
		return false;
	}
	return true;
}

/* In the child: prints "outcome\ttext" or "!why". */
static void child(const char *source, size_t len)
{
	struct result first = { 0 }, second = { 0 };
	char why[512] = "", error[1100] = "";
	bool good = true;
	struct sandbox *sandbox;

	for (unsigned round = 0; good && round < 2; round++) {
		struct result *result = round ? &second : &first;

		sandbox = sandbox_new(&sandbox_default_limits);
		if (!sandbox_add(sandbox, "hostile", source, len, error, sizeof(error))) {
			result->end = SANDBOX_ERROR;
			snprintf(result->text, sizeof(result->text), "%.200s", error);
		} else {
			good = run_once(sandbox, "hostile", result, why, sizeof(why));
			if (good && !sandbox_spoiled(sandbox)) {
				struct result again = { 0 };

				good = run_once(sandbox, "hostile", &again, why, sizeof(why));
				if (good && (again.end != result->end ||
					     strcmp(again.text, result->text) != 0)) {
					snprintf(why, sizeof(why), "gave '%.100s', then '%.100s'",
						 result->text, again.text);
					good = again.end == SANDBOX_STOPPED ||
					       again.end == SANDBOX_MEMORY;
				}
			}
		}
		good = good && same_sandbox_clean(sandbox, why, sizeof(why));
		sandbox_free(sandbox);
	}
	good = good && run_alone(canary, sizeof(canary) - 1, "xxx7", why, sizeof(why)) &&
	       run_alone(other, sizeof(other) - 1, "clean", why, sizeof(why));
	if (!good)
		printf("!%s\n", why);
	else
		printf("%s\t%s\t%s\n", outcome_name(first.end), first.is_text ? first.text : "",
		       first.is_text ? "" : first.text);
}

/* The child's verdict line; "" where it crashed or hung. */
static void run_child(const char *source, size_t len, char *verdict, char *why, size_t why_size)
{
	int pipes[2], status;
	size_t got = 0;
	pid_t pid;

	if (pipe(pipes) != 0 || (pid = fork()) < 0) {
		perror("fork");
		exit(2);
	}
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		child(source, len);
		fflush(stdout);
		exit(0);
	}
	close(pipes[1]);
	for (;;) {
		struct pollfd fd = { pipes[0], POLLIN, 0 };
		/* two runs of two rounds each */
		int ready = poll(&fd, 1, DEADLINE_MS * 4);
		ssize_t n = ready > 0 ? read(pipes[0], verdict + got, VERDICT_MAX - 1 - got) : -1;

		if (ready == 0)
			kill(pid, SIGKILL);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	verdict[got] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		snprintf(why, why_size,
			 WTERMSIG(status) == SIGKILL ? "hung" : "crashed by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(why, why_size,
			 "the process ended with %d (a sanitizer, or memory not given back)",
			 WEXITSTATUS(status));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		verdict[0] = '\0';
}

static bool allowed(const char *outcomes, const char *outcome)
{
	size_t n = strlen(outcome);

	for (const char *p = outcomes; (p = strstr(p, outcome)) != NULL; p += n)
		if ((p == outcomes || p[-1] == '|' || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == '|'))
			return true;
	return false;
}

/* NULL: as it should be; else why not. */
static const char *judge(const char *outcomes, const char *verdict, char *why, size_t size)
{
	char outcome[16], text[256] = "";

	if (why[0])
		return why;
	if (verdict[0] == '!')
		return verdict + 1;
	if (sscanf(verdict, "%15[^\t]\t%255[^\t\n]", outcome, text) < 1)
		return "no verdict";
	if (strncmp(text, "ESCAPED", 7) == 0) {
		snprintf(why, size, "%s", text);
		return why;
	}
	if (strcmp(outcome, "ok") == 0 && strncmp(text, "ok", 2) != 0) {
		snprintf(why, size, "returned '%.200s'", text);
		return why;
	}
	if (allowed(outcomes, outcome) || (strcmp(outcome, "ok") == 0 && allowed(outcomes, "same")))
		return NULL;
	snprintf(why, size, "was %s, expected %s: %.300s", outcome, outcomes, verdict);
	return why;
}

static const char *try_file(const char *path, char *why, size_t size)
{
	static char source[SOURCE_MAX + 1], verdict[VERDICT_MAX], again[VERDICT_MAX];
	char outcomes[128] = "";
	FILE *file = fopen(path, "rb");
	const char *line, *bad;
	size_t len;

	why[0] = '\0';
	if (!file)
		return "can't be read";
	len = fread(source, 1, SOURCE_MAX, file);
	source[len] = '\0';
	fclose(file);
	line = strchr(source, '\n');
	if (!line || sscanf(line, "\n-- outcome: %127[a-z|]", outcomes) != 1)
		return "line 2 is not '-- outcome: a|b'";
	run_child(source, len, verdict, why, size);
	bad = judge(outcomes, verdict, why, size);
	for (unsigned i = 1; !bad && allowed(outcomes, "same") && i < PROCESSES; i++) {
		run_child(source, len, again, why, size);
		bad = judge(outcomes, again, why, size);
		if (!bad && strcmp(verdict, again) != 0)
			bad = "differs from process to process";
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct dirent **names;
	unsigned passed = 0, failed = 0;
	int count = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1;

	if (count < 0) {
		fprintf(stderr, "usage: hostile DIR (a folder of .lua files)%s%s\n",
			argc == 2 ? ": " : "", argc == 2 ? strerror(errno) : "");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < count; i++) {
		size_t n = strlen(names[i]->d_name);
		char path[4096], why[1024];
		const char *bad;

		if (n > 4 && strcmp(names[i]->d_name + n - 4, ".lua") == 0) {
			snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
			bad = try_file(path, why, sizeof(why));
			if (bad)
				printf("%s: %s\n", names[i]->d_name, bad);
			bad ? failed++ : passed++;
		}
		free(names[i]);
	}
	free(names);
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0 || passed == 0;
}
