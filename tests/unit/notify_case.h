// SPDX-License-Identifier: Apache-2.0
/* A child under the program of a real bundle, and the log that its denials go to. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "policies/load.h"
#include "profiles/compile.h"
#include "sandbox/notify.h"
#include "sandbox/wire.h"

struct scene {
	struct buf bytes;
	struct bundle *bundle;
	struct audit *audit;
	char log[64];
};

/* file: what records name as the place of a rule */
static inline struct scene *scene_of(const char *file, const char *lines)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct policy_diags diags = { .n_errors = 0 };
	struct policy *policy = NULL;
	struct scene *s = calloc(1, sizeof(*s));
	struct audit_start start = { .sandbox = "0123456789abcdef", .policy = "test" };
	static const char *const argv[] = { "test", NULL };
	static const char *const none[] = { NULL };
	struct err err = ERR_INIT;
	const char *spec;
	char sink[80];
	int fd;

	assert_non_null(s);
	assert_int_equal(buf_puts(&text, "policy test\nkernel 6.18\nallow read write exit_group "
					 "sendmsg close rt_sigreturn getpid wait4 kill\n"),
			 0);
	assert_int_equal(buf_puts(&text, lines), 0);
	if (policy_load_text(file, text.data, text.len, NULL, &policy, &diags, &err) < 0)
		fail_msg("cannot %s\n%s", err.msg, diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	if (compile_bundle(policy, &s->bytes, &err) < 0 ||
	    bundle_open(s->bytes.data, s->bytes.len, &s->bundle, &err) < 0)
		fail_msg("cannot %s", err.msg);
	policy_free(policy);
	(void)snprintf(s->log, sizeof(s->log), "%.32s/test_notify.XXXXXX",
		       getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	fd = mkstemp(s->log);
	assert_true(fd >= 0);
	(void)snprintf(sink, sizeof(sink), "fd:%d", fd);
	spec = sink;
	start.argv = argv;
	start.in_force = start.given_up = none;
	if (audit_new(&spec, 1, &s->audit, &err) < 0 || audit_begin(s->audit, &start, &err) < 0)
		fail_msg("cannot %s", err.msg);
	return s;
}

static inline struct scene *scene_new(const char *lines)
{
	return scene_of("t.policy", lines);
}

static inline void scene_free(struct scene *s)
{
	audit_free(s->audit);
	bundle_close(s->bundle);
	buf_done(&s->bytes);
	(void)unlink(s->log);
	free(s);
}

typedef int (*actor)(void);

/* In the child: load the program, hand its listener over, act, end with what the actor says. */
static inline void act(const struct scene *s, int wire, actor play)
{
	struct sock_fprog program;
	uint16_t n;
	int fd;

	program.filter = (struct sock_filter *)(uintptr_t)bundle_seccomp(s->bundle, &n);
	program.len = n;
	/* A test that fails leaves nobody who waits for it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(100);
	fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (fd < 0 || wire_send(wire, WIRE_RUNNING, fd) < 0)
		_exit(101);
	(void)close(fd);
	/* no libc on the way out: a sanitizer's would make calls of its own */
	(void)syscall(SYS_exit_group, play());
	abort();
}

static inline long raw(long nr, long a, long b)
{
	long r = syscall(nr, a, b, 0, 0, 0, 0);

	return r < 0 ? -errno : r;
}
