// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policies/label.h"
#include "policies/limit.h"

enum { DEFAULT_ROTATE_SIZE = 64 << 20, DEFAULT_ROTATE_KEEP = 8 };

struct parser {
	struct run_options *o;
	struct err *err;
};

struct option {
	const char *name;  /* "--rw" */
	const char *shown; /* what its value is called; NULL: it takes none */
	int (*apply)(struct parser *p, const struct option *self, const char *value);
	int detail;
	const char *help;
};

static int bad(struct parser *p, const struct option *self, const char *value, const char *why)
{
	return err_refuse(p->err, "use %s '%s': %s", self->name, value, why);
}

static int set_policy(struct parser *p, const struct option *self, const char *value)
{
	(void)self;
	p->o->policy = value;
	p->o->request.policy = value;
	return 0;
}

static int add_base(struct parser *p, const struct option *self, const char *value)
{
	struct request *req = &p->o->request;

	if (req->n_bases >= LIMIT_LAYERS)
		return bad(p, self, value, "too many bases");
	req->bases[req->n_bases++] = value;
	return 0;
}

static int set_upper(struct parser *p, const struct option *self, const char *value)
{
	struct request *req = &p->o->request;

	(void)self;
	if (strcmp(value, "tmpfs") == 0) {
		req->upper = UPPER_TMPFS;
	} else if (strcmp(value, "none") == 0) {
		req->upper = UPPER_NONE;
	} else {
		req->upper = UPPER_DIR;
		req->upper_dir = value;
	}
	return 0;
}

static int set_cwd(struct parser *p, const struct option *self, const char *value)
{
	(void)self;
	p->o->request.cwd = value;
	return 0;
}

/* Cut "A:B" at the first colon that no backslash precedes; backslashes before colons go. */
static char *cut_at_colon(char *text)
{
	char *out = text, *second = NULL;

	for (char *in = text; *in; in++) {
		if (in[0] == '\\' && in[1] == ':') {
			*out++ = *++in;
		} else if (in[0] == ':' && !second) {
			*out++ = '\0';
			second = out;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return second;
}

/* Options are read before anything is opened: what is open now is the caller's. A number that he
 * has not opened could become one of ours, and be taken for his. */
static int parse_fd(const char *text, int *ret)
{
	uint64_t v;

	if (text_parse_u64(text, &v) < 0 || v > 1048576 || fcntl((int)v, F_GETFD) < 0)
		return -EINVAL;
	*ret = (int)v;
	return 0;
}

static int add_place(struct parser *p, const struct option *self, const char *value)
{
	struct request *req = &p->o->request;
	const enum request_place_kind kind = (enum request_place_kind)self->detail;
	struct request_place place = { .kind = kind, .fd = -1 };
	/* argv is ours to cut; getopt does the same */
	char *first = (char *)(uintptr_t)value, *second = NULL;

	if (req->n_places >= LIMIT_BINDS)
		return bad(p, self, value, "too many paths");
	if (kind == PLACE_RO || kind == PLACE_RW || kind == PLACE_OVERLAY ||
	    kind == PLACE_SYMLINK || kind == PLACE_FILE)
		second = cut_at_colon(first);
	if ((kind == PLACE_SYMLINK || kind == PLACE_FILE) && !second)
		return bad(p, self, value, self->shown);
	if (*first == '\0' || (second && *second == '\0'))
		return bad(p, self, value, "a path is empty");
	place.dest = second ? second : first;
	place.source = second ? first : NULL;
	if (kind == PLACE_FILE && parse_fd(first, &place.fd) < 0)
		return bad(p, self, value, "no open descriptor has that number");
	req->places[req->n_places++] = place;
	return 0;
}

static int set_net(struct parser *p, const struct option *self, const char *value)
{
	static const char *const names[] = {
		[POLICY_NET_NONE] = "none",
		[POLICY_NET_LOOPBACK] = "loopback",
		[POLICY_NET_HOST] = "host",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			p->o->request.net = (int)i;
			return 0;
		}
	}
	return bad(p, self, value, "it is none, loopback or host");
}

static int add_env(struct parser *p, const struct option *self, const char *value)
{
	struct request *req = &p->o->request;

	if (req->n_env >= LIMIT_ENV)
		return bad(p, self, value, "too many variables");
	if (value[0] == '\0' || value[0] == '=')
		return bad(p, self, value, "a variable has a name");
	req->env[req->n_env++] = value;
	return 0;
}

static int set_uid(struct parser *p, const struct option *self, const char *value)
{
	uint64_t v;

	/* 2^32 - 1 is "no uid" to the kernel, the one below is what unmapped ids show as */
	if (text_parse_u64(value, &v) < 0 || v >= 4294967294U)
		return bad(p, self, value, "it is a number below 4294967294");
	p->o->request.has_uid = true;
	p->o->request.uid = (uid_t)v;
	return 0;
}

static int set_hostname(struct parser *p, const struct option *self, const char *value)
{
	size_t n = strlen(value);

	if (n == 0 || n > LIMIT_HOSTNAME ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != n)
		return bad(p, self, value, "it is 1 to 64 letters, digits, '-' and '.'");
	p->o->request.hostname = value;
	return 0;
}

static int set_argv0(struct parser *p, const struct option *self, const char *value)
{
	(void)self;
	p->o->request.argv0 = value;
	return 0;
}

static int add_limit(struct parser *p, const struct option *self, const char *value)
{
	struct request *req = &p->o->request;
	char why[256];
	size_t n = 0;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		const enum policy_limit which = (enum policy_limit)i;
		const size_t len = strlen(limit_name(which));

		if (strncmp(value, limit_name(which), len) == 0 && value[len] == '=') {
			if (limit_parse(which, value + len + 1, &req->limit[i], &req->cpuset) < 0) {
				(void)snprintf(why, sizeof(why), "it is not %s, or out of bounds",
					       limit_kind(which));
				return bad(p, self, value, why);
			}
			req->has_limit[i] = true;
			return 0;
		}
	}
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++)
		n += (size_t)snprintf(why + n, sizeof(why) - n, "%s%s",
				      i == 0 ? "it is one of " : ", ",
				      limit_name((enum policy_limit)i));
	(void)snprintf(why + n, sizeof(why) - n, ", then =VALUE");
	return bad(p, self, value, why);
}

