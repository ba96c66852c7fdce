// SPDX-License-Identifier: Apache-2.0
/* The kernel's own denials on their way into the log: this test is the collector. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/collected.h"
#include "audit/record.h"
#include "audit/recorded.h"
#include "audit/verify.h"
#include "base/fd.h"

/* What the collector does once it is asked to: behind READY, and behind SYNC. */
struct script {
	void (*begin)(int client);
	void (*end)(int client);
	int error;  /* of READY */
	int synced; /* of SYNCED */
	bool silent;
	bool audit_off;
};

struct scene {
	char dir[64], socket[96], log[96];
	pid_t collector;
	struct audit *audit;
	unsigned refusers, untold; /* as in struct audit_start */
};

static void put(int client, const struct collected_packet *packet, const char *text)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)packet, sizeof(*packet) },
				{ (void *)(uintptr_t)text, strlen(text) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (sendmsg(client, &msg, MSG_NOSIGNAL) < 0)
		_exit(5);
}

static void put_record(int client, unsigned type, const char *text)
{
	const struct collected_packet packet = {
		.kind = COLLECTED_RECORD, .type = type, .joined = COLLECTED_BY_PID, .pid = 7
	};

	put(client, &packet, text);
}

static void collect(const struct scene *s, const struct script *script)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct collected_packet packet = { .kind = COLLECTED_READY,
					   .error = script->error,
					   .forks = 1,
					   .audit = !script->audit_off };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), client;
	struct collected_word word;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->socket);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		_exit(3);
	do {
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	} while (recv(client, &word, sizeof(word), 0) != (ssize_t)sizeof(word));
	if (script->silent)
		for (;;)
			(void)pause();
	put(client, &packet, "");
	if (script->begin)
		script->begin(client);
	packet = (struct collected_packet){ .kind = COLLECTED_SYNCED, .error = script->synced };
	if (recv(client, &word, sizeof(word), 0) == (ssize_t)sizeof(word) &&
	    word.word == COLLECTED_SYNC) {
		if (script->end)
			script->end(client);
		put(client, &packet, "");
	}
	_exit(0);
}

static struct scene *scene_new(const struct script *script)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct stat st;

	assert_non_null(s);
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-kernel-denial.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->socket, sizeof(s->socket), "%s/sock", s->dir);
	(void)snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
	if (script) {
		s->collector = fork();
		if (s->collector == 0)
			collect(s, script);
		for (int i = 0; i < 1000 && stat(s->socket, &st) < 0; i++)
			(void)usleep(5000);
		(void)usleep(20000);
	}
	return s;
}

static void begin(struct scene *s)
{
	static const char *const argv[] = { "test", NULL }, *const none[] = { NULL };
	const struct audit_start start = { .sandbox = "0123456789abcdef",
					   .policy = "test",
					   .argv = argv,
					   .in_force = none,
					   .given_up = none,
					   .refusers = s->refusers,
					   .untold = s->untold };
	struct err err = ERR_INIT;
	const char *sinks[1];
	char sink[128];

	(void)snprintf(sink, sizeof(sink), "file:%s", s->log);
	sinks[0] = sink;
	assert_int_equal(audit_new(sinks, 1, &s->audit, &err), 0);
	audit_kernel_open(s->audit, s->socket, 0);
	assert_int_equal(audit_begin(s->audit, &start, &err), 0);
}

static struct audit_totals finish(struct scene *s)
{
	const struct audit_end end = { .started = true };
	struct audit_totals totals;

	audit_end(s->audit, &end, &totals);
	audit_free(s->audit);
	return totals;
}

/* How many lines hold the text; that the log is whole besides. */
static unsigned lines_with(const struct scene *s, const char *text)
{
	_cleanup_free_ char *log = NULL;
	struct verify_result result;
	struct err err = ERR_INIT;
	unsigned n = 0;
	size_t len;
	int fd = open(s->log, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 64 << 20, &log, &len), 0);
	assert_int_equal(verify_log(fd, len, NULL, &result, &err), 0);
	if (result.kind != VERIFY_WHOLE)
		fail_msg("%s: %s", verify_kind_text(result.kind), result.text);
	(void)close(fd);
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		n += strstr(line, text) != NULL;
	return n;
}

