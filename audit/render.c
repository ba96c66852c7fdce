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

/* Denials by the kernel itself, but those of a filter, name no call: "apparmor open:r". */
static bool put_operation(struct render *r, const struct scan *record)
{
	struct scan mechanism, operation, access, value, call;
	const char *before = ":";
	struct scan_iter iter;

	if (!scan_get(record, "operation", &operation) || operation.kind != SCAN_STRING ||
	    scan_get(record, "syscall", &call))
		return false;
	if (scan_get(record, "mechanism", &mechanism))
		render_string(r, &mechanism, 16);
	render_text(r, " ");
	render_string(r, &operation, 32);
	if (!scan_get(record, "access", &access) || access.kind != SCAN_ARRAY)
		return true;
	for (scan_begin(&access, &iter); scan_next(&iter, NULL, &value); before = ",") {
		render_text(r, before);
		render_string(r, &value, 32);
	}
	return true;
}

void render_call_name(struct render *r, const struct scan *record)
{
	struct scan call, name, nr;

	if (put_operation(r, record))
		return;
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

static void put_call(struct render *r, const struct scan *record)
{
	struct scan decoded;

	render_call_name(r, record);
	if (scan_get(record, "operation", &decoded)) {
		const struct render before = *r;
		size_t len;

		render_text(r, " ");
		len = r->len;
		(void)render_args(r, record);
		if (r->len == len) {
			*r = before;
			r->buf[r->len] = '\0';
		}
		return;
	}
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
		/* the kernel's own: its profile or context, if it has one */
		if (scan_get(record, "label", &rule) && rule.kind == SCAN_STRING)
			render_string(r, &rule, 80);
		else if (scan_get(record, "operation", &rule) &&
			 scan_get(record, "mechanism", &rule))
			render_string(r, &rule, 16);
		else
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
	struct scan answer;
	uint64_t count = 1;
	char more[48];

	render_text(r, colour ? "\x1b[31mdenied\x1b[0m " : "denied ");
	if (scan_get_u64(record, "count", &count) == 0 && count > 1) {
		(void)snprintf(more, sizeof(more), "%llu times more ", (unsigned long long)count);
		render_text(r, more);
	}
	put_call(r, record);
	render_text(r, " by ");
	render_rule(r, record);
	if (scan_get(record, "answer", &answer) || !scan_get(record, "operation", &answer)) {
		render_text(r, ": ");
		render_answer(r, record);
	}
	put_who(r, record);
}

/* --- what happened to a sandbox and to the log --------------------------------------------- */

/* A member that is a number, as it is written, or "?". */
static void put_number(struct render *r, const struct scan *record, const char *key)
{
	struct scan value;

	if (scan_get(record, key, &value) && value.kind == SCAN_NUMBER)
		render_bytes(r, value.p, value.len, 20);
	else
		render_text(r, "?");
}

static void put_member(struct render *r, const char *before, const struct scan *record,
		       const char *key)
{
	struct scan value;

	if (!scan_get(record, key, &value))
		return;
	render_text(r, before);
	render_string(r, &value, 300);
}

void render_command(struct render *r, const struct scan *record, size_t max)
{
	struct scan argv, value;
	struct scan_iter iter;
	size_t from = r->len;

	if (!scan_get(record, "argv", &argv))
		return;
	for (scan_begin(&argv, &iter); scan_next(&iter, NULL, &value);) {
		if (r->len > from)
			render_text(r, " ");
		render_string(r, &value, 80);
		if (r->len - from > max) {
			render_text(r, iter.p < iter.end ? " ..." : "");
			return;
		}
	}
}

void render_exit(struct render *r, const struct scan *record)
{
	struct scan how, value;

	if (!scan_get(record, "exit", &how))
		return;
	if (scan_get(&how, "status", &value)) {
		render_text(r, "exit ");
		render_bytes(r, value.p, value.len, 8);
	} else if (scan_get(&how, "signal", &value)) {
		render_text(r, "killed by ");
		render_string(r, &value, 20);
	} else if (scan_get(&how, "error", &value)) {
		render_text(r, "not started: ");
		render_string(r, &value, 120);
	}
}

/* False: a log of before it was told. */
static bool get_unseen(const struct scan *record, struct scan *ret)
{
	struct scan kernel;

	return scan_get(record, "kernel_denials", &kernel) && scan_get(&kernel, "unseen", ret) &&
	       ret->kind == SCAN_ARRAY;
}

bool render_is_blind(const struct scan *record)
{
	struct scan blind, unseen, value;
	struct scan_iter iter;

	if (!scan_get(record, "blind", &blind) || blind.kind != SCAN_TRUE)
		return false;
	if (!get_unseen(record, &unseen))
		return true;
	for (scan_begin(&unseen, &iter); scan_next(&iter, NULL, &value);) {
		if (scan_is(&value, "seccomp-errno"))
			return true;
	}
	return false;
}

static void put_open(struct render *r, const struct scan *record)
{
	const char *before = " (unseen: ";
	struct scan unseen, value;
	struct scan_iter iter;

	put_member(r, "began under policy ", record, "policy");
	if (render_is_blind(record))
		render_text(r, ", blind: its denials are not seen");
	if (get_unseen(record, &unseen)) {
		for (scan_begin(&unseen, &iter); scan_next(&iter, NULL, &value); before = ", ") {
			render_text(r, before);
			render_string(r, &value, 16);
		}
		render_text(r, *before == ',' ? ")" : "");
	}
	render_text(r, ": ");
	render_command(r, record, 200);
}

static void put_close(struct render *r, const struct scan *record)
{
	struct scan lost;
	uint64_t n = 0;

	render_text(r, "ended: ");
	render_exit(r, record);
	render_text(r, "; ");
	put_number(r, record, "denials");
	render_text(r, " calls denied");
	if (scan_get(record, "lost", &lost) && scan_get_u64(&lost, "records", &n) == 0 && n > 0) {
		render_text(r, "; records lost: ");
		put_number(r, &lost, "records");
	}
}

static void put_lost(struct render *r, const struct scan *record)
{
	render_text(r, "missing here: ");
	put_number(r, record, "records");
	render_text(r, " records of ");
	put_number(r, record, "denials");
	render_text(r, " denials");
	put_member(r, ": ", record, "why");
}

static void put_repair(struct render *r, const struct scan *record)
{
	static const struct {
		const char *key, *text;
	} found[] = {
		{ "adopted", " records taken over" },
		{ "torn", " bytes of a torn line" },
		{ "foreign", " lines that are not of this chain" },
		{ "cut", " records cut off" },
	};
	bool any = false;
	uint64_t n;

	render_text(r, "the log was repaired: ");
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		if (scan_get_u64(record, found[i].key, &n) < 0 || n == 0)
			continue;
		render_text(r, any ? ", " : "");
		put_number(r, record, found[i].key);
		render_text(r, found[i].text);
		any = true;
	}
	if (!any)
		put_member(r, "its head was ", record, "head");
}

