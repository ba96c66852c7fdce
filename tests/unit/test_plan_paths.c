// SPDX-License-Identifier: Apache-2.0
/* What the payload can see: rules, options and the built-in view become steps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/path.h"
#include "tests/unit/plan_case.h"

/* head is line 1 to 4: the lines of a case begin with line 5. */

static void test_verbs(void **state)
{
	struct plan_case *c = case_new("read /usr/share\nexec /usr/bin\nwrite %A/job\n"
				       "tmpfs /var/lib\nhide /usr/share/doc\n",
				       NULL);
	const struct plan_step *s;

	(void)state;
	case_make_good(c);
	s = expect_step(c, "/usr/share", STEP_BIND, ACCESS_READ, "test.policy:5");
	assert_false(s->writable);
	assert_false(s->optional);
	assert_string_equal(s->source, "/usr/share");
	s = expect_step(c, "/usr/bin", STEP_BIND, ACCESS_EXEC, "test.policy:6");
	assert_false(s->writable);
	s = expect_step(c, in_arena("job"), STEP_BIND, ACCESS_WRITE, "test.policy:7");
	assert_true(s->writable);
	s = expect_step(c, "/var/lib", STEP_PLACE, ACCESS_ALL, "test.policy:8");
	assert_false(s->mounted); /* nothing of the host is below */
	(void)expect_step(c, "/usr/share/doc", STEP_HIDE, ACCESS_NONE, "test.policy:9");
	s = expect_step(c, "/proc", STEP_PROC, ACCESS_NONE, "built in");
	s = expect_step(c, "/dev", STEP_DEV, ACCESS_NONE, "built in");
	assert_int_equal(c->plan->root_access, ACCESS_NONE);
	case_free(c);
}

/* Parents come first, whatever the order of the lines and options. */
static void test_order(void **state)
{
	struct plan_case *c = case_new("read /usr/share/doc\nexec /usr\nhide /usr/share\n", NULL);

	(void)state;
	case_place(c, PLACE_RW, NULL, in_arena("job/deep"));
	case_place(c, PLACE_TMPFS, NULL, in_arena(""));
	case_make_good(c);
	for (size_t i = 0; i < c->plan->n_steps; i++)
		for (size_t k = i + 1; k < c->plan->n_steps; k++)
			assert_false(
				path_is_within(c->plan->steps[i].dest, c->plan->steps[k].dest));
	/* the deepest wins: below what is hidden, what is read shows */
	(void)expect_step(c, "/usr/share", STEP_HIDE, ACCESS_NONE, "test.policy:7");
	(void)expect_step(c, "/usr/share/doc", STEP_BIND, ACCESS_READ, "test.policy:5");
	(void)expect_step(c, in_arena("job/deep"), STEP_BIND, ACCESS_ALL, "--rw");
	(void)expect_step(c, in_arena(""), STEP_PLACE, ACCESS_ALL, "--tmpfs");
	case_free(c);
}

static void test_option_beats_policy(void **state)
{
	struct plan_case *c = case_new("read %A/job\nhide %A/dir\ntmpfs %A/home\nexec %A\n"
				       "read %A/file\n",
				       NULL);

	(void)state;
	case_place(c, PLACE_RW, NULL, in_arena("job"));
	case_place(c, PLACE_RO, NULL, in_arena("dir"));
	case_place(c, PLACE_HIDE, NULL, in_arena("home"));
	case_place(c, PLACE_RO, in_arena("dir"), in_arena("file"));
	case_make_good(c);
	(void)expect_step(c, in_arena("job"), STEP_BIND, ACCESS_ALL, "--rw");
	(void)expect_step(c, in_arena("dir"), STEP_BIND, ACCESS_EXEC, "--ro");
	(void)expect_step(c, in_arena("home"), STEP_HIDE, ACCESS_NONE, "--hide");
	assert_string_equal(
		expect_step(c, in_arena("file"), STEP_BIND, ACCESS_EXEC, "--ro")->source,
		in_arena("dir"));
	case_free(c);
}

