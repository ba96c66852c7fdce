// SPDX-License-Identifier: Apache-2.0
/* What Landlock makes of each line: exactly, and so mostly "the view does the rest". */
#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"
#include "profiles/landlock.h"
#include "profiles/landlock_judge.h"
#include "profiles/landlock_rules.h"
#include "profiles/report.h"

/* Sentences of a note are put together with "; ". */
static int say(struct buf *note, const char *text)
{
	int r = note->len ? buf_puts(note, "; ") : 0;

	return r ? r : buf_puts(note, text);
}

/* A line above that grants what this one does not. */
static const struct landlock_rule *granted_above(const struct landlock_rules *rules,
						 const char *place, uint64_t rights)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (!rules->rules[i].launch && path_is_within(place, rules->rules[i].place) &&
		    rules->rules[i].rights & ~rights)
			return &rules->rules[i];
	}
	return NULL;
}

static int say_above(const struct policy *policy, const struct landlock_rule *above,
		     const char *what, struct buf *note)
{
	int r = note->len ? buf_puts(note, "; ") : 0;

	r = r ? r : report_put_where(policy, &above->where, note);
	return r ? r
		 : buf_printf(note,
			      " grants %s on '%s', and rules only add: the view enforces this line",
			      what, above->place);
}

/* What the ABI lacks for a line that lets less than write. */
static int say_losses(int abi, enum policy_path_verb verb, struct buf *note)
{
	const bool writes = verb == POLICY_PATH_WRITE || verb == POLICY_PATH_TMPFS;
	int r = 0;

	if (!writes)
		r = say(note, "mode, owner, times and extended attributes are not mediated");
	if (r == 0 && verb == POLICY_PATH_HIDE)
		r = say(note, "its existence and attributes stay visible");
	if (r == 0 && verb == POLICY_PATH_READ)
		r = say(note, "mapping a file as code is not mediated");
	if (r == 0 && !writes && abi < 3)
		r = say(note, "truncation is not mediated before ABI 3");
	if (r == 0 && !writes && abi < 9)
		r = say(note, "unix sockets can be connected to before ABI 9");
	return r;
}

static int judge_path(const struct policy *policy, const struct profile_target *target,
		      const struct policy_path *line, enum coverage *ret, struct buf *note)
{
	const enum policy_path_verb verb = (enum policy_path_verb)line->verb;
	const int abi = target->landlock_abi;
	const struct landlock_rule *above;
	struct landlock_rules rules = { .n = 0 };
	struct err err = ERR_INIT;
	char place[LIMIT_PATH];
	int r;

	if (path_rule_expand(line, &target->vars, place, sizeof(place)) < 0) {
		*ret = COVERAGE_ENFORCED;
		return say(note, "a variable has no value here: the line says nothing");
	}
	r = landlock_rules_of(policy, target, &rules, &err);
	if (r < 0)
		return r;
	above = granted_above(&rules, place, landlock_verb_rights(verb, abi));
	*ret = COVERAGE_ENFORCED;
	if (above) {
		*ret = COVERAGE_WEAKER;
		r = say_above(policy, above, verb == POLICY_PATH_HIDE ? "access" : "more", note);
	}
	if (r == 0 && verb == POLICY_PATH_TMPFS) {
		*ret = COVERAGE_WEAKER;
		r = say(note, "that it is empty is the view's");
	}
	if (r == 0 && verb != POLICY_PATH_WRITE && verb != POLICY_PATH_TMPFS)
		*ret = COVERAGE_WEAKER;
	if (r == 0)
		r = say_losses(abi, verb, note);
	if (r == 0 && verb == POLICY_PATH_WRITE && abi < 2) {
		if (*ret == COVERAGE_ENFORCED)
			*ret = COVERAGE_STRICTER;
		r = say(note, "renaming and linking between directories is refused before ABI 2");
	}
	landlock_rules_done(&rules);
	return r;
}

/* A line closes its direction for the other protocol too, where sockets of that can be made. */
static bool closes_the_other(const struct policy *policy, int abi, const struct policy_port *port)
{
	const enum policy_port_direction direction = (enum policy_port_direction)port->direction;
	const enum policy_port_protocol other =
		port->protocol == POLICY_PORT_TCP ? POLICY_PORT_UDP : POLICY_PORT_TCP;

	return landlock_ports(policy->ports, policy->n_ports, direction, other) !=
		       LANDLOCK_PORTS_OPEN &&
	       landlock_net_right(abi, direction, other) == 0;
}

