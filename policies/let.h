// SPDX-License-Identifier: Apache-2.0
/*
 * Variables of a policy: `let NAME WORD...`, used as $name. A name means one thing in all files of
 * a composition: the file that says `use` decides, as with every line that can be said once.
 */
#pragma once

#include "policies/compose.h"

enum { LET_MAX = 256, LET_DEPTH = 16 };

/* "$name" or "$name/x" of a policy's variable: the length of the name, 0 for anything else. */
size_t let_name_len(const char *word);

/* A `let` line. 0, -EINVAL with a mistake, or -ENOMEM. */
int let_parse(struct parser *p);

/* What each unit's variables are once all are read; lets[i] is unit i's, sorted by name. */
struct let_scope {
	const struct part_let **list;
	size_t n;
};
void let_scopes_done(struct let_scope *scopes, size_t n);

/* Fill scopes (zeroed, n_units of them), note in policy what gave way, and look for cycles and
 * names that nobody set. Mistakes are added to d; -ENOMEM is the only failure. order as
 * compose_units has it. */
int let_compose(const struct unit *units, size_t n_units, const uint16_t *order,
		struct let_scope *scopes, struct policy *policy, struct diag *d);
const struct part_let *let_find(const struct let_scope *scope, const char *name, size_t len);

/* What the root's scope holds, to the model. 0 or -ENOMEM. */
int let_model(const struct let_scope *scope, struct policy *policy);

/* from with its variables put in: *ret is from itself when there are none, else into. The text of
 * the words stays with from and the units. 0, -EINVAL with a mistake, or -ENOMEM. */
int let_expand(struct parser *p, struct line *from, struct line *into, struct line **ret);