/* Rules that meet at one path only when their variables are known. */
static void test_policy_beats_itself(void **state)
{
	struct plan_case *c = case_new("read ~\nhide %A/home\ntmpfs $PWD\n"
				       "read %A/job\nexec ${WORK:-/none}/deep\n"
				       "write %A/job/deep\n",
				       NULL);
	char work[LIMIT_PATH + 8], *env[] = { work, NULL };

	(void)state;
	(void)snprintf(work, sizeof(work), "WORK=%s", in_arena("job"));
	c->host.environ = env;
	case_cwd(c, in_arena("home"));
	case_make_good(c);
	/* tmpfs over hide over read */
	(void)expect_step(c, in_arena("home"), STEP_PLACE, ACCESS_ALL, "test.policy:7");
	/* exec and write add up */
	assert_true(step_at(c, in_arena("job/deep"))->writable);
	assert_int_equal(step_at(c, in_arena("job/deep"))->access, ACCESS_ALL);
	case_free(c);

	c = case_new("read ~\nhide %A/home\nread %A\n", NULL);
	case_make_good(c);
	(void)expect_step(c, in_arena("home"), STEP_HIDE, ACCESS_NONE, "test.policy:6");
	case_free(c);
}

static void test_expansion(void **state)
{
	static const char *const env[] = { "EMPTY=", "REL=a/b", "DOTS=/usr/./lib/../share/",
					   "AB=/x", NULL };
	struct plan_case *c = case_new("read? ~/x\nread? $PWD/y\nread? ${UNSET:-/usr/lib}/z\n"
				       "read? ${EMPTY:-/opt}\nread? ${DOTS:-/none}/w\n"
				       "read? ${A:-/usr/games}\n",
				       env);

	(void)state;
	case_cwd(c, in_arena("job"));
	case_make_good(c);
	assert_non_null(step_at(c, in_arena("home/x")));
	assert_non_null(step_at(c, in_arena("job/y")));
	assert_non_null(step_at(c, "/usr/lib/z"));
	assert_non_null(step_at(c, "/opt"));
	assert_non_null(step_at(c, "/usr/share/w"));
	assert_non_null(step_at(c, "/usr/games")); /* A is not AB */
	expect_none(c, "/x");
	case_free(c);

	c = case_new("read ${REL:-/usr}\n", env);
	case_make_refused(c, -EINVAL, "${REL:-/usr}");
	case_free(c);

	/* nobody's home: nothing to name */
	c = case_new("tmpfs ~\nread ~/x\nexec /usr\n", NULL);
	c->host.home = NULL;
	case_make_good(c);
	assert_non_null(step_at(c, "/usr"));
	assert_int_equal(c->plan->n_steps, 3);
	case_free(c);

	/* the working directory "/" */
	c = case_new("read? $PWD/usr\n", NULL);
	case_make_good(c);
	assert_non_null(step_at(c, "/usr"));
	case_free(c);
}

static void test_root_rule(void **state)
{
	struct plan_case *c = case_new("exec /\nhide /usr/share\nhide /boot\n", NULL);

	(void)state;
	case_make_good(c);
	assert_int_equal(c->plan->root_access, ACCESS_EXEC);
	assert_true(step_at(c, "/usr")->optional);
	(void)expect_step(c, "/usr", STEP_BIND, ACCESS_NONE, "test.policy:5");
	(void)expect_step(c, "/etc", STEP_BIND, ACCESS_NONE, "test.policy:5");
	(void)expect_step(c, "/usr/share", STEP_HIDE, ACCESS_NONE, "test.policy:6");
	expect_none(c, "/boot"); /* not bound at all: nothing to cover */
	expect_none(c, "/sys");
	expect_none(c, "/");
	(void)expect_step(c, "/proc", STEP_PROC, ACCESS_NONE, "built in");
	case_free(c);

	c = case_new("write /\n", NULL);
	case_make_good(c);
	assert_true(step_at(c, "/usr")->writable);
	case_free(c);
	c = case_new("hide /\n", NULL);
	case_make_refused(c, -EINVAL, "test.policy:5");
	case_free(c);
	c = case_new("tmpfs /\n", NULL);
	case_make_refused(c, -EINVAL, "test.policy:5");
	case_free(c);
}

