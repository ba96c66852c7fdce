// SPDX-License-Identifier: Apache-2.0
/*
 * The net lines of a learned policy: the ports that were connected and bound, where the kernel can
 * hold a sandbox to them. A line closes its direction and whatever socket no line names, so that
 * each kind of socket that was made has to be named by one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cli/learn_model.h"
#include "policies/model.h"

enum {
	TCP_HELD = 4,	   /* Landlock's ABI that holds TCP ports (Linux 6.7) */
	UDP_HELD = 10,	   /* and UDP's (Linux 7.2) */
	EPHEMERAL = 32768, /* the first of net.ipv4.ip_local_port_range, by default */
	MANY = 64,	   /* different ports that say no more than "any" */
	PORTS = 65536,
};

enum { CONNECT, BIND, _DIRECTION_MAX };
enum { TCP, UDP, _PROTOCOL_MAX };
static const char *const directions[] = { "connect", "bind" };
static const char *const protocols[] = { "tcp", "udp" };

/* One port of one direction and protocol, in any family. */
struct port {
	uint16_t number;
	uint8_t phases;
	uint32_t runs;
	uint64_t count;
	const char *program;
};

struct list {
	struct port port[MANY];
	unsigned n;
	bool many;
};

struct facts {
	const struct learned *l;
	struct buf *out;
	struct list list[_DIRECTION_MAX][_PROTOCOL_MAX];
	bool made[_PROTOCOL_MAX];     /* sockets of it, by any family */
	bool plain[_PROTOCOL_MAX][2]; /* with no protocol said, for IPv4 and IPv6 */
	bool named[_PROTOCOL_MAX];    /* by a line */
	bool inet, inet6;
	bool other; /* internet sockets that no line can name */
	bool held[_PROTOCOL_MAX];
	unsigned net;
	const char *family; /* behind the protocol's name */
};

/* --- what was seen --- */

static void add_made(struct facts *f, const uint64_t tuple[3])
{
	const unsigned type = (unsigned)tuple[1] & 0xf; /* SOCK_CLOEXEC and its kin above */

	if (tuple[0] != AF_INET && tuple[0] != AF_INET6)
		return;
	f->inet = f->inet || tuple[0] == AF_INET;
	f->inet6 = f->inet6 || tuple[0] == AF_INET6;
	if (tuple[2] == 0 && (type == SOCK_STREAM || type == SOCK_DGRAM))
		f->plain[type == SOCK_STREAM ? TCP : UDP][tuple[0] == AF_INET6] = true;
	if (type == SOCK_STREAM && (tuple[2] == 0 || tuple[2] == 6)) /* IPPROTO_TCP */
		f->made[TCP] = true;
	else if (type == SOCK_DGRAM && (tuple[2] == 0 || tuple[2] == 17)) /* IPPROTO_UDP */
		f->made[UDP] = true;
	else
		f->other = true;
}

static void look_at_sockets(struct facts *f)
{
	for (size_t i = 0; i < f->l->n_calls; i++) {
		const struct learned_call *c = &f->l->calls[i];

		/* what makes sockets past any look at its arguments */
		if (!c->denied && strcmp(c->desc->name, "socketcall") == 0)
			f->other = true;
		if (c->denied || strcmp(c->desc->name, "socket") != 0)
			continue;
		f->other = f->other || c->key_varies;
		for (unsigned k = 0; k < c->n_tuples; k++)
			add_made(f, c->tuple[k]);
	}
}

static void add_port(struct list *list, const struct learned_socket *s)
{
	struct port *p = list->port;
	unsigned i = 0;

	while (i < list->n && p[i].number < s->port)
		i++;
	if (i == list->n || p[i].number != s->port) {
		if (list->n == MANY) {
			list->many = true;
			return;
		}
		memmove(&p[i + 1], &p[i], (list->n - i) * sizeof(*p));
		list->n++;
		p[i] = (struct port){ .number = (uint16_t)s->port, .program = s->program };
	}
	p[i].phases |= s->phases;
	p[i].runs |= s->runs;
	p[i].count += s->count;
}

static void look_at_ports(struct facts *f)
{
	for (size_t i = 0; i < f->l->n_sockets; i++) {
		const struct learned_socket *s = &f->l->sockets[i];
		const unsigned direction = s->bind ? BIND : CONNECT;

		if (s->denied || (s->family != AF_INET && s->family != AF_INET6) ||
		    s->port >= PORTS)
			continue;
		if (s->type == SOCK_STREAM)
			add_port(&f->list[direction][TCP], s);
		else if (s->type == SOCK_DGRAM)
			add_port(&f->list[direction][UDP], s);
		else
			f->other = true; /* or it could not be looked at */
	}
}

