// SPDX-License-Identifier: Apache-2.0
/* Addresses of sockets, and the control messages beside a message. */
#include <arpa/inet.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "audit/decoding.h"
#include "audit/names.h"

#ifndef AF_XDP
#define AF_XDP 44 /* linux/socket.h, Linux 4.18 */
#endif

static void put_unix(struct json *j, const char *path, size_t len)
{
	if (len == 0)
		json_string(j, "unnamed", "");
	else if (path[0] == '\0') /* abstract: all bytes count */
		json_bytes(j, "abstract", path + 1, len - 1);
	else
		json_bytes(j, "path", path, strnlen(path, len));
}

static void put_inet(struct json *j, const void *bytes, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in in = { 0 };

	if (len < offsetof(struct sockaddr_in, sin_zero))
		return;
	memcpy(&in, bytes, offsetof(struct sockaddr_in, sin_zero));
	json_string(j, "address", inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text)));
	json_u64(j, "port", ntohs(in.sin_port));
}

static void put_inet6(struct json *j, const void *bytes, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in = { 0 };

	/* net/ipv6/af_inet6.c: an address without a scope is one, too (RFC 2133). */
	if (len < offsetof(struct sockaddr_in6, sin6_scope_id))
		return;
	memcpy(&in, bytes, len < sizeof(in) ? len : sizeof(in));
	json_string(j, "address", inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof(text)));
	json_u64(j, "port", ntohs(in.sin6_port));
	if (in.sin6_scope_id)
		json_u64(j, "scope", in.sin6_scope_id);
}

static void put_packet(struct json *j, const void *bytes, size_t len)
{
	struct sockaddr_ll ll = { 0 };
	char text[DECODE_SPELT];

	if (len < offsetof(struct sockaddr_ll, sll_addr))
		return;
	memcpy(&ll, bytes, offsetof(struct sockaddr_ll, sll_addr));
	json_string(j, "protocol",
		    consts_spell(CONSTS_ETHER_PROTOCOL, ABI_NATIVE, ll.sll_protocol, text,
				 sizeof(text)));
	json_i64(j, "interface", ll.sll_ifindex);
}

static void put_alg(struct json *j, const void *bytes, size_t len)
{
	struct sockaddr_alg alg = { 0 };

	if (len < sizeof(alg))
		return;
	memcpy(&alg, bytes, sizeof(alg));
	json_bytes(j, "type", alg.salg_type, strnlen((char *)alg.salg_type, sizeof(alg.salg_type)));
	json_bytes(j, "name", alg.salg_name, strnlen((char *)alg.salg_name, sizeof(alg.salg_name)));
}

static void put_vsock(struct json *j, const void *bytes, size_t len)
{
	struct sockaddr_vm vm = { 0 };
	char text[DECODE_SPELT];

	if (len < offsetof(struct sockaddr_vm, svm_zero))
		return;
	memcpy(&vm, bytes, offsetof(struct sockaddr_vm, svm_zero));
	json_string(j, "cid",
		    consts_spell(CONSTS_VSOCK_CID, ABI_NATIVE, vm.svm_cid, text, sizeof(text)));
	json_u64(j, "port", vm.svm_port);
}

static void put_xdp(struct json *j, const void *bytes, size_t len)
{
	struct sockaddr_xdp xdp = { 0 };
	char text[DECODE_SPELT];

	if (len < sizeof(xdp))
		return;
	memcpy(&xdp, bytes, sizeof(xdp));
	json_string(j, "flags",
		    consts_spell(CONSTS_XDP_FLAGS, ABI_NATIVE, xdp.sxdp_flags, text, sizeof(text)));
	json_u64(j, "interface", xdp.sxdp_ifindex);
	json_u64(j, "queue", xdp.sxdp_queue_id);
}

static void put_netlink(struct json *j, const void *bytes, size_t len)
{
	struct sockaddr_nl nl = { 0 };

	if (len < sizeof(nl))
		return;
	memcpy(&nl, bytes, sizeof(nl));
	json_u64(j, "port", nl.nl_pid);
	json_u64(j, "groups", nl.nl_groups);
}

static void put_family(struct json *j, unsigned family, const char *bytes, size_t len)
{
	char name[16];

	json_string(j, "family", names_family(family, name, sizeof(name)));
	switch (family) {
	case AF_UNIX:
		put_unix(j, bytes + offsetof(struct sockaddr_un, sun_path),
			 len - offsetof(struct sockaddr_un, sun_path));
		break;
	case AF_INET:
		put_inet(j, bytes, len);
		break;
	case AF_INET6:
		put_inet6(j, bytes, len);
		break;
	case AF_NETLINK:
		put_netlink(j, bytes, len);
		break;
	case AF_PACKET:
		put_packet(j, bytes, len);
		break;
	case AF_ALG:
		put_alg(j, bytes, len);
		break;
	case AF_VSOCK:
		put_vsock(j, bytes, len);
		break;
	case AF_XDP:
		put_xdp(j, bytes, len);
		break;
	default:
		break;
	}
}

