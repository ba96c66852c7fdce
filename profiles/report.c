// SPDX-License-Identifier: Apache-2.0
/* The list of what is reported, and the lines that have to be in it. */
#include "profiles/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policies/label.h"
#include "policies/limit.h"

static const char *const net_names[] = {
	[POLICY_NET_NONE] = "none",
	[POLICY_NET_LOOPBACK] = "loopback",
	[POLICY_NET_HOST] = "host",
};

const char *report_net_name(enum policy_net net)
{
	return (size_t)net < ARRAY_SIZE(net_names) ? net_names[net] : "?";
}

void report_done(struct report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->entries[i].subject);
		free(report->entries[i].note);
	}
	free(report->entries);
	*report = REPORT_INIT;
}

/* Room for one more of size bytes. NULL: out of memory. */
static void *grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *bigger;

	if (n < *room)
		return array;
	bigger = reallocarray(array, more, size);
	if (bigger)
		*room = more;
	return bigger;
}

static int add(struct report *report, const struct report_entry *entry)
{
	struct report_entry *entries =
		grow(report->entries, report->n, &report->room, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	report->entries = entries;
	entries[report->n++] = *entry;
	return 0;
}

int report_add(struct report *report, enum mechanism mechanism, struct policy_where where,
	       enum coverage coverage, const char *subject, const char *note, ...)
{
	_cleanup_free_ char *s = strdup(subject), *text = NULL;
	struct report_entry entry = { .where = where,
				      .mechanism = (uint8_t)mechanism,
				      .coverage = (uint8_t)coverage };
	va_list ap;
	int n = 0;

	if (!s)
		return -ENOMEM;
	if (note) {
		va_start(ap, note);
		n = vasprintf(&text, note, ap);
		va_end(ap);
		if (n < 0) {
			text = NULL; /* vasprintf leaves it undefined */
			return -ENOMEM;
		}
	}
	entry.subject = s;
	entry.note = text;
	if (add(report, &entry) < 0)
		return -ENOMEM;
	(void)TAKE_PTR(s);
	(void)TAKE_PTR(text);
	return 0;
}

/* --- lines --- */

void report_lines_done(struct report_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->lines[i].subject);
	free(lines->lines);
	*lines = REPORT_LINES_INIT;
}

/* Takes subject's text. */
static int add_line(struct report_lines *to, enum report_line_kind kind, size_t index,
		    struct policy_where where, struct buf *subject)
{
	struct report_line *lines = grow(to->lines, to->n, &to->room, sizeof(*lines));

	if (!lines || !subject->data)
		return -ENOMEM;
	to->lines = lines;
	lines[to->n++] = (struct report_line){
		.kind = (uint8_t)kind,
		.index = index,
		.where = where,
		.subject = TAKE_PTR(subject->data),
	};
	*subject = BUF_INIT;
	return 0;
}

/* The line as its author wrote it, without indentation and comment. */
static int put_source_line(const struct policy *policy, const struct policy_where *where,
			   struct buf *out)
{
	const char *p, *end;
	size_t len;

	if (where->line == 0 || where->source >= policy->n_sources ||
	    !policy->sources[where->source].text)
		return buf_puts(out, "a rule");
	p = policy->sources[where->source].text;
	for (uint32_t line = 1; line < where->line && p; line++) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return buf_puts(out, "a rule");
	p += strspn(p, " \t");
	len = strcspn(p, "#\r\n");
	for (end = p + len; end > p && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	return buf_put(out, p, (size_t)(end - p));
}

const char *report_allows(const struct policy *policy, const struct report_line *line,
			  bool (*is_one)(const char *call))
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *r = &policy->rules[i];

		if (r->action == POLICY_ALLOW && r->where.source == line->where.source &&
		    r->where.line == line->where.line && is_one(r->call->name))
			return r->call->name;
	}
	return NULL;
}

int report_put_where(const struct policy *policy, const struct policy_where *where, struct buf *out)
{
	const char *path, *slash;

	if (where->line == 0 || where->source >= policy->n_sources)
		return buf_puts(out, "default");
	path = policy->sources[where->source].path;
	slash = strrchr(path, '/');
	return buf_printf(out, "%s:%" PRIu32, slash ? slash + 1 : path, where->line);
}

int report_put_path(const struct policy_path *path, struct buf *out)
{
	static const char *const verbs[] = {
		[POLICY_PATH_READ] = "read",   [POLICY_PATH_EXEC] = "exec",
		[POLICY_PATH_WRITE] = "write", [POLICY_PATH_HIDE] = "hide",
		[POLICY_PATH_TMPFS] = "tmpfs",
	};

	return buf_printf(out, "%s%s %s", verbs[path->verb], path->optional ? "?" : "", path->path);
}

