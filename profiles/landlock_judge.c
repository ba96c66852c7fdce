// SPDX-License-Identifier: Apache-2.0
/*
 * What Landlock alone answers to an attempt, by its ABI. Where security/landlock/ checks what, and
 * in which order, decides the errno: fs.c for paths (EACCES; EXDEV where only the move between two
 * directories is refused), net.c for ports, task.c for ptrace and signals (EPERM), and mount
 * changes, which a domain that handles any right over files loses (EPERM).
 */
#include "profiles/landlock_judge.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/sys.h"
#include "profiles/landlock.h"
#include "profiles/landlock_rules.h"

struct asking {
	const struct policy *policy;
	const struct landlock_rules *rules;
	const struct attempt *attempt;
	int abi;
	struct judgement *out;
};

static void deny(struct asking *q, int errno_value, const char *note)
{
	if (q->out->answer == JUDGE_DENIES)
		return;
	q->out->answer = JUDGE_DENIES;
	q->out->errno_value = (uint16_t)errno_value;
	q->out->note = note;
}

/* The line that grants the most of what is asked, for a reader. */
static void name_line(struct asking *q, const char *path, uint64_t rights)
{
	size_t depth = 0;

	for (size_t i = 0; i < q->rules->n; i++) {
		const struct landlock_rule *rule = &q->rules->rules[i];

		if (!rule->line || !(rule->rights & rights) || !path_is_within(path, rule->place) ||
		    (q->out->where.line != 0 && path_depth(rule->place) < depth))
			continue;
		depth = path_depth(rule->place);
		q->out->where = rule->where;
	}
}

/* Needs all of rights on path. */
static bool need(struct asking *q, const char *path, uint64_t rights, const char *note)
{
	rights &= q->rules->handled_fs;
	if (rights == 0 || q->out->answer == JUDGE_DENIES)
		return q->out->answer != JUDGE_DENIES;
	if (rights & ~landlock_rules_grant(q->rules, path)) {
		deny(q, EACCES, note);
		return false;
	}
	q->out->answer = JUDGE_ALLOWS;
	name_line(q, path, rights);
	return true;
}

static void parent_of(const char *path, char ret[LIMIT_PATH])
{
	const char *slash = strrchr(path, '/');
	const size_t n = slash && slash > path ? (size_t)(slash - path) : 1;

	memcpy(ret, path, n < LIMIT_PATH ? n : LIMIT_PATH - 1);
	ret[n < LIMIT_PATH ? n : LIMIT_PATH - 1] = '\0';
}

static uint64_t make_right(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFCHR:
		return SYS_LANDLOCK_FS_MAKE_CHAR;
	case S_IFBLK:
		return SYS_LANDLOCK_FS_MAKE_BLOCK;
	case S_IFIFO:
		return SYS_LANDLOCK_FS_MAKE_FIFO;
	case S_IFSOCK:
		return SYS_LANDLOCK_FS_MAKE_SOCK;
	default:
		return SYS_LANDLOCK_FS_MAKE_REG;
	}
}

/* What of an access the directory that holds the name must grant. */
static uint64_t parent_rights(const struct effect *e)
{
	uint64_t rights = 0;

	if (e->access & FILE_CREATE)
		rights |= SYS_LANDLOCK_FS_MAKE_REG;
	if (e->access & FILE_REMOVE) /* of a directory or a file: verbs grant both or none */
		rights |= SYS_LANDLOCK_FS_REMOVE_FILE;
	if (e->access & FILE_MKDIR)
		rights |= SYS_LANDLOCK_FS_MAKE_DIR;
	if (e->access & FILE_SYMLINK)
		rights |= SYS_LANDLOCK_FS_MAKE_SYM;
	if (e->access & FILE_MKNOD)
		rights |= make_right(e->value);
	return rights;
}

