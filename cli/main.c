// SPDX-License-Identifier: Apache-2.0
/* cordon: a table of verbs. What needs a compiler or a JSON reader is another program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/programs.h"
#include "cli/verbs.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *program; /* another executable, cordon-PROGRAM */
	const char *help;
};

static const struct verb verbs[] = {
	{ "run", cmd_run, NULL, "run a command in a sandbox" },
	{ "shell", cmd_shell, NULL, "an interactive shell in a sandbox" },
	{ "learn", cmd_learn, NULL, "run a command and write the policy that it needs" },
	{ "policy", NULL, "policy", "check, show, test and build policies" },
	{ "audit", NULL, "audit", "read and verify the log of denials" },
	{ "gc", cmd_gc, NULL, "remove what launches that were killed have left" },
	{ "doctor", cmd_doctor, NULL, "what this host can do, and what to do about the rest" },
	{ "completion", cmd_completion, NULL, "completion code for a shell" },
	{ "version", cmd_version, NULL, "the version" },
};

int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)printf("cordon %s\n", CORDON_VERSION);
	return 0;
}

static void help(FILE *out)
{
	(void)fprintf(out, "usage: cordon VERB [ARGUMENT...]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		(void)fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].help);
	(void)fprintf(out, "\n'cordon run --help' lists the options of a launch.\n");
}

/* A caller may have closed 0, 1 or 2: nothing of ours may land on those numbers. */
static void guard_stdio(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			_exit(EXIT_CORDON);
	}
	/* Whatever else the caller left open is not for the programs that we run. */
	(void)sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* Where SIGCHLD is ignored, which exec keeps, a child leaves no status to wait for (wait(2)). */
static void guard_children(void)
{
	(void)signal(SIGCHLD, SIG_DFL);
}

/* The deepest way, that to the log's first record, takes 70 KiB: less would be a fault on it. */
enum { LEAST_STACK = 128 << 10 };

static int check_stack(struct err *err)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_STACK, &now) < 0 || now.rlim_cur >= LEAST_STACK)
		return 0;
	(void)err_refuse(err, "run on a stack of %llu KiB", (unsigned long long)now.rlim_cur >> 10);
	return err_hint(err, "%d KiB are needed: ulimit -s", LEAST_STACK >> 10);
}

static int unknown(const char *name)
{
	struct err err = ERR_INIT;
	const char *nearest = NULL;
	unsigned best = 3;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		unsigned d = text_distance(name, verbs[i].name, best);

		if (d < best) {
			best = d;
			nearest = verbs[i].name;
		}
	}
	(void)err_refuse(&err, "understand the verb '%s'", name);
	if (nearest)
		(void)err_hint(&err, "did you mean 'cordon %s'?", nearest);
	else
		(void)err_hint(&err, "'cordon --help' lists the verbs");
	print_error(NULL, &err);
	return EXIT_CORDON;
}

/* No handler waits for exit(): the C library's own would copy pages that the clone has left shared.
 */
static noreturn void finish(int status)
{
	/* Output that could not be written is a failure, not a success that nobody saw. */
	if (fflush(stdout) != 0 && status == 0)
		status = EXIT_CORDON;
	_exit(status);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	guard_stdio();
	guard_children();
	if (check_stack(&err) < 0) {
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	if (argc < 2) {
		help(stderr);
		return EXIT_CORDON;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		help(stdout);
		finish(0);
	}
	if (strcmp(argv[1], "--version") == 0)
		finish(cmd_version(argc, argv));
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (verbs[i].run)
			finish(verbs[i].run(argc - 1, argv + 1));
		(void)programs_exec(verbs[i].program, argv + 1, &err);
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	return unknown(argv[1]);
}
