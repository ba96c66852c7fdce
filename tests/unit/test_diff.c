// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "policies/diff.h"
#include "policies/load.h"
#include "profiles/check_values.h"
#include "tests/unit/random_policy.h"

static struct policy *load(const char *text)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("test", text, strlen(text), NULL, &policy, &diags, &err) < 0)
		fail_msg("%s%s", err.msg, diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	return policy;
}

static void compare(const char *old_text, const char *new_text, struct diff *ret)
{
	struct policy *old = load(old_text), *new = load(new_text);
	struct err err = ERR_INIT;

	assert_int_equal(diff_make(old, new, ret, &err), 0);
	/* rules are borrowed: no test may look at them behind this */
	policy_free(old);
	policy_free(new);
}

static void assert_equal(const char *old, const char *new)
{
	struct diff diff;

	compare(old, new, &diff);
	if (diff.n > 0)
		fail_msg("%s | %s: %s: %s, %s", old, new, diff.entries[0].subject,
			 diff.entries[0].old, diff.entries[0].new);
	diff_done(&diff);
}

static void the_same_meaning(void **state)
{
	static const char *const pairs[][2] = {
		{ "allow read write\ndeny mount\n", "deny   mount # x\nallow write\nallow read\n" },
		{ "allow read\n", "allow read\nallow read\n" },
		/* what another line says already */
		{ "allow read\n", "allow read\nallow read if fd == 0\n" },
		{ "deny mount\n", "allow mount\ndeny mount\n" },
		{ "", "deny mount\n" },
		{ "", "deny mount errno EPERM\n" },
		{ "allow socket if domain in AF_UNIX AF_INET\n",
		  "allow socket if domain in 1..2\n" },
		{ "allow socket if domain != 3\n",
		  "allow socket if domain < 3\nallow socket if domain > 3\n" },
		{ "allow clone if flags & 0x3 == 0\n",
		  "allow clone if flags & 0x1 == 0 and flags & 0x2 == 0\n" },
		{ "allow clone\ndeny clone if flags & 0x3 != 0\n",
		  "allow clone\ndeny clone if flags & 0x1 != 0\ndeny clone if flags & 0x2 != 0\n" },
		/* all values of an int by its two halves */
		{ "allow kill\n", "allow kill if pid < 0\nallow kill if pid >= 0\n" },
		{ "allow kill if pid == -1\n", "allow kill if pid == 0xffffffff\n" },
		{ "read /etc /usr\n", "read /usr\nread /etc\n" },
		{ "read /etc\n", "read /etc\nread? /etc/passwd\n" },
		{ "read /etc\nhide? /etc/x\n", "read /etc\nhide? /etc/x /etc/x/y\n" },
		/* wherever a variable leads: the line says what the other one does there */
		{ "hide? ~\nread /etc\n", "read /etc\nhide? ~\n" },
		{ "read $PWD\nread /etc\n", "read $PWD /etc\nread? /etc/passwd\n" },
		{ "cap none\nnet none\nnotify on\n", "" },
		{ "limit pids 5 nofile 7\n", "limit nofile 7\nlimit pids 5\n" },
		{ "limit cpuset 0-2,1 swap 0\n", "limit swap 0 cpuset 2,1,0\n" },
		{ "env A B=c\n", "env B=c\nenv A\n" },
		{ "expect deny mount\n", "" },
		/* no call is between them that no rule names */
		{ "kernel 6.18\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_equal(pairs[i][0], pairs[i][1]);
		assert_equal(pairs[i][1], pairs[i][0]);
	}
}

static void another_meaning(void **state)
{
	static const struct {
		const char *old, *new;
		enum diff_kind kind;
		const char *subject, *was, *is;
	} cases[] = {
		{ "", "allow mount\n", DIFF_CALL, "mount", "deny EPERM", "allow" },
		{ "allow mount\n", "deny mount errno ENOSYS\n", DIFF_CALL, "mount", "allow",
		  "deny ENOSYS" },
		{ "deny mount\n", "deny mount quiet\n", DIFF_CALL, "mount", "deny EPERM",
		  "deny EPERM quiet" },
		{ "kill mount\n", "", DIFF_CALL, "mount", "kill", "deny EPERM" },
		{ "allow socket if domain == 1\n", "allow socket if domain == 2\n", DIFF_CALL,
		  "socket", "allow", "deny EPERM" },
		{ "allow lseek if offset < 0x100000000\n", "allow lseek if offset <= 0x100000000\n",
		  DIFF_CALL, "lseek", "deny EPERM", "allow" },
		{ "allow clone if flags & 0xf0f00 == 0x50000\n",
		  "allow clone if flags & 0xf0f00 == 0x50100\n", DIFF_CALL, "clone", "allow",
		  "deny EPERM" },
		{ "read /etc\n", "write /etc\n", DIFF_PATH, "/etc", "read", "write" },
		{ "read /etc\n", "read? /etc\n", DIFF_PATH, "/etc", "read", "read, if it exists" },
		{ "read /etc\n", "", DIFF_PATH, "/etc", "read", "not visible" },
		{ "read /etc\n", "read /etc\nhide? /etc/x\n", DIFF_PATH, "/etc/x", "read",
		  "not visible" },
		{ "write /etc\n", "tmpfs /etc\n", DIFF_PATH, "/etc", "write", "tmpfs" },
		{ "tmpfs? ~\n", "", DIFF_PATH, "~", "tmpfs", "not visible" },
		/* a variable is no name for its default, and no place can be called like it */
		{ "read ${X:-/a}\n", "read /a\n", DIFF_PATH, "${X:-/a}", "read", "not visible" },
		{ "read ${X:-/a}\n", "read ${Y:-/a}\n", DIFF_PATH, "${Y:-/a}", "not visible",
		  "read" },
		{ "read ${X:-/a}\n", "read ${X:-/b}\n", DIFF_PATH, "${X:-/a}", "read",
		  "not visible" },
		{ "read ~\n", "read /~\n", DIFF_PATH, "/~", "not visible", "read" },
		{ "read $PWD\n", "read /$PWD\n", DIFF_PATH, "$PWD", "read", "not visible" },
		/* where a variable leads to another line's place */
		{ "read /home\nhide? ~\n", "read /home\nhide? ~\nread? /home/u/x\n", DIFF_PATH,
		  "/home/u/x", "not visible", "read" },
		{ "write $PWD\nhide? /p/x\n", "write $PWD\nhide? /p/x\nwrite? $PWD/x/y\n",
		  DIFF_PATH, "$PWD/x/y", "not visible", "write" },
		{ "write? $PWD\ntmpfs? ~\n", "write? $PWD $PWD/x\ntmpfs? ~\n", DIFF_PATH, "$PWD/x",
		  "tmpfs", "write" },
		{ "net none\n", "net host\n", DIFF_NET, "net", "none", "host" },
		{ "cap CAP_CHOWN\n", "", DIFF_CAP, "CAP_CHOWN", "kept", "dropped" },
		{ "limit pids 5\n", "limit pids 6\n", DIFF_LIMIT, "limit pids", "5", "6" },
		{ "limit pids 5\n", "", DIFF_LIMIT, "limit pids", "5", "none" },
		{ "limit memory 1G\n", "limit memory 1536M\n", DIFF_LIMIT, "limit memory", "1G",
		  "1536M" },
		{ "limit cpuset 0-1\n", "limit cpuset 0,2\n", DIFF_LIMIT, "limit cpuset", "0-1",
		  "0,2" },
		{ "limit cpuset 0-1\n", "limit cpuset none\n", DIFF_LIMIT, "limit cpuset", "0-1",
		  "none" },
		{ "env A\n", "env A=1\n", DIFF_ENV, "A", "passed on", "1" },
		{ "", "env A\n", DIFF_ENV, "A", "none", "passed on" },
		{ "notify on\n", "notify off\n", DIFF_NOTIFY, "notify", "on", "off" },
		{ "kernel 6.1\n", "kernel 6.18\n", DIFF_KERNEL, "kernel", "6.1", "6.18" },
		{ "default errno EPERM\n", "default errno EACCES\n", DIFF_DEFAULT, "default errno",
		  "EPERM", "EACCES" },
#if defined(__x86_64__)
		{ "allow read\n", "abi native x32\nallow read\n", DIFF_ABI, "x32", "closed",
		  "open" },
#endif
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diff diff;
		const struct diff_entry *e;

		compare(cases[i].old, cases[i].new, &diff);
		if (diff.n == 0)
			fail_msg("%s | %s: the same", cases[i].old, cases[i].new);
		e = &diff.entries[0];
		for (size_t k = 1; k < diff.n && strcmp(e->old, cases[i].was) != 0; k++)
			e = &diff.entries[k];
		assert_int_equal(e->kind, cases[i].kind);
		assert_string_equal(e->subject, cases[i].subject);
		assert_string_equal(e->old, cases[i].was);
		assert_string_equal(e->new, cases[i].is);
		assert_false(e->undecided);
		diff_done(&diff);
	}
}

static void names_both_lines(void **state)
{
	struct diff diff;

	(void)state;
	compare("allow read\n\ndeny prctl if option == 5\n", "allow prctl\nallow read\n", &diff);
	assert_int_equal(diff.n, 2);
	assert_int_equal(diff.entries[0].old_where.line, 0); /* by default */
	assert_int_equal(diff.entries[1].old_where.line, 3);
	assert_int_equal(diff.entries[1].new_where.line, 1);
	assert_string_equal(diff.entries[1].when, "option == 0x5");
	assert_int_equal(diff.entries[1].witness.args[0], 5);
	diff_done(&diff);
}

static void compare_ports(struct policy_port *old, size_t n_old, struct policy_port *new,
			  size_t n_new, struct diff *ret)
{
	struct policy a = { .ports = old, .n_ports = n_old },
		      b = { .ports = new, .n_ports = n_new };
	struct err err = ERR_INIT;

	assert_int_equal(diff_make(&a, &b, ret, &err), 0);
}

#define PORTS(families_, first_, last_)                                                            \
	{                                                                                          \
		.direction = POLICY_PORT_CONNECT, .protocol = POLICY_PORT_TCP,                     \
		.families = (families_), .first = (first_), .last = (last_), .where = {            \
			.line = 7                                                                  \
		}                                                                                  \
	}

static void finds_ports(void **state)
{
	struct policy_port old[] = { PORTS(3, 100, 200) };
	struct policy_port new[] = { PORTS(3, 100, 149), PORTS(1, 150, 150) };
	struct policy_port same[] = { PORTS(3, 100, 150), PORTS(1, 151, 200), PORTS(2, 140, 200) };
	struct policy_port any[] = { PORTS(3, 0, 65535) };
	struct diff diff;

	(void)state;
	compare_ports(old, 1, new, 2, &diff);
	assert_int_equal(diff.n, 2);
	assert_string_equal(diff.entries[0].subject, "connect tcp 150");
	assert_string_equal(diff.entries[0].old, "open");
	assert_string_equal(diff.entries[0].new, "IPv4 only");
	assert_string_equal(diff.entries[0].attempt, "connect(3, \"tcp:[::1]:150\")");
	assert_int_equal(diff.entries[0].old_where.line, 7);
	assert_string_equal(diff.entries[1].subject, "connect tcp 151-200");
	assert_string_equal(diff.entries[1].new, "closed");
	diff_done(&diff);
	compare_ports(old, 1, same, 3, &diff);
	assert_int_equal(diff.n, 0);
	/* with a line the other protocol of the direction is closed */
	compare_ports(NULL, 0, any, 1, &diff);
	assert_int_equal(diff.n, 1);
	assert_string_equal(diff.entries[0].subject, "connect udp 0-65535");
	diff_done(&diff);
}

/* --- random policies --- */

/* The table's widths, as policies that are texts have; and an errno for the default. */
static void settle(struct random_policy *r)
{
	r->policy.default_errno = EPERM;
	for (size_t i = 0; i < r->policy.n_rules; i++) {
		struct policy_rule *rule = &r->rules[i];

		for (uint8_t k = 0; k < rule->n_conds; k++) {
			struct policy_cond *c = &rule->conds[k];

			c->width = rule->call->args[c->arg].width;
			if (c->width == WIDTH_S32 || c->width == WIDTH_U32) {
				c->value &= UINT32_MAX;
				c->mask &= UINT32_MAX;
			}
		}
	}
	random_settle_ties(r->rules, r->policy.n_rules);
}

static void copy(const struct random_policy *from, struct random_policy *to)
{
	*to = *from;
	to->policy.rules = to->rules;
	to->policy.sources = &to->source;
}

/* Within each call, as the model keeps them together. */
static void shuffle(uint64_t *state, struct random_policy *r)
{
	for (size_t n = 0; n < 4 * r->policy.n_rules; n++) {
		size_t a = random_below(state, r->policy.n_rules);
		size_t b = random_below(state, r->policy.n_rules);
		struct policy_rule t = r->rules[a];

		if (t.call != r->rules[b].call)
			continue;
		r->rules[a] = r->rules[b];
		r->rules[b] = t;
	}
}

static void reordered_is_equal(void **state)
{
	static struct random_policy a, b;
	uint64_t seed = 11;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct err err = ERR_INIT;
		struct diff diff;

		random_policy_make(i, &a);
		settle(&a);
		copy(&a, &b);
		shuffle(&seed, &b);
		assert_int_equal(diff_make(&a.policy, &b.policy, &diff, &err), 0);
		if (diff.n > 0)
			fail_msg("seed %d: %s: %s, %s", (int)i, diff.entries[0].subject,
				 diff.entries[0].old, diff.entries[0].new);
		diff_done(&diff);
	}
}

