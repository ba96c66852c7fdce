// SPDX-License-Identifier: Apache-2.0
#include "collect/collector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "collect/forks.h"
#include "collect/state.h"

enum {
	EVENTS = 64,
	SOURCE_BATCH = 256, /* records of one round, so that clients are heard */
	SYNC_BATCH = 8192,
	FORKS_OLD = 65536, /* more than a socket's buffer holds */
	FORKS_MS = 5,	   /* fork events are taken so often, and before each record */
	SYNC_STEP_MS = 1,
	SYNC_MAX_MS = 1000,
	SYNC_BLIND_MS = 100, /* where kauditd is not seen */
	TICK_MS = 20,
	TELL_MS = 1000, /* what was lost is told so often */
	BACKLOG = 128,
	FDS_OWN = 64,
	PROC_ROOT_INODE = 1,
	PROC_MAGIC = 0x9fa0, /* linux/proc_fs.h, linux/magic.h */
};

/* --- opening ------------------------------------------------------------------------------- */

static int open_proc(struct collector *c, struct err *err)
{
	char link[64];
	struct statfs fs;
	struct stat st;
	ssize_t n;

	c->proc = path_open_exact("/proc", O_PATH | O_DIRECTORY);
	if (c->proc < 0)
		return err_set(err, c->proc, "open /proc");
	if (fstatfs(c->proc, &fs) < 0 || fstat(c->proc, &st) < 0)
		return err_set(err, -errno, "look at /proc");
	if ((unsigned long)fs.f_type != PROC_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return err_set(err, -EINVAL, "use /proc: it is not the root of a procfs");
	/* PROC_PID_INIT_INO, linux/proc_ns.h: the numbers in records are of this one. */
	n = readlinkat(c->proc, "self/ns/pid", link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	if (strcmp(link, "pid:[4026531836]") != 0)
		return err_refuse(err, "collect outside of the first pid namespace: the kernel's "
				       "records name processes by its numbers");
	return 0;
}

/* Whose sleep says that the kernel has handed out all that it had. */
static int find_kauditd(int proc)
{
	DIR *dir;
	int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -1;
	struct dirent *e;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_closep(&fd);
		return -1;
	}
	while (found < 0 && (e = readdir(dir))) {
		char text[64], path[32];
		_cleanup_close_ int at = -1;
		ssize_t n;

		if (e->d_name[0] < '0' || e->d_name[0] > '9' || strlen(e->d_name) > 10)
			continue;
		(void)snprintf(path, sizeof(path), "%s/stat", e->d_name);
		at = openat(proc, path, O_RDONLY | O_CLOEXEC);
		n = at < 0 ? -1 : read(at, text, sizeof(text) - 1);
		if (n <= 0)
			continue;
		text[n] = '\0';
		/* Its parent is kthreadd, which is 2: no program can be that one's child. */
		if (strstr(text, " (kauditd) ") && strncmp(strrchr(text, ')') + 3, " 2 ", 3) == 0) {
			(void)snprintf(path, sizeof(path), "%s", e->d_name);
			found = openat(proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		}
	}
	(void)closedir(dir);
	return found;
}

static bool kauditd_sleeps(const struct collector *c)
{
	_cleanup_close_ int fd = openat(c->kauditd, "stat", O_RDONLY | O_CLOEXEC);
	char text[64], *p;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')');
	return p && p[1] == ' ' && p[2] == 'S';
}

/* A socket that nobody listens at is what is left of one that ended. */
static int bind_socket(int fd, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int other = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG, "listen at '%.200s'", path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return err_set(err, -errno, "listen at '%s'", path);
	other = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (other < 0 || connect(other, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	    errno != ECONNREFUSED)
		return err_refuse(err, "listen at '%s': something does already", path);
	if (unlink(path) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, -errno, "listen at '%s'", path);
	return 0;
}

static int listen_at(struct collector *c, const char *path, struct err *err)
{
	int r;

	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0)
		return err_set(err, -errno, "make a socket");
	r = bind_socket(c->listener, path, err);
	if (r < 0)
		return r;
	/* Any user may connect; what each is told depends on who it is. */
	if (chmod(path, 0666) < 0)
		return err_set(err, -errno, "open '%s' to all users", path);
	return listen(c->listener, BACKLOG) < 0 ? err_set(err, -errno, "listen at '%s'", path) : 0;
}

static int add(const struct collector *c, int fd, uint64_t what, uint32_t events, int how)
{
	struct epoll_event e = { .events = events, .data.u64 = what };

	return fd < 0 || epoll_ctl(c->epoll, how, fd, &e) == 0 ? 0 : -errno;
}

static int open_loop(struct collector *c, struct err *err)
{
	sigset_t ours;
	int r;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, SIGINT);
	if (sigprocmask(SIG_BLOCK, &ours, NULL) < 0)
		return err_set(err, -errno, "block signals");
	c->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->signals < 0 || c->epoll < 0)
		return err_set(err, -errno, "make the loop");
	r = add(c, c->source, COLLECTOR_SOURCE, EPOLLIN, EPOLL_CTL_ADD);
	r = r ? r : add(c, c->listener, COLLECTOR_LISTENER, EPOLLIN, EPOLL_CTL_ADD);
	r = r ? r : add(c, c->signals, COLLECTOR_SIGNALS, EPOLLIN, EPOLL_CTL_ADD);
	r = r ? r : add(c, c->forks, COLLECTOR_FORKS, 0, EPOLL_CTL_ADD);
	return r ? err_set(err, r, "make the loop") : 0;
}

