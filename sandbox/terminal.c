// SPDX-License-Identifier: Apache-2.0
#include "sandbox/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

enum { LOOK_AGAIN_MS = 250 };

/* What terminal_restore() needs; a signal handler is given no argument. fd is -1 unless the
 * outer terminal is raw through us, and is set last and cleared first. */
static struct termios restore_modes;
static volatile sig_atomic_t restore_fd = -1;
static bool in_use;

int terminal_open_pair(int devpts_fd, int *ret_master, int *ret_slave, struct err *err)
{
	_cleanup_close_ int master = -1;
	int slave, unlock = 0;

	master = openat(devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	if (master < 0)
		return err_set(err, -errno, "open 'ptmx' in the sandbox's devpts");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, -errno, "unlock the sandbox's terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(err, -errno, "open the payload's side of the sandbox's terminal");
	*ret_master = TAKE_FD(master);
	*ret_slave = slave;
	return 0;
}

/* A terminal that is hung up, or a master whose other side nobody has open. */
static bool is_dead(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

int terminal_is_one(int fd, bool *ret, struct err *err)
{
	struct stat st;
	int r;

	*ret = isatty(fd) == 1;
	r = *ret ? 0 : -errno;
	if (r == 0 || r == -ENOTTY || r == -EBADF)
		return 0;
	/* File systems have other words for a request they do not know. */
	if (fstat(fd, &st) == 0 && !S_ISCHR(st.st_mode))
		return 0;
	return is_dead(fd) ? 0 : err_set(err, r, "tell whether descriptor %d is a terminal", fd);
}

int terminal_make_controlling(int slave, struct err *err)
{
	/* 0: never take a terminal away from another session. */
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(err, -errno,
			       "make the sandbox's terminal the controlling one of its session");
	return 0;
}

/* Whether setting modes and reading keys is ours to do: another group's number says that it is not,
 * and nothing else. For a terminal that is not our controlling one tcgetpgrp is ENOTTY, and the
 * kernel asks no questions about job control; for one that is hung up it is EIO, and reading has to
 * find that out; and who could not ask must not leave a terminal raw for that. */
static bool in_foreground(int tty)
{
	pid_t group = tcgetpgrp(tty);

	return group < 0 || group == getpgrp();
}

/* tcsetattr without being stopped: between the look at the foreground and this call a
 * shell may have taken the terminal back. Async-signal-safe. */
static int set_modes(int tty, const struct termios *modes)
{
	sigset_t block, old;
	int r;

	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &block, &old);
	do
		r = tcsetattr(tty, TCSANOW, modes) < 0 ? -errno : 0;
	while (r == -EINTR);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

void terminal_restore(void)
{
	int fd = (int)restore_fd, saved = errno;

	if (fd >= 0 && in_foreground(fd))
		(void)set_modes(fd, &restore_modes);
	errno = saved;
}

static void go_raw(struct terminal *t)
{
	struct termios raw = restore_modes;

	if (!t->keys_mode || t->background || t->ended)
		return;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	restore_fd = t->tty;
	t->raw = set_modes(t->tty, &raw) == 0;
	if (!t->raw)
		restore_fd = -1;
}

/* 0, or -errno when the terminal is still raw. Of one that is hung up nobody sees the modes. */
static int leave_raw(struct terminal *t)
{
	int r = 0;

	if (!t->raw)
		return 0;
	if (in_foreground(t->tty))
		r = set_modes(t->tty, &restore_modes);
	restore_fd = -1;
	t->raw = false;
	return r < 0 && is_dead(t->tty) ? 0 : r;
}

/*
 * An open file description of our own, so that O_NONBLOCK does not reach the caller's shell.
 * Only for terminals and FIFOs: a regular file opened anew would start at offset 0.
 */
static int end_point(int fd, int access, struct terminal_end_point *ret, struct err *err)
{
	struct stat st;
	char path[32];
	int own;

	*ret = (struct terminal_end_point){ .fd = -1 };
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at your terminal");
	ret->fd = fd;
	/* In doubt it is: what it is needed for fails then, and says so. */
	ret->is_tty = terminal_is_one(fd, &ret->is_tty, NULL) < 0 || ret->is_tty;
	ret->is_file = S_ISREG(st.st_mode);
	if (ret->is_tty || S_ISFIFO(st.st_mode)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, access | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (own >= 0) {
			ret->fd = own;
			ret->own = true;
		}
	}
	return 0;
}

static void end_point_close(struct terminal_end_point *p)
{
	if (p->own)
		fd_closep(&p->fd);
	*p = (struct terminal_end_point){ .fd = -1 };
}

/* The slave gets what the person's terminal has: erase key, UTF-8 mode, size. On Linux these calls
 * on a master act on its slave (tty_mode_ioctl). */
static int dress_slave(struct terminal *t, const struct termios *outer, struct err *err)
{
	struct termios modes = *outer;

	/* Without keys to relay the outer terminal keeps its own output processing, and a new line
	 * must not be made into two. */
	if (!t->keys_mode)
		modes.c_oflag &= ~(tcflag_t)OPOST;
	if (tcsetattr(t->master, TCSANOW, &modes) < 0)
		return err_set(err, -errno, "set the modes of the sandbox's terminal");
	terminal_resize(t);
	return 0;
}

/* Of one block, which is the first queue's. */
static int make_queues(struct terminal *t, struct err *err)
{
	t->keys.data = malloc((size_t)2 * TERMINAL_BUFFER);
	if (!t->keys.data)
		return err_set(err, -ENOMEM,
			       "make room for what goes through the sandbox's terminal");
	t->screen.data = t->keys.data + TERMINAL_BUFFER;
	return 0;
}

/* Of what terminal_begin() has so far: the master is still the caller's. */
static void give_up(struct terminal *t)
{
	end_point_close(&t->in);
	end_point_close(&t->out);
	free(t->keys.data);
}

int terminal_begin(struct terminal *t, int master, int in_fd, int out_fd, struct err *err)
{
	struct terminal new = TERMINAL_INIT;
	unsigned number;
	int flags, r;

	if (in_use)
		return err_set(err, -EBUSY, "relay two terminals in one process");
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_set(err, -errno, "take what the sandbox sent for its terminal");
	flags = fcntl(master, F_GETFL);
	if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(err, -errno, "make the sandbox's terminal non-blocking");
	new.master = master;
	r = end_point(in_fd, O_RDONLY, &new.in, err);
	r = r < 0 ? r : end_point(out_fd, O_WRONLY, &new.out, err);
	r = r < 0 ? r : make_queues(&new, err);
	new.keys_mode = new.in.is_tty;
	new.tty = new.in.is_tty ? in_fd : new.out.is_tty ? out_fd : -1;
	if (r == 0 && new.tty >= 0 && tcgetattr(new.tty, &restore_modes) < 0)
		r = err_set(err, -errno, "read the modes of your terminal");
	else if (r == 0 && new.tty >= 0)
		r = dress_slave(&new, &restore_modes, err);
	if (r < 0) {
		give_up(&new);
		return r;
	}
	new.background = new.keys_mode && !in_foreground(new.tty);
	in_use = new.begun = true;
	go_raw(&new);
	*t = new;
	return 0;
}

/* --- queues */

static size_t queue_used(const struct terminal_queue *q)
{
	return q->end - q->start;
}

static void queue_drop(struct terminal_queue *q, size_t n)
{
	q->start += n;
	if (q->start == q->end)
		q->start = q->end = 0;
}

static size_t queue_room(const struct terminal_queue *q)
{
	return TERMINAL_BUFFER - queue_used(q);
}

static void queue_pack(struct terminal_queue *q)
{
	if (q->start == 0)
		return;
	memmove(q->data, q->data + q->start, queue_used(q));
	q->end -= q->start;
	q->start = 0;
}

static bool would_wait(int r)
{
	return r == -EAGAIN || r == -EINTR;
}

static bool ready_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 1 && (p.revents & events) != 0;
}

/* Bytes read, 0 at the end, or -errno. */
static int queue_read(struct terminal_queue *q, int fd)
{
	ssize_t n;

	queue_pack(q);
	n = read(fd, q->data + q->end, TERMINAL_BUFFER - q->end);
	if (n < 0)
		return -errno;
	q->end += (size_t)n;
	return (int)n;
}

/* Write until empty or until it would wait; 0 or -errno. */
static int queue_write(struct terminal_queue *q, int fd)
{
	while (queue_used(q) > 0) {
		ssize_t n = write(fd, q->data + q->start, queue_used(q));

		if (n < 0)
			return would_wait(-errno) ? 0 : -errno;
		queue_drop(q, (size_t)n);
	}
	return 0;
}

/* The same on a description that may wait. POLLOUT promises room for one byte and no more
 * (n_tty_poll), so one byte it is. */
static int queue_write_waiting(struct terminal_queue *q, int fd)
{
	while (queue_used(q) > 0 && ready_now(fd, POLLOUT)) {
		ssize_t n = write(fd, q->data + q->start, 1);

		if (n < 0)
			return would_wait(-errno) ? 0 : -errno;
		queue_drop(q, 1);
	}
	return 0;
}

/* --- relaying */

static void hang_up(struct terminal *t)
{
	t->hung_up = true;
	(void)leave_raw(t);
	end_point_close(&t->in);
	end_point_close(&t->out);
	t->screen.start = t->screen.end = 0;
	fd_closep(&t->master);
}

/* End of input as a terminal has it. A line that is not finished takes the key twice: the first
 * gives the line to the reader, the second is read as the end (termios(3), VEOF). */
static void send_eof(struct terminal *t)
{
	struct termios modes;
	unsigned char key = 4;
	size_t i, times = 1;

	end_point_close(&t->in);
	if (tcgetattr(t->master, &modes) == 0) {
		if (modes.c_cc[VEOF] != _POSIX_VDISABLE)
			key = modes.c_cc[VEOF];
		if ((modes.c_lflag & ICANON) && t->line_open)
			times = 2;
	}
	queue_pack(&t->keys);
	for (i = 0; i < times && t->keys.end < TERMINAL_BUFFER; i++)
		t->keys.data[t->keys.end++] = key;
}

/* 0, or -errno when the outer terminal is there and does not let itself be read. */
static int take_keys(struct terminal *t, short revents)
{
	int n;

	if (t->in.fd < 0 || queue_room(&t->keys) < 2 || t->ended)
		return 0;
	n = queue_read(&t->keys, t->in.fd);
	if (n > 0) {
		t->line_open = t->keys.data[t->keys.end - 1] != '\n';
		return 0;
	}
	if (n < 0 && would_wait(n))
		return 0;
	/* A read from the background is EIO as well; that is no hang-up. */
	if (n < 0 && t->keys_mode && !in_foreground(t->tty)) {
		t->background = true;
		return 0;
	}
	if (n < 0 && !is_dead(t->in.fd))
		return n;
	if (t->in.is_tty && (n < 0 || (revents & POLLHUP)))
		hang_up(t);
	else
		send_eof(t);
	return 0;
}

/* To a master whose other side nobody has open (EIO): nobody will ever read these. */
static int give_keys(struct terminal *t)
{
	int r = queue_write(&t->keys, t->master);

	if (r != -EIO || !is_dead(t->master))
		return r;
	t->keys.start = t->keys.end = 0;
	return 0;
}

/*
 * The payload's output. EIO says that nobody has a slave open (n_tty_read, TTY_OTHER_CLOSED): the
 * payload may have closed its terminal and still work, and closing the master would be a hang-up to
 * it, so only its end is the end. The kernel flushes its queues before it says EIO or EAGAIN.
 */
static int take_screen(struct terminal *t)
{
	int n;

	if (t->master < 0 || queue_room(&t->screen) == 0)
		return 0;
	n = queue_read(&t->screen, t->master);
	/* Somebody may have opened it and written since. */
	t->no_slave = n == -EIO && !ready_now(t->master, POLLIN);
	if (n == -EIO && !t->no_slave)
		return 0;
	if (n < 0 && n != -EIO && !would_wait(n))
		return n;
	if (n <= 0 && n != -EINTR && t->ended)
		fd_closep(&t->master);
	return 0;
}

/* 0, or -errno when the outer terminal is there and does not take it. */
static int give_screen(struct terminal *t)
{
	const size_t before = queue_used(&t->screen);
	int r;

	if (t->out.fd < 0) {
		t->screen.start = t->screen.end = 0;
		return 0;
	}
	r = t->out.own || t->out.is_file ? queue_write(&t->screen, t->out.fd)
					 : queue_write_waiting(&t->screen, t->out.fd);
	t->shown += before - queue_used(&t->screen);
	if (r == 0 || !is_dead(t->out.fd))
		return r;
	hang_up(t);
	return 0;
}

static short revents_of(const struct pollfd *fds, size_t n, int fd)
{
	short ret = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (fds[i].fd == fd)
			ret |= fds[i].revents;
	}
	return ret;
}

