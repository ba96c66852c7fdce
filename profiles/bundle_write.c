// SPDX-License-Identifier: Apache-2.0
/* A policy's bundle: generate, check, lay out. The format is in bundle_format.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/bundle_format.h"
#include "profiles/compile.h"
#include "profiles/seccomp.h"
#include "profiles/seccomp_gen.h"

/* Rules that say the same on the same line (a group, expanded) are one record; a rule is compared
 * with so many before it, which keeps the longest policies from taking quadratic time. */
enum { SAME_RULE_WINDOW = 1024 };

struct writer {
	const struct policy *policy;
	struct seccomp_index index;
	struct buf section[_BUNDLE_SECTION_MAX];
	uint32_t *source_name; /* string of each source's path */
	int error;
};

static void writer_done(struct writer *w)
{
	seccomp_index_done(&w->index);
	for (unsigned i = 0; i < _BUNDLE_SECTION_MAX; i++)
		buf_done(&w->section[i]);
	free(w->source_name);
}

static uint32_t count(const struct writer *w, enum bundle_section section)
{
	return (uint32_t)(w->section[section].len / bundle_record_size(section));
}

/* The first failure sticks. A section over a bundle's size is refused here, so that no offset
 * or count can wrap. */
static void put(struct writer *w, enum bundle_section section, const void *bytes, size_t len)
{
	if (w->error == 0 && w->section[section].len + len > LIMIT_BUNDLE_BYTES)
		w->error = -EFBIG;
	if (w->error == 0)
		w->error = buf_put(&w->section[section], bytes, len);
}

static uint32_t put_string(struct writer *w, const char *text)
{
	uint32_t offset = count(w, BUNDLE_STRINGS);

	put(w, BUNDLE_STRINGS, text, strlen(text) + 1);
	return offset;
}

static uint32_t file_of(struct writer *w, const struct policy_where *where)
{
	if (where->source >= w->policy->n_sources) {
		w->error = w->error ? w->error : -EINVAL;
		return 0;
	}
	return w->source_name[where->source];
}

static bool same_conds(const struct writer *w, const struct bundle_rec_rule *rec,
		       const struct policy_rule *rule)
{
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		struct bundle_rec_cond c;
		const struct policy_cond *p = &rule->conds[i];

		memcpy(&c, w->section[BUNDLE_CONDS].data + (rec->conds + i) * sizeof(c), sizeof(c));
		if (c.arg != p->arg || c.op != p->op || c.negate != p->negate ||
		    c.width != p->width || c.mask != p->mask || c.value != p->value)
			return false;
	}
	return true;
}

/* The record for a rule: one that is there, or a new one. */
static uint16_t put_rule(struct writer *w, const struct policy_rule *rule)
{
	uint32_t n = count(w, BUNDLE_RULES),
		 oldest = n > SAME_RULE_WINDOW ? n - SAME_RULE_WINDOW : 0;
	struct bundle_rec_rule rec = { .action = rule->action,
				       .quiet = rule->quiet,
				       .errno_value = rule->errno_value,
				       .line = rule->where.line,
				       .file = file_of(w, &rule->where),
				       .conds = count(w, BUNDLE_CONDS),
				       .n_conds = rule->n_conds };

	for (uint32_t i = n; i > oldest && w->error == 0; i--) {
		struct bundle_rec_rule old;

		memcpy(&old, w->section[BUNDLE_RULES].data + (i - 1) * sizeof(old), sizeof(old));
		if (old.action == rec.action && old.quiet == rec.quiet &&
		    old.errno_value == rec.errno_value && old.line == rec.line &&
		    old.file == rec.file && old.n_conds == rec.n_conds && same_conds(w, &old, rule))
			return (uint16_t)(i - 1);
	}
	/* A reference has 16 bits; a policy has LIMIT_POLICY_RULES rules at most. */
	if (n > UINT16_MAX)
		w->error = w->error ? w->error : -EFBIG;
	put(w, BUNDLE_RULES, &rec, sizeof(rec));
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		const struct policy_cond *p = &rule->conds[i];
		struct bundle_rec_cond c = { .arg = p->arg,
					     .op = p->op,
					     .negate = p->negate,
					     .width = p->width,
					     .mask = p->mask,
					     .value = p->value };

		put(w, BUNDLE_CONDS, &c, sizeof(c));
	}
	return (uint16_t)n;
}

