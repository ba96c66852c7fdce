// SPDX-License-Identifier: Apache-2.0
/* Labels in a plan: who asks, what a host answers, and what is told and recorded of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/record.h"
#include "base/hash.h"
#include "tests/unit/plan_case.h"

/* A host that we make up. */
static struct {
	const char *current[_POLICY_LSM_MAX]; /* NULL: the module is not there */
	bool permissive;
	int answer;	   /* of try_exec */
	const char *shown; /* what it shows then; NULL: what was asked for, in enforce mode */
	unsigned reads, tries;
} host;

static int host_read(enum policy_lsm lsm, struct lsm_state *ret, struct err *err)
{
	(void)err;
	host.reads++;
	ret->there = host.current[lsm] != NULL;
	ret->by_syscall = true;
	ret->permissive = host.permissive && lsm == POLICY_LSM_SELINUX;
	if (ret->there)
		(void)snprintf(ret->current, sizeof(ret->current), "%s", host.current[lsm]);
	return 0;
}

static int host_try(enum policy_lsm lsm, const struct lsm_state *state, const char *text,
		    char ret[LSM_TEXT])
{
	(void)state;
	host.tries++;
	if (host.answer < 0)
		return host.answer;
	if (host.shown)
		(void)snprintf(ret, LSM_TEXT, "%s", host.shown);
	else if (lsm == POLICY_LSM_APPARMOR)
		(void)snprintf(ret, LSM_TEXT, "%.1000s (enforce)", strchr(text, ' ') + 1);
	else
		(void)snprintf(ret, LSM_TEXT, "%s", text);
	return 0;
}

static const struct lsm_ops host_ops = { .read = host_read, .try_exec = host_try };
static const char *const no_env[] = { NULL };

static struct plan_case *new_case(const char *lines)
{
	struct plan_case *c = case_new(lines, no_env);

	c->host.lsm = &host_ops;
	host.reads = host.tries = 0;
	host.answer = 0;
	host.shown = NULL;
	host.permissive = false;
	host.current[POLICY_LSM_APPARMOR] = "unconfined";
	host.current[POLICY_LSM_SELINUX] = "u:r:t:s0-s0:c0.c1023";
	return c;
}

static bool says(const char *const *list, const char *part)
{
	for (size_t i = 0; list[i]; i++) {
		if (strstr(list[i], part))
			return true;
	}
	return false;
}

static void entered(const struct plan_case *c, size_t i, enum policy_lsm lsm, const char *text,
		    const char *why)
{
	assert_in_range(i, 0, c->plan->n_labels - 1);
	assert_int_equal(c->plan->labels[i].lsm, lsm);
	assert_string_equal(c->plan->labels[i].text, text);
	assert_string_equal(c->plan->labels[i].why, why);
	assert_true(c->plan->labels[i].by_syscall);
}

/* The labels among those that refuse without a notification. */
static unsigned refusers(const struct plan *plan)
{
	unsigned untold;

	return plan_refusers(plan, &untold) & (1U << AUDIT_APPARMOR | 1U << AUDIT_SELINUX);
}

static void test_nothing_is_asked(void **state)
{
	struct plan_case *c = new_case("");

	(void)state;
	case_make_good(c);
	assert_int_equal(host.reads + host.tries, 0);
	assert_int_equal(c->plan->n_labels, 0);
	case_free(c);
	/* nor when the command line takes the policy's back */
	c = new_case("label apparmor p\nlabel selinux t\n");
	c->req.labels[POLICY_LSM_APPARMOR] = "none";
	c->req.labels[POLICY_LSM_SELINUX] = "none";
	case_make_good(c);
	assert_int_equal(host.reads + host.tries, 0);
	case_free(c);
}