static void look_at_foreground(struct terminal *t)
{
	bool background = t->keys_mode && t->tty >= 0 && !in_foreground(t->tty);

	if (background == t->background)
		return;
	t->background = background;
	if (background) {
		/* Whoever took the terminal has set its modes; they are no longer ours to undo. */
		restore_fd = -1;
		t->raw = false;
	} else {
		go_raw(t);
		terminal_resize(t);
	}
}

int terminal_handle(struct terminal *t, const struct pollfd *fds, size_t n)
{
	short in, out, master;
	int r = 0;

	if (terminal_is_idle(t))
		return 0;
	if (t->keys_mode && t->in.fd >= 0)
		look_at_foreground(t);
	in = t->in.fd >= 0 ? revents_of(fds, n, t->in.fd) : 0;
	out = t->out.fd >= 0 ? revents_of(fds, n, t->out.fd) : 0;
	master = t->master >= 0 ? revents_of(fds, n, t->master) : 0;
	if (in && !t->background)
		r = take_keys(t, in);
	if (r == 0 && t->master >= 0 && queue_used(&t->keys) > 0)
		r = give_keys(t);
	if (r == 0 && out)
		r = give_screen(t);
	if (r == 0 && (master & (POLLIN | POLLHUP | POLLERR) || t->ended || t->no_slave))
		r = take_screen(t);
	if (r == 0 && queue_used(&t->screen) > 0 && !out)
		r = give_screen(t);
	return r;
}

