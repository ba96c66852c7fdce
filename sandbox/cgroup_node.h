// SPDX-License-Identifier: Apache-2.0
/* One directory of the cgroup2 file system: between the files of the noun cgroup. */
#pragma once

#include <stdbool.h>

#include "sandbox/cgroup.h"

#define CGROUP_LEAF	  "cordon-"
#define CGROUP_SUPERVISOR "cordon-supervisor"
#define CGROUP_SCOPE	  ".scope"

enum { CGROUP_FILE_MAX = 1 << 20 }; /* cgroup.procs of a node with 100,000 processes */

/* "" is dir itself. A descriptor that can be read, or -errno. */
int cgroup_open_node(int dir, const char *path);

/* A whole value in one write, as these files want it. 0 or -errno. */
int cgroup_write(int dir, const char *file, const char *value);

/* The value of KEY in a flat keyed file; *ret is untouched where there is none. */
void cgroup_read_key(int dir, const char *file, const char *key, uint64_t *ret);

bool cgroup_has(int dir, const char *name);

/* Our own node below the mount ("" is its root), and the mount. 0 or -errno with err. */
int cgroup_read_own(char ret_path[LIMIT_PATH], struct cgroup_mount *ret_mount, struct err *err);

/* The mount's point, which is a cgroup2 file system and nothing that lies over it. A descriptor, or
 * -errno with err. */
int cgroup_open_mount(const struct cgroup_mount *mount, struct err *err);
