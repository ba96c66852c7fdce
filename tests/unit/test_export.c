// SPDX-License-Identifier: Apache-2.0
/* What readers take out of a line, and what they write for other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/export.h"
#include "base/limits.h"

static int read_line(const char *line, struct recorded *ret)
{
	return recorded_read(line, strlen(line), ret);
}

#define CALL   "\"syscall\":{\"name\":\"mount\",\"nr\":165,\"abi\":\"x86_64\"},"
#define ARGS   "\"args\":[\"0x1\",\"0xffffffffffffffff\",\"0x0\",\"0x7\",\"0x0\"],"
#define ANSWER "\"answer\":{\"errno\":\"EPERM\",\"nr\":1},\"rule\":\"/p/x.policy:4\",\"count\":1}"
#define HEAD                                                                                       \
	"{\"v\":1,\"seq\":9,\"prev\":\"0\",\"type\":\"denial\",\"time\":"                          \
	"\"2026-01-31T12:00:00.123456789Z\",\"mono\":5,\"sandbox\":\"00112233445566aa\","          \
	"\"policy\":\"p\",\"digest\":\"00112233aabb\",\"mechanism\":\"seccomp\",\"pid\":2,"        \
	"\"pid_outside\":77,\"uid\":1000,"
#define WHOLE HEAD "\"comm\":\"make\",\"exe\":\"/usr/bin/make\"," CALL ARGS ANSWER

static void test_read(void **state)
{
	struct recorded r;

	(void)state;
	assert_int_equal(read_line(WHOLE, &r), 0);
	assert_int_equal(r.type, RECORDED_DENIAL);
	assert_true(r.has_call && r.has_args && r.has_answer && r.by_seccomp && !r.kill);
	assert_string_equal(r.call->name, "mount");
	assert_int_equal(r.abi, ABI_X86_64);
	assert_true(r.args[1] == UINT64_MAX);
	assert_int_equal(r.args[3], 7);
	assert_int_equal(r.errno_value, 1);
	assert_int_equal(r.seq, 9);
	assert_int_equal(r.pid_outside, 77);
	assert_true(scan_is(&r.rule, "/p/x.policy:4"));
}

static void test_what_is_no_record(void **state)
{
	static const char *const lines[] = {
		"",
		"{}",
		"[]",
		"{\"type\":7}",
		"{\"type\":\"denial\"",
		"denial",
		"null",
		"{\"seq\":1}",
		"{\"type\":null}",
		WHOLE "x",
		"{ \"type\":\"denial\"}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};
	struct recorded r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(read_line(lines[i], &r), -22);
	assert_int_equal(recorded_read(NULL, 0, &r), -22);
}

/* Each says something else than it seems to, and is taken for what can be believed. */
static void test_forged(void **state)
{
	struct recorded r;

	(void)state;
	/* the name is another call's */
	assert_int_equal(read_line(HEAD "\"syscall\":{\"name\":\"read\",\"nr\":165,\"abi\":"
					"\"x86_64\"}," ARGS ANSWER,
				   &r),
			 0);
	assert_false(r.has_call);
	assert_null(r.call);
	assert_false(r.has_args);
	/* too few registers, one that is none, one that is too long */
	assert_int_equal(read_line(HEAD CALL "\"args\":[\"0x1\"]," ANSWER, &r), 0);
	assert_true(r.has_call && !r.has_args);
	assert_int_equal(read_line(HEAD CALL
				   "\"args\":[\"0x1\",\"0xg\",\"0x0\",\"0x7\",\"0x0\"]," ANSWER,
				   &r),
			 0);
	assert_false(r.has_args);
	assert_int_equal(read_line(HEAD CALL "\"args\":[\"0x11111111111111111\",\"0x0\",\"0x0\","
					     "\"0x7\",\"0x0\"]," ANSWER,
				   &r),
			 0);
	assert_false(r.has_args);
	/* the first of two members counts */
	assert_int_equal(read_line("{\"type\":\"denial\",\"type\":\"open\",\"rule\":\"a\","
				   "\"rule\":\"b\",\"count\":3,\"count\":4}",
				   &r),
			 0);
	assert_int_equal(r.type, RECORDED_DENIAL);
	assert_true(scan_is(&r.rule, "a"));
	assert_int_equal(r.count, 3);
	/* numbers that do not fit */
	assert_int_equal(
		read_line("{\"type\":\"denial\",\"seq\":99999999999999999999,\"syscall\":"
			  "{\"nr\":4294967461,\"abi\":\"x86_64\",\"name\":null},\"answer\":"
			  "{\"nr\":65537},\"count\":-1}",
			  &r),
		0);
	assert_int_equal(r.seq, 0);
	assert_null(r.call);
	assert_false(r.has_answer);
	assert_int_equal(r.count, 1);
	/* "native" is a policy's word, no log's */
	assert_int_equal(read_line("{\"type\":\"denial\",\"syscall\":{\"nr\":165,\"abi\":"
				   "\"native\",\"name\":\"mount\"}}",
				   &r),
			 0);
	assert_false(r.has_call);
}

