// SPDX-License-Identifier: Apache-2.0
/* What verbs that speak of mechanisms share. */
#pragma once

#include "cli/policy.h"
#include "profiles/mechanism.h"

/* The target of --landlock-abi and --apparmor-abi (this kernel's, 3.0), with the caller's own
 * home, directory and environment for the paths. 0, or -EINVAL and it is printed. */
int policy_cli_target(const struct policy_args *args, struct profile_target *ret);

/* "seccomp,landlock" to a bit per mechanism. 0, or -EINVAL and it is printed. */
int policy_cli_mechanisms(const char *list, unsigned *ret);
unsigned policy_cli_all_mechanisms(void); /* that are built in */

/* 0 or -errno. */
int policy_cli_report_json(const struct policy *policy, const struct profile_target *target,
			   const struct report *report, struct buf *ret);

/* The files of --emit into the directory of -o, and the one of --report. 0, or -errno and it is
 * printed. */
int policy_cli_emit(const struct policy_args *args, const struct policy *policy);
