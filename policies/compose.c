// SPDX-License-Identifier: Apache-2.0
#include "policies/composer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/label.h"
#include "policies/note.h"
#include "policies/spell.h"

static void merged_done(struct merged *m)
{
	free(m->rules);
	free(m->paths);
	free(m->env);
	free(m->ports);
	free(m->expects);
}

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

static const struct policy_path *own_path(const struct part *part, const char *path)
{
	for (size_t i = 0; i < part->n_paths; i++) {
		if (strcmp(part->paths[i].path, path) == 0)
			return &part->paths[i];
	}
	return NULL;
}

static const struct policy_env *own_env(const struct part *part, const char *name)
{
	for (size_t i = 0; i < part->n_env; i++) {
		if (strcmp(part->env[i].name, name) == 0)
			return &part->env[i];
	}
	return NULL;
}

/* Whether the user takes the thing out anyway: then it is no use to complain about it. */
static bool part_removes(const struct part *part, enum remove_what what, const char *text)
{
	for (size_t i = 0; i < part->n_removes; i++) {
		if (part->removes[i].what == (uint8_t)what &&
		    strcmp(part->removes[i].text, text) == 0)
			return true;
	}
	return false;
}

/* --- what gives way is noted --- */

static int note_scalar(struct composer *c, unsigned kind, const struct scalar *old,
		       const struct scalar *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (scalar_same(old, by))
		return 0;
	if (spell_scalar(&text, kind, old) < 0)
		return -ENOMEM;
	return note_add(c->policy, POLICY_NOTE_OVERRIDDEN, &text, by->where, old->where);
}

static int note_path(struct composer *c, const struct policy_path *old,
		     const struct policy_path *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (same_path(old, by))
		return 0;
	if (spell_path(&text, old) < 0)
		return -ENOMEM;
	return note_add(c->policy, POLICY_NOTE_OVERRIDDEN, &text, by->where, old->where);
}

static int note_env(struct composer *c, const struct policy_env *old, const struct policy_env *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (same_env(old, by))
		return 0;
	if (spell_env(&text, old) < 0)
		return -ENOMEM;
	return note_add(c->policy, POLICY_NOTE_OVERRIDDEN, &text, by->where, old->where);
}

static int take_scalars(struct composer *c, const struct part *user, const struct part_use *use,
			struct merged *into, const struct merged *from)
{
	int r = 0;

	for (unsigned k = 0; k < _SCALAR_MAX; k++) {
		const struct scalar *f = &from->scalars[k];
		struct scalar *t = &into->scalars[k];

		if (!f->set)
			continue;
		if (user->scalars[k].set) {
			if (note_scalar(c, k, f, &user->scalars[k]) < 0)
				return -ENOMEM;
			continue;
		}
		if (!t->set)
			*t = *f;
		else if (!scalar_same(t, f))
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

		if (own_path(user, path->path)) {
			if (note_path(c, path, own_path(user, path->path)) < 0)
				return -ENOMEM;
			continue;
		}
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

		if (own_env(user, env->name)) {
			if (note_env(c, env, own_env(user, env->name)) < 0)
				return -ENOMEM;
			continue;
		}
		if (!old) {
			if (LIST_ADD(into->env, into->n_env, env) < 0)
				return -ENOMEM;
		} else if (!same_env(old, env) && !part_removes(user, REMOVE_ENV, env->name)) {
			r = clash(c, use, quote(env->name).text, old->where, env->where);
		}
	}
	return r;
}

static int note_label(struct composer *c, enum policy_lsm lsm, const struct policy_label *old,
		      const struct policy_label *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (strcmp(old->text, by->text) == 0)
		return 0;
	if (spell_label(&text, lsm, old->text) < 0)
		return -ENOMEM;
	return note_add(c->policy, POLICY_NOTE_OVERRIDDEN, &text, by->where, old->where);
}

