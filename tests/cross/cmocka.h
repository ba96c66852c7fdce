// SPDX-License-Identifier: Apache-2.0
/*
 * As much of cmocka's interface as the unit tests of the compiler use, for machines whose cmocka is
 * not at hand: a program for aarch64 that an emulator runs. Static, no library, TAP. The first
 * failure ends the program, whose plan then is not fulfilled.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
	int (*setup)(void **state);
	int (*teardown)(void **state);
};

#define cmocka_unit_test(f)                                                                        \
	{                                                                                          \
#f, f, NULL, NULL                                                                  \
	}
#define cmocka_unit_test_setup(f, s)                                                               \
	{                                                                                          \
#f, f, s, NULL                                                                     \
	}
#define cmocka_unit_test_setup_teardown(f, s, t)                                                   \
	{                                                                                          \
#f, f, s, t                                                                        \
	}
#define cmocka_run_group_tests(tests, setup, after)                                                \
	cross_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, after)

static const char *cross_name = "";
static size_t cross_number;

#define cross_check(what, ...)                                                                     \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)printf("not ok %zu - %s\n# %s:%d: ", cross_number, cross_name,       \
				     __FILE__, __LINE__);                                          \
			(void)printf(__VA_ARGS__);                                                 \
			(void)printf("\n");                                                        \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define fail_msg(...)	       cross_check(0, __VA_ARGS__)
#define print_message(...)     ((void)printf("# "), (void)printf(__VA_ARGS__))
#define assert_true(a)	       cross_check((a), "%s is not so", #a)
#define assert_false(a)	       cross_check(!(a), "%s", #a)
#define assert_non_null(a)     cross_check((a) != NULL, "%s is NULL", #a)
#define assert_null(a)	       cross_check((a) == NULL, "%s is not NULL", #a)
#define assert_int_equal(a, b) cross_equal((uint64_t)(a), (uint64_t)(b), #a " and " #b, __LINE__)
#define assert_ptr_equal(a, b) cross_check((a) == (b), "%s is not %s", #a, #b)
#define assert_in_range(a, lo, hi)                                                                 \
	cross_check((uint64_t)(a) >= (uint64_t)(lo) && (uint64_t)(a) <= (uint64_t)(hi),            \
		    "%s is out of range", #a)
#define assert_string_equal(a, b)     cross_check(strcmp(a, b) == 0, "'%s' is not '%s'", a, b)
#define assert_string_not_equal(a, b) cross_check(strcmp(a, b) != 0, "'%s' twice", a)
#define assert_memory_equal(a, b, n)  cross_check(memcmp(a, b, n) == 0, "%s differs from %s", #a, #b)

#define assert_memory_not_equal(a, b, n) cross_check(memcmp(a, b, n) != 0, "%s is %s", #a, #b)
#define cmocka_run_group_tests_name(name, tests, setup, after)                                     \
	cmocka_run_group_tests(tests, setup, after)

/* A function, as some of the operands are loops of their own. */
static inline void cross_equal(uint64_t a, uint64_t b, const char *what, int line)
{
	cross_check(a == b, "line %d: %s: %#llx and %#llx", line, what, (unsigned long long)a,
		    (unsigned long long)b);
}

static inline int cross_run(const struct CMUnitTest *tests, size_t n, int (*setup)(void **),
			    int (*after)(void **))
{
	void *state = NULL;

	(void)printf("1..%zu\n", n);
	if (setup && setup(&state) != 0)
		return 1;
	for (size_t i = 0; i < n; i++) {
		cross_name = tests[i].name;
		cross_number = i + 1;
		if (tests[i].setup && tests[i].setup(&state) != 0)
			return 1;
		tests[i].run(&state);
		if (tests[i].teardown && tests[i].teardown(&state) != 0)
			return 1;
		(void)printf("ok %zu - %s\n", cross_number, cross_name);
		(void)fflush(stdout);
	}
	return after ? after(&state) : 0;
}
