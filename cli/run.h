// SPDX-License-Identifier: Apache-2.0
/* What run and shell share: from parsed options to an exit status. */
#pragma once

#include "audit/record.h"
#include "cli/options.h"
#include "sandbox/plan.h"

int run_options(struct run_options *o, const struct plan_host *host);

/* On stderr: what the log lacks. */
void run_losses(const struct audit_totals *totals);

/* On stderr: what was refused most, by which rules, and where the log is. */
void run_summary(const struct plan *plan, const struct run_options *o,
		 const struct audit_totals *totals);

/* On stderr: one line of what was used. */
void run_usage(const struct audit_usage *usage);

/* Its parts, for learn. */
void run_keep_own(struct run_options *o);
int run_print_plan(const struct plan *plan, bool json, struct err *err);
