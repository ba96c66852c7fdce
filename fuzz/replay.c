// SPDX-License-Identifier: Apache-2.0
/*
 * A harness without its fuzzer: each file of its corpus once, as one test in TAP. The corpus is
 * fuzz/corpus/NAME by the program's own name, below the working directory, or the one that is
 * named.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

enum { LONGEST = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A block of its own and no longer: a byte too far is seen where sanitizers look. */
static bool replay(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *input = NULL;
	size_t len;

	if (asprintf(&path, "%s/%s", dir, name) < 0 ||
	    fd_read_file_at(AT_FDCWD, path, LONGEST, &text, &len) < 0)
		return false;
	input = malloc(len ? len : 1);
	if (!input)
		return false;
	memcpy(input, text, len);
	return LLVMFuzzerTestOneInput((const uint8_t *)input, len) == 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	_cleanup_free_ char *dir = NULL;
	struct dirent **entries = NULL;
	int n, failed = 0;

	if (argc > 2 ||
	    asprintf(&dir, "%s%s", argc > 1 ? argv[1] : "fuzz/corpus/", argc > 1 ? "" : name) < 0)
		return 2;
	n = scandir(dir, &entries, is_input, alphasort);
	printf("1..1\n");
	for (int i = 0; i < n; i++) {
		/* Said before, so that what ends the program has a name. */
		printf("# %s\n", entries[i]->d_name);
		(void)fflush(stdout);
		if (!replay(dir, entries[i]->d_name)) {
			printf("# is not read, or not taken\n");
			failed++;
		}
		free(entries[i]);
	}
	free(entries);
	if (n <= 0)
		printf("# no input in %s\n", dir);
	printf("%sok 1 - %s: %d inputs\n", n > 0 && failed == 0 ? "" : "not ", name, n < 0 ? 0 : n);
	return n > 0 && failed == 0 ? 0 : 1;
}
