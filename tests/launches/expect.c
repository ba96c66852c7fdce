// SPDX-License-Identifier: Apache-2.0
/*
 * What has to hold of a launch, worked out from its options and its policy by the words of
 * doc/policy.md and cordon-run(1) alone: the deepest path wins, at the same path an option outranks
 * the policy; what no place shows is not there.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/launches/launches.h"

static bool is_within(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (n == 1)
		return true;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static unsigned rank(const struct place *p)
{
	return p->kind == EMPTY ? 2 : p->kind == HIDDEN ? 1 : 0;
}

static void add_place(struct launch *l, const struct place *new)
{
	for (size_t i = 0; i < l->n_places; i++) {
		struct place *old = &l->places[i];

		if (strcmp(old->path, new->path) != 0)
			continue;
		if (old->origin == new->origin && old->kind == SHOWN &&new->kind == SHOWN)
			old->writable = old->writable || new->writable;
		else if (new->origin > old->origin ||
			 (new->origin == old->origin &&rank(new) > rank(old)))
			*old = *new;
		return;
	}
	if (l->n_places < MAX_PLACES)
		l->places[l->n_places++] = *new;
}

/* ~, $PWD and ${NAME:-x}: the names that are drawn are not set. */
static bool expand(const char *path, char *ret, size_t size)
{
	const char *text;

	if (path[0] == '~')
		snprintf(ret, size, "%s%s", world.home, path + 1);
	else if (strncmp(path, "$PWD", 4) == 0)
		snprintf(ret, size, "%s%s", world.work, path + 4);
	else if (strncmp(path, "${", 2) == 0 && (text = strstr(path, ":-")))
		snprintf(ret, size, "%.*s", (int)strcspn(text + 2, "}"), text + 2);
	else
		snprintf(ret, size, "%s", path);
	return ret[0] == '/';
}

static void add_policy_places(struct launch *l)
{
	for (size_t i = 0; i < l->policy->n_paths; i++) {
		const struct policy_path *rule = &l->policy->paths[i];
		struct place p = { .origin = BY_POLICY, .optional = rule->optional };
		char path[PATH_SIZE], real[PATH_MAX];
		struct stat st;

		if (!expand(rule->path, path, sizeof(path)))
			continue;
		if (l->n_bases == 0 && lstat(path, &st) < 0) {
			/* `hide` of what is not there is nothing; the others want it */
			if (!rule->optional && rule->verb != POLICY_PATH_HIDE &&
			    rule->verb != POLICY_PATH_TMPFS)
				launch_may_refuse(l, path);
			if (!rule->optional)
				launch_may_refuse(l, "policy:");
			continue;
		}
		if (l->n_bases == 0 && rule->verb >= POLICY_PATH_HIDE && realpath(path, real))
			snprintf(path, sizeof(path), "%.*s", PATH_SIZE - 1, real);
		p.kind = rule->verb == POLICY_PATH_HIDE	   ? HIDDEN
			 : rule->verb == POLICY_PATH_TMPFS ? EMPTY
							   : SHOWN;
		/* a base is a view of its own */
		if (p.kind == SHOWN && l->n_bases > 0)
			continue;
		p.writable = rule->verb == POLICY_PATH_WRITE;
		snprintf(p.path, sizeof(p.path), "%s", path);
		snprintf(p.source, sizeof(p.source), "%s", path);
		add_place(l, &p);
	}
}

static const struct place *covering(const struct launch *l, const char *path,
				    const struct place *skip)
{
	const struct place *best = NULL;

	for (size_t i = 0; i < l->n_places; i++) {
		const struct place *p = &l->places[i];

		if (p != skip && is_within(path, p->path) &&
		    (!best || strlen(p->path) > strlen(best->path)))
			best = p;
	}
	return best;
}

static void view_of_base(const struct launch *l, const char *path, struct view *ret)
{
	struct stat st;

	for (size_t i = 0; i < l->n_bases; i++) {
		snprintf(ret->source, sizeof(ret->source), "%s%s", l->bases[i],
			 path[1] ? path : "");
		ret->is_there = lstat(ret->source, &st) == 0;
		if (ret->is_there)
			break;
	}
	ret->writes = l->upper != NO_UPPER;
}

