// SPDX-License-Identifier: Apache-2.0
/*
 * selflock: a payload that locks itself further, as browsers and servers do: a seccomp filter of
 * its own, a Landlock domain of its own, and (to be refused) a second listener. One line each,
 * "name ok" or "name FAILED (errno)"; exit status 1 when one failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;

static void tell(const char *name, int good)
{
	if (good)
		printf("%s ok\n", name);
	else
		printf("%s FAILED (%s)\n", name, strerrorname_np(errno));
	failed |= !good;
}

static struct sock_filter no_getppid[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTUNIQ),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_fprog prog = { .len = 4, .filter = no_getppid };

static void *thread(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

/* linux/landlock.h: handled_access_fs READ_FILE; the rest of the structures is not needed. */
static int landlock(void)
{
	uint64_t attr = 1U << 2;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	return fd < 0 ? -1 : (int)syscall(SYS_landlock_restrict_self, fd, 0);
}

int main(void)
{
	int ran = 0, status = 0;
	pthread_t t;
	pid_t pid;

	tell("thread",
	     pthread_create(&t, NULL, thread, &ran) == 0 && pthread_join(t, NULL) == 0 && ran);
	pid = fork();
	if (pid == 0)
		_exit(7);
	tell("fork", pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	/* one listener in a chain of filters, and it is the sandbox's: seccomp(2), EBUSY */
	tell("second-listener-refused", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
						SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog) < 0 &&
						errno == EBUSY);
	tell("seccomp", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0 &&
				syscall(SYS_getppid) < 0 && errno == ENOTUNIQ);
	/* The sandbox's own denials still hold behind it. */
	tell("still-denied", syscall(SYS_chroot, "/") < 0 && errno == EPERM);
	tell("landlock", open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 && landlock() == 0 &&
				 open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
	return failed;
}
