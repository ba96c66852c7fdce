// SPDX-License-Identifier: Apache-2.0
/*
 * minijail policies: what each statement comes to, mistakes with their places, files that include
 * others, and random policies against an evaluator of the test's own.
 * CORDON_RANDOM_POLICIES=N tries more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <unistd.h>

#include "tests/unit/import_case.h"
#include "tests/unit/import_random.h"

struct row {
	const char *source, *call;
	uint64_t args[6];
	const char *want;
};

static struct imported good(const char *source)
{
	struct import_options options = import_case_options();
	struct imported i = import_case(IMPORT_MINIJAIL, source, &options);

	if (i.r < 0)
		fail_msg("%s\n%s", source, i.result.notes.data);
	return i;
}

static void test_rows(void **state)
{
	static const struct row rows[] = {
		{ "read: 1", "read", { 0 }, "allow" },
		{ "read: 1", "write", { 0 }, "kill" },
		{ "  read  :  allow  # why", "read", { 0 }, "allow" },
		{ "0: 1", "read", { 0 }, "allow" },
		{ "read: return EACCES", "read", { 0 }, "EACCES" },
		{ "read: return 13", "read", { 0 }, "EACCES" },
		{ "read: return", "read", { 0 }, "kill" },
		{ "read: kill", "read", { 0 }, "kill" },
		{ "read: trap\nwrite: 1", "read", { 0 }, "kill" },
		{ "read: trace", "read", { 0 }, "ENOSYS" },
		{ "read: user-notify", "read", { 0 }, "ENOSYS" },
		{ "read: log", "read", { 0 }, "allow" },
		{ "kill: 1", "kill", { 0 }, "allow" },
		{ "@default trap\nread: 1", "write", { 0 }, "kill" },
		{ "@default user-notify\nread: 1", "write", { 0 }, "ENOSYS" },
		{ "@denylist\nread: return EPERM", "read", { 0 }, "EPERM" },
		{ "@denylist\nread: return EPERM", "write", { 0 }, "allow" },
		/* comparisons: without sign */
		{ "socket: arg0 == AF_UNIX", "socket", { 1 }, "allow" },
		{ "socket: arg0 == AF_UNIX", "socket", { 2 }, "kill" },
		{ "socket: arg0 != AF_UNIX", "socket", { 1 }, "kill" },
		{ "socket: arg0 < 3", "socket", { 2 }, "allow" },
		{ "socket: arg0 < 3", "socket", { 0xffffffff }, "kill" },
		{ "socket: arg0 >= 3", "socket", { 0xffffffff }, "allow" },
		{ "socket: arg0 <= 3", "socket", { 4 }, "kill" },
		{ "socket: arg0 > 3", "socket", { 4 }, "allow" },
		{ "socket: arg0 == -1", "socket", { UINT64_MAX }, "allow" },
		{ "socket: arg1 & 0x6", "socket", { 1, 2 }, "allow" },
		{ "socket: arg1 & 0x6", "socket", { 1, 9 }, "kill" },
		{ "socket: arg1 & 0", "socket", { 1, 9 }, "kill" },
		{ "socket: arg1 in 0x6", "socket", { 1, 4 }, "allow" },
		{ "socket: arg1 in 0x6", "socket", { 1, 0 }, "allow" },
		{ "socket: arg1 in 0x6", "socket", { 1, 12 }, "kill" },
		{ "socket: arg1 in ~4", "socket", { 1, 0x7ffffff3 }, "allow" },
		{ "socket: arg1 in ~4", "socket", { 1, 4 }, "kill" },
		{ "socket: arg1 in ~(4|8)", "socket", { 1, 3 }, "allow" },
		{ "socket: arg1 == 1|2", "socket", { 1, 3 }, "allow" },
		{ "lseek: arg1 == 0x100000000", "lseek", { 0, 0x100000000 }, "allow" },
		/* && binds closer than || */
		{ "socket: arg0 == 1 && arg1 == 2 || arg0 == 3", "socket", { 3, 9 }, "allow" },
		{ "socket: arg0 == 1 && arg1 == 2 || arg0 == 3", "socket", { 1, 9 }, "kill" },
		{ "socket: arg0 == 1 || \\\n arg0 == 3", "socket", { 3 }, "allow" },
		/* the manual's meaning outside of braces */
		{ "socket: arg0 == 1; return EPERM", "socket", { 1 }, "allow" },
		{ "socket: arg0 == 1; return EPERM", "socket", { 2 }, "EPERM" },
		/* the compiler's within */
		{ "socket: { arg0 == 1; return EPERM, allow }", "socket", { 1 }, "EPERM" },
		{ "socket: { arg0 == 1; return EPERM, allow }", "socket", { 2 }, "allow" },
		{ "socket: { arg0 == 1, arg0 == 2; return ENOSYS, trap }",
		  "socket",
		  { 1 },
		  "allow" },
		{ "socket: { arg0 == 1, arg0 == 2; return ENOSYS, trap }",
		  "socket",
		  { 2 },
		  "ENOSYS" },
		{ "socket: { arg0 == 1, arg0 == 2; return ENOSYS, trap }",
		  "socket",
		  { 3 },
		  "kill" },
		{ "socket: { arg0 == 1; kill }", "socket", { 2 }, "kill" },
		{ "{read, write}: 1", "write", { 0 }, "allow" },
		{ "read[arch=x86_64,arm]: 1", "read", { 0 }, "allow" },
		{ "read[arch=arm64]: 1\nwrite: 1", "read", { 0 }, "kill" },
		{ "socket: arg0 == 1\nsocket: arg0 == 2", "socket", { 2 }, "allow" },
		{ "@frequency ./x.freq\nread: 1", "read", { 0 }, "allow" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct imported one = good(rows[i].source);

		expect_verdict(&one, rows[i].call, ABI_X86_64, rows[i].args, rows[i].want);
		imported_done(&one);
	}
}

