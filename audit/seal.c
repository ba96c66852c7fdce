// SPDX-License-Identifier: Apache-2.0
#include "audit/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/hmac.h"
#include "audit/place.h"
#include "audit/rotate.h"
#include "audit/stamp.h"
#include "base/fd.h"

static const char evolve_label[] = "cordon-seal evolve 1";
static const char mac_key[] = ",\"mac\":\"";

void seal_evolve(struct hash *key)
{
	struct hash next;

	hmac_sha256(key, sizeof(*key), evolve_label, sizeof(evolve_label) - 1, &next);
	*key = next;
	explicit_bzero(&next, sizeof(next));
}

bool seal_check(const struct hash *key, const char *line, size_t len)
{
	const char *tail = line + len - SEAL_MAC_TAIL;
	char hex[HASH_HEX + 1];
	struct hash have, want;

	if (len < SEAL_MAC_TAIL || memcmp(tail, mac_key, 8) != 0 ||
	    memcmp(line + len - 2, "\"}", 2) != 0)
		return false;
	memcpy(hex, tail + 8, HASH_HEX);
	hex[HASH_HEX] = '\0';
	if (hash_from_hex(hex, &have) < 0)
		return false;
	/* A seal begins with {"v": and never is the label of the evolution. */
	hmac_sha256(key, sizeof(*key), line, len - SEAL_MAC_TAIL, &want);
	return memcmp(&have, &want, sizeof(have)) == 0;
}

/* --- texts --------------------------------------------------------------------------------- */

void seal_spell_state(const struct seal_state *state, char *ret)
{
	char text[SEAL_STATE_TEXT + 1], hex[HASH_HEX + 1];
	struct hash check;
	int n;

	hash_hex(&state->key, hex);
	n = snprintf(text, sizeof(text),
		     "cordon-seal 1 %s %020" PRIu64 " %020" PRIu64 " %020" PRIu64 " %s ", state->id,
		     state->epoch, state->first, state->when_s, hex);
	hash_bytes(text, (size_t)n, &check);
	hash_hex(&check, hex);
	memcpy(ret, text, (size_t)n);
	memcpy(ret + n, hex, HASH_HEX);
	ret[n + HASH_HEX] = '\n';
	explicit_bzero(text, sizeof(text));
}

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == SEAL_ID && text[SEAL_ID] == '\0';
}

/* Twenty digits and the blank behind them. */
static bool take_number(const char **p, uint64_t *ret)
{
	uint64_t value = 0;

	for (int i = 0; i < 20; i++, (*p)++) {
		if (**p < '0' || **p > '9' || __builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (unsigned)(**p - '0'), &value))
			return false;
	}
	*ret = value;
	return *(*p)++ == ' ';
}

static bool take_hash(const char **p, char behind, struct hash *ret)
{
	char hex[HASH_HEX + 1];

	memcpy(hex, *p, HASH_HEX);
	hex[HASH_HEX] = '\0';
	*p += HASH_HEX;
	return hash_from_hex(hex, ret) == 0 && *(*p)++ == behind;
}

int seal_parse_state(const char *text, size_t len, struct seal_state *ret)
{
	static const char magic[] = "cordon-seal 1 ";
	struct seal_state state = { .epoch = 0 };
	struct hash check, want;
	const char *p = text;

	if (len != SEAL_STATE_TEXT || memcmp(p, magic, sizeof(magic) - 1) != 0)
		return -EINVAL;
	p += sizeof(magic) - 1;
	memcpy(state.id, p, SEAL_ID);
	p += SEAL_ID;
	if (!is_id(state.id) || *p++ != ' ' || !take_number(&p, &state.epoch) ||
	    !take_number(&p, &state.first) || !take_number(&p, &state.when_s) ||
	    !take_hash(&p, ' ', &state.key))
		return -EINVAL;
	hash_bytes(text, (size_t)(p - text), &want);
	if (!take_hash(&p, '\n', &check) || memcmp(&check, &want, sizeof(check)) != 0)
		return -EINVAL;
	*ret = state;
	return 0;
}

