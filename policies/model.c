// SPDX-License-Identifier: Apache-2.0
#include "policies/model.h"

#include <stdlib.h>
#include <string.h>

static uint64_t setting_value(const struct policy *policy, unsigned setting)
{
	switch (setting) {
	case POLICY_SETTING_KERNEL:
		return policy->kernel;
	case POLICY_SETTING_ABI:
		return policy->abi_mask;
	case POLICY_SETTING_NET:
		return policy->net;
	case POLICY_SETTING_CAP:
		return policy->caps;
	case POLICY_SETTING_NOTIFY:
		return policy->notify;
	case POLICY_SETTING_DEFAULT:
		return policy->default_errno;
	default:
		setting -= _POLICY_SETTING_MAX;
		return policy->has_limit[setting] ? policy->limit[setting] : UINT64_MAX;
	}
}

/* Not to say it and to say `none` are one. */
static bool is_label(const struct policy *policy, const struct policy_expect *expect)
{
	const char *text = policy->labels[expect->setting].text;

	return strcmp(text ? text : "none", expect->text[0]) == 0;
}

bool policy_setting_is(const struct policy *policy, const struct policy_expect *expect)
{
	if (expect->kind == POLICY_EXPECT_SETTING) {
		char set[CPUS_TEXT];

		return setting_value(policy, expect->setting) == expect->value &&
		       (!expect->text[0] ||
			strcmp(expect->text[0], cpus_format(&policy->cpuset, set)) == 0);
	}
	if (expect->kind == POLICY_EXPECT_LABEL)
		return is_label(policy, expect);
	for (size_t i = 0; i < policy->n_env; i++) {
		const char *value = policy->env[i].value, *want = expect->text[0];

		if (strcmp(policy->env[i].name, expect->path) == 0)
			return value && want ? strcmp(value, want) == 0 : value == want;
	}
	return false;
}

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
	for (size_t i = 0; i < policy->n_lets; i++) {
		free(policy->lets[i].name);
		free(policy->lets[i].text);
	}
	for (size_t i = 0; i < policy->n_notes; i++)
		free(policy->notes[i].text);
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++)
		free(policy->labels[i].text);
	free(policy->name);
	free(policy->sources);
	free(policy->rules);
	free(policy->paths);
	free(policy->env);
	free(policy->expects);
	free(policy->ports);
	free(policy->lets);
	free(policy->notes);
	free(policy);
}