static void test_paths(void **state)
{
	struct recorded r;
	char path[64];

	(void)state;
	assert_int_equal(read_line(HEAD CALL ARGS
				   "\"decoded\":{\"dev_name\":{\"path_as_read\":"
				   "\"/a\\\\x0a\\\\\\\\b\"},\"dir_name\":{\"path_as_read\":"
				   "\"/c\",\"length\":4096},\"type\":{\"path_as_read\":"
				   "\"/d\\\\x00\"}}," ANSWER,
				   &r),
			 0);
	assert_true(recorded_path(&r, 0, path, sizeof(path)));
	assert_string_equal(path, "/a\n\\b");
	assert_false(recorded_path(&r, 1, path, sizeof(path))); /* cut */
	assert_false(recorded_path(&r, 2, path, sizeof(path))); /* a NUL */
	assert_false(recorded_path(&r, 3, path, sizeof(path)));
	assert_false(recorded_path(&r, 99, path, sizeof(path)));
	assert_false(recorded_path(&r, 0, path, 4)); /* does not fit */
}

static void test_csv(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct recorded r;

	(void)state;
	assert_int_equal(read_line(WHOLE, &r), 0);
	assert_int_equal(export_csv(&out, &r), 0);
	assert_string_equal(out.data, "2026-01-31T12:00:00.123456789Z,00112233445566aa,9,denial,p,"
				      "00112233aabb,seccomp,mount,165,x86_64,,EPERM,"
				      "/p/x.policy:4,make,/usr/bin/make,2,77,1000,1\r\n");
	out.len = 0;
	assert_int_equal(read_line("{\"type\":\"open\"}", &r), 0);
	assert_int_equal(export_csv(&out, &r), 0);
	assert_int_equal(out.len, 0);
}

/* What a spreadsheet would compute, and what would end a cell or a line. */
static void test_csv_hostile(void **state)
{
	static const struct {
		const char *comm, *cell;
	} cases[] = {
		{ "=1+1", ",\"'=1+1\"," },
		{ "+cmd|' /C calc'!A0", ",\"'+cmd|" },
		{ "-2", ",\"'-2\"," },
		{ "@SUM(A1)", ",\"'@SUM(A1)\"," },
		{ "a,b", ",\"a,b\"," },
		{ "a\\\"b", ",\"a\"\"b\"," },
		{ "a\\nb", ",a\\x0ab," },
		{ "\\u001b[2J", ",\\x1b[2J," },
		{ "\\u202e", ",\\xe2\\x80\\xae," },
		{ "a=1", ",a=1," },
	};
	char line[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT;
		struct recorded r;

		(void)snprintf(line, sizeof(line), "%s\"comm\":\"%s\",%s", HEAD, cases[i].comm,
			       CALL ARGS ANSWER);
		assert_int_equal(read_line(line, &r), 0);
		assert_int_equal(export_csv(&out, &r), 0);
		if (!strstr(out.data, cases[i].cell))
			fail_msg("%s: %s", cases[i].comm, out.data);
		assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
	}
}

static void test_ausearch(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct recorded r;

	(void)state;
	assert_int_equal(read_line(WHOLE, &r), 0);
	assert_int_equal(export_ausearch(&out, &r), 0);
	assert_string_equal(out.data,
			    "type=SECCOMP msg=audit(1769860800.123:9): auid=4294967295 uid=1000 "
			    "gid=4294967295 ses=4294967295 pid=77 comm=\"make\" "
			    "exe=\"/usr/bin/make\" sig=0 arch=c000003e syscall=165 compat=0 ip=0x0 "
			    "code=0x50001 sandbox=\"00112233445566aa\" rule=\"/p/x.policy:4\" "
			    "count=1\n");
}

/* A name with a blank, a quote or a newline is in hex, so that no field and no line is forged. */
static void test_ausearch_hostile(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct recorded r;

	(void)state;
	assert_int_equal(read_line(HEAD "\"comm\":\"a\\\\x0a\\\" uid=0\"," CALL ARGS
					"\"answer\":{\"kill\":true},\"count\":1}",
				   &r),
			 0);
	assert_int_equal(export_ausearch(&out, &r), 0);
	assert_non_null(strstr(out.data, " comm=610A22207569643D30 exe=(null) sig=31 "));
	assert_non_null(strstr(out.data, " code=0x80000000 "));
	assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
	out.len = 0;
	/* the last of several calls has no place there */
	assert_int_equal(read_line("{\"type\":\"summary\",\"count\":5}", &r), 0);
	assert_int_equal(export_ausearch(&out, &r), 0);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	 cmocka_unit_test(test_what_is_no_record),
		cmocka_unit_test(test_forged),	 cmocka_unit_test(test_paths),
		cmocka_unit_test(test_csv),	 cmocka_unit_test(test_csv_hostile),
		cmocka_unit_test(test_ausearch), cmocka_unit_test(test_ausearch_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
