// SPDX-License-Identifier: Apache-2.0
/*
 * The view: mounts, and the namespaces of network and processes, on the host's root. What it
 * refuses is refused by absence (ENOENT, ESRCH, ENETUNREACH, ECONNREFUSED) or by a mount that is
 * read-only (EROFS). It never looks at permissions, and executing is reading to it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/path.h"
#include "policies/attempt_text.h"
#include "profiles/report.h"

enum {
	CHANGES_FILE = FILE_WRITE | FILE_TRUNCATE | FILE_CHMOD,
	CHANGES_NAMES =
		FILE_CREATE | FILE_REMOVE | FILE_MKDIR | FILE_SYMLINK | FILE_MKNOD | FILE_LINK,
	MAKES_NAME = FILE_CREATE | FILE_MKDIR | FILE_SYMLINK | FILE_MKNOD,
};

/* What there is at a path. */
enum place {
	PLACE_ABSENT,
	PLACE_HOST_RO,
	PLACE_HOST_RW,
	PLACE_EMPTY,	  /* a tmpfs, or a directory of it on the way to another line's place */
	PLACE_ON_THE_WAY, /* a directory of the root, which is read-only, to a line's place */
	PLACE_COVERED,	  /* hidden: empty and read-only */
	PLACE_LAUNCH,	  /* /proc, /dev */
};

struct asking {
	const struct policy *policy;
	const struct path_vars *vars;
	const struct attempt *attempt;
	struct judgement *out;
};

static void deny(struct asking *q, int errno_value, const struct policy_path *line,
		 const char *note)
{
	if (q->out->answer == JUDGE_DENIES)
		return;
	*q->out = (struct judgement){ .answer = JUDGE_DENIES,
				      .errno_value = (uint16_t)errno_value,
				      .note = note };
	if (line)
		q->out->where = line->where;
}

static void allow(struct asking *q, const struct policy_path *line)
{
	if (q->out->answer == JUDGE_DENIES)
		return;
	q->out->answer = JUDGE_ALLOWS;
	if (line)
		q->out->where = line->where;
}

/* Whether a line shows something below path, so that path is a directory on the way to it. */
static bool is_on_the_way(const struct asking *q, const char *path)
{
	for (size_t i = 0; i < q->policy->n_paths; i++) {
		const struct policy_path *line = &q->policy->paths[i];
		char place[LIMIT_PATH];

		if (line->verb != POLICY_PATH_HIDE &&
		    path_rule_expand(line, q->vars, place, sizeof(place)) == 0 &&
		    place[1] != '\0' && path_is_within(place, path) && strcmp(place, path) != 0)
			return true;
	}
	return path[1] == '\0';
}

static enum place place_of(const struct asking *q, const char *path,
			   const struct policy_path **ret_line)
{
	const struct policy_path *line;
	char place[LIMIT_PATH];

	*ret_line = NULL;
	if (path_is_within(path, "/proc") || path_is_within(path, "/dev"))
		return PLACE_LAUNCH;
	line = path_rule_find(q->policy, q->vars, path);
	if (!line || path_rule_expand(line, q->vars, place, sizeof(place)) < 0)
		return is_on_the_way(q, path) ? PLACE_ON_THE_WAY : PLACE_ABSENT;
	*ret_line = line;
	switch ((enum policy_path_verb)line->verb) {
	case POLICY_PATH_READ:
	case POLICY_PATH_EXEC:
		return PLACE_HOST_RO;
	case POLICY_PATH_WRITE:
		return PLACE_HOST_RW;
	case POLICY_PATH_TMPFS:
		return strcmp(path, place) == 0 || is_on_the_way(q, path) ? PLACE_EMPTY
									  : PLACE_ABSENT;
	case POLICY_PATH_HIDE:
		break;
	}
	return strcmp(path, place) == 0 ? PLACE_COVERED : PLACE_ABSENT;
}

static void parent_of(const char *path, char ret[LIMIT_PATH])
{
	const char *slash = strrchr(path, '/');
	const size_t n = slash && slash > path ? (size_t)(slash - path) : 1;

	memcpy(ret, path, n < LIMIT_PATH ? n : LIMIT_PATH - 1);
	ret[n < LIMIT_PATH ? n : LIMIT_PATH - 1] = '\0';
}