/* A merged /usr: the symlinks of the host's top level stay symlinks. */
static void test_symlinks_stay(void **state)
{
	struct plan_case *c = case_new("exec /usr\nread %A/link\n", NULL);

	(void)state;
	case_make_good(c);
	assert_string_equal(
		expect_step(c, in_arena("link"), STEP_SYMLINK, ACCESS_NONE, "test.policy:6")
			->source,
		"job");
	case_free(c);
}

static void test_hide_what_does_not_show(void **state)
{
	struct plan_case *c = case_new("hide /srv/x\ntmpfs %A\nhide %A/dir\nexec /usr\n"
				       "hide /usr/share\n",
				       NULL);

	(void)state;
	case_place(c, PLACE_HIDE, NULL, "/mnt/y");
	case_make_good(c);
	expect_none(c, "/srv/x");
	expect_none(c, "/mnt/y");
	expect_none(c, in_arena("dir")); /* below an empty place */
	(void)expect_step(c, "/usr/share", STEP_HIDE, ACCESS_NONE, "test.policy:9");
	case_free(c);
}

/* What a name leads to is what must not be seen, by whatever name. */
static void test_hide_through_symlinks(void **state)
{
	struct plan_case *c = case_new("exec %A\nhide %A/link/deep\n", NULL);

	(void)state;
	case_make_good(c);
	(void)expect_step(c, in_arena("job/deep"), STEP_HIDE, ACCESS_NONE, "test.policy:6");
	expect_none(c, in_arena("link/deep"));
	case_free(c);

	c = case_new("exec %A\nhide? %A/link\n", NULL);
	case_make_good(c);
	(void)expect_step(c, in_arena("job"), STEP_HIDE, ACCESS_NONE, "test.policy:6");
	case_free(c);

	c = case_new("exec %A\n", NULL);
	case_place(c, PLACE_HIDE, NULL, in_arena("link/deep"));
	case_make_good(c);
	(void)expect_step(c, in_arena("job/deep"), STEP_HIDE, ACCESS_NONE, "--hide");
	case_free(c);

	c = case_new("exec %A\ntmpfs %A/link/deep\n", NULL);
	case_make_good(c);
	(void)expect_step(c, in_arena("job/deep"), STEP_PLACE, ACCESS_ALL, "test.policy:6");
	case_free(c);

	/* not there: nothing to resolve, nothing refused */
	c = case_new("exec %A\nhide %A/nothing/x\n", NULL);
	case_make_good(c);
	case_free(c);
}

