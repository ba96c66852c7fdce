// SPDX-License-Identifier: Apache-2.0
/* A policy's text to an AppArmor profile: whatever the paths, each rule stays one line with its
 * quotes closed, so that no name can become a rule. */
#include <stdlib.h>
#include <string.h>

#include "policies/load.h"
#include "profiles/apparmor.h"

static void check_line(const char *line, size_t len)
{
	unsigned quotes = 0;

	if (len == 0 || memchr(line, '#', len < 3 ? len : 3))
		return;
	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\\')
			i++;
		else
			quotes += line[i] == '"';
	}
	if (quotes != 0 && quotes != 2)
		abort();
	if (quotes == 2 && line[len - 1] != ',')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile_target target = { .apparmor_abi = size & 1 ? 30 : 40 };
	struct policy_diags diags = { .n_errors = 0 };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;

	if (policy_load_text("fuzz.policy", (const char *)data, size, NULL, &policy, &diags,
			     &err) == 0 &&
	    apparmor_generate(policy, &target, &out, &err) == 0) {
		for (const char *p = out.data; *p; p += strcspn(p, "\n") + 1)
			check_line(p, strcspn(p, "\n"));
	}
	buf_done(&out);
	policy_free(policy);
	policy_diags_done(&diags);
	return 0;
}
