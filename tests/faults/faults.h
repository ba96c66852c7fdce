// SPDX-License-Identifier: Apache-2.0
/* Shared by the parts of inject: what a fault is, how a launch is run with one, how it is judged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <termios.h>

enum role { ROLE_SUPERVISOR, ROLE_PID1, ROLE_PAYLOAD, _ROLE_MAX };
extern const char *const role_names[_ROLE_MAX];

enum kind { KIND_NONE, KIND_FAIL, KIND_LIE, KIND_KILL, KIND_SHORT };

/* How much a short transfer moves. */
enum part { PART_ONE, PART_HALF, PART_BUT_ONE };

/* The nth call (from 1) of this number by this role. */
struct fault {
	enum kind kind;
	enum role role;
	int nr;
	unsigned nth;
	int error;   /* KIND_FAIL */
	size_t most; /* KIND_SHORT: bytes that are moved */
};

struct call {
	enum role role;
	int nr;
	unsigned nth;
	unsigned whole; /* bytes it moved; 0 where it could not have moved fewer */
};

/* RUN_MS is for the slowest: a relay that thinks it may be kept waiting gives a byte at a time. */
enum { MAX_CALLS = 8192, MAX_NR = 512, RUN_MS = 30000, LEFT_MS = 2000, PAYLOAD_STATUS = 42 };

/* A directory of its own for each worker, with all that a launch may write to below it. */
struct place {
	char dir[512];
	char namespaces[512]; /* the host's, as fingerprint wants them */
	const char *cordon, *fingerprint, *scenario;
	bool subjects; /* a sentence is held against what the failed call is for, too */
};

/* The terminal that a launch is started on, seen from both sides. -1: there is none. */
struct screen {
	int slave, master;
	struct termios modes; /* before the launch */
};

struct run {
	const struct place *place;
	struct fault fault;
	struct call *calls; /* NULL, or MAX_CALLS of them: what was called, in its order */
	size_t n_calls;
	/* what came of it */
	bool reached; /* the call of the fault was made, and could be given it */
	bool hung;    /* did not end by itself */
	int left;     /* processes alive LEFT_MS after the launcher's end */
	int status;   /* the launcher's wait status */
	bool modes;   /* the caller's terminal was left in other modes than it had */
};

/* trace.c: start the launcher under ptrace and follow it to its end. 0, or -1 when that failed. */
int trace_run(struct run *r);
/* Whether a lie about this call means anything: it returns no more than its success. */
bool trace_can_lie(enum role role, int nr);

/* place.c */
int place_make(struct place *p, const char *parent, unsigned number);
/* Before each run: an empty log, nothing written, and in the scenario "cold" nothing cached. */
void place_reset(const struct place *p);
/* In the scenario with a terminal: a new one, what comes out of which a process of its own copies
 * into "out" until nobody has the slave open. None in the others. 0, or -1 when that failed. */
int place_terminal(const struct place *p, struct screen *ret);
/* Whether its modes are what they were. The kernel keeps them as long as one side is open. */
bool place_terminal_is_as_before(const struct screen *s);
/* Never returns: become the launcher, with the worst habits a caller may have. */
void place_exec(const struct place *p, int terminal);
char *place_read(const struct place *p, const char *name); /* "" when absent; to be freed */
/* Names of what should not be there, one a line. */
char *place_strays(const struct place *p);
bool place_log_is_whole(const struct place *p);

/* judge.c */
enum verdict {
	REFUSED,  /* 125 to 127 with a sentence, and nothing ran */
	CONFINED, /* ran exactly as the reference did */
	STOPPED,  /* ran as confined, and was ended with a sentence or by SIGKILL */
	KILLED,	  /* nothing ran, by SIGKILL of one of the launch or before its main() */
	POORER,	  /* ran as confined, but lacks something inside, or has more hidden */
	GIVEN,	  /* ran without what this kernel claims not to have, and the log says so */
	WEAKER,	  /* ran, and its confinement differs: the first finding */
	SILENT,	  /* failed without a sentence, or claims a success that was none */
	ASTRAY,	  /* refused with more than one sentence, or one about something else */
	HUNG,
	LEFT,	/* a process, mount, file, or the modes of a terminal */
	STATUS, /* an exit status that means something else */
	UNTOLD, /* a call was refused, and no record or word of it */
	LOG,	/* the log does not verify */
	_VERDICT_MAX
};
extern const char *const verdict_names[_VERDICT_MAX];
extern const char verdict_letters[_VERDICT_MAX + 1];

/* sentence.c: whether what was said of a refusal is one sentence, and about the call that failed.
 */
bool sentence_is_fit(const struct fault *f, const char *err, bool subjects, FILE *why);

/* why gets the details of a finding. */
enum verdict judge_run(const struct run *r, const char *reference, FILE *why);
