// SPDX-License-Identifier: Apache-2.0
/* For test_collect.c: a collector of one's own, whose kernel and supervisors are the test, and real
 * processes for it to find. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/collected_client.h"
#include "base/fd.h"
#include "base/sys.h"
#include "collect/collector.h"

/* --- the scene ----------------------------------------------------------------------------- */

struct scene {
	char dir[64], socket[96];
	int source, forks; /* our ends; forks: -1 without */
	char thread[96];   /* the directory of what is kauditd to it */
	pid_t collector;
	uint64_t serial;
};

static int64_t wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t mono_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void nap(unsigned ms)
{
	const struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void collect(const struct collector_options *options)
{
	struct collector *c;
	struct collector_facts facts;
	struct err err = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (collector_open(options, &c, &facts, &err) < 0) {
		(void)fprintf(stderr, "cannot %s\n", err.msg);
		_exit(3);
	}
	_exit(collector_run(c, &err) < 0 ? 4 : 0);
}

/* What /proc says of kauditd: 'S', it sleeps as it has handed out all that there was; 'R'. */
static void kauditd_is(const struct scene *s, char state)
{
	char path[128], text[32];
	int fd, n = snprintf(text, sizeof(text), "9 (kauditd) %c 2 0", state);

	(void)snprintf(path, sizeof(path), "%s/stat", s->thread);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && pwrite(fd, text, (size_t)n, 0) == n);
	(void)close(fd);
}

static struct scene *scene_new(bool with_forks)
{
	struct scene *s = calloc(1, sizeof(*s));
	int source[2], forks[2] = { -1, -2 }, kauditd;

	assert_non_null(s);
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-collect.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->socket, sizeof(s->socket), "%s/sock", s->dir);
	(void)snprintf(s->thread, sizeof(s->thread), "%s/kauditd", s->dir);
	assert_int_equal(mkdir(s->thread, 0700), 0);
	kauditd_is(s, 'S');
	kauditd = open(s->thread, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(kauditd >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, source), 0);
	if (with_forks)
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, forks), 0);
	s->collector = fork();
	if (s->collector == 0) {
		const struct collector_options options = { .socket = s->socket,
							   .source = source[1],
							   .forks = forks[1],
							   .kauditd = kauditd };

		collect(&options);
	}
	s->source = source[0];
	s->forks = forks[0];
	(void)close(source[1]);
	(void)close(kauditd);
	if (with_forks)
		(void)close(forks[1]);
	for (int i = 0; i < 1000 && collected_probe(s->socket) < 0; i++)
		nap(5);
	return s;
}

static void scene_free(struct scene *s)
{
	char path[128];
	int status = -1;

	(void)kill(s->collector, SIGTERM);
	assert_int_equal(waitpid(s->collector, &status, 0), s->collector);
	assert_int_equal(status, 0);
	fd_closep(&s->source);
	fd_closep(&s->forks);
	(void)unlink(s->socket);
	(void)snprintf(path, sizeof(path), "%s/stat", s->thread);
	(void)unlink(path);
	(void)rmdir(s->thread);
	(void)rmdir(s->dir);
	free(s);
}

/* --- processes ----------------------------------------------------------------------------- */

struct inner {
	int ready[2], go[2];
	pid_t *child; /* shared: the number outside of a child of pid 1 */
	int fds[2];
};

/* What pid 1 does: wait for its id map, then have one child, and wait. */
static int be_pid1(void *arg)
{
	struct inner *in = arg;
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(in->go[0], &byte, 1) == 1 && byte == 'c') {
		if (fork() == 0) {
			for (;;)
				(void)pause();
		}
	}
	(void)!write(in->ready[1], "r", 1);
	for (;;)
		(void)pause();
	return 0;
}

static void write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

struct box {
	pid_t pid1, child;
	int pidfd, go;
	struct collected client;
	int unfinished; /* the last answer to a sync */
};

static void map_ids(pid_t pid, unsigned count)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%u %u %u", getuid(), getuid(), count);
	write_file(pid, "setgroups", "deny");
	write_file(pid, "uid_map", text);
}

