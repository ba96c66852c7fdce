// SPDX-License-Identifier: Apache-2.0
/*
 * The policy's ports become rules of Landlock. What Landlock cannot enforce is refused here, with
 * the line that asked for it: a port that is only said to be closed is worse than none.
 */
#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "profiles/landlock.h"
#include "sandbox/plan.h"

struct pair {
	enum policy_port_direction direction;
	enum policy_port_protocol protocol;
};
static const struct pair pairs[] = {
	{ POLICY_PORT_CONNECT, POLICY_PORT_TCP },
	{ POLICY_PORT_CONNECT, POLICY_PORT_UDP },
	{ POLICY_PORT_BIND, POLICY_PORT_TCP },
	{ POLICY_PORT_BIND, POLICY_PORT_UDP },
};

static const char *direction_name(enum policy_port_direction direction)
{
	return direction == POLICY_PORT_CONNECT ? "connect" : "bind";
}

static const char *protocol_name(enum policy_port_protocol protocol)
{
	return protocol == POLICY_PORT_TCP ? "tcp" : "udp";
}

static const char *why(struct plan *plan, const struct bundle_port *line)
{
	const char *slash = line->file ? strrchr(line->file, '/') : NULL;

	return plan_text(plan, "%s:%u",
			 slash	      ? slash + 1
			 : line->file ? line->file
				      : "policy",
			 line->line);
}

/* The line to blame: one of the pair, else one of the direction, which closes it. */
static const char *blame(struct plan *plan, const struct pair *pair)
{
	struct bundle_port line, best = { .file = NULL };
	bool found = false;
	const char *text;

	for (size_t i = 0; i < bundle_n_ports(plan->bundle); i++) {
		bundle_port(plan->bundle, i, &line);
		if (line.direction != pair->direction || (found && line.protocol != pair->protocol))
			continue;
		if (!found || best.protocol != pair->protocol)
			best = line;
		found = true;
	}
	text = why(plan, &best);
	return text ? text : "a net line";
}

static int refuse_kernel(struct plan *plan, const struct pair *pair, struct err *err)
{
	const bool udp = pair->protocol == POLICY_PORT_UDP;

	(void)err_refuse(err, "obey %s: this kernel cannot hold `net %s %s` to ports: %s",
			 blame(plan, pair), direction_name(pair->direction),
			 protocol_name(pair->protocol),
			 plan->landlock_abi > 0 ? "its Landlock is too old" : "it has no Landlock");
	return err_hint(err, "say `net %s %s any`, or use Linux %s or newer with Landlock",
			direction_name(pair->direction), protocol_name(pair->protocol),
			udp ? "7.2" : "6.7");
}

static int refuse_families(struct plan *plan, const struct pair *pair, struct err *err)
{
	const char *protocol = protocol_name(pair->protocol);

	(void)err_refuse(err,
			 "obey %s: `net %s %s` has different ports for IPv4 and IPv6, which "
			 "Landlock does not tell apart",
			 blame(plan, pair), direction_name(pair->direction), protocol);
	return err_hint(err, "say %s instead of %s4 and %s6, or leave one family out everywhere",
			protocol, protocol, protocol);
}

static int add_line(struct plan *plan, const struct bundle_port *line, uint64_t right, size_t *used,
		    struct err *err)
{
	struct plan_port *p = &plan->ports[plan->n_ports];

	p->right = right;
	p->first = line->first;
	p->last = line->last;
	p->why = why(plan, line);
	if (!p->why)
		return err_set(err, -ENOMEM, "plan the ports");
	plan->n_ports++;
	*used += (size_t)(line->last - line->first) + 1;
	if (*used <= PLAN_PORT_RULES)
		return 0;
	(void)err_refuse(err, "obey %s: more than %d ports in all net lines", p->why,
			 PLAN_PORT_RULES);
	return err_hint(err, "each port is a rule that the kernel keeps; say `any`, or name fewer");
}

static int add_pair(struct plan *plan, const struct policy_port *ports, size_t n,
		    const struct pair *pair, size_t *used, struct err *err)
{
	const uint64_t right =
		landlock_net_right(plan->landlock_abi, pair->direction, pair->protocol);
	int r = 0;

	switch (landlock_ports(ports, n, pair->direction, pair->protocol)) {
	case LANDLOCK_PORTS_OPEN:
		return 0;
	case LANDLOCK_PORTS_MIXED:
		return refuse_families(plan, pair, err);
	case LANDLOCK_PORTS_RULES:
		break;
	}
	if (right == 0)
		return refuse_kernel(plan, pair, err);
	plan->landlock_net |= right;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct bundle_port line;

		bundle_port(plan->bundle, i, &line);
		if (line.direction == pair->direction && line.protocol == pair->protocol)
			r = add_line(plan, &line, right, used, err);
	}
	return r;
}

int plan_ports(struct plan *plan, struct err *err)
{
	const size_t n = bundle_n_ports(plan->bundle);
	struct policy_port *ports;
	size_t used = 0;
	int r = 0;

	/* A namespace without an interface that is up has no ports to speak of. */
	if (plan->net == POLICY_NET_NONE) {
		plan->landlock_net =
			landlock_net_right(plan->landlock_abi, POLICY_PORT_CONNECT,
					   POLICY_PORT_TCP) |
			landlock_net_right(plan->landlock_abi, POLICY_PORT_BIND, POLICY_PORT_TCP);
		return 0;
	}
	if (n == 0)
		return 0;
	ports = plan_alloc(plan, n * sizeof(*ports));
	plan->ports = plan_alloc(plan, n * sizeof(*plan->ports));
	if (!ports || !plan->ports)
		return err_set(err, -ENOMEM, "plan the ports");
	for (size_t i = 0; i < n; i++) {
		struct bundle_port line;

		bundle_port(plan->bundle, i, &line);
		ports[i] = (struct policy_port){ .direction = line.direction,
						 .protocol = line.protocol,
						 .families = line.families,
						 .first = line.first,
						 .last = line.last };
	}
	for (size_t i = 0; i < ARRAY_SIZE(pairs) && r == 0; i++)
		r = add_pair(plan, ports, n, &pairs[i], &used, err);
	return r;
}
