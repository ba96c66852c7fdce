// SPDX-License-Identifier: Apache-2.0
/*
 * OCI profiles: what an import means against libseccomp's program of the same profile, entry by
 * entry and for the profiles that containers run with; refusals with their places; and the way
 * back. The profiles come from Debian's packages (tools/install-deps test) to tests/.cache, or lie
 * in the directory CORDON_TEST_PROFILES.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <fcntl.h>
#include <linux/audit.h>

#include "policies/export.h"
#include "profiles/bpf_eval.h"
#include "profiles/seccomp.h"
#include "tests/unit/import_case.h"
#include "tests/unit/oci_reference.h"
#include "tests/unit/random_policy.h"

enum { VALUES = 160 };

/* A verdict of libseccomp's in the words of ours. */
static const char *reference_text(uint32_t ret)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return "allow";
	case SECCOMP_RET_ERRNO:
		return strerrorname_np((int)(ret & SECCOMP_RET_DATA));
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
		return "kill";
	default:
		return "?";
	}
}

struct comparison {
	const struct policy *policy;
	const struct reference *ref;
	unsigned long asked, newer, detours, differences;
};

/* Calls that libseccomp has no number for, or none on x32: it answers with the default. */
static bool is_newer(const struct syscall_desc *call, enum abi abi)
{
	return seccomp_syscall_resolve_name(call->name) == __NR_SCMP_ERROR ||
	       (abi == ABI_X32 && seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, call->name) < 0);
}

static void ask(struct comparison *c, const struct syscall_desc *call, enum abi abi,
		const uint64_t args[6])
{
	struct seccomp_data data = { .arch = abi_audit_arch(abi), .nr = call->nr[abi] };
	struct policy_verdict ours;
	struct bpf_result theirs;

	if (abi == ABI_X32)
		data.nr |= (int)X32_SYSCALL_BIT;
	for (unsigned i = 0; i < 6; i++)
		data.args[i] = abi == ABI_I386 ? (uint32_t)args[i] : args[i];
	policy_eval(c->policy, abi, call->nr[abi], args, &ours);
	bpf_run(c->ref->insns, c->ref->n, &data, NULL, &theirs);
	c->asked++;
	if (strcmp(verdict_text(&ours), reference_text(theirs.ret)) == 0)
		return;
	if (is_newer(call, abi)) {
		c->newer++;
		return;
	}
	/* listed: what would walk past a condition is denied */
	if (abi == ABI_I386 && ours.action != POLICY_ALLOW &&
	    (strcmp(call->name, "socketcall") == 0 || strcmp(call->name, "ipc") == 0)) {
		c->detours++;
		return;
	}
	if (c->differences++ < 10)
		print_message("%s on %s (%#llx, %#llx, %#llx): %s, libseccomp %s\n", call->name,
			      abi_name(abi), (unsigned long long)args[0],
			      (unsigned long long)args[1], (unsigned long long)args[2],
			      verdict_text(&ours), reference_text(theirs.ret));
}

/* Each value of each argument beside two fillings of the others, and all pairs of the first three.
 */
static void ask_all(struct comparison *c, json_object *profile, const struct syscall_desc *call,
		    enum abi abi)
{
	static uint64_t values[6][VALUES];
	size_t n[6];
	uint64_t args[6] = { 0 };

	for (unsigned i = 0; i < 6; i++)
		n[i] = reference_values(profile, call->name, i, values[i], VALUES);
	for (size_t i = 0; i < n[0]; i++) {
		for (size_t k = 0; k < n[1]; k++) {
			for (size_t m = 0; m < n[2]; m++) {
				args[0] = values[0][i];
				args[1] = values[1][k];
				args[2] = values[2][m];
				ask(c, call, abi, args);
			}
		}
	}
	for (unsigned a = 3; a < 6; a++) {
		for (size_t i = 0; i < n[a]; i++) {
			args[a] = values[a][i];
			ask(c, call, abi, args);
		}
	}
	for (uint64_t operation = 0; call->nr[ABI_I386] >= 0 && operation < 32; operation++) {
		uint64_t one[6] = { operation };

		ask(c, call, abi, one);
	}
}

