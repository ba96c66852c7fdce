// SPDX-License-Identifier: Apache-2.0
/*
 * kafel policies: what each statement comes to, mistakes with their places, and random policies
 * against an evaluator of the test's own, which walks the filters in their order.
 * CORDON_RANDOM_POLICIES=N tries more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "tests/unit/import_case.h"
#include "tests/unit/import_random.h"

static struct imported good(const char *source)
{
	struct import_options options = import_case_options();
	struct imported i = import_case(IMPORT_KAFEL, source, &options);

	if (i.r < 0)
		fail_msg("%s\n%s", source, i.result.notes.data);
	return i;
}

struct row {
	const char *source, *call;
	uint64_t args[6];
	const char *want;
};

static void test_rows(void **state)
{
	static const struct row rows[] = {
		/* the default is KILL; DENY is KILL */
		{ "ALLOW { read }", "read", { 0 }, "allow" },
		{ "ALLOW { read }", "write", { 0 }, "kill" },
		{ "ALLOW { read } DEFAULT ERRNO(38)", "write", { 0 }, "ENOSYS" },
		{ "DENY { read } DEFAULT ALLOW", "read", { 0 }, "kill" },
		{ "DENY { read } DEFAULT ALLOW", "write", { 0 }, "allow" },
		{ "ERRNO(13) { read }", "read", { 0 }, "EACCES" },
		{ "TRAP(1) { read } DEFAULT ALLOW", "read", { 0 }, "kill" },
		{ "TRACE(1) { read } DEFAULT ALLOW", "read", { 0 }, "ENOSYS" },
		{ "USER_NOTIF { read } DEFAULT ALLOW", "read", { 0 }, "ENOSYS" },
		{ "LOG { read }", "read", { 0 }, "allow" },
		{ "KILL_PROCESS { read }, KILL_THREAD { write } DEFAULT ALLOW",
		  "write",
		  { 0 },
		  "kill" },
		/* the first that matches */
		{ "ALLOW { socket { domain == 1 } }, ERRNO(13) { socket }",
		  "socket",
		  { 1 },
		  "allow" },
		{ "ALLOW { socket { domain == 1 } }, ERRNO(13) { socket }",
		  "socket",
		  { 2 },
		  "EACCES" },
		{ "ALLOW { socket { domain == 1 } }, KILL { socket { type == 5 } }, ALLOW { socket "
		  "}",
		  "socket",
		  { 1, 5 },
		  "allow" },
		{ "ALLOW { socket { domain == 1 } }, KILL { socket { type == 5 } }, ALLOW { socket "
		  "}",
		  "socket",
		  { 2, 5 },
		  "kill" },
		{ "ALLOW { socket { domain == 1 } }, KILL { socket { type == 5 } }, ALLOW { socket "
		  "}",
		  "socket",
		  { 2, 4 },
		  "allow" },
		{ "ERRNO(1) { socket { domain == 1 } }, ERRNO(13) { socket { type == 1 } }",
		  "socket",
		  { 1, 1 },
		  "EPERM" },
		{ "ERRNO(1) { socket { domain == 1 } }, ERRNO(13) { socket { type == 1 } }",
		  "socket",
		  { 2, 1 },
		  "EACCES" },
		/* without sign, and as wide as the kernel reads */
		{ "ALLOW { socket { domain < 38 } }", "socket", { 37 }, "allow" },
		{ "ALLOW { socket { domain < 38 } }", "socket", { 38 }, "kill" },
		{ "ALLOW { socket { domain < 38 } }", "socket", { 0xffffffff }, "kill" },
		{ "ALLOW { socket { domain == 1 } }", "socket", { 0x500000001 }, "allow" },
		{ "ALLOW { socket { domain != 1 } }", "socket", { 0x500000001 }, "kill" },
		{ "ALLOW { socket { domain == -1 } }", "socket", { 0xffffffff }, "allow" },
		{ "ALLOW { lseek { offset > 0x100000000 } }",
		  "lseek",
		  { 0, 0x100000001 },
		  "allow" },
		{ "ALLOW { lseek { offset > 0x100000000 } }", "lseek", { 0, 0x100000000 }, "kill" },
		{ "ALLOW { lseek { offset > 0x100000000 } }", "lseek", { 0, UINT64_MAX }, "allow" },
		/* masks */
		{ "ALLOW { socket { (type & 0xf) == 1 } }", "socket", { 1, 0x801 }, "allow" },
		{ "ALLOW { socket { (type & 0xf) == 1 } }", "socket", { 1, 0x802 }, "kill" },
		{ "ALLOW { socket { type & 0xf == 1 } }", "socket", { 1, 0x801 }, "allow" },
		{ "ALLOW { socket { (type | 0x800) == 0x801 } }", "socket", { 1, 0x801 }, "allow" },
		{ "ALLOW { socket { (type | 0x800) == 0x801 } }", "socket", { 1, 1 }, "allow" },
		{ "ALLOW { socket { (type | 0x800) == 0x801 } }", "socket", { 1, 3 }, "kill" },
		{ "ALLOW { socket { (type | 0x800) == 1 } }", "socket", { 1, 1 }, "kill" },
		{ "ALLOW { socket { (type & 3) > 0 } }", "socket", { 1, 4 }, "kill" },
		{ "ALLOW { socket { (type & 3) > 0 } }", "socket", { 1, 6 }, "allow" },
		{ "ALLOW { socket { 1 == domain } }", "socket", { 1 }, "allow" },
		{ "ALLOW { socket { 1 < domain } }", "socket", { 1 }, "kill" },
		{ "ALLOW { socket { 1 < domain } }", "socket", { 2 }, "allow" },
		{ "ALLOW { socket { 1 == 1 } }", "socket", { 7 }, "allow" },
		{ "ALLOW { socket { 1 == 2 } }", "socket", { 7 }, "kill" },
		/* !, &&, ||, comma, parentheses */
		{ "ALLOW { socket { !domain == 1 } }", "socket", { 1 }, "kill" },
		{ "ALLOW { socket { !(domain == 1 && type == 1) } }", "socket", { 1, 2 }, "allow" },
		{ "ALLOW { socket { !(domain == 1 && type == 1) } }", "socket", { 1, 1 }, "kill" },
		{ "ALLOW { socket { ((domain)) == ((1)) && (type == 2, type == 3) } }",
		  "socket",
		  { 1, 3 },
		  "allow" },
		{ "ALLOW { socket { domain == 1, domain == 2 && type == 1 } }",
		  "socket",
		  { 2, 2 },
		  "kill" },
		/* names */
		{ "#define X 0b11 ALLOW { socket { family == X } }", "socket", { 3 }, "allow" },
		{ "#define me 39\nALLOW { me }", "getpid", { 0 }, "allow" },
		{ "ALLOW { SYSCALL[39] }", "getpid", { 0 }, "allow" },
		{ "ALLOW { newfstat }", "fstat", { 0 }, "allow" },
		{ "ALLOW { socket(a, b) { b == 010 } }", "socket", { 0, 8 }, "allow" },
		{ "ALLOW { read ON arm, write ON { arm, amd64 } }", "write", { 0 }, "allow" },
		{ "ALLOW { read ON arm, write ON { arm, amd64 } }", "read", { 0 }, "kill" },
		{ "ALLOW { read ON arm { nothing_known == 1 } , write }", "read", { 0 }, "kill" },
		{ "POLICY a { ALLOW { read } } POLICY b { USE a, ERRNO(1) { write } } USE b",
		  "read",
		  { 0 },
		  "allow" },
		{ "POLICY a { } USE a DEFAULT ALLOW // the end", "read", { 0 }, "allow" },
		{ "/* a * b */ ALLOW { read }", "read", { 0 }, "allow" },
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
		{ "ALLOW { raed }",
		  "t:1:9: error: there is no system call 'raed' (did you mean 'read'?)" },
		{ "ALLOW { read\n  write }", "t:2:3: error: '}' is missing" },
		{ "ALLOW read", "t:1:7: error: '{' is missing" },
		{ "ALLOW { read", "error: '}' is missing" },
		{ "PERMIT { read }", "t:1:1: error: an action or USE is missing" },
		{ "DEFAULT MAYBE", "t:1:9: error: an action is missing" },
		{ "DEFAULT KILL DEFAULT ALLOW", "t:1:22: error: a second DEFAULT" },
		{ "USE x", "t:1:5: error: no policy 'x' stands before this" },
		{ "POLICY x { USE x }", "t:1:18: error: the policy uses itself" },
		{ "POLICY x { } POLICY x { }", "error: a policy 'x' stands before this" },
		{ "#define A 1\n#define A 2", "error: 'A' has another value before this" },
		{ "#define A B", "error: a number is missing" },
		{ "#undef A", "t:1:2: error: define or include is missing" },
		{ "#include \"x\"", "error: files are not included here" },
		{ "#include \"x", "error: the name of a file does not end" },
		{ "ALLOW { socket { domian == 1 } }",
		  "t:1:18: error: socket has no argument 'domian'" },
		{ "ALLOW { socket { domain } }", "t:1:25: error: a comparison is missing" },
		{ "ALLOW { socket { domain == } }", "error: a number, a constant or an argument" },
		{ "ALLOW { socket { domain == 1 == 2 } }", "error: '}' is missing" },
		{ "ALLOW { socket { domain == type } }", "error: two arguments in one comparison" },
		{ "ALLOW { socket { (domain == 1) & 1 == 1 } }", "error: a number or an argument" },
		{ "ALLOW { socket { !domain } }", "error: a comparison is missing" },
		{ "ALLOW { socket { (domain & 3) < 2 } }", "error: socket: only == and !=" },
		{ "ALLOW { write { buf == 1 } }",
		  "t:1:17: error: write: argument 1 is an address" },
		{ "ALLOW { getpid(a) { a == 1 } }", "argument 0 is no argument of the call" },
		{ "ALLOW { socket { domain < 0x100000000 } }", "argument 0 has 32 bits" },
		{ "ALLOW { SYSCALL[100000] }", "error: no system call has the number 100000" },
		{ "ALLOW { SYSCALL[-1] }", "error: no system call has the number -1" },
		{ "ALLOW { read ON vax }", "error: there is no architecture 'vax'" },
		{ "ERRNO(0) { read }", "error: error 0" },
		{ "ERRNO(4000) { read }", "error: error 4000 has no name" },
		{ "ERRNO(65536) { read }", "error: the number of an action has 16 bits" },
		{ "ALLOW { socket { domain == 0xg } }", "error: no number" },
		{ "ALLOW { socket { domain == 08 } }", "error: no number" },
		{ "ALLOW { socket { domain == 18446744073709551616 } }",
		  "error: the number is more" },
		{ "ALLOW { read } /* no end", "error: the comment does not end" },
		{ "ALLOW { read } $", "t:1:16: error: '$' is not expected here" },
		{ "ALLOW { socket(a, a) }", "error: two arguments have one name" },
		{ "ALLOW { socket(a, b, c, d, e, f, g) }", "error: more than 6 arguments" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused(IMPORT_KAFEL, cases[i][0], cases[i][1]);
}

