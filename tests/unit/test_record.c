// SPDX-License-Identifier: Apache-2.0
/* The supervisor's side of the log: exact counts, escaping, fields, and how fast it is. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "audit/record.h"
#include "audit/state.h"
#include "audit/verify.h"
#include "base/fd.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/cordon-record-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

static struct audit *begin(const char *spec, const char *sandbox)
{
	static const char *const argv[] = { "make", "all\n\"quoted\"\x1b[31m", NULL };
	static const char *const force[] = { "seccomp", "landlock abi 7", NULL };
	const struct audit_start start = {
		.sandbox = sandbox,
		.policy = "build",
		.argv = argv,
		.uid = 1000,
		.uid_inside = 1000,
		.in_force = force,
	};
	struct err err = ERR_INIT;
	struct audit *audit;

	assert_int_equal(audit_new(&spec, 1, &audit, &err), 0);
	assert_int_equal(audit_begin(audit, &start, &err), 0);
	return audit;
}

static const char *file_spec(const char *name)
{
	static char spec[160];

	(void)snprintf(spec, sizeof(spec), "file:%s", in_dir(name));
	return spec;
}

static int32_t nr_of(const char *name)
{
	return syscall_by_name(name)->nr[ABI_NATIVE];
}

static void end(struct audit *audit, struct audit_totals *totals)
{
	const struct audit_end how = { .started = true, .wait_status = 0 };

	audit_end(audit, &how, totals);
	audit_free(audit);
}

/* All records of a type: their number, and the sum of a field. */
static uint64_t sum_of(const char *path, const char *type, const char *field, uint64_t *ret_n)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	uint64_t sum = 0;

	assert_non_null(f);
	*ret_n = 0;
	while (getline(&line, &cap, f) > 0) {
		json_object *o = json_tokener_parse(line), *v;

		assert_non_null(o);
		assert_true(json_object_object_get_ex(o, "type", &v));
		if (strcmp(json_object_get_string(v), type) == 0) {
			(*ret_n)++;
			if (json_object_object_get_ex(o, field, &v))
				sum += json_object_get_uint64(v);
		}
		json_object_put(o);
	}
	free(line);
	(void)fclose(f);
	return sum;
}

static void is_whole(const char *path, struct verify_result *ret)
{
	struct err err = ERR_INIT;

	assert_int_equal(verify_path(path, ret, &err), 0);
	if (ret->kind != VERIFY_WHOLE)
		print_message("%s: line %llu: %s\n", verify_kind_text(ret->kind),
			      (unsigned long long)ret->line, ret->text);
	assert_int_equal(ret->kind, VERIFY_WHOLE);
}

static double seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void counts_are_exact(void **state)
{
	struct seccomp_notif notif = { .pid = 0 };
	struct audit_denial d = { .notif = &notif,
				  .notify_fd = -1,
				  .rule = 3,
				  .file = "x.policy",
				  .line = 7,
				  .errno_value = EPERM };
	struct audit *audit = begin(file_spec("exact"), "00000000000000aa");
	const uint64_t made = 300000;
	struct audit_totals totals;
	struct verify_result result;
	uint64_t n_full, n_sums, full, counted, n;
	double t0 = seconds();

	(void)state;
	for (uint64_t i = 0; i < made; i++) {
		d.nr = (int32_t)(i % 5000); /* known calls and numbers that no call has */
		d.rule = (uint32_t)(i % 3);
		audit_denial(audit, &d);
	}
	end(audit, &totals);
	print_message("%.0f denials/s, 5000 numbers\n", (double)made / (seconds() - t0));
	full = sum_of(in_dir("exact"), "denial", "count", &n_full);
	counted = sum_of(in_dir("exact"), "summary", "count", &n_sums);
	assert_int_equal(full, n_full);
	assert_int_equal(full + counted, made);
	assert_int_equal(totals.denials, made);
	assert_int_equal(totals.records, n_full + n_sums);
	assert_int_equal(totals.lost, 0);
	assert_int_equal(sum_of(in_dir("exact"), "close", "denials", &n), made);
	assert_int_equal(n, 1);
	is_whole(in_dir("exact"), &result);
	assert_int_equal(result.denials, made);
}

