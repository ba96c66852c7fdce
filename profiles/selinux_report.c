// SPDX-License-Identifier: Apache-2.0
/* What SELinux makes of each line. A right on a type holds wherever the type is, and that is most
 * of what there is to say. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/text.h"
#include "profiles/report.h"
#include "profiles/selinux_judge.h"
#include "profiles/selinux_tables.h"

/* Sentences of a note are put together with "; ". */
static int say(struct buf *note, const char *text)
{
	int r = note->len ? buf_puts(note, "; ") : 0;

	return r ? r : buf_puts(note, text);
}

/* --- paths --- */

struct path_line {
	const struct policy *policy;
	const struct policy_path *line;
	const struct path_vars *vars;
	const struct selinux_rights *rights;
	const struct selinux_label *label; /* of the line's own path */
	char path[LIMIT_PATH], spelling[LIMIT_PATH];
};

/* Another place with the type where no line gives as much. */
static const char *also_at(const struct path_line *p, unsigned wanted)
{
	for (size_t i = 0; i < selinux_n_labels; i++) {
		const struct selinux_label *l = &selinux_labels[i];
		const struct policy_path *line;
		char path[LIMIT_PATH];

		if (strcmp(l->type, p->label->type) != 0 ||
		    selinux_row_path(l->path, p->vars, path, sizeof(path)) < 0)
			continue;
		line = path_rule_find(p->policy, p->vars, path);
		if (!line || wanted & ~selinux_verb_rights((enum policy_path_verb)line->verb))
			return l->path;
	}
	return NULL;
}

/* What holds on the line's type beyond its verb: the line that gave it, or the constant part. */
static int say_more(const struct path_line *p, unsigned wanted, bool *weaker, struct buf *note)
{
	const struct selinux_right *own = selinux_right_on(p->rights, p->label->type);
	const unsigned more =
		selinux_effective(p->rights, p->label->type) & ~(wanted | SE_SEARCH | SE_STAT);
	int r;

	if (!own || more == 0)
		return 0;
	*weaker = true;
	r = note->len ? buf_puts(note, "; ") : 0;
	if (r == 0 && more & own->rights) {
		r = report_put_where(p->policy, &own->where, note);
		return r ? r : buf_printf(note, " gives more on %s, the type here", own->type);
	}
	return r ? r
		 : buf_printf(note, "%s has more rights for every %s", own->type,
			      more & own->always ? "process of the reference policy"
						 : "program that a line gives");
}

static int judge_hide(const struct path_line *p, enum coverage *ret, struct buf *note)
{
	bool weaker = false;
	int r = say_more(p, 0, &weaker, note);

	*ret = weaker ? COVERAGE_WEAKER : COVERAGE_ENFORCED;
	return r;
}

static int judge_given(const struct path_line *p, enum coverage *ret, struct buf *note)
{
	const unsigned wanted = selinux_verb_rights((enum policy_path_verb)p->line->verb);
	const char *also = also_at(p, wanted);
	bool weaker = false;
	int r = 0;

	if (p->label->flags & LABEL_NEVER) {
		*ret = COVERAGE_STRICTER;
		return buf_printf(note,
				  "the reference policy forbids %s to all but log-in programs",
				  p->label->type);
	}
	if (strcmp(p->label->path, p->spelling) != 0) {
		weaker = true;
		r = buf_printf(note, "%s is the type of all of '%s'", p->label->type,
			       p->label->path);
	} else if (also) {
		weaker = true;
		r = buf_printf(note, "%s is the type of '%s' too", p->label->type, also);
	}
	r = r ? r : say_more(p, wanted, &weaker, note);
	if (r == 0 && !(p->label->flags & LABEL_FILE))
		r = say(note, "what lies below with a type that the module does not name is "
			      "refused");
	*ret = weaker			      ? COVERAGE_WEAKER
	       : p->label->flags & LABEL_FILE ? COVERAGE_ENFORCED
					      : COVERAGE_STRICTER;
	return r;
}

static int judge_path(const struct policy *policy, const struct profile_target *target,
		      const struct policy_path *line, enum coverage *ret, struct buf *note)
{
	const struct path_vars vars = selinux_vars(target);
	struct path_line p = { .policy = policy, .line = line, .vars = &vars };
	struct selinux_rights rights;
	struct err err = ERR_INIT;
	int r;

	if (path_rule_expand(line, &vars, p.path, sizeof(p.path)) < 0) {
		*ret = COVERAGE_ENFORCED;
		return say(note, "a variable has no value here: the line says nothing");
	}
	if (selinux_spell(&vars, p.path, p.spelling, sizeof(p.spelling)) < 0)
		return -ENAMETOOLONG;
	p.label = selinux_label_of(p.spelling);
	if (line->verb == POLICY_PATH_TMPFS) {
		*ret = COVERAGE_WEAKER;
		return say(note, "every memory file system of the sandbox is alike, and that it is "
				 "empty is the view's");
	}
	r = selinux_rights_of(policy, target, &rights, &err);
	if (r < 0)
		return r;
	p.rights = &rights;
	if (!target->vars.pwd && text_starts_with(line->path, "$PWD"))
		r = say(note, "the working directory is taken to be in a home directory");
	if (r == 0)
		r = line->verb == POLICY_PATH_HIDE ? judge_hide(&p, ret, note)
						   : judge_given(&p, ret, note);
	selinux_rights_done(&rights);
	return r;
}

/* --- network --- */

