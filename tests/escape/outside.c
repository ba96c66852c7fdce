// SPDX-License-Identifier: Apache-2.0
/*
 * outside [--rude] [--leak] DIR COMMAND ARG...: be the host that a payload wants to get at, and run
 * the command. There is a server on 127.0.0.1 and ::1, one on an abstract name and one on a path
 * below DIR; a process whose arguments, environment and memory hold a marker; a key in the session.
 * --leak leaves descriptors 27, 28 and 333 open, --rude has the worst habits of a caller. In the
 * command's arguments "@facts" becomes what a probe is to be told, as --fact NAME=VALUE.
 *
 * $SECRET and $MARKER are told backwards, so that they stand in no argument but that process's.
 * outside --trace PID: try to trace it, and say what came of it.
 *
 * Exit status: the command's, as a shell tells it; 99 when the host could not be made.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FACTS = 32, FAILED = 99, LEAST_PID = 400 };

static char in_memory[64] = "marker";
static char facts[MAX_FACTS][320];
static size_t n_facts;

static void die(const char *what)
{
	fprintf(stderr, "outside: cannot %s: %s\n", what, strerror(errno));
	exit(FAILED);
}

static void tell(const char *name, const char *value)
{
	if (n_facts == MAX_FACTS)
		die("tell more");
	snprintf(facts[n_facts++], sizeof(facts[0]), "%s=%s", name, value);
}

static void tell_number(const char *name, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	tell(name, text);
}

static void tell_backwards(const char *name, const char *value)
{
	char text[128];
	size_t n = strlen(value);

	if (n >= sizeof(text))
		die("tell so long a secret");
	for (size_t i = 0; i < n; i++)
		text[i] = value[n - 1 - i];
	text[n] = '\0';
	tell(name, text);
}

/* --- servers */

static int serve(int family, const void *addr, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, addr, len) < 0 || listen(fd, 16) < 0)
		return -1;
	return fd;
}

static void start_servers(const char *dir)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(in4);
	char text[96];
	int fd = serve(AF_INET, &in4, sizeof(in4));

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&in4, &len) < 0)
		die("serve on 127.0.0.1");
	tell_number("tcp", ntohs(in4.sin_port));
	len = sizeof(in6);
	fd = serve(AF_INET6, &in6, sizeof(in6));
	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&in6, &len) == 0)
		tell_number("tcp6", ntohs(in6.sin6_port));
	snprintf(text, sizeof(text), "cordon-escape-%d", getpid());
	snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s", text);
	if (serve(AF_UNIX, &un,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text))) < 0)
		die("serve on an abstract name");
	tell("abstract", text);
	memset(un.sun_path, 0, sizeof(un.sun_path));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", dir);
	unlink(un.sun_path);
	if (serve(AF_UNIX, &un, sizeof(un)) < 0)
		die("serve on a path");
	tell("socket", un.sun_path);
}

/* In a young pid namespace the number of a process is one that a sandbox has too, and would say
 * nothing: they are used up. */
static void use_up_pids(void)
{
	for (pid_t pid = 1; pid > 0 && pid < LEAST_PID;) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

/* Holds the servers open and waits; what it is called and has in its environment is to be found. */
static pid_t start_marked(const char *dir)
{
	char variable[96], address[32];
	const char *marker = getenv("MARKER");
	int ends[2];
	pid_t pid;
	char c;

	start_servers(dir);
	use_up_pids();
	if (!marker || pipe(ends) < 0)
		die("have a marker");
	snprintf(variable, sizeof(variable), "MARKER=%s", marker);
	snprintf(address, sizeof(address), "%d", ends[1]);
	pid = fork();
	if (pid == 0) {
		char *const argv[] = { "outside", "--wait", address, (char *)(unsigned long)marker,
				       NULL },
			    *const envp[] = { variable, NULL };

		/* the servers' descriptors are close-on-exec: kept by who makes them, and so until
		 * the end of this program */
		execve("/proc/self/exe", argv, envp);
		_exit(1);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &c, 1) != 1)
		die("start a process to be found");
	close(ends[0]);
	tell_number("pid", (unsigned long)pid);
	tell_number("address", (unsigned long)in_memory);
	return pid;
}

static int wait_to_be_found(const char *fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(atoi(fd), "x", 1) != 1)
		return 1;
	close(atoi(fd));
	for (;;)
		pause();
}

/* --- facts of the host */

static void tell_namespaces(void)
{
	static const char *const names[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], name[32];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		snprintf(name, sizeof(name), "ns.%s", names[i]);
		if (stat(path, &st) == 0)
			tell_number(name, st.st_ino);
	}
}

static void first_line(const char *name, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");

	if (f && fgets(line, sizeof(line), f) && line[0] != '\n') {
		line[strcspn(line, "\n")] = '\0';
		tell(name, line);
	}
	if (f)
		fclose(f);
}

