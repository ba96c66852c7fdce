// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a usage file: an answer, never a crash, and the sum is that of the parts. */
#include <stdint.h>
#include <stdlib.h>

#include "profiles/usage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usage usage = { .total = 0 };
	uint64_t sum = 0;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	if (usage_parse("fuzz", (const char *)data, size, &usage, NULL) == 0) {
		for (size_t i = 0; i < n; i++)
			sum += usage_count(&usage, &table[i]);
		if (sum != usage.total)
			abort();
	}
	usage_done(&usage);
	return 0;
}