static void scene_free(struct scene *s)
{
	char path[128];

	if (s->collector > 0) {
		(void)kill(s->collector, SIGKILL);
		(void)waitpid(s->collector, NULL, 0);
	}
	(void)snprintf(path, sizeof(path), "%s.head", s->log);
	(void)unlink(path);
	(void)unlink(s->log);
	(void)unlink(s->socket);
	assert_int_equal(rmdir(s->dir), 0);
	free(s);
}

/* --- what comes ---------------------------------------------------------------------------- */

#define OPEN_OF(n)                                                                                 \
	"audit(1795941827.584:" #n "): apparmor=\"DENIED\" operation=\"open\" profile=\"p\" "      \
	"name=\"/etc/hosts\" pid=103 comm=\"cat\" requested_mask=\"r\" denied_mask=\"r\" "         \
	"fsuid=1001 ouid=0"

static void three(int client)
{
	put_record(client, KERNEL_TYPE_LSM, OPEN_OF(1));
	put_record(client, KERNEL_TYPE_LANDLOCK,
		   "audit(1.001:2): domain=5 blockers=fs.execute "
		   "path=\"/tmp/x\"");
}

static void one_more(int client)
{
	put_record(client, KERNEL_TYPE_LSM, OPEN_OF(3));
}

static void test_records(void **state)
{
	const struct script script = { .begin = three, .end = one_more };
	struct scene *s = scene_new(&script);
	struct audit_totals totals;

	(void)state;
	s->refusers = 1U << AUDIT_APPARMOR | 1U << AUDIT_LANDLOCK;
	begin(s);
	assert_true(audit_kernel_fd(s->audit) >= 0);
	(void)usleep(50000);
	audit_kernel_take(s->audit, 1);
	audit_kernel_take(s->audit, 100);
	totals = finish(s);
	assert_int_equal(totals.denials, 3);
	assert_int_equal(totals.records, 3);
	assert_int_equal(totals.n_top, 2);
	assert_string_equal(totals.top[0].mechanism, "apparmor");
	assert_string_equal(totals.top[0].operation, "open");
	assert_int_equal(totals.top[0].count, 2);
	assert_string_equal(totals.top[1].mechanism, "landlock");
	assert_int_equal(lines_with(s, "\"kernel_denials\":{\"readable\":true,\"forks\":true,"
				       "\"audit\":true,\"unseen\":[]}"),
			 1);
	assert_int_equal(lines_with(s, "\"type\":\"denial\""), 3);
	assert_int_equal(lines_with(s, "\"mechanism\":\"apparmor\",\"joined\":\"pid\""), 2);
	assert_int_equal(lines_with(s, "\"pid\":7,\"pid_outside\":103"), 2);
	assert_int_equal(lines_with(s, "\"type\":\"close\""), 1);
	assert_int_equal(lines_with(s, "\"denials\":3,\"records\":3,\"summaries\":0"), 1);
	scene_free(s);
}

static void refusals(int client)
{
	put_record(client, KERNEL_TYPE_SECCOMP,
		   "audit(1.001:1): uid=1001 pid=103 sig=0 arch=c000003e syscall=165 code=0x50000");
	put_record(client, KERNEL_TYPE_SECCOMP,
		   "audit(1.001:2): uid=1001 pid=103 sig=0 arch=c000003e syscall=41 code=0x50000");
	put_record(client, KERNEL_TYPE_SECCOMP,
		   "audit(1.001:3): uid=1001 pid=103 sig=0 arch=40000003 syscall=41 code=0x50000");
}

static uint16_t errno_of(const void *ctx, enum abi abi, int32_t nr)
{
	return abi == ABI_X86_64 && nr == 165 ? *(const uint16_t *)ctx : 0;
}

/* The kernel says that it was an errno, the policy which one, if it can. */
static void test_errno(void **state)
{
	static const uint16_t answer = EACCES;
	const struct script script = { .begin = refusals };
	struct scene *s = scene_new(&script);

	(void)state;
	begin(s);
	audit_kernel_errno(s->audit, errno_of, &answer);
	assert_int_equal(finish(s).denials, 3);
	assert_int_equal(lines_with(s, "\"answer\":"), 1);
	assert_int_equal(lines_with(s,
				    "\"name\":\"mount\",\"nr\":165,\"abi\":\"x86_64\"},\"answer\":"
				    "{\"errno\":\"EACCES\",\"nr\":13}"),
			 1);
	scene_free(s);
}

