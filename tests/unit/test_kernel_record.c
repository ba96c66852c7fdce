// SPDX-License-Identifier: Apache-2.0
/* The kernel's audit records as text. Those marked "seen" came out of guests with Linux 6.1, 6.12
 * and 7.3; the others are what an attacker would like them to be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/format.h"
#include "audit/recorded.h"
#include "base/fd.h"

static struct kernel_record record;

static void parse(unsigned type, const char *text)
{
	if (kernel_record_parse(type, text, strlen(text), &record) < 0)
		fail_msg("is no record: %s", text);
}

static void assert_value(const char *key, const char *want)
{
	const struct kernel_field *f = kernel_record_get(&record, key);
	char text[4096];
	bool whole;
	size_t n;

	if (!f)
		fail_msg("has no %s", key);
	n = kernel_field_bytes(f, text, sizeof(text) - 1, &whole);
	text[n] = '\0';
	assert_true(whole);
	assert_string_equal(text, want);
}

/* seen */
#define APPARMOR                                                                                   \
	"audit(1795941827.584:8): apparmor=\"DENIED\" operation=\"open\" class=\"file\" "          \
	"profile=\"collect-a\" name=\"/etc/hosts\" pid=103 comm=\"cat\" requested_mask=\"r\" "     \
	"denied_mask=\"r\" fsuid=1001 ouid=0"
#define LANDLOCK                                                                                   \
	"audit(1795941892.956:11): domain=1c088ea95 blockers=fs.execute path=\"/tmp/t\" "          \
	"dev=\"tmpfs\" ino=19"
#define DOMAIN                                                                                     \
	"audit(1795941892.956:11): domain=1c088ea95 status=allocated mode=enforcing pid=125 "      \
	"uid=1001 exe=\"/usr/local/bin/cordon\" comm=\"cordon\""
#define SECCOMP                                                                                    \
	"audit(1795941833.484:11): auid=4294967295 uid=1001 gid=1001 ses=4294967295 "              \
	"subj=unconfined pid=125 comm=\"killx\" exe=\"/tmp/killx\" sig=31 arch=c000003e "          \
	"syscall=110 compat=0 ip=0x7ffff7ed3829 code=0x80000000"
#define SYSCALL                                                                                    \
	"audit(1795941827.584:8): arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c "      \
	"a1=7fffffffef08 a2=0 a3=0 items=0 ppid=93 pid=103 auid=4294967295 uid=1001 gid=1001 "     \
	"euid=1001 suid=1001 fsuid=1001 egid=1001 sgid=1001 fsgid=1001 tty=(none) "                \
	"ses=4294967295 comm=\"cat\" exe=\"/usr/bin/cat\" subj=collect-a key=(null)"
#define AVC                                                                                        \
	"audit(1795946000.100:40): avc:  denied  { read open } for  pid=300 comm=\"cat\" "         \
	"name=\"secret\" dev=\"tmpfs\" ino=50 scontext=all_u:all_r:box_t "                         \
	"tcontext=all_u:object_r:secret_t tclass=file permissive=0"

static void test_seen(void **state)
{
	uint64_t n;

	(void)state;
	parse(KERNEL_TYPE_LSM, APPARMOR);
	assert_true(record.denial);
	assert_int_equal(record.mechanism, KERNEL_APPARMOR);
	assert_int_equal(record.time_ms, 1795941827584);
	assert_int_equal(record.serial, 8);
	assert_value("name", "/etc/hosts");
	assert_int_equal(kernel_record_number(&record, "pid", 10, &n), 0);
	assert_int_equal(n, 103);

	parse(KERNEL_TYPE_LANDLOCK, LANDLOCK);
	assert_true(record.denial);
	assert_int_equal(record.mechanism, KERNEL_LANDLOCK);
	assert_int_equal(kernel_record_number(&record, "domain", 16, &n), 0);
	assert_int_equal(n, 0x1c088ea95);

	parse(KERNEL_TYPE_DOMAIN, DOMAIN);
	assert_false(record.denial);
	assert_value("status", "allocated");

	parse(KERNEL_TYPE_SECCOMP, SECCOMP);
	assert_true(record.denial);
	assert_int_equal(record.mechanism, KERNEL_SECCOMP);

	parse(KERNEL_TYPE_SYSCALL, SYSCALL);
	assert_false(record.denial);
	assert_int_equal(kernel_record_number(&record, "ppid", 10, &n), 0);
	assert_int_equal(n, 93);

	parse(KERNEL_TYPE_LSM, AVC);
	assert_true(record.denial);
	assert_int_equal(record.mechanism, KERNEL_SELINUX);
	assert_int_equal(record.access.len, strlen(" read open "));
	assert_value("scontext", "all_u:all_r:box_t");

	parse(KERNEL_TYPE_END, "audit(1795941827.584:8): ");
	assert_int_equal(record.n, 0);
}

