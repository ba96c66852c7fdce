// SPDX-License-Identifier: Apache-2.0
/*
 * The generated program against the policy's plain meaning.
 *
 * Numbers are tried one by one, on every architecture that the table knows and on some that it does
 * not. A number whose rules have no conditions must be answered without a look at the arguments:
 * one run then stands for all of them. For a call with conditions each argument gets the values at
 * which one of its conditions can change its mind; all combinations are tried when there are at
 * most CHECK_PRODUCT, else each rule is made to hold, alone and together with each other one, and
 * one argument at a time is moved through the values of its conditions: at most CHECK_VECTORS
 * inputs a call and ABI beyond two for each rule. What the bound can miss is measured by planting
 * faults in programs of random policies (tests/unit/test_seccomp.c).
 *
 * Each instruction must have been executed in the end. Only the argument checks of a call whose
 * conditions can exclude each other (two comparisons on one argument that are not all equalities:
 * an author may write rules that never apply) may hold instructions that no value reaches.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "profiles/bpf_eval.h"
#include "profiles/bundle.h"
#include "profiles/check_values.h"
#include "profiles/seccomp.h"

enum {
	CHECK_PRODUCT = 4096,
	CHECK_TWICE = 512,
	CHECK_VECTORS = 16384,
};

struct checker {
	const struct policy *policy;
	const struct seccomp_program *p;
	uint8_t *cover;
	bool some_loose;
	uint64_t turn, flip;
	struct err *err;
};

static void checker_done(struct checker *c)
{
	free(c->cover);
}

/* The rules of one call: they lie together, as a policy's rules are sorted by the call's name. */
static struct policy_rule *find_rules(const struct policy *policy, const struct syscall_desc *call,
				      size_t *ret_n)
{
	size_t lo = 0, hi = policy->n_rules, n = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(policy->rules[mid].call->name, call->name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < policy->n_rules && policy->rules[lo + n].call == call)
		n++;
	*ret_n = n;
	return policy->rules + lo;
}

/* What the filter has to say for a verdict. */
static uint32_t expected_ret(const struct policy *policy, const struct policy_verdict *v)
{
	if (v->action == POLICY_ALLOW)
		return SECCOMP_RET_ALLOW;
	if (policy->notify && !v->quiet)
		return SECCOMP_RET_USER_NOTIF;
	if (v->action == POLICY_KILL)
		return SECCOMP_RET_KILL_PROCESS;
	return SECCOMP_RET_ERRNO | v->errno_value;
}

static int defect(struct checker *c)
{
	(void)err_hint(c->err, "this is a defect of cordon, not of the policy: please report it");
	return -ENOTRECOVERABLE;
}

static int differs(struct checker *c, const struct seccomp_data *d, uint32_t want, uint32_t got)
{
	(void)err_set(c->err, -ENOTRECOVERABLE,
		      "trust the filter made of policy '%s': architecture %#x, call %#x"
		      "(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx) should give %#x and gives %#x",
		      c->policy->name, d->arch, (uint32_t)d->nr, d->args[0], d->args[1], d->args[2],
		      d->args[3], d->args[4], d->args[5], want, got);
	return defect(c);
}

static int check_one(struct checker *c, const struct seccomp_data *d, bool by_number)
{
	struct bpf_result got;
	struct policy_verdict v = { .action = POLICY_DENY,
				    .reason = POLICY_BY_ABI,
				    .errno_value = ENOSYS };
	uint32_t want;
	enum abi abi;
	int32_t nr;

	if (d->arch == abi_audit_arch((enum abi)c->policy->native) && d->nr == BUNDLE_PROBE_NR) {
		want = SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO;
	} else {
		if (abi_from_audit_arch(d->arch, (uint32_t)d->nr, &abi, &nr) == 0) {
			uint64_t args[6];

			memcpy(args, d->args, sizeof(args));
			policy_eval(c->policy, abi, nr, args, &v);
		}
		want = expected_ret(c->policy, &v);
	}
	bpf_run(c->p->insns, c->p->n, d, c->cover, &got);
	if (got.ret != want)
		return differs(c, d, want, got.ret);
	if (got.read_ip || (by_number && got.read_args)) {
		(void)err_set(c->err, -ENOTRECOVERABLE,
			      "trust the filter made of policy '%s': architecture %#x, call %#x"
			      " looks at more than the number",
			      c->policy->name, d->arch, (uint32_t)d->nr);
		return defect(c);
	}
	return 0;
}

