// SPDX-License-Identifier: Apache-2.0
/*
 * A recording that somebody else wrote: it is refused with a reason, or becomes a policy of ours
 * whose every line is a rule or a comment, with no byte that drives a terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/learn_model.h"
#include "policies/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct learned *l)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	if (learned_policy(l, "fuzz", &text) < 0)
		abort();
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if ((c < 0x20 && c != '\n') || c == 0x7f)
			abort();
	}
	if (policy_load_text("fuzz", text.data, text.len, NULL, &policy, &diags, &err) < 0) {
		(void)fprintf(stderr, "%s%s", diags.text.data ? diags.text.data : "", text.data);
		abort();
	}
	policy_free(policy);
	policy_diags_done(&diags);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct learned learned;
	struct err err = ERR_INIT;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (learned_parse(&learned, "fuzz", text, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else if (learned.n_runs > 0) {
		judge(&learned);
	}
	learned_done(&learned);
	memset(&learned, 0, sizeof(learned));
	free(text);
	return 0;
}
