// SPDX-License-Identifier: Apache-2.0
/*
 * What the collector and a supervisor hear of each other from somebody who is neither. The first
 * byte chooses who listens. Then packets: a byte for the number of descriptors that go with one
 * (low 4 bits) and for its length in fours (high 4 bits; 15: all that is left). After each the
 * listener holds a descriptor or none, and the table of descriptors has not grown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/collected_client.h"
#include "collect/clients.h"
#include "fuzz/fuzz_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is promised of each word, registered or not. */
static void hear(int fd, const uint8_t *bytes, size_t n, unsigned n_fds, bool registered)
{
	struct client client = { .fd = fd, .pidfd = registered ? fd : -1 };
	struct collected_word word = { .word = 0 };
	int pidfd = -1, r = clients_hear(&client, &pidfd);

	if (n == sizeof(word))
		memcpy(&word, bytes, n);
	if (r == 0 || r > 2 || (r == 1) != (pidfd >= 0))
		abort();
	if (r > 0 && (word.version != COLLECTED_VERSION || registered != (r == 2) ||
		      n_fds != (r == 1 ? 1U : 0U) ||
		      word.word != (r == 1 ? COLLECTED_HELLO : COLLECTED_SYNC)))
		abort();
	if (pidfd >= 0)
		(void)close(pidfd);
}

static void answer(struct collected *c, const uint8_t *bytes, size_t n)
{
	struct collected_packet packet;
	struct kernel_text text = { .p = NULL };
	int r = collected_next(c, &packet, &text);

	if (r > 0 && (n < sizeof(packet) || text.p != c->text || text.len != n - sizeof(packet) ||
		      memcmp(&packet, bytes, sizeof(packet)) != 0 ||
		      memcmp(text.p, bytes + sizeof(packet), text.len) != 0))
		abort();
	if (r == 0 || (r < 0 && n >= sizeof(packet) && n <= sizeof(packet) + sizeof(c->text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct collected collected;
	const uint8_t who = size > 0 ? data[0] % 3 : 0;
	int pair[2], before;

	if (size < 2 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return 0;
	collected.fd = pair[0];
	before = fuzz_lowest_free();
	for (data++, size--; size > 0;) {
		const unsigned n_fds = data[0] & 15;
		size_t n = (data[0] >> 4) * 4U;

		data++;
		size--;
		n = n == 60 || n > size ? size : n;
		if (fuzz_send(pair[1], data, n, n_fds)) {
			if (who == 2)
				answer(&collected, data, n);
			else
				hear(pair[0], data, n, n_fds, who == 1);
		}
		if (fuzz_lowest_free() != before)
			abort();
		data += n;
		size -= n;
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}
