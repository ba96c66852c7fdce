// SPDX-License-Identifier: Apache-2.0
/* Paths as text, by tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"

static const char *long_path(size_t len)
{
	static char path[2 * LIMIT_PATH];

	for (size_t i = 0; i < len; i++)
		path[i] = i % 200 == 0 ? '/' : 'a';
	path[len] = '\0';
	return path;
}

static void test_is_normal(void **state)
{
	static const char *const good[] = {
		"/", "/a", "/a/b", "/...", "/..a", "/a..", "/.a", "/a.", "/a/.../b", "/ ", "/~",
	};
	static const char *const bad[] = {
		"",	   "a",	  "./a",  "//",	   "//a",    "/a/",   "/a//b",
		"/.",	   "/..", "/a/.", "/a/..", "/./a",   "/../a", "/a/./b",
		"/a/../b", ".",	  "..",	  "a/b",   "/a/b//",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!path_is_normal(good[i]))
			fail_msg("'%s' is normal", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (path_is_normal(bad[i]))
			fail_msg("'%s' is not normal", bad[i]);
	assert_true(path_is_normal(long_path(4095)));
	assert_false(path_is_normal(long_path(4096)));
	assert_false(path_is_normal(long_path(4097)));
}

static void test_normalise(void **state)
{
	static const struct {
		const char *base, *path, *want;
	} cases[] = {
		{ "/", "", "/" },
		{ "/", "/", "/" },
		{ "/", "///", "/" },
		{ "/", ".", "/" },
		{ "/", "..", "/" },
		{ "/", "../../..", "/" },
		{ "/a/b", "", "/a/b" },
		{ "/a/b", ".", "/a/b" },
		{ "/a/b", "./", "/a/b" },
		{ "/a/b", "..", "/a" },
		{ "/a/b", "../", "/a" },
		{ "/a/b", "../..", "/" },
		{ "/a/b", "../../../c", "/c" },
		{ "/a/b", "c", "/a/b/c" },
		{ "/a/b", "c/", "/a/b/c" },
		{ "/a/b", "c//d", "/a/b/c/d" },
		{ "/a/b", "c/../d", "/a/b/d" },
		{ "/a/b", "/c", "/c" },
		{ "/a/b", "/c/./d/../e/", "/c/e" },
		{ "/a/b", "//c", "/c" },
		{ "/a/b", "/..", "/" },
		{ "/a/b", "/../c", "/c" },
		{ "/a/b", "...", "/a/b/..." },
		{ "/a/b", "..c", "/a/b/..c" },
		{ "/a/b", ".c", "/a/b/.c" },
		{ "/a/b", "c..", "/a/b/c.." },
		{ "/a/./b/", "c", "/a/b/c" },
		{ "//a//..//b", "c", "/b/c" },
	};
	char out[LIMIT_PATH];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(path_normalise(cases[i].base, cases[i].path, out, sizeof(out)), 0);
		assert_string_equal(out, cases[i].want);
		/* the very size is enough, one less is not */
		assert_int_equal(path_normalise(cases[i].base, cases[i].want, out,
						strlen(cases[i].want) + 1),
				 0);
		assert_int_equal(
			path_normalise(cases[i].base, cases[i].want, out, strlen(cases[i].want)),
			-ENAMETOOLONG);
	}
}

static void test_normalise_lengths(void **state)
{
	struct {
		char out[LIMIT_PATH];
		char after[8];
	} box;

	(void)state;
	memset(&box, 0x5a, sizeof(box));
	assert_int_equal(path_normalise("/", long_path(4095), box.out, sizeof(box.out)), 0);
	assert_int_equal(strlen(box.out), 4095);
	assert_int_equal(path_normalise("/", long_path(4096), box.out, sizeof(box.out)),
			 -ENAMETOOLONG);
	assert_int_equal(path_normalise("/", long_path(4097), box.out, sizeof(box.out)),
			 -ENAMETOOLONG);
	assert_int_equal(path_normalise(long_path(4094), "b", box.out, sizeof(box.out)),
			 -ENAMETOOLONG);
	assert_int_equal(path_normalise(long_path(4093), "b", box.out, sizeof(box.out)), 0);
	assert_int_equal(strlen(box.out), 4095);
	assert_int_equal(path_normalise("/", "/", box.out, 1), -ENAMETOOLONG);
	assert_int_equal(path_normalise("/", "/", box.out, 0), -ENAMETOOLONG);
	assert_memory_equal(box.after, "ZZZZZZZZ", 8);
}

/* Whatever comes in: normal comes out, and once more changes nothing. */
static void test_normalise_any(void **state)
{
	static const char letters[] = "//../a.b/~";
	char in[40], out[64], again[64];
	uint64_t x = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t len = (size_t)round % (sizeof(in) - 1);

		for (size_t i = 0; i < len; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			in[i] = letters[(x >> 20) % (sizeof(letters) - 1)];
		}
		in[len] = '\0';
		assert_int_equal(path_normalise("/base/dir", in, out, sizeof(out)), 0);
		if (!path_is_normal(out))
			fail_msg("'%s' became '%s'", in, out);
		assert_int_equal(path_normalise("/", out, again, sizeof(again)), 0);
		assert_string_equal(out, again);
		if (path_is_normal(in))
			assert_string_equal(in, out);
	}
}

static void test_within_and_depth(void **state)
{
	static const struct {
		const char *path, *dir;
		bool within;
	} cases[] = {
		{ "/", "/", true },	 { "/a", "/", true },	    { "/a/b", "/", true },
		{ "/a", "/a", true },	 { "/a/b", "/a", true },    { "/a/b/c", "/a/b", true },
		{ "/ab", "/a", false },	 { "/", "/a", false },	    { "/a", "/a/b", false },
		{ "/b/a", "/a", false }, { "/a-b/c", "/a", false }, { "/A", "/a", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (path_is_within(cases[i].path, cases[i].dir) != cases[i].within)
			fail_msg("'%s' in '%s'", cases[i].path, cases[i].dir);
	assert_int_equal(path_depth("/"), 0);
	assert_int_equal(path_depth("/a"), 1);
	assert_int_equal(path_depth("/a/b"), 2);
	assert_int_equal(path_depth("/aaa/bbb/ccc/ddd"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_normal),	  cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_normalise_lengths), cmocka_unit_test(test_normalise_any),
		cmocka_unit_test(test_within_and_depth),
	};

	return cmocka_run_group_tests_name("path_text", tests, NULL, NULL);
}
