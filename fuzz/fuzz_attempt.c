// SPDX-License-Identifier: Apache-2.0
/* Any bytes as an attempt: an answer, never a crash; and what is read points to itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "policies/attempt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct err err = ERR_INIT;
	struct attempt attempt;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (attempt_parse(text, ABI_NATIVE, "/a/b", &attempt, &err) == 0) {
		for (uint8_t i = 0; i < attempt.n_effects; i++) {
			const char *path = attempt.effects[i].path;

			if (path && path[0] != '@' && !path_is_normal(path))
				abort();
		}
		if (attempt_find_effects(&attempt, "/") < 0)
			abort();
		attempt_done(&attempt);
	} else if (err.msg[0] == '\0') {
		abort();
	}
	free(text);
	return 0;
}
