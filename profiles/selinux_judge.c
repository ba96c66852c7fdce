// SPDX-License-Identifier: Apache-2.0
/* What the module answers to an attempt when it is alone. */
#include "profiles/selinux_judge.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/path.h"
#include "profiles/capabilities.h"
#include "profiles/selinux_tables.h"

struct asking {
	const struct policy *policy;
	const struct attempt *attempt;
	const struct profile_target *target;
	struct path_vars vars;
	struct selinux_rights rights;
	struct judgement *out;
};

enum { SE_ANON_INODE = 1U << SE_IO_URING | 1U << SE_MEMFD_SECRET | 1U << SE_USERFAULTFD };

static void deny(struct asking *q, int errno_value, struct policy_where where, const char *note)
{
	if (q->out->answer == JUDGE_DENIES)
		return;
	*q->out = (struct judgement){ .answer = JUDGE_DENIES,
				      .errno_value = (uint16_t)errno_value,
				      .where = where,
				      .note = note };
}

static void allow(struct asking *q, struct policy_where where, const char *note)
{
	if (q->out->answer == JUDGE_DENIES)
		return;
	q->out->answer = JUDGE_ALLOWS;
	q->out->where = where;
	q->out->note = note;
}

static const struct policy_where by_default = { .line = 0 };

/* --- files --- */

/* In a sandbox's memory file system what the program makes has the module's own type. */
static bool in_memory(const struct asking *q, const char *path)
{
	const struct policy_path *line = path_rule_find(q->policy, &q->vars, path);

	return line && line->verb == POLICY_PATH_TMPFS;
}

static const char *type_of(const struct asking *q, const char *path)
{
	char spelling[LIMIT_PATH];

	if (in_memory(q, path))
		return SELINUX_OWN;
	if (selinux_spell(&q->vars, path, spelling, sizeof(spelling)) < 0)
		return "root_t";
	return selinux_label_of(spelling)->type;
}

/* A row of the table that is a tree, or something above one: a directory. */
static bool is_directory(const struct asking *q, const char *path)
{
	char spelling[LIMIT_PATH];

	if (selinux_spell(&q->vars, path, spelling, sizeof(spelling)) < 0)
		return false;
	for (size_t i = 0; i < selinux_n_labels; i++) {
		if (strcmp(selinux_labels[i].path, spelling) == 0)
			return !(selinux_labels[i].flags & LABEL_FILE);
	}
	return false;
}

static unsigned needed(const struct asking *q, const struct effect *e)
{
	const bool dir = is_directory(q, e->path);
	unsigned need = 0;

	if (e->access & (FILE_READ | FILE_IOCTL))
		need |= dir ? SE_LIST : SE_READ;
	if (e->access & FILE_STAT)
		need |= dir ? SE_SEARCH : SE_STAT;
	if (e->access & (FILE_WRITE | FILE_TRUNCATE))
		need |= SE_WRITE;
	if (e->access & FILE_EXEC)
		need |= SE_EXEC | SE_READ;
	if (e->access & FILE_MMAP_EXEC)
		need |= SE_MAP | SE_READ;
	if (e->access & (FILE_CHMOD | FILE_REMOVE | FILE_CREATE | FILE_MKDIR | FILE_SYMLINK |
			 FILE_LINK | FILE_MKNOD))
		need |= SE_MAKE;
	return need;
}

/* Each directory above has to be searched; path is cut down in place. */
static bool can_reach(const struct asking *q, char *path)
{
	char *slash;

	while ((slash = strrchr(path, '/')) && slash > path) {
		*slash = '\0';
		/* a directory on the way in memory is the launcher's */
		if (!in_memory(q, path) &&
		    !(selinux_effective(&q->rights, type_of(q, path)) & SE_SEARCH))
			return false;
	}
	return true;
}

static void judge_file(struct asking *q, const struct effect *e)
{
	const bool new_name = e->access & (FILE_CREATE | FILE_MKDIR | FILE_SYMLINK | FILE_MKNOD);
	const struct selinux_right *right;
	char parent[LIMIT_PATH];
	const char *type;
	size_t len = strlen(e->path);

	if (len >= sizeof(parent) || path_is_within(e->path, "/proc"))
		return; /* a process's own files there have its type; others are the kernel's */
	memcpy(parent, e->path, len + 1);
	if (!can_reach(q, parent)) {
		deny(q, EACCES, by_default, "a directory on the way may not be searched");
		return;
	}
	/* a new file has its directory's type */
	memcpy(parent, e->path, len + 1);
	if (new_name && strrchr(parent, '/') > parent)
		*strrchr(parent, '/') = '\0';
	type = type_of(q, new_name ? parent : e->path);
	right = selinux_right_on(&q->rights, type);
	if (path_is_within(e->path, "/dev") && !in_memory(q, e->path)) {
		if (new_name)
			deny(q, EACCES, by_default, "the launcher's /dev is not written");
		return; /* what stands there has types of its own */
	}
	if (needed(q, e) & ~selinux_effective(&q->rights, type))
		deny(q, EACCES, right ? right->where : by_default,
		     "the type of the path does not have the right");
	else if (e->access & FILE_MKNOD && (S_ISCHR(e->value) || S_ISBLK(e->value)))
		/* vfs_mknod() asks for the host's CAP_MKNOD before the hook */
		deny(q, EPERM, by_default, "no type of device may be made");
	else
		allow(q, right ? right->where : by_default, NULL);
}

