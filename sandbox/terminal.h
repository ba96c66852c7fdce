// SPDX-License-Identifier: Apache-2.0
/*
 * A pseudo-terminal of the sandbox's own. The payload never holds the caller's terminal: it
 * could push keystrokes into it (TIOCSTI), and would share its modes and its session.
 *
 * Which of 0, 1 and 2 are terminals is the caller's decision: the slave replaces exactly those;
 * pipes and files pass straight through and are never seen here. So:
 *
 *   0 is a terminal         in_fd = 0, else -1: keys are relayed, and the outer terminal goes raw
 *   1 or 2 is a terminal    out_fd = 1 or 2, else in_fd (a terminal is open both ways as a
 *                           rule, and the echo of keys must appear somewhere), else -1: dropped
 *
 * Inside, before the payload:  terminal_open_pair, terminal_make_controlling.
 * Outside, in the supervisor:  terminal_begin, then in its poll loop terminal_pollfds and
 * terminal_handle; terminal_payload_ended once, on until terminal_is_idle; terminal_end.
 *
 * The supervisor is never blocked: each outer descriptor is opened anew, non-blocking, through
 * /proc/self/fd. O_NONBLOCK is never set on the caller's own open file description, which his
 * shell shares. Where it cannot be opened anew (a terminal of another user after su) the caller's
 * is used, after poll(2), one byte a write.
 *
 * The supervisor should hold SIGTTIN and SIGTTOU blocked, as it does with all signals it takes by
 * signalfd(2).
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/err.h"

/*
 * Open a pair in the devpts instance whose root directory is devpts_fd (mounted or from
 * fsmount(2)). Both ends are close-on-exec and no one's controlling terminal. Their names in
 * devpts are never used, so nothing can be put in their place.
 */
int terminal_open_pair(int devpts_fd, int *ret_master, int *ret_slave, struct err *err);

/*
 * Whether a descriptor is a terminal. One that is closed is none, and one that is hung up is none
 * any more. -errno when the kernel does not say: what may be the caller's terminal is no file to
 * hand on.
 */
int terminal_is_one(int fd, bool *ret, struct err *err);

/* Make slave the controlling terminal of the calling session leader (after setsid(2)). */
int terminal_make_controlling(int slave, struct err *err);

enum { TERMINAL_BUFFER = 8192, TERMINAL_POLLFDS = 3 };

/* Bytes on their way in one direction; a full queue stops the reading side. */
struct terminal_queue {
	size_t start, end;
	unsigned char *data; /* TERMINAL_BUFFER bytes; NULL until terminal_begin() */
};

/* An outer descriptor. */
struct terminal_end_point {
	int fd;	  /* what is read or written, -1: none or gone */
	bool own; /* opened anew: non-blocking, ours to close */
	bool is_tty;
	bool is_file; /* a regular file: reads and writes do not wait */
};

struct terminal {
	int master; /* owned; -1 when over */
	int tty;    /* the outer terminal for modes and size (borrowed), -1: none */
	struct terminal_end_point in, out;
	struct terminal_queue keys;   /* to the payload */
	struct terminal_queue screen; /* from the payload */
	uint64_t shown;		      /* bytes that the outer terminal has taken */
	bool raw;		      /* the outer terminal is in raw mode through us */
	bool keys_mode;		      /* in is a terminal: it is to be raw in the foreground */
	bool background; /* we are not the outer terminal's foreground: no key is ours */
	bool line_open;	 /* keys sent so far do not end with a new line */
	bool ended;	 /* the payload is gone: only draining is left */
	bool no_slave;	 /* nobody holds the payload's side just now */
	bool begun;
	bool hung_up; /* the outer terminal is gone */
};

/*
 * Start relaying. Takes master over on success; in_fd and out_fd are borrowed. First the modes and
 * the size of the outer terminal are given to the slave, then the outer one goes into raw mode, if
 * in_fd is a terminal and we are its foreground process group (or it is no one's whom job control
 * could tell: not our controlling terminal). One at a time in a process: -EBUSY.
 */
int terminal_begin(struct terminal *t, int master, int in_fd, int out_fd, struct err *err);

/* What the supervisor's loop should wait for: at most TERMINAL_POLLFDS entries. Returns how many.
 */
size_t terminal_pollfds(const struct terminal *t, struct pollfd *ret, size_t max);

/* Milliseconds after which to call terminal_handle with no event, or -1: a shell that brings a
 * running job to the foreground does not tell it, so while in the background we look. */
int terminal_timeout(const struct terminal *t);

/*
 * Relay what can be relayed without waiting. Entries that are not ours are ignored, so the
 * whole poll array may be given. End of input becomes the terminal's end-of-file key, once. When
 * the outer terminal is hung up the master is closed, so that the payload gets SIGHUP like anybody
 * whose terminal hangs up. 0, or -errno when the relay broke: one of the two is there and fails.
 */
int terminal_handle(struct terminal *t, const struct pollfd *fds, size_t n);

/* The payload is gone: take no more keys, only drain what it had written. Until this is said, a
 * payload that has closed its terminal may open it again by /dev/tty. */
void terminal_payload_ended(struct terminal *t);

/* Nothing is left to relay: hung up, or drained after terminal_payload_ended. True from the start
 * for a terminal that was never begun. */
bool terminal_is_idle(const struct terminal *t);

/* The outer terminal is gone. */
bool terminal_hung_up(const struct terminal *t);

/* SIGWINCH: hand the size on; the payload gets its own SIGWINCH. */
void terminal_resize(struct terminal *t);

/* Around the supervisor's own stop: terminal_suspend, raise(SIGSTOP), terminal_resume. A SIGCONT
 * after a SIGSTOP from outside, which nobody can catch: terminal_resume alone. */
void terminal_suspend(struct terminal *t);
void terminal_resume(struct terminal *t);

/* Restore the outer modes, close everything. May be called again, and on TERMINAL_INIT. 0, or
 * -errno when the outer terminal is still raw, and somebody has to be told. */
int terminal_end(struct terminal *t);

/* Restore the outer modes of the terminal begun in this process, if any: async-signal-safe,
 * for a handler of a fatal signal. */
void terminal_restore(void);

#define TERMINAL_INIT                                                                              \
	((struct terminal){ .master = -1, .tty = -1, .in = { .fd = -1 }, .out = { .fd = -1 } })
