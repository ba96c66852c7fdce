// SPDX-License-Identifier: Apache-2.0
/*
 * What AppArmor alone answers, from the policy and path_rule_allows() and not from the tree that
 * the text is made of: tests compare the two. Hooks and errnos are those of Linux's
 * security/apparmor (lsm.c, file.c, ipc.c, net.c), 6.1 to 7.3.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/socket.h>

#include "base/path.h"
#include "profiles/apparmor_gen.h"
#include "profiles/capabilities.h"

struct question {
	const struct policy *policy;
	const struct profile_target *target;
	const struct attempt *attempt;
	struct aa_facts facts; /* but for sockets */
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* The component that begins at p. */
static bool is_name(const char *p, const char *name)
{
	size_t n = strlen(name);

	return strncmp(p, name, n) == 0 && (p[n] == '\0' || p[n] == '/');
}

static const char *after_name(const char *p)
{
	p += strcspn(p, "/");
	return *p ? p + 1 : p;
}

static bool is_process(const char *p)
{
	return (*p >= '1' && *p <= '9') || is_name(p, "self") || is_name(p, "thread-self");
}

/* name: what follows "/proc/". */
static unsigned proc_perms(const char *name)
{
	const char *rest = after_name(name);

	for (size_t i = 0; aa_proc_masked[i]; i++) {
		if (is_name(name, aa_proc_masked[i]))
			return 0;
	}
	if (!is_process(name))
		return AA_READ | AA_LOCK;
	if (is_name(rest, "task") && is_process(after_name(rest)))
		rest = after_name(after_name(rest));
	else if (is_name(rest, "task"))
		rest = "";
	return is_name(rest, "attr") ? AA_READ | AA_LOCK : AA_READ | AA_LOCK | AA_WRITE;
}

/* name: what follows "/dev/". */
static unsigned dev_perms(const char *name)
{
	static const char *const devices[] = { "null", "zero", "full", "random", "urandom",
					       "tty",  "ptmx", "pts",  NULL };

	for (size_t i = 0; devices[i]; i++) {
		if (is_name(name, devices[i]))
			return AA_READ | AA_WRITE | AA_LOCK;
	}
	return is_name(name, "shm") ? AA_READ | AA_WRITE | AA_LOCK | AA_LINK : 0;
}

/* ~ stands for each home: the one that the path is in. */
static void find_home(const char *path, struct path_vars *vars, char *home, size_t size)
{
	size_t len;

	if (vars->home)
		return;
	if (path_is_within(path, "/root")) {
		vars->home = "/root";
		return;
	}
	if (!text_starts_with(path, "/home/"))
		return;
	len = strlen("/home/") + strcspn(path + strlen("/home/"), "/");
	if (len >= size)
		return;
	memcpy(home, path, len);
	home[len] = '\0';
	vars->home = home;
}

/* Whether a line speaks of a place strictly below the built-in one. */
static bool is_below(const struct policy_path *line, const struct path_vars *vars, const char *dir)
{
	char place[LIMIT_PATH];

	return line && path_rule_expand(line, vars, place, sizeof(place)) == 0 &&
	       path_is_within(place, dir) && strcmp(place, dir) != 0;
}

/* Nothing but to hide is possible there, whatever a line says of /proc itself. */
static const struct policy_path *hidden_in_proc(const struct question *q,
						const struct path_vars *vars, const char *path)
{
	for (size_t i = 0; i < q->policy->n_paths; i++) {
		const struct policy_path *line = &q->policy->paths[i];
		char place[LIMIT_PATH];

		if (line->verb == POLICY_PATH_HIDE && is_below(line, vars, "/proc") &&
		    path_rule_expand(line, vars, place, sizeof(place)) == 0 &&
		    path_is_within(path, place))
			return line;
	}
	return NULL;
}

static unsigned line_perms(const struct question *q, const struct policy *policy,
			   const struct path_vars *vars, const char *path,
			   const struct policy_path **ret_line)
{
	const unsigned rights = path_rule_rights(policy, vars, path, ret_line);
	unsigned perms = 0;

	if (rights & PATH_MAY_READ)
		perms |= AA_READ | AA_LOCK;
	if (rights & PATH_MAY_WRITE)
		perms |= AA_WRITE | AA_LINK;
	if (rights & PATH_MAY_EXEC)
		perms |= AA_MMAP | (q->facts.executes ? (unsigned)AA_EXEC : 0);
	return perms;
}

/* What a line says of a place below goes before what is built in; of /dev itself none speaks. */
static unsigned perms_in_dev(const struct question *q, const struct path_vars *vars,
			     const char *path, const struct policy_path **ret_line)
{
	struct policy_path below[LIMIT_BINDS];
	struct policy policy = { .paths = below };
	unsigned perms;

	for (size_t i = 0; i < q->policy->n_paths && policy.n_paths < LIMIT_BINDS; i++) {
		if (is_below(&q->policy->paths[i], vars, "/dev"))
			below[policy.n_paths++] = q->policy->paths[i];
	}
	perms = line_perms(q, &policy, vars, path, ret_line);
	if (*ret_line) {
		/* the same line, where it lies for good */
		for (size_t i = 0; i < q->policy->n_paths; i++) {
			if (q->policy->paths[i].path == (*ret_line)->path) {
				*ret_line = &q->policy->paths[i];
				return perms;
			}
		}
	}
	return path[4] ? dev_perms(path + 5) : AA_READ | AA_LOCK;
}