static void compare_all(struct comparison *c, json_object *profile, bool all_abis)
{
	static const enum abi abis[] = { ABI_X86_64, ABI_I386, ABI_X32 };
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (unsigned a = 0; a < (all_abis ? 3 : 1); a++) {
			if (table[i].nr[abis[a]] >= 0)
				ask_all(c, profile, &table[i], abis[a]);
		}
	}
}

/* --- one entry at a time, beside libseccomp's answer --- */

struct row {
	const char *entries, *call;
	uint64_t args[6];
	const char *want;
};

#define ENTRY(names, action, rest)                                                                 \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\"" rest "}"
#define ARG(index, op, value)                                                                      \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value "}"
#define MASKED(index, mask, value)                                                                 \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":" #mask                     \
	",\"valueTwo\":" #value "}"
#define ARGS(list)	  ",\"args\":[" list "]"
#define SOCKET(op, value) ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, op, value)))

static const struct row rows[] = {
	{ SOCKET("EQ", 2), "socket", { 2 }, "allow" },
	{ SOCKET("EQ", 2), "socket", { 3 }, "EACCES" },
	{ SOCKET("NE", 2), "socket", { 2 }, "EACCES" },
	{ SOCKET("NE", 2), "socket", { 3 }, "allow" },
	{ SOCKET("LT", 2), "socket", { 1 }, "allow" },
	{ SOCKET("LT", 2), "socket", { 2 }, "EACCES" },
	/* without sign: a domain of -1 is no small number */
	{ SOCKET("LT", 38), "socket", { 0xffffffff }, "EACCES" },
	{ SOCKET("GT", 40), "socket", { 0xffffffff }, "allow" },
	{ SOCKET("LT", 4294967295), "socket", { 0xfffffffe }, "allow" },
	{ SOCKET("LE", 2), "socket", { 2 }, "allow" },
	{ SOCKET("LE", 2), "socket", { 3 }, "EACCES" },
	{ SOCKET("GT", 2), "socket", { 2 }, "EACCES" },
	{ SOCKET("GE", 2), "socket", { 2 }, "allow" },
	{ SOCKET("GE", 2), "socket", { 1 }, "EACCES" },
	{ SOCKET("GE", 2147483648), "socket", { 0x80000000 }, "allow" },
	{ SOCKET("GE", 2147483648), "socket", { 0x7fffffff }, "EACCES" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 15, 1))), "socket", { 0, 0x801 }, "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 15, 1))), "socket", { 0, 0x802 }, "EACCES" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 15, 17))), "socket", { 0, 0x801 }, "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 4294967295, 1))),
	  "socket",
	  { 0, 1 },
	  "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(MASKED(1, 0, 0))), "socket", { 0, 1 }, "allow" },
	/* 64 bits */
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "GT", 4294967296))),
	  "lseek",
	  { 0, 0x100000001 },
	  "allow" },
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "GT", 4294967296))),
	  "lseek",
	  { 0, 0x100000000 },
	  "EACCES" },
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "GT", 4294967296))),
	  "lseek",
	  { 0, UINT64_MAX },
	  "allow" },
	{ ENTRY("\"lseek\"", "ALLOW", ARGS(ARG(1, "EQ", 18446744073709551615))),
	  "lseek",
	  { 0, UINT64_MAX },
	  "allow" },
	/* all conditions of an entry; but two on one argument are rules of their own */
	{ ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 2) "," ARG(1, "EQ", 1))),
	  "socket",
	  { 2, 1 },
	  "allow" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 2) "," ARG(1, "EQ", 1))),
	  "socket",
	  { 2, 2 },
	  "EACCES" },
	{ ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 2) "," ARG(0, "EQ", 1))),
	  "socket",
	  { 1 },
	  "allow" },
	{ ENTRY("\"socket\"", "ALLOW",
		ARGS(ARG(0, "EQ", 2) "," ARG(0, "EQ", 1) "," ARG(1, "EQ", 5))),
	  "socket",
	  { 9, 5 },
	  "allow" },
	/* one without conditions replaces the others, the first of several stays */
	{ SOCKET("EQ", 2) "," ENTRY("\"socket\"", "KILL_PROCESS", ""), "socket", { 2 }, "kill" },
	{ ENTRY("\"socket\"", "KILL_PROCESS", "") "," SOCKET("EQ", 2), "socket", { 2 }, "kill" },
	{ ENTRY("\"socket\"", "ALLOW", "") "," ENTRY("\"socket\"", "KILL_PROCESS", ""),
	  "socket",
	  { 2 },
	  "allow" },
	/* one with the default's action is dropped */
	{ ENTRY("\"socket\"", "ERRNO", ",\"errnoRet\":13") "," SOCKET("EQ", 2),
	  "socket",
	  { 2 },
	  "allow" },
	{ ENTRY("\"socket\"", "ERRNO", ",\"errnoRet\":1") "," SOCKET("EQ", 2),
	  "socket",
	  { 2 },
	  "EPERM" },
	/* actions */
	{ ENTRY("\"socket\"", "ERRNO", ""), "socket", { 0 }, "EPERM" },
	{ ENTRY("\"socket\"", "ERRNO", ",\"errnoRet\":38"), "socket", { 0 }, "ENOSYS" },
	{ ENTRY("\"socket\"", "KILL", ""), "socket", { 0 }, "kill" },
	{ ENTRY("\"socket\"", "KILL_THREAD", ""), "socket", { 0 }, "kill" },
	{ ENTRY("\"socket\"", "TRAP", ""), "socket", { 0 }, "kill" },
	{ ENTRY("\"socket\"", "LOG", ""), "socket", { 0 }, "allow" },
};

