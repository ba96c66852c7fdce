// SPDX-License-Identifier: Apache-2.0
/*
 * What the payload can see: path rules of the policy, options and the built-in view become
 * steps. Precedence: the deepest path wins; at the same path an option outranks the policy and
 * the policy the built-in view; within the policy read, exec and write add up, tmpfs outranks
 * hide, hide outranks the others.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "sandbox/plan.h"
#include "sandbox/plan_places.h"

/* --- the policy's path rules --- */

static const char *host_env(const struct plan_host *host, const char *name, size_t len)
{
	for (char *const *e = host->environ; e && *e; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e + len + 1;
	}
	return NULL;
}

static bool is_pwd(const char *p)
{
	return strncmp(p, "$PWD", 4) == 0 && (p[4] == '/' || p[4] == '\0');
}

/* Replace "~", "$PWD", "${VAR}" and "${VAR:-default}". NULL and *ret_skip: nothing to name. */
static int expand(struct view *v, const char *text, const char **ret)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	char normal[LIMIT_PATH];
	const char *p = text;
	int r = 0;

	*ret = NULL;
	if (p[0] == '~' && (p[1] == '/' || p[1] == '\0')) {
		if (!v->host->home)
			return 0;
		r = buf_puts(&out, v->host->home);
		p += 1;
	} else if (is_pwd(p)) {
		r = buf_puts(&out, v->host->cwd);
		p += 4;
	}
	while (*p && r == 0) {
		const char *end = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;
		const char *sep, *value;

		if (!end) {
			r = buf_put(&out, p++, 1);
			continue;
		}
		sep = memmem(p, (size_t)(end - p), ":-", 2);
		value = host_env(v->host, p + 2, (size_t)((sep ? sep : end) - p - 2));
		if (value && *value)
			r = buf_puts(&out, value);
		else if (sep)
			r = buf_put(&out, sep + 2, (size_t)(end - sep - 2));
		else
			return 0;
		p = end + 1;
	}
	if (r < 0)
		return places_no_memory(v->err);
	if (!out.data || out.data[0] != '/' ||
	    path_normalise("/", out.data, normal, sizeof(normal)) < 0)
		return err_refuse(v->err,
				  "use the path '%s' of the policy: it does not become "
				  "an absolute path",
				  text);
	*ret = plan_copy(v->plan, normal);
	return *ret ? 0 : places_no_memory(v->err);
}

/* What is to be covered is named by where it lies: under a name that goes through a symlink
 * (/bin/su of a merged /usr, a home in /var/home) it would show by its other name. */
static int find_real(struct view *v, struct place *p)
{
	char real[LIMIT_PATH];

	if (v->plan->root != ROOT_HOST || !realpath(p->dest, real) || strcmp(real, p->dest) == 0)
		return 0;
	if (real[1] == '\0')
		return err_refuse(v->err, "obey %s: '%s' leads to '/'", p->why, p->dest);
	p->dest = p->source = plan_copy(v->plan, real);
	return p->dest ? 0 : places_no_memory(v->err);
}

static int add_policy_rule(struct view *v, const struct bundle_path *rule)
{
	static const unsigned verbs[] = {
		[POLICY_PATH_READ] = VERB_READ,
		[POLICY_PATH_EXEC] = VERB_READ | VERB_EXEC,
		[POLICY_PATH_WRITE] = VERB_READ | VERB_WRITE,
	};
	struct place p = { .origin = BY_POLICY, .optional = rule->optional, .fd = -1 };
	const char *slash = rule->file ? strrchr(rule->file, '/') : NULL;
	int r = expand(v, rule->path, &p.dest);

	if (r < 0 || !p.dest)
		return r;
	p.source = p.dest;
	p.why = plan_text(v->plan, "%s:%u",
			  slash	       ? slash + 1
			  : rule->file ? rule->file
				       : "policy",
			  rule->line);
	if (!p.why)
		return places_no_memory(v->err);
	if (rule->verb != POLICY_PATH_HIDE && text_starts_with(p.dest, "/proc/"))
		return err_refuse(v->err, "obey %s: /proc is the sandbox's own", p.why);
	if (rule->verb == POLICY_PATH_HIDE || rule->verb == POLICY_PATH_TMPFS) {
		p.kind = rule->verb == POLICY_PATH_HIDE ? STEP_HIDE : STEP_PLACE;
		r = find_real(v, &p);
		return r < 0 ? r : places_add(v, &p);
	}
	/* A base is its own view: rules about the host's files do not bring them in. */
	if (v->plan->root != ROOT_HOST)
		return 0;
	p.kind = STEP_BIND;
	p.verbs = verbs[rule->verb];
	return places_add(v, &p);
}

