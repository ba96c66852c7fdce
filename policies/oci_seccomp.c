// SPDX-License-Identifier: Apache-2.0
/*
 * OCI seccomp JSON as runc and libseccomp apply it: an entry's conditions must all hold, but two
 * on one argument make each condition of the entry a rule of its own; a rule whose action is the
 * default's is left out; of a call's rules one without conditions replaces the others. Conditions
 * on capabilities, architectures and the kernel are judged here, as a container engine would.
 */
#include "policies/oci_seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

/* One entry of /syscalls. */
struct syscall_entry {
	char where[IMPORT_WHERE];
	struct json_object *json;
	enum import_verdict verdict;
	uint16_t data;
	enum policy_action action;
	uint16_t errno_value;
};

/* --- conditions on arguments --- */

struct args {
	struct import_compare list[LIMIT_IMPORT_DEPTH];
	size_t n;
	bool separate; /* each is a rule of its own */
};

static bool read_arg(struct oci *o, const char *where, struct json_object *json,
		     struct import_compare *ret)
{
	static const char *const known[] = { "index", "value", "valueTwo", "op", NULL };
	struct json_object *index, *value, *two, *op;
	uint64_t n = 0, a = 0, b = 0;
	const char *text;

	if (!json_object_is_type(json, json_type_object)) {
		import_error(o->im, where, "is no object");
		return false;
	}
	oci_only(o, where, json, known, true);
	index = oci_member(json, "index");
	value = oci_member(json, "value");
	two = oci_member(json, "valueTwo");
	op = oci_member(json, "op");
	if (!index || !value || !op) {
		import_error(o->im, where, "lacks index, value or op");
		return false;
	}
	text = oci_string(o, where, op);
	if (!text || !oci_number(o, where, index, 5, &n) ||
	    !oci_number(o, where, value, UINT64_MAX, &a) ||
	    (two && !oci_number(o, where, two, UINT64_MAX, &b)))
		return false;
	if (oci_seccomp_operator(text, &ret->op) < 0) {
		import_error(o->im, where, "there is no operator '%.60s'", text);
		return false;
	}
	ret->arg = (unsigned)n;
	ret->mask = a;
	ret->value = ret->op == IMPORT_MASKED_EQ ? b : a;
	if (ret->op != IMPORT_MASKED_EQ && b != 0)
		import_warn(o->im, where, "valueTwo is only read by SCMP_CMP_MASKED_EQ");
	return true;
}

static bool read_args(struct oci *o, const struct syscall_entry *e, struct args *ret)
{
	struct json_object *args = oci_member(e->json, "args");
	char where[IMPORT_WHERE + 32];
	bool seen[6] = { false };
	size_t n;

	(void)snprintf(where, sizeof(where), "%s/args", e->where);
	n = oci_array(o, where, args);
	if (args && !json_object_is_type(args, json_type_array))
		return false;
	if (n > ARRAY_SIZE(ret->list)) {
		import_error(o->im, where, "more than %zu conditions", ARRAY_SIZE(ret->list));
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(where, sizeof(where), "%s/args/%zu", e->where, i);
		if (!read_arg(o, where, json_object_array_get_idx(args, i), &ret->list[i]))
			return false;
		ret->separate = ret->separate || seen[ret->list[i].arg];
		seen[ret->list[i].arg] = true;
	}
	ret->n = n;
	return true;
}

/* One condition for one call. False: the entry is finished with, an error or narrowed. */
static bool compare(struct oci *o, const struct syscall_entry *e, const struct syscall_desc *call,
		    const struct args *args, size_t i, struct import_dnf *ret)
{
	const char *why, *note;
	char where[IMPORT_WHERE + 32];
	int r = import_compare(call, &args->list[i], ret, &why, &note);

	(void)snprintf(where, sizeof(where), "%s/args/%zu", e->where, i);
	if (r == 0 && note)
		import_warn(o->im, where, "%s: %s", call->name, note);
	if (r == 0 && args->list[i].value > UINT32_MAX && o->im->abi_mask & 1U << ABI_I386 &&
	    dnf_key_max(call, args->list[i].arg) > UINT32_MAX) {
		import_error(o->im, where, "%s: on i386 libseccomp compares the low 32 bits only",
			     call->name);
		return false;
	}
	if (r != -EOPNOTSUPP) {
		import_failed(o->im, where, r);
		return r == 0;
	}
	if (!o->im->options->narrow) {
		import_error(o->im, where, "%s: argument %u %s", call->name, args->list[i].arg,
			     why);
		return false;
	}
	if (e->action == POLICY_ALLOW) {
		import_warn(o->im, where, "left out, so denied: %s: argument %u %s", call->name,
			    args->list[i].arg, why);
		return false;
	}
	import_warn(o->im, where, "denied whatever the argument is: %s: argument %u %s", call->name,
		    args->list[i].arg, why);
	return dnf_always(call, ret) == 0;
}