/* Two descriptors a client. */
static unsigned room_for_clients(void)
{
	struct rlimit limit = { 0 };

	if (sys_rlimit(RLIMIT_NOFILE, NULL, &limit) < 0)
		return 16;
	limit.rlim_cur = limit.rlim_max;
	(void)sys_rlimit(RLIMIT_NOFILE, &limit, NULL);
	(void)sys_rlimit(RLIMIT_NOFILE, NULL, &limit);
	if (limit.rlim_cur <= FDS_OWN + 2)
		return 1;
	return limit.rlim_cur - FDS_OWN < 2 * (rlim_t)CLIENTS_MAX
		       ? (unsigned)((limit.rlim_cur - FDS_OWN) / 2)
		       : CLIENTS_MAX;
}

static int open_all(struct collector *c, const struct collector_options *options, struct err *err)
{
	int r = open_proc(c, err);

	if (r < 0)
		return r;
	c->source = options->source >= 0 ? options->source : source_open(err);
	if (c->source < 0)
		return c->source;
	c->facts.audit = options->source >= 0 || source_is_on(c->source);
	c->forks = options->forks != -1 ? options->forks : forks_open();
	c->facts.forks = c->forks >= 0;
	c->kauditd = options->source >= 0 ? options->kauditd : find_kauditd(c->proc);
	c->facts.kauditd = c->kauditd >= 0;
	r = members_init(&c->members);
	if (r < 0)
		return err_set(err, r, "map the table of processes");
	r = listen_at(c, options->socket, err);
	r = r ? r : open_loop(c, err);
	c->facts.max = room_for_clients();
	clients_init(&c->clients, c->epoll, c->facts.max);
	return r;
}

int collector_open(const struct collector_options *options, struct collector **ret,
		   struct collector_facts *facts, struct err *err)
{
	struct collector *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, -ENOMEM, "make the collector");
	c->epoll = c->source = c->forks = c->listener = c->signals = c->proc = c->kauditd = -1;
	r = open_all(c, options, err);
	if (r < 0) {
		collector_close(c);
		return r;
	}
	*facts = c->facts;
	*ret = c;
	return 0;
}

void collector_close(struct collector *c)
{
	if (!c)
		return;
	clients_done(&c->clients);
	members_done(&c->members);
	fd_closep(&c->epoll);
	fd_closep(&c->source);
	fd_closep(&c->forks);
	fd_closep(&c->listener);
	fd_closep(&c->signals);
	fd_closep(&c->proc);
	fd_closep(&c->kauditd);
	free(c);
}

void collector_totals(const struct collector *c, struct collector_totals *ret)
{
	*ret = c->totals;
	ret->lost = c->lost;
	ret->refused = c->clients.refused;
}