size_t terminal_pollfds(const struct terminal *t, struct pollfd *ret, size_t max)
{
	short master = 0;
	size_t n = 0;

	if (max < TERMINAL_POLLFDS)
		return 0;
	/* A descriptor with nothing to wait for stays out: poll would report its POLLHUP for ever.
	 */
	if (queue_room(&t->screen) > 0 && !t->no_slave)
		master |= POLLIN;
	if (queue_used(&t->keys) > 0 && !t->no_slave)
		master |= POLLOUT;
	if (t->master >= 0 && master)
		ret[n++] = (struct pollfd){ .fd = t->master, .events = master };
	if (t->master >= 0 && t->in.fd >= 0 && !t->background && !t->ended &&
	    queue_room(&t->keys) >= 2)
		ret[n++] = (struct pollfd){ .fd = t->in.fd, .events = POLLIN };
	if (t->out.fd >= 0 && queue_used(&t->screen) > 0)
		ret[n++] = (struct pollfd){ .fd = t->out.fd, .events = POLLOUT };
	return n;
}

int terminal_timeout(const struct terminal *t)
{
	if (t->ended && t->master >= 0 && queue_room(&t->screen) > 0)
		return 0;
	if (t->master >= 0 && t->no_slave)
		return LOOK_AGAIN_MS;
	return t->background && t->in.fd >= 0 ? LOOK_AGAIN_MS : -1;
}

