// SPDX-License-Identifier: Apache-2.0
#include "policies/note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/part.h"

int where_compare(struct policy_where a, struct policy_where b)
{
	if (a.source != b.source)
		return a.source < b.source ? -1 : 1;
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return a.column < b.column ? -1 : a.column > b.column;
}

static bool is_there(const struct policy *policy, const char *text, struct policy_where where,
		     struct policy_where other)
{
	for (size_t i = 0; i < policy->n_notes; i++) {
		const struct policy_note *n = &policy->notes[i];

		if (n->kind == POLICY_NOTE_OVERRIDDEN && where_compare(n->where, where) == 0 &&
		    where_compare(n->other, other) == 0 && strcmp(n->text, text) == 0)
			return true;
	}
	return false;
}

int note_add(struct policy *policy, enum policy_note_kind kind, const struct buf *text,
	     struct policy_where where, struct policy_where other)
{
	struct policy_note note = { .kind = (uint8_t)kind, .where = where, .other = other };
	int r;

	if (kind == POLICY_NOTE_OVERRIDDEN && is_there(policy, text->data, where, other))
		return 0;
	r = list_grow(&policy->notes, policy->n_notes, sizeof(*policy->notes));
	if (r < 0)
		return r;
	note.text = strndup(text->data, text->len);
	if (!note.text)
		return -ENOMEM;
	policy->notes[policy->n_notes++] = note;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct policy_note *na = a, *nb = b;
	int order = where_compare(na->where, nb->where);

	order = order ? order : where_compare(na->other, nb->other);
	order = order ? order : (int)na->kind - (int)nb->kind;
	return order ? order : strcmp(na->text, nb->text);
}

void note_sort(struct policy *policy)
{
	if (policy->n_notes)
		qsort(policy->notes, policy->n_notes, sizeof(*policy->notes), compare);
}
