// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cli/own_label.h"
#include "cli/policy_live_log.h"
#include "cli/probe.h"
#include "policies/attempt_text.h"

extern char **environ;

enum {
	/* The log gives each kind of denial so many records of its own before it counts
	 * (FLOOD_BURST in audit/flood.h is 20): so no more of one call in one sandbox. */
	SAME_CALLS = 16,
	STUCK_MS = 1500, /* a denial takes microseconds, on a machine that has nothing else to do */
	REFUSED_MS = 10000,
	WAITS_MS = 100, /* for calls that are there to wait */
	LOOK_MS = 20,
	MOST_BYTES = 8 << 20,
	EXIT_OF_CORDON = 125,
};

struct session {
	const char *what;
	struct live_call *calls;
	size_t n;
	struct probe_block *block;
	size_t size;
	char cordon[LIMIT_PATH], probe[LIMIT_PATH];
};

/* Beside this program in a build folder; PREFIX/bin and PREFIX/libexec/cordon when installed. */
static int find_programs(struct session *s, struct err *err)
{
	char dir[LIMIT_PATH];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 32);
	char *slash;

	dir[len > 0 ? len : 0] = '\0';
	slash = strrchr(dir, '/');
	if (!slash)
		return err_set(err, -ENOENT, "find out where cordon-policy lies");
	*slash = '\0';
	(void)snprintf(s->probe, sizeof(s->probe), "%.*s/cordon-probe", LIMIT_PATH - 32, dir);
	(void)snprintf(s->cordon, sizeof(s->cordon), "%.*s/cordon", LIMIT_PATH - 32, dir);
	if (access(s->cordon, X_OK) < 0)
		(void)snprintf(s->cordon, sizeof(s->cordon), "%.*s/../../bin/cordon",
			       LIMIT_PATH - 32, dir);
	if (access(s->cordon, X_OK) < 0)
		return err_set(err, -errno, "find the launcher at '%.400s'", s->cordon);
	if (access(s->probe, X_OK) < 0)
		return err_set(err, -errno, "find the probe at '%.400s'", s->probe);
	return 0;
}

/* The block's size, each argument's bytes behind the calls. */
static int measure(struct session *s, struct err *err)
{
	size_t size = sizeof(*s->block) + s->n * sizeof(struct probe_call);

	for (size_t i = 0; i < s->n; i++) {
		for (unsigned k = 0; k < 6; k++)
			size += s->calls[i].bytes[k] ? (s->calls[i].n_bytes[k] + 15) & ~15UL : 0;
	}
	if (size > MOST_BYTES)
		return err_refuse(err, "probe %zu calls at once", s->n);
	s->size = size;
	return 0;
}

static void fill(struct session *s)
{
	size_t at = sizeof(*s->block) + s->n * sizeof(struct probe_call);

	s->block->n = (uint32_t)s->n;
	for (size_t i = 0; i < s->n; i++) {
		const struct live_call *c = &s->calls[i];
		struct probe_call *p = &s->block->calls[i];

		p->nr = c->nr;
		p->twice = c->twice;
		p->before_mask = c->before_mask;
		memcpy(p->args, c->args, sizeof(p->args));
		for (unsigned k = 0; k < 6; k++) {
			if (!c->bytes[k])
				continue;
			memcpy((char *)s->block + at, c->bytes[k], c->n_bytes[k]);
			p->args[k] = at;
			p->offset_mask |= (uint8_t)(1U << k);
			at += (c->n_bytes[k] + 15) & ~15UL;
		}
	}
}

/* Which calls the next sandbox makes. False: none is left. */
static bool choose(struct session *s)
{
	bool any = false;

	s->block->at = 0;
	s->block->base = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct probe_call *p = &s->block->calls[i];
		unsigned same = 0;

		if (s->calls[i].end != LIVE_NOT_RUN) {
			/* what made a descriptor for the next call is made again for it */
			bool again = i + 1 < s->n && s->calls[i + 1].end == LIVE_NOT_RUN &&
				     s->calls[i + 1].before_mask;

			p->state = again ? PROBE_WAITS : PROBE_DONE;
			continue;
		}
		for (size_t k = 0; k < i; k++)
			same += s->block->calls[k].nr == p->nr &&
				s->block->calls[k].state == PROBE_WAITS;
		p->state = same < SAME_CALLS ? PROBE_WAITS : PROBE_LATER;
		any = any || p->state == PROBE_WAITS;
	}
	return any;
}

