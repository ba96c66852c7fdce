// SPDX-License-Identifier: Apache-2.0
/*
 * The first process of a guest of tools/vm-run: static, alone in the initrd beside the modules and
 * the job. Makes the host's files, which come read-only by 9p, the root, mounts what a Debian
 * system has mounted, runs the job in a delegated cgroup and tells its status on a serial port of
 * its own. Whatever fails before the job is told on the console, and no status is told: 125
 * outside.
 *
 * /job: strings that end in NUL: uid or "root"; working directory; directories that stay visible
 * below a writable place ...; an empty one; NAME=VALUE ...; an empty one; the command ...
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { MAX_JOB = 1 << 20, MAX_ARGS = 4096, MAX_SHOWN = 8 };

static void power_off(void)
{
	(void)reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list ap;
	int saved = errno;

	fprintf(stderr, "init: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(saved));
	(void)tcdrain(2);
	power_off();
	abort();
}

static void must(int r, const char *what)
{
	if (r < 0)
		die("%s", what);
}

/* --- files */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%s", path);
	close(fd);
}

/* What this kernel may not have. */
static void put_if_there(const char *path, const char *text)
{
	if (access(path, F_OK) == 0)
		put(path, text);
}

static void mount_at(const char *type, const char *place, unsigned long flags, const char *options)
{
	if (mount(type, place, type, flags, options) < 0)
		die("mount %s on %s", type, place);
}

static void make_dir(const char *path, mode_t mode, uid_t uid)
{
	if ((mkdir(path, mode) < 0 && errno != EEXIST) || chmod(path, mode) < 0 ||
	    chown(path, uid, uid) < 0)
		die("%s", path);
}

