// SPDX-License-Identifier: Apache-2.0
/*
 * inspect [--env-values] [WHAT...]: what a sandbox looks like from inside, one JSON object a line,
 * each {"what": ..., ...}. WHAT picks lines: ids status namespaces mount fd env limit signals
 * process host dev links. Reads, changes nothing; for tests, which read it with jq.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static bool env_values;
extern char **environ;

static void text(const char *key, const char *s, size_t len)
{
	printf("%s\"%s\":\"", key[0] == '{' ? "{" : ",", key + (key[0] == '{'));
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void begin(const char *what)
{
	text("{what", what, strlen(what));
}

static void str(const char *key, const char *s)
{
	text(key, s, strlen(s));
}

static void num(const char *key, long long v)
{
	printf(",\"%s\":%lld", key, v);
}

static void end(void)
{
	puts("}");
}

static void ids(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg, groups[256];

	getresuid(&r, &e, &s);
	getresgid(&rg, &eg, &sg);
	begin("ids");
	num("uid", r);
	num("euid", e);
	num("suid", s);
	num("gid", rg);
	num("egid", eg);
	num("sgid", sg);
	int n = getgroups(256, groups);

	printf(",\"groups\":[");
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	printf("]");
	end();
}

/* The lines of /proc/self/status that speak of confinement. */
static void status(void)
{
	static const char *const keep[] = { "CapInh", "CapPrm",	    "CapEff",  "CapBnd",
					    "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
					    "NSpid",  "Threads",    "SigBlk",  "SigIgn",
					    "SigCgt", "CoreDumping" };
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	begin("status");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		for (size_t i = 0; i < sizeof(keep) / sizeof(*keep); i++)
			if (!strcmp(line, keep[i])) {
				char *v = colon + 1 + strspn(colon + 1, " \t");

				v[strcspn(v, "\n")] = '\0';
				str(line, v);
			}
	}
	if (f)
		fclose(f);
	num("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	num("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	num("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	num("keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	int sig = 0;

	prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0);
	num("pdeathsig", sig);
	num("personality", personality(0xffffffffU));
	end();
}

static void namespaces(void)
{
	static const char *const names[] = { "user", "mnt", "pid",    "net",
					     "ipc",  "uts", "cgroup", "time" };
	char path[64];
	struct stat st;

	begin("namespaces");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		num(names[i], stat(path, &st) == 0 ? (long long)st.st_ino : -1);
	}
	end();
}

/* proc_pid_mountinfo(5): id parent major:minor root point options [fields] - type source super */
static void mounts(void)
{
	char line[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char root[4096], point[4096], options[512], type[64], source[512], super[2048];
		char *dash = strstr(line, " - ");

		if (!dash ||
		    sscanf(line, "%*d %*d %*s %4095s %4095s %511s", root, point, options) != 3 ||
		    sscanf(dash, " - %63s %511s %2047s", type, source, super) != 3)
			continue;
		*dash = '\0';
		begin("mount");
		str("point", point);
		str("root", root);
		str("options", options);
		str("propagation", strstr(line, "shared:")   ? "shared"
				   : strstr(line, "master:") ? "slave"
							     : "private");
		str("type", type);
		str("source", source);
		str("super", super);
		struct statvfs fs;

		if (statvfs(point, &fs) == 0) {
			num("bytes", (long long)(fs.f_blocks * fs.f_frsize));
			num("files", (long long)fs.f_files);
		}
		end();
	}
	if (f)
		fclose(f);
}

static void fds(void)
{
	for (int fd = 0; fd < 4096; fd++) {
		char path[64], target[4096];
		int flags = fcntl(fd, F_GETFL), fdflags = fcntl(fd, F_GETFD);

		if (flags < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, target, sizeof(target));

		begin("fd");
		num("fd", fd);
		text("target", target, n > 0 ? (size_t)n : 0);
		num("flags", flags);
		num("cloexec", fdflags & FD_CLOEXEC);
		num("tty", isatty(fd));
		end();
	}
}

static void env(void)
{
	for (char **e = environ; *e; e++) {
		size_t name = strcspn(*e, "=");

		begin("env");
		text("name", *e, name);
		if (env_values && (*e)[name])
			str("value", *e + name + 1);
		end();
	}
}

