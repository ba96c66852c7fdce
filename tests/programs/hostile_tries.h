// SPDX-License-Identifier: Apache-2.0
/* The attempts of hostile.c that are more than one call. Each returns its answer and is free to
 * die. */
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/hostile_tables.h"

enum kind { REFUSED, HIDDEN, BOUNDED, BREACH, _KIND_MAX };

struct answer {
	enum kind kind;
	long number; /* REFUSED: the errno; BOUNDED: how far */
	char text[160];
};

enum {
	FORKS = 20000,			 /* that many unhindered processes are a breach */
	ATTEMPT_S = 60,			 /* an attempt that hangs is a breach of the bound */
	SIGNALLED = 100000,		 /* REFUSED: number - SIGNALLED is a signal */
	IGNORED = 200000,		 /* REFUSED: accepted, without effect */
	PID_INIT_INO = (int)0xEFFFFFFCU, /* linux/proc_ns.h: the machine's own pid namespace */
};
static const long long FILL_CAP = 4LL << 30, FILL_SANE = 64LL << 30;

static pid_t first_parent;
static bool locked; /* dangerous attempts may be made */

static struct answer refused(void)
{
	return (struct answer){ .kind = REFUSED, .number = errno };
}

static struct answer hidden(void)
{
	return (struct answer){ .kind = HIDDEN };
}

static struct answer breach(const char *what)
{
	struct answer a = { .kind = BREACH };

	snprintf(a.text, sizeof(a.text), "%s", what);
	return a;
}

static bool is_absent(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ENXIO || code == ENODEV;
}

/* ---- single calls, sockets, files */

static struct answer try_call(const void *arg)
{
	const struct call *c = arg;
	const long *a = c->args;

	/* The object of open_by_handle_at and name_to_handle_at is a struct file_handle. */
	*(unsigned *)scratch = 128;
	long r = syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	if (r < 0)
		return refused();
	/* A clone that worked returns here twice; the answer of the first is as good. */
	return breach("the call worked");
}

static struct answer try_socket(const void *arg)
{
	const int *s = arg; /* family, type, protocol */
	int fd = socket(s[0], s[1], s[2]);

	if (fd < 0)
		return refused();
	close(fd);
	return breach("the socket was made");
}

static struct answer try_read(const void *arg)
{
	int fd = open(arg, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return is_absent(errno) ? hidden() : refused();
	ssize_t n = read(fd, scratch, sizeof(scratch));

	if (n < 0)
		return refused();
	return n == 0 ? hidden() : breach("its bytes were read");
}

static struct answer try_control(const void *arg)
{
	if (open(arg, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) >= 0)
		return breach("opened for writing");
	return is_absent(errno) ? hidden() : refused();
}

/* A file made on a throw-away file system is no write to the base. */
static struct answer try_write_base(const void *arg)
{
	struct statfs fs;
	char path[128];

	snprintf(path, sizeof(path), "%s/.cordon-hostile", (const char *)arg);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return is_absent(errno) ? hidden() : refused();
	bool thrown_away = fstatfs(fd, &fs) == 0 &&
			   (fs.f_type == 0x01021994 /* tmpfs */ || fs.f_type == 0x794c7630);
	unlink(path);
	return thrown_away ? hidden() : breach("a file was made");
}

/* ---- the person's files */

static struct answer homes(struct answer (*look)(const char *home))
{
	struct answer a = look(getenv("HOME") ? getenv("HOME") : "/root");
	DIR *dir = opendir("/home");

	if (a.kind != BREACH)
		a = look("/root");
	for (struct dirent *e; a.kind != BREACH && dir && (e = readdir(dir));) {
		char home[300];

		if (e->d_name[0] == '.')
			continue;
		snprintf(home, sizeof(home), "/home/%s", e->d_name);
		a = look(home);
	}
	return a;
}

/* Anything but the way to the working directory and empty directories is a breach. */
static struct answer look_list(const char *home)
{
	char cwd[4096] = "", path[4400];
	DIR *dir = opendir(home);
	struct answer a = hidden();

	if (!dir)
		return is_absent(errno) ? hidden() : refused();
	if (!getcwd(cwd, sizeof(cwd)))
		cwd[0] = '\0';
	for (struct dirent *e; a.kind != BREACH && (e = readdir(dir));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		int len = snprintf(path, sizeof(path), "%s/%s", home, e->d_name);

		if (strncmp(cwd, path, (size_t)len) == 0 && (cwd[len] == '/' || !cwd[len]))
			continue;
		if (strncmp(cwd, home, strlen(home)) == 0 && !cwd[strlen(home)])
			continue; /* the home itself was given as the working directory */
		int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && read(fd, scratch, 1) > 0)
			a = breach(path);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return a;
}

static struct answer look_secrets(const char *home)
{
	char path[512];
	struct answer a = hidden();

