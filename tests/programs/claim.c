// SPDX-License-Identifier: Apache-2.0
/*
 * claim SOCKET PID [FILE]: tell the collector at SOCKET that PID is our sandbox's pid 1, and say
 * what it answers; then print what it hands over, for so many seconds. PID "self": a child of ours
 * that is pid 1 of a pid namespace of its own; "child": one that is not. What a supervisor that
 * lies would do.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit/collected.h"

static int waiting(void *arg)
{
	(void)arg;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

static int make_child(int flags)
{
	static _Alignas(16) char stack[65536];

	return clone(waiting, stack + sizeof(stack), flags | SIGCHLD, NULL);
}

static void map_ids(int pid)
{
	static const char *const names[] = { "setgroups", "uid_map" };
	char path[64], text[64];

	for (int i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		snprintf(text, sizeof(text), "%u %u 1", getuid(), getuid());
		f = fopen(path, "w");
		if (!f || fputs(i ? text : "deny", f) < 0 || fclose(f) != 0)
			perror(path);
	}
}

static int say_hello(int fd, int pidfd)
{
	struct collected_word word = { COLLECTED_HELLO, COLLECTED_VERSION };
	struct iovec iov = { &word, sizeof(word) };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pidfd, sizeof(pidfd));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), pid, pidfd;
	int made = 0;
	struct {
		struct collected_packet packet;
		char text[KERNEL_RECORD_MAX];
	} in;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (argc < 3)
		return 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (strcmp(argv[2], "self") == 0) {
		pid = made = make_child(CLONE_NEWUSER | CLONE_NEWPID);
		map_ids(pid);
	} else if (strcmp(argv[2], "child") == 0) {
		pid = made = make_child(0);
	} else {
		pid = atoi(argv[2]);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    say_hello(fd, pidfd) < 0) {
		perror("claim");
		return 2;
	}
	if (recv(fd, &in, sizeof(in), 0) < (ssize_t)sizeof(in.packet))
		return 2;
	printf("%s\n", in.packet.error ? strerror(-in.packet.error) : "ready");
	fflush(stdout);
	while (argc > 3) {
		const int n_ready = poll(&p, 1, 500);
		ssize_t n;

		if (n_ready == 0 && access(argv[3], F_OK) < 0)
			continue;
		n = n_ready > 0 ? recv(fd, &in, sizeof(in), 0) : 0;
		if (n <= 0)
			break;
		if (in.packet.kind == COLLECTED_RECORD)
			printf("%.*s\n", (int)(n - (ssize_t)sizeof(in.packet)), in.text);
		fflush(stdout);
	}
	if (made > 0)
		(void)kill(made, SIGKILL);
	return 0;
}
