// SPDX-License-Identifier: Apache-2.0
/* What surrounds an attempt, and the attempts that many points share. */
#include "tests/escape/probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATTEMPT_S = 20, FACTS = 64, BLOCK = 65536 };

struct world world = { .init = 1 };

/* --- answers */

struct answer done(const char *fmt, ...)
{
	struct answer a = { .outcome = DONE };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a.text, sizeof(a.text), fmt, ap);
	va_end(ap);
	return a;
}

struct answer hidden(void)
{
	return (struct answer){ .outcome = HIDDEN };
}

struct answer refused(void)
{
	const bool absent = errno == ENOENT || errno == ENOTDIR || errno == ENXIO ||
			    errno == ENODEV || errno == ESRCH;

	return (struct answer){ .outcome = absent ? HIDDEN : DENIED, .error = errno };
}

struct answer by_result(long r, const char *what)
{
	return r < 0 ? refused() : done("%s", what);
}

/* --- facts */

static struct {
	char *name, *value;
} facts[FACTS];
static size_t n_facts;

/* The secrets come backwards, so that no command line that a search meets holds one. */
void fact_add(const char *text)
{
	char *copy = strdup(text), *value = strchr(copy, '=');

	if (!value || n_facts == FACTS) {
		fprintf(stderr, "probe: '--fact %s' is not NAME=VALUE, or one too many\n", text);
		exit(2);
	}
	*value++ = '\0';
	if (strcmp(copy, "secret") == 0 || strcmp(copy, "marker") == 0) {
		for (size_t i = 0, n = strlen(value); i < n / 2; i++) {
			char c = value[i];

			value[i] = value[n - 1 - i];
			value[n - 1 - i] = c;
		}
	}
	facts[n_facts].name = copy;
	facts[n_facts++].value = value;
}

const char *fact(const char *name)
{
	for (size_t i = 0; i < n_facts; i++)
		if (strcmp(facts[i].name, name) == 0)
			return facts[i].value;
	return NULL;
}

long fact_number(const char *name)
{
	const char *text = fact(name);

	return text ? atol(text) : -1;
}

/* --- places */

const char *make_dir(const char *name)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % COUNT(path)];

	snprintf(p, sizeof(path[0]), "%s/%s", world.scratch, name);
	return mkdir(p, 0755) < 0 && errno != EEXIST ? "" : p;
}

const char *make_file(const char *name, const char *text)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % COUNT(path)];
	int fd;

	snprintf(p, sizeof(path[0]), "%s/%s", world.scratch, name);
	unlink(p);
	fd = open(p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return "";
	if (write(fd, text, strlen(text)) < 0)
		p = "";
	close(fd);
	return p;
}

int read_small(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	/* files of proc come in pages */
	while (len < size - 1 && (n = read(fd, ret + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (len == 0 && n < 0)
		n = -errno;
	close(fd);
	ret[len] = '\0';
	return len > 0 ? (int)len : (int)n;
}

bool holds_secret(int fd)
{
	static char block[BLOCK];
	const char *secret = fact("secret");
	ssize_t n = read(fd, block, sizeof(block));

	return secret && n > 0 && memmem(block, (size_t)n, secret, strlen(secret));
}

pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

void end_child(pid_t pid)
{
	if (pid <= 1)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

bool status_field(const char *path, const char *field, char *ret, size_t size)
{
	static char text[8192];
	const size_t len = strlen(field);

	if (read_small(path, text, sizeof(text)) <= 0)
		return false;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, field, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " \t");
			snprintf(ret, size, "%.*s", (int)strcspn(line, "\n"), line);
			return true;
		}
	}
	return false;
}

bool world_has_lock(void)
{
	char text[64];
	struct stat st;

	return status_field("/proc/self/status", "NoNewPrivs", text, sizeof(text)) &&
	       strcmp(text, "1") == 0 &&
	       status_field("/proc/self/status", "Seccomp", text, sizeof(text)) &&
	       strcmp(text, "2") == 0 && stat("/proc/self/ns/pid", &st) == 0 &&
	       st.st_ino != 0xEFFFFFFCU /* linux/proc_ns.h: the machine's own */;
}

/* --- namespaces of one's own */

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

int become_root_of(int flags)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", geteuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | flags) < 0)
		return -1;
	return put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", uid) &&
			       put("/proc/self/gid_map", gid)
		       ? 0
		       : -1;
}

