// SPDX-License-Identifier: Apache-2.0
#include "sandbox/plan_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

int places_no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "plan the view of the host");
}

struct place *places_find(struct view *v, const char *dest)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->places[i].dest, dest) == 0)
			return &v->places[i];
	}
	return NULL;
}

struct place *places_covering(struct view *v, const char *path, const struct place *skip)
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

bool places_shows_host(const struct place *p)
{
	return p && (p->kind == STEP_BIND || p->kind == STEP_OVERLAY);
}

static unsigned rank(enum plan_step_kind kind)
{
	return kind == STEP_PLACE ? 2 : kind == STEP_HIDE ? 1 : 0;
}

int places_add(struct view *v, const struct place *new)
{
	struct place *old = places_find(v, new->dest);

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

/* An empty directory is one of the root's own where it can be. What shows the host, and what is
 * made read-only when all is in its place, get a mount: what hides something, and with --upper none
 * the root itself, where only a directory that is asked for by name takes files. */
static void place_empty(const struct view *v, const struct place *p, const struct place *below,
			struct plan_step *s)
{
	const bool closed = v->plan->root == ROOT_HOST && v->plan->upper == UPPER_NONE;
	const bool covered = below && (below->kind == STEP_HIDE || below->kind == STEP_DIR);

	s->mounted = v->plan->root != ROOT_HOST || places_shows_host(below) || covered ||
		     (closed && p->origin == BY_OPTION);
	s->writable = !closed || p->origin == BY_OPTION;
}

static int emit(struct view *v, const struct place *p)
{
	const struct place *below = places_covering(v, p->dest, p);
	const bool shows_something =
		places_shows_host(below) ||
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
		place_empty(v, p, below, &s);
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

int places_to_steps(struct view *v)
{
	int r = 0;

	qsort(v->places, v->n, sizeof(*v->places), compare_places);
	for (size_t i = 0; i < v->n && r == 0; i++)
		r = emit(v, &v->places[i]);
	return r;
}
