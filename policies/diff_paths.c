// SPDX-License-Identifier: Apache-2.0
/*
 * Differences of the view and of ports. What a policy says of a path is that of the deepest line at
 * or above it, so it changes only at paths that have a line: two policies that agree on all of them
 * agree everywhere. That holds for one launch. Variables first stand for places of their own, unset
 * and set; then a line that only one policy has, and that changes nothing there, is tried where a
 * variable leads to it or above it: `read ~/x` changes nothing below `read /home` until `hide ~`
 * is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/diff_entry.h"
#include "policies/path_rule.h"

/* A place of a variable's own. No policy has a control character in a path. */
#define OWN "/\1"

/* What the variables are at a launch. */
struct launch {
	bool is_set;	   /* each ${NAME:-...} is a place of its own, else its default */
	const char *name;  /* but this variable, "~", "$PWD" or NAME, is value; NULL: none */
	const char *value; /* absolute */
	char own[LIMIT_PATH];
};

static const char *lookup(const char *name, void *context)
{
	struct launch *l = context;

	if (l->name && strcmp(l->name, name) == 0)
		return l->value;
	if (!l->is_set)
		return NULL;
	(void)snprintf(l->own, sizeof(l->own), OWN "%s", name);
	return l->own;
}

static struct path_vars vars_of(struct launch *l)
{
	struct path_vars vars = {
		.home = OWN "~", .pwd = OWN "$PWD", .lookup = lookup, .context = l
	};

	if (l->name && strcmp(l->name, "~") == 0)
		vars.home = l->value;
	if (l->name && strcmp(l->name, "$PWD") == 0)
		vars.pwd = l->value;
	return vars;
}

struct said {
	const struct policy_path *line;
	bool read, write, exec, tmpfs;
	bool must_exist; /* a line for this very path without a `?` */
};

static struct said said_of(const struct policy *policy, const struct path_vars *vars,
			   const char *path)
{
	const struct policy_path *line;
	const unsigned rights = path_rule_rights(policy, vars, path, &line);
	struct said s = { .line = line,
			  .read = rights & PATH_MAY_READ,
			  .write = rights & PATH_MAY_WRITE,
			  .exec = rights & PATH_MAY_EXEC,
			  .tmpfs = line && line->verb == POLICY_PATH_TMPFS };

	for (size_t i = 0; i < policy->n_paths; i++) {
		char place[LIMIT_PATH];

		line = &policy->paths[i];
		if (!line->optional && path_rule_expand(line, vars, place, sizeof(place)) == 0 &&
		    strcmp(place, path) == 0)
			s.must_exist = true;
	}
	return s;
}

static const char *name_of(const struct said *s)
{
	if (s->tmpfs)
		return "tmpfs";
	if (s->write)
		return s->exec ? "write and exec" : "write";
	return s->exec ? "exec" : s->read ? "read" : "not visible";
}

static int add_path(struct differ *d, const char *shown, const struct said *a, const struct said *b)
{
	struct diff_entry *e = diff_add(d, DIFF_PATH, shown);
	bool same = strcmp(name_of(a), name_of(b)) == 0;
	char old[64], new[64];

	if (!e)
		return -ENOMEM;
	if (a->line)
		e->old_where = a->line->where;
	if (b->line)
		e->new_where = b->line->where;
	(void)snprintf(old, sizeof(old), "%s%s", name_of(a),
		       same && !a->must_exist ? ", if it exists" : "");
	(void)snprintf(new, sizeof(new), "%s%s", name_of(b),
		       same && !b->must_exist ? ", if it exists" : "");
	if (!same && a->read == b->read && a->write == b->write && a->exec != b->exec) {
		if (asprintf(&e->attempt, "execve(\"%s\")", shown) < 0)
			return e->attempt = NULL, -ENOMEM;
	} else if (!same && asprintf(&e->attempt, "openat(\"%s\", %s)", shown,
				     a->read != b->read ? "O_RDONLY" : "O_WRONLY") < 0) {
		return e->attempt = NULL, -ENOMEM;
	}
	return diff_say(e, old, new);
}

static bool is_known(const struct differ *d, const char *shown)
{
	for (size_t i = d->diff.n; i > 0 && d->diff.entries[i - 1].kind == DIFF_PATH; i--) {
		if (strcmp(d->diff.entries[i - 1].subject, shown) == 0)
			return true;
	}
	return false;
}

static int compare_at(struct differ *d, struct launch *launch, const struct policy_path *line)
{
	const struct path_vars vars = vars_of(launch);
	char place[LIMIT_PATH];
	struct said a, b;

	if (path_rule_expand(line, &vars, place, sizeof(place)) < 0 || is_known(d, line->path))
		return 0;
	a = said_of(d->old, &vars, place);
	b = said_of(d->new, &vars, place);
	/* the places that two policies want to exist are those that their lines name */
	if (launch->name)
		a.must_exist = b.must_exist;
	if (a.read == b.read && a.write == b.write && a.exec == b.exec && a.tmpfs == b.tmpfs &&
	    a.must_exist == b.must_exist)
		return 0;
	return add_path(d, line->path, &a, &b);
}