/* AA_* of a path, and the line that says so; NULL: built in, or none. */
static unsigned path_perms(const struct question *q, const char *path,
			   const struct policy_path **ret_line)
{
	struct path_vars vars = q->target->vars;
	char home[LIMIT_PATH];

	*ret_line = NULL;
	find_home(path, &vars, home, sizeof(home));
	if (path_is_within(path, "/dev"))
		return perms_in_dev(q, &vars, path, ret_line);
	if (!path_is_within(path, "/proc"))
		return line_perms(q, q->policy, &vars, path, ret_line);
	*ret_line = hidden_in_proc(q, &vars, path);
	if (*ret_line)
		return 0;
	return path[5] ? proc_perms(path + 6) : AA_READ | AA_LOCK;
}

/* --- effects --- */

static void set(struct judgement *j, enum judgement_answer answer, int errno_value,
		const char *note)
{
	/* the first refusal is what the program sees */
	if (j->answer == JUDGE_DENIES || answer == JUDGE_SILENT)
		return;
	j->answer = (uint8_t)answer;
	j->errno_value = answer == JUDGE_DENIES ? (uint16_t)errno_value : 0;
	j->note = note;
}

static void let(struct judgement *j, bool allowed, int errno_value, const char *note)
{
	set(j, allowed ? JUDGE_ALLOWS : JUDGE_DENIES, errno_value, allowed ? NULL : note);
}

/* What the hooks ask of the path; 0: there is no hook. */
static unsigned wanted(const struct attempt *attempt, const struct effect *e)
{
	const char *name = attempt->call->name;
	unsigned want = 0;

	if (e->access & FILE_READ)
		want |= AA_READ;
	if (e->access & (FILE_WRITE | FILE_CREATE | FILE_REMOVE | FILE_TRUNCATE | FILE_MKDIR |
			 FILE_SYMLINK | FILE_MKNOD))
		want |= AA_WRITE;
	/* a rename reads the old name too: apparmor_path_rename() */
	if ((e->access & FILE_REMOVE) && text_starts_with(name, "rename"))
		want |= AA_READ;
	if ((e->access & (FILE_LINK | FILE_CREATE)) && text_starts_with(name, "link"))
		want = AA_LINK;
	/* times and extended attributes have no hook */
	if ((e->access & FILE_CHMOD) && (strstr(name, "chmod") || strstr(name, "chown")))
		want |= AA_WRITE;
	if (e->access & FILE_EXEC)
		want |= AA_EXEC;
	if (e->access & FILE_MMAP_EXEC)
		want |= AA_MMAP;
	return want;
}

/* A new link must not give more than the old name does: profile_path_link(). */
static bool is_subset_link(const struct question *q, const struct effect *e, unsigned perms)
{
	const struct effect *old = &q->attempt->effects[0];
	const struct policy_path *line;

	if (e == old || old->kind != EFFECT_FILE || !old->path)
		return true;
	return !(perms & ~(path_perms(q, old->path, &line) | AA_LINK));
}

static void judge_file(const struct question *q, const struct effect *e, struct judgement *j)
{
	const struct policy_path *line = NULL;
	const unsigned want = wanted(q->attempt, e);
	unsigned perms;

	if (want == 0 || !e->path || j->answer == JUDGE_DENIES)
		return;
	perms = path_perms(q, e->path, &line);
	j->where = line ? line->where : (struct policy_where){ .line = 0 };
	if (want & ~perms)
		let(j, false, EACCES, "no file rule gives that");
	else if (want == AA_LINK && !is_subset_link(q, e, perms))
		let(j, false, EACCES, "the new name would give more than the old one");
	else
		let(j, true, 0, NULL);
}

static void judge_socket(const struct question *q, const struct effect *e, struct judgement *j)
{
	const unsigned family = e->kind == EFFECT_UNIX ? AF_UNIX : e->family;
	unsigned type = e->type;
	struct aa_facts facts;
	bool any = false;

	aa_facts_find_family(q->policy, family, &facts);
	if (e->kind == EFFECT_CONNECT || e->kind == EFFECT_BIND)
		type = e->protocol == POLICY_PORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	if (e->kind != EFFECT_UNIX) {
		let(j, aa_has_socket(q->policy, &facts, family, type), EACCES,
		    "no network rule for the family and type");
		return;
	}
	for (unsigned t = 0; t < AA_TYPES; t++)
		any = any || aa_has_socket(q->policy, &facts, AF_UNIX, t);
	/* who is at the other end is known to kernels with unix mediation only */
	if (!any)
		let(j, false, EACCES, "no network rule for unix sockets");
}

