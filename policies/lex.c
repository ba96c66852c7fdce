// SPDX-License-Identifier: Apache-2.0
#include "policies/lex.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

struct lexer {
	const char *text;
	size_t len;
	size_t pos;
	size_t used; /* of line.store */
	struct line *line;
	struct policy_where where;
	bool fixed; /* all of it is at one place */
	struct diag *d;
};

static struct policy_where at(const struct lexer *lx, size_t pos)
{
	struct policy_where w = lx->where;

	if (!lx->fixed)
		w.column = (uint16_t)(pos + 1);
	return w;
}

/* UTF-8 without control characters: what an editor shows is what is meant. */
static int check_bytes(const struct lexer *lx)
{
	for (size_t i = 0; i < lx->len;) {
		const unsigned char *p = (const unsigned char *)lx->text + i;
		size_t n = text_utf8_len(p, lx->len - i);

		if (n == 0) {
			diag_error(lx->d, at(lx, i), "byte 0x%02x is not UTF-8", *p);
			return -EINVAL;
		}
		if (*p == '\r' && i + 1 == lx->len) {
			diag_error(lx->d, at(lx, i), "the line ends with a carriage return");
			diag_hint(lx->d, "policies have Unix line ends");
			return -EINVAL;
		}
		if (*p != '\t' && !text_is_shown(p, n)) {
			diag_error(lx->d, at(lx, i), "an invisible or control character");
			return -EINVAL;
		}
		i += n;
	}
	return 0;
}

static void begin_word(struct lexer *lx, size_t pos)
{
	struct word *w = &lx->line->words[lx->line->n++];

	*w = (struct word){ .text = lx->line->store + lx->used,
			    .column = at(lx, pos).column,
			    .variable = lx->fixed };
}

static void put_char(struct lexer *lx, char c)
{
	lx->line->store[lx->used++] = c;
}

/* From behind the opening quote to behind the closing one. */
static int read_quoted(struct lexer *lx, size_t open)
{
	while (lx->pos < lx->len && lx->text[lx->pos] != '"') {
		char c = lx->text[lx->pos++];

		if (c == '\\') {
			if (lx->pos == lx->len)
				break;
			c = lx->text[lx->pos++];
			if (c != '"' && c != '\\') {
				diag_error(lx->d, at(lx, lx->pos - 2),
					   "only \\\" and \\\\ are escapes within quotes");
				return -EINVAL;
			}
		}
		put_char(lx, c);
	}
	if (lx->pos == lx->len) {
		diag_error(lx->d, at(lx, open), "the quote is not closed");
		return -EINVAL;
	}
	lx->pos++;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int read_plain(struct lexer *lx)
{
	begin_word(lx, lx->pos);
	while (lx->pos < lx->len && !is_blank(lx->text[lx->pos])) {
		char c = lx->text[lx->pos++];

		if (c == '"') {
			lx->line->words[lx->line->n - 1].quoted = true;
			if (read_quoted(lx, lx->pos - 1) < 0)
				return -EINVAL;
		} else {
			put_char(lx, c);
		}
	}
	put_char(lx, '\0');
	return 0;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '@';
}

/* Length of the operator at p, 0 when there is none. */
static size_t operator_len(const char *p, size_t left)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "..", "<", ">",
						 "&",  "|",  "(",  ")",	 ",",  "-" };

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t n = strlen(operators[i]);

		if (n <= left && memcmp(p, operators[i], n) == 0)
			return n;
	}
	return 0;
}

static int read_expression(struct lexer *lx)
{
	size_t start = lx->pos;
	size_t n = operator_len(lx->text + start, lx->len - start);

	begin_word(lx, start);
	lx->line->words[lx->line->n - 1].expression = true;
	if (lx->text[start] == '$')
		put_char(lx, lx->text[lx->pos++]);
	if (lx->text[start] == '"') {
		lx->line->words[lx->line->n - 1].quoted = true;
		lx->pos++;
		if (read_quoted(lx, start) < 0)
			return -EINVAL;
	} else if (n == 0 && (lx->pos == lx->len || !is_name(lx->text[lx->pos]))) {
		diag_error(lx->d, at(lx, start), "this character has no meaning here");
		if (lx->text[start] == '=')
			diag_hint(lx->d, "to compare, write ==");
		return -EINVAL;
	} else {
		/* a group's name has hyphens; elsewhere one is a sign */
		while (n == 0 && lx->pos < lx->len &&
		       (is_name(lx->text[lx->pos]) ||
			(lx->text[start] == '@' && lx->text[lx->pos] == '-')))
			put_char(lx, lx->text[lx->pos++]);
		for (size_t i = 0; i < n; i++)
			put_char(lx, lx->text[lx->pos++]);
	}
	put_char(lx, '\0');
	return 0;
}

static bool is_call_verb(const char *word)
{
	return strcmp(word, "allow") == 0 || strcmp(word, "deny") == 0 || strcmp(word, "kill") == 0;
}

/* `expect allow read /x` asks about a path, `expect allow read(3)` about the call: a word behind
 * the verb, and not the call's bracket, makes the difference. */
static bool expects_object(const struct lexer *lx)
{
	static const char *const verbs[] = { "read", "write", "exec", "connect", "bind" };
	const char *p = lx->text + lx->pos, *end = lx->text + lx->len;

	while (p < end && is_blank(*p))
		p++;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		size_t n = strlen(verbs[i]);
		const char *next = p + n;

		if ((size_t)(end - p) <= n || memcmp(p, verbs[i], n) != 0 || !is_blank(*next))
			continue;
		while (next < end && is_blank(*next))
			next++;
		return next < end && *next != '(' && *next != '#';
	}
	return false;
}

static bool starts_expression(const struct lexer *lx)
{
	const struct line *line = lx->line;

	if (line->n == 0)
		return false;
	if (line->n == 2 && strcmp(line->words[0].text, "expect") == 0)
		return is_call_verb(line->words[1].text) && !expects_object(lx);
	return is_call_verb(line->words[0].text) &&
	       strcmp(line->words[line->n - 1].text, "if") == 0;
}

int lex_line(const char *text, size_t len, struct policy_where where, struct line *ret,
	     struct diag *d)
{
	struct lexer lx = { .text = text, .len = len, .line = ret, .where = where, .d = d };
	bool expression = false;
	size_t start;
	int r;

	ret->n = 0;
	ret->comment = 0;
	ret->end = at(&lx, len);
	r = check_bytes(&lx);
	if (r < 0)
		return r;
	for (;;) {
		while (lx.pos < len && is_blank(text[lx.pos]))
			lx.pos++;
		if (lx.pos < len && text[lx.pos] == '#')
			ret->comment = (uint16_t)(lx.pos + 1);
		if (lx.pos == len || ret->comment)
			break;
		start = lx.pos;
		r = expression ? read_expression(&lx) : read_plain(&lx);
		if (r < 0)
			return r;
		ret->words[ret->n - 1].length = (uint16_t)(lx.pos - start);
		ret->end = at(&lx, lx.pos);
		expression = expression || starts_expression(&lx);
	}
	return 0;
}

int lex_expression(const char *text, struct policy_where where, struct line *ret, size_t *used,
		   struct diag *d)
{
	struct lexer lx = { .text = text,
			    .len = strlen(text),
			    .used = *used,
			    .line = ret,
			    .where = where,
			    .fixed = true,
			    .d = d };
	int r = 0;

	while (r == 0 && lx.pos < lx.len)
		r = read_expression(&lx);
	*used = lx.used;
	return r;
}
