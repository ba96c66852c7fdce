// SPDX-License-Identifier: Apache-2.0
/* Calls made for real: in a sandbox of `cordon run --policy`, by cordon-probe. */
#pragma once

#include "base/err.h"
#include "cli/policy.h"
#include "policies/attempt.h"
#include "policies/model.h"

enum live_end {
	LIVE_NOT_RUN,
	LIVE_RETURNED, /* result holds what the kernel returned */
	LIVE_ENDED,    /* the program ended with the call, with exit_status */
	LIVE_BLOCKED,  /* it did not come back: so it was let in */
};

struct live_record {
	bool there; /* the audit log has a denial of exactly this call */
	bool kill;
	uint16_t errno_value;
	char rule[512]; /* "FILE:LINE", "default", "kernel", "abi" */
};

struct live_call {
	/* what is asked for */
	int32_t nr;
	bool twice;	     /* fork and its like */
	bool refused;	     /* the policy refuses it: it will come back, however long that takes */
	uint8_t before_mask; /* args that are what the call before returned */
	uint64_t args[6];    /* where bytes is NULL */
	const void *bytes[6]; /* borrowed: what the argument points to */
	size_t n_bytes[6];
	/* what came of it */
	uint8_t end; /* enum live_end */
	int exit_status;
	int64_t result;
	struct live_record record;
};

/*
 * Make the calls, in their order, in as few sandboxes as will do: one, and one more for each call
 * that ends its program or does not come back. what: as for --policy. 0 or -errno.
 */
int live_run(const char *what, struct live_call *calls, size_t n, struct err *err);

/* A call with its registers and texts. The address of a connect, bind or sendto is made into *room
 * (LIVE_ADDRESS bytes), which must outlive the run. */
enum { LIVE_ADDRESS = 128 };
void live_of_attempt(const struct attempt *attempt, struct live_call *ret, void *room);

/*
 * What the sandbox did with a call: allow, deny or kill, as far as seccomp goes. A denial is in the
 * log; where it is not recorded (quiet, notify off) the errno of expected is taken for it.
 */
enum policy_action live_action(const struct live_call *call, const struct policy_verdict *expected,
			       bool notify);

/* What a launch is told to run under, which looks policies up in its own places: -EINVAL with
 * --search. Else as policy_cli_what(). */
int policy_cli_live_what(const struct policy_args *args, const char *what, char *ret, size_t size,
			 struct err *err);