static void test_none(void **state)
{
	struct scene *s = scene_new(NULL);

	(void)state;
	s->refusers = 1U << AUDIT_LANDLOCK | 1U << AUDIT_SECCOMP_KILL;
	begin(s);
	assert_int_equal(audit_kernel_fd(s->audit), -1);
	audit_kernel_take(s->audit, 10);
	assert_int_equal(finish(s).denials, 0);
	assert_int_equal(lines_with(s,
				    "\"kernel_denials\":{\"readable\":false,\"why\":\"there is no "
				    "collector\",\"unseen\":[\"landlock\",\"seccomp-kill\"]}"),
			 1);
	assert_int_equal(lines_with(s, ""), 2);
	scene_free(s);
}

/* With a collector: what the kernel does not tell, of those that are in force. */
static void check_unseen(bool audit_off, unsigned refusers, unsigned untold, const char *list)
{
	const struct script script = { .audit_off = audit_off };
	struct scene *s = scene_new(&script);
	char text[160];

	s->refusers = refusers;
	s->untold = untold;
	begin(s);
	(void)finish(s);
	(void)snprintf(text, sizeof(text), "\"audit\":%s,\"unseen\":[%s]}",
		       audit_off ? "false" : "true", list);
	assert_int_equal(lines_with(s, text), 1);
	scene_free(s);
}

static void test_unseen(void **state)
{
	const unsigned all = (1U << _AUDIT_REFUSER_MAX) - 1, landlock = 1U << AUDIT_LANDLOCK;

	(void)state;
	check_unseen(false, all, 0, "");
	check_unseen(false, all, landlock, "\"landlock\"");
	check_unseen(false, all & ~landlock, landlock, "");
	check_unseen(true, all, 0, "\"landlock\"");
	check_unseen(true, all & ~landlock, 0, "");
	check_unseen(false, all, all,
		     "\"apparmor\",\"selinux\",\"landlock\",\"seccomp-kill\",\"seccomp-errno\"");
}

static void test_refused(void **state)
{
	const struct script script = { .error = -EPERM };
	struct scene *s = scene_new(&script);

	(void)state;
	begin(s);
	assert_int_equal(audit_kernel_fd(s->audit), -1);
	(void)finish(s);
	assert_int_equal(lines_with(s,
				    "\"readable\":false,\"why\":\"the collector's socket, or the "
				    "collector, refuses this process\""),
			 1);
	scene_free(s);
}

/* A collector that hangs costs a launch a moment, and no more. */
static void test_silent(void **state)
{
	const struct script script = { .silent = true };
	struct scene *s = scene_new(&script);
	struct timespec from, to;

	(void)state;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	begin(s);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 <
		    COLLECTED_WAIT_MS + 1000);
	(void)finish(s);
	assert_int_equal(lines_with(s, "the collector did not answer in time"), 1);
	scene_free(s);
}

/* --- floods, losses, ends ------------------------------------------------------------------ */

enum { FLOOD = 5000 };

static void flood(int client)
{
	const struct collected_packet lost = {
		.kind = COLLECTED_LOST,
		.events = 11,
		.unjoined = 3,
		.dropped = { [KERNEL_SELINUX] = 40, [KERNEL_SECCOMP] = 2 },
	};
	char text[512];

	for (int i = 0; i < FLOOD; i++) {
		(void)snprintf(text, sizeof(text),
			       "audit(1.001:%d): apparmor=\"DENIED\" operation=\"op%d\" pid=1",
			       i + 1, i % 100);
		put_record(client, KERNEL_TYPE_LSM, text);
	}
	put(client, &lost, "");
}

