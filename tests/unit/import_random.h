// SPDX-License-Identifier: Apache-2.0
/*
 * Random conditions and an evaluator for them that shares nothing with the import: registers are
 * compared without sign, an argument of 32 bits by its lower half.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Calls without addresses, and their arguments' widths. */
struct import_random_call {
	const char *name, *args[3];
	unsigned n, bits[3];
};
enum { IMPORT_RANDOM_CALLS = 4 };
static const struct import_random_call import_random_calls[IMPORT_RANDOM_CALLS] = {
	{ "socket", { "domain", "type", "protocol" }, 3, { 32, 32, 32 } },
	{ "lseek", { "fd", "offset", "whence" }, 3, { 32, 64, 32 } },
	{ "kill", { "pid", "sig" }, 2, { 32, 32 } },
	{ "fcntl", { "fd", "cmd", "arg" }, 3, { 32, 32, 64 } },
};

enum import_random_kind { RANDOM_AND, RANDOM_OR, RANDOM_NOT, RANDOM_COMPARE };

struct import_random_expression {
	enum import_random_kind kind;
	struct import_random_expression *left, *right;
	unsigned arg, bits, op; /* == != < <= > >= &== &!= */
	uint64_t mask, value;
};

static inline uint64_t import_random_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline unsigned import_random_below(uint64_t *seed, unsigned n)
{
	return (unsigned)(import_random_next(seed) % n);
}

/* Values that lie near one another, so that rules meet. */
static inline uint64_t import_random_value(uint64_t *seed, unsigned bits)
{
	static const uint64_t some[] = { 0,	     1,		 2,	     3,
					 4,	     7,		 0x7fffffff, 0x80000000,
					 0x80000001, 0xfffffffe, 0xffffffff };
	uint64_t value = some[import_random_below(seed, sizeof(some) / sizeof(some[0]))];

	if (bits == 64 && import_random_below(seed, 3) == 0)
		value = value << 32 | import_random_below(seed, 3);
	return value;
}

static inline struct import_random_expression *
import_random_make(uint64_t *seed, const struct import_random_call *call, unsigned depth)
{
	struct import_random_expression *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->kind = depth ? (enum import_random_kind)import_random_below(seed, 5) : RANDOM_COMPARE;
	if (e->kind > RANDOM_COMPARE)
		e->kind = RANDOM_COMPARE;
	if (e->kind != RANDOM_COMPARE) {
		e->left = import_random_make(seed, call, depth - 1);
		if (e->kind != RANDOM_NOT)
			e->right = import_random_make(seed, call, depth - 1);
		return e;
	}
	e->arg = import_random_below(seed, call->n);
	e->bits = call->bits[e->arg];
	e->op = import_random_below(seed, 8);
	e->value = import_random_value(seed, e->bits);
	e->mask = import_random_value(seed, e->bits);
	if (e->op >= 6 && import_random_below(seed, 4))
		e->value &= e->mask;
	return e;
}

static inline void import_random_free(struct import_random_expression *e)
{
	if (!e)
		return;
	import_random_free(e->left);
	import_random_free(e->right);
	free(e);
}

static inline bool import_random_holds(const struct import_random_expression *e,
				       const uint64_t args[6])
{
	uint64_t a;

	switch (e->kind) {
	case RANDOM_AND:
		return import_random_holds(e->left, args) && import_random_holds(e->right, args);
	case RANDOM_OR:
		return import_random_holds(e->left, args) || import_random_holds(e->right, args);
	case RANDOM_NOT:
		return !import_random_holds(e->left, args);
	case RANDOM_COMPARE:
		break;
	}
	a = e->bits == 32 ? (uint32_t)args[e->arg] : args[e->arg];
	switch (e->op) {
	case 0:
		return a == e->value;
	case 1:
		return a != e->value;
	case 2:
		return a < e->value;
	case 3:
		return a <= e->value;
	case 4:
		return a > e->value;
	case 5:
		return a >= e->value;
	case 6:
		return (a & e->mask) == e->value;
	default:
		return (a & e->mask) != e->value;
	}
}

static inline void import_random_kafel(const struct import_random_expression *e,
				       const struct import_random_call *call, char *to, size_t size)
{
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };
	char left[800] = "", right[800] = "";

	if (e->left)
		import_random_kafel(e->left, call, left, sizeof(left));
	if (e->right)
		import_random_kafel(e->right, call, right, sizeof(right));
	if (e->kind == RANDOM_AND || e->kind == RANDOM_OR)
		(void)snprintf(to, size, "(%s) %s (%s)", left, e->kind == RANDOM_AND ? "&&" : "||",
			       right);
	else if (e->kind == RANDOM_NOT)
		(void)snprintf(to, size, "!(%s)", left);
	else if (e->op < 6)
		(void)snprintf(to, size, "%s %s 0x%" PRIx64, call->args[e->arg], ops[e->op],
			       e->value);
	else
		(void)snprintf(to, size, "(%s & 0x%" PRIx64 ") %s 0x%" PRIx64, call->args[e->arg],
			       e->mask, e->op == 6 ? "==" : "!=", e->value);
}

/* Registers as callers leave them: 32-bit values with zeros above, or with anything. */
static inline void import_random_args(uint64_t *seed, const struct import_random_call *call,
				      uint64_t args[6])
{
	for (unsigned i = 0; i < 6; i++) {
		args[i] = import_random_value(seed, i < call->n ? call->bits[i] : 64);
		args[i] += import_random_below(seed, 3);
		if (i < call->n && call->bits[i] == 32)
			args[i] = (uint32_t)args[i];
		if (i < call->n && call->bits[i] == 32 && import_random_below(seed, 4) == 0)
			args[i] |= import_random_next(seed) << 32;
	}
}
