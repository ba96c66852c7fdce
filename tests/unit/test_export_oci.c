// SPDX-License-Identifier: Apache-2.0
/*
 * Policies as OCI profiles: random ones against the profile's plain meaning, libseccomp's program
 * of it and its import; and what the format cannot say. CORDON_RANDOM_POLICIES=N tries more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <linux/audit.h>

#include "policies/export.h"
#include "tests/unit/import_case.h"
#include "tests/unit/oci_compare.h"
#include "tests/unit/random_policy.h"

struct round_trips {
	unsigned long policies, refused, asked, imported;
};

/* Values near to what the rules speak of, with anything in the upper half. */
static void random_args(uint64_t *seed, const struct policy_rule *rule, uint64_t args[6])
{
	for (unsigned i = 0; i < 6; i++)
		args[i] = random_value(seed);
	for (unsigned i = 0; i < rule->n_conds; i++) {
		const struct policy_cond *c = &rule->conds[i];

		if (random_below(seed, 4) == 0)
			continue;
		args[c->arg] = c->value + random_below(seed, 3) - 1;
		if (c->op == POLICY_MASKED_EQ)
			args[c->arg] = c->value | (random_next(seed) & ~c->mask);
		if (random_below(seed, 3) == 0)
			args[c->arg] ^= UINT64_C(1) << random_below(seed, 64);
	}
}

/* Errors with names, one ABI, the table's widths: what a text can say. */
static void make_sayable(struct policy *policy, struct policy_rule *rules, bool simple)
{
	policy->native = ABI_X86_64;
	policy->abi_mask = 1U << ABI_X86_64;
	policy->default_errno = policy->default_errno % 2 ? EPERM : ENOSYS;
	for (size_t i = 0; i < policy->n_rules; i++) {
		rules[i].abi_mask = 0xff;
		if (rules[i].action == POLICY_DENY)
			rules[i].errno_value = (uint16_t)(1 + rules[i].errno_value % 40);
		/* several ranges at once need more rules than libseccomp bears */
		if (rules[i].n_conds > 1)
			rules[i].n_conds = (uint8_t)(1 + i % 8 / 7);
		if (simple) {
			rules[i].action = POLICY_ALLOW;
			rules[i].n_conds = rules[i].n_conds ? 1 : 0;
		}
		for (unsigned k = 0; k < rules[i].n_conds; k++) {
			struct policy_cond *c = &rules[i].conds[k];

			c->width = rules[i].call->args[c->arg].width;
			/* no text compares more than 16 bits of a file mode */
			if (rules[i].call->args[c->arg].kind == KIND_MODE) {
				c->op = POLICY_MASKED_EQ;
				c->mask = 0xffff;
				c->value &= 0xffff;
			}
			if (c->width != WIDTH_S32 && c->width != WIDTH_U32)
				continue;
			c->value &= UINT32_MAX;
			c->mask &= UINT32_MAX;
		}
	}
}

/* The profile's plain meaning for one call, entry by entry. At most one answer may hold. */
static const char *plain_text(json_object *profile, const char *name, const uint64_t args[6])
{
	json_object *list = of(profile, "syscalls");
	uint32_t found = reference_action(profile, "defaultAction", "defaultErrnoRet");
	bool any = false;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i), *conds = of(entry, "args");
		uint32_t action = reference_action(entry, "action", "errnoRet");
		bool holds = list_has(of(entry, "names"), name);

		for (size_t k = 0; holds && conds && k < json_object_array_length(conds); k++) {
			struct scmp_arg_cmp c = reference_arg(json_object_array_get_idx(conds, k));

			assert_int_equal(c.op, SCMP_CMP_MASKED_EQ);
			holds = (args[c.arg] & c.datum_a) == c.datum_b;
		}
		if (holds && any)
			assert_int_equal(found, action);
		if (holds)
			found = action;
		any = any || holds;
	}
	return reference_text(found);
}