/* Put the rules of one call behind refs, up to one that always holds. */
static void put_refs(struct writer *w, const struct syscall_desc *call, enum abi abi)
{
	size_t lo = 0, hi = w->index.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((uintptr_t)w->index.rules[mid]->call < (uintptr_t)call)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < w->index.n && w->index.rules[lo]->call == call; lo++) {
		const struct policy_rule *rule = w->index.rules[lo];
		uint16_t ref;

		if (!(rule->abi_mask >> abi & 1))
			continue;
		ref = put_rule(w, rule);
		put(w, BUNDLE_REFS, &ref, sizeof(ref));
		if (rule->n_conds == 0)
			return;
	}
}

/* Whether the last two records speak of neighbours with the same rules: then they are one. */
static bool merge_calls(struct writer *w, struct bundle_rec_call *now)
{
	const uint16_t *refs = (const void *)w->section[BUNDLE_REFS].data;
	struct bundle_rec_call before;
	char *at;

	if (w->error < 0 || count(w, BUNDLE_CALLS) == 0)
		return false;
	at = w->section[BUNDLE_CALLS].data + (count(w, BUNDLE_CALLS) - 1) * sizeof(before);
	memcpy(&before, at, sizeof(before));
	if (before.abi != now->abi || before.last + 1 != now->first || before.n_refs != now->n_refs)
		return false;
	for (uint32_t i = 0; i < now->n_refs; i++) {
		if (refs[before.refs + i] != refs[now->refs + i])
			return false;
	}
	before.last = now->last;
	memcpy(at, &before, sizeof(before));
	w->section[BUNDLE_REFS].len = now->refs * sizeof(uint16_t);
	return true;
}

static void put_calls(struct writer *w, enum abi abi)
{
	for (int32_t nr = 0; nr <= syscall_max_nr(abi) && w->error == 0; nr++) {
		const struct syscall_desc *call = syscall_by_nr(abi, nr);
		struct bundle_rec_call rec = { .first = (uint32_t)nr,
					       .last = (uint32_t)nr,
					       .refs = count(w, BUNDLE_REFS),
					       .abi = (uint8_t)abi };

		if (!call)
			continue;
		put_refs(w, call, abi);
		rec.n_refs = (uint16_t)(count(w, BUNDLE_REFS) - rec.refs);
		if (rec.n_refs == 0 && call->since > w->policy->kernel)
			continue;
		if (!merge_calls(w, &rec))
			put(w, BUNDLE_CALLS, &rec, sizeof(rec));
	}
}

static void put_labels(struct writer *w)
{
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		const struct policy_label *label = &w->policy->labels[i];
		struct bundle_rec_label rec = { .lsm = i, .line = label->where.line };

		if (!label->text)
			continue;
		rec.text = put_string(w, label->text);
		rec.file = file_of(w, &label->where);
		put(w, BUNDLE_LABELS, &rec, sizeof(rec));
	}
}

static void put_lists(struct writer *w)
{
	const struct policy *p = w->policy;

	for (size_t i = 0; i < p->n_paths; i++) {
		struct bundle_rec_path rec = { .verb = p->paths[i].verb,
					       .optional = p->paths[i].optional,
					       .path = put_string(w, p->paths[i].path),
					       .file = BUNDLE_NO_STRING,
					       .line = p->paths[i].where.line };

		if (rec.line > 0)
			rec.file = file_of(w, &p->paths[i].where);
		put(w, BUNDLE_PATHS, &rec, sizeof(rec));
	}
	for (size_t i = 0; i < p->n_env; i++) {
		struct bundle_rec_env rec = { .name = put_string(w, p->env[i].name),
					      .value = BUNDLE_NO_STRING };

		if (p->env[i].value)
			rec.value = put_string(w, p->env[i].value);
		put(w, BUNDLE_ENV, &rec, sizeof(rec));
	}
	for (size_t i = 0; i < p->n_ports; i++) {
		struct bundle_rec_port rec = { .direction = p->ports[i].direction,
					       .protocol = p->ports[i].protocol,
					       .families = p->ports[i].families,
					       .first = p->ports[i].first,
					       .last = p->ports[i].last,
					       .file = BUNDLE_NO_STRING,
					       .line = p->ports[i].where.line };

		if (rec.line > 0)
			rec.file = file_of(w, &p->ports[i].where);
		put(w, BUNDLE_PORTS, &rec, sizeof(rec));
	}
	for (size_t i = 0; i < p->n_sources; i++) {
		const struct policy_source *s = &p->sources[i];
		struct bundle_rec_source rec = { .dev = s->dev,
						 .ino = s->ino,
						 .size = s->size,
						 .mtime_ns = s->mtime_ns,
						 .ctime_ns = s->ctime_ns,
						 .digest = s->digest,
						 .path = w->source_name[i] };

		put(w, BUNDLE_SOURCES, &rec, sizeof(rec));
	}
}

