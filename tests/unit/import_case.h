// SPDX-License-Identifier: Apache-2.0
/* What the tests of imports share: import, load, judge. Include behind cmocka.h. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/import.h"
#include "policies/load.h"

struct imported {
	struct import_result result;
	struct policy *policy; /* NULL: refused */
	int r;
};

static inline void imported_done(struct imported *i)
{
	policy_free(i->policy);
	import_result_done(&i->result);
}

static inline struct import_options import_case_options(void)
{
	return (struct import_options){
		.name = "t", .path = "t", .arch = ABI_X86_64, .kernel = SYSCALL_NEWEST
	};
}

static inline struct imported import_case(enum import_format format, const char *source,
					  const struct import_options *options)
{
	struct imported i = { .result = { .text = BUF_INIT, .notes = BUF_INIT } };
	struct policy_diags diags = { .text = BUF_INIT };
	const struct policy_search search = { .native = options->arch };
	struct err err = ERR_INIT;

	i.r = import_policy(format, source, strlen(source), options, &i.result, &err);
	if (i.r < 0 && i.r != -EBADMSG)
		fail_msg("%s", err.msg);
	assert_true((i.r == 0) == (i.result.n_errors == 0));
	assert_true((i.r == 0) == (i.result.text.data != NULL));
	if (i.r == 0 && policy_load_text("t", i.result.text.data, i.result.text.len, &search,
					 &i.policy, &diags, &err) < 0)
		fail_msg("%s\n%s", i.result.text.data, diags.text.data);
	policy_diags_done(&diags);
	return i;
}

/* "allow", "kill", or the name of the error. */
static inline const char *verdict_text(const struct policy_verdict *v)
{
	if (v->action == POLICY_ALLOW)
		return "allow";
	if (v->action == POLICY_KILL)
		return "kill";
	return strerrorname_np(v->errno_value);
}

static inline void expect_verdict(const struct imported *i, const char *name, enum abi abi,
				  const uint64_t args[6], const char *want)
{
	const struct syscall_desc *call = syscall_by_name(name);
	struct policy_verdict v;

	assert_non_null(call);
	assert_non_null(i->policy);
	policy_eval(i->policy, abi, call->nr[abi], args, &v);
	if (strcmp(verdict_text(&v), want) != 0)
		fail_msg("%s(%#llx, %#llx, %#llx): %s, not %s\n%s", name,
			 (unsigned long long)args[0], (unsigned long long)args[1],
			 (unsigned long long)args[2], verdict_text(&v), want, i->result.text.data);
}

/* Refused, with a line of the notes that holds this. */
static inline void expect_refused(enum import_format format, const char *source, const char *note)
{
	struct import_options options = import_case_options();
	struct imported i = import_case(format, source, &options);

	if (i.r != -EBADMSG || !strstr(i.result.notes.data, note))
		fail_msg("wanted \"%s\", got %d:\n%s\n%s", note, i.r,
			 i.result.notes.data ? i.result.notes.data : "",
			 i.result.text.data ? i.result.text.data : "");
	imported_done(&i);
}