static void compare_back(struct round_trips *t, const struct policy *policy, const char *json,
			 uint64_t *seed)
{
	static const char *const none[] = { NULL };
	struct import_options options = import_case_options();
	json_object *profile = json_tokener_parse(json);
	struct reference ref = reference_build(profile, none, 6 * 256 + 18, false);
	struct imported back = import_case(IMPORT_OCI, json, &options);
	struct comparison c = { .policy = policy, .ref = &ref };

	/* conditions on addresses can be exported, and not imported */
	if (back.r < 0) {
		if (!strstr(back.result.notes.data, "is an address"))
			fail_msg("%s", back.result.notes.data);
	} else {
		t->imported++;
	}
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		int32_t nr = rule->call->nr[ABI_X86_64];

		for (unsigned k = 0; nr >= 0 && k < (rule->n_conds ? 24U : 1U); k++) {
			struct policy_verdict ours, again;
			uint64_t args[6];

			random_args(seed, rule, args);
			policy_eval(policy, ABI_X86_64, nr, args, &ours);
			if (strcmp(verdict_text(&ours),
				   plain_text(profile, rule->call->name, args)) != 0)
				fail_msg("%s: %s became %s\n%s", rule->call->name,
					 verdict_text(&ours),
					 plain_text(profile, rule->call->name, args), json);
			ask(&c, rule->call, ABI_X86_64, args);
			if (back.r < 0)
				continue;
			policy_eval(back.policy, ABI_X86_64, nr, args, &again);
			if (strcmp(verdict_text(&ours), verdict_text(&again)) != 0)
				fail_msg("%s: %s became %s\n%s", rule->call->name,
					 verdict_text(&ours), verdict_text(&again), json);
		}
	}
	if (c.differences)
		fail_msg("%lu differences", c.differences);
	t->asked += c.asked;
	json_object_put(profile);
	reference_done(&ref);
	imported_done(&back);
}

static void test_export(void **state)
{
	static struct random_policy random;
	const char *text = getenv("CORDON_RANDOM_POLICIES");
	unsigned long n = text ? strtoul(text, NULL, 0) : 100;
	struct round_trips t = { .policies = 0 };
	uint64_t seed = 3;

	(void)state;
	for (unsigned long i = 0; i < n; i++) {
		struct export_result result = { .text = BUF_INIT, .notes = BUF_INIT };
		struct err err = ERR_INIT;
		int r;

		random_policy_make(i + 1, &random);
		make_sayable(&random.policy, random.rules, i % 4 != 0);
		r = export_oci(&random.policy, &result, &err);
		t.policies++;
		if (r == -EBADMSG) {
			assert_non_null(strstr(result.notes.data, "more than"));
			t.refused++;
		} else {
			assert_int_equal(r, 0);
			compare_back(&t, &random.policy, result.text.data, &seed);
		}
		export_result_done(&result);
	}
	print_message(
		"%lu random policies exported (%lu refused): %lu of libseccomp's verdicts equal; "
		"%lu imported again\n",
		t.policies, t.refused, t.asked, t.imported);
	assert_true(t.refused * 2 < t.policies);
	assert_true(t.imported * 8 > t.policies);
}

static struct export_result export_text(const char *text, int want)
{
	struct export_result result = { .text = BUF_INIT, .notes = BUF_INIT };
	struct policy_diags diags = { .text = BUF_INIT };
	const struct policy_search search = { .native = ABI_X86_64 };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load_text("t", text, strlen(text), &search, &policy, &diags, &err) < 0)
		fail_msg("%s\n%s", text, diags.text.data);
	if (export_oci(policy, &result, &err) != want)
		fail_msg("%s\n%s", text, result.notes.data);
	policy_free(policy);
	policy_diags_done(&diags);
	return result;
}

static void test_export_refusals(void **state)
{
	static const char *const cases[][2] = {
		{ "policy t\nabi native x32\nallow lseek if offset == 5\n", "t:3: error: lseek" },
		{ "policy t\nabi native i386\nallow socketcall if call in 2 3\n",
		  "t:3: error: socketcall" },
		{ "policy t\nabi native i386\nallow read on i386\n", "t:3: error: read" },
	};
	struct export_result result;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		result = export_text(cases[i][0], -EBADMSG);
		if (!strstr(result.notes.data, cases[i][1]))
			fail_msg("wanted \"%s\", got %s", cases[i][1], result.notes.data);
		assert_null(result.text.data);
		export_result_done(&result);
	}
	/* their twins */
	result = export_text("policy t\nallow lseek if offset == 5\n", 0);
	assert_non_null(strstr(result.text.data, "\"lseek\""));
	export_result_done(&result);
	/* libseccomp would open socketcall beside socket: an entry of its own keeps it shut */
	result = export_text("policy t\nabi native i386\nallow socket\n", 0);
	assert_non_null(strstr(result.text.data, "\"socketcall\""));
	export_result_done(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_export_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
