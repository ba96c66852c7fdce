// SPDX-License-Identifier: Apache-2.0
/*
 * denied N [THREADS [CALL]]: make N refused calls, shared out to THREADS, and print
 *     {"call":"...","made":N,"refused":M,"errno":"EPERM","ns_per_call":F}
 * CALL is one of those below (the first without it). Exit status 1 when one was not refused.
 * For loads on the audit log: what it holds must add up to N.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name;
	long nr;
	long args[6];
} calls[] = {
	{ "swapoff", SYS_swapoff, { (long)"/cordon/denied" } },
	{ "chroot", SYS_chroot, { (long)"/" } },
	{ "keyctl", SYS_keyctl, { 0, -3, 0 } },
	{ "bpf", SYS_bpf, { 0, 0, 0 } },
	{ "mount", SYS_mount, { (long)"none", (long)"/tmp", (long)"tmpfs", 0, 0 } },
	{ "ptrace", SYS_ptrace, { 16, 1, 0, 0 } },
	{ "acct", SYS_acct, { (long)"/a\n{\"forged\":true}\x1b[2J\xff" } },
	{ "number-600", 600, { 1, 2, 3, 4, 5, 6 } },
};

struct share {
	pthread_t thread;
	long n, refused;
	int code;
	size_t call;
};

static void *work(void *arg)
{
	struct share *s = arg;
	const long *a = calls[s->call].args;

	for (long i = 0; i < s->n; i++)
		if (syscall(calls[s->call].nr, a[0], a[1], a[2], a[3], a[4], a[5]) < 0) {
			s->refused++;
			s->code = errno;
		}
	return NULL;
}

int main(int argc, char **argv)
{
	enum { MAX_THREADS = 256 };
	static struct share shares[MAX_THREADS];
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1, refused = 0;
	long threads = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
	struct timespec from, to;
	size_t call = 0;

	if (argc > 3)
		while (call < sizeof(calls) / sizeof(*calls) &&
		       strcmp(calls[call].name, argv[3]) != 0)
			call++;
	if (n < 0 || threads < 1 || threads > MAX_THREADS ||
	    call == sizeof(calls) / sizeof(*calls)) {
		fprintf(stderr, "usage: denied N [THREADS [CALL]]\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < threads; i++) {
		shares[i].n = n / threads + (i < n % threads);
		shares[i].call = call;
		if (i > 0 && pthread_create(&shares[i].thread, NULL, work, &shares[i]) != 0) {
			fprintf(stderr, "denied: no thread\n");
			return 2;
		}
	}
	work(&shares[0]);
	for (long i = 0; i < threads; i++) {
		if (i > 0)
			pthread_join(shares[i].thread, NULL);
		refused += shares[i].refused;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	const char *code = strerrorname_np(shares[0].code);

	printf("{\"call\":\"%s\",\"made\":%ld,\"refused\":%ld,\"errno\":\"%s\",\"ns_per_call\":%."
	       "1f}\n",
	       calls[call].name, n, refused, code ? code : "0", n ? ns / (double)n : 0.0);
	return refused != n;
}
