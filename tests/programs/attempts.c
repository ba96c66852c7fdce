// SPDX-License-Identifier: Apache-2.0
/*
 * attempts: makes each call of attempts_table.h, each in a process of its own, and prints
 * "TEXT<TAB>allowed", "TEXT<TAB>denied ERRNO" or "TEXT<TAB>killed".
 *
 *	attempts prepare ARENA            the files that are attempted on
 *	attempts serve ARENA TCP TCP      prints its pid, listens, and is the process outside
 *	attempts list ARENA PID TCP TCP FREE
 *	attempts try ARENA PID TCP TCP FREE [view] [seccomp FILE] [landlock FILE] [capabilities
 *MASK]
 *
 * What confines is taken on after the sockets and namespaces that an attempt needs are there, and
 * just before the one call: seccomp a program as bytes, landlock lines "handled FS NET SCOPED",
 * "path RIGHTS PLACE", "port RIGHTS FIRST LAST", capabilities the mask that is kept.
 *
 * The registers are those that attempt_parse() reads from the text; nothing here knows what any
 * mechanism should answer. Not for root: some of these would work.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policies/attempt_text.h"
#include "tests/programs/attempts_table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TEXT = 1024, PENDING = 1 << 20, FAILED_SETUP = (1 << 20) + 1 };

static const char *arena, *outside, *tcp1, *tcp2, *free_port;
static bool in_view;
static volatile int *result; /* shared: 0, an errno, or PENDING */

static struct sock_fprog program;
static int ruleset = -1;
static bool drop_caps;
static uint64_t kept_caps;

static void fail(const char *what)
{
	fprintf(stderr, "attempts: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- the arena --- */

static void make_file(const char *dir, const char *name, mode_t mode)
{
	char path[TEXT * 2];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) < 0)
		fail(path);
}

static void copy_true(const char *dir, const char *name)
{
	char path[TEXT * 2], block[65536];
	int in, out;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	in = open(getenv("ATTEMPTS_TRUE") ? getenv("ATTEMPTS_TRUE") : "/bin/true", O_RDONLY);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	while ((n = read(in, block, sizeof(block))) > 0) {
		if (write(out, block, (size_t)n) != n)
			fail(path);
	}
	if (in < 0 || out < 0 || n < 0 || close(out) < 0)
		fail(path);
	close(in);
}

static void make_dir(const char *dir, const char *name)
{
	char path[TEXT * 2];

	snprintf(path, sizeof(path), "%s%s%s", dir, name ? "/" : "", name ? name : "");
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail(path);
}

static int prepare(void)
{
	static const char *const files[] = { "f",  "w",	 "t1", "t2", "t3",
					     "u1", "r1", "r2", "r3", "r4" };
	static const char *const dirs[] = { "d1", "d2", "d3", "d4" };

	make_dir(arena, NULL);
	for (size_t i = 0; i < COUNT(areas); i++) {
		char dir[TEXT], link[TEXT * 2];

		snprintf(dir, sizeof(dir), "%s/%s", arena, areas[i]);
		make_dir(dir, NULL);
		for (size_t j = 0; j < COUNT(files); j++)
			make_file(dir, files[j], 0600);
		for (size_t j = 0; j < COUNT(dirs); j++)
			make_dir(dir, dirs[j]);
		copy_true(dir, "run1");
		snprintf(link, sizeof(link), "%s/s", dir);
		if (symlink("f", link) < 0 && errno != EEXIST)
			fail(link);
	}
	return 0;
}

static void listen_unix(const char *name, size_t len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (len > sizeof(a.sun_path))
		errno = ENAMETOOLONG, fail(name);
	memcpy(a.sun_path, name, len);
	if (name[0])
		(void)unlink(name);
	if (s < 0 ||
	    bind(s, (struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0 ||
	    listen(s, 128) < 0)
		fail("listen on a unix socket");
}

static void listen_tcp(int family, const char *port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)atoi(port)),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = six.sin6_port,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(family, SOCK_STREAM, 0), on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (s < 0 ||
	    bind(s, family == AF_INET6 ? (void *)&six : (void *)&four,
		 family == AF_INET6 ? sizeof(six) : sizeof(four)) < 0 ||
	    listen(s, 128) < 0)
		fail("listen on a TCP port");
}