static void test_cwd(void **state)
{
	struct plan_case *c = case_new("exec /usr\ntmpfs /tmp\ntmpfs ~\n", NULL);
	const struct plan_step *s;

	(void)state;
	case_cwd(c, in_arena("job"));
	case_make_good(c);
	s = expect_step(c, in_arena("job"), STEP_BIND, ACCESS_EXEC, "the working directory");
	assert_false(s->writable);
	assert_string_equal(c->plan->cwd, in_arena("job"));

	plan_free(c->plan); /* in the home directory: not shown, stood in */
	case_cwd(c, in_arena("home"));
	case_make_good(c);
	(void)expect_step(c, in_arena("home"), STEP_PLACE, ACCESS_ALL, "test.policy:7");
	assert_string_equal(c->plan->cwd, in_arena("home"));

	plan_free(c->plan); /* below it: a project */
	case_cwd(c, in_arena("home/src"));
	case_make_good(c);
	(void)expect_step(c, in_arena("home/src"), STEP_BIND, ACCESS_EXEC, "the working directory");

	plan_free(c->plan); /* above it: it would show the home */
	case_cwd(c, arena);
	case_make_good(c);
	expect_none(c, arena);
	assert_string_equal(c->plan->cwd, in_arena("home"));

	plan_free(c->plan); /* exactly where a rule makes an empty place */
	case_cwd(c, "/tmp");
	case_make_good(c);
	(void)expect_step(c, "/tmp", STEP_PLACE, ACCESS_ALL, "test.policy:6");
	assert_string_equal(c->plan->cwd, "/tmp");

	plan_free(c->plan); /* visible anyway */
	case_cwd(c, "/usr/share");
	case_make_good(c);
	expect_none(c, "/usr/share");
	assert_string_equal(c->plan->cwd, "/usr/share");

	plan_free(c->plan); /* told */
	c->req.cwd = "lib";
	case_cwd(c, "/usr");
	case_make_good(c);
	assert_string_equal(c->plan->cwd, "/usr/lib");
	case_free(c);
}

/* No rule makes a place of the home: it is still not shown for standing in it. */
static void test_cwd_home_without_rule(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	case_cwd(c, in_arena("home"));
	case_make_good(c);
	expect_none(c, in_arena("home"));
	assert_string_equal(c->plan->cwd, "/");
	case_free(c);
}

/* A person's wish to see nothing holds for who stands there too, and the sandbox's own /proc, /dev
 * and the absent /sys are not replaced by the host's. */
static void test_cwd_hidden(void **state)
{
	static const char *const own[] = { "/proc/1", "/proc",	     "/dev/shm",
					   "/dev",    "/sys/kernel", "/sys" };
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	case_cwd(c, in_arena("job/deep"));
	case_place(c, PLACE_HIDE, NULL, in_arena("job"));
	case_make_good(c);
	expect_none(c, in_arena("job/deep"));
	assert_string_equal(c->plan->cwd, "/");
	plan_free(c->plan);
	c->req.places[0].kind = PLACE_TMPFS;
	case_make_good(c);
	expect_none(c, in_arena("job/deep"));
	case_free(c);

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		c = case_new("exec /usr\nhide? /sys\n", NULL);
		case_cwd(c, own[i]);
		case_make_good(c);
		for (size_t k = 0; k < c->plan->n_steps; k++)
			if (c->plan->steps[k].kind == STEP_BIND &&
			    strcmp(c->plan->steps[k].dest, "/usr") != 0)
				fail_msg("standing in '%s' binds '%s'", own[i],
					 c->plan->steps[k].dest);
		case_free(c);
	}
}

/* /proc and /dev are the launcher's: a rule never puts the host's below. */
static void test_policy_below_proc(void **state)
{
	struct plan_case *c = case_new("exec /usr\nread /proc/sys\n", NULL);

	(void)state;
	case_make_refused(c, -EINVAL, "test.policy:6");
	case_free(c);
	c = case_new("exec /usr\nwrite? /proc/1\n", NULL);
	case_make_refused(c, -EINVAL, "test.policy:6");
	case_free(c);
	c = case_new("exec /usr\ntmpfs /proc/scsi\n", NULL);
	case_make_refused(c, -EINVAL, "test.policy:6");
	case_free(c);
	c = case_new("exec /usr\nread /proc\nhide /proc/scsi\nhide /dev/shm\n", NULL);
	case_make_good(c);
	(void)expect_step(c, "/proc", STEP_PROC, ACCESS_NONE, "built in");
	(void)expect_step(c, "/proc/scsi", STEP_HIDE, ACCESS_NONE, "test.policy:7");
	(void)expect_step(c, "/dev/shm", STEP_HIDE, ACCESS_NONE, "test.policy:8");
	case_free(c);
	c = case_new("exec /usr\n", NULL);
	case_place(c, PLACE_HIDE, NULL, "/dev/shm");
	case_make_good(c);
	(void)expect_step(c, "/dev/shm", STEP_HIDE, ACCESS_NONE, "--hide");
	case_free(c);
}

