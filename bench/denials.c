// SPDX-License-Identifier: Apache-2.0
/*
 * denials bare SECONDS [THREADS]          calls refused by the smallest notifier there can be,
 * which answers and writes nothing: the floor of `flood` denials flood SECONDS [THREADS [KINDS]] in
 * a sandbox: refused calls as fast as they can be made, all of one kind, or going round KINDS kinds
 * of them denials mark SECONDS                    in a sandbox: each half second one refused call,
 * with the time of CLOCK_MONOTONIC as its second argument denials watch SECONDS LOG PID outside:
 * how long such a call needs until its record stands in LOG, what the supervisor PID holds, how
 * fast LOG grows One JSON object on standard output each. A refused call that succeeds ends the
 * program with 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* linux/seccomp.h of Linux 6.6 */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	   SECCOMP_IOW(4, unsigned long long)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

enum { MAX_THREADS = 64, MARK_MS = 500, MAX_MARKS = 65536, MAX_SECONDS = 3600, SETTLED = 3 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void sleep_ms(uint64_t ms)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(ms / 1000),
				      .tv_nsec = (long)(ms % 1000) * 1000000 },
		  NULL);
}

/* Nanoseconds that a process has run on any processor; a busy machine changes the rate of calls,
 * and this hardly. */
static uint64_t run_ns(const char *pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns;
}

/* --- refused calls as fast as can be ------------------------------------------------------- */

static atomic_bool stop;
static unsigned n_kinds;

struct share {
	pthread_t thread;
	uint64_t made, breached;
	unsigned first;
};

/* What ends or suspends a thread and what the C library calls meanwhile (bench/flood's policy
 * allows that, and no other call), and 335 and 336, which the kernel keeps for its own probes. */
static const short left_out[] = {
	SYS_execve,
	SYS_write,
	SYS_exit,
	SYS_exit_group,
	SYS_futex,
	SYS_clone,
	SYS_clone3,
	SYS_mmap,
	SYS_mprotect,
	SYS_munmap,
	SYS_brk,
	SYS_madvise,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_rt_sigreturn,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_rseq,
	SYS_prlimit64,
	SYS_getrandom,
	SYS_newfstatat,
	SYS_readlinkat,
	SYS_clock_gettime,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_prctl,
	SYS_sched_yield,
	SYS_tgkill,
	SYS_gettid,
	SYS_getpid,
	SYS_restart_syscall,
	SYS_rt_sigsuspend,
	SYS_kill,
	SYS_tkill,
#ifdef __x86_64__
	SYS_readlink,
	SYS_arch_prctl,
	SYS_fork,
	SYS_vfork,
	SYS_pause,
	335,
	336,
#endif
};

/* This ABI's numbers, then x32's, each of which is a kind; all that are beyond are one. */
enum { NATIVE_MAX = 450, KINDS_MAX = 2 * NATIVE_MAX, X32_BIT = 0x40000000 };
static int kinds[KINDS_MAX];

static void find_kinds(void)
{
	unsigned n = 0;

	for (int nr = 0; nr <= NATIVE_MAX; nr++) {
		size_t i = 0;

		while (i < sizeof(left_out) / sizeof(left_out[0]) && left_out[i] != nr)
			i++;
		if (i == sizeof(left_out) / sizeof(left_out[0]))
			kinds[n++] = nr;
	}
	for (int nr = 0; n < KINDS_MAX; nr++)
		kinds[n++] = X32_BIT | nr;
}

static long call_kind(unsigned k)
{
	long nr = k < KINDS_MAX ? kinds[k] : 100000 + (long)k;

	return syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void *flood(void *arg)
{
	struct share *s = arg;
	unsigned k = s->first;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		long r;

		if (n_kinds <= 1) {
			r = syscall(SYS_swapoff, (long)"/cordon/denied");
		} else {
			r = call_kind(k);
			k = k + 1 < n_kinds ? k + 1 : 0;
		}
		s->made++;
		s->breached += r != -1;
	}
	return NULL;
}

/* notifier is a process that answers, or NULL. */
static int run_flood(double seconds, unsigned threads, const char *what, const char *notifier)
{
	static struct share shares[MAX_THREADS];
	uint64_t made = 0, breached = 0, from = now_ns(), took;

	find_kinds();
	for (unsigned i = 0; i < threads; i++) {
		shares[i].first = n_kinds > 1 ? i * 7 % n_kinds : 0;
		if (pthread_create(&shares[i].thread, NULL, flood, &shares[i]) != 0)
			return 2;
	}
	sleep_ms((uint64_t)(seconds * 1000));
	atomic_store(&stop, true);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(shares[i].thread, NULL);
		made += shares[i].made;
		breached += shares[i].breached;
	}
	took = now_ns() - from;
	printf("{\"what\":\"%s\",\"threads\":%u,\"kinds\":%u,\"made\":%llu,\"seconds\":%.3f,"
	       "\"per_second\":%.0f,\"notifier_ns_per_call\":%.0f}\n",
	       what, threads, n_kinds, (unsigned long long)made, (double)took / 1e9,
	       (double)made * 1e9 / (double)took,
	       notifier && made ? (double)run_ns(notifier) / (double)made : 0.0);
	fflush(stdout);
	return breached ? 3 : 0;
}

