// SPDX-License-Identifier: Apache-2.0
/* The calls of a learned policy: one rule a line, under the group that a reader knows them by. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/names.h"
#include "cli/learn_model.h"
#include "policies/consts.h"
#include "policies/groups.h"

enum { RULE_MAX = 4096, COLUMN = 44 };

struct rules {
	struct learned *l;
	struct buf *out;
	bool *done; /* by place in calls */
	int r;
};

/*
 * Calls that depend on time, load or chance more than on what a program does: seen in one run,
 * missing in the next. Each acts on the process's own memory, threads, clock or open descriptors
 * alone.
 */
static const char *const always[] = {
	"brk",		"clock_getres",	   "clock_gettime", "clock_nanosleep",
	"exit",		"exit_group",	   "futex",	    "getcpu",
	"gettimeofday", "madvise",	   "mmap",	    "mremap",
	"munmap",	"nanosleep",	   "poll",	    "ppoll",
	"pselect6",	"restart_syscall", "rt_sigsuspend", "rt_sigreturn",
	"sched_yield",	"select",	   "time",
};

const char *learned_phase(const struct learned *l, uint8_t phases)
{
	bool phased = false;

	for (size_t i = 0; i < l->n_runs; i++)
		phased = phased || l->runs[i].phased;
	if (!phased)
		return "";
	return phases == 1 ? "start-up" : phases == 2 ? "serving" : "both";
}

int learned_put(struct buf *out, const char *rule, uint32_t runs, uint64_t count,
		const char *program, const char *phase)
{
	int r = buf_printf(out, "%-*s # ", COLUMN, rule);
	bool first = true;

	for (unsigned i = 0; i < 32 && r == 0; i++) {
		if (runs & 1U << i) {
			r = buf_printf(out, "%sr%u", first ? "" : ",", i + 1);
			first = false;
		}
	}
	if (r == 0)
		r = buf_printf(out, " %llux %s%s%s\n", (unsigned long long)count, program,
			       *phase ? ", " : "", phase);
	return r;
}

static bool is_assumed(const struct learned *l, const struct syscall_desc *desc)
{
	for (size_t i = 0; i < l->n_assumed; i++) {
		if (l->assumed[i].desc == desc)
			return true;
	}
	return false;
}

static void put(struct rules *s, const struct learned_call *c, const char *rule)
{
	const char *phase = learned_phase(s->l, c->phases);
	char more[64];

	/* mmap and mprotect, of which a quick run records what may be executed */
	if (!c->denied && c->abi == ABI_NATIVE && is_assumed(s->l, c->desc)) {
		(void)snprintf(more, sizeof(more), "%s%sexecutable; the rest is assumed", phase,
			       *phase ? ", " : "");
		phase = more;
	}
	if (s->r == 0)
		s->r = learned_put(s->out, rule, c->runs, c->count, c->program, phase);
}

static const struct learned_call *find(const struct learned *l, const char *name, bool denied)
{
	for (size_t i = 0; i < l->n_calls; i++) {
		if (l->calls[i].denied == denied && strcmp(l->calls[i].desc->name, name) == 0)
			return &l->calls[i];
	}
	return NULL;
}

/* --- conditions --- */

/* A constant's name when there is one, else the number. */
static void spell(const struct syscall_desc *call, unsigned arg, uint64_t value, char *ret,
		  size_t size)
{
	const char *name = consts_name_of((enum consts_set)call->args[arg].of, ABI_NATIVE, value);
	uint64_t found;
	bool negative;

	if (name && consts_find(name, &found, &negative) == 0 && found == value)
		(void)snprintf(ret, size, "%s", name);
	else
		(void)snprintf(ret, size, "0x%llx", (unsigned long long)value);
}

