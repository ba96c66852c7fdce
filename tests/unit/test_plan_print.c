// SPDX-License-Identifier: Apache-2.0
/* A plan as text, as JSON and as a digest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "base/text.h"
#include "tests/unit/plan_case.h"

static char evil_dir[] = "e\x1b[2J\nforged  line\xc2\x9b\xe2\x80\xae";
static char evil_arg[] = "\x1b]0;title\x07\nbase     /forged";
static char evil_env[] = "E\x1b[A\nVIL=\x1b[B";

/* Escapes wherever a text of somebody else's can stand. */
static struct plan_case *evil_case(bool with_base)
{
	static const char *const env[] = { evil_env, NULL };
	struct plan_case *c = case_new("exec /usr\nhide %A/dir/x\n", env);

	(void)mkdir(in_arena(evil_dir), 0755);
	c->argv[1] = evil_arg;
	c->req.env[c->req.n_env++] = evil_env;
	c->req.hostname = "h\x1b[1m\n";
	c->req.argv0 = "a\x1b\n";
	case_place(c, PLACE_TMPFS, NULL, "/t\x1b\n/x");
	case_place(c, PLACE_RW, in_arena(evil_dir), "/d\x1b\n");
	case_place(c, PLACE_SYMLINK, "to\x1b\n", "/s\x1b\n");
	case_cwd(c, in_arena(evil_dir));
	if (with_base) {
		c->req.bases[0] = in_arena(evil_dir);
		c->req.n_bases = 1;
	}
	return c;
}

static void expect_harmless(const struct buf *out)
{
	for (size_t i = 0; i < out->len;) {
		const unsigned char *p = (const unsigned char *)out->data + i;
		size_t n = text_utf8_len(p, out->len - i);

		if (*p != '\n' && (n == 0 || !text_is_shown(p, n)))
			fail_msg("a raw 0x%02x: ...%.40s", *p, out->data + (i > 20 ? i - 20 : 0));
		i += n ? n : 1;
	}
	assert_null(strstr(out->data, "\nforged"));
	assert_null(strstr(out->data, "\nbase     /forged"));
}

static void test_print_is_harmless(void **state)
{
	(void)state;
	for (int with_base = 0; with_base < 2; with_base++) {
		struct plan_case *c = evil_case(with_base);
		_cleanup_buf_ struct buf text = BUF_INIT, json = BUF_INIT;

		case_make_good(c);
		assert_int_equal(plan_print(c->plan, false, &text), 0);
		expect_harmless(&text);
		assert_non_null(strstr(text.data, "\\x1b")); /* it was there */
		assert_int_equal(plan_print(c->plan, true, &json), 0);
		expect_harmless(&json);
		assert_ptr_equal(strchr(json.data, '\n'), json.data + json.len - 1);
		case_free(c);
	}
	(void)rmdir(in_arena(evil_dir));
}

/* The policy's file name is shown as the reason of a step. */
static void test_why_is_harmless(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);
	_cleanup_buf_ struct buf text = BUF_INIT, json = BUF_INIT;

	(void)state;
	case_make_good(c);
	for (size_t i = 0; i < c->plan->n_steps; i++)
		c->plan->steps[i].why = "x\x1b[2J\nforged.policy:1";
	assert_int_equal(plan_print(c->plan, false, &text), 0);
	expect_harmless(&text);
	assert_int_equal(plan_print(c->plan, true, &json), 0);
	expect_harmless(&json);
	case_free(c);
}

static void test_json(void **state)
{
	struct plan_case *c = evil_case(false);
	_cleanup_buf_ struct buf json = BUF_INIT;
	struct json_object *o, *steps, *argv;
	size_t binds = 0;

	(void)state;
	case_make_good(c);
	assert_int_equal(plan_print(c->plan, true, &json), 0);
	o = json_tokener_parse(json.data);
	assert_non_null(o);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "policy")), "test");
	assert_string_equal(json_object_get_string(json_object_object_get(o, "sandbox")),
			    c->plan->id);
	steps = json_object_object_get(o, "steps");
	assert_int_equal(json_object_array_length(steps), c->plan->n_steps);
	for (size_t i = 0; i < c->plan->n_steps; i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);

		binds += strcmp(json_object_get_string(json_object_object_get(step, "do")),
				"bind") == 0;
		assert_non_null(json_object_object_get(step, "why"));
	}
	assert_int_equal(binds, 3); /* /usr, --rw, the working directory */
	argv = json_object_object_get(o, "argv");
	assert_int_equal(json_object_array_length(argv), 2);
	json_object_put(o);
	(void)rmdir(in_arena(evil_dir));
	case_free(c);
}

