// SPDX-License-Identifier: Apache-2.0
/* The arguments of an attempt that were written as texts: paths and addresses. */
#pragma once

#include <netinet/in.h>

#include "policies/attempt.h"

struct attempt_address {
	uint16_t family;      /* AF_INET, AF_INET6 or AF_UNIX */
	uint8_t protocol;     /* enum policy_port_protocol */
	uint16_t port;	      /* host order */
	struct in6_addr host; /* of AF_INET the first four bytes; network order */
	const char *path;     /* AF_UNIX: within the text; '@' begins an abstract name */
};

/* "tcp:192.0.2.1:443", "udp:[::1]:53", "unix:/run/x", "unix:@x". 0 or -EINVAL. */
int attempt_text_address(const char *text, struct attempt_address *ret);

/* Make the path behind the first skip bytes of argument i absolute and normal.
 * 0, -ENOMEM or -ENAMETOOLONG. */
int attempt_text_resolve(struct attempt *attempt, unsigned i, size_t skip, const char *cwd);
