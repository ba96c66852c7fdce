// SPDX-License-Identifier: Apache-2.0
/* What came of a launch with a fault in it. */
#include "tests/faults/faults.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

const char *const verdict_names[_VERDICT_MAX] = {
	"refused", "confined", "stopped", "killed", "poorer", "given up", "WEAKER",
	"SILENT",  "ASTRAY",   "HUNG",	  "LEFT",   "STATUS", "UNTOLD",	  "LOG",
};
const char verdict_letters[_VERDICT_MAX + 1] = "rcskpgWSAHLXUB";

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *p = text; (p = strstr(p, "\n"));) {
		p++;
		if (strncmp(p, line, len) == 0 && p[len] == '\n')
			return true;
	}
	return strncmp(text, line, len) == 0 && text[len] == '\n';
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* "list PATH: mode ...": the other fingerprint has the same there, with more permissions. */
static bool has_narrower_mode(const char *line, const char *other)
{
	const char *colon = strstr(line, ": mode ");
	unsigned mode, was;
	int at = 0, at_was = 0;

	if (!colon || sscanf(colon, ": mode %o%n", &mode, &at) != 1)
		return false;
	for (const char *p = other; p; p = strchr(p, '\n')) {
		size_t rest;

		p += *p == '\n';
		if (strncmp(p, line, (size_t)(colon - line)) != 0 ||
		    sscanf(p + (colon - line), ": mode %o%n", &was, &at_was) != 1)
			continue;
		rest = strcspn(p + (colon - line) + at_was, "\n");
		return (mode & S_IFMT) == (was & S_IFMT) && (mode & ~was & 0777) == 0 &&
		       strlen(colon + at) == rest &&
		       strncmp(p + (colon - line) + at_was, colon + at, rest) == 0;
	}
	return false;
}

/* "mount /x /x ...": a directory of the host in its own place. */
static bool is_shown_host(const char *line)
{
	char root[256], place[256];

	return sscanf(line, "mount %255s %255s ", root, place) == 2 && !strcmp(root, place);
}

/* "It is not there" and "it is closed to you" are answers of the calls that look, and no failures:
 * what is neither there nor open to the caller is not shown. "It is read-only" is one to who would
 * make a place of ours where the base has none: it is left out. */
static bool is_answer(const struct fault *f)
{
	if (f->kind != KIND_FAIL)
		return false;
	if (f->nr == SYS_mkdirat)
		return f->error == EROFS;
	if (f->nr == SYS_getdents64)
		return f->error == ENOENT;
	return (f->error == ENOENT || f->error == EACCES) &&
	       (f->nr == SYS_newfstatat || f->nr == SYS_statx || f->nr == SYS_readlink ||
		f->nr == SYS_faccessat2 || f->nr == SYS_openat2);
}

/* "mount ROOT PLACE ...": a host's directory above the place was shown in the one fingerprint, and
 * is not in the other. */
static bool is_below_missing(const char *line, const char *of, const char *other)
{
	char root[256], place[256], above[256];

	if (sscanf(line, "mount %255s %255s ", root, place) != 2)
		return false;
	for (const char *p = of; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		size_t n;

		if (!is_shown_host(p) || has_line(other, p, strcspn(p, "\n")) ||
		    sscanf(p, "mount %*s %255s ", above) != 1)
			continue;
		n = strlen(above);
		if (strncmp(place, above, n) == 0 && place[n] == '/')
			return true;
	}
	return false;
}

/* What an answer leaves out: a place, and what is in it; a cover alone where nothing is there to be
 * covered, or the call that asks whether it is open said so. */
static bool is_left_out(const struct fault *f, const char *line, const char *of, const char *other)
{
	if (begins(line, "list ") || is_shown_host(line) || is_below_missing(line, of, other))
		return true;
	return (f->error == ENOENT || f->nr == SYS_faccessat2) &&
	       (begins(line, "mount /none /") || begins(line, "mount /empty /"));
}

/* "list //NAME: mode 40755 ...": a directory of our own root, where the host's was shown: something
 * lies deeper. */
static bool is_way_to_deeper(const char *line, const char *other)
{
	char name[256], shown[600];

	if (sscanf(line, "list /%255[^:]: mode 40755 ", name) != 1)
		return false;
	(void)snprintf(shown, sizeof(shown), "\nmount %s %s ", name, name);
	return strstr(other, shown) != NULL;
}

