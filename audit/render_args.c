// SPDX-License-Identifier: Apache-2.0
/* A call's arguments as people read them: names and numbers as they are, texts in quotes,
 * structures in braces, lists in brackets. */
#include <string.h>

#include "audit/render.h"

enum {
	NAMES_MAX = 120,    /* bytes of a value's names */
	TEXT_MAX = 160,	    /* of a text of the payload's */
	ARGUMENT_MAX = 400, /* of one argument, about */
	NESTING_MAX = 8,
};

/* One argument that is being put: what would go beyond end is "...". */
struct argument {
	struct render *r;
	size_t end;
	unsigned depth;
	bool cut;
};

static void put_member(struct argument *a, const struct scan *value);

static bool is_full(struct argument *a)
{
	if (!a->cut && (a->r->len >= a->end || a->depth > NESTING_MAX)) {
		render_text(a->r, "...");
		a->cut = true;
	}
	return a->cut;
}

static bool key_ends(const struct scan *key, const char *end)
{
	const size_t n = strlen(end);

	return key->len > n + 1 && memcmp(key->p + key->len - 1 - n, end, n) == 0;
}

static void put_quoted(struct argument *a, const struct scan *text, const char *before, bool more)
{
	render_text(a->r, before);
	render_text(a->r, "\"");
	render_string(a->r, text, TEXT_MAX);
	render_text(a->r, "\"");
	if (more)
		render_text(a->r, "...");
}

/* A name or several as they are; a text that could be more than one member of a structure, or
 * that nobody would see, in quotes. (value->p is the text with its own quotes.) */
static void put_string(struct argument *a, const struct scan *value)
{
	bool plain = value->len > 2 && value->p[1] != ' ' && value->p[value->len - 2] != ' ';

	for (size_t i = 1; i + 1 < value->len && plain; i++) {
		const char c = value->p[i];

		plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || strchr("_|+-:. ()'", c);
	}
	if (plain)
		render_string(a->r, value, NAMES_MAX);
	else
		put_quoted(a, value, "", false);
}

/* [a, b, ...] */
static void put_list(struct argument *a, const struct scan *list, bool quoted, bool more)
{
	struct scan_iter iter;
	struct scan value;
	unsigned n = 0;

	render_text(a->r, "[");
	for (scan_begin(list, &iter); !is_full(a) && scan_next(&iter, NULL, &value);) {
		if (n++ > 0)
			render_text(a->r, ", ");
		if (quoted && value.kind == SCAN_STRING)
			put_quoted(a, &value, "", false);
		else
			put_member(a, &value);
	}
	if (more && !a->cut)
		render_text(a->r, n ? ", ..." : "...");
	render_text(a->r, "]");
}

/* {flags=CLONE_NEWUSER, exit_signal=SIGCHLD} */
static void put_struct(struct argument *a, const struct scan *object)
{
	struct scan_iter iter;
	struct scan key, value;
	unsigned n = 0;

	render_text(a->r, "{");
	for (scan_begin(object, &iter); !is_full(a) && scan_next(&iter, &key, &value);) {
		if (n++ > 0)
			render_text(a->r, ", ");
		render_string(a->r, &key, 40);
		render_text(a->r, "=");
		put_member(a, &value);
	}
	render_text(a->r, "}");
}

static void put_sockaddr(struct argument *a, const struct scan *address)
{
	struct scan text, port;

	if (scan_get(address, "address", &text)) {
		render_string(a->r, &text, 60);
		if (scan_get(address, "port", &port)) {
			render_text(a->r, " port ");
			render_bytes(a->r, port.p, port.len, 10);
		}
	} else if (scan_get(address, "path", &text)) {
		put_quoted(a, &text, "", false);
	} else if (scan_get(address, "abstract", &text)) {
		put_quoted(a, &text, "@", false);
	} else {
		put_struct(a, address);
	}
}

/* What a pointer led to; false when the object is none of that, but a structure inside another. */
static bool put_pointed(struct argument *a, const struct scan *object)
{
	struct scan_iter iter;
	struct scan key, value, other;
	const bool more = scan_get(object, "length", &other) || scan_get(object, "more", &other) ||
			  scan_get(object, "count", &other);

	scan_begin(object, &iter);
	if (!scan_next(&iter, &key, &value))
		return false;
	if (scan_is(&key, "note"))
		render_text(a->r, "?");
	else if (scan_is(&key, "path_as_read") || scan_is(&key, "text_as_read") ||
		 scan_is(&key, "char_as_read"))
		put_quoted(a, &value, "", more);
	else if (scan_is(&key, "sockaddr_as_read"))
		put_sockaddr(a, &value);
	else if (!key_ends(&key, "_as_read"))
		return false;
	else if (value.kind == SCAN_ARRAY)
		put_list(a, &value, scan_is(&key, "argv_as_read"), more);
	else
		put_member(a, &value);
	return true;
}

/* One argument, or a member of what it points to: a number or name as it is. */
static void put_member(struct argument *a, const struct scan *value)
{
	a->depth++;
	if (is_full(a))
		;
	else if (value->kind == SCAN_STRING && a->depth == 1) /* only names are arguments */
		render_string(a->r, value, NAMES_MAX);
	else if (value->kind == SCAN_STRING)
		put_string(a, value);
	else if (value->kind == SCAN_NULL)
		render_text(a->r, "NULL");
	else if (value->kind == SCAN_ARRAY)
		put_list(a, value, false, false);
	else if (value->kind != SCAN_OBJECT)
		render_bytes(a->r, value->p, value->len, 40);
	else if (!put_pointed(a, value))
		put_struct(a, value);
	a->depth--;
}

static void put_value(struct render *r, const struct scan *value)
{
	struct argument argument = { .r = r, .end = r->len + ARGUMENT_MAX };

	put_member(&argument, value);
}

/* What the kernel's record has of the object: its path, or the most telling of its other fields. */
static bool put_object(struct render *r, const struct scan *record)
{
	static const char *const keys[] = { "name",	 "dest", "daddr",  "src",
					    "saddr",	 "peer", "signal", "family",
					    "sock_type", "info", "ocomm",  "tcontext" };
	struct scan path, fields, value;
	unsigned n = 0;

	if (scan_get(record, "path", &path) && path.kind == SCAN_STRING) {
		render_text(r, "\"");
		render_string(r, &path, 160);
		render_text(r, "\"");
		return true;
	}
	if (!scan_get(record, "fields", &fields) || fields.kind != SCAN_OBJECT)
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && n < 3; i++) {
		if (!scan_get(&fields, keys[i], &value) || value.kind != SCAN_STRING)
			continue;
		render_text(r, n++ > 0 ? " " : "");
		render_text(r, keys[i]);
		render_text(r, "=");
		render_string(r, &value, 80);
	}
	return true;
}

bool render_args(struct render *r, const struct scan *record)
{
	struct scan decoded, value;
	struct scan_iter iter;
	unsigned n = 0;

	if (scan_get(record, "kernel", &value) && put_object(r, record))
		return true;
	if (!scan_get(record, "decoded", &decoded) || decoded.kind != SCAN_OBJECT)
		return false;
	for (scan_begin(&decoded, &iter); scan_next(&iter, NULL, &value);) {
		if (n++ > 0)
			render_text(r, ", ");
		put_value(r, &value);
	}
	return true;
}
