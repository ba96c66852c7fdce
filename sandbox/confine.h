// SPDX-License-Identifier: Apache-2.0
/* The supervisor's own filter, made of sandbox/supervisor.policy when cordon is built. */
#pragma once

#include "base/err.h"
#include "profiles/program.h"

/*
 * Put the process, with all its threads, under the filter, and see that it is in force. It cannot
 * be undone, and no_new_privs stays set: nothing is executed afterwards. 0, or -errno with err.
 */
int confine_supervisor(const struct program *program, struct err *err);
