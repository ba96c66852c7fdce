// SPDX-License-Identifier: Apache-2.0
/* Places by option: what a person names is taken as named, once, or refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/plan_case.h"

static void test_option_through_symlink(void **state)
{
	static const enum request_place_kind kinds[] = { PLACE_RW, PLACE_RO, PLACE_OVERLAY };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct plan_case *c = case_new("exec /usr\n", NULL);

		case_place(c, kinds[i], NULL, in_arena("link"));
		case_make_refused(c, -ELOOP, in_arena("link"));
		assert_non_null(strstr(c->err.hint, in_arena("job")));
		c->req.places[0].dest = in_arena("link/deep");
		case_make_refused(c, -ELOOP, in_arena("link/deep"));
		assert_non_null(strstr(c->err.hint, in_arena("job/deep")));
		c->req.places[0].dest = in_arena("job/deep"); /* the hint is right */
		case_make_good(c);
		case_free(c);
	}
}

static void test_option_identity(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);
	struct stat st;

	(void)state;
	assert_int_equal(stat(in_arena("dir"), &st), 0);
	case_place(c, PLACE_RW, in_arena("dir"), "/inside/here");
	case_make_good(c);
	assert_true(step_at(c, "/inside/here")->inode.ino == st.st_ino);
	assert_true(step_at(c, "/inside/here")->inode.dev == st.st_dev);
	assert_int_equal(step_at(c, "/usr")->inode.ino, 0);
	case_free(c);
}

/* What covers something of the host's, and what is a root, is known by inode too: whoever exchanges
 * it while the sandbox is made gets a refusal. */
static void test_identity_of_covers_and_roots(void **state)
{
	struct plan_case *c = case_new("exec /usr\nhide /usr/lib\n", NULL);
	struct stat st;

	(void)state;
	assert_int_equal(stat(in_arena("job/deep"), &st), 0);
	case_place(c, PLACE_RW, NULL, in_arena("job"));
	case_place(c, PLACE_HIDE, NULL, in_arena("job/deep"));
	case_place(c, PLACE_RO, NULL, in_arena("dir"));
	case_make_good(c);
	assert_true(step_at(c, in_arena("job/deep"))->inode.ino == st.st_ino);
	assert_true(step_at(c, in_arena("job/deep"))->inode.dev == st.st_dev);
	assert_int_equal(step_at(c, "/usr/lib")->inode.ino, 0); /* root's to exchange */
	assert_false(step_at(c, in_arena("dir"))->covers_source);
	case_free(c);

	c = case_new("exec /usr\n", NULL);
	case_place(c, PLACE_RW, NULL, in_arena("job"));
	case_place(c, PLACE_RO, NULL, in_arena("job/deep"));
	case_make_good(c);
	assert_true(step_at(c, in_arena("job/deep"))->covers_source);
	case_free(c);

	c = case_new("exec /usr\n", NULL);
	case_place(c, PLACE_RW, NULL, in_arena("job"));
	case_place(c, PLACE_RO, in_arena("dir"), in_arena("job/deep"));
	case_make_good(c);
	assert_false(step_at(c, in_arena("job/deep"))->covers_source);
	case_free(c);

	c = case_new("exec /usr\n", NULL);
	c->req.bases[c->req.n_bases++] = in_arena("dir");
	c->req.upper = UPPER_DIR;
	c->req.upper_dir = in_arena("job/deep");
	case_make_good(c);
	assert_true(c->plan->upper_inode.ino == st.st_ino);
	assert_int_equal(stat(in_arena("dir"), &st), 0);
	assert_true(c->plan->layer_inodes[0].ino == st.st_ino);
	case_free(c);
}

static void test_options_refused(void **state)
{
	static const struct {
		enum request_place_kind kind;
		const char *dest;
		int code;
	} cases[] = {
		{ PLACE_RW, "/no/such", -ENOENT },  { PLACE_RO, "/no/such", -ENOENT },
		{ PLACE_RW, "/", -EINVAL },	    { PLACE_RO, "//", -EINVAL },
		{ PLACE_HIDE, "/usr/..", -EINVAL }, { PLACE_TMPFS, "/", -EINVAL },
		{ PLACE_DIR, "/..", -EINVAL },	    { PLACE_SYMLINK, "/", -EINVAL },
		{ PLACE_RW, "/proc", -EINVAL },	    { PLACE_RO, "/proc/1", -EINVAL },
		{ PLACE_HIDE, "/proc/x", -EINVAL }, { PLACE_TMPFS, "/usr/../proc/sys", -EINVAL },
		{ PLACE_DIR, "/proc/a", -EINVAL },  { PLACE_SYMLINK, "/proc/b", -EINVAL },
		{ PLACE_FILE, "/proc/c", -EINVAL }, { PLACE_TMPFS, "/dev", -EEXIST },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan_case *c = case_new("exec /usr\n", NULL);

		case_place(c, cases[i].kind, cases[i].kind == PLACE_SYMLINK ? "x" : NULL,
			   cases[i].dest);
		case_make_refused(c, cases[i].code, "");
		case_free(c);
	}
}

static void test_option_too_long(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);
	char path[LIMIT_PATH + 2];

	(void)state;
	for (size_t len = LIMIT_PATH - 1; len <= LIMIT_PATH + 1; len++) {
		memset(path, 'a', sizeof(path));
		for (size_t i = 0; i < len; i += 100)
			path[i] = '/';
		path[len - 1] = 'b';
		path[len] = '\0';
		c->req.n_places = 0;
		case_place(c, PLACE_TMPFS, NULL, path);
		if (len < LIMIT_PATH)
			case_make_good(c);
		else
			case_make_refused(c, -ENAMETOOLONG, "use '/");
		plan_free(c->plan);
		c->plan = NULL;
	}
	case_free(c);
}

static void test_same_path_twice(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	case_place(c, PLACE_RO, NULL, in_arena("dir"));
	case_place(c, PLACE_RW, NULL, in_arena("job/../dir/"));
	case_make_refused(c, -EEXIST, "--ro and --rw");
	c->req.places[1].dest = in_arena("job");
	case_make_good(c);
	case_free(c);
}

/* As many options as can be given have room beside the rules. */
static void test_many(void **state)
{
	struct plan_case *c = case_new("exec /usr\nexec /\n", NULL);
	static char dest[LIMIT_BINDS][16];

	(void)state;
	for (size_t i = 0; i < LIMIT_BINDS; i++) {
		(void)snprintf(dest[i], sizeof(dest[i]), "/t/%zu", i);
		case_place(c, PLACE_TMPFS, NULL, dest[i]);
	}
	case_make_good(c);
	for (size_t i = 0; i < LIMIT_BINDS; i++)
		(void)expect_step(c, dest[i], STEP_PLACE, ACCESS_ALL, "--tmpfs");
	assert_true(c->plan->n_steps <= c->plan->max_steps);
	case_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_option_through_symlink),
		cmocka_unit_test(test_option_identity),
		cmocka_unit_test(test_identity_of_covers_and_roots),
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_option_too_long),
		cmocka_unit_test(test_same_path_twice),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("plan_options", tests, arena_make, arena_remove);
}