static int add_sink(struct parser *p, const struct option *self, const char *value)
{
	if (p->o->n_sinks >= LIMIT_SINKS)
		return bad(p, self, value, "too many sinks");
	p->o->sinks[p->o->n_sinks++] = value;
	return 0;
}

/* One word of "size=64M,age=30d,keep=8". */
static int parse_rotation(char *word, struct audit_rotation *ret)
{
	uint64_t keep;

	if (text_starts_with(word, "size="))
		return text_parse_size(word + 5, &ret->size) == 0 && ret->size >= AUDIT_SIZE_MIN
			       ? 0
			       : -EINVAL;
	if (text_starts_with(word, "age="))
		return text_parse_duration_ms(word + 4, &ret->age_ms) == 0 && ret->age_ms > 0
			       ? 0
			       : -EINVAL;
	if (!text_starts_with(word, "keep=") || text_parse_u64(word + 5, &keep) < 0 || keep < 1 ||
	    keep > AUDIT_KEEP_MAX)
		return -EINVAL;
	ret->keep = (unsigned)keep;
	return 0;
}

static int set_rotation(struct parser *p, const struct option *self, const char *value)
{
	static const char why[] = "it is 'never', or of size=BYTES (64K or more), age=TIME and "
				  "keep=FILES (1 to 512), with commas";
	struct audit_rotation rotation = { .keep = p->o->rotation.keep };
	char text[128], *rest = text, *word;

	if (strcmp(value, "never") == 0) {
		p->o->rotation = (struct audit_rotation){ 0 };
		return 0;
	}
	if (strlen(value) >= sizeof(text))
		return bad(p, self, value, why);
	memcpy(text, value, strlen(value) + 1);
	while ((word = strsep(&rest, ","))) {
		if (parse_rotation(word, &rotation) < 0)
			return bad(p, self, value, why);
	}
	if (rotation.size == 0 && rotation.age_ms == 0)
		rotation.size = DEFAULT_ROTATE_SIZE;
	p->o->rotation = rotation;
	return 0;
}

static int set_flood(struct parser *p, const struct option *self, const char *value)
{
	uint64_t bytes;

	if (text_parse_size(value, &bytes) < 0 || bytes < AUDIT_FLOOD_MIN ||
	    bytes > AUDIT_FLOOD_MAX)
		return bad(p, self, value, "it is the bytes of a minute, from 1M to 1G");
	p->o->flood = bytes;
	return 0;
}

