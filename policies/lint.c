// SPDX-License-Identifier: Apache-2.0
#include "policies/lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/lint_find.h"
#include "policies/part.h"

static const char *const levels[] = { "note", "warning", "error" };

const char *lint_level_name(enum lint_level level)
{
	return levels[level];
}

int lint_level_from_name(const char *name, enum lint_level *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(levels[i], name) == 0) {
			*ret = (enum lint_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void lint_done(struct lint *lint)
{
	for (size_t i = 0; i < lint->n; i++) {
		free(lint->findings[i].text);
		free(lint->findings[i].instead);
	}
	free(lint->findings);
	*lint = (struct lint){ .n = 0 };
}

const char *lint_line(const struct policy *policy, struct policy_where where, size_t *ret_len)
{
	const char *p, *end;

	if (where.source >= policy->n_sources || where.line == 0)
		return NULL;
	p = policy->sources[where.source].text;
	for (uint32_t line = 1; p && line < where.line; line++) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return NULL;
	end = strchr(p, '\n');
	*ret_len = end ? (size_t)(end - p) : strlen(p);
	return p;
}

struct policy_where lint_head(const struct policy *policy)
{
	struct policy_where where = { .source = 0, .column = 1, .line = 1 };
	const char *line;
	size_t len = 0;

	for (; (line = lint_line(policy, where, &len)) != NULL; where.line++) {
		if (len > 7 && strncmp(line, "policy ", 7) == 0)
			return where;
	}
	where.line = 1;
	return where;
}

bool lint_is_group(const struct policy *policy, struct policy_where where, const char *group)
{
	size_t len = 0;
	const char *line = lint_line(policy, where, &len);

	if (!line || where.column == 0 || where.column > len)
		return false;
	line += where.column - 1;
	len -= where.column - 1U;
	if (!group)
		return *line == '@';
	return len >= strlen(group) && strncmp(line, group, strlen(group)) == 0;
}

struct lint_place lint_place(const struct policy *policy, struct policy_where where)
{
	struct lint_place place = { "the default" };
	const char *path, *slash;

	if (where.line == 0 || where.source >= policy->n_sources)
		return place;
	path = policy->sources[where.source].path;
	slash = strrchr(path, '/');
	(void)snprintf(place.text, sizeof(place.text), "%.64s:%u", slash ? slash + 1 : path,
		       where.line);
	return place;
}

static bool same_place(struct policy_where a, struct policy_where b)
{
	return a.source == b.source && a.line == b.line && a.column == b.column;
}

void lint_add(struct linter *l, const char *id, enum lint_level level, struct policy_where where,
	      const char *instead, const char *fmt, ...)
{
	struct lint_finding f = { .level = (uint8_t)level, .where = where };
	va_list ap;
	int n;

	if (where.line == 0)
		f.where = lint_head(l->policy);
	va_start(ap, fmt);
	n = vasprintf(&f.text, fmt, ap);
	va_end(ap);
	f.instead = n >= 0 && instead ? strdup(instead) : NULL;
	if (n < 0 || (instead && !f.instead) ||
	    list_grow(&l->out->findings, l->out->n, sizeof(*l->out->findings)) < 0) {
		if (n >= 0)
			free(f.text);
		free(f.instead);
		l->no_memory = true;
		return;
	}
	(void)snprintf(f.id, sizeof(f.id), "%s", id);
	for (size_t i = 0; i < l->out->n; i++) {
		const struct lint_finding *old = &l->out->findings[i];

		if (same_place(old->where, f.where) && strcmp(old->id, f.id) == 0 &&
		    strcmp(old->text, f.text) == 0) {
			free(f.text);
			free(f.instead);
			return;
		}
	}
	l->out->findings[l->out->n++] = f;
}

static int compare_findings(const void *pa, const void *pb)
{
	const struct lint_finding *a = pa, *b = pb;
	int order;

	if (a->where.source != b->where.source)
		return a->where.source < b->where.source ? -1 : 1;
	if (a->where.line != b->where.line)
		return a->where.line < b->where.line ? -1 : 1;
	if (a->where.column != b->where.column)
		return a->where.column < b->where.column ? -1 : 1;
	order = strcmp(a->id, b->id);
	return order ? order : strcmp(a->text, b->text);
}

int lint_policy(const struct policy *policy, struct lint *ret)
{
	struct lint out = { .n = 0 };
	struct linter l = { .policy = policy, .out = &out };

	lint_comparisons(&l);
	lint_shadows(&l);
	lint_twins(&l);
	lint_abis(&l);
	lint_dangers(&l);
	lint_view(&l);
	lint_settings(&l);
	lint_answers(&l);
	if (l.no_memory) {
		lint_done(&out);
		return -ENOMEM;
	}
	if (out.n)
		qsort(out.findings, out.n, sizeof(*out.findings), compare_findings);
	*ret = out;
	return 0;
}
