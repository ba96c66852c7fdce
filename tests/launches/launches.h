// SPDX-License-Identifier: Apache-2.0
/*
 * Random launches of `cordon run`: options and a policy are drawn, what has to hold is worked out
 * from them by a model of its own, `inside` looks from inside, and who launched looks at the answer
 * and at what is left. A launch is its seed: the same one is the same launch on every machine,
 * for the same kind of user.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policies/model.h"

enum {
	MAX_WORDS = 512,
	MAX_PLACES = 96,
	MAX_REFUSALS = 16,
	PATH_SIZE = 512,
	/* descriptors as the launcher finds them */
	FD_NULL = 6,
	FD_READ = 7,
	FD_LOG = 8,
	FD_FILE = 10, /* and the next: one for each --file */
	MAX_FILES = 2,
	FD_LEAK = 30, /* and the next: a directory and a secret, not passed */
};

/* --- the world outside (world.c) */
struct world {
	bool root;
	bool sanitized;	     /* the launcher: no limit of memory leaves it room */
	bool by_cgroup;	     /* limits of the whole can be had */
	char top[PATH_SIZE]; /* the paths below have it before them */
	char home[PATH_SIZE], work[PATH_SIZE], base[PATH_SIZE], over[PATH_SIZE], upper[PATH_SIZE];
	char programs[PATH_SIZE], syslog[PATH_SIZE];
	char canary_tmp[PATH_SIZE], canary_shm[PATH_SIZE];
	char secret[40], backwards[40];
	int port;
	int drain; /* the syslog's socket */
	char abstract[64];
	pid_t process; /* one whose arguments and environment hold the secret */
	int shm_key;
	uint64_t fingerprint; /* of what is not to change */
};
extern struct world world;
extern const char *cordon; /* the launcher */
extern const char *library_dir;
extern const char *const world_nodes[]; /* directories of a tree, below top; NULL at the end */
void world_make(const char *dir);
void world_end(void);
uint64_t world_fingerprint(void);
/* What of the last launch is still there; false and a text. */
bool world_is_clean(const char *mark, char *ret, size_t size);
/* A descriptor for the word that a path, relative to top, makes. */
const char *world_path(const char *rel);

/* --- a launch (draw.c) */
enum place_kind {
	SHOWN,	  /* what lies at source */
	OVERLAID, /* the same, and changes are thrown away */
	EMPTY,	  /* a directory that takes files */
	HIDDEN,
	BARE, /* a directory that takes none */
	MADE, /* a file or link that the launch makes */
};
enum origin { BUILT_IN, BY_POLICY, BY_OPTION };

struct place {
	enum place_kind kind;
	enum origin origin;
	bool writable, optional;
	char path[PATH_SIZE], source[PATH_SIZE];
};

struct launch {
	uint64_t seed, state;
	char *words[MAX_WORDS]; /* of the launcher's command line, without its own name */
	size_t n_words;
	char *told[MAX_WORDS]; /* to the program inside */
	size_t n_told;
	char *kept[2 * MAX_WORDS]; /* texts that go with it */
	size_t n_kept;

	char mark[40];	     /* what the program inside calls its files */
	bool wild;	     /* the policy may refuse what the program inside needs */
	bool dry;	     /* --dry-run */
	bool rude;	     /* a caller of bad habits */
	unsigned terminals;  /* bits of 0, 1 and 2 that are the caller's terminal */
	bool controlling;    /* which is his session's */
	bool terminal_given; /* to what runs inside, by --pty never */
	/* Any of these texts in a refusal explains it; "" explains all. None: it has to run. */
	const char *refusals[MAX_REFUSALS];
	size_t n_refusals;

	char policy_name[PATH_SIZE]; /* as given */
	struct policy *policy;	     /* NULL: it has mistakes */

	struct place places[MAX_PLACES];
	size_t n_places;
	size_t n_bases;
	const char *bases[2]; /* topmost first */
	enum { UPPER_OF_MEMORY, UPPER_KEPT, NO_UPPER } upper;
	int net; /* enum policy_net */
	char logs[4][PATH_SIZE];
	size_t n_logs;
	bool own_log;			/* the caller's own, in XDG_STATE_HOME */
	char made_files[MAX_FILES][64]; /* what --file N yields */
	size_t n_files;
	/* files that have to be there afterwards: a mark in what was given for writing */
	char given[MAX_PLACES][PATH_SIZE];
	size_t n_given;
	unsigned n_dirs;
	/* what may be there afterwards, and is nobody's fault */
	char stays[MAX_PLACES][PATH_SIZE];
	size_t n_stays;
	int want_exit, want_signal;
};

struct launch *launch_draw(uint64_t seed);
void launch_free(struct launch *l);
uint64_t draw(struct launch *l, uint64_t below);
bool chance(struct launch *l, unsigned percent);
/* A formatted text that lives as long as the launch. */
char *launch_text(struct launch *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void launch_word(struct launch *l, const char *word);
void launch_option(struct launch *l, const char *name, const char *value);
void launch_tell(struct launch *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void launch_may_refuse(struct launch *l, const char *text);

/* --- its places (draw_places.c) */
void places_draw(struct launch *l);
/* The same path, perhaps in other words. */
const char *place_spell(struct launch *l, const char *path);

/* --- its policy (policy.c) */
void policy_draw(struct launch *l);

/* --- what has to hold (expect.c) */
struct view {
	const struct place *place; /* NULL: the root itself */
	char source[PATH_SIZE];	   /* outside; "" where nothing of the outside shows */
	bool is_there;		   /* outside, as a directory or file */
	bool writes;		   /* and what is written stays below source when kept */
	bool kept;
};
void view_of(const struct launch *l, const char *path, struct view *ret);
void expect_all(struct launch *l);

/* --- one run of it (run.c) */
enum verdict { RAN, REFUSED, DRY, FAILED_LAUNCH };
struct outcome {
	enum verdict verdict;
	int status;
	char out[1 << 16], err[1 << 16];
	char why[4096]; /* each failure, a line each */
	char sentence[512];
};
void launch_run(struct launch *l, char *const *launcher, struct outcome *ret);
void launch_show(const struct launch *l, char *const *launcher);
