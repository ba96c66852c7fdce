// SPDX-License-Identifier: Apache-2.0
/*
 * A policy that allows less never has more points: pairs of a random policy and one made of it by
 * steps that each take something away. Shipped policies and the parts have their figures' order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "policies/load.h"
#include "policies/reach.h"
#include "policies/score.h"
#include "tests/unit/random_policy.h"

enum { PAIRS = 10000, MAX_STEPS = 6, MAX_PATHS = 8, MAX_PORTS = 4 };

/* A policy with everything that counts, and room to make it narrower. */
struct subject {
	struct random_policy *base;
	struct policy policy;
	struct policy_rule rules[RANDOM_RULES + MAX_STEPS];
	struct policy_path paths[MAX_PATHS + MAX_STEPS];
	struct policy_port ports[MAX_PORTS];
};

static char some_paths[][16] = { "/",	      "/etc",	"/usr", "/home",       "/home/user",
				 "~",	      "~/.ssh", "$PWD", "/etc/shadow", "/var",
				 "~/.config", "/root",	"/tmp", "/run",	       "/usr/local" };

static void point_into(struct subject *s)
{
	s->policy.rules = s->rules;
	s->policy.paths = s->paths;
	s->policy.ports = s->ports;
}

static bool has_path(const struct subject *s, const char *path)
{
	for (size_t i = 0; i < s->policy.n_paths; i++) {
		if (strcmp(s->paths[i].path, path) == 0)
			return true;
	}
	return false;
}

static void add_path(struct subject *s, uint64_t *state, enum policy_path_verb verb)
{
	char *path = some_paths[random_below(state, ARRAY_SIZE(some_paths))];

	if (!has_path(s, path))
		s->paths[s->policy.n_paths++] =
			(struct policy_path){ .verb = (uint8_t)verb, .path = path };
}

static void make_subject(uint64_t seed, struct subject *s)
{
	uint64_t state = seed ^ 0x5c0fe;

	random_policy_make(seed, s->base);
	s->policy = s->base->policy;
	memcpy(s->rules, s->base->rules, s->policy.n_rules * sizeof(s->rules[0]));
	point_into(s);
	for (size_t i = 0; i < s->policy.n_rules; i++) {
		for (unsigned c = 0; c < s->rules[i].n_conds; c++) {
			struct policy_cond *cond = &s->rules[i].conds[c];

			cond->width = s->rules[i].call->args[cond->arg].width;
			if (cond->width == WIDTH_S32 || cond->width == WIDTH_U32) {
				cond->value &= UINT32_MAX;
				cond->mask &= UINT32_MAX;
			}
		}
	}
	s->policy.n_paths = 0;
	for (size_t i = random_below(&state, MAX_PATHS); i > 0; i--)
		add_path(s, &state, (enum policy_path_verb)random_below(&state, 5));
	s->policy.net = (uint8_t)random_below(&state, 3);
	s->policy.caps = random_below(&state, 2) ? random_next(&state) & ((1ULL << 41) - 1) : 0;
	s->policy.n_ports = random_below(&state, MAX_PORTS);
	for (size_t i = 0; i < s->policy.n_ports; i++) {
		s->ports[i] = (struct policy_port){
			.direction = (uint8_t)random_below(&state, 2),
			.protocol = (uint8_t)random_below(&state, 2),
			.families = (uint8_t)(1 + random_below(&state, 3)),
			.first = (uint16_t)random_below(&state, 30000),
		};
		s->ports[i].last = (uint16_t)(s->ports[i].first + random_below(&state, 30000));
	}
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++)
		s->policy.has_limit[i] = random_below(&state, 2);
}

/* --- steps that take something away --- */

static void remove_allow(struct subject *s, uint64_t *state)
{
	size_t i = random_below(state, s->policy.n_rules);

	if (s->rules[i].action != POLICY_ALLOW)
		return;
	memmove(&s->rules[i], &s->rules[i + 1], (--s->policy.n_rules - i) * sizeof(s->rules[0]));
}

static void condition_allow(struct subject *s, uint64_t *state)
{
	struct policy_rule *rule = &s->rules[random_below(state, s->policy.n_rules)];

	if (rule->action == POLICY_ALLOW && rule->n_conds < 6 && rule->call->n_args) {
		random_cond(state, rule->call, &rule->conds[rule->n_conds]);
		rule->conds[rule->n_conds].width =
			rule->call->args[rule->conds[rule->n_conds].arg].width;
		rule->n_conds++;
	}
}

static void add_refusal(struct subject *s, uint64_t *state)
{
	struct policy_rule *rule = &s->rules[s->policy.n_rules];

	random_rule(state, s->rules[random_below(state, s->policy.n_rules)].call, rule);
	if (rule->action == POLICY_ALLOW)
		rule->action = POLICY_KILL;
	for (unsigned c = 0; c < rule->n_conds; c++)
		rule->conds[c].width = rule->call->args[rule->conds[c].arg].width;
	s->policy.n_rules++;
	qsort(s->rules, s->policy.n_rules, sizeof(s->rules[0]), random_compare_rule);
}

