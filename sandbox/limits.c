// SPDX-License-Identifier: Apache-2.0
#include "sandbox/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/limit.h"

/* Leaves looked at in each launch for what a dead supervisor left: all, where few run. */
enum { GC_AT_LAUNCH = 8 };

static unsigned wanted(const struct plan *plan)
{
	unsigned set = 0;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++)
		set |= plan->has_limit[i] ? 1U << i : 0;
	return set & CGROUP_LIMITS;
}

unsigned limits_by_cgroup(const struct limits *l)
{
	return l->cgroup.fd >= 0 ? l->cgroup.in_force : 0;
}

/* --- what is said --- */

__attribute__((format(printf, 3, 4))) static void say(struct limits *l, const char **list,
						      const char *fmt, ...)
{
	const size_t left = LIMITS_TEXT - l->used;
	char *at = l->text + l->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left)
		return;
	l->used += (size_t)n + 1;
	while (*list)
		list++;
	*list = at;
}

/* Without the cgroup. NULL: then, too, it holds as it is meant. */
static const char *without(const struct plan *plan, enum policy_limit which)
{
	if (which == POLICY_LIMIT_MEMORY)
		return "bounds each process by itself (RLIMIT_DATA), and not their sum";
	if (which != POLICY_LIMIT_PIDS)
		return "does not hold";
	/* RLIMIT_NPROC counts what this user has in the sandbox's user namespace. */
	return plan->machines_root
		       ? "does not hold: the kernel does not count the processes of the host's "
			 "root (RLIMIT_NPROC)"
		       : NULL;
}

static void say_all(struct limits *l)
{
	const unsigned by_cgroup = limits_by_cgroup(l), set = wanted(l->plan);
	char names[256];
	size_t n = 0;
	bool any = false;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		const enum policy_limit which = (enum policy_limit)i;
		const char *weaker;

		if (by_cgroup >> i & 1)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
					      limit_name(which));
		if (!(set >> i & 1) || (by_cgroup >> i & 1))
			continue;
		weaker = without(l->plan, which);
		if (!weaker)
			continue;
		any = true;
		say(l, l->given_up, "limit %s: %s", limit_name(which), weaker);
	}
	if (n)
		say(l, l->in_force, "limits by cgroup: %s", names);
	if (any && l->why.code < 0)
		say(l, l->given_up, "these limits by cgroup: cannot %s%s%s", l->why.msg,
		    l->why.ours ? "" : ": ", l->why.ours ? "" : err_text(l->why.code));
}

static void begin_lists(struct limits *l)
{
	for (size_t i = 0; l->plan->in_force[i]; i++)
		l->in_force[i] = l->plan->in_force[i];
	for (size_t i = 0; l->plan->given_up[i]; i++)
		l->given_up[i] = l->plan->given_up[i];
}

/* --- getting it --- */

/* Asked for by name and not to be had is an error. What a policy says is done as far as the host
 * goes, and told. */
static int require(const struct limits *l, struct err *err)
{
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		const enum policy_limit which = (enum policy_limit)i;

		if (!l->plan->limit_asked[i] || !(CGROUP_LIMITS >> i & 1) ||
		    (limits_by_cgroup(l) >> i & 1) || !without(l->plan, which))
			continue;
		*err = l->why;
		if (!err->hint[0])
			(void)err_hint(err,
				       "'cordon doctor' says what is delegated; in a policy the "
				       "same limit is kept as far as the host can");
		return err_wrap(err, "enforce --limit %s", limit_name(which));
	}
	return 0;
}

static void lacks(struct limits *l, const struct cgroup_place *place, unsigned controllers)
{
	char names[48];

	(void)err_refuse(&l->why, "use the controllers %s in '%.300s': %s",
			 cgroup_names(controllers, names), place->path,
			 place->crowded ? "other processes sit in it"
					: "they are not enabled for it");
	(void)err_hint(
		&l->why, "%s",
		place->crowded
			? "start cordon alone in its node, as systemd-run --user --scope -p "
			  "Delegate=yes does"
			: "its parent must have them in cgroup.subtree_control; systemd's user "
			  "manager gets them by 'Delegate=cpu cpuset io memory pids' in a "
			  "drop-in of user@.service");
}

/* What a place lacks, or the kernel refused, of what was wanted. */
static void find_why(struct limits *l, const struct cgroup_place *place, unsigned set)
{
	const unsigned lack = cgroup_controllers(set) & ~cgroup_obtainable(place);
	char want[CPUS_TEXT];

	if (lack) {
		lacks(l, place, lack);
		return;
	}
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		const enum policy_limit which = (enum policy_limit)i;

		if (!(set & ~l->cgroup.in_force & 1U << i))
			continue;
		/* Without an error it was the controller that could not be enabled. */
		(void)err_set(&l->why, l->cgroup.error ? l->cgroup.error : -EOPNOTSUPP,
			      "give %s %.200s to a cgroup in '%.200s'", limit_name(which),
			      limit_text(which, l->plan->limit[i], &l->plan->cpuset, want),
			      place->path);
		(void)err_hint(&l->why, "%s",
			       which == POLICY_LIMIT_CPUSET
				       ? "what may be used there is in its cpuset.cpus.effective; "
					 "Linux 6.1 gives the controller only to who may "
					 "schedule each process that sits below"
				       : "this kernel was built or started without it");
		return;
	}
}

static bool needs_cgroup(const struct plan *plan, unsigned set)
{
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if ((set >> i & 1) && without(plan, (enum policy_limit)i))
			return true;
	}
	return false;
}