	for (size_t i = 0; a.kind != BREACH && i < sizeof(home_secrets) / sizeof(*home_secrets);
	     i++) {
		snprintf(path, sizeof(path), "%s/%s", home, home_secrets[i]);
		struct answer one = try_read(path);

		if (one.kind == BREACH)
			a = breach(path);
		else if (one.kind == REFUSED)
			a = one;
	}
	return a;
}

static struct answer try_home_list(const void *arg)
{
	(void)arg;
	return homes(look_list);
}

static struct answer try_home_secrets(const void *arg)
{
	(void)arg;
	return homes(look_secrets);
}

/* ---- other processes */

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

/* Never with -1, which would be everybody. */
static void end(pid_t pid)
{
	if (pid > 1)
		kill(pid, SIGKILL);
}

static struct answer try_ptrace(const void *arg)
{
	pid_t target = arg ? 1 : sleeper();
	long r = ptrace(PTRACE_SEIZE, target, NULL, NULL);
	struct answer a = r < 0 ? refused() : breach("a process was seized");

	if (!arg)
		end(target);
	return a;
}

static struct answer try_vm(const void *arg)
{
	bool writes = arg != NULL;
	pid_t target = sleeper();
	struct iovec here = { scratch, 8 }, there = { scratch, 8 };
	long r = syscall(writes ? SYS_process_vm_writev : SYS_process_vm_readv, target, &here, 1L,
			 &there, 1L, 0L);
	struct answer a = r < 0 ? refused() : breach("memory of a neighbour");

	end(target);
	return a;
}

static struct answer try_pidfd_getfd(const void *arg)
{
	(void)arg;
	int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (pidfd < 0)
		return refused();
	for (int fd = 0; fd < 16; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return breach("a descriptor of pid 1");
	return refused();
}

static struct answer try_setns(const void *arg)
{
	int fd = open(arg, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return is_absent(errno) ? hidden() : refused();
	return setns(fd, 0) < 0 ? refused() : breach("the namespace was entered");
}

static struct answer try_host_processes(const void *arg)
{
	char comm[32] = "";
	int fd = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);

	(void)arg;
	if (fd < 0 || read(fd, comm, sizeof(comm) - 1) <= 0)
		return hidden();
	return strncmp(comm, "kthreadd", 8) ? hidden() : breach("the host's processes are listed");
}

/* pid 1 of a pid namespace does not take these from inside: accepted, and without effect. */
static struct answer try_kill(const void *arg)
{
	pid_t target = arg ? 1 : first_parent;
	static const int signals[] = { SIGKILL, SIGSTOP, SIGSEGV };

	if (target == 0)
		return hidden();
	if (target != 1 || getpid() == 1)
		return hidden(); /* a shell of our own sandbox: no neighbour, no launcher */
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (kill(target, signals[i]) < 0)
			return refused();
	usleep(200000);
	return (struct answer){ .kind = REFUSED, .number = IGNORED };
}

/* ---- the terminal */

static struct answer push_keystroke(int fd)
{
	const unsigned long requests[] = { TIOCSTI, TIOCSTI | 1UL << 32, TIOCSTI | 1UL << 63 };
	char key = ' ';
	struct answer a = hidden();

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		if (syscall(SYS_ioctl, fd, requests[i], &key) == 0)
			return breach("a keystroke was pushed");
		a = refused();
	}
	return a;
}

static struct answer try_tiocsti(const void *arg)
{
	struct answer a = hidden(), one;
	char path[64];
	int fd;

	(void)arg;
	for (int i = -1; i < 64; i++) {
		if (i < 0)
			snprintf(path, sizeof(path), "/dev/tty");
		else if (i < 16)
			snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		else if (i < 48)
			snprintf(path, sizeof(path), "/dev/pts/%d", i - 16);
		else
			snprintf(path, sizeof(path), i == 48 ? "/dev/console" : "/dev/tty%d",
				 i - 49);
		fd = i >= 0 && i < 16 ? dup(i)
				      : open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (isatty(fd) && (one = push_keystroke(fd)).kind != HIDDEN)
			a = one;
		close(fd);
		if (a.kind == BREACH)
			return a;
	}
	return a;
}

static struct answer try_own_pty(const void *arg)
{
	int ptm = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), zero = 0, pts;
	unsigned n = 0;
	char path[32];

	if (ptm < 0 || ioctl(ptm, TIOCSPTLCK, &zero) < 0 || ioctl(ptm, TIOCGPTN, &n) < 0)
		return hidden();
	snprintf(path, sizeof(path), "/dev/pts/%u", n);
	setsid();
	pts = open(path, O_RDWR | O_CLOEXEC);
	if (pts < 0)
		return hidden();
	if (!arg)
		return push_keystroke(pts);
	char subcode[2] = { 3 /* paste the selection */, 0 };

	return ioctl(pts, TIOCLINUX, subcode) < 0 ? refused() : breach("TIOCLINUX worked");
}