void view_of(const struct launch *l, const char *path, struct view *ret)
{
	const struct place *p = covering(l, path, NULL);
	struct stat st;

	*ret = (struct view){ .place = p };
	/* these are the sandbox's; a policy can show /sys by its name alone */
	if (is_within(path, "/proc") || is_within(path, "/dev") ||
	    (is_within(path, "/sys") && (!p || p->path[1] == '\0')) ||
	    (l->n_bases == 0 && path[1] == '\0')) {
		ret->place = NULL;
		return;
	}
	if (l->n_bases > 0 && !p)
		view_of_base(l, path, ret);
	if (!p)
		return;
	ret->writes = p->kind == SHOWN ? p->writable
		      : p->kind == OVERLAID
			      ? l->upper != NO_UPPER
			      : p->kind == EMPTY && (l->upper != NO_UPPER || l->n_bases > 0 ||
						     p->origin == BY_OPTION);
	if (p->kind != SHOWN && p->kind != OVERLAID)
		return;
	snprintf(ret->source, sizeof(ret->source), "%s%s", p->source[1] ? p->source : "",
		 path + (p->path[1] ? strlen(p->path) : 0));
	ret->is_there = lstat(ret->source, &st) == 0;
	ret->kept = p->kind == SHOWN && p->writable;
}

/* --- directories */

static char creates_in(const struct launch *l, const char *dir, struct view *ret)
{
	const struct place *p;

	view_of(l, dir, ret);
	p = ret->place;
	/* a base's /dev is a directory of it, with devices in it */
	if (l->n_bases > 0 && strcmp(dir, "/dev") == 0)
		return '?';
	/* what does not show there anyway need not be hidden: it is part of what is around it */
	if (p && p->kind == HIDDEN) {
		const struct place *around = covering(l, dir, p);

		return around && (around->kind == SHOWN || around->kind == OVERLAID) ? '-' : '?';
	}
	/* without an upper a policy's place is closed, but for one in a place that was asked for */
	for (size_t i = 0; p && p->kind == EMPTY && !ret->writes && i < l->n_places; i++) {
		const struct place *around = &l->places[i];

		if (around->kind == EMPTY && around->origin == BY_OPTION &&
		    is_within(dir, around->path))
			return '?';
	}
	if (!ret->writes)
		return '-';
	if (p && p->kind == EMPTY) {
		/* where a policy's place is not in the base, none may be made */
		if (strcmp(p->path, dir) != 0 || (p->origin == BY_POLICY && l->n_bases > 0))
			return '?';
		return '+';
	}
	/* not there outside: perhaps on the way to a deeper place */
	return ret->is_there ? '+' : '?';
}

static void expect_dir(struct launch *l, const char *dir)
{
	char path[PATH_SIZE + 8], *slash;
	struct view file, own;
	char reads, writes, creates;

	snprintf(path, sizeof(path), "%s/file", dir[1] ? dir : "");
	view_of(l, path, &file);
	reads = file.source[0] && file.is_there ? '+' : '-';
	writes = reads == '+' && file.writes ? '+' : '-';
	/* what lies outside the world has no text of ours */
	if (reads == '+' && !is_within(file.source, world.top))
		reads = '?';
	creates = creates_in(l, dir, &own);
	slash = strrchr(file.source, '/');
	if (slash)
		*slash = '\0';
	launch_tell(l, "dir=%c%c%c:%s:%s", reads, writes, creates, dir, file.source);
	if (creates == '+' && own.kept && l->n_given < MAX_PLACES)
		snprintf(l->given[l->n_given++], PATH_SIZE, "%.400s/%s.%u", own.source, l->mark,
			 l->n_dirs);
	l->n_dirs++;
}

static void expect_dirs(struct launch *l)
{
	static const char *const everywhere[] = {
		"/",
		"/etc",
		"/usr",
		"/usr/bin",
		"/usr/lib",
		"/var/lib",
		"/opt",
		"/root",
		"/home",
		"/boot",
		"/tmp",
		"/var/tmp",
		"/run",
		"/sys",
		"/proc",
		"/proc/sys",
		"/proc/sys/kernel",
		"/dev",
		"/dev/pts",
		"/data/0",
		"/data/0/a",
		"/data/0/a/b",
		"/data/1",
		"/data/1/b",
		"/data/1/b/c",
	};
	const char *secrets[4] = { NULL, world.canary_tmp, world.canary_shm, NULL };
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++)
		expect_dir(l, everywhere[i]);
	for (size_t i = 0; world_nodes[i]; i++)
		expect_dir(l, world_path(world_nodes[i]));
	expect_dir(l, world.work);
	expect_dir(l, world.home);
	snprintf(path, sizeof(path), "%.400s/secret", world.home);
	secrets[0] = path;
	for (size_t i = 0; secrets[i]; i++) {
		struct view v;

		view_of(l, secrets[i], &v);
		if (!v.source[0] || !v.is_there)
			launch_tell(l, "hidden=%s", secrets[i]);
	}
	for (size_t i = 0; i < l->n_places; i++) {
		if (l->places[i].kind == SHOWN && l->places[i].writable)
			launch_tell(l, "rw=%s", l->places[i].path);
	}
}