static void test_entries(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct import_options options = import_case_options();
		struct comparison c = { .asked = 0 };
		json_object *profile;
		struct imported one;
		struct reference ref;
		char text[2048];

		(void)snprintf(text, sizeof(text),
			       "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13,"
			       "\"syscalls\":[%s]}",
			       rows[i].entries);
		one = import_case(IMPORT_OCI, text, &options);
		if (one.r < 0)
			fail_msg("%s\n%s", text, one.result.notes.data);
		expect_verdict(&one, rows[i].call, ABI_X86_64, rows[i].args, rows[i].want);
		profile = json_tokener_parse(text);
		assert_non_null(profile);
		ref = reference_build(profile, none, 6 * 256 + 18, false);
		c.policy = one.policy;
		c.ref = &ref;
		ask(&c, syscall_by_name(rows[i].call), ABI_X86_64, rows[i].args);
		compare_all(&c, profile, false);
		if (c.differences)
			fail_msg("%s", text);
		json_object_put(profile);
		reference_done(&ref);
		imported_done(&one);
	}
}

/* What depends on the container, and what libseccomp has no answer for. */
static void test_conditions(void **state)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_KILL\",\"archMap\":[{"
		"\"architecture\":\"SCMP_ARCH_"
		"X86_64\","
		"\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":"
		"[" ENTRY("\"mount\"", "ALLOW", ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}") "," ENTRY("\"ptrace\"", "ALLOW", ",\"includes\":{\"minKernel\":\"4.8\"}") "," ENTRY(
			"\"read\"", "ALLOW",
			",\"excludes\":{"
			"\"caps\":[\"CAP_SYS_"
			"ADMIN\"]}") "," ENTRY("\"write\"", "ALLOW",
					       ",\"includes\":{\"arches\":["
					       "\"arm64\"]}") "," ENTRY("\"socke"
									"t\","
									"\"send"
									"\","
									"\"s390_"
									"sthyi"
									"\"",
									"ALLOW", "") "]}";
	struct import_options options = import_case_options();
	const uint64_t none[6] = { 0 }, one[6] = { 1 }, nine[6] = { 9 };
	struct imported i;

	(void)state;
	i = import_case(IMPORT_OCI, text, &options);
	expect_verdict(&i, "mount", ABI_X86_64, none, "kill");
	expect_verdict(&i, "ptrace", ABI_X86_64, none, "allow");
	expect_verdict(&i, "read", ABI_X86_64, none, "allow");
	expect_verdict(&i, "write", ABI_X86_64, none, "kill");
	/* i386 makes the same calls by socketcall, and is opened */
	expect_verdict(&i, "socket", ABI_I386, none, "allow");
	expect_verdict(&i, "socketcall", ABI_I386, one, "allow");
	/* send() is sendto() without an address, which the default kills */
	expect_verdict(&i, "socketcall", ABI_I386, nine, "kill");
	expect_verdict(&i, "socketcall", ABI_I386, none, "kill");
	assert_non_null(strstr(i.result.notes.data, "t:/syscalls/0: warning: left out"));
	assert_non_null(strstr(i.result.notes.data, "s390_sthyi: no call here (s390)"));
	imported_done(&i);
	options.caps = UINT64_C(1) << 21;
	options.kernel = KERNEL(4, 7);
	i = import_case(IMPORT_OCI, text, &options);
	expect_verdict(&i, "mount", ABI_X86_64, none, "allow");
	expect_verdict(&i, "ptrace", ABI_X86_64, none, "kill");
	expect_verdict(&i, "read", ABI_X86_64, none, "kill");
	imported_done(&i);
	options.arch = ABI_AARCH64;
	i = import_case(IMPORT_OCI, text, &options);
	expect_verdict(&i, "write", ABI_AARCH64, none, "allow");
	expect_verdict(&i, "write", ABI_I386, none, "ENOSYS");
	imported_done(&i);
}

