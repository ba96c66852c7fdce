// SPDX-License-Identifier: Apache-2.0
/*
 * outage: reads lines from standard input. "N" makes N refused calls, going round some fifty kinds
 * of them so that most have a record of their own, and answers with
 *     {"made":N,"refused":M,"max_us":U}
 * where M is how many of them said EPERM and U how long the slowest took; "N pause MS" sleeps so
 * long behind each ten. The end of input ends it, with 1 when a call was not refused. For what
 * happens to an audit log while nobody can write it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Refused with EPERM by the default policy; with arguments that do nothing where it is not there.
 */
static const long calls[] = {
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_setns,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_move_mount,
	SYS_open_tree,
	SYS_mount_setattr,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_move_pages,
	SYS_migrate_pages,
	SYS_open_by_handle_at,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	SYS_acct,
	SYS_syslog,
	SYS_fanotify_init,
	SYS_fanotify_mark,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_vhangup,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_settimeofday,
};

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void)
{
	const size_t n_calls = sizeof(calls) / sizeof(calls[0]);
	char line[64];
	size_t at = 0;
	int bad = 0;

	while (fgets(line, sizeof(line), stdin)) {
		long n = 0, pause_ms = 0, refused = 0;
		long long most = 0;

		sscanf(line, "%ld pause %ld", &n, &pause_ms);
		for (long i = 0; i < n; i++) {
			long long from = now_ns(), took;

			if (syscall(calls[at], -1L, -1L, -1L, -1L, -1L, -1L) == -1 &&
			    errno == EPERM)
				refused++;
			took = now_ns() - from;
			most = took > most ? took : most;
			at = (at + 1) % n_calls;
			if (pause_ms > 0 && i % 10 == 9)
				usleep((useconds_t)pause_ms * 1000);
		}
		bad |= refused != n;
		printf("{\"made\":%ld,\"refused\":%ld,\"max_us\":%lld}\n", n, refused, most / 1000);
		fflush(stdout);
	}
	return bad;
}
