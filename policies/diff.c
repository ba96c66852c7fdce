// SPDX-License-Identifier: Apache-2.0
/* Differences of what can be said once, and of lists; calls, paths and ports have their files. */
#include "policies/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errno_name.h"
#include "base/fd.h"
#include "base/text.h"
#include "policies/consts.h"
#include "policies/diff_entry.h"
#include "policies/label.h"
#include "policies/limit.h"
#include "policies/part.h"
#include "policies/reach.h"

const char *diff_kind_name(enum diff_kind kind)
{
	static const char *const names[] = {
		[DIFF_ABI] = "abi",
		[DIFF_KERNEL] = "kernel",
		[DIFF_DEFAULT] = "default errno",
		[DIFF_NOTIFY] = "notify",
		[DIFF_CALL] = "call",
		[DIFF_PATH] = "path",
		[DIFF_NET] = "net",
		[DIFF_PORT] = "port",
		[DIFF_CAP] = "cap",
		[DIFF_LIMIT] = "limit",
		[DIFF_ENV] = "env",
		[DIFF_LABEL] = "label",
	};

	return names[kind];
}

void diff_done(struct diff *diff)
{
	for (size_t i = 0; i < diff->n; i++) {
		struct diff_entry *e = &diff->entries[i];

		free(e->subject);
		free(e->when);
		free(e->old);
		free(e->new);
		free(e->attempt);
	}
	free(diff->entries);
	*diff = (struct diff){ .n = 0 };
}

struct diff_entry *diff_add(struct differ *d, enum diff_kind kind, const char *subject)
{
	struct diff_entry *e;

	if (list_grow(&d->diff.entries, d->diff.n, sizeof(*d->diff.entries)) < 0)
		return NULL;
	e = &d->diff.entries[d->diff.n];
	*e = (struct diff_entry){ .kind = (uint8_t)kind, .subject = strdup(subject) };
	if (!e->subject)
		return NULL;
	d->diff.n++;
	return e;
}

int diff_say(struct diff_entry *e, const char *old, const char *new)
{
	e->old = strdup(old ? old : "none");
	e->new = strdup(new ? new : "none");
	return e->old && e->new ? 0 : -ENOMEM;
}

static int add_setting(struct differ *d, enum diff_kind kind, const char *subject,
		       enum policy_setting setting, const char *old, const char *new)
{
	struct diff_entry *e = diff_add(d, kind, subject);

	if (!e)
		return -ENOMEM;
	e->old_where = d->old->setting_where[setting];
	e->new_where = d->new->setting_where[setting];
	return diff_say(e, old, new);
}

static bool differs_at(const struct differ *d, struct diff_witness *w, const uint64_t args[6])
{
	memcpy(w->args, args, sizeof(w->args));
	policy_eval(d->old, w->abi, w->call->nr[w->abi], w->args, &w->old);
	policy_eval(d->new, w->abi, w->call->nr[w->abi], w->args, &w->new);
	return w->old.action != w->new.action || w->old.errno_value != w->new.errno_value;
}

/* A call that answers by both defaults, and differently: what the line that says so is for. With
 * rules for a call, values on which none of them holds are looked for among a few. */
static bool find_default(const struct differ *d, enum policy_reason one_of, struct diff_witness *w)
{
	static const uint64_t tries[][6] = {
		{ 0 },
		{ 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a },
		{ 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff },
	};
	unsigned both = d->old->abi_mask & d->new->abi_mask;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		for (size_t i = 0; both >> abi & 1 && i < n; i++) {
			w->abi = (enum abi)abi;
			w->call = &table[i];
			for (size_t k = 0; table[i].nr[abi] >= 0 && k < ARRAY_SIZE(tries); k++) {
				if (differs_at(d, w, tries[k]) && !w->old.rule && !w->new.rule &&
				    (w->old.reason == one_of || w->new.reason == one_of))
					return true;
			}
		}
	}
	w->call = NULL;
	return false;
}

static int diff_kernel(struct differ *d)
{
	struct diff_witness w;
	char old[16], new[16];
	int r;

	/* A line that moves between two kernels with the same calls says nothing. */
	if (d->old->kernel == d->new->kernel || !find_default(d, POLICY_BY_KERNEL, &w))
		return 0;
	(void)snprintf(old, sizeof(old), "%u.%u", d->old->kernel >> 8, d->old->kernel & 0xffU);
	(void)snprintf(new, sizeof(new), "%u.%u", d->new->kernel >> 8, d->new->kernel & 0xffU);
	r = add_setting(d, DIFF_KERNEL, "kernel", POLICY_SETTING_KERNEL, old, new);
	if (r == 0)
		d->diff.entries[d->diff.n - 1].witness = w;
	return r;
}

