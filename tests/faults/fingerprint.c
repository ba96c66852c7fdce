// SPDX-License-Identifier: Apache-2.0
/*
 * fingerprint NAMESPACES: all that confines this process, one fact a line, in one write at the end:
 * whoever reads it has all of it or nothing. NAMESPACES are the host's, "user=4026531837,...".
 * Equal fingerprints mean equal confinement: nothing in it changes from launch to launch.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { STATUS = 42 };

static FILE *out;
extern char **environ;

static void file_lines(const char *path, const char *const *keep)
{
	char line[4096];
	FILE *f = fopen(path, "re");

	if (!f)
		fprintf(out, "%s: errno %d\n", path, errno);
	while (f && fgets(line, sizeof(line), f)) {
		size_t i = 0;

		for (; keep && keep[i] && strncmp(line, keep[i], strlen(keep[i])) != 0; i++)
			;
		if (!keep || keep[i])
			fprintf(out, "%s: %s", path, line);
	}
	if (f)
		fclose(f);
}

static void status(void)
{
	static const char *const keep[] = { "Uid:",	  "Gid:",    "Groups:",	   "NSpid:",
					    "NSsid:",	  "NSpgid:", "Umask:",	   "Threads:",
					    "SigBlk:",	  "SigIgn:", "SigCgt:",	   "Cap",
					    "NoNewPrivs", "Seccomp", "TracerPid:", NULL };
	int sig = -1;

	file_lines("/proc/self/status", keep);
	file_lines("/proc/self/uid_map", NULL);
	file_lines("/proc/self/gid_map", NULL);
	file_lines("/proc/self/setgroups", NULL);
	file_lines("/proc/self/oom_score_adj", NULL);
	file_lines("/proc/sys/user/max_user_namespaces", NULL);
	prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0);
	fprintf(out, "securebits %d dumpable %d keepcaps %d pdeathsig %d personality %d\n",
		prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
		prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), sig, personality(0xffffffffU));
	fprintf(out, "nice %d\ntty %d\n", getpriority(PRIO_PROCESS, 0),
		open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
	fprintf(out, "pid %d ppid %d session %d group %d\n", getpid(), getppid(), getsid(0),
		getpgrp());
}

/* pid 1 takes its own filter while this runs already. */
static void first_process(void)
{
	static const char *const keep[] = { "Cap", "NoNewPrivs", "Seccomp", "SigIgn:", NULL };

	for (int i = 0; i < 500; i++) {
		char line[256];
		bool locked = false;
		FILE *f = fopen("/proc/1/status", "re");

		while (f && fgets(line, sizeof(line), f))
			locked |= !strcmp(line, "Seccomp:\t2\n");
		if (f)
			fclose(f);
		if (locked)
			break;
		usleep(1000);
	}
	file_lines("/proc/1/status", keep);
}

static void namespaces(const char *host)
{
	static const char *const names[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], entry[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (stat(path, &st) < 0) {
			fprintf(out, "namespace %s: errno %d\n", names[i], errno);
			continue;
		}
		snprintf(entry, sizeof(entry), "%s=%lu,", names[i], (unsigned long)st.st_ino);
		fprintf(out, "namespace %s: %s\n", names[i],
			strstr(host, entry) ? "the HOST's" : "its own");
	}
}

/* The names and flags of what is mounted, without the numbers that each launch has anew. */
static void mounts(void)
{
	char line[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f)) {
		int at = 0;
		char *rest = line;

		if (sscanf(line, "%*d %*d %*s %n", &at) >= 0 && at > 0)
			rest = line + at;
		fputs("mount ", out);
		/* An overlay tells its layers by descriptors that the launcher had, and as they
		 * were given: one by one or in one string. */
		for (char *p = rest; *p; p++) {
			p += !strncmp(p, "+=/proc/self/fd/", 16);
			fputc(*p, out);
			if (!strncmp(p, "/fd/", 4)) {
				fputs("fd/", out);
				p += 3 + strspn(p + 4, "0123456789");
			}
		}
	}
	if (f)
		fclose(f);
}

