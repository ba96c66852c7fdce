// SPDX-License-Identifier: Apache-2.0
/*
 * Each step is made on a copy of the model, then all judges are asked again: what is advised has
 * been tried, and nothing is advised that another line would undo.
 */
#include "cli/policy_advice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/text.h"
#include "cli/policy_call.h"
#include "policies/cond.h"
#include "policies/consts.h"
#include "policies/suggest.h"

enum { ROOM = 64 }; /* lines that are added at most */

struct work {
	struct policy policy; /* the copy; its lists are ours, what they point to is not */
	const struct profile_target *target;
	const struct attempt *attempt;
	struct advice advice;
	char *texts[ROOM]; /* paths of lines that were added */
	size_t n_texts;
};

void advice_done(struct advice *advice)
{
	for (size_t i = 0; i < advice->n; i++) {
		free(advice->steps[i].text);
		free(advice->steps[i].opens);
	}
	*advice = (struct advice){ .n = 0 };
}

unsigned advice_mechanisms(const struct profile_target *target)
{
	return 1U << MECHANISM_SECCOMP | 1U << MECHANISM_VIEW | 1U << MECHANISM_CAPABILITIES |
	       1U << MECHANISM_LIMITS | (target->landlock_abi > 0 ? 1U << MECHANISM_LANDLOCK : 0U);
}

static void work_done(struct work *w)
{
	for (size_t i = 0; i < w->n_texts; i++)
		free(w->texts[i]);
	free(w->policy.rules);
	free(w->policy.paths);
	free(w->policy.ports);
	advice_done(&w->advice);
}

static int copy_list(const void *from, size_t n, size_t size, void *ret)
{
	void **to = ret;

	*to = calloc(n + ROOM, size);
	if (!*to)
		return -ENOMEM;
	if (n > 0)
		memcpy(*to, from, n * size);
	return 0;
}

static int work_begin(struct work *w, const struct policy *policy)
{
	int r;

	w->policy = *policy;
	w->policy.rules = NULL;
	w->policy.paths = NULL;
	w->policy.ports = NULL;
	r = copy_list(policy->rules, policy->n_rules, sizeof(*policy->rules), &w->policy.rules);
	r = r ? r
	      : copy_list(policy->paths, policy->n_paths, sizeof(*policy->paths), &w->policy.paths);
	return r ? r
		 : copy_list(policy->ports, policy->n_ports, sizeof(*policy->ports),
			     &w->policy.ports);
}