static pid_t child_of(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	(void)!read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

/* A pid 1 with one child, both waiting. map: its ids are mapped. */
static void box_make(struct box *b, int flags, bool map, bool child)
{
	static char stack[65536];
	struct inner in;
	char byte;

	assert_int_equal(pipe2(in.ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(in.go, O_CLOEXEC), 0);
	b->client.fd = -1;
	b->pid1 = clone(be_pid1, stack + sizeof(stack), flags | SIGCHLD, &in);
	if (b->pid1 < 0)
		fail_msg("cannot make a pid 1: %s", strerror(errno));
	if (map)
		map_ids(b->pid1, 1);
	assert_int_equal(write(in.go[1], child ? "c" : "n", 1), 1);
	assert_int_equal(read(in.ready[0], &byte, 1), 1);
	b->pidfd = sys_pidfd_open(b->pid1, 0);
	assert_true(b->pidfd >= 0);
	b->child = child ? child_of(b->pid1) : 0;
	b->go = -1;
	(void)close(in.ready[0]);
	(void)close(in.ready[1]);
	(void)close(in.go[0]);
	(void)close(in.go[1]);
}

static void box_new(struct box *b, const struct scene *s)
{
	int r;

	box_make(b, CLONE_NEWUSER | CLONE_NEWPID, true, true);
	r = collected_open(&b->client, s->socket, b->pidfd);
	if (r < 0)
		fail_msg("is not registered: %s", strerror(-r));
}

static void box_end(struct box *b)
{
	collected_close(&b->client);
	(void)kill(b->pid1, SIGKILL);
	(void)waitpid(b->pid1, NULL, 0);
	fd_closep(&b->pidfd);
}

/* --- the kernel's part --------------------------------------------------------------------- */

static void say_at(struct scene *s, unsigned type, int64_t at_ms, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void say_at(struct scene *s, unsigned type, int64_t at_ms, const char *format, ...)
{
	static struct {
		struct nlmsghdr head;
		char text[4096];
	} packet;
	int n = snprintf(packet.text, sizeof(packet.text),
			 "audit(%lld.%03lld:%llu): ", (long long)(at_ms / 1000),
			 (long long)(at_ms % 1000), (unsigned long long)++s->serial);
	va_list ap;

	va_start(ap, format);
	n += vsnprintf(packet.text + n, sizeof(packet.text) - (size_t)n, format, ap);
	va_end(ap);
	packet.head = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(sizeof(packet.head) + (size_t)n),
					 .nlmsg_type = (uint16_t)type };
	assert_int_equal(send(s->source, &packet, packet.head.nlmsg_len, 0),
			 (ssize_t)packet.head.nlmsg_len);
}
#define say(s, type, ...) say_at(s, type, wall_ms(), __VA_ARGS__)

static void event(struct scene *s, uint32_t what, pid_t parent, pid_t child)
{
	struct {
		struct nlmsghdr head;
		uint32_t idx, val, seq, ack; /* struct cn_msg, whose end has no length */
		uint16_t length, flags;
		uint32_t what, cpu;
		uint64_t ns;
		int32_t data[6];
	} __attribute__((packed)) packet = {
		.head = { .nlmsg_len = sizeof(packet), .nlmsg_type = NLMSG_DONE },
		.idx = CN_IDX_PROC,
		.val = CN_VAL_PROC,
		.length = 40,
		.what = what,
		.ns = mono_ns(),
		.data = { parent, parent, child, child },
	};
	struct pollfd p = { .fd = s->forks, .events = POLLIN };
	char asked[256];

	/* What it asked for is not judged here. */
	while (poll(&p, 1, 0) > 0)
		(void)!recv(s->forks, asked, sizeof(asked), 0);
	if (what != 1)
		packet.data[0] = packet.data[1] = child;
	assert_int_equal(send(s->forks, &packet, sizeof(packet), 0), sizeof(packet));
}

static void forked(struct scene *s, pid_t parent, pid_t child)
{
	event(s, 1, parent, child);
}

static void ended(struct scene *s, pid_t pid)
{
	event(s, 0x80000000U, 0, pid);
}

/* What a box is told, up to the answer to a sync: the joins of its records, one letter each. */
static const char *told(struct box *b, char *last, size_t size)
{
	static const char letters[] = "dPpu";
	static char joins[256];
	struct collected_packet packet;
	struct kernel_text text;
	size_t n = 0;

	last[0] = '\0';
	assert_int_equal(collected_sync(&b->client), 0);
	for (;;) {
		int r = collected_wait(&b->client, mono_ns() / 1000000 + 5000);

		assert_int_equal(r, 0);
		r = collected_next(&b->client, &packet, &text);
		if (r == 0)
			continue;
		assert_int_equal(r, 1);
		if (packet.kind == COLLECTED_SYNCED) {
			b->unfinished = packet.error;
			break;
		}
		if (packet.kind == COLLECTED_LOST) {
			(void)snprintf(last, size, "lost %llu %llu",
				       (unsigned long long)packet.events,
				       (unsigned long long)packet.unjoined);
			continue;
		}
		assert_int_equal(packet.kind, COLLECTED_RECORD);
		assert_in_range(packet.joined, 0, 3);
		if (n < sizeof(joins) - 1)
			joins[n++] = letters[packet.joined];
		(void)snprintf(last, size, "%.*s", (int)text.len, text.p);
	}
	joins[n] = '\0';
	return joins;
}

static void assert_told(struct box *b, const char *want)
{
	char last[512];

	assert_string_equal(told(b, last, sizeof(last)), want);
}

#define DENIED "apparmor=\"DENIED\" operation=\"capable\" profile=\"p\" pid=%d comm=\"x\""
