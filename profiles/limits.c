// SPDX-License-Identifier: Apache-2.0
/* rlimits, the cgroup where one is delegated, and the size of the upper. */
#include "profiles/report.h"

#define ONLY_WITH  "only where a cgroup with the "
#define CONTROLLER " controller is delegated"

static int judge_line(const struct policy *policy, const struct profile_target *target,
		      const struct report_line *line, enum coverage *ret, struct buf *note)
{
	(void)policy;
	(void)target;
	*ret = COVERAGE_NOT_ITS_OWN;
	if (line->kind != REPORT_LIMIT)
		return 0;
	*ret = COVERAGE_ENFORCED;
	switch ((enum policy_limit)line->index) {
	case POLICY_LIMIT_PIDS:
		return buf_puts(note, "without a delegated cgroup by RLIMIT_NPROC, which does not "
				      "count the host's root");
	case POLICY_LIMIT_MEMORY:
		*ret = COVERAGE_WEAKER;
		return buf_puts(note, "without a delegated cgroup each process's private memory by "
				      "itself (RLIMIT_DATA), not their sum");
	case POLICY_LIMIT_MEMORY_HIGH:
	case POLICY_LIMIT_SWAP:
		*ret = COVERAGE_WEAKER;
		return buf_puts(note, ONLY_WITH "memory" CONTROLLER);
	case POLICY_LIMIT_CPU:
	case POLICY_LIMIT_CPU_WEIGHT:
		*ret = COVERAGE_WEAKER;
		return buf_puts(note, ONLY_WITH "cpu" CONTROLLER);
	case POLICY_LIMIT_IO_WEIGHT:
		*ret = COVERAGE_WEAKER;
		return buf_puts(note,
				ONLY_WITH "io" CONTROLLER ", and for devices with io.cost on");
	case POLICY_LIMIT_CPUSET:
		*ret = COVERAGE_WEAKER;
		return buf_puts(note, ONLY_WITH "cpuset" CONTROLLER);
	case POLICY_LIMIT_NOFILE:
		return buf_puts(note, "for each process by itself, as the word means");
	case POLICY_LIMIT_UPPER:
	case POLICY_LIMIT_INODES:
	case POLICY_LIMIT_WALL:
	case _POLICY_LIMIT_MAX:
		break;
	}
	return 0;
}

static int report(const struct policy *policy, const struct profile_target *target,
		  struct report *to, struct err *err)
{
	return report_each(policy, MECHANISM_LIMITS, target, judge_line, to, err);
}

/* No single attempt is one too many by itself. */
static int judge(const struct policy *policy, const struct profile_target *target,
		 const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	(void)policy;
	(void)target;
	(void)attempt;
	(void)err;
	*ret = (struct judgement){ .answer = JUDGE_SILENT };
	return 0;
}

const struct mechanism_ops limits_mechanism = { .report = report, .judge = judge };
