// SPDX-License-Identifier: Apache-2.0
/* What a plan will do as one number. Fed field by field: printing it as JSON first took longer than
 * hashing it, in each launch. */
#include <string.h>

#include "sandbox/plan.h"

static void add_u64(struct hash_state *st, uint64_t value)
{
	hash_add(st, &value, sizeof(value));
}

/* With its length, so that two texts never run into each other; NULL is not "". */
static void add_text(struct hash_state *st, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	add_u64(st, text ? n : UINT64_MAX);
	if (n > 0)
		hash_add(st, text, n);
}

static void add_texts(struct hash_state *st, const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		add_text(st, list[i]);
	add_text(st, NULL);
}

static void add_inode(struct hash_state *st, const struct plan_inode *inode)
{
	add_u64(st, inode->dev);
	add_u64(st, inode->ino);
}

static void add_step(struct hash_state *st, const struct plan_step *s)
{
	add_u64(st, (uint64_t)s->kind | (uint64_t)s->access << 8 | (uint64_t)s->writable << 16 |
			    (uint64_t)s->has_below << 17 | (uint64_t)s->mounted << 18 |
			    (uint64_t)s->optional << 19 | (uint64_t)s->mode << 32);
	add_u64(st, s->kind == STEP_FILE ? (uint64_t)(unsigned)s->fd : 0);
	add_u64(st, (uint64_t)s->covers_source);
	add_inode(st, &s->inode);
	add_text(st, s->source);
	add_text(st, s->dest);
	add_text(st, s->why);
}

static void add_identity(struct hash_state *st, const struct plan *plan)
{
	hash_add(st, bundle_policy_digest(plan->bundle), sizeof(struct hash));
	add_u64(st, plan->clone_flags);
	add_u64(st, (uint64_t)plan->uid << 32 | plan->uid_inside);
	add_u64(st, (uint64_t)plan->gid << 32 | plan->gid_inside);
	add_u64(st, (uint64_t)(unsigned)plan->n_groups);
	add_u64(st, plan->caps);
	add_u64(st, (uint64_t)plan->new_time | (uint64_t)plan->notify << 1 |
			    (uint64_t)plan->nests << 2 | (uint64_t)plan->exec_gated << 3 |
			    (uint64_t)plan->pty << 4 | (uint64_t)plan->pty_for[0] << 5 |
			    (uint64_t)plan->pty_for[1] << 6 | (uint64_t)plan->pty_for[2] << 7 |
			    (uint64_t)plan->net << 8 | (uint64_t)plan->root << 16 |
			    (uint64_t)plan->upper << 24 | (uint64_t)plan->learn << 31 |
			    (uint64_t)plan->root_access << 32);
	add_u64(st, (uint64_t)(unsigned)plan->landlock_abi);
	add_u64(st, plan->landlock_net);
	add_u64(st, plan->n_assumed);
	for (size_t i = 0; i < plan->n_assumed; i++)
		add_u64(st, (uint64_t)plan->assumed[i].unless_exec << 32 |
				    (uint32_t)plan->assumed[i].nr);
}

static void add_ports(struct hash_state *st, const struct plan *plan)
{
	add_u64(st, plan->n_ports);
	for (size_t i = 0; i < plan->n_ports; i++) {
		const struct plan_port *p = &plan->ports[i];

		add_u64(st, p->right << 32 | (uint64_t)p->first << 16 | p->last);
		add_text(st, p->why);
	}
}

static void add_labels(struct hash_state *st, const struct plan *plan)
{
	add_u64(st, plan->n_labels);
	for (size_t i = 0; i < plan->n_labels; i++) {
		add_u64(st, plan->labels[i].lsm);
		add_text(st, plan->labels[i].same);
		add_text(st, plan->labels[i].why);
	}
}

void plan_digest(const struct plan *plan, struct hash *ret)
{
	struct hash_state st;

	hash_begin(&st);
	add_identity(&st, plan);
	add_ports(&st, plan);
	add_labels(&st, plan);
	for (size_t i = 0; i < plan->n_layers; i++) {
		add_text(&st, plan->layers[i]);
		add_inode(&st, &plan->layer_inodes[i]);
	}
	add_text(&st, plan->upper_dir);
	add_inode(&st, &plan->upper_inode);
	add_u64(&st, plan->upper_size);
	add_u64(&st, plan->upper_inodes);
	add_u64(&st, plan->n_steps);
	for (size_t i = 0; i < plan->n_steps; i++)
		add_step(&st, &plan->steps[i]);
	add_text(&st, plan->hostname);
	add_text(&st, plan->cwd);
	add_text(&st, plan->exec);
	add_texts(&st, plan->argv);
	add_texts(&st, plan->env);
	add_u64(&st, plan->n_pass_fds);
	for (size_t i = 0; i < plan->n_pass_fds; i++)
		add_u64(&st, (uint64_t)(unsigned)plan->pass_fds[i]);
	for (int i = 0; i < _POLICY_LIMIT_MAX; i++)
		add_u64(&st, plan->has_limit[i] ? plan->limit[i] : UINT64_MAX);
	hash_add(&st, &plan->cpuset, sizeof(plan->cpuset));
	hash_end(&st, ret);
}