static void fill_header(struct writer *w, struct bundle_rec_header *h)
{
	const struct policy *p = w->policy;

	*h = (struct bundle_rec_header){ .format = BUNDLE_FORMAT,
					 .arch = abi_audit_arch((enum abi)p->native),
					 .policy_digest = p->digest,
					 .caps = p->caps,
					 .name = put_string(w, p->name),
					 .kernel = p->kernel,
					 .abi_mask = p->abi_mask & ((1U << _ABI_MAX) - 1),
					 .notify = p->notify,
					 .net = p->net,
					 .default_errno = p->default_errno };
	memcpy(h->magic, BUNDLE_MAGIC, sizeof(h->magic));
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		h->has_limit = (uint16_t)(h->has_limit | (unsigned)p->has_limit[i] << i);
		h->limit[i] = p->has_limit[i] ? p->limit[i] : 0;
	}
	if (p->has_limit[POLICY_LIMIT_CPUSET])
		h->cpuset = p->cpuset;
}

/* Everything into one block; the hash goes in last. */
static int lay_out(struct writer *w, struct buf *ret)
{
	static const char zeros[8];
	struct bundle_rec_header h;
	_cleanup_buf_ struct buf out = BUF_INIT;
	int r;

	fill_header(w, &h);
	r = w->error ? w->error : buf_put(&out, &h, sizeof(h));
	for (unsigned i = 0; i < _BUNDLE_SECTION_MAX && r == 0; i++) {
		h.section[i].offset = (uint32_t)out.len;
		h.section[i].count = count(w, (enum bundle_section)i);
		if (w->section[i].len > 0)
			r = buf_put(&out, w->section[i].data, w->section[i].len);
		if (r == 0 && out.len % 8 != 0)
			r = buf_put(&out, zeros, 8 - out.len % 8);
		if (r == 0 && out.len > LIMIT_BUNDLE_BYTES)
			r = -EFBIG;
	}
	if (r < 0)
		return r;
	h.size = out.len;
	memcpy(out.data, &h, sizeof(h));
	bundle_seal(out.data, out.len);
	buf_done(ret);
	*ret = out;
	out = BUF_INIT;
	return 0;
}

static int write_sections(struct writer *w, const struct seccomp_program *program)
{
	const struct policy *p = w->policy;
	int r = seccomp_index_new(p, &w->index);

	if (r < 0)
		return r;
	w->source_name = calloc(p->n_sources + 1, sizeof(*w->source_name));
	if (!w->source_name)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_sources; i++)
		w->source_name[i] = put_string(w, p->sources[i].path);
	put(w, BUNDLE_INSNS, program->insns, program->n * sizeof(*program->insns));
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		if (p->abi_mask >> abi & 1)
			put_calls(w, (enum abi)abi);
	}
	put_lists(w);
	put_labels(w);
	return w->error;
}

int compile_bundle(const struct policy *policy, struct buf *ret, struct err *err)
{
	return compile_bundle_for(policy, NULL, ret, err);
}

int compile_bundle_for(const struct policy *policy, const struct usage *usage, struct buf *ret,
		       struct err *err)
{
	__attribute__((cleanup(writer_done))) struct writer w = { .policy = policy };
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program program = { .n = 0 };
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct bundle *bundle;
	int r = seccomp_generate_for(policy, usage, &program, err);

	r = r ? r : seccomp_check(policy, &program, err);
	if (r < 0)
		return r;
	r = write_sections(&w, &program);
	r = r ? r : lay_out(&w, &out);
	if (r < 0)
		return err_set(err, r, "write the bundle of policy '%s'", policy->name);
	/* What the launcher would refuse is not written. */
	r = bundle_open_for(out.data, out.len, (enum abi)policy->native, &bundle, err);
	if (r < 0) {
		(void)err_wrap(err, "write the bundle of policy '%s'", policy->name);
		return r;
	}
	bundle_close(bundle);
	buf_done(ret);
	*ret = out;
	out = BUF_INIT;
	return 0;
}
