// SPDX-License-Identifier: Apache-2.0
/* The lines of a policy as a report speaks of them: for the mechanisms' own reports. */
#pragma once

#include "profiles/mechanism.h"

enum report_line_kind {
	REPORT_CALLS, /* allow, deny, kill: all rules that one line became */
	REPORT_PATH,  /* one path of a path line; index in policy.paths */
	REPORT_PORT,  /* index in policy.ports */
	REPORT_NET,   /* net none, loopback, host */
	REPORT_CAP,
	REPORT_LIMIT, /* index is enum policy_limit */
	REPORT_ENV,   /* index in policy.env */
	REPORT_KERNEL,
	REPORT_ABI,
	REPORT_NOTIFY,
	REPORT_DEFAULT,
	REPORT_LABEL, /* index is enum policy_lsm */
};

struct report_line {
	uint8_t kind; /* enum report_line_kind */
	size_t index;
	struct policy_where where; /* line 0: what holds when nothing is said */
	char *subject;		   /* as a policy would write it; owned */
};

struct report_lines {
	struct report_line *lines;
	size_t n, room;
};
#define REPORT_LINES_INIT ((struct report_lines){ .n = 0 })
void report_lines_done(struct report_lines *lines);

/* Every line that means something to a mechanism, sorted by place. Expectations and what only
 * composes (policy, use, remove) are none. 0 or -ENOMEM. */
int report_lines_of(const struct policy *policy, struct report_lines *ret);

/*
 * A mechanism's report as a loop: judge says what it makes of one line; note is a buffer to which
 * it may append the sentence.
 */
typedef int report_judge(const struct policy *policy, const struct profile_target *target,
			 const struct report_line *line, enum coverage *ret, struct buf *note);
int report_each(const struct policy *policy, enum mechanism mechanism,
		const struct profile_target *target, report_judge *judge, struct report *report,
		struct err *err);

/* The first call of a REPORT_CALLS line that the line allows and that is one of these, or NULL. */
const char *report_allows(const struct policy *policy, const struct report_line *line,
			  bool (*is_one)(const char *call));

/* "FILE:LINE" of the base name, or "default". 0 or -ENOMEM. */
int report_put_where(const struct policy *policy, const struct policy_where *where,
		     struct buf *out);
/* "hide? /boot", "net connect tcp 443". 0 or -ENOMEM. */
int report_put_path(const struct policy_path *path, struct buf *out);
int report_put_port(const struct policy_port *port, struct buf *out);
const char *report_net_name(enum policy_net net);
