// SPDX-License-Identifier: Apache-2.0
/* Paths: what the host runs later, what holds secrets, what could be written and then executed. */
#include <string.h>

#include "base/path.h"
#include "policies/lint_find.h"
#include "policies/places.h"

/* One finding a line: the places behind the first are counted. */
static void look_at_places(struct linter *l, enum policy_path_verb verb, const char *id,
			   const char *what, const char *instead)
{
	size_t n;
	const struct place *places = places_table(&n);

	for (size_t line = 0; line < l->policy->n_paths; line++) {
		const struct place *first = NULL;
		unsigned more = 0;
		bool at_home;

		for (size_t i = 0; i < n; i++) {
			if (places[i].verb != verb || !places[i].warn ||
			    places_granted(l->policy, &places[i]) != &l->policy->paths[line])
				continue;
			if (!first)
				first = &places[i];
			else
				more++;
		}
		if (!first)
			continue;
		at_home = path_is_within(first->path, PLACES_HOME);
		lint_add(l, id, LINT_WARNING, l->policy->paths[line].where, instead,
			 more ? "%s %s%s: %s (and %u places like it)" : "%s %s%s: %s", what,
			 at_home ? "~" : "", first->path + (at_home ? strlen(PLACES_HOME) : 0),
			 first->why, more);
	}
}

/* What is written must not be what is executed. */
static void look_at_write_exec(struct linter *l, const struct policy_path *line)
{
	const struct policy_path *by;
	char place[LIMIT_PATH];

	if (line->verb != POLICY_PATH_WRITE ||
	    path_rule_expand(line, &places_vars, place, sizeof(place)) < 0 ||
	    !path_rule_allows(l->policy, &places_vars, place, POLICY_PATH_EXEC, &by) ||
	    by->verb == POLICY_PATH_TMPFS)
		return;
	lint_add(l, "CP703", LINT_WARNING, line->where,
		 "write to one tree and execute from another",
		 "%s can be written and executed: what is dropped there runs", line->path);
}

static void look_at_hide(struct linter *l, const struct policy_path *line)
{
	char place[LIMIT_PATH], other[LIMIT_PATH];

	if (line->verb != POLICY_PATH_HIDE ||
	    path_rule_expand(line, &places_vars, place, sizeof(place)) < 0)
		return;
	for (size_t i = 0; i < l->policy->n_paths; i++) {
		const struct policy_path *p = &l->policy->paths[i];

		if (p->verb != POLICY_PATH_HIDE &&
		    path_rule_expand(p, &places_vars, other, sizeof(other)) == 0 &&
		    path_is_within(place, other))
			return;
	}
	lint_add(l, "CP704", LINT_WARNING, line->where, "take the line out",
		 "%s is hidden where nothing above it is shown: the line has no effect",
		 line->path);
}

void lint_view(struct linter *l)
{
	look_at_places(l, POLICY_PATH_WRITE, "CP701", "the payload writes to",
		       "write to one directory of its own, as in: write $PWD");
	look_at_places(l, POLICY_PATH_READ, "CP702", "the payload reads",
		       "name what it needs, or hide that place");
	for (size_t i = 0; i < l->policy->n_paths; i++) {
		look_at_write_exec(l, &l->policy->paths[i]);
		look_at_hide(l, &l->policy->paths[i]);
	}
}
