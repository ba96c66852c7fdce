// SPDX-License-Identifier: Apache-2.0
/* What a profile makes of each line, and what it cannot say. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/path.h"
#include "profiles/apparmor.h"
#include "profiles/apparmor_gen.h"
#include "profiles/report.h"

struct answer {
	enum coverage coverage;
	const char *note;
};

#define not_its_own ((struct answer){ COVERAGE_NOT_ITS_OWN, NULL })

/* --- paths --- */

/* A place that is not known: no rule is written for it, and others may reach it. */
static struct answer unknown_place(const struct policy *policy, const struct policy_path *line)
{
	const unsigned given = path_rule_gives((enum policy_path_verb)line->verb);

	for (size_t i = 0; i < policy->n_paths; i++) {
		if (path_rule_gives((enum policy_path_verb)policy->paths[i].verb) & ~given)
			return (struct answer){
				COVERAGE_WEAKER, "the place is known at a launch only: it has what "
						 "other lines give to places above it, and no more"
			};
	}
	return (struct answer){ COVERAGE_STRICTER, "the place is known at a launch only: nothing "
						   "is granted there" };
}

static struct answer on_path(const struct policy *policy, const struct profile_target *target,
			     const struct aa_facts *facts, const struct policy_path *line)
{
	const bool home = line->path[0] == '~' && !target->vars.home;
	struct path_vars vars = target->vars;
	char path[LIMIT_PATH];

	if (home)
		vars.home = "/root";
	if (path_rule_expand(line, &vars, path, sizeof(path)) < 0)
		return unknown_place(policy, line);
	if (text_starts_with(path, "/proc/") && line->verb != POLICY_PATH_HIDE)
		return (struct answer){ COVERAGE_NONE, "/proc is the sandbox's own: a launch "
						       "refuses the line" };
	if (line->path[0] == '$' && line->path[1] == '{' && !vars.lookup)
		return (struct answer){ COVERAGE_WEAKER, "holds for the variable's default, "
							 "whatever a launch puts for it" };
	switch ((enum policy_path_verb)line->verb) {
	case POLICY_PATH_HIDE:
		return (struct answer){ COVERAGE_WEAKER, "opening, executing and changing are "
							 "refused; that the name is there, and its "
							 "attributes, are not hidden" };
	case POLICY_PATH_TMPFS:
		if (home)
			break;
		return (struct answer){ COVERAGE_WEAKER, "lets the place be written; that it is "
							 "empty and thrown away is the view's" };
	case POLICY_PATH_WRITE:
		if (home)
			break;
		return (struct answer){ COVERAGE_ENFORCED, NULL };
	case POLICY_PATH_READ:
	case POLICY_PATH_EXEC:
		if (home)
			break;
		return (struct answer){
			COVERAGE_WEAKER,
			line->verb == POLICY_PATH_EXEC && !facts->executes
				? "times and extended attributes are not mediated; nothing can be "
				  "executed, as no call that executes is allowed"
				: "times and extended attributes are not mediated"
		};
	}
	return (struct answer){ COVERAGE_WEAKER, "~ stands for each directory of /home and for "
						 "/root: the profile serves every user" };
}

/* --- calls --- */

enum mediation {
	CLASS_NONE,
	CLASS_MOUNT,
	CLASS_UMOUNT,
	CLASS_PIVOT,
	CLASS_TRACE,
	CLASS_SIGNAL,
	CLASS_SOCKET,
	CLASS_NAMESPACE,
	CLASS_EXEC,
	CLASS_QUEUE,
	CLASS_RING,
};

static const struct {
	const char *call;
	enum mediation class;
} mediated[] = {
	{ "clone", CLASS_NAMESPACE },
	{ "clone3", CLASS_NAMESPACE },
	{ "execve", CLASS_EXEC },
	{ "execveat", CLASS_EXEC },
	{ "io_uring_setup", CLASS_RING },
	{ "kill", CLASS_SIGNAL },
	{ "mount", CLASS_MOUNT },
	{ "move_mount", CLASS_MOUNT },
	{ "mq_open", CLASS_QUEUE },
	{ "mq_unlink", CLASS_QUEUE },
	{ "pidfd_getfd", CLASS_TRACE },
	{ "pidfd_send_signal", CLASS_SIGNAL },
	{ "pivot_root", CLASS_PIVOT },
	{ "process_vm_readv", CLASS_TRACE },
	{ "process_vm_writev", CLASS_TRACE },
	{ "ptrace", CLASS_TRACE },
	{ "rt_sigqueueinfo", CLASS_SIGNAL },
	{ "rt_tgsigqueueinfo", CLASS_SIGNAL },
	{ "socket", CLASS_SOCKET },
	{ "socketcall", CLASS_SOCKET },
	{ "socketpair", CLASS_SOCKET },
	{ "tgkill", CLASS_SIGNAL },
	{ "tkill", CLASS_SIGNAL },
	{ "umount", CLASS_UMOUNT },
	{ "umount2", CLASS_UMOUNT },
	{ "unshare", CLASS_NAMESPACE },
};

