// SPDX-License-Identifier: Apache-2.0
/* journal and syslog: what arrives is what their protocols want, a receiver that restarts is found
 * again, and one that hangs or dies costs records that are told, never the policy. */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/record.h"
#include "audit/state.h"
#include "audit/verify.h"
#include "base/fd.h"

static char dir[] = "/tmp/cordon-sink-XXXXXX";
static char place[64], spec[96];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(place, sizeof(place), "%s/socket", dir);
	return 0;
}

static int teardown(void **state)
{
	char log[64], head[64];

	(void)state;
	(void)snprintf(log, sizeof(log), "%s/log", dir);
	(void)snprintf(head, sizeof(head), "%s/log.head", dir);
	(void)unlink(log);
	(void)unlink(head);
	(void)unlink(place);
	return rmdir(dir);
}

static int receiver(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)unlink(place);
	memcpy(at.sun_path, place, strlen(place) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* The next datagram, NUL-terminated; 0 when there is none. */
static size_t receive(int fd, char *ret, size_t size)
{
	ssize_t n = recv(fd, ret, size - 1, MSG_DONTWAIT);

	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return 0;
	}
	ret[n] = '\0';
	return (size_t)n;
}

static struct audit *begin(const char *const *specs, size_t n)
{
	static const struct audit_start start = { .sandbox = "00000000000000c0", .policy = "p" };
	struct err err = ERR_INIT;
	struct audit *audit = NULL;

	assert_int_equal(audit_new(specs, n, &audit, &err), 0);
	assert_int_equal(audit_begin(audit, &start, &err), 0);
	return audit;
}

static void deny(struct audit *audit, unsigned n)
{
	static uint32_t rule;
	struct seccomp_notif notif = { .pid = 0 };
	struct audit_denial d = { .notif = &notif,
				  .notify_fd = -1,
				  .file = "x.policy",
				  .line = 9,
				  .nr = syscall_by_name("mount")->nr[ABI_NATIVE],
				  .errno_value = EPERM };

	for (unsigned i = 0; i < n; i++) {
		/* each its own kind, so that flood control counts none */
		d.rule = rule++;
		audit_denial(audit, &d);
	}
	audit->queued_ms = 0; /* the batch is due */
	audit_tick(audit);
}

static void end(struct audit *audit, struct audit_totals *totals)
{
	const struct audit_end how = { .started = true };

	audit_end(audit, &how, totals);
	audit_free(audit);
}

/* The value of a field in the native protocol's long form. 0 when it is not there. */
static size_t field(const char *bytes, size_t len, const char *name, char *ret, size_t size)
{
	char key[64];
	size_t key_len = (size_t)snprintf(key, sizeof(key), "%s\n", name);
	const char *p = memmem(bytes, len, key, key_len);
	uint64_t n = 0;

	if (!p)
		return 0;
	p += key_len;
	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)(unsigned char)p[i] << 8 * i;
	assert_true(n < size && (size_t)(p - bytes) + 8 + n < len);
	assert_int_equal(p[8 + n], '\n');
	memcpy(ret, p + 8, n);
	ret[n] = '\0';
	return n;
}

/* Append the record lines that came to the log and have them judged as a log is. */
static void judge(const char *lines, size_t len, uint64_t denials, uint64_t lost)
{
	char path[64], head[64];
	struct verify_result v;
	_cleanup_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/log", dir);
	(void)snprintf(head, sizeof(head), "%s/log.head", dir);
	(void)unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, lines, len), 0);
	assert_int_equal(verify_path(path, &v, NULL), 0);
	assert_int_equal(v.kind, VERIFY_WHOLE);
	assert_int_equal(v.denials, denials);
	assert_int_equal(v.lost, lost);
	assert_int_equal(v.unclosed, 0);
}

static void fields_of_the_journal(void **state)
{
	static char got[65536], value[32768], lines[65536];
	const char *specs[] = { spec };
	_cleanup_close_ int fd = receiver();
	struct audit *audit;
	size_t n, len = 0;

	(void)state;
	(void)snprintf(spec, sizeof(spec), "journal:%s", place);
	audit = begin(specs, 1);
	deny(audit, 1);
	end(audit, NULL);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const types[] = { "open", "denial", "close" };

		n = receive(fd, got, sizeof(got));
		assert_true(n > 0);
		assert_non_null(memmem(got, n, i == 1 ? "PRIORITY=4\n" : "PRIORITY=6\n", 11));
		assert_non_null(memmem(got, n, "SYSLOG_IDENTIFIER=cordon\n", 25));
		assert_true(field(got, n, "CORDON_TYPE", value, sizeof(value)) > 0);
		assert_string_equal(value, types[i]);
		assert_true(field(got, n, "CORDON_SANDBOX", value, sizeof(value)) > 0);
		assert_string_equal(value, "00000000000000c0");
		assert_true(field(got, n, "MESSAGE", value, sizeof(value)) > 0);
		if (i == 1) {
			assert_non_null(strstr(value, "denied mount"));
			assert_true(field(got, n, "CORDON_SYSCALL", value, sizeof(value)) > 0);
			assert_string_equal(value, "mount");
			assert_true(field(got, n, "CORDON_RULE", value, sizeof(value)) > 0);
			assert_string_equal(value, "x.policy:9");
		} else {
			assert_int_equal(field(got, n, "CORDON_SYSCALL", value, sizeof(value)), 0);
		}
		n = field(got, n, "CORDON_RECORD", value, sizeof(value));
		assert_true(n > 0);
		memcpy(lines + len, value, n);
		len += n;
		lines[len++] = '\n';
	}
	assert_int_equal(receive(fd, got, sizeof(got)), 0);
	judge(lines, len, 1, 0);
}