static void test_flood(void **state)
{
	const struct script script = { .end = flood };
	struct scene *s = scene_new(&script);
	struct audit_totals totals;

	(void)state;
	begin(s);
	totals = finish(s);
	/* verify adds them up: each is a record, or in a sum */
	assert_int_equal(totals.denials, FLOOD + 42);
	assert_true(totals.records < 100 * 25);
	assert_int_equal(
		lines_with(s, "\"mechanism\":\"selinux\",\"note\":\"not taken in time from the "
			      "collector: only their number is known\""),
		1);
	assert_int_equal(lines_with(s, "\"count\":40}"), 1);
	assert_int_equal(lines_with(s, "\"type\":\"kernel\""), 1);
	assert_int_equal(lines_with(s, "\"event\":\"lost\",\"events\":11,\"unjoined\":3"), 1);
	/* operations beyond those that are told apart share one name */
	assert_int_equal(lines_with(s, "\"operation\":\"others\",\"first\""), 1);
	scene_free(s);
}

static void vanish(int client)
{
	put_record(client, KERNEL_TYPE_LSM, OPEN_OF(1));
	_exit(0);
}

static void test_ended(void **state)
{
	const struct script script = { .begin = vanish };
	struct scene *s = scene_new(&script);

	(void)state;
	begin(s);
	(void)usleep(50000);
	audit_kernel_take(s->audit, 100);
	assert_int_equal(audit_kernel_fd(s->audit), -1);
	assert_int_equal(finish(s).denials, 1);
	assert_int_equal(lines_with(s, "\"type\":\"kernel\""), 1);
	assert_int_equal(lines_with(s, "\"event\":\"ended\""), 1);
	scene_free(s);
}

/* Gone at the end, with what it told still in the socket. */
static void test_ended_unread(void **state)
{
	const struct script script = { .begin = vanish };
	struct scene *s = scene_new(&script);

	(void)state;
	begin(s);
	assert_int_equal(waitpid(s->collector, NULL, 0), s->collector);
	s->collector = 0;
	assert_int_equal(finish(s).denials, 1);
	assert_int_equal(lines_with(s, "\"type\":\"kernel\""), 1);
	assert_int_equal(lines_with(s, "\"event\":\"ended\""), 1);
	scene_free(s);
}

static void one(int client)
{
	put_record(client, KERNEL_TYPE_LSM, OPEN_OF(1));
}

/* The collector says whether the end is one. */
static void test_unfinished(void **state)
{
	const struct script whole = { .end = one };
	const struct script script = { .end = one, .synced = -ETIMEDOUT };
	struct scene *s = scene_new(&whole);

	(void)state;
	begin(s);
	assert_int_equal(finish(s).denials, 1);
	assert_int_equal(lines_with(s, "\"type\":\"kernel\""), 0);
	scene_free(s);
	s = scene_new(&script);
	begin(s);
	assert_int_equal(finish(s).denials, 1);
	assert_int_equal(lines_with(s, "\"type\":\"kernel\""), 1);
	assert_int_equal(lines_with(s, "\"event\":\"unfinished\",\"events\":0,\"unjoined\":0"), 1);
	scene_free(s);
}

/* What is no denial, though a collector sends it, is no record. */
static void nonsense(int client)
{
	struct collected_packet packet = { .kind = 77 };
	static char text[KERNEL_RECORD_MAX + 1];

	put(client, &packet, "x");
	put_record(client, KERNEL_TYPE_LSM, "");
	put_record(client, KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"ALLOWED\" pid=1");
	put_record(client, KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"DENIED\" name=\"open");
	packet = (struct collected_packet){ .kind = COLLECTED_RECORD,
					    .type = KERNEL_TYPE_LSM,
					    .joined = 99 };
	put(client, &packet, OPEN_OF(1));
	/* longer than any record, and than there is room for: that is the end of the stream */
	memset(text, 'a', sizeof(text) - 1);
	put_record(client, KERNEL_TYPE_LSM, text);
	text[0] = '\0';
}

static void test_nonsense(void **state)
{
	const struct script script = { .begin = nonsense };
	struct scene *s = scene_new(&script);

	(void)state;
	begin(s);
	(void)usleep(50000);
	audit_kernel_take(s->audit, 100);
	assert_int_equal(finish(s).denials, 1);
	assert_int_equal(lines_with(s, "\"type\":\"denial\""), 1);
	assert_int_equal(lines_with(s, "the collector sent what is no denial"), 1);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),	     cmocka_unit_test(test_errno),
		cmocka_unit_test(test_none),	     cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_refused),	     cmocka_unit_test(test_silent),
		cmocka_unit_test(test_flood),	     cmocka_unit_test(test_ended),
		cmocka_unit_test(test_ended_unread), cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
