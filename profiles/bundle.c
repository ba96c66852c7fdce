// SPDX-License-Identifier: Apache-2.0
/* Reading a bundle. This is linked into the launcher: no compiler, and one allocation. */
#include "profiles/bundle.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/label.h"
#include "profiles/bundle_format.h"

static_assert(sizeof(struct bundle_rec_header) % 8 == 0, "sections begin 8-aligned");
static_assert(sizeof(struct bundle_rec_header) ==
		      8 + 4 + 4 + 8 + 8 + 2 * HASH_BYTES + 8 + 8 * _POLICY_LIMIT_MAX +
			      LIMIT_CPUS / 8 + 4 + 2 + 4 + 3 * 2 + 8 * _BUNDLE_SECTION_MAX,
	      "a header has no padding, which would be bytes with no meaning");
static_assert(sizeof(struct bundle_rec_call) == 16, "no padding");
static_assert(sizeof(struct bundle_rec_rule) == 20, "no padding");
static_assert(sizeof(struct bundle_rec_cond) == 24, "no padding");
static_assert(sizeof(struct bundle_rec_path) == 16, "no padding");
static_assert(sizeof(struct bundle_rec_port) == 16, "no padding");
static_assert(sizeof(struct bundle_rec_label) == 16, "no padding");
static_assert(sizeof(struct bundle_rec_source) == 5 * 8 + HASH_BYTES + 8, "no padding");
static_assert(sizeof(struct sock_filter) == 8, "the kernel's layout");

size_t bundle_record_size(enum bundle_section section)
{
	switch (section) {
	case BUNDLE_INSNS:
		return sizeof(struct sock_filter);
	case BUNDLE_CALLS:
		return sizeof(struct bundle_rec_call);
	case BUNDLE_REFS:
		return sizeof(uint16_t);
	case BUNDLE_RULES:
		return sizeof(struct bundle_rec_rule);
	case BUNDLE_CONDS:
		return sizeof(struct bundle_rec_cond);
	case BUNDLE_PATHS:
		return sizeof(struct bundle_rec_path);
	case BUNDLE_ENV:
		return sizeof(struct bundle_rec_env);
	case BUNDLE_PORTS:
		return sizeof(struct bundle_rec_port);
	case BUNDLE_LABELS:
		return sizeof(struct bundle_rec_label);
	case BUNDLE_SOURCES:
		return sizeof(struct bundle_rec_source);
	case BUNDLE_STRINGS:
	case _BUNDLE_SECTION_MAX:
		break;
	}
	return 1;
}

static uint64_t checksum_of(const void *bytes, size_t len)
{
	const size_t at = offsetof(struct bundle_rec_header, checksum);
	const uint8_t *p = bytes;

	return hash_checksum(p, at, p + at + sizeof(uint64_t), len - at - sizeof(uint64_t));
}

void bundle_seal(void *bytes, size_t len)
{
	const size_t at = offsetof(struct bundle_rec_header, checksum);
	const size_t behind = offsetof(struct bundle_rec_header, hash) + HASH_BYTES;
	struct bundle_rec_header *h = bytes;
	const uint8_t *p = bytes;
	struct hash_state st;

	hash_begin(&st);
	hash_add(&st, p, at);
	hash_add(&st, p + behind, len - behind);
	hash_end(&st, &h->hash);
	h->checksum = checksum_of(bytes, len);
}

static int damaged(struct err *err, const char *what)
{
	(void)err_set(err, -EBADMSG, "read the bundle: %s", what);
	return -EBADMSG;
}

static uint32_t count(const struct bundle *b, enum bundle_section section)
{
	return b->header->section[section].count;
}

/* Offsets need no other check than this: below the section's size there is a NUL behind them. */
static bool is_string(const struct bundle *b, uint32_t offset)
{
	return offset < count(b, BUNDLE_STRINGS);
}

static bool is_string_or_none(const struct bundle *b, uint32_t offset)
{
	return offset == BUNDLE_NO_STRING || is_string(b, offset);
}

/* A string that is there, not empty, and no longer than size with its NUL. */
static bool is_text(const struct bundle *b, uint32_t offset, size_t size)
{
	size_t n;

	if (!is_string(b, offset))
		return false;
	n = strnlen(b->strings + offset, size);
	return n > 0 && n < size;
}

static const char *string(const struct bundle *b, uint32_t offset)
{
	return offset == BUNDLE_NO_STRING ? NULL : b->strings + offset;
}

