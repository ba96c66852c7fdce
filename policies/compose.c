// SPDX-License-Identifier: Apache-2.0
#include "policies/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a unit means with everything it uses. Pointers lead into the units' parts, so that a
 * policy used on two ways is the same pointer twice. */
struct merged {
	struct scalar scalars[_SCALAR_MAX];
	const struct policy_rule **rules;
	size_t n_rules;
	const struct policy_path **paths;
	size_t n_paths;
	const struct policy_env **env;
	size_t n_env;
	const struct policy_expect **expects;
	size_t n_expects;
};

static void merged_done(struct merged *m)
{
	free(m->rules);
	free(m->paths);
	free(m->env);
	free(m->expects);
}

struct composer {
	const struct unit *units;
	struct merged *merged; /* by unit */
	struct diag *d;
};

/* Add item to a list of pointers. */
#define LIST_ADD(list, n, item)                                                                    \
	({                                                                                         \
		int _r = list_grow(&(list), (n), sizeof(*(list)));                                 \
		if (_r == 0)                                                                       \
			(list)[(n)++] = (item);                                                    \
		_r;                                                                                \
	})

static int clash(struct composer *c, const struct part_use *use, const char *what,
		 struct policy_where a, struct policy_where b)
{
	diag_error(c->d, use->where, "%s is one thing in %s and another in %s", what,
		   diag_place(c->d, a).text, diag_place(c->d, b).text);
	diag_hint(c->d, "say it in this file, then this file decides");
	return -EBADMSG;
}

static bool same_path(const struct policy_path *a, const struct policy_path *b)
{
	return a->verb == b->verb && a->optional == b->optional;
}

static bool same_env(const struct policy_env *a, const struct policy_env *b)
{
	return a->value && b->value ? strcmp(a->value, b->value) == 0 : a->value == b->value;
}

static const struct policy_path *find_path(const struct policy_path *const *list, size_t n,
					   const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i]->path, path) == 0)
			return list[i];
	}
	return NULL;
}

static const struct policy_env *find_env(const struct policy_env *const *list, size_t n,
					 const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i]->name, name) == 0)
			return list[i];
	}
	return NULL;
}

