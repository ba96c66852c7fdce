// SPDX-License-Identifier: Apache-2.0
#include "policies/model.h"

#include <stdlib.h>

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->n_sources; i++) {
		free(policy->sources[i].path);
		free(policy->sources[i].text);
	}
	for (size_t i = 0; i < policy->n_paths; i++)
		free(policy->paths[i].path);
	for (size_t i = 0; i < policy->n_env; i++) {
		free(policy->env[i].name);
		free(policy->env[i].value);
	}
	for (size_t i = 0; i < policy->n_expects; i++) {
		for (unsigned j = 0; j < 6; j++)
			free(policy->expects[i].text[j]);
		free(policy->expects[i].path);
	}
	for (size_t i = 0; i < policy->n_notes; i++)
		free(policy->notes[i].text);
	free(policy->name);
	free(policy->sources);
	free(policy->rules);
	free(policy->paths);
	free(policy->env);
	free(policy->expects);
	free(policy->ports);
	free(policy->notes);
	free(policy);
}
