// SPDX-License-Identifier: Apache-2.0
#include "policies/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/cond.h"

bool suggest_is_telling(const struct syscall_desc *call, unsigned i)
{
	const struct syscall_arg *arg = &call->args[i];

	if (i >= call->n_args || arg->width == WIDTH_PTR || arg->width == WIDTH_NONE)
		return false;
	if (arg->kind == KIND_FLAGS || arg->kind == KIND_ENUM || arg->kind == KIND_SIGNAL)
		return true;
	/* socket's type and protocol, ioctl's cmd: numbers that are names */
	return strcmp(arg->name, "type") == 0 || strcmp(arg->name, "protocol") == 0 ||
	       strcmp(arg->name, "cmd") == 0;
}

/* --- what was seen ------------------------------------------------------------------------- */

/* As the kernel reads it: what is above an int does not tell calls apart. */
static uint64_t value_of(const struct syscall_desc *call, unsigned i, const uint64_t args[6])
{
	const uint8_t width = call->args[i].width;

	if (!suggest_is_telling(call, i))
		return 0;
	return width == WIDTH_S32 || width == WIDTH_U32 ? args[i] & UINT32_MAX : args[i];
}

int suggest_see(struct suggest_seen *seen, const uint64_t args[6])
{
	uint64_t values[6] = { 0 };

	for (unsigned i = 0; i < seen->call->n_args; i++)
		values[i] = value_of(seen->call, i, args);
	for (size_t i = 0; i < seen->n; i++) {
		if (memcmp(seen->args[i], values, sizeof(values)) == 0)
			return 0;
	}
	if (seen->n == SUGGEST_SEEN) {
		seen->more = true;
		return 0;
	}
	if (seen->n == seen->room) {
		size_t room = seen->room ? seen->room * 2 : 4;
		void *more = reallocarray(seen->args, room, sizeof(*seen->args));

		if (!more)
			return -ENOMEM;
		seen->args = more;
		seen->room = room;
	}
	memcpy(seen->args[seen->n++], values, sizeof(values));
	return 0;
}

void suggest_seen_done(struct suggest_seen *seen)
{
	free(seen->args);
	seen->args = NULL;
	seen->n = seen->room = 0;
}

/* --- merging ------------------------------------------------------------------------------- */

static bool same_values(const struct suggest_line *a, const struct suggest_line *b, unsigned i)
{
	return a->n_values[i] == b->n_values[i] &&
	       memcmp(a->values[i], b->values[i], a->n_values[i] * sizeof(a->values[i][0])) == 0;
}

static bool same_but(const struct suggest_line *a, const struct suggest_line *b, unsigned but)
{
	for (unsigned i = 0; i < 6; i++) {
		if (i != but && !same_values(a, b, i))
			return false;
	}
	return true;
}

static bool has_value(const struct suggest_line *line, unsigned i, uint64_t value)
{
	for (unsigned k = 0; k < line->n_values[i]; k++) {
		if (line->values[i][k] == value)
			return true;
	}
	return false;
}

/* b's values of one argument into a's, ascending. False when they do not fit, a unchanged. */
static bool unite(struct suggest_line *a, const struct suggest_line *b, unsigned i)
{
	struct suggest_line both = *a;

	for (unsigned k = 0; k < b->n_values[i]; k++) {
		uint64_t value = b->values[i][k];
		unsigned at = both.n_values[i];

		if (has_value(&both, i, value))
			continue;
		if (at == SUGGEST_VALUES)
			return false;
		for (; at > 0 && both.values[i][at - 1] > value; at--)
			both.values[i][at] = both.values[i][at - 1];
		both.values[i][at] = value;
		both.n_values[i]++;
	}
	*a = both;
	return true;
}

/* Two lines that differ in one argument only are one line with both lists: exactly the same calls.
 * Argument by argument, so that the order of what was seen does not matter much. */
static size_t merge(struct suggest_line *lines, size_t n)
{
	size_t before;

	do {
		before = n;
		for (unsigned arg = 0; arg < 6; arg++) {
			for (size_t i = 0; i < n; i++) {
				for (size_t k = i + 1; k < n;) {
					if (same_but(&lines[i], &lines[k], arg) &&
					    unite(&lines[i], &lines[k], arg))
						lines[k] = lines[--n];
					else
						k++;
				}
			}
		}
	} while (n < before);
	return n;
}

static int compare_args(const void *pa, const void *pb)
{
	const struct suggest_line *a = pa, *b = pb;

	for (unsigned i = 0; i < 6; i++) {
		if (a->values[i][0] != b->values[i][0])
			return a->values[i][0] < b->values[i][0] ? -1 : 1;
	}
	return 0;
}