static unsigned key_arg(const char *call)
{
	if (strcmp(call, "mknodat") == 0)
		return 2;
	return strcmp(call, "ioctl") == 0 || strcmp(call, "setns") == 0 ||
			       strcmp(call, "mknod") == 0
		       ? 1
		       : 0;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Some sixty values fill more than a line may hold: several rules. */
static void put_values(struct rules *s, const struct learned_call *c)
{
	const unsigned arg = key_arg(c->desc->name);
	const char *name = c->desc->args[arg].name;
	uint64_t value[LEARN_MAX_TUPLES];
	char rule[RULE_MAX];
	size_t len = 0;

	for (unsigned i = 0; i < c->n_tuples; i++)
		value[i] = c->tuple[i][0];
	qsort(value, c->n_tuples, sizeof(*value), compare_u64);
	for (unsigned i = 0; i < c->n_tuples; i++) {
		char word[64];

		spell(c->desc, arg, value[i], word, sizeof(word));
		if (len == 0)
			len = (size_t)snprintf(rule, sizeof(rule), "allow %s if %s in",
					       c->desc->name, name);
		len += (size_t)snprintf(rule + len, sizeof(rule) - len, " %s", word);
		if (len > 80 || i + 1 == c->n_tuples) {
			put(s, c, rule);
			len = 0;
		}
	}
}

static void put_modes(struct rules *s, const struct learned_call *c)
{
	bool seen[16] = { false };
	char rule[RULE_MAX];

	for (unsigned i = 0; i < c->n_tuples; i++) {
		const unsigned type = (unsigned)(c->tuple[i][0] >> 12) & 15;

		if (seen[type])
			continue;
		seen[type] = true;
		(void)snprintf(rule, sizeof(rule), "allow %s if %s & S_IFMT == 0%o", c->desc->name,
			       c->desc->args[key_arg(c->desc->name)].name, type << 12);
		put(s, c, rule);
	}
}

static void put_clone(struct rules *s, const struct learned_call *c)
{
	const uint64_t namespaces = 0x7e020000, thread = 0x10000; /* linux/sched.h */
	bool all_threads = true, none_new = !c->key_varies;

	for (unsigned i = 0; i < c->n_tuples; i++) {
		all_threads = all_threads && (c->tuple[i][0] & thread);
		none_new = none_new && !(c->tuple[i][0] & namespaces);
	}
	/* the base policy allowed them: they are named one by one */
	if (!none_new && !c->key_varies) {
		put_values(s, c);
		return;
	}
	put(s, c,
	    all_threads && !c->key_varies
		    ? "allow clone if flags & CLONE_THREAD == CLONE_THREAD and flags & "
		      "CLONE_NEW_NAMESPACES == 0"
		    : "allow clone if flags & CLONE_NEW_NAMESPACES == 0");
}

static const char *family_name(uint64_t family, char *buf, size_t size)
{
	uint64_t found;
	bool negative;

	(void)names_family((unsigned)family, buf, size);
	if (consts_find(buf, &found, &negative) < 0 || found != family)
		(void)snprintf(buf, size, "%llu", (unsigned long long)family);
	return buf;
}

static void put_sockets(struct rules *s, const struct learned_call *c)
{
	static const char *const types[] = {
		[SOCK_STREAM] = "SOCK_STREAM",
		[SOCK_DGRAM] = "SOCK_DGRAM",
		[SOCK_RAW] = "SOCK_RAW",
		[SOCK_SEQPACKET] = "SOCK_SEQPACKET",
	};
	uint64_t seen[LEARN_MAX_TUPLES][3];
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_tuples; i++) {
		const uint64_t t[3] = { c->tuple[i][0], c->tuple[i][1] & 0xf, c->tuple[i][2] };
		char rule[RULE_MAX], family[32], type[24];
		bool again = false;

		for (unsigned k = 0; k < n; k++)
			again = again || memcmp(seen[k], t, sizeof(t)) == 0;
		if (again)
			continue;
		memcpy(seen[n++], t, sizeof(t));
		if (t[1] < ARRAY_SIZE(types) && types[t[1]])
			(void)snprintf(type, sizeof(type), "%s", types[t[1]]);
		else
			(void)snprintf(type, sizeof(type), "%u", (unsigned)t[1]);
		(void)snprintf(rule, sizeof(rule),
			       "allow %s if domain == %s and type & 0xf == %s and protocol == %u",
			       c->desc->name, family_name(t[0], family, sizeof(family)), type,
			       (unsigned)t[2]);
		put(s, c, rule);
	}
}

static void put_call(struct rules *s, const struct learned_call *c)
{
	const char *name = c->desc->name;
	char rule[RULE_MAX];

	if (c->n_tuples == 0 && !c->key_varies) {
		(void)snprintf(rule, sizeof(rule), "allow %s", name);
		put(s, c, rule);
		return;
	}
	if (c->key_varies && s->r == 0)
		s->r = buf_printf(s->out,
				  "# %s: more values than a recording holds; those that "
				  "are not listed are refused\n",
				  name);
	if (strcmp(name, "socket") == 0 || strcmp(name, "socketpair") == 0)
		put_sockets(s, c);
	else if (strcmp(name, "clone") == 0)
		put_clone(s, c);
	else if (strncmp(name, "mknod", 5) == 0)
		put_modes(s, c);
	else
		put_values(s, c);
}