static int check_header(const void *bytes, size_t len, enum abi native, struct err *err)
{
	const struct bundle_rec_header *h = bytes;

	if (len < sizeof(*h) || len > LIMIT_BUNDLE_BYTES)
		return damaged(err, "its size is wrong");
	if ((uintptr_t)bytes % 8 != 0)
		return damaged(err, "its bytes are not aligned in memory");
	if (memcmp(h->magic, BUNDLE_MAGIC, sizeof(h->magic)) != 0)
		return damaged(err, "it does not begin as bundles do");
	if (h->format != BUNDLE_FORMAT)
		return damaged(err, "it has another format version");
	if (h->arch != abi_audit_arch(native))
		return damaged(err, "it is for another architecture");
	if (h->size != len)
		return damaged(err, "its size is not what its header says");
	if (checksum_of(bytes, len) != h->checksum)
		return damaged(err, "its checksum does not match");
	return 0;
}

/* Sections follow each other without overlap: padding below 8 bytes, and all of it zero. */
static int check_sections(struct bundle *b, const uint8_t *bytes, size_t len, struct err *err)
{
	uint64_t at = sizeof(*b->header);

	for (unsigned i = 0; i < _BUNDLE_SECTION_MAX; i++) {
		const struct bundle_rec_section *s = &b->header->section[i];
		uint64_t size = (uint64_t)s->count * bundle_record_size((enum bundle_section)i);

		if (s->offset != at || s->offset > len || size > len - s->offset)
			return damaged(err, "a section lies outside");
		at += size;
		for (; at % 8 != 0; at++) {
			if (at >= len || bytes[at] != 0)
				return damaged(err, "there are bytes between its sections");
		}
	}
	if (at != len)
		return damaged(err, "there are bytes behind its sections");
	return 0;
}

static void point(struct bundle *b, const uint8_t *bytes)
{
	const struct bundle_rec_section *s = b->header->section;

	/* Each offset is a multiple of 8, and so is bytes. */
	b->insns = (const void *)(bytes + s[BUNDLE_INSNS].offset);
	b->calls = (const void *)(bytes + s[BUNDLE_CALLS].offset);
	b->refs = (const void *)(bytes + s[BUNDLE_REFS].offset);
	b->rules = (const void *)(bytes + s[BUNDLE_RULES].offset);
	b->conds = (const void *)(bytes + s[BUNDLE_CONDS].offset);
	b->paths = (const void *)(bytes + s[BUNDLE_PATHS].offset);
	b->env = (const void *)(bytes + s[BUNDLE_ENV].offset);
	b->ports = (const void *)(bytes + s[BUNDLE_PORTS].offset);
	b->labels = (const void *)(bytes + s[BUNDLE_LABELS].offset);
	b->sources = (const void *)(bytes + s[BUNDLE_SOURCES].offset);
	b->strings = (const char *)(bytes + s[BUNDLE_STRINGS].offset);
}

static int check_fields(const struct bundle *b, struct err *err)
{
	const struct bundle_rec_header *h = b->header;
	uint32_t n_strings = count(b, BUNDLE_STRINGS), n_insns = count(b, BUNDLE_INSNS);

	if (n_strings == 0 || b->strings[n_strings - 1] != '\0')
		return damaged(err, "its text does not end");
	if (!is_text(b, h->name, LIMIT_NAME + 1))
		return damaged(err, "it has no policy name");
	if (h->notify > 1 || h->net > POLICY_NET_HOST || h->has_limit >> _POLICY_LIMIT_MAX ||
	    h->zero != 0 || h->zero_too != 0 || h->default_errno == 0 || h->default_errno > 4095)
		return damaged(err, "a setting has no meaning");
	if (cpus_count(&h->cpuset) !=
	    (h->has_limit >> POLICY_LIMIT_CPUSET & 1 ? h->limit[POLICY_LIMIT_CPUSET] : 0))
		return damaged(err, "its processors are not as many as it says");
	if (h->abi_mask >> _ABI_MAX || !(h->abi_mask >> b->native & 1))
		return damaged(err, "its ABIs are not known");
	if (n_insns == 0 || n_insns > LIMIT_BPF_INSNS ||
	    BPF_CLASS(b->insns[n_insns - 1].code) != BPF_RET)
		return damaged(err, "it has no filter");
	if (count(b, BUNDLE_SOURCES) == 0 || count(b, BUNDLE_SOURCES) > LIMIT_POLICY_FILES)
		return damaged(err, "it has no sources");
	return 0;
}

