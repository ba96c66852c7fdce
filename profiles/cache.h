// SPDX-License-Identifier: Apache-2.0
/*
 * The bundle cache: DIR/<digest>.bundle, content-addressed by policy digest, plus DIR/<key>.ref
 * that leads from what was asked (name or path and the search directories) to a digest. DIR is
 * 0700 and the caller's. Entries are written under a temporary name and renamed into place; a
 * torn one (power loss) is caught by its SHA-256 and rebuilt. They never change afterwards.
 * Everything here is best effort for the writer and suspicious for the reader: an entry that is
 * damaged, not a regular file, not owned by the caller or writable by others is not used.
 */
#pragma once

#include "base/err.h"
#include "profiles/bundle.h"

/* Map and validate the current bundle for `what`. 0 and *ret (its memory belongs to it and goes
 * with bundle_close), or -ENOENT (nothing there or stale), -EBADMSG (damaged), -EPERM (foreign
 * owner or mode): build anew in each case. The sources' stat data are compared, their bytes
 * are not read. */
int cache_find(const char *dir, const char *what, const char *const *search_dirs, size_t n_dirs,
	       struct bundle **ret, struct err *err);

/* Store a bundle's bytes and its ref. 0 or -errno; callers tell and go on. */
int cache_store(const char *dir, const char *what, const char *const *search_dirs, size_t n_dirs,
		const void *bytes, size_t len, struct err *err);
