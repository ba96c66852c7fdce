// SPDX-License-Identifier: Apache-2.0
/*
 * probe [--when WORDS] [--fact NAME=VALUE]... [ID...]        inside: TAP, a line a point
 * probe --twin [--fact NAME=VALUE]... [ID...]                outside: the same code gets through
 * probe --table | --expect | --calls                         what is tried; exceptions; for the log
 *
 * WORDS say what the sandbox is (expect.c). Each point runs in a process of its own, so that being
 * killed for it is an answer too; where no process can be made it runs in this one. What would
 * harm a machine is tried only when no_new_privs, a filter and a pid namespace are seen in force.
 * As root the twins are those that want root, as anybody else the others. Static, and includes
 * nothing of cordon's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/escape/probe.h"

void expect_print(void);

static const struct points *const classes[] = {
	&points_namespaces, &points_mounts, &points_files,   &points_proc,  &points_fds,
	&points_terminal,   &points_who,    &points_network, &points_calls, &points_limits,
};

static struct {
	unsigned n, held, failed, given, open, shown, not_shown, other;
} count;

static const char *error_name(const struct answer *a)
{
	static char text[32];

	if (a->error < 0)
		snprintf(text, sizeof(text), "SIG%s", sigabbrev_np(-a->error));
	else if (a->outcome == HIDDEN)
		return "nothing there";
	else if (a->error == 0)
		return a->text[0] ? a->text : "refused";
	else
		snprintf(text, sizeof(text), "%s",
			 strerrorname_np(a->error) ? strerrorname_np(a->error) : "refused");
	return text;
}

static void print(bool good, const struct point *p, const char *fmt, const char *a, const char *b)
{
	count.n++;
	count.failed += !good;
	printf("%sok %u - %s%s %s # ", good ? "" : "not ", count.n, world.twin ? "twin " : "",
	       p->id, p->what);
	printf(fmt, a, b);
	putchar('\n');
	fflush(stdout);
}

/* --- inside */

static void judge(const struct point *p, const char *when)
{
	const bool works = p->flags & WORKS;
	const char *reason;
	enum want want = expect_of(p, when, &reason);
	struct answer a;

	if (p->flags & HARMFUL && !world.locked) {
		print(false, p, "not tried: no lock is in force", "", "");
		return;
	}
	a = world_alone(p, false);
	if (want == WANT_OPEN) {
		/* one that has become closed is to leave the list */
		count.open++;
		print(a.outcome == DONE, p, "open: %s (%s)", reason,
		      a.outcome == DONE ? a.text : error_name(&a));
		return;
	}
	if (want == WANT_DONE) {
		count.given++;
		print(a.outcome == DONE, p, "given: %s (%s)", reason,
		      a.outcome == DONE ? a.text : error_name(&a));
		return;
	}
	if (works && want == WANT_DEFAULT) {
		count.held += a.outcome == DONE;
		print(a.outcome == DONE, p, a.outcome == DONE ? "works: %s" : "does not work: %s",
		      a.outcome == DONE ? a.text : error_name(&a), "");
		return;
	}
	if (a.outcome == DONE) {
		print(false, p, "BREACH: %s", a.text, "");
		return;
	}
	if (p->error && a.outcome == DENIED && a.error != p->error) {
		print(false, p, "%s, not %s", error_name(&a), strerrorname_np(p->error));
		return;
	}
	count.held++;
	print(true, p, reason ? "%s: %s" : "%s", error_name(&a), reason);
}

/* --- outside */

static void show_twin(const struct point *p)
{
	const bool as_root = geteuid() == 0;
	struct answer a = { .outcome = DENIED, .error = EPERM };

	if (p->twin == TWIN_NONE) {
		if (as_root)
			return;
		count.not_shown++;
		print(true, p, "not shown: %s", p->unless, "");
		return;
	}
	if (as_root != (p->twin == TWIN_ROOT)) {
		count.other++;
		return;
	}
	a = world_alone(p, p->twin == TWIN_NS);
	if (a.outcome == DONE) {
		count.shown++;
		print(true, p, "shown: %s", a.text, "");
	} else if (p->unless) {
		count.not_shown++;
		print(true, p, "not shown here: %s (%s)", p->unless, error_name(&a));
	} else {
		print(false, p, "does not work outside either: %s %s", error_name(&a), a.text);
	}
	/* what a twin has killed is needed by the next one */
	if (p->id[0] == 'G')
		world_begin(true);
}

/* --- lists */

static void print_table(void)
{
	static const char *const twins[] = { "same user", "own namespaces", "root", "none" };

	for (size_t c = 0; c < COUNT(classes); c++) {
		for (size_t i = 0; i < classes[c]->n; i++) {
			const struct point *p = &classes[c]->first[i];

			printf("%-4s %-48s twin: %s%s%s\n", p->id, p->what, twins[p->twin],
			       p->unless ? "; unless " : "", p->unless ? p->unless : "");
		}
	}
}

static void print_calls(void)
{
	for (size_t c = 0; c < COUNT(classes); c++)
		for (size_t i = 0; i < classes[c]->n; i++)
			if (classes[c]->first[i].call)
				printf("%s %s\n", classes[c]->first[i].call,
				       classes[c]->first[i].id);
}

static int run(const char *when, char **ids, int n_ids)
{
	for (size_t c = 0; c < COUNT(classes); c++) {
		for (size_t i = 0; i < classes[c]->n; i++) {
			const struct point *p = &classes[c]->first[i];
			bool wanted = n_ids == 0;

			for (int k = 0; k < n_ids; k++)
				wanted |= strcmp(ids[k], p->id) == 0;
			if (!wanted)
				continue;
			if (world.twin)
				show_twin(p);
			else
				judge(p, when);
		}
	}
	if (world.twin)
		printf("# twins: %u shown, %u not shown\n", count.shown, count.not_shown);
	else
		printf("# held %u of %u, given %u, open %u\n", count.held, count.n - count.given,
		       count.given, count.open);
	printf("1..%u\n", count.n);
	end_child(world.twin ? world.init : -1);
	return fflush(stdout) != 0 || count.failed || count.n == 0;
}

int main(int argc, char **argv)
{
	const char *when = "";
	bool twin = false;
	int i = 1;

	if (argc == 2 && strcmp(argv[1], "--stand-in") == 0)
		return world_stand_in();
	if (argc == 2 && strcmp(argv[1], "--am-i-root") == 0)
		return geteuid() == 0 && getuid() != 0 ? 7 : 0;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--table") == 0)
			return print_table(), 0;
		if (strcmp(argv[i], "--expect") == 0)
			return expect_print(), 0;
		if (strcmp(argv[i], "--calls") == 0)
			return print_calls(), 0;
		if (strcmp(argv[i], "--twin") == 0) {
			twin = true;
		} else if (i + 1 < argc && strcmp(argv[i], "--when") == 0) {
			when = argv[++i];
		} else if (i + 1 < argc && strcmp(argv[i], "--fact") == 0) {
			fact_add(argv[++i]);
		} else {
			fprintf(stderr, "probe: no option '%s'\n", argv[i]);
			return 2;
		}
	}
	world_begin(twin);
	return run(when, argv + i, argc - i);
}
