// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a policy: an answer, never a crash; a good one has a meaning for each call, and its
 * canonical form is canonical and has the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/fmt.h"
#include "policies/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy *load(const char *text, size_t len)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	(void)policy_load_text("fuzz", text, len, NULL, &policy, &diags, &err);
	policy_diags_done(&diags);
	return policy;
}

static void judge(const struct policy *policy)
{
	static const uint64_t args[6] = { UINT64_MAX, 1, 0x80000000U, 0, 0, 0 };
	struct policy_verdict verdict;

	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		if (!(policy->abi_mask >> abi & 1))
			continue;
		for (int32_t nr = -1; nr <= syscall_max_nr((enum abi)abi) + 1; nr++)
			policy_eval(policy, (enum abi)abi, nr, args, &verdict);
	}
}

/* Whether they say the same but for the places. */
static void compare(const struct policy *a, const struct policy *b)
{
	if (!b || a->n_rules != b->n_rules || a->n_paths != b->n_paths || a->n_env != b->n_env ||
	    a->n_ports != b->n_ports || a->n_expects != b->n_expects || a->n_lets != b->n_lets ||
	    a->n_notes != b->n_notes || a->abi_mask != b->abi_mask || a->caps != b->caps)
		abort();
	for (size_t i = 0; i < a->n_paths; i++) {
		if (strcmp(a->paths[i].path, b->paths[i].path) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct policy_diags diags = { .text = BUF_INIT };
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct policy *policy = load(text, size), *again = NULL;
	int r = fmt_text("fuzz", text, size, &once, &diags);

	if (policy)
		judge(policy);
	/* what was read can be formatted, unless its lines grow too long */
	if (r == 0) {
		if (fmt_text("fuzz", once.data, once.len, &twice, &diags) < 0 ||
		    once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
			abort();
		if (policy && once.len != size) {
			again = load(once.data, once.len);
			compare(policy, again);
		}
	}
	policy_free(policy);
	policy_free(again);
	buf_done(&once);
	buf_done(&twice);
	policy_diags_done(&diags);
	return 0;
}
