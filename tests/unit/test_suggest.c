// SPDX-License-Identifier: Apache-2.0
/* Lines for calls that were seen: they allow those, and no others unless they say so. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "policies/suggest.h"

struct found {
	struct suggest_seen seen;
	struct suggest_line lines[SUGGEST_LINES];
	size_t n;
	bool general;
	int r;
};

static void see(struct found *f, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c, 0x1234, 0x5678, 0x9abc };

	assert_int_equal(suggest_see(&f->seen, args), 0);
}

static void begin(struct found *f, const char *call)
{
	*f = (struct found){ .seen.call = syscall_by_name(call) };
	assert_non_null(f->seen.call);
}

static void end(struct found *f)
{
	f->r = suggest_lines(&f->seen, f->lines, &f->n, &f->general);
}

static bool allows(const struct found *f, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[3] = { a, b, c };

	for (size_t i = 0; i < f->n; i++) {
		bool all = true;

		for (unsigned arg = 0; arg < 3; arg++) {
			bool one = !(f->lines[i].tied & 1U << arg);

			for (unsigned k = 0; k < f->lines[i].n_values[arg]; k++) {
				uint64_t value = f->lines[i].values[arg][k];

				one = one || (f->lines[i].masked & 1U << arg ? !(args[arg] & ~value)
									     : args[arg] == value);
			}
			all = all && one;
		}
		if (all)
			return true;
	}
	return false;
}

static void test_telling(void **state)
{
	(void)state;
	assert_true(suggest_is_telling(syscall_by_name("socket"), 0));
	assert_true(suggest_is_telling(syscall_by_name("ioctl"), 1));
	assert_true(suggest_is_telling(syscall_by_name("openat"), 2));
	assert_false(suggest_is_telling(syscall_by_name("openat"), 1)); /* memory */
	assert_false(suggest_is_telling(syscall_by_name("read"), 2));
	assert_false(suggest_is_telling(syscall_by_name("getpid"), 0));
	assert_false(suggest_is_telling(syscall_by_name("socket"), 5));
}

static void test_one(void **state)
{
	struct found f;

	(void)state;
	begin(&f, "socket");
	see(&f, AF_INET, SOCK_STREAM, 0);
	see(&f, AF_INET | UINT64_C(7) << 32, SOCK_STREAM, 0); /* the same to the kernel */
	end(&f);
	assert_int_equal(f.r, 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.seen.n, 1);
	assert_true(allows(&f, AF_INET, SOCK_STREAM, 0));
	assert_false(allows(&f, AF_INET, SOCK_RAW, 0));
	assert_false(f.general);
	suggest_seen_done(&f.seen);
}

/* A whole rectangle is one line, half of one is two: never more than what was seen. */
static void test_merge_is_exact(void **state)
{
	struct found f;

	(void)state;
	for (unsigned missing = 0; missing < 2; missing++) {
		begin(&f, "socket");
		for (uint64_t family = 1; family <= 3; family++) {
			for (uint64_t type = 1; type <= 3; type++) {
				if (!missing || family != 2 || type != 3)
					see(&f, family, type, 0);
			}
		}
		end(&f);
		assert_int_equal(f.r, 0);
		assert_int_equal(f.n, missing ? 2 : 1);
		for (uint64_t family = 0; family <= 4; family++) {
			for (uint64_t type = 0; type <= 4; type++) {
				bool seen = family >= 1 && family <= 3 && type >= 1 && type <= 3 &&
					    !(missing && family == 2 && type == 3);

				assert_int_equal(allows(&f, family, type, 0), seen);
			}
		}
		assert_false(f.general);
		suggest_seen_done(&f.seen);
	}
}

/* Lists hold so many values; more of them are more lines. */
static void test_long_lists(void **state)
{
	struct found f;

	(void)state;
	begin(&f, "ioctl");
	for (uint64_t i = 0; i < SUGGEST_VALUES * SUGGEST_LINES; i++)
		see(&f, 3, i * 5, 0);
	end(&f);
	assert_int_equal(f.r, 0);
	assert_int_equal(f.n, SUGGEST_LINES);
	for (uint64_t i = 0; i < 700; i++)
		assert_int_equal(allows(&f, 9, i, 0),
				 i % 5 == 0 && i < SUGGEST_VALUES * SUGGEST_LINES * 5U);
	/* a request is no set of bits: nothing is generalised, and one more is too much */
	see(&f, 3, 9999, 0);
	end(&f);
	assert_int_equal(f.r, -E2BIG);
	suggest_seen_done(&f.seen);
}

