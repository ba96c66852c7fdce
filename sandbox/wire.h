// SPDX-License-Identifier: Apache-2.0
/*
 * The wire between supervisor and pid 1: a SOCK_SEQPACKET pair. Outwards go one-byte packets, some
 * with one descriptor; inwards goes one byte of consent. Its end of file tells either side of
 * the other's death. Everything longer lies in the shared page.
 */
#pragma once

enum wire_kind {
	WIRE_PTY = 'P',	    /* with the master of the sandbox's terminal */
	WIRE_RUNNING = 'R', /* the payload is executed (or waits in a gated execve); with the
			     * listener of its seccomp program, or none under `notify off` */
};

int wire_pair(int ret[2]);			      /* [0] the supervisor's end */
int wire_send(int wire, enum wire_kind kind, int fd); /* fd -1: none */

/* One packet: its kind, or 0 at the end of file, or -errno. *ret_fd is -1 or the caller's. More
 * than one descriptor or an unknown kind is -EPROTO. An end with our consent unread is an end. */
int wire_receive(int wire, int *ret_fd);

int wire_consent(int wire);	 /* supervisor: go on */
int wire_wait_consent(int wire); /* pid 1: 0, or -ECANCELED when the supervisor is gone */
