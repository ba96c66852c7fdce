// SPDX-License-Identifier: Apache-2.0
/* `remove`: what is taken back out of used policies, each piece with a note. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/composer.h"
#include "policies/note.h"
#include "policies/spell.h"

static int removed(struct composer *c, struct buf *text, int spelled,
		   const struct part_remove *what, struct policy_where other)
{
	int r = spelled < 0 ? -ENOMEM
			    : note_add(c->policy, POLICY_NOTE_REMOVED, text, what->where, other);

	text->len = 0;
	return r;
}

/* Each takes out of m what matches. The number of pieces, or -ENOMEM. */

static int remove_rules(struct composer *c, struct merged *m, const struct part_remove *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t out = 0;
	int n = 0;

	for (size_t i = 0; i < m->n_rules; i++) {
		const struct policy_rule *rule = &m->rules[i]->rule;

		if (rule->call != what->call || rule->action != what->verb)
			m->rules[out++] = m->rules[i];
		else if (m->rules[i]->implied || m->rules[i]->refused)
			continue; /* its line is noted by what it is elsewhere */
		else if (removed(c, &text, spell_rule(&text, rule), what, rule->where) < 0)
			return -ENOMEM;
		else
			n++;
	}
	m->n_rules = out;
	return n;
}

static bool same_port(const struct policy_port *a, const struct policy_port *b)
{
	return a->direction == b->direction && a->protocol == b->protocol &&
	       a->families == b->families && a->first == b->first && a->last == b->last;
}

static bool is_expect(const struct policy_expect *e, const struct part_remove *what)
{
	if (e->action != what->verb || e->kind != what->kind)
		return false;
	switch ((enum policy_expect_kind)e->kind) {
	case POLICY_EXPECT_CALL:
		return e->call == what->call;
	case POLICY_EXPECT_PATH:
		return e->verb == what->path_verb && strcmp(e->path, what->text) == 0;
	case POLICY_EXPECT_PORT:
		return same_port(&e->port, &what->port);
	case POLICY_EXPECT_SETTING:
	case POLICY_EXPECT_ENV:
	case POLICY_EXPECT_LABEL:
		break;
	}
	return false;
}

static int remove_expects(struct composer *c, struct merged *m, const struct part_remove *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t out = 0;
	int n = 0;

	for (size_t i = 0; i < m->n_expects; i++) {
		const struct policy_expect *e = m->expects[i];

		if (!is_expect(e, what))
			m->expects[out++] = e;
		else if (removed(c, &text, spell_expect(&text, e), what, e->where) < 0)
			return -ENOMEM;
		else
			n++;
	}
	m->n_expects = out;
	return n;
}

static int remove_path(struct composer *c, struct merged *m, const struct part_remove *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t out = 0;
	int n = 0;

	for (size_t i = 0; i < m->n_paths; i++) {
		const struct policy_path *path = m->paths[i];

		if (path->verb != what->verb || strcmp(path->path, what->text) != 0)
			m->paths[out++] = path;
		else if (removed(c, &text, spell_path(&text, path), what, path->where) < 0)
			return -ENOMEM;
		else
			n++;
	}
	m->n_paths = out;
	return n;
}

static int remove_env(struct composer *c, struct merged *m, const struct part_remove *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t out = 0;
	int n = 0;

	for (size_t i = 0; i < m->n_env; i++) {
		const struct policy_env *env = m->env[i];

		if (strcmp(env->name, what->text) != 0)
			m->env[out++] = env;
		else if (removed(c, &text, spell_env(&text, env), what, env->where) < 0)
			return -ENOMEM;
		else
			n++;
	}
	m->n_env = out;
	return n;
}

static bool is_port(const struct policy_port *port, const struct part_remove *what)
{
	if (what->n_port == 3)
		return same_port(port, &what->port);
	return port->direction == what->port.direction &&
	       (what->n_port == 1 ||
		(port->protocol == what->port.protocol && port->families == what->port.families));
}

static int remove_ports(struct composer *c, struct merged *m, const struct part_remove *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t out = 0;
	int n = 0;

	for (size_t i = 0; i < m->n_ports; i++) {
		const struct policy_port *port = m->ports[i];

		if (!is_port(port, what))
			m->ports[out++] = port;
		else if (removed(c, &text, spell_port(&text, port), what, port->where) < 0)
			return -ENOMEM;
		else
			n++;
	}
	m->n_ports = out;
	return n;
}

static int remove_one(struct composer *c, struct merged *m, const struct part_remove *what)
{
	switch ((enum remove_what)what->what) {
	case REMOVE_CALL:
		return remove_rules(c, m, what);
	case REMOVE_EXPECT:
		return remove_expects(c, m, what);
	case REMOVE_PATH:
		return remove_path(c, m, what);
	case REMOVE_ENV:
		return remove_env(c, m, what);
	case REMOVE_PORT:
		return remove_ports(c, m, what);
	}
	return 0;
}

static void found_nothing(struct composer *c, const struct part_remove *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	bool port = what->what == REMOVE_PORT ||
		    (what->what == REMOVE_EXPECT && what->kind == POLICY_EXPECT_PORT);

	if (port && (what->what == REMOVE_EXPECT || what->n_port == 3) &&
	    spell_port(&text, &what->port) == 0)
		diag_error(c->d, what->where, "no used policy says this of '%s'",
			   quote(text.data + strlen("net ")).text);
	else if (port)
		diag_error(c->d, what->where, "no used policy says such a thing of ports");
	else
		diag_error(c->d, what->where, "no used policy says this of '%s'",
			   what->call ? what->call->name : quote(what->text).text);
}

int compose_remove(struct composer *c, const struct part *part, struct merged *m)
{
	int r = 0;

	for (size_t i = 0; i < part->n_removes; i++) {
		const struct part_remove *what = &part->removes[i];
		int n = remove_one(c, m, what);

		if (n < 0)
			return n;
		/* a group names what may not be there; a name that is not there is a slip */
		if (n > 0 || what->group)
			continue;
		found_nothing(c, what);
		r = -EBADMSG;
	}
	return r;
}