/* Bits that look random, the same in every run; one set a vector. */
static uint64_t next_bits(struct checker *c)
{
	return (++c->turn * 0x9e3779b97f4a7c15ULL) >> 32 ^ c->flip;
}

/* Half of the 32-bit arguments get an upper half, which must not matter. */
static int check_args(struct checker *c, struct seccomp_data *d, const struct check_values *v,
		      const uint64_t args[6])
{
	uint64_t bits = next_bits(c);

	for (unsigned k = 0; k < 6; k++) {
		d->args[k] = args[k];
		if (v->narrow[k] && bits >> k & 1)
			d->args[k] |= k % 2 ? 0xffffffff00000000ULL : 0x8000000100000000ULL;
	}
	return check_one(c, d, false);
}

/* Every combination of the boundary values. */
static int check_product(struct checker *c, struct seccomp_data *d, const struct check_values *v,
			 uint64_t filler[2][6])
{
	size_t at[6] = { 0 };
	uint64_t args[6];
	int r = 0;

	while (r == 0) {
		unsigned i = 0;

		for (unsigned k = 0; k < 6; k++)
			args[k] = v->n[k] ? v->value[k][at[k]] : filler[(c->turn ^ c->flip) & 1][k];
		r = check_args(c, d, v, args);
		while (i < 6 && (v->n[i] == 0 || ++at[i] == v->n[i]))
			at[i++] = 0;
		if (i == 6)
			break;
	}
	return r;
}

/* A rule's values, made once: args[k] where bit k of which is set. */
struct held {
	uint64_t args[6];
	unsigned which;
};

static void hold(const struct held *held, uint64_t args[6])
{
	for (unsigned k = 0; k < 6; k++) {
		if (held->which >> k & 1)
			args[k] = held->args[k];
	}
}

/* The values of the rule's own conditions, one argument at a time. */
static int check_own_values(struct checker *c, struct seccomp_data *d, const struct check_values *v,
			    const struct policy_rule *rule, const uint64_t base[6], unsigned *left)
{
	__attribute__((cleanup(check_values_done))) struct check_values own = { .n = { 0 } };
	uint64_t args[6];
	int r = check_values_new(rule, 1, rule->abi_mask, &own);

	for (unsigned k = 0; k < 6 && r == 0; k++) {
		memcpy(args, base, sizeof(args));
		for (size_t n = 0; n < own.n[k] && r == 0 && *left > 0; n++, --*left) {
			args[k] = own.value[k][n];
			r = check_args(c, d, v, args);
		}
	}
	return r;
}

/* Each rule made to hold, with one argument at a time moved through the values of its own
 * conditions, and together with each other rule. */
static int check_by_rule(struct checker *c, const struct policy_rule *rules, size_t n_rules,
			 struct seccomp_data *d, const struct check_values *v,
			 const uint64_t filler[6])
{
	_cleanup_free_ struct held *held = calloc(n_rules, sizeof(*held));
	unsigned left = CHECK_VECTORS / 2;
	uint64_t args[6];
	int r = held ? 0 : -ENOMEM;

	for (size_t i = 0; i < n_rules && r == 0; i++) {
		const struct policy_rule *rule = &rules[i];

		for (uint8_t k = 0; k < rule->n_conds; k++)
			held[i].which |= 1U << rule->conds[k].arg;
		check_values_satisfy(v, rule, held[i].args);
		memcpy(args, filler, sizeof(args));
		hold(&held[i], args);
		r = check_args(c, d, v, args);
		r = r ? r : check_own_values(c, d, v, rule, args, &left);
	}
	/* What follows a rule that does not hold shows only where another one then answers. */
	for (size_t i = 0; i < n_rules && r == 0; i++) {
		for (size_t j = 0; j < n_rules && r == 0 && left > 0; j++, left -= left > 0) {
			if (i == j)
				continue;
			memcpy(args, filler, sizeof(args));
			hold(&held[j], args);
			hold(&held[i], args);
			r = check_args(c, d, v, args);
			r = r ? r : check_own_values(c, d, v, &rules[i], args, &left);
		}
	}
	return r;
}