/* A new name is the parent directory's business. */
static void judge_new_name(struct asking *q, const struct effect *e)
{
	const struct policy_path *line;
	char dir[LIMIT_PATH];

	parent_of(e->path, dir);
	switch (place_of(q, dir, &line)) {
	case PLACE_ABSENT:
		deny(q, ENOENT, line, "no line shows the directory");
		break;
	case PLACE_HOST_RO:
	case PLACE_ON_THE_WAY:
	case PLACE_COVERED:
		deny(q, EROFS, line, "it is mounted read-only");
		break;
	case PLACE_HOST_RW:
	case PLACE_EMPTY:
		allow(q, line);
		break;
	case PLACE_LAUNCH:
		break;
	}
}

/* A mount is asked for writing before a name in it is looked up (fs/namei.c). */
static bool judge_removal(struct asking *q, const struct effect *e)
{
	const struct policy_path *line;
	char dir[LIMIT_PATH];

	parent_of(e->path, dir);
	switch (place_of(q, dir, &line)) {
	case PLACE_HOST_RO:
	case PLACE_ON_THE_WAY:
	case PLACE_COVERED:
		deny(q, EROFS, line, "it is mounted read-only");
		return true;
	case PLACE_ABSENT:
	case PLACE_HOST_RW:
	case PLACE_EMPTY:
	case PLACE_LAUNCH:
		break;
	}
	return false;
}

static void judge_file(struct asking *q, const struct effect *e)
{
	const struct policy_path *line;

	if (e->access & MAKES_NAME) {
		judge_new_name(q, e);
		return;
	}
	if (e->access & FILE_REMOVE && judge_removal(q, e))
		return;
	switch (place_of(q, e->path, &line)) {
	case PLACE_ABSENT:
		deny(q, ENOENT, line, "no line shows it");
		break;
	case PLACE_HOST_RO:
	case PLACE_ON_THE_WAY:
	case PLACE_COVERED:
		if (e->access & (CHANGES_FILE | CHANGES_NAMES))
			deny(q, EROFS, line, "it is mounted read-only");
		else
			allow(q, line);
		break;
	case PLACE_HOST_RW:
	case PLACE_EMPTY:
		allow(q, line);
		break;
	case PLACE_LAUNCH:
		break;
	}
}

static bool is_writable(enum place place)
{
	return place == PLACE_HOST_RW || place == PLACE_EMPTY;
}

/*
 * rename and link see the mounts first, and each line's place is one (fs/namei.c): a rename asks
 * for one mount, then for writing, then for the name; a link for the name, writing, one mount.
 */
static void judge_move(struct asking *q, const struct effect *from, const struct effect *to)
{
	const bool is_link = !(from->access & FILE_REMOVE);
	const struct policy_path *from_line, *to_line, *name_line;
	char from_dir[LIMIT_PATH], to_dir[LIMIT_PATH];
	enum place name_place = place_of(q, from->path, &name_line);
	enum place from_place, to_place;

	parent_of(from->path, from_dir);
	parent_of(to->path, to_dir);
	from_place = place_of(q, from_dir, &from_line);
	to_place = place_of(q, to_dir, &to_line);
	if (from_place == PLACE_ABSENT || (is_link && name_place == PLACE_ABSENT))
		deny(q, ENOENT, name_line, "no line shows it");
	else if (to_place == PLACE_ABSENT)
		deny(q, ENOENT, to_line, "no line shows the directory");
	else if (is_link && !is_writable(to_place))
		deny(q, EROFS, to_line, "it is mounted read-only");
	else if (from_line != to_line)
		deny(q, EXDEV, to_line, "the two places are two mounts");
	else if (!is_writable(to_place))
		deny(q, EROFS, to_line, "it is mounted read-only");
	else if (name_place == PLACE_ABSENT)
		deny(q, ENOENT, name_line, "no line shows it");
	else
		allow(q, from_line);
}

/* Whether the address that the call names is one of the loopback interface's. */
static bool is_loopback(const struct attempt *attempt)
{
	for (unsigned i = 0; i < 6; i++) {
		struct attempt_address a;

		if (!attempt->text[i] || attempt_text_address(attempt->text[i], &a) < 0)
			continue;
		if (a.family == AF_INET)
			return a.host.s6_addr[0] == 127;
		return a.family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a.host);
	}
	return false;
}

static void judge_net(struct asking *q, const struct effect *e)
{
	const bool loopback = is_loopback(q->attempt), none = q->policy->net == POLICY_NET_NONE;
	const bool udp = e->protocol == POLICY_PORT_UDP;

	if (q->policy->net == POLICY_NET_HOST)
		return;
	q->out->where = q->policy->setting_where[POLICY_SETTING_NET];
	if (e->kind == EFFECT_BIND) {
		/* 127.0.0.1 is there before its interface is */
		if (none && loopback && e->family == AF_INET6)
			deny(q, EADDRNOTAVAIL, NULL, "no interface is up");
	} else if (!loopback || none) {
		deny(q, none && loopback && e->family == AF_INET6 ? EADDRNOTAVAIL : ENETUNREACH,
		     NULL, "there is no way out of the network namespace");
	} else if (!udp) {
		deny(q, ECONNREFUSED, NULL, "the host's servers are in another network namespace");
	}
}

