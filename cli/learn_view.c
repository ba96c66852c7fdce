// SPDX-License-Identifier: Apache-2.0
/*
 * The paths of a learned policy. Files become their directory where that says little more: below
 * /usr, where everybody may read, and where several of one directory were used. What was given by
 * an option or lies in the sandbox's own memory is named as it was given. No rule opens /, /etc or
 * a home as a whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/learn.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/learn_model.h"

enum { SEVERAL = 3, MAX_RULES = 2048 };

struct view_rule {
	char path[LIMIT_PATH];
	const char *program;
	bool exec, write, tmpfs, optional;
	uint32_t runs;
	uint8_t phases;
	uint64_t count;
	unsigned files;
};

struct view {
	struct learned *l;
	struct view_rule *rules;
	size_t n;
	bool full, overlay, secret;
	char **left_out;
	size_t n_left_out;
};

static const struct learned_place *place_of(const struct learned *l, const char *path)
{
	const struct learned_place *best = NULL;

	for (size_t i = 0; i < l->n_places; i++) {
		const struct learned_place *p = &l->places[i];

		if (path_is_within(path, p->path) &&
		    (!best || strlen(p->path) > strlen(best->path)))
			best = p;
	}
	return best;
}

static bool is_kind(const struct learned_place *p, const char *kind)
{
	return p && strcmp(p->kind, kind) == 0;
}

/* Named by a person, or the working directory: a rule speaks of all of it. */
static bool is_given(const struct learned_place *p)
{
	return p &&
	       (text_starts_with(p->why, "--") || strcmp(p->why, "the working directory") == 0);
}

/* The first n components. */
static void first_components(const char *path, unsigned n, char ret[LIMIT_PATH])
{
	const char *p = path;

	while (n-- > 0 && *p)
		p += 1 + strcspn(p + 1, "/");
	(void)snprintf(ret, LIMIT_PATH, "%.*s", (int)(p - path), path);
}

static void parent(const char *path, char ret[LIMIT_PATH])
{
	(void)snprintf(ret, LIMIT_PATH, "%.*s", (int)(strrchr(path, '/') - path), path);
}

/* Whether SEVERAL different files below dir, which is not "/", were used. */
static bool has_several(const struct learned *l, const char *dir)
{
	const size_t len = strlen(dir);
	size_t low = 0, high = l->n_paths;
	unsigned n = 0;

	/* Paths are sorted by their bytes, so that those with one begin stand together. */
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const char *path = l->paths[mid].path;
		const int order = strncmp(path, dir, len);

		if (order < 0 || (order == 0 && (unsigned char)path[len] < '/'))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < l->n_paths && path_is_within(l->paths[low].path, dir) && n < SEVERAL; low++)
		n += !l->paths[low].missing && !l->paths[low].directory;
	return n >= SEVERAL;
}

/* Whose content is a secret even where its reading was seen: only by its own name. */
static bool is_private(const struct learned *l, const char *path)
{
	const char *home = l->runs[0].home;

	return path_is_within(path, "/etc") || path_is_within(path, "/root") ||
	       path_is_within(path, "/home") || (home[0] == '/' && path_is_within(path, home));
}

/* The directory that a rule names for path, or path itself. */
static void generalise(const struct learned *l, const struct learned_path *p,
		       const struct learned_place *at, char ret[LIMIT_PATH])
{
	const size_t depth = path_depth(p->path);
	char dir[LIMIT_PATH];

	(void)snprintf(ret, LIMIT_PATH, "%s", p->path);
	if (is_given(at)) {
		(void)snprintf(ret, LIMIT_PATH, "%s", at->path);
		return;
	}
	if (path_is_within(p->path, "/usr") && depth >= 2) {
		unsigned n = path_is_within(p->path, "/usr/local") ? 3 : 2;

		if (depth > n || (depth == n && p->directory))
			first_components(p->path, n, ret);
		return;
	}
	if (p->directory || depth < 2)
		return;
	if (path_is_within(p->path, "/etc") && depth > 2)
		first_components(p->path, 2, dir);
	else
		parent(p->path, dir);
	if (path_depth(dir) >= 2 && has_several(l, dir) &&
	    !(is_private(l, dir) && !path_is_within(dir, "/etc") && path_depth(dir) < 4))
		(void)snprintf(ret, LIMIT_PATH, "%s", dir);
}

static struct view_rule *rule_for(struct view *v, const char *path, const struct learned_path *p)
{
	struct view_rule *r;

	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->rules[i].path, path) == 0)
			return &v->rules[i];
	}
	if (v->n == MAX_RULES) {
		v->full = true;
		return NULL;
	}
	r = &v->rules[v->n++];
	*r = (struct view_rule){ .program = p->program };
	(void)snprintf(r->path, sizeof(r->path), "%s", path);
	return r;
}

static void add_path(struct view *v, const struct learned_path *p)
{
	const struct learned_place *at = place_of(v->l, p->path);
	const bool writes = p->access & (LEARN_WRITE | LEARN_MAKE);
	char path[LIMIT_PATH];
	struct view_rule *r;

	if (p->denied || is_kind(at, "proc") || is_kind(at, "dev") || is_kind(at, "hide") ||
	    is_kind(at, "symlink") || is_kind(at, "file"))
		return;
	if (is_kind(at, "overlay"))
		v->overlay = true;
	if (is_kind(at, "tmpfs") || is_kind(at, "overlay") || is_kind(at, "directory")) {
		r = rule_for(v, at->path, p);
		if (r)
			r->tmpfs = true;
	} else {
		/* Nothing was there; and what nothing shows is not shown now. */
		if (!at || (p->missing && !(writes && at->writable)))
			return;
		/* That a directory is there needs no rule: it leads to what has one. */
		if (p->directory && !is_given(at) && !(p->access & (LEARN_LIST | LEARN_READ)))
			return;
		generalise(v->l, p, at, path);
		/* never the whole of what holds other people's or the machine's state */
		if (path_depth(path) < 2 && !is_given(at) && p->directory) {
			v->left_out[v->n_left_out++] = p->path;
			return;
		}
		r = rule_for(v, path, p);
		if (r) {
			r->exec = r->exec || (p->access & LEARN_EXEC);
			r->write = r->write || (writes && at->writable);
			r->optional = r->optional || p->link;
		}
	}
	if (!r)
		return;
	r->runs |= p->runs;
	r->phases |= p->phases;
	r->count += p->count;
	r->files++;
}

