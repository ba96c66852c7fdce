// SPDX-License-Identifier: Apache-2.0
/*
 * inside NAME=VALUE...: the payload of a random launch: checks the invariants of a sandbox from
 * inside, and says what does not hold. The words say what was asked for (launch_tell() in
 * tests/launches/expect.c writes them). A line for each thing that is wrong, and at the end
 * "end CHECKS BREACHES LOST BLIND"; then it ends as the words exit=N or signal=N want it.
 * inside --list: the checks. Static, and includes nothing of cordon's; few calls, for under a
 * random policy each may be refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/launches/inside.h"

static const struct checks *const all[] = { &checks_self, &checks_view, &checks_others };

static char **words;
static int n_words;
static unsigned n_checks, n_breaches, n_lost, n_blind;
static bool failed; /* the check that runs */
char secret[64];

const char *told_next(const char *name, int *at)
{
	size_t len = strlen(name);

	for (; *at < n_words; (*at)++) {
		const char *word = words[*at];

		if (strncmp(word, name, len) == 0 && word[len] == '=') {
			(*at)++;
			return word + len + 1;
		}
	}
	return NULL;
}

const char *told(const char *name)
{
	int at = 0;

	return told_next(name, &at);
}

long told_number(const char *name, long otherwise)
{
	const char *value = told(name);

	return value ? strtol(value, NULL, 0) : otherwise;
}

static void say(const char *kind, const struct check *c, const char *fmt, va_list ap)
{
	char line[1024];
	size_t n = (size_t)snprintf(line, sizeof(line), "%s %s %s: ", kind, c->id, c->what);

	if (n < sizeof(line) - 1) {
		int more = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);

		n += more > 0 ? (size_t)more : 0;
	}
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (size_t i = 0; i < n; i++)
		if (line[i] == '\n' || line[i] == '\r')
			line[i] = ' ';
	line[n] = '\n';
	if (write(STDOUT_FILENO, line, n + 1) < 0)
		_exit(98);
	failed = true;
}

#define SAY(kind)                                                                                  \
	va_list ap;                                                                                \
	va_start(ap, fmt);                                                                         \
	say(#kind, c, fmt, ap);                                                                    \
	va_end(ap)

void breach(const struct check *c, const char *fmt, ...)
{
	SAY(breach);
	n_breaches++;
}

void lost(const struct check *c, const char *fmt, ...)
{
	SAY(lost);
	n_lost++;
}

void blind(const struct check *c, const char *fmt, ...)
{
	SAY(blind);
	n_blind++;
}

int read_file(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t n = 0;
	ssize_t r = 0;

	if (fd < 0)
		return -errno;
	while (n < size - 1 && (r = read(fd, ret + n, size - 1 - n)) > 0)
		n += (size_t)r;
	r = r < 0 && n == 0 ? -errno : (ssize_t)n;
	close(fd);
	ret[n] = '\0';
	return (int)r;
}

bool holds(const char *bytes, size_t n, const char *word)
{
	return word[0] && memmem(bytes, n, word, strlen(word)) != NULL;
}

/* It is told backwards, so that it stands in no argument. */
static void take_secret(void)
{
	const char *back = told("secret-backwards");
	size_t n = back ? strlen(back) : 0;

	for (size_t i = 0; i < n && i < sizeof(secret) - 1; i++)
		secret[i] = back[n - 1 - i];
}

static int list(void)
{
	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		for (size_t i = 0; i < all[k]->n; i++)
			printf("%s %s\n", all[k]->first[i].id, all[k]->first[i].what);
	return fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
	char line[128];
	int n;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	words = argv + 1;
	n_words = argc - 1;
	take_secret();
	alarm(15);
	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		for (size_t i = 0; i < all[k]->n; i++) {
			failed = false;
			all[k]->first[i].go(&all[k]->first[i]);
			n_checks++;
		}
	}
	/* argv[0] is part of what was asked for */
	if (told("argv0") && strcmp(told("argv0"), argv[0]) != 0)
		lost(&(struct check){ .id = "S1", .what = "argv0" }, "it is '%s'", argv[0]);
	n = snprintf(line, sizeof(line), "end %u %u %u %u\n", n_checks, n_breaches, n_lost,
		     n_blind);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(98);
	if (told_number("signal", 0) > 0) {
		raise((int)told_number("signal", 0));
		_exit(97);
	}
	_exit((int)told_number("exit", 0));
}