void terminal_payload_ended(struct terminal *t)
{
	t->ended = true;
	t->keys.start = t->keys.end = 0;
}

bool terminal_is_idle(const struct terminal *t)
{
	return t->master < 0 && queue_used(&t->screen) == 0;
}

bool terminal_hung_up(const struct terminal *t)
{
	return t->hung_up;
}

void terminal_resize(struct terminal *t)
{
	struct winsize size;

	if (t->master >= 0 && t->tty >= 0 && ioctl(t->tty, TIOCGWINSZ, &size) == 0)
		(void)ioctl(t->master, TIOCSWINSZ, &size);
}

void terminal_suspend(struct terminal *t)
{
	(void)leave_raw(t); /* what resumes makes it raw again, and what ends tells */
}

void terminal_resume(struct terminal *t)
{
	if (t->tty < 0 || t->master < 0)
		return;
	t->background = t->keys_mode && !in_foreground(t->tty);
	if (t->background) {
		restore_fd = -1;
		t->raw = false;
	} else {
		go_raw(t);
	}
	terminal_resize(t);
}

int terminal_end(struct terminal *t)
{
	const int r = leave_raw(t);

	if (t->begun)
		in_use = false;
	give_up(t);
	fd_closep(&t->master);
	*t = TERMINAL_INIT;
	return r;
}
