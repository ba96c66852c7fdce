// SPDX-License-Identifier: Apache-2.0
/* cordon policy show --bpf: the filter as text. Not for machines; `policy build` writes those. */
#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cli/policy.h"
#include "policies/cond.h"
#include "profiles/bpf_eval.h"
#include "profiles/bundle.h"
#include "profiles/seccomp.h"

enum { CODE_WIDTH = 34 };

/* What is known at an instruction when it is printed. */
struct listing {
	const struct policy *policy;
	struct seccomp_program program;
	uint8_t *cover;
	uint32_t *block_of; /* of each instruction: index + 1 of the first call that begins to
			     * look at its arguments there */
	struct entry {
		const struct syscall_desc *call;
		uint8_t abi;
		uint32_t next; /* the next one with the same block, + 1; 0: none */
	} * entries;
	size_t n_entries;
	enum abi abi; /* whose numbers are compared */
	bool numbers; /* the accumulator holds a number */
	bool archs;   /* ... an architecture */
	int width;    /* of the code on the line */
};

static void listing_done(struct listing *l)
{
	seccomp_program_done(&l->program);
	free(l->cover);
	free(l->block_of);
	free(l->entries);
}

static const char *file_name(const struct policy *policy, size_t source)
{
	const char *slash = strrchr(policy->sources[source].path, '/');

	return slash ? slash + 1 : policy->sources[source].path;
}

/* The last component where no other source has the same one. */
static void put_place(const struct policy *policy, const struct policy_where *where)
{
	if (where->line == 0 || where->source >= policy->n_sources) {
		policy_cli_print_where(policy, where);
		return;
	}
	for (size_t i = 0; i < policy->n_sources; i++) {
		if (i != where->source &&
		    strcmp(file_name(policy, i), file_name(policy, where->source)) == 0) {
			policy_cli_print_where(policy, where);
			return;
		}
	}
	policy_cli_put_text(file_name(policy, where->source));
	(void)printf(":%" PRIu32, where->line);
}

static int put_ret(uint32_t k, char *ret, size_t size)
{
	uint32_t data = k & SECCOMP_RET_DATA;
	const char *name = strerrorname_np((int)data);

	switch (k & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return snprintf(ret, size, "ret allow");
	case SECCOMP_RET_USER_NOTIF:
		return snprintf(ret, size, "ret notify");
	case SECCOMP_RET_KILL_PROCESS:
		return snprintf(ret, size, "ret kill");
	default:
		return name ? snprintf(ret, size, "ret errno %s", name)
			    : snprintf(ret, size, "ret errno %u", data);
	}
}

static int put_load(uint32_t k, char *ret, size_t size)
{
	if (k == offsetof(struct seccomp_data, nr))
		return snprintf(ret, size, "ld nr");
	if (k == offsetof(struct seccomp_data, arch))
		return snprintf(ret, size, "ld arch");
	return snprintf(ret, size, "ld args[%zu].%s", (k - offsetof(struct seccomp_data, args)) / 8,
			k % 8 ? "high" : "low");
}

/* Comments stand below each other. */
static void begin_comment(const struct listing *l)
{
	(void)printf("%*s# ", l->width < CODE_WIDTH ? CODE_WIDTH - l->width : 1, "");
}

static void put_code(struct listing *l, const struct sock_filter *in, size_t at)
{
	static const char *const jumps[] = { "ja", "jeq", "jgt", "jge", "jset" };
	char text[64];

	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		(void)put_load(in->k, text, sizeof(text));
		break;
	case BPF_ALU:
		(void)snprintf(text, sizeof(text), "%s %#x",
			       BPF_OP(in->code) == BPF_AND ? "and" : "xor", in->k);
		break;
	case BPF_RET:
		(void)put_ret(in->k, text, sizeof(text));
		break;
	default:
		if (BPF_OP(in->code) == BPF_JA)
			(void)snprintf(text, sizeof(text), "ja %zu", at + 1 + in->k);
		else
			(void)snprintf(text, sizeof(text), "%s %#x, %zu, %zu",
				       jumps[BPF_OP(in->code) >> 4], in->k, at + 1 + in->jt,
				       at + 1 + in->jf);
		break;
	}
	l->width = (int)strlen(text);
	(void)printf("%5zu  %s", at, text);
}

/* The number that a comparison in the tree is about, by its name on the ABI. */
static void put_call_name(const struct listing *l, const struct sock_filter *in)
{
	const struct syscall_desc *call;
	enum abi abi = l->abi;
	uint32_t nr = in->k;

	if (nr == BUNDLE_PROBE_NR) {
		begin_comment(l);
		(void)fputs("the launcher's probe", stdout);
		return;
	}
	if (abi == ABI_X86_64 && nr & X32_SYSCALL_BIT) {
		abi = ABI_X32;
		nr &= ~X32_SYSCALL_BIT;
	}
	call = syscall_by_nr(abi, (int32_t)nr);
	if (!call)
		return;
	begin_comment(l);
	(void)printf("%s %s%s", abi_name(abi), call->name,
		     BPF_OP(in->code) == BPF_JGE ? " and above" : "");
}

