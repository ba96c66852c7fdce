// SPDX-License-Identifier: Apache-2.0
/* Namespaces; processes, IPC and networks of others. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/launches/inside.h"

/* ns=NAME:NUMBER must differ, same-ns=NAME:NUMBER must not. */
static void compare_ns(const struct check *c, const char *word, bool same)
{
	char path[64], text[64];
	const char *number = strchrnul(word, ':');
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/ns/%.*s", (int)(number - word), word);
	n = readlink(path, text, sizeof(text) - 1);
	if (n < 0) {
		blind(c, "%s: %s", path, strerror(errno));
		return;
	}
	text[n] = '\0';
	if (!same && strstr(text, number + (*number == ':')))
		breach(c, "%s is the host's", text);
	if (same && !strstr(text, number + (*number == ':')))
		lost(c, "%s is not the host's", text);
}

static void check_namespaces(const struct check *c)
{
	int at = 0;

	for (const char *word; (word = told_next("ns", &at));)
		compare_ns(c, word, false);
	at = 0;
	for (const char *word; (word = told_next("same-ns", &at));)
		compare_ns(c, word, true);
}

/* Those of its own namespace: pid 1 and itself. */
static void check_processes(const struct check *c)
{
	DIR *dir = opendir("/proc");
	int n = 0;

	if (!dir) {
		blind(c, "/proc: %s", strerror(errno));
		return;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		static const char *const files[] = { "cmdline", "environ" };

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		n++;
		for (int i = 0; i < 2; i++) {
			char path[300], text[4096];
			int len;

			snprintf(path, sizeof(path), "/proc/%s/%s", e->d_name, files[i]);
			len = read_file(path, text, sizeof(text));
			if (len > 0 && holds(text, (size_t)len, secret))
				breach(c, "%s holds the secret", path);
		}
	}
	closedir(dir);
	if (n > 2)
		breach(c, "there are %d processes", n);
	if (n < 2)
		blind(c, "/proc shows %d processes", n);
}

static void check_signalling(const struct check *c)
{
	long pid = told_number("process", 0);

	if (pid <= 0)
		return;
	if (kill((pid_t)pid, 0) == 0)
		breach(c, "process %ld of the host is there", pid);
	else if (errno == EPERM)
		blind(c, "kill: %s", strerror(errno));
}

static void check_init(const struct check *c)
{
	static const char *const links[] = { "root", "cwd", "exe", "ns/mnt" };
	static const char *const files[] = { "environ", "maps", "mem" };
	const long init = told_number("init", 1);
	char text[512], path[64];

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%ld/%s", init, links[i]);
		if (readlink(path, text, sizeof(text)) >= 0)
			breach(c, "'%s' can be read", path);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%ld/%s", init, files[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			breach(c, "'%s' can be opened", path);
			close(fd);
		}
	}
	for (int fd = 0; fd < 32; fd++) {
		snprintf(path, sizeof(path), "/proc/%ld/fd/%d", init, fd);
		if (readlink(path, text, sizeof(text)) >= 0)
			breach(c, "'%s' can be read", path);
	}
}

static void check_tracing(const struct check *c)
{
	pid_t pid = (pid_t)told_number("trace", 1);

	if (pid <= 0)
		return;
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
		breach(c, "process %d can be traced", pid);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
}

static void check_ipc(const struct check *c)
{
	long key = told_number("shm", 0);

	if (key != 0 && shmget((key_t)key, 1, 0) >= 0)
		breach(c, "the host's shared memory is there");
	/* One of its own, for who looks outside whether it stays there. */
	if (key != 0)
		(void)shmget((key_t)key + 1, 1, IPC_CREAT | 0600);
}

/* 0: connected; 1: it cannot be; -1: no socket. */
static int reach(int domain, const void *address, socklen_t len)
{
	int s = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = s, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof(error);

	if (s < 0)
		return -1;
	if (connect(s, address, len) == 0) {
		close(s);
		return 0;
	}
	if (errno != EINPROGRESS || poll(&p, 1, 200) != 1 ||
	    getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = ECONNREFUSED;
	close(s);
	return error != 0;
}

static void check_servers(const struct check *c)
{
	const char *want = told("port"), *name = told("abstract");
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int r;

	if (want) {
		in.sin_port = htons((uint16_t)atoi(want + 2));
		r = reach(AF_INET, &in, sizeof(in));
		if (want[0] == '-' && r == 0)
			breach(c, "a server on the host's 127.0.0.1 answers");
		if (want[0] == '+' && r != 0)
			blind(c, "the host's server is not reached");
	}
	if (name && name[0] == '-') {
		snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s", name + 2);
		r = reach(
			AF_UNIX, &un,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name + 2)));
		if (r == 0)
			breach(c, "the host's abstract socket answers");
	}
}

/* A loopback of its own, or none. */
static void check_loopback(const struct check *c)
{
	const char *want = told("loopback");
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int s, r;

	if (!want)
		return;
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(s, 1) < 0 ||
	    getsockname(s, (struct sockaddr *)&in, &len) < 0) {
		if (want[0] == 'y')
			blind(c, "no server of its own: %s", strerror(errno));
		if (s >= 0)
			close(s);
		return;
	}
	r = reach(AF_INET, &in, sizeof(in));
	close(s);
	if (want[0] == 'n' && r == 0)
		breach(c, "its loopback is up");
	if (want[0] == 'y' && r != 0)
		blind(c, "it does not reach itself");
}

/* Left bound, for who looks outside whether it stays. */
static void check_abstract(const struct check *c)
{
	const char *mark = told("mark");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = mark ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (s < 0)
		return;
	snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s", mark);
	if (bind(s, (struct sockaddr *)&un,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(mark))) < 0 &&
	    errno == EADDRINUSE)
		breach(c, "somebody has the name '%s'", mark);
}

static const struct check others[] = {
	{ "N1", "namespaces", check_namespaces },
	{ "N8", "processes", check_processes },
	{ "N8", "signals to the host", check_signalling },
	{ "F2", "pid 1", check_init },
	{ "G5", "tracing", check_tracing },
	{ "I1", "shared memory", check_ipc },
	{ "W1", "the host's servers", check_servers },
	{ "W1", "its own loopback", check_loopback },
	{ "W2", "abstract names", check_abstract },
};
const struct checks checks_others = { others, sizeof(others) / sizeof(others[0]) };
