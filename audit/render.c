// SPDX-License-Identifier: Apache-2.0
#include "audit/render.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void render_init(struct render *r, char *buf, size_t cap)
{
	*r = (struct render){ .buf = buf, .cap = cap };
	if (cap > 0)
		buf[0] = '\0';
}

static bool put(struct render *r, const char *p, size_t n)
{
	if (r->cap == 0 || n >= r->cap - r->len)
		return false;
	memcpy(r->buf + r->len, p, n);
	r->len += n;
	r->buf[r->len] = '\0';
	return true;
}

void render_text(struct render *r, const char *text)
{
	(void)put(r, text, strlen(text));
}

void render_bytes(struct render *r, const char *bytes, size_t len, size_t max)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t used = r->len;

	for (size_t i = 0; i < len;) {
		size_t n = text_utf8_len(p + i, len - i);
		char hex[5];
		bool fits;

		if (r->len - used >= max) {
			render_text(r, "...");
			return;
		}
		if (n > 0 && text_is_shown(p + i, n)) {
			fits = put(r, bytes + i, n);
			i += n;
		} else {
			(void)snprintf(hex, sizeof(hex), "\\x%02x", p[i]);
			fits = put(r, hex, 4);
			i++;
		}
		if (!fits)
			return;
	}
}

void render_string(struct render *r, const struct scan *value, size_t max)
{
	char text[4096];
	size_t n = scan_string(value, text, sizeof(text));

	render_bytes(r, text, n, max);
}

/* One member of "decoded": a number or name as it is, an object by its first text. */
static void put_value(struct render *r, const struct scan *value)
{
	struct scan_iter iter;
	struct scan key, inner, port;
	bool text;

	if (value->kind == SCAN_STRING) {
		render_string(r, value, 120);
		return;
	}
	if (value->kind == SCAN_NULL) {
		render_text(r, "NULL");
		return;
	}
	if (value->kind != SCAN_OBJECT) {
		render_bytes(r, value->p, value->len, 40);
		return;
	}
	if (scan_get(value, "address", &inner)) { /* an internet address: no quotes */
		render_string(r, &inner, 60);
		if (scan_get(value, "port", &port)) {
			render_text(r, " port ");
			render_bytes(r, port.p, port.len, 8);
		}
		return;
	}
	scan_begin(value, &iter);
	if (!scan_next(&iter, &key, &inner))
		return;
	if (scan_is(&key, "note")) {
		render_text(r, "?");
		return;
	}
	if (scan_is(&key, "family") && !scan_next(&iter, &key, &inner)) {
		scan_begin(value, &iter);
		(void)scan_next(&iter, &key, &inner);
	}
	text = scan_is(&key, "path_as_read") || scan_is(&key, "text_as_read") ||
	       scan_is(&key, "abstract_as_read");
	render_text(r, scan_is(&key, "abstract_as_read") ? "@\"" : text ? "\"" : "");
	if (inner.kind == SCAN_STRING)
		render_string(r, &inner, 160);
	render_text(r, text ? "\"" : "");
}

void render_call_name(struct render *r, const struct scan *record)
{
	struct scan call, name, nr;

	if (!scan_get(record, "syscall", &call)) {
		render_text(r, "(several calls)");
	} else if (scan_get(&call, "name", &name) && name.kind == SCAN_STRING) {
		render_string(r, &name, 40);
	} else {
		render_text(r, "call ");
		if (scan_get(&call, "nr", &nr) && nr.kind == SCAN_NUMBER)
			render_bytes(r, nr.p, nr.len, 12);
	}
}

bool render_args(struct render *r, const struct scan *record)
{
	struct scan decoded, value;
	struct scan_iter iter;
	unsigned n = 0;

	if (!scan_get(record, "decoded", &decoded) || decoded.kind != SCAN_OBJECT)
		return false;
	for (scan_begin(&decoded, &iter); scan_next(&iter, NULL, &value);) {
		if (n++ > 0)
			render_text(r, ", ");
		put_value(r, &value);
	}
	return true;
}

static void put_call(struct render *r, const struct scan *record)
{
	struct scan decoded;

	render_call_name(r, record);
	if (!scan_get(record, "decoded", &decoded))
		return;
	render_text(r, "(");
	(void)render_args(r, record);
	render_text(r, ")");
}

void render_answer(struct render *r, const struct scan *record)
{
	struct scan answer, name;

	if (scan_get(record, "answer", &answer) && scan_get(&answer, "errno", &name))
		render_string(r, &name, 24);
	else if (scan_get(record, "answer", &answer))
		render_text(r, "killed");
	else
		render_text(r, "-");
}

void render_rule(struct render *r, const struct scan *record)
{
	struct scan rule;
	char text[1024];
	const char *slash;

	if (!scan_get_string(record, "rule", text, sizeof(text)) ||
	    !scan_get(record, "rule", &rule)) {
		render_text(r, "-");
		return;
	}
	slash = strrchr(text, '/');
	render_bytes(r, slash ? slash + 1 : text, strlen(slash ? slash + 1 : text), 80);
}

static void put_who(struct render *r, const struct scan *record)
{
	struct scan comm, pid;
	bool named = scan_get(record, "comm", &comm);

	if (!scan_get(record, "pid", &pid) && !scan_get(record, "pid_outside", &pid))
		return;
	render_text(r, " (");
	if (named) {
		render_string(r, &comm, 40);
		render_text(r, ", ");
	}
	render_text(r, "pid ");
	render_bytes(r, pid.p, pid.len, 12);
	render_text(r, ")");
}

static void put_denial(struct render *r, const struct scan *record, bool colour)
{
	uint64_t count = 1;
	char more[48];

	render_text(r, colour ? "cordon: \x1b[31mdenied\x1b[0m " : "cordon: denied ");
	if (scan_get_u64(record, "count", &count) == 0 && count > 1) {
		(void)snprintf(more, sizeof(more), "%llu times more ", (unsigned long long)count);
		render_text(r, more);
	}
	put_call(r, record);
	render_text(r, " by ");
	render_rule(r, record);
	render_text(r, ": ");
	render_answer(r, record);
	put_who(r, record);
}

size_t render_line(const char *record, size_t len, bool colour, char *buf, size_t cap)
{
	struct scan root, type, text;
	struct render r;

	render_init(&r, buf, cap);
	if (scan_text(record, len, &root) < 0 || !scan_get(&root, "type", &type))
		return 0;
	if (scan_is(&type, "denial") || scan_is(&type, "summary")) {
		put_denial(&r, &root, colour);
	} else if (scan_is(&type, "limit") && scan_get(&root, "text", &text)) {
		render_text(&r, "cordon: limit: ");
		render_string(&r, &text, 300);
	} else if (scan_is(&type, "lost") && scan_get(&root, "records", &text)) {
		render_text(&r, "cordon: audit records lost: ");
		render_bytes(&r, text.p, text.len, 20);
	}
	return r.len;
}
