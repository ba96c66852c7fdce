// SPDX-License-Identifier: Apache-2.0
/* The host that launches happen on: a tree of known files, secrets, servers, a process. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/launches/launches.h"

struct world world;
const char *const world_nodes[] = { "t", "t/a", "t/a/b", "t/a/b/c", "t/d", "t/d/e", NULL };

static void die(const char *what)
{
	fprintf(stderr, "launches: cannot %s: %s\n", what, strerror(errno));
	world_end();
	exit(2);
}

const char *world_path(const char *rel)
{
	static char path[8][2 * PATH_SIZE];
	static unsigned turn;
	char *ret = path[turn++ % 8];

	snprintf(ret, sizeof(path[0]), "%s/%s", world.top, rel);
	return ret;
}

static void make_dirs(const char *path)
{
	char part[2 * PATH_SIZE];

	for (const char *p = path + 1;; p++) {
		if (*p && *p != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			die(part);
		if (!*p)
			return;
	}
}

static void make_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode) < 0)
		die(path);
	close(fd);
}

/* A directory with a file that says where it lies. */
static void make_node(const char *path)
{
	char file[2 * PATH_SIZE + 8], text[2 * PATH_SIZE + 32];

	make_dirs(path);
	snprintf(file, sizeof(file), "%s/file", path);
	snprintf(text, sizeof(text), "text of %s\n", file);
	make_file(file, text, 0644);
}