/* A line that is there in one fingerprint only and lets nothing more be done. sign: '-' is missing
 * now, '+' is new. dying: the launcher was killed, or gave up. */
static bool is_harmless(const char *line, char sign, const struct fault *f, bool dying,
			const char *of, const char *other)
{
	const enum kind kind = f->kind;

	if (is_answer(f) &&
	    (sign == '-' ? is_left_out(f, line, of, other)
			 : begins(line, "list ") &&
				   (strstr(line, ": errno 2") || is_way_to_deeper(line, other))))
		return true;
	if (begins(line, "try "))
		return sign == '-' || !strstr(line, ": SUCCESS");
	/* Names of the user that were not found; a cover over what is closed anyway. */
	if (sign == '-' && begins(line, "environment "))
		return true;
	if (sign == '+' && (begins(line, "mount /none /") || begins(line, "mount /empty /")))
		return strstr(line, " ro,nosuid,nodev,noexec,") != NULL;
	/* A pid 1 that is being killed has no memory to read its arguments from, and its payload
	 * lives for a moment more. */
	if (dying && sign == '-' && begins(line, "/proc/1/cmdline: "))
		return true;
	/* What a lying kernel did not make, pass on or grant is missing; devpts is narrower and an
	 * overlay less able without its options. */
	return kind == KIND_LIE &&
	       ((begins(line, "list ") && (sign == '-' || has_narrower_mode(line, other))) ||
		(begins(line, "list ") && strstr(line, ": errno ")) ||
		(sign == '-' && begins(line, "descriptor ")) ||
		begins(line, sign == '-' ? "tty " : "tty -1") || begins(line, "loopback ") ||
		begins(line, "mount / /dev/pts ") ||
		(begins(line, "mount / ") && strstr(line, " - overlay none rw,lowerdir=")));
}

/* Lines of a that b lacks, without those that are harmless. */
static unsigned lines_missing(const char *a, const char *b, char sign, const struct run *r,
			      FILE *why)
{
	const bool dying = r->fault.kind == KIND_KILL ||
			   (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 125);
	unsigned n = 0;

	for (const char *p = a; *p;) {
		size_t len = strcspn(p, "\n");
		char line[4096];

		if (!has_line(b, p, len)) {
			snprintf(line, sizeof(line), "%.*s", (int)len, p);
			fprintf(why, "  %c %s\n", sign, line);
			n += !is_harmless(line, sign, &r->fault, dying, a, b);
		}
		p += len + (p[len] == '\n');
	}
	return n;
}

/* cli/print.c: "cordon: cannot ...", and what else it says of itself. */
static bool has_sentence(const char *err)
{
	const char *p = strstr(err, "cordon: ");

	return p && strlen(p) > 20 && strchr(p, '\n');
}

static enum verdict judge_confinement(const struct run *r, const char *reference, const char *out,
				      FILE *why)
{
	unsigned n;
	char *log;
	bool told;

	if (!strcmp(reference, out))
		return CONFINED;
	n = lines_missing(reference, out, '-', r, why);
	n += lines_missing(out, reference, '+', r, why);
	if (n == 0)
		return POORER;
	/* ENOSYS is how a kernel says that it has no Landlock. */
	if (r->fault.nr != SYS_landlock_create_ruleset || r->fault.error != ENOSYS)
		return WEAKER;
	log = place_read(r->place, "audit.jsonl");
	told = log && strstr(log, "Landlock") && !strstr(log, "\"given_up\":[]");
	free(log);
	return told ? GIVEN : WEAKER;
}

/* The refused mount(2) of the payload is in the log, or its loss is told. */
static bool denial_is_told(const struct run *r, const char *err)
{
	char *log = place_read(r->place, "audit.jsonl");
	bool told = log && strstr(log, "\"name\":\"mount\"");

	free(log);
	return told || r->fault.kind == KIND_KILL || strstr(err, "could not be written") ||
	       has_sentence(err);
}

/* The command is looked for by these alone: their failure may mean that it is not there. So may a
 * rule that lets it be executed and was not added. */
