// SPDX-License-Identifier: Apache-2.0
/*
 * What a hostile payload tries, as points: each is named by the invariant that it is about (the
 * ids of SECURITY.md) and is one piece of code that either gets what it wants or does not.
 * Inside a sandbox no point may; outside, as its twin, the same code must, so that a point which
 * could never get anything is seen.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

enum outcome {
	DENIED, /* refused; error is the errno, or -signal */
	HIDDEN, /* there is nothing to be had */
	DONE,	/* it got what it wanted */
};

struct answer {
	enum outcome outcome;
	int error;
	char text[160];
};

enum twin {
	TWIN_PLAIN, /* works as it is for the same user outside */
	TWIN_NS,    /* works for who is root of namespaces of his own */
	TWIN_ROOT,  /* works for root of the host, and changes nothing there that stays */
	TWIN_NONE,  /* works nowhere that a test may be: the point's `unless` says why */
};

enum {
	HARMFUL = 1, /* would change the machine: tried only behind a lock that was seen */
	WORKS = 2,   /* must work, inside as outside */
};

struct point {
	const char *id;
	const char *what;
	struct answer (*go)(const struct point *p);
	enum twin twin;
	/* why the twin may lack on some host what it needs; NULL: it must work */
	const char *unless;
	int flags;
	int error; /* the errno that a refusal has, whatever the policy; 0: any */
	/* the call that the log must hold where the filter refuses it; NULL: not the filter's
	 * business, or quiet */
	const char *call;
	const char *path;
	long arg[8];
};

#define P(p)	 ((long)(p))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A class of points is a file: these are their tables. */
struct points {
	const struct point *first;
	size_t n;
};
extern const struct points points_namespaces, points_mounts, points_files, points_proc, points_fds,
	points_terminal, points_who, points_calls, points_network, points_limits;

/* --- answers (world.c) */
struct answer done(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct answer hidden(void);
struct answer refused(void); /* by errno: absent things are hidden */
struct answer by_result(long r, const char *what);

/* --- what the test outside has told: --fact NAME=VALUE */
const char *fact(const char *name); /* NULL: not told */
long fact_number(const char *name); /* -1: not told */
void fact_add(const char *text);

/* --- the world that an attempt is made in */
struct world {
	bool twin, root_twin, own_namespaces;
	pid_t init;		/* 1, or who stands in for it outside */
	char scratch[256];	/* a writable directory */
	char scratch_other[64]; /* another one, on another file system where there is one */
	bool locked;		/* no_new_privs, a filter and a pid namespace were seen in force */
};
extern struct world world;
void world_begin(bool twin);
/* Calls go in namespaces of its own, as their root. */
struct answer world_in_namespaces(const struct point *p);
struct answer world_alone(const struct point *p, bool own_namespaces);
bool world_has_lock(void);
int world_stand_in(void); /* main() of the process that stands in for pid 1 */

/* --- helpers (world.c) */
/* a directory or file of the attempt's own, below scratch; "" when it cannot be made */
const char *make_dir(const char *name);
const char *make_file(const char *name, const char *text);
int read_small(const char *path, char *ret, size_t size); /* bytes, or -errno */
bool holds_secret(int fd);
pid_t sleeper(void);	   /* a child that waits; -1 */
void end_child(pid_t pid); /* kill and reap; nothing for -1 */
bool status_field(const char *path, const char *field, char *ret, size_t size);
/* in a user namespace (and more) made by the calling process, as its root */
int become_root_of(int flags);

/* --- the general kinds of attempt (world.c) */
struct answer go_call(const struct point *p); /* arg: number, then its arguments */
struct answer go_open(const struct point *p); /* path, arg[0]: flags; nothing is read or written */
struct answer go_read(const struct point *p); /* path: some of its bytes */
struct answer go_list(const struct point *p); /* path: a directory with something in it */

/* --- expectations that differ (expect.c) */
enum want {
	WANT_DEFAULT, /* not to be had, or for WORKS to be had */
	WANT_DONE,    /* to be had, by the policy's or the caller's word */
	WANT_DENIED,  /* WORKS, and yet not to be had */
	WANT_OPEN,    /* to be had, and should not be: not promised */
};
/* when: words between commas: the policy, net=..., uid=..., caller=... */
enum want expect_of(const struct point *p, const char *when, const char **ret_reason);