static uint64_t file_rights(const struct effect *e)
{
	uint64_t rights = 0;

	if (e->access & FILE_READ)
		rights |= SYS_LANDLOCK_FS_READ_FILE;
	if (e->access & FILE_WRITE)
		rights |= SYS_LANDLOCK_FS_WRITE_FILE;
	if (e->access & FILE_EXEC) /* which opens it for reading too */
		rights |= SYS_LANDLOCK_FS_EXECUTE | SYS_LANDLOCK_FS_READ_FILE;
	if (e->access & FILE_TRUNCATE)
		rights |= SYS_LANDLOCK_FS_TRUNCATE;
	if (e->access & FILE_IOCTL)
		rights |= SYS_LANDLOCK_FS_IOCTL_DEV;
	return rights;
}

/* Devices and what /proc shows are there already: opening them with O_CREAT makes nothing. */
static bool is_there(const char *path)
{
	return (path_is_within(path, "/dev") && !path_is_within(path, "/dev/shm")) ||
	       path_is_within(path, "/proc");
}

/*
 * A link or rename to another directory: both parents need REFER, and the file must not gain a
 * right by the move (fs.c, current_check_refer_path). EACCES prevails over EXDEV.
 */
static void judge_move(struct asking *q, const struct effect *from, const struct effect *to)
{
	char from_dir[LIMIT_PATH], to_dir[LIMIT_PATH];
	uint64_t gained;

	parent_of(from->path, from_dir);
	parent_of(to->path, to_dir);
	if (!need(q, from_dir, parent_rights(from), "the old name cannot be removed") ||
	    !need(q, to_dir, parent_rights(to), "the new name cannot be made"))
		return;
	if (!(to->access & FILE_LINK))
		return;
	if (q->abi < 2) {
		deny(q, EXDEV, "ABI 1 refuses every move between directories");
		return;
	}
	if (!(landlock_rules_grant(q->rules, from_dir) & landlock_rules_grant(q->rules, to_dir) &
	      SYS_LANDLOCK_FS_REFER)) {
		deny(q, EXDEV, "a directory that cannot be written to is on one side");
		return;
	}
	gained = landlock_file_rights(landlock_rules_grant(q->rules, to_dir)) &
		 ~landlock_rules_grant(q->rules, from->path);
	if (gained)
		deny(q, EXDEV, "the file would gain rights by the move");
}

static void judge_file(struct asking *q, const struct effect *e)
{
	char dir[LIMIT_PATH];
	uint64_t rights = parent_rights(e);

	if (rights && !((e->access & FILE_CREATE) && is_there(e->path))) {
		parent_of(e->path, dir);
		if (!need(q, dir, rights, "no line lets names change there"))
			return;
	}
	(void)need(q, e->path, file_rights(e), "no line grants it");
}

static const struct policy_port *port_line(const struct asking *q,
					   enum policy_port_direction direction, unsigned protocol,
					   unsigned port)
{
	for (size_t i = 0; i < q->policy->n_ports && q->policy->net != POLICY_NET_NONE; i++) {
		const struct policy_port *p = &q->policy->ports[i];

		if (p->direction == direction && p->protocol == protocol && port >= p->first &&
		    port <= p->last)
			return p;
	}
	return NULL;
}

static void judge_port(struct asking *q, const struct effect *e)
{
	const enum policy_port_direction direction =
		e->kind == EFFECT_BIND ? POLICY_PORT_BIND : POLICY_PORT_CONNECT;
	const uint64_t right =
		q->rules->handled_net &
		landlock_net_right(q->abi, direction, (enum policy_port_protocol)e->protocol);
	const struct policy_port *line = port_line(q, direction, e->protocol, e->port);

	/* A socket of UDP's that is not bound gets a port to send from, which is asked about as 0.
	 */
	if (direction == POLICY_PORT_CONNECT && e->protocol == POLICY_PORT_UDP &&
	    q->rules->handled_net & landlock_net_right(q->abi, POLICY_PORT_BIND, POLICY_PORT_UDP) &&
	    !port_line(q, POLICY_PORT_BIND, POLICY_PORT_UDP, 0)) {
		deny(q, EACCES, "no line has `net bind udp 0`, to send from");
		return;
	}
	/* sendto() on a stream is MSG_FASTOPEN's, which net.c does not see */
	if (right == 0 ||
	    (e->protocol == POLICY_PORT_TCP && strcmp(q->attempt->call->name, "sendto") == 0))
		return;
	if (!line) {
		deny(q, EACCES, "no net line names the port");
		return;
	}
	if (q->out->answer == JUDGE_SILENT)
		q->out->answer = JUDGE_ALLOWS;
	q->out->where = line->where;
}

