// SPDX-License-Identifier: Apache-2.0
#include "audit/decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "audit/names.h"
#include "base/sys.h"

struct decoding {
	struct json *j;
	const struct decode_call *call;
	const struct decode_memory *memory;
	size_t text_max;
};

/* The register as the kernel will read it. */
static uint64_t narrow(const struct decoding *d, unsigned i)
{
	uint64_t value = d->call->args[i];
	bool small = d->call->abi == ABI_I386 || d->call->abi == ABI_X32;

	switch (d->call->desc->args[i].width) {
	case WIDTH_S32:
	case WIDTH_U32:
		return (uint32_t)value;
	case WIDTH_PTR:
		return small ? (uint32_t)value : value;
	default:
		return d->call->abi == ABI_I386 ? (uint32_t)value : value;
	}
}

static bool is_signed(const struct decoding *d, unsigned i)
{
	uint8_t width = d->call->desc->args[i].width;

	return width == WIDTH_S32 || width == WIDTH_S64;
}

static int64_t as_signed(const struct decoding *d, unsigned i)
{
	if (d->call->desc->args[i].width == WIDTH_S32 || d->call->abi == ABI_I386)
		return (int32_t)(uint32_t)d->call->args[i];
	return (int64_t)d->call->args[i];
}

static void put_number(struct decoding *d, unsigned i, const char *key)
{
	if (is_signed(d, i))
		json_i64(d->j, key, as_signed(d, i));
	else
		json_u64(d->j, key, narrow(d, i));
}

/* All of len bytes, or -errno. */
static int read_exactly(const struct decoding *d, uint64_t addr, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = d->memory->read(d->memory->ctx, addr + done, (char *)buf + done,
					    len - done);

		if (n <= 0)
			return n < 0 ? (int)n : -EFAULT;
		if ((size_t)n > len - done)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/*
 * The NUL-terminated text at addr, at most cap bytes: its length, cap when no NUL was among them,
 * or -errno. Each read ends where a page of 4096 bytes ends, so that a text just before unmapped
 * memory is read whole.
 */
static ssize_t read_text(const struct decoding *d, uint64_t addr, char *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		size_t want = 4096 - (size_t)((addr + len) & 4095);
		const char *nul;
		ssize_t n;

		if (want > cap - len)
			want = cap - len;
		n = d->memory->read(d->memory->ctx, addr + len, buf + len, want);
		if (n <= 0 || (size_t)n > want)
			return n < 0 ? n : -EFAULT;
		nul = memchr(buf + len, '\0', (size_t)n);
		if (nul)
			return nul - buf;
		len += (size_t)n;
	}
	return (ssize_t)cap;
}

static void put_unreadable(struct decoding *d, const char *key)
{
	json_object(d->j, key);
	json_string(d->j, "note", "unreadable");
	json_object_end(d->j);
}

static void put_text(struct decoding *d, unsigned i, const char *key, const char *label)
{
	char text[DECODE_TEXT_MAX];
	uint64_t addr = narrow(d, i);
	ssize_t n;

	if (addr == 0) {
		json_string(d->j, key, NULL);
		return;
	}
	if (!d->memory)
		return;
	n = read_text(d, addr, text, sizeof(text));
	if (n < 0) {
		put_unreadable(d, key);
		return;
	}
	json_object(d->j, key);
	json_bytes(d->j, label, text, (size_t)n < d->text_max ? (size_t)n : d->text_max);
	if ((size_t)n > d->text_max || (size_t)n == sizeof(text))
		json_u64(d->j, "length", (uint64_t)n); /* 4096: or more */
	json_object_end(d->j);
}

static void put_unix(struct json *j, const char *path, size_t len)
{
	if (len == 0) {
		json_string(j, "unnamed", "");
	} else if (path[0] == '\0') { /* abstract: all bytes count */
		json_bytes(j, "abstract_as_read", path + 1, len - 1);
	} else {
		json_bytes(j, "path_as_read", path, strnlen(path, len));
	}
}

