// SPDX-License-Identifier: Apache-2.0
/*
 * Of a call's rules those that kill, deny and allow are made to exclude each other, since
 * libseccomp does not say which of two holds; a call with one answer is one entry without
 * arguments.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "policies/cond.h"
#include "policies/export.h"
#include "policies/export_args.h"

void export_result_done(struct export_result *result)
{
	buf_done(&result->text);
	buf_done(&result->notes);
}

/* What one call gets: a part of what it can be asked, and the answer. */
struct answer {
	uint8_t action;
	uint16_t errno_value;
	const struct policy_rule *rule; /* NULL: no line says so */
	struct import_dnf when;
};

struct call_answers {
	const struct syscall_desc *call;
	struct answer *list; /* they exclude each other; what none holds is the default's */
	size_t n;
};

struct exporter {
	const struct policy *policy;
	struct export_result *result;
	struct json json;
	bool no_memory;
};

static void check(struct exporter *x, int r)
{
	if (r < 0)
		x->no_memory = true;
}

/* --- notes --- */

__attribute__((format(printf, 4, 5))) static void
note(struct exporter *x, const struct policy_where *where, const char *kind, const char *fmt, ...)
{
	struct buf *to = &x->result->notes;
	_cleanup_free_ char *text = NULL;
	const char *path = x->policy->name;
	va_list args;
	int n;

	if (where && where->line && where->source < x->policy->n_sources)
		path = x->policy->sources[where->source].path;
	check(x, text_escape(to, path, strlen(path)));
	if (where && where->line)
		check(x, buf_printf(to, ":%u", where->line));
	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		x->no_memory = true;
		return;
	}
	check(x, buf_printf(to, ": %s: %s\n", kind, text));
	if (strcmp(kind, "error") == 0)
		x->result->n_errors++;
	else
		x->result->n_warnings++;
}

static void failed(struct exporter *x, const struct policy_rule *rule, int r)
{
	if (r == -E2BIG)
		note(x, rule ? &rule->where : NULL, "error",
		     "%s: libseccomp would need more than %d rules for it",
		     rule ? rule->call->name : "a call", LIMIT_IMPORT_TERMS);
	else if (r < 0)
		x->no_memory = true;
}

/* --- one rule's conditions --- */

static int from_cond(const struct syscall_desc *call, const struct policy_cond *c,
		     struct import_dnf *ret)
{
	uint64_t max = dnf_key_max(call, c->arg);
	uint64_t key = (c->value & max) ^ dnf_key_turn(call, c->arg);
	struct import_range range = { key, key };
	_cleanup_dnf_ struct import_dnf is = { .call = NULL };
	bool never = false;
	int r;

	switch ((enum policy_op)c->op) {
	case POLICY_EQ:
		break;
	case POLICY_NE:
		r = dnf_from_range(call, c->arg, range, &is);
		return r ? r : dnf_not(&is, ret);
	case POLICY_LT:
		never = key == 0;
		range = (struct import_range){ 0, key - 1 };
		break;
	case POLICY_LE:
		range.low = 0;
		break;
	case POLICY_GT:
		never = key == max;
		range = (struct import_range){ key + 1, max };
		break;
	case POLICY_GE:
		range.high = max;
		break;
	case POLICY_MASKED_EQ:
		/* bits beyond the mask are never equal; libseccomp would not look at them */
		never = (c->value & ~c->mask & max) != 0;
		if (never && c->negate)
			return dnf_always(call, ret);
		if (never)
			break;
		if ((c->mask & max) == 0) {
			never = c->negate;
			range = (struct import_range){ 0, max };
			break;
		}
		return dnf_from_mask(
			call,
			(struct import_mask){ c->arg, c->negate, c->mask & max, c->value & max },
			ret);
	}
	if (!never)
		return dnf_from_range(call, c->arg, range, ret);
	*ret = (struct import_dnf){ .call = call };
	return 0;
}

static int from_rule(const struct policy_rule *rule, struct import_dnf *ret)
{
	struct import_dnf sum;
	int r = dnf_always(rule->call, &sum);

	for (unsigned i = 0; r == 0 && i < rule->n_conds; i++) {
		_cleanup_dnf_ struct import_dnf one = { .call = NULL };
		struct import_dnf next = { .call = rule->call };

		r = from_cond(rule->call, &rule->conds[i], &one);
		r = r ? r : dnf_and(&sum, &one, &next);
		dnf_done(&sum);
		sum = next;
	}
	if (r < 0)
		dnf_done(&sum);
	else
		*ret = sum;
	return r;
}

/* --- one call --- */