static void frames_of_syslog(void **state)
{
	static const char *const patterns[] = {
		"^<14>1 2[0-9]{3}-[0-9-]{5}T[0-9:]{8}\\.[0-9]{6}Z [!-~]+ cordon [0-9]+ open - "
		"\\{\"v\":1,\"seq\":1,",
		"^<12>1 2[0-9T:.-]+Z [!-~]+ cordon [0-9]+ denial - \\{\"v\":1,\"seq\":2,.*mount",
		"^<14>1 2[0-9T:.-]+Z [!-~]+ cordon [0-9]+ close - \\{\"v\":1,\"seq\":3,",
	};
	static char got[65536], lines[65536];
	const char *specs[] = { spec };
	_cleanup_close_ int fd = receiver();
	struct audit *audit;
	size_t len = 0;

	(void)state;
	(void)snprintf(spec, sizeof(spec), "syslog:%s", place);
	audit = begin(specs, 1);
	deny(audit, 1);
	end(audit, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		regex_t re;

		assert_true(receive(fd, got, sizeof(got)) > 0);
		assert_int_equal(regcomp(&re, patterns[i], REG_EXTENDED | REG_NOSUB), 0);
		if (regexec(&re, got, 0, NULL, 0) != 0)
			fail_msg("'%s' is not '%s'", got, patterns[i]);
		regfree(&re);
		len += (size_t)snprintf(lines + len, sizeof(lines) - len, "%s\n", strchr(got, '{'));
	}
	judge(lines, len, 1, 0);
}

/* The socket is closed, removed and made anew, as a restart does. */
static void a_receiver_that_restarts(void **state)
{
	static char got[65536];
	const char *specs[] = { spec };
	struct audit_totals totals;
	struct audit *audit;
	int fd = receiver();

	(void)state;
	(void)snprintf(spec, sizeof(spec), "journal:%s", place);
	audit = begin(specs, 1);
	(void)close(fd);
	fd = receiver();
	deny(audit, 1);
	assert_int_equal(audit->sink[0].all_lost_records, 0);
	assert_true(receive(fd, got, sizeof(got)) > 0);
	/* gone, and not back */
	(void)close(fd);
	(void)unlink(place);
	deny(audit, 2);
	assert_int_equal(audit->sink[0].lost_denials, 2);
	/* back: the loss is told, then it goes on */
	fd = receiver();
	deny(audit, 1);
	assert_true(receive(fd, got, sizeof(got)) > 0);
	assert_non_null(memmem(got, sizeof(got), "\"type\":\"lost\"", 13));
	end(audit, &totals);
	assert_int_equal(totals.lost, 2);
	assert_int_equal(totals.denials, 4);
	(void)close(fd);
}

/* Nobody reads: the kernel's queue fills, the wait is short and made once, the rest is counted. */
static void a_receiver_that_hangs(void **state)
{
	static char got[65536], value[32768];
	const char *specs[] = { spec };
	_cleanup_close_ int fd = receiver();
	struct audit_totals totals;
	struct timespec a, b;
	unsigned arrived = 0;
	struct audit *audit;
	uint64_t lost;
	size_t n;

	(void)state;
	(void)snprintf(spec, sizeof(spec), "journal:%s", place);
	audit = begin(specs, 1);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < 30; i++)
		deny(audit, 20);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	lost = audit->sink[0].all_lost_denials;
	assert_true(lost > 0);
	/* 30 batches that each waited SINK_WAIT_MS would take three seconds */
	assert_true(b.tv_sec - a.tv_sec <= 1);
	while ((n = receive(fd, got, sizeof(got))) > 0) {
		(void)field(got, n, "CORDON_TYPE", value, sizeof(value));
		arrived += strcmp(value, "denial") == 0;
	}
	end(audit, &totals);
	assert_int_equal(totals.denials, 600);
	assert_int_equal(arrived + lost, 600);
	while ((n = receive(fd, got, sizeof(got))) > 0)
		;
}

static void what_is_refused(void **state)
{
	static const char *const bad[] = { "journal:", "journal:relative", "syslog:x",
					   "journald", "syslogx:/dev/log", "stderr:x" };
	struct err err = ERR_INIT;
	struct audit *audit;
	char path[200];
	const char *specs[] = { NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		specs[0] = bad[i];
		assert_true(audit_new(specs, 1, &audit, &err) < 0);
		assert_non_null(strstr(err.msg, bad[i]));
	}
	/* nobody there */
	(void)unlink(place);
	(void)snprintf(spec, sizeof(spec), "journal:%s", place);
	specs[0] = spec;
	assert_int_equal(audit_new(specs, 1, &audit, &err), -ENOENT);
	assert_non_null(strstr(err.msg, place));
	/* longer than a socket's address holds */
	(void)snprintf(path, sizeof(path), "syslog:/%0150d", 1);
	specs[0] = path;
	assert_int_equal(audit_new(specs, 1, &audit, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_the_journal),    cmocka_unit_test(frames_of_syslog),
		cmocka_unit_test(a_receiver_that_restarts), cmocka_unit_test(a_receiver_that_hangs),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
