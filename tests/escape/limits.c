// SPDX-License-Identifier: Apache-2.0
/* R1 to R6, G: what is bounded, and games with pid 1. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/escape/probe.h"

/* More than what the test lets: it sets pids=200, nofile=128, upper=16M, inodes=2K. */
#define MEMORY (5L << 30) /* strict has 4G */
enum { FORKS = 300, FILES = 200, BOUND_MB = 1 << 10, BOUND_INODES = 1 << 20 };
enum { INSTANCES = 100, WATCHING = 40, WATCHES = 1000 };
enum { PIPES = 48, PIPE_SIZE = 1 << 20, QUEUES = 20, SYSV_QUEUES = 2048, MESSAGE = 8000 };

static struct answer go_forks(const struct point *p)
{
	int gate[2], n = 0;
	char c;

	(void)p;
	if (pipe(gate) < 0)
		return refused();
	for (pid_t pid; n < FORKS && (pid = fork()) >= 0; n++) {
		if (pid > 0)
			continue;
		close(gate[1]);
		_exit((int)read(gate[0], &c, 1)); /* until the last writer closes */
	}
	int code = errno;

	close(gate[1]);
	while (wait(NULL) > 0)
		;
	errno = code;
	return n < FORKS ? refused() : done("%d processes", n);
}

static struct answer go_files(const struct point *p)
{
	int fds[FILES], n = 0, code;

	(void)p;
	while (n < FILES && (fds[n] = open("/proc/self/status", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	code = errno;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	errno = code;
	return n < FILES ? refused() : done("%d descriptors", n);
}

/* --- inotify: the kernel counts for each user, in all of his namespaces together */

/* Half of what this user may have at all, so that none of his programs is left without. */
static struct answer go_instances(const struct point *p)
{
	char text[32] = "";
	int fds[INSTANCES], n = 0, most, code;

	(void)p;
	(void)read_small("/proc/sys/fs/inotify/max_user_instances", text, sizeof(text));
	most = *text ? atoi(text) / 2 : INSTANCES;
	if (most > INSTANCES)
		most = INSTANCES;
	while (n < most && (fds[n] = inotify_init1(IN_CLOEXEC)) >= 0)
		n++;
	code = errno;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	errno = code;
	return n < most || n == 0 ? refused() : done("%d instances", n);
}

/* On what is everywhere: its own directory in proc, in many instances. */
static struct answer go_watches(const struct point *p)
{
	int fds[WATCHING], n = 0, watches = 0, code = 0;

	(void)p;
	for (; n < WATCHING && (fds[n] = inotify_init1(IN_CLOEXEC)) >= 0; n++) {
		DIR *dir = opendir("/proc/self");

		for (struct dirent *e; dir && (e = readdir(dir));) {
			char path[300];

			snprintf(path, sizeof(path), "/proc/self/%s", e->d_name);
			watches += inotify_add_watch(fds[n], path, IN_OPEN) >= 0;
		}
		code = errno;
		if (dir)
			closedir(dir);
	}
	if (n < WATCHING)
		code = errno;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	errno = code;
	return watches < WATCHES ? refused() : done("%d watches", watches);
}

/* --- pipes: their pages are counted for each user, and no namespace is an exception */

static struct answer fill_pipes(void)
{
	for (int i = 0, ends[2]; i < PIPES; i++)
		if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE) < 0)
			return refused();
	return done("%d MiB", 2 * PIPES * (PIPE_SIZE >> 20));
}

/* In two processes, so that it is not the bound on descriptors that is met. */
static struct answer go_pipes(const struct point *p)
{
	struct answer a = { .outcome = DENIED };
	int ends[2];
	pid_t pid;

	(void)p;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return refused();
	pid = fork();
	if (pid < 0)
		return refused();
	if (pid == 0) {
		a = fill_pipes();
		(void)!write(ends[1], &a, sizeof(a));
		pause();
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &a, sizeof(a)) == (ssize_t)sizeof(a) && a.outcome == DONE)
		a = fill_pipes();
	end_child(pid);
	return a;
}

static struct answer go_pipe_size(const struct point *p)
{
	char text[32] = "";
	int ends[2], most;

	(void)p;
	(void)read_small("/proc/sys/fs/pipe-max-size", text, sizeof(text));
	most = *text ? atoi(text) : PIPE_SIZE;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return refused();
	return by_result(fcntl(ends[0], F_SETPIPE_SZ, 2 * most), "twice the system's size");
}

/* --- message queues and segments; the twins have an IPC namespace of their own, or leave no name
 */

