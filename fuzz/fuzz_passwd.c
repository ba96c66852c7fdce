// SPDX-License-Identifier: Apache-2.0
/*
 * The file of users as whoever writes it would have it, and a home directory of any name. What is
 * taken is a whole field of the text; a home is a normal absolute path, or there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "sandbox/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_edge(int c)
{
	return c == ':' || c == '\n' || c == '\0';
}

/* Whether the text has it between two edges; blanks before a line are no part of its name. */
static void is_field(const char *text, size_t size, const char *field, size_t limit)
{
	const char *p = text, *end = text + size;
	size_t n = field ? strlen(field) : 0;

	if (n == 0)
		return;
	if (n >= limit)
		abort();
	while ((p = memmem(p, (size_t)(end - p), field, n))) {
		if ((p == text || is_edge(p[-1]) || p[-1] == ' ' ||
		     (p[-1] >= '\t' && p[-1] <= '\r')) &&
		    (p + n == end || is_edge(p[n])))
			return;
		p++;
	}
	abort();
}

static void judge_home(const char *named)
{
	/* A block of its own and no longer: a byte too far is seen. */
	char *place = malloc(LIMIT_PATH);
	const char *home = NULL;
	struct err err = ERR_INIT;

	if (!place)
		return;
	if (plan_find_home(named, place, &home, &err) == 0 && home &&
	    (home != place || named[0] != '/' || home[1] == '\0' || !path_is_normal(home)))
		abort();
	free(place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_host host = { .uid = 0 };
	char *text;
	FILE *f;

	if (size < 2)
		return 0;
	/* The first byte is the caller's uid. A last line that begins with blanks and has no end is
	 * read wrong by glibc, and so is one with a NUL: there is none. */
	size = strnlen((const char *)data + 1, size - 1);
	text = malloc(size + 2);
	if (!text)
		return 0;
	memcpy(text, data + 1, size);
	memcpy(text + size, "\n", 2);
	f = fmemopen(text, size + 1, "r");
	if (!f)
		abort();
	host.uid = data[0];
	plan_read_passwd(f, &host);
	(void)fclose(f);
	is_field(text, size + 1, host.user, LIMIT_NAME);
	is_field(text, size + 1, host.home, LIMIT_PATH);
	is_field(text, size + 1, host.shell, LIMIT_PATH);
	judge_home(host.home);
	text[size] = '\0';
	judge_home(text);
	free(text);
	return 0;
}
