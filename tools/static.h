// SPDX-License-Identifier: Apache-2.0
/* For clang-tidy, which looks at one file alone: what base/err.h says of its calls.
 * tools/check-static includes it before each file but base/err.c. */
#pragma once

#include "base/err.h"

static inline void __attribute__((format(printf, 1, 2))) static_format(const char *text, ...)
{
	(void)text;
}

#define STATIC_ERROR (-22)
#define err_set(err, code, ...)                                                                    \
	((void)(err), (void)(code), static_format(__VA_ARGS__), STATIC_ERROR)
#define err_refuse(err, ...) ((void)(err), static_format(__VA_ARGS__), STATIC_ERROR)
#define err_wrap(err, ...)   ((void)(err), static_format(__VA_ARGS__), STATIC_ERROR)
#define err_hint(err, ...)   ((void)(err), static_format(__VA_ARGS__), STATIC_ERROR)