static void put_sockaddr_body(struct json *j, const void *bytes, size_t len)
{
	char text[INET6_ADDRSTRLEN], name[16];
	const struct sockaddr_in *in = bytes;
	const struct sockaddr_in6 *in6 = bytes;
	const struct sockaddr_un *un = bytes;
	sa_family_t family;

	memcpy(&family, bytes, sizeof(family));
	json_string(j, "family", names_family(family, name, sizeof(name)));
	if (family == AF_UNIX) {
		put_unix(j, un->sun_path, len - offsetof(struct sockaddr_un, sun_path));
	} else if (family == AF_INET && len >= sizeof(*in)) {
		json_string(j, "address", inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)));
		json_u64(j, "port", ntohs(in->sin_port));
	} else if (family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		json_string(j, "address", inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)));
		json_u64(j, "port", ntohs(in6->sin6_port));
	}
}

static void put_sockaddr(struct decoding *d, unsigned i, const char *key)
{
	struct sockaddr_storage addr = { 0 };
	const struct syscall_arg *next = i < 5 ? &d->call->desc->args[i + 1] : NULL;
	uint64_t len;

	/* accept(2) and its kin: an address to be filled in, whose length is behind a pointer. */
	if (!next || !next->name || next->width == WIDTH_PTR || !d->memory)
		return;
	len = narrow(d, i + 1);
	if (narrow(d, i) == 0 || len < sizeof(sa_family_t) || len > sizeof(addr))
		return; /* the kernel refuses it too (net/socket.c, move_addr_to_kernel) */
	if (read_exactly(d, narrow(d, i), &addr, (size_t)len) < 0) {
		put_unreadable(d, key);
		return;
	}
	json_object(d->j, key);
	put_sockaddr_body(d->j, &addr, (size_t)len);
	json_object_end(d->j);
}

/* A structure that grows with the kernel: at most size bytes of ours, the rest zeros. The register
 * behind the pointer holds its length. false when it cannot be read. */
static bool read_sized(struct decoding *d, unsigned i, void *buf, size_t size, size_t least)
{
	uint64_t len = i < 5 ? narrow(d, i + 1) : 0;

	memset(buf, 0, size);
	if (len < least)
		return false;
	return read_exactly(d, narrow(d, i), buf, len < size ? (size_t)len : size) == 0;
}

static void put_clone_args(struct decoding *d, unsigned i, const char *key)
{
	struct clone_args args;
	char text[512];

	if (!d->memory)
		return;
	if (!read_sized(d, i, &args, sizeof(args), CLONE_ARGS_SIZE_VER0)) {
		put_unreadable(d, key);
		return;
	}
	json_object(d->j, key);
	json_string(d->j, "flags_as_read",
		    names_spell(&names_clone3_flags, args.flags, text, sizeof(text)));
	json_string(d->j, "exit_signal",
		    args.exit_signal ? names_signal((unsigned)args.exit_signal, text, sizeof(text))
				     : "0");
	json_object_end(d->j);
}

static void put_open_how(struct decoding *d, unsigned i, const char *key)
{
	struct open_how how;
	char text[512];

	if (!d->memory)
		return;
	if (!read_sized(d, i, &how, sizeof(how), sizeof(how))) {
		put_unreadable(d, key);
		return;
	}
	json_object(d->j, key);
	json_string(d->j, "flags_as_read",
		    names_spell(&names_open_flags, how.flags, text, sizeof(text)));
	if (how.mode != 0) {
		(void)snprintf(text, sizeof(text), "0%" PRIo64, (uint64_t)how.mode);
		json_string(d->j, "mode_as_read", text);
	}
	json_string(d->j, "resolve_as_read",
		    names_spell(&names_open_resolve, how.resolve, text, sizeof(text)));
	json_object_end(d->j);
}

static void put_named(struct decoding *d, unsigned i, const char *key)
{
	const struct name_set *set = names_find(d->call->desc->name, i);
	uint64_t value = narrow(d, i);
	char text[512];

	if (set)
		json_string(d->j, key, names_spell(set, value, text, sizeof(text)));
	else if (d->call->desc->args[i].kind == KIND_FLAGS && value != 0)
		json_hex(d->j, key, value);
	else
		put_number(d, i, key);
}

