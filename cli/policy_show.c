// SPDX-License-Identifier: Apache-2.0
/* cordon policy show: what a policy comes to after composition. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/policy.h"
#include "cli/policy_show.h"
#include "cli/print.h"
#include "policies/cond.h"
#include "policies/consts.h"
#include "policies/limit.h"
#include "policies/spell.h"

static void put_errno(int value)
{
	const char *name = strerrorname_np(value);

	if (name)
		(void)printf(" %s", name);
	else
		(void)printf(" %d", value);
}

static int rank(const struct policy_rule *rule)
{
	return rule->action == POLICY_KILL ? 0 : rule->action == POLICY_DENY ? 1 : 2;
}

/* As they are asked: calls by name, kill, deny, allow, then by their comparisons. */
static int compare_rule(const void *pa, const void *pb)
{
	const struct policy_rule *a = *(const struct policy_rule *const *)pa;
	const struct policy_rule *b = *(const struct policy_rule *const *)pb;
	int r = strcmp(a->call->name, b->call->name);

	r = r ? r : rank(a) - rank(b);
	r = r ? r : cond_rank(a, b);
	return r ? r : (a > b) - (a < b);
}

static void put_abis(unsigned mask)
{
	const char *between = "";

	for (unsigned i = 0; i < _ABI_MAX; i++) {
		if (!(mask >> i & 1))
			continue;
		(void)printf("%s%s", between, abi_name((enum abi)i));
		between = " ";
	}
}

static void put_rule(const struct policy *policy, const struct policy_rule *rule)
{
	static const char *const actions[] = { "allow", "deny", "kill" };

	(void)printf("  %-24s %s", rule->call->name, actions[rule->action]);
	if (rule->action == POLICY_DENY)
		put_errno(rule->errno_value);
	if (rule->quiet)
		(void)fputs(" quiet", stdout);
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		char text[COND_TEXT];

		cond_text(rule->call, &rule->conds[i], text);
		(void)printf(" %s %s", i ? "and" : "if", text);
	}
	if ((policy->abi_mask & ~rule->abi_mask) != 0) {
		(void)fputs(" (", stdout);
		put_abis(policy->abi_mask & rule->abi_mask);
		(void)fputs(" only)", stdout);
	}
	(void)fputs("  # ", stdout);
	policy_cli_print_where(policy, &rule->where);
	(void)putchar('\n');
}

/* Whether the call has a number on an ABI that is open. */
static bool is_there(const struct policy *policy, const struct syscall_desc *call)
{
	for (unsigned i = 0; i < _ABI_MAX; i++) {
		if (policy->abi_mask >> i & 1 && call->nr[i] >= 0)
			return true;
	}
	return false;
}

static void put_default(const struct policy *policy, const struct syscall_desc *call)
{
	bool newer = call->since > policy->kernel;

	(void)printf("  %-24s deny", call->name);
	put_errno(newer ? ENOSYS : policy->default_errno);
	(void)puts(newer ? "  # newer than the policy's kernel" : "  # default");
}

static int put_calls(const struct policy *policy, struct err *err)
{
	_cleanup_free_ const struct policy_rule **rules =
		calloc(policy->n_rules + 1, sizeof(const struct policy_rule *));
	size_t n_table, at = 0;
	const struct syscall_desc *table = syscall_table(&n_table);

	if (!rules)
		return err_set(err, -ENOMEM, "show policy '%s'", policy->name);
	for (size_t i = 0; i < policy->n_rules; i++)
		rules[i] = &policy->rules[i];
	qsort(rules, policy->n_rules, sizeof(const struct policy_rule *), compare_rule);
	(void)fputs("calls:\n", stdout);
	/* Both are sorted by name. */
	for (size_t i = 0; i < n_table; i++) {
		uint8_t left = policy->abi_mask; /* ABIs on which no rule without conditions came */

		if (!is_there(policy, &table[i])) {
			while (at < policy->n_rules && rules[at]->call == &table[i])
				at++;
			continue;
		}
		if (at == policy->n_rules || rules[at]->call != &table[i])
			put_default(policy, &table[i]);
		for (; at < policy->n_rules && rules[at]->call == &table[i]; at++) {
			if (rules[at]->abi_mask & left)
				put_rule(policy, rules[at]);
			if (rules[at]->n_conds == 0)
				left &= (uint8_t)~rules[at]->abi_mask;
		}
	}
	return 0;
}

static void put_caps(uint64_t caps)
{
	const char *name;

	if (caps == 0)
		(void)fputs(" none", stdout);
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value;
		bool negative, found = false;

		if (!(caps >> bit & 1))
			continue;
		for (size_t i = 0; (name = consts_name(i)) != NULL && !found; i++) {
			found = text_starts_with(name, "CAP_") &&
				consts_find(name, &value, &negative) == 0 && value == bit;
			if (found)
				(void)printf(" %s", name);
		}
		if (!found)
			(void)printf(" %u", bit);
	}
	(void)putchar('\n');
}