static int check_rules(const struct bundle *b, struct err *err)
{
	for (uint32_t i = 0; i < count(b, BUNDLE_CONDS); i++) {
		const struct bundle_rec_cond *c = &b->conds[i];

		if (c->arg > 5 || c->op > POLICY_MASKED_EQ || c->negate > 1 || c->zero != 0 ||
		    c->width > WIDTH_PTR)
			return damaged(err, "a comparison has no meaning");
	}
	for (uint32_t i = 0; i < count(b, BUNDLE_RULES); i++) {
		const struct bundle_rec_rule *r = &b->rules[i];

		if (r->action > POLICY_KILL || r->quiet > 1 || r->n_conds > LIMIT_RULE_CONDS ||
		    r->errno_value > 4095 || (r->action == POLICY_DENY && r->errno_value == 0))
			return damaged(err, "a rule has no meaning");
		if (r->conds > count(b, BUNDLE_CONDS) ||
		    r->n_conds > count(b, BUNDLE_CONDS) - r->conds)
			return damaged(err, "a rule's comparisons lie outside");
		if (!is_text(b, r->file, LIMIT_PATH))
			return damaged(err, "a rule's file lies outside");
	}
	return 0;
}

static int check_calls(const struct bundle *b, struct err *err)
{
	for (uint32_t i = 0; i < count(b, BUNDLE_REFS); i++) {
		if (b->refs[i] >= count(b, BUNDLE_RULES))
			return damaged(err, "a call's rule lies outside");
	}
	for (uint32_t i = 0; i < count(b, BUNDLE_CALLS); i++) {
		const struct bundle_rec_call *c = &b->calls[i], *before = i > 0 ? c - 1 : NULL;

		if (c->abi >= _ABI_MAX || !(b->header->abi_mask >> c->abi & 1) || c->zero != 0 ||
		    c->first > c->last)
			return damaged(err, "a range of calls has no meaning");
		if (before &&
		    (before->abi > c->abi || (before->abi == c->abi && before->last >= c->first)))
			return damaged(err, "its calls are not sorted");
		if (c->refs > count(b, BUNDLE_REFS) || c->n_refs > count(b, BUNDLE_REFS) - c->refs)
			return damaged(err, "a call's rules lie outside");
	}
	return 0;
}

/* Negative, zero or positive, as the ports of a policy are sorted. */
static int order_of_ports(const struct bundle_rec_port *a, const struct bundle_rec_port *b)
{
	if (a->direction != b->direction)
		return a->direction - b->direction;
	if (a->protocol != b->protocol)
		return a->protocol - b->protocol;
	return a->first != b->first ? a->first - b->first : a->families - b->families;
}

static int check_ports(const struct bundle *b, struct err *err)
{
	for (uint32_t i = 0; i < count(b, BUNDLE_PORTS); i++) {
		const struct bundle_rec_port *p = &b->ports[i];

		if (p->direction > POLICY_PORT_BIND || p->protocol > POLICY_PORT_UDP ||
		    p->families == 0 || p->families > (POLICY_FAMILY_INET | POLICY_FAMILY_INET6) ||
		    p->zero != 0 || p->first > p->last || !is_string_or_none(b, p->file))
			return damaged(err, "a port rule has no meaning");
		if (i > 0 && order_of_ports(p - 1, p) > 0)
			return damaged(err, "its ports are not sorted");
	}
	return 0;
}

static int check_labels(const struct bundle *b, struct err *err)
{
	for (uint32_t i = 0; i < count(b, BUNDLE_LABELS); i++) {
		const struct bundle_rec_label *l = &b->labels[i];
		struct label unused;
		const char *why;

		if (l->lsm >= _POLICY_LSM_MAX || (i > 0 && l[-1].lsm >= l->lsm))
			return damaged(err, "its labels are not sorted");
		if (!is_text(b, l->text, LIMIT_LABEL) || !is_text(b, l->file, LIMIT_PATH) ||
		    label_parse((enum policy_lsm)l->lsm, string(b, l->text), &unused, &why) < 0)
			return damaged(err, "a label has no meaning");
	}
	return 0;
}

static int check_lists(const struct bundle *b, struct err *err)
{
	for (uint32_t i = 0; i < count(b, BUNDLE_PATHS); i++) {
		const struct bundle_rec_path *p = &b->paths[i];

		if (p->verb > POLICY_PATH_TMPFS || p->optional > 1 || p->zero != 0 ||
		    !is_text(b, p->path, LIMIT_PATH) || !is_string_or_none(b, p->file))
			return damaged(err, "a path rule has no meaning");
	}
	for (uint32_t i = 0; i < count(b, BUNDLE_ENV); i++) {
		if (!is_text(b, b->env[i].name, LIMIT_NAME + 1) ||
		    strchr(string(b, b->env[i].name), '=') ||
		    !is_string_or_none(b, b->env[i].value))
			return damaged(err, "a variable has no meaning");
	}
	for (uint32_t i = 0; i < count(b, BUNDLE_SOURCES); i++) {
		if (!is_text(b, b->sources[i].path, LIMIT_PATH) || b->sources[i].zero != 0)
			return damaged(err, "a source has no name");
	}
	return 0;
}

