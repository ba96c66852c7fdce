// SPDX-License-Identifier: Apache-2.0
/* A netlink socket that hears one multicast group. Within collect/ only. */
#pragma once

#include <stdint.h>

/* groups: a mask, as sockaddr_nl has it. bytes: what its queue should hold; the kernel takes what
 * net.core.rmem_max allows. A descriptor that does not wait and is the caller's, or -errno. */
int netlink_join(int protocol, uint32_t groups, int bytes);
