// SPDX-License-Identifier: Apache-2.0
/*
 * OCI profiles: what an import means against libseccomp's program of the same profile, entry by
 * entry and for the profiles that containers run with; refusals with their places. The profiles
 * come from Debian's packages (tools/install-deps test) to tests/.cache, or lie in the directory
 * CORDON_TEST_PROFILES.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <fcntl.h>
#include <linux/audit.h>

#include "profiles/seccomp.h"
#include "tests/unit/import_case.h"
#include "tests/unit/oci_compare.h"

/* --- one entry at a time, beside libseccomp's answer --- */

struct row {
	const char *entries, *call;
	uint64_t args[6];
	const char *want;
};

#define ENTRY(names, action, rest)                                                                 \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\"" rest "}"
#define ARG(index, op, value)                                                                      \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value "}"
#define MASKED(index, mask, value)                                                                 \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":" #mask                     \
	",\"valueTwo\":" #value "}"
#define ARGS(list)	  ",\"args\":[" list "]"
#define SOCKET(op, value) ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, op, value)))

static const struct row rows[] = {
	{ SOCKET("EQ", 2), "socket", { 2 }, "allow" },
	{ SOCKET("EQ", 2), "socket", { 3 }, "EACCES" },
	{ SOCKET("NE", 2), "socket", { 2 }, "EACCES" },
	{ SOCKET("NE", 2), "socket", { 3 }, "allow" },
	{ SOCKET("LT", 2), "socket", { 1 }, "allow" },
	{ SOCKET("LT", 2), "socket", { 2 }, "EACCES" },
	/* without sign: a domain of -1 is no small number */
	{ SOCKET("LT", 38), "socket", { 0xffffffff }, "EACCES" },
	{ SOCKET("GT", 40), "socket", { 0xffffffff }, "allow" },
	{ SOCKET("LT", 4294967295), "socket", { 0xfffffffe }, "allow" },
	{ SOCKET("LE", 2), "socket", { 2 }, "allow" },
	{ SOCKET("LE", 2), "socket", { 3 }, "EACCES" },
	{ SOCKET("GT", 2), "socket", { 2 }, "EACCES" },
	{ SOCKET("GE", 2), "socket", { 2 }, "allow" },
	{ SOCKET("GE", 2), "socket", { 1 }, "EACCES" },
	{ SOCKET("GE", 2147483648), "socket", { 0x80000000 }, "allow" },
	{ SOCKET("GE", 2147483648), "socket", { 0x7fffffff }, "EACCES" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 15, 1))), "socket", { 0, 0x801 }, "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 15, 1))), "socket", { 0, 0x802 }, "EACCES" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 15, 17))), "socket", { 0, 0x801 }, "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 4294967295, 1))),
	  "socket",
	  { 0, 1 },
	  "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 0, 0))), "socket", { 0, 1 }, "allow" },
	/* 64 bits */
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "GT", 4294967296))),
	  "lseek",
	  { 0, 0x100000001 },
	  "allow" },
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "GT", 4294967296))),
	  "lseek",
	  { 0, 0x100000000 },
	  "EACCES" },
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "GT", 4294967296))),
	  "lseek",
	  { 0, UINT64_MAX },
	  "allow" },
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "EQ", 18446744073709551615))),
	  "lseek",
	  { 0, UINT64_MAX },
	  "allow" },
	/* all conditions of an entry; but two on one argument are rules of their own */
	{ ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 2) "," ARG(1, "EQ", 1))),
	  "socket",
	  { 2, 1 },
	  "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 2) "," ARG(1, "EQ", 1))),
	  "socket",
	  { 2, 2 },
	  "EACCES" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 2) "," ARG(0, "EQ", 1))),
	  "socket",
	  { 1 },
	  "allow" },
	{ ENTRY("\"socket\"", "ALLOW",
		ARGS(ARG(0, "EQ", 2) "," ARG(0, "EQ", 1) "," ARG(1, "EQ", 5))),
	  "socket",
	  { 9, 5 },
	  "allow" },
	/* one without conditions replaces the others, the first of several stays */
	{ SOCKET("EQ", 2) "," ENTRY("\"socket\"", "KILL_PROCESS", ""), "socket", { 2 }, "kill" },
	{ ENTRY("\"socket\"", "KILL_PROCESS", "") "," SOCKET("EQ", 2), "socket", { 2 }, "kill" },
	{ ENTRY("\"socket\"", "ALLOW", "") "," ENTRY("\"socket\"", "KILL_PROCESS", ""),
	  "socket",
	  { 2 },
	  "allow" },
	/* one with the default's action is dropped */
	{ ENTRY("\"socket\"", "ERRNO", ",\"errnoRet\":13") "," SOCKET("EQ", 2),
	  "socket",
	  { 2 },
	  "allow" },
	{ ENTRY("\"socket\"", "ERRNO", ",\"errnoRet\":1") "," SOCKET("EQ", 2),
	  "socket",
	  { 2 },
	  "EPERM" },
	/* actions */
	{ ENTRY("\"socket\"", "ERRNO", ""), "socket", { 0 }, "EPERM" },
	{ ENTRY("\"socket\"", "ERRNO", ",\"errnoRet\":38"), "socket", { 0 }, "ENOSYS" },
	{ ENTRY("\"socket\"", "KILL", ""), "socket", { 0 }, "kill" },
	{ ENTRY("\"socket\"", "KILL_THREAD", ""), "socket", { 0 }, "kill" },
	{ ENTRY("\"socket\"", "TRAP", ""), "socket", { 0 }, "kill" },
	{ ENTRY("\"socket\"", "LOG", ""), "socket", { 0 }, "allow" },
};