/* A process there, with its own proc and a scratch directory on a tmpfs of its own. */
static int enter_namespaces(void)
{
	int status;
	pid_t pid;

	if (become_root_of(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			   CLONE_NEWCGROUP) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		waitpid(pid, &status, 0);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	world.own_namespaces = true;
	world.init = 1;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			       mount("none", world.scratch, "tmpfs", 0, NULL) == 0 &&
			       mount("none", "/proc", "proc", 0, NULL) == 0
		       ? 0
		       : -1;
}

/* Where no process can be made, a fault is an answer all the same. */
static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

static struct answer here(const struct point *p)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGSYS };
	int sig = sigsetjmp(back, 1);

	if (sig != 0)
		return (struct answer){ .outcome = DENIED, .error = -sig };
	for (size_t i = 0; i < COUNT(faults); i++)
		signal(faults[i], on_fault);
	return p->go(p);
}

struct answer world_alone(const struct point *p, bool own_namespaces)
{
	struct answer a = done("it hung");
	int ends[2], status = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return done("no pipe");
	pid_t pid = fork();

	if (pid == 0) {
		struct answer one = { .outcome = DENIED };

		alarm(ATTEMPT_S);
		close(ends[0]);
		if (own_namespaces && enter_namespaces() < 0) {
			one.error = errno;
			snprintf(one.text, sizeof(one.text), "no namespaces of its own");
		} else {
			one = p->go(p);
		}
		_exit(write(ends[1], &one, sizeof(one)) != (ssize_t)sizeof(one));
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return here(p);
	}
	struct pollfd ready = { .fd = ends[0], .events = POLLIN };
	ssize_t n =
		poll(&ready, 1, (ATTEMPT_S + 5) * 1000) <= 0 ? -1 : read(ends[0], &a, sizeof(a));

	if (n < 0)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ends[0]);
	if (n == 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM)
		return (struct answer){ .outcome = DENIED, .error = -WTERMSIG(status) };
	return n == (ssize_t)sizeof(a) ? a : done(n < 0 ? "it hung" : "no answer came");
}

/* --- the world */

int world_stand_in(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* as pid 1 has the wire: a descriptor to be taken */
	(void)!dup2(0, 5);
	(void)!write(1, "x", 1);
	for (;;)
		pause();
}

static void start_stand_in(void)
{
	char secret[128];
	int ends[2];
	char c;

	snprintf(secret, sizeof(secret), "SECRET=%s", fact("secret") ? fact("secret") : "none");
	char *const argv[] = { "probe", "--stand-in", NULL }, *const envp[] = { secret, NULL };

	char program[512] = "/proc/self/exe";

	/* as the launcher is, a program that this user may write to */
	if (fact("tree"))
		snprintf(program, sizeof(program), "%s/program", fact("tree"));
	if (pipe(ends) < 0)
		exit(2);
	world.init = fork();
	if (world.init == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		execve(program, argv, envp);
		_exit(1);
	}
	close(ends[1]);
	/* to signal -1 would be to signal everybody */
	if (world.init <= 1 || read(ends[0], &c, 1) != 1) {
		fprintf(stderr, "probe: nobody stands in for pid 1\n");
		exit(2);
	}
	close(ends[0]);
}

void world_begin(bool twin)
{
	const char *scratch = fact("scratch");

	world.twin = twin;
	snprintf(world.scratch, sizeof(world.scratch), "%s", scratch ? scratch : "/tmp");
	snprintf(world.scratch_other, sizeof(world.scratch_other), "%s", "/dev/shm");
	world.locked = world_has_lock();
	if (twin)
		start_stand_in();
}

/* --- attempts that many points share */

struct answer go_call(const struct point *p)
{
	const long *a = p->arg;
	long r = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);

	/* A clone that works returns here twice, and both tell the same. */
	return by_result(r, "the call worked");
}

struct answer go_open(const struct point *p)
{
	int fd = open(p->path, (int)p->arg[0] | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return refused();
	close(fd);
	return done("opened");
}

struct answer go_read(const struct point *p)
{
	char text[4096];
	int n = read_small(p->path, text, sizeof(text));

	if (n < 0) {
		errno = -n;
		return refused();
	}
	return n == 0 ? hidden() : done("%d bytes were read", n);
}

struct answer go_list(const struct point *p)
{
	DIR *dir = opendir(p->path);
	int n = 0;

	if (!dir)
		return refused();
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n == 0 ? hidden() : done("%d entries", n);
}
