// SPDX-License-Identifier: Apache-2.0
/* Which path line speaks of a path: by hand, and the same as a launch's plan says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/path.h"
#include "policies/path_rule.h"
#include "tests/unit/plan_case.h"

static const char *look_up(const char *name, void *context)
{
	(void)context;
	if (strcmp(name, "SRC") == 0)
		return "/srv/./src/";
	if (strcmp(name, "REL") == 0)
		return "srv";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static struct path_vars vars = { .home = "/home/u", .pwd = "/src", .lookup = look_up };

static void expands(const char *text, int r, const char *want)
{
	char copy[64], out[LIMIT_PATH] = "";
	const struct policy_path line = { .path = copy };

	(void)snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(path_rule_expand(&line, &vars, out, sizeof(out)), r);
	assert_string_equal(out, want);
}

static void test_expand(void **state)
{
	const struct path_vars none = { .home = NULL };
	struct policy_path line = { .path = NULL };
	char small[8] = "", path[] = "/usr/lib", home[] = "~/x";

	(void)state;
	expands("/usr", 0, "/usr");
	expands("/", 0, "/");
	expands("~", 0, "/home/u");
	expands("~/a", 0, "/home/u/a");
	expands("~a", -EINVAL, "");
	expands("$PWD", 0, "/src");
	expands("$PWD/a", 0, "/src/a");
	expands("$PWDS", -EINVAL, "");
	expands("${SRC:-/x}", 0, "/srv/src");
	expands("${SRC:-/x}/a", 0, "/srv/src/a");
	expands("${NONE:-/x}/a", 0, "/x/a");
	expands("${EMPTY:-/x}/a", 0, "/x/a");
	expands("${NONE}/a", -ENOENT, "");
	expands("${REL:-/x}", -EINVAL, "");
	line.path = path;
	assert_int_equal(path_rule_expand(&line, &vars, small, sizeof(small)), -ENAMETOOLONG);
	assert_string_equal(small, "");
	line.path = home;
	assert_int_equal(path_rule_expand(&line, &none, small, sizeof(small)), -ENOENT);
	assert_string_equal(small, "");
}

static struct policy *policy_of(const char *lines)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load_text("t", lines, strlen(lines), NULL, &policy, &diags, &err) < 0)
		fail_msg("%s", diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

static void found(const struct policy *policy, const char *path, unsigned line)
{
	const struct policy_path *p = path_rule_find(policy, &vars, path);

	if ((p ? p->where.line : 0) != line)
		fail_msg("%s: line %u, not %u", path, p ? p->where.line : 0, line);
}

static void test_find(void **state)
{
	struct policy *p = policy_of("exec /\n"		     /* 1 */
				     "read /srv/src\n"	     /* 2 */
				     "hide ${SRC:-/x}\n"     /* 3: the same place */
				     "tmpfs ~\n"	     /* 4 */
				     "write ~/a\n"	     /* 5 */
				     "hide? /etc/shadow\n"   /* 6 */
				     "read $PWD\n"	     /* 7 */
				     "write ${NONE:-/src}\n" /* 8: the same place */
				     "read /dev/shm\n"	     /* 9 */
				     "hide /proc/kcore\n");  /* 10 */
	const struct policy_path *line = NULL;

	(void)state;
	found(p, "/", 1);
	found(p, "/usr/bin/true", 1);
	found(p, "/srv", 1);
	found(p, "/srv/src", 3);
	found(p, "/srv/src/x", 3);
	found(p, "/srv/srcx", 1);
	found(p, "/home/u/b", 4);
	found(p, "/home/u/a/b", 5);
	found(p, "/home/ux", 1);
	found(p, "/etc/shadow", 6);
	found(p, "/etc/shadow-", 1);
	found(p, "/src/x", 8);
	found(p, "/dev/null", 0);
	found(p, "/dev/shm/x", 9);
	found(p, "/proc/1", 0);
	found(p, "/proc/kcore", 10);
	found(p, "/sys/kernel", 0);
	assert_true(path_rule_allows(p, &vars, "/src/x", POLICY_PATH_WRITE, &line));
	assert_int_equal(line->where.line, 8);
	assert_false(path_rule_allows(p, &vars, "/src/x", POLICY_PATH_EXEC, &line));
	assert_false(path_rule_allows(p, &vars, "/etc/shadow", POLICY_PATH_READ, &line));
	assert_int_equal(line->where.line, 6);
	assert_false(path_rule_allows(p, &vars, "/sys/kernel", POLICY_PATH_READ, &line));
	assert_null(line);
	policy_free(p);
	p = policy_of("write $PWD\nexec ${NONE:-/src}\n");
	found(p, "/src", 1);
	assert_true(path_rule_allows(p, &vars, "/src", POLICY_PATH_WRITE, &line));
	assert_true(path_rule_allows(p, &vars, "/src", POLICY_PATH_EXEC, &line));
	assert_int_equal(line->where.line, 1);
	found(p, "/", 0);
	found(p, "/usr", 0);
	policy_free(p);
}