/* --- options --- */

static const char *option_name(enum request_place_kind kind)
{
	static const char *const names[] = {
		[PLACE_RO] = "--ro",	       [PLACE_RW] = "--rw",
		[PLACE_OVERLAY] = "--overlay", [PLACE_HIDE] = "--hide",
		[PLACE_TMPFS] = "--tmpfs",     [PLACE_DIR] = "--dir",
		[PLACE_SYMLINK] = "--symlink", [PLACE_FILE] = "--file",
	};

	return names[kind];
}

/* A path that a person named is opened as named: no symlink on the way, and remembered by device
 * and inode, so that the child binds what was looked at here. */
static int look_at(struct view *v, struct place *p)
{
	_cleanup_close_ int fd = path_open_exact(p->source, O_PATH);
	struct stat st;

	if (fd == -ELOOP) {
		char real[LIMIT_PATH];
		const char *found = realpath(p->source, real);

		(void)err_set(v->err, fd, "use '%s' for %s", p->source, p->why);
		return err_hint(v->err,
				"a symlink lies on the way, and what it leads to can change%s%s%s",
				found ? "; name the real path: " : "", found ? real : "", "");
	}
	if (fd < 0)
		return err_set(v->err, fd, "use '%s' for %s", p->source, p->why);
	if (fstat(fd, &st) < 0)
		return err_set(v->err, -errno, "look at '%s'", p->source);
	if (p->kind == STEP_OVERLAY && !S_ISDIR(st.st_mode))
		return err_set(v->err, -ENOTDIR, "put an overlay over '%s'", p->source);
	if (p->kind == STEP_OVERLAY && st.st_uid != v->plan->uid) {
		(void)err_set(v->err, -EPERM, "put an overlay over '%s'", p->source);
		return err_hint(v->err, "an overlay can only be written where you own the tree");
	}
	plan_take_inode(&st, &p->inode);
	return 0;
}

static int add_option(struct view *v, const struct request_place *o)
{
	static const enum plan_step_kind kinds[] = {
		[PLACE_RO] = STEP_BIND,		[PLACE_RW] = STEP_BIND,
		[PLACE_OVERLAY] = STEP_OVERLAY, [PLACE_HIDE] = STEP_HIDE,
		[PLACE_TMPFS] = STEP_PLACE,	[PLACE_DIR] = STEP_DIR,
		[PLACE_SYMLINK] = STEP_SYMLINK, [PLACE_FILE] = STEP_FILE,
	};
	struct place p = { .kind = kinds[o->kind], .origin = BY_OPTION, .fd = o->fd };
	char dest[LIMIT_PATH], source[LIMIT_PATH];
	int r;

	p.why = option_name(o->kind);
	r = path_normalise(v->host->cwd, o->dest, dest, sizeof(dest));
	if (r == 0 && o->source && o->kind != PLACE_SYMLINK)
		r = path_normalise(v->host->cwd, o->source, source, sizeof(source));
	if (r < 0)
		return err_set(v->err, r, "use '%s' for %s", o->dest, p.why);
	if (dest[1] == '\0')
		return err_refuse(v->err, "use '/' for %s", p.why),
		       err_hint(v->err, "a whole root is given by --base DIR");
	if (path_is_within(dest, "/proc"))
		return err_refuse(v->err, "use '%s' for %s: /proc is the sandbox's own", dest,
				  p.why);
	p.dest = plan_copy(v->plan, dest);
	if (o->kind == PLACE_SYMLINK)
		p.source = plan_copy(v->plan, o->source);
	else
		p.source = o->source ? plan_copy(v->plan, source) : p.dest;
	if (!p.dest || !p.source)
		return places_no_memory(v->err);
	if (o->kind == PLACE_RO)
		p.verbs = VERB_READ | VERB_EXEC;
	if (o->kind == PLACE_RW)
		p.verbs = VERB_READ | VERB_EXEC | VERB_WRITE;
	if (p.kind == STEP_BIND || p.kind == STEP_OVERLAY)
		r = look_at(v, &p);
	else if (p.kind == STEP_HIDE)
		r = find_real(v, &p);
	return r < 0 ? r : places_add(v, &p);
}

