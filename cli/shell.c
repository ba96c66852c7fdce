// SPDX-License-Identifier: Apache-2.0
/* cordon shell: the caller's shell, interactive, under a policy for people's sessions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "cli/run.h"
#include "cli/verbs.h"

extern char **environ;

static int shell_argv(struct run_options *o, const struct plan_host *host, char ***ret,
		      struct err *err)
{
	size_t n = 0;
	char **argv;

	while (o->request.argv[n])
		n++;
	argv = calloc(n + 3, sizeof(*argv));
	if (!argv)
		return err_set(err, -ENOMEM, "start a shell");
	/* execve takes char * and changes nothing */
	argv[0] = (char *)(uintptr_t)(host->shell ? host->shell : "/bin/sh");
	if (n == 0) {
		argv[1] = (char *)(uintptr_t) "-i";
	} else {
		memcpy(argv + 1, o->request.argv, n * sizeof(*argv));
	}
	*ret = argv;
	return 0;
}

int cmd_shell(int argc, char **argv)
{
	static struct run_options o;
	struct err err = ERR_INIT;
	struct plan_host host;
	char **command = NULL;
	int status = EXIT_CORDON;
	int r = options_parse(argc, argv, &o, &err);

	if (r == 0 && o.help) {
		options_help("shell");
		return 0;
	}
	if (r == 0)
		r = plan_host_read(&host, environ, &err);
	if (r == 0)
		r = shell_argv(&o, &host, &command, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	o.request.argv = command;
	if (!o.policy)
		o.policy = "session";
	status = run_options(&o, &host);
	free(command);
	return status;
}