static void one_denial_one_record(void **state)
{
	struct seccomp_notif notif = { .pid = 0, .data.args = { 0, 0, 0, 4096 } };
	struct audit_denial d = { .notif = &notif,
				  .notify_fd = -1,
				  .reason = 1,
				  .rule = UINT32_MAX,
				  .errno_value = EPERM };
	struct audit *audit = begin(file_spec("one"), "00000000000000ab");
	struct verify_result result;
	struct stat st;
	uint64_t n;

	(void)state;
	assert_int_equal(audit_timeout_ms(audit), -1);
	d.nr = nr_of("mount");
	audit_denial(audit, &d);
	assert_in_range(audit_timeout_ms(audit), 0, STATE_BATCH_MS);
	assert_int_equal(sum_of(in_dir("one"), "denial", "count", &n), 0);
	usleep(25000);
	assert_int_equal(audit_timeout_ms(audit), 0);
	audit_tick(audit); /* written though nothing is closed */
	assert_int_equal(sum_of(in_dir("one"), "denial", "count", &n), 1);
	assert_int_equal(audit_timeout_ms(audit), -1);
	end(audit, NULL);
	is_whole(in_dir("one"), &result);
	assert_int_equal(result.records, 3);
	assert_int_equal(stat(in_dir("one"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void counted_denials_are_quick(void **state)
{
	struct seccomp_notif notif = { .pid = 0 };
	struct audit_denial d = { .notif = &notif, .notify_fd = -1, .errno_value = EPERM };
	struct audit *audit = begin(file_spec("quick"), "00000000000000ac");
	const unsigned n = 5000000;
	double t0 = seconds(), rate;

	(void)state;
	d.nr = nr_of("mount");
	for (unsigned i = 0; i < n; i++)
		audit_denial(audit, &d);
	rate = n / (seconds() - t0);
	print_message("counted: %.0f denials/s\n", rate);
#ifndef __SANITIZE_ADDRESS__
	assert_true(rate > 1e6);
#endif
	end(audit, NULL);
}

static void full_records_are_quick(void **state)
{
	struct seccomp_notif notif = { .pid = 0, .data.args = { 0, 0, 0, 4096 } };
	struct audit_denial d = { .notif = &notif,
				  .notify_fd = -1,
				  .rule = 3,
				  .file = "/usr/share/cordon/policies/default.policy",
				  .errno_value = EPERM };
	struct audit *audit = begin(file_spec("full"), "00000000000000ad");
	const unsigned n = 200000;
	struct verify_result result;
	double t0, rate;
	struct stat st;

	(void)state;
	audit_flood(audit, UINT64_C(1) << 40);
	audit->flood.burst = UINT32_MAX;
	d.nr = nr_of("mount");
	/* processor time: a busy machine must not fail a test */
	t0 = (double)clock() / CLOCKS_PER_SEC;
	for (unsigned i = 0; i < n; i++)
		audit_denial(audit, &d);
	end(audit, NULL);
	rate = n / ((double)clock() / CLOCKS_PER_SEC - t0);
	assert_int_equal(stat(in_dir("full"), &st), 0);
	print_message("full: %.0f denials/s, %lld bytes each\n", rate, (long long)st.st_size / n);
#ifndef __SANITIZE_ADDRESS__
	assert_true(rate > 5e4); /* half of what was measured */
#endif
	t0 = seconds();
	is_whole(in_dir("full"), &result);
	print_message("verify: %.0f records/s\n", n / (seconds() - t0));
	assert_int_equal(result.denials, n);
}

/* 5,000 keys do not fit into the table: the rest is counted under one key. */
static void keys_beyond_the_table_are_counted(void **state)
{
	struct seccomp_notif notif = { .pid = 0 };
	struct audit_denial d = { .notif = &notif, .notify_fd = -1, .nr = 1, .errno_value = EPERM };
	struct audit *audit = begin(file_spec("keys"), "00000000000000ae");
	struct verify_result result;
	uint64_t n;

	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		d.rule = i % 5000;
		audit_denial(audit, &d);
	}
	assert_int_equal(audit->flood.n_used, FLOOD_KEYS);
	end(audit, NULL);
	assert_int_equal(sum_of(in_dir("keys"), "denial", "count", &n) +
				 sum_of(in_dir("keys"), "summary", "count", &n),
			 50000);
	is_whole(in_dir("keys"), &result);
}

/* Every string field of a log, undone, must give back what was put in, and no raw control byte
 * may stand in the file. */
static void nothing_can_be_forged(void **state)
{
	static const char *const evil[] = {
		"a\"b",
		"line\nbreak",
		"\x1b[2J\x1b]0;title\x07",
		"\xff\xfe invalid",
		"x\"}\n{\"v\":1,\"seq\":1,\"prev\":\"\",\"type\":\"close\",\"denials\":0}",
		"\xe2\x80\xae"
		"right to left",
		"back\\slash",
		"\xc2\x9b"
		"31m",
		NULL
	};
	const char *spec = file_spec("forge");
	const struct audit_start start = {
		.sandbox = "00000000000000af", .policy = "p", .argv = evil, .given_up = evil
	};
	const struct audit_end how = { .error = "cannot run 'x\n\x1b[31m'" };
	struct verify_result result;
	_cleanup_free_ char *text = NULL;
	struct audit *audit;
	size_t len, newlines = 0;

	(void)state;
	assert_int_equal(audit_new(&spec, 1, &audit, NULL), 0);
	assert_int_equal(audit_begin(audit, &start, NULL), 0);
	audit_limit(audit, "wall", "a limit\x1b[31m\n{\"type\":\"denial\"}", 3);
	audit_end(audit, &how, NULL);
	audit_free(audit);
	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir("forge"), 1 << 20, &text, &len), 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		newlines += c == '\n';
		assert_true(c == '\n' || (c >= 0x20 && c != 0x7f && c < 0x80));
	}
	assert_int_equal(newlines, 3);
	assert_non_null(strstr(text, "a\\\"b"));
	assert_non_null(strstr(text, "line\\\\x0abreak"));
	assert_non_null(strstr(text, "\\\\xff\\\\xfe invalid"));
	assert_non_null(strstr(text, "back\\\\\\\\slash"));
	is_whole(in_dir("forge"), &result);
	assert_int_equal(result.records, 3);
}

/* The records of one sandbox with a limit that was hit and this usage, as jq would give it. */
static void check_usage(const char *name, const struct audit_usage *usage, const char *want)
{
	const char *spec = file_spec(name);
	const struct audit_start start = { .sandbox = "00000000000000c1", .policy = "p" };
	const struct audit_end how = { .started = true, .usage = usage };
	_cleanup_free_ char *text = NULL;
	struct verify_result result;
	struct audit *audit;
	size_t len;

	assert_int_equal(audit_new(&spec, 1, &audit, NULL), 0);
	assert_int_equal(audit_begin(audit, &start, NULL), 0);
	audit_limit(audit, "pids", "forks were refused", usage ? 14 : 0);
	audit_end(audit, &how, NULL);
	audit_free(audit);
	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir(name), 1 << 20, &text, &len), 0);
	if (!strstr(text, want))
		fail_msg("%s\nhas no\n%s", text, want);
	/* how often, where it was counted */
	assert_int_equal(strstr(text, "\"count\":14") != NULL, usage != NULL);
	assert_int_equal(strstr(text, "\"usage\"") != NULL, usage != NULL);
	is_whole(in_dir(name), &result);
}