static int spawn(struct session *s, int block, int log, int errors, pid_t *ret, struct err *err)
{
	char sink[32], fd[16], size[24];
	/* Each denial is looked for: none may be counted because there are many of other kinds. */
	const char *argv[] = { "cordon",	"run", "-q",   "--policy", s->what, "--audit", sink,
			       "--audit-flood", "64M", "--fd", fd,	   "--ro",  s->probe,  "--",
			       s->probe,	fd,    size,   NULL };
	posix_spawn_file_actions_t actions;
	int r;

	(void)snprintf(sink, sizeof(sink), "fd:%d", log);
	(void)snprintf(fd, sizeof(fd), "%d", block);
	(void)snprintf(size, sizeof(size), "%zu", s->size);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, -ENOMEM, "run '%.400s'", s->cordon);
	/* Calls are made with any numbers: a mode or an owner that one of them sets on descriptor 0
	 * must not be /dev/null's, or any other file's of the host. */
	r = posix_spawn_file_actions_adddup2(&actions, errors, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, errors, 1);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, errors, 2);
	/* duplicated onto itself a descriptor loses its close-on-exec mark */
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, block, block);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, log, log);
	own_label_keep();
	r = r ? r : posix_spawn(ret, s->cordon, &actions, NULL, (char **)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r ? err_set(err, -r, "run '%.400s'", s->cordon) : 0;
}

/* How long the call that is being made may take before it counts as let in and waiting. */
static int64_t patience(const struct session *s)
{
	static const char *const names[] = {
		"pause", "rt_sigsuspend", "select",	     "pselect6", "poll",
		"ppoll", "accept",	  "rt_sigtimedwait", "msgrcv",	 "futex",
		"wait4", "waitid",	  "io_uring_enter"
	};

	for (size_t i = 0; i < s->n; i++) {
		if (__atomic_load_n(&s->block->calls[i].state, __ATOMIC_SEQ_CST) != PROBE_BEGUN ||
		    s->calls[i].end != LIVE_NOT_RUN)
			continue;
		if (s->calls[i].refused)
			return REFUSED_MS;
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			if (syscall_by_name(names[k])->nr[ABI_NATIVE] == s->block->calls[i].nr)
				return WAITS_MS;
		}
	}
	return STUCK_MS;
}

/* Until the sandbox is gone; one in which a call does not come back is ended. */
static int wait_end(struct session *s, pid_t pid, bool *ret_stuck, int *ret_status)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	uint32_t at = 0;
	bool begun = false;
	int64_t since = clock_ms_of(CLOCK_MONOTONIC);

	*ret_stuck = false;
	while (pidfd >= 0 && poll(&p, 1, LOOK_MS) <= 0) {
		uint32_t now = __atomic_load_n(&s->block->at, __ATOMIC_SEQ_CST);

		/* Before the first call the launch itself takes its time: compiling, at worst. */
		if (now != at || (!begun && s->block->base == 0))
			since = clock_ms_of(CLOCK_MONOTONIC);
		at = now;
		begun = s->block->base != 0;
		if (clock_ms_of(CLOCK_MONOTONIC) - since > patience(s)) {
			*ret_stuck = true;
			(void)kill(pid, SIGKILL);
			break;
		}
	}
	while (waitpid(pid, ret_status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* What the probe wrote. Each call that it began and did not finish is told by how it ended. */
static size_t collect(struct session *s, bool stuck, int status)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct live_call *c = &s->calls[i];
		const struct probe_call *p = &s->block->calls[i];

		if (c->end != LIVE_NOT_RUN || (p->state != PROBE_DONE && p->state != PROBE_BEGUN))
			continue;
		n++;
		c->end = p->state == PROBE_DONE ? LIVE_RETURNED : stuck ? LIVE_BLOCKED : LIVE_ENDED;
		c->result = p->result;
		c->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		for (unsigned k = 0; k < 6; k++) {
			c->args[k] = p->args[k];
			if (p->offset_mask >> k & 1)
				c->args[k] += s->block->base;
			if (p->before_mask >> k & 1)
				c->args[k] = i > 0 ? (uint64_t)s->block->calls[i - 1].result : 0;
		}
	}
	return n;
}

