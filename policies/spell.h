// SPDX-License-Identifier: Apache-2.0
/* Parts of a policy as text that a policy could hold: for notes, show and tools. */
#pragma once

#include "base/fd.h"
#include "policies/part.h"

/* Each appends one line without its newline. 0 or -ENOMEM. */
int spell_rule(struct buf *buf, const struct policy_rule *rule);
int spell_path(struct buf *buf, const struct policy_path *path);
int spell_env(struct buf *buf, const struct policy_env *env);
int spell_port(struct buf *buf, const struct policy_port *port);
int spell_label(struct buf *buf, enum policy_lsm lsm, const char *text);
int spell_expect(struct buf *buf, const struct policy_expect *expect);
int spell_let(struct buf *buf, const struct part_let *let);
int spell_scalar(struct buf *buf, unsigned kind, const struct scalar *s); /* enum scalar_kind */

/* A word as it must stand in a line: in quotes where it needs them. */
int spell_word(struct buf *buf, const char *word);
/* "tcp", "udp6" */
const char *spell_protocol(const struct policy_port *port);