/* --- sockets --- */

static bool is_inet(uint16_t family)
{
	return family == AF_INET || family == AF_INET6;
}

static void judge_opening(struct asking *q, bool open, const char *note)
{
	if (open)
		allow(q, by_default, NULL);
	else
		deny(q, EACCES, by_default, note);
}

static void judge_socket(struct asking *q, const struct effect *e)
{
	const uint64_t protocol = e->value;
	bool open = false;

	/* the reference policy gives streams to its attribute domain, but nobody to connect to */
	if (e->family == AF_UNIX)
		open = e->type == SOCK_STREAM || e->type == SOCK_SEQPACKET ||
		       selinux_opens(q->policy, SE_UNIX);
	else if (e->family == AF_NETLINK)
		open = protocol == NETLINK_ROUTE && selinux_opens(q->policy, SE_ROUTE);
	else if (is_inet(e->family) && e->type == SOCK_STREAM)
		/* of the same class: default_protocol_stream(), security/selinux/hooks.c */
		open = (protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP) &&
		       selinux_opens(q->policy, SE_TCP);
	else if (is_inet(e->family) && e->type == SOCK_DGRAM)
		open = protocol == 0 || protocol == IPPROTO_UDP
			       ? selinux_opens(q->policy, SE_UDP)
			       : (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) &&
					 selinux_opens(q->policy, SE_PING);
	judge_opening(q, open, "no class of socket for it is given");
}

static void judge_port(struct asking *q, const struct effect *e,
		       enum policy_port_direction direction)
{
	const bool udp = e->protocol == POLICY_PORT_UDP;
	const struct policy_port *line;

	if (!selinux_opens(q->policy, udp ? SE_UDP : SE_TCP)) {
		deny(q, EACCES, by_default, "no class of socket for it is given");
		return;
	}
	if (direction == POLICY_PORT_CONNECT && udp) {
		allow(q, by_default, "the port of UDP is not asked about");
		return;
	}
	if (direction == POLICY_PORT_BIND && selinux_port_unchecked(e->port)) {
		allow(q, by_default, "the kernel does not ask about ports of its own range");
		return;
	}
	if (selinux_any_port(q->policy, direction)) {
		allow(q, by_default, NULL);
		return;
	}
	line = selinux_port_line(
		q->policy, direction, (enum policy_port_protocol)e->protocol,
		selinux_port_type((enum policy_port_protocol)e->protocol, e->port));
	if (line)
		allow(q, line->where, NULL);
	else
		deny(q, EACCES, by_default, "no line has a port of that type");
}

static void judge_unix(struct asking *q, const struct effect *e)
{
	const bool open = selinux_opens(q->policy, SE_UNIX);

	judge_opening(q, open && e->path && e->path[0] == '/' && in_memory(q, e->path),
		      open ? "who listens outside has another type"
			   : "no class of socket for it is given");
}

/* --- the kernel --- */

static bool has_cap(const struct asking *q, unsigned capability)
{
	return capability < 64 && q->policy->caps & UINT64_C(1) << capability;
}

static void judge_capability(struct asking *q, const struct effect *e)
{
	const struct policy_where where = q->policy->setting_where[POLICY_SETTING_CAP];

	if (has_cap(q, e->capability))
		allow(q, where, "over the sandbox's own namespaces");
	else
		deny(q, capabilities_errno(q->attempt->call->name), where, NULL);
}

static void judge_namespace(struct asking *q, const struct effect *e)
{
	if (e->value & CLONE_NEWUSER)
		return; /* the reference policy has no class for it, and what has none passes */
	if (!has_cap(q, CAP_SYS_ADMIN))
		deny(q, EPERM, q->policy->setting_where[POLICY_SETTING_CAP], NULL);
}

