// SPDX-License-Identifier: Apache-2.0
/*
 * The program's shape:
 *
 *	load arch; for each open architecture, the native one first:
 *		load nr; a tree over ranges of numbers with the same answer: balanced, or
 *		weighted by a usage file (seccomp_tree.c, seccomp_hot.c)
 *		numbers past the table: the probe, x32's own tree (x86_64), unknown
 *	no architecture matched: unknown
 *	one block for each different list of argument checks
 *	one return for each different answer
 *
 * An answer that depends on the number alone is reached by loads of arch and nr and by constant
 * jumps only: that is what seccomp_is_const_allow() (kernel/seccomp.c, Linux 5.11) can follow to
 * put an allowed number on the bitmap, where it costs no filter run at all.
 */
#include "profiles/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "profiles/bundle.h"
#include "profiles/seccomp_gen.h"

/* Where a number leads. Without branches the code is one return. */
struct target {
	struct seccomp_decision decision;
	uint32_t label;
};

struct generator {
	const struct policy *policy;
	const struct seccomp_hot *hot; /* NULL: none */
	struct seccomp_index index;
	struct bpf_asm a;
	struct target *targets;
	size_t n_targets;
	size_t cap_targets;
	unsigned depth;
};

static void generator_done(struct generator *g)
{
	for (size_t i = 0; i < g->n_targets; i++)
		free(g->targets[i].decision.branches);
	free(g->targets);
	seccomp_index_done(&g->index);
	bpf_asm_done(&g->a);
}

void seccomp_program_done(struct seccomp_program *p)
{
	free(p->insns);
	free(p->rule_of);
	*p = (struct seccomp_program){ .n = 0 };
}

/* The label for a decision, whose branches are taken over; equal decisions share one. */
static int label_for(struct generator *g, struct seccomp_decision *d, uint32_t *ret)
{
	for (size_t i = 0; i < g->n_targets; i++) {
		if (seccomp_decision_equal(&g->targets[i].decision, d)) {
			free(d->branches);
			*ret = g->targets[i].label;
			return 0;
		}
	}
	if (g->n_targets == g->cap_targets) {
		size_t cap = g->cap_targets ? g->cap_targets * 2 : 32;
		struct target *p = reallocarray(g->targets, cap, sizeof(*p));

		if (!p) {
			free(d->branches);
			return -ENOMEM;
		}
		g->targets = p;
		g->cap_targets = cap;
	}
	*ret = bpf_asm_label(&g->a);
	g->targets[g->n_targets++] = (struct target){ .decision = *d, .label = *ret };
	return 0;
}

static int label_for_ret(struct generator *g, uint32_t value, uint32_t *ret)
{
	struct seccomp_decision d = { .last = value };

	return label_for(g, &d, ret);
}

/*
 * The ranges of one ABI from number 0 to its table's end and the first one past it, raised by base
 * (x32's bit). There is room for max + 2 of them.
 */
static int fill_ranges(struct generator *g, enum abi abi, uint32_t base,
		       struct seccomp_range *ranges, size_t *n)
{
	int32_t max = syscall_max_nr(abi);

	for (int32_t nr = 0; nr <= max + 1; nr++) {
		struct seccomp_decision d;
		uint32_t label;
		int r = seccomp_decide(g->policy, &g->index, abi, nr, &d);

		if (r < 0)
			return r;
		r = label_for(g, &d, &label);
		if (r < 0)
			return r;
		if (*n == 0 || ranges[*n - 1].label != label)
			ranges[(*n)++] =
				(struct seccomp_range){ .lo = base | (uint32_t)nr, .label = label };
	}
	return 0;
}

/* Jump to the label of the range that holds the number, which is known to be in one of [from, to).
 */
