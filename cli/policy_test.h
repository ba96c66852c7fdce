// SPDX-License-Identifier: Apache-2.0
/* The expect lines of a policy, what is made of them, and how that is shown. */
#pragma once

#include <stdio.h>

#include "base/fd.h"
#include "cli/policy.h"
#include "policies/attempt.h"
#include "profiles/mechanism.h"

enum test_outcome { TEST_PASSED, TEST_FAILED, TEST_SKIPPED };

struct test_case {
	const struct policy_expect *expect;
	char title[256]; /* "deny socket", "allow read /etc/passwd" */
	bool whole;	 /* every mechanism is asked: it has texts, or is a path or a port */
	struct attempt attempt;
	bool has_attempt;
	bool by_socket;		       /* of a port: the socket for it is refused already */
	struct policy_verdict verdict; /* of the calls' rules */
	uint8_t action;		       /* enum policy_action: of all that was asked */
	uint16_t errno_value;	       /* that a denial shows the program */
	uint8_t outcome;	       /* enum test_outcome */
	bool live;		       /* it was tried in a sandbox */
	char *why;		       /* of a failure or a skip: a sentence; owned */
};

struct test_run {
	const struct policy *policy;
	struct profile_target target;
	struct test_case *cases;
	size_t n;
	unsigned failed, skipped;
};

/* The registers of a call that makes the socket for an attempt on a port. */
void test_socket_args(const struct attempt *attempt, uint64_t ret[6]);

/* Judge every case without a kernel. 0 or -errno. */
int test_judge(struct test_run *run, struct err *err);

/* Try them in a sandbox of that policy; a case that the sandbox answers otherwise fails. */
int test_live(struct test_run *run, const char *what, struct err *err);

/* Set outcome and why; a failure is not taken back. -ENOMEM is the only error. */
int test_settle(struct test_case *test, enum test_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void test_put_tap(const struct test_run *run);
void test_put_junit(const struct test_run *run);
void test_put_json(const struct test_run *run);