static void answers_done(struct call_answers *a)
{
	for (size_t i = 0; i < a->n; i++)
		dnf_done(&a->list[i].when);
	free(a->list);
}

static int rank(uint8_t action)
{
	return action == POLICY_KILL ? 0 : action == POLICY_DENY ? 1 : 2;
}

/* The order in which they are asked (policies/model.h). */
static int by_rank(const void *pa, const void *pb)
{
	const struct policy_rule *a = *(const struct policy_rule *const *)pa;
	const struct policy_rule *b = *(const struct policy_rule *const *)pb;
	int order = rank(a->action) - rank(b->action);

	return order ? order : cond_rank(a, b);
}

/* when without what the answers before have; joined with one that says the same. */
static int add_answer(struct call_answers *a, const struct policy_rule *rule, uint8_t action,
		      uint16_t errno_value, const struct import_dnf *when)
{
	struct import_dnf rest;
	int r = dnf_copy(when, &rest);

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		_cleanup_dnf_ struct import_dnf no = { .call = NULL };
		struct import_dnf cut = { .call = NULL };

		if (a->list[i].action == action && a->list[i].errno_value == errno_value)
			continue;
		r = dnf_not(&a->list[i].when, &no);
		r = r ? r : dnf_and(&rest, &no, &cut);
		dnf_done(&rest);
		rest = cut;
	}
	for (size_t i = 0; r == 0 && i < a->n; i++) {
		struct import_dnf sum = { .call = NULL };

		if (a->list[i].action != action || a->list[i].errno_value != errno_value)
			continue;
		r = dnf_or(&a->list[i].when, &rest, &sum);
		dnf_done(&rest);
		if (r == 0) {
			dnf_done(&a->list[i].when);
			a->list[i].when = sum;
		}
		return r;
	}
	if (r == 0) {
		struct answer *list = reallocarray(a->list, a->n + 1, sizeof(*list));

		r = list ? 0 : -ENOMEM;
		a->list = list ? list : a->list;
	}
	if (r < 0) {
		dnf_done(&rest);
		return r;
	}
	a->list[a->n++] = (struct answer){ action, errno_value, rule, rest };
	return 0;
}

static int make_answers(struct exporter *x, const struct policy_rule **rules, size_t n,
			struct call_answers *ret)
{
	qsort(rules, n, sizeof(struct policy_rule *), by_rank);
	for (size_t i = 0; i < n; i++) {
		_cleanup_dnf_ struct import_dnf when = { .call = NULL };
		uint16_t errno_value = rules[i]->action == POLICY_DENY ? rules[i]->errno_value : 0;
		int r = from_rule(rules[i], &when);

		r = r ? r : add_answer(ret, rules[i], rules[i]->action, errno_value, &when);
		if (r < 0) {
			failed(x, rules[i], r);
			return r;
		}
	}
	return 0;
}

/* --- what libseccomp would make of it on 32-bit ABIs --- */

/* It compares the lower half there: right on i386 when the upper one is to be 0, never on x32,
 * where the kernel reads all of it. */
static bool fits_32(const struct exporter *x, const struct syscall_desc *call,
		    const struct export_rule *rule)
{
	for (unsigned i = 0; i < rule->n; i++) {
		const struct export_arg *a = &rule->args[i];

		if (dnf_key_max(call, a->arg) == UINT32_MAX)
			continue;
		if (x->policy->abi_mask & 1U << ABI_X32 && call->nr[ABI_X32] >= 0)
			return false;
		if (x->policy->abi_mask & 1U << ABI_I386 && call->nr[ABI_I386] >= 0 &&
		    a->value > UINT32_MAX)
			return false;
	}
	return true;
}

/* A line that speaks of some of the open ABIs: the format has no such thing. */
static bool same_on_all(struct exporter *x, const struct policy_rule *rule)
{
	uint8_t there = 0;

	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (x->policy->abi_mask >> a & 1 && rule->call->nr[a] >= 0)
			there |= (uint8_t)(1U << a);
	}
	if ((there & ~rule->abi_mask) == 0)
		return true;
	note(x, &rule->where, "error", "%s: a profile has no entries for one ABI alone",
	     rule->call->name);
	return false;
}

/* --- writing --- */

static void put_answer(struct exporter *x, const struct answer *a)
{
	static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",
					       "SCMP_ACT_KILL_PROCESS" };

	json_string(&x->json, "action", actions[a->action]);
	if (a->action == POLICY_DENY)
		json_u64(&x->json, "errnoRet", a->errno_value);
}