__attribute__((format(printf, 5, 6))) static int add_step(struct work *w, enum advice_edit edit,
							  struct policy_where where,
							  const char *opens, const char *fmt, ...)
{
	struct advice_step *s = &w->advice.steps[w->advice.n];
	va_list ap;
	int n;

	if (w->advice.n == ADVICE_STEPS)
		return -E2BIG;
	*s = (struct advice_step){ .edit = (uint8_t)edit, .where = where };
	va_start(ap, fmt);
	n = vasprintf(&s->text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return s->text = NULL, -ENOMEM;
	w->advice.n++;
	s->opens = strdup(opens);
	return s->opens ? 0 : -ENOMEM;
}

/* A line that is said once: in the file asked for it is changed, over another's it is written. */
static int set_once(struct work *w, enum policy_setting setting, const char *opens,
		    const char *line)
{
	struct policy_where where = w->policy.setting_where[setting];

	return add_step(w, where.line && where.source == 0 ? ADVICE_CHANGE : ADVICE_ADD, where,
			opens, "%s", line);
}

/* --- calls --- */

/* As cond_text(), with the names that a policy has for the values: flags that are tested together
 * and what is left of a value behind a mask. */
static int put_cond(struct buf *out, const struct syscall_desc *call,
		    const struct policy_cond *cond)
{
	const bool masked = cond->op == POLICY_MASKED_EQ;
	char text[COND_TEXT];
	int r;

	if (!masked && cond->op != POLICY_EQ && cond->op != POLICY_NE) {
		cond_text(call, cond, text);
		return buf_puts(out, text);
	}
	r = buf_puts(out, call->args[cond->arg].name);
	if (r == 0 && masked) {
		r = buf_puts(out, " & ");
		r = r		       ? r
		    : cond->value == 0 ? call_value(out, call, cond->arg, cond->mask)
				       : buf_printf(out, "0x%" PRIx64, cond->mask);
	}
	r = r ? r : buf_puts(out, cond->op == POLICY_NE || cond->negate ? " != " : " == ");
	if (r == 0 && masked && cond->value == 0)
		return buf_puts(out, "0");
	return r ? r : call_value(out, call, cond->arg, cond->value);
}

static int put_conds(struct buf *out, const struct policy_rule *rule)
{
	int r = 0;

	for (uint8_t i = 0; i < rule->n_conds && r == 0; i++) {
		r = buf_puts(out, i ? " and " : " if ");
		r = r ? r : put_cond(out, rule->call, &rule->conds[i]);
	}
	return r;
}

static bool same_line(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->call == b->call && a->where.line == b->where.line &&
	       a->where.source == b->where.source && a->action == b->action;
}

/* A deny or kill line goes, as far as it speaks of this call. */
static int remove_rule(struct work *w, const struct policy_rule *rule)
{
	static const char *const actions[] = { "allow", "deny", "kill" };
	_cleanup_buf_ struct buf conds = BUF_INIT;
	const struct policy_rule gone = *rule;
	size_t n = 0;
	int r = put_conds(&conds, rule);

	if (r == 0)
		r = add_step(w, ADVICE_REMOVE, rule->where,
			     rule->n_conds
				     ? "all of that which no other line refuses"
				     : "the call with any arguments that no other line refuses",
			     "%s %s%s", actions[rule->action], rule->call->name,
			     conds.data ? conds.data : "");
	for (size_t i = 0; i < w->policy.n_rules; i++) {
		if (!same_line(&w->policy.rules[i], &gone))
			w->policy.rules[n++] = w->policy.rules[i];
	}
	w->policy.n_rules = n;
	return r;
}

/* What a person would tie an allow to: what was written, of the kinds that say what is done. */
static bool is_telling(const struct attempt *a, unsigned i)
{
	return i < a->n_args && !a->text[i] && suggest_is_telling(a->call, i);
}

static void put_free(struct buf *out, const struct policy_rule *rule)
{
	unsigned bits = 0;
	const char *between = "any ";

	for (unsigned i = 0; i < rule->call->n_args; i++) {
		const struct syscall_arg *arg = &rule->call->args[i];
		bool tied = false;

		for (uint8_t k = 0; k < rule->n_conds; k++)
			tied = tied || rule->conds[k].arg == i;
		if (tied)
			continue;
		(void)buf_printf(out, "%s%s", between, arg->name);
		between = ", ";
		if (arg->width != WIDTH_PTR)
			bits += arg->width == WIDTH_S32 || arg->width == WIDTH_U32 ? 32 : 64;
	}
	if (bits > 0)
		(void)buf_printf(out, " (2^%u values of registers, and whatever they point to)",
				 bits);
	else if (*between == ',')
		(void)buf_puts(out, " (memory, which no filter sees)");
	else
		(void)buf_puts(out, "nothing else");
}

static int add_rule(struct work *w)
{
	const struct attempt *a = w->attempt;
	struct policy_rule rule = { .call = a->call,
				    .abi_mask = UINT8_MAX,
				    .action = POLICY_ALLOW };
	_cleanup_buf_ struct buf text = BUF_INIT, opens = BUF_INIT;
	struct policy_rule *rules = w->policy.rules;
	size_t at = w->policy.n_rules;
	int r = buf_printf(&text, "allow %s", a->call->name);

	for (unsigned i = 0; i < a->call->n_args && r == 0; i++) {
		if (!is_telling(a, i))
			continue;
		r = buf_printf(&text, "%s%s == ", rule.n_conds ? " and " : " if ",
			       a->call->args[i].name);
		r = r ? r : call_value(&text, a->call, i, a->args[i]);
		rule.conds[rule.n_conds++] = (struct policy_cond){ .arg = (uint8_t)i,
								   .op = POLICY_EQ,
								   .width = a->call->args[i].width,
								   .value = a->args[i] };
	}
	put_free(&opens, &rule);
	if (r == 0)
		r = add_step(w, ADVICE_ADD, (struct policy_where){ .line = 0 },
			     opens.data ? opens.data : "", "%s", text.data);
	/* rules of one call lie together, calls in the order of the table */
	while (at > 0 && rules[at - 1].call > rule.call) {
		rules[at] = rules[at - 1];
		at--;
	}
	rules[at] = rule;
	w->policy.n_rules++;
	return r;
}

static int open_abi(struct work *w, enum abi abi)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	int r = buf_puts(&line, "abi native");

	w->policy.abi_mask |= (uint8_t)(1U << abi);
	for (unsigned i = 0; i < _ABI_MAX && r == 0; i++) {
		if (i != w->policy.native && w->policy.abi_mask >> i & 1)
			r = buf_printf(&line, " %s", abi_name((enum abi)i));
	}
	return r ? r
		 : set_once(w, POLICY_SETTING_ABI,
			    "every call of that ABI that a line allows, under its own number",
			    line.data);
}

