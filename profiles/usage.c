// SPDX-License-Identifier: Apache-2.0
#include "profiles/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

/* More calls than a machine makes in years, and sums that no arithmetic on them can overflow. */
#define USAGE_MAX (1ULL << 48)

void usage_done(struct usage *usage)
{
	free(usage->count);
	*usage = (struct usage){ .total = 0 };
}

uint64_t usage_count(const struct usage *usage, const struct syscall_desc *call)
{
	size_t n;

	return usage && usage->count ? usage->count[call - syscall_table(&n)] : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of [*p, end) into ret; its length, 0 at the end, or -EBADMSG when it is too long
 * or has bytes that no word of this format has. */
static int next_word(const char **p, const char *end, char *ret, size_t size)
{
	size_t n = 0;

	while (*p < end && is_blank(**p))
		++*p;
	for (; *p < end && !is_blank(**p) && **p != '#'; ++*p) {
		char c = **p;

		if (n + 1 == size ||
		    !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return -EBADMSG;
		ret[n++] = c;
	}
	ret[n] = '\0';
	/* What is behind a '#' is not read. */
	if (*p < end && **p == '#')
		*p = end;
	return (int)n;
}

static int wrong(struct err *err, const char *name, size_t line, const char *what)
{
	(void)err_set(err, -EBADMSG, "use the counts of '%.300s': line %zu %s", name, line, what);
	(void)err_hint(err, "a line is a call's name and how often it was made: openat 1200");
	return -EBADMSG;
}

/* One line without its newline. */
static int parse_line(const char *name, size_t line, const char *p, const char *end,
		      struct usage *usage, struct err *err)
{
	char call_name[LIMIT_NAME + 1], number[24], rest[2];
	const struct syscall_desc *call;
	uint64_t count;
	size_t n_table;
	int n = next_word(&p, end, call_name, sizeof(call_name));

	if (n == 0)
		return 0;
	call = n > 0 ? syscall_by_name(call_name) : NULL;
	if (!call)
		return wrong(err, name, line, "names no call");
	/* text_parse_u64() takes a leading 0 for octal: a count has none. */
	if (next_word(&p, end, number, sizeof(number)) <= 0 ||
	    (number[0] == '0' && number[1] != '\0') || text_parse_u64(number, &count) < 0)
		return wrong(err, name, line, "has no count");
	if (next_word(&p, end, rest, sizeof(rest)) != 0)
		return wrong(err, name, line, "has more than a name and a count");
	if (count > USAGE_MAX || usage->total + count > USAGE_MAX)
		return wrong(err, name, line, "brings the sum of all over 2 to the 48th");
	usage->total += count;
	usage->count[call - syscall_table(&n_table)] += count;
	return 0;
}

int usage_parse(const char *name, const char *text, size_t len, struct usage *ret, struct err *err)
{
	_cleanup_usage_ struct usage usage = { .total = 0 };
	const char *p = text, *end = text + len;
	size_t n_table;

	(void)syscall_table(&n_table);
	usage.count = calloc(n_table, sizeof(*usage.count));
	if (!usage.count)
		return err_set(err, -ENOMEM, "use the counts of '%.300s'", name);
	for (size_t line = 1; p < end; line++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;
		int r = parse_line(name, line, p, stop, &usage, err);

		if (r < 0)
			return r;
		p = newline ? newline + 1 : end;
	}
	*ret = usage;
	usage = (struct usage){ .total = 0 };
	return 0;
}

int usage_read(const char *path, struct usage *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = fd_read_file_at(AT_FDCWD, path, LIMIT_POLICY_BYTES, &text, &len);

	if (r < 0)
		return err_set(err, r, "read the counts of '%.300s'", path);
	return usage_parse(path, text, len, ret, err);
}
