// SPDX-License-Identifier: Apache-2.0
/*
 * A bundle's bytes. One header, then the sections, each 8-aligned and in this order, with nothing
 * between them but zero bytes:
 *
 *	insns    struct sock_filter      the seccomp program
 *	calls    struct bundle_rec_call  ranges of numbers with one list of rules, by (abi, first)
 *	refs     uint16_t                rules of the calls, in the order in which they are asked
 *	rules    struct bundle_rec_rule
 *	conds    struct bundle_rec_cond
 *	paths    struct bundle_rec_path  in path order
 *	env      struct bundle_rec_env
 *	ports    struct bundle_rec_port  by (direction, protocol, first, families)
 *	labels   struct bundle_rec_label by LSM, one each at most
 *	sources  struct bundle_rec_source
 *	strings  NUL-terminated, NUL at the end; named by their offset
 *
 * Little-endian, as both architectures are. Everything but hash and checksum is under the hash.
 */
#pragma once

#include <stdint.h>

#include "profiles/bundle.h"

#define BUNDLE_MAGIC "cordonB\n"

#define BUNDLE_NO_STRING UINT32_MAX

enum { BUNDLE_FORMAT = 5 };

enum bundle_section {
	BUNDLE_INSNS,
	BUNDLE_CALLS,
	BUNDLE_REFS,
	BUNDLE_RULES,
	BUNDLE_CONDS,
	BUNDLE_PATHS,
	BUNDLE_ENV,
	BUNDLE_PORTS,
	BUNDLE_LABELS,
	BUNDLE_SOURCES,
	BUNDLE_STRINGS,
	_BUNDLE_SECTION_MAX,
};

struct bundle_rec_section {
	uint32_t offset; /* from the file's begin */
	uint32_t count;	 /* records; bytes for strings */
};

struct bundle_rec_header {
	char magic[8];
	uint32_t format;
	uint32_t arch;	   /* AUDIT_ARCH_* of the policy's native ABI */
	uint64_t size;	   /* of the file */
	uint64_t checksum; /* XXH3 over all bytes but these eight: damage is found at each launch */
	struct hash hash;  /* SHA-256 over all but these and the checksum: the name in the cache */
	struct hash policy_digest;
	uint64_t caps;
	uint64_t limit[_POLICY_LIMIT_MAX];
	struct cpus cpuset;
	uint32_t name; /* string */
	uint16_t kernel;
	uint8_t abi_mask;
	uint8_t notify;
	uint8_t net;
	uint8_t zero;
	uint16_t has_limit;	/* bit per enum policy_limit */
	uint16_t default_errno; /* 1 to 4095 */
	uint16_t zero_too;
	struct bundle_rec_section section[_BUNDLE_SECTION_MAX];
};

/* No rule: the default denial. A number in no range is unknown or newer than the policy. */
struct bundle_rec_call {
	uint32_t first;
	uint32_t last;
	uint32_t refs;
	uint16_t n_refs;
	uint8_t abi;
	uint8_t zero;
};

struct bundle_rec_rule {
	uint8_t action;
	uint8_t quiet;
	uint16_t errno_value;
	uint32_t line;
	uint32_t file; /* string */
	uint32_t conds;
	uint32_t n_conds;
};

struct bundle_rec_cond {
	uint8_t arg;
	uint8_t op;
	uint8_t negate;
	uint8_t width;
	uint32_t zero;
	uint64_t mask;
	uint64_t value;
};

struct bundle_rec_path {
	uint8_t verb;
	uint8_t optional;
	uint16_t zero;
	uint32_t path; /* string */
	uint32_t file; /* string, or BUNDLE_NO_STRING */
	uint32_t line;
};

struct bundle_rec_env {
	uint32_t name;
	uint32_t value; /* string, or BUNDLE_NO_STRING: pass it on */
};

struct bundle_rec_port {
	uint8_t direction;
	uint8_t protocol;
	uint8_t families;
	uint8_t zero;
	uint16_t first;
	uint16_t last;
	uint32_t file; /* string, or BUNDLE_NO_STRING */
	uint32_t line;
};

struct bundle_rec_label {
	uint32_t lsm;  /* enum policy_lsm */
	uint32_t text; /* string: what label_parse() takes */
	uint32_t file; /* string */
	uint32_t line;
};

struct bundle_rec_source {
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
	struct hash digest;
	uint32_t path; /* string */
	uint32_t zero;
};

/* A validated bundle: pointers into the borrowed bytes. */
struct bundle {
	const struct bundle_rec_header *header;
	const struct sock_filter *insns;
	const struct bundle_rec_call *calls;
	const uint16_t *refs;
	const struct bundle_rec_rule *rules;
	const struct bundle_rec_cond *conds;
	const struct bundle_rec_path *paths;
	const struct bundle_rec_env *env;
	const struct bundle_rec_port *ports;
	const struct bundle_rec_label *labels;
	const struct bundle_rec_source *sources;
	const char *strings;
	uint8_t native; /* enum abi */
	void *owned;	/* heap block with the bytes when they belong to the bundle (cache_find) */
};

/* Put hash and checksum into the header that bytes begin with. len is at least a header's. */
void bundle_seal(void *bytes, size_t len);

static inline void bundle_closep(struct bundle **bundle)
{
	bundle_close(*bundle);
}

/* Size of a section's records. */
size_t bundle_record_size(enum bundle_section section);