static void test_who_asks(void **state)
{
	struct plan_case *c = new_case("label apparmor p\n\nlabel selinux x_t:c1,c2\n");

	(void)state;
	case_make_good(c);
	assert_int_equal(c->plan->n_labels, 2);
	entered(c, 0, POLICY_LSM_APPARMOR, "exec p", "test.policy:5");
	entered(c, 1, POLICY_LSM_SELINUX, "u:r:x_t:s0:c1,c2", "test.policy:7");
	assert_string_equal(c->plan->labels[1].rule,
			    "(allow t x_t (process2 (nnp_transition nosuid_transition)))");
	assert_true(says(c->plan->in_force, "AppArmor profile 'p'"));
	assert_true(says(c->plan->in_force, "SELinux context 'u:r:x_t:s0:c1,c2'"));
	assert_false(says(c->plan->given_up, "AppArmor"));
	assert_false(says(c->plan->given_up, "SELinux"));
	assert_int_equal(refusers(c->plan), 1U << AUDIT_APPARMOR | 1U << AUDIT_SELINUX);
	case_free(c);
	c = new_case("label apparmor p\n");
	c->req.labels[POLICY_LSM_APPARMOR] = "q";
	case_make_good(c);
	entered(c, 0, POLICY_LSM_APPARMOR, "exec q", "--label");
	case_free(c);
}

static void test_auto_has_the_policys_name(void **state)
{
	struct plan_case *c = new_case("label apparmor auto\nlabel selinux auto:c4.c5\n");

	(void)state;
	case_make_good(c);
	entered(c, 0, POLICY_LSM_APPARMOR, "exec cordon-test", "test.policy:5");
	entered(c, 1, POLICY_LSM_SELINUX, "u:r:cordon-test.process:s0:c4,c5", "test.policy:6");
	case_free(c);
}

static void test_who_is_confined_stacks(void **state)
{
	struct plan_case *c = new_case("label apparmor p\n");

	(void)state;
	host.current[POLICY_LSM_APPARMOR] = "q (enforce)";
	case_make_good(c);
	entered(c, 0, POLICY_LSM_APPARMOR, "stack p", "test.policy:5");
	assert_true(says(c->plan->in_force, "AppArmor profile 'p', stacked on 'q (enforce)'"));
	plan_free(c->plan);
	host.current[POLICY_LSM_APPARMOR] = "cordon (enforce)";
	host.shown = "p//&cordon_payload (enforce)";
	case_make_good(c);
	entered(c, 0, POLICY_LSM_APPARMOR, "stack cordon_payload//&p", "test.policy:5");
	assert_string_equal(c->plan->labels[0].shown, "p//&cordon_payload");
	case_free(c);
}