static int check_conditions(struct checker *c, const struct policy_rule *rules, size_t n_rules,
			    struct seccomp_data *d, uint8_t abi_bit)
{
	__attribute__((cleanup(check_values_done))) struct check_values v = { .n = { 0 } };
	uint64_t filler[2][6];
	size_t product;
	int r = check_values_new(rules, n_rules, abi_bit, &v);

	if (r < 0)
		return err_set(c->err, r, "check the filter");
	product = check_values_product(&v, CHECK_PRODUCT + 1);
	check_values_fill(&v, rules, n_rules, filler[0]);
	for (unsigned k = 0; k < 6; k++)
		filler[1][k] = 0xdead0001beef0001ULL * (k + 3);
	/* Few combinations are tried twice, with other upper halves and fillers. */
	for (unsigned f = 0; f < 2 && r == 0; f++) {
		c->flip = f ? UINT64_MAX : 0;
		if (product > CHECK_PRODUCT)
			r = check_by_rule(c, rules, n_rules, d, &v, filler[f]);
		else if (f == 0 || product <= CHECK_TWICE)
			r = check_product(c, d, &v, filler);
	}
	return r;
}

/* One number of one architecture, with all arguments that can matter. */
static int check_number(struct checker *c, uint32_t arch, uint32_t raw)
{
	struct seccomp_data d = { .nr = (int)raw, .arch = arch };
	const struct syscall_desc *call = NULL;
	const struct policy_rule *rules = NULL;
	size_t n_rules = 0;
	bool conditions = false;
	uint8_t abi_bit = 0;
	enum abi abi;
	int32_t nr;
	int r;

	if (abi_from_audit_arch(arch, raw, &abi, &nr) == 0) {
		call = syscall_by_nr(abi, nr);
		abi_bit = (uint8_t)(1U << abi);
	}
	if (call)
		rules = find_rules(c->policy, call, &n_rules);
	for (size_t i = 0; i < n_rules; i++)
		conditions |= rules[i].n_conds > 0 && rules[i].abi_mask & abi_bit;
	r = check_one(c, &d, !conditions);
	memset(d.args, 0xff, sizeof(d.args));
	r = r ? r : check_one(c, &d, !conditions);
	if (r < 0 || !conditions || !(c->policy->abi_mask & abi_bit))
		return r;
	return check_conditions(c, rules, n_rules, &d, abi_bit);
}

static int check_arch(struct checker *c, uint32_t arch, int32_t max)
{
	static const uint32_t edges[] = {
		BUNDLE_PROBE_NR - 1,
		BUNDLE_PROBE_NR,
		BUNDLE_PROBE_NR + 1,
		0x3fffffff,
		0x7ffffffe,
		0x7fffffff,
		0x80000000,
		0x80000001,
		0xbfffffff,
		0xc0000000,
		0xfffffffe,
		0xffffffff,
		BUNDLE_PROBE_NR | X32_SYSCALL_BIT,
	};
	static const uint32_t bases[] = { 0, X32_SYSCALL_BIT, 0x80000000, 0xc0000000 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(edges) && r == 0; i++)
		r = check_number(c, arch, edges[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bases) && r == 0; i++) {
		/* The bases above x32's are unknown all over: some of each will do. */
		uint32_t step = i < 2 ? 1 : 61;

		for (uint32_t nr = 0; nr <= (uint32_t)max + 64 && r == 0; nr += step)
			r = check_number(c, arch, bases[i] | nr);
	}
	return r;
}

