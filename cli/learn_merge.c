// SPDX-License-Identifier: Apache-2.0
/* What several runs have in common, and the end of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/learn_model.h"

static int compare_paths(const void *a, const void *b)
{
	const struct learned_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void learned_merge_paths(struct learned *l)
{
	size_t n = 0;

	if (l->n_paths == 0)
		return;
	qsort(l->paths, l->n_paths, sizeof(*l->paths), compare_paths);
	for (size_t i = 1; i < l->n_paths; i++) {
		struct learned_path *into = &l->paths[n], *p = &l->paths[i];

		if (strcmp(into->path, p->path) != 0) {
			l->paths[++n] = *p;
			continue;
		}
		into->access |= p->access;
		into->runs |= p->runs;
		into->phases |= p->phases;
		into->count += p->count;
		into->denied = into->denied && p->denied;
		into->missing = into->missing && p->missing;
		into->link = into->link || p->link;
		into->directory = into->directory || p->directory;
		free(p->path);
		free(p->program);
	}
	l->n_paths = n + 1;
}

bool learned_complete(const struct learned *l)
{
	for (size_t i = 0; i < l->n_runs; i++) {
		if (!l->runs[i].ended || !l->runs[i].complete)
			return false;
	}
	return l->n_runs > 0;
}

void learned_done(struct learned *l)
{
	for (size_t i = 0; i < l->n_runs; i++) {
		struct learned_run *r = &l->runs[i];

		free(r->id), free(r->time), free(r->policy), free(r->command);
		free(r->cwd), free(r->home), free(r->cut);
	}
	for (size_t i = 0; i < l->n_calls; i++)
		free(l->calls[i].program);
	for (size_t i = 0; i < l->n_paths; i++)
		free(l->paths[i].path), free(l->paths[i].program);
	for (size_t i = 0; i < l->n_places; i++)
		free(l->places[i].path), free(l->places[i].kind), free(l->places[i].why);
	for (size_t i = 0; i < l->n_sockets; i++)
		free(l->sockets[i].address), free(l->sockets[i].program);
	for (size_t i = 0; i < l->n_envs; i++)
		free(l->envs[i].name), free(l->envs[i].value);
	for (size_t i = 0; i < l->n_limits; i++)
		free(l->limits[i].name), free(l->limits[i].value);
	free(l->calls), free(l->paths), free(l->places), free(l->sockets);
	free(l->envs), free(l->limits);
	*l = (struct learned){ 0 };
}
