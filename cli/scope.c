// SPDX-License-Identifier: Apache-2.0
/* The launcher's part: is there somebody to ask, and what did the program that asks say. */
#include "cli/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cli/programs.h"
#include "cli/scope_socket.h"

extern char **environ;

/* All signals are blocked while a launch is prepared; the program has them as it began. */
static int spawn(const char *path, char *const *argv, int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int r;

	(void)sigemptyset(&none);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnattr_setsigmask(&attr, &none);
	if (r == 0)
		r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	if (r == 0)
		r = posix_spawn(ret, path, &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* What it says until it ends: at most size - 1 bytes. 0, or -ETIMEDOUT. */
static int listen_to(int fd, char *ret, size_t size)
{
	const int64_t end = clock_ms_of(CLOCK_MONOTONIC) + SCOPE_WAIT_MS;
	size_t len = 0;

	ret[0] = '\0';
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - clock_ms_of(CLOCK_MONOTONIC);
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = p.revents ? read(fd, ret + len, size - 1 - len) : 0;
		if (n == 0 && p.revents)
			return 0;
		if (n > 0)
			len += (size_t)n;
		ret[len] = '\0';
		if (len + 1 == size)
			return 0;
	}
}

/* "SENTENCE\nHINT\n": what went wrong, in the words of who knows. */
static int take_answer(char *text, struct err *err)
{
	char *hint = strchr(text, '\n');

	if (!hint)
		return err_set(err, -EPROTO, "understand what cordon-scope says");
	*hint++ = '\0';
	hint[strcspn(hint, "\n")] = '\0';
	(void)err_refuse(err, "%s", text);
	if (hint[0])
		(void)err_hint(err, "%s", hint);
	return err->code = -EREMOTEIO;
}

static int run(const char *path, const char *name, struct err *err)
{
	_cleanup_close_ int in = -1, out = -1;
	char text[LIMIT_ERR_TEXT + LIMIT_ERR_HINT], pid[16];
	const char *argv[] = { "cordon-scope", pid, name, NULL };
	int fds[2], status, r;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	in = fds[0];
	out = fds[1];
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	r = spawn(path, (char *const *)(uintptr_t)argv, out, &child);
	if (r < 0)
		return err_set(err, r, "run '%s'", path);
	fd_closep(&out);
	r = listen_to(in, text, sizeof(text));
	if (r < 0)
		(void)kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return err_set(err, -errno, "wait for cordon-scope");
	}
	if (r < 0)
		return err_set(err, r, "wait longer than %d s for cordon-scope",
			       SCOPE_WAIT_MS / 1000);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : take_answer(text, err);
}

int scope_ask(void *ctx, const char *name, struct err *err)
{
	const char *path = programs_path("scope", err);
	char socket[108]; /* sockaddr_un.sun_path */

	(void)ctx;
	if (!path)
		return err->code;
	if (scope_find_socket(socket, sizeof(socket)) < 0 || access(path, X_OK) < 0)
		return -ENOENT;
	return run(path, name, err);
}
