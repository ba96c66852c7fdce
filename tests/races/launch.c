// SPDX-License-Identifier: Apache-2.0
/* What is launched for each kind of path there is, and what may come of it. */
#include "tests/races/races.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct kind kinds[] = {
	{ .name = "--ro", .options = "--ro P", .see = "P" },
	{ .name = "--rw", .options = "--rw P", .see = "P" },
	{ .name = "--overlay", .options = "--overlay P", .see = "P" },
	{ .name = "--ro into a tree", .options = "--rw @/plan --ro @/fixed:P/in", .see = "P/in" },
	{ .name = "--ro below --rw", .options = "--rw @/plan --ro P", .see = "P", .closes = true },
	{ .name = "--hide in a tree",
	  .options = "--rw @/plan --hide P",
	  .see = "P",
	  .hides = true },
	{ .name = "--tmpfs in a tree", .options = "--rw @/plan --tmpfs P/t", .see = "P/t" },
	{ .name = "--dir in a tree", .options = "--rw @/plan --dir P/made", .see = "P/made" },
	{ .name = "--symlink in a tree", .options = "--rw @/plan --symlink x:P/made", .see = "P" },
	{ .name = "--file in a tree", .options = "--rw @/plan --file 9:P/made", .see = "P" },
	{ .name = "--base", .options = "--base P", .see = "/", .look = "/bin/look" },
	{ .name = "--base, a second",
	  .options = "--base @/honest --base P",
	  .see = "/",
	  .look = "/bin/look" },
	{ .name = "--base, read-only",
	  .options = "--base P --upper none",
	  .see = "/",
	  .look = "/bin/look" },
	{ .name = "--upper",
	  .options = "--base @/honest --upper P",
	  .see = "/",
	  .look = "/bin/look" },
	{ .name = "--cwd", .options = "--ro @/plan --cwd P", .see = "." },
	{ .name = "the working directory", .options = "", .see = "P", .from_inside = true },
	{ .name = "--audit file:", .options = "--audit file:P/log", .see = "P", .logs = true },
};
const size_t n_kinds = sizeof(kinds) / sizeof(*kinds);
const char *const seen_names[] = { "planned", "other", "nothing", "refused", "finding" };

static void expand(const struct arena *a, const char *text, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	for (; *text && n < size; text++) {
		const char one[2] = { *text, '\0' };

		n += (size_t)snprintf(ret + n, size - n, "%s",
				      *text == '@'   ? a->dir
				      : *text == 'P' ? a->path
						     : one);
	}
}

void launch_exec(const struct arena *a, const struct kind *k, int out)
{
	char options[2048], see[TEXT * 2], look[TEXT + 8], log[TEXT + 16];
	char *argv[MAX_OPTIONS + 24], *rest = options;
	size_t n = 0;
	int passed = open("/dev/null", O_RDONLY);

	if (dup2(passed, 9) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(99);
	/* by descriptor: its name may lead elsewhere at this moment */
	if (chdir(a->dir) < 0 || (k->from_inside && fchdir(a->planned) < 0))
		_exit(99);
	expand(a, k->options, options, sizeof(options));
	expand(a, k->see, see, sizeof(see));
	snprintf(look, sizeof(look), "%s/look", a->dir);
	snprintf(log, sizeof(log), "file:%.400s/log", a->dir);
	argv[n++] = (char *)(unsigned long)a->cordon;
	argv[n++] = "run";
	argv[n++] = "-q";
	if (!k->logs) {
		argv[n++] = "--audit";
		argv[n++] = log;
	}
	if (!k->from_inside && !strstr(k->options, "--cwd")) {
		argv[n++] = "--cwd";
		argv[n++] = "/";
	}
	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			argv[n++] = word;
	if (!k->look) {
		argv[n++] = "--ro";
		argv[n++] = look;
	}
	argv[n++] = "--";
	argv[n++] = k->look ? (char *)(unsigned long)k->look : look;
	argv[n++] = (char *)(unsigned long)a->terces;
	argv[n++] = see;
	argv[n] = NULL;
	execv(a->cordon, argv);
	_exit(99);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void launch_run(const struct arena *a, const struct kind *k, struct outcome *o)
{
	const long end = now_ms() + LIMIT_MS;
	int ends[2];
	pid_t pid;

	o->len = 0;
	o->hung = false;
	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("make a pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("make a process");
	if (pid == 0)
		launch_exec(a, k, ends[1]);
	close(ends[1]);
	for (;;) {
		struct pollfd p = { .fd = ends[0], .events = POLLIN };
		const long left = end - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			o->hung = true;
			kill(pid, SIGKILL);
			break;
		}
		n = read(ends[0], o->text + o->len, sizeof(o->text) - 1 - o->len);
		if (n <= 0)
			break;
		o->len += (size_t)n;
	}
	close(ends[0]);
	o->text[o->len] = '\0';
	waitpid(pid, &o->status, 0);
}

enum seen launch_judge(const struct arena *a, const struct kind *k, const struct outcome *o,
		       uint64_t outside_before, const char **why)
{
	const int code = WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;

	*why = NULL;
	if (o->hung)
		*why = "it hung";
	else if (strstr(o->text, a->secret) || strstr(o->text, "SECRET "))
		*why = "the payload saw what lies outside";
	else if (arena_outside(a, k) != outside_before)
		*why = "something outside has changed";
	if (*why)
		return SEEN_FINDING;
	if (code >= 125 && code <= 127 && strstr(o->text, "cordon: cannot") &&
	    !strstr(o->text, "ran\n"))
		return SEEN_REFUSED;
	if (code == 0 && strstr(o->text, "id planned\n"))
		return SEEN_PLANNED;
	if (code == 0 && strstr(o->text, "id other\n"))
		return SEEN_OTHER;
	if (code == 0 && strstr(o->text, "id none\n"))
		return SEEN_NONE;
	*why = "a status that means nothing";
	return SEEN_FINDING;
}
