// SPDX-License-Identifier: Apache-2.0
/*
 * Packets that no child of ours would send. Input: a packet each, its first byte the number of
 * descriptors that go with it (low 4 bits) and of its bytes (high 4). After each the receiver holds
 * one descriptor or none, and the table of descriptors has not grown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz_packet.h"
#include "sandbox/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int wire[2], before;

	if (wire_pair(wire) < 0)
		return 0;
	before = fuzz_lowest_free();
	while (size > 0) {
		const unsigned n_fds = data[0] & 15;
		size_t n = data[0] >> 4;
		int fd = -1, r;

		data++;
		size--;
		n = n < size ? n : size;
		if (n == 0 && n_fds == 0)
			continue; /* nothing that is sent: the receiver would wait */
		(void)fuzz_send(wire[1], data, n, n_fds);
		r = wire_receive(wire[0], &fd);
		if (r > 0 && r != WIRE_PTY && r != WIRE_RUNNING)
			abort();
		if (r > 0 && (n != 1 || n_fds > 1 || data[0] != r || (n_fds == 1) != (fd >= 0)))
			abort();
		if (r <= 0 && fd >= 0)
			abort(); /* a descriptor with no packet: nobody closes it */
		if (fd >= 0)
			(void)close(fd);
		if (fuzz_lowest_free() != before)
			abort();
		data += n;
		size -= n;
	}
	(void)close(wire[0]);
	(void)close(wire[1]);
	return 0;
}
