// SPDX-License-Identifier: Apache-2.0
/*
 * as [-e] [-n] [-c CGROUP] [-l TEXT] UID HOME COMMAND...: root's way to an ordinary user, without
 * groups and at home in HOME, which holds what XDG's variables name ("-": where the caller is). One
 * program, as a guest takes 25 ms to start setpriv(1) and env(1).
 *
 *	-e         nothing of the caller's environment but PATH
 *	-n         with no_new_privs
 *	-c CGROUP  in this cgroup, by its directory
 *	-l TEXT    written to /proc/self/attr/exec: the command has that label, nothing before it
 *
 * Status 99 where one of these fails, else the command's.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "as: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void put(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) < 0)
		fail(path);
}

static void set_environment(const char *home, bool empty)
{
	static const char *const below[][2] = {
		{ "HOME", "" },
		{ "XDG_STATE_HOME", "" },
		{ "XDG_RUNTIME_DIR", "" },
		{ "XDG_CACHE_HOME", "/cache" },
		{ "XDG_CONFIG_HOME", "/config" },
	};
	const char *const path = getenv("PATH");
	char value[PATH_MAX];

	/* of the old environment's memory, which stays */
	if (empty && (clearenv() != 0 || (path && setenv("PATH", path, 1) < 0)))
		fail("environment");
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]) && strcmp(home, "-") != 0; i++) {
		if ((size_t)snprintf(value, sizeof(value), "%s%s", home, below[i][1]) >=
		    sizeof(value))
			errno = ENAMETOOLONG, fail(home);
		if (setenv(below[i][0], value, 1) < 0)
			fail(below[i][0]);
	}
}

int main(int argc, char **argv)
{
	const char *cgroup = NULL, *label = NULL;
	bool empty = false, closed = false;
	char path[PATH_MAX], *end;
	unsigned long id;

	for (int option; (option = getopt(argc, argv, "+enc:l:")) != -1;) {
		if (option == 'e')
			empty = true;
		else if (option == 'n')
			closed = true;
		else if (option == 'c')
			cgroup = optarg;
		else if (option == 'l')
			label = optarg;
		else
			return 99;
	}
	argv += optind;
	if (argc - optind < 3)
		return fprintf(stderr, "usage: see the head of as.c\n"), 99;
	id = strtoul(argv[0], &end, 10);
	if (*end || end == argv[0] || id == 0 || id >= UINT_MAX)
		return fprintf(stderr, "as: '%s' is no user's id\n", argv[0]), 99;
	if (cgroup) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
		put(path, "0");
	}
	set_environment(argv[1], empty);
	if (setgroups(0, NULL) < 0 || setresgid((gid_t)id, (gid_t)id, (gid_t)id) < 0 ||
	    setresuid((uid_t)id, (uid_t)id, (uid_t)id) < 0)
		fail(argv[0]);
	if (closed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail("no_new_privs");
	if (label)
		put("/proc/self/attr/exec", label);
	execvp(argv[2], argv + 2);
	fprintf(stderr, "as: %s: %s\n", argv[2], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
