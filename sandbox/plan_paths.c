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

enum verbs { VERB_READ = 1, VERB_EXEC = 2, VERB_WRITE = 4 };
enum origin { BUILT_IN, BY_POLICY, BY_OPTION };

struct place {
	enum plan_step_kind kind;
	enum origin origin;
	unsigned verbs; /* STEP_BIND */
	bool optional;
	bool expanded; /* a top-level entry of the host that "/" stands for */
	int fd;
	struct plan_inode inode;
	const char *source;
	const char *dest;
	const char *why;
};

struct view {
	struct plan *plan;
	const struct plan_host *host;
	struct place *places;
	size_t n;
	struct err *err;
};

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "plan the view of the host");
}

static struct place *find(struct view *v, const char *dest)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->places[i].dest, dest) == 0)
			return &v->places[i];
	}
	return NULL;
}

/* The deepest place at or above path; skip is left out. NULL: the upper's own root. */
static struct place *covering(struct view *v, const char *path, const struct place *skip)
{
	struct place *best = NULL;
	size_t depth = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct place *p = &v->places[i];
		size_t d;

		if (p == skip || p->dest[1] == '\0' || !path_is_within(path, p->dest))
			continue;
		d = path_depth(p->dest);
		if (!best || d >= depth) {
			best = p;
			depth = d;
		}
	}
	return best;
}

static bool shows_host(const struct place *p)
{
	return p && (p->kind == STEP_BIND || p->kind == STEP_OVERLAY);
}

static unsigned rank(enum plan_step_kind kind)
{
	return kind == STEP_PLACE ? 2 : kind == STEP_HIDE ? 1 : 0;
}

static int add(struct view *v, const struct place *new)
{
	struct place *old = find(v, new->dest);

	if (old && old->origin == BY_OPTION && new->origin == BY_OPTION)
		return err_set(v->err, -EEXIST, "do both %s and %s to '%s'", old->why, new->why,
			       new->dest);
	if (old && old->origin == new->origin) {
		if (old->kind == STEP_BIND && new->kind == STEP_BIND)
			old->verbs |= new->verbs;
		else if (rank(new->kind) > rank(old->kind))
			*old = *new;
		return 0;
	}
	if (old) {
		if (new->origin > old->origin)
			*old = *new;
		return 0;
	}
	if (v->n >= v->plan->max_steps)
		return err_set(v->err, -E2BIG, "plan more than %zu places (at '%s')",
			       v->plan->max_steps, new->dest);
	v->places[v->n++] = *new;
	return 0;
}

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
		return out_of_memory(v->err);
	if (!out.data || out.data[0] != '/' ||
	    path_normalise("/", out.data, normal, sizeof(normal)) < 0)
		return err_refuse(v->err,
				  "use the path '%s' of the policy: it does not become "
				  "an absolute path",
				  text);
	*ret = plan_copy(v->plan, normal);
	return *ret ? 0 : out_of_memory(v->err);
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
	return p->dest ? 0 : out_of_memory(v->err);
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
		return out_of_memory(v->err);
	if (rule->verb != POLICY_PATH_HIDE && text_starts_with(p.dest, "/proc/"))
		return err_refuse(v->err, "obey %s: /proc is the sandbox's own", p.why);
	if (rule->verb == POLICY_PATH_HIDE || rule->verb == POLICY_PATH_TMPFS) {
		p.kind = rule->verb == POLICY_PATH_HIDE ? STEP_HIDE : STEP_PLACE;
		r = find_real(v, &p);
		return r < 0 ? r : add(v, &p);
	}
	/* A base is its own view: rules about the host's files do not bring them in. */
	if (v->plan->root != ROOT_HOST)
		return 0;
	p.kind = STEP_BIND;
	p.verbs = verbs[rule->verb];
	return add(v, &p);
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
		return out_of_memory(v->err);
	if (o->kind == PLACE_RO)
		p.verbs = VERB_READ | VERB_EXEC;
	if (o->kind == PLACE_RW)
		p.verbs = VERB_READ | VERB_EXEC | VERB_WRITE;
	if (p.kind == STEP_BIND || p.kind == STEP_OVERLAY)
		r = look_at(v, &p);
	else if (p.kind == STEP_HIDE)
		r = find_real(v, &p);
	return r < 0 ? r : add(v, &p);
}

/* --- the host's root --- */

/* "/" in a rule stands for each top-level directory and symlink of the host, but for the
 * ones that are the sandbox's own. */
static int expand_root(struct view *v)
{
	static const char *const own[] = { ".", "..", "proc", "sys", "dev" };
	struct place *root = find(v, "/");
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
		r = p.dest ? add(v, &p) : out_of_memory(v->err);
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
			return out_of_memory(v->err);
	}
	return 0;
}

/* --- the working directory --- */
static bool may_show_cwd(struct view *v, const char *cwd)
{
	const struct place *at = covering(v, cwd, NULL);

	/* The home is empty, /sys absent; /run holds sockets, which read-only mounts do not close.
	 */
	if (cwd[1] == '\0' || path_is_within(cwd, "/sys") || path_is_within(cwd, "/run") ||
	    (v->host->home && path_is_within(v->host->home, cwd)))
		return false;
	/* What a rule empties or hides; below that too what an option does, and /proc and /dev */
	return !at || shows_host(at) || (at->origin != BY_OPTION && strcmp(at->dest, cwd) != 0);
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
		return out_of_memory(v->err);
	if (req->cwd)
		return 0;
	at = covering(v, plan->cwd, NULL);
	if (at && (shows_host(at) || strcmp(at->dest, plan->cwd) == 0) && at->kind != STEP_HIDE)
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

		return add(v, &p);
	}
	plan->cwd = plan->root == ROOT_HOST && v->host->home && find(v, v->host->home)
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

	if (v->plan->root != ROOT_HOST || !shows_host(covering(v, file, NULL)))
		return 0;
	if (v->plan->net != POLICY_NET_HOST) {
		p.kind = STEP_HIDE;
		p.dest = p.source = file;
		/* A symlink leads to /run, which is the sandbox's own, and dangles there. */
		return readlink(file, real, sizeof(real)) >= 0 ? 0 : add(v, &p);
	}
	if (!realpath(file, real) || shows_host(covering(v, real, NULL)))
		return 0;
	p.kind = STEP_BIND;
	p.verbs = VERB_READ;
	p.dest = p.source = plan_copy(v->plan, real);
	return p.dest ? add(v, &p) : out_of_memory(v->err);
}

