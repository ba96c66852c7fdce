// SPDX-License-Identifier: Apache-2.0
/* The table of mechanisms. */
#include "profiles/mechanism.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	const struct mechanism_ops *ops;
} mechanisms[] = {
	[MECHANISM_SECCOMP] = { "seccomp", &seccomp_mechanism },
	[MECHANISM_VIEW] = { "view", &view_mechanism },
	[MECHANISM_LANDLOCK] = { "landlock", &landlock_mechanism },
	[MECHANISM_APPARMOR] = { "apparmor", &apparmor_mechanism },
	[MECHANISM_SELINUX] = { "selinux", &selinux_mechanism },
	[MECHANISM_CAPABILITIES] = { "capabilities", &capabilities_mechanism },
	[MECHANISM_LIMITS] = { "limits", &limits_mechanism },
};
_Static_assert(ARRAY_SIZE(mechanisms) == _MECHANISM_MAX, "each mechanism has its line");

const struct mechanism_ops *mechanism_ops_of(enum mechanism mechanism)
{
	return (size_t)mechanism < ARRAY_SIZE(mechanisms) ? mechanisms[mechanism].ops : NULL;
}

const char *mechanism_name(enum mechanism mechanism)
{
	return (size_t)mechanism < ARRAY_SIZE(mechanisms) ? mechanisms[mechanism].name : "?";
}

int mechanism_from_name(const char *name, enum mechanism *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (strcmp(name, mechanisms[i].name) == 0) {
			*ret = (enum mechanism)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *coverage_name(enum coverage coverage)
{
	switch (coverage) {
	case COVERAGE_ENFORCED:
		return "enforced";
	case COVERAGE_STRICTER:
		return "stricter";
	case COVERAGE_WEAKER:
		return "weaker";
	case COVERAGE_NONE:
		return "not expressible";
	case COVERAGE_NOT_ITS_OWN:
		break;
	}
	return "not its own";
}

int mechanism_judge(enum mechanism mechanism, const struct policy *policy,
		    const struct profile_target *target, const struct attempt *attempt,
		    struct judgement *ret, struct err *err)
{
	const struct mechanism_ops *ops = mechanism_ops_of(mechanism);
	struct judgement judgement = { .answer = JUDGE_SILENT };
	int r;

	if (!ops)
		return err_refuse(err, "judge by %s: it is not built in",
				  mechanism_name(mechanism));
	r = ops->judge(policy, target, attempt, &judgement, err);
	if (r == 0)
		*ret = judgement;
	return r;
}