static void test_refusals(void **state)
{
#define PROFILE(entries) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" entries "]}"
	static const char *const cases[][2] = {
		{ "", "t:1:1: error: the JSON ends too early" },
		{ "[]", "t:/: error: is no object" },
		{ "{\n \"defaultAction\": nil}", "t:2:" },
		{ "{} x", "t:1:" },
		{ "{}", "t:/defaultAction: error: is missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_MAYBE\"}",
		  "t:/defaultAction: error: there is no action" },
		{ "{\"defaultAction\":1}", "t:/defaultAction: error: is no string" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0}",
		  "error: error 0" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":-1}",
		  "error: is no whole number" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EBROKEN\"}",
		  "error: there is no error 'EBROKEN'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EPERM\","
		  "\"defaultErrnoRet\":2}",
		  "differ" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_VAX\"]}",
		  "t:/architectures/0: error: there is no architecture" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		  "\"archMap\":[]}",
		  "error: there are both" },
		{ PROFILE("1"), "t:/syscalls/0: error: is no object" },
		{ PROFILE("{\"names\":[\"read\"]}"), "t:/syscalls/0: error: is missing" },
		{ PROFILE("{\"action\":\"SCMP_ACT_ALLOW\"}"),
		  "t:/syscalls/0: error: names no call" },
		{ PROFILE(ENTRY("\"raed\"", "ALLOW", "")),
		  "t:/syscalls/0/names/0: error: there is no system call 'raed' (did you mean "
		  "'read'?)" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"name\":\"write\"")),
		  "has both name and names" },
		/* a misspelt member may have been a condition */
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"arg\":[]")),
		  "t:/syscalls/0: error: 'arg' is no member" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"args\":{}")),
		  "/args: error: is no array" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS("{\"index\":0}"))),
		  "t:/syscalls/0/args/0: error: lacks" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(6, "EQ", 1)))), "from 0 to 5" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "ALMOST", 1)))),
		  "error: there is no operator" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 18446744073709551616)))),
		  "error: a number of more than 64 bits" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "EQ", 1.5)))),
		  "is no whole number" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(5, "EQ", 1)))),
		  "/args/0: error: socket: argument 5 is no argument" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ARGS(ARG(1, "EQ", 0)))),
		  "/args/0: error: read: argument 1 is an address" },
		{ PROFILE(ENTRY("\"chmod\"", "ALLOW", ARGS(ARG(1, "LT", 8)))), "is a file mode" },
		{ PROFILE(ENTRY("\"socket\"", "ALLOW", ARGS(ARG(0, "LT", 4294967296)))),
		  "has 32 bits" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"includes\":{\"caps\":[\"CAP_X\"]}")),
		  "/includes: error: there is no capability" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"includes\":{\"minKernel\":\"new\"}")),
		  "is no kernel version" },
		{ PROFILE(ENTRY("\"read\"", "ALLOW", ",\"includes\":{\"cap\":[]}")),
		  "is no member" },
		{ PROFILE(ENTRY("\"read\"", "ERRNO", ",\"errnoRet\":4000")),
		  "error 4000 has no name" },
	};
	char deep[512];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused(IMPORT_OCI, cases[i][0], cases[i][1]);
	while (n < 2 * LIMIT_IMPORT_DEPTH)
		deep[n++] = '[';
	deep[n] = '\0';
	expect_refused(IMPORT_OCI, deep, "nesting");
}

/* --- the way back --- */

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
	if (back.r < 0)
		assert_non_null(strstr(back.result.notes.data, "is a"));
	else
		t->imported++;
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