/* --- namespaces, networks, limits */

static void expect_namespaces(struct launch *l, bool new_time)
{
	static const char *const names[] = { "mnt",  "pid",    "ipc", "uts",
					     "user", "cgroup", "net", "time" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], text[64];
		ssize_t n;
		bool same = (strcmp(names[i], "net") == 0 && l->net == POLICY_NET_HOST) ||
			    (strcmp(names[i], "time") == 0 && !new_time);

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		n = readlink(path, text, sizeof(text) - 1);
		if (n < 0)
			continue;
		text[n] = '\0';
		launch_tell(l, "%s=%s:%s", same ? "same-ns" : "ns", names[i], strchr(text, '['));
	}
}

static void expect_network(struct launch *l)
{
	const bool host = l->net == POLICY_NET_HOST, plain = !l->wild && l->policy->n_ports == 0;

	if (!host || plain)
		launch_tell(l, "port=%c:%d", host ? '+' : '-', world.port);
	if (!host)
		launch_tell(l, "abstract=-:%s", world.abstract);
	if (l->net == POLICY_NET_NONE)
		launch_tell(l, "loopback=no");
	else if (plain)
		launch_tell(l, "loopback=yes");
}

/* Where nothing else is said the caller's own is shown, but not what a rule closes by its name. */
static void add_working_directory(struct launch *l)
{
	struct place p = { .kind = SHOWN, .origin = BUILT_IN };
	const struct place *at = covering(l, world.work, NULL);

	if (l->n_bases > 0 || (at && (at->kind == SHOWN || at->kind == OVERLAID)) ||
	    (at && (at->origin == BY_OPTION || strcmp(at->path, world.work) == 0)))
		return;
	snprintf(p.path, sizeof(p.path), "%s", world.work);
	snprintf(p.source, sizeof(p.source), "%s", world.work);
	add_place(l, &p);
}

/* A destination that is not there is made; in a place that was given for writing it stays. */
static void expect_made(struct launch *l)
{
	for (size_t i = 0; i < l->n_places; i++) {
		const struct place *p = &l->places[i], *in = covering(l, p->path, p);

		if (p->kind == MADE && in && in->kind == SHOWN && in->writable)
			snprintf(l->stays[l->n_stays++], PATH_SIZE, "%.250s%.250s", in->source,
				 p->path + strlen(in->path));
	}
}

void expect_all(struct launch *l)
{
	bool new_time = false, cwd = false;
	struct view sys;
	struct timespec now;

	for (size_t i = 0; i < l->n_words; i++) {
		new_time = new_time || strcmp(l->words[i], "--new-time") == 0;
		cwd = cwd || strncmp(l->words[i], "--cwd", 5) == 0;
	}
	add_policy_places(l);
	if (!cwd)
		add_working_directory(l);
	expect_made(l);
	view_of(l, "/sys", &sys);
	if (sys.source[0] && l->n_bases == 0)
		launch_tell(l, "sys=shown");
	launch_tell(l, "mark=%s", l->mark);
	launch_tell(l, "secret-backwards=%s", world.backwards);
	launch_tell(l, "shm=%d", world.shm_key);
	launch_tell(l, "noenv=LAUNCHES_UNASKED");
	/* the number means something where it is higher than one of the sandbox's can be */
	if (world.process > 400)
		launch_tell(l, "process=%d", (int)world.process);
	launch_tell(l, "caps=%llx", (unsigned long long)l->policy->caps);
	if (new_time && clock_gettime(CLOCK_BOOTTIME, &now) == 0 && now.tv_sec > 60)
		launch_tell(l, "clock-below=30");
	expect_namespaces(l, new_time);
	expect_network(l);
	expect_dirs(l);
}
