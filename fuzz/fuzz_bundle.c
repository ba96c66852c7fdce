// SPDX-License-Identifier: Apache-2.0
/* Hostile bundles. What every bundle begins with and the hash are made right first, so that the
 * structure is what is tried. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/bundle_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

static void read_all(const struct bundle *b)
{
	static const uint64_t args[6] = { 0, 1, UINT64_MAX, 0x80000000, 0x100000000, 7 };
	struct policy_source source;
	struct bundle_verdict v;
	struct bundle_path path;
	struct bundle_env env;
	struct bundle_port port;
	struct bundle_label label;
	uint64_t limit;
	uint16_t n;
	const struct sock_filter *insns = bundle_seccomp(b, &n);

	for (uint16_t i = 0; i < n; i++)
		sink += insns[i].k;
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		for (int32_t nr = -1; nr < 500; nr++) {
			bundle_verdict(b, (enum abi)abi, nr, args, &v);
			sink += v.line + (v.file ? strlen(v.file) : 0);
		}
	}
	for (size_t i = 0; i < bundle_n_paths(b); i++) {
		bundle_path(b, i, &path);
		sink += strlen(path.path) + (path.file ? strlen(path.file) : 0);
	}
	for (size_t i = 0; i < bundle_n_env(b); i++) {
		bundle_env(b, i, &env);
		sink += strlen(env.name) + (env.value ? strlen(env.value) : 0);
	}
	for (size_t i = 0; i < bundle_n_ports(b); i++) {
		bundle_port(b, i, &port);
		sink += port.first + (port.file ? strlen(port.file) : 0);
	}
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		if (bundle_label(b, (enum policy_lsm)i, &label))
			sink += strlen(label.text) + strlen(label.file);
	}
	for (size_t i = 0; i < bundle_n_sources(b); i++) {
		bundle_source(b, i, &source);
		sink += strlen(source.path);
	}
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++)
		sink += bundle_limit(b, (enum policy_limit)i, &limit);
	sink += strlen(bundle_policy_name(b)) + bundle_net(b) + (size_t)bundle_caps(b) +
		bundle_default_errno(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle_rec_header *h;
	struct bundle *b = NULL;
	uint8_t *bytes;

	if (size < sizeof(*h) || size > 1 << 16)
		return 0;
	/* A block of its own and no longer: a byte too far is seen. */
	bytes = malloc(size);
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	h = (void *)bytes;
	memcpy(h->magic, BUNDLE_MAGIC, sizeof(h->magic));
	h->format = BUNDLE_FORMAT;
	h->arch = abi_audit_arch(ABI_NATIVE);
	h->size = size;
	bundle_seal(bytes, size);
	if (bundle_open(bytes, size, &b, NULL) == 0) {
		read_all(b);
		bundle_close(b);
	}
	free(bytes);
	return 0;
}
