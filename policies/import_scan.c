// SPDX-License-Identifier: Apache-2.0
#include "policies/import_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void import_scan_init(struct import_scan *s, struct import *im, enum scan_language language,
		      const char *path, const char *text, size_t len)
{
	*s = (struct import_scan){ .im = im,
				   .path = path,
				   .text = text,
				   .len = len,
				   .line = 1,
				   .column = 1,
				   .language = language };
	import_scan_next(s);
}

const char *import_scan_where(const struct import_scan *s, char ret[IMPORT_WHERE])
{
	(void)snprintf(ret, IMPORT_WHERE, "%.120s:%u:%u", s->path, s->token.line, s->token.column);
	return ret;
}

void import_scan_error(struct import_scan *s, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	char where[IMPORT_WHERE];
	va_list args;

	if (s->failed)
		return;
	s->failed = true;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		s->im->no_memory = true;
	}
	va_end(args);
	if (text)
		import_error(s->im, import_scan_where(s, where), "%s", text);
}

/* --- bytes --- */

static int peek(const struct import_scan *s, size_t ahead)
{
	return ahead < s->len - s->at ? (unsigned char)s->text[s->at + ahead] : -1;
}

static void skip(struct import_scan *s, size_t n)
{
	for (; n > 0 && s->at < s->len; n--) {
		s->column++;
		if (s->text[s->at++] == '\n') {
			s->line++;
			s->column = 1;
		}
	}
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(const struct import_scan *s, int c)
{
	return is_letter(c) || is_digit(c) ||
	       (s->language == SCAN_MINIJAIL && (c == '-' || c == '@'));
}

/* --- what lies between words --- */

/* False: a comment that does not end. */
static bool skip_comment(struct import_scan *s)
{
	if (peek(s, 1) == '/') {
		while (peek(s, 0) != -1 && peek(s, 0) != '\n')
			skip(s, 1);
		return true;
	}
	skip(s, 2);
	while (peek(s, 0) != -1 && (peek(s, 0) != '*' || peek(s, 1) != '/'))
		skip(s, 1);
	if (peek(s, 0) == -1)
		return false;
	skip(s, 2);
	return true;
}

static void skip_blanks(struct import_scan *s)
{
	for (;;) {
		int c = peek(s, 0);

		if (c == ' ' || c == '\t' || c == '\r') {
			skip(s, 1);
		} else if (s->language == SCAN_KAFEL && c == '\n') {
			skip(s, 1);
		} else if (s->language == SCAN_KAFEL && c == '/' &&
			   (peek(s, 1) == '/' || peek(s, 1) == '*')) {
			if (!skip_comment(s)) {
				s->token.line = s->line;
				s->token.column = s->column;
				import_scan_error(s, "the comment does not end");
			}
		} else if (s->language == SCAN_MINIJAIL && c == '#') {
			while (peek(s, 0) != -1 && peek(s, 0) != '\n')
				skip(s, 1);
		} else if (s->language == SCAN_MINIJAIL && c == '\\' && peek(s, 1) == '\n') {
			skip(s, 2);
		} else {
			return;
		}
	}
}

/* --- words --- */

static unsigned digit_of(int c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

static void take_number(struct import_scan *s)
{
	bool minus = peek(s, 0) == '-', overflow = false;
	unsigned base = 10;
	uint64_t value = 0;

	skip(s, minus);
	if (peek(s, 0) == '0' && (peek(s, 1) == 'x' || peek(s, 1) == 'X')) {
		base = 16;
		skip(s, 2);
	} else if (s->language == SCAN_KAFEL && peek(s, 0) == '0' && peek(s, 1) == 'b') {
		base = 2;
		skip(s, 2);
	} else if (peek(s, 0) == '0') {
		base = 8;
	}
	s->token.kind = SCAN_NUMBER;
	if (digit_of(peek(s, 0)) >= base)
		import_scan_error(s, "no number");
	for (; digit_of(peek(s, 0)) < base; skip(s, 1))
		overflow = __builtin_mul_overflow(value, base, &value) ||
			   __builtin_add_overflow(value, digit_of(peek(s, 0)), &value) || overflow;
	if (is_name(s, peek(s, 0)) && peek(s, 0) != '-')
		import_scan_error(s, "no number");
	else if (overflow || (minus && value > UINT64_C(1) << 63))
		import_scan_error(s, "the number is more than 64 bits");
	s->token.number = minus ? -value : value;
}

static void take_name(struct import_scan *s)
{
	size_t n = 0;

	s->token.kind = SCAN_NAME;
	while (n + 1 < LIMIT_NAME && is_name(s, peek(s, n)))
		n++;
	if (is_name(s, peek(s, n))) {
		import_scan_error(s, "a name of more than %d bytes", LIMIT_NAME - 1);
		return;
	}
	memcpy(s->token.text, s->text + s->at, n);
	s->token.text[n] = '\0';
	skip(s, n);
}

static void take_signs(struct import_scan *s)
{
	static const char *const two[] = { "==", "!=", "<=", ">=", "&&", "||" };
	static const char one[] = "<>!&|(){}[],;:=~#\"";
	int c = peek(s, 0);

	s->token.kind = SCAN_PUNCT;
	for (size_t i = 0; i < ARRAY_SIZE(two); i++) {
		if (c == two[i][0] && peek(s, 1) == two[i][1]) {
			memcpy(s->token.text, two[i], 3);
			skip(s, 2);
			return;
		}
	}
	if (c <= 0 || !strchr(one, c)) {
		if (c > ' ' && c < 127)
			import_scan_error(s, "'%c' is not expected here", c);
		else
			import_scan_error(s, "byte 0x%02x is not expected here", (unsigned)c);
		return;
	}
	s->token.text[0] = (char)c;
	s->token.text[1] = '\0';
	skip(s, 1);
}

void import_scan_next(struct import_scan *s)
{
	int c;

	skip_blanks(s);
	s->token = (struct import_token){ .kind = SCAN_END, .line = s->line, .column = s->column };
	c = peek(s, 0);
	if (s->failed || c == -1)
		return;
	if (c == '\n') {
		s->token.kind = SCAN_NEWLINE;
		skip(s, 1);
	} else if (is_digit(c) || (c == '-' && is_digit(peek(s, 1)))) {
		take_number(s);
	} else if (is_letter(c) || (s->language == SCAN_MINIJAIL && c == '@')) {
		take_name(s);
	} else {
		take_signs(s);
	}
	if (s->failed)
		s->token.kind = SCAN_END;
}

bool import_scan_is(const struct import_scan *s, const char *text)
{
	return (s->token.kind == SCAN_NAME || s->token.kind == SCAN_PUNCT) &&
	       strcmp(s->token.text, text) == 0;
}

bool import_scan_accept(struct import_scan *s, const char *text)
{
	if (!import_scan_is(s, text))
		return false;
	import_scan_next(s);
	return true;
}

bool import_scan_expect(struct import_scan *s, const char *text)
{
	if (import_scan_accept(s, text))
		return true;
	import_scan_error(s, "'%s' is missing", text);
	return false;
}

char *import_scan_rest(struct import_scan *s)
{
	size_t from, n;
	char *text;

	while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
		skip(s, 1);
	from = s->at;
	while (peek(s, 0) != -1 && peek(s, 0) != '\n')
		skip(s, 1);
	n = s->at - from;
	while (n > 0 && strchr(" \t\r", s->text[from + n - 1]))
		n--;
	text = strndup(s->text + from, n);
	if (!text)
		s->im->no_memory = true;
	import_scan_next(s);
	return text;
}

void import_scan_skip_line(struct import_scan *s)
{
	s->failed = false;
	while (s->token.kind != SCAN_NEWLINE && peek(s, 0) != -1 && peek(s, 0) != '\n')
		skip(s, 1);
	if (s->token.kind != SCAN_NEWLINE)
		import_scan_next(s);
}

static int read_included(const struct import_options *options, const char *path, char **ret,
			 size_t *ret_len)
{
	_cleanup_close_ int fd = -1;

	if (options->read_included)
		return options->read_included(options->ctx, path, ret, ret_len);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd_read_all(fd, LIMIT_IMPORT_BYTES, ret, ret_len);
}

char *import_scan_include(struct import_scan *s, const char *name, char ret_path[LIMIT_PATH],
			  size_t *ret_len)
{
	const char *slash = strrchr(s->path, '/');
	size_t dir = slash && name[0] != '/' ? (size_t)(slash - s->path) + 1 : 0;
	char *text = NULL;
	int r;

	if (!s->im->options->includes) {
		import_scan_error(s, "files are not included here");
		return NULL;
	}
	if (name[0] == '\0' || dir + strlen(name) >= LIMIT_PATH) {
		import_scan_error(s, "no path of a file");
		return NULL;
	}
	memcpy(ret_path, s->path, dir);
	memcpy(ret_path + dir, name, strlen(name) + 1);
	r = read_included(s->im->options, ret_path, &text, ret_len);
	if (r < 0) {
		import_scan_error(s, "cannot read '%.200s': %s", ret_path, err_text(r));
		return NULL;
	}
	return text;
}
