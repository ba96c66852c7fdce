// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a policy: an answer, never a crash; and a good one has a meaning for each call. */
#include <stddef.h>
#include <stdint.h>

#include "policies/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t args[6] = { UINT64_MAX, 1, 0x80000000U, 0, 0, 0 };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;
	struct policy_verdict verdict;

	if (policy_load_text("fuzz", (const char *)data, size, NULL, &policy, &diags, &err) ==
	    0) {
		for (int32_t nr = -1; nr <= syscall_max_nr(ABI_NATIVE) + 1; nr++)
			policy_eval(policy, ABI_NATIVE, nr, args, &verdict);
	}
	policy_free(policy);
	policy_diags_done(&diags);
	return 0;
}
