// SPDX-License-Identifier: Apache-2.0
/*
 * notify N: a child makes N system calls, each of which is notified to its parent, which lets it go
 * on and does nothing else. What a recorder of every call cannot be quicker than.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, uint64_t) /* Linux 6.6 */
#endif

static void child(int wire, long n)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(f[0]), f };
	char go;
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			  &p);
	if (fd < 0 || write(wire, &fd, sizeof(fd)) != sizeof(fd) || read(wire, &go, 1) != 1)
		_exit(1);
	(void)close(fd);
	while (n-- > 0)
		(void)syscall(SYS_getppid);
	_exit(0);
}

int main(int argc, char **argv)
{
	const long n = argc > 1 ? strtol(argv[1], NULL, 10) : 50000;
	int wire[2], remote, pidfd, fd, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, wire) < 0)
		return 1;
	pid = fork();
	if (pid == 0)
		child(wire[1], n);
	if (pid < 0 || read(wire[0], &remote, sizeof(remote)) != sizeof(remote))
		return 1;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, remote, 0);
	if (fd < 0)
		return 1;
	/* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP */
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1UL);
	if (write(wire[0], "x", 1) != 1)
		return 1;
	for (long i = 0; i < n; i++) {
		struct seccomp_notif in = { 0 };
		struct seccomp_notif_resp out = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
			break;
		out.id = in.id;
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &out) < 0)
			break;
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}