static void test_flags_become_general(void **state)
{
	struct found f;

	(void)state;
	begin(&f, "openat");
	for (uint64_t i = 0; i < 256; i++)
		see(&f, 3, 0, i << 6 & ~UINT64_C(0x200));
	end(&f);
	assert_int_equal(f.r, 0);
	/* within the lists' bound it stays exact */
	assert_int_equal(f.general, f.seen.n > SUGGEST_VALUES * SUGGEST_LINES);
	suggest_seen_done(&f.seen);

	begin(&f, "openat");
	for (uint64_t i = 0; i < 200; i++)
		see(&f, 3, 0, i << 6);
	end(&f);
	assert_int_equal(f.r, 0);
	assert_true(f.general);
	assert_int_equal(f.n, 1);
	assert_true(allows(&f, 9, 9, UINT64_C(199) << 6));
	assert_true(allows(&f, 9, 9, UINT64_C(255) << 6));  /* all of the bits */
	assert_false(allows(&f, 9, 9, UINT64_C(256) << 6)); /* a bit that was not seen */
	assert_false(allows(&f, 9, 9, 1));
	suggest_seen_done(&f.seen);
}

static void test_too_many(void **state)
{
	struct found f;

	(void)state;
	begin(&f, "ioctl");
	for (uint64_t i = 0; i < SUGGEST_SEEN + 1; i++)
		see(&f, 3, i, 0);
	end(&f);
	assert_true(f.seen.more);
	assert_int_equal(f.r, -E2BIG);
	suggest_seen_done(&f.seen);
	begin(&f, "ioctl");
	end(&f);
	assert_int_equal(f.r, -E2BIG);
}

static void test_danger(void **state)
{
	struct found f;
	const struct danger *d;

	(void)state;
	begin(&f, "bpf");
	see(&f, 0, 0, 0);
	d = suggest_danger(&f.seen, false);
	assert_non_null(d);
	assert_true(d->weight >= DANGER_WARN);
	suggest_seen_done(&f.seen);
	begin(&f, "getpid");
	see(&f, 0, 0, 0);
	assert_null(suggest_danger(&f.seen, false));
	suggest_seen_done(&f.seen);
	/* by the values of its arguments, and its twin */
	begin(&f, "ioctl");
	see(&f, 0, 0x5412, 0); /* TIOCSTI */
	assert_non_null(suggest_danger(&f.seen, false));
	suggest_seen_done(&f.seen);
	begin(&f, "ioctl");
	see(&f, 0, 0x5413, 0); /* TIOCGWINSZ */
	d = suggest_danger(&f.seen, false);
	assert_true(!d || d->weight < DANGER_WARN);
	suggest_seen_done(&f.seen);
}

/* One danger among harmless calls takes only itself out. */
static void test_drop_dangers(void **state)
{
	struct found f;

	(void)state;
	begin(&f, "ioctl");
	see(&f, 0, 0x5413, 0);
	see(&f, 0, 0x5412, 0); /* TIOCSTI */
	see(&f, 0, 0x5401, 0);
	assert_non_null(suggest_drop_dangers(&f.seen));
	end(&f);
	assert_int_equal(f.r, 0);
	assert_true(allows(&f, 0, 0x5413, 0) && allows(&f, 0, 0x5401, 0));
	assert_false(allows(&f, 0, 0x5412, 0));
	assert_null(suggest_drop_dangers(&f.seen));
	suggest_seen_done(&f.seen);
	begin(&f, "bpf");
	see(&f, 0, 0, 0);
	assert_non_null(suggest_drop_dangers(&f.seen));
	assert_int_equal(f.seen.n, 0);
	suggest_seen_done(&f.seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_telling),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_merge_is_exact),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_flags_become_general),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_danger),
		cmocka_unit_test(test_drop_dangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
