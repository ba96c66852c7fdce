// SPDX-License-Identifier: Apache-2.0
/* Where a launch runs, and what it may leave there. */
#include "tests/faults/faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Children of the place; the launch itself writes to log, state and cache only. */
static const char *const folders[] = { "home", "tmp", "state", "cache", "config",
				       "run",  "rw",  "lower", "shown", NULL };

static int host_namespaces(char *ret, size_t size)
{
	static const char *const names[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	size_t at = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (stat(path, &st) < 0)
			return -1;
		at += (size_t)snprintf(ret + at, size - at, "%s=%lu,", names[i],
				       (unsigned long)st.st_ino);
	}
	return 0;
}

int place_make(struct place *p, const char *parent, unsigned number)
{
	char path[1024];
	int fd;

	snprintf(p->dir, sizeof(p->dir), "%s/w%u", parent, number);
	if (mkdir(p->dir, 0755) < 0)
		return -1;
	for (size_t i = 0; folders[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", p->dir, folders[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	snprintf(path, sizeof(path), "%s/shown/file", p->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	close(fd);
	return host_namespaces(p->namespaces, sizeof(p->namespaces));
}

/* A cache without entries: the policy is compiled at the next launch. */
static void empty_cache(const struct place *p)
{
	char path[1600];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/cache/cordon", p->dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/cache/cordon/%s", p->dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}

void place_reset(const struct place *p)
{
	static const char *const files[] = { "audit.jsonl", "audit.jsonl.head", "out", "err" };
	char path[1024];

	if (!strcmp(p->scenario, "cold"))
		empty_cache(p);

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->dir, files[i]);
		unlink(path);
	}
}

static void env_path(const struct place *p, const char *name, const char *folder)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", p->dir, folder);
	setenv(name, path, 1);
}

static void redirect(int fd, const char *name, int flags)
{
	int got = open(name, flags, 0644);

	if (got < 0 || (got != fd && (dup2(got, fd) < 0 || close(got) < 0)))
		_exit(99);
}

/* Keys for the payload, which says what it got of them (fingerprint.c). */
static const char keys[] = "typed by nobody\n";