static void serve(void)
{
	char name[TEXT];
	int n;

	for (size_t i = 0; i < COUNT(areas); i++) {
		char dir[TEXT];

		snprintf(dir, sizeof(dir), "%s/%s", arena, areas[i]);
		/* sun_path is short, arenas need not be */
		if (chdir(dir) < 0)
			fail(dir);
		listen_unix("sock", 5);
	}
	n = snprintf(name, sizeof(name), "%ccordon-attempts-%d", 0, (int)getpid());
	listen_unix(name, (size_t)n);
	listen_tcp(AF_INET, tcp1);
	listen_tcp(AF_INET, tcp2);
	listen_tcp(AF_INET6, tcp1);
	listen_tcp(AF_INET6, tcp2);
	printf("%d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
}

/* --- texts --- */

static void expand(const char *text, const char *area, char *ret)
{
	size_t n = 0;

	for (const char *p = text; *p && n < TEXT - 1; p++) {
		const char *value = NULL;

		if (p[0] == '$')
			value = p[1] == 'A'   ? arena
				: p[1] == 'D' ? area
				: p[1] == 'P' ? outside
				: p[1] == 'T' ? tcp1
				: p[1] == 'U' ? tcp2
				: p[1] == 'B' ? free_port
					      : NULL;
		if (!value) {
			ret[n++] = *p;
			continue;
		}
		n += (size_t)snprintf(ret + n, TEXT - n, "%s", value);
		p++;
	}
	ret[n < TEXT ? n : TEXT - 1] = '\0';
}

/* --- what confines --- */

static void read_program(const char *path)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, insns, sizeof(insns));

	if (n <= 0 || (size_t)n % sizeof(insns[0]) != 0)
		fail(path);
	close(fd);
	program = (struct sock_fprog){ .len = (unsigned short)((size_t)n / sizeof(insns[0])),
				       .filter = insns };
}

static void add_path(uint64_t rights, const char *place)
{
	struct {
		uint64_t allowed;
		int32_t fd;
	} __attribute__((packed)) rule = { rights, open(place, O_PATH | O_CLOEXEC) };
	struct stat st;

	if (rule.fd < 0)
		return; /* optional, or the launch would have made it */
	if (fstat(rule.fd, &st) < 0)
		fail(place);
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= 0x1c007; /* linux/landlock.h: "a file can only receive these" */
	if (rule.allowed && syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) < 0)
		fail(place);
	close(rule.fd);
}

static void read_ruleset(const char *path)
{
	unsigned long long a, b, c;
	char line[TEXT * 5];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "handled %llx %llx %llx", &a, &b, &c) == 3) {
			const uint64_t attr[3] = { a, b, c };

			ruleset = (int)syscall(SYS_landlock_create_ruleset, attr,
					       c   ? 24
					       : b ? 16
						   : 8,
					       0);
			if (ruleset < 0)
				fail("make the ruleset");
		} else if (sscanf(line, "path %llx %n", &a, &at) == 1 && at > 0) {
			add_path(a, line + at);
		} else if (sscanf(line, "port %llx %llu %llu", &a, &b, &c) == 3) {
			for (uint64_t port = b; port <= c; port++) {
				const uint64_t rule[2] = { a, port };

				if (syscall(SYS_landlock_add_rule, ruleset, 2, rule, 0) < 0)
					fail("add a port");
			}
		} else {
			errno = EINVAL, fail(line);
		}
	}
	if (!f || ruleset < 0)
		fail(path);
	fclose(f);
}

