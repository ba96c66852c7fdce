// SPDX-License-Identifier: Apache-2.0
/* Names of values that no set of policies/consts.tbl has as they are written in the log. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* "EPERM" or "errno N"; "SIGTERM", "SIGRT+3" or "signal N"; "AF_UNIX" or "AF_N". buf is
 * returned. */
const char *names_errno(unsigned value, char *buf, size_t cap);
const char *names_signal(unsigned value, char *buf, size_t cap);
const char *names_family(unsigned value, char *buf, size_t cap);

/* A mask of signals: "SIGINT|SIGTERM", "0", "all", "all but SIGKILL|SIGSTOP". */
const char *names_sigset(uint64_t set, char *buf, size_t cap);

/* What a request to a device without a name says of itself: "_IOC(READ|WRITE, 'T', 48, 4)", or its
 * number where it does not look like one. */
const char *names_ioctl(uint32_t request, char *buf, size_t cap);