/* A port with the type that no line of the kind names. */
static bool type_has_more(const struct policy *policy, const struct policy_port *line,
			  const char *type, unsigned *ret_port)
{
	const enum policy_port_protocol protocol = (enum policy_port_protocol)line->protocol;

	for (unsigned port = 1; port <= UINT16_MAX; port++) {
		bool named = false;

		for (size_t i = 0; i < policy->n_ports && !named; i++) {
			const struct policy_port *p = &policy->ports[i];

			named = p->direction == line->direction && p->protocol == protocol &&
				p->first <= port && port <= p->last;
		}
		if (!named && strcmp(selinux_port_type(protocol, (uint16_t)port), type) == 0) {
			*ret_port = port;
			return true;
		}
	}
	return false;
}

static int judge_port(const struct policy *policy, const struct policy_port *line,
		      enum coverage *ret, struct buf *note)
{
	const enum policy_port_protocol protocol = (enum policy_port_protocol)line->protocol;
	const bool bind = line->direction == POLICY_PORT_BIND;
	const char *last = NULL;
	unsigned other;
	int r = 0;

	if (!selinux_opens(policy, protocol == POLICY_PORT_TCP ? SE_TCP : SE_UDP)) {
		*ret = COVERAGE_STRICTER;
		return say(note, "the policy lets no such socket be made");
	}
	*ret = COVERAGE_WEAKER;
	if (!bind && protocol == POLICY_PORT_UDP)
		return say(note, "the port of UDP is asked about at bind alone");
	if (line->families != (POLICY_FAMILY_INET | POLICY_FAMILY_INET6))
		r = say(note, "IPv4 and IPv6 are not told apart");
	if (r == 0 && bind)
		r = say(note, "ports 32768 to 60999, and the kernel's choice, may be bound always");
	for (unsigned port = line->first; port <= line->last && r == 0; port++) {
		const char *type = selinux_port_type(protocol, (uint16_t)port);

		if (type == last)
			continue;
		last = type;
		if (type_has_more(policy, line, type, &other)) {
			r = note->len ? buf_puts(note, "; ") : 0;
			return r ? r
				 : buf_printf(note, "%s, the type of port %u, is that of %u too",
					      type, port, other);
		}
	}
	if (r == 0 && note->len == 0)
		*ret = COVERAGE_ENFORCED;
	return r;
}

static int judge_net(const struct policy *policy, enum coverage *ret, struct buf *note)
{
	switch ((enum policy_net)policy->net) {
	case POLICY_NET_NONE:
		*ret = COVERAGE_STRICTER;
		return say(note, "no internet socket can be made at all");
	case POLICY_NET_LOOPBACK:
		*ret = COVERAGE_WEAKER;
		return say(note, "addresses are not looked at: the network namespace does that");
	case POLICY_NET_HOST:
		*ret = COVERAGE_STRICTER;
		return say(note, "sockets other than TCP, UDP, ping, unix and the interface list "
				 "are refused");
	}
	return 0;
}

/* --- calls --- */

/* Calls whose effect the module refuses even when a line lets them pass. */
static bool is_refused(const char *call)
{
	static const char *const refused[] = {
		"fsconfig",    "fsmount",	  "fsopen",	   "fspick",  "mount",
		"move_mount",  "pivot_root",	  "umount",	   "umount2", "mount_setattr",
		"init_module", "finit_module",	  "delete_module", "swapon",  "swapoff",
		"kexec_load",  "kexec_file_load", "mq_open",
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (strcmp(call, refused[i]) == 0)
			return true;
	}
	return false;
}

static int judge_calls(const struct policy *policy, const struct report_line *line,
		       enum coverage *ret, struct buf *note)
{
	const char *call = report_allows(policy, line, is_refused);

	*ret = call ? COVERAGE_STRICTER : COVERAGE_NOT_ITS_OWN;
	return call ? buf_printf(note, "what %s does is refused: no class for it is given", call)
		    : 0;
}

static int judge_label(const struct policy *policy, const struct report_line *line,
		       enum coverage *ret, struct buf *note)
{
	const char *text = policy->labels[line->index].text;

	*ret = COVERAGE_NOT_ITS_OWN;
	if (line->index != POLICY_LSM_SELINUX || strcmp(text, "none") == 0)
		return 0;
	*ret = COVERAGE_ENFORCED;
	if (strncmp(text, "auto", 4) != 0 || (text[4] && text[4] != ':'))
		return 0;
	*ret = COVERAGE_WEAKER;
	return say(note, "entered where it is loaded; where not, the record says so and the "
			 "program starts without");
}

static int judge_line(const struct policy *policy, const struct profile_target *target,
		      const struct report_line *line, enum coverage *ret, struct buf *note)
{
	switch ((enum report_line_kind)line->kind) {
	case REPORT_CALLS:
		return judge_calls(policy, line, ret, note);
	case REPORT_PATH:
		return judge_path(policy, target, &policy->paths[line->index], ret, note);
	case REPORT_PORT:
		return judge_port(policy, &policy->ports[line->index], ret, note);
	case REPORT_NET:
		return judge_net(policy, ret, note);
	case REPORT_CAP:
		*ret = COVERAGE_ENFORCED;
		return say(note, "over the sandbox's own namespaces; over the host's, all are "
				 "refused");
	case REPORT_LABEL:
		return judge_label(policy, line, ret, note);
	case REPORT_LIMIT:
	case REPORT_ENV:
	case REPORT_KERNEL:
	case REPORT_ABI:
	case REPORT_NOTIFY:
	case REPORT_DEFAULT:
		break;
	}
	*ret = COVERAGE_NOT_ITS_OWN;
	return 0;
}

int selinux_report(const struct policy *policy, const struct profile_target *target,
		   struct report *report, struct err *err)
{
	return report_each(policy, MECHANISM_SELINUX, target, judge_line, report, err);
}
