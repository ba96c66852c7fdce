// SPDX-License-Identifier: Apache-2.0
/*
 * attempts: makes each call of attempts_table.h and prints "TEXT<TAB>allowed", "TEXT<TAB>denied
 * ERRNO" or "TEXT<TAB>killed". Each has a process of its own, but for those that leave it as it
 *was: they are made by one, and by the next when it dies of one.
 *
 *	attempts prepare ARENA            the files that are attempted on
 *	attempts serve ARENA TCP TCP [CONTEXT AREA]
 *	                                  prints its pid, listens, and is the process outside; in
 *	                                  AREA as SELinux' CONTEXT, which is a sandbox's
 *	attempts list ARENA PID TCP TCP FREE
 *	attempts try ARENA PID TCP TCP FREE [view] [WHAT CONFINES...]
 *
 * What confines is taken on after the sockets and namespaces that an attempt needs are there, and
 * just before the one call:
 *	seccomp FILE         a program as bytes
 *	landlock FILE        lines "handled FS NET SCOPED", "path RIGHTS PLACE",
 *	                     "port RIGHTS FIRST LAST"
 *	capabilities MASK    what is kept
 *	apparmor PROFILE     one that is loaded
 *	selinux CONTEXT      whose type the caller's may become
 *
 * The registers are those that attempt_parse() reads from the text; nothing here knows what any
 * mechanism should answer. Not for root: some of these would work.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
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

/* A call of the table. */
struct item {
	char *text;
	unsigned flags;
	struct attempt attempt;
	int status; /* of the process that made it */
};
enum { ITEMS = 1024 };
static struct item items[ITEMS];
static size_t n_items;

/* With the processes that make them. */
static struct {
	volatile unsigned at;	    /* the item that is being made */
	volatile int result[ITEMS]; /* 0, an errno, or PENDING */
	volatile int made[3];	    /* System V objects, which outlive who made them: id + 1 */
} * shared;

static void fail(const char *what)
{
	fprintf(stderr, "attempts: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

#include "tests/programs/attempts_confine.h"

#include "tests/programs/attempts_arena.h"

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

/* --- one attempt --- */

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

/* What a call reads or writes that names no memory of its own. */
static char page[65536] __attribute__((aligned(4096)));

/* The register values; texts become pointers, what is not written a page of zeroes. */
static bool fill(const struct attempt *a, struct address *address, uint64_t regs[6])
{
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

static const char *const ipc_calls[] = { "shmget", "semget", "msgget" };

static void note_ipc(const char *name, long r)
{
	for (size_t i = 0; i < sizeof(ipc_calls) / sizeof(ipc_calls[0]) && r >= 0; i++) {
		if (strcmp(name, ipc_calls[i]) == 0)
			shared->made[i] = (int)r + 1;
	}
}

/* By who is confined by nothing. */
static void remove_ipc(void)
{
	if (shared->made[0] > 0 && shmctl(shared->made[0] - 1, IPC_RMID, NULL) < 0)
		fail("remove a shared memory segment");
	if (shared->made[1] > 0 && semctl(shared->made[1] - 1, 0, IPC_RMID) < 0)
		fail("remove a semaphore set");
	if (shared->made[2] > 0 && msgctl(shared->made[2] - 1, IPC_RMID, NULL) < 0)
		fail("remove a message queue");
	for (size_t i = 0; i < sizeof(ipc_calls) / sizeof(ipc_calls[0]); i++)
		shared->made[i] = 0;
}

/* As remove_ipc(); the one that is there is of nobody whom a mechanism knows. */
static void remove_queues(void)
{
	static const char *const names[] = { "/cordon-$B", "/cordon-$B-new" };
	char name[TEXT];

	for (size_t i = 0; i < COUNT(names); i++) {
		expand(names[i], "", name);
		if (mq_unlink(name) < 0 && errno != ENOENT && errno != ENOSYS)
			fail(name);
	}
}

static void make_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 16 };
	char name[TEXT];

	remove_queues();
	expand("/cordon-$B", "", name);
	if (mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr) < 0 &&
	    errno != ENOSYS)
		fail(name);
}

