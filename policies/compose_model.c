// SPDX-License-Identifier: Apache-2.0
/* The end of composition: what the root file came to, as the model holds it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/composer.h"
#include "policies/note.h"

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct policy_path *)a)->path, ((const struct policy_path *)b)->path);
}

static int compare_env(const void *a, const void *b)
{
	return strcmp(((const struct policy_env *)a)->name, ((const struct policy_env *)b)->name);
}

static int compare_expects(const void *a, const void *b)
{
	return where_compare(((const struct policy_expect *)a)->where,
			     ((const struct policy_expect *)b)->where);
}

static int copy_expect(struct policy_expect *to, const struct policy_expect *from)
{
	*to = *from;
	memset(to->text, 0, sizeof(to->text));
	to->path = from->path ? strdup(from->path) : NULL;
	if (from->path && !to->path)
		return -ENOMEM;
	for (unsigned i = 0; i < 6; i++) {
		if (!from->text[i])
			continue;
		to->text[i] = strdup(from->text[i]);
		if (!to->text[i])
			return -ENOMEM;
	}
	return 0;
}

static int copy_texts(struct policy *policy, const struct merged *m)
{
	for (; policy->n_paths < m->n_paths; policy->n_paths++) {
		struct policy_path *to = &policy->paths[policy->n_paths];

		*to = *m->paths[policy->n_paths];
		to->path = strdup(to->path);
		if (!to->path)
			return -ENOMEM;
	}
	for (; policy->n_env < m->n_env; policy->n_env++) {
		const struct policy_env *from = m->env[policy->n_env];
		struct policy_env *to = &policy->env[policy->n_env];

		*to = (struct policy_env){ .name = strdup(from->name), .where = from->where };
		to->value = from->value ? strdup(from->value) : NULL;
		if (!to->name || (from->value && !to->value)) {
			policy->n_env++; /* what is half there is freed */
			return -ENOMEM;
		}
	}
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		if (!m->labels[i])
			continue;
		policy->labels[i].where = m->labels[i]->where;
		policy->labels[i].text = strdup(m->labels[i]->text);
		if (!policy->labels[i].text)
			return -ENOMEM;
	}
	for (; policy->n_expects < m->n_expects; policy->n_expects++) {
		if (copy_expect(&policy->expects[policy->n_expects],
				m->expects[policy->n_expects]) < 0) {
			policy->n_expects++;
			return -ENOMEM;
		}
	}
	return 0;
}

/* Rules that cannot be on an ABI matter where the policy opens it. */
static int copy_rules(struct composer *c, const struct merged *m)
{
	struct policy *policy = c->policy;
	int r = 0;

	for (size_t i = 0; i < m->n_rules; i++) {
		const struct part_rule *from = m->rules[i];

		if (from->implied && !(from->rule.abi_mask & policy->abi_mask))
			continue;
		if (!from->refused) {
			policy->rules[policy->n_rules++] = from->rule;
		} else if (from->rule.abi_mask & policy->abi_mask) {
			part_refuse(c->d, from, (enum abi)__builtin_ctz(from->rule.abi_mask));
			r = -EBADMSG;
		}
	}
	return r;
}

static int copy_lists(struct composer *c, const struct merged *m)
{
	struct policy *policy = c->policy;
	int r;

	policy->rules = calloc(m->n_rules + PORT_RULES, sizeof(*policy->rules));
	policy->paths = calloc(m->n_paths + 1, sizeof(*policy->paths));
	policy->env = calloc(m->n_env + 1, sizeof(*policy->env));
	policy->expects = calloc(m->n_expects + 1, sizeof(*policy->expects));
	if (!policy->rules || !policy->paths || !policy->env || !policy->expects)
		return -ENOMEM;
	r = copy_texts(policy, m);
	if (r < 0)
		return r;
	qsort(policy->paths, policy->n_paths, sizeof(*policy->paths), compare_paths);
	qsort(policy->env, policy->n_env, sizeof(*policy->env), compare_env);
	qsort(policy->expects, policy->n_expects, sizeof(*policy->expects), compare_expects);
	return copy_rules(c, m);
}

static uint64_t scalar_or(const struct merged *m, unsigned kind, uint64_t otherwise)
{
	return m->scalars[kind].set ? m->scalars[kind].value : otherwise;
}

static void copy_scalars(struct policy *policy, const struct merged *m, enum abi native)
{
	static const unsigned settings[_POLICY_SETTING_MAX] = {
		[POLICY_SETTING_KERNEL] = SCALAR_KERNEL, [POLICY_SETTING_ABI] = SCALAR_ABI,
		[POLICY_SETTING_NET] = SCALAR_NET,	 [POLICY_SETTING_CAP] = SCALAR_CAP,
		[POLICY_SETTING_NOTIFY] = SCALAR_NOTIFY, [POLICY_SETTING_DEFAULT] = SCALAR_DEFAULT,
	};

	policy->native = (uint8_t)native;
	policy->default_errno = (uint16_t)scalar_or(m, SCALAR_DEFAULT, EPERM);
	policy->kernel = (uint16_t)scalar_or(m, SCALAR_KERNEL, SYSCALL_NEWEST);
	policy->abi_mask = (uint8_t)scalar_or(m, SCALAR_ABI, 1U << native);
	policy->net = (uint8_t)scalar_or(m, SCALAR_NET, POLICY_NET_NONE);
	policy->caps = scalar_or(m, SCALAR_CAP, 0);
	policy->notify = scalar_or(m, SCALAR_NOTIFY, 1) != 0;
	for (unsigned i = 0; i < _POLICY_SETTING_MAX; i++)
		policy->setting_where[i] = m->scalars[settings[i]].where;
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		const struct scalar *s = &m->scalars[SCALAR_LIMIT + i];

		if (!s->set || s->value == SCALAR_NONE)
			continue;
		policy->has_limit[i] = true;
		policy->limit[i] = s->value;
		if (i == POLICY_LIMIT_CPUSET)
			policy->cpuset = s->cpus;
		policy->limit_where[i] = s->where;
	}
}

int compose_model(struct composer *c, const struct merged *m, enum abi native)
{
	int r;

	copy_scalars(c->policy, m, native);
	r = copy_lists(c, m);
	return r ? r : compose_ports(c, m);
}