static void descriptors(void)
{
	for (int fd = 0; fd < 4096; fd++) {
		char path[64], target[4096];
		int flags;

		if ((flags = fcntl(fd, F_GETFL)) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, target, sizeof(target));

		fprintf(out, "descriptor %d: %.*s flags %o\n", fd, n > 0 ? (int)n : 0, target,
			(unsigned)flags);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, by_name);

	if (n < 0)
		fprintf(out, "list %s: errno %d\n", path, errno);
	for (int i = 0; i < n; i++) {
		char name[4400];
		struct stat st;

		snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
		if (strcmp(names[i]->d_name, "..") != 0 && lstat(name, &st) == 0)
			fprintf(out, "list %s: mode %o owner %u:%u device %lx\n", name,
				(unsigned)st.st_mode, st.st_uid, st.st_gid,
				(unsigned long)st.st_rdev);
		free(names[i]);
	}
	free(names);
}

static void tried(const char *what, int r)
{
	fprintf(out, "try %s: %s %d\n", what, r < 0 ? "errno" : "SUCCESS", r < 0 ? errno : 0);
}

/* Each wall by a blow against it: Landlock (no mount or mode stands in the way of the first two),
 * the filter with its notifier, the table of namespaces, what hides pid 1, /proc/sys. */
static void blows(void)
{
	struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0cordon-faults" };

	tried("mkdir /dev/x", mkdir("/dev/x", 0700));
	tried("open /dev/x", open("/dev/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tried("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
	tried("unshare user", unshare(CLONE_NEWUSER));
	tried("open /proc/1/environ", open("/proc/1/environ", O_RDONLY | O_CLOEXEC));
	tried("open /proc/1/root", open("/proc/1/root", O_RDONLY | O_CLOEXEC));
	tried("write /proc/sys", open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC));
	tried("write /usr", open("/usr/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tried("write /tmp", open("/tmp/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tried("connect", connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
				 (struct sockaddr *)&abstract, sizeof(abstract)));
}

static void limits(void)
{
	struct rlimit r;

	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &r) == 0)
			fprintf(out, "limit %d: %llu %llu\n", i, (unsigned long long)r.rlim_cur,
				(unsigned long long)r.rlim_max);
}

static void host(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	char cwd[4096] = "";
	struct utsname u;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	uname(&u);
	fprintf(out, "host %s %s\n", u.nodename, u.domainname);
	fprintf(out, "cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	if (s >= 0 && ioctl(s, SIOCGIFFLAGS, &lo) == 0)
		fprintf(out, "loopback %x\n", (unsigned)(unsigned short)lo.ifr_flags);
	for (char **e = environ; *e; e++)
		fprintf(out, "environment %s\n", *e);
}

/* What was typed, up to its new line: all of it has to come. */
static void keys(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[64];
	size_t n = 0;

	while (n < sizeof(line) && poll(&p, 1, 3000) == 1 && read(STDIN_FILENO, line + n, 1) == 1 &&
	       line[n] != '\n')
		n++;
	fprintf(out, "keys %.*s\n", (int)n, line);
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t len = 0;

	out = open_memstream(&text, &len);
	if (!out || argc != 2)
		return 1;
	if (isatty(STDIN_FILENO))
		keys();
	descriptors();
	status();
	first_process();
	namespaces(argv[1]);
	mounts();
	limits();
	host();
	list("/");
	list("/dev");
	list("/dev/pts");
	list("/dev/shm");
	list("/run");
	list("/tmp");
	list(getenv("HOME") ? getenv("HOME") : "/nowhere");
	file_lines("/proc/1/cmdline", NULL);
	fputc('\n', out);
	blows();
	fprintf(out, "\nend\n");
	if (fclose(out) != 0)
		return 1;
	/* A terminal may take it in parts. */
	for (size_t done = 0; done < len;) {
		ssize_t n = write(STDOUT_FILENO, text + done, len - done);

		if (n <= 0)
			return 1;
		done += (size_t)n;
	}
	return STATUS;
}
