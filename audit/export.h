// SPDX-License-Identifier: Apache-2.0
/* Records in the forms of other programs. What has no place in a form is left out, never invented.
 */
#pragma once

#include "audit/recorded.h"
#include "base/fd.h"

/*
 * CSV of RFC 4180: CRLF, quotes where needed, one line a denial, summary or lost record, the
 * columns always these, in this order. A cell of text that a spreadsheet would take for a formula
 * (it begins with = + - @, a tab or a carriage return) has ' before it.
 */
extern const char export_csv_head[]; /* with its CRLF */

/* Append the record's line; nothing for records of other types. 0 or -ENOMEM. */
int export_csv(struct buf *out, const struct recorded *record);

/*
 * The line that the kernel's audit writes for a call that seccomp stops, as ausearch reads it:
 * type=SECCOMP msg=audit(SECONDS.MILLISECONDS:SEQ): ... Text of the payload is put in quotes or, as
 * the kernel does with what is no plain word, in hex digits. What the record lacks is 4294967295,
 * "unset" in the kernel's form. Behind what the kernel writes come sandbox=, rule= and count=.
 */
int export_ausearch(struct buf *out, const struct recorded *record);