/* What cannot be said is an error, or said more strictly when that is asked for. */
static void test_narrow(void **state)
{
	static const struct row rows[] = {
		{ "ALLOW { write { fd == 1 && buf == 0, fd == 2 } }", "write", { 1, 0 }, "kill" },
		{ "ALLOW { write { fd == 1 && buf == 0, fd == 2 } }", "write", { 2, 9 }, "allow" },
		{ "ALLOW { write { !(fd == 1 && buf == 0) } }", "write", { 1, 9 }, "kill" },
		{ "ALLOW { write { !(fd == 1 && buf == 0) } }", "write", { 2, 0 }, "allow" },
		{ "ERRNO(1) { write { buf == 0 } }, ALLOW { write }", "write", { 1, 9 }, "EPERM" },
		{ "ERRNO(1) { write { !(fd == 3 || buf == 0) } }, ALLOW { write }",
		  "write",
		  { 1, 0 },
		  "EPERM" },
		{ "ERRNO(1) { write { !(fd == 3 || buf == 0) } }, ALLOW { write }",
		  "write",
		  { 3, 9 },
		  "allow" },
	};
	struct import_options options = import_case_options();

	(void)state;
	options.narrow = true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct imported one = import_case(IMPORT_KAFEL, rows[i].source, &options);

		assert_int_equal(one.r, 0);
		assert_true(one.result.n_warnings > 0);
		expect_verdict(&one, rows[i].call, ABI_X86_64, rows[i].args, rows[i].want);
		imported_done(&one);
		one = import_case(IMPORT_KAFEL, rows[i].source,
				  &(struct import_options){ .name = "t",
							    .path = "t",
							    .arch = ABI_X86_64,
							    .kernel = SYSCALL_NEWEST });
		assert_int_equal(one.r, -EBADMSG);
		imported_done(&one);
	}
}