static void add(struct oci *o, const struct syscall_entry *e, const struct syscall_desc *call,
		struct import_dnf *when)
{
	import_add(o->im, call, e->action, e->errno_value, when);
}

static void add_call(struct oci *o, const struct syscall_entry *e, const struct syscall_desc *call,
		     const struct args *args)
{
	_cleanup_dnf_ struct import_dnf all = { .call = NULL };
	int r = dnf_always(call, &all);

	for (size_t i = 0; r == 0 && i < args->n; i++) {
		_cleanup_dnf_ struct import_dnf one = { .call = NULL };
		struct import_dnf both = { .call = NULL };

		if (!compare(o, e, call, args, i, &one)) {
			if (args->separate)
				continue;
			return;
		}
		if (args->separate) {
			/* never: no rule; with an address, one that would always hold */
			add(o, e, call, &one);
			continue;
		}
		r = dnf_and(&all, &one, &both);
		dnf_done(&all);
		all = both;
	}
	if (r < 0)
		import_failed(o->im, e->where, r);
	else if (!args->separate)
		add(o, e, call, &all);
}

/* i386 does these calls by socketcall(2) and ipc(2) too, whose arguments are in memory. */
static void add_multiplexed(struct oci *o, const struct syscall_entry *e, const char *name,
			    const struct args *args)
{
	_cleanup_dnf_ struct import_dnf when = { .call = NULL };
	const struct syscall_desc *call;
	const char *by;
	unsigned operation;
	int r;

	if (!(o->im->abi_mask & 1U << ABI_I386) || !import_multiplexed(name, &by, &operation))
		return;
	call = syscall_by_name(by);
	if (args->n > 0) {
		import_warn(o->im, e->where,
			    "%s: by %s, as i386 can call it, the arguments are in memory and not "
			    "compared: this rule does not speak of it",
			    name, by);
		return;
	}
	r = import_compare(call, &(struct import_compare){ 0, IMPORT_EQ, 0, operation }, &when, &by,
			   &by);
	if (r < 0)
		import_failed(o->im, e->where, r);
	else
		add(o, e, call, &when);
}

/* --- entries --- */

static void add_names(struct oci *o, const struct syscall_entry *e, const struct args *args)
{
	struct json_object *names = oci_member(e->json, "names"),
			   *name = oci_member(e->json, "name");
	char where[IMPORT_WHERE + 32];
	size_t n;

	(void)snprintf(where, sizeof(where), "%s/names", e->where);
	n = oci_array(o, where, names);
	if ((n > 0) == (name != NULL))
		import_error(o->im, e->where, n > 0 ? "has both name and names" : "names no call");
	for (size_t i = 0; i < (name ? 1 : n); i++) {
		const struct syscall_desc *call;
		const char *text, *by;
		unsigned operation;

		(void)snprintf(where, sizeof(where), "%s/names/%zu", e->where, i);
		text = oci_string(o, where, name ? name : json_object_array_get_idx(names, i));
		if (!text)
			continue;
		add_multiplexed(o, e, text, args);
		/* send and recv: nothing but socketcall's */
		if (o->im->abi_mask & 1U << ABI_I386 && !syscall_by_name(text) &&
		    import_multiplexed(text, &by, &operation))
			continue;
		call = import_call(o->im, where, text, e->action != POLICY_ALLOW);
		if (call)
			add_call(o, e, call, args);
	}
}

static bool is_default(const struct oci *o, const struct syscall_entry *e)
{
	enum import_verdict a = e->verdict, b = o->default_verdict;

	return a == b && (!oci_has_data(a) || e->data == o->default_data);
}