static bool is_search(const struct fault *f)
{
	return f->role != ROLE_SUPERVISOR && (f->kind == KIND_LIE || f->nr == SYS_newfstatat ||
					      f->nr == SYS_faccessat2 || f->nr == SYS_execve);
}

/* Made before main(): what libc cannot do without ends the program by libc's own word. */
static bool is_startup(const struct fault *f)
{
	return f->role == ROLE_SUPERVISOR && f->kind == KIND_FAIL &&
	       (f->nr == SYS_brk || f->nr == SYS_arch_prctl ||
		(f->nr == SYS_mprotect && f->nth == 1));
}

static enum verdict judge_status(const struct run *r, bool ran, const char *err)
{
	const bool kill = r->fault.kind == KIND_KILL, said = has_sentence(err);
	int code;

	if (!ran && is_startup(&r->fault))
		return KILLED;
	if (WIFSIGNALED(r->status))
		return kill && WTERMSIG(r->status) == SIGKILL ? KILLED : STATUS;
	code = WEXITSTATUS(r->status);
	if (code == PAYLOAD_STATUS)
		return ran ? CONFINED : SILENT;
	if (code == 125 || ((code == 126 || code == 127) && is_search(&r->fault)))
		return !said ? SILENT : ran ? STOPPED : REFUSED;
	if (code == 128 + SIGKILL && (kill || said))
		return kill ? KILLED : STOPPED;
	return code == 128 + SIGKILL ? SILENT : STATUS;
}

static bool has_repair(const struct place *p)
{
	char *log = place_read(p, "audit.jsonl");
	const bool is = log && strstr(log, "\"type\":\"repair\"");

	free(log);
	return is;
}

static enum verdict judge_traces(const struct run *r, FILE *why)
{
	char *strays = place_strays(r->place);
	const bool stray = strays && strays[0];
	char *err;
	bool modes;

	if (r->left)
		fprintf(why, "  processes were left\n");
	if (stray)
		fprintf(why, "%s", strays);
	free(strays);
	/* What makes a terminal raw and is killed takes its modes with it, and what is not let give
	 * them back has to say so. That no pty is left needs no look: the sandbox's are on a devpts
	 * of its own, and nobody lives who has one open. */
	err = place_read(r->place, "err");
	modes = r->modes && !(r->fault.kind == KIND_KILL && r->fault.role == ROLE_SUPERVISOR) &&
		!(err && strstr(err, "cordon: cannot give your terminal the modes back"));
	free(err);
	if (modes)
		fprintf(why, "  the caller's terminal has other modes\n");
	if (r->left || stray || modes)
		return LEFT;
	if (!place_log_is_whole(r->place))
		return LOG;
	/* A read or write in two parts is no death, and nothing to be repaired. */
	if (r->fault.kind == KIND_SHORT && has_repair(r->place)) {
		fprintf(why, "  the log was repaired\n");
		return LOG;
	}
	return CONFINED;
}

enum verdict judge_run(const struct run *r, const char *reference, FILE *why)
{
	char *out = place_read(r->place, "out"), *err = place_read(r->place, "err");
	const bool ran = out && strstr(out, "\nend\n");
	enum verdict v = STATUS, w;

	if (r->hung)
		v = HUNG;
	else if (out && err)
		v = judge_status(r, ran, err);
	/* 128 + SIGKILL says what became of the payload, and needs no words for it. */
	if ((v == REFUSED || v == STOPPED) && WEXITSTATUS(r->status) <= 127 &&
	    !sentence_is_fit(&r->fault, err, r->place->subjects, why))
		v = ASTRAY;
	if (v < WEAKER && ran) {
		w = judge_confinement(r, reference, out, why);
		v = w == CONFINED ? v : w;
	}
	if (v < WEAKER && ran && !denial_is_told(r, err))
		v = UNTOLD;
	if (v < WEAKER && (w = judge_traces(r, why)) != CONFINED)
		v = w;
	if (WIFSIGNALED(r->status))
		fprintf(why, "  the launcher was killed by signal %d\n", WTERMSIG(r->status));
	else
		fprintf(why, "  exit status %d; ran: %s\n", WEXITSTATUS(r->status),
			ran ? "yes" : "no");
	if (err && err[0])
		fprintf(why, "  said: %.*s\n", (int)strcspn(err, "\n"), err);
	free(out);
	free(err);
	return v;
}
