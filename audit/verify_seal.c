// SPDX-License-Identifier: Apache-2.0
#include "audit/verify_seal.h"

#include <string.h>

/* The key of that epoch, from the one of an epoch before it. */
static void evolve_to(struct hash *key, uint64_t from, uint64_t epoch)
{
	for (; from < epoch; from++)
		seal_evolve(key);
}

/* Which epoch may stand here: the next one; the same once more, after a writer that died before it
 * had replaced the key; and any where the beginning of the log was removed. */
static const char *check_epoch(const struct verify_seal *seal, uint64_t epoch, uint64_t first,
			       uint64_t seq, bool partial)
{
	if (!seal->any) {
		if (epoch > SEAL_EPOCHS || epoch >= seq)
			return "its epoch cannot be";
		return epoch == 0 || partial ? NULL : "the first seals are missing";
	}
	if (epoch == seal->epoch)
		return first == seal->first ? NULL : "its epoch begins with another record";
	if (epoch != seal->epoch + 1)
		return "it is not of the epoch that follows: seals are missing";
	return first == seal->seq ? NULL : "it does not begin where the seal before ended";
}

const char *verify_seal_record(struct verify_seal *seal, const struct line *line,
			       const struct scan *root, uint64_t seq, bool partial)
{
	uint64_t epoch, first, last;
	const char *why;
	struct hash key;

	if (scan_get_u64(root, "epoch", &epoch) < 0 || scan_get_u64(root, "first", &first) < 0 ||
	    scan_get_u64(root, "last", &last) < 0 || last != seq - 1)
		return "it is no seal that cordon wrote";
	why = check_epoch(seal, epoch, first, seq, partial);
	if (why)
		return why;
	key = seal->any ? seal->at : seal->key->key;
	evolve_to(&key, seal->any ? seal->epoch : 0, epoch);
	if (!seal_check(&key, line->p, line->len))
		return "its MAC is not the key's";
	seal->any = true;
	seal->epoch = epoch;
	seal->seq = seq;
	seal->first = first;
	seal->at = key;
	return NULL;
}

const char *verify_seal_state(const struct verify_seal *seal, const struct log_set *set)
{
	struct hash key = seal->at;

	if (!seal->any)
		return "no record is sealed with this key";
	if (set->seal == 0)
		return "the sealing state is missing: seals at the end could be, too";
	if (set->seal < 0)
		return "the sealing state is damaged: seals at the end could be missing";
	if (strcmp(set->state.id, seal->key->id) != 0)
		return "the sealing state is of another key";
	if (set->state.epoch != seal->epoch && set->state.epoch != seal->epoch + 1)
		return "the sealing state is of a later epoch: seals are missing at the end";
	evolve_to(&key, seal->epoch, set->state.epoch);
	if (memcmp(&key, &set->state.key, sizeof(key)) != 0)
		return "the sealing state has another key than follows from the last seal";
	return NULL;
}