static void narrow_path(struct subject *s, uint64_t *state)
{
	struct policy_path *path;

	if (s->policy.n_paths == 0)
		return;
	path = &s->paths[random_below(state, s->policy.n_paths)];
	/* a tmpfs shows nothing of the host's, so nothing is narrower but less of what it covers */
	if (path->verb == POLICY_PATH_WRITE || path->verb == POLICY_PATH_EXEC)
		path->verb = POLICY_PATH_READ;
	else if (path->verb == POLICY_PATH_READ)
		path->verb = POLICY_PATH_TMPFS;
}

static void narrow_ports(struct subject *s, uint64_t *state)
{
	struct policy_port *port;

	if (s->policy.n_ports == 0)
		return;
	port = &s->ports[random_below(state, s->policy.n_ports)];
	port->last = (uint16_t)(port->first + (port->last - port->first) / 2);
}

static void narrow(struct subject *s, uint64_t *state)
{
	switch (random_below(state, 10)) {
	case 0:
		remove_allow(s, state);
		break;
	case 1:
	case 2:
		condition_allow(s, state);
		break;
	case 3:
	case 4:
		add_refusal(s, state);
		break;
	case 5:
		add_path(s, state, POLICY_PATH_TMPFS);
		break;
	case 6:
		narrow_path(s, state);
		break;
	case 7:
		s->policy.caps &= random_next(state);
		s->policy.abi_mask &= (uint8_t)(1U << s->policy.native | random_next(state));
		break;
	case 8:
		narrow_ports(s, state);
		break;
	default:
		if (s->policy.net > POLICY_NET_NONE)
			s->policy.net--;
		s->policy.has_limit[random_below(state, _POLICY_LIMIT_MAX)] = true;
		break;
	}
}

static void copy_subject(const struct subject *from, struct subject *to)
{
	struct random_policy *base = to->base;

	*to = *from;
	to->base = base;
	point_into(to);
}

static void test_narrower_is_never_worse(void **context)
{
	struct subject *wide = calloc(1, sizeof(*wide)), *less = calloc(1, sizeof(*less));
	unsigned equal = 0;

	(void)context;
	assert_non_null(wide);
	assert_non_null(less);
	wide->base = calloc(1, sizeof(*wide->base));
	assert_non_null(wide->base);
	for (uint64_t seed = 0; seed < PAIRS; seed++) {
		uint64_t state = seed + 99;
		struct score a, b;

		make_subject(seed, wide);
		copy_subject(wide, less);
		for (size_t i = 1 + random_below(&state, MAX_STEPS - 1);
		     i > 0 && less->policy.n_rules; i--)
			narrow(less, &state);
		assert_int_equal(score_policy(&wide->policy, &a), 0);
		assert_int_equal(score_policy(&less->policy, &b), 0);
		assert_false(a.hard || b.hard);
		for (unsigned p = 0; p < _SCORE_MAX; p++) {
			if (b.points[p] > a.points[p])
				fail_msg("seed %u: %s: %u, narrower %u", (unsigned)seed,
					 score_part_name((enum score_part)p), a.points[p],
					 b.points[p]);
		}
		equal += a.total == b.total;
		score_done(&a);
		score_done(&b);
	}
	print_message("# %d pairs, never worse; %u equal\n", PAIRS, equal);
	/* the weights see most of what is taken away */
	assert_true(equal < PAIRS * 2 / 3);
	free(wide->base);
	free(wide);
	free(less);
}

static uint32_t score_of(const char *what, bool text)
{
	static const char *const dirs[] = { "policies/library" };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;
	struct score score;
	uint32_t total;
	int r;

	r = text ? policy_load_text("t", what, strlen(what), &search, &policy, &diags, &err)
		 : policy_load(what, &search, &policy, &diags, &err);
	if (r < 0)
		fail_msg("%s: %s", what, diags.text.data);
	assert_int_equal(score_policy(policy, &score), 0);
	total = score.total;
	score_done(&score);
	policy_free(policy);
	policy_diags_done(&diags);
	return total;
}

static void expect_less(const char *narrow_text, const char *wide_text)
{
	if (score_of(narrow_text, true) >= score_of(wide_text, true))
		fail_msg("'%s' is not less than '%s'", narrow_text, wide_text);
}

static void test_order(void **context)
{
	(void)context;
	assert_true(score_of("strict", false) < score_of("default", false));
	assert_true(score_of("default", false) <= score_of("build", false));
	expect_less("allow read\n", "allow read write\n");
	expect_less("allow ioctl if cmd == TCGETS\n", "allow ioctl if cmd in TCGETS TIOCSTI\n");
	expect_less("allow ioctl if cmd == TCGETS\n", "allow ioctl\n");
	expect_less("allow socket if domain == AF_UNIX\n", "allow socket if domain == AF_PACKET\n");
	expect_less("allow socket if domain == AF_UNIX\n",
		    "allow socket if domain in AF_UNIX AF_INET\n");
	expect_less("allow read\n", "allow read\nabi native i386\n");
	expect_less("allow read\n", "allow read\nnet loopback\n");
	expect_less("net loopback\n", "net host\n");
	expect_less("cap CAP_KILL\n", "cap CAP_SYS_ADMIN\n");
	expect_less("limit pids 5\n", "\n");
	expect_less("read ~\n", "write ~\n");
	expect_less("tmpfs ~\n", "read ~\n");
	expect_less("allow openat\n", "allow bpf\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_narrower_is_never_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