static void test_refusals(void **state)
{
	static const char *const cases[][2] = {
		{ "raed: 1",
		  "t:1:1: error: there is no system call 'raed' (did you mean 'read'?)" },
		{ "read: 1\n\nwrte: 1", "t:3:1: error: there is no system call 'wrte'" },
		{ "read", "t:1:5: error: ':' is missing" },
		{ "read:", "t:1:6: error: 1, an expression or an action is missing" },
		{ "read: 2", "t:1:7: error: 1, an expression or an action is missing" },
		{ "read: 1 1", "t:1:9: error: the line should end here" },
		{ "read: arg0 == 1 &&", "t:1:19: error: arg0 to arg5 is missing" },
		{ "read: arg6 == 1", "t:1:7: error: arg0 to arg5 is missing" },
		{ "read: arg0", "t:1:11: error: a comparison is missing" },
		{ "read: arg0 = 1", "t:1:12: error: a comparison is missing" },
		{ "read: arg0 ==", "error: a number or a constant is missing" },
		{ "read: arg0 == NOTHING", "error: 'NOTHING' is no constant" },
		{ "read: arg0 == (1", "error: ')' is missing" },
		{ "read: arg0 == 1 | ", "error: a number or a constant is missing" },
		{ "read: arg0 == 0x", "error: no number" },
		{ "read: arg0 == 99999999999999999999", "error: the number is more than 64 bits" },
		{ "read: arg1 == 0", "t:1:7: error: read: argument 1 is an address" },
		{ "getpid: arg0 == 0", "error: getpid: argument 0 is no argument of the call" },
		{ "socket: arg0 < 0x100000000", "error: socket: argument 0 has 32 bits" },
		{ "read: return EBROKEN", "error: 'EBROKEN' is no constant" },
		{ "read: return 0", "error: error 0" },
		{ "read: return 70000", "error: no error has such a number" },
		{ "read: 1\nread: 1", "t:2:1: error: read: an earlier entry has decided it whole" },
		{ "read: { 1", "error: '}' is missing" },
		{ "{read, write: 1", "error: '}' is missing" },
		{ "read[arch=x86_64: 1", "error: ';' is missing" },
		{ "read[arch]: 1", "error: '=' is missing" },
		{ "100000: 1", "t:1:1: error: no system call has this number" },
		{ "a@b: 1", "error: 'a@b': groups of calls are defined outside" },
		{ "@default allow", "error: minijail has no default that allows" },
		{ "@include ./x", "error: files are not included here" },
		{ "@denylist\nraed: return EPERM", "error: there is no system call 'raed'" },
		{ "read: %", "t:1:7: error: '%' is not expected here" },
	};
	struct import_options options = import_case_options();
	struct imported two;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused(IMPORT_MINIJAIL, cases[i][0], cases[i][1]);
	/* one run names several */
	two = import_case(IMPORT_MINIJAIL, "raed: 1\nread: %\nwrite: 1\nopen: 2\n", &options);
	assert_int_equal(two.result.n_errors, 3);
	assert_non_null(strstr(two.result.notes.data, "t:4:7"));
	imported_done(&two);
}