/* ---- the network */

static struct answer try_connect(const void *arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), tcp;

	inet_pton(AF_INET, arg, &to.sin_addr);
	if (udp < 0)
		return refused();
	/* Connecting a datagram socket looks up the route and sends nothing. */
	if (connect(udp, (struct sockaddr *)&to, sizeof(to)) == 0)
		return breach("there is a route");
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (tcp < 0 || connect(tcp, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno == EINPROGRESS ? breach("a connection began") : refused();
	return breach("connected");
}

static struct answer try_abstract(const void *arg)
{
	char line[512];
	FILE *f = fopen("/proc/net/unix", "re");
	struct answer a = hidden();

	(void)arg;
	while (f && a.kind != BREACH && fgets(line, sizeof(line), f)) {
		char *at = strchr(line, '@');
		struct sockaddr_un un = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (at && fd >= 0) {
			size_t len = strcspn(at + 1, "\n");

			len = len < sizeof(un.sun_path) - 1 ? len : sizeof(un.sun_path) - 1;
			memcpy(un.sun_path + 1, at + 1, len);
			if (connect(fd, (struct sockaddr *)&un,
				    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
						len)) == 0)
				a = breach("an abstract socket of somebody");
			else
				a = refused();
		}
		close(fd);
	}
	return a;
}

/* ---- without end */

static struct answer try_fork_bomb(const void *arg)
{
	struct answer a = { .kind = BOUNDED, .text = "processes" };
	int gate[2];
	long n = 0;
	char c;

	(void)arg;
	if (pipe(gate) < 0)
		return refused();
	for (pid_t pid; n < FORKS && (pid = fork()) >= 0; n++) {
		if (pid > 0)
			continue;
		close(gate[1]);
		_exit((int)read(gate[0], &c, 1)); /* until the last writer closes */
	}
	a.number = n;
	close(gate[1]);
	while (wait(NULL) > 0)
		;
	return n == FORKS ? breach("20000 processes and no end") : a;
}

static struct answer try_fill(const void *arg)
{
	const char *dir = arg;
	struct statfs fs;
	char path[128];
	long long total = 0;
	struct answer a = { .kind = BOUNDED };

	snprintf(path, sizeof(path), "%s/.cordon-fill", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return is_absent(errno) ? hidden() : refused();
	unlink(path);
	if (fstatfs(fd, &fs) < 0 || fs.f_blocks == 0 ||
	    (long long)fs.f_blocks * fs.f_bsize > FILL_SANE)
		return breach("a file system without a bound");
	for (ssize_t n; total < FILL_CAP; total += n) {
		n = write(fd, scratch, sizeof(scratch));
		if (n <= 0)
			break;
	}
	a.number = total < FILL_CAP ? total : (long)((long long)fs.f_blocks * fs.f_bsize);
	snprintf(a.text, sizeof(a.text), "bytes");
	return a;
}

static struct answer try_inodes(const void *arg)
{
	struct answer a = { .kind = BOUNDED, .text = "files" };
	struct statfs fs;

	if (statfs(arg, &fs) < 0 || access(arg, W_OK) < 0)
		return hidden();
	if (fs.f_files == 0 || fs.f_files > 1ULL << 24)
		return breach("inodes without a bound");
	a.number = (long)fs.f_files;
	return a;
}

static struct answer try_core(const void *arg)
{
	struct rlimit core;

	(void)arg;
	if (getrlimit(RLIMIT_CORE, &core) < 0)
		return refused();
	return core.rlim_max ? breach("core dumps reach the host's handler")
			     : (struct answer){ .kind = BOUNDED, .number = 0 };
}

#ifdef __x86_64__
static sigjmp_buf faulted;

static void on_fault(int sig)
{
	siglongjmp(faulted, sig);
}

enum { NO_ENTRY = 1 << 30 }; /* above every pid and errno */

/* Its result, or NO_ENTRY where the kernel was started without that entry: the instruction faults.
 */
static long int80_getpid(void)
{
	struct sigaction action = { .sa_handler = on_fault }, before;
	long r;

	(void)sigaction(SIGSEGV, &action, &before);
	if (sigsetjmp(faulted, 1) == 0)
		__asm__ volatile("int $0x80"
				 : "=a"(r)
				 : "a"(20L /* getpid of i386 */)
				 : "memory", "r8", "r9", "r10", "r11");
	else
		r = NO_ENTRY;
	(void)sigaction(SIGSEGV, &before, NULL);
	return r;
}

static struct answer try_int80(const void *arg)
{
	long r = int80_getpid();

	(void)arg;
	if (r == NO_ENTRY)
		return (struct answer){ .kind = REFUSED, .number = SIGNALLED + SIGSEGV };
	errno = (int)-r;
	return r < 0 && r > -4096 ? refused() : breach("a 32-bit call worked");
}
#endif
