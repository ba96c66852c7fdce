// SPDX-License-Identifier: Apache-2.0
#include "audit/batch.h"

#include <string.h>

struct entry_head {
	uint64_t denials;
	size_t len;
};

bool batch_add(struct batch *batch, const char *body, size_t len, uint64_t denials)
{
	struct entry_head head = { .denials = denials, .len = len };

	if (len >= batch->cap || batch->cap - batch->len < sizeof(head) + len)
		return false;
	memcpy(batch->data + batch->len, &head, sizeof(head));
	memcpy(batch->data + batch->len + sizeof(head), body, len);
	batch->len += sizeof(head) + len;
	batch->n++;
	return true;
}

bool batch_next(const struct batch *batch, size_t *pos, struct batch_entry *ret)
{
	struct entry_head head;

	if (*pos >= batch->len)
		return false;
	memcpy(&head, batch->data + *pos, sizeof(head));
	*ret = (struct batch_entry){
		.body = batch->data + *pos + sizeof(head),
		.len = head.len,
		.denials = head.denials,
	};
	*pos += sizeof(head) + head.len;
	return true;
}

void batch_clear(struct batch *batch)
{
	batch->len = 0;
	batch->n = 0;
}

struct batch_point batch_end(const struct batch *batch)
{
	return (struct batch_point){ .len = batch->len, .n = batch->n };
}

struct batch batch_behind(const struct batch *batch, struct batch_point point)
{
	const size_t len = batch->len - point.len;

	return (struct batch){
		.data = batch->data + point.len, .cap = len, .len = len, .n = batch->n - point.n
	};
}
