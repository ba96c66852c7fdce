// SPDX-License-Identifier: Apache-2.0
/* A policy's calls in the format of another program. */
#pragma once

#include "base/fd.h"
#include "policies/model.h"

struct export_result {
	struct buf text;
	struct buf notes; /* "PATH:LINE: warning: ..." and "PATH:LINE: error: ...", a line each */
	unsigned n_warnings, n_errors;
};
void export_result_done(struct export_result *result);

/*
 * OCI seccomp JSON (runtime-spec, config-linux.md), as runc and crun hand it to libseccomp. Never
 * looser than the policy, whatever stands in the upper half of a 32-bit argument's register: those
 * are compared through masks. What the format does not know (paths, the network, records) is a
 * warning; what it cannot say is an error with the line.
 * 0; -EBADMSG: the notes have the errors and the text is empty; -ENOMEM.
 */
int export_oci(const struct policy *policy, struct export_result *ret, struct err *err);