int report_put_port(const struct policy_port *port, struct buf *out)
{
	int r = buf_printf(out, "net %s %s%s ",
			   port->direction == POLICY_PORT_BIND ? "bind" : "connect",
			   port->protocol == POLICY_PORT_UDP ? "udp" : "tcp",
			   port->families == POLICY_FAMILY_INET	   ? "4"
			   : port->families == POLICY_FAMILY_INET6 ? "6"
								   : "");

	if (r < 0)
		return r;
	if (port->first == 0 && port->last == UINT16_MAX)
		return buf_puts(out, "any");
	return port->first == port->last ? buf_printf(out, "%u", port->first)
					 : buf_printf(out, "%u-%u", port->first, port->last);
}

static bool same_line(const struct policy_where *a, const struct policy_where *b)
{
	return a->source == b->source && a->line == b->line;
}

/* Rules of one line are many, and not beside each other: they are sorted by call. */
static int add_calls(const struct policy *policy, struct report_lines *to)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		_cleanup_buf_ struct buf subject = BUF_INIT;
		const struct policy_where *where = &policy->rules[i].where;
		bool seen = false;
		int r;

		/* what composition makes of a net line is part of that line */
		for (size_t j = 0; j < policy->n_ports && !seen; j++)
			seen = same_line(&policy->ports[j].where, where);
		for (size_t j = 0; j < to->n && !seen; j++)
			seen = to->lines[j].kind == REPORT_CALLS &&
			       same_line(&to->lines[j].where, where);
		if (seen)
			continue;
		r = put_source_line(policy, where, &subject);
		r = r ? r : add_line(to, REPORT_CALLS, i, *where, &subject);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_arrays(const struct policy *policy, struct report_lines *to)
{
	int r = 0;

	for (size_t i = 0; i < policy->n_paths && r == 0; i++) {
		_cleanup_buf_ struct buf s = BUF_INIT;

		r = report_put_path(&policy->paths[i], &s);
		r = r ? r : add_line(to, REPORT_PATH, i, policy->paths[i].where, &s);
	}
	for (size_t i = 0; i < policy->n_ports && r == 0; i++) {
		_cleanup_buf_ struct buf s = BUF_INIT;

		r = report_put_port(&policy->ports[i], &s);
		r = r ? r : add_line(to, REPORT_PORT, i, policy->ports[i].where, &s);
	}
	for (size_t i = 0; i < policy->n_env && r == 0; i++) {
		_cleanup_buf_ struct buf s = BUF_INIT;

		r = buf_printf(&s, "env %s%s%s", policy->env[i].name,
			       policy->env[i].value ? "=" : "",
			       policy->env[i].value ? policy->env[i].value : "");
		r = r ? r : add_line(to, REPORT_ENV, i, policy->env[i].where, &s);
	}
	for (size_t i = 0; i < _POLICY_LSM_MAX && r == 0; i++) {
		_cleanup_buf_ struct buf s = BUF_INIT;

		if (!policy->labels[i].text)
			continue;
		r = buf_printf(&s, "label %s %s", label_lsm_name((enum policy_lsm)i),
			       policy->labels[i].text);
		r = r ? r : add_line(to, REPORT_LABEL, i, policy->labels[i].where, &s);
	}
	for (size_t i = 0; i < _POLICY_LIMIT_MAX && r == 0; i++) {
		_cleanup_buf_ struct buf s = BUF_INIT;
		char text[CPUS_TEXT];

		if (!policy->has_limit[i])
			continue;
		r = buf_printf(
			&s, "limit %s %s", limit_name((enum policy_limit)i),
			limit_text((enum policy_limit)i, policy->limit[i], &policy->cpuset, text));
		r = r ? r : add_line(to, REPORT_LIMIT, i, policy->limit_where[i], &s);
	}
	return r;
}

static int put_abis(const struct policy *policy, struct buf *out)
{
	int r = buf_puts(out, "abi");

	for (int i = 0; i < _ABI_MAX && r == 0; i++) {
		if (policy->abi_mask & 1U << i)
			r = buf_printf(out, " %s", abi_name((enum abi)i));
	}
	return r;
}

/* Said or not, each of these holds; a `default` or `notify` that is not said is none. */
static int add_settings(const struct policy *policy, struct report_lines *to)
{
	static const struct {
		enum policy_setting setting;
		enum report_line_kind kind;
	} settings[] = {
		{ POLICY_SETTING_KERNEL, REPORT_KERNEL },
		{ POLICY_SETTING_ABI, REPORT_ABI },
		{ POLICY_SETTING_NET, REPORT_NET },
		{ POLICY_SETTING_CAP, REPORT_CAP },
		{ POLICY_SETTING_NOTIFY, REPORT_NOTIFY },
		{ POLICY_SETTING_DEFAULT, REPORT_DEFAULT },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings) && r == 0; i++) {
		_cleanup_buf_ struct buf s = BUF_INIT;
		const struct policy_where *where = &policy->setting_where[settings[i].setting];

		if (where->line != 0)
			r = put_source_line(policy, where, &s);
		else if (settings[i].kind == REPORT_KERNEL)
			r = buf_printf(&s, "kernel %u.%u", policy->kernel >> 8,
				       policy->kernel & 0xff);
		else if (settings[i].kind == REPORT_ABI)
			r = put_abis(policy, &s);
		else if (settings[i].kind == REPORT_NET)
			r = buf_printf(&s, "net %s", report_net_name((enum policy_net)policy->net));
		else if (settings[i].kind == REPORT_CAP)
			r = buf_puts(&s, "cap none");
		else
			continue;
		r = r ? r : add_line(to, settings[i].kind, 0, *where, &s);
	}
	return r;
}