static int add_fd(struct parser *p, const struct option *self, const char *value)
{
	struct request *req = &p->o->request;
	int fd;

	if (parse_fd(value, &fd) < 0)
		return bad(p, self, value, "no open descriptor has that number");
	for (size_t i = 0; i < req->n_pass_fds; i++) {
		if (req->pass_fds[i] == fd)
			return 0;
	}
	if (fd < 3)
		return 0; /* always passed */
	if (req->n_pass_fds >= LIMIT_PASS_FDS)
		return bad(p, self, value, "too many descriptors");
	req->pass_fds[req->n_pass_fds++] = fd;
	return 0;
}

static int set_pty(struct parser *p, const struct option *self, const char *value)
{
	static const char *const names[] = {
		[PTY_AUTO] = "auto",
		[PTY_ALWAYS] = "always",
		[PTY_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			p->o->request.pty = (enum request_pty)i;
			return 0;
		}
	}
	return bad(p, self, value, "it is auto, always or never");
}

/* "apparmor=NAME", "selinux=TYPE:c1,c2" */
static int set_label(struct parser *p, const struct option *self, const char *value)
{
	const char *why = "it is apparmor=NAME or selinux=TYPE, auto or none in the name's place";
	enum policy_lsm lsm = _POLICY_LSM_MAX;
	const char *equals = strchr(value, '=');
	struct label label;
	char name[16];

	if (!equals || (size_t)(equals - value) >= sizeof(name))
		return bad(p, self, value, why);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - value), value);
	if (label_lsm_from_name(name, &lsm) < 0 || label_parse(lsm, equals + 1, &label, &why) < 0)
		return bad(p, self, value, why);
	if (p->o->request.labels[lsm])
		return bad(p, self, value, "it was given already");
	p->o->request.labels[lsm] = equals + 1;
	return 0;
}

enum { FLAG_DRY_RUN, FLAG_JSON, FLAG_VERBOSE, FLAG_QUIET, FLAG_NEW_TIME, FLAG_HELP };

static int set_flag(struct parser *p, const struct option *self, const char *value)
{
	(void)value;
	switch (self->detail) {
	case FLAG_DRY_RUN:
		p->o->dry_run = true;
		break;
	case FLAG_JSON:
		p->o->json = true;
		break;
	case FLAG_VERBOSE:
		p->o->verbose = 1;
		break;
	case FLAG_QUIET:
		p->o->verbose = -1;
		break;
	case FLAG_NEW_TIME:
		p->o->request.new_time = true;
		break;
	default:
		p->o->help = true;
		break;
	}
	return 0;
}

static const struct option options[] = {
	{ "--policy", "NAME|FILE", set_policy, 0, "what is allowed (default: 'default')" },
	{ "--base", "DIR", add_base, 0,
	  "a root of your own instead of the host's; repeat to stack" },
	{ "--upper", "tmpfs|DIR|none", set_upper, 0, "where writes above a base go" },
	{ "--cwd", "DIR", set_cwd, 0, "working directory inside" },
	{ "--ro", "PATH[:DEST]", add_place, PLACE_RO, "show a host path, read-only" },
	{ "--rw", "PATH[:DEST]", add_place, PLACE_RW, "show a host path, writable: changes stay" },
	{ "--overlay", "DIR[:DEST]", add_place, PLACE_OVERLAY,
	  "show a directory of yours, writable: changes are thrown away" },
	{ "--hide", "PATH", add_place, PLACE_HIDE, "do not show a path" },
	{ "--tmpfs", "PATH", add_place, PLACE_TMPFS, "an empty writable directory, thrown away" },
	{ "--dir", "PATH", add_place, PLACE_DIR, "an empty directory" },
	{ "--symlink", "TEXT:PATH", add_place, PLACE_SYMLINK, "a symlink at PATH" },
	{ "--file", "FD:PATH", add_place, PLACE_FILE,
	  "a read-only file with what descriptor FD yields" },
	{ "--net", "none|loopback|host", set_net, 0, "network (default: the policy's)" },
	{ "--env", "NAME[=VALUE]", add_env, 0, "pass a variable on, or set it" },
	{ "--uid", "N", set_uid, 0,
	  "be uid (and gid) N inside; 0 is root there and nobody outside" },
	{ "--hostname", "NAME", set_hostname, 0, "host name inside" },
	{ "--argv0", "NAME", set_argv0, 0, "what the command is told it is called" },
	{ "--limit", "NAME=VALUE", add_limit, 0, "pids, memory, cpu, nofile, upper, inodes, wall" },
	{ "--label", "LSM=NAME|auto|none", set_label, 0,
	  "enter this AppArmor profile or SELinux type" },
	{ "--audit", "SINK", add_sink, 0,
	  "file:PATH, stderr, fd:N, journal or syslog; repeatable" },
	{ "--audit-rotate", "size=64M,age=30d,keep=8", set_rotation, 0,
	  "when a log file is closed and how many stay (size=64M,keep=8), or never" },
	{ "--audit-flood", "SIZE", set_flood, 0,
	  "bytes a minute that a flood of denials may add to a log (1M); more is counted" },
	{ "--fd", "N", add_fd, 0, "pass descriptor N on" },
	{ "--pty", "auto|always|never", set_pty, 0,
	  "a terminal of its own (auto: where you have one)" },
	{ "--new-time", NULL, set_flag, FLAG_NEW_TIME, "clocks since boot begin at the launch" },
	{ "--dry-run", NULL, set_flag, FLAG_DRY_RUN, "print the plan and do nothing" },
	{ "--json", NULL, set_flag, FLAG_JSON, "the plan as JSON" },
	{ "-v", NULL, set_flag, FLAG_VERBOSE, "tell what is done, and what could not be had" },
	{ "-q", NULL, set_flag, FLAG_QUIET, "no word but errors" },
	{ "--help", NULL, set_flag, FLAG_HELP, "this text" },
};