static void read_entry(struct oci *o, struct json_object *json, size_t index)
{
	static const char *const known[] = { "names",	"name",	    "action",	"errnoRet",
					     "errno",	"args",	    "includes", "excludes",
					     "comment", "comments", NULL };
	struct syscall_entry e = { .json = json, .data = EPERM };
	struct args args = { .n = 0 };
	struct json_object *comment;
	char why[96] = "";
	bool out = false;

	(void)oci_place(o, e.where, "/syscalls/%zu", index);
	if (!json_object_is_type(json, json_type_object)) {
		import_error(o->im, e.where, "is no object");
		return;
	}
	comment = oci_member(json, "comment");
	if (json_object_is_type(comment, json_type_string) && json_object_get_string_len(comment))
		import_item(o->im, e.where, "/syscalls/%zu: %s", index,
			    json_object_get_string(comment));
	else
		import_item(o->im, e.where, "/syscalls/%zu", index);
	oci_only(o, e.where, json, known, true);
	if (!oci_action(o, e.where, oci_member(json, "action"), &e.verdict) ||
	    !oci_errno(o, e.where, json, "errnoRet", "errno", &e.data))
		return;
	oci_filter(o, e.where, oci_member(json, "excludes"), false, &out, why);
	oci_filter(o, e.where, oci_member(json, "includes"), true, &out, why);
	if (out) {
		import_warn(o->im, NULL, "left out: not for a container %s", why);
		return;
	}
	if (is_default(o, &e)) {
		import_warn(o->im, NULL, "left out, as runc does: the action is the default's");
		return;
	}
	e.errno_value = e.data;
	if (import_action(o->im, e.where, e.verdict, &e.action, &e.errno_value) == 0 &&
	    read_args(o, &e, &args))
		add_names(o, &e, &args);
}

/* --- the head --- */

static void add_arch(struct oci *o, const char *where, struct json_object *value)
{
	const char *text = oci_string(o, where, value);
	enum abi abi = _ABI_MAX;
	bool x86 = o->im->options->arch == ABI_X86_64;

	if (!text)
		return;
	if (oci_seccomp_arch(text, &abi) < 0) {
		import_error(o->im, where, "there is no architecture '%.60s'", text);
		return;
	}
	if (abi < _ABI_MAX &&
	    (abi == o->im->options->arch || (x86 && (abi == ABI_I386 || abi == ABI_X32))))
		o->im->abi_mask |= (uint8_t)(1U << abi);
	else
		import_warn(o->im, where, "left out: %s: not of this architecture", text);
}

/* Docker's form: the entry of the architecture and what it runs besides. */
static void read_arch_map(struct oci *o, struct json_object *map)
{
	static const char *const known[] = { "architecture", "subArchitectures", NULL };
	char where[IMPORT_WHERE];
	size_t n = oci_array(o, oci_place(o, where, "/archMap"), map);

	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(map, i), *subs;
		const char *text;
		enum abi abi;

		(void)oci_place(o, where, "/archMap/%zu", i);
		if (!json_object_is_type(entry, json_type_object)) {
			import_error(o->im, where, "is no object");
			continue;
		}
		oci_only(o, where, entry, known, true);
		text = oci_string(o, where, oci_member(entry, "architecture"));
		if (!text)
			continue;
		if (oci_seccomp_arch(text, &abi) < 0)
			import_error(o->im, where, "there is no architecture '%.60s'", text);
		else if (abi == o->im->options->arch) {
			subs = oci_member(entry, "subArchitectures");
			for (size_t k = 0, m = oci_array(o, where, subs); k < m; k++)
				add_arch(o, where, json_object_array_get_idx(subs, k));
		}
	}
}

static void read_archs(struct oci *o, struct json_object *json)
{
	struct json_object *list = oci_member(json, "architectures"),
			   *map = oci_member(json, "archMap");
	char where[IMPORT_WHERE];
	size_t n = oci_array(o, oci_place(o, where, "/architectures"), list);

	if (n > 0 && map)
		import_error(o->im, where, "there are both architectures and archMap");
	for (size_t i = 0; i < n; i++)
		add_arch(o, oci_place(o, where, "/architectures/%zu", i),
			 json_object_array_get_idx(list, i));
	read_arch_map(o, map);
}

static void read_default(struct oci *o, struct json_object *json)
{
	char where[IMPORT_WHERE];
	enum policy_action action = POLICY_DENY;

	(void)oci_place(o, where, "/defaultAction");
	o->default_data = EPERM;
	if (!oci_action(o, where, oci_member(json, "defaultAction"), &o->default_verdict) ||
	    !oci_errno(o, where, json, "defaultErrnoRet", "defaultErrno", &o->default_data))
		return;
	o->im->default_errno = o->default_data;
	if (import_action(o->im, where, o->default_verdict, &action, &o->im->default_errno) < 0)
		return;
	o->im->default_action = (uint8_t)action;
}