static void make_trees(void)
{
	static const char *const dirs[] = { "upper",  "programs", "log", "state",   "cache",
					    "config", "tmp",	  "run", "policies" };
	static const char *const in_base[] = { "etc", "usr/lib", "tmp",	   "proc",
					       "dev", "data/0",	 "data/1", "launches" };
	char path[2 * PATH_SIZE];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dirs(world_path(dirs[i]));
	for (size_t i = 0; world_nodes[i]; i++) {
		make_node(world_path(world_nodes[i]));
		/* a base that is used without an upper has to have what is put there */
		snprintf(path, sizeof(path), "%s%s", world.base, world_path(world_nodes[i]));
		make_dirs(path);
	}
	make_node(world.home);
	make_node(world.work);
	make_node(world.over);
	snprintf(path, sizeof(path), "%s/etc", world.over);
	make_node(path);
	make_node(world.base);
	for (size_t i = 0; i < sizeof(in_base) / sizeof(in_base[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", world.base, in_base[i]);
		if (strcmp(in_base[i], "proc") != 0 && strcmp(in_base[i], "dev") != 0 &&
		    strcmp(in_base[i], "launches") != 0)
			make_node(path);
		else
			make_dirs(path);
	}
	snprintf(path, sizeof(path), "%s%s", world.base, world.work);
	make_dirs(path);
	if (symlink("t", world_path("link")) < 0)
		die("make a symlink");
	snprintf(path, sizeof(path), "%s/secret", world.home);
	make_file(path, world.secret, 0600);
	make_file(world.canary_tmp, world.secret, 0600);
	make_file(world.canary_shm, world.secret, 0600);
}

static void copy_program(const char *from)
{
	char to[2 * PATH_SIZE], buf[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	snprintf(to, sizeof(to), "%s/inside", world.programs);
	out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (in < 0 || out < 0)
		die(from);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			die(to);
	close(in);
	close(out);
}

static void start_servers(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX }, log = un;
	socklen_t len = sizeof(in);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int name = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int drain = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (tcp < 0 || bind(tcp, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(tcp, 1024) < 0 ||
	    getsockname(tcp, (struct sockaddr *)&in, &len) < 0)
		die("serve on 127.0.0.1");
	world.port = ntohs(in.sin_port);
	snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s", world.abstract);
	if (name < 0 ||
	    bind(name, (struct sockaddr *)&un,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(world.abstract))) <
		    0 ||
	    listen(name, 1024) < 0)
		die("serve on an abstract name");
	snprintf(log.sun_path, sizeof(log.sun_path), "%.100s", world.syslog);
	if (drain < 0 || bind(drain, (struct sockaddr *)&log, sizeof(log)) < 0)
		die("be a syslog");
	world.drain = drain;
}

static void start_process(void)
{
	char *argv[] = { "sleep", "100000", world.secret, NULL };
	char variable[80], *envp[] = { variable, NULL };

	snprintf(variable, sizeof(variable), "SECRET=%s", world.secret);
	world.process = fork();
	if (world.process < 0)
		die("start a process");
	if (world.process == 0) {
		close(STDIN_FILENO);
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
}

static bool is_sanitized(void)
{
	static const char word[] = "__asan_init";
	int fd = open(cordon, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;
	bool found;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(cordon);
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (text == MAP_FAILED)
		die(cordon);
	found = memmem(text, (size_t)st.st_size, word, sizeof(word) - 1) != NULL;
	munmap(text, (size_t)st.st_size);
	return found;
}

/* Whether limits of the whole can be had here: by a cgroup that is delegated, or a service
 * manager's. */
static bool has_limits(void)
{
	char path[2 * PATH_SIZE];
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		setenv("HOME", world.home, 1);
		snprintf(path, sizeof(path), "file:%s", world_path("log/limits"));
		execl(cordon, cordon, "run", "--cwd", "/", "--limit", "cpu=1", "--limit",
		      "memory=1G", "--audit", path, "--ro", world_path("programs:/launches"), "--",
		      "/launches/inside", "--list", (char *)NULL);
		_exit(99);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	unlink(world_path("log/limits"));
	unlink(world_path("log/limits.head"));
	return status == 0;
}

void world_make(const char *dir)
{
	uint64_t word;
	size_t n;

	if (getentropy(&word, sizeof(word)) < 0)
		die("draw a word");
	world.root = geteuid() == 0;
	snprintf(world.top, sizeof(world.top), "%s/launches.XXXXXX", dir);
	if (!mkdtemp(world.top) || chmod(world.top, 0755) < 0)
		die("make a directory");
	snprintf(world.secret, sizeof(world.secret), "secret-%016llx", (unsigned long long)word);
	n = strlen(world.secret);
	for (size_t i = 0; i < n; i++)
		world.backwards[i] = world.secret[n - 1 - i];
	snprintf(world.home, sizeof(world.home), "%.400s/home", world.top);
	snprintf(world.work, sizeof(world.work), "%.400s/work", world.top);
	snprintf(world.base, sizeof(world.base), "%.400s/base", world.top);
	snprintf(world.over, sizeof(world.over), "%.400s/over", world.top);
	snprintf(world.upper, sizeof(world.upper), "%.400s/upper", world.top);
	snprintf(world.programs, sizeof(world.programs), "%.400s/programs", world.top);
	snprintf(world.syslog, sizeof(world.syslog), "%.400s/syslog", world.top);
	snprintf(world.canary_tmp, sizeof(world.canary_tmp), "/tmp/cordon-test.launches.%d",
		 (int)getpid());
	snprintf(world.canary_shm, sizeof(world.canary_shm), "/dev/shm/cordon-test.launches.%d",
		 (int)getpid());
	snprintf(world.abstract, sizeof(world.abstract), "launches-%d", (int)getpid());
	make_trees();
	{
		char self[PATH_SIZE], *slash;
		ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 8);

		self[len > 0 ? len : 0] = '\0';
		slash = strrchr(self, '/');
		if (!slash)
			die("find its own folder");
		memcpy(slash + 1, "inside", 7);
		copy_program(self);
	}
	start_servers();
	start_process();
	world.shm_key = (int)(word & 0x3fffffff) * 2 + 2;
	if (shmget(world.shm_key, 4096, IPC_CREAT | IPC_EXCL | 0666) < 0)
		die("share memory");
	world.sanitized = is_sanitized();
	world.by_cgroup = has_limits();
	world.fingerprint = world_fingerprint();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	return kind == FTW_DP ? rmdir(path) : unlink(path);
}

void world_end(void)
{
	/* the second is what the program inside makes, and leaves where it is told that it is
	 * outside */
	for (int key = world.shm_key; world.shm_key && key < world.shm_key + 2; key++) {
		int shm = shmget(key, 0, 0);

		if (shm >= 0)
			shmctl(shm, IPC_RMID, NULL);
	}
	if (world.process > 0) {
		kill(world.process, SIGKILL);
		waitpid(world.process, NULL, 0);
	}
	if (world.canary_tmp[0]) {
		unlink(world.canary_tmp);
		unlink(world.canary_shm);
	}
	if (world.top[0])
		nftw(world.top, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* --- what has changed */

static uint64_t sum;

static void mix(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 0x100000001b3ULL;
}

static int add_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	struct {
		uint64_t mode, uid, gid, size, links, mtime;
	} facts = { st->st_mode, st->st_uid, st->st_gid, 0, st->st_nlink, 0 };

	(void)at;
	/* a directory's time changes where something was given and made */
	if (kind != FTW_D) {
		facts.size = (uint64_t)st->st_size;
		facts.mtime =
			(uint64_t)st->st_mtim.tv_sec * 1000000000U + (uint64_t)st->st_mtim.tv_nsec;
	}
	mix(path, strlen(path) + 1);
	mix(&facts, sizeof(facts));
	return 0;
}

uint64_t world_fingerprint(void)
{
	static const char *const parts[] = { "t",	 "base", "over", "home", "work",
					     "programs", "link", "tmp",	 "run" };

	sum = 0xcbf29ce484222325ULL;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		nftw(world_path(parts[i]), add_one, 32, FTW_PHYS);
	return sum;
}

/* --- what is left */

static bool file_has(const char *path, const char *word)
{
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *f = fopen(path, "re");

	while (f && !found && getline(&line, &size, f) > 0)
		found = strstr(line, word) != NULL;
	free(line);
	if (f)
		fclose(f);
	return found;
}

static int count_children(void)
{
	int n = 0;

	for (int tries = 0; tries < 200; tries++) {
		char path[64], text[256];
		int fd, len;

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
		fd = open(path, O_RDONLY | O_CLOEXEC);
		len = fd >= 0 ? (int)read(fd, text, sizeof(text) - 1) : 0;
		if (fd >= 0)
			close(fd);
		text[len > 0 ? len : 0] = '\0';
		n = 0;
		for (char *p = strtok(text, " "); p; p = strtok(NULL, " "))
			n += atoi(p) != world.process;
		if (n == 0)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return n;
}

static bool has_mark(const char *dir, const char *mark)
{
	char path[2 * PATH_SIZE];

	for (unsigned n = 0; n < 64 && strcmp(dir, "/usr/bin") != 0; n++) {
		snprintf(path, sizeof(path), "%s/%s.%u", dir, mark, n);
		if (unlink(path) == 0)
			return true;
	}

	snprintf(path, sizeof(path), "%s/%s", dir, mark);
	if (unlink(path) == 0)
		return true;
	strcat(path, ".d");
	return rmdir(path) == 0;
}

static bool has_cgroup(void)
{
	char line[PATH_SIZE] = "", path[PATH_SIZE + 32];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;
	DIR *dir;

	while (f && fgets(line, sizeof(line), f) && strncmp(line, "0::", 3) != 0)
		;
	if (f)
		fclose(f);
	if (strncmp(line, "0::", 3) != 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s", line + 3);
	dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		found = found || strncmp(e->d_name, "cordon-", 7) == 0;
	if (dir)
		closedir(dir);
	return found;
}

bool world_is_clean(const char *mark, char *ret, size_t size)
{
	static const char *const dirs[] = { "/",    "/etc",  "/usr",	 "/usr/bin", "/var/lib",
					    "/opt", "/tmp",  "/var/tmp", "/run",     "/dev/shm",
					    "/dev", "/root", "/home" };
	int shm;

	ret[0] = '\0';
	if (count_children() > 0) {
		snprintf(ret, size, "G2 a process is left");
		return false;
	}
	if (file_has("/proc/self/mountinfo", world.top)) {
		snprintf(ret, size, "M9 a mount is left");
		return false;
	}
	if (file_has("/proc/net/unix", mark)) {
		snprintf(ret, size, "W2 an abstract name is left");
		return false;
	}
	shm = shmget(world.shm_key + 1, 0, 0);
	if (shm >= 0) {
		shmctl(shm, IPC_RMID, NULL);
		snprintf(ret, size, "I1 shared memory is left");
		return false;
	}
	if (has_cgroup()) {
		snprintf(ret, size, "R2 a cgroup is left");
		return false;
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (has_mark(dirs[i], mark)) {
			snprintf(ret, size, "M10 a file is left in %s", dirs[i]);
			return false;
		}
	}
	if (world_fingerprint() != world.fingerprint) {
		world.fingerprint = world_fingerprint();
		snprintf(ret, size, "M10 the host's files have changed");
		return false;
	}
	return true;
}