static void test_bounds(void **state)
{
	static const char open[] = "ALLOW { socket { ", close[] = "domain == 1";
	char text[4096];
	size_t n = 0;

	(void)state;
	/* as many parentheses as may be, and one more */
	for (int extra = 0; extra < 2; extra++) {
		n = (size_t)snprintf(text, sizeof(text), "%s", open);
		for (int i = 0; i < LIMIT_IMPORT_DEPTH + extra; i++)
			text[n++] = '(';
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", close);
		for (int i = 0; i < LIMIT_IMPORT_DEPTH + extra; i++)
			text[n++] = ')';
		(void)snprintf(text + n, sizeof(text) - n, " } }");
		if (extra) {
			expect_refused(IMPORT_KAFEL, text, "too many parentheses");
		} else {
			struct imported one = good(text);

			imported_done(&one);
		}
	}
	/* each policy twice the one before: 2^20 filters are not made */
	n = (size_t)snprintf(text, sizeof(text), "POLICY p0 { ALLOW { read } }");
	for (int i = 1; i <= 20; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      " POLICY p%d { USE p%d, USE p%d }", i, i - 1, i - 1);
	expect_refused(IMPORT_KAFEL, text, "more than");
}

/* --- random policies --- */

struct random_filter {
	struct import_random_expression *when;
	int action; /* 0 ALLOW, 1 ERRNO(13), 2 ERRNO(1), 3 KILL */
};