static int take_labels(struct composer *c, const struct part *user, const struct part_use *use,
		       struct merged *into, const struct merged *from)
{
	int r = 0;

	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		const enum policy_lsm lsm = (enum policy_lsm)i;
		const struct policy_label *label = from->labels[i];
		char what[32];

		if (!label)
			continue;
		if (user->labels[i].text) {
			if (note_label(c, lsm, label, &user->labels[i]) < 0)
				return -ENOMEM;
			continue;
		}
		(void)snprintf(what, sizeof(what), "label %s", label_lsm_name(lsm));
		if (!into->labels[i])
			into->labels[i] = label;
		else if (strcmp(into->labels[i]->text, label->text) != 0)
			r = clash(c, use, what, into->labels[i]->where, label->where);
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
	for (size_t i = 0; i < from->n_ports; i++) {
		if (LIST_ADD(into->ports, into->n_ports, from->ports[i]) < 0)
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
			diag_error(c->d, part->rules[i].rule.where, "more than %d rules together",
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
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		if (part->labels[i].text)
			m->labels[i] = &part->labels[i];
	}
	for (size_t i = 0; i < part->n_ports; i++) {
		if (LIST_ADD(m->ports, m->n_ports, &part->ports[i]) < 0)
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

/* By a call's place in the table: which answers of used policies a file takes back. */
enum { TAKEN_BACK = POLICY_KILL + 1 };

static void find_taken(const struct part *part, bool (*taken)[TAKEN_BACK])
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < part->n_removes; i++) {
		if (part->removes[i].what == REMOVE_CALL)
			taken[part->removes[i].call - table][part->removes[i].verb] = true;
	}
}

/* Who decides tests: what used policies expect of it goes. 0 or -ENOMEM. */
static int drop_expects(const struct part *part, struct merged *m)
{
	_cleanup_free_ bool(*taken)[TAKEN_BACK] = NULL;
	size_t n, out = 0;
	const struct syscall_desc *table = syscall_table(&n);

	taken = calloc(n, sizeof(*taken));
	if (!taken)
		return -ENOMEM;
	find_taken(part, taken);
	for (size_t i = 0; i < m->n_expects; i++) {
		const struct policy_expect *e = m->expects[i];

		if (e->kind == POLICY_EXPECT_CALL && taken[e->call - table][e->action])
			continue;
		if (e->kind == POLICY_EXPECT_SETTING && part->scalars[e->setting].set)
			continue;
		if (e->kind == POLICY_EXPECT_LABEL && part->labels[e->setting].text)
			continue;
		if (e->kind == POLICY_EXPECT_ENV &&
		    (own_env(part, e->path) || part_removes(part, REMOVE_ENV, e->path)))
			continue;
		m->expects[out++] = e;
	}
	m->n_expects = out;
	return 0;
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
		r = worse(r, take_labels(c, part, use, m, from));
		r = worse(r, take_lists(c, use, m, from));
		/* here and not at the end, so that diamonds do not add up */
		m->n_rules = unique(m->rules, m->n_rules);
		m->n_ports = unique(m->ports, m->n_ports);
		m->n_expects = unique(m->expects, m->n_expects);
	}
	if (r == 0)
		r = compose_remove(c, part, m);
	if (r == 0)
		r = drop_expects(part, m);
	if (r == 0)
		r = add_own(c, unit, m);
	return r;
}

int compose_units(const struct unit *units, size_t n_units, const uint16_t *order, enum abi native,
		  struct policy *policy, struct diag *d)
{
	struct composer c = { .units = units, .policy = policy, .d = d };
	int r = 0;

	c.merged = calloc(n_units, sizeof(*c.merged));
	if (!c.merged)
		return -ENOMEM;
	for (size_t i = 0; i < n_units && r == 0; i++)
		r = compose_one(&c, &units[order[i]], &c.merged[order[i]]);
	if (r == 0)
		r = compose_model(&c, &c.merged[0], native);
	for (size_t i = 0; i < n_units; i++)
		merged_done(&c.merged[i]);
	free(c.merged);
	return r;
}
