// SPDX-License-Identifier: Apache-2.0
/*
 * What must stay out of reach within a tree that the payload may write to.
 *
 * What is cordon's own (its log, its cache of bundles, the caller's policies) and lies in a tree
 * that the payload may write to: a payload that writes there forges the record of what it did, or
 * loosens the next launch. It is covered; and so that no directory on the way is renamed and
 * built anew, each of them becomes a mount of its own, which rename(2) and rmdir(2) refuse with
 * EBUSY.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "sandbox/plan.h"

struct keeping {
	struct plan *plan;
	const struct request_kept *kept;
	char path[LIMIT_PATH]; /* as named, normal */
	char real[LIMIT_PATH]; /* where it lies, or would be made */
	struct err *err;
};

/* realpath(3) of the part that is there, and the rest as it is. */
static int find_real(struct keeping *k)
{
	char part[LIMIT_PATH];
	size_t len = strlen(k->path);
	int n;

	memcpy(part, k->path, len + 1);
	while (!realpath(part, k->real)) {
		char *slash = strrchr(part, '/');

		if (errno != ENOENT && errno != ENOTDIR)
			return err_set(k->err, -errno, "find where '%s' lies", k->path);
		if (slash == part) {
			memcpy(k->real, "/", 2);
			part[1] = '\0';
			break;
		}
		*slash = '\0';
	}
	if (strlen(part) == len)
		return 0;
	n = k->real[1] == '\0' ? 0 : (int)strlen(k->real);
	if ((size_t)n + len - strlen(part) + 2 > sizeof(k->real))
		return err_set(k->err, -ENAMETOOLONG, "find where '%s' lies", k->path);
	(void)snprintf(k->real + n, sizeof(k->real) - (size_t)n, "%s",
		       k->path + (part[1] == '\0' ? 0 : strlen(part)));
	return 0;
}

static int refuse(struct keeping *k, const struct plan_step *s, const char *why)
{
	(void)err_refuse(k->err, "let the payload write to '%s' (%s): %s", s->source, s->why, why);
	return err_hint(k->err, "%s is '%s'; give a tree without it, or another place for it%s",
			k->kept->what, k->path,
			k->kept->may_cover ? " by XDG_STATE_HOME, XDG_CACHE_HOME or "
					     "XDG_CONFIG_HOME"
					   : "");
}

/* The step that decides about path so far. */
static const struct plan_step *deciding(const struct plan *plan, const char *path)
{
	const struct plan_step *best = NULL;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *s = &plan->steps[i];

		if (path_is_within(path, s->dest) &&
		    (!best || path_depth(s->dest) >= path_depth(best->dest)))
			best = s;
	}
	return best;
}

/*
 * Pin the directories between a writable bind and path below it. 1: path is still the bind's to
 * show; 0: something else decides on the way, and has been or will be looked at for itself.
 */
static int pin_way(struct plan *plan, const struct plan_step *bind, const char *path,
		   const struct plan_step *like, struct err *err)
{
	const char *end = path + strlen(bind->dest);

	for (;;) {
		struct plan_step pin = *like;
		const struct plan_step *at;
		int r;

		end += 1 + strcspn(end + 1, "/");
		pin.kind = STEP_PIN;
		pin.dest = pin.source = plan_text(plan, "%.*s", (int)(end - path), path);
		if (!pin.dest)
			return err_set(err, -ENOMEM, "plan the launch");
		at = *end ? deciding(plan, pin.dest) : NULL;
		if (!*end)
			return 1;
		if (at != bind && (!at || at->kind != STEP_PIN))
			return 0;
		if (at->kind == STEP_PIN && strcmp(at->dest, pin.dest) == 0)
			continue;
		r = plan_add_step(plan, &pin, err);
		if (r < 0)
			return r;
	}
}

/* What is cordon's own and lies below the source of a writable bind. */
static int cover(struct keeping *k, const struct plan_step *bind)
{
	const char *rest = k->real + (bind->source[1] == '\0' ? 0 : strlen(bind->source));
	struct plan_step step = { .kind = STEP_DIR, .fd = -1, .mode = 0755 };
	const struct plan_step *at;
	int r;

	step.why = k->kept->what;
	step.dest = step.source = plan_text(k->plan, "%s%s", bind->dest, rest);
	if (!step.dest)
		return err_set(k->err, -ENOMEM, "plan the launch");
	r = pin_way(k->plan, bind, step.dest, &step, k->err);
	if (r <= 0)
		return r;
	at = deciding(k->plan, step.dest);
	if (at != bind && (!at || at->kind != STEP_PIN))
		return 0;
	return plan_add_step(k->plan, &step, k->err);
}

/* What a rule hides or leaves read-only there stays where it is. */
static int pin_closed(struct plan *plan, const struct plan_step *s, size_t n_steps, struct err *err)
{
	const struct plan_step like = { .fd = -1, .optional = true, .why = s->why };
	const struct plan_step *bind = NULL;
	int r;

	if (s->kind != STEP_HIDE && (s->kind != STEP_BIND || s->writable))
		return 0;
	for (size_t i = 0; i < n_steps; i++) {
		const struct plan_step *b = &plan->steps[i];

		if (b->kind == STEP_BIND && b->writable && b != s &&
		    path_is_within(s->dest, b->dest) &&
		    (!bind || path_depth(b->dest) > path_depth(bind->dest)))
			bind = b;
	}
	if (!bind || strcmp(bind->dest, s->dest) == 0)
		return 0;
	r = pin_way(plan, bind, s->dest, &like, err);
	return r < 0 ? r : 0;
}

static int keep(struct keeping *k, size_t n_steps)
{
	int r = find_real(k);

	for (size_t i = 0; i < n_steps && r == 0; i++) {
		const struct plan_step *s = &k->plan->steps[i];
		bool in = path_is_within(k->real, s->source);

		if (s->kind != STEP_BIND || !s->writable)
			continue;
		if (strcmp(k->real, k->path) != 0 && path_is_within(k->path, s->source))
			return refuse(k, s,
				      "it holds a symlink on the way to what is cordon's own");
		if ((in && (!k->kept->may_cover || strlen(k->real) == strlen(s->source))) ||
		    (!in && k->kept->may_cover && path_is_within(s->source, k->real)))
			return refuse(k, s, "what is cordon's own lies there");
		if (in)
			r = cover(k, s);
	}
	return r;
}

static int compare_steps(const void *a, const void *b)
{
	const struct plan_step *x = a, *y = b;
	size_t dx = path_depth(x->dest), dy = path_depth(y->dest);

	if (dx != dy)
		return dx < dy ? -1 : 1;
	return strcmp(x->dest, y->dest);
}

int plan_keep(struct plan *plan, const struct request *req, const struct plan_host *host,
	      struct err *err)
{
	struct keeping k = { .plan = plan, .err = err };
	const size_t n_steps = plan->n_steps;
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < n_steps; i++)
		any = any || (plan->steps[i].kind == STEP_BIND && plan->steps[i].writable);
	for (size_t i = 0; any && i < req->n_kept && r == 0; i++) {
		k.kept = &req->kept[i];
		r = path_normalise(host->cwd, k.kept->path, k.path, sizeof(k.path));
		if (r < 0)
			return err_set(err, r, "find where '%s' lies", k.kept->path);
		r = keep(&k, n_steps);
	}
	for (size_t i = 0; any && i < n_steps && r == 0; i++)
		r = pin_closed(plan, &plan->steps[i], n_steps, err);
	if (plan->n_steps > n_steps)
		qsort(plan->steps, plan->n_steps, sizeof(plan->steps[0]), compare_steps);
	return r;
}