/* What refuses nothing, or is not the kernel's to tell. */
static void test_no_denial(void **state)
{
	static const struct {
		unsigned type;
		const char *text;
	} no[] = {
		{ KERNEL_TYPE_LSM,
		  "audit(1.001:1): apparmor=\"ALLOWED\" operation=\"open\" pid=1" },
		{ KERNEL_TYPE_LSM,
		  "audit(1.001:1): apparmor=\"STATUS\" operation=\"profile_load\"" },
		{ KERNEL_TYPE_LSM,
		  "audit(1.001:1): avc:  denied  { read } for  pid=1 permissive=1" },
		{ KERNEL_TYPE_LSM, "audit(1.001:1): avc:  granted  { read } for  pid=1" },
		{ KERNEL_TYPE_LSM, "audit(1.001:1): comm=\"apparmor=DENIED\" pid=1" },
		{ KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=0 code=0x7ffc0000" },
		{ KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=0 code=0x7fc00000" },
		{ KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=0 code=0x7fff0000" },
		{ KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=0 code=80000000" },
		{ KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=0 code=0x180000000" },
		{ KERNEL_TYPE_LANDLOCK, "audit(1.001:1): domain=1" },
		/* what any process with CAP_AUDIT_WRITE can say */
		{ 1107, APPARMOR },
		{ 1112, SECCOMP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		parse(no[i].type, no[i].text);
		if (record.denial)
			fail_msg("is taken for a denial: %s", no[i].text);
	}
	parse(KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=0 code=0x50001");
	assert_true(record.denial);
	parse(KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 sig=31 code=0x30000");
	assert_true(record.denial);
	parse(KERNEL_TYPE_LSM, "audit(1.001:1): avc:  denied  { read } for  pid=1");
	assert_true(record.denial);
	parse(KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"KILLED\" pid=1");
	assert_true(record.denial);
}

static void test_form(void **state)
{
	static const char *const bad[] = {
		"",
		"audit",
		"audit(",
		"audit(1.2:3) x=1",
		"audit(.002:3): x=1",
		"audit(1.1000:3): x=1",
		"audit(99999999999999999999.001:3): x=1",
		"audit(9223372036854775807.001:3): x=1",
		"audit(1.001:99999999999999999999): x=1",
		"audit(-1.001:3): x=1",
		" audit(1.001:3): x=1",
		"audit(1.001:3): x=\"open",
		"audit(1.001:3): x=\"a\"b",
		"audit(1.001:3): avc:  denied  { read",
	};
	static char many[8192];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (kernel_record_parse(KERNEL_TYPE_LSM, bad[i], strlen(bad[i]), &record) !=
		    -EINVAL)
			fail_msg("is taken: %s", bad[i]);
	}
	parse(KERNEL_TYPE_LSM, "audit(1.001:3):x=1  y=\"\"   = =z w=\xff\xfe v");
	assert_value("x", "1");
	assert_value("y", "");
	assert_value("w", "\xff\xfe");
	assert_int_equal(record.n, 3);
	len = (size_t)snprintf(many, sizeof(many), "audit(1.001:3): ");
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "k%d=%d ", i, i);
	parse(KERNEL_TYPE_LSM, many);
	assert_int_equal(record.n, KERNEL_FIELDS);
}

/* Names that an attacker gives: the kernel writes what is not plain in hex, and the first of two
 * fields counts. */
static void test_names(void **state)
{
	const struct kernel_field *f;
	char text[4];
	bool whole;

	(void)state;
	parse(KERNEL_TYPE_LSM, "audit(1.001:3): apparmor=\"DENIED\" pid=7 "
			       "comm=7820706964_ name=2F746D702F782220706964_ pid=8");
	assert_value("pid", "7");
	/* no even number of hex digits: as it stands */
	assert_value("comm", "7820706964_");
	parse(KERNEL_TYPE_LSM, "audit(1.001:3): apparmor=\"DENIED\" comm=782070696422 "
			       "name=2F746D702F610A62 pid=12 profile=\"ab\" ino=1234");
	assert_value("comm", "x pid\"");
	assert_value("name", "/tmp/a\nb");
	assert_value("ino", "1234"); /* a number, though of hex digits */
	/* quoted digits are digits */
	parse(KERNEL_TYPE_LSM, "audit(1.001:3): comm=\"61\" exe=? key=(null)");
	assert_value("comm", "61");
	assert_value("exe", "");
	assert_value("key", "");
	parse(KERNEL_TYPE_LSM, "audit(1.001:3): comm=616263646566");
	f = kernel_record_get(&record, "comm");
	assert_int_equal(kernel_field_bytes(f, text, sizeof(text), &whole), 4);
	assert_false(whole);
	assert_memory_equal(text, "abcd", 4);
}

static void test_numbers(void **state)
{
	uint64_t n = 5;

	(void)state;
	parse(KERNEL_TYPE_LSM, "audit(1.001:3): a=-1 b=1x c=18446744073709551616 d=\"1\" "
			       "e=18446744073709551615 f=ffffffffffffffff g= h=10000000000000000");
	assert_int_equal(kernel_record_number(&record, "a", 10, &n), -EINVAL);
	assert_int_equal(kernel_record_number(&record, "b", 10, &n), -EINVAL);
	assert_int_equal(kernel_record_number(&record, "c", 10, &n), -EINVAL);
	assert_int_equal(kernel_record_number(&record, "d", 10, &n), -EINVAL);
	assert_int_equal(kernel_record_number(&record, "g", 10, &n), -EINVAL);
	assert_int_equal(kernel_record_number(&record, "h", 16, &n), -EINVAL);
	assert_int_equal(kernel_record_number(&record, "z", 10, &n), -ENOENT);
	assert_int_equal(n, 5);
	assert_int_equal(kernel_record_number(&record, "e", 10, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(kernel_record_number(&record, "f", 16, &n), 0);
	assert_true(n == UINT64_MAX);
}

/* --- as records of ours -------------------------------------------------------------------- */

static const struct format_id id = { "0123456789abcdef", "test", "0123456789ab" };
static char body[FORMAT_BODY];
static struct recorded recorded;

static void format(unsigned type, const char *text)
{
	const struct format_kernel k = { &record, COLLECTED_BY_PID, 3, ENOTTY };
	size_t n;

	parse(type, text);
	n = format_kernel_denial(body, sizeof(body), &id, &k);
	assert_true(n > 0 && n < sizeof(body));
	assert_int_equal(recorded_read(body, n, &recorded), 0);
	assert_int_equal(recorded.type, RECORDED_DENIAL);
}

static void assert_has(const char *piece)
{
	if (!strstr(body, piece))
		fail_msg("no %s in %s", piece, body);
}

static void test_format(void **state)
{
	(void)state;
	format(KERNEL_TYPE_LSM, APPARMOR);
	assert_has("\"mechanism\":\"apparmor\",\"joined\":\"pid\",\"kernel\":{\"type\":1400,"
		   "\"serial\":8,"
		   "\"time\":\"2026-11-29T08:43:47.584000000Z\"}");
	assert_has("\"pid\":3,\"pid_outside\":103,\"uid\":1001,\"operation\":\"open\",\"access\":["
		   "\"r\"]");
	assert_has("\"comm\":\"cat\"");
	assert_has("\"path\":\"/etc/hosts\"");
	assert_has("\"label\":\"collect-a\"");
	assert_has("\"fields\":{\"class\":\"file\",\"requested_mask\":\"r\",\"fsuid\":\"1001\","
		   "\"ouid\":\"0\"}");
	assert_null(strstr(body, "answer"));

	format(KERNEL_TYPE_LANDLOCK, LANDLOCK);
	assert_has("\"operation\":\"fs\",\"access\":[\"execute\"],\"path\":\"/tmp/t\"");
	assert_has("\"domain\":\"1c088ea95\"");

	format(KERNEL_TYPE_SECCOMP, SECCOMP);
	assert_has("\"syscall\":{\"name\":\"getppid\",\"nr\":110,\"abi\":\"x86_64\"},\"answer\":{"
		   "\"kill\":true}");
	assert_false(recorded.by_seccomp); /* it may be another filter's */

	format(KERNEL_TYPE_LSM, AVC);
	assert_has("\"operation\":\"file\",\"access\":[\"read\",\"open\"]");
	assert_has("\"label\":\"all_u:all_r:box_t\"");
	assert_has("\"name\":\"secret\"");

	format(KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 arch=c000003e syscall=39 code=0x5000d");
	assert_has("\"answer\":{\"errno\":\"EACCES\",\"nr\":13}");
	/* as the kernel writes it */
	format(KERNEL_TYPE_SECCOMP, "audit(1.001:1): pid=1 arch=c000003e syscall=39 code=0x50000");
	assert_has("\"answer\":{\"errno\":\"ENOTTY\",\"nr\":25}");
	format(KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"DENIED\" operation=\"capable\" pid=1 "
				"capability=21  capname=\"sys_admin\"");
	assert_has("\"operation\":\"capable\",\"access\":[\"sys_admin\"]");
	format(KERNEL_TYPE_LANDLOCK,
	       "audit(1.001:1): domain=5 blockers=fs.refer,fs.make_reg path=\"/x\"");
	assert_has("\"access\":[\"refer\",\"make_reg\"]");
	format(KERNEL_TYPE_LANDLOCK, "audit(1.001:1): domain=5 blockers=ptrace opid=1 ocomm=\"a\"");
	assert_has("\"operation\":\"ptrace\",\"access\":[\"ptrace\"]");
}

/* Nothing that a name holds ends a string, names a field or drives a terminal. */
static void test_format_hostile(void **state)
{
	static char text[KERNEL_RECORD_MAX];
	size_t len;

	(void)state;
	format(KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"DENIED\" operation=\"a\\b\" pid=1 "
				"comm=1B5B33316D220A5C ev\"il=1 evil-key=\"\\u0022\"");
	assert_has("\"operation\":\"a?b\"");
	assert_has("\"comm\":\"\\\\x1b[31m\\\"\\\\x0a\\\\\\\\\"");

	/* the longest name there is, in hex, is told in part, and said to be */
	len = (size_t)snprintf(
		text, sizeof(text),
		"audit(1.001:1): apparmor=\"DENIED\" operation=\"open\" pid=1 name=");
	for (int i = 0; i < 4095; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "FF");
	len += (size_t)snprintf(text + len, sizeof(text) - len, " target=");
	for (int i = 0; i < 4095; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "0A");
	format(KERNEL_TYPE_LSM, text);
	assert_has("\"note\":\"too long to be shown\"");
	assert_has("\"path\":\"\\\\xff\\\\xff");
}

static void test_operation(void **state)
{
	char text[FORMAT_OPERATION];

	(void)state;
	parse(KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"DENIED\" pid=1");
	format_kernel_operation(&record, text);
	assert_string_equal(text, "?");
	parse(KERNEL_TYPE_LSM, "audit(1.001:1): apparmor=\"DENIED\" operation=\""
			       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\"");
	format_kernel_operation(&record, text);
	assert_int_equal(strlen(text), FORMAT_OPERATION - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seen),	       cmocka_unit_test(test_no_denial),
		cmocka_unit_test(test_form),	       cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),	       cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_hostile), cmocka_unit_test(test_operation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
