// SPDX-License-Identifier: Apache-2.0
/* What seccomp makes of a policy: of calls everything, of all else what registers tell. */
#include "policies/cond.h"
#include "profiles/report.h"

static int judge_line(const struct policy *policy, const struct profile_target *target,
		      const struct report_line *line, enum coverage *ret, struct buf *note)
{
	(void)policy;
	(void)target;
	switch ((enum report_line_kind)line->kind) {
	case REPORT_CALLS:
	case REPORT_KERNEL:
	case REPORT_ABI:
	case REPORT_NOTIFY:
	case REPORT_DEFAULT:
		*ret = COVERAGE_ENFORCED;
		return 0;
	case REPORT_PORT:
		*ret = COVERAGE_WEAKER;
		return buf_puts(note, "only which families and protocols can make a socket: "
				      "addresses are behind pointers");
	case REPORT_PATH:
	case REPORT_NET:
	case REPORT_CAP:
	case REPORT_LIMIT:
	case REPORT_ENV:
	case REPORT_LABEL:
		break;
	}
	*ret = COVERAGE_NOT_ITS_OWN;
	return 0;
}

static int report(const struct policy *policy, const struct profile_target *target,
		  struct report *to, struct err *err)
{
	return report_each(policy, MECHANISM_SECCOMP, target, judge_line, to, err);
}

static int judge(const struct policy *policy, const struct profile_target *target,
		 const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	struct policy_verdict verdict;

	(void)target;
	(void)err;
	policy_eval(policy, attempt->abi, attempt->call->nr[attempt->abi], attempt->args, &verdict);
	*ret = (struct judgement){
		.answer = verdict.action == POLICY_ALLOW ? JUDGE_ALLOWS : JUDGE_DENIES,
		.errno_value = verdict.action == POLICY_DENY ? verdict.errno_value : 0,
	};
	if (verdict.rule)
		ret->where = verdict.rule->where;
	else if (verdict.reason == POLICY_BY_ABI)
		ret->note = "the ABI is not open";
	else if (verdict.reason == POLICY_BY_KERNEL)
		ret->note = "newer than the policy's kernel line";
	return 0;
}

/* The program as text is `show --bpf`'s; as bytes it is in the bundle. */
const struct mechanism_ops seccomp_mechanism = { .report = report, .judge = judge };