/* --- the host's root --- */

/* "/" in a rule stands for each top-level directory and symlink of the host, but for the
 * ones that are the sandbox's own. */
static int expand_root(struct view *v)
{
	static const char *const own[] = { ".", "..", "proc", "sys", "dev" };
	struct place *root = places_find(v, "/");
	struct place rule;
	DIR *dir;
	int r = 0;

	if (!root)
		return 0;
	rule = *root;
	*root = v->places[--v->n];
	if (rule.kind != STEP_BIND)
		return err_refuse(v->err, "obey %s: '/' can only be read, exec or write", rule.why);
	v->plan->root_access = rule.verbs & VERB_WRITE	? ACCESS_ALL
			       : rule.verbs & VERB_EXEC ? ACCESS_EXEC
							: ACCESS_READ;
	dir = opendir("/");
	if (!dir)
		return err_set(v->err, -errno, "list '/'");
	for (struct dirent *e; r == 0 && (errno = 0, e = readdir(dir));) {
		struct place p = rule;
		struct stat st;
		bool skip = false;

		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			skip = skip || strcmp(e->d_name, own[i]) == 0;
		if (!skip && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			skip = true;
			if (!path_is_absent(-errno))
				r = err_set(v->err, -errno, "look at '/%s'", e->d_name);
		}
		if (skip || (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)))
			continue;
		p.origin = BUILT_IN;
		p.optional = true;
		p.expanded = true;
		p.dest = p.source = plan_text(v->plan, "/%s", e->d_name);
		r = p.dest ? places_add(v, &p) : places_no_memory(v->err);
	}
	if (r == 0 && errno != 0)
		r = err_set(v->err, -errno, "list '/'");
	(void)closedir(dir);
	return r;
}

/* A rule may name what is a symlink on the host (/bin of a merged /usr): it stays one. */
static int keep_symlinks(struct view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		struct place *p = &v->places[i];
		char text[LIMIT_PATH];
		ssize_t n;

		if (p->kind != STEP_BIND || p->origin == BY_OPTION)
			continue;
		n = readlink(p->source, text, sizeof(text) - 1);
		if (n < 0 && (errno == EINVAL || path_is_absent(-errno)))
			continue; /* no symlink, or nothing */
		if (n < 0)
			return err_set(v->err, -errno, "look at '%s' for %s", p->source, p->why);
		text[n] = '\0';
		p->kind = STEP_SYMLINK;
		p->source = plan_copy(v->plan, text);
		if (!p->source)
			return places_no_memory(v->err);
	}
	return 0;
}

/* --- the working directory --- */
static bool may_show_cwd(struct view *v, const char *cwd)
{
	const struct place *at = places_covering(v, cwd, NULL);

	/* The home is empty, /sys absent; /run holds sockets, which read-only mounts do not close.
	 */
	if (cwd[1] == '\0' || path_is_within(cwd, "/sys") || path_is_within(cwd, "/run") ||
	    (v->host->home && path_is_within(v->host->home, cwd)))
		return false;
	/* What a rule empties or hides; below that too what an option does, and /proc and /dev */
	return !at || places_shows_host(at) ||
	       (at->origin != BY_OPTION && strcmp(at->dest, cwd) != 0);
}

