// SPDX-License-Identifier: Apache-2.0
/* Where a log lives and whether that place can be trusted: a regular file that the caller
 * owns and nobody else may write. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { PLACE_SUFFIX = 21 }; /* what stands behind a log's name: ".head", ".seal", 20 digits */

/* $XDG_STATE_HOME/cordon/audit.jsonl, else $HOME/.local/state/cordon/audit.jsonl. */
int place_default(char *ret, size_t size, struct err *err);

/* Make the directories above path that are missing, mode 0700. */
int place_make_parents(const char *path, struct err *err);

/*
 * Split path and open its directory: *ret_dir is an O_PATH descriptor, *ret_name points into
 * path. -EINVAL when path ends in a slash or the name leaves no room for a suffix.
 */
int place_open_dir(const char *path, int *ret_dir, const char **ret_name, struct err *err);

/*
 * Open (writers: make, mode 0600) the file name below dir, and refuse what is no regular file, a
 * symbolic link, another user's, or writable by others. path is for messages. Returns a
 * descriptor or -errno; *ret_made (may be NULL) tells a file that was not there before.
 */
int place_open_file(int dir, const char *name, const char *path, bool append, bool *ret_made,
		    struct err *err);