static bool part_has_path(const struct part *part, const char *path)
{
	for (size_t i = 0; i < part->n_paths; i++) {
		if (strcmp(part->paths[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool part_has_env(const struct part *part, const char *name)
{
	for (size_t i = 0; i < part->n_env; i++) {
		if (strcmp(part->env[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Whether the user takes the thing out anyway: then it is no use to complain about it. */
static bool part_removes(const struct part *part, enum remove_what what, const char *text)
{
	for (size_t i = 0; i < part->n_removes; i++) {
		if (part->removes[i].what == what && strcmp(part->removes[i].text, text) == 0)
			return true;
	}
	return false;
}

static int take_scalars(struct composer *c, const struct part *user, const struct part_use *use,
			struct merged *into, const struct merged *from)
{
	int r = 0;

	for (unsigned k = 0; k < _SCALAR_MAX; k++) {
		const struct scalar *f = &from->scalars[k];
		struct scalar *t = &into->scalars[k];

		if (!f->set || user->scalars[k].set)
			continue;
		if (!t->set)
			*t = *f;
		else if (t->value != f->value)
			r = clash(c, use, scalar_name(k), t->where, f->where);
	}
	return r;
}

static int take_paths(struct composer *c, const struct part *user, const struct part_use *use,
		      struct merged *into, const struct merged *from)
{
	int r = 0;

	for (size_t i = 0; i < from->n_paths; i++) {
		const struct policy_path *path = from->paths[i];
		const struct policy_path *old = find_path(into->paths, into->n_paths, path->path);

		if (part_has_path(user, path->path))
			continue;
		if (!old) {
			if (LIST_ADD(into->paths, into->n_paths, path) < 0)
				return -ENOMEM;
		} else if (!same_path(old, path) && !part_removes(user, REMOVE_PATH, path->path)) {
			r = clash(c, use, quote(path->path).text, old->where, path->where);
		}
	}
	return r;
}

static int take_env(struct composer *c, const struct part *user, const struct part_use *use,
		    struct merged *into, const struct merged *from)
{
	int r = 0;

	for (size_t i = 0; i < from->n_env; i++) {
		const struct policy_env *env = from->env[i];
		const struct policy_env *old = find_env(into->env, into->n_env, env->name);

		if (part_has_env(user, env->name))
			continue;
		if (!old) {
			if (LIST_ADD(into->env, into->n_env, env) < 0)
				return -ENOMEM;
		} else if (!same_env(old, env) && !part_removes(user, REMOVE_ENV, env->name)) {
			r = clash(c, use, quote(env->name).text, old->where, env->where);
		}
	}
	return r;
}

static int take_lists(struct composer *c, const struct part_use *use, struct merged *into,
		      const struct merged *from)
{
	for (size_t i = 0; i < from->n_rules; i++) {
		if (into->n_rules == LIMIT_POLICY_RULES) {
			diag_error(c->d, use->where, "more than %d rules together",
				   LIMIT_POLICY_RULES);
			return -EBADMSG;
		}
		if (LIST_ADD(into->rules, into->n_rules, from->rules[i]) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->n_expects; i++) {
		if (LIST_ADD(into->expects, into->n_expects, from->expects[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int compare_pointers(const void *a, const void *b)
{
	const void *const *pa = a, *const *pb = b;

	return *pa < *pb ? -1 : *pa > *pb;
}

/* Drop the second of two equal pointers. */
static size_t unique(void *list, size_t n)
{
	void **p = list;
	size_t out = 0;

	if (n)
		qsort(p, n, sizeof(*p), compare_pointers);
	for (size_t i = 0; i < n; i++) {
		if (out == 0 || p[out - 1] != p[i])
			p[out++] = p[i];
	}
	return out;
}

/* --- remove --- */

static bool remove_rules(struct merged *m, const struct part_remove *what)
{
	size_t out = 0, before = m->n_rules;

	for (size_t i = 0; i < m->n_rules; i++) {
		if (m->rules[i]->call != what->call || m->rules[i]->action != what->verb)
			m->rules[out++] = m->rules[i];
	}
	m->n_rules = out;
	return out != before;
}

static bool remove_expects(struct merged *m, const struct part_remove *what)
{
	size_t out = 0, before = m->n_expects;

	for (size_t i = 0; i < m->n_expects; i++) {
		if (m->expects[i]->call != what->call || m->expects[i]->action != what->verb)
			m->expects[out++] = m->expects[i];
	}
	m->n_expects = out;
	return out != before;
}

static bool remove_path(struct merged *m, const struct part_remove *what)
{
	size_t out = 0, before = m->n_paths;

	for (size_t i = 0; i < m->n_paths; i++) {
		if (m->paths[i]->verb != what->verb || strcmp(m->paths[i]->path, what->text) != 0)
			m->paths[out++] = m->paths[i];
	}
	m->n_paths = out;
	return out != before;
}

static bool remove_env(struct merged *m, const struct part_remove *what)
{
	size_t out = 0, before = m->n_env;

	for (size_t i = 0; i < m->n_env; i++) {
		if (strcmp(m->env[i]->name, what->text) != 0)
			m->env[out++] = m->env[i];
	}
	m->n_env = out;
	return out != before;
}

static bool remove_one(struct merged *m, const struct part_remove *what)
{
	switch ((enum remove_what)what->what) {
	case REMOVE_CALL:
		return remove_rules(m, what);
	case REMOVE_EXPECT:
		return remove_expects(m, what);
	case REMOVE_PATH:
		return remove_path(m, what);
	case REMOVE_ENV:
		return remove_env(m, what);
	}
	return false;
}

static int remove_all(struct composer *c, const struct part *part, struct merged *m)
{
	int r = 0;

	for (size_t i = 0; i < part->n_removes; i++) {
		const struct part_remove *what = &part->removes[i];

		/* a group names what may not be there; a name that is not there is a slip */
		if (remove_one(m, what) || what->group)
			continue;
		diag_error(c->d, what->where, "no used policy says this of '%s'",
			   what->call ? what->call->name : quote(what->text).text);
		r = -EBADMSG;
	}
	return r;
}

/* --- one unit --- */

static int add_own(struct composer *c, const struct unit *unit, struct merged *m)
{
	const struct part *part = &unit->part;

	for (unsigned k = 0; k < _SCALAR_MAX; k++) {
		if (part->scalars[k].set)
			m->scalars[k] = part->scalars[k];
	}
	for (size_t i = 0; i < part->n_rules; i++) {
		if (m->n_rules == LIMIT_POLICY_RULES) {
			diag_error(c->d, part->rules[i].where, "more than %d rules together",
				   LIMIT_POLICY_RULES);
			return -EBADMSG;
		}
		if (LIST_ADD(m->rules, m->n_rules, &part->rules[i]) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < part->n_paths; i++) {
		if (LIST_ADD(m->paths, m->n_paths, &part->paths[i]) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < part->n_env; i++) {
		if (LIST_ADD(m->env, m->n_env, &part->env[i]) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < part->n_expects; i++) {
		if (LIST_ADD(m->expects, m->n_expects, &part->expects[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The first failure counts, but all are looked at: each may add its mistakes. */
static int worse(int a, int b)
{
	return a == -ENOMEM || b == -ENOMEM ? -ENOMEM : a ? a : b;
}

static int compose_one(struct composer *c, const struct unit *unit, struct merged *m)
{
	const struct part *part = &unit->part;
	int r = 0;

	for (size_t i = 0; i < part->n_uses && r != -ENOMEM; i++) {
		const struct part_use *use = &part->uses[i];
		const struct merged *from = &c->merged[use->part];

		r = worse(r, take_scalars(c, part, use, m, from));
		r = worse(r, take_paths(c, part, use, m, from));
		r = worse(r, take_env(c, part, use, m, from));
		r = worse(r, take_lists(c, use, m, from));
		/* here and not at the end, so that diamonds do not add up */
		m->n_rules = unique(m->rules, m->n_rules);
		m->n_expects = unique(m->expects, m->n_expects);
	}
	if (r == 0)
		r = remove_all(c, part, m);
	if (r == 0)
		r = add_own(c, unit, m);
	return r;
}

/* --- to the model --- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct policy_path *)a)->path, ((const struct policy_path *)b)->path);
}

static int compare_env(const void *a, const void *b)
{
	return strcmp(((const struct policy_env *)a)->name, ((const struct policy_env *)b)->name);
}

static int compare_where(struct policy_where a, struct policy_where b)
{
	if (a.source != b.source)
		return a.source < b.source ? -1 : 1;
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return a.column < b.column ? -1 : a.column > b.column;
}

static int compare_expects(const void *a, const void *b)
{
	return compare_where(((const struct policy_expect *)a)->where,
			     ((const struct policy_expect *)b)->where);
}

static int copy_expect(struct policy_expect *to, const struct policy_expect *from)
{
	*to = *from;
	memset(to->text, 0, sizeof(to->text));
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
	for (; policy->n_expects < m->n_expects; policy->n_expects++) {
		if (copy_expect(&policy->expects[policy->n_expects],
				m->expects[policy->n_expects]) < 0) {
			policy->n_expects++;
			return -ENOMEM;
		}
	}
	return 0;
}

static int copy_lists(struct policy *policy, const struct merged *m)
{
	int r;

	policy->rules = calloc(m->n_rules + 1, sizeof(*policy->rules));
	policy->paths = calloc(m->n_paths + 1, sizeof(*policy->paths));
	policy->env = calloc(m->n_env + 1, sizeof(*policy->env));
	policy->expects = calloc(m->n_expects + 1, sizeof(*policy->expects));
	if (!policy->rules || !policy->paths || !policy->env || !policy->expects)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_rules; i++)
		policy->rules[policy->n_rules++] = *m->rules[i];
	r = copy_texts(policy, m);
	if (r < 0)
		return r;
	qsort(policy->paths, policy->n_paths, sizeof(*policy->paths), compare_paths);
	qsort(policy->env, policy->n_env, sizeof(*policy->env), compare_env);
	qsort(policy->expects, policy->n_expects, sizeof(*policy->expects), compare_expects);
	return 0;
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
		policy->limit_where[i] = s->where;
	}
}

int compose_units(const struct unit *units, size_t n_units, const uint16_t *order, enum abi native,
		  struct policy *policy, struct diag *d)
{
	struct composer c = { .units = units, .d = d };
	int r = 0;

	c.merged = calloc(n_units, sizeof(*c.merged));
	if (!c.merged)
		return -ENOMEM;
	for (size_t i = 0; i < n_units && r == 0; i++)
		r = compose_one(&c, &units[order[i]], &c.merged[order[i]]);
	if (r == 0) {
		copy_scalars(policy, &c.merged[0], native);
		r = copy_lists(policy, &c.merged[0]);
	}
	for (size_t i = 0; i < n_units; i++)
		merged_done(&c.merged[i]);
	free(c.merged);
	return r;
}