static int check_archs(struct checker *c)
{
	static const uint32_t foreign[] = {
		AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV64,    0,
		UINT32_MAX,	AUDIT_ARCH_X86_64 ^ 1, AUDIT_ARCH_AARCH64 ^ 1
	};
	int32_t max = 0;
	int r = 0;

	for (unsigned abi = 0; abi < _ABI_MAX; abi++)
		max = syscall_max_nr((enum abi)abi) > max ? syscall_max_nr((enum abi)abi) : max;
	for (unsigned abi = 0; abi < _ABI_MAX && r == 0; abi++) {
		if (abi != ABI_X32)
			r = check_arch(c, abi_audit_arch((enum abi)abi), max);
	}
	for (size_t i = 0; i < ARRAY_SIZE(foreign) && r == 0; i++)
		r = check_arch(c, foreign[i], 8);
	return r;
}

/* Whether conditions on one argument of the call may exclude each other; see the top. */
static bool is_loose(const struct checker *c, const struct syscall_desc *call)
{
	const struct policy_cond *seen[6] = { NULL };
	bool all_equal[6] = { true, true, true, true, true, true };
	bool several[6] = { false };
	const struct policy_rule *rules;
	size_t n;

	rules = find_rules(c->policy, call, &n);
	for (size_t i = 0; i < n; i++) {
		const struct policy_rule *rule = &rules[i];
		unsigned args = 0;

		for (unsigned k = 0; k < rule->n_conds; k++) {
			const struct policy_cond *cond = &rule->conds[k];

			if (args & 1U << cond->arg)
				return true;
			args |= 1U << cond->arg;
			/* One value read in two ways can exclude itself. */
			if (seen[cond->arg] && seen[cond->arg]->width != cond->width)
				return true;
			all_equal[cond->arg] &= cond->op == POLICY_EQ;
			if (seen[cond->arg] && !check_values_same_cond(seen[cond->arg], cond))
				several[cond->arg] = true;
			seen[cond->arg] = cond;
		}
	}
	for (unsigned k = 0; k < 6; k++) {
		if (several[k] && !all_equal[k])
			return true;
	}
	return false;
}

static int check_cover(struct checker *c)
{
	const struct seccomp_program *p = c->p;

	for (size_t i = 0; i < p->n; i++) {
		uint32_t rule = p->rule_of ? p->rule_of[i] : UINT32_MAX;

		if (c->cover[i])
			continue;
		if (rule < c->policy->n_rules && is_loose(c, c->policy->rules[rule].call))
			continue;
		if (BPF_CLASS(p->insns[i].code) == BPF_RET && rule == UINT32_MAX && c->some_loose)
			continue;
		(void)err_set(
			c->err, -ENOTRECOVERABLE,
			"trust the filter made of policy '%s': nothing reaches instruction %zu",
			c->policy->name, i);
		return defect(c);
	}
	return 0;
}

int seccomp_check(const struct policy *policy, const struct seccomp_program *p, struct err *err)
{
	__attribute__((
		cleanup(checker_done))) struct checker c = { .policy = policy, .p = p, .err = err };
	int r;

	r = bpf_check(p->insns, p->n, err);
	if (r == -EINVAL && err)
		err->code = -ENOTRECOVERABLE;
	if (r < 0)
		return r == -EINVAL ? -ENOTRECOVERABLE : r;
	c.cover = calloc(p->n, 1);
	if (!c.cover)
		return err_set(err, -ENOMEM, "check the filter");
	for (size_t i = 0; i < policy->n_rules; i++) {
		if (i == 0 || policy->rules[i].call != policy->rules[i - 1].call)
			c.some_loose |= is_loose(&c, policy->rules[i].call);
	}
	r = check_archs(&c);
	return r ? r : check_cover(&c);
}