void seal_spell_key(const struct seal_key *key, char *ret)
{
	char hex[HASH_HEX + 1];

	hash_hex(&key->key, hex);
	(void)snprintf(ret, SEAL_KEY_TEXT + 1, "cordon-seal-1:%s:%s", key->id, hex);
	explicit_bzero(hex, sizeof(hex));
}

int seal_parse_key(const char *text, struct seal_key *ret)
{
	struct seal_key key = { .id = "" };

	if (strlen(text) != SEAL_KEY_TEXT || memcmp(text, "cordon-seal-1:", 14) != 0 ||
	    text[14 + SEAL_ID] != ':')
		return -EINVAL;
	memcpy(key.id, text + 14, SEAL_ID);
	if (!is_id(key.id) || hash_from_hex(text + 14 + SEAL_ID + 1, &key.key) < 0)
		return -EINVAL;
	*ret = key;
	return 0;
}

int seal_read(int fd, struct seal_state *ret)
{
	char text[SEAL_STATE_TEXT + 1];
	ssize_t n = fd_read_at(fd, text, sizeof(text), 0);
	int r = n < 0 ? (int)n : seal_parse_state(text, (size_t)n, ret);

	explicit_bzero(text, sizeof(text));
	return r < 0 ? r : 1;
}

/* --- setup --------------------------------------------------------------------------------- */

static int make_key(struct seal_key *ret, struct err *err)
{
	uint8_t id[SEAL_ID / 2];

	if (getrandom(&ret->key, sizeof(ret->key), 0) != (ssize_t)sizeof(ret->key) ||
	    getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return err_set(err, -EIO, "get random bytes for a sealing key");
	for (size_t i = 0; i < sizeof(id); i++)
		(void)snprintf(ret->id + 2 * i, 3, "%02x", id[i]);
	return 0;
}

/* The state appears with all that is in it, by a rename that overwrites nothing. */
static int make_state(struct chain *chain, const struct seal_key *key, struct err *err)
{
	struct seal_state state = { .first = 1, .key = key->key };
	char text[SEAL_STATE_TEXT], name[256], new_name[256];
	_cleanup_close_ int fd = -1;
	int r = 0;

	(void)snprintf(name, sizeof(name), "%s.seal", chain->name);
	(void)snprintf(new_name, sizeof(new_name), "%s.seal.new", chain->name);
	memcpy(state.id, key->id, sizeof(state.id));
	seal_spell_state(&state, text);
	(void)unlinkat(chain->dir, new_name, 0); /* of a set-up that died */
	fd = openat(chain->dir, new_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, -errno, "make the sealing state '%s.seal'", chain->path);
	r = fd_write_at(fd, text, sizeof(text), 0);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = rotate_rename(chain->dir, new_name, name);
	if (r < 0)
		(void)unlinkat(chain->dir, new_name, 0);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&state, sizeof(state));
	if (r == -EEXIST) {
		err_set(err, r, "set up sealing: the log '%s' is sealed already", chain->path);
		return err_hint(err, "to begin with another key, move '%s.seal' away", chain->path),
		       r;
	}
	return r < 0 ? err_set(err, r, "make the sealing state '%s.seal'", chain->path) : 0;
}

int seal_setup(const char *path, struct seal_key *ret_key, struct err *err)
{
	struct batch none = { .n = 0 };
	_cleanup_free_ char *block = malloc(CHAIN_BLOCK);
	struct seal_key key;
	struct chain chain;
	size_t taken;
	int r;

	if (!block)
		return err_set(err, -ENOMEM, "set up sealing");
	r = chain_open(&chain, path, block, err);
	if (r < 0)
		return r;
	r = make_key(&key, err);
	if (r == 0)
		r = make_state(&chain, &key, err);
	if (r == 0) {
		chain.seal.want = UINT64_MAX;
		r = chain_write(&chain, &none, "0000000000000000", 5000, &taken);
		if (r == 0)
			r = chain.seal.why;
		if (r < 0)
			err_set(err, r, "write the first seal to '%s'", path);
	}
	chain_close(&chain);
	if (r == 0)
		*ret_key = key;
	explicit_bzero(&key, sizeof(key));
	return r;
}