/* --- before the root */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_numbered(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load_modules(void)
{
	struct dirent **list;
	int i, n = scandir("/modules", &list, is_numbered, by_name);

	must(n, "/modules");
	for (i = 0; i < n; i++) {
		char path[300];
		int fd;

		(void)snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			die("%s", path);
		close(fd);
		/* The initrd's pages are the guest's memory. */
		(void)unlink(path);
	}
}

static size_t read_job(char *job)
{
	int fd = open("/job", O_RDONLY | O_CLOEXEC);
	ssize_t n, length = 0;

	must(fd, "/job");
	while ((n = read(fd, job + length, (size_t)(MAX_JOB - 1 - length))) > 0)
		length += n;
	must((int)n, "/job");
	close(fd);
	return (size_t)length;
}

static void enter_host_root(void)
{
	int tries;

	must(mkdir("/host", 0755), "/host");
	/* The device is probed behind the module's loading. */
	for (tries = 0; mount("hostroot", "/host", "9p", MS_RDONLY,
			      "trans=virtio,version=9p2000.L,msize=512000,cache=loose") < 0;
	     tries++) {
		if (tries == 100)
			die("the host's files");
		(void)usleep(20000);
	}
	must(chdir("/host"), "/host");
	must(mount(".", "/", NULL, MS_MOVE, NULL), "move the host's files to the root");
	must(chroot("."), "chroot");
	must(chdir("/"), "/");
}

/* --- after it */

static void make_dev(void)
{
	mount_at("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	make_dir("/dev/pts", 0755, 0);
	make_dir("/dev/shm", 01777, 0);
	mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	/* What udev does where there is one. */
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("/proc/self/fd/0", "/dev/stdin");
	(void)symlink("/proc/self/fd/1", "/dev/stdout");
	(void)symlink("/proc/self/fd/2", "/dev/stderr");
	(void)chmod("/dev/fuse", 0666);
	(void)chmod("/dev/net/tun", 0666);
}

static int keep_open(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	must(fd, path);
	return fd;
}

/* What was opened before a tmpfs came over it, at its place again. */
static void show_again(const char *shown, int fd)
{
	char path[4096], from[40];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", shown);
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	(void)mkdir(path, 0755);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	must(mount(from, path, NULL, MS_BIND, NULL), path);
	close(fd);
}

static void make_mounts(char *const *shown)
{
	int fds[MAX_SHOWN], i;

	for (i = 0; *shown[i]; i++) {
		errno = E2BIG;
		must(i < MAX_SHOWN ? 0 : -1, shown[i]);
		fds[i] = keep_open(shown[i]);
	}
	mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	make_dev();
	mount_at("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("tmpfs", "/var/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	must(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		   "nsdelegate,memory_recursiveprot"),
	     "/sys/fs/cgroup");
	mount_at("securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (access("/sys/fs/selinux", F_OK) == 0)
		mount_at("selinuxfs", "/sys/fs/selinux", MS_NOSUID | MS_NOEXEC, NULL);
	while (i-- > 0)
		show_again(shown[i], fds[i]);
}

/* What Debian's service manager sets, and a log that loses no denial. */
static void set_kernel(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd, "socket");
	must(ioctl(fd, SIOCSIFFLAGS, &lo), "lo");
	close(fd);
	must(sethostname("guest", 5), "hostname");
	put("/proc/sys/kernel/printk_ratelimit", "0");
	put_if_there("/proc/sys/kernel/unprivileged_userns_clone", "1");
	put("/proc/sys/user/max_user_namespaces", "16384");
	put("/proc/sys/fs/protected_hardlinks", "1");
	put("/proc/sys/fs/protected_symlinks", "1");
	put("/proc/sys/fs/protected_fifos", "1");
	put("/proc/sys/fs/protected_regular", "2");
	put("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

/* Compiled BPF programs share a block of 2 MiB, which is cleared when the first comes and given
 * back when the last goes (kernel/bpf/core.c, bpf_prog_pack). A system has one loaded always; here
 * each launch would pay for the block. */
static void hold_a_program(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { 1, &allow };
	const pid_t pid = fork();

	must(pid, "fork");
	if (pid > 0)
		return;
	must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
	for (;;)
		pause();
}

/* user/ is the uid's own, as systemd's user@.service is; the job sits one below, so that the
 * controllers of user/ may be given on. */
static void delegate(uid_t uid)
{
	static const char *const dirs[] = { "/sys/fs/cgroup/user", "/sys/fs/cgroup/user/job" };
	static const char *const files[] = { "cgroup.procs", "cgroup.threads",
					     "cgroup.subtree_control" };
	char controllers[256] = "", enable[512] = "", *name, *save = NULL;
	unsigned i, j;
	FILE *f = fopen("/sys/fs/cgroup/cgroup.controllers", "re");

	if (!f || !fgets(controllers, sizeof(controllers), f))
		die("cgroup.controllers");
	fclose(f);
	for (name = strtok_r(controllers, " \n", &save); name; name = strtok_r(NULL, " \n", &save))
		(void)snprintf(enable + strlen(enable), sizeof(enable) - strlen(enable), "+%s ",
			       name);
	put("/sys/fs/cgroup/cgroup.subtree_control", enable);
	for (i = 0; i < 2; i++) {
		make_dir(dirs[i], 0755, uid);
		for (j = 0; j < 3; j++) {
			char path[100];

			(void)snprintf(path, sizeof(path), "%s/%s", dirs[i], files[j]);
			must(chown(path, uid, uid), path);
		}
	}
	(void)setxattr(dirs[0], "user.delegate", "1", 1, 0);
}

/* --- the job */

static void set_environment(uid_t uid, char *const *more)
{
	char home[40], runtime[40];

	(void)snprintf(home, sizeof(home), "/tmp/home-%u", uid);
	(void)snprintf(runtime, sizeof(runtime), "/run/user/%u", uid);
	make_dir(home, 0700, uid);
	make_dir("/run/user", 0755, 0);
	make_dir(runtime, 0700, uid);
	make_dir("/run/lock", 01777, 0);
	must(clearenv(), "environment");
	must(setenv("HOME", home, 1), "HOME");
	must(setenv("XDG_RUNTIME_DIR", runtime, 1), "XDG_RUNTIME_DIR");
	must(setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1), "PATH");
	must(setenv("LANG", "C.UTF-8", 1), "LANG");
	must(setenv("TERM", "dumb", 1), "TERM");
	for (; **more; more++)
		must(putenv(*more), *more);
}

__attribute__((noreturn)) static void run_job(uid_t uid, const char *cwd, char *const *argv,
					      int out)
{
	const struct rlimit nofile = { 1024, 1048576 }, core = { 0, RLIM_INFINITY };
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	put("/sys/fs/cgroup/user/job/cgroup.procs", "0");
	must(in, "/dev/null");
	if (setsid() < 0 || dup2(in, 0) < 0 || setrlimit(RLIMIT_NOFILE, &nofile) < 0 ||
	    setrlimit(RLIMIT_CORE, &core) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		die("become %u", uid);
	umask(022);
	if (chdir(cwd) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		die("%s", cwd);
	(void)execvp(argv[0], argv);
	fprintf(stderr, "vm-run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, data, n);

		if (w < 0 && errno != EINTR && errno != EAGAIN)
			die("the output");
		if (w > 0)
			data += w, n -= (size_t)w;
	}
}

static void heard(int signal)
{
	(void)signal;
}

/* Copies what the job writes until it has ended; then what is there already, and no more: a process
 * that it left behind may hold the pipe. */
static int follow(pid_t job, int from, int to)
{
	static char data[65536];
	static const struct timespec now = { .tv_sec = 0 };
	struct pollfd p = { .fd = from, .events = POLLIN };
	int status = -1, r = 0;
	bool ended = false;
	sigset_t child, none;

	/* A child's end interrupts the wait, and nothing else: each look of a timer's costs the job
	 * half a millisecond. */
	(void)sigemptyset(&none);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	must(sigprocmask(SIG_BLOCK, &child, NULL), "sigprocmask");
	must(sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = heard }, NULL), "sigaction");
	for (;;) {
		ssize_t n;
		pid_t pid;
		int s;

		while ((pid = waitpid(-1, &s, WNOHANG)) > 0)
			if (pid == job)
				status = s, ended = true;
		r = ppoll(&p, 1, ended ? &now : NULL, &none);
		if (r > 0 && (n = read(from, data, sizeof(data))) > 0)
			write_all(to, data, (size_t)n);
		else if (ended)
			break;
		else if (r > 0)
			p.fd = -1; /* closed by a job that goes on */
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int open_raw(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0 || tcgetattr(fd, &t) < 0)
		die("%s", path);
	cfmakeraw(&t);
	must(tcsetattr(fd, TCSANOW, &t), path);
	return fd;
}

/* The list that begins at *at ends in an empty string; *at goes behind it. */
static char **take_list(char ***at)
{
	char **list = *at;

	errno = EINVAL;
	while (**at && ***at)
		(*at)++;
	if (!**at)
		die("/job");
	(*at)++;
	return list;
}

/* --- on the host, before */

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

struct moment {
	uint64_t ns, ticks;
};

/* The closest of some: nobody took the processor away in between. */
static struct moment look_at_clocks(void)
{
	struct moment best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 32; i++) {
		const uint64_t before = now_ns(), ticks = __rdtsc(), after = now_ns();

		if (after - before < least) {
			least = after - before;
			best = (struct moment){ before + least / 2, ticks };
		}
	}
	return best;
}

/* The emulated time-stamp counter is the host's, and a guest that finds its rate by an emulated
 * timer on a loaded host may be wrong by a factor for good. */
static int print_tsc_khz(void)
{
	const struct moment from = look_at_clocks();
	struct moment to;

	(void)usleep(100000);
	to = look_at_clocks();
	printf("%.0f\n", (double)(to.ticks - from.ticks) * 1e6 / (double)(to.ns - from.ns));
	return 0;
}

int main(int argc, char **argv)
{
	static char job[MAX_JOB];
	static char *fields[MAX_ARGS];
	char **at = fields + 2, **shown, **more;
	size_t n = 0, length;
	int out[2], console, serial, status;
	uid_t uid;
	pid_t pid;

	if (argc == 2 && strcmp(argv[1], "--tsc-khz") == 0)
		return print_tsc_khz();
	load_modules();
	length = read_job(job);
	for (char *s = job; s < job + length && n < MAX_ARGS - 1; s += strlen(s) + 1)
		fields[n++] = s;
	errno = E2BIG;
	must(n > 4 && n < MAX_ARGS - 1 ? 0 : -1, "/job");
	uid = strcmp(fields[0], "root") == 0 ? 0 : (uid_t)strtoul(fields[0], NULL, 10);
	shown = take_list(&at);
	more = take_list(&at);

	enter_host_root();
	make_mounts(shown);
	set_kernel();
	hold_a_program();
	delegate(uid);
	set_environment(uid, more);
	serial = open_raw("/dev/ttyS1");
	console = open_raw("/dev/hvc0");
	must(pipe2(out, O_CLOEXEC), "pipe");
	dprintf(serial, "UP\n");
	pid = fork();
	must(pid, "fork");
	if (pid == 0)
		run_job(uid, fields[1], at, out[1]);
	close(out[1]);
	status = follow(pid, out[0], console);
	must(tcdrain(console), "/dev/hvc0");
	dprintf(serial, "RC=%d\n", status);
	must(tcdrain(serial), "/dev/ttyS1");
	power_off();
}