/* A rule below another one that says as much is none. */
static bool is_covered(const struct view *v, const struct view_rule *r)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct view_rule *o = &v->rules[i];

		if (o == r || strcmp(o->path, r->path) == 0 || !path_is_within(r->path, o->path))
			continue;
		if (o->tmpfs != r->tmpfs || (r->exec && !o->exec) || (r->write && !o->write))
			continue;
		return true;
	}
	return false;
}

static int compare_rules(const void *a, const void *b)
{
	const struct view_rule *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static bool is_plain(const char *path)
{
	return !strpbrk(path, " \t#");
}

/* ~ and $PWD for what they were, when all runs agree. */
static void shorten(const struct learned *l, const char *path, char *ret, size_t size)
{
	const char *home = l->runs[0].home, *cwd = l->runs[0].cwd;
	bool same_home = home[0] == '/' && home[1], same_cwd = cwd[0] == '/' && cwd[1];
	const char *quote = is_plain(path) ? "" : "\"";

	for (size_t i = 1; i < l->n_runs; i++) {
		same_home = same_home && strcmp(home, l->runs[i].home) == 0;
		same_cwd = same_cwd && strcmp(cwd, l->runs[i].cwd) == 0;
	}
	if (same_cwd && is_given(place_of(l, cwd)) && path_is_within(path, cwd))
		(void)snprintf(ret, size, "%s$PWD%s%s", quote, path + strlen(cwd), quote);
	else if (same_home && path_is_within(path, home))
		(void)snprintf(ret, size, "%s~%s%s", quote, path + strlen(home), quote);
	else
		(void)snprintf(ret, size, "%s%s%s", quote, path, quote);
}

static int put_rule(struct view *v, const struct view_rule *r, struct buf *out)
{
	static const char *const verbs[] = { "tmpfs", "exec", "write", "read" };
	/* one verb a path: what is written and executed can only be given by option */
	const bool wanted[] = { r->tmpfs, r->exec && !r->write && !r->tmpfs, r->write && !r->tmpfs,
				!r->exec && !r->write && !r->tmpfs };
	char path[LIMIT_PATH + 16], rule[LIMIT_PATH + 32];
	int code = 0;

	shorten(v->l, r->path, path, sizeof(path));
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && code == 0; i++) {
		if (!wanted[i])
			continue;
		(void)snprintf(rule, sizeof(rule), "%s%s %s", verbs[i],
			       r->tmpfs || r->optional ? "?" : "", path);
		code = learned_put(out, rule, r->runs, r->count, r->program,
				   learned_phase(v->l, r->phases));
	}
	if (code == 0 && r->exec && r->write && !r->tmpfs)
		code = buf_printf(
			out,
			"# what is written to %s is executed, too, which no rule says: run "
			"with --rw\n",
			path);
	return code;
}

/* The top-level names that a merged /usr is reached by: the kernel follows them to interpreters and
 * loaders, with no call to be seen. */
static int put_links(struct view *v, struct buf *out)
{
	bool begun = false;
	int code = 0;

	for (size_t i = 0; i < v->l->n_places && code == 0; i++) {
		if (!is_kind(&v->l->places[i], "symlink") || path_depth(v->l->places[i].path) != 1)
			continue;
		code = buf_printf(out, "%s %s", begun ? "" : "exec?", v->l->places[i].path);
		begun = true;
	}
	if (begun && code == 0)
		code = buf_puts(out, "\n");
	return code;
}

int learned_view(struct learned *l, struct buf *out)
{
	_cleanup_free_ struct view_rule *rules = calloc(MAX_RULES, sizeof(*rules));
	_cleanup_free_ char **left_out = calloc(l->n_paths + 1, sizeof(*left_out));
	struct view v = { .l = l, .rules = rules, .left_out = left_out };
	int r = rules && left_out ? 0 : -ENOMEM;

	for (size_t i = 0; i < l->n_paths && r == 0; i++)
		add_path(&v, &l->paths[i]);
	if (r == 0 && v.n > 0)
		qsort(v.rules, v.n, sizeof(*v.rules), compare_rules);
	if (r == 0)
		r = buf_puts(out, "\n# --- the view: paths as they were read at the calls\n");
	if (r == 0)
		r = put_links(&v, out);
	for (size_t i = 0; i < v.n && r == 0; i++) {
		if (!is_covered(&v, &v.rules[i]))
			r = put_rule(&v, &v.rules[i], out);
	}
	for (size_t i = 0; i < v.n_left_out && r == 0; i++)
		r = buf_printf(out, "# not granted: listing %s as a whole\n", v.left_out[i]);
	if (v.overlay && r == 0)
		r = buf_puts(out,
			     "# an overlay was given by option: a policy can only say tmpfs\n");
	if (v.full && r == 0)
		r = buf_printf(out, "# more than %d path rules: the rest is left out\n", MAX_RULES);
	return r;
}
