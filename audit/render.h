// SPDX-License-Identifier: Apache-2.0
/* Records as people read them. Text of a record is escaped already; what was put into a log by
 * others is escaped here, so that no terminal is driven by it. No heap: lines are cut to fit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "audit/scan.h"

struct render {
	char *buf;
	size_t cap, len; /* always NUL-terminated within cap */
};

void render_init(struct render *r, char *buf, size_t cap);
void render_text(struct render *r, const char *text); /* ours: as it is */
/* A string of a record: shown characters pass, others become \xHH. At most max bytes, then "...".
 */
void render_string(struct render *r, const struct scan *value, size_t max);
/* Any text of others, the same way. */
void render_bytes(struct render *r, const char *bytes, size_t len, size_t max);

/* "mount" of a denial or summary, "call 999" of one without a name; "apparmor open:r" of one by the
 * kernel itself. */
void render_call_name(struct render *r, const struct scan *record);
/* ""/dev/sda", "/mnt", "ext4", 0"; false when the record has no arguments. */
bool render_args(struct render *r, const struct scan *record);
/* "EPERM" or "kill". */
void render_answer(struct render *r, const struct scan *record);
/* "default.policy:41": the file without its directories; of the kernel's own, the profile. */
void render_rule(struct render *r, const struct scan *record);

/* Whether an opening record says that what its policy refuses is not seen. */
bool render_is_blind(const struct scan *record);
/* The command of an opening record: words until max bytes are full. */
void render_command(struct render *r, const struct scan *record, size_t max);
/* How a closing record says that it ended: "exit 0", "killed by SIGKILL", "not started: ...". */
void render_exit(struct render *r, const struct scan *record);

/* Any record, in one line without a newline: "denied mount("/dev/sda", "/mnt") by
 * default.policy:41: EPERM (make, pid 12)", "began under policy build (unseen: landlock): make
 * -j8".
 */
void render_record(struct render *r, const struct scan *record, bool colour);

/* The line that a person watching a program gets: "cordon: " and the record; 0 for records that
 * are not for watching. */
size_t render_line(const char *record, size_t len, bool colour, char *buf, size_t cap);
