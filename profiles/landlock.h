// SPDX-License-Identifier: Apache-2.0
/*
 * What Landlock can enforce, by ABI: which rights exist, which a path line grants, which ports and
 * scopes. Pure facts and arithmetic: the launcher applies it, the compiler reports and judges by
 * it. Sources: Linux's include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst,
 * up to Linux 7.3.
 */
#pragma once

#include <stdint.h>

#include "policies/model.h"

/*
 * The newest ABI of which upstream's header says what it has; a kernel with a newer one is used as
 * this one. ABI 11 (Linux 7.3) sets no_new_privs by itself; ABI 8 and 11 bring no right.
 */
#define LANDLOCK_NEWEST_ABI 11

/* An ABI and what a launch cannot have below it; NULL: it takes nothing from a sandbox. */
struct landlock_abi {
	uint8_t abi;
	uint8_t major, minor; /* the first Linux that has it */
	const char *adds;
	const char *without;
	bool is_ports; /* only who names ports misses it */
};
/* The table: entry i is ABI i + 1. */
const struct landlock_abi *landlock_abis(size_t *ret_n);

/* All functions take any number for an ABI: below 1 there is no right, above the newest known one
 * it is taken for that. A right that the ABI lacks is never returned, as a kernel would refuse the
 * whole ruleset for it. */
uint64_t landlock_handled_fs(int abi);
uint64_t landlock_scoped(int abi);
/* LANDLOCK_ACCESS_NET_* for a direction and protocol; 0 where the ABI has none. */
uint64_t landlock_net_right(int abi, enum policy_port_direction direction,
			    enum policy_port_protocol protocol);
/* What a path line of the verb grants below a directory, of what the ABI handles. */
uint64_t landlock_verb_rights(enum policy_path_verb verb, int abi);
/* The same for the sandbox's own /dev and /proc. */
uint64_t landlock_dev_rights(int abi);
uint64_t landlock_proc_rights(int abi);
/* Of rights, those that a rule on something that is no directory may hold. */
uint64_t landlock_file_rights(uint64_t rights);

/*
 * The ports that are left of one direction and protocol once net lines speak of it. A right is
 * handled when the direction is closed by any line, sockets of the protocol can be made, and no
 * line of the pair says `any`.
 */
enum landlock_ports {
	LANDLOCK_PORTS_OPEN,  /* nothing to handle */
	LANDLOCK_PORTS_RULES, /* handled; the lines of the pair are the rules, perhaps none */
	LANDLOCK_PORTS_MIXED, /* the internet families have different ports: Landlock knows none */
};
enum landlock_ports landlock_ports(const struct policy_port *ports, size_t n,
				   enum policy_port_direction direction,
				   enum policy_port_protocol protocol);