static void judge_unix(struct asking *q, const struct effect *e)
{
	const struct policy_path *line;
	enum place place;

	if (e->path[0] == '@') {
		if (q->policy->net != POLICY_NET_HOST)
			deny(q, ECONNREFUSED, NULL,
			     "abstract names belong to the network namespace");
		return;
	}
	place = place_of(q, e->path, &line);
	if (place == PLACE_ABSENT)
		deny(q, ENOENT, line, "no line shows it");
	else if (place != PLACE_LAUNCH)
		allow(q, line);
}

/* By a number that means nothing inside, or by a descriptor that nothing inside can make. */
static void judge_process(struct asking *q)
{
	const bool by_fd = q->attempt->call->args[0].kind == KIND_FD;

	deny(q, by_fd ? EBADF : ESRCH, NULL,
	     "processes outside have no number in the sandbox's pid namespace");
}

/* Paths are looked up before anybody asks for the right to mount. */
static void judge_mount(struct asking *q)
{
	for (unsigned i = 0; i < q->attempt->call->n_args; i++) {
		const struct policy_path *line;
		const char *path = q->attempt->text[i];

		if (path && q->attempt->call->args[i].kind == KIND_PATH && path_is_normal(path) &&
		    place_of(q, path, &line) == PLACE_ABSENT)
			deny(q, ENOENT, line, "no line shows it");
	}
}

static void judge_effect(struct asking *q, const struct effect *e)
{
	switch ((enum effect_kind)e->kind) {
	case EFFECT_FILE:
		judge_file(q, e);
		break;
	case EFFECT_CONNECT:
	case EFFECT_BIND:
		judge_net(q, e);
		break;
	case EFFECT_UNIX:
		judge_unix(q, e);
		break;
	case EFFECT_PTRACE:
	case EFFECT_SIGNAL:
	case EFFECT_PROCESS:
		judge_process(q);
		break;
	case EFFECT_MOUNT:
		judge_mount(q);
		break;
	case EFFECT_SOCKET:
	case EFFECT_CAPABILITY:
	case EFFECT_NAMESPACE:
	case EFFECT_QUEUE: /* those of the sandbox's own IPC namespace */
	case _EFFECT_MAX:
		break;
	}
}

static int judge(const struct policy *policy, const struct profile_target *target,
		 const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	struct asking q = {
		.policy = policy, .vars = &target->vars, .attempt = attempt, .out = ret
	};

	(void)err;
	*ret = (struct judgement){ .answer = JUDGE_SILENT };
	if (attempt->n_effects >= 2 && attempt->effects[0].kind == EFFECT_FILE &&
	    attempt->effects[1].kind == EFFECT_FILE) {
		judge_move(&q, &attempt->effects[0], &attempt->effects[1]);
		return 0;
	}
	for (uint8_t i = 0; i < attempt->n_effects; i++)
		judge_effect(&q, &attempt->effects[i]);
	return 0;
}

static int judge_line(const struct policy *policy, const struct profile_target *target,
		      const struct report_line *line, enum coverage *ret, struct buf *note)
{
	const struct policy_path *path = &policy->paths[line->index];

	(void)target;
	*ret = COVERAGE_ENFORCED;
	switch ((enum report_line_kind)line->kind) {
	case REPORT_PATH:
		if (path->verb != POLICY_PATH_READ && path->verb != POLICY_PATH_WRITE)
			return 0;
		*ret = COVERAGE_WEAKER;
		return buf_puts(note, "what lies there can be executed: Landlock refuses that");
	case REPORT_NET:
		return 0;
	case REPORT_ENV:
		return buf_puts(note, "the launcher builds the environment");
	case REPORT_CALLS:
	case REPORT_PORT:
	case REPORT_CAP:
	case REPORT_LIMIT:
	case REPORT_KERNEL:
	case REPORT_ABI:
	case REPORT_NOTIFY:
	case REPORT_DEFAULT:
	case REPORT_LABEL:
		break;
	}
	*ret = COVERAGE_NOT_ITS_OWN;
	return 0;
}

static int report(const struct policy *policy, const struct profile_target *target,
		  struct report *to, struct err *err)
{
	return report_each(policy, MECHANISM_VIEW, target, judge_line, to, err);
}

const struct mechanism_ops view_mechanism = { .report = report, .judge = judge };