int bundle_open_for(const void *bytes, size_t len, enum abi native, struct bundle **ret,
		    struct err *err)
{
	struct bundle b = { .header = bytes, .native = (uint8_t)native };
	struct bundle *p;
	int r = check_header(bytes, len, native, err);

	r = r ? r : check_sections(&b, bytes, len, err);
	if (r < 0)
		return r;
	point(&b, bytes);
	r = check_fields(&b, err);
	r = r ? r : check_rules(&b, err);
	r = r ? r : check_calls(&b, err);
	r = r ? r : check_lists(&b, err);
	r = r ? r : check_ports(&b, err);
	r = r ? r : check_labels(&b, err);
	if (r < 0)
		return r;
	p = malloc(sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "read the bundle");
	*p = b;
	*ret = p;
	return 0;
}

int bundle_open(const void *bytes, size_t len, struct bundle **ret, struct err *err)
{
	return bundle_open_for(bytes, len, ABI_NATIVE, ret, err);
}

void bundle_close(struct bundle *bundle)
{
	if (!bundle)
		return;
	free(bundle->owned);
	free(bundle);
}

const char *bundle_policy_name(const struct bundle *b)
{
	return string(b, b->header->name);
}

const struct hash *bundle_policy_digest(const struct bundle *b)
{
	return &b->header->policy_digest;
}

bool bundle_notify(const struct bundle *b)
{
	return b->header->notify;
}

uint16_t bundle_kernel(const struct bundle *b)
{
	return b->header->kernel;
}

enum abi bundle_native(const struct bundle *b)
{
	return (enum abi)b->native;
}

uint16_t bundle_default_errno(const struct bundle *b)
{
	return b->header->default_errno;
}

const struct sock_filter *bundle_seccomp(const struct bundle *b, uint16_t *ret_len)
{
	*ret_len = (uint16_t)count(b, BUNDLE_INSNS);
	return b->insns;
}

size_t bundle_n_paths(const struct bundle *b)
{
	return count(b, BUNDLE_PATHS);
}

void bundle_path(const struct bundle *b, size_t i, struct bundle_path *ret)
{
	const struct bundle_rec_path *p = &b->paths[i];

	*ret = (struct bundle_path){ .verb = p->verb,
				     .optional = p->optional,
				     .path = string(b, p->path),
				     .file = string(b, p->file),
				     .line = p->line };
}

size_t bundle_n_env(const struct bundle *b)
{
	return count(b, BUNDLE_ENV);
}

void bundle_env(const struct bundle *b, size_t i, struct bundle_env *ret)
{
	*ret = (struct bundle_env){ .name = string(b, b->env[i].name),
				    .value = string(b, b->env[i].value) };
}

size_t bundle_n_ports(const struct bundle *b)
{
	return count(b, BUNDLE_PORTS);
}

void bundle_port(const struct bundle *b, size_t i, struct bundle_port *ret)
{
	const struct bundle_rec_port *p = &b->ports[i];

	*ret = (struct bundle_port){ .direction = p->direction,
				     .protocol = p->protocol,
				     .families = p->families,
				     .first = p->first,
				     .last = p->last,
				     .file = string(b, p->file),
				     .line = p->line };
}

bool bundle_label(const struct bundle *b, enum policy_lsm lsm, struct bundle_label *ret)
{
	for (uint32_t i = 0; i < count(b, BUNDLE_LABELS); i++) {
		const struct bundle_rec_label *l = &b->labels[i];

		if (l->lsm != (uint32_t)lsm)
			continue;
		*ret = (struct bundle_label){ .text = string(b, l->text),
					      .file = string(b, l->file),
					      .line = l->line };
		return true;
	}
	return false;
}

uint8_t bundle_net(const struct bundle *b)
{
	return b->header->net;
}

uint64_t bundle_caps(const struct bundle *b)
{
	return b->header->caps;
}

bool bundle_limit(const struct bundle *b, enum policy_limit which, uint64_t *ret)
{
	if ((unsigned)which >= _POLICY_LIMIT_MAX || !(b->header->has_limit >> which & 1))
		return false;
	*ret = b->header->limit[which];
	return true;
}

const struct cpus *bundle_cpuset(const struct bundle *b)
{
	return &b->header->cpuset;
}

size_t bundle_n_sources(const struct bundle *b)
{
	return count(b, BUNDLE_SOURCES);
}
