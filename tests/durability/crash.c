// SPDX-License-Identifier: Apache-2.0
/*
 * crash [OPTION...] audit|cache DIR SCRATCH CORDON PAYLOAD -- COMMAND...: follow COMMAND, and judge
 * each state that a power failure meanwhile may have left of the files in DIR (disk.h), which are
 * an audit log's, called audit.jsonl, or a cache of bundles. Files that are there before are taken
 * to be on the disk. CORDON goes on behind each, or behind one in N, by a sandbox with PAYLOAD.
 *
 *   --seal-key=FILE   the log is sealed with this key
 *   --key-printed     COMMAND prints the key, into that file
 *   --every=N
 *   --all             each combination of what the files hold, not each pair: minutes
 *   --forget-syncs    and again without each fsync and fdatasync in turn: "missed" where a promise
 *                     breaks then, else "not missed", or "nothing to force"
 *
 * Exit status: 0 when there is no finding, 1 when there is, 2 when it could not be done.
 */
#include "tests/durability/crash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t findings;

void crash_put(const struct options *o, const struct state *state)
{
	int dir = open(o->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir < 0 ? NULL : fdopendir(dup(dir));
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dir, e->d_name, 0);
	if (d)
		closedir(d);
	for (size_t i = 0; i < state->n; i++) {
		int fd = openat(dir, state->name[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 || write(fd, state->content[i]->p, state->content[i]->len) !=
				      (ssize_t)state->content[i]->len) {
			fprintf(stderr, "crash: cannot write to '%s': %s\n", o->scratch,
				strerror(errno));
			exit(2);
		}
		close(fd);
	}
	close(dir);
}

int crash_run(char *const *argv)
{
	int status = -1, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execv(argv[0], argv);
		_exit(99);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void crash_finding(const struct options *o, const struct state *state, const char *fmt, ...)
{
	va_list ap;

	if (findings++ >= (o->forgot ? 1 : 10))
		return;
	printf("%s behind %zu operations: ", o->forgot ? "missed" : "FINDING", state->n_ops);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	for (size_t i = 0; i < state->n && !o->forgot; i++)
		printf("  %s: %zu bytes, %016llx\n", state->name[i], state->content[i]->len,
		       (unsigned long long)state->content[i]->hash);
}

size_t crash_findings(void)
{
	return findings;
}

bool crash_is_passed(const struct options *o, const struct state *state)
{
	return o->forgot > 0 && (findings > 0 || state->n_ops < o->forgot);
}

static void print_ops(const struct disk *disk)
{
	unsigned n[_OP_MAX] = { 0 };

	for (size_t i = 0; i < disk->n_ops; i++)
		n[disk->op[i].kind]++;
	printf("%zu operations:", disk->n_ops);
	for (unsigned k = 0; k < _OP_MAX; k++)
		if (n[k])
			printf(" %u %s", n[k], op_names[k]);
	putchar('\n');
	for (size_t i = 0; i < disk->n_ops && getenv("CRASH_VERBOSE"); i++) {
		const struct op *op = &disk->op[i];

		printf("  %zu %s %s%s%s inode %u at %zu length %zu\n", i + 1, op_names[op->kind],
		       op->name, op->to[0] ? " to " : "", op->to, op->inode, op->at, op->len);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: crash [--seal-key=FILE [--key-printed]] [--every=N] [--all] "
			"[--forget-syncs] audit|cache DIR SCRATCH CORDON PAYLOAD -- COMMAND...\n");
	return 2;
}

static int parse(int argc, char **argv, struct options *o, bool *ret_printed, bool *ret_forget,
		 int *ret_at)
{
	int i = 1;

	*o = (struct options){ .every = 1 };
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--key-printed"))
			*ret_printed = true;
		else if (!strcmp(argv[i], "--all"))
			o->all = true;
		else if (!strcmp(argv[i], "--forget-syncs"))
			*ret_forget = true;
		else if (!strncmp(argv[i], "--seal-key=", 11))
			o->seal_key = argv[i] + 11;
		else if (!strncmp(argv[i], "--every=", 8))
			o->every = strtoul(argv[i] + 8, NULL, 10);
		else
			return -1;
	}
	if (argc - i < 7 || strcmp(argv[i + 5], "--") != 0 || o->every == 0)
		return -1;
	o->dir = argv[i + 1];
	o->scratch = argv[i + 2];
	o->cordon = argv[i + 3];
	o->payload = argv[i + 4];
	*ret_at = i;
	return 0;
}

static int record(struct disk *disk, char **argv, const char *key)
{
	int saved = -1, out, status, r;

	if (key) {
		saved = dup(1);
		out = open(key, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (saved < 0 || out < 0 || dup2(out, 1) < 0)
			return -1;
		close(out);
	}
	r = record_run(disk, argv, &status);
	if (saved >= 0) {
		dup2(saved, 1);
		close(saved);
	}
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		fprintf(stderr, "crash: '%s' ended with status %x\n", argv[0], (unsigned)status);
		return -1;
	}
	return r;
}

static const char *name_of(const struct disk *disk, const struct op *op)
{
	for (size_t i = 0; op->kind == OP_SYNC && i < disk->now.n; i++)
		if (disk->now.of[i].inode == op->inode)
			return disk->now.of[i].name;
	return op->kind == OP_SYNC ? "a file that is gone" : "the directory";
}

static bool is_sync(const struct op *op)
{
	return op->kind == OP_SYNC || op->kind == OP_SYNC_DIR;
}

/* Whether something was there to be forced: what was before the recording is on the disk. */
static bool forces(const struct disk *disk, size_t at)
{
	const struct op *sync = &disk->op[at];

	for (size_t i = at; i-- > 0;) {
		const struct op *op = &disk->op[i];
		const bool of_file = op->kind == OP_WRITE || op->kind == OP_CUT;

		if (op->kind == sync->kind && op->inode == sync->inode)
			return false;
		if (sync->kind == OP_SYNC ? of_file && op->inode == sync->inode
					  : !of_file && !is_sync(op))
			return true;
	}
	return false;
}

/* Each was made for something: without it a state is possible that breaks a promise. */
static int forget_syncs(struct disk *disk, struct options *o,
			int judge(const struct disk *, const struct options *))
{
	const size_t found = findings;
	int r = 0;

	for (size_t i = 0, n = 0; i < disk->n_ops && r == 0; i++) {
		const struct op op = disk->op[i];
		const size_t rest = (disk->n_ops - i - 1) * sizeof(op);

		if (!is_sync(&op))
			continue;
		printf("sync %zu, operation %zu, of %s: ", ++n, i + 1, name_of(disk, &op));
		if (!forces(disk, i)) {
			puts("nothing to force");
			continue;
		}
		o->forgot = i + 1;
		findings = 0;
		disk->n_ops--;
		memmove(disk->op + i, disk->op + i + 1, rest);
		r = judge(disk, o);
		if (findings == 0)
			puts("not missed");
		memmove(disk->op + i + 1, disk->op + i, rest);
		disk->op[i] = op;
		disk->n_ops++;
	}
	findings = found;
	return r;
}

int main(int argc, char **argv)
{
	static struct disk disk;
	struct options o;
	bool printed = false, forget = false;
	int (*judge)(const struct disk *, const struct options *);
	int at, r;

	if (parse(argc, argv, &o, &printed, &forget, &at) < 0)
		return usage();
	judge = !strcmp(argv[at], "audit")   ? judge_audit
		: !strcmp(argv[at], "cache") ? judge_cache
					     : NULL;
	if (!judge)
		return usage();
	if (disk_begin(&disk, o.dir) < 0 ||
	    record(&disk, argv + at + 6, printed ? o.seal_key : NULL) < 0)
		return 2;
	print_ops(&disk);
	fflush(stdout);
	r = judge(&disk, &o);
	if (r == 0 && forget)
		r = forget_syncs(&disk, &o, judge);
	return r < 0 ? 2 : findings ? 1 : 0;
}
