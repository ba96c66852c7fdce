/* SPDX-License-Identifier: Apache-2.0 */
/* attempts' files, and the process outside that listens. Part of attempts.c. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void make_file(const char *dir, const char *name, mode_t mode)
{
	char path[TEXT * 2];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) < 0)
		fail(path);
}

static void copy_true(const char *dir, const char *name)
{
	char path[TEXT * 2], block[65536];
	int in, out;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (access(path, X_OK) == 0)
		return;
	in = open(getenv("ATTEMPTS_TRUE") ? getenv("ATTEMPTS_TRUE") : "/bin/true", O_RDONLY);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	while ((n = read(in, block, sizeof(block))) > 0) {
		if (write(out, block, (size_t)n) != n)
			fail(path);
	}
	if (in < 0 || out < 0 || n < 0 || close(out) < 0)
		fail(path);
	close(in);
}

static void make_dir(const char *dir, const char *name)
{
	char path[TEXT * 2];

	snprintf(path, sizeof(path), "%s%s%s", dir, name ? "/" : "", name ? name : "");
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail(path);
}

/* What the attempts before left; who listens and what nobody changes stay. */
static int remove_left(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	if (kind == FTW_DP)
		(void)rmdir(path);
	else if (strcmp(path + at->base, "sock") != 0 && strcmp(path + at->base, "run1") != 0 &&
		 unlink(path) < 0)
		fail(path);
	return 0;
}

static int prepare(void)
{
	static const char *const files[] = { "f",  "w",	 "t1", "t2", "t3",
					     "u1", "r1", "r2", "r3", "r4" };
	static const char *const dirs[] = { "d1", "d2", "d3", "d4" };

	(void)nftw(arena, remove_left, 16, FTW_DEPTH | FTW_PHYS);
	make_dir(arena, NULL);
	for (size_t i = 0; i < COUNT(areas); i++) {
		char dir[TEXT], link[TEXT * 2];

		snprintf(dir, sizeof(dir), "%s/%s", arena, areas[i]);
		make_dir(dir, NULL);
		for (size_t j = 0; j < COUNT(files); j++)
			make_file(dir, files[j], 0600);
		for (size_t j = 0; j < COUNT(dirs); j++)
			make_dir(dir, dirs[j]);
		copy_true(dir, "run1");
		snprintf(link, sizeof(link), "%s/s", dir);
		if (symlink("f", link) < 0 && errno != EEXIST)
			fail(link);
	}
	return 0;
}

static void listen_unix(const char *name, size_t len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (len > sizeof(a.sun_path))
		errno = ENAMETOOLONG, fail(name);
	memcpy(a.sun_path, name, len);
	if (name[0])
		(void)unlink(name);
	if (s < 0 ||
	    bind(s, (struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0 ||
	    listen(s, 128) < 0)
		fail("listen on a unix socket");
}

static void listen_tcp(int family, const char *port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)atoi(port)),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = six.sin6_port,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(family, SOCK_STREAM, 0), on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (s < 0 ||
	    bind(s, family == AF_INET6 ? (void *)&six : (void *)&four,
		 family == AF_INET6 ? sizeof(six) : sizeof(four)) < 0 ||
	    listen(s, 128) < 0)
		fail("listen on a TCP port");
}

/* own: the area whose socket is of the context, as if who listens there were inside, or NULL. */
static void serve(const char *own)
{
	char name[TEXT];
	int n;

	for (size_t i = 0; i < COUNT(areas); i++) {
		char dir[TEXT];

		snprintf(dir, sizeof(dir), "%s/%s", arena, areas[i]);
		/* sun_path is short, arenas need not be */
		if (chdir(dir) < 0)
			fail(dir);
		if (own && strcmp(areas[i], own) == 0 && !label_sockets(true))
			fail("label a socket");
		listen_unix("sock", 5);
		if (own && !label_sockets(false))
			fail("label no more sockets");
	}
	n = snprintf(name, sizeof(name), "%ccordon-attempts-%d", 0, (int)getpid());
	listen_unix(name, (size_t)n);
	listen_tcp(AF_INET, tcp1);
	listen_tcp(AF_INET, tcp2);
	listen_tcp(AF_INET6, tcp1);
	listen_tcp(AF_INET6, tcp2);
	printf("%d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
}
