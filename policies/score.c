// SPDX-License-Identifier: Apache-2.0
#include "policies/score.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/part.h"
#include "policies/places.h"
#include "policies/reach.h"

enum {
	PORTS = 65536,
	CALL_SOME = 1,	  /* a call in reach at all */
	CALL_WHOLE = 1,	  /* and with every argument */
	CAP_ROOT = 10,	  /* a capability that is root by a step */
	CAP_OTHER = 3,	  /* any other */
	NET_HOST = 20,	  /* the host's network namespace: its loopback, its abstract sockets */
	NET_LOOPBACK = 2, /* a network namespace with loopback up */
	NET_HOST_PORTS =
		8 /* all ports of one direction, protocol and family; fewer: in proportion */
};

static const uint8_t unlimited[_POLICY_LIMIT_MAX] = {
	[POLICY_LIMIT_PIDS] = 4,   [POLICY_LIMIT_MEMORY] = 4, [POLICY_LIMIT_CPU] = 1,
	[POLICY_LIMIT_NOFILE] = 1, [POLICY_LIMIT_UPPER] = 2,  [POLICY_LIMIT_INODES] = 1,
	[POLICY_LIMIT_WALL] = 1,
	/* the others are about fairness, or nothing without one of these */
};

const char *score_part_name(enum score_part part)
{
	static const char *const names[_SCORE_MAX] = {
		[SCORE_CALLS] = "calls", [SCORE_DANGERS] = "dangers", [SCORE_FILES] = "files",
		[SCORE_NET] = "net",	 [SCORE_CAPS] = "caps",	      [SCORE_LIMITS] = "limits",
	};

	return names[part];
}

void score_done(struct score *score)
{
	free(score->dangers);
	*score = (struct score){ .total = 0 };
}

static void add_calls(const struct policy *policy, enum abi abi, struct score *s)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < n; i++) {
		enum reach r;

		if (table[i].nr[abi] < 0)
			continue;
		s->calls[abi].all++;
		r = reach_allowed(policy, abi, &table[i], NULL, 0, NULL);
		s->hard = s->hard || r == REACH_HARD;
		if (r == REACH_NO)
			continue;
		s->calls[abi].some++;
		s->points[SCORE_CALLS] += CALL_SOME;
		if (!reach_all_allowed(policy, abi, &table[i]))
			continue;
		s->calls[abi].whole++;
		s->points[SCORE_CALLS] += CALL_WHOLE;
	}
}

static int add_dangers(const struct policy *policy, enum abi abi, struct score *s)
{
	size_t n;
	const struct danger *table = danger_table(&n);

	for (size_t i = 0; i < n; i++) {
		const struct syscall_desc *call = syscall_by_name(table[i].call);
		struct policy_cond pattern[DANGER_TESTS];
		enum reach r;

		if (!call || call->nr[abi] < 0)
			continue;
		r = reach_allowed(policy, abi, call, pattern,
				  danger_pattern(&table[i], call, pattern), NULL);
		s->hard = s->hard || r == REACH_HARD;
		if (r == REACH_NO)
			continue;
		if (list_grow(&s->dangers, s->n_dangers, sizeof(*s->dangers)) < 0)
			return -ENOMEM;
		s->dangers[s->n_dangers++] = (struct score_danger){ &table[i], abi };
		s->points[SCORE_DANGERS] += table[i].weight;
	}
	return 0;
}

static void add_files(const struct policy *policy, struct score *s)
{
	size_t n;
	const struct place *places = places_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (places_granted(policy, &places[i]))
			s->points[SCORE_FILES] += places[i].weight;
	}
}

/* How many ports are open for one direction, protocol and family (policies/model.h says what port
 * lines close). */
static unsigned count_ports(const struct policy *policy, enum policy_port_direction direction,
			    enum policy_port_protocol protocol, uint8_t family)
{
	uint8_t open[PORTS / 8] = { 0 };
	bool named = false, closed = false;
	unsigned n = 0;

	for (size_t i = 0; i < policy->n_ports; i++) {
		const struct policy_port *p = &policy->ports[i];
		bool mine = p->protocol == protocol && p->families & family;

		named = named || mine;
		closed = closed || p->direction == direction;
		for (unsigned port = p->first; mine && p->direction == direction && port <= p->last;
		     port++)
			open[port / 8] |= (uint8_t)(1U << port % 8);
	}
	if (policy->n_ports && !named)
		return 0;
	if (!closed)
		return PORTS;
	for (unsigned port = 0; port < PORTS; port++)
		n += (unsigned)open[port / 8] >> port % 8 & 1U;
	return n;
}

static void add_net(const struct policy *policy, struct score *s)
{
	unsigned ports = 0;

	if (policy->net == POLICY_NET_NONE)
		return;
	if (policy->net == POLICY_NET_LOOPBACK) {
		s->points[SCORE_NET] += NET_LOOPBACK;
		return;
	}
	for (unsigned d = POLICY_PORT_CONNECT; d <= POLICY_PORT_BIND; d++) {
		for (unsigned p = POLICY_PORT_TCP; p <= POLICY_PORT_UDP; p++) {
			for (unsigned f = POLICY_FAMILY_INET; f <= POLICY_FAMILY_INET6; f++)
				ports += count_ports(policy, (enum policy_port_direction)d,
						     (enum policy_port_protocol)p, (uint8_t)f);
		}
	}
	/* rounded up, so that one port is not nothing */
	s->points[SCORE_NET] += NET_HOST + (ports * NET_HOST_PORTS + PORTS - 1) / PORTS;
}

static void add_caps(const struct policy *policy, struct score *s)
{
	size_t n;
	const struct danger_cap *table = danger_caps(&n);

	s->points[SCORE_CAPS] += (uint32_t)__builtin_popcountll(policy->caps) * CAP_OTHER;
	for (size_t i = 0; i < n; i++) {
		if (policy->caps & 1ULL << table[i].cap)
			s->points[SCORE_CAPS] += CAP_ROOT - CAP_OTHER;
	}
}

static int compare_dangers(const void *pa, const void *pb)
{
	const struct score_danger *a = pa, *b = pb;

	if (a->danger->weight != b->danger->weight)
		return a->danger->weight > b->danger->weight ? -1 : 1;
	if (a->danger != b->danger)
		return a->danger < b->danger ? -1 : 1;
	return (int)a->abi - (int)b->abi;
}

int score_policy(const struct policy *policy, struct score *ret)
{
	struct score s = { .total = 0 };
	int r = 0;

	for (unsigned abi = 0; abi < _ABI_MAX && r == 0; abi++) {
		if (!(policy->abi_mask & 1U << abi))
			continue;
		add_calls(policy, (enum abi)abi, &s);
		r = add_dangers(policy, (enum abi)abi, &s);
	}
	if (r < 0) {
		score_done(&s);
		return r;
	}
	add_files(policy, &s);
	add_net(policy, &s);
	add_caps(policy, &s);
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++)
		s.points[SCORE_LIMITS] += policy->has_limit[i] ? 0 : unlimited[i];
	for (unsigned i = 0; i < _SCORE_MAX; i++)
		s.total += s.points[i];
	if (s.n_dangers)
		qsort(s.dangers, s.n_dangers, sizeof(*s.dangers), compare_dangers);
	*ret = s;
	return 0;
}