/* A plan of 10,000 long arguments outgrows the first block of the writer. */
static void test_json_large(void **state)
{
	_cleanup_free_ char **argv = calloc(10001, sizeof(*argv));
	struct plan_case *c = case_new("exec /usr\n", NULL);
	_cleanup_buf_ struct buf json = BUF_INIT;
	static char arg[101];
	struct json_object *o;

	(void)state;
	assert_non_null(argv);
	memset(arg, '\x1b', sizeof(arg) - 1);
	for (size_t i = 0; i < 10000; i++)
		argv[i] = arg;
	c->req.argv = argv;
	case_make_good(c);
	assert_int_equal(plan_print(c->plan, true, &json), 0);
	assert_true(json.len > 5000000);
	o = json_tokener_parse(json.data);
	assert_non_null(o);
	json_object_put(o);
	case_free(c);
}

/* --- digest --- */

static void change(struct plan_case *c, unsigned what)
{
	static char other[] = "/bin/false";
	static const char *const env[] = { "TERM=other", NULL };

	switch (what) {
	case 1:
		c->argv[0] = other;
		break;
	case 2:
		c->argv[1] = other;
		break;
	case 3:
		c->req.argv0 = "zero";
		break;
	case 4:
		c->host.environ = (char *const *)(uintptr_t)env;
		break;
	case 5:
		c->req.env[c->req.n_env++] = "X=1";
		break;
	case 6:
		c->req.net = POLICY_NET_HOST;
		break;
	case 7:
		c->req.hostname = "other";
		break;
	case 8:
		c->req.cwd = "/usr";
		break;
	case 9:
		case_place(c, PLACE_RO, NULL, in_arena("dir"));
		break;
	case 10:
		case_place(c, PLACE_RW, NULL, in_arena("dir"));
		break;
	case 11:
		case_place(c, PLACE_TMPFS, NULL, in_arena("dir"));
		break;
	case 12:
		case_place(c, PLACE_SYMLINK, "a", "/l");
		break;
	case 13:
		case_place(c, PLACE_SYMLINK, "b", "/l");
		break;
	case 14:
		c->req.has_uid = true;
		c->req.uid = 12345;
		break;
	case 15:
		c->req.has_limit[POLICY_LIMIT_PIDS] = true;
		c->req.limit[POLICY_LIMIT_PIDS] = 5;
		break;
	case 16:
		c->req.has_limit[POLICY_LIMIT_PIDS] = true;
		c->req.limit[POLICY_LIMIT_PIDS] = 6;
		break;
	case 17:
		c->req.has_limit[POLICY_LIMIT_WALL] = true;
		c->req.limit[POLICY_LIMIT_WALL] = 5;
		break;
	case 18:
		c->req.pass_fds[0] = 2;
		c->req.n_pass_fds = 1;
		break;
	case 19:
		c->req.pty = PTY_ALWAYS;
		break;
	case 20:
		c->req.new_time = true;
		break;
	case 21:
		c->req.bases[0] = in_arena("dir");
		c->req.n_bases = 1;
		break;
	case 22:
		c->req.bases[0] = in_arena("job");
		c->req.n_bases = 1;
		break;
	case 23:
		c->req.bases[0] = in_arena("dir");
		c->req.n_bases = 1;
		c->req.upper = UPPER_NONE;
		break;
	case 24:
		c->host.landlock_abi = 0;
		break;
	case 25:
		c->req.has_limit[POLICY_LIMIT_UPPER] = true;
		c->req.limit[POLICY_LIMIT_UPPER] = 4096;
		break;
	case 26:
	case 27: /* as many, but others */
		c->req.has_limit[POLICY_LIMIT_CPUSET] = true;
		c->req.limit[POLICY_LIMIT_CPUSET] = 1;
		c->req.cpuset.bits[0] = what == 26 ? 1 : 2;
		break;
	default:
		break;
	}
}

enum { N_CHANGES = 28 };

static void test_digest(void **state)
{
	static const char *const policies[] = { "exec /usr\n", "exec /usr\nhide /usr/share\n",
						"exec /usr\nnotify off\n",
						"exec /usr\ncap CAP_CHOWN\n" };
	struct hash digest[N_CHANGES + 3];
	size_t n = 0;

	(void)state;
	for (unsigned what = 0; what < N_CHANGES + 3; what++) {
		const char *policy =
			what < N_CHANGES ? policies[0] : policies[what - N_CHANGES + 1];
		struct plan_case *c = case_new(policy, NULL);
		struct plan *first;
		struct hash again;

		change(c, what);
		case_make_good(c);
		first = c->plan;
		plan_digest(first, &digest[n]);
		case_make_good(c);
		plan_digest(c->plan, &again);
		/* two launches: another id, the same digest */
		assert_string_not_equal(first->id, c->plan->id);
		assert_memory_equal(&again, &digest[n], sizeof(again));
		for (size_t i = 0; i < n; i++)
			if (memcmp(&digest[i], &digest[n], sizeof(again)) == 0)
				fail_msg("changes %zu and %zu have one digest", i, n);
		plan_free(first);
		case_free(c);
		n++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print_is_harmless),
		cmocka_unit_test(test_why_is_harmless),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_large),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests_name("plan_print", tests, arena_make, arena_remove);
}
