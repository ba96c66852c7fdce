// SPDX-License-Identifier: Apache-2.0
/* What `cordon audit suggest` gathers of a log and how it writes it. */
#pragma once

#include "base/fd.h"
#include "base/json.h"
#include "cli/audit.h"
#include "cli/audit_kernel.h"
#include "cli/audit_reader.h"
#include "policies/suggest.h"

/* Why a call is not suggested. */
enum withheld {
	SUGGESTED,
	WITHHELD_DANGER,   /* --all suggests it */
	WITHHELD_KILL,	   /* --all */
	WITHHELD_ABI,	   /* an ABI that the policy does not open */
	WITHHELD_PURPOSE,  /* a deny line, and taking it out opens more than was seen: --all */
	WITHHELD_OWN,	   /* the same in the file that is patched */
	WITHHELD_NET,	   /* a net line */
	WITHHELD_MANY,	   /* too many different arguments: --all allows all */
	WITHHELD_NAMELESS, /* no call has the number, or its arguments were not recorded */
	WITHHELD_UNPROVED, /* tried, and still denied */
	WITHHELD_OTHER,	   /* another mechanism's */
};

struct wanted {
	struct suggest_seen seen;  /* call NULL: those without one */
	uint64_t count, counted;   /* denials; of these, those in summaries */
	uint64_t seq;		   /* of the first record */
	char program[64];	   /* its process, of harmless characters */
	struct policy_where where; /* of the line that refuses it */
	enum withheld why;
	bool remove_deny, remove_kill; /* lines that name it must go */
	bool general, everything;      /* flags in any combination; any arguments at all */
	bool untried;		       /* expect lines of the policy say otherwise */
	const struct danger *danger;   /* of what is suggested, or why it is not */
	const struct danger *left_out; /* why some of the calls are not */
	struct suggest_line lines[SUGGEST_LINES];
	size_t n_lines;
};

/* A path or a port that the kernel itself refused. */
struct wished {
	struct audit_wish wish;
	uint64_t count, seq;
	char program[64];
	char by[64];	 /* the mechanism, with its profile, of harmless characters */
	const char *why; /* it is not suggested; NULL: it is */
	struct policy_where where;
};
enum { SUGGEST_WISHES = 512 };

struct suggest {
	const struct audit_args *args;
	struct policy *policy;
	struct wanted *wanted; /* one a call of the table; the last is for those without one */
	size_t n;
	size_t n_suggested, n_withheld;
	struct wished *wished;
	size_t n_wished;
	uint64_t more_wished; /* denials of kinds beyond SUGGEST_WISHES */
};

/* A name that can stand in a comment and say nothing there but itself. */
void suggest_harmless(const struct scan *name, char *ret, size_t size);

/* --- audit_suggest_path.c: denials by the kernel itself --- */

/* 1 when it is one of these, 0 when not, or -ENOMEM. */
int suggest_wish(struct suggest *s, const struct recorded *record);
void suggest_judge_wishes(struct suggest *s);
/* Whether the policy gives what is suggested; what it does not is withheld. */
bool suggest_try_wishes(struct suggest *s, const struct policy *now);
int suggest_put_wishes(struct buf *out, const struct suggest *s);
int suggest_put_withheld_wishes(struct buf *out, const struct suggest *s);
int suggest_json_wishes(struct json *j, const struct suggest *s);

const char *suggest_why(enum withheld why);

/* The lines of one call, each with its newline. 0 or -ENOMEM. */
int suggest_put_lines(struct buf *out, const struct wanted *wanted);
/* All of them with comments: what is put into a policy. */
int suggest_put_policy(struct buf *out, const struct suggest *suggest);
/* What is not suggested, as comments. */
int suggest_put_withheld(struct buf *out, const struct suggest *suggest);
/* A patch that puts lines behind those of the policy's file. */
int suggest_put_patch(struct buf *out, const struct policy *policy, const char *lines);
int suggest_put_json(struct buf *out, const struct suggest *suggest);