static enum mediation class_of(const struct policy_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(mediated); i++) {
		if (strcmp(mediated[i].call, rule->call->name) == 0)
			return mediated[i].class;
	}
	return CLASS_NONE;
}

static bool is_open(enum mediation class, const struct aa_facts *facts)
{
	switch (class) {
	case CLASS_MOUNT:
		return facts->mounts;
	case CLASS_UMOUNT:
		return facts->unmounts;
	case CLASS_PIVOT:
		return facts->pivots;
	case CLASS_TRACE:
		return facts->traces;
	case CLASS_SIGNAL:
		return facts->signals;
	case CLASS_EXEC:
		return facts->executes;
	case CLASS_NAMESPACE:
		return facts->makes_userns;
	case CLASS_QUEUE:
		return facts->queues;
	case CLASS_RING:
		return facts->rings;
	case CLASS_SOCKET:
	case CLASS_NONE:
		break;
	}
	return false;
}

/* Whether it speaks of the family and the type alone, which is all that a network rule knows. */
static bool is_coarse(const struct policy_rule *rule)
{
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		if (rule->conds[i].arg > 1)
			return false;
	}
	return true;
}

static struct answer on_socket(const struct policy *policy, const struct aa_facts *facts,
			       const struct policy_rule *rule)
{
	if (facts->any_socket)
		return (struct answer){ COVERAGE_NONE, "socketcall is open: it has the family in "
						       "memory" };
	if (!is_coarse(rule))
		return (struct answer){ COVERAGE_WEAKER,
					"network rules know families and types, no protocols" };
	if (policy->net == POLICY_NET_NONE && rule->action == POLICY_ALLOW)
		return (struct answer){ COVERAGE_STRICTER,
					"with net none there is no internet socket at all" };
	return (struct answer){ COVERAGE_ENFORCED,
				rule->action == POLICY_ALLOW ? NULL : "answers EACCES" };
}

static struct answer on_rule(const struct policy *policy, const struct profile_target *target,
			     const struct aa_facts *facts, const struct policy_rule *rule)
{
	const enum mediation class = class_of(rule);

	if (class == CLASS_NONE)
		return not_its_own;
	if (class == CLASS_SOCKET)
		return on_socket(policy, facts, rule);
	if (target->apparmor_abi < 40 && rule->action == POLICY_ALLOW &&
	    strcmp(rule->call->name, "mq_open") == 0)
		return (struct answer){ COVERAGE_STRICTER,
					"a message queue has no path, and is refused" };
	if (target->apparmor_abi < 40 &&
	    (class == CLASS_NAMESPACE || class == CLASS_QUEUE || class == CLASS_RING))
		return (struct answer){ COVERAGE_NOT_ITS_OWN, "mediated from ABI 4.0 on" };
	if (rule->action != POLICY_ALLOW && (class == CLASS_QUEUE || class == CLASS_RING))
		return (struct answer){ COVERAGE_WEAKER,
					"only kernels with that mediation hold it" };
	if (class == CLASS_NAMESPACE && (rule->action != POLICY_ALLOW || rule->n_conds > 0))
		return (struct answer){ COVERAGE_WEAKER,
					"of namespaces only user namespaces are mediated" };
	if (rule->action != POLICY_ALLOW && is_open(class, facts))
		return (struct answer){ COVERAGE_WEAKER, "its class stays open: another rule "
							 "allows such a call" };
	if (rule->action == POLICY_ALLOW && rule->n_conds > 0)
		return (struct answer){ COVERAGE_WEAKER, "values of arguments are not mediated" };
	if (class == CLASS_SIGNAL && rule->action == POLICY_ALLOW)
		return (struct answer){ COVERAGE_STRICTER,
					"only to processes in the same profile" };
	if (class == CLASS_TRACE && rule->action == POLICY_ALLOW)
		return (struct answer){ COVERAGE_STRICTER,
					"only of processes in the same profile" };
	return (struct answer){ COVERAGE_ENFORCED,
				rule->action == POLICY_ALLOW ? NULL : "answers EACCES or EPERM" };
}