static void test_places_mounted(void **state)
{
	struct plan_case *c =
		case_new("exec /usr\ntmpfs /usr/share\ntmpfs /tmp\ntmpfs /var/tmp\n", NULL);

	(void)state;
	case_make_good(c);
	assert_true(step_at(c, "/usr/share")->mounted);
	assert_int_equal(step_at(c, "/usr/share")->mode, 0755);
	assert_false(step_at(c, "/tmp")->mounted);
	assert_int_equal(step_at(c, "/tmp")->mode, 01777);
	assert_int_equal(step_at(c, "/var/tmp")->mode, 01777);
	case_free(c);
}

static void test_resolver(void **state)
{
	struct plan_case *c = case_new("exec /etc\nnet loopback\n", NULL);
	struct stat st;

	(void)state;
	if (lstat("/etc/resolv.conf", &st) == 0 && S_ISREG(st.st_mode)) {
		case_make_good(c);
		(void)expect_step(c, "/etc/resolv.conf", STEP_HIDE, ACCESS_NONE, "built in");
		plan_free(c->plan);
		c->req.net = POLICY_NET_HOST;
		case_make_good(c);
		expect_none(c, "/etc/resolv.conf");
		plan_free(c->plan);
		c->req.net = -1;
		case_place(c, PLACE_RO, in_arena("file"), "/etc/resolv.conf");
		case_make_good(c);
		(void)expect_step(c, "/etc/resolv.conf", STEP_BIND, ACCESS_EXEC, "--ro");
	}
	case_free(c);
}

/* A base is its own view: the policy's hide and tmpfs hold, its reads bring nothing in. */
static void test_on_a_base(void **state)
{
	struct plan_case *c = case_new("exec /usr\nread ~\nhide /root\ntmpfs /tmp\n", NULL);

	(void)state;
	c->req.bases[0] = in_arena("dir");
	c->req.n_bases = 1;
	case_place(c, PLACE_RW, NULL, in_arena("job"));
	case_cwd(c, in_arena("job/deep"));
	case_make_good(c);
	assert_int_equal(c->plan->root, ROOT_OVERLAY);
	assert_int_equal(c->plan->root_access, ACCESS_ALL);
	expect_none(c, "/usr");
	expect_none(c, in_arena("home"));
	assert_true(step_at(c, "/root")->optional);
	assert_int_equal(step_at(c, "/root")->kind, STEP_HIDE);
	assert_true(step_at(c, "/tmp")->mounted);
	assert_string_equal(c->plan->cwd, in_arena("job/deep"));
	plan_free(c->plan);
	case_cwd(c,
		 in_arena("home")); /* the host's directory does not come in for standing in it */
	case_make_good(c);
	expect_none(c, in_arena("home"));
	assert_string_equal(c->plan->cwd, "/");
	plan_free(c->plan);
	c->req.upper = UPPER_NONE;
	case_make_good(c);
	assert_int_equal(c->plan->root, ROOT_READONLY);
	assert_int_equal(c->plan->root_access, ACCESS_EXEC);
	case_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_option_beats_policy),
		cmocka_unit_test(test_policy_beats_itself),
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_root_rule),
		cmocka_unit_test(test_symlinks_stay),
		cmocka_unit_test(test_hide_what_does_not_show),
		cmocka_unit_test(test_hide_through_symlinks),
		cmocka_unit_test(test_cwd),
		cmocka_unit_test(test_cwd_home_without_rule),
		cmocka_unit_test(test_cwd_hidden),
		cmocka_unit_test(test_policy_below_proc),
		cmocka_unit_test(test_places_mounted),
		cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_on_a_base),
	};

	return cmocka_run_group_tests_name("plan_paths", tests, arena_make, arena_remove);
}
