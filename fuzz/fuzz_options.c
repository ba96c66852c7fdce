// SPDX-License-Identifier: Apache-2.0
/*
 * Any words as the options of a launch: a request within its own bounds, or one sentence that says
 * what is wrong. Words end in NUL; they lie behind each other as the kernel lays argv.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_WORDS = 600 };

static const char *low, *high; /* of the words */

static void is_ours(const char *text)
{
	if (text && (text < low || text >= high))
		abort();
}

/* What is promised to who reads a request. */
static void judge(const struct run_options *o)
{
	const struct request *r = &o->request;

	if (r->n_bases > LIMIT_LAYERS || r->n_places > LIMIT_BINDS || r->n_env > LIMIT_ENV ||
	    r->n_pass_fds > LIMIT_PASS_FDS || o->n_sinks > LIMIT_SINKS)
		abort();
	for (size_t i = 0; i < r->n_places; i++) {
		is_ours(r->places[i].dest);
		is_ours(r->places[i].source);
		if (!r->places[i].dest[0] || (r->places[i].source && !r->places[i].source[0]))
			abort();
		if ((r->places[i].kind == PLACE_FILE) != (r->places[i].fd >= 0))
			abort();
	}
	for (size_t i = 0; i < r->n_env; i++) {
		is_ours(r->env[i]);
		if (!r->env[i][0] || r->env[i][0] == '=')
			abort();
	}
	for (size_t i = 0; i < r->n_pass_fds; i++) {
		if (r->pass_fds[i] < 3)
			abort();
	}
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if (!r->has_limit[i] && r->limit[i])
			abort();
	}
	if (r->has_uid && r->uid >= 4294967294U)
		abort();
	if (r->hostname && (!r->hostname[0] || strlen(r->hostname) > LIMIT_HOSTNAME))
		abort();
	if (o->rotation.size > 0 && o->rotation.size < AUDIT_SIZE_MIN)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run_options options;
	struct err err = ERR_INIT;
	char *argv[MAX_WORDS + 3], *words = malloc(size + 12);
	size_t at = 11;
	int argc = 1;

	if (!words)
		return 0;
	memcpy(words, "cordon\0run\0", 11);
	memcpy(words + at, data, size);
	words[at + size] = '\0';
	argv[0] = words;
	argv[1] = words + 7;
	while (at < 11 + size && argc <= MAX_WORDS) {
		argv[++argc] = words + at;
		at += strlen(words + at) + 1;
	}
	argv[argc + 1] = NULL;
	low = words;
	high = words + size + 12;
	memset(&options, 0, sizeof(options));
	if (options_parse(argc, argv + 1, &options, &err) == 0)
		judge(&options);
	else if (err.code >= 0 || !err.msg[0])
		abort(); /* refused without a word */
	free(words);
	return 0;
}