static void emit_tree(struct generator *g, const struct seccomp_range *all,
		      const struct seccomp_tree *tree, size_t from, size_t to)
{
	const struct seccomp_range *r = all + from;
	size_t n = to - from, mid = n > 1 ? seccomp_tree_split(tree, from, to) - from : 0;
	uint32_t right;

	if (n == 1) {
		bpf_asm_goto(&g->a, r[0].label);
		return;
	}
	/* One number inside a range with another answer takes one comparison, not two. */
	if (n == 3 && seccomp_ranges_are_hole(r)) {
		bpf_asm_jump(&g->a, BPF_JMP | BPF_JEQ | BPF_K, r[1].lo, r[1].label, r[0].label);
		return;
	}
	right = n - mid == 1 ? r[mid].label : bpf_asm_label(&g->a);
	bpf_asm_jump(&g->a, BPF_JMP | BPF_JGE | BPF_K, r[mid].lo, right,
		     mid == 1 ? r[0].label : BPF_ASM_NEXT);
	if (mid > 1)
		emit_tree(g, all, tree, from, from + mid);
	if (n - mid > 1) {
		bpf_asm_place(&g->a, right);
		emit_tree(g, all, tree, from + mid, to);
	}
}

static bool is_open(const struct generator *g, enum abi abi)
{
	return g->policy->abi_mask >> abi & 1;
}