static bool needs_a_port_to_send(const struct policy *policy, int abi)
{
	if (landlock_net_right(abi, POLICY_PORT_BIND, POLICY_PORT_UDP) == 0 ||
	    landlock_ports(policy->ports, policy->n_ports, POLICY_PORT_BIND, POLICY_PORT_UDP) !=
		    LANDLOCK_PORTS_RULES)
		return false;
	for (size_t i = 0; i < policy->n_ports; i++) {
		const struct policy_port *p = &policy->ports[i];

		if (p->direction == POLICY_PORT_BIND && p->protocol == POLICY_PORT_UDP &&
		    p->first == 0)
			return false;
	}
	return true;
}

static int judge_port(const struct policy *policy, int abi, const struct policy_port *port,
		      enum coverage *ret, struct buf *note)
{
	const enum policy_port_direction direction = (enum policy_port_direction)port->direction;
	const enum policy_port_protocol protocol = (enum policy_port_protocol)port->protocol;
	const bool bind = direction == POLICY_PORT_BIND, udp = protocol == POLICY_PORT_UDP;

	if (closes_the_other(policy, abi, port)) {
		*ret = COVERAGE_NONE;
		return buf_printf(note,
				  "it closes %s for %s too, over which ABI %d has no right; a "
				  "launch is refused unless a line says `any` of it",
				  bind ? "bind" : "connect", udp ? "TCP" : "UDP", abi);
	}
	/* also where every port may be sent to */
	if (!bind && udp && needs_a_port_to_send(policy, abi)) {
		*ret = COVERAGE_STRICTER;
		return say(note, "a socket that is not bound needs `net bind udp 0` too, as the "
				 "kernel binds it to send");
	}
	switch (landlock_ports(policy->ports, policy->n_ports, direction, protocol)) {
	case LANDLOCK_PORTS_OPEN:
		*ret = COVERAGE_ENFORCED;
		return say(note, "nothing is left to refuse");
	case LANDLOCK_PORTS_MIXED:
		*ret = COVERAGE_NONE;
		return say(note, "IPv4 and IPv6 have different ports, which Landlock does not tell "
				 "apart; a launch is refused");
	case LANDLOCK_PORTS_RULES:
		break;
	}
	if (landlock_net_right(abi, direction, protocol) == 0) {
		*ret = COVERAGE_NONE;
		return buf_printf(note, "ABI %d has no right over %s ports; a launch is refused",
				  abi, udp ? "UDP" : "TCP");
	}
	*ret = COVERAGE_ENFORCED;
	if (bind && !udp) {
		*ret = COVERAGE_WEAKER;
		return say(note, "listen(2) on a socket that was not bound takes a port of the "
				 "kernel's choice");
	}
	return 0;
}

static int judge_calls(const struct policy *policy, const struct report_line *line,
		       enum coverage *ret, struct buf *note)
{
	const char *call = report_allows(policy, line, landlock_refuses);

	*ret = call ? COVERAGE_STRICTER : COVERAGE_NOT_ITS_OWN;
	return call ? buf_printf(note, "%s is refused, which no rule can change", call) : 0;
}

static int judge_line(const struct policy *policy, const struct profile_target *target,
		      const struct report_line *line, enum coverage *ret, struct buf *note)
{
	const int abi = target->landlock_abi;

	if ((line->kind == REPORT_PATH || line->kind == REPORT_PORT) && abi < 1) {
		*ret = COVERAGE_NONE;
		return say(note, "there is no Landlock");
	}
	if (line->kind == REPORT_CALLS && abi >= 1)
		return judge_calls(policy, line, ret, note);
	if (line->kind == REPORT_PATH)
		return judge_path(policy, target, &policy->paths[line->index], ret, note);
	if (line->kind == REPORT_PORT && policy->net != POLICY_NET_NONE)
		return judge_port(policy, abi, &policy->ports[line->index], ret, note);
	if (line->kind == REPORT_NET && policy->net == POLICY_NET_NONE) {
		*ret = abi >= 4 ? COVERAGE_WEAKER : COVERAGE_NONE;
		return say(note, abi >= 4 ? "TCP alone: the network namespace does the rest"
					  : "the network namespace enforces it");
	}
	*ret = COVERAGE_NOT_ITS_OWN;
	return 0;
}

int landlock_report(const struct policy *policy, const struct profile_target *target,
		    struct report *report, struct err *err)
{
	return report_each(policy, MECHANISM_LANDLOCK, target, judge_line, report, err);
}

const struct mechanism_ops landlock_mechanism = {
	.report = landlock_report,
	.judge = landlock_judge,
	.emit = landlock_emit,
};