/* A name that nobody has: left out of what allows, never of what denies. */
static void test_unknown(void **state)
{
	struct import_options options = import_case_options();
	struct imported i;

	(void)state;
	options.unknown_denied = true;
	i = import_case(IMPORT_MINIJAIL, "raed: 1\nread: 1\n", &options);
	assert_int_equal(i.r, 0);
	assert_non_null(strstr(i.result.text.data, "# left out, so denied: raed"));
	assert_non_null(strstr(i.result.notes.data, "t:1:1: warning: left out, so denied: raed"));
	imported_done(&i);
	i = import_case(IMPORT_MINIJAIL, "@denylist\nraed: return EPERM\n", &options);
	assert_int_equal(i.r, -EBADMSG);
	imported_done(&i);
	/* one of another architecture is no mistake */
	options.unknown_denied = false;
	i = import_case(IMPORT_MINIJAIL, "s390_sthyi: 1\nread: 1\n", &options);
	assert_int_equal(i.r, 0);
	assert_non_null(strstr(i.result.notes.data, "s390_sthyi: no call here (s390)"));
	imported_done(&i);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[LIMIT_PATH];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_includes(void **state)
{
	char dir[] = "/tmp/cordon-minijail.XXXXXX", path[LIMIT_PATH];
	static const char *const names[] = { "a", "loop" };
	struct import_options options = import_case_options();
	struct imported i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "a", "read: 1\nwrite: arg0 == 1\n");
	write_file(dir, "loop", "@include ./loop\n");
	(void)snprintf(path, sizeof(path), "%s/main", dir);
	options.path = path;
	options.includes = true;
	i = import_case(IMPORT_MINIJAIL, "@include ./a\nopen: 1\n", &options);
	assert_int_equal(i.r, 0);
	expect_verdict(&i, "read", ABI_X86_64, (uint64_t[6]){ 0 }, "allow");
	expect_verdict(&i, "write", ABI_X86_64, (uint64_t[6]){ 2 }, "kill");
	expect_verdict(&i, "open", ABI_X86_64, (uint64_t[6]){ 0 }, "allow");
	imported_done(&i);
	i = import_case(IMPORT_MINIJAIL, "@include ./loop\n", &options);
	assert_int_equal(i.r, -EBADMSG);
	assert_non_null(strstr(i.result.notes.data, "more than 16 files"));
	imported_done(&i);
	i = import_case(IMPORT_MINIJAIL, "@include ./none\n", &options);
	assert_int_equal(i.r, -EBADMSG);
	assert_non_null(strstr(i.result.notes.data, "No such file"));
	imported_done(&i);
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[n]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

/* --- random policies: alternatives of comparisons, each statement with an answer --- */

struct random_line {
	struct import_random_expression *atoms[3][2];
	unsigned alternatives;
	int action; /* 0 allow, 1 EACCES, 2 EPERM, 3 kill */
};

static void put_atom(const struct import_random_expression *e, char *to, size_t size, size_t *len)
{
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=", "&", "in" };

	*len += (size_t)snprintf(to + *len, size - *len, "arg%u %s 0x%llx", e->arg, ops[e->op],
				 (unsigned long long)e->value);
}

static bool atom_holds(const struct import_random_expression *e, const uint64_t args[6])
{
	uint64_t a = e->bits == 32 ? (uint32_t)args[e->arg] : args[e->arg];

	if (e->op == 6)
		return (a & e->value) != 0;
	if (e->op == 7)
		return (a & ~e->value) == 0;
	return import_random_holds(e, args);
}

static void make_line(uint64_t *seed, const struct import_random_call *call, struct random_line *l,
		      char *to, size_t size, size_t *len)
{
	static const char *const actions[] = { "allow", "return EACCES", "return 1", "kill" };

	l->alternatives = 1 + import_random_below(seed, 3);
	l->action = (int)import_random_below(seed, 4);
	for (unsigned i = 0; i < l->alternatives; i++) {
		for (unsigned k = 0; k < 2; k++) {
			l->atoms[i][k] = import_random_make(seed, call, 0);
			*len += (size_t)snprintf(to + *len, size - *len, "%s",
						 k   ? " && "
						 : i ? " || "
						     : "");
			put_atom(l->atoms[i][k], to, size, len);
		}
	}
	*len += (size_t)snprintf(to + *len, size - *len, "; %s", actions[l->action]);
}

static bool line_holds(const struct random_line *l, const uint64_t args[6])
{
	for (unsigned i = 0; i < l->alternatives; i++) {
		if (atom_holds(l->atoms[i][0], args) && atom_holds(l->atoms[i][1], args))
			return true;
	}
	return false;
}

static void one_random(uint64_t *seed, unsigned long *asked)
{
	static const char *const answers[] = { "allow", "EACCES", "EPERM", "kill" };
	const struct import_random_call *call =
		&import_random_calls[import_random_below(seed, IMPORT_RANDOM_CALLS)];
	struct import_options options = import_case_options();
	unsigned n = 1 + import_random_below(seed, 3);
	struct random_line lines[3];
	struct imported one;
	char text[2048];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s: {", call->name);

	for (unsigned i = 0; i < n; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", i ? "," : "");
		make_line(seed, call, &lines[i], text, sizeof(text), &len);
	}
	(void)snprintf(text + len, sizeof(text) - len, " }\n");
	one = import_case(IMPORT_MINIJAIL, text, &options);
	if (one.r < 0 && !strstr(one.result.notes.data, "more than"))
		fail_msg("%s\n%s", text, one.result.notes.data);
	for (unsigned k = 0; one.r == 0 && k < 60; k++) {
		uint64_t args[6];
		const char *want = "kill";

		import_random_args(seed, call, args);
		for (unsigned i = n; i-- > 0;) {
			if (line_holds(&lines[i], args))
				want = answers[lines[i].action];
		}
		expect_verdict(&one, call->name, ABI_X86_64, args, want);
		(*asked)++;
	}
	for (unsigned i = 0; i < n; i++) {
		for (unsigned a = 0; a < lines[i].alternatives; a++) {
			import_random_free(lines[i].atoms[a][0]);
			import_random_free(lines[i].atoms[a][1]);
		}
	}
	imported_done(&one);
}

static void test_random(void **state)
{
	const char *text = getenv("CORDON_RANDOM_POLICIES");
	unsigned long n = text ? strtoul(text, NULL, 0) : 1500, asked = 0;
	uint64_t seed = 7;

	(void)state;
	for (unsigned long i = 0; i < n; i++)
		one_random(&seed, &asked);
	print_message("%lu random minijail policies, %lu verdicts as expected\n", n, asked);
	assert_true(asked > n * 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_includes),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
