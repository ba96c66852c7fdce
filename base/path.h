// SPDX-License-Identifier: Apache-2.0
/*
 * The one resolver. Every path below a root, base, upper or bind is opened here, beneath a
 * directory descriptor, by openat2(2); what follows acts on the descriptor. There is no
 * second way to open a path in a tree that somebody else shapes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Open path below the directory root as if root were "/": "..", absolute parts and symlinks
 * stay inside (RESOLVE_IN_ROOT), magic links are refused. With PATH_NO_SYMLINKS any symlink
 * on the way, the last one included, is -ELOOP. flags as for openat(2); O_CLOEXEC is implied.
 * Returns a descriptor or -errno.
 */
enum { PATH_FOLLOW_INSIDE = 0, PATH_NO_SYMLINKS = 1 };
int path_open_in(int root, const char *path, int flags, int how);

/* The same from the process's own root, symlinks never: for paths that a person named. */
int path_open_exact(const char *path, int flags);

/*
 * Make the directory path and its missing parents below root (mode for new ones), each step
 * made and opened beneath the one before, no symlink followed. Returns an O_PATH descriptor of the
 * last or -errno.
 */
int path_make_dirs(int root, const char *path, mode_t mode);

/*
 * Make what is missing of the directories on the way to path, which is what lies before its last
 * '/', each for the caller alone (0700), whatever its umask: one that takes our own rights would
 * shut what is kept there to each launch from then on. Symlinks on the way are the caller's own and
 * followed. 0, or -errno, and then the first *ret_len bytes of path name the directory that cannot
 * be made.
 */
int path_make_private(const char *path, size_t *ret_len);

/* Like path_make_dirs for the parent, then an empty regular file unless something is there. */
int path_make_file(int root, const char *path, mode_t mode);

/* Split: a descriptor of the parent directory (made when missing) and the last component within
 * path. -EINVAL for "/" and the like. */
int path_make_parent(int root, const char *path, mode_t mode, const char **ret_name);

/* Absolute, no empty, "." or ".." component, no trailing slash ("/" itself is normal),
 * shorter than LIMIT_PATH. */
bool path_is_normal(const char *path);

/* base (absolute) and path (absolute or not) to one normal absolute path, by text only: "."
 * and doubled slashes go, ".." takes the component before it. 0, -ENAMETOOLONG. */
int path_normalise(const char *base, const char *path, char *ret, size_t size);

/* Whether a look-up that failed with this code (-errno) found nothing, or nothing to be reached;
 * all else is a failure of the look-up itself. */
bool path_is_absent(int code);

/* Whether path equals dir or lies below it; both normal. */
bool path_is_within(const char *path, const char *dir);

/* Number of components; "/" has none. */
size_t path_depth(const char *path);
