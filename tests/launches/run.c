// SPDX-License-Identifier: Apache-2.0
/* One launch: start it as a careless caller would, wait, and judge what it says and what is left.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tests/launches/launches.h"

enum { MAX_SECONDS = 60 };

static void fail(struct outcome *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct outcome *o, const char *fmt, ...)
{
	size_t n = strlen(o->why);
	va_list ap;

	va_start(ap, fmt);
	if (n < sizeof(o->why) - 2) {
		vsnprintf(o->why + n, sizeof(o->why) - n - 1, fmt, ap);
		strcat(o->why, "\n");
	}
	va_end(ap);
	o->verdict = FAILED_LAUNCH;
}

/* --- the start */

/* What a launch is given, and what is read of it. */
struct streams {
	int out, err, log;
	int master, slave; /* the caller's terminal, or -1 */
	struct termios modes;
	bool *changed; /* they are, at the end; shared */
	size_t n_shown;
	char shown[1 << 16];
};

static void make_streams(const struct launch *l, struct streams *s)
{
	s->out = memfd_create("out", MFD_CLOEXEC);
	s->err = memfd_create("err", MFD_CLOEXEC);
	s->log =
		open(world_path("log/fd"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	s->master = s->slave = -1;
	s->n_shown = 0;
	if (!l->terminals)
		return;
	if (!s->changed)
		s->changed = mmap(NULL, sizeof(*s->changed), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*s->changed = false;
	s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (grantpt(s->master) < 0 || unlockpt(s->master) < 0 ||
	    (s->slave = open(ptsname(s->master), O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
	    tcgetattr(s->slave, &s->modes) < 0) {
		perror("launches: no terminal");
		exit(2);
	}
}

static void place_fd(int fd, int at)
{
	if (fd < 0 || dup2(fd, at) < 0)
		_exit(99);
	if (fd != at)
		close(fd);
}

/* Descriptors that are not passed stay open over exec: a launcher has to see to that itself. */
static void dress(const struct launch *l, const struct streams *s)
{
	char path[2 * PATH_SIZE];
	/* out of the way of the numbers that are given below */
	const int out = fcntl(s->out, F_DUPFD_CLOEXEC, 100);
	const int err = fcntl(s->err, F_DUPFD_CLOEXEC, 100);
	const int log = fcntl(s->log, F_DUPFD_CLOEXEC, 100);
	const int slave = l->terminals ? fcntl(s->slave, F_DUPFD_CLOEXEC, 100) : -1;

	syscall(SYS_close_range, 3, 99, 0);
	place_fd(open("/dev/null", O_RDONLY), STDIN_FILENO);
	place_fd(open("/dev/null", O_RDWR), FD_NULL);
	snprintf(path, sizeof(path), "%s/file", world.work);
	place_fd(open(path, O_RDONLY), FD_READ);
	for (size_t i = 0; i < l->n_files; i++) {
		int fd = memfd_create("made", 0);

		if (write(fd, l->made_files[i], strlen(l->made_files[i])) < 0)
			_exit(99);
		lseek(fd, 0, SEEK_SET);
		place_fd(fd, FD_FILE + (int)i);
	}
	place_fd(open(world.home, O_RDONLY | O_DIRECTORY), FD_LEAK);
	snprintf(path, sizeof(path), "%s/secret", world.home);
	place_fd(open(path, O_RDONLY), FD_LEAK + 1);
	place_fd(out, STDOUT_FILENO);
	place_fd(err, STDERR_FILENO);
	place_fd(log, FD_LOG);
	for (int fd = 0; fd < 3; fd++)
		if ((l->terminals >> fd & 1) && dup2(slave, fd) < 0)
			_exit(99);
	if (!l->rude)
		return;
	umask(0777);
	for (int s = 1; s < 32; s++)
		if (s != SIGCHLD)
			signal(s, SIG_IGN);
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* What a shell is to its jobs: the session's leader, which has the terminal and looks at it before
 * its own end hangs it up. Returns in the job. */
static void lead_session(const struct launch *l, const struct streams *s)
{
	struct termios now;
	pid_t job;
	int status;

	if (setsid() < 0 || (l->controlling && ioctl(s->slave, TIOCSCTTY, 0) < 0))
		_exit(99);
	job = fork();
	if (job == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTTOU, SIG_IGN);
		if (setpgid(0, 0) < 0 || (l->controlling && tcsetpgrp(s->slave, getpid()) < 0))
			_exit(99);
		signal(SIGTTOU, SIG_DFL);
		return;
	}
	if (job < 0 || waitpid(job, &status, 0) != job)
		_exit(99);
	*s->changed = tcgetattr(s->slave, &now) < 0 || now.c_iflag != s->modes.c_iflag ||
		      now.c_oflag != s->modes.c_oflag || now.c_cflag != s->modes.c_cflag ||
		      now.c_lflag != s->modes.c_lflag;
	if (WIFSIGNALED(status)) {
		prctl(PR_SET_DUMPABLE, 0);
		raise(WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

static void become(struct launch *l, char *const *launcher, const struct streams *s)
{
	char *argv[2 * MAX_WORDS + 8];
	char variables[12][2 * PATH_SIZE], *envp[13];
	static const char *const names[] = { "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
					     "XDG_RUNTIME_DIR", "TMPDIR" };
	static const char *const dirs[] = { "state", "cache", "config", "run", "tmp" };
	size_t n = 0, k = 0;

	for (; launcher[n]; n++)
		argv[n] = launcher[n];
	argv[n++] = (char *)(uintptr_t)cordon;
	argv[n++] = (char *)(uintptr_t) "run";
	for (size_t i = 0; i < l->n_words; i++)
		argv[n++] = l->words[i];
	for (size_t i = 0; i < l->n_told; i++)
		argv[n++] = l->told[i];
	argv[n] = NULL;
	for (; k < 5; k++)
		snprintf(variables[k], sizeof(variables[0]), "%s=%s", names[k],
			 world_path(dirs[k]));
	snprintf(variables[k++], sizeof(variables[0]), "HOME=%s", world.home);
	snprintf(variables[k++], sizeof(variables[0]), "SECRET=%s", world.secret);
	snprintf(variables[k++], sizeof(variables[0]), "LAUNCHES_UNASKED=1");
	snprintf(variables[k++], sizeof(variables[0]), "LAUNCHES_PASSED=passed");
	snprintf(variables[k++], sizeof(variables[0]), "PATH=/usr/bin:/bin:/usr/sbin:/sbin");
	snprintf(variables[k++], sizeof(variables[0]), "ASAN_OPTIONS=detect_leaks=0");
	for (size_t i = 0; i < k; i++)
		envp[i] = variables[i];
	envp[k] = NULL;
	if (chdir(world.work) < 0)
		_exit(99);
	if (l->terminals)
		lead_session(l, s);
	dress(l, s);
	execve(argv[0], argv, envp);
	_exit(99);
}

/* What came out of the terminal, without what it makes of the end of a line. */
static void read_terminal(struct streams *s)
{
	char text[4096];
	ssize_t n;

	while ((n = read(s->master, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (text[i] != '\r' && s->n_shown < sizeof(s->shown) - 1)
				s->shown[s->n_shown++] = text[i];
}

static bool wait_for(pid_t pid, struct streams *s, int *ret)
{
	struct pollfd p[] = { { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
			      { .fd = s->master, .events = POLLIN } };
	const time_t until = time(NULL) + MAX_SECONDS;

	while (poll(p, 2, 1000) >= 0 && !p[0].revents && time(NULL) < until)
		if (p[1].revents)
			read_terminal(s);
	close(p[0].fd);
	if (!p[0].revents)
		kill(pid, SIGKILL);
	while (waitpid(pid, ret, 0) < 0 && errno == EINTR)
		;
	if (s->master >= 0)
		read_terminal(s);
	return p[0].revents != 0;
}

static void take(int fd, char *ret, size_t size)
{
	ssize_t n = pread(fd, ret, size - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* --- the judgement */

/* Exactly one sentence, which is explained, and nothing started. */
static void judge_refusal(const struct launch *l, struct outcome *o)
{
	unsigned n = 0;
	bool explained = false;

	for (const char *p = o->err; (p = strstr(p, "cordon: cannot ")); p++) {
		if (p != o->err && p[-1] != '\n')
			continue;
		if (n++ == 0)
			snprintf(o->sentence, sizeof(o->sentence), "%.*s", (int)strcspn(p, "\n"),
				 p);
	}
	if (n != 1)
		fail(o, "X6 status %d with %u sentences", o->status, n);
	for (const char *p = o->err; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			fail(o, "T4 a control character in what it says");
	}
	if (strstr(o->out, "\nend ") || strncmp(o->out, "end ", 4) == 0)
		fail(o, "X2 it was refused, and ran");
	for (size_t i = 0; i < l->n_refusals; i++)
		explained = explained || strstr(o->sentence, l->refusals[i]);
	if (!explained)
		fail(o, "it was refused, and nothing asked for explains it");
}

static void judge_dry(const struct launch *l, struct outcome *o)
{
	bool json = false;
	size_t n = strlen(o->out);

	for (size_t i = 0; i < l->n_words; i++)
		json = json || strcmp(l->words[i], "--json") == 0;
	if (o->status != 0 || n == 0)
		fail(o, "--dry-run: status %d, %zu bytes", o->status, n);
	if (strstr(o->out, "\nend "))
		fail(o, "X2 --dry-run, and it ran");
	if (json && (n < 3 || o->out[0] != '{' || !memchr(o->out + n - 3, '}', 3)))
		fail(o, "--dry-run --json: no object");
	if (access(l->n_logs ? l->logs[0] : world_path("no"), F_OK) == 0)
		fail(o, "--dry-run, and there is a log");
}

/* What the launcher says on a terminal that is standard output as well. */
static bool is_ours(const char *line)
{
	return strncmp(line, "cordon: ", 8) == 0 || strncmp(line, "hint: ", 6) == 0;
}

/* What glibc says there of a static program that may not set itself up (csu/libc-tls.c): the policy
 * refuses arch_prctl(2) or the memory, and main() was not come to. */
static bool is_libcs(const struct launch *l, const char *line)
{
	return l->wild && (strncmp(line, "cannot set %fs base address", 27) == 0 ||
			   strncmp(line, "Fatal glibc error: Cannot allocate TLS", 38) == 0);
}

static void judge_inside(const struct launch *l, struct outcome *o)
{
	char *save = NULL, *end = NULL;
	static char copy[sizeof(o->out)];

	memcpy(copy, o->out, sizeof(copy));
	for (char *line = strtok_r(copy, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if (strncmp(line, "end ", 4) == 0)
			end = line;
		else if (strncmp(line, "breach ", 7) == 0)
			fail(o, "%s", line);
		else if (l->terminals >> 1 == 3 && (is_ours(line) || is_libcs(l, line)))
			continue;
		else if (strncmp(line, "lost ", 5) != 0 && strncmp(line, "blind ", 6) != 0)
			fail(o, "it said '%.100s'", line);
		else if (!l->wild)
			fail(o, "%s", line);
	}
	if (l->wild)
		return;
	if (!end)
		fail(o, "the program inside did not come to its end");
	if (o->status != (l->want_signal ? 128 + l->want_signal : l->want_exit))
		fail(o, "G1 status %d, not %d", o->status,
		     l->want_signal ? 128 + l->want_signal : l->want_exit);
}

/* --- the log */

static bool run_verify(const char *path)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl(cordon, cordon, "audit", "verify", path, (char *)NULL);
		_exit(99);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void judge_log(const char *path, struct outcome *o)
{
	static char text[1 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	const char *last;

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		fail(o, "L1 no log at %s", path);
		return;
	}
	text[n] = '\0';
	if (!strstr(text, "\"type\":\"open\""))
		fail(o, "L1 %s: no opening record", path);
	for (last = text + n - 1; last > text && last[-1] != '\n'; last--)
		;
	if (!strstr(last, "\"type\":\"close\""))
		fail(o, "L5 %s: it does not end with a closing record", path);
	if (strstr(text, world.secret))
		fail(o, "L4 %s: it holds the caller's secret", path);
	if (!run_verify(path))
		fail(o, "L7 %s: not whole", path);
}

static void judge_logs(const struct launch *l, struct outcome *o)
{
	for (size_t i = 0; i < l->n_logs; i++)
		judge_log(strcmp(l->logs[i], "fd") == 0 ? world_path("log/fd") : l->logs[i], o);
	if (l->own_log)
		judge_log(world_path("state/cordon/audit.jsonl"), o);
}

/* The logs and the upper are a launch's own. */
static void sweep(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[3 * PATH_SIZE];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) < 0) {
			chmod(path, 0700);
			sweep(path);
			rmdir(path);
		}
	}
	if (d)
		closedir(d);
}

static void judge_given(const struct launch *l, struct outcome *o)
{
	char text[65536];

	while (recv(world.drain, text, sizeof(text), MSG_DONTWAIT) >= 0)
		;
	for (size_t i = 0; i < l->n_stays; i++)
		(void)unlink(l->stays[i]);
	for (size_t i = 0; i < l->n_given; i++) {
		if (unlink(l->given[i]) < 0 && !l->wild && o->verdict == RAN)
			fail(o, "lost M10: what was written at '%s' is not there", l->given[i]);
	}
}

void launch_show(const struct launch *l, char *const *launcher)
{
	for (size_t i = 0; launcher[i]; i++)
		printf("%s ", launcher[i]);
	printf("cordon run");
	for (size_t i = 0; i < l->n_words; i++) {
		const char *w = l->words[i];

		if (w[0] && !w[strcspn(w, " '\"\\$*?<>|&;()\x1b\xff")])
			printf(" %s", w);
		else {
			printf(" $'");
			for (; *w; w++)
				printf(isprint((unsigned char)*w) && *w != '\'' && *w != '\\'
					       ? "%c"
					       : "\\x%02x",
				       (unsigned char)*w);
			printf("'");
		}
	}
	printf(" ...\n");
}

/* The caller finds his terminal as it was, and what was written to it where he looks for it. */
static void end_streams(const struct launch *l, struct streams *s, struct outcome *o)
{
	take(s->out, o->out, sizeof(o->out));
	take(s->err, o->err, sizeof(o->err));
	close(s->log);
	if (!l->terminals)
		return;
	if (*s->changed)
		fail(o, "T1 the caller's terminal has other modes");
	close(s->slave);
	close(s->master);
	s->shown[s->n_shown] = '\0';
	if (l->terminals & 2)
		memcpy(o->out, s->shown, s->n_shown + 1);
	if (l->terminals & 4)
		memcpy(o->err, s->shown, s->n_shown + 1);
}

void launch_run(struct launch *l, char *const *launcher, struct outcome *o)
{
	static struct streams s;
	char left[256];
	struct stat st;
	pid_t pid;
	int status = 0;

	*o = (struct outcome){ .verdict = RAN };
	make_streams(l, &s);
	if (l->terminals && !l->terminal_given && fstat(s.slave, &st) == 0)
		launch_tell(l, "outer=%llu:%llu", (unsigned long long)st.st_dev,
			    (unsigned long long)st.st_ino);
	pid = fork();
	if (pid == 0)
		become(l, launcher, &s);
	if (pid < 0 || !wait_for(pid, &s, &status))
		fail(o, "it did not end");
	end_streams(l, &s, o);
	o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (WIFSIGNALED(status))
		fail(o, "the launcher was ended by signal %d", WTERMSIG(status));
	if (strstr(o->err, "Sanitizer") || strstr(o->err, "runtime error:") ||
	    strstr(o->err, "stack smashing"))
		fail(o, "a sanitizer's report");
	if (o->status >= 125 && o->status <= 127 && strstr(o->err, "cordon: cannot ")) {
		judge_refusal(l, o);
		o->verdict = o->verdict == RAN ? REFUSED : o->verdict;
	} else if (o->status == 125) {
		fail(o, "X6 status 125 without a sentence");
	} else if (l->dry) {
		judge_dry(l, o);
		o->verdict = o->verdict == RAN ? DRY : o->verdict;
	} else {
		judge_inside(l, o);
		judge_logs(l, o);
	}
	judge_given(l, o);
	if (!world_is_clean(l->mark, left, sizeof(left)))
		fail(o, "%s", left);
	sweep(world_path("log"));
	sweep(world_path("state"));
	sweep(world.upper);
	sweep(world_path("policies"));
}