static void limits(void)
{
	static const struct {
		const char *name;
		int which;
	} all[] = {
		{ "nofile", RLIMIT_NOFILE },
		{ "nproc", RLIMIT_NPROC },
		{ "core", RLIMIT_CORE },
		{ "as", RLIMIT_AS },
		{ "cpu", RLIMIT_CPU },
		{ "fsize", RLIMIT_FSIZE },
		{ "stack", RLIMIT_STACK },
		{ "data", RLIMIT_DATA },
		{ "memlock", RLIMIT_MEMLOCK },
		{ "msgqueue", RLIMIT_MSGQUEUE },
		{ "nice", RLIMIT_NICE },
		{ "rtprio", RLIMIT_RTPRIO },
		{ "sigpending", RLIMIT_SIGPENDING },
	};
	struct rlimit r;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (getrlimit((__rlimit_resource_t)all[i].which, &r) < 0)
			continue;
		begin("limit");
		str("name", all[i].name);
		num("soft", (long long)r.rlim_cur);
		num("hard", (long long)r.rlim_max);
		end();
	}
}

static void signals(void)
{
	sigset_t blocked;
	struct sigaction sa;

	begin("signals");
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	printf(",\"blocked\":[");
	for (int s = 1, n = 0; s < NSIG; s++)
		if (sigismember(&blocked, s) == 1)
			printf("%s%d", n++ ? "," : "", s);
	printf("],\"ignored\":[");
	for (int s = 1, n = 0; s < NSIG; s++)
		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			printf("%s%d", n++ ? "," : "", s);
	printf("]");
	end();
}

static void process(int argc, char **argv)
{
	char cwd[4096] = "", tty[256] = "";
	mode_t mask = umask(0);

	umask(mask);
	begin("process");
	num("pid", getpid());
	num("ppid", getppid());
	num("pgrp", getpgrp());
	num("session", getsid(0));
	num("foreground", tcgetpgrp(0));
	num("umask", mask);
	errno = 0;
	num("nice", getpriority(PRIO_PROCESS, 0));
	str("cwd", getcwd(cwd, sizeof(cwd)) ? cwd : "");
	str("tty", ttyname_r(0, tty, sizeof(tty)) == 0 ? tty : "");
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	num("has_tty", fd >= 0);
	if (fd >= 0)
		close(fd);
	printf(",\"argv\":[");
	for (int i = 0; i < argc; i++) {
		printf("%s{\"n\":%d", i ? "," : "", i);
		str("text", argv[i]);
		printf("}");
	}
	printf("]");
	end();
}

static void host(void)
{
	struct utsname u;
	struct timespec mono, boot;

	uname(&u);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	begin("host");
	str("hostname", u.nodename);
	str("domain", u.domainname);
	str("release", u.release);
	num("monotonic", mono.tv_sec);
	num("boottime", boot.tv_sec);
	end();
}

static void dev(void)
{
	DIR *dir = opendir("/dev");

	for (struct dirent *e; dir && (e = readdir(dir));) {
		struct stat st;

		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		begin("dev");
		str("name", e->d_name);
		str("kind", S_ISCHR(st.st_mode)	  ? "char"
			    : S_ISBLK(st.st_mode) ? "block"
			    : S_ISDIR(st.st_mode) ? "dir"
			    : S_ISLNK(st.st_mode) ? "link"
						  : "file");
		num("major", S_ISCHR(st.st_mode) ? (long long)major(st.st_rdev) : 0);
		num("minor", S_ISCHR(st.st_mode) ? (long long)minor(st.st_rdev) : 0);
		end();
	}
	if (dir)
		closedir(dir);
}

/* Network interfaces by /proc/net/dev: sysfs is not there. */
static void links(void)
{
	char line[512];
	FILE *f = fopen("/proc/net/dev", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':'), *name = line + strspn(line, " ");

		if (!colon)
			continue;
		begin("link");
		text("name", name, (size_t)(colon - name));
		end();
	}
	if (f)
		fclose(f);
}

static bool wanted(int argc, char **argv, const char *what)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], what))
			return true;
		any |= argv[i][0] != '-';
	}
	return !any;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*show)(void);
	} lines[] = {
		{ "ids", ids },	     { "status", status },   { "namespaces", namespaces },
		{ "mount", mounts }, { "fd", fds },	     { "env", env },
		{ "limit", limits }, { "signals", signals }, { "host", host },
		{ "dev", dev },	     { "links", links },
	};

	for (int i = 1; i < argc; i++)
		env_values |= !strcmp(argv[i], "--env-values");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (wanted(argc, argv, lines[i].name))
			lines[i].show();
	if (wanted(argc, argv, "process"))
		process(argc, argv);
	return fflush(stdout) != 0;
}