static void what_was_used_is_told(void **state)
{
	const struct audit_usage none = AUDIT_USAGE_INIT;
	struct audit_usage usage = AUDIT_USAGE_INIT;

	(void)state;
	check_usage("used-nobody", NULL, "\"exit\":{\"status\":0}}");
	check_usage("used-unknown", &none, ",\"usage\":{\"source\":\"rusage\"}}");
	usage = (struct audit_usage){ .by_cgroup = true,
				      .cpu_usec = 30,
				      .user_usec = 20,
				      .system_usec = 10,
				      .memory_peak = 1 << 25,
				      .max_rss = 4096,
				      .read_bytes = 5,
				      .write_bytes = AUDIT_UNKNOWN,
				      .pids_peak = 3,
				      .oom_kills = 0 };
	check_usage(
		"used", &usage,
		",\"usage\":{\"source\":\"cgroup\",\"cpu_usec\":30,\"user_usec\":20,\"system_"
		"usec\":10,"
		"\"memory_peak\":33554432,\"max_rss\":4096,\"io\":{\"rbytes\":5},\"pids_peak\":3,"
		"\"oom_kills\":0}}");
}

static void many_arguments_are_cut_and_said(void **state)
{
	static const char *argv[10001];
	static char big[70000];
	const char *spec = file_spec("argv");
	struct audit_start start = { .sandbox = "00000000000000b0", .policy = "p", .argv = argv };
	struct verify_result result;
	struct audit *audit;
	uint64_t n;

	(void)state;
	memset(big, '\x01', sizeof(big) - 1);
	for (size_t i = 0; i < 10000; i++)
		argv[i] = i == 5 ? big : "argument";
	assert_int_equal(audit_new(&spec, 1, &audit, NULL), 0);
	assert_int_equal(audit_begin(audit, &start, NULL), 0);
	end(audit, NULL);
	assert_int_equal(sum_of(in_dir("argv"), "open", "argv_count", &n), 10000);
	is_whole(in_dir("argv"), &result);
}