/* The one call of an item. */
static void make(size_t i, const uint64_t regs[6])
{
	const struct syscall_desc *desc = items[i].attempt.call;
	const pid_t self = getpid();
	long r;

	memset(page, 0, 4096); /* another may have written there */
	shared->at = (unsigned)i;
	shared->result[i] = PENDING;
	r = call(desc->nr[ABI_NATIVE], regs);
	/* a clone's child has a number of its own */
	if (r == 0 && strcmp(desc->name, "clone") == 0 && getpid() != self)
		_exit(0);
	note_ipc(desc->name, r);
	shared->result[i] = r < 0 && r >= -4095 && r != -EINPROGRESS ? (int)-r : 0;
}

/* In a process of its own. */
static void make_alone(size_t i)
{
	struct address address;
	uint64_t regs[6];

	/* without one the kernel says that there is no key before it asks who may */
	if (strcmp(items[i].attempt.call->name, "keyctl") == 0)
		(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if ((items[i].flags & USERNS && !enter_userns()) || !label_sockets(true) ||
	    !fill(&items[i].attempt, &address, regs) || !confine())
		return;
	alarm(5); /* of no mechanism's: a call that waits is a mistake in the table */
	make(i, regs);
}

/* Those from the first on that may share a process. */
static void make_shared(size_t first)
{
	static uint64_t regs[ITEMS][6];
	static struct address addresses[ITEMS];
	static bool filled[ITEMS];

	if (!label_sockets(true))
		return;
	for (size_t i = first; i < n_items; i++)
		filled[i] =
			items[i].flags & SHARED && fill(&items[i].attempt, &addresses[i], regs[i]);
	if (!confine())
		return;
	alarm(30);
	for (size_t i = first; i < n_items; i++) {
		if (!filled[i])
			continue;
		make(i, regs[i]);
		/* so that the next may bind what this one bound */
		if (addresses[i].len > 0)
			(void)close((int)regs[i][0]);
	}
}

/* What became of the process. */
static int in_child(void (*f)(size_t), size_t i)
{
	int status;
	const pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		f(i);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) < 0)
		fail("wait");
	remove_ipc();
	return status;
}

static void make_all(void)
{
	size_t i = 0;

	while (i < n_items) {
		int status;

		shared->at = ITEMS;
		status = in_child(make_shared, i);
		if (shared->at == ITEMS)
			break; /* none left, or it could not begin: they stay unprepared */
		items[shared->at].status = status;
		i = shared->at + 1;
	}
	for (i = 0; i < n_items; i++) {
		if (!(items[i].flags & SHARED))
			items[i].status = in_child(make_alone, i);
	}
}

static void tell(size_t i)
{
	const struct item *item = &items[i];
	const int result = shared->result[i],
		  sig = WIFSIGNALED(item->status) ? WTERMSIG(item->status) : 0;

	printf("%s%s\t", item->text, item->flags & USERNS ? " #userns" : "");
	if (result == FAILED_SETUP)
		printf("unprepared\n");
	else if (result == PENDING && sig == SIGSYS)
		printf("killed\n");
	else if (result == PENDING && sig == SIGALRM)
		printf("waiting\n");
	else if (result == PENDING ||
		 result == 0) /* pending: it became another program, or died of it */
		printf("allowed\n");
	else
		printf("denied %d\n", result);
}

static void add(const char *text, unsigned flags)
{
	struct item *item = &items[n_items];
	struct err err = ERR_INIT;

	if (in_view && flags & NOT_IN_VIEW)
		return;
	if (n_items == ITEMS)
		errno = E2BIG, fail("hold so many");
	if (attempt_parse(text, ABI_NATIVE, "/", &item->attempt, &err) < 0) {
		/* an architecture need not have every call */
		if (!strstr(err.msg, "has no call"))
			fprintf(stderr, "attempts: %s\n", err.msg), exit(2);
		return;
	}
	item->text = strdup(text);
	item->flags = flags;
	if (!item->text)
		fail("remember a text");
	shared->result[n_items++] = FAILED_SETUP;
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
	if (strcmp(argv[1], "serve") == 0 && (argc == 5 || argc == 7)) {
		tcp1 = argv[3];
		tcp2 = argv[4];
		context = argv[5];
		serve(argv[5] ? argv[6] : NULL);
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
		else if (i + 1 == argc || !read_confinement(argv[i], argv[i + 1]))
			return fprintf(stderr, "attempts: what is '%s'?\n", argv[i]), 2;
		else
			i++;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		fail("map what is shared");
	each(add);
	if (!in_view)
		make_queue();
	make_all();
	if (!in_view)
		remove_queues();
	for (size_t i = 0; i < n_items; i++)
		tell(i);
	return 0;
}
