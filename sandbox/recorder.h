// SPDX-License-Identifier: Apache-2.0
/*
 * Answering while a launch learns. Every call of the sandbox comes by the listener then, and a loop
 * that asks poll(2) first makes a call of its own for each of them: a thread waits in the kernel's
 * queue instead, and the supervisor's loop hears only of the rest. Within sandbox/ only.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "sandbox/notify.h"

struct recorder {
	bool running;
	int event; /* readable when the loop has to look: the thread ended, or a record waits */
	pthread_t thread;
	pthread_mutex_t
		audit; /* the log has two users: the thread, and who writes it out in time */
	atomic_bool stop;
	atomic_int result; /* as recorder_result() returns it */
	struct notify *notify;
};

#define RECORDER_INIT ((struct recorder){ .event = -1, .audit = PTHREAD_MUTEX_INITIALIZER })

/* Answer what comes by notify, which has its listener and is the thread's alone from now on. All
 * signals are blocked in the calling thread. 0 or -errno. */
int recorder_start(struct recorder *r, struct notify *notify, struct err *err);

/* What event was for: 0: go on; 1: the last process under the filter is gone; -errno. */
int recorder_result(struct recorder *r);

/* Ends the thread, after the call that it is answering; none may be left to answer. Nothing happens
 * when none runs. */
void recorder_stop(struct recorder *r);

/* Held around each use of the log while the thread runs; free otherwise. */
void recorder_lock(struct recorder *r);
void recorder_unlock(struct recorder *r);