/* The line's rules: one that is weaker makes the line weaker, and so on. */
static struct answer on_calls(const struct policy *policy, const struct profile_target *target,
			      const struct aa_facts *facts, const struct policy_where *where)
{
	static const enum coverage worst[] = { COVERAGE_NONE, COVERAGE_WEAKER, COVERAGE_STRICTER,
					       COVERAGE_ENFORCED };
	struct answer found[COVERAGE_NOT_ITS_OWN + 1] = { not_its_own };
	bool seen[COVERAGE_NOT_ITS_OWN + 1] = { false };

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		struct answer a;

		if (rule->where.source != where->source || rule->where.line != where->line)
			continue;
		a = on_rule(policy, target, facts, rule);
		if (!seen[a.coverage])
			found[a.coverage] = a;
		seen[a.coverage] = true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(worst); i++) {
		if (seen[worst[i]])
			return found[worst[i]];
	}
	return not_its_own;
}

/* --- the rest --- */

static struct answer on_port(const struct policy *policy, const struct aa_facts *facts,
			     const struct policy_port *port)
{
	const unsigned type = port->protocol == POLICY_PORT_UDP ? SOCK_DGRAM : SOCK_STREAM;

	if (!aa_has_socket(policy, facts, AF_INET, type) &&
	    !aa_has_socket(policy, facts, AF_INET6, type))
		return (struct answer){ COVERAGE_STRICTER, "no such socket can be made" };
	return (struct answer){ COVERAGE_WEAKER, "family and type are enforced; no released kernel "
						 "has rules for ports" };
}

static struct answer on_net(const struct policy *policy)
{
	switch ((enum policy_net)policy->net) {
	case POLICY_NET_NONE:
		return (struct answer){ COVERAGE_STRICTER, "internet sockets cannot even be made" };
	case POLICY_NET_LOOPBACK:
		return (struct answer){ COVERAGE_NONE, "network rules know no addresses: the "
						       "network namespace is the border" };
	case POLICY_NET_HOST:
		break;
	}
	return not_its_own;
}

/* The line says that this mechanism is entered; what that is worth, the other lines say. */
static struct answer on_label(const struct policy *policy, const struct report_line *line)
{
	const struct policy_label *label = &policy->labels[line->index];

	if (line->index != POLICY_LSM_APPARMOR || strcmp(label->text, "none") == 0)
		return not_its_own;
	if (strcmp(label->text, "auto") == 0)
		return (struct answer){ COVERAGE_WEAKER,
					"entered where it is loaded; where not, the record says "
					"so and the program starts without" };
	return (struct answer){ COVERAGE_ENFORCED, NULL };
}

static struct answer on_line(const struct policy *policy, const struct profile_target *target,
			     const struct aa_facts *facts, const struct report_line *line)
{
	switch ((enum report_line_kind)line->kind) {
	case REPORT_CALLS:
		return on_calls(policy, target, facts, &line->where);
	case REPORT_PATH:
		return on_path(policy, target, facts, &policy->paths[line->index]);
	case REPORT_PORT:
		return on_port(policy, facts, &policy->ports[line->index]);
	case REPORT_NET:
		return on_net(policy);
	case REPORT_CAP:
		return (struct answer){ COVERAGE_ENFORCED, NULL };
	case REPORT_DEFAULT:
		return (struct answer){ COVERAGE_NOT_ITS_OWN, "answers EACCES, or EPERM for "
							      "capabilities and tracing" };
	case REPORT_LABEL:
		return on_label(policy, line);
	case REPORT_LIMIT:
	case REPORT_ENV:
	case REPORT_KERNEL:
	case REPORT_ABI:
	case REPORT_NOTIFY:
		break;
	}
	return not_its_own;
}

static int aa_report(const struct policy *policy, const struct profile_target *target,
		     struct report *report, struct err *err)
{
	struct report_lines lines;
	struct aa_facts facts;
	int r = report_lines_of(policy, &lines);

	if (r < 0)
		return err_set(err, r, "report on policy '%s'", policy->name);
	aa_facts_find(policy, &facts);
	for (size_t i = 0; i < lines.n && r == 0; i++) {
		struct answer a = on_line(policy, target, &facts, &lines.lines[i]);

		r = report_add(report, MECHANISM_APPARMOR, lines.lines[i].where, a.coverage,
			       lines.lines[i].subject, a.note ? "%s" : NULL, a.note);
	}
	report_lines_done(&lines);
	return r < 0 ? err_set(err, r, "report on policy '%s'", policy->name) : 0;
}

const struct mechanism_ops apparmor_mechanism = {
	.report = aa_report,
	.judge = aa_judge,
	.emit = apparmor_generate,
};