/* By name it is an error with the line, the reason and what to do; auto records it. */
static void test_what_cannot_be_had(void **state)
{
	static const struct {
		enum policy_lsm lsm;
		int code; /* 0: the module is not there; 1: it shows something else */
		const char *name, *reason, *hint;
	} cases[] = {
		{ POLICY_LSM_APPARMOR, 0, "some_t", "AppArmor is not in force", "auto" },
		{ POLICY_LSM_SELINUX, 0, "some_t", "SELinux is not in force", "auto" },
		{ POLICY_LSM_APPARMOR, -ENOENT, "some_t", "it is not loaded",
		  "apparmor_parser --replace FILE" },
		{ POLICY_LSM_APPARMOR, 1, "some_t", "it is not loaded",
		  "apparmor_parser --replace FILE" },
		{ POLICY_LSM_APPARMOR, -ENOENT, ":open:cordon-test", "it is not loaded",
		  "as anybody: cordon policy load --apparmor-namespace open test" },
		{ POLICY_LSM_APPARMOR, -ENOENT, ":open://cordon-other", "it is not loaded",
		  "cordon policy load --apparmor-namespace open other" },
		{ POLICY_LSM_APPARMOR, -ENOENT, ":open:some_t", "it is not loaded",
		  "as root: apparmor_parser --namespace-string 'open' --replace FILE" },
		/* where `policy load` goes in no namespace of that name */
		{ POLICY_LSM_APPARMOR, -ENOENT, ":open//in:cordon-test", "it is not loaded",
		  "apparmor_parser --namespace-string 'open//in' --replace FILE" },
		{ POLICY_LSM_APPARMOR, -EACCES, "some_t", "does not let it", "change_profile," },
		{ POLICY_LSM_APPARMOR, -EPERM, "some_t", "does not let it", "change_profile," },
		{ POLICY_LSM_SELINUX, -EINVAL, "some_t", "no such context", "semodule -i FILE" },
		{ POLICY_LSM_SELINUX, -EACCES, "some_t", "does not let it",
		  "(allow t self (process (setexec)))" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const enum policy_lsm lsm = cases[i].lsm;
		const char *module = lsm == POLICY_LSM_APPARMOR ? "AppArmor" : "SELinux";

		for (unsigned by_name = 0; by_name < 2; by_name++) {
			const char *name = cases[i].name;
			struct plan_case *c = new_case("");

			if (cases[i].code == 0)
				host.current[lsm] = NULL;
			if (cases[i].code == 1)
				host.shown = "q//null-p (complain)";
			host.answer = cases[i].code < 0 ? cases[i].code : 0;
			c->req.labels[lsm] = by_name ? name : "auto";
			if (by_name) {
				case_make_refused(c, -EINVAL, cases[i].reason);
				assert_non_null(strstr(c->err.msg, name));
				assert_non_null(strstr(c->err.msg, "(--label)"));
				if (!strstr(c->err.hint, cases[i].hint))
					fail_msg("%s", c->err.hint);
			} else {
				case_make_good(c);
				assert_int_equal(c->plan->n_labels, 0);
				assert_true(says(c->plan->given_up, module));
				assert_false(says(c->plan->in_force, module));
			}
			case_free(c);
		}
	}
}

static void test_own_profile_has_its_command(void **state)
{
	struct plan_case *c = new_case("label apparmor cordon-test\n");

	(void)state;
	host.answer = -ENOENT;
	case_make_refused(c, -EINVAL, "'cordon-test' (test.policy:5): it is not loaded");
	assert_non_null(strstr(c->err.hint, "apparmor_parser --replace test.apparmor"));
	assert_non_null(strstr(c->err.hint, "cordon policy build test --emit apparmor"));
	case_free(c);
	c = new_case("label selinux cordon-test.process\n");
	host.answer = -EINVAL;
	case_make_refused(c, -EINVAL, "'u:r:cordon-test.process:s0:c");
	assert_non_null(strstr(c->err.hint, "-i test.cil"));
	case_free(c);
}

/* The command finds the policy that was asked for, and a shell takes it as one word. */
static void test_the_command_has_the_word_that_was_given(void **state)
{
	static char deep[LIMIT_ERR_HINT];
	static const struct {
		const char *given, *word;
	} cases[] = {
		{ NULL, "test" },
		{ "test", "test" },
		{ "./mine.policy", "./mine.policy" },
		{ "my own.policy", "'my own.policy'" },
		{ "~/x.policy", "'~/x.policy'" },
		{ "it's;$(x)/`y`&.policy", "'it'\"'\"'s;$(x)/`y`&.policy'" },
		{ "\303\266l/x.policy", "'\303\266l/x.policy'" },
		/* what print_error() would show otherwise */
		{ "a\\b/x.policy", "POLICY" },
		{ "a\nb/x.policy", "POLICY" },
		{ "\342\200\256/x.policy", "POLICY" },
		{ deep, "POLICY" },
		{ "-mine.policy", "POLICY" },
	};
	static const struct {
		enum policy_lsm lsm;
		int code;
		const char *label, *before, *after;
	} hints[] = {
		{ POLICY_LSM_APPARMOR, -ENOENT, "cordon-test",
		  "--replace test.apparmor, written by: cordon policy build ",
		  " --emit apparmor -o ." },
		{ POLICY_LSM_APPARMOR, -ENOENT, ":open:cordon-test",
		  "policy load --apparmor-namespace open ", "" },
		{ POLICY_LSM_SELINUX, -EINVAL, "cordon-test.process",
		  " -i test.cil, written by: cordon policy build ", " --emit selinux -o ." },
	};

	(void)state;
	memset(deep, '/', sizeof(deep) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(hints); i++) {
		const size_t k = i % ARRAY_SIZE(hints);
		const char *word = cases[i / ARRAY_SIZE(hints)].word, *end;
		struct plan_case *c = new_case("");
		char want[LIMIT_ERR_HINT];

		c->req.policy = cases[i / ARRAY_SIZE(hints)].given;
		c->req.labels[hints[k].lsm] = hints[k].label;
		host.answer = hints[k].code;
		case_make_refused(c, -EINVAL, "cordon-test");
		(void)snprintf(want, sizeof(want), "%s%s%s", hints[k].before, word, hints[k].after);
		end = strstr(c->err.hint, want);
		if (!end || end[strlen(want)])
			fail_msg("'%s', not '%s'", c->err.hint, want);
		case_free(c);
	}
}

/* What the kernel cannot say is no reason to do without. */
static void test_other_failures_are_fatal(void **state)
{
	struct plan_case *c = new_case("label apparmor auto\n");

	(void)state;
	host.answer = -ENOMEM;
	case_make_refused(c, -ENOMEM, "ask the kernel for the label");
	case_free(c);
	c = new_case("label selinux auto\n");
	host.current[POLICY_LSM_SELINUX] = "u:r:t:s0-s0:c1";
	case_make_refused(c, -EINVAL, "fewer than two categories");
	case_free(c);
}

static void test_what_refuses_nothing_is_told(void **state)
{
	static const char *const shown[] = { "p (complain)", "p (unconfined)", "p (mixed)" };
	struct plan_case *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		c = new_case("label apparmor p\n");
		host.shown = shown[i];
		case_make_good(c);
		assert_string_equal(c->plan->labels[0].shown, "p");
		assert_true(says(c->plan->in_force, "AppArmor profile 'p'"));
		assert_true(says(c->plan->given_up, "AppArmor profile 'p': "));
		assert_int_equal(refusers(c->plan), i < 2 ? 0 : 1U << AUDIT_APPARMOR);
		case_free(c);
	}
	c = new_case("label selinux x_t:c1,c2\n");
	host.permissive = true;
	case_make_good(c);
	assert_true(says(c->plan->given_up, "the host is permissive"));
	assert_int_equal(refusers(c->plan), 0);
	case_free(c);
	c = new_case("label selinux x_t\n");
	host.current[POLICY_LSM_SELINUX] = "u:r:t";
	case_make_good(c);
	assert_true(says(c->plan->given_up, "SELinux categories"));
	case_free(c);
}