/* --- where variables lead to other lines' places --- */

struct base {
	char name[LIMIT_PATH]; /* "~", "$PWD", NAME; "" of a path that has no variable */
	const char *rest;
};

static struct base base_of(const char *path)
{
	struct base b = { .rest = path };
	size_t n;

	if (path[0] == '~') {
		b.name[0] = '~';
		b.rest = path + 1;
	} else if (path[0] == '$' && path[1] == '{') {
		n = strcspn(path + 2, ":}");
		memcpy(b.name, path + 2, n < sizeof(b.name) ? n : 0);
		b.rest = strchr(path, '}') ? strchr(path, '}') + 1 : path;
	} else if (path[0] == '$') {
		memcpy(b.name, "$PWD", 4);
		b.rest = path + 4;
	}
	return b;
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

struct leading {
	struct differ *d;
	const struct policy_path *line;
	long budget; /* launches that are tried */
};

/* The variable is what makes the line with this rest come to place; "" is "/". */
static int lead(struct leading *x, const struct base *variable, const char *rest, const char *place)
{
	size_t n = strlen(place), end = strlen(rest), before = x->d->diff.n;
	char value[LIMIT_PATH] = "/";
	struct launch launch = { .name = variable->name, .value = value };
	struct diff_entry *e;
	int r;

	if (variable->name[0] == '\0' || end > n || strcmp(place + n - end, rest) != 0 ||
	    x->budget-- <= 0)
		return 0;
	if (n > end) {
		memcpy(value, place, n - end);
		value[n - end] = '\0';
	}
	r = compare_at(x->d, &launch, x->line);
	if (r < 0 || x->d->diff.n == before)
		return r;
	e = &x->d->diff.entries[before];
	free(e->attempt); /* it would be made at another launch */
	e->attempt = NULL;
	return asprintf(&e->when, "%s is %s", variable->name,
			strncmp(value, OWN, 2) == 0 ? value + 2 : value) < 0
		       ? (e->when = NULL, -ENOMEM)
		       : 0;
}

/* The other line at the place of this one and above it, by the variable of either. */
static int lead_both(struct leading *x, const struct policy_path *other)
{
	const struct base mine = base_of(x->line->path), theirs = base_of(other->path);
	struct launch apart = { .is_set = false };
	const struct path_vars vars = vars_of(&apart);
	char place[LIMIT_PATH], other_place[LIMIT_PATH], rest[LIMIT_PATH];
	int r = 0;

	if (strcmp(mine.name, theirs.name) == 0 ||
	    path_rule_expand(x->line, &vars, place, sizeof(place)) < 0 ||
	    path_rule_expand(other, &vars, other_place, sizeof(other_place)) < 0)
		return 0;
	(void)snprintf(rest, sizeof(rest), "%s", mine.rest);
	for (bool more = mine.name[0] != '\0'; more && r == 0 && x->budget > 0; cut_last(rest)) {
		r = lead(x, &mine, rest, other_place);
		more = rest[0] != '\0';
	}
	for (bool more = theirs.name[0] != '\0'; more && r == 0 && x->budget > 0; cut_last(place)) {
		r = lead(x, &theirs, theirs.rest, place);
		more = place[0] != '\0';
	}
	return r;
}

static bool has_line(const struct policy *policy, const struct policy_path *line)
{
	for (size_t i = 0; i < policy->n_paths; i++) {
		if (policy->paths[i].verb == line->verb &&
		    strcmp(policy->paths[i].path, line->path) == 0)
			return true;
	}
	return false;
}

/* A line that the other policy lacks, and that is in no entry yet. */
static int diff_leading(struct differ *d, const struct policy_path *line, long *budget)
{
	const struct policy *both[] = { d->old, d->new };
	struct leading x = { .d = d, .line = line, .budget = *budget };
	int r = 0;

	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < both[p]->n_paths && r == 0; i++)
			r = lead_both(&x, &both[p]->paths[i]);
	}
	*budget = x.budget;
	return r;
}

static int give_up(struct differ *d, const struct policy_path *line)
{
	struct diff_entry *e = diff_add(d, DIFF_PATH, line->path);

	if (!e)
		return -ENOMEM;
	e->undecided = true;
	return diff_say(e, "not known", "not known");
}