static void test_entries(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct import_options options = import_case_options();
		struct comparison c = { .asked = 0 };
		json_object *profile;
		struct imported one;
		struct reference ref;
		char text[2048];

		(void)snprintf(text, sizeof(text),
			       "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13,"
			       "\"syscalls\":[%s]}",
			       rows[i].entries);
		one = import_case(IMPORT_OCI, text, &options);
		if (one.r < 0)
			fail_msg("%s\n%s", text, one.result.notes.data);
		expect_verdict(&one, rows[i].call, ABI_X86_64, rows[i].args, rows[i].want);
		profile = json_tokener_parse(text);
		assert_non_null(profile);
		ref = reference_build(profile, none, 6 * 256 + 18, false);
		c.policy = one.policy;
		c.ref = &ref;
		ask(&c, syscall_by_name(rows[i].call), ABI_X86_64, rows[i].args);
		compare_all(&c, profile, false);
		if (c.differences)
			fail_msg("%s", text);
		json_object_put(profile);
		reference_done(&ref);
		imported_done(&one);
	}
}

/* What depends on the container, and what libseccomp has no answer for. */
static void test_conditions(void **state)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_KILL\",\"archMap\":[{"
		"\"architecture\":\"SCMP_ARCH_"
		"X86_64\","
		"\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":"
		"[" ENTRY("\"mount\"", "ALLOW", ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}") "," ENTRY("\"ptrace\"", "ALLOW", ",\"includes\":{\"minKernel\":\"4.8\"}") "," ENTRY(
			"\"read\"", "ALLOW",
			",\"excludes\":{"
			"\"caps\":[\"CAP_SYS_"
			"ADMIN\"]}") "," ENTRY("\"write\"", "ALLOW",
					       ",\"includes\":{\"arches\":["
					       "\"arm64\"]}") "," ENTRY("\"socke"
									"t\","
									"\"send"
									"\","
									"\"s390_"
									"sthyi"
									"\"",
									"ALLOW", "") "]}";
	struct import_options options = import_case_options();
	const uint64_t none[6] = { 0 }, one[6] = { 1 }, nine[6] = { 9 };
	struct imported i;

	(void)state;
	i = import_case(IMPORT_OCI, text, &options);
	expect_verdict(&i, "mount", ABI_X86_64, none, "kill");
	expect_verdict(&i, "ptrace", ABI_X86_64, none, "allow");
	expect_verdict(&i, "read", ABI_X86_64, none, "allow");
	expect_verdict(&i, "write", ABI_X86_64, none, "kill");
	/* i386 makes the same calls by socketcall, and is opened */
	expect_verdict(&i, "socket", ABI_I386, none, "allow");
	expect_verdict(&i, "socketcall", ABI_I386, one, "allow");
	/* send() is sendto() without an address, which the default kills */
	expect_verdict(&i, "socketcall", ABI_I386, nine, "kill");
	expect_verdict(&i, "socketcall", ABI_I386, none, "kill");
	assert_non_null(strstr(i.result.notes.data, "t:/syscalls/0: warning: left out"));
	assert_non_null(strstr(i.result.notes.data, "s390_sthyi: no call here (s390)"));
	imported_done(&i);
	options.caps = UINT64_C(1) << 21;
	options.kernel = KERNEL(4, 7);
	i = import_case(IMPORT_OCI, text, &options);
	expect_verdict(&i, "mount", ABI_X86_64, none, "allow");
	expect_verdict(&i, "ptrace", ABI_X86_64, none, "kill");
	expect_verdict(&i, "read", ABI_X86_64, none, "kill");
	imported_done(&i);
	options.arch = ABI_AARCH64;
	i = import_case(IMPORT_OCI, text, &options);
	expect_verdict(&i, "write", ABI_AARCH64, none, "allow");
	expect_verdict(&i, "write", ABI_I386, none, "ENOSYS");
	imported_done(&i);
}

