// SPDX-License-Identifier: Apache-2.0
/*
 * Patterns that match exactly some names. What the parser makes of a quoted text, in this order
 * (parser_misc.c, parser_regex.c and libapparmor_re/parse.y of AppArmor 3.0 and 4.1):
 *  - a backslash before one of *?[]{}^,\ makes it a character, as \" does
 *  - within [] a comma stands for itself and must not be escaped, a '-' for itself only as the
 *    first one, and bytes may be written as \xHH
 *  - [^...] takes NUL and '/' unless they are named, and a NUL separates the two names of a link
 *  - "@{" begins a variable
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "profiles/apparmor_tree.h"

/* Bytes of alternatives in one pattern: with the longest path before it, escaped, and the longest
 * single alternative a rule stays well below the scanner's 16384. */
enum { MAX_ALTERNATIVES = 3000 };

void aa_patterns_done(struct aa_patterns *patterns)
{
	for (size_t i = 0; i < patterns->n; i++)
		free(patterns->text[i]);
	free(patterns->text);
	*patterns = (struct aa_patterns){ .n = 0 };
}

static int add_pattern(struct aa_patterns *to, struct buf *pattern)
{
	char **text = reallocarray(to->text, to->n + 1, sizeof(*text));

	if (!text)
		return -ENOMEM;
	to->text = text;
	text[to->n] = pattern->data ? TAKE_PTR(pattern->data) : strdup("");
	*pattern = BUF_INIT;
	if (!text[to->n])
		return -ENOMEM;
	to->n++;
	return 0;
}

int aa_pattern_escape(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((strchr("*?[]{},\\\"", text[i]) && buf_puts(out, "\\") < 0) ||
		    buf_put(out, &text[i], 1) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- all names but some --- */

struct others {
	const char *prefix;
	enum aa_start start;
	struct buf alternatives; /* joined by commas */
	size_t n;		 /* of them */
	struct aa_patterns *to;
};

static int flush(struct others *o)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (o->n == 0)
		return 0;
	/* braces want two alternatives at least */
	if (buf_puts(&out, o->prefix) < 0 || (o->n > 1 && buf_puts(&out, "{") < 0) ||
	    buf_put(&out, o->alternatives.data, o->alternatives.len) < 0 ||
	    (o->n > 1 && buf_puts(&out, "}") < 0))
		return -ENOMEM;
	buf_done(&o->alternatives);
	o->alternatives = BUF_INIT;
	o->n = 0;
	return add_pattern(o->to, &out);
}

static int add_alternative(struct others *o, const char *begin, size_t len, const char *class)
{
	int r = o->alternatives.len > MAX_ALTERNATIVES ? flush(o) : 0;

	if (r == 0 && o->n++ > 0)
		r = buf_puts(&o->alternatives, ",");
	if (r == 0)
		r = aa_pattern_escape(&o->alternatives, begin, len);
	return r < 0 || !class ? r : buf_puts(&o->alternatives, class);
}

/* "[^...]*": a byte that is none of set[], then anything. */
static int put_class(struct buf *out, const bool set[256])
{
	int r = buf_puts(out, set['-'] ? "[^-\\x00/" : "[^\\x00/");

	for (unsigned c = 1; c < 256 && r == 0; c++) {
		if (!set[c] || c == '-' || c == '/')
			continue;
		if (c < 0x20 || c >= 0x7f)
			r = buf_printf(out, "\\x%02x", c);
		else
			r = buf_printf(out, strchr("*?[]{}\\\"", (int)c) ? "\\%c" : "%c", (int)c);
	}
	return r < 0 ? r : buf_puts(out, "]*");
}

/* The digits that begin a name, but those of set[]. */
static int put_digits(struct buf *out, const bool set[256])
{
	int left = 0, r = 0;

	for (unsigned c = '1'; c <= '9'; c++)
		left += !set[c];
	if (left == 9)
		return buf_puts(out, "[1-9]*");
	for (unsigned c = '1'; c <= '9' && r == 0; c++) {
		if (!set[c])
			r = buf_printf(out, "%s%c", out->len ? "" : "[", (int)c);
	}
	return r < 0 || !left ? r : buf_puts(out, "]*");
}

static int add_class(struct others *o, const char *begin, size_t len, bool set[256])
{
	_cleanup_buf_ struct buf class = BUF_INIT;
	int r;

	if (len == 0 && o->start == AA_START_DIGIT) {
		r = put_digits(&class, set);
	} else {
		for (unsigned c = '1'; c <= '9' && len == 0 && o->start == AA_START_NO_DIGIT; c++)
			set[c] = true;
		r = put_class(&class, set);
	}
	return r < 0 || !class.len ? r : add_alternative(o, begin, len, class.data);
}

static bool may_begin(enum aa_start start, unsigned char c)
{
	bool digit = c >= '1' && c <= '9';

	return start == AA_START_ANY || (start == AA_START_DIGIT) == digit;
}

/*
 * names[] are sorted, and alike in their first len bytes. A name differs from all of them when it
 * ends where none does, goes on with a byte that none has there, or goes on as some do and differs
 * from those later, which is what this says of a greater len.
 */
static int add_differing(struct others *o, const char *const *names, size_t n, size_t len)
{
	bool set[256] = { false };
	bool ends = false;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		ends = ends || names[i][len] == '\0';
		set[(unsigned char)names[i][len]] = true;
	}
	if (len > 0 && !ends)
		r = add_alternative(o, names[0], len, NULL);
	return r < 0 ? r : add_class(o, names[0], len, set);
}