/* A service manager is asked where nothing was handed over to us, and never to be led out of what
 * was; and only for what does not hold otherwise. */
static int find_place(struct limits *l, unsigned set, const struct launch_options *options,
		      struct cgroup_place *ret)
{
	char name[LIMIT_NAME];
	struct err asked = ERR_INIT;
	int r = cgroup_find(NULL, ret, &l->why);

	if (r != -EACCES || !options->scope || !needs_cgroup(l->plan, set))
		return r;
	(void)snprintf(name, sizeof(name), "cordon-%s.scope", l->plan->id);
	r = options->scope(options->scope_ctx, name, &asked);
	if (r == 0)
		return cgroup_find(name, ret, &l->why);
	/* Nobody there to ask: then the first answer is the one that helps. */
	if (r != -ENOENT)
		l->why = asked;
	return r;
}

static void get(struct limits *l, unsigned set, const struct launch_options *options)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { .set = set, .cpuset = l->plan->cpuset };

	memcpy(limits.value, l->plan->limit, sizeof(limits.value));
	if (find_place(l, set, options, &place) < 0)
		return;
	if (cgroup_controllers(set) & cgroup_obtainable(&place)) {
		(void)cgroup_gc(&place, GC_AT_LAUNCH);
		if (cgroup_make(&place, l->plan->id, &limits, &l->cgroup, &l->why) == 0 &&
		    l->cgroup.in_force != set)
			find_why(l, &place, set);
	} else {
		find_why(l, &place, set);
	}
	cgroup_place_done(&place);
}

int limits_start(struct limits *l, const struct plan *plan, const struct launch_options *options,
		 struct err *err)
{
	const unsigned set = wanted(plan);

	*l = (struct limits){ .plan = plan, .cgroup = CGROUP_INIT, .why = ERR_INIT };
	l->text = malloc(LIMITS_TEXT);
	if (!l->text)
		return err_set(err, -ENOMEM, "look for a cgroup");
	begin_lists(l);
	if (set)
		get(l, set, options);
	say_all(l);
	return require(l, err);
}

/* --- the end --- */

static void stopped_by(struct launch_result *ret, const char *limit, const char *text)
{
	ret->limit_hit = limit;
	(void)snprintf(ret->stopped_by, sizeof(ret->stopped_by), "%s", text);
}

__attribute__((format(printf, 5, 6))) static void tell(const struct limits *l, struct audit *audit,
						       enum policy_limit which, uint64_t count,
						       const char *fmt, ...)
{
	char text[256], value[CPUS_TEXT];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s limit %.100s: ", limit_name(which),
				    limit_text(which, l->plan->limit[which], NULL, value));
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	audit_limit(audit, limit_name(which), text, count);
}

static void tell_memory(const struct limits *l, const struct cgroup_events *e, struct audit *audit,
			struct launch_result *ret)
{
	char value[CPUS_TEXT], text[sizeof(ret->stopped_by)];

	if (e->oom_kill > 0 && e->oom > 0 && l->plan->has_limit[POLICY_LIMIT_MEMORY]) {
		tell(l, audit, POLICY_LIMIT_MEMORY, e->oom_kill,
		     "it was reached, and the kernel killed the sandbox as a whole");
		(void)snprintf(text, sizeof(text), "the memory limit %.40s",
			       limit_text(POLICY_LIMIT_MEMORY, l->plan->limit[POLICY_LIMIT_MEMORY],
					  NULL, value));
		stopped_by(ret, "memory", text);
	} else if (e->oom_kill > 0) {
		audit_limit(
			audit, "memory",
			"out of memory beyond the sandbox, whose own limit was not reached; the "
			"kernel killed it",
			e->oom_kill);
		stopped_by(ret, "memory", "the kernel, which was out of memory beyond the sandbox");
	}
	if (e->memory_high > 0 && l->plan->has_limit[POLICY_LIMIT_MEMORY_HIGH])
		tell(l, audit, POLICY_LIMIT_MEMORY_HIGH, e->memory_high,
		     "memory was taken back and the sandbox slowed down");
	if (e->swap_max > 0 && l->plan->has_limit[POLICY_LIMIT_SWAP] &&
	    l->plan->limit[POLICY_LIMIT_SWAP] > 0)
		tell(l, audit, POLICY_LIMIT_SWAP, e->swap_max, "no more was swapped out");
}

void limits_hit(const struct limits *l, struct audit *audit, struct launch_result *ret)
{
	struct cgroup_events e;

	if (cgroup_events(&l->cgroup, &e) < 0)
		return;
	tell_memory(l, &e, audit, ret);
	if (e.pids_max > 0 && (l->cgroup.in_force & CGROUP_LIMIT(PIDS)))
		tell(l, audit, POLICY_LIMIT_PIDS, e.pids_max, "forks were refused");
	else if (e.pids_max > 0)
		audit_limit(audit, "pids", "forks were refused for a limit beyond the sandbox",
			    e.pids_max);
	if (e.throttled > 0)
		tell(l, audit, POLICY_LIMIT_CPU, e.throttled,
		     "the sandbox was held back for %" PRIu64 " ms in all",
		     e.throttled_usec / 1000);
}

void limits_end(struct limits *l)
{
	struct err left = ERR_INIT;

	/* Whatever is left of a leaf, the next launch sees and removes, and `cordon gc`. */
	(void)cgroup_end(&l->cgroup, &left);
	free(l->text);
	l->text = NULL;
}