static int complain(const struct session *s, int errors, int status, struct err *err)
{
	char text[400] = "";
	ssize_t n = pread(errors, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	(void)err_refuse(err, "probe the policy '%.100s': the sandbox ended with %d: %.300s",
			 s->what, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
			 text);
	return err_hint(err, "a policy must let a static program start and map memory");
}

/* One sandbox. */
static int run_once(struct session *s, int block, struct err *err)
{
	_cleanup_close_ int log = memfd_create("cordon-log", MFD_CLOEXEC);
	_cleanup_close_ int errors = memfd_create("cordon-errors", MFD_CLOEXEC);
	size_t *made, n = 0;
	bool stuck;
	int status = 0, r;
	pid_t pid;

	if (log < 0 || errors < 0)
		return err_set(err, -errno, "make a memory file");
	r = spawn(s, block, log, errors, &pid, err);
	if (r < 0)
		return r;
	r = wait_end(s, pid, &stuck, &status);
	if (r < 0)
		return err_set(err, r, "wait for the sandbox");
	made = calloc(s->n, sizeof(*made));
	if (!made)
		return err_set(err, -ENOMEM, "probe a policy");
	for (size_t i = 0; i < s->n; i++) {
		uint8_t state = s->block->calls[i].state;

		if (s->calls[i].end == LIVE_NOT_RUN &&
		    (state == PROBE_DONE || state == PROBE_BEGUN))
			made[n++] = i;
	}
	r = collect(s, stuck, status) > 0 ? live_log_match(log, s->calls, made, n, err)
					  : complain(s, errors, status, err);
	free(made);
	return r;
}

int live_run(const char *what, struct live_call *calls, size_t n, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("cordon-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct session s = { .what = what, .calls = calls, .n = n };
	int r;

	if (n == 0)
		return 0;
	if (fd < 0)
		return err_set(err, -errno, "make a memory file");
	r = find_programs(&s, err);
	r = r ? r : measure(&s, err);
	if (r < 0)
		return r;
	/* Sealed, as a probe that cuts it off would take the ground from under our own mapping. */
	if (ftruncate(fd, (off_t)s.size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_set(err, -errno, "make a memory file of %zu bytes", s.size);
	s.block = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s.block == MAP_FAILED)
		return err_set(err, -errno, "map a memory file");
	fill(&s);
	while (r == 0 && choose(&s))
		r = run_once(&s, fd, err);
	(void)munmap(s.block, s.size);
	return r;
}

/* --- from attempts, and back to answers --- */

static void put_address(const struct attempt_address *a, void *room, socklen_t *ret_len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(a->port),
				    .sin6_addr = a->host };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = a->path ? strlen(a->path) : 0;

	if (a->family == AF_INET) {
		memcpy(&in.sin_addr, &a->host, sizeof(in.sin_addr));
		memcpy(room, &in, *ret_len = sizeof(in));
	} else if (a->family == AF_INET6) {
		memcpy(room, &in6, *ret_len = sizeof(in6));
	} else {
		if (len >= sizeof(un.sun_path))
			len = sizeof(un.sun_path) - 1;
		memcpy(un.sun_path, a->path, len);
		if (un.sun_path[0] == '@')
			un.sun_path[0] = '\0';
		*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		memcpy(room, &un, sizeof(un));
	}
}

void live_of_attempt(const struct attempt *a, struct live_call *ret, void *room)
{
	static const char *const twice[] = { "fork", "vfork", "clone", "clone3" };

	*ret = (struct live_call){ .nr = a->call->nr[a->abi] };
	memcpy(ret->args, a->args, sizeof(ret->args));
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++)
		ret->twice = ret->twice || strcmp(a->call->name, twice[i]) == 0;
	for (unsigned i = 0; i < 6; i++) {
		struct attempt_address address;
		socklen_t len;

		if (!a->text[i])
			continue;
		if (a->call->args[i].kind == KIND_SOCKADDR &&
		    attempt_text_address(a->text[i], &address) == 0) {
			put_address(&address, room, &len);
			ret->bytes[i] = room;
			ret->n_bytes[i] = len;
			if (i + 1 < a->call->n_args && i + 1 >= a->n_args)
				ret->args[i + 1] = len;
			continue;
		}
		ret->bytes[i] = a->text[i];
		ret->n_bytes[i] = strlen(a->text[i]) + 1;
	}
}

enum policy_action live_action(const struct live_call *c, const struct policy_verdict *expected,
			       bool notify)
{
	bool blind = expected->quiet || !notify;

	if (c->record.there)
		return c->record.kill ? POLICY_KILL : POLICY_DENY;
	if (c->end == LIVE_ENDED && c->exit_status == 128 + SIGSYS)
		return POLICY_KILL;
	if (blind && expected->action == POLICY_DENY && c->end == LIVE_RETURNED &&
	    c->result == -(int64_t)expected->errno_value)
		return POLICY_DENY;
	return POLICY_ALLOW;
}

int policy_cli_live_what(const struct policy_args *args, const char *what, char *ret, size_t size,
			 struct err *err)
{
	if (args->searches) {
		(void)err_refuse(err, "run '%.200s' with --search", what);
		return err_hint(err, "a launch looks policies up in its own places; give a path, "
				     "beside which it finds those that it uses");
	}
	return policy_cli_what(what, ret, size, err);
}