static void judge_ptrace(struct asking *q)
{
	/* the others have an errno of their own whatever the hook's was */
	const bool passed_on = strcmp(q->attempt->call->name, "ptrace") == 0;

	if (selinux_opens(q->policy, SE_PTRACE))
		allow(q, by_default, "of processes of the same type and categories");
	else
		deny(q, passed_on ? EACCES : EPERM, by_default, NULL);
}

static void judge_process(struct asking *q)
{
	const char *call = q->attempt->call->name;

	/* there is no hook for these (include/linux/lsm_hook_defs.h) */
	if (strcmp(call, "getpriority") != 0 && strcmp(call, "pidfd_open") != 0)
		deny(q, EACCES, by_default, "a process outside has another type");
}

/* mount(2) meets the hook before the kernel asks for a capability, the others behind. */
static void judge_mount(struct asking *q)
{
	const bool hook_first = strcmp(q->attempt->call->name, "mount") == 0;

	deny(q, hook_first || has_cap(q, CAP_SYS_ADMIN) ? EACCES : EPERM, by_default,
	     "no type may be mounted on");
}

/* Since Linux 6.4; before, the capability came first and nothing was left to ask
 * (kernel/bpf/syscall.c). Landlock tells a kernel's age where nobody does: 4 is 6.7's, 3 is 6.2's
 * to 6.6's. */
static bool asks_selinux_of_bpf(const struct profile_target *target)
{
	return target->kernel ? target->kernel >= KERNEL(6, 4) : target->landlock_abi >= 4;
}

/* Objects of the kernel's that are reached by a call of their own and by no effect. */
static void judge_call(struct asking *q)
{
	static const struct {
		const char *call;
		unsigned openings; /* any of these: what they give is told apart by class only */
	} calls[] = {
		{ "add_key", 1U << SE_KEY },	     { "keyctl", 1U << SE_KEY },
		{ "io_uring_setup", SE_ANON_INODE }, { "memfd_secret", SE_ANON_INODE },
		{ "userfaultfd", SE_ANON_INODE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		bool open = false;

		if (strcmp(q->attempt->call->name, calls[i].call) != 0)
			continue;
		for (unsigned o = 0; o < _SE_OPENING_MAX && !open; o++)
			open = calls[i].openings & 1U << o &&
			       selinux_opens(q->policy, (enum selinux_opening)o);
		judge_opening(q, open, "no line allows a call that needs it");
	}
	if (strcmp(q->attempt->call->name, "bpf") == 0 && asks_selinux_of_bpf(q->target))
		judge_opening(q, selinux_opens(q->policy, SE_BPF), "no line allows bpf");
}

static void judge_effect(struct asking *q, const struct effect *e)
{
	switch ((enum effect_kind)e->kind) {
	case EFFECT_FILE:
		judge_file(q, e);
		break;
	case EFFECT_SOCKET:
		judge_socket(q, e);
		break;
	case EFFECT_CONNECT:
		judge_port(q, e, POLICY_PORT_CONNECT);
		break;
	case EFFECT_BIND:
		judge_port(q, e, POLICY_PORT_BIND);
		break;
	case EFFECT_UNIX:
		judge_unix(q, e);
		break;
	case EFFECT_CAPABILITY:
		judge_capability(q, e);
		break;
	case EFFECT_NAMESPACE:
		judge_namespace(q, e);
		break;
	case EFFECT_MOUNT:
		judge_mount(q);
		break;
	case EFFECT_PTRACE:
		judge_ptrace(q);
		break;
	case EFFECT_SIGNAL:
		deny(q, EACCES, by_default, "a process outside has another type");
		break;
	case EFFECT_PROCESS:
		judge_process(q);
		break;
	case EFFECT_QUEUE:
		deny(q, EACCES, by_default, "no type of POSIX message queues is given");
		break;
	case _EFFECT_MAX:
		break;
	}
}

int selinux_judge(const struct policy *policy, const struct profile_target *target,
		  const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	struct judgement answer = { .answer = JUDGE_SILENT };
	struct asking q = {
		.policy = policy,
		.attempt = attempt,
		.target = target,
		.vars = selinux_vars(target),
		.out = &answer,
	};
	int r = 0;

	/* the dearest part, and of no use to a socket */
	for (unsigned i = 0; i < attempt->n_effects && r == 0 && q.rights.n == 0; i++) {
		if (attempt->effects[i].kind == EFFECT_FILE)
			r = selinux_rights_of(policy, target, &q.rights, err);
	}
	if (r < 0)
		return r;
	judge_call(&q);
	for (unsigned i = 0; i < attempt->n_effects; i++)
		judge_effect(&q, &attempt->effects[i]);
	selinux_rights_done(&q.rights);
	*ret = answer;
	return 0;
}