static void one_random(uint64_t *seed, unsigned long *asked)
{
	static const char *const actions[] = { "ALLOW", "ERRNO(13)", "ERRNO(1)", "KILL" };
	static const char *const answers[] = { "allow", "EACCES", "EPERM", "kill" };
	unsigned target = import_random_below(seed, IMPORT_RANDOM_CALLS), n = 1;
	int otherwise = (int)import_random_below(seed, 4);
	const struct import_random_call *call = &import_random_calls[target];
	struct random_filter filters[4];
	struct import_options options = import_case_options();
	struct imported one;
	char text[8192];
	size_t len = 0;

	n += import_random_below(seed, 3);
	for (unsigned i = 0; i < n; i++) {
		char when[1600] = "";

		filters[i].when = import_random_make(seed, call, 3);
		filters[i].action = (int)import_random_below(seed, 4);
		import_random_kafel(filters[i].when, call, when, sizeof(when));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s { %s { %s } }",
					i ? ",\n" : "", actions[filters[i].action], call->name,
					when);
	}
	(void)snprintf(text + len, sizeof(text) - len, "\nDEFAULT %s\n", actions[otherwise]);
	one = import_case(IMPORT_KAFEL, text, &options);
	/* too many alternatives, or comparisons: said, not guessed */
	if (one.r < 0 && !strstr(one.result.notes.data, "more than"))
		fail_msg("%s\n%s", text, one.result.notes.data);
	for (unsigned k = 0; one.r == 0 && k < 60; k++) {
		uint64_t args[6];
		const char *want = answers[otherwise];

		import_random_args(seed, call, args);
		for (unsigned i = n; i-- > 0;) {
			if (import_random_holds(filters[i].when, args))
				want = answers[filters[i].action];
		}
		expect_verdict(&one, call->name, ABI_X86_64, args, want);
		(*asked)++;
	}
	for (unsigned i = 0; i < n; i++)
		import_random_free(filters[i].when);
	imported_done(&one);
}

static void test_random(void **state)
{
	const char *text = getenv("CORDON_RANDOM_POLICIES");
	unsigned long n = text ? strtoul(text, NULL, 0) : 1500, asked = 0;
	uint64_t seed = 1;

	(void)state;
	for (unsigned long i = 0; i < n; i++)
		one_random(&seed, &asked);
	print_message("%lu random kafel policies, %lu verdicts as expected\n", n, asked);
	assert_true(asked > n * 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_narrow), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