void decode_sockaddr(struct decoding *d, const struct decode_value *v)
{
	char bytes[sizeof(struct sockaddr_storage)] = { 0 };
	sa_family_t family;
	int r;

	/* The kernel refuses it too (net/socket.c, move_addr_to_kernel). */
	if (v->length < sizeof(family) || v->length > sizeof(bytes))
		return;
	r = decode_read(d, v->value, bytes, (size_t)v->length);
	if (r < 0) {
		decode_unreadable(d, v->key, r);
		return;
	}
	memcpy(&family, bytes, sizeof(family));
	json_object(d->j, v->key);
	json_object(d->j, "sockaddr_as_read");
	put_family(d->j, family, bytes, (size_t)v->length);
	json_object_end(d->j);
	json_object_end(d->j);
}

/* --- control messages ---------------------------------------------------------------------- */

enum { CONTROL_MAX = 512, CONTROL_MESSAGES = 4 };

/* struct cmsghdr of the caller: a size_t and two ints (linux/socket.h, net/compat.c). */
struct control {
	uint64_t len; /* with the header */
	int32_t level, type;
};

static void put_rights(struct json *j, const char *data, size_t len)
{
	bool more = len / sizeof(int32_t) > DECODE_MEMBERS;

	json_array(j, "fds");
	for (size_t i = 0; i < len / sizeof(int32_t) && i < DECODE_MEMBERS; i++) {
		int32_t fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		json_i64(j, NULL, fd);
	}
	json_array_end(j);
	if (more)
		json_bool(j, "more", true);
}

static void put_credentials(struct json *j, const char *data, size_t len)
{
	uint32_t ids[3]; /* struct ucred: pid, uid, gid */

	if (len < sizeof(ids))
		return;
	memcpy(ids, data, sizeof(ids));
	json_i64(j, "pid", (int32_t)ids[0]);
	json_u64(j, "uid", ids[1]);
	json_u64(j, "gid", ids[2]);
}

static void put_control(struct json *j, const struct control *c, const char *data, size_t len)
{
	char text[DECODE_SPELT];
	const enum consts_set types = c->level == SOL_SOCKET ? CONSTS_CONTROL_TYPE : CONSTS_NONE;

	json_object(j, NULL);
	json_string(j, "level",
		    consts_spell(CONSTS_SOCKET_LEVEL, ABI_NATIVE, (uint64_t)(int64_t)c->level, text,
				 sizeof(text)));
	json_string(j, "type",
		    consts_spell(types, ABI_NATIVE, (uint32_t)c->type, text, sizeof(text)));
	if (c->level == SOL_SOCKET && c->type == SCM_RIGHTS)
		put_rights(j, data, len);
	else if (c->level == SOL_SOCKET && c->type == SCM_CREDENTIALS)
		put_credentials(j, data, len);
	json_object_end(j);
}

void decode_control(struct decoding *d, const struct decode_value *v)
{
	size_t word = decode_pointer_size(d), head = word + 8, at = 0;
	size_t len = v->length < CONTROL_MAX ? (size_t)v->length : CONTROL_MAX;
	bool more = v->length > CONTROL_MAX;
	char bytes[CONTROL_MAX];
	unsigned n = 0;
	int r = decode_read(d, v->value, bytes, len);

	if (r < 0) {
		decode_unreadable(d, v->key, r);
		return;
	}
	json_object(d->j, v->key);
	json_array(d->j, "control_as_read");
	while (len - at >= head) {
		struct control c = { 0 };
		size_t body;

		memcpy(&c.len, bytes + at, word);
		memcpy(&c.level, bytes + at + word, sizeof(c.level));
		memcpy(&c.type, bytes + at + word + 4, sizeof(c.type));
		if (c.len < head)
			break;
		if (n++ == CONTROL_MESSAGES) {
			more = true;
			break;
		}
		body = c.len < len - at ? (size_t)c.len - head : len - at - head;
		put_control(d->j, &c, bytes + at + head, body);
		if (c.len >= len - at)
			break;
		at += ((size_t)c.len + word - 1) / word * word;
		if (at > len)
			break;
	}
	json_array_end(d->j);
	if (more)
		json_bool(d->j, "more", true);
	json_object_end(d->j);
}
