// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisor's loop: notifications, signals, terminal, limits, until pid 1 has
 * ended. Within sandbox/ only; launch_run() is the room's door.
 */
#pragma once

#include "sandbox/cgroup.h"
#include "sandbox/child.h"
#include "sandbox/launch.h"
#include "sandbox/notify.h"
#include "sandbox/recorder.h"
#include "sandbox/terminal.h"

struct supervisor {
	const struct plan *plan;
	const struct launch_options *options;
	struct launch_shared *shared;
	struct audit *audit;
	int pidfd; /* of pid 1 */
	int wire;
	int signals;	      /* signalfd */
	bool consented;	      /* pid 1 was told to execute the payload */
	bool running;	      /* the payload is executed */
	bool settled;	      /* and for a moment nothing was to be done */
	bool gone;	      /* pid 1 has ended */
	int ended_by;	      /* a signal that came before the payload ran, 0: none */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, 0: none */
	uint64_t clone_ns;
	bool wall_passed;
	const char *const *in_force, *const *given_up; /* see struct launch_progress */
	struct notify notify;
	struct recorder recorder; /* answers in place of the loop when the launch learns */
	struct terminal terminal;
};

/* Returns when pid 1 has ended: 0, or -errno with err when the loop broke (pid 1 is then sent
 * SIGKILL). Reaping is left to the caller. */
int supervise(struct supervisor *s, struct err *err);

/* Tell pid 1 to go on and execute the payload. */
int supervise_consent(struct supervisor *s, struct err *err);