/* Past the table: nothing hot, so that what is looked for here costs allowed calls nothing. */
static int emit_past_table(struct generator *g, enum abi abi, uint32_t unknown)
{
	_cleanup_free_ struct seccomp_range *ranges = NULL;
	size_t n = 0, room;
	uint32_t probe;
	int r;

	if (abi == g->policy->native) {
		r = label_for_ret(g, SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO, &probe);
		if (r < 0)
			return r;
		bpf_asm_jump(&g->a, BPF_JMP | BPF_JEQ | BPF_K, BUNDLE_PROBE_NR, probe,
			     BPF_ASM_NEXT);
	}
	if (abi != ABI_X86_64 || !is_open(g, ABI_X32)) {
		bpf_asm_goto(&g->a, unknown);
		return 0;
	}
	room = (size_t)syscall_max_nr(ABI_X32) + 4;
	ranges = calloc(room, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	ranges[n++] = (struct seccomp_range){ .lo = 0, .label = unknown };
	r = fill_ranges(g, ABI_X32, X32_SYSCALL_BIT, ranges, &n);
	if (r < 0)
		return r;
	emit_tree(g, ranges, NULL, 0, n);
	return 0;
}

/* The range that holds a number. */
static size_t range_of(const struct seccomp_range *ranges, size_t n, int32_t nr)
{
	size_t at = 0;

	while (at + 1 < n && ranges[at + 1].lo <= (uint32_t)nr)
		at++;
	return at;
}

static bool is_first(const struct seccomp_hot *hot, int32_t nr)
{
	for (size_t i = 0; i < hot->n_first; i++) {
		if (hot->first[i] == nr)
			return true;
	}
	return false;
}

/* Leave out ranges all of whose numbers have been asked for: nothing would reach their code. */
static size_t drop_first(const struct seccomp_hot *hot, struct seccomp_range *ranges, size_t n)
{
	size_t out = 0;
	uint32_t lo = ranges[0].lo;

	for (size_t i = 0; i < n; i++) {
		uint32_t end = i + 1 < n ? ranges[i + 1].lo : UINT32_MAX;
		bool all = end - ranges[i].lo <= hot->n_first;

		for (uint32_t nr = ranges[i].lo; all && nr < end; nr++)
			all = is_first(hot, (int32_t)nr);
		if (all || (out > 0 && ranges[out - 1].label == ranges[i].label))
			continue;
		ranges[out] = ranges[i];
		if (out++ == 0)
			ranges[0].lo = lo;
	}
	return out;
}

/* The native tree: a few numbers are asked for by themselves, the others by weight. */
static int emit_hot_tree(struct generator *g, enum abi abi, struct seccomp_range *ranges, size_t n)
{
	__attribute__((cleanup(seccomp_tree_done))) struct seccomp_tree tree = { .n = 0 };
	_cleanup_free_ uint64_t *weight = calloc(n, sizeof(*weight));
	int r;

	if (!weight)
		return -ENOMEM;
	for (size_t i = 0; i < g->hot->n_first; i++) {
		int32_t nr = g->hot->first[i];

		bpf_asm_jump(&g->a, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr,
			     ranges[range_of(ranges, n, nr)].label, BPF_ASM_NEXT);
	}
	n = drop_first(g->hot, ranges, n);
	for (int32_t nr = 0; nr <= syscall_max_nr(abi); nr++) {
		if (!is_first(g->hot, nr))
			weight[range_of(ranges, n, nr)] += g->hot->weight[nr];
	}
	r = seccomp_tree_new(ranges, weight, n, &tree);
	if (r < 0)
		return r;
	g->depth = tree.depth + (unsigned)g->hot->n_first;
	emit_tree(g, ranges, &tree, 0, n);
	return 0;
}

/* All numbers of one architecture. */
static int emit_arch(struct generator *g, enum abi abi, uint32_t unknown)
{
	_cleanup_free_ struct seccomp_range *ranges = NULL;
	uint32_t past = bpf_asm_label(&g->a);
	size_t n = 0;
	int r;

	ranges = calloc((size_t)syscall_max_nr(abi) + 4, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	if (is_open(g, abi)) {
		r = fill_ranges(g, abi, 0, ranges, &n);
		if (r < 0)
			return r;
		/* The last range is what the table does not have. */
		ranges[n - 1].label = past;
	} else {
		ranges[n++] = (struct seccomp_range){ .lo = 0, .label = past };
	}
	bpf_asm_op(&g->a, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	if (g->hot && abi == g->policy->native) {
		r = emit_hot_tree(g, abi, ranges, n);
		if (r < 0)
			return r;
	} else {
		emit_tree(g, ranges, NULL, 0, n);
		if (abi == g->policy->native)
			g->depth = seccomp_even_depth(n);
	}
	bpf_asm_place(&g->a, past);
	return emit_past_table(g, abi, unknown);
}

/* Native first: its calls are the ones that must be quick. */
static int emit_archs(struct generator *g)
{
	const uint8_t order[] = { g->policy->native, ABI_X86_64, ABI_AARCH64, ABI_I386 };
	uint32_t unknown;
	int r = label_for_ret(g, seccomp_ret_unknown(g->policy), &unknown);

	if (r < 0)
		return r;
	bpf_asm_op(&g->a, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		enum abi abi = (enum abi)order[i];
		uint32_t other;

		if (i > 0 && abi == g->policy->native)
			continue;
		/* The native one always: the probe is behind it. */
		if (i > 0 && !is_open(g, abi) && !(abi == ABI_X86_64 && is_open(g, ABI_X32)))
			continue;
		other = bpf_asm_label(&g->a);
		bpf_asm_jump(&g->a, BPF_JMP | BPF_JEQ | BPF_K, abi_audit_arch(abi), BPF_ASM_NEXT,
			     other);
		r = emit_arch(g, abi, unknown);
		if (r < 0)
			return r;
		bpf_asm_place(&g->a, other);
	}
	bpf_asm_goto(&g->a, unknown);
	return 0;
}

/* The argument checks of one decision, in its order. */
static int emit_decision(struct generator *g, const struct seccomp_decision *d)
{
	struct seccomp_emit e = { .a = &g->a, .word = -1 };
	uint32_t last, yes, no;
	int r = label_for_ret(g, d->last, &last);

	for (size_t i = 0; r == 0 && i < d->n_branches; i++) {
		const struct policy_rule *rule = d->branches[i].rule;
		uint8_t left = 0;

		r = label_for_ret(g, d->branches[i].ret, &yes);
		if (r < 0)
			return r;
		g->a.note = (uint32_t)(rule - g->policy->rules);
		no = i + 1 == d->n_branches ? last : bpf_asm_label(&g->a);
		e.failed = false;
		for (uint8_t k = 0; k < rule->n_conds; k++)
			left = (uint8_t)(left + (seccomp_cond_fixed(&rule->conds[k]) < 0));
		for (uint8_t k = 0; k < rule->n_conds; k++) {
			if (seccomp_cond_fixed(&rule->conds[k]) >= 0)
				continue;
			seccomp_emit_cond(&e, &rule->conds[k], --left ? BPF_ASM_NEXT : yes, no);
		}
		if (no != last)
			bpf_asm_place(&g->a, no);
		e.word = e.fail_word;
	}
	g->a.note = UINT32_MAX;
	return r;
}

/* The blocks that the tree leads to: argument checks first, as they lead to returns. */
static int emit_targets(struct generator *g)
{
	size_t n = g->n_targets;
	int r;

	for (size_t i = 0; i < n; i++) {
		/* Emitting can move the array, but not what a decision points to. */
		struct seccomp_decision d = g->targets[i].decision;

		if (d.n_branches == 0)
			continue;
		bpf_asm_place(&g->a, g->targets[i].label);
		r = emit_decision(g, &d);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < g->n_targets; i++) {
		if (g->targets[i].decision.n_branches > 0)
			continue;
		bpf_asm_place(&g->a, g->targets[i].label);
		bpf_asm_op(&g->a, BPF_RET | BPF_K, g->targets[i].decision.last);
	}
	return 0;
}

/* How many instructions a line of the policy takes; line 0: the tree and the returns. */
struct share {
	struct policy_where where;
	size_t n;
};

static int compare_share(const void *pa, const void *pb)
{
	const struct share *a = pa, *b = pb;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	if (a->where.source != b->where.source)
		return a->where.source < b->where.source ? -1 : 1;
	return (a->where.line > b->where.line) - (a->where.line < b->where.line);
}

/* The lines of the policy by what they take of the program, heaviest first. */
static size_t share_out(const struct policy *policy, const struct seccomp_program *p,
			struct share *shares)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct policy_rule *rule =
			p->rule_of[i] < policy->n_rules ? &policy->rules[p->rule_of[i]] : NULL;
		size_t k = 0;

		if (!rule)
			continue;
		while (k < n && (shares[k].where.source != rule->where.source ||
				 shares[k].where.line != rule->where.line))
			k++;
		if (k == n)
			shares[n++] = (struct share){ .where = rule->where };
		shares[k].n++;
	}
	qsort(shares, n, sizeof(*shares), compare_share);
	return n;
}

/* The whole program, which nobody will load, tells where the instructions go. */
static int too_long(struct generator *g, size_t n, struct err *err)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program p = { .n = 0 };
	const struct policy *policy = g->policy;
	_cleanup_free_ struct share *shares = calloc(policy->n_rules + 1, sizeof(*shares));
	char text[LIMIT_ERR_TEXT / 2] = "";
	size_t n_shares, len = 0;

	if (!shares || bpf_asm_finish(&g->a, SIZE_MAX, &p.insns, &p.rule_of, &p.n) < 0)
		return err_set(err, -ENOMEM, "make a filter of policy '%s'", policy->name);
	n_shares = share_out(policy, &p, shares);
	for (size_t i = 0; i < n_shares && i < 3 && len < sizeof(text); i++) {
		const struct policy_where *w = &shares[i].where;
		int r = snprintf(text + len, sizeof(text) - len, "%s%zu by %.80s:%u",
				 i ? ", " : "; most of them are made ", shares[i].n,
				 w->source < policy->n_sources ? policy->sources[w->source].path
							       : policy->name,
				 w->line);

		len += r > 0 ? (size_t)r : 0;
	}
	(void)err_set(
		err, -E2BIG,
		"make a filter of policy '%s': it takes %zu instructions, and the kernel takes "
		"%d%s",
		policy->name, n, LIMIT_BPF_INSNS, text);
	(void)err_hint(err,
		       "say long lists of values in fewer comparisons: as a range (in A..B) or "
		       "by a mask (flags & MASK == VALUE)%s",
		       policy->abi_mask & (policy->abi_mask - 1U)
			       ? "; each ABI that the policy opens adds to it"
			       : "");
	return -E2BIG;
}

int seccomp_generate_hot(const struct policy *policy, const struct seccomp_hot *hot,
			 struct seccomp_program *ret, struct err *err)
{
	__attribute__((cleanup(generator_done))) struct generator g = {
		.policy = policy,
		.hot = hot,
		.a = BPF_ASM_INIT,
	};
	struct seccomp_program p = { .n = 0 };
	size_t n = 0;
	int r = seccomp_index_new(policy, &g.index);

	if (r == 0)
		r = emit_archs(&g);
	if (r == 0)
		r = emit_targets(&g);
	if (r == 0)
		r = bpf_asm_finish(&g.a, LIMIT_BPF_INSNS, &p.insns, &p.rule_of, &n);
	if (r == -E2BIG)
		return too_long(&g, n, err);
	if (r < 0)
		return err_set(err, r, "make a filter of policy '%s'", policy->name);
	p.n = n;
	p.depth = g.depth;
	*ret = p;
	return 0;
}

int seccomp_generate(const struct policy *policy, struct seccomp_program *ret, struct err *err)
{
	return seccomp_generate_hot(policy, NULL, ret, err);
}
