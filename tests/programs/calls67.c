// SPDX-License-Identifier: Apache-2.0
/*
 * Sixty-seven distinct calls from eight processes, each made by its number and by one process
 * alone, for as many milliseconds as the argument says: what a recording must have, every one.
 * A second argument is a pause in milliseconds after each call; then it is also told how often each
 * call was made. --list names them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 8 };

/* Harmless with these arguments: -1 is no descriptor, 0 no address. What they return is no matter.
 */
#define CALL(name)                                                                                 \
	{                                                                                          \
#name, SYS_##name                                                                  \
	}
static const struct {
	const char *name;
	long nr;
} calls[] = {
	CALL(accept4),
	CALL(bind),
	CALL(capget),
	CALL(chdir),
	CALL(clock_getres),
	CALL(connect),
	CALL(copy_file_range),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(eventfd2),
	CALL(faccessat),
	CALL(fadvise64),
	CALL(fallocate),
	CALL(fchdir),
	CALL(fchmod),
	CALL(fchown),
	CALL(fdatasync),
	CALL(fgetxattr),
	CALL(flistxattr),
	CALL(flock),
	CALL(fstatfs),
	CALL(fsync),
	CALL(ftruncate),
	CALL(utimensat),
	CALL(getdents64),
	CALL(getegid),
	CALL(getgid),
	CALL(getgroups),
	CALL(getitimer),
	CALL(getpeername),
	CALL(getpgid),
	CALL(getpriority),
	CALL(getresgid),
	CALL(getresuid),
	CALL(getrusage),
	CALL(getsid),
	CALL(getsockname),
	CALL(getsockopt),
	CALL(inotify_rm_watch),
	CALL(linkat),
	CALL(listen),
	CALL(lseek),
	CALL(lgetxattr),
	CALL(mkdirat),
	CALL(mincore),
	CALL(mlock),
	CALL(munlock),
	CALL(msync),
	CALL(preadv),
	CALL(pwritev),
	CALL(readahead),
	CALL(recvmsg),
	CALL(renameat2),
	CALL(sched_getparam),
	CALL(sched_getscheduler),
	CALL(sendmsg),
	CALL(setsockopt),
	CALL(shutdown),
	CALL(statx),
	CALL(symlinkat),
	CALL(sysinfo),
	CALL(tee),
	CALL(timerfd_gettime),
	CALL(truncate),
	CALL(umask),
	CALL(unlinkat),
	CALL(vmsplice),
};
enum { N = sizeof(calls) / sizeof(calls[0]) };
_Static_assert(N == 67, "as its name says");

static void work(int process, long milliseconds, long pause)
{
	const struct timespec wait = { .tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000 };
	struct timespec begin, now;
	long count[N] = { 0 };
	char line[64];
	int i = process;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (;;) {
		(void)syscall(calls[i].nr, -1, 0, 0, 0, 0, 0);
		count[i]++;
		i = i + PROCESSES < N ? i + PROCESSES : process;
		clock_gettime(CLOCK_MONOTONIC, &now);
		/* whole rounds only, so that a short time is one for each */
		if (i == process &&
		    (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 >=
			    milliseconds)
			break;
		if (pause)
			nanosleep(&wait, NULL);
	}
	for (i = process; i < N && pause; i += PROCESSES) {
		int n = snprintf(line, sizeof(line), "%s %ld\n", calls[i].name, count[i]);

		if (write(1, line, (size_t)n) != n)
			_exit(1);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	const long milliseconds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	const long pause = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int status, failed = 0;

	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		for (int i = 0; i < N; i++)
			puts(calls[i].name);
		return 0;
	}
	for (int p = 0; p < PROCESSES; p++) {
		pid_t pid = fork();

		if (pid == 0)
			work(p, milliseconds, pause);
		failed += pid < 0;
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed != 0;
}