/* --- the kernel's stream ------------------------------------------------------------------- */

/* How many were lost is the gap in the numbers: some of them may never have been for us. */
static void count_gap(struct collector *c)
{
	if (c->gap && c->serial > 0 && c->record.serial > c->serial + 1)
		c->lost += c->record.serial - c->serial - 1;
	else if (c->gap)
		c->lost++;
	c->gap = false;
}

static bool is_ours(unsigned type)
{
	return type == KERNEL_TYPE_LSM || type == KERNEL_TYPE_LANDLOCK ||
	       type == KERNEL_TYPE_DOMAIN || type == KERNEL_TYPE_SECCOMP;
}

/* 0, 1 when no more waits, or -errno. */
static int take_records(struct collector *c, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		int r = source_next(c->source, &c->in);

		if (r == 0)
			return 1;
		if (r == -ENOBUFS) {
			c->gap = true;
			c->gap_ms = c->now_ms;
			continue;
		}
		if (r < 0)
			return r;
		c->totals.records++;
		/* All that can have done this is known when these are taken. */
		join_forks(c);
		if (kernel_record_parse(c->in.type, c->in.text, c->in.len, &c->record) < 0) {
			c->lost += is_ours(c->in.type);
			continue;
		}
		count_gap(c);
		if (c->record.serial > c->serial)
			c->serial = c->record.serial;
		join_record(c);
	}
	return 0;
}

/* Whether all records of before now have been taken: kauditd sleeps only with an empty queue, and
 * then they are in our socket. -errno when that is broken. */
static int take_all(struct collector *c)
{
	bool quiet = c->kauditd >= 0 && kauditd_sleeps(c);
	int r = take_records(c, SYNC_BATCH);

	return r < 0 ? r : quiet && r > 0;
}

/* --- clients ------------------------------------------------------------------------------- */

static void ask_for_forks(struct collector *c, bool on)
{
	struct fork_event old;

	if (c->forks < 0 || c->forks_on == on)
		return;
	if (forks_listen(c->forks, on) < 0)
		return;
	/* Before it is asked for anything the kernel gives a socket what others asked for. Nobody
	 * is registered yet: what that was is of no sandbox. */
	for (unsigned i = 0; on && i < FORKS_OLD && forks_next(c->forks, &old) != 0; i++)
		;
	if (on)
		members_begin(&c->members, c->now_ms, take_all(c) > 0);
	c->forks_on = on;
	c->forks_armed = false;
	c->rearm_ms = on ? c->now_ms : 0;
	if (!on)
		(void)add(c, c->forks, COLLECTOR_FORKS, 0, EPOLL_CTL_MOD);
}

static void greet(struct collector *c, struct client *client, int pidfd)
{
	int r;

	ask_for_forks(c, true);
	r = clients_register(&c->clients, client, c->proc, pidfd, c->now_ms);
	if (r < 0)
		(void)close(pidfd);
	else
		join_client(c, client);
	if (!clients_ready(client, r, c->forks_on, c->facts.audit) || (r < 0 && r != -EAGAIN))
		clients_drop(&c->clients, client);
}

static void hear(struct collector *c, struct client *client, uint32_t events)
{
	int pidfd = -1, r;

	if (events & EPOLLOUT) {
		clients_room(&c->clients, client);
		(void)clients_lost(&c->clients, client, c->lost, c->unknown, c->now_ms);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)))
		return;
	r = clients_hear(client, &pidfd);
	if (r == 1) {
		greet(c, client, pidfd);
	} else if (r == 2 && !client->syncing) {
		client->syncing = true;
		client->asked_ms = c->now_ms;
	} else if (r < 0) {
		clients_drop(&c->clients, client);
	}
}

/* Of what was lost: how many it was only the next record's number tells. */
static bool may_lack(const struct collector *c, const struct client *client)
{
	return c->gap && client->since_ms <= c->gap_ms;
}