static int diff_default(struct differ *d)
{
	struct diff_witness w = { .call = NULL };
	char old[24], new[24];
	const char *a = errno_name(d->old->default_errno), *b = errno_name(d->new->default_errno);
	int r;

	if (d->old->default_errno == d->new->default_errno)
		return 0;
	(void)find_default(d, POLICY_BY_DEFAULT, &w);
	(void)snprintf(old, sizeof(old), "%u", d->old->default_errno);
	(void)snprintf(new, sizeof(new), "%u", d->new->default_errno);
	r = add_setting(d, DIFF_DEFAULT, "default errno", POLICY_SETTING_DEFAULT, a ? a : old,
			b ? b : new);
	if (r == 0)
		d->diff.entries[d->diff.n - 1].witness = w;
	return r;
}

/* On an ABI that one does not open, the other's first answer that is not ENOSYS. */
static void find_on_abi(const struct differ *d, enum abi abi, struct diff_witness *w)
{
	static const uint64_t none[6];
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	w->abi = abi;
	for (size_t i = 0; i < n; i++) {
		w->call = &table[i];
		if (table[i].nr[abi] >= 0 && differs_at(d, w, none) &&
		    (w->old.action == POLICY_ALLOW || w->new.action == POLICY_ALLOW))
			return;
	}
	for (size_t i = 0; i < n; i++) {
		w->call = &table[i];
		if (table[i].nr[abi] >= 0 && differs_at(d, w, none))
			return;
	}
	w->call = NULL;
}

static int diff_abis(struct differ *d)
{
	int r = 0;

	for (unsigned abi = 0; abi < _ABI_MAX && r == 0; abi++) {
		bool old = d->old->abi_mask >> abi & 1, new = d->new->abi_mask >> abi & 1;

		if (old == new)
			continue;
		r = add_setting(d, DIFF_ABI, abi_name((enum abi)abi), POLICY_SETTING_ABI,
				old ? "open" : "closed", new ? "open" : "closed");
		if (r == 0)
			find_on_abi(d, (enum abi)abi, &d->diff.entries[d->diff.n - 1].witness);
	}
	return r;
}

static int diff_net(struct differ *d)
{
	static const char *const names[] = { "none", "loopback", "host" };
	bool host = d->old->net == POLICY_NET_HOST || d->new->net == POLICY_NET_HOST;
	int r;

	if (d->old->net == d->new->net)
		return 0;
	r = add_setting(d, DIFF_NET, "net", POLICY_SETTING_NET, names[d->old->net],
			names[d->new->net]);
	if (r < 0)
		return r;
	d->diff.entries[d->diff.n - 1].attempt = strdup(host ? "connect(3, \"tcp:192.0.2.1:80\")"
							     : "connect(3, \"tcp:127.0.0.1:80\")");
	return d->diff.entries[d->diff.n - 1].attempt ? 0 : -ENOMEM;
}

static void name_cap(unsigned bit, char *ret, size_t size)
{
	const char *name;

	(void)snprintf(ret, size, "capability %u", bit);
	for (size_t i = 0; (name = consts_name(i)) != NULL; i++) {
		uint64_t value;
		bool negative;

		if (text_starts_with(name, "CAP_") && consts_find(name, &value, &negative) == 0 &&
		    value == bit) {
			(void)snprintf(ret, size, "%s", name);
			return;
		}
	}
}

static int diff_caps(struct differ *d)
{
	uint64_t changed = d->old->caps ^ d->new->caps;
	int r = 0;

	for (unsigned bit = 0; bit < 64 && r == 0; bit++) {
		char name[LIMIT_NAME];

		if (!(changed >> bit & 1))
			continue;
		name_cap(bit, name, sizeof(name));
		r = add_setting(d, DIFF_CAP, name, POLICY_SETTING_CAP,
				d->old->caps >> bit & 1 ? "kept" : "dropped",
				d->new->caps >> bit & 1 ? "kept" : "dropped");
	}
	return r;
}

static bool same_limit(const struct policy *old, const struct policy *new, unsigned i)
{
	if (old->has_limit[i] != new->has_limit[i] || !old->has_limit[i])
		return old->has_limit[i] == new->has_limit[i];
	return old->limit[i] == new->limit[i] &&
	       (i != POLICY_LIMIT_CPUSET || cpus_equal(&old->cpuset, &new->cpuset));
}

/* NULL: it has none. */
static const char *put_limit(const struct policy *policy, unsigned i, char ret[CPUS_TEXT])
{
	return policy->has_limit[i]
		       ? limit_text((enum policy_limit)i, policy->limit[i], &policy->cpuset, ret)
		       : NULL;
}