/* --- groups --- */

/* In the order of a policy: what a call is listed under is the first of these that has it. */
static const char *const headings[] = {
	"@process",  "@file-system", "@basic-io", "@network-io",     "@signal",	 "@timer",
	"@io-event", "@sync",	     "@ipc",	  "@chown",	     "@setuid",	 "@resources",
	"@memlock",  "@pkey",	     "@aio",	  "@system-service", "@default",
};

static bool *members(const char *group)
{
	size_t n;
	bool *set;

	(void)syscall_table(&n);
	set = calloc(n, sizeof(*set));
	if (set && groups_expand(group, set) < 0) {
		free(set);
		return NULL;
	}
	return set;
}

static size_t place_of(const struct syscall_desc *desc)
{
	size_t n;

	return (size_t)(desc - syscall_table(&n));
}

/* A whole group is written where all of its calls that this machine has were made, free of
 * conditions: the name then says no more than the list would. */
static bool whole_group(struct rules *s, const char *group, const bool *set)
{
	size_t n_table, n_members = 0;
	const struct syscall_desc *table = syscall_table(&n_table);
	struct learned_call all = { 0 };
	char rule[RULE_MAX];

	for (size_t i = 0; i < n_table; i++) {
		const struct learned_call *c;

		if (!set[i] || table[i].nr[ABI_NATIVE] < 0)
			continue;
		c = find(s->l, table[i].name, false);
		if (!c || c->n_tuples > 0 || c->key_varies || find(s->l, table[i].name, true))
			return false;
		n_members++;
		all.runs |= c->runs;
		all.phases |= c->phases;
		all.count += c->count;
		all.program = c->program;
	}
	if (n_members < 3)
		return false;
	(void)snprintf(rule, sizeof(rule), "allow %s", group);
	put(s, &all, rule);
	return true;
}

static int compare_calls(const void *a, const void *b)
{
	const struct learned_call *x = a, *y = b;

	return strcmp(x->desc->name, y->desc->name);
}

static bool has_native(const struct learned *l, const struct syscall_desc *desc)
{
	for (size_t i = 0; i < l->n_calls; i++) {
		if (l->calls[i].desc == desc && l->calls[i].abi == ABI_NATIVE &&
		    !l->calls[i].denied)
			return true;
	}
	return false;
}

static void put_group(struct rules *s, const char *group)
{
	_cleanup_free_ bool *set = group ? members(group) : NULL;
	bool begun = false, whole;

	if (group && !set)
		return;
	whole = group && whole_group(s, group, set);
	for (size_t i = 0; i < s->l->n_calls && s->r == 0; i++) {
		const struct learned_call *c = &s->l->calls[i];

		if (s->done[i] || c->denied || (set && !set[place_of(c->desc)]))
			continue;
		s->done[i] = true;
		/* a rule holds on each ABI that has the call */
		if (whole || (c->abi != ABI_NATIVE && has_native(s->l, c->desc)))
			continue;
		if (!begun)
			s->r = buf_printf(s->out, "\n# %s\n", group ? group : "others");
		begun = true;
		put_call(s, c);
	}
}

/* In the table's order; one that another run recorded has its rule. */
static void put_assumed(struct rules *s)
{
	if (s->l->n_assumed > 0 && s->r == 0)
		s->r = buf_puts(s->out, "\n# Assumed, not recorded (--quick): these act on a "
					"process's own memory, signals, clock and\n# open "
					"descriptors. Whether the runs made them is not known.\n");
	for (size_t i = 0; i < s->l->n_assumed && s->r == 0; i++) {
		const char *name = s->l->assumed[i].desc->name;

		if (!find(s->l, name, false))
			s->r = buf_printf(s->out, "allow %s\n", name);
	}
}

static void put_always(struct rules *s)
{
	bool begun = false;

	for (size_t i = 0; i < ARRAY_SIZE(always) && s->r == 0; i++) {
		const struct syscall_desc *desc = syscall_by_name(always[i]);

		if (!desc || desc->nr[ABI_NATIVE] < 0 || find(s->l, always[i], false) ||
		    find(s->l, always[i], true) || is_assumed(s->l, desc))
			continue;
		if (!begun)
			s->r = buf_puts(s->out, "\n# Not a matter of what the program does but of "
						"load, time and chance, or answered by the\n# "
						"vDSO, where no filter sees it:\n");
		begun = true;
		if (s->r == 0)
			s->r = buf_printf(s->out, "allow %s\n", always[i]);
	}
}