static const struct port *find_port(const struct list *list, unsigned number)
{
	for (unsigned i = 0; i < list->n; i++) {
		if (list->port[i].number == number)
			return &list->port[i];
	}
	return NULL;
}

/* A port that the kernel chose for a server is another one in the next run. */
static bool has_chosen(const struct facts *f, unsigned direction, unsigned protocol)
{
	const struct list *list = &f->list[direction][protocol];

	return direction == CONNECT && list->n > 0 && find_port(&f->list[BIND][protocol], 0) &&
	       list->port[list->n - 1].number >= EPHEMERAL;
}

/* --- the lines --- */

static int put_line(struct facts *f, unsigned direction, unsigned protocol, const char *ports,
		    const struct port *p)
{
	char rule[64];

	f->named[protocol] = true;
	(void)snprintf(rule, sizeof(rule), "net %s %s%s %s", directions[direction],
		       protocols[protocol], f->family, ports);
	if (!p)
		return buf_printf(f->out, "%s\n", rule);
	return learned_put(f->out, rule, p->runs, p->count, p->program,
			   learned_phase(f->l, p->phases));
}

/* All of them as one. */
static int put_any(struct facts *f, unsigned direction, unsigned protocol, const char *why)
{
	const struct list *list = &f->list[direction][protocol];
	struct port all = { .program = list->n ? list->port[0].program : "" };
	int r = buf_printf(f->out, "# %s\n", why);

	for (unsigned i = 0; i < list->n; i++) {
		all.runs |= list->port[i].runs;
		all.phases |= list->port[i].phases;
		all.count += list->port[i].count;
	}
	return r < 0 ? r : put_line(f, direction, protocol, "any", list->n ? &all : NULL);
}

static int put_ports(struct facts *f, unsigned direction, unsigned protocol)
{
	const struct list *list = &f->list[direction][protocol];
	int r = 0;

	for (unsigned i = 0, last; i < list->n && r == 0; i = last + 1) {
		struct port group = list->port[i];
		char text[16];

		for (last = i; last + 1 < list->n &&
			       list->port[last + 1].number == list->port[last].number + 1;
		     last++) {
			group.runs |= list->port[last + 1].runs;
			group.phases |= list->port[last + 1].phases;
			group.count += list->port[last + 1].count;
		}
		if (last > i)
			(void)snprintf(text, sizeof(text), "%u-%u", group.number,
				       list->port[last].number);
		else
			(void)snprintf(text, sizeof(text), "%u", group.number);
		r = put_line(f, direction, protocol, text, &group);
	}
	return r;
}

static int put_pair(struct facts *f, unsigned direction, unsigned protocol)
{
	const struct list *list = &f->list[direction][protocol];
	int r;

	if (!f->held[protocol])
		return put_any(f, direction, protocol,
			       protocol == UDP ? "Landlock holds UDP to ports from Linux 7.2 on, "
						 "which the runs did not have"
					       : "Landlock holds TCP to ports from Linux 6.7 on, "
						 "which the runs did not have");
	if (list->many)
		return put_any(f, direction, protocol, "more different ports than say anything");
	if (has_chosen(f, direction, protocol))
		return put_any(
			f, direction, protocol,
			"ports that the kernel chose for a server (bind 0): no two runs have "
			"the same");
	r = put_ports(f, direction, protocol);
	/* sending from a socket that is not bound binds it */
	if (r == 0 && direction == BIND && protocol == UDP && f->list[CONNECT][UDP].n > 0 &&
	    !find_port(list, 0))
		r = put_line(f, BIND, UDP, "0", NULL);
	return r;
}

static bool is_used(const struct facts *f, unsigned direction)
{
	return f->list[direction][TCP].n > 0 || f->list[direction][UDP].n > 0;
}

static int put_lines(struct facts *f)
{
	int r = 0;

	for (unsigned d = 0; d < _DIRECTION_MAX; d++) {
		for (unsigned p = 0; is_used(f, d) && p < _PROTOCOL_MAX && r == 0; p++) {
			if (f->made[p] || f->list[d][p].n > 0)
				r = put_pair(f, d, p);
		}
	}
	/* made, and neither connected nor bound: only a line lets it be made again */
	for (unsigned p = 0; p < _PROTOCOL_MAX && r == 0; p++) {
		if (f->made[p] && !f->named[p] && (f->named[TCP] || f->named[UDP]))
			r = put_line(f, BIND, p, "0", NULL);
	}
	return r;
}

