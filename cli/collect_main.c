// SPDX-License-Identifier: Apache-2.0
/* cordon-collect: started by an administrator, or not at all; nothing of cordon starts it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/collected.h"
#include "base/fd.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "collect/collector.h"
#include "collect/confine.h"

static const char usage[] =
	"usage: cordon-collect [--socket PATH]\n"
	"Hands the kernel's own denials (AppArmor, SELinux, Landlock, seccomp) to the supervisors\n"
	"of the sandboxes that they are of. Needs a user of its own and the capability\n"
	"CAP_AUDIT_READ, which it drops; cordon-collect.service starts it so.\n"
	"  --socket PATH  where supervisors connect (" COLLECTED_SOCKET ")\n";

static int fail(const struct err *err)
{
	print_error("collect", err);
	return EXIT_CORDON;
}

static int parse(int argc, char **argv, const char **socket, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return 1;
		if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc) {
			*socket = argv[++i];
			continue;
		}
		(void)err_refuse(err, "take '%.64s'", argv[i]);
		return err_hint(err, "cordon-collect --help");
	}
	return 0;
}

static void say_facts(const struct collector_facts *facts, const char *socket, int landlock)
{
	(void)fprintf(stderr,
		      "cordon-collect: listening at %s for at most %u sandboxes; no capability, "
		      "seccomp, Landlock %s\n",
		      socket, facts->max, landlock ? "in force" : "not to be had");
	if (!facts->forks)
		(void)fprintf(stderr,
			      "cordon-collect: no fork events (Linux 6.6): denials of "
			      "processes that end at once may be missed or be joined by user\n");
	if (!facts->audit)
		(void)fprintf(stderr, "cordon-collect: the kernel's audit is off, and Landlock's "
				      "denials with it: auditctl -e 1, or audit=1 at boot\n");
	if (!facts->kauditd)
		(void)fprintf(stderr, "cordon-collect: kauditd cannot be seen in /proc: each "
				      "sandbox waits 0.1 s at its end, and its log says "
				      "that some may be missing\n");
}

/* By write(2) alone: stdio may want memory, and there is none to be had. */
static void say_totals(const struct collector_totals *t)
{
	char text[320];
	int n = snprintf(text, sizeof(text),
			 "cordon-collect: %" PRIu64 " records, %" PRIu64 " denials, %" PRIu64
			 " handed over, %" PRIu64 " of processes that were gone, %" PRIu64
			 " events lost at most, %" PRIu64 " connections refused\n",
			 t->records, t->denials, t->delivered, t->unjoined, t->lost, t->refused);

	if (n > 0)
		(void)fd_write_all(STDERR_FILENO, text, (size_t)n);
}

int main(int argc, char **argv)
{
	struct collector_options options = { .socket = COLLECTED_SOCKET,
					     .source = -1,
					     .forks = -1 };
	struct collector *collector = NULL;
	struct collector_totals totals;
	struct collector_facts facts = { .max = 0 };
	struct err err = ERR_INIT;
	int landlock, r = parse(argc, argv, &options.socket, &err);

	if (r > 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	r = r ? r : confine_check(&err);
	r = r ? r : collector_open(&options, &collector, &facts, &err);
	r = r ? r : confine_apply(&collect_program, &landlock, &err);
	if (r < 0)
		return fail(&err);
	say_facts(&facts, options.socket, landlock);
	r = collector_run(collector, &err);
	collector_totals(collector, &totals);
	say_totals(&totals);
	if (r < 0) {
		char text[LIMIT_ERR_TEXT + 128];
		int n = snprintf(text, sizeof(text), "cordon: collect: cannot %s: %s\n", err.msg,
				 err_text(err.code));

		if (n > 0)
			(void)fd_write_all(STDERR_FILENO, text, (size_t)n);
	}
	/* Nothing is given back: the end does it, and freeing takes calls that are no more. */
	_exit(r < 0 ? EXIT_CORDON : 0);
}
