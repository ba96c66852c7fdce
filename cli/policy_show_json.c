// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "policies/consts.h"
#include "policies/label.h"
#include "policies/limit.h"
#include "policies/spell.h"

struct writer {
	struct json json;
	const struct policy *policy;
	bool no_memory;
};

static void put_where(struct writer *w, const char *key, const struct policy_where *where)
{
	if (where->line == 0 || where->source >= w->policy->n_sources) {
		json_string(&w->json, key, NULL);
		return;
	}
	json_object(&w->json, key);
	json_string(&w->json, "file", w->policy->sources[where->source].path);
	json_u64(&w->json, "line", where->line);
	json_u64(&w->json, "column", where->column);
	json_object_end(&w->json);
}

static void put_abis(struct writer *w, const char *key, unsigned mask)
{
	json_array(&w->json, key);
	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (mask >> a & 1)
			json_string(&w->json, NULL, abi_name((enum abi)a));
	}
	json_array_end(&w->json);
}

static void put_errno(struct writer *w, const char *key, int value)
{
	const char *name = strerrorname_np(value);

	if (name)
		json_string(&w->json, key, name);
	else
		json_i64(&w->json, key, value);
}

/* An object with the line's text and place, left open. */
static void begin_line(struct writer *w, int spelled, struct buf *text,
		       const struct policy_where *where)
{
	w->no_memory = w->no_memory || spelled < 0;
	json_object(&w->json, NULL);
	json_string(&w->json, "text", spelled < 0 ? NULL : text->data);
	put_where(w, "where", where);
	text->len = 0;
}

static void put_rules(struct writer *w)
{
	static const char *const actions[] = { "allow", "deny", "kill" };
	_cleanup_buf_ struct buf text = BUF_INIT;

	json_array(&w->json, "rules");
	for (size_t i = 0; i < w->policy->n_rules; i++) {
		const struct policy_rule *rule = &w->policy->rules[i];

		begin_line(w, spell_rule(&text, rule), &text, &rule->where);
		json_string(&w->json, "call", rule->call->name);
		json_string(&w->json, "action", actions[rule->action]);
		if (rule->action == POLICY_DENY)
			put_errno(w, "errno", rule->errno_value);
		json_bool(&w->json, "quiet", rule->quiet);
		json_u64(&w->json, "conditions", rule->n_conds);
		put_abis(w, "abis", rule->abi_mask & w->policy->abi_mask);
		json_object_end(&w->json);
	}
	json_array_end(&w->json);
}

#define PUT_LINES(w, kind, list, n)                                                                \
	do {                                                                                       \
		json_array(&(w)->json, #list);                                                     \
		for (size_t i = 0; i < (w)->policy->n; i++) {                                      \
			begin_line(w, spell_##kind(&text, &(w)->policy->list[i]), &text,           \
				   &(w)->policy->list[i].where);                                   \
			json_object_end(&(w)->json);                                               \
		}                                                                                  \
		json_array_end(&(w)->json);                                                        \
	} while (0)

static void put_lists(struct writer *w)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	PUT_LINES(w, path, paths, n_paths);
	PUT_LINES(w, port, ports, n_ports);
	PUT_LINES(w, env, env, n_env);
	PUT_LINES(w, expect, expects, n_expects);
	json_array(&w->json, "labels");
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		const struct policy_label *label = &w->policy->labels[i];

		if (!label->text)
			continue;
		begin_line(w, spell_label(&text, (enum policy_lsm)i, label->text), &text,
			   &label->where);
		json_string(&w->json, "lsm", label_lsm_name((enum policy_lsm)i));
		json_string(&w->json, "label", label->text);
		json_object_end(&w->json);
	}
	json_array_end(&w->json);
	json_array(&w->json, "lets");
	for (size_t i = 0; i < w->policy->n_lets; i++) {
		json_object(&w->json, NULL);
		json_string(&w->json, "name", w->policy->lets[i].name);
		json_string(&w->json, "words", w->policy->lets[i].text);
		put_where(w, "where", &w->policy->lets[i].where);
		json_object_end(&w->json);
	}
	json_array_end(&w->json);
}