static int plan_cwd(struct view *v, const struct request *req)
{
	struct plan *plan = v->plan;
	char cwd[LIMIT_PATH];
	struct place *at;
	int r = path_normalise(v->host->cwd, req->cwd ? req->cwd : v->host->cwd, cwd, sizeof(cwd));

	if (r < 0)
		return err_set(v->err, r, "use the working directory '%s'", req->cwd);
	plan->cwd = plan_text(plan, "%s", cwd);
	if (!plan->cwd)
		return places_no_memory(v->err);
	if (req->cwd)
		return 0;
	at = places_covering(v, plan->cwd, NULL);
	if (at && (places_shows_host(at) || strcmp(at->dest, plan->cwd) == 0) &&
	    at->kind != STEP_HIDE)
		return 0;
	if (plan->root == ROOT_HOST && may_show_cwd(v, plan->cwd)) {
		struct place p = {
			.kind = STEP_BIND,
			.origin = BUILT_IN,
			.verbs = VERB_READ | VERB_EXEC,
			.fd = -1,
			.inode = v->host->cwd_inode,
			.source = plan->cwd,
			.dest = plan->cwd,
			.why = "the working directory",
		};

		return places_add(v, &p);
	}
	plan->cwd = plan->root == ROOT_HOST && v->host->home && places_find(v, v->host->home)
			    ? v->host->home
			    : "/";
	return 0;
}

/* --- name service: only with a network --- */

static int plan_resolver(struct view *v)
{
	static const char *const file = "/etc/resolv.conf";
	struct place p = { .origin = BUILT_IN, .optional = true, .fd = -1, .why = "built in" };
	char real[LIMIT_PATH];

	if (v->plan->root != ROOT_HOST || !places_shows_host(places_covering(v, file, NULL)))
		return 0;
	if (v->plan->net != POLICY_NET_HOST) {
		p.kind = STEP_HIDE;
		p.dest = p.source = file;
		/* A symlink leads to /run, which is the sandbox's own, and dangles there. */
		return readlink(file, real, sizeof(real)) >= 0 ? 0 : places_add(v, &p);
	}
	if (!realpath(file, real) || places_shows_host(places_covering(v, real, NULL)))
		return 0;
	p.kind = STEP_BIND;
	p.verbs = VERB_READ;
	p.dest = p.source = plan_copy(v->plan, real);
	return p.dest ? places_add(v, &p) : places_no_memory(v->err);
}

/* --- all of it --- */

static int add_built_in(struct view *v)
{
	static const char *const own[] = { "/proc", "/dev" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(own) && r == 0; i++) {
		const struct place p = {
			.kind = i == 0 ? STEP_PROC : STEP_DEV,
			.origin = BY_OPTION,
			.fd = -1,
			.source = own[i],
			.dest = own[i],
			.why = "built in",
		};

		r = places_add(v, &p);
	}
	return r;
}

int plan_paths(struct plan *plan, const struct request *req, const struct plan_host *host,
	       struct err *err)
{
	struct view v = { .plan = plan, .host = host, .err = err };
	int r = 0;

	v.places = plan_reserve(plan, plan->max_steps * sizeof(*v.places));
	if (!v.places)
		return places_no_memory(err);
	if (plan->root == ROOT_OVERLAY)
		plan->root_access = ACCESS_ALL;
	if (plan->root == ROOT_READONLY)
		plan->root_access = ACCESS_EXEC;
	r = add_built_in(&v);
	for (size_t i = 0; i < bundle_n_paths(plan->bundle) && r == 0; i++) {
		struct bundle_path rule;

		bundle_path(plan->bundle, i, &rule);
		r = add_policy_rule(&v, &rule);
	}
	for (size_t i = 0; i < req->n_places && r == 0; i++)
		r = add_option(&v, &req->places[i]);
	if (r == 0)
		r = expand_root(&v);
	if (r == 0)
		r = keep_symlinks(&v);
	if (r == 0)
		r = plan_cwd(&v, req);
	if (r == 0)
		r = plan_resolver(&v);
	return r < 0 ? r : places_to_steps(&v);
}
