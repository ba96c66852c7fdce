// SPDX-License-Identifier: Apache-2.0
/*
 * hostile [--list | --has-int80] [NAME...]: what a malicious build would try, from inside.
 * One line an attempt:
 *     refused  NAME  (errno)       the kernel or the sandbox said no
 *     hidden   NAME                there is nothing to be had
 *     bounded  NAME  at N          it went so far and no further
 *     BREACH   NAME  (what)        it worked
 * --has-int80, outside: status 0 when the kernel has the 32-bit entry, 1 when that faults.
 * Exit status 0 only with no BREACH. Each attempt runs in a process of its own, so that being
 * killed for it is an answer too. What would harm a machine (reboot, fork without end, kill
 * everything) is tried only when no_new_privs, a seccomp filter and a pid namespace are seen in
 * force; no packet is ever sent: 192.0.2.1 (RFC 5737) must have no route before it is dialled.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/hostile_tries.h"

/* ---- the list */

struct attempt {
	const char *name;
	struct answer (*go)(const void *arg);
	const void *arg;
	int flags;
};

static const struct attempt special[] = {
	{ "home-list", try_home_list, NULL, 0 },
	{ "home-secrets", try_home_secrets, NULL, 0 },
	{ "ptrace-sibling", try_ptrace, NULL, 0 },
	{ "ptrace-init", try_ptrace, "1", 0 },
	{ "process_vm_readv", try_vm, NULL, 0 },
	{ "process_vm_writev", try_vm, "w", 0 },
	{ "pidfd_getfd", try_pidfd_getfd, NULL, 0 },
	{ "setns-init-mnt", try_setns, "/proc/1/ns/mnt", 0 },
	{ "setns-init-pid", try_setns, "/proc/1/ns/pid", 0 },
	{ "setns-own-net", try_setns, "/proc/self/ns/net", 0 },
	{ "host-processes", try_host_processes, NULL, 0 },
	{ "tiocsti", try_tiocsti, NULL, 0 },
	{ "tiocsti-own-pty", try_own_pty, NULL, 0 },
	{ "tioclinux-own-pty", try_own_pty, "l", 0 },
	{ "connect-out", try_connect, "192.0.2.1", 0 },
	{ "abstract-sockets", try_abstract, NULL, 0 },
#ifdef __x86_64__
	{ "int80-getpid", try_int80, NULL, 0 },
#endif
	{ "core-dump", try_core, NULL, 0 },
	{ "inodes-tmp", try_inodes, "/tmp", 0 },
	{ "fill-tmp", try_fill, "/tmp", DANGEROUS },
	{ "fill-shm", try_fill, "/dev/shm", DANGEROUS },
	{ "fork-bomb", try_fork_bomb, NULL, DANGEROUS },
	{ "kill-parent", try_kill, NULL, DANGEROUS },
	{ "kill-init", try_kill, "1", DANGEROUS },
};

enum { ATTEMPTS = 256 };
static struct attempt all[ATTEMPTS];
static size_t n_all;

static void add(const char *prefix, const char *name, struct answer (*go)(const void *),
		const void *arg, int flags)
{
	static char names[ATTEMPTS][96];

	if (n_all == ATTEMPTS)
		abort();
	snprintf(names[n_all], sizeof(names[0]), "%s%s", prefix, name);
	all[n_all] = (struct attempt){ names[n_all], go, arg, flags };
	n_all++;
}

#define EACH(i, table) (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)

static void list_all(void)
{
	for
		EACH(i, secrets)
	add("read:", secrets[i], try_read, secrets[i], 0);
	for
		EACH(i, controls)
	add("write:", controls[i], try_control, controls[i], 0);
	for
		EACH(i, base_dirs)
	add("create:", base_dirs[i], try_write_base, base_dirs[i], 0);
	for
		EACH(i, sockets)
	add("", sockets[i].name, try_socket, &sockets[i].family, 0);
	for
		EACH(i, calls)
	add("", calls[i].name, try_call, &calls[i], calls[i].flags);
	for
		EACH(i, special)
	add("", special[i].name, special[i].go, special[i].arg, special[i].flags);
}

/*
 * In a process of its own; its answer comes through a pipe, or its death is the answer. Where no
 * process can be made (a policy for filters) it is made here, and a death ends the list.
 */
