// SPDX-License-Identifier: Apache-2.0
/* F1 to F4, L4: descriptors that were open outside, those of pid 1, and the log. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/escape/probe.h"

/* Descriptors that the caller leaked: 27 a file, 28 a directory, 333 one more. */
static struct answer go_leaked(const struct point *p)
{
	return by_result(fcntl((int)p->arg[0], F_GETFD), "it is open");
}

static struct answer go_any_leaked(const struct point *p)
{
	long given = fact_number("fd");

	(void)p;
	for (int fd = 3; fd < 1024; fd++)
		if (fd != given && fcntl(fd, F_GETFD) >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			return done("descriptor %d is open", fd);
	return hidden();
}

static struct answer go_leaked_dir(const struct point *p)
{
	const char *canary = fact("canary");
	char path[600];

	(void)p;
	snprintf(path, sizeof(path), "..%s", canary ? canary : "");
	for (int i = 0; i < 24; i++)
		memmove(path + 3, path, sizeof(path) - 3), memcpy(path, "../", 3);
	int fd = openat(28, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return refused();
	bool found = holds_secret(fd);

	close(fd);
	return found ? done("by descriptor 28") : hidden();
}

static struct answer go_getfd(const struct point *p)
{
	int pidfd = (int)syscall(SYS_pidfd_open, world.init, 0);
	struct answer a = hidden();

	(void)p;
	if (pidfd < 0)
		return refused();
	for (int fd = 0; fd < 16; fd++) {
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return done("its descriptor %d", fd);
		a = refused();
	}
	return a;
}

static struct answer go_proc_fd(const struct point *p)
{
	struct answer a = hidden();

	for (int fd = 0; fd < 16; fd++) {
		char path[64], target[256];

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", world.init, fd);
		long r = p->arg[0] ? readlink(path, target, sizeof(target))
				   : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (r >= 0)
			return done("%s", path);
		a = refused();
	}
	return a;
}

/* The passed file is open for reading, and a file of the caller's own that he may write to. */
static struct answer go_reopen(const struct point *p)
{
	char path[64];
	long fd = fact_number("fd");

	if (fd < 0)
		return done("no descriptor was told of");
	snprintf(path, sizeof(path), p->path, fd);
	return by_result(p->arg[0] == SYS_truncate ? truncate(path, 0)
						   : open(path, (int)p->arg[1] | O_CLOEXEC),
			 "more than it came with");
}

static struct answer go_up_from_fd(const struct point *p)
{
	char path[128], target[1024];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fact_number("fd"));
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return refused();
	target[n] = '\0';
	(void)p;
	int fd = open(target, O_RDONLY | O_CLOEXEC);

	return by_result(fd, "by the name that its link tells");
}

/* --- L4: the log; the test has told where it lies */

static struct answer go_log(const struct point *p)
{
	const char *log = fact("log");
	char path[600];

	if (!log)
		return done("no log was told of");
	snprintf(path, sizeof(path), "%s%s", log, p->path ? p->path : "");
	switch (p->arg[0]) {
	case SYS_unlink:
		return by_result(unlink(path), "removed");
	case SYS_truncate:
		return by_result(truncate(path, 0), "cut");
	case SYS_rename:
		return by_result(rename(path, log), "exchanged");
	default:
		return by_result(open(path, (int)p->arg[1] | O_CLOEXEC), "opened");
	}
}

static const struct point list[] = {
	{ "F1", "leaked descriptor 27", go_leaked, .arg = { 27 } },
	{ "F1", "leaked descriptor 28", go_leaked, .arg = { 28 } },
	{ "F1", "leaked descriptor 333", go_leaked, .arg = { 333 } },
	{ "F1", "any other descriptor", go_any_leaked },
	{ "F1", "up from a leaked directory", go_leaked_dir },
	{ "F2", "a descriptor of pid 1 by pidfd_getfd", go_getfd, .call = "pidfd_getfd",
	  .unless = "kernel.yama.ptrace_scope keeps processes of one user apart" },
	{ "F2", "a descriptor of pid 1 by its link", go_proc_fd },
	{ "F2", "what pid 1 has open", go_proc_fd, .arg = { 1 } },
	{ "F4", "a read-only file again for writing", go_reopen, .path = "/proc/self/fd/%ld",
	  .arg = { 0, O_WRONLY } },
	{ "F4", "a read-only file again for both", go_reopen, .path = "/dev/fd/%ld",
	  .arg = { 0, O_RDWR } },
	{ "F4", "a read-only file again by its thread", go_reopen,
	  .path = "/proc/thread-self/fd/%ld", .arg = { 0, O_RDWR } },
	{ "F4", "a read-only file cut", go_reopen, .path = "/proc/self/fd/%ld",
	  .arg = { SYS_truncate } },
	{ "F4", "a passed file by the name it had", go_up_from_fd },
	{ "L4", "read the log", go_log },
	{ "L4", "write the log", go_log, .arg = { 0, O_WRONLY } },
	{ "L4", "its head", go_log, .path = ".head", .arg = { 0, O_RDWR } },
	{ "L4", "cut the log", go_log, .arg = { SYS_truncate } },
	{ "L4", "exchange the log for its head", go_log, .path = ".head", .arg = { SYS_rename } },
	{ "L4", "remove the log", go_log, .arg = { SYS_unlink } },
};

const struct points points_fds = { list, COUNT(list) };
