// SPDX-License-Identifier: Apache-2.0
/* Where cordon's other programs and the shipped policies are, and the bundle of a policy. */
#pragma once

#include "base/err.h"
#include "profiles/bundle.h"

/* Where the cache of bundles and the caller's own policies lie, or would lie; "" for none. */
void programs_own_dirs(char *ret_cache, char *ret_config, size_t size);

/* The path of cordon-NAME: beside this program (a build tree), else in libexec. Static storage.
 * NULL when it cannot be told where this program lies. */
const char *programs_path(const char *name, struct err *err);

/* A shipped file: DATADIR/installed, or source in the tree that this build lies in. */
void programs_data_path(const char *installed, const char *source, char *ret, size_t size);

/* Replace this process by cordon-NAME with these arguments (argv[0] included). Returns only on
 * failure. */
int programs_exec(const char *name, char **argv, struct err *err);

/*
 * The current bundle of a policy: from the cache, or made anew by cordon-policy, which prints the
 * mistakes it finds. what is a name or a path. *ret lives as long as the process.
 * -EBADMSG: the policy has mistakes, and they have been told.
 */
int programs_bundle(const char *what, struct bundle **ret, struct err *err);