int diff_paths(struct differ *d)
{
	/* path_rule_find() puts in the variables of all lines: this bounds how often */
	enum { EXPANSIONS = 1 << 17 };
	const struct policy *both[] = { d->old, d->new };
	long budget = EXPANSIONS / (long)(d->old->n_paths + d->new->n_paths + 1);
	struct launch unset = { .is_set = false }, set = { .is_set = true };
	size_t before = d->diff.n;
	int r = 0;

	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < both[p]->n_paths && r == 0; i++) {
			r = compare_at(d, &unset, &both[p]->paths[i]);
			r = r ? r : compare_at(d, &set, &both[p]->paths[i]);
		}
	}
	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < both[p]->n_paths && r == 0; i++) {
			const struct policy_path *line = &both[p]->paths[i];

			if (has_line(both[1 - p], line) || is_known(d, line->path))
				continue;
			r = diff_leading(d, line, &budget);
			if (r == 0 && budget <= 0 && d->diff.n == before)
				r = give_up(d, line);
		}
	}
	return r;
}

/* --- ports --- */

/* Bit per family for which the port is open; *ret_line: a line that says so, or the direction's
 * first. */
static unsigned families_of(const struct policy *policy, uint8_t direction, uint8_t protocol,
			    uint32_t port, struct policy_where *ret)
{
	const struct policy_port *closes = NULL, *opens = NULL;
	unsigned families = 0;

	for (size_t i = 0; i < policy->n_ports; i++) {
		const struct policy_port *line = &policy->ports[i];

		if (line->direction != direction)
			continue;
		closes = closes ? closes : line;
		if (line->protocol != protocol || port < line->first || port > line->last)
			continue;
		opens = opens ? opens : line;
		families |= line->families;
	}
	*ret = (struct policy_where){ .line = 0 };
	if (opens || closes)
		*ret = opens ? opens->where : closes->where;
	return closes ? families : POLICY_FAMILY_INET | POLICY_FAMILY_INET6;
}

static const char *family_text(unsigned families)
{
	static const char *const names[] = { "closed", "IPv4 only", "IPv6 only", "open" };

	return names[families & 3];
}

struct span {
	uint32_t first, last; /* 65535 at most */
	unsigned old, new;
};

static int add_span(struct differ *d, uint8_t direction, uint8_t protocol, const struct span *s)
{
	const char *verb = direction == POLICY_PORT_BIND ? "bind" : "connect";
	const char *proto = protocol == POLICY_PORT_UDP ? "udp" : "tcp";
	bool only6 = ((s->old ^ s->new) & POLICY_FAMILY_INET) == 0;
	char subject[48];
	struct diff_entry *e;

	if (s->first == s->last)
		(void)snprintf(subject, sizeof(subject), "%s %s %u", verb, proto, s->first);
	else
		(void)snprintf(subject, sizeof(subject), "%s %s %u-%u", verb, proto, s->first,
			       s->last);
	e = diff_add(d, DIFF_PORT, subject);
	if (!e)
		return -ENOMEM;
	(void)families_of(d->old, direction, protocol, s->first, &e->old_where);
	(void)families_of(d->new, direction, protocol, s->first, &e->new_where);
	if (asprintf(&e->attempt, "%s(3, \"%s:%s:%u\")", verb, proto, only6 ? "[::1]" : "127.0.0.1",
		     s->first) < 0)
		return e->attempt = NULL, -ENOMEM;
	return diff_say(e, family_text(s->old), family_text(s->new));
}

/* The next port from which on a line of either policy begins or has ended; 65536: none. */
static uint32_t next_edge(const struct differ *d, uint32_t port)
{
	const struct policy *both[] = { d->old, d->new };
	uint32_t next = 65536;

	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < both[p]->n_ports; i++) {
			uint32_t first = both[p]->ports[i].first;
			uint32_t behind = both[p]->ports[i].last + 1U;

			if (first > port && first < next)
				next = first;
			if (behind > port && behind < next)
				next = behind;
		}
	}
	return next;
}

static int diff_direction(struct differ *d, uint8_t direction, uint8_t protocol)
{
	struct span span = { .old = 0, .new = 0 };
	bool open = false;
	int r = 0;

	for (uint32_t port = 0; port < 65536 && r == 0; port = next_edge(d, port)) {
		struct policy_where where;
		unsigned old = families_of(d->old, direction, protocol, port, &where);
		unsigned new = families_of(d->new, direction, protocol, port, &where);

		if (open && (old != span.old || new != span.new)) {
			r = add_span(d, direction, protocol, &span);
			open = false;
		}
		if (old == new)
			continue;
		if (!open)
			span = (struct span){ .first = port, .old = old, .new = new };
		span.last = next_edge(d, port) - 1;
		open = true;
	}
	if (open && r == 0)
		r = add_span(d, direction, protocol, &span);
	return r;
}

int diff_ports(struct differ *d)
{
	int r = 0;

	for (uint8_t direction = 0; direction <= POLICY_PORT_BIND && r == 0; direction++) {
		for (uint8_t protocol = 0; protocol <= POLICY_PORT_UDP && r == 0; protocol++)
			r = diff_direction(d, direction, protocol);
	}
	return r;
}