static int finish_syncing(struct collector *c)
{
	const uint64_t most = c->kauditd >= 0 ? SYNC_MAX_MS : SYNC_BLIND_MS;
	int quiet = take_all(c);

	if (quiet < 0)
		return quiet;
	for (size_t i = 0; i < c->clients.top; i++) {
		struct client *client = &c->clients.client[i];

		if (client->fd < 0 || !client->syncing)
			continue;
		if (!quiet && c->now_ms - client->asked_ms < most)
			continue;
		/* What was held for is not to come any more, or would come too late. */
		join_held(c, true);
		if (clients_lost(&c->clients, client, c->lost, c->unknown, c->now_ms))
			(void)clients_synced(&c->clients, client, quiet && !may_lack(c, client));
	}
	return 0;
}

/* What is due by the clock. */
static int tick(struct collector *c)
{
	bool walks = false, syncing = false;
	int r = c->any_syncing ? finish_syncing(c) : 0;

	if (r < 0)
		return r;
	join_held(c, false);
	/* The rest need not be looked at in each round. */
	if (!c->any_syncing && c->now_ms - c->ticked_ms < TICK_MS &&
	    (!c->forks_on || c->forks_armed))
		return 0;
	c->ticked_ms = c->now_ms;
	for (size_t i = 0; i < c->clients.top; i++) {
		struct client *client = &c->clients.client[i];

		if (client->fd < 0)
			continue;
		if (client->pidfd < 0 && c->now_ms - client->since_ms >= CLIENTS_HELLO_MS) {
			clients_drop(&c->clients, client);
			continue;
		}
		if (client->pidfd >= 0 && !client->full && c->now_ms - client->told_ms >= TELL_MS)
			(void)clients_lost(&c->clients, client, c->lost, c->unknown, c->now_ms);
		walks = walks || client->walk;
		syncing = syncing || client->syncing;
	}
	c->any_walk = walks;
	c->any_syncing = syncing;
	if (c->clients.registered == 0)
		ask_for_forks(c, false);
	if (c->forks_on && !c->forks_armed && c->now_ms >= c->rearm_ms)
		c->forks_armed = add(c, c->forks, COLLECTOR_FORKS, EPOLLIN | EPOLLONESHOT,
				     EPOLL_CTL_MOD) == 0;
	return 0;
}

/* --- the loop ------------------------------------------------------------------------------ */

static int wait_ms(const struct collector *c)
{
	if (c->any_syncing)
		return SYNC_STEP_MS;
	if (c->forks_on && !c->forks_armed)
		return FORKS_MS;
	if (c->held.n > 0)
		return HELD_MS / 4;
	return c->clients.n > 0 ? TELL_MS : -1;
}

static int dispatch(struct collector *c, const struct epoll_event *e)
{
	struct client *client;

	switch (e->data.u64) {
	case COLLECTOR_SOURCE: {
		int r = take_records(c, SOURCE_BATCH);

		return r < 0 ? r : 0;
	}
	case COLLECTOR_FORKS:
		join_forks(c);
		c->forks_armed = false;
		c->rearm_ms = c->now_ms + FORKS_MS;
		return 0;
	case COLLECTOR_LISTENER:
		clients_accept(&c->clients, c->listener, c->now_ms);
		return 0;
	case COLLECTOR_SIGNALS:
		c->stop = true;
		return 0;
	default:
		client = &c->clients.client[(e->data.u64 - COLLECTOR_CLIENTS) % CLIENTS_MAX];
		if (client->fd >= 0)
			hear(c, client, e->events);
		return 0;
	}
}

int collector_run(struct collector *c, struct err *err)
{
	struct epoll_event events[EVENTS];
	int r = 0;

	while (!c->stop && r == 0) {
		int n = epoll_wait(c->epoll, events, EVENTS, wait_ms(c));

		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for the kernel's audit");
		c->now_ms = clock_ms();
		for (int i = 0; i < n && r == 0; i++)
			r = dispatch(c, &events[i]);
		for (size_t i = 0; i < c->clients.top && !c->any_syncing; i++)
			c->any_syncing = c->clients.client[i].syncing;
		if (r == 0)
			r = tick(c);
	}
	return r < 0 ? err_set(err, r, "read the kernel's audit") : 0;
}