/* What the lines are to say: each port that was seen, and one that was not. */
static int put_tests(struct facts *f)
{
	int r = 0;

	for (unsigned d = 0; d < _DIRECTION_MAX; d++) {
		for (unsigned p = 0; p < _PROTOCOL_MAX && r == 0; p++) {
			const struct list *list = &f->list[d][p];
			unsigned other = 1;

			/* a test of connecting is about the host's servers, which no sandbox with
			 * a loopback of its own reaches */
			if (list->n == 0 || (d == CONNECT && f->net != POLICY_NET_HOST))
				continue;
			/* and it makes its socket so */
			if ((f->inet && !f->plain[p][0]) || (f->inet6 && !f->plain[p][1]))
				continue;
			r = buf_printf(f->out, "expect allow %s %s%s", directions[d], protocols[p],
				       f->family);
			for (unsigned i = 0; i < list->n && i < 8 && r == 0; i++)
				r = buf_printf(f->out, " %u", list->port[i].number);
			if (r == 0)
				r = buf_puts(f->out, "\n");
			if (r < 0 || !f->held[p] || list->many || has_chosen(f, d, p))
				continue;
			while (find_port(list, other))
				other++;
			r = buf_printf(f->out, "expect deny %s %s%s %u\n", directions[d],
				       protocols[p], f->family, other);
		}
	}
	return r;
}

/* --- the settings --- */

/* The address, which no line has; and where none of the ports has one either. */
static int put_addresses(const struct learned *l, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; i < l->n_sockets && r == 0; i++) {
		const struct learned_socket *s = &l->sockets[i];
		const bool internet = s->family == AF_INET || s->family == AF_INET6;
		_cleanup_buf_ struct buf address = BUF_INIT;

		r = text_escape(&address, s->address, strlen(s->address));
		if (r == 0)
			r = buf_printf(out, "#   %s%s %s", s->denied ? "refused: " : "",
				       s->bind ? "bound" : "connected",
				       address.len ? address.data : "(no address)");
		if (r == 0 && internet)
			r = buf_printf(out, " port %u%s", s->port,
				       s->type == SOCK_STREAM  ? " tcp"
				       : s->type == SOCK_DGRAM ? " udp"
							       : "");
		if (r == 0)
			r = buf_printf(out, ", %" PRIu64 "x %s\n", s->count, s->program);
	}
	return r;
}

int learned_net(const struct learned *l, struct buf *out)
{
	static const char *const names[] = {
		[POLICY_NET_NONE] = "none",
		[POLICY_NET_LOOPBACK] = "loopback",
		[POLICY_NET_HOST] = "host",
	};
	_cleanup_free_ struct facts *f = calloc(1, sizeof(*f));
	unsigned net = POLICY_NET_NONE, landlock = UINT8_MAX;
	int r;

	if (!f)
		return -ENOMEM;
	f->l = l;
	f->out = out;
	look_at_sockets(f);
	look_at_ports(f);
	for (size_t i = 0; i < l->n_runs; i++) {
		net = l->runs[i].net > net ? l->runs[i].net : net;
		landlock = l->runs[i].landlock < landlock ? l->runs[i].landlock : landlock;
	}
	if ((!f->inet && !f->inet6) || net >= ARRAY_SIZE(names))
		net = POLICY_NET_NONE;
	f->net = net;
	f->held[TCP] = landlock >= TCP_HELD;
	f->held[UDP] = landlock >= UDP_HELD;
	f->family = f->inet && f->inet6 ? "" : f->inet ? "4" : "6";
	r = buf_printf(out, "net %s\n", names[net]);
	if (r == 0 && net != POLICY_NET_NONE && f->other)
		r = buf_puts(out, "# internet sockets that no net line can name were made: ports "
				  "are left open\n");
	else if (r == 0 && net != POLICY_NET_NONE)
		r = put_lines(f);
	if (r == 0 && net != POLICY_NET_NONE && !f->other)
		r = put_tests(f);
	if (r == 0 && l->n_sockets > 0)
		r = buf_puts(out, "# Addresses, which no net line has:\n");
	return r < 0 ? r : put_addresses(l, out);
}