static void put_rule(const struct listing *l, const struct policy_rule *rule)
{
	static const char *const actions[] = { "allow", "deny", "kill" };

	begin_comment(l);
	(void)printf("%s %s if", actions[rule->action], rule->call->name);
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		char text[COND_TEXT];

		cond_text(rule->call, &rule->conds[i], text);
		(void)printf("%s %s", i ? " and" : "", text);
	}
	(void)fputs("  ", stdout);
	put_place(l->policy, &rule->where);
}

static void put_comment(struct listing *l, size_t i)
{
	const struct sock_filter *in = &l->program.insns[i];
	uint32_t rule = l->program.rule_of[i];
	uint32_t before = i > 0 ? l->program.rule_of[i - 1] : UINT32_MAX;

	if (rule < l->policy->n_rules) {
		/* Once at its first instruction. */
		if (rule != before || l->block_of[i])
			put_rule(l, &l->policy->rules[rule]);
		return;
	}
	if (BPF_CLASS(in->code) == BPF_RET && in->k == (SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO)) {
		begin_comment(l);
		(void)fputs("the launcher's probe: this filter is in force", stdout);
	}
	if (BPF_CLASS(in->code) != BPF_JMP || BPF_OP(in->code) == BPF_JA)
		return;
	for (unsigned a = 0; l->archs && a < _ABI_MAX; a++) {
		if (in->k == abi_audit_arch((enum abi)a) && a != ABI_X32) {
			l->abi = (enum abi)a;
			begin_comment(l);
			(void)fputs(abi_name(l->abi), stdout);
		}
	}
	if (l->numbers)
		put_call_name(l, in);
}

/* A line of the calls whose arguments are looked at from here on. */
static void put_heading(const struct listing *l, size_t i)
{
	const struct entry *e = NULL;

	if (l->block_of[i] == 0)
		return;
	(void)fputs("       # arguments of", stdout);
	for (uint32_t at = l->block_of[i]; at; at = e->next) {
		e = &l->entries[at - 1];
		(void)printf(" %s", e->call->name);
		if (e->abi != l->policy->native)
			(void)printf("(%s)", abi_name((enum abi)e->abi));
	}
	(void)putchar('\n');
}

/* Where each call begins to look at its arguments: the first load of one on its way. Jumps go
 * forward, so that is the lowest one. */
static void find_block(struct listing *l, const struct syscall_desc *call, enum abi abi)
{
	struct seccomp_data d = { .nr = call->nr[abi], .arch = abi_audit_arch(abi) };
	struct bpf_result r;
	uint32_t *at;

	if (abi == ABI_X32)
		d.nr |= (int)X32_SYSCALL_BIT;
	memset(l->cover, 0, l->program.n);
	bpf_run(l->program.insns, l->program.n, &d, l->cover, &r);
	for (size_t i = 0; i < l->program.n; i++) {
		const struct sock_filter *in = &l->program.insns[i];

		if (!l->cover[i] || BPF_CLASS(in->code) != BPF_LD ||
		    in->k < offsetof(struct seccomp_data, args))
			continue;
		for (at = &l->block_of[i]; *at; at = &l->entries[*at - 1].next)
			;
		l->entries[l->n_entries++] = (struct entry){ .call = call, .abi = (uint8_t)abi };
		*at = (uint32_t)l->n_entries;
		return;
	}
}

static int find_blocks(struct listing *l)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	l->cover = calloc(l->program.n, 1);
	l->block_of = calloc(l->program.n, sizeof(*l->block_of));
	l->entries = calloc(n * _ABI_MAX, sizeof(*l->entries));
	if (!l->cover || !l->block_of || !l->entries)
		return -ENOMEM;
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		for (size_t i = 0; l->policy->abi_mask >> abi & 1 && i < n; i++) {
			if (table[i].nr[abi] >= 0)
				find_block(l, &table[i], (enum abi)abi);
		}
	}
	return 0;
}

static void put_sources(const struct policy *policy)
{
	(void)fputs("# policy ", stdout);
	policy_cli_put_text(policy->name);
	(void)printf(" for %s\n# a jump: value, where to go on when it holds, and when not\n",
		     abi_name((enum abi)policy->native));
	for (size_t i = 0; i < policy->n_sources; i++) {
		(void)fputs("# from ", stdout);
		policy_cli_put_text(policy->sources[i].path);
		(void)putchar('\n');
	}
}

int policy_cli_bpf(const struct policy *policy, struct err *err)
{
	__attribute__((cleanup(listing_done))) struct listing l = { .policy = policy };
	int r = seccomp_generate(policy, &l.program, err);

	r = r ? r : seccomp_check(policy, &l.program, err);
	if (r < 0)
		return r;
	r = find_blocks(&l);
	if (r < 0)
		return err_set(err, r, "show the filter of policy '%s'", policy->name);
	put_sources(policy);
	for (size_t i = 0; i < l.program.n; i++) {
		const struct sock_filter *in = &l.program.insns[i];

		put_heading(&l, i);
		put_code(&l, in, i);
		if (BPF_CLASS(in->code) == BPF_LD) {
			l.numbers = in->k == offsetof(struct seccomp_data, nr);
			l.archs = in->k == offsetof(struct seccomp_data, arch);
		}
		put_comment(&l, i);
		(void)putchar('\n');
	}
	(void)printf("# %zu instructions of at most %d, %u comparisons deep\n", l.program.n,
		     LIMIT_BPF_INSNS, l.program.depth);
	return 0;
}
