// SPDX-License-Identifier: Apache-2.0
/*
 * What cordon-policy and the program that it runs in a sandbox share: a block of memory with calls
 * to make and room for what came of them. The probe needs mmap once, and from then on makes no
 * call but those asked for: so any policy that lets a program start can be probed.
 */
#pragma once

#include <stdint.h>

enum probe_state {
	PROBE_WAITS,
	PROBE_BEGUN, /* made, and it has not come back */
	PROBE_DONE,
	PROBE_LATER, /* not in this run */
};

struct probe_call {
	int32_t nr;
	uint8_t twice;	     /* it returns in a child too, which must end at once */
	uint8_t state;	     /* enum probe_state */
	uint8_t offset_mask; /* args that are offsets into the block */
	uint8_t before_mask; /* args that are what the call before returned */
	uint64_t args[6];
	int64_t result; /* as the kernel returned it: -errno */
};

struct probe_block {
	uint64_t base; /* where the probe mapped the block */
	uint32_t n;
	uint32_t at; /* calls passed so far: a sign of life */
	struct probe_call calls[];
	/* behind them the bytes that arguments point to */
};
