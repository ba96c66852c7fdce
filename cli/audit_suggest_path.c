// SPDX-License-Identifier: Apache-2.0
/* Lines for what the kernel itself refused: paths, of Landlock's and AppArmor's denials, and ports.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/audit_suggest.h"

static bool same(const struct audit_wish *a, const struct audit_wish *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == WISH_PATH)
		return a->path.verb == b->path.verb && strcmp(a->text, b->text) == 0;
	return a->port.direction == b->port.direction && a->port.protocol == b->port.protocol &&
	       a->port.first == b->port.first;
}

static void describe(struct wished *w, const struct recorded *record)
{
	char name[24], label[40] = "";

	suggest_harmless(record->exe.len ? &record->exe : &record->comm, w->program,
			 sizeof(w->program));
	suggest_harmless(&record->mechanism, name, sizeof(name));
	suggest_harmless(&record->label, label, sizeof(label));
	(void)snprintf(w->by, sizeof(w->by), "%s%s%s", name, label[0] ? " " : "", label);
}

int suggest_wish(struct suggest *s, const struct recorded *record)
{
	struct audit_wish wish;
	struct wished *w = NULL;

	audit_wish_of(record, &wish);
	if (wish.kind == WISH_NONE)
		return 0;
	for (size_t i = 0; i < s->n_wished && !w; i++) {
		if (same(&s->wished[i].wish, &wish))
			w = &s->wished[i];
	}
	if (!w && s->n_wished == SUGGEST_WISHES) {
		s->more_wished += record->count;
		return 1;
	}
	if (!w) {
		if (!s->wished)
			s->wished = calloc(SUGGEST_WISHES, sizeof(*s->wished));
		if (!s->wished)
			return -ENOMEM;
		w = &s->wished[s->n_wished++];
		w->wish = wish;
		w->wish.path.path = w->wish.text;
		w->seq = record->seq;
		describe(w, record);
	}
	if (__builtin_add_overflow(w->count, record->count, &w->count))
		w->count = UINT64_MAX;
	return 1;
}

static void withhold(struct suggest *s, struct wished *w, const char *why)
{
	w->why = why;
	s->n_withheld++;
}

void suggest_judge_wishes(struct suggest *s)
{
	for (size_t i = 0; i < s->n_wished; i++) {
		struct wished *w = &s->wished[i];
		const struct policy_path *line;
		enum audit_wish_stand stand = audit_wish_judge(s->policy, &w->wish, &line);

		if (line)
			w->where = line->where;
		if (stand == WISH_GIVEN)
			withhold(s, w,
				 "the policy gives it: what refused it is not made of this text");
		else if (stand == WISH_HIDDEN && !s->args->all)
			withhold(s, w, "a line hides it on purpose (--all suggests it)");
		else
			s->n_suggested++;
	}
}

bool suggest_try_wishes(struct suggest *s, const struct policy *now)
{
	bool well = true;

	for (size_t i = 0; i < s->n_wished; i++) {
		struct wished *w = &s->wished[i];
		const struct policy_path *line;

		if (w->why || audit_wish_judge(now, &w->wish, &line) == WISH_GIVEN)
			continue;
		s->n_suggested--;
		withhold(s, w, "a line that would give it was tried, and does not");
		well = false;
	}
	return well;
}

static int put_head(struct buf *out, const struct wished *w)
{
	return buf_printf(out, "# %" PRIu64 " denial%s by %s, first of %s (record %" PRIu64 ")",
			  w->count, w->count == 1 ? "" : "s", w->by[0] ? w->by : "?",
			  w->program[0] ? w->program : "?", w->seq);
}

int suggest_put_wishes(struct buf *out, const struct suggest *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_wished && r == 0; i++) {
		if (s->wished[i].why)
			continue;
		r = buf_puts(out, "\n");
		r = r ? r : put_head(out, &s->wished[i]);
		r = r ? r : buf_puts(out, "\n");
		r = r ? r : audit_wish_spell(out, &s->wished[i].wish);
		r = r ? r : buf_puts(out, "\n");
	}
	return r;
}

int suggest_put_withheld_wishes(struct buf *out, const struct suggest *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_wished && r == 0; i++) {
		const struct wished *w = &s->wished[i];

		if (!w->why)
			continue;
		r = put_head(out, w);
		r = r ? r : buf_puts(out, ":\n#   ");
		r = r ? r : audit_wish_spell(out, &w->wish);
		r = r ? r : buf_printf(out, ": %s\n", w->why);
	}
	if (r == 0 && s->more_wished > 0)
		r = buf_printf(out, "# %" PRIu64 " denials by the kernel more, of too many kinds\n",
			       s->more_wished);
	return r;
}

int suggest_json_wishes(struct json *j, const struct suggest *s)
{
	int r = 0;

	json_array(j, "kernel");
	for (size_t i = 0; i < s->n_wished && r == 0; i++) {
		const struct wished *w = &s->wished[i];
		_cleanup_buf_ struct buf line = BUF_INIT;

		r = audit_wish_spell(&line, &w->wish);
		json_object(j, NULL);
		json_string(j, "line", line.data);
		json_u64(j, "count", w->count);
		json_string(j, "by", w->by);
		json_string(j, "first_program", w->program);
		json_u64(j, "first_seq", w->seq);
		json_bool(j, "suggested", !w->why);
		json_string(j, "withheld", w->why);
		json_object_end(j);
	}
	json_array_end(j);
	return r;
}
