// SPDX-License-Identifier: Apache-2.0
/*
 * Ports to the model, and what seccomp has to do with them: a port is for Landlock and the LSMs
 * to judge, but only on sockets of the protocols that they know. What no line names cannot make a
 * socket, so that no other protocol (SCTP, MPTCP, UDP-Lite, raw) goes round a port.
 */
#include <errno.h>
#include <linux/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policies/composer.h"
#include "policies/cond.h"
#include "policies/note.h"

enum { TYPE_MASK = 0xf }; /* SOCK_TYPE_MASK, linux/net.h: the rest are flags */
enum { ARG_DOMAIN, ARG_TYPE, ARG_PROTOCOL };

static struct policy_cond compare(uint8_t arg, enum policy_op op, uint64_t value)
{
	return (struct policy_cond){
		.arg = arg, .op = (uint8_t)op, .width = WIDTH_S32, .value = value
	};
}

static struct policy_cond type_is(uint64_t value, bool negate)
{
	struct policy_cond c = compare(ARG_TYPE, POLICY_MASKED_EQ, value);

	c.mask = TYPE_MASK;
	c.negate = negate;
	return c;
}

static void add_cond(struct policy_rule *rule, struct policy_cond cond)
{
	unsigned at = 0;

	while (at < rule->n_conds && cond_compare(rule->call, &rule->conds[at], &cond) < 0)
		at++;
	memmove(&rule->conds[at + 1], &rule->conds[at],
		(rule->n_conds - at) * sizeof(rule->conds[0]));
	rule->conds[at] = cond;
	rule->n_conds++;
}

/* Unless the policy denies the same case with an answer of its own. */
static void add_rule(struct policy *policy, struct policy_rule *rule)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *own = &policy->rules[i];

		if (own->call == rule->call && own->action == POLICY_DENY &&
		    cond_rank(own, rule) == 0)
			rule->abi_mask &= (uint8_t)~own->abi_mask;
	}
	if (rule->abi_mask)
		policy->rules[policy->n_rules++] = *rule;
}

static struct policy_rule deny_of(const char *call, int errno_value, struct policy_where where)
{
	struct policy_rule rule = { .call = syscall_by_name(call),
				    .action = POLICY_DENY,
				    .errno_value = (uint16_t)errno_value,
				    .where = where };

	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (rule.call->nr[a] >= 0)
			rule.abi_mask |= (uint8_t)(1U << a);
	}
	return rule;
}

/* A protocol's sockets of one family: of no other kind than its own. */
static void close_kinds(struct policy *policy, uint64_t domain, uint64_t type, uint64_t protocol,
			struct policy_where where)
{
	struct policy_rule rule = deny_of("socket", EPERM, where);

	add_cond(&rule, compare(ARG_DOMAIN, POLICY_EQ, domain));
	add_cond(&rule, type_is(type, false));
	add_cond(&rule, compare(ARG_PROTOCOL, POLICY_NE, 0));
	add_cond(&rule, compare(ARG_PROTOCOL, POLICY_NE, protocol));
	add_rule(policy, &rule);
}

static void close_family(struct policy *policy, uint8_t family, uint64_t domain,
			 struct policy_where where)
{
	bool tcp = false, udp = false;
	struct policy_rule rule;

	for (size_t i = 0; i < policy->n_ports; i++) {
		if (!(policy->ports[i].families & family))
			continue;
		tcp = tcp || policy->ports[i].protocol == POLICY_PORT_TCP;
		udp = udp || policy->ports[i].protocol == POLICY_PORT_UDP;
	}
	/* what a kernel without the family would say: programs then take the other one */
	rule = deny_of("socket", tcp || udp ? EPERM : EAFNOSUPPORT, where);
	add_cond(&rule, compare(ARG_DOMAIN, POLICY_EQ, domain));
	if (tcp)
		add_cond(&rule, type_is(SOCK_STREAM, true));
	if (udp)
		add_cond(&rule, type_is(SOCK_DGRAM, true));
	add_rule(policy, &rule);
	if (tcp)
		close_kinds(policy, domain, SOCK_STREAM, IPPROTO_TCP, where);
	if (udp)
		close_kinds(policy, domain, SOCK_DGRAM, IPPROTO_UDP, where);
}

/*
 * A first packet that connects (TCP fast open) asks no LSM for the port: net/ipv4/tcp.c,
 * tcp_sendmsg_fastopen. Programs know the answer of a kernel that has it switched off, and connect.
 */
