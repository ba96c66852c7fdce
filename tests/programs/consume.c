// SPDX-License-Identifier: Apache-2.0
/*
 * A payload that uses things up:
 *	memory MIB      touch so much in a child while the parent waits; "touched" when it lived
 *	reserve MIB     private writable memory that is never touched; "reserved"
 *	forks N         children that stay; how many came to be
 *	spin MS         so much time of a processor
 *	read FILE       each page of it, once; how many MiB
 *	cpus            the processors that it may run on
 *	hold            "ready", then nothing until it is killed
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, PAGE = 4096 };

static int say(const char *what)
{
	(void)printf("%s\n", what);
	return fflush(stdout) == 0 ? 0 : 1;
}

static char *map(size_t mib)
{
	char *p = mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static int memory(size_t mib)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char *p = map(mib);

		for (size_t i = 0; i < mib * MIB; i += PAGE)
			p[i] = 1;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	/* Where the group is not killed as one, this is reached. */
	return say(status == 0 ? "touched" : "the child alone was killed");
}

static int forks(int n)
{
	int got = 0;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (;;)
				(void)pause();
		}
		got += pid > 0;
	}
	(void)printf("%d\n", got);
	return 0;
}

static int spin(long ms)
{
	struct timespec now;

	do {
		for (volatile int i = 0; i < 10000; i++)
			;
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < ms);
	return 0;
}

static int read_file(const char *path)
{
	static char buf[MIB];
	size_t all = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		return 1;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		all += (size_t)n;
	(void)close(fd);
	(void)printf("%zu\n", all / MIB);
	return n < 0;
}

static int cpus(void)
{
	cpu_set_t set;
	int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set))
			(void)printf("%s%d", n++ ? "," : "", i);
	}
	return say("");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *value = argc > 2 ? argv[2] : "0";

	if (strcmp(what, "memory") == 0)
		return memory((size_t)atol(value));
	if (strcmp(what, "reserve") == 0)
		return map((size_t)atol(value)) ? say("reserved") : 1;
	if (strcmp(what, "forks") == 0)
		return forks(atoi(value));
	if (strcmp(what, "spin") == 0)
		return spin(atol(value));
	if (strcmp(what, "read") == 0)
		return read_file(value);
	if (strcmp(what, "cpus") == 0)
		return cpus();
	if (strcmp(what, "hold") == 0 && say("ready") == 0) {
		for (;;)
			(void)pause();
	}
	return 2;
}