static void test_refusals(void **state)
{
#define PROFILE(entries) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" entries "]}"
	static const char *const cases[][2] = {
		{ "", "t:1:1: error: the JSON ends too early" },
		{ "[]", "t:/: error: is no object" },
		{ "{\n \"defaultAction\": nil}", "t:2:" },
		{ "{} x", "t:1:" },
		{ "{}", "t:/defaultAction: error: is missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_MAYBE\"}",
		  "t:/defaultAction: error: there is no action" },
		{ "{\"defaultAction\":1}", "t:/defaultAction: error: is no string" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0}",
		  "error: error 0" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":-1}",
		  "error: is no whole number" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EBROKEN\"}",
		  "error: there is no error 'EBROKEN'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EPERM\","
		  "\"defaultErrnoRet\":2}",
		  "differ" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_VAX\"]}",
		  "t:/architectures/0: error: there is no architecture" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		  "\"archMap\":[]}",
		  "error: there are both" },
		{ PROFILE("1"), "t:/syscalls/0: error: is no object" },
		{ PROFILE("{\"names\":[\"read\"]}"), "t:/syscalls/0: error: is missing" },
		{ PROFILE("{\"action\":\"SCMP_ACT_ALLOW\"}"),
		  "t:/syscalls/0: error: names no call" },
		{ PROFILE(ENTRY("\"raed\"", "ALLOW", "")),
		  "t:/syscalls/0/names/0: error: there is no system call 'raed' (did you mean "
		  "'read'?)" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"name\":\"write\"")),
		  "has both name and names" },
		/* a misspelt member may have been a condition */
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"arg\":[]")),
		  "t:/syscalls/0: error: 'arg' is no member" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"args\":{}")),
		  "/args: error: is no array" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS("{\"index\":0}"))),
		  "t:/syscalls/0/args/0: error: lacks" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(6, "EQ", 1)))), "from 0 to 5" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "ALMOST", 1)))),
		  "error: there is no operator" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 18446744073709551616)))),
		  "error: a number of more than 64 bits" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 1.5)))),
		  "is no whole number" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(5, "EQ", 1)))),
		  "/args/0: error: socket: argument 5 is no argument" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ARGS(ARG(1, "EQ", 0)))),
		  "/args/0: error: read: argument 1 is an address" },
		{ PROFILE(ENTRY("\"chmod\"", "ALLOW", ARGS(ARG(1, "LT", 8)))), "is a file mode" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "LT", 4294967296)))),
		  "has 32 bits" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"includes\":{\"caps\":[\"CAP_X\"]}")),
		  "/includes: error: there is no capability" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"includes\":{\"minKernel\":\"new\"}")),
		  "is no kernel version" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"includes\":{\"cap\":[]}")),
		  "is no member" },
		{ PROFILE(ENTRY("\"read\"", "ERRNO", ",\"errnoRet\":4000")),
		  "error 4000 has no name" },
	};
	char deep[512];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused(IMPORT_OCI, cases[i][0], cases[i][1]);
	while (n < 2 * LIMIT_IMPORT_DEPTH)
		deep[n++] = '[';
	deep[n] = '\0';
	expect_refused(IMPORT_OCI, deep, "nesting");
}