/* The rules that composition makes of net lines carry a net line's place. */
static bool is_of_net(const struct policy *policy, const struct policy_rule *rule)
{
	size_t len;
	const char *line = call_line(policy, rule->where, &len);

	return len > 4 && strncmp(line, "net ", 4) == 0;
}

static int add_port(struct work *w, uint8_t direction, uint8_t protocol, uint8_t families,
		    uint16_t first, uint16_t last)
{
	const char *name = protocol == POLICY_PORT_UDP ? "udp" : "tcp";
	char ports[16] = "any";

	if (w->policy.n_ports == SIZE_MAX || w->advice.n == ADVICE_STEPS)
		return -E2BIG;
	w->policy.ports[w->policy.n_ports++] = (struct policy_port){ .direction = direction,
								     .protocol = protocol,
								     .families = families,
								     .first = first,
								     .last = last };
	if (first == last)
		(void)snprintf(ports, sizeof(ports), "%u", first);
	return add_step(w, ADVICE_ADD, (struct policy_where){ .line = 0 },
			first == last ? "this port at every address, and sockets of the protocol"
				      : "every port of the protocol",
			"net %s %s%s %s", direction == POLICY_PORT_BIND ? "bind" : "connect", name,
			families == POLICY_FAMILY_INET	  ? "4"
			: families == POLICY_FAMILY_INET6 ? "6"
							  : "",
			ports);
}

/* A socket of a protocol that no net line names, which all of them together refuse. */
static int open_socket(struct work *w, const struct policy_rule *rule)
{
	const struct attempt *a = w->attempt;
	uint64_t type = a->args[1] & 0xf;
	uint8_t families = a->args[0] == AF_INET6 ? POLICY_FAMILY_INET6 : POLICY_FAMILY_INET;
	const struct policy_rule gone = *rule;
	size_t n = 0;

	if (strcmp(a->call->name, "socket") != 0 || (type != SOCK_STREAM && type != SOCK_DGRAM))
		return remove_rule(w, rule);
	for (size_t i = 0; i < w->policy.n_rules; i++) {
		if (!same_line(&w->policy.rules[i], &gone))
			w->policy.rules[n++] = w->policy.rules[i];
	}
	w->policy.n_rules = n;
	return add_port(w, POLICY_PORT_CONNECT,
			type == SOCK_DGRAM ? POLICY_PORT_UDP : POLICY_PORT_TCP, families, 0,
			UINT16_MAX);
}

/* Step by step until the call's rules let it in. */
static int open_call(struct work *w)
{
	const struct attempt *a = w->attempt;
	int r = 0;

	for (unsigned tries = 0; tries < ADVICE_STEPS && r == 0; tries++) {
		struct policy_verdict v;

		policy_eval(&w->policy, a->abi, a->call->nr[a->abi], a->args, &v);
		if (v.action == POLICY_ALLOW)
			return 0;
		if (v.reason == POLICY_BY_ABI)
			r = open_abi(w, a->abi);
		else if (v.rule && is_of_net(&w->policy, v.rule))
			r = open_socket(w, v.rule);
		else if (v.rule)
			r = remove_rule(w, v.rule);
		else
			r = add_rule(w);
	}
	return r;
}

