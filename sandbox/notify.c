// SPDX-License-Identifier: Apache-2.0
#include "sandbox/notify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/sys.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	   _IOW('!', 4, uint64_t) /* Linux 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

enum { LOOK_EVERY = 16 };

int notify_begin(struct notify *n, int fd, struct err *err)
{
	struct seccomp_notif_sizes sizes;
	int r = sys_seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes);

	n->fd = fd;
	if (r < 0)
		return err_set(err, r, "ask for the size of seccomp notifications");
	if (sizes.seccomp_notif > sizeof(n->in) || sizes.seccomp_notif_resp > sizeof(n->out))
		return err_set(err, -E2BIG, "take seccomp notifications of %u bytes",
			       sizes.seccomp_notif);
	/* Wake the other side on this processor: both never run at once (Linux 6.6; else ignored).
	 */
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return 0;
}

void notify_end(struct notify *n)
{
	fd_closep(&n->fd);
}

static bool is_execve(const struct seccomp_notif *req)
{
	return req->data.arch == abi_audit_arch(ABI_NATIVE) && req->data.nr == SYS_execve;
}

/* Whether its task waits for the answer still. */
static bool is_waiting(const struct notify *n, uint64_t id)
{
	return ioctl(n->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void kill_caller(struct notify *n, const struct seccomp_notif *req)
{
	/* While it waits the number is still its own; kill(2) takes a thread's number for its
	 * process. */
	if (is_waiting(n, req->id))
		(void)kill((pid_t)req->pid, SIGKILL);
}

static void learn(struct notify *n, const struct seccomp_notif *req, enum abi abi, int32_t nr,
		  const struct bundle_verdict *v)
{
	const struct learn_event event = {
		.notif = req,
		.notify_fd = n->fd,
		.abi = abi,
		.nr = nr,
		.denied = v->action != POLICY_ALLOW,
		.killed = v->action == POLICY_KILL,
		.quiet = v->quiet,
		.errno_value = v->errno_value,
	};

	learn_call(n->learn, &event);
}

static void learn_launch(struct notify *n, const struct seccomp_notif *req)
{
	const struct learn_event event = {
		.notif = req,
		.notify_fd = n->fd,
		.abi = ABI_NATIVE,
		.nr = req->data.nr,
		.launch = true,
	};

	learn_call(n->learn, &event);
}

static void put_record(struct notify *n, const struct audit_denial *denial)
{
	bool began;

	if (!n->audit_lock) {
		audit_denial(n->audit, denial);
		return;
	}
	(void)pthread_mutex_lock(n->audit_lock);
	began = audit_timeout_ms(n->audit) < 0;
	audit_denial(n->audit, denial);
	began = began && audit_timeout_ms(n->audit) >= 0;
	(void)pthread_mutex_unlock(n->audit_lock);
	/* whoever waits for the log to have something may now wait for ever */
	if (began)
		(void)eventfd_write(n->wake, 1);
}

static void decide(struct notify *n, const struct seccomp_notif *req,
		   struct seccomp_notif_resp *resp)
{
	struct bundle_verdict v = { .action = POLICY_DENY, .errno_value = ENOSYS };
	struct audit_denial denial = { .notif = req, .notify_fd = n->fd };
	uint64_t args[6];
	enum abi abi = ABI_NATIVE;
	int32_t nr = req->data.nr;
	bool known = true;

	for (unsigned i = 0; i < 6; i++)
		args[i] = req->data.args[i];
	if (abi_from_audit_arch(req->data.arch, (uint32_t)req->data.nr, &abi, &nr) == 0) {
		bundle_verdict(n->bundle, abi, nr, args, &v);
	} else {
		v.reason = POLICY_BY_ABI;
		v.rule = UINT32_MAX;
		known = false;
	}
	denial.abi = abi;
	denial.nr = nr;
	if (n->learn)
		learn(n, req, abi, known ? nr : -1, &v);
	/* Registers alone decided, as they do in the policy's own program. */
	if (n->learn && v.action == POLICY_ALLOW) {
		resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		return;
	}
	/* An allowed call is never notified; should bundle and program differ, deny. */
	if (v.action == POLICY_ALLOW)
		v = (struct bundle_verdict){ .action = POLICY_DENY,
					     .reason = POLICY_BY_DEFAULT,
					     .errno_value = EPERM,
					     .rule = UINT32_MAX };
	denial.kill = v.action == POLICY_KILL;
	denial.errno_value = v.errno_value;
	denial.reason = v.reason;
	denial.rule = v.rule;
	denial.file = v.file;
	denial.line = v.line;
	/* what the policy's own program answers is in no log */
	if (!(n->learn && v.quiet))
		put_record(n, &denial);
	if (denial.kill)
		kill_caller(n, req);
	resp->error = -(int32_t)(v.errno_value ? v.errno_value : EPERM);
}

int notify_one(struct notify *n)
{
	struct seccomp_notif *req = &n->in.notif;
	struct seccomp_notif_resp *resp = &n->out.resp;
	int r;

	memset(&n->in, 0, sizeof(n->in)); /* EINVAL otherwise (seccomp_unotify(2)) */
	if (ioctl(n->fd, SECCOMP_IOCTL_NOTIF_RECV, req) < 0)
		return errno == ENOENT || errno == EINTR ? 1 : -errno;
	memset(&n->out, 0, sizeof(n->out));
	resp->id = req->id;
	if (n->let_first_exec_pass && is_execve(req)) {
		/* Arguments lie in pid 1's memory, which is ours: nothing of the payload's runs
		 * yet. */
		n->let_first_exec_pass = false;
		if (n->learn)
			learn_launch(n, req);
		resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	} else {
		decide(n, req, resp);
		n->answered++;
	}
	do {
		r = ioctl(n->fd, SECCOMP_IOCTL_NOTIF_SEND, resp);
	} while (r < 0 && errno == EINTR); /* not sent: its caller waits still */
	if (r < 0 && errno != ENOENT)
		return -errno;
	/* The caller is gone. One that were not would wait for good. */
	return r < 0 && is_waiting(n, req->id) ? -EPROTO : 0;
}

/* What waits now, at most max of them. As notify_ready(). */
static int answer_waiting(struct notify *n, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		struct pollfd p = { .fd = n->fd, .events = POLLIN };
		int r;

		if (poll(&p, 1, 0) <= 0)
			return 0;
		if (!(p.revents & POLLIN))
			return p.revents & (POLLHUP | POLLERR) ? 1 : 0;
		r = notify_one(n);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A caller that waits for its answer has no second call to ask for: to look for one would be a call
 * of ours for each of its. So it is looked where the last look found one, and else sometimes. */
int notify_ready(struct notify *n, short revents, unsigned max)
{
	uint64_t before;
	int r;

	if (!(revents & POLLIN))
		return revents & (POLLHUP | POLLERR) ? 1 : 0;
	/* It does not wait: the kernel counts a request that was taken back as one still. */
	r = notify_one(n);
	if (r < 0 || (!n->crowded && ++n->alone % LOOK_EVERY != 0))
		return r < 0 ? r : 0;
	before = n->answered;
	r = answer_waiting(n, max - 1);
	n->crowded = n->answered != before;
	return r;
}
