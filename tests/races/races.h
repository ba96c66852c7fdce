// SPDX-License-Identifier: Apache-2.0
/* Shared by the parts of race: where it happens, what is launched, and what came of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TEXT = 512, MAX_OPTIONS = 16, OUTPUT = 1 << 16, LIMIT_MS = 20000 };

/* The path that is raced for is DIR/plan/a/b/c: each of a, b and c is exchanged for a decoy. */
enum component { COMPONENT_A, COMPONENT_B, COMPONENT_C, _COMPONENT_MAX };

enum decoy {
	DECOY_LINK,  /* a symlink to what must not be seen */
	DECOY_INNER, /* a directory whose own next component is one */
	DECOY_DIR,   /* a directory of the same shape, which says "other" */
	DECOY_FILE,
	DECOY_FIFO,
	_DECOY_MAX
};
extern const char *const component_names[_COMPONENT_MAX], *const decoy_names[_DECOY_MAX];

struct kind {
	const char *name;
	const char *options; /* words; @ is DIR, P the path */
	const char *see;     /* where the payload finds an id: P, P/in, "/" or "." */
	const char *look;    /* the payload; NULL: DIR/look, which is shown */
	bool from_inside;    /* the launcher is started in P */
	bool hides;	     /* "planned" must not be seen there */
	bool closes;	     /* the path itself must take no file */
	bool logs;	     /* the log is there: what is beside it may get a file */
};
extern const struct kind kinds[];
extern const size_t n_kinds;

struct arena {
	char dir[TEXT], path[TEXT];
	char secret[128], terces[128];
	const char *cordon;
	int planned, other; /* descriptors of the two real directories */
};

/* arena.c */
void arena_make(struct arena *a, const char *dir, const char *look);
/* The two names that are exchanged. */
void arena_pair(const struct arena *a, enum component c, enum decoy d, char one[TEXT],
		char two[TEXT]);
int arena_exchange(const char *one, const char *two);
extern bool arena_by_mounts; /* two is mounted over one, and taken away again */
/* By all that stat(2) knows of what lies outside. */
uint64_t arena_outside(const struct arena *a, const struct kind *k);
void arena_tidy(const struct arena *a); /* what launches have left in the path */
void fail(const char *what) __attribute__((noreturn));

enum seen { SEEN_PLANNED, SEEN_OTHER, SEEN_NONE, SEEN_REFUSED, SEEN_FINDING, _SEEN_MAX };
extern const char *const seen_names[_SEEN_MAX];

struct outcome {
	int status;
	bool hung;
	char text[OUTPUT];
	size_t len;
};

/* launch.c: never returns */
void launch_exec(const struct arena *a, const struct kind *k, int out);
void launch_run(const struct arena *a, const struct kind *k, struct outcome *o);
/* What the payload saw, or a finding, which why then names. */
enum seen launch_judge(const struct arena *a, const struct kind *k, const struct outcome *o,
		       uint64_t outside_before, const char **why);

/* exact.c: one exchange before the nth call of a launch that names a path or moves a mount, from 1;
 * *ret_after: the plan had looked by then. Whether the call was reached; for nth 0, which exchanges
 * nothing, how many such calls there are. */
unsigned exact_run(const struct arena *a, const struct kind *k, const char *one, const char *two,
		   unsigned nth, bool *ret_after, struct outcome *o);