/* A real notification: comm, exe, pid and the path come from a process that waits for us. */
static void a_live_process_is_described(void **state)
{
	char path[] = "/etc/\x1b[31mhostile\n";
	struct seccomp_notif notif = { .data.args = { 0 } };
	struct audit_denial d = {
		.notif = &notif, .notify_fd = 0, .errno_value = EACCES, .abi = ABI_NATIVE
	};
	struct format_id id = { .sandbox = "00000000000000b1", .policy = "p", .digest = "0" };
	char body[FORMAT_BODY];
	pid_t pid = fork();
	json_object *o, *v;
	size_t n;

	(void)state;
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	notif.pid = (uint32_t)pid;
	notif.data.args[0] = (uint64_t)(int64_t)AT_FDCWD;
	notif.data.args[1] = (uint64_t)(uintptr_t)path;
	d.nr = nr_of("openat");
	/* Descriptor 0 is no listener: the kernel cannot say that the call still waits, so nothing
	 * that was read may be kept. */
	n = format_denial(body, sizeof(body), &id, &d);
	assert_true(n > 0);
	o = json_tokener_parse(body);
	assert_non_null(o);
	assert_false(json_object_object_get_ex(o, "comm", &v));
	assert_true(json_object_object_get_ex(o, "note", &v));
	assert_true(json_object_object_get_ex(o, "syscall", &v));
	json_object_put(o);
	assert_null(strstr(body, "hostile"));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_denial_one_record),
		cmocka_unit_test(counts_are_exact),
		cmocka_unit_test(keys_beyond_the_table_are_counted),
		cmocka_unit_test(nothing_can_be_forged),
		cmocka_unit_test(what_was_used_is_told),
		cmocka_unit_test(many_arguments_are_cut_and_said),
		cmocka_unit_test(a_live_process_is_described),
		cmocka_unit_test(counted_denials_are_quick),
		cmocka_unit_test(full_records_are_quick),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
