// SPDX-License-Identifier: Apache-2.0
/* One policy text, read and not yet composed: what parse.c makes and compose.c merges. */
#pragma once

#include "policies/diag.h"
#include "policies/lex.h"
#include "policies/model.h"

/* A line that can be said once: of two files the one that says `use` decides. */
enum scalar_kind {
	SCALAR_KERNEL,
	SCALAR_ABI,
	SCALAR_NET,
	SCALAR_CAP,
	SCALAR_NOTIFY,
	SCALAR_DEFAULT,
	SCALAR_LIMIT, /* + enum policy_limit */
	_SCALAR_MAX = SCALAR_LIMIT + _POLICY_LIMIT_MAX,
};

struct scalar {
	bool set;
	uint64_t value;	  /* SCALAR_NONE: `limit NAME none` */
	struct cpus cpus; /* of `limit cpuset`, else empty */
	struct policy_where where;
};
#define SCALAR_NONE UINT64_MAX

struct part_use {
	char *name;
	struct policy_where where;
	size_t part; /* index of the part that it names, once found */
};

struct let_word {
	char *text;
	bool quoted;
	struct policy_where where;
};

struct part_let {
	char *name;
	struct let_word *words;
	size_t n_words;
	struct policy_where where;
};

enum remove_what { REMOVE_CALL, REMOVE_EXPECT, REMOVE_PATH, REMOVE_ENV, REMOVE_PORT };

struct part_remove {
	uint8_t what;	   /* enum remove_what */
	uint8_t verb;	   /* enum policy_action or policy_path_verb */
	uint8_t kind;	   /* REMOVE_EXPECT: enum policy_expect_kind */
	uint8_t path_verb; /* REMOVE_EXPECT of a path */
	uint8_t n_port;	   /* of ports: 1 for a direction, 2 with a protocol, 3 with port, too */
	struct policy_port port;	 /* REMOVE_PORT, REMOVE_EXPECT of a port */
	bool group;			 /* one of several that an @group stood for */
	const struct syscall_desc *call; /* REMOVE_CALL, REMOVE_EXPECT */
	char *text;			 /* REMOVE_PATH, REMOVE_ENV, REMOVE_EXPECT of a path */
	struct policy_where where;
};

/* A rule; or one that cannot be on the one ABI of its mask, which matters where that is open. */
struct part_rule {
	struct policy_rule rule;
	bool implied;	     /* what another ABI makes of a line that is there without it */
	const char *refused; /* why, NULL for a rule */
	uint8_t refused_arg;
	struct policy_where refused_at;
};

struct part {
	char *name; /* from `policy NAME`, else NULL */
	struct policy_where name_where;
	struct part_use *uses;
	size_t n_uses;
	struct part_let *lets;
	size_t n_lets;
	struct part_remove *removes;
	size_t n_removes;
	struct scalar scalars[_SCALAR_MAX];
	struct part_rule *rules;
	size_t n_rules;
	struct policy_path *paths;
	size_t n_paths;
	struct policy_env *env;
	size_t n_env;
	struct policy_label labels[_POLICY_LSM_MAX];
	struct policy_port *ports;
	size_t n_ports;
	struct policy_expect *expects;
	size_t n_expects;
};
void part_done(struct part *part);

/* How a scalar is called in a message: "kernel", "limit pids". */
const char *scalar_name(unsigned kind);
/* Whether two of one kind say the same, wherever they do. */
bool scalar_same(const struct scalar *a, const struct scalar *b);

/*
 * Make room for one more behind n items of size bytes each; *items is a pointer to the first.
 * 0 or -ENOMEM. The room grows by powers of two.
 */
int list_grow(void *items, size_t n, size_t size);

struct parser {
	struct part *part;
	struct diag *d;
	struct line *line;
	struct policy_where where; /* of the line */
	enum abi native;
	const struct let_scope *visible; /* variables that this file may name */
	const struct let_scope *values;	 /* what they are */
};

/* The i-th word's place; the end of the line when there are fewer. */
struct policy_where word_at(const struct parser *p, size_t i);

/* Statements about calls: allow, deny, kill. 0, -EINVAL (a mistake was added) or -ENOMEM. */
int parse_call_rule(struct parser *p, enum policy_action action);
int parse_expect(struct parser *p);
int parse_remove_expect(struct parser *p, enum policy_action action);
/* The name of an error at word i. 0 or -EINVAL with a mistake. */
int parse_errno(struct parser *p, size_t i, uint16_t *ret);
/* `remove allow|deny|kill|expect ...`, the words from first on. */
int parse_remove_call(struct parser *p, enum policy_action action, bool expect, size_t first);

/* allow, deny or kill: 0 or -EINVAL without a mistake added. */
int parse_action(const char *word, enum policy_action *ret);

/* The mistake that a refused rule is on that ABI. */
void part_refuse(struct diag *d, const struct part_rule *rule, enum abi abi);

/* Everything else that can stand at the beginning of a line. */
int parse_path(struct parser *p, enum policy_path_verb verb, bool optional);
int parse_path_text(struct parser *p, size_t i, char **ret);
int parse_path_verb(const char *word, enum policy_path_verb *ret, bool *ret_optional);
int parse_settings(struct parser *p); /* kernel abi net cap limit notify default env label */
/* An ABI by name, or `native`, at word i. 0 or -EINVAL with a mistake. */
int parse_abi_name(struct parser *p, size_t i, enum abi *ret);
bool parse_is_setting(const char *word);
int parse_set_scalar(struct parser *p, unsigned kind, uint64_t value, struct policy_where where);

/* PROTOCOL PORT..., from word first on, added to *ret_list. 0, -EINVAL with a mistake, or -ENOMEM.
 */
int parse_ports(struct parser *p, size_t first, enum policy_port_direction direction,
		struct policy_port **ret_list, size_t *ret_n);
int parse_port_direction(const char *word, enum policy_port_direction *ret);
int parse_port_protocol(const char *word, struct policy_port *ret);
int parse_net_ports(struct parser *p, enum policy_port_direction direction);
int parse_remove_port(struct parser *p);

/* The `use` and `let` lines of a text, which others depend on, without its mistakes. -ENOMEM is
 * the only failure. */
int parse_uses(const char *text, size_t len, uint16_t source, struct part *part);

/* A whole text. Mistakes are collected; -ENOMEM is the only failure. settings has the fields that
 * are the same for each line: part, d, native, visible, values. */
int parse_text(const char *text, size_t len, uint16_t source, const struct parser *settings);