/* What the base policy refused is refused with the same answer: programs rely on ENOSYS. */
static void put_denied(struct rules *s)
{
	bool begun = false;

	for (size_t i = 0; i < s->l->n_calls && s->r == 0; i++) {
		const struct learned_call *c = &s->l->calls[i];
		char rule[RULE_MAX], name[32], answer[48] = "";
		uint16_t value;

		if (!c->denied || c->abi != ABI_NATIVE)
			continue;
		if (!begun)
			s->r = buf_puts(s->out, "\n# Asked for, and refused while learning\n");
		begun = true;
		/* The default answers what no rule allows; a deny here would take the rest, too. */
		if (find(s->l, c->desc->name, false)) {
			s->r = s->r
				       ?: buf_printf(
						  s->out,
						  "# %s: refused %llu times with other arguments\n",
						  c->desc->name, (unsigned long long)c->count);
			continue;
		}
		/* A number without a name cannot be written; deny's own answer is EPERM. */
		(void)names_errno(c->errno_value, name, sizeof(name));
		if (!c->killed && consts_find_errno(name, &value) == 0 && value != EPERM)
			(void)snprintf(answer, sizeof(answer), " errno %s", name);
		(void)snprintf(rule, sizeof(rule), "%s %s%s%s", c->killed ? "kill" : "deny",
			       c->desc->name, answer, c->quiet ? " quiet" : "");
		put(s, c, rule);
	}
}

/* --- tests --- */

static void put_names(struct rules *s, const char *verb, const char *const *names, size_t n)
{
	size_t column = 0;

	for (size_t i = 0; i < n && s->r == 0; i++) {
		if (column == 0 || column + strlen(names[i]) + 1 > 96) {
			s->r = buf_printf(s->out, "%s%s", column ? "\n" : "", verb);
			column = strlen(verb);
		}
		if (s->r == 0)
			s->r = buf_printf(s->out, " %s", names[i]);
		column += strlen(names[i]) + 1;
	}
	if (n > 0 && s->r == 0)
		s->r = buf_puts(s->out, "\n");
}

static void put_tests(struct rules *s)
{
	/* each leads out of a sandbox or into the kernel, and no learned policy gets it by the way
	 */
	static const char *const shut[] = {
		"add_key",	   "bpf",	   "chroot",
		"delete_module",   "finit_module", "init_module",
		"io_uring_setup",  "kexec_load",   "keyctl",
		"mount",	   "move_mount",   "open_by_handle_at",
		"perf_event_open", "pivot_root",   "process_vm_writev",
		"ptrace",	   "reboot",	   "setns",
		"swapon",	   "umount2",	   "unshare",
		"userfaultfd",
	};
	const char *names[1024];
	size_t n = 0;

	if (s->r == 0)
		s->r = buf_puts(s->out, "\n# --- tests\n");
	for (size_t i = 0; i < s->l->n_calls && n < ARRAY_SIZE(names); i++) {
		const struct learned_call *c = &s->l->calls[i];

		/* "expect allow read ..." would be about paths: such a name does not come first */
		if (!c->denied && c->abi == ABI_NATIVE && c->n_tuples == 0 && !c->key_varies &&
		    strcmp(c->desc->name, "exit_group") != 0)
			names[n++] = c->desc->name;
	}
	if (n > 0)
		put_names(s, "expect allow exit_group", names, n);
	n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(shut); i++) {
		if (!find(s->l, shut[i], false) && syscall_by_name(shut[i])->nr[ABI_NATIVE] >= 0)
			names[n++] = shut[i];
	}
	put_names(s, "expect deny", names, n);
}

int learned_rules(struct learned *l, struct buf *out)
{
	struct rules s = { .l = l, .out = out };
	_cleanup_free_ bool *done = calloc(l->n_calls + 1, sizeof(*done));

	if (!done)
		return -ENOMEM;
	s.done = done;
	if (l->n_calls > 0)
		qsort(l->calls, l->n_calls, sizeof(*l->calls), compare_calls);
	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		put_group(&s, headings[i]);
	put_group(&s, NULL);
	put_assumed(&s);
	put_always(&s);
	put_denied(&s);
	put_tests(&s);
	return s.r;
}