static void put_notes(struct writer *w)
{
	static const char *const kinds[] = { "removed", "repeated", "overridden" };

	json_array(&w->json, "notes");
	for (size_t i = 0; i < w->policy->n_notes; i++) {
		const struct policy_note *n = &w->policy->notes[i];

		json_object(&w->json, NULL);
		json_string(&w->json, "kind", kinds[n->kind]);
		json_string(&w->json, "text", n->text);
		put_where(w, "where", &n->where);
		put_where(w, "other", &n->other);
		json_object_end(&w->json);
	}
	json_array_end(&w->json);
}

static void put_caps(struct writer *w)
{
	json_array(&w->json, "caps");
	for (size_t i = 0; consts_name(i); i++) {
		uint64_t value = 0;
		bool negative;

		if (text_starts_with(consts_name(i), "CAP_") &&
		    consts_find(consts_name(i), &value, &negative) == 0 && value < 64 &&
		    w->policy->caps >> value & 1)
			json_string(&w->json, NULL, consts_name(i));
	}
	json_array_end(&w->json);
}

/* In the model's units: bytes, thousandths of a core, milliseconds. */
static void put_limits(struct writer *w)
{
	static const char *const names[_POLICY_LIMIT_MAX] = {
		[POLICY_LIMIT_CPU] = "cpu_thousandths",
		[POLICY_LIMIT_WALL] = "wall_ms",
		[POLICY_LIMIT_MEMORY_HIGH] = "memory_high",
		[POLICY_LIMIT_CPU_WEIGHT] = "cpu_weight",
		[POLICY_LIMIT_IO_WEIGHT] = "io_weight",
	};
	char set[CPUS_TEXT];

	json_object(&w->json, "limits");
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if (!w->policy->has_limit[i])
			continue;
		if (i == POLICY_LIMIT_CPUSET)
			json_string(&w->json, "cpuset", cpus_format(&w->policy->cpuset, set));
		else
			json_u64(&w->json, names[i] ? names[i] : limit_name((enum policy_limit)i),
				 w->policy->limit[i]);
	}
	json_object_end(&w->json);
}

static void put_policy(struct writer *w)
{
	static const char *const nets[] = { "none", "loopback", "host" };
	const struct policy *p = w->policy;
	char hex[HASH_HEX + 1], kernel[16];

	hash_hex(&p->digest, hex);
	(void)snprintf(kernel, sizeof(kernel), "%u.%u", p->kernel >> 8, p->kernel & 0xffU);
	json_object(&w->json, NULL);
	json_string(&w->json, "policy", p->name);
	json_string(&w->json, "digest", hex);
	json_array(&w->json, "sources");
	for (size_t i = 0; i < p->n_sources; i++)
		json_string(&w->json, NULL, p->sources[i].path);
	json_array_end(&w->json);
	json_string(&w->json, "kernel", kernel);
	json_string(&w->json, "native", abi_name((enum abi)p->native));
	put_abis(w, "abis", p->abi_mask);
	put_errno(w, "default_errno", p->default_errno);
	json_bool(&w->json, "notify", p->notify);
	json_string(&w->json, "net", nets[p->net]);
	put_caps(w);
	put_limits(w);
	put_lists(w);
	put_rules(w);
	put_notes(w);
	json_object_end(&w->json);
}

int policy_cli_show_json(const struct policy *policy, struct err *err)
{
	for (size_t cap = 1 << 18; cap <= 1 << 28; cap *= 4) {
		_cleanup_free_ char *buf = malloc(cap);
		struct writer w = { .policy = policy };

		if (!buf)
			break;
		json_init(&w.json, buf, cap);
		put_policy(&w);
		if (w.no_memory)
			break;
		if (json_finish(&w.json)) {
			(void)puts(buf);
			return 0;
		}
	}
	return err_set(err, -ENOMEM, "show policy '%s'", policy->name);
}