static int diff_limits(struct differ *d)
{
	int r = 0;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX && r == 0; i++) {
		char old[CPUS_TEXT], new[CPUS_TEXT];
		struct diff_entry *e;

		if (same_limit(d->old, d->new, i))
			continue;
		e = diff_add(d, DIFF_LIMIT, scalar_name(SCALAR_LIMIT + i));
		if (!e)
			return -ENOMEM;
		e->old_where = d->old->limit_where[i];
		e->new_where = d->new->limit_where[i];
		r = diff_say(e, put_limit(d->old, i, old), put_limit(d->new, i, new));
	}
	return r;
}

static const struct policy_env *find_env(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_env; i++) {
		if (strcmp(policy->env[i].name, name) == 0)
			return &policy->env[i];
	}
	return NULL;
}

static int say_env(struct differ *d, const struct policy_env *old, const struct policy_env *new)
{
	struct diff_entry *e = diff_add(d, DIFF_ENV, old ? old->name : new->name);

	if (!e)
		return -ENOMEM;
	if (old)
		e->old_where = old->where;
	if (new)
		e->new_where = new->where;
	return diff_say(e, old ? old->value ? old->value : "passed on" : NULL,
			new ? new->value ? new->value : "passed on" : NULL);
}

static int diff_env(struct differ *d)
{
	int r = 0;

	for (size_t i = 0; i < d->old->n_env && r == 0; i++) {
		const struct policy_env *old = &d->old->env[i];
		const struct policy_env *new = find_env(d->new, old->name);

		if (!new || !old->value != !new->value ||
		    (old->value && strcmp(old->value, new->value) != 0))
			r = say_env(d, old, new);
	}
	for (size_t i = 0; i < d->new->n_env &&r == 0; i++) {
		if (!find_env(d->old, d->new->env[i].name))
			r = say_env(d, NULL, &d->new->env[i]);
	}
	return r;
}

static const char *label_of(const struct policy *policy, enum policy_lsm lsm)
{
	const char *text = policy->labels[lsm].text;

	return text ? text : "none";
}

static int diff_labels(struct differ *d)
{
	int r = 0;

	for (unsigned i = 0; i < _POLICY_LSM_MAX && r == 0; i++) {
		const enum policy_lsm lsm = (enum policy_lsm)i;
		struct diff_entry *e;

		if (strcmp(label_of(d->old, lsm), label_of(d->new, lsm)) == 0)
			continue;
		e = diff_add(d, DIFF_LABEL, label_lsm_name(lsm));
		if (!e)
			return -ENOMEM;
		e->old_where = d->old->labels[i].where;
		e->new_where = d->new->labels[i].where;
		r = diff_say(e, label_of(d->old, lsm), label_of(d->new, lsm));
	}
	return r;
}

static int compare_where(struct policy_where a, struct policy_where b)
{
	int r = (int)a.source - (int)b.source;

	return r ? r : (a.line > b.line) - (a.line < b.line);
}

static int compare_places(const struct diff_entry *a, const struct diff_entry *b)
{
	int r = compare_where(a->old_where, b->old_where);

	return r ? r : compare_where(a->new_where, b->new_where);
}

static int compare_entry(const void *pa, const void *pb)
{
	const struct diff_entry *a = pa, *b = pb;
	int r = (int)a->kind - (int)b->kind;

	/* variables by the lines that name them, to be shown together */
	if (r == 0 && a->kind == DIFF_ENV)
		r = compare_places(a, b);
	r = r ? r : strcmp(a->subject, b->subject);
	r = r ? r : compare_places(a, b);
	return r ? r : strcmp(a->when ? a->when : "", b->when ? b->when : "");
}

int diff_make(const struct policy *old, const struct policy *new, struct diff *ret, struct err *err)
{
	static int (*const parts[])(struct differ *) = {
		diff_abis,  diff_kernel, diff_default, diff_calls, diff_paths,	diff_net,
		diff_ports, diff_caps,	 diff_limits,  diff_env,   diff_labels,
	};
	struct differ d = { .old = old, .new = new, .budget = REACH_BUDGET };
	int r = 0;

	if (old->native != new->native)
		return err_refuse(err, "compare policies for %s and %s",
				  abi_name((enum abi)old->native),
				  abi_name((enum abi) new->native));
	if (old->notify != new->notify)
		r = add_setting(&d, DIFF_NOTIFY, "notify", POLICY_SETTING_NOTIFY,
				old->notify ? "on" : "off", new->notify ? "on" : "off");
	for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
		r = parts[i](&d);
	if (r < 0) {
		diff_done(&d.diff);
		return err_set(err, r, "compare the policies '%s' and '%s'", old->name, new->name);
	}
	if (d.diff.n > 0)
		qsort(d.diff.entries, d.diff.n, sizeof(*d.diff.entries), compare_entry);
	*ret = d.diff;
	return 0;
}