static void line_of(const struct suggest_seen *seen, size_t n, struct suggest_line *ret)
{
	*ret = (struct suggest_line){ .tied = 0 };
	for (unsigned i = 0; i < seen->call->n_args; i++) {
		if (!suggest_is_telling(seen->call, i))
			continue;
		ret->tied |= (uint8_t)(1U << i);
		ret->n_values[i] = 1;
		ret->values[i][0] = seen->args[n][i];
	}
}

/* Flags in any combination of the bits that were seen. Whether there was anything to generalise. */
static bool generalise(const struct suggest_seen *seen, struct suggest_line *lines, size_t n)
{
	bool general = false;

	for (unsigned arg = 0; arg < seen->call->n_args; arg++) {
		uint64_t bits = 0;
		bool differs = false;

		if (!suggest_is_telling(seen->call, arg) ||
		    seen->call->args[arg].kind != KIND_FLAGS)
			continue;
		for (size_t i = 0; i < n; i++) {
			bits |= lines[i].values[arg][0];
			differs = differs || lines[i].values[arg][0] != lines[0].values[arg][0];
		}
		for (size_t i = 0; i < n && differs; i++) {
			lines[i].values[arg][0] = bits;
			lines[i].masked |= (uint8_t)(1U << arg);
		}
		general = general || differs;
	}
	return general;
}

int suggest_lines(const struct suggest_seen *seen, struct suggest_line ret[SUGGEST_LINES],
		  size_t *ret_n, bool *ret_general)
{
	struct suggest_line *lines;
	bool general = false;
	size_t n = seen->n;

	if (seen->more || seen->n == 0)
		return -E2BIG;
	lines = calloc(n, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t pass = 0; pass < 2; pass++) {
		n = seen->n;
		for (size_t i = 0; i < n; i++)
			line_of(seen, i, &lines[i]);
		if (pass > 0)
			general = generalise(seen, lines, n);
		qsort(lines, n, sizeof(*lines), compare_args);
		n = merge(lines, n);
		if (n <= SUGGEST_LINES)
			break;
	}
	if (n <= SUGGEST_LINES) {
		memcpy(ret, lines, n * sizeof(*lines));
		*ret_n = n;
		*ret_general = general;
	}
	free(lines);
	return n <= SUGGEST_LINES ? 0 : -E2BIG;
}

/* --- dangers ------------------------------------------------------------------------------- */

/* Whether a line for that call lets through what the entry speaks of. An argument that no line is
 * tied to has every value. */
static bool opens(const struct suggest_seen *seen, const uint64_t args[6], bool general,
		  const struct policy_cond *conds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned arg = conds[i].arg;
		bool any = !suggest_is_telling(seen->call, arg) ||
			   (general && seen->call->args[arg].kind == KIND_FLAGS);

		if (!any && !cond_holds(&conds[i], args[arg]))
			return false;
	}
	return true;
}

/* The gravest entry for one call, or for any of the kind when args is NULL. */
static const struct danger *danger_of(const struct suggest_seen *seen, const uint64_t *args,
				      bool general)
{
	const struct danger *gravest = NULL;
	size_t n;
	const struct danger *table = danger_table(&n);

	for (size_t i = 0; i < n; i++) {
		struct policy_cond conds[DANGER_TESTS];
		size_t n_conds;

		if (strcmp(table[i].call, seen->call->name) != 0)
			continue;
		n_conds = danger_pattern(&table[i], seen->call, conds);
		if (args && !opens(seen, args, general, conds, n_conds))
			continue;
		if (!gravest || table[i].weight > gravest->weight)
			gravest = &table[i];
	}
	return gravest;
}

const struct danger *suggest_danger(const struct suggest_seen *seen, bool general)
{
	const struct danger *gravest = NULL;

	/* Of more calls than are told apart, any may be the one. */
	if (seen->more || seen->n == 0)
		return danger_of(seen, NULL, general);
	for (size_t i = 0; i < seen->n; i++) {
		const struct danger *found = danger_of(seen, seen->args[i], general);

		if (found && (!gravest || found->weight > gravest->weight))
			gravest = found;
	}
	return gravest;
}

const struct danger *suggest_drop_dangers(struct suggest_seen *seen)
{
	const struct danger *gravest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < seen->n; i++) {
		const struct danger *found = danger_of(seen, seen->args[i], false);

		if (!found || found->weight < DANGER_WARN) {
			memmove(seen->args[n++], seen->args[i], sizeof(seen->args[i]));
			continue;
		}
		if (!gravest || found->weight > gravest->weight)
			gravest = found;
	}
	seen->n = n;
	return gravest;
}