/* --- files --- */

static enum policy_path_verb verb_for(uint32_t access)
{
	if (access & (FILE_EXEC | FILE_MMAP_EXEC))
		return POLICY_PATH_EXEC;
	return access & ~(uint32_t)(FILE_READ | FILE_STAT) ? POLICY_PATH_WRITE : POLICY_PATH_READ;
}

static int compare_path(const void *pa, const void *pb)
{
	const struct policy_path *a = pa, *b = pb;

	return strcmp(a->path, b->path);
}

/* The line for exactly that place goes, and its own place is told. */
static struct policy_where drop_path(struct work *w, const char *path)
{
	struct policy_where where = { .line = 0 };
	size_t n = 0;

	for (size_t i = 0; i < w->policy.n_paths; i++) {
		char place[LIMIT_PATH];

		if (path_rule_expand(&w->policy.paths[i], &w->target->vars, place, sizeof(place)) ==
			    0 &&
		    strcmp(place, path) == 0)
			where = w->policy.paths[i].where;
		else
			w->policy.paths[n++] = w->policy.paths[i];
	}
	w->policy.n_paths = n;
	return where;
}

static int open_path(struct work *w, const char *path, enum policy_path_verb verb)
{
	static const char *const verbs[] = { "read", "exec", "write" };
	struct policy_where where = drop_path(w, path);
	bool plain = strcspn(path, " \t\"\\#") == strlen(path);
	struct stat st;
	char *text;

	if (w->n_texts == ROOM)
		return -E2BIG;
	text = strdup(path);
	if (!text)
		return -ENOMEM;
	w->texts[w->n_texts++] = text;
	w->policy.paths[w->policy.n_paths++] =
		(struct policy_path){ .verb = (uint8_t)verb, .path = text };
	qsort(w->policy.paths, w->policy.n_paths, sizeof(*w->policy.paths), compare_path);
	return add_step(w, where.line && where.source == 0 ? ADVICE_CHANGE : ADVICE_ADD, where,
			stat(path, &st) == 0 && S_ISDIR(st.st_mode)
				? "everything below it that has no line of its own"
				: "nothing but this file",
			plain ? "%s %s" : "%s \"%s\"", verbs[verb], path);
}

static int open_file(struct work *w, const struct effect *e)
{
	enum {
		NAMES = FILE_CREATE | FILE_REMOVE | FILE_MKDIR | FILE_SYMLINK | FILE_MKNOD |
			FILE_LINK
	};
	enum policy_path_verb verb = verb_for(e->access);
	const struct policy_path *line;
	char parent[LIMIT_PATH];
	char *slash;

	if (path_rule_allows(&w->policy, &w->target->vars, e->path, verb, &line))
		return 0;
	(void)snprintf(parent, sizeof(parent), "%s", e->path);
	slash = strrchr(parent, '/');
	/* A name is made and removed in its directory, and what is not there cannot be shown. No
	 * line makes the root itself writable. */
	if (e->access & NAMES && slash) {
		char place[LIMIT_PATH];

		if (slash == parent)
			return 0;
		*slash = '\0';
		/* the line for the file itself would still hold */
		if (!line || path_rule_expand(line, &w->target->vars, place, sizeof(place)) < 0 ||
		    strcmp(place, e->path) != 0)
			return open_path(w, parent, verb);
	}
	return open_path(w, e->path, verb);
}

/* --- the rest --- */

static int open_net(struct work *w, const struct effect *e)
{
	uint8_t direction = e->kind == EFFECT_BIND ? POLICY_PORT_BIND : POLICY_PORT_CONNECT;
	uint8_t family = e->family == AF_INET6 ? POLICY_FAMILY_INET6 : POLICY_FAMILY_INET;
	bool closed = false, open = false;
	int r = 0;

	if (e->family != AF_INET && e->family != AF_INET6)
		return 0;
	for (size_t i = 0; i < w->policy.n_ports; i++) {
		const struct policy_port *p = &w->policy.ports[i];

		closed = closed || p->direction == direction;
		open = open || (p->direction == direction && p->protocol == e->protocol &&
				p->families & family && p->first <= e->port && e->port <= p->last);
	}
	if (w->policy.net != POLICY_NET_HOST) {
		w->policy.net = POLICY_NET_HOST;
		r = set_once(w, POLICY_SETTING_NET,
			     closed ? "the host's network, as far as net lines name ports"
				    : "every address and port that the host reaches",
			     "net host");
	}
	return r == 0 && closed && !open
		       ? add_port(w, direction, e->protocol, family, e->port, e->port)
		       : r;
}