static bool differ_at(const struct policy *a, const struct policy *b, enum abi abi, int32_t nr,
		      const uint64_t args[6])
{
	struct policy_verdict va, vb;

	policy_eval(a, abi, nr, args, &va);
	policy_eval(b, abi, nr, args, &vb);
	return va.action != vb.action || va.errno_value != vb.errno_value || va.quiet != vb.quiet;
}

/* At all boundary values of both policies' comparisons of one call: another way to look, which
 * finds nothing when it gives up above so many combinations. */
static bool values_differ(const struct policy *a, const struct policy *b, size_t first, size_t n,
			  bool *ret_whole)
{
	enum { MOST = 200000 };
	static const enum abi order[] = { ABI_X86_64, ABI_X32, ABI_AARCH64, ABI_I386 };
	static struct policy_rule rules[RANDOM_RULES * 2];
	struct check_values v;
	size_t product;
	bool found = false;

	memcpy(rules, a->rules + first, n * sizeof(rules[0]));
	memcpy(rules + n, b->rules + first, n * sizeof(rules[0]));
	assert_int_equal(check_values_new(rules, 2 * n, 0xff, &v), 0);
	product = check_values_product(&v, MOST);
	*ret_whole = product < MOST;
	for (size_t i = 0; i < product && !found; i++) {
		uint64_t args[6] = { 0 };
		size_t rest = i;

		for (unsigned k = 0; k < 6; k++) {
			if (v.n[k] == 0)
				continue;
			args[k] = v.value[k][rest % v.n[k]];
			rest /= v.n[k];
		}
		for (size_t o = 0; o < ARRAY_SIZE(order) && !found; o++) {
			enum abi abi = order[o];
			int32_t nr = rules[0].call->nr[abi];

			/* registers of i386 have 32 bits */
			for (unsigned k = 0; abi == ABI_I386 && k < 6; k++)
				args[k] &= UINT32_MAX;
			found = nr >= 0 && differ_at(a, b, abi, nr, args);
		}
	}
	check_values_done(&v);
	return found;
}

