// SPDX-License-Identifier: Apache-2.0
/*
 * A policy's text in its canonical form: one blank between words, two before a comment behind a
 * statement, no indentation, one empty line where there were several. Lines, their order, comments
 * and each word's spelling stay, so that nothing changes its meaning.
 */
#pragma once

#include "policies/load.h"

/* name is shown in messages. 0 and ret filled, or -EBADMSG (diags has what cannot be read), -EFBIG
 * or -ENOMEM. */
int fmt_text(const char *name, const char *text, size_t len, struct buf *ret,
	     struct policy_diags *diags);
