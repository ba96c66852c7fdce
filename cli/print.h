// SPDX-License-Identifier: Apache-2.0
/* What a person reads on stderr. Bytes that could drive a terminal are escaped here. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/* "cordon: cannot MSG: ERRNO-TEXT" and, when there is one, "hint: HINT". With a prefix (a verb, a
 * file's name): "cordon: PREFIX: cannot ...". Nothing for -EBADMSG
 * without a sentence: what was bad has been told by who found it. */
void print_error(const char *prefix_or_null, const struct err *err);

/* Whether what is written there may have colours: a terminal, and NO_COLOR is not set. */
bool print_colours(FILE *to);