/* Another operator for one comparison of a random rule; false when no rule has one. */
static bool mutate(uint64_t *state, struct random_policy *r, size_t *ret_rule)
{
	for (unsigned tries = 0; tries < 1000; tries++) {
		size_t i = random_below(state, r->policy.n_rules);
		struct policy_rule *rule = &r->rules[i];
		struct policy_cond *c;

		if (rule->n_conds == 0)
			continue;
		c = &rule->conds[random_below(state, rule->n_conds)];
		if (c->op == POLICY_MASKED_EQ)
			c->negate = !c->negate;
		else
			c->op = (uint8_t)((c->op + 1 + random_below(state, POLICY_GE)) %
					  POLICY_MASKED_EQ);
		*ret_rule = i;
		return true;
	}
	return false;
}

static void mutants_are_found(void **state)
{
	static struct random_policy a, b;
	uint64_t seed = 12;
	unsigned mutants = 0, found = 0, neutral = 0, undecided = 0;

	(void)state;
	for (uint64_t i = 0; mutants < 1000; i++) {
		struct err err = ERR_INIT;
		struct diff diff;
		size_t rule, first, n = 0;
		bool whole, differ;

		random_policy_make(i, &a);
		settle(&a);
		copy(&a, &b);
		if (!mutate(&seed, &b, &rule))
			continue;
		mutants++;
		random_settle_ties(b.rules, b.policy.n_rules);
		for (first = rule; first > 0 && a.rules[first - 1].call == a.rules[rule].call;)
			first--;
		while (first + n < a.policy.n_rules &&
		       a.rules[first + n].call == a.rules[rule].call)
			n++;
		assert_int_equal(diff_make(&a.policy, &b.policy, &diff, &err), 0);
		differ = values_differ(&a.policy, &b.policy, first, n, &whole);
		if (diff.n == 0 && differ)
			fail_msg("seed %d: a difference of %s is not found", (int)i,
				 a.rules[rule].call->name);
		neutral += diff.n == 0;
		for (size_t k = 0; k < diff.n; k++) {
			const struct diff_witness *w = &diff.entries[k].witness;

			undecided += diff.entries[k].undecided;
			if (diff.entries[k].undecided)
				continue;
			assert_ptr_equal(w->call, a.rules[rule].call);
			assert_true(differ_at(&a.policy, &b.policy, w->abi, w->call->nr[w->abi],
					      w->args));
		}
		found += diff.n > 0;
		diff_done(&diff);
	}
	print_message("# %u mutants: %u differ, %u mean the same, %u pieces undecided\n", mutants,
		      found, neutral, undecided);
	assert_true(found > mutants / 2);
	assert_int_equal(undecided, 0);
}

static void refuses_two_architectures(void **state)
{
	struct policy a = { .name = (char *)(uintptr_t) "a", .native = ABI_X86_64 };
	struct policy b = { .name = (char *)(uintptr_t) "b", .native = ABI_AARCH64 };
	struct err err = ERR_INIT;
	struct diff diff;

	(void)state;
	assert_int_equal(diff_make(&a, &b, &diff, &err), -EINVAL);
	b.native = ABI_X86_64;
	assert_int_equal(diff_make(&a, &b, &diff, &err), 0);
	assert_int_equal(diff.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_meaning),	     cmocka_unit_test(another_meaning),
		cmocka_unit_test(names_both_lines),	     cmocka_unit_test(finds_ports),
		cmocka_unit_test(reordered_is_equal),	     cmocka_unit_test(mutants_are_found),
		cmocka_unit_test(refuses_two_architectures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
