// SPDX-License-Identifier: Apache-2.0
/*
 * What a launcher that gives up says: one sentence (cli/print.c), with one hint at most, about what
 * it was doing when the call failed. Coarsely: a call has the words of all that it is made for, so
 * that a sentence about something unrelated is found, and any about the right kind of thing is not.
 * A call without a row (memory, identities, times) may be made on behalf of anything.
 */
#include "tests/faults/faults.h"

#include <string.h>
#include <sys/syscall.h>

/* Of a sentence one word has to be among them, with bars between. */
static const struct {
	int nr;
	const char *words;
} said_of[] = {
	{ SYS_open_tree, "take|cover|mask|mount|root|empty|open|base|overlay|hide|make a file" },
	{ SYS_move_mount, "mount|mask|cover|attach|root|keep|put|overlay" },
	{ SYS_mount_setattr, "mount flags|private|read-only" },
	{ SYS_fsopen, "file system|tmpfs|overlay|proc|/dev/pts|cover|mount" },
	{ SYS_fsconfig, "file system|tmpfs|overlay|proc|/dev/pts|cover|mount" },
	{ SYS_fsmount, "file system|tmpfs|overlay|proc|/dev/pts|cover|mount" },
	{ SYS_umount2, "root|mount|aside" },
	{ SYS_pivot_root, "pivot" },
	{ SYS_mkdirat, "make|enter" },
	{ SYS_symlinkat, "symlink" },
	{ SYS_fchmodat, "make|mode" },
	{ SYS_fchmod, "make|mode" },
	{ SYS_openat, "open|make|read|look|list|find|write|use|run|give" },
	{ SYS_openat2, "open|make|read|look|list|find|write|use|grant|hide|cover|enter" },
	{ SYS_newfstatat, "look|open|list|grant|use|run|find|make|mount|take|read|pass" },
	{ SYS_statx, "mount|mask|cover|attach|root|take|find|look|use|put" },
	{ SYS_fstatfs, "look|mount flags|limits|use" },
	{ SYS_readlink, "look|find|use|run" },
	{ SYS_access, "look|policy" },
	{ SYS_getdents64, "list|find|read" },
	{ SYS_clone3, "namespaces|start|run|process" },
	{ SYS_vfork, "run" },
	{ SYS_wait4, "wait" },
	{ SYS_execve, "run" },
	{ SYS_seccomp, "seccomp|denials" },
	{ SYS_prctl, "dumpable|no_new_privs|NoNewPrivs|capabilit|Cap|securebits|life|seccomp" },
	{ SYS_capset, "capabilit|Cap" },
	{ SYS_capget, "capabilit|Cap" },
	{ SYS_landlock_create_ruleset, "Landlock" },
	{ SYS_landlock_add_rule, "Landlock" },
	{ SYS_landlock_restrict_self, "Landlock" },
	{ SYS_prlimit64, "limit" },
	{ SYS_sethostname, "host name" },
	{ SYS_setsid, "session" },
	{ SYS_getsid, "session" },
	{ SYS_keyctl, "keyring" },
	{ SYS_personality, "execution domain" },
	{ SYS_close_range, "close" },
	{ SYS_dup2, "descriptor" },
	{ SYS_fcntl, "descriptor|terminal|audit|log|listener|wire" },
	{ SYS_socketpair, "wire" },
	{ SYS_sendmsg, "hand|audit" },
	{ SYS_recvmsg, "hear|receive" },
	{ SYS_recvfrom, "consent|hear|receive" },
	{ SYS_sendto, "tell|audit" },
	{ SYS_poll, "wait|hear|alive|show" },
	{ SYS_ioctl, "terminal|denials|loopback|listen|namespace|payload" },
	{ SYS_rt_sigprocmask, "signal" },
	{ SYS_rt_sigaction, "signal|Sig" },
	{ SYS_signalfd4, "signal" },
	{ SYS_getcwd, "working directory" },
	{ SYS_chdir, "working directory|root" },
	{ SYS_fchdir, "working directory|root" },
	{ SYS_getrandom, "random|draw|make" },
	{ SYS_memfd_create, "memory file|file" },
	{ SYS_pread64, "audit|log|seal|back" },
	{ SYS_pwrite64, "audit|log|seal" },
	{ SYS_fsync, "audit|log|seal" },
	{ SYS_flock, "audit|log|seal" },
	{ SYS_getgroups, "groups" },
};

static bool has_word(const char *line, size_t len, const char *words)
{
	for (const char *w = words; *w; w += strcspn(w, "|"), w += *w == '|') {
		const size_t n = strcspn(w, "|");

		for (size_t i = 0; i + n <= len; i++)
			if (strncmp(line + i, w, n) == 0)
				return true;
	}
	return false;
}

static bool fits(const struct fault *f, const char *line, size_t len)
{
	/* What a lie or a death was seen by is told, and that may be anything. */
	if (f->kind != KIND_FAIL)
		return true;
	for (size_t i = 0; i < sizeof(said_of) / sizeof(*said_of); i++)
		if (said_of[i].nr == f->nr)
			return has_word(line, len, said_of[i].words);
	return true;
}

bool sentence_is_fit(const struct fault *f, const char *err, bool subjects, FILE *why)
{
	static const char cannot[] = "cordon: cannot ", own[] = "cordon: ", hint[] = "hint: ";
	unsigned sentences = 0, hints = 0, others = 0;
	bool fit = true;

	for (const char *p = err; *p;) {
		const size_t len = strcspn(p, "\n");

		if (!strncmp(p, cannot, sizeof(cannot) - 1)) {
			sentences++;
			fit = fit && (!subjects || fits(f, p, len));
		} else if (!strncmp(p, hint, sizeof(hint) - 1)) {
			hints++;
		} else {
			others += strncmp(p, own, sizeof(own) - 1) != 0;
		}
		p += len + (p[len] == '\n');
	}
	if (sentences != 1 || hints > 1 || others > 0)
		fprintf(why, "  %u sentences, %u hints, %u lines of somebody else\n", sentences,
			hints, others);
	if (!fit)
		fprintf(why, "  the sentence is about something else\n");
	return fit && sentences == 1 && hints <= 1 && others == 0;
}