static int compare_where(const struct policy_where *a, const struct policy_where *b)
{
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

static int compare_lines(const void *pa, const void *pb)
{
	const struct report_line *a = pa, *b = pb;
	int r = compare_where(&a->where, &b->where);

	r = r ? r : (a->kind > b->kind) - (a->kind < b->kind);
	return r ? r : (a->index > b->index) - (a->index < b->index);
}

int report_lines_of(const struct policy *policy, struct report_lines *ret)
{
	struct report_lines lines = REPORT_LINES_INIT;
	int r = add_calls(policy, &lines);

	r = r ? r : add_arrays(policy, &lines);
	r = r ? r : add_settings(policy, &lines);
	if (r < 0) {
		report_lines_done(&lines);
		return r;
	}
	qsort(lines.lines, lines.n, sizeof(*lines.lines), compare_lines);
	*ret = lines;
	return 0;
}

int report_each(const struct policy *policy, enum mechanism mechanism,
		const struct profile_target *target, report_judge *judge, struct report *report,
		struct err *err)
{
	struct report_lines lines;
	int r = report_lines_of(policy, &lines);

	if (r < 0)
		return err_set(err, r, "report on policy '%s'", policy->name);
	for (size_t i = 0; i < lines.n && r == 0; i++) {
		_cleanup_buf_ struct buf note = BUF_INIT;
		enum coverage coverage = COVERAGE_NOT_ITS_OWN;

		r = judge(policy, target, &lines.lines[i], &coverage, &note);
		if (r == 0)
			r = report_add(report, mechanism, lines.lines[i].where, coverage,
				       lines.lines[i].subject, note.len ? "%s" : NULL, note.data);
	}
	if (r < 0)
		(void)err_set(err, r, "report on policy '%s'", policy->name);
	report_lines_done(&lines);
	return r;
}

/* --- all mechanisms --- */

static int compare_entries(const void *pa, const void *pb)
{
	const struct report_entry *a = pa, *b = pb;
	int r = compare_where(&a->where, &b->where);

	r = r ? r : strcmp(a->subject, b->subject);
	r = r ? r : (a->mechanism > b->mechanism) - (a->mechanism < b->mechanism);
	r = r ? r : (a->coverage > b->coverage) - (a->coverage < b->coverage);
	return r ? r : strcmp(a->note ? a->note : "", b->note ? b->note : "");
}

/* A line of which a mechanism's report says nothing is one that it does not enforce. */
static int add_missing(const struct policy *policy, unsigned mask, struct report *report)
{
	struct report_lines lines;
	const size_t n = report->n;
	int r = report_lines_of(policy, &lines);

	if (r < 0)
		return r;
	for (size_t i = 0; i < lines.n && r == 0; i++) {
		unsigned missing = mask;

		for (size_t j = 0; j < n; j++) {
			if (same_line(&report->entries[j].where, &lines.lines[i].where))
				missing &= ~(1U << report->entries[j].mechanism);
		}
		for (int m = 0; m < _MECHANISM_MAX && r == 0; m++) {
			if (missing & 1U << m)
				r = report_add(report, (enum mechanism)m, lines.lines[i].where,
					       COVERAGE_NONE, lines.lines[i].subject,
					       "its report does not speak of this line");
		}
	}
	report_lines_done(&lines);
	return r;
}

int report_make(const struct policy *policy, const struct profile_target *target, unsigned mask,
		struct report *ret, struct err *err)
{
	struct report report = REPORT_INIT;
	int r = 0;

	mask &= (1U << _MECHANISM_MAX) - 1;
	for (int m = 0; m < _MECHANISM_MAX && r == 0; m++) {
		const struct mechanism_ops *ops = mechanism_ops_of((enum mechanism)m);

		if (!(mask & 1U << m))
			continue;
		if (!ops)
			r = err_refuse(err, "report on %s: it is not built in",
				       mechanism_name((enum mechanism)m));
		else
			r = ops->report(policy, target, &report, err);
	}
	if (r == 0) {
		r = add_missing(policy, mask, &report);
		if (r < 0)
			(void)err_set(err, r, "report on policy '%s'", policy->name);
	}
	if (r < 0) {
		report_done(&report);
		return r;
	}
	if (report.n > 0)
		qsort(report.entries, report.n, sizeof(*report.entries), compare_entries);
	*ret = report;
	return 0;
}