static void put_mode(struct decoding *d, unsigned i, const char *key)
{
	const struct name_set *set = names_find(d->call->desc->name, i);
	/* umode_t has 16 bits (linux/types.h). */
	uint64_t mode = narrow(d, i) & 0xffff;
	char text[64], type[32];

	if (set)
		(void)snprintf(text, sizeof(text), "%s|0%03" PRIo64,
			       names_spell(set, mode & set->low_mask, type, sizeof(type)),
			       mode & ~set->low_mask);
	else
		(void)snprintf(text, sizeof(text), "0%03" PRIo64, mode);
	json_string(d->j, key, text);
}

/* The kernel's 32-bit form of a device number (linux/kdev_t.h, new_decode_dev). */
static void put_device(struct decoding *d, unsigned i, const char *key)
{
	uint32_t dev = (uint32_t)narrow(d, i);
	char text[32];

	(void)snprintf(text, sizeof(text), "%u:%u", dev >> 8 & 0xfff,
		       (dev & 0xff) | (dev >> 12 & 0xfff00));
	json_string(d->j, key, text);
}

static void put_dirfd(struct decoding *d, unsigned i, const char *key)
{
	if ((int32_t)(uint32_t)d->call->args[i] == AT_FDCWD)
		json_string(d->j, key, "AT_FDCWD");
	else
		json_i64(d->j, key, (int32_t)(uint32_t)d->call->args[i]);
}

static void put_signal(struct decoding *d, unsigned i, const char *key)
{
	char text[24];
	uint64_t value = narrow(d, i);

	/* Signal 0 only asks whether the process is there (kill(2)). */
	if (value == 0)
		json_u64(d->j, key, 0);
	else
		json_string(d->j, key, names_signal((unsigned)value, text, sizeof(text)));
}

static void put_arg(struct decoding *d, unsigned i)
{
	const struct syscall_arg *arg = &d->call->desc->args[i];

	switch ((enum syscall_kind)arg->kind) {
	case KIND_PATH:
		put_text(d, i, arg->name, "path_as_read");
		break;
	case KIND_STRING:
		put_text(d, i, arg->name, "text_as_read");
		break;
	case KIND_SOCKADDR:
		put_sockaddr(d, i, arg->name);
		break;
	case KIND_CLONE_ARGS:
		put_clone_args(d, i, arg->name);
		break;
	case KIND_OPEN_HOW:
		put_open_how(d, i, arg->name);
		break;
	case KIND_FLAGS:
	case KIND_ENUM:
		put_named(d, i, arg->name);
		break;
	case KIND_MODE:
		put_mode(d, i, arg->name);
		break;
	case KIND_DIRFD:
		put_dirfd(d, i, arg->name);
		break;
	case KIND_FD:
		json_i64(d->j, arg->name, (int32_t)(uint32_t)d->call->args[i]);
		break;
	case KIND_SIGNAL:
		put_signal(d, i, arg->name);
		break;
	case KIND_NUMBER:
		if (strcmp(arg->name, "dev") == 0 && arg->width == WIDTH_U32)
			put_device(d, i, arg->name);
		else
			put_number(d, i, arg->name);
		break;
	case KIND_PID:
	case KIND_SIZE:
		put_number(d, i, arg->name);
		break;
	case KIND_POINTER: /* an address says nothing; the raw register is in the record */
	case _KIND_MAX:
		break;
	}
}

void decode_args(struct json *j, const struct decode_call *call, const struct decode_memory *memory,
		 size_t text_max)
{
	struct decoding d = {
		.j = j,
		.call = call,
		.memory = memory,
		.text_max = text_max,
	};

	json_object(j, "decoded");
	for (unsigned i = 0; i < 6 && i < call->desc->n_args; i++) {
		if (call->desc->args[i].name)
			put_arg(&d, i);
	}
	json_object_end(j);
}