static void judge_unix(struct asking *q, const struct effect *e)
{
	if (e->path[0] != '@') {
		(void)need(q, e->path, SYS_LANDLOCK_FS_RESOLVE_UNIX,
			   "no line lets write to the socket, and it is not the sandbox's own");
	} else if (q->rules->scoped & SYS_LANDLOCK_SCOPE_ABSTRACT_UNIX) {
		deny(q, EPERM, "abstract sockets of others are out of the domain");
	}
}

/* Hooks are there for these; making a detached mount, or setting its flags, has none. */
static bool changes_tree(const char *call)
{
	static const char *const calls[] = { "mount", "move_mount", "pivot_root", "umount",
					     "umount2" };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(call, calls[i]) == 0)
			return true;
	}
	return false;
}

bool landlock_refuses(const char *call)
{
	return changes_tree(call) || strcmp(call, "mq_open") == 0;
}

static void judge_effect(struct asking *q, const struct effect *e)
{
	switch ((enum effect_kind)e->kind) {
	case EFFECT_FILE:
		judge_file(q, e);
		break;
	case EFFECT_CONNECT:
	case EFFECT_BIND:
		judge_port(q, e);
		break;
	case EFFECT_UNIX:
		judge_unix(q, e);
		break;
	case EFFECT_PTRACE:
		/* mm_access() answers EACCES, of which this call makes no EPERM */
		deny(q, strcmp(q->attempt->call->name, "process_madvise") == 0 ? EACCES : EPERM,
		     "other processes are out of the domain");
		break;
	case EFFECT_SIGNAL:
		if (q->rules->scoped & SYS_LANDLOCK_SCOPE_SIGNAL)
			deny(q, EPERM, "other processes are out of the domain");
		break;
	case EFFECT_QUEUE:
		/* each has a file in a mount of the kernel's own, above whose root there is nothing
		 */
		deny(q, EACCES, "POSIX message queues lie in a file system that no rule names");
		break;
	case EFFECT_MOUNT:
		if (changes_tree(q->attempt->call->name))
			deny(q, EPERM, "a domain over files changes no mounts");
		break;
	case EFFECT_SOCKET:
	case EFFECT_CAPABILITY:
	case EFFECT_NAMESPACE:
	case EFFECT_PROCESS:
	case _EFFECT_MAX:
		break;
	}
}

/* The second of two names is one of a rename or a link. */
static bool is_move(const struct attempt *a)
{
	return a->n_effects >= 2 && a->effects[0].kind == EFFECT_FILE &&
	       a->effects[1].kind == EFFECT_FILE;
}

int landlock_judge(const struct policy *policy, const struct profile_target *target,
		   const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	struct landlock_rules rules = { .n = 0 };
	struct judgement out = { .answer = JUDGE_SILENT };
	struct asking q = {
		.policy = policy,
		.rules = &rules,
		.attempt = attempt,
		.out = &out,
		.abi = target->landlock_abi,
	};
	int r;

	*ret = out;
	if (target->landlock_abi < 1)
		return 0;
	r = landlock_rules_of(policy, target, &rules, err);
	if (r < 0)
		return r;
	if (is_move(attempt)) {
		judge_move(&q, &attempt->effects[0], &attempt->effects[1]);
	} else {
		for (uint8_t i = 0; i < attempt->n_effects; i++)
			judge_effect(&q, &attempt->effects[i]);
	}
	landlock_rules_done(&rules);
	if (out.answer == JUDGE_DENIES)
		out.where = (struct policy_where){ .line = 0 };
	*ret = out;
	return 0;
}