static void digest_of(const char *label, struct hash *ret)
{
	struct plan_case *c = new_case("");

	c->req.labels[POLICY_LSM_SELINUX] = label;
	case_make_good(c);
	plan_digest(c->plan, ret);
	case_free(c);
}

/* Two launches that do the same have the same digest, whatever pair is drawn. */
static void test_digest(void **state)
{
	struct hash none, a, b, other;

	(void)state;
	digest_of(NULL, &none);
	digest_of("x_t", &a);
	digest_of("x_t", &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &none, sizeof(a));
	digest_of("y_t", &other);
	assert_memory_not_equal(&a, &other, sizeof(a));
	digest_of("x_t:c0.c9", &other);
	assert_memory_not_equal(&a, &other, sizeof(a));
}

static void test_print(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT, json = BUF_INIT;
	struct plan_case *c = new_case("label apparmor p\n");

	(void)state;
	case_make_good(c);
	assert_int_equal(plan_print(c->plan, false, &text), 0);
	assert_non_null(strstr(text.data, "\nlabel    apparmor: exec p  (test.policy:5)\n"));
	assert_int_equal(plan_print(c->plan, true, &json), 0);
	assert_non_null(strstr(json.data, "\"labels\":[{\"lsm\":\"apparmor\",\"do\":\"exec p\","
					  "\"why\":\"test.policy:5\"}]"));
	case_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_asked),
		cmocka_unit_test(test_who_asks),
		cmocka_unit_test(test_auto_has_the_policys_name),
		cmocka_unit_test(test_who_is_confined_stacks),
		cmocka_unit_test(test_what_cannot_be_had),
		cmocka_unit_test(test_own_profile_has_its_command),
		cmocka_unit_test(test_the_command_has_the_word_that_was_given),
		cmocka_unit_test(test_other_failures_are_fatal),
		cmocka_unit_test(test_what_refuses_nothing_is_told),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, arena_make, arena_remove);
}