static void put_args(struct exporter *x, const struct export_rule *rule)
{
	json_array(&x->json, "args");
	for (unsigned i = 0; i < rule->n; i++) {
		const struct export_arg *a = &rule->args[i];

		json_object(&x->json, NULL);
		json_u64(&x->json, "index", a->arg);
		json_u64(&x->json, "value", a->mask);
		json_u64(&x->json, "valueTwo", a->value);
		json_string(&x->json, "op", "SCMP_CMP_MASKED_EQ");
		json_object_end(&x->json);
	}
	json_array_end(&x->json);
}

static void put_conditional(struct exporter *x, const struct syscall_desc *call,
			    const struct answer *a)
{
	struct export_rules rules;
	int r = export_args(&a->when, &rules);

	failed(x, a->rule, r);
	for (size_t i = 0; r == 0 && i < rules.n; i++) {
		if (rules.list[i].n > 1 && rules.n > LIMIT_EXPORT_WIDE) {
			note(x, a->rule ? &a->rule->where : NULL, "error",
			     "%s: libseccomp does not get through more than %d rules on several "
			     "arguments",
			     call->name, LIMIT_EXPORT_WIDE);
			break;
		}
		if (!fits_32(x, call, &rules.list[i])) {
			note(x, a->rule ? &a->rule->where : NULL, "error",
			     "%s: libseccomp compares the lower 32 bits only on i386 and x32",
			     call->name);
			break;
		}
		json_object(&x->json, NULL);
		json_array(&x->json, "names");
		json_string(&x->json, NULL, call->name);
		json_array_end(&x->json);
		put_answer(x, a);
		put_args(x, &rules.list[i]);
		json_object_end(&x->json);
	}
	if (r == 0)
		export_rules_done(&rules);
}

static bool is_default(const struct exporter *x, const struct answer *a)
{
	return a->action == POLICY_DENY && a->errno_value == x->policy->default_errno;
}

static bool says(const struct call_answers *c, const struct answer *a)
{
	return c->n == 1 && dnf_is_always(&c->list[0].when) && c->list[0].action == a->action &&
	       c->list[0].errno_value == a->errno_value;
}

/* Calls that have one answer, those with the same in one entry. */
static void put_whole(struct exporter *x, const struct call_answers *calls, size_t n)
{
	_cleanup_free_ bool *done = calloc(n + 1, sizeof(*done));

	if (!done) {
		x->no_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct answer *a = calls[i].list;

		if (done[i] || calls[i].n != 1 || !dnf_is_always(&a->when) || is_default(x, a))
			continue;
		json_object(&x->json, NULL);
		json_array(&x->json, "names");
		for (size_t k = i; k < n; k++) {
			if (!says(&calls[k], a))
				continue;
			done[k] = true;
			json_string(&x->json, NULL, calls[k].call->name);
		}
		json_array_end(&x->json);
		put_answer(x, a);
		json_object_end(&x->json);
	}
}

static void put_archs(struct exporter *x)
{
	static const char *const names[_ABI_MAX] = {
		[ABI_X86_64] = "SCMP_ARCH_X86_64",
		[ABI_AARCH64] = "SCMP_ARCH_AARCH64",
		[ABI_I386] = "SCMP_ARCH_X86",
		[ABI_X32] = "SCMP_ARCH_X32",
	};

	json_array(&x->json, "architectures");
	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (x->policy->abi_mask >> a & 1)
			json_string(&x->json, NULL, names[a]);
	}
	json_array_end(&x->json);
}

static void put_profile(struct exporter *x, const struct call_answers *calls, size_t n)
{
	json_object(&x->json, NULL);
	json_string(&x->json, "defaultAction", "SCMP_ACT_ERRNO");
	json_u64(&x->json, "defaultErrnoRet", x->policy->default_errno);
	put_archs(x);
	json_array(&x->json, "syscalls");
	put_whole(x, calls, n);
	for (size_t i = 0; i < n; i++) {
		if (calls[i].n == 1 && dnf_is_always(&calls[i].list[0].when))
			continue;
		for (size_t k = 0; k < calls[i].n; k++) {
			if (!is_default(x, &calls[i].list[k]))
				put_conditional(x, calls[i].call, &calls[i].list[k]);
		}
	}
	json_array_end(&x->json);
	json_object_end(&x->json);
}

/* --- the policy --- */