static bool has_capability(const struct question *q, unsigned capability)
{
	return capability < 64 && capabilities_name(capability) &&
	       (q->policy->caps & UINT64_C(1) << capability);
}

static void judge_namespace(const struct question *q, const struct effect *e, struct judgement *j)
{
	if ((e->value & CLONE_NEWUSER) && q->target->apparmor_abi >= 40)
		let(j, q->facts.makes_userns, EACCES, "no userns rule");
}

/* What asks for CAP_SYS_ADMIN first is refused by that, as EPERM; mount and move_mount meet their
 * hook before. */
static void judge_mount(const struct question *q, struct judgement *j)
{
	static const char *const mounts[] = { "mount", NULL };
	static const char *const moves[] = { "move_mount", NULL };
	static const char *const unmounts[] = { "umount", "umount2", NULL };
	static const char *const pivots[] = { "pivot_root", NULL };
	const char *name = q->attempt->call->name;

	if (is_one_of(name, mounts) && !q->facts.mounts)
		let(j, false, EACCES, "no mount rule");
	if (!has_capability(q, CAP_SYS_ADMIN))
		let(j, false, EPERM, "no capability rule for sys_admin");
	if (is_one_of(name, mounts))
		let(j, q->facts.mounts, EACCES, "no mount rule");
	else if (is_one_of(name, moves) && !q->facts.mounts)
		let(j, false, EACCES, "no mount rule");
	else if (is_one_of(name, unmounts))
		let(j, q->facts.unmounts, EACCES, "no umount rule");
	else if (is_one_of(name, pivots))
		let(j, q->facts.pivots, EACCES, "no pivot_root rule");
}

/* Another process is taken for one outside, as with signals: the rules speak of the same profile
 * only. ptrace(2) passes AppArmor's errno on, the others have their own. */
static void judge_ptrace(const struct question *q, struct judgement *j)
{
	let(j, false, strcmp(q->attempt->call->name, "ptrace") == 0 ? EACCES : EPERM,
	    "processes in the same profile only are traced and read");
}

static void judge_effect(const struct question *q, const struct effect *e, struct judgement *j)
{
	switch ((enum effect_kind)e->kind) {
	case EFFECT_FILE:
		judge_file(q, e, j);
		break;
	case EFFECT_SOCKET:
	case EFFECT_CONNECT:
	case EFFECT_BIND:
	case EFFECT_UNIX:
		judge_socket(q, e, j);
		break;
	case EFFECT_CAPABILITY:
		let(j, has_capability(q, e->capability), capabilities_errno(q->attempt->call->name),
		    "no capability rule");
		break;
	case EFFECT_NAMESPACE:
		judge_namespace(q, e, j);
		break;
	case EFFECT_MOUNT:
		judge_mount(q, j);
		break;
	case EFFECT_PTRACE:
		judge_ptrace(q, j);
		break;
	case EFFECT_QUEUE:
		/* "Failed name lookup - disconnected path" (Linux 6.1, 7.3); from ABI 4.0 on such a
		 * path is one of those that are handed in */
		if (q->target->apparmor_abi < 40)
			let(j, false, EACCES,
			    "POSIX message queues lie in no file system that has a path");
		break;
	case EFFECT_SIGNAL:
		let(j, false, EACCES, "signals go to processes in the same profile only");
		break;
	case EFFECT_PROCESS:
	case _EFFECT_MAX:
		break;
	}
}

/* Of no use to most of what is done to files, and to sockets. */
static bool needs_calls(const struct attempt *attempt)
{
	for (uint8_t i = 0; i < attempt->n_effects; i++) {
		const struct effect *e = &attempt->effects[i];

		switch ((enum effect_kind)e->kind) {
		case EFFECT_FILE:
			if ((e->access & FILE_EXEC) ||
			    text_starts_with(attempt->call->name, "link"))
				return true;
			break;
		case EFFECT_NAMESPACE:
		case EFFECT_MOUNT:
			return true;
		case EFFECT_SOCKET:
		case EFFECT_CONNECT:
		case EFFECT_BIND:
		case EFFECT_UNIX:
		case EFFECT_CAPABILITY:
		case EFFECT_PTRACE:
		case EFFECT_SIGNAL:
		case EFFECT_PROCESS:
		case EFFECT_QUEUE:
		case _EFFECT_MAX:
			break;
		}
	}
	return false;
}

int aa_judge(const struct policy *policy, const struct profile_target *target,
	     const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	struct question q = { .policy = policy, .target = target, .attempt = attempt };
	struct judgement j = { .answer = JUDGE_SILENT };

	(void)err;
	if (needs_calls(attempt))
		aa_facts_find_calls(policy, &q.facts);
	for (uint8_t i = 0; i < attempt->n_effects; i++)
		judge_effect(&q, &attempt->effects[i], &j);
	*ret = j;
	return 0;
}

unsigned aa_judge_path(const struct policy *policy, const struct profile_target *target,
		       bool executes, const char *path)
{
	const struct question q = { .policy = policy,
				    .target = target,
				    .facts = { .executes = executes } };
	const struct policy_path *line;

	return path_perms(&q, path, &line);
}