static struct answer attempt(const struct attempt *t)
{
	struct answer a = breach("it hung");
	int ends[2], status = 0;

	if (t->flags & DANGEROUS && !locked)
		return breach("not tried: no lock is in force");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return breach("no pipe");
	pid_t pid = fork();

	if (pid == 0) {
		alarm(ATTEMPT_S);
		struct answer one = t->go(t->arg);

		_exit(write(ends[1], &one, sizeof(one)) != (ssize_t)sizeof(one));
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return t->go(t->arg);
	}
	struct pollfd p = { .fd = ends[0], .events = POLLIN };
	ssize_t n = poll(&p, 1, (ATTEMPT_S + 5) * 1000) <= 0 ? -1 : read(ends[0], &a, sizeof(a));

	if (n < 0)
		end(pid);
	waitpid(pid, &status, 0);
	close(ends[0]);
	if (n == 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM)
		return (struct answer){ .kind = REFUSED, .number = SIGNALLED + WTERMSIG(status) };
	return n == (ssize_t)sizeof(a) ? a : breach("no answer came");
}

static void print(const char *name, const struct answer *a)
{
	static const char *const words[_KIND_MAX] = { "refused", "hidden", "bounded", "BREACH" };

	printf("%-8s %s", words[a->kind], name);
	if (a->kind == REFUSED && a->number >= IGNORED)
		printf("  (ignored)");
	else if (a->kind == REFUSED && a->number >= SIGNALLED)
		printf("  (SIG%s)", sigabbrev_np((int)a->number - SIGNALLED));
	else if (a->kind == REFUSED)
		printf("  (%s)",
		       strerrorname_np((int)a->number) ? strerrorname_np((int)a->number) : "?");
	else if (a->kind == BOUNDED)
		printf("  at %ld%s%s", a->number, a->text[0] ? " " : "", a->text);
	else if (a->kind == BREACH)
		printf("  (%s)", a->text);
	putchar('\n');
	fflush(stdout);
}

static bool status_has(const char *line)
{
	char text[256];
	FILE *f = fopen("/proc/self/status", "re");
	bool found = false;

	while (f && fgets(text, sizeof(text), f))
		found |= strcmp(text, line) == 0;
	if (f)
		fclose(f);
	return found;
}

static bool see_lock(void)
{
	struct stat st;

	return status_has("NoNewPrivs:\t1\n") && status_has("Seccomp:\t2\n") &&
	       stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != (unsigned)PID_INIT_INO;
}

int main(int argc, char **argv)
{
	long count[_KIND_MAX] = { 0 };
	bool last = argc < 2;

	first_parent = getppid();
	clock_gettime(CLOCK_REALTIME, &now);
	now_tv = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	signal(SIGPIPE, SIG_IGN);
	list_all();
#ifdef __x86_64__
	if (argc == 2 && !strcmp(argv[1], "--has-int80"))
		return int80_getpid() == NO_ENTRY;
#endif
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < n_all; i++)
			puts(all[i].name);
		puts("kill-all");
		return 0;
	}
	locked = see_lock();
	for (int i = 1; i < argc; i++) {
		bool known = !strcmp(argv[i], "kill-all");

		last |= known;
		for (size_t k = 0; k < n_all; k++)
			known |= !strcmp(argv[i], all[k].name);
		if (!known) {
			fprintf(stderr, "hostile: no attempt is named '%s' (--list shows them)\n",
				argv[i]);
			return 2;
		}
	}
	for (size_t k = 0; k < n_all; k++) {
		bool wanted = argc < 2;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], all[k].name);
		if (!wanted)
			continue;
		struct answer a = attempt(&all[k]);

		print(all[k].name, &a);
		count[a.kind]++;
	}
	if (last) {
		/* Everybody that can be seen. pid 1 and we remain; what is outside is not reached.
		 */
		struct answer a = { .kind = BOUNDED, .text = "processes, all of this sandbox" };

		if (!locked)
			a = breach("not tried: no lock is in force");
		else if (kill(-1, SIGKILL) < 0 && errno != ESRCH)
			a = refused();
		print("kill-all", &a);
		count[a.kind]++;
	}
	printf("hostile: %ld refused, %ld hidden, %ld bounded, %ld BREACH\n", count[REFUSED],
	       count[HIDDEN], count[BOUNDED], count[BREACH]);
	return count[BREACH] != 0;
}
