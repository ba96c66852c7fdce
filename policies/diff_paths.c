// SPDX-License-Identifier: Apache-2.0
/*
 * Differences of the view and of ports. What a policy says of a path is that of the deepest line at
 * or above it, so it changes only at paths that have a line: two policies that agree on all of them
 * agree everywhere. Variables stand for places of their own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/diff_entry.h"
#include "policies/path_rule.h"

/* No path of a policy can begin like these: a policy's names are what a person sees. */
static const struct path_vars vars = { .home = "/~", .pwd = "/$PWD" };

struct said {
	const struct policy_path *line;
	bool read, write, exec, tmpfs;
	bool must_exist; /* a line for this very path without a `?` */
};

static struct said said_of(const struct policy *policy, const char *path)
{
	struct said s = { .line = path_rule_find(policy, &vars, path) };
	const struct policy_path *line;

	s.read = path_rule_allows(policy, &vars, path, POLICY_PATH_READ, &line);
	s.write = path_rule_allows(policy, &vars, path, POLICY_PATH_WRITE, &line);
	s.exec = path_rule_allows(policy, &vars, path, POLICY_PATH_EXEC, &line);
	s.tmpfs = s.line && s.line->verb == POLICY_PATH_TMPFS;
	for (size_t i = 0; i < policy->n_paths; i++) {
		char place[LIMIT_PATH];

		line = &policy->paths[i];
		if (!line->optional && path_rule_expand(line, &vars, place, sizeof(place)) == 0 &&
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

int diff_paths(struct differ *d)
{
	const struct policy *both[] = { d->old, d->new };
	int r = 0;

	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < both[p]->n_paths && r == 0; i++) {
			const struct policy_path *line = &both[p]->paths[i];
			char place[LIMIT_PATH];
			struct said a, b;

			if (path_rule_expand(line, &vars, place, sizeof(place)) < 0 ||
			    is_known(d, line->path))
				continue;
			a = said_of(d->old, place);
			b = said_of(d->new, place);
			if (a.read != b.read || a.write != b.write || a.exec != b.exec ||
			    a.tmpfs != b.tmpfs || a.must_exist != b.must_exist)
				r = add_path(d, line->path, &a, &b);
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