static void put_retain(struct render *r, const struct scan *record)
{
	render_text(r, "old files removed: ");
	put_number(r, record, "files");
	render_text(r, ", records ");
	put_number(r, record, "from");
	render_text(r, " to ");
	put_number(r, record, "through");
}

static void put_seal(struct render *r, const struct scan *record)
{
	render_text(r, "sealed up to record ");
	put_number(r, record, "last");
	render_text(r, ", epoch ");
	put_number(r, record, "epoch");
}

/* What a person watching a program is told besides denials. */
static bool put_watched(struct render *r, const struct scan *record, const struct scan *type)
{
	if (scan_is(type, "limit"))
		put_member(r, "limit: ", record, "text");
	else if (scan_is(type, "lost"))
		put_lost(r, record);
	else if (scan_is(type, "kernel"))
		put_member(r, "", record, "text");
	else
		return false;
	return true;
}

static void put_event(struct render *r, const struct scan *record, const struct scan *type)
{
	if (put_watched(r, record, type))
		return;
	if (scan_is(type, "open"))
		put_open(r, record);
	else if (scan_is(type, "close"))
		put_close(r, record);
	else if (scan_is(type, "repair"))
		put_repair(r, record);
	else if (scan_is(type, "retain"))
		put_retain(r, record);
	else if (scan_is(type, "seal"))
		put_seal(r, record);
	else if (scan_is(type, "unsealed"))
		put_member(r, "the log is not sealed any more: ", record, "why");
	else if (scan_is(type, "rotate"))
		render_text(r, "the log goes on in another file");
	else
		render_string(r, type, 20);
}

static bool speaks_of_denials(const struct scan *type)
{
	return scan_is(type, "denial") || scan_is(type, "summary");
}

void render_record(struct render *r, const struct scan *record, bool colour)
{
	struct scan type;

	if (!scan_get(record, "type", &type))
		return;
	if (speaks_of_denials(&type))
		put_denial(r, record, colour);
	else
		put_event(r, record, &type);
}

size_t render_line(const char *record, size_t len, bool colour, char *buf, size_t cap)
{
	struct scan root, type;
	struct render r;

	render_init(&r, buf, cap);
	if (scan_text(record, len, &root) < 0 || !scan_get(&root, "type", &type))
		return 0;
	render_text(&r, "cordon: ");
	if (speaks_of_denials(&type))
		put_denial(&r, &root, colour);
	else if (!put_watched(&r, &root, &type))
		return 0;
	return r.len;
}