/* --- the floor ----------------------------------------------------------------------------- */

static _Noreturn void answer(int listener)
{
	struct seccomp_notif request;
	struct seccomp_notif_resp response;

	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			_exit(0);
		}
		response = (struct seccomp_notif_resp){ .id = request.id, .error = -EPERM };
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

/* The listener goes to a child made before the filter. */
static int bare_notifier(char ret_pid[16])
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_swapoff, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = insns };
	int ends[2], listener;
	char byte;
	pid_t child;

	if (pipe(ends) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (child == 0) {
		int pidfd;

		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close(ends[1]);
		if (read(ends[0], &byte, 1) != 1)
			_exit(1);
		pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
		listener = (int)syscall(SYS_pidfd_getfd, pidfd, (int)byte, 0);
		if (listener < 0)
			_exit(1);
		answer(listener);
	}
	close(ends[0]);
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	if (listener < 0 || listener > 127)
		return -1;
	byte = (char)listener;
	snprintf(ret_pid, 16, "%d", child);
	return write(ends[1], &byte, 1) == 1 ? 0 : -1;
}

/* --- a neighbour --------------------------------------------------------------------------- */

/* Ten kinds, so that none of them comes more often than flood control gives it a record. */
static int run_mark(double seconds)
{
	static const short nrs[] = {
		SYS_mount,	SYS_keyctl,	SYS_ptrace, SYS_process_vm_readv, SYS_quotactl,
		SYS_kexec_load, SYS_pivot_root, SYS_swapon, SYS_perf_event_open,  SYS_move_pages
	};
	uint64_t n = (uint64_t)(seconds * 1000) / MARK_MS;

	prctl(PR_SET_NAME, "marker", 0, 0, 0);
	for (uint64_t i = 0; i < n; i++) {
		sleep_ms(MARK_MS);
		if (syscall(nrs[i % 10], 0L, (long)now_ns(), 0L, 0L, 0L, 0L) != -1)
			return 3;
	}
	printf("{\"what\":\"mark\",\"made\":%llu}\n", (unsigned long long)n);
	return 0;
}

/* --- who looks ----------------------------------------------------------------------------- */

/* A file that grows, and how late its lines were seen. */
struct watched {
	int fd;
	uint64_t (*time_of)(const char *line);
	uint64_t late[MAX_MARKS];
	size_t n, len;
	char buf[1 << 20];
};

/* "args":["0x0","0xTIME" of a record whose comm is the marker's; 0 for others */
static uint64_t time_of_record(const char *line)
{
	const char *args = strstr(line, "\"args\":[\"");
	unsigned long long at = 0;

	if (!strstr(line, "\"comm\":\"marker\"") || !args)
		return 0;
	args = strchr(args, ',');
	return args && sscanf(args, ",\"0x%llx\"", &at) == 1 ? at : 0;
}

static uint64_t time_of_tick(const char *line)
{
	return strtoull(line, NULL, 10);
}

static struct watched records = { .time_of = time_of_record }, ticks = { .time_of = time_of_tick };

static void take_bytes(struct watched *w)
{
	ssize_t n;

	while ((n = read(w->fd, w->buf + w->len, sizeof(w->buf) - 1 - w->len)) > 0) {
		uint64_t seen = now_ns(), at;
		char *line = w->buf, *nl;

		w->len += (size_t)n;
		w->buf[w->len] = '\0';
		for (; (nl = strchr(line, '\n')); line = nl + 1) {
			*nl = '\0';
			at = w->time_of(line);
			if (at > 0 && at < seen && w->n < MAX_MARKS)
				w->late[w->n++] = seen - at;
		}
		w->len -= (size_t)(line - w->buf);
		memmove(w->buf, line, w->len);
	}
}

static int run_tick(double seconds, const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	uint64_t n = (uint64_t)(seconds * 1000) / MARK_MS;

	for (uint64_t i = 0; fd >= 0 && i < n; i++) {
		char line[32];
		int len;

		sleep_ms(MARK_MS);
		len = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)now_ns());
		if (write(fd, line, (size_t)len) != len)
			return 2;
	}
	return fd < 0 ? 2 : 0;
}

