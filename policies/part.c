// SPDX-License-Identifier: Apache-2.0
#include "policies/part.h"

#include <errno.h>
#include <stdlib.h>

static const char *const scalar_names[_SCALAR_MAX] = {
	[SCALAR_KERNEL] = "kernel",
	[SCALAR_ABI] = "abi",
	[SCALAR_NET] = "net",
	[SCALAR_CAP] = "cap",
	[SCALAR_NOTIFY] = "notify",
	[SCALAR_DEFAULT] = "default",
	[SCALAR_LIMIT + POLICY_LIMIT_PIDS] = "limit pids",
	[SCALAR_LIMIT + POLICY_LIMIT_MEMORY] = "limit memory",
	[SCALAR_LIMIT + POLICY_LIMIT_CPU] = "limit cpu",
	[SCALAR_LIMIT + POLICY_LIMIT_NOFILE] = "limit nofile",
	[SCALAR_LIMIT + POLICY_LIMIT_UPPER] = "limit upper",
	[SCALAR_LIMIT + POLICY_LIMIT_INODES] = "limit inodes",
	[SCALAR_LIMIT + POLICY_LIMIT_WALL] = "limit wall",
	[SCALAR_LIMIT + POLICY_LIMIT_MEMORY_HIGH] = "limit memory-high",
	[SCALAR_LIMIT + POLICY_LIMIT_SWAP] = "limit swap",
	[SCALAR_LIMIT + POLICY_LIMIT_CPU_WEIGHT] = "limit cpu-weight",
	[SCALAR_LIMIT + POLICY_LIMIT_IO_WEIGHT] = "limit io-weight",
	[SCALAR_LIMIT + POLICY_LIMIT_CPUSET] = "limit cpuset",
};

const char *scalar_name(unsigned kind)
{
	return scalar_names[kind];
}

bool scalar_same(const struct scalar *a, const struct scalar *b)
{
	return a->value == b->value && cpus_equal(&a->cpus, &b->cpus);
}

int list_grow(void *items, size_t n, size_t size)
{
	void **list = items;
	size_t room = n ? 2 * n : 8;
	void *grown;

	/* room is 8, 16, 32 ...: full exactly at those */
	if (n && (n < 8 || (n & (n - 1))))
		return 0;
	grown = reallocarray(*list, room, size);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	return 0;
}

void part_done(struct part *part)
{
	for (size_t i = 0; i < part->n_uses; i++)
		free(part->uses[i].name);
	for (size_t i = 0; i < part->n_removes; i++)
		free(part->removes[i].text);
	for (size_t i = 0; i < part->n_paths; i++)
		free(part->paths[i].path);
	for (size_t i = 0; i < part->n_env; i++) {
		free(part->env[i].name);
		free(part->env[i].value);
	}
	for (size_t i = 0; i < part->n_expects; i++) {
		for (unsigned j = 0; j < 6; j++)
			free(part->expects[i].text[j]);
		free(part->expects[i].path);
	}
	for (size_t i = 0; i < part->n_lets; i++) {
		for (size_t j = 0; j < part->lets[i].n_words; j++)
			free(part->lets[i].words[j].text);
		free(part->lets[i].words);
		free(part->lets[i].name);
	}
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++)
		free(part->labels[i].text);
	free(part->name);
	free(part->uses);
	free(part->removes);
	free(part->lets);
	free(part->ports);
	free(part->rules);
	free(part->paths);
	free(part->env);
	free(part->expects);
	*part = (struct part){ .name = NULL };
}