static void close_fast_open(struct policy *policy, struct policy_where where)
{
	static const struct {
		const char *call;
		uint8_t flags; /* argument */
	} calls[] = { { "sendto", 3 }, { "sendmsg", 2 }, { "sendmmsg", 3 } };
	bool closed = false, any = false;

	for (size_t i = 0; i < policy->n_ports; i++) {
		const struct policy_port *p = &policy->ports[i];

		if (p->direction != POLICY_PORT_CONNECT)
			continue;
		closed = true;
		any = any ||
		      (p->protocol == POLICY_PORT_TCP && p->first == 0 && p->last == UINT16_MAX);
	}
	for (size_t i = 0; closed && !any && i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct policy_rule rule = deny_of(calls[i].call, EOPNOTSUPP, where);
		struct policy_cond cond = compare(calls[i].flags, POLICY_MASKED_EQ, 0);

		cond.width = rule.call->args[calls[i].flags].width;
		cond.mask = MSG_FASTOPEN;
		cond.negate = true;
		add_cond(&rule, cond);
		add_rule(policy, &rule);
	}
}

/* Families of their own that speak to internet addresses, over TCP or UDP that the kernel makes for
 * them and no LSM sees: net/smc/af_smc.c, net/rds/tcp.c, net/rxrpc/local_object.c. */
static void close_others(struct policy *policy, struct policy_where where)
{
	static const uint64_t families[] = { AF_RDS, AF_RXRPC, AF_SMC };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct policy_rule rule = deny_of("socket", EAFNOSUPPORT, where);

		add_cond(&rule, compare(ARG_DOMAIN, POLICY_EQ, families[i]));
		add_rule(policy, &rule);
	}
}

static int compare_ports(const void *a, const void *b)
{
	const struct policy_port *pa = a, *pb = b;

	if (pa->direction != pb->direction)
		return pa->direction < pb->direction ? -1 : 1;
	if (pa->protocol != pb->protocol)
		return pa->protocol < pb->protocol ? -1 : 1;
	if (pa->first != pb->first)
		return pa->first < pb->first ? -1 : 1;
	if (pa->families != pb->families)
		return pa->families < pb->families ? -1 : 1;
	if (pa->last != pb->last)
		return pa->last < pb->last ? -1 : 1;
	return where_compare(pa->where, pb->where);
}

static bool same(const struct policy_port *a, const struct policy_port *b)
{
	return a->direction == b->direction && a->protocol == b->protocol && a->first == b->first &&
	       a->families == b->families && a->last == b->last;
}

static int copy_ports(struct policy *policy, const struct merged *m)
{
	policy->ports = calloc(m->n_ports, sizeof(*policy->ports));
	if (!policy->ports)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_ports; i++)
		policy->ports[i] = *m->ports[i];
	qsort(policy->ports, m->n_ports, sizeof(*policy->ports), compare_ports);
	for (size_t i = 0; i < m->n_ports; i++) {
		if (policy->n_ports == 0 ||
		    !same(&policy->ports[policy->n_ports - 1], &policy->ports[i]))
			policy->ports[policy->n_ports++] = policy->ports[i];
	}
	return 0;
}

int compose_ports(struct composer *c, const struct merged *m)
{
	struct policy *policy = c->policy;
	struct policy_rule rule;
	struct policy_where first;
	int r;

	if (m->n_ports == 0)
		return 0;
	r = copy_ports(policy, m);
	if (r < 0)
		return r;
	first = policy->ports[0].where;
	for (size_t i = 1; i < policy->n_ports; i++) {
		if (where_compare(policy->ports[i].where, first) < 0)
			first = policy->ports[i].where;
	}
	if (policy->net == POLICY_NET_NONE) {
		diag_error(c->d, first, "there is no network to have ports in: net is none%s",
			   m->scalars[SCALAR_NET].set ? "" : " where nothing is said");
		diag_hint(c->d, "add: net host (or net loopback)");
		return -EBADMSG;
	}
	close_family(policy, POLICY_FAMILY_INET, AF_INET, first);
	close_family(policy, POLICY_FAMILY_INET6, AF_INET6, first);
	close_fast_open(policy, first);
	close_others(policy, first);
	/* socket(2) by its number in memory, where no filter sees what is made; and by a ring */
	rule = deny_of("socketcall", EPERM, first);
	add_rule(policy, &rule);
	rule = deny_of("io_uring_setup", EPERM, first);
	add_rule(policy, &rule);
	return 0;
}