/* In KiB: proportional where it may be read, else resident. */
static unsigned long memory_of(const char *pid, const char **ret_kind)
{
	unsigned long value = 0, pages;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	*ret_kind = "pss";
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "Pss: %lu kB", &value) != 1)
		;
	if (f)
		fclose(f);
	if (value > 0)
		return value;
	*ret_kind = "rss";
	snprintf(path, sizeof(path), "/proc/%s/statm", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*u %lu", &pages) == 1)
		value = pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
	if (f)
		fclose(f);
	return value;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_late(const char *what, struct watched *w)
{
	qsort(w->late, w->n, sizeof(w->late[0]), compare);
	printf(",\"%ss\":%zu,\"%s_p50_ms\":%.1f,\"%s_max_ms\":%.1f", what, w->n, what,
	       w->n ? (double)w->late[w->n / 2] / 1e6 : 0.0, what,
	       w->n ? (double)w->late[w->n - 1] / 1e6 : 0.0);
}

/* What is looked at once a second. */
struct samples {
	unsigned long least, most; /* KiB */
	const char *kind;
	off_t size[MAX_SECONDS + 2];
	size_t n;
	uint64_t ran;
};

static void sample(struct samples *s, const char *pid)
{
	unsigned long m = memory_of(pid, &s->kind);
	uint64_t ran = run_ns(pid);
	struct stat st;

	s->ran = ran ? ran : s->ran;
	/* in the first seconds it touches its tables and buffers */
	if (m > 0 && s->n >= SETTLED) {
		s->least = s->least && s->least < m ? s->least : m;
		s->most = m > s->most ? m : s->most;
	}
	fstat(records.fd, &st);
	s->size[s->n++] = st.st_size;
}

static long long most_in_a_minute(const struct samples *s)
{
	off_t most = 0;

	for (size_t i = 0; i < s->n; i++) {
		off_t grown = s->size[i] - s->size[i > 60 ? i - 60 : 0];

		most = grown > most ? grown : most;
	}
	return (long long)most;
}

static int run_watch(double seconds, const char *log, const char *pid, const char *file)
{
	static struct samples s = { .kind = "?" };
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	uint64_t begin = now_ns(), next = begin;

	records.fd = open(log, O_RDONLY | O_CLOEXEC);
	ticks.fd = open(file, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (records.fd < 0 || ticks.fd < 0 || inotify_add_watch(events, log, IN_MODIFY) < 0 ||
	    inotify_add_watch(events, file, IN_MODIFY) < 0)
		return perror(log), 2;
	while ((double)(now_ns() - begin) < seconds * 1e9) {
		struct pollfd p = { .fd = events, .events = POLLIN };
		uint64_t now = now_ns();
		char drop[4096];

		if (now >= next && s.n <= MAX_SECONDS) {
			sample(&s, pid);
			next += 1000000000U;
		}
		now = now_ns();
		poll(&p, 1, next > now ? (int)((next - now) / 1000000) + 1 : 0);
		while (read(events, drop, sizeof(drop)) > 0)
			;
		take_bytes(&records);
		take_bytes(&ticks);
	}
	sample(&s, pid);
	printf("{\"what\":\"watch\"");
	print_late("mark", &records);
	print_late("tick", &ticks);
	printf(",\"memory\":\"%s\",\"min_kib\":%lu,\"max_kib\":%lu,\"most_bytes_a_minute\":%lld,"
	       "\"notifier_ns\":%llu}\n",
	       s.kind, s.least, s.most, most_in_a_minute(&s), (unsigned long long)s.ran);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char notifier[16] = "";
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 0;
	long threads = argc > 3 ? strtol(argv[3], NULL, 10) : 1;

	n_kinds = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1;
	if (seconds <= 0 || seconds > MAX_SECONDS)
		return fprintf(stderr, "usage: denials bare|flood|mark|tick|watch SECONDS ...\n"),
		       2;
	if (strcmp(what, "watch") == 0 && argc == 6)
		return run_watch(seconds, argv[3], argv[4], argv[5]);
	if (strcmp(what, "tick") == 0 && argc == 4)
		return run_tick(seconds, argv[3]);
	if (strcmp(what, "mark") == 0)
		return run_mark(seconds);
	if (threads < 1 || threads > MAX_THREADS)
		return 2;
	if (strcmp(what, "bare") == 0) {
		n_kinds = 1;
		if (bare_notifier(notifier) < 0)
			return fprintf(stderr, "denials: no notifier: %s\n", strerror(errno)), 2;
	} else if (strcmp(what, "flood") != 0) {
		return 2;
	}
	return run_flood(seconds, (unsigned)threads, what, notifier[0] ? notifier : NULL);
}