static void copy_screen(const struct place *p, int master)
{
	char path[1024], bytes[4096];
	ssize_t n;
	int out;

	snprintf(path, sizeof(path), "%s/out", p->dir);
	out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0 || write(master, keys, sizeof(keys) - 1) != (ssize_t)sizeof(keys) - 1)
		_exit(99);
	/* EIO: no slave is open any more. */
	while ((n = read(master, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			_exit(99);
	_exit(0);
}

int place_terminal(const struct place *p, struct screen *ret)
{
	pid_t pid;

	*ret = (struct screen){ .slave = -1, .master = -1 };
	if (strcmp(p->scenario, "terminal") != 0)
		return 0;
	ret->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ret->master < 0 || grantpt(ret->master) < 0 || unlockpt(ret->master) < 0)
		return -1;
	ret->slave = open(ptsname(ret->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ret->slave < 0 || tcgetattr(ret->slave, &ret->modes) < 0)
		return -1;
	/* No echo, and a new line is one: what is shown is what was written. By lines, as a shell
	 * leaves it to what it starts: a launcher that makes it raw and no more is seen. */
	cfmakeraw(&ret->modes);
	ret->modes.c_lflag |= ICANON | ISIG | IEXTEN;
	if (tcsetattr(ret->slave, TCSANOW, &ret->modes) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ret->slave);
		copy_screen(p, ret->master);
	}
	return pid < 0 ? -1 : 0;
}

bool place_terminal_is_as_before(const struct screen *s)
{
	struct termios now = { 0 };

	/* On a master these act on its slave (tty_mode_ioctl). */
	return s->master < 0 ||
	       (tcgetattr(s->master, &now) == 0 && now.c_iflag == s->modes.c_iflag &&
		now.c_oflag == s->modes.c_oflag && now.c_cflag == s->modes.c_cflag &&
		now.c_lflag == s->modes.c_lflag &&
		memcmp(now.c_cc, s->modes.c_cc, sizeof(now.c_cc)) == 0);
}

/* It is no session's: the end of a leader hangs its terminal up, and the kernel forgets what nobody
 * has read yet of what was written to it. */
static void take_terminal(int slave)
{
	if (setsid() < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0)
		_exit(99);
	close(slave);
}

void place_exec(const struct place *p, int terminal)
{
	char sink[640], ro[1024], rw[640], lower[640], shown[640];
	const char *argv[40], *slash = strrchr(p->fingerprint, '/');
	size_t n = 0;

	snprintf(sink, sizeof(sink), "file:%s/audit.jsonl", p->dir);
	snprintf(ro, sizeof(ro), "%.*s", slash ? (int)(slash - p->fingerprint) : 1,
		 slash ? p->fingerprint : ".");
	snprintf(rw, sizeof(rw), "%s/rw", p->dir);
	snprintf(lower, sizeof(lower), "%s/lower", p->dir);
	snprintf(shown, sizeof(shown), "%s/shown:/shown", p->dir);
	const char *const plain[] = { p->cordon, "run", "-q",	"--policy", "default",
				      "--audit", sink,	"--ro", ro };
	const char *const full[] = {
		"--rw",		rw,	      "--ro",		shown,	      "--overlay",
		lower,		"--hide",     "/usr/share/doc", "--hide",     "/shown/file",
		"--tmpfs",	"/scratch",   "--dir",		"/made/here", "--symlink",
		"x:/made/link", "--file",     "9:/given",	"--fd",	      "8",
		"--limit",	"nofile=200", "--hostname",	"inside"
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		argv[n++] = plain[i];
	for (size_t i = 0; i < sizeof(full) / sizeof(*full) && !strcmp(p->scenario, "full"); i++)
		argv[n++] = full[i];
	argv[n++] = "--";
	argv[n++] = p->fingerprint;
	argv[n++] = p->namespaces;
	argv[n] = NULL;
	if (chdir(p->dir) < 0)
		_exit(99);
	if (terminal >= 0) {
		take_terminal(terminal);
	} else {
		redirect(0, "/dev/null", O_RDONLY);
		redirect(1, "out", O_WRONLY | O_CREAT | O_APPEND);
	}
	redirect(2, "err", O_WRONLY | O_CREAT | O_APPEND);
	if (chdir("home") < 0)
		_exit(99);
	/* What must not cross: a way out, an ignored signal, a mask, a mode of execution. */
	redirect(5, "/", O_RDONLY | O_DIRECTORY);
	redirect(8, "/dev/null", O_RDONLY);
	redirect(9, "../shown/file", O_RDONLY);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	umask(0);
	personality(ADDR_NO_RANDOMIZE);
	clearenv();
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("SECRET", "of the caller", 1);
	env_path(p, "HOME", "home");
	env_path(p, "TMPDIR", "tmp");
	env_path(p, "XDG_STATE_HOME", "state");
	env_path(p, "XDG_CACHE_HOME", "cache");
	env_path(p, "XDG_CONFIG_HOME", "config");
	env_path(p, "XDG_RUNTIME_DIR", "run");
	execv(p->cordon, (char **)argv);
	_exit(99);
}

char *place_read(const struct place *p, const char *name)
{
	enum { MOST = 1 << 20 };
	char path[1024], *text = calloc(1, MOST + 1);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (text && fd >= 0 && read(fd, text, MOST) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void strays_in(const char *dir, const char *name, const char *const *known, FILE *out)
{
	char path[1024];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		const char *end = strrchr(e->d_name, '.');
		bool fine = e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.');

		for (size_t i = 0; known && known[i]; i++)
			fine |= !strcmp(e->d_name, known[i]) || (end && !strcmp(end, known[i]));
		if (!fine)
			fprintf(out, "  left behind: %s/%s\n", name, e->d_name);
	}
	if (d)
		closedir(d);
}

/* A user without privilege mounts nothing in the host's namespace: that none of ours is seen there
 * shows that the sandbox had one of its own. */
static void strays_mounted(const struct place *p, FILE *out)
{
	char line[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, p->dir))
			fprintf(out, "  left mounted: %s", line);
	if (f)
		fclose(f);
}

char *place_strays(const struct place *p)
{
	static const char *const top[] = { "home",  "tmp", "state", "cache", "config",
					   "run",   "rw",  "lower", "shown", "audit.jsonl",
					   ".head", "out", "err",   NULL };
	static const char *const cached[] = { ".bundle", ".ref", NULL };
	static const char *const in_cache[] = { "cordon", NULL };
	static const char *const shown[] = { "file", NULL };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	strays_in(p->dir, ".", top, out);
	strays_in(p->dir, "home", NULL, out);
	strays_in(p->dir, "tmp", NULL, out);
	strays_in(p->dir, "run", NULL, out);
	strays_in(p->dir, "rw", NULL, out);
	strays_in(p->dir, "lower", NULL, out);
	strays_in(p->dir, "shown", shown, out);
	strays_in(p->dir, "cache", in_cache, out);
	strays_in(p->dir, "cache/cordon", cached, out);
	strays_mounted(p, out);
	fclose(out);
	return text;
}

bool place_log_is_whole(const struct place *p)
{
	char path[640];
	int status, null;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/audit.jsonl", p->dir);
	if (access(path, F_OK) < 0)
		return true; /* never opened */
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, 1);
		dup2(null, 2);
		execl(p->cordon, "cordon", "audit", "verify", path, (char *)NULL);
		_exit(99);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