/* --- the profiles that containers run with --- */

static char *read_profile(const char *name)
{
	const char *dir = getenv("CORDON_TEST_PROFILES");
	char path[LIMIT_PATH];
	char *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/.cache/profiles", name);
	if (fd_read_file_at(AT_FDCWD, path, LIMIT_IMPORT_BYTES, &text, &len) < 0) {
		print_message("%s is not there: tools/install-deps test\n", path);
		skip();
	}
	return text;
}

static void check_profile(const char *name)
{
	static const char *const caps[][3] = {
		{ NULL },
		{ "CAP_SYS_ADMIN" },
		{ "CAP_SYS_PTRACE" },
		{ "CAP_SYS_CHROOT" },
		{ "CAP_SYS_MODULE" },
		{ "CAP_DAC_READ_SEARCH" },
		{ "CAP_SYS_TIME" },
		{ "CAP_AUDIT_WRITE" },
		{ "CAP_BPF" },
		{ "CAP_PERFMON" },
		{ "CAP_SYS_NICE", "CAP_SYSLOG" },
		{ "CAP_SYS_ADMIN", "CAP_AUDIT_WRITE" },
	};
	static const int kernels[] = { 4 * 256 + 7, 6 * 256 + 18 };
	char *text = read_profile(name);
	json_object *profile = json_tokener_parse(text);
	unsigned long asked = 0, newer = 0, detours = 0;
	unsigned unknown = 0;

	assert_non_null(profile);
	for (size_t i = 0; i < ARRAY_SIZE(caps) * 2; i++) {
		struct import_options options = import_case_options();
		struct seccomp_program program = { .n = 0 };
		struct comparison c = { .asked = 0 };
		struct reference ref;
		struct imported imported;
		struct err err = ERR_INIT;

		for (const char *const *cap = caps[i / 2]; *cap; cap++) {
			uint64_t bit = (uint64_t)(strcmp(*cap, "CAP_SYS_ADMIN") == 0 ? 21 : 0);
			static const struct {
				const char *name;
				unsigned bit;
			} bits[] = { { "CAP_DAC_READ_SEARCH", 2 },
				     { "CAP_SYS_MODULE", 16 },
				     { "CAP_SYS_CHROOT", 18 },
				     { "CAP_SYS_PTRACE", 19 },
				     { "CAP_SYS_ADMIN", 21 },
				     { "CAP_SYS_NICE", 23 },
				     { "CAP_SYS_TIME", 25 },
				     { "CAP_AUDIT_WRITE", 29 },
				     { "CAP_SYSLOG", 34 },
				     { "CAP_PERFMON", 38 },
				     { "CAP_BPF", 39 } };

			for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
				if (strcmp(bits[b].name, *cap) == 0)
					bit = bits[b].bit;
			}
			options.caps |= UINT64_C(1) << bit;
		}
		options.kernel = (uint16_t)kernels[i % 2];
		imported = import_case(IMPORT_OCI, text, &options);
		if (imported.r < 0)
			fail_msg("%s", imported.result.notes.data);
		ref = reference_build(profile, caps[i / 2], kernels[i % 2], true);
		c.policy = imported.policy;
		c.ref = &ref;
		compare_all(&c, profile, true);
		if (c.differences)
			fail_msg("%s: %lu differences", name, c.differences);
		assert_int_equal(seccomp_generate(imported.policy, &program, &err), 0);
		seccomp_program_done(&program);
		asked += c.asked;
		newer += c.newer;
		detours += c.detours;
		unknown = ref.unknown;
		reference_done(&ref);
		imported_done(&imported);
	}
	print_message(
		"%s: %lu verdicts equal, but for %lu of calls that libseccomp lacks (%u names) "
		"and %lu ways round a condition that are closed\n",
		name, asked - newer - detours, newer, unknown, detours);
	json_object_put(profile);
	free(text);
}

static void test_moby(void **state)
{
	(void)state;
	check_profile("moby.json");
}

static void test_containers_common(void **state)
{
	(void)state;
	check_profile("containers-common.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),		  cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_refusals),	  cmocka_unit_test(test_export),
		cmocka_unit_test(test_export_refusals),	  cmocka_unit_test(test_moby),
		cmocka_unit_test(test_containers_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
