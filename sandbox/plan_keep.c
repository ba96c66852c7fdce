// SPDX-License-Identifier: Apache-2.0
/*
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

/* From the writable bind's own place down: a pin for each directory, and a cover at the end. */
static int cover(struct keeping *k, const struct plan_step *bind)
{
	const char *rest = k->real + (bind->source[1] == '\0' ? 0 : strlen(bind->source));
	const char *why = plan_text(k->plan, "%s", k->kept->what);

	for (const char *end = rest; *end;) {
		struct plan_step step = { .fd = -1, .mode = 0755, .why = why };
		const struct plan_step *at;
		int r;

		end += 1 + strcspn(end + 1, "/");
		step.kind = *end ? STEP_PIN : STEP_DIR;
		step.dest = step.source =
			plan_text(k->plan, "%s%.*s", bind->dest, (int)(end - rest), rest);
		if (!step.dest || !why)
			return err_set(k->err, -ENOMEM, "plan the launch");
		at = deciding(k->plan, step.dest);
		if (at != bind && (!at || at->kind != STEP_PIN))
			return 0; /* something else is shown there */
		if (at->kind == STEP_PIN && *end && strcmp(at->dest, step.dest) == 0)
			continue;
		r = plan_add_step(k->plan, &step, k->err);
		if (r < 0)
			return r;
	}
	return 0;
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
	if (plan->n_steps > n_steps)
		qsort(plan->steps, plan->n_steps, sizeof(plan->steps[0]), compare_steps);
	return r;
}
