// SPDX-License-Identifier: Apache-2.0
/*
 * calls WHAT [N]: nanoseconds per system call, one figure on standard output.
 *   allowed    getppid: allowed by number in any policy
 *   checked    ioctl on no descriptor: policies look at its request (TIOCSTI)
 *   denied     swapoff of nothing: refused by every policy, and recorded
 *   bare       the same call refused by the smallest notifier there can be, in this program: one
 *              filter, one process that receives and answers, nothing decided and nothing recorded
 * The best of five rounds, since what disturbs a round only ever makes it longer.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* linux/seccomp.h of Linux 6.6: the answer wakes the caller on the answering processor. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	   SECCOMP_IOW(4, unsigned long long)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

enum { ROUNDS = 5 };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best(long nr, long a, long b, long n)
{
	double least = 0;

	for (int r = 0; r < ROUNDS; r++) {
		double from = now_ns();

		for (long i = 0; i < n; i++)
			syscall(nr, a, b, 0L);
		double ns = (now_ns() - from) / (double)n;

		if (r == 0 || ns < least)
			least = ns;
	}
	return least;
}

static _Noreturn void answer(int listener)
{
	struct seccomp_notif request;
	struct seccomp_notif_resp response;

	/* Twice as fast where the kernel has it; a peer should be the best that can be had. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			_exit(0); /* nobody is left behind the filter (Linux 6.11) */
		response = (struct seccomp_notif_resp){ .id = request.id, .error = -EPERM };
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

/* A notifier around this process. The listener goes to a child made before the filter. */
static int bare_notifier(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_swapoff, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = insns };
	int ends[2];
	char byte;

	if (pipe(ends) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close(ends[1]);
		if (read(ends[0], &byte, 1) != 1)
			_exit(1);
		int pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
		int listener = (int)syscall(SYS_pidfd_getfd, pidfd, (int)byte, 0);

		close(ends[0]);
		if (listener < 0)
			_exit(1);
		answer(listener);
	}
	close(ends[0]);
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				    SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);

	if (listener < 0 || listener > 127)
		return -1;
	byte = (char)listener;
	/* The first refused call waits until the child has the listener: no other hand-shake. */
	return write(ends[1], &byte, 1) == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	double ns;

	if (!strcmp(what, "allowed")) {
		ns = best(SYS_getppid, 0, 0, n > 0 ? n : 2000000);
	} else if (!strcmp(what, "checked")) {
		ns = best(SYS_ioctl, -1, 0x5413, n > 0 ? n : 2000000);
	} else if (!strcmp(what, "denied")) {
		ns = best(SYS_swapoff, (long)"/cordon/denied", 0, n > 0 ? n : 20000);
	} else if (!strcmp(what, "bare")) {
		if (bare_notifier() < 0) {
			fprintf(stderr, "calls: no notifier: %s\n", strerror(errno));
			return 1;
		}
		ns = best(SYS_swapoff, (long)"/cordon/denied", 0, n > 0 ? n : 20000);
	} else {
		fprintf(stderr, "usage: calls allowed|checked|denied|bare [N]\n");
		return 2;
	}
	printf("%.1f\n", ns);
	return 0;
}