static bool confine(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (!drop_caps && ruleset < 0 && program.len == 0)
		return true;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	if (drop_caps) {
		if (syscall(SYS_capget, &head, data) < 0)
			return false;
		for (unsigned i = 0; i < 64; i++) {
			if (kept_caps & 1ULL << i)
				continue;
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
			data[i / 32].effective &= ~(1U << i % 32);
			data[i / 32].permitted &= ~(1U << i % 32);
			data[i / 32].inheritable &= ~(1U << i % 32);
		}
		if (syscall(SYS_capset, &head, data) < 0)
			return false;
	}
	if (ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return false;
	return program.len == 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* --- one attempt --- */

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return good;
}

static bool enter_userns(void)
{
	const unsigned uid = getuid(), gid = getgid();
	char map[64], place[TEXT];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) < 0)
		return false;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (!write_text("/proc/self/gid_map", map))
		return false;
	/* something to move and to take off, where the arena is to be seen */
	snprintf(place, sizeof(place), "%s/rw/d4", arena);
	(void)mount("none", place, "tmpfs", 0, NULL);
	return true;
}

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un un;
	};
	socklen_t len;
};

/* To the address of the text, by way of the directory for a long path. 0 or an errno. */
static bool make_address(const struct attempt_address *from, struct address *to)
{
	size_t len = from->path ? strlen(from->path) : 0;

	memset(to, 0, sizeof(*to));
	if (from->family == AF_INET) {
		to->four.sin_family = AF_INET;
		to->four.sin_port = htons(from->port);
		memcpy(&to->four.sin_addr, &from->host, 4);
		to->len = sizeof(to->four);
	} else if (from->family == AF_INET6) {
		to->six.sin6_family = AF_INET6;
		to->six.sin6_port = htons(from->port);
		to->six.sin6_addr = from->host;
		to->len = sizeof(to->six);
	} else {
		to->un.sun_family = AF_UNIX;
		if (len >= sizeof(to->un.sun_path))
			return false;
		memcpy(to->un.sun_path, from->path, len + 1);
		to->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
		if (from->path[0] == '@') {
			to->un.sun_path[0] = '\0';
			to->len--;
		}
	}
	return true;
}

/* Blocking, as a refusal comes later than the call else; but an address that never answers must
 * not keep us. */