static int keep_capability(struct work *w, unsigned capability)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	const char *name;
	int r = buf_puts(&line, "cap");

	if (w->policy.caps >> capability & 1)
		return 0;
	w->policy.caps |= UINT64_C(1) << capability;
	for (unsigned bit = 0; bit < 64; bit++) {
		bool found = false;

		for (size_t i = 0; w->policy.caps >> bit & 1 && (name = consts_name(i)) && !found;
		     i++) {
			uint64_t value;
			bool negative;

			found = text_starts_with(name, "CAP_") &&
				consts_find(name, &value, &negative) == 0 && value == bit;
			if (found && r == 0)
				r = buf_printf(&line, " %s", name);
		}
	}
	return r ? r
		 : set_once(w, POLICY_SETTING_CAP,
			    "all that the capability is for, within the sandbox's own namespaces",
			    line.data);
}

static int open_effect(struct work *w, const struct effect *e)
{
	switch ((enum effect_kind)e->kind) {
	case EFFECT_FILE:
		return open_file(w, e);
	case EFFECT_CONNECT:
	case EFFECT_BIND:
		return open_net(w, e);
	case EFFECT_UNIX:
		if (e->path[0] == '@')
			return 0;
		return open_file(w, &(struct effect){ .access = FILE_READ, .path = e->path });
	case EFFECT_CAPABILITY:
		return keep_capability(w, e->capability);
	case EFFECT_SOCKET:
	case EFFECT_NAMESPACE:
	case EFFECT_MOUNT:
	case EFFECT_PTRACE:
	case EFFECT_SIGNAL:
	case EFFECT_PROCESS:
	case EFFECT_QUEUE:
	case _EFFECT_MAX:
		break;
	}
	return 0;
}

static int is_denied(struct work *w, unsigned mask, bool *ret, struct err *err)
{
	*ret = false;
	for (unsigned m = 0; m < _MECHANISM_MAX && !*ret; m++) {
		struct judgement j;
		int r;

		if (!(mask >> m & 1))
			continue;
		r = mechanism_judge((enum mechanism)m, &w->policy, w->target, w->attempt, &j, err);
		if (r < 0)
			return r;
		*ret = j.answer == JUDGE_DENIES;
	}
	return 0;
}

static int make(struct work *w, struct err *err)
{
	unsigned all = advice_mechanisms(w->target), caps = 1U << MECHANISM_CAPABILITIES;
	const struct attempt *a = w->attempt;
	bool denied;
	int r = is_denied(w, all, &denied, err);

	if (r < 0 || !denied)
		return r;
	r = open_call(w);
	/* One kind of line after the other, and only while somebody still refuses. */
	for (uint8_t i = 0; i < a->n_effects && r == 0; i++) {
		bool capability = a->effects[i].kind == EFFECT_CAPABILITY;

		r = is_denied(w, capability ? caps : all & ~caps, &denied, err);
		if (r == 0 && denied)
			r = open_effect(w, &a->effects[i]);
	}
	if (r == 0)
		r = is_denied(w, all, &denied, err);
	w->advice.passes = r == 0 && !denied;
	return r;
}

int advice_make(const struct policy *policy, const struct profile_target *target,
		const struct attempt *attempt, struct advice *ret, struct err *err)
{
	__attribute__((cleanup(work_done))) struct work w = { .target = target,
							      .attempt = attempt };
	int r = work_begin(&w, policy);

	r = r ? r : make(&w, err);
	if (r < 0)
		return err->code ? err->code : err_set(err, r, "find what would allow it");
	*ret = w.advice;
	w.advice = (struct advice){ .n = 0 };
	return 0;
}