static const char *queue_name(int i)
{
	static char name[64];

	snprintf(name, sizeof(name), "cordon-escape-%d-%d", (int)getpid(), i);
	return name;
}

/* Landlock refuses to open a queue when it is made already: what is there in the end counts. */
static struct answer go_posix_queues(const struct point *p)
{
	const struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY };
	int made = 0, code = 0;

	(void)p;
	(void)setrlimit(RLIMIT_MSGQUEUE, &more);
	for (int i = 0; i < QUEUES; i++) {
		long fd = syscall(SYS_mq_open, queue_name(i), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				  0600, NULL);

		code = fd < 0 ? errno : code;
		made += fd >= 0 && syscall(SYS_mq_unlink, queue_name(i)) == 0;
	}
	for (int i = 0; i < QUEUES; i++)
		made += syscall(SYS_mq_unlink, queue_name(i)) == 0;
	errno = code;
	return made < QUEUES ? refused() : done("%d queues", made);
}

static struct answer go_segment(const struct point *p)
{
	int id = shmget(IPC_PRIVATE, MEMORY, IPC_CREAT | SHM_NORESERVE | 0600);

	(void)p;
	if (id < 0)
		return refused();
	shmctl(id, IPC_RMID, NULL);
	return done("%ld MiB", MEMORY >> 20);
}

static struct answer go_messages(const struct point *p)
{
	static struct {
		long type;
		char text[MESSAGE];
	} message = { .type = 1 };
	static int ids[SYSV_QUEUES];
	long bytes = 0;
	int n = 0, code;

	(void)p;
	for (; n < SYSV_QUEUES && (ids[n] = msgget(IPC_PRIVATE, IPC_CREAT | 0600)) >= 0; n++)
		while (msgsnd(ids[n], &message, sizeof(message.text), IPC_NOWAIT) == 0)
			bytes += MESSAGE;
	code = errno;
	for (int i = 0; i < n; i++)
		msgctl(ids[i], IPC_RMID, NULL);
	errno = code;
	return n < SYSV_QUEUES || bytes == 0 ? refused() : done("%ld MiB", bytes >> 20);
}

/* Memory of its own; it is not touched, for the limit is on what may be. */
static struct answer go_memory(const struct point *p)
{
	char *m = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)p;
	if (m == MAP_FAILED)
		return refused();
	munmap(m, MEMORY);
	return done("%ld MiB", MEMORY >> 20);
}

/* arg[0]: of bytes, else of inodes. */
static struct answer go_unbounded(const struct point *p)
{
	const char *path = world.twin ? world.scratch : p->path;
	struct statvfs fs;

	if (statvfs(path, &fs) < 0)
		return refused();
	if (fs.f_flag & ST_RDONLY)
		return hidden();
	if (p->arg[0] ? fs.f_blocks * (fs.f_frsize / 1024) / 1024 > BOUND_MB
		      : fs.f_files == 0 || fs.f_files > BOUND_INODES)
		return done("%lu MiB, %lu inodes",
			    (unsigned long)(fs.f_blocks * (fs.f_frsize / 1024) / 1024),
			    (unsigned long)fs.f_files);
	return hidden();
}

static struct answer go_raise_limit(const struct point *p)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)p->arg[0], &r) < 0)
		return refused();
	if (r.rlim_max == RLIM_INFINITY)
		return done("no limit");
	r.rlim_cur = r.rlim_max = r.rlim_max + 1;
	return by_result(setrlimit((__rlimit_resource_t)p->arg[0], &r), "raised");
}

static struct answer go_bounded(const struct point *p)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)p->arg[0], &r) < 0)
		return refused();
	return r.rlim_max > (rlim_t)p->arg[1] ? done("%llu", (unsigned long long)r.rlim_max)
					      : hidden();
}

static struct answer go_priority(const struct point *p)
{
	const struct sched_param one = { .sched_priority = 1 };

	if (p->arg[0] == SYS_setpriority)
		return by_result(setpriority(PRIO_PROCESS, 0, -20), "more than its share");
	return by_result(sched_setscheduler(0, (int)p->arg[1], &one), "real time");
}

/* Below what it was given. */
static struct answer go_oom(const struct point *p)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)p;
	if (fd < 0)
		return refused();
	return by_result(write(fd, "-1000", 5), "nobody's victim");
}

/* --- G: pid 1, or who stands in for it */

static bool is_there(pid_t pid)
{
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	/* a stopped or dead one is gone for what it is to do */
	return status_field(path, "State", text, sizeof(text)) && strchr("SRD", text[0]) != NULL;
}