static void tell_interface(void)
{
	char line[512], name[32];
	FILE *f = fopen("/proc/net/dev", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		if (sscanf(line, " %15s", name) == 1 && strcmp(name, "lo") != 0) {
			strcat(name, ":");
			tell("interface", name);
			break;
		}
	}
	if (f)
		fclose(f);
}

/* The device of the mount that DIR lies on, when it is one. */
static void tell_disk(const char *dir)
{
	char line[4096], best[256] = "";
	FILE *f = fopen("/proc/self/mountinfo", "re");
	size_t deepest = 0;

	while (f && fgets(line, sizeof(line), f)) {
		char point[1024], type[64], source[256], *dash = strstr(line, " - ");
		size_t len;

		if (!dash || sscanf(line, "%*s %*s %*s %*s %1023s", point) != 1 ||
		    sscanf(dash, " - %63s %255s", type, source) != 2)
			continue;
		len = strlen(point);
		if (strncmp(dir, point, len) == 0 && len >= deepest) {
			deepest = len;
			snprintf(best, sizeof(best), "%s", source);
		}
	}
	if (f)
		fclose(f);
	if (strncmp(best, "/dev/", 5) == 0)
		tell("disk", best);
}

static void tell_host(const char *dir)
{
	struct utsname u;
	struct stat st;

	tell_namespaces();
	if (uname(&u) == 0)
		tell("hostname", u.nodename);
	first_line("machine-id", "/etc/machine-id");
	tell_interface();
	tell_disk(dir);
	if (stat("/dev/pts/ptmx", &st) == 0)
		tell_number("devpts", st.st_dev);
	if (getenv("SECRET"))
		tell_backwards("secret", getenv("SECRET"));
	tell_backwards("marker", getenv("MARKER"));
}

static void make_key(void)
{
	const char *secret = getenv("SECRET");
	long key;

	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "cordon-escape") < 0)
		return; /* a kernel or a container without keys: the probe says so */
	key = syscall(SYS_add_key, "user", "cordon-escape", secret ? secret : "x",
		      secret ? strlen(secret) : 1, KEY_SPEC_SESSION_KEYRING);
	if (key >= 0)
		tell_number("key", (unsigned long)key);
}

/* --- the command */

static void leak(void)
{
	int file = open("/etc/passwd", O_RDONLY), dir = open("/", O_RDONLY | O_DIRECTORY);

	if (dup2(file, 27) < 0 || dup2(dir, 28) < 0 || dup2(dir, 333) < 0)
		die("leak descriptors");
	close(file);
	close(dir);
}

static void be_rude(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGCHLD };
	const struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
	sigset_t all;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigfillset(&all);
	/* its own clock is how a probe ends what hangs */
	sigdelset(&all, SIGALRM);
	sigprocmask(SIG_BLOCK, &all, NULL);
	personality(ADDR_NO_RANDOMIZE);
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &core);
	umask(0777);
}

static int trace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
		puts("seized"); /* our end lets go */
		return 0;
	}
	puts(strerrorname_np(errno));
	return 1;
}

static char **with_facts(char **argv, int argc)
{
	char **out = calloc((size_t)argc + 2 * MAX_FACTS + 1, sizeof(*out));
	size_t n = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "@facts") != 0) {
			out[n++] = argv[i];
			continue;
		}
		for (size_t k = 0; k < n_facts; k++) {
			out[n++] = "--fact";
			out[n++] = facts[k];
		}
	}
	return out;
}

int main(int argc, char **argv)
{
	bool rude = false, leaks = false;
	pid_t marked, pid;
	int i = 1, status;

	if (argc == 4 && strcmp(argv[1], "--wait") == 0)
		return wait_to_be_found(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--trace") == 0)
		return trace(atoi(argv[2]));
	for (; i < argc && argv[i][0] == '-'; i++) {
		rude |= strcmp(argv[i], "--rude") == 0;
		leaks |= strcmp(argv[i], "--leak") == 0;
	}
	if (argc - i < 2) {
		fprintf(stderr, "usage: outside [--rude] [--leak] DIR COMMAND ARG...\n");
		return FAILED;
	}
	marked = start_marked(argv[i]);
	tell_host(argv[i]);
	make_key();
	pid = fork();
	if (pid == 0) {
		setsid();
		tell_number("session", (unsigned long)getpid());
		if (leaks)
			leak();
		if (rude)
			be_rude();
		execvp(argv[i + 1], with_facts(argv + i + 1, argc - i - 1));
		die("run the command");
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	kill(marked, SIGKILL);
	waitpid(marked, NULL, 0);
	if (pid < 0)
		die("make a process");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