/* --- the profiles that containers run with --- */

static char *read_profile(const char *name)
{
	const char *dir = getenv("CORDON_TEST_PROFILES");
	char path[LIMIT_PATH];
	char *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/.cache/profiles", name);
	if (fd_read_file_at(AT_FDCWD, path, LIMIT_IMPORT_BYTES, &text, &len) < 0) {
		print_message("%s is not there: tools/install-deps test\n", path);
		skip();
	}
	return text;
}

static void check_profile(const char *name)
{
	static const char *const caps[][3] = {
		{ NULL },
		{ "CAP_SYS_ADMIN" },
		{ "CAP_SYS_PTRACE" },
		{ "CAP_SYS_CHROOT" },
		{ "CAP_SYS_MODULE" },
		{ "CAP_DAC_READ_SEARCH" },
		{ "CAP_SYS_TIME" },
		{ "CAP_AUDIT_WRITE" },
		{ "CAP_BPF" },
		{ "CAP_PERFMON" },
		{ "CAP_SYS_NICE", "CAP_SYSLOG" },
		{ "CAP_SYS_ADMIN", "CAP_AUDIT_WRITE" },
	};
	static const int kernels[] = { 4 * 256 + 7, 6 * 256 + 18 };
	char *text = read_profile(name);
	json_object *profile = json_tokener_parse(text);
	unsigned long asked = 0, newer = 0, detours = 0;
	unsigned unknown = 0;

	assert_non_null(profile);
	for (size_t i = 0; i < ARRAY_SIZE(caps) * 2; i++) {
		struct import_options options = import_case_options();
		struct seccomp_program program = { .n = 0 };
		struct comparison c = { .asked = 0 };
		struct reference ref;
		struct imported imported;
		struct err err = ERR_INIT;

		for (const char *const *cap = caps[i / 2]; *cap; cap++) {
			uint64_t bit = (uint64_t)(strcmp(*cap, "CAP_SYS_ADMIN") == 0 ? 21 : 0);
			static const struct {
				const char *name;
				unsigned bit;
			} bits[] = { { "CAP_DAC_READ_SEARCH", 2 },
				     { "CAP_SYS_MODULE", 16 },
				     { "CAP_SYS_CHROOT", 18 },
				     { "CAP_SYS_PTRACE", 19 },
				     { "CAP_SYS_ADMIN", 21 },
				     { "CAP_SYS_NICE", 23 },
				     { "CAP_SYS_TIME", 25 },
				     { "CAP_AUDIT_WRITE", 29 },
				     { "CAP_SYSLOG", 34 },
				     { "CAP_PERFMON", 38 },
				     { "CAP_BPF", 39 } };

			for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
				if (strcmp(bits[b].name, *cap) == 0)
					bit = bits[b].bit;
			}
			options.caps |= UINT64_C(1) << bit;
		}
		options.kernel = (uint16_t)kernels[i % 2];
		imported = import_case(IMPORT_OCI, text, &options);
		if (imported.r < 0)
			fail_msg("%s", imported.result.notes.data);
		ref = reference_build(profile, caps[i / 2], kernels[i % 2], true);
		c.policy = imported.policy;
		c.ref = &ref;
		compare_all(&c, profile, true);
		if (c.differences)
			fail_msg("%s: %lu differences", name, c.differences);
		assert_int_equal(seccomp_generate(imported.policy, &program, &err), 0);
		seccomp_program_done(&program);
		asked += c.asked;
		newer += c.newer;
		detours += c.detours;
		unknown = ref.unknown;
		reference_done(&ref);
		imported_done(&imported);
	}
	print_message(
		"%s: %lu verdicts equal, but for %lu of calls that libseccomp lacks (%u names) "
		"and %lu ways round a condition that are closed\n",
		name, asked - newer - detours, newer, unknown, detours);
	json_object_put(profile);
	free(text);
}

static void test_moby(void **state)
{
	(void)state;
	check_profile("moby.json");
}

static void test_containers_common(void **state)
{
	(void)state;
	check_profile("containers-common.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),		  cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_refusals),	  cmocka_unit_test(test_moby),
		cmocka_unit_test(test_containers_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