static struct answer go_signal_init(const struct point *p)
{
	struct answer a = { .outcome = DENIED, .text = "accepted, without effect" };

	if (!is_there(world.init))
		return done("it is gone or stopped before");
	/* from SIGKILL to SIGSTOP: each, and then all of them */
	for (int sig = p->arg[0] ? (int)p->arg[0] : 1; sig <= 64; sig++) {
		if (kill(world.init, sig) < 0)
			a = refused();
		if (p->arg[0])
			break;
	}
	usleep(100000);
	return is_there(world.init) ? a : done("it is gone or stopped");
}

static struct answer go_signal_pidfd(const struct point *p)
{
	int fd = (int)syscall(SYS_pidfd_open, world.init, 0);

	(void)p;
	if (fd < 0)
		return refused();
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		return refused();
	usleep(100000);
	return is_there(world.init)
		       ? (struct answer){ .outcome = DENIED, .text = "accepted, without effect" }
		       : done("it is gone");
}

#define LOW "this user's own limit is as low"

static const struct point list[] = {
	{ "R1", "300 processes", go_forks, .unless = LOW },
	{ "R2", "5 GiB of memory", go_memory, .unless = LOW },
	{ "R3", "bytes without a bound in /tmp", go_unbounded, .path = "/tmp", .arg = { 1 },
	  .unless = "the scratch directory of the test is small itself" },
	{ "R3", "inodes without a bound in /tmp", go_unbounded, .path = "/tmp",
	  .unless = "the scratch directory of the test is small itself" },
	{ "R3", "bytes without a bound in /dev/shm", go_unbounded, .path = "/dev/shm", .arg = { 1 },
	  .unless = "the scratch directory of the test is small itself" },
	{ "R4", "a core dump", go_bounded, .arg = { RLIMIT_CORE, 0 },
	  .unless = "this user may dump no core" },
	{ "R4", "allow core dumps again", go_raise_limit, TWIN_ROOT, .arg = { RLIMIT_CORE } },
	{ "R5", "real-time scheduling", go_priority, TWIN_ROOT, .flags = HARMFUL,
	  .arg = { SYS_sched_setscheduler, SCHED_FIFO },
	  .unless = "root lacks CAP_SYS_NICE, or real time is for no group of its" },
	{ "R5", "a priority above others'", go_priority, TWIN_ROOT, .arg = { SYS_setpriority } },
	{ "R5", "an oom_score_adj below others'", go_oom, TWIN_ROOT,
	  .unless = "root lacks CAP_SYS_RESOURCE" },
	{ "R6", "200 descriptors", go_files, .unless = LOW },
	{ "R6", "more descriptors than the limit", go_raise_limit, TWIN_ROOT,
	  .arg = { RLIMIT_NOFILE }, .unless = "root lacks CAP_SYS_RESOURCE" },
	{ "R6", "more locked memory than the limit", go_raise_limit, TWIN_ROOT,
	  .arg = { RLIMIT_MEMLOCK }, .unless = "root lacks CAP_SYS_RESOURCE" },
	{ "R6", "half of the caller's inotify instances", go_instances,
	  .unless = "this user's programs have the others" },
	{ "R6", "1000 inotify watches", go_watches, .unless = LOW },
	{ "R6", "96 MiB of pipes", go_pipes, TWIN_ROOT,
	  .unless = "root lacks CAP_SYS_RESOURCE and CAP_SYS_ADMIN" },
	{ "R6", "a pipe above the system's size", go_pipe_size, TWIN_ROOT,
	  .unless = "root lacks CAP_SYS_RESOURCE" },
	{ "R6", "POSIX queues above the limit", go_posix_queues, TWIN_ROOT,
	  .unless = "root lacks CAP_SYS_RESOURCE, or the kernel lacks mqueue" },
	{ "R6", "SysV memory of 5 GiB", go_segment, TWIN_NS,
	  .unless = "the kernel lacks SysV IPC, or has not the memory" },
	{ "R6", "SysV messages of 32 MiB", go_messages, TWIN_NS,
	  .unless = "the kernel lacks SysV IPC" },
	{ "G3", "kill pid 1", go_signal_init, .flags = HARMFUL, .arg = { SIGKILL } },
	{ "G3", "stop pid 1", go_signal_init, .flags = HARMFUL, .arg = { SIGSTOP } },
	{ "G3", "every signal to pid 1", go_signal_init, .flags = HARMFUL },
	{ "G3", "kill pid 1 by pidfd", go_signal_pidfd, .flags = HARMFUL },
};

const struct points points_limits = { list, COUNT(list) };