/* --- places to steps --- */

static enum plan_access access_of(const struct place *p)
{
	switch (p->kind) {
	case STEP_BIND:
		/* the rule on "/" covers what it stands for */
		if (p->expanded)
			return ACCESS_NONE;
		if (p->verbs & VERB_WRITE)
			return p->verbs & VERB_EXEC ? ACCESS_ALL : ACCESS_WRITE;
		return p->verbs & VERB_EXEC ? ACCESS_EXEC : ACCESS_READ;
	case STEP_PLACE:
	case STEP_OVERLAY:
		return ACCESS_ALL;
	case STEP_DIR:
	case STEP_FILE:
		return ACCESS_READ;
	case STEP_HIDE:
	case STEP_SYMLINK:
	case STEP_PIN:
	case STEP_PROC:
	case STEP_DEV:
		break;
	}
	return ACCESS_NONE;
}

static bool is_closed(const struct view *v, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != v->plan->uid &&
	       faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 && errno == EACCES;
}

/* The host's file that below, a bind, shows at p's place: a process outside that exchanges it
 * while the sandbox is made must not get what covers it put elsewhere. Where nobody but root
 * could, a file that is replaced at that moment is none of ours to refuse. */
static int look_below(struct view *v, const struct place *p, const struct place *below,
		      struct plan_step *s)
{
	const bool theirs =
		p->origin == BY_OPTION || below->origin == BY_OPTION || (below->verbs & VERB_WRITE);
	char path[LIMIT_PATH];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s%s", below->source[1] ? below->source : "",
			 p->dest + strlen(below->dest));

	if (!theirs || n < 0 || (size_t)n >= sizeof(path))
		return 0;
	if (p->kind == STEP_BIND) {
		s->covers_source = !s->writable && strcmp(path, p->source) == 0;
		return 0;
	}
	if (lstat(path, &st) < 0)
		return path_is_absent(-errno) ? 0 : err_set(v->err, -errno, "look at '%s'", path);
	if (!S_ISLNK(st.st_mode))
		plan_take_inode(&st, &s->inode);
	return 0;
}

static int emit(struct view *v, const struct place *p)
{
	const struct place *below = covering(v, p->dest, p);
	const bool shows_something =
		shows_host(below) ||
		(below && (below->kind == STEP_PROC || below->kind == STEP_DEV));
	const bool on_base = v->plan->root != ROOT_HOST;
	struct plan_step s = {
		.kind = p->kind,
		.writable = p->kind != STEP_BIND || (p->verbs & VERB_WRITE),
		.optional = p->optional,
		.fd = p->fd,
		.access = access_of(p),
		.inode = p->inode,
		.source = p->source,
		.dest = p->dest,
		.why = p->why,
		.mode = strcmp(p->dest, "/tmp") == 0 || strcmp(p->dest, "/var/tmp") == 0 ? 01777
											 : 0755,
	};

	/* Nothing shows there: nothing to hide. Nor in a file that the caller cannot read: its ids
	 * are the only ones that the sandbox has. */
	if (p->kind == STEP_HIDE && !on_base &&
	    (!shows_something || (p->origin == BY_POLICY && is_closed(v, p->dest))))
		return 0;
	if (p->kind == STEP_HIDE && on_base && p->origin == BY_POLICY)
		s.optional = true;
	if (!on_base && below && below->kind == STEP_BIND &&
	    (p->kind == STEP_HIDE || p->kind == STEP_BIND)) {
		int r = look_below(v, p, below, &s);

		if (r < 0)
			return r;
	}
	if (p->kind == STEP_HIDE || p->kind == STEP_DIR) {
		for (size_t i = 0; i < v->n; i++)
			s.has_below = s.has_below ||
				      (&v->places[i] != p && v->places[i].kind != STEP_HIDE &&
				       path_is_within(v->places[i].dest, p->dest));
	}
	/* A read-only base may lack the place, and none can be made. */
	if (p->kind == STEP_PLACE && v->plan->root == ROOT_READONLY && p->origin == BY_POLICY)
		s.optional = true;
	if (p->kind == STEP_PLACE)
		s.mounted = on_base || shows_host(below);
	return plan_add_step(v->plan, &s, v->err);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	size_t dx = path_depth(x->dest), dy = path_depth(y->dest);

	if (dx != dy)
		return dx < dy ? -1 : 1;
	return strcmp(x->dest, y->dest);
}

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

		r = add(v, &p);
	}
	return r;
}

int plan_paths(struct plan *plan, const struct request *req, const struct plan_host *host,
	       struct err *err)
{
	struct view v = { .plan = plan, .host = host, .err = err };
	int r = 0;

	v.places = plan_alloc(plan, plan->max_steps * sizeof(*v.places));
	if (!v.places)
		return out_of_memory(err);
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
	if (r < 0)
		return r;
	qsort(v.places, v.n, sizeof(*v.places), compare_places);
	for (size_t i = 0; i < v.n && r == 0; i++)
		r = emit(&v, &v.places[i]);
	return r;
}