static int make_socket(const struct attempt_address *where)
{
	const bool udp = where->protocol == POLICY_PORT_UDP && where->family != AF_UNIX;
	const struct timeval soon = { .tv_usec = 200000 };
	int s = socket(where->family, udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (s >= 0)
		(void)setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	return s;
}

/* The register values; texts become pointers, what is not written a page of zeroes. */
static bool fill(const struct attempt *a, struct address *address, uint64_t regs[6])
{
	static char page[65536] __attribute__((aligned(4096)));
	static struct iovec iov = { .iov_base = page + 32768, .iov_len = 8 };

	for (unsigned i = 0; i < 6; i++) {
		const struct syscall_arg *arg = &a->call->args[i];
		struct attempt_address where;

		regs[i] = a->args[i];
		if (a->text[i] && arg->kind == KIND_SOCKADDR) {
			if (attempt_text_address(a->text[i], &where) < 0 ||
			    !make_address(&where, address))
				return false;
			regs[i] = (uintptr_t)&address->any;
			if (i + 1 < 6 && i + 1 >= a->n_args)
				regs[i + 1] = address->len;
			regs[0] = (uint64_t)make_socket(&where);
			if ((int)regs[0] < 0)
				return false;
			i++;
		} else if (a->text[i]) {
			regs[i] = (uintptr_t)a->text[i];
		} else if (i >= a->n_args && i < a->call->n_args && arg->width == WIDTH_PTR) {
			regs[i] = (uintptr_t)page;
		} else if (i >= a->n_args && i < a->call->n_args && arg->kind == KIND_SIZE) {
			regs[i] = 256;
		}
	}
	if (strncmp(a->call->name, "process_vm_", 11) == 0) {
		regs[1] = regs[3] = (uintptr_t)&iov;
		regs[2] = regs[4] = 1;
		regs[5] = 0;
	}
	/* a stack or a place for ids would be used */
	if (strcmp(a->call->name, "clone") == 0)
		regs[1] = regs[2] = regs[3] = regs[4] = 0;
	if (strcmp(a->call->name, "execve") == 0)
		regs[1] = regs[2] = 0;
	return true;
}

static inline long call(long nr, const uint64_t r[6])
{
#if defined(__x86_64__)
	register uint64_t r10 __asm__("r10") = r[3];
	register uint64_t r8 __asm__("r8") = r[4];
	register uint64_t r9 __asm__("r9") = r[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(r[0]), "S"(r[1]), "d"(r[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#else
	long ret = syscall(nr, r[0], r[1], r[2], r[3], r[4], r[5]);

	return ret < 0 ? -errno : ret;
#endif
}

/* In a process of its own. Never returns. */
static void attempt_it(const struct attempt *a, unsigned flags)
{
	struct address address;
	uint64_t regs[6];
	const long nr = a->call->nr[ABI_NATIVE];
	const pid_t self = getpid();
	long r;

	if ((flags & USERNS && !enter_userns()) || !fill(a, &address, regs) || !confine()) {
		*result = FAILED_SETUP;
		_exit(0);
	}
	*result = PENDING;
	alarm(5); /* of no mechanism's: a call that waits is a mistake in the table */
	r = call(nr, regs);
	/* a clone's child has a number of its own */
	if (r == 0 && (strcmp(a->call->name, "clone") == 0) && getpid() != self)
		_exit(0);
	*result = r < 0 && r >= -4095 && r != -EINPROGRESS ? (int)-r : 0;
	_exit(0);
}

static void tell(const char *text, unsigned flags, int status)
{
	printf("%s%s\t", text, flags & USERNS ? " #userns" : "");
	if (*result == FAILED_SETUP)
		printf("unprepared");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		printf("killed");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("waiting");
	else if (*result == PENDING) /* it became another program, or died of it */
		printf("allowed");
	else if (*result == 0)
		printf("allowed");
	else
		printf("denied %d", *result);
	putchar('\n');
}

static void try(const char *text, unsigned flags)
{
	struct err err = ERR_INIT;
	struct attempt a;
	int status = 0;
	pid_t pid;

	if (in_view && flags & NOT_IN_VIEW)
		return;
	if (attempt_parse(text, ABI_NATIVE, "/", &a, &err) < 0) {
		/* an architecture need not have every call */
		if (!strstr(err.msg, "has no call"))
			fprintf(stderr, "attempts: %s\n", err.msg), exit(2);
		return;
	}
	fflush(stdout);
	*result = FAILED_SETUP;
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		attempt_it(&a, flags);
	if (waitpid(pid, &status, 0) < 0)
		fail("wait");
	tell(text, flags, status);
	attempt_done(&a);
}

static void each(void (*f)(const char *text, unsigned flags))
{
	char area[TEXT], text[TEXT];

	for (size_t i = 0; i < COUNT(areas); i++) {
		snprintf(area, sizeof(area), "%s/%s", arena, areas[i]);
		for (size_t j = 0; j < COUNT(file_rows); j++) {
			expand(file_rows[j].text, area, text);
			f(text, file_rows[j].flags);
		}
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		expand(rows[i].text, arena, text);
		f(text, rows[i].flags);
	}
}

static void print(const char *text, unsigned flags)
{
	printf("%s%s\n", text, flags & USERNS ? " #userns" : "");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return fprintf(stderr, "usage: see the head of attempts.c\n"), 2;
	if (geteuid() == 0)
		return fprintf(stderr, "attempts: not as root\n"), 2;
	arena = argv[2];
	if (strcmp(argv[1], "prepare") == 0)
		return prepare();
	if (strcmp(argv[1], "serve") == 0 && argc == 5) {
		tcp1 = argv[3];
		tcp2 = argv[4];
		serve();
	}
	if (argc < 7)
		return fprintf(stderr, "usage: see the head of attempts.c\n"), 2;
	outside = argv[3];
	tcp1 = argv[4];
	tcp2 = argv[5];
	free_port = argv[6];
	if (strcmp(argv[1], "list") == 0) {
		each(print);
		return 0;
	}
	for (int i = 7; i < argc; i++) {
		if (strcmp(argv[i], "view") == 0)
			in_view = true;
		else if (i + 1 < argc && strcmp(argv[i], "seccomp") == 0)
			read_program(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "landlock") == 0)
			read_ruleset(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "capabilities") == 0)
			drop_caps = true, kept_caps = strtoull(argv[++i], NULL, 0);
		else
			return fprintf(stderr, "attempts: what is '%s'?\n", argv[i]), 2;
	}
	result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		fail("map a page");
	each(try);
	return 0;
}
