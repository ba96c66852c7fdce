// SPDX-License-Identifier: Apache-2.0
/*
 * The words of the OCI runtime specification's linux.seccomp (config-linux.md) and of the
 * containers' profiles that extend it (archMap, includes, excludes).
 */
#pragma once

#include <json-c/json.h>

#include "policies/import_model.h"

struct oci {
	struct import *im;
	enum import_verdict default_verdict;
	uint16_t default_data; /* of the default action, as libseccomp packs it */
};

/* SCMP_ACT_*, SCMP_CMP_*: 0 or -ENOENT. */
int oci_seccomp_action(const char *name, enum import_verdict *ret);
int oci_seccomp_operator(const char *name, enum import_op *ret);

/* SCMP_ARCH_*: an ABI of ours, _ABI_MAX for an architecture that we lack, or -ENOENT. */
int oci_seccomp_arch(const char *name, enum abi *ret);

/* "amd64", "arm64": as includes.arches calls them. */
const char *oci_seccomp_native(enum abi abi);

/* "FILE:" and what follows, for messages: a JSON pointer. Returns where. */
const char *oci_place(const struct oci *o, char where[IMPORT_WHERE], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The member, or NULL when it is absent or null: so it is for Go. */
struct json_object *oci_member(struct json_object *object, const char *name);

/* Each makes an error at where when the value is not of its type. */
const char *oci_string(struct oci *o, const char *where, struct json_object *value);
bool oci_number(struct oci *o, const char *where, struct json_object *value, uint64_t max,
		uint64_t *ret);
/* The array's elements, 0 when it is absent. */
size_t oci_array(struct oci *o, const char *where, struct json_object *value);

/* Members that nobody knows: errors where they may be conditions (fatal), else warnings. */
void oci_only(struct oci *o, const char *where, struct json_object *object,
	      const char *const *known, bool fatal);

bool oci_action(struct oci *o, const char *where, struct json_object *value,
		enum import_verdict *ret);
/* errnoRet, and containers-common's errno, which may be a name. *ret stays without either. */
bool oci_errno(struct oci *o, const char *where, struct json_object *object,
	       const char *number_name, const char *text_name, uint16_t *ret);
/* Whether the action carries a number. */
bool oci_has_data(enum import_verdict verdict);

/*
 * includes: all of caps must be there, one of arches, and the kernel. excludes: one that is there
 * is enough. *ret_out: the entry is left out; why: for what.
 */
void oci_filter(struct oci *o, const char *entry, struct json_object *filter, bool includes,
		bool *ret_out, char why[96]);