int aa_pattern_others(const char *prefix, const char *const *except, size_t n, enum aa_start start,
		      struct aa_patterns *add_to)
{
	struct others o = { .prefix = prefix, .start = start, .to = add_to };
	int r;

	if (n == 0 && start == AA_START_ANY) {
		r = add_alternative(&o, "", 0, "?*");
	} else if (n == 0) {
		bool set[256] = { false };

		r = add_class(&o, "", 0, set);
	} else {
		r = add_differing(&o, except, n, 0);
	}
	/* each begin once: the names that share it lie together */
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t len = strlen(except[i]);

		if (!may_begin(start, (unsigned char)except[i][0]))
			continue;
		for (size_t l = 1; l <= len && r == 0; l++) {
			size_t same = 1;

			if (i > 0 && strncmp(except[i - 1], except[i], l) == 0)
				continue;
			while (i + same < n && strncmp(except[i + same], except[i], l) == 0)
				same++;
			r = add_differing(&o, except + i, same, l);
		}
	}
	r = r < 0 ? r : flush(&o);
	buf_done(&o.alternatives);
	return r;
}

/* --- a place in the tree --- */

static int append_name(const struct aa_node *node, const char *prefix, struct aa_patterns *to)
{
	_cleanup_free_ const char **except = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_buf_ struct buf with_slash = BUF_INIT;
	size_t n = 0;

	if (buf_puts(&with_slash, prefix) < 0 || buf_puts(&with_slash, "/") < 0)
		return -ENOMEM;
	if (node->kind == AA_NAME_LITERAL) {
		if (buf_puts(&out, with_slash.data) < 0 ||
		    aa_pattern_escape(&out, node->name, strlen(node->name)) < 0)
			return -ENOMEM;
		return add_pattern(to, &out);
	}
	for (const struct aa_node *c = node->parent->children; c; c = c->next)
		n += c->kind == AA_NAME_LITERAL;
	except = calloc(n + 1, sizeof(*except));
	if (!except)
		return -ENOMEM;
	n = 0;
	for (const struct aa_node *c = node->parent->children; c; c = c->next) {
		if (c->kind == AA_NAME_LITERAL)
			except[n++] = c->name;
	}
	return aa_pattern_others(with_slash.data, except, n,
				 node->kind == AA_NAME_PROCESS ? AA_START_DIGIT : AA_START_ANY, to);
}

int aa_pattern_place(const struct aa_node *node, struct aa_patterns *ret)
{
	_cleanup_aa_patterns_ struct aa_patterns now = { .n = 0 };
	const struct aa_node *path[LIMIT_PATH / 2];
	_cleanup_buf_ struct buf nothing = BUF_INIT;
	size_t depth = 0;
	int r = add_pattern(&now, &nothing);

	for (; node->parent; node = node->parent) {
		if (depth == ARRAY_SIZE(path))
			return -ENAMETOOLONG;
		path[depth++] = node;
	}
	while (depth > 0 && r == 0) {
		_cleanup_aa_patterns_ struct aa_patterns next = { .n = 0 };

		depth--;
		for (size_t i = 0; i < now.n && r == 0; i++)
			r = append_name(path[depth], now.text[i], &next);
		aa_patterns_done(&now);
		now = next;
		next = (struct aa_patterns){ .n = 0 };
	}
	if (r < 0)
		return r;
	*ret = now;
	now = (struct aa_patterns){ .n = 0 };
	return 0;
}
