// SPDX-License-Identifier: Apache-2.0
#include "sandbox/recorder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	STACK = 512 * 1024, /* some paths on it at once; touched as it is used */
	WAKE = SIGURG,	    /* ignored by default, and not forwarded to payloads */
	AGAIN_NS = 2000000,
};

/* Only to interrupt the wait. */
static void on_wake(int sig)
{
	(void)sig;
}

static bool is_over(const struct notify *n)
{
	struct pollfd p = { .fd = n->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && !(p.revents & POLLIN) && (p.revents & (POLLHUP | POLLERR));
}

static void *work(void *arg)
{
	struct recorder *r = arg;
	sigset_t wake;
	int code = 0;

	(void)sigemptyset(&wake);
	(void)sigaddset(&wake, WAKE);
	(void)pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	while (code >= 0 && !atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		code = notify_one(r->notify);
		/* Nothing came: a signal, a caller that was killed, or nobody is left, which the
		 * kernel says by ending the wait from Linux 6.11 on and before that not at all. */
		if (code == 1 && is_over(r->notify))
			break;
	}
	atomic_store(&r->result, code);
	(void)eventfd_write(r->event, 1);
	return NULL;
}

int recorder_start(struct recorder *r, struct notify *notify, struct err *err)
{
	struct sigaction action = { .sa_handler = on_wake };
	pthread_attr_t attr;
	int code;

	r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->event < 0)
		return err_set(err, -errno, "make an eventfd for the recorder");
	if (sigaction(WAKE, &action, NULL) < 0)
		return err_set(err, -errno, "set the recorder's signal up");
	r->notify = notify;
	notify->audit_lock = &r->audit;
	notify->wake = r->event;
	code = pthread_attr_init(&attr);
	if (code == 0)
		code = pthread_attr_setstacksize(&attr, STACK);
	if (code == 0)
		code = pthread_create(&r->thread, &attr, work, r);
	(void)pthread_attr_destroy(&attr);
	if (code != 0)
		return err_set(err, -code, "start the recorder's thread");
	r->running = true;
	return 0;
}

int recorder_result(struct recorder *r)
{
	eventfd_t n;

	(void)eventfd_read(r->event, &n);
	return atomic_load(&r->result);
}

void recorder_stop(struct recorder *r)
{
	if (r->running) {
		struct timespec until;

		atomic_store(&r->stop, true);
		do {
			/* One that comes between its look at stop and its wait is lost: again. */
			(void)pthread_kill(r->thread, WAKE);
			(void)clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += AGAIN_NS;
			if (until.tv_nsec >= 1000000000) {
				until.tv_sec++;
				until.tv_nsec -= 1000000000;
			}
		} while (pthread_timedjoin_np(r->thread, NULL, &until) == ETIMEDOUT);
		r->running = false;
	}
	if (r->notify) {
		r->notify->audit_lock = NULL;
		r->notify->wake = -1;
	}
	fd_closep(&r->event);
}

void recorder_lock(struct recorder *r)
{
	if (r->running)
		(void)pthread_mutex_lock(&r->audit);
}

void recorder_unlock(struct recorder *r)
{
	if (r->running)
		(void)pthread_mutex_unlock(&r->audit);
}