static void read_rest(struct oci *o, struct json_object *json)
{
	struct json_object *flags = oci_member(json, "flags");
	char where[IMPORT_WHERE];
	size_t n = oci_array(o, oci_place(o, where, "/flags"), flags);

	for (size_t i = 0; i < n; i++) {
		const char *text = oci_string(o, where, json_object_array_get_idx(flags, i));

		if (text && strcmp(text, "SECCOMP_FILTER_FLAG_SPEC_ALLOW") == 0)
			import_warn(o->im, where, "%s: not here: the mitigation stays on", text);
		else if (text)
			import_warn(o->im, where, "%.60s has no meaning here", text);
	}
	if (oci_member(json, "listenerPath") || oci_member(json, "listenerMetadata"))
		import_warn(o->im, oci_place(o, where, "/listenerPath"),
			    "there is no listener here: what it is asked is denied");
}

static void read_profile(struct oci *o, struct json_object *json)
{
	static const char *const known[] = {
		"defaultAction", "defaultErrnoRet", "defaultErrno",	"architectures", "archMap",
		"flags",	 "listenerPath",    "listenerMetadata", "syscalls",	 NULL
	};
	const struct import_options *options = o->im->options;
	struct json_object *syscalls;
	char where[IMPORT_WHERE];
	size_t n;

	if (!json_object_is_type(json, json_type_object)) {
		import_error(o->im, oci_place(o, where, "/"), "is no object");
		return;
	}
	import_item(o->im, oci_place(o, where, "/"),
		    "From the OCI seccomp profile %s, for %s, kernel %u.%u.", options->path,
		    abi_name(options->arch), options->kernel >> 8, options->kernel & 0xffU);
	import_say(o->im, "It says nothing of files and the network: without lines for them, "
			  "nothing is open.");
	oci_only(o, where, json, known, false);
	read_archs(o, json);
	read_default(o, json);
	read_rest(o, json);
	syscalls = oci_member(json, "syscalls");
	n = oci_array(o, oci_place(o, where, "/syscalls"), syscalls);
	for (size_t i = 0; i < n && !o->im->no_memory; i++)
		read_entry(o, json_object_array_get_idx(syscalls, i), i);
}

/* --- bytes --- */

/* json-c rounds a number of more than 64 bits down: it must not come to that. */
static bool fits(const char *source, size_t len, size_t *ret_at)
{
	bool text = false;

	for (size_t i = 0; i < len; i++) {
		size_t digits = 0;

		if (text && source[i] == '\\')
			i++;
		else if (source[i] == '"')
			text = !text;
		if (text)
			continue;
		while (i + digits < len && source[i + digits] >= '0' && source[i + digits] <= '9')
			digits++;
		if (digits > 20 ||
		    (digits == 20 && memcmp(source + i, "18446744073709551615", 20) > 0)) {
			*ret_at = i;
			return false;
		}
		i += digits ? digits - 1 : 0;
	}
	return true;
}

static void error_at(struct oci *o, const char *source, size_t at, const char *what)
{
	char where[IMPORT_WHERE];
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column = source[i] == '\n' ? 1 : column + 1;
		line += source[i] == '\n';
	}
	import_error(o->im, oci_place(o, where, "%u:%u", line, column), "%s", what);
}

void oci_seccomp_read(struct import *im, const char *source, size_t len)
{
	struct oci o = { .im = im };
	struct json_tokener *tokener;
	struct json_object *json;
	enum json_tokener_error error;
	size_t at = 0;

	im->ordered = false;
	if (len > LIMIT_IMPORT_BYTES) {
		import_error(im, im->options->path, "more than %d bytes", LIMIT_IMPORT_BYTES);
		return;
	}
	if (!fits(source, len, &at)) {
		error_at(&o, source, at, "a number of more than 64 bits");
		return;
	}
	tokener = json_tokener_new_ex(LIMIT_IMPORT_DEPTH);
	if (!tokener) {
		im->no_memory = true;
		return;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json = json_tokener_parse_ex(tokener, source, (int)len);
	error = json_tokener_get_error(tokener);
	at = json_tokener_get_parse_end(tokener);
	if (error == json_tokener_success && json)
		read_profile(&o, json);
	else
		error_at(&o, source, at < len ? at : len,
			 error == json_tokener_continue || error == json_tokener_success
				 ? "the JSON ends too early"
				 : json_tokener_error_desc(error));
	json_object_put(json);
	json_tokener_free(tokener);
}