/* What no line decides of a call, where that is not what the default says. */
static void add_unsaid(struct exporter *x, struct call_answers *c)
{
	_cleanup_dnf_ struct import_dnf all = { .call = NULL };
	uint16_t errno_value = ENOSYS;
	bool i386 = x->policy->abi_mask & 1U << ABI_I386 && c->call->nr[ABI_I386] >= 0;
	bool multiplexer = i386 && (strcmp(c->call->name, "socketcall") == 0 ||
				    strcmp(c->call->name, "ipc") == 0);
	bool newer = c->n == 0 && c->call->since > x->policy->kernel;
	int r;

	if (multiplexer && c->n > 0 && !dnf_is_always(&c->list[0].when)) {
		note(x, &c->list[0].rule->where, "error",
		     "%s: libseccomp adds operations of its own to it, so it cannot have "
		     "conditions",
		     c->call->name);
		return;
	}
	/* Else it would let each allowed socket call through there, without its conditions. An
	 * entry that says what the default says is dropped by runc: the error must differ. */
	multiplexer = multiplexer && (c->n == 0 || is_default(x, &c->list[0]));
	if (!newer && !multiplexer)
		return;
	if (multiplexer && x->policy->default_errno == ENOSYS)
		errno_value = EPERM;
	if (multiplexer)
		note(x, c->n ? &c->list[0].rule->where : NULL, "warning",
		     "%s is denied with %s, so that libseccomp does not open it for others",
		     c->call->name, strerrorname_np(errno_value));
	answers_done(c);
	*c = (struct call_answers){ .call = c->call };
	r = dnf_always(c->call, &all);
	failed(x, NULL, r ? r : add_answer(c, NULL, POLICY_DENY, errno_value, &all));
}

static bool is_open(const struct exporter *x, const struct syscall_desc *call)
{
	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (x->policy->abi_mask >> a & 1 && call->nr[a] >= 0)
			return true;
	}
	return false;
}

static void warn_of_the_rest(struct exporter *x)
{
	const struct policy *p = x->policy;
	size_t quiet = 0;

	for (size_t i = 0; i < p->n_rules; i++)
		quiet += p->rules[i].quiet;
	note(x, NULL, "warning", "other numbers and ABIs get the runtime's answer, not ENOSYS");
	if (p->n_paths || p->n_ports || p->net != POLICY_NET_HOST)
		note(x, NULL, "warning",
		     "files, the network and ports are not in a seccomp profile");
	if (quiet)
		note(x, NULL, "warning", "nothing is recorded, so quiet has no meaning");
}

static void read_calls(struct exporter *x, struct call_answers *calls, size_t *ret_n)
{
	size_t n_table, at = 0, n = 0;
	const struct syscall_desc *table = syscall_table(&n_table);

	for (size_t c = 0; c < n_table && !x->no_memory; c++) {
		const struct policy_rule *rules[LIMIT_IMPORT_TERMS];
		size_t count = 0;
		bool said = false;

		calls[n] = (struct call_answers){ .call = &table[c] };
		for (; at < x->policy->n_rules && x->policy->rules[at].call == &table[c]; at++) {
			const struct policy_rule *rule = &x->policy->rules[at];

			if (!is_open(x, &table[c]) || said || !same_on_all(x, rule)) {
				said = true;
			} else if (count == ARRAY_SIZE(rules)) {
				failed(x, rule, -E2BIG);
				said = true;
			} else {
				rules[count++] = rule;
			}
		}
		if (!is_open(x, &table[c]) || said)
			continue;
		if (make_answers(x, rules, count, &calls[n]) == 0)
			add_unsaid(x, &calls[n]);
		n++;
	}
	*ret_n = n;
}

int export_oci(const struct policy *policy, struct export_result *ret, struct err *err)
{
	enum { TEXT_MAX = 4 << 20 };
	struct exporter x = { .policy = policy, .result = ret };
	_cleanup_free_ struct call_answers *calls = NULL;
	_cleanup_free_ char *block = malloc(TEXT_MAX);
	size_t n_table, n = 0, len;

	(void)syscall_table(&n_table);
	calls = calloc(n_table + 1, sizeof(*calls));
	if (!calls || !block)
		return err_set(err, -ENOMEM, "export '%s'", policy->name);
	warn_of_the_rest(&x);
	read_calls(&x, calls, &n);
	json_init(&x.json, block, TEXT_MAX);
	if (ret->n_errors == 0 && !x.no_memory)
		put_profile(&x, calls, n);
	for (size_t i = 0; i < n; i++)
		answers_done(&calls[i]);
	len = json_finish(&x.json);
	if (ret->n_errors == 0 && !x.no_memory && len == 0)
		note(&x, NULL, "error", "the profile comes to more than %d bytes", TEXT_MAX);
	if (ret->n_errors > 0)
		return -EBADMSG;
	check(&x, buf_put(&ret->text, block, len));
	check(&x, buf_puts(&ret->text, "\n"));
	return x.no_memory ? err_set(err, -ENOMEM, "export '%s'", policy->name) : 0;
}
