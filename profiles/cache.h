// SPDX-License-Identifier: Apache-2.0
/*
 * The bundle cache: DIR/<hash>.bundle, named by the SHA-256 of its own bytes, plus DIR/<key>.ref
 * that leads from what was asked (name or absolute path, the search directories, cordon's version)
 * to a hash and lists the places where a new file would be found first. DIR is 0700 and the
 * caller's. Entries are written under a temporary name and renamed into place; a torn one (power
 * loss) is caught by its checksum and rebuilt. They never change afterwards. Everything here is
 * best effort for the writer and suspicious for the reader: an entry that is damaged, not a regular
 * file, not owned by the caller or writable by others is not used.
 *
 * (Not named by the policy's digest: that is of the sources' text, and two copies of one text in
 * two places have the same. A bundle also holds its sources' places and stat data.)
 */
#pragma once

#include "base/err.h"
#include "profiles/bundle.h"

/* Read and validate the current bundle for `what`. 0 and *ret (its memory belongs to it and goes
 * with bundle_close), or -ENOENT (nothing there or stale), -EBADMSG (damaged), -EPERM (foreign
 * owner or mode): build anew in each case. The sources' stat data are compared, their bytes
 * are not read. */
int cache_find(const char *dir, const char *what, const char *const *search_dirs, size_t n_dirs,
	       struct bundle **ret, struct err *err);

/* Called with each file that goes, or would. */
typedef void cache_gc_fn(void *ctx, const char *path);

/* Remove files of unfinished writers in dir that are a minute old; only a look with dry. Returns
 * how many, 0 where there is no dir, or -errno with err. */
int cache_gc(const char *dir, bool dry, cache_gc_fn *fn, void *ctx, struct err *err);

/* How the name of a file begins until it is whole. */
#define CACHE_TMP ".tmp-"

/* Store a bundle's bytes and its ref; dir is absolute and is made when missing. 0 or -errno;
 * callers tell and go on. -EAGAIN: a source changed since it was read, or so short ago that it
 * could change again unseen; the next launch will store it. */
int cache_store(const char *dir, const char *what, const char *const *search_dirs, size_t n_dirs,
		const void *bytes, size_t len, struct err *err);