static void test_gives(void **state)
{
	(void)state;
	assert_int_equal(path_rule_gives(POLICY_PATH_READ), PATH_MAY_READ);
	assert_int_equal(path_rule_gives(POLICY_PATH_EXEC), PATH_MAY_READ | PATH_MAY_EXEC);
	assert_int_equal(path_rule_gives(POLICY_PATH_WRITE), PATH_MAY_READ | PATH_MAY_WRITE);
	assert_int_equal(path_rule_gives(POLICY_PATH_HIDE), 0);
	assert_int_equal(path_rule_gives(POLICY_PATH_TMPFS),
			 PATH_MAY_READ | PATH_MAY_WRITE | PATH_MAY_EXEC);
}

/* --- beside a launch's plan --- */

static const struct plan_step *covering(const struct plan *plan, const char *path)
{
	const struct plan_step *best = NULL;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *s = &plan->steps[i];

		/* a pin holds a name and changes nothing of what it shows */
		if (s->kind != STEP_PIN && path_is_within(path, s->dest) &&
		    (!best || path_depth(s->dest) > path_depth(best->dest)))
			best = s;
	}
	return best;
}

static unsigned by_plan(const struct plan *plan, const char *path)
{
	static const unsigned rights[] = {
		[ACCESS_READ] = PATH_MAY_READ,
		[ACCESS_EXEC] = PATH_MAY_READ | PATH_MAY_EXEC,
		[ACCESS_WRITE] = PATH_MAY_READ | PATH_MAY_WRITE,
		[ACCESS_ALL] = PATH_MAY_READ | PATH_MAY_EXEC | PATH_MAY_WRITE,
	};
	const struct plan_step *s = covering(plan, path);

	assert_true(!s || s->access < ARRAY_SIZE(rights));
	return s ? rights[s->access] : 0;
}

static const char *arena_env(const char *name, void *context)
{
	(void)context;
	return strcmp(name, "ARENA") == 0 ? arena : NULL;
}

static unsigned by_rules(const struct policy *policy, const struct path_vars *v, const char *path)
{
	const struct policy_path *line;

	return path_rule_rights(policy, v, path, &line);
}

static void test_as_a_launch(void **state)
{
	static const char *const verbs[] = { "read", "exec", "write", "hide", "tmpfs" };
	static const char *const places[] = { "%A",	    "%A/home",	 "~/src",
					      "%A/src",	    "$PWD/deep", "$PWD",
					      "%A/dir",	    "~",	 "${ARENA:-/x}/src",
					      "${NONE:-%A}" };
	static const char *const asked[] = { "",	   "home",	"home/src",
					     "home/src/x", "home/y",	"work",
					     "work/z",	   "work/deep", "work/deep/x",
					     "dir",	   "dir/a/b",	"file" };
	char env_text[LIMIT_PATH + 16], lines[512];
	const char *env[] = { env_text, NULL };
	unsigned seed = 1, granted = 0;

	(void)state;
	(void)snprintf(env_text, sizeof(env_text), "ARENA=%s", arena);
	for (unsigned round = 0; round < 300; round++) {
		struct plan_case *c;
		struct policy *policy;
		struct path_vars v = { .lookup = arena_env };
		_cleanup_buf_ struct buf text = BUF_INIT;

		lines[0] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			seed = seed * 1103515245U + 12345U;
			if (seed >> 16 & 1)
				(void)snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines),
					       "%s %s\n", verbs[(seed >> 18) % 5], places[i]);
		}
		c = case_new(lines, env);
		case_cwd(c, in_arena("work"));
		c->req.cwd = arena; /* else the plan would show the working directory by itself */
		case_make_good(c);
		for (const char *p = lines; *p; p++) {
			if (p[0] == '%')
				assert_int_equal(buf_puts(&text, arena), 0);
			else
				assert_int_equal(buf_put(&text, p, 1), 0);
			p += p[0] == '%';
		}
		policy = policy_of(text.data ? text.data : "");
		v.home = c->home;
		v.pwd = c->host.cwd;
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			const char *path = in_arena(asked[i]);
			unsigned want = by_plan(c->plan, path);

			if (by_rules(policy, &v, path) != want)
				fail_msg("%s is %u by the plan, %u by its rules:\n%s", path, want,
					 by_rules(policy, &v, path), text.data);
			granted += want != 0;
		}
		policy_free(policy);
		case_free(c);
	}
	assert_true(granted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_gives),
		cmocka_unit_test_setup_teardown(test_as_a_launch, arena_make, arena_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