static void put_limits(const struct policy *policy)
{
	static const char *const units[_POLICY_LIMIT_MAX] = {
		[POLICY_LIMIT_MEMORY] = " bytes",
		[POLICY_LIMIT_CPU] = " thousandths of a core",
		[POLICY_LIMIT_UPPER] = " bytes",
		[POLICY_LIMIT_WALL] = " ms",
		[POLICY_LIMIT_MEMORY_HIGH] = " bytes",
		[POLICY_LIMIT_SWAP] = " bytes",
	};
	char set[CPUS_TEXT];

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if (!policy->has_limit[i])
			continue;
		if (i == POLICY_LIMIT_CPUSET)
			(void)printf("limit cpuset %s  # ", cpus_format(&policy->cpuset, set));
		else
			(void)printf("limit %s %" PRIu64 "%s  # ", limit_name((enum policy_limit)i),
				     policy->limit[i], units[i] ? units[i] : "");
		policy_cli_print_where(policy, &policy->limit_where[i]);
		(void)putchar('\n');
	}
}

static void put_line(const struct policy *policy, const char *text,
		     const struct policy_where *where)
{
	/* A policy holds no control characters, and its own spelling is what can be read again. */
	(void)fputs(text, stdout);
	(void)fputs("  # ", stdout);
	policy_cli_print_where(policy, where);
	(void)putchar('\n');
}

static void put_spelled(const struct policy *policy)
{
	if (policy->setting_where[POLICY_SETTING_DEFAULT].line) {
		(void)fputs("default errno", stdout);
		put_errno(policy->default_errno);
		put_line(policy, "", &policy->setting_where[POLICY_SETTING_DEFAULT]);
	}
	for (size_t i = 0; i < policy->n_ports; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		if (spell_port(&text, &policy->ports[i]) == 0)
			put_line(policy, text.data, &policy->ports[i].where);
	}
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		if (policy->labels[i].text &&
		    spell_label(&text, (enum policy_lsm)i, policy->labels[i].text) == 0)
			put_line(policy, text.data, &policy->labels[i].where);
	}
	for (size_t i = 0; i < policy->n_lets; i++) {
		(void)printf("let %s ", policy->lets[i].name);
		put_line(policy, policy->lets[i].text, &policy->lets[i].where);
	}
}

static void put_notes(const struct policy *policy)
{
	static const char *const heads[] = {
		[POLICY_NOTE_REMOVED] = "removed:\n",
		[POLICY_NOTE_REPEATED] = "said already:\n",
		[POLICY_NOTE_OVERRIDDEN] = "overridden:\n",
	};

	for (unsigned kind = 0; kind < ARRAY_SIZE(heads); kind++) {
		bool any = false;

		for (size_t i = 0; i < policy->n_notes; i++) {
			const struct policy_note *n = &policy->notes[i];

			if (n->kind != kind)
				continue;
			if (!any)
				(void)fputs(heads[kind], stdout);
			any = true;
			(void)fputs("  ", stdout);
			policy_cli_put_text(n->text);
			(void)fputs("  # ", stdout);
			/* where it stood, and what made it go; a repetition stands behind the other
			 */
			policy_cli_print_where(policy, kind == POLICY_NOTE_REPEATED ? &n->where
										    : &n->other);
			(void)fputs(kind == POLICY_NOTE_REPEATED ? ", first at " : ", by ", stdout);
			policy_cli_print_where(policy, kind == POLICY_NOTE_REPEATED ? &n->other
										    : &n->where);
			(void)putchar('\n');
		}
	}
}

static void put_lists(const struct policy *policy)
{
	static const char *const nets[] = { "none", "loopback", "host" };

	for (size_t i = 0; i < policy->n_paths; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		if (spell_path(&text, &policy->paths[i]) == 0)
			put_line(policy, text.data, &policy->paths[i].where);
	}
	(void)printf("net %s\ncap", nets[policy->net]);
	put_caps(policy->caps);
	put_limits(policy);
	put_spelled(policy);
	for (size_t i = 0; i < policy->n_env; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		if (spell_env(&text, &policy->env[i]) == 0)
			put_line(policy, text.data, &policy->env[i].where);
	}
}

static int put_policy(const struct policy *policy, struct err *err)
{
	char hex[HASH_HEX + 1];

	hash_hex(&policy->digest, hex);
	(void)printf("policy %s  # %s\n", policy->name, hex);
	for (size_t i = 0; i < policy->n_sources; i++) {
		(void)fputs("# from ", stdout);
		policy_cli_put_text(policy->sources[i].path);
		(void)putchar('\n');
	}
	(void)printf("kernel %u.%u\nabi ", policy->kernel >> 8, policy->kernel & 0xffU);
	put_abis(policy->abi_mask);
	(void)printf("\nnotify %s\n", policy->notify ? "on" : "off");
	put_lists(policy);
	put_notes(policy);
	return put_calls(policy, err);
}

static int show(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	struct err err = ERR_INIT;
	int r;

	if (policy_cli_load(args, args->what[0], &policy) < 0)
		return POLICY_EXIT_FAILED;
	if (policy_flag(args, "--bpf"))
		r = policy_cli_bpf(policy, &err);
	else if (policy_flag(args, "--json"))
		r = policy_cli_show_json(policy, &err);
	else
		r = put_policy(policy, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return 0;
}

const struct policy_verb policy_verb_show = {
	.name = "show",
	.run = show,
	.min_what = 1,
	.max_what = 1,
	.options = " --bpf --json ",
	.usage = "  show [--bpf|--json] WHAT   what it comes to, call by call\n",
};