static const struct option *find_option(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0)
			return &options[i];
	}
	return NULL;
}

static int unknown(struct parser *p, const char *word)
{
	const char *nearest = NULL;
	unsigned best = 4;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		unsigned d = text_distance(word, options[i].name, best);

		if (d < best) {
			best = d;
			nearest = options[i].name;
		}
	}
	(void)err_refuse(p->err, "understand the option '%s'", word);
	if (nearest)
		return err_hint(p->err, "did you mean %s? The command itself goes behind --",
				nearest);
	return err_hint(p->err,
			"the command itself goes behind --; 'cordon run --help' lists the options");
}

int options_parse(int argc, char **argv, struct run_options *ret, struct err *err)
{
	struct parser p = { .o = ret, .err = err };
	int i = 1;

	ret->request.net = -1;
	ret->rotation = (struct audit_rotation){
		.size = DEFAULT_ROTATE_SIZE,
		.keep = DEFAULT_ROTATE_KEEP,
	};
	ret->flood = AUDIT_FLOOD_MIN;
	/* argv[0] here is the verb, argv[-1] the program: the strings lie behind each other. */
	ret->title = argv[-1];
	ret->title_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[-1]);
	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		const char *word = argv[i], *value = NULL;
		size_t len = strcspn(word, "=");
		const struct option *o;
		int r;

		if (strcmp(word, "--") == 0) {
			i++;
			break;
		}
		o = find_option(word, len);
		r = o || !ret->own ? 0 : ret->own(ret->own_ctx, argc - i, argv + i, err);
		if (r < 0)
			return r;
		if (r > 0) {
			i += r - 1;
			continue;
		}
		if (!o)
			return unknown(&p, word);
		if (o->shown && word[len] == '=') {
			value = word + len + 1;
		} else if (o->shown) {
			if (++i >= argc)
				return err_refuse(err, "use %s without its value (%s)", o->name,
						  o->shown);
			value = argv[i];
		} else if (word[len] == '=') {
			return err_refuse(err, "give %s a value: it takes none", o->name);
		}
		r = o->apply(&p, o, value);
		if (r < 0)
			return r;
	}
	ret->request.argv = argv + (i < argc ? i : argc);
	return 0;
}

void options_help(const char *verb)
{
	(void)printf("usage: cordon %s [OPTION...] %s\n\n", verb,
		     strcmp(verb, "shell") == 0 ? "[-- ARGUMENT...]" : "-- COMMAND [ARGUMENT...]");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%s%s%s", options[i].name,
			       options[i].shown ? " " : "",
			       options[i].shown ? options[i].shown : "");
		(void)printf("  %-28s %s\n", left, options[i].help);
	}
}
