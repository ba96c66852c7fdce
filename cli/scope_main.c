// SPDX-License-Identifier: Apache-2.0
/*
 * cordon-scope PID NAME: ask the caller's service manager for a transient scope with that process
 * in it, delegated to the caller (systemd's org.freedesktop.systemd1.Manager.StartTransientUnit),
 * and wait until it is there. Status 0 and silence, or 1 and two lines on standard output for the
 * launcher, which runs this: what could not be done, and what to do.
 *
 * A program of its own, because libsystemd is a shared library with many below it and most launches
 * never need it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/scope.h"
#include "cli/scope_socket.h"

#define MANAGER	     "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_FACE "org.freedesktop.systemd1.Manager"

struct asking {
	sd_bus *bus;
	const char *name;
	enum scope_socket socket;
	uint64_t deadline; /* microseconds of CLOCK_MONOTONIC */
	bool ended;	   /* the job that starts the scope has */
	char result[32];   /* "done" */
};

static int fail(const char *what, const char *why, const char *hint)
{
	(void)printf("%s: %s\n%s\n", what, why, hint);
	return EXIT_FAILURE;
}

static uint64_t left_of(const struct asking *a)
{
	const uint64_t now = clock_ns() / 1000;

	return now < a->deadline ? a->deadline - now : 1;
}

/* As the D-Bus specification has addresses: what is not one of these is "%HH". */
static int put_address(struct buf *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_/.";
	int r = buf_puts(out, "unix:path=");

	for (; *path && r == 0; path++)
		r = strchr(plain, *path) ? buf_put(out, path, 1)
					 : buf_printf(out, "%%%02x", (unsigned char)*path);
	return r;
}

static bool is_ready(const struct asking *a)
{
	return sd_bus_is_ready(a->bus) != 0;
}

static bool has_ended(const struct asking *a)
{
	return a->ended;
}

/* 0, or -errno: -ETIMEDOUT at the deadline. Calls that follow have what is left. */
static int wait_until(struct asking *a, bool (*holds)(const struct asking *))
{
	while (!holds(a)) {
		const uint64_t now = clock_ns() / 1000;
		int r = sd_bus_process(a->bus, NULL);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (now >= a->deadline)
			return -ETIMEDOUT;
		r = sd_bus_wait(a->bus, a->deadline - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return sd_bus_set_method_call_timeout(a->bus, left_of(a));
}

static int open_bus(struct asking *a)
{
	_cleanup_buf_ struct buf address = BUF_INIT;
	char path[108];
	int which = scope_find_socket(path, sizeof(path));
	int r;

	if (which < 0)
		return -ENOENT;
	a->socket = (enum scope_socket)which;
	r = put_address(&address, path);
	if (r == 0)
		r = sd_bus_new(&a->bus);
	if (r >= 0)
		r = sd_bus_set_address(a->bus, address.data);
	/* The manager's own socket is no bus: there is nobody to say hello to. */
	if (r >= 0)
		r = sd_bus_set_bus_client(a->bus, a->socket == SCOPE_BUS);
	if (r >= 0)
		r = sd_bus_start(a->bus);
	/* A call would wait for the greeting much longer than it waits for its answer. */
	return r < 0 ? r : wait_until(a, is_ready);
}

/* In another pid namespace our number is somebody else's, who would be moved instead of us. Who
 * listens outside of ours shows as 0; a link that may not be read decides nothing. */
static bool shares_our_pids(struct asking *a)
{
	int fd = sd_bus_get_fd(a->bus);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat own, theirs;
	char path[64];

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)peer.pid);
	return stat(path, &theirs) < 0 || stat("/proc/self/ns/pid", &own) < 0 ||
	       own.st_ino == theirs.st_ino;
}

static int on_job_removed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct asking *a = data;
	const char *job, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0 ||
	    strcmp(unit, a->name) != 0)
		return 0;
	a->ended = true;
	(void)snprintf(a->result, sizeof(a->result), "%s", result);
	return 0;
}

/* Before the question, so that no answer is missed. */
static int subscribe(struct asking *a)
{
	int r = sd_bus_match_signal(a->bus, NULL, a->socket == SCOPE_BUS ? MANAGER : NULL,
				    MANAGER_PATH, MANAGER_FACE, "JobRemoved", on_job_removed, a);

	if (r < 0 || a->socket != SCOPE_BUS)
		return r;
	/* On a bus a manager speaks only when somebody has asked it to. */
	return sd_bus_call_method(a->bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "Subscribe", NULL,
				  NULL, NULL);
}

static int start(struct asking *a, uint32_t pid, sd_bus_error *error)
{
	/* "fail": never in place of a unit that is there. A scope that has failed is forgotten like
	 * any other. */
	return sd_bus_call_method(a->bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "StartTransientUnit",
				  error, NULL, "ssa(sv)a(sa(sv))", a->name, "fail", 4,
				  "Description", "s", "a cordon sandbox", "PIDs", "au", 1, pid,
				  "Delegate", "b", 1, "CollectMode", "s", "inactive-or-failed", 0);
}

static const char *hint_for(int code)
{
	switch (code) {
	case -ETIMEDOUT:
		return "the manager hangs: see 'systemctl --user status'; or give cordon a "
		       "delegated "
		       "cgroup, as systemd-run --user --scope -p Delegate=yes does";
	case -EACCES:
	case -EPERM:
		return "start cordon in a session of this user, where its manager may take it "
		       "over; "
		       "or in a cgroup that is delegated";
	default:
		return "see 'systemctl --user status'; a user without a session has a manager "
		       "after "
		       "'loginctl enable-linger'";
	}
}

static int ask(struct asking *a, uint32_t pid)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char what[192];
	int r = open_bus(a);

	(void)snprintf(what, sizeof(what), "ask %s for the scope '%.80s'",
		       geteuid() == 0 ? "systemd" : "the user manager of systemd", a->name);
	if (r >= 0 && !shares_our_pids(a))
		return fail(what, "it is outside of this pid namespace",
			    "delegate a cgroup to whoever starts cordon here");
	if (r >= 0)
		r = subscribe(a);
	if (r >= 0)
		r = start(a, pid, &error);
	if (r >= 0)
		r = wait_until(a, has_ended);
	if (r < 0) {
		r = fail(what, error.message ? error.message : strerror(-r), hint_for(r));
		sd_bus_error_free(&error);
		return r;
	}
	if (strcmp(a->result, "done") != 0)
		return fail(what, a->result,
			    "see 'journalctl --user -u cordon-*.scope' for the manager's reason");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct asking a = { .deadline = clock_ns() / 1000 + SCOPE_ANSWER_MS * 1000ULL };
	uint64_t pid;
	int status;

	if (argc != 3 || text_parse_u64(argv[1], &pid) < 0 || pid == 0 || pid > INT32_MAX)
		return fail("ask for a scope", "usage: cordon-scope PID NAME",
			    "cordon runs this program itself");
	a.name = argv[2];
	status = ask(&a, (uint32_t)pid);
	sd_bus_unref(a.bus);
	return status;
}
