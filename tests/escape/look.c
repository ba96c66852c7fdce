// SPDX-License-Identifier: Apache-2.0
/*
 * look TERCES [DIR]: say "ran", then walk all that is here, or DIR and what its file `id` says.
 * Whatever opens for reading is searched for the secret (told backwards), by its own name and
 * through each symlink, and "SECRET path" is printed where it is. In each directory that lets it a
 * file is made and left, so that one which reaches the outside is seen there. Static, for any base;
 * bounded; never opens a FIFO.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 10, ENTRIES = 4000, PATH = 8192 };

static char secret[128];
static int left = ENTRIES, made;

static void search(const char *path)
{
	char text[4096];
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		n = read(fd, text, sizeof(text));
		if (n > 0 && memmem(text, (size_t)n, secret, strlen(secret)))
			printf("SECRET %s\n", path);
	}
	close(fd);
}

static void leave(const char *dir)
{
	char path[PATH];
	int fd;

	snprintf(path, sizeof(path), "%s/.cordon-look", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	made++;
	close(fd);
}

static void walk(const char *dir, int depth)
{
	DIR *d = opendir(dir);

	if (!d)
		return;
	leave(dir);
	for (struct dirent *e; left-- > 0 && (e = readdir(d));) {
		char path[PATH];
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", strcmp(dir, "/") ? dir : "",
				     e->d_name) >= sizeof(path))
			continue;
		if (!strcmp(path, "/proc") || !strcmp(path, "/usr") || !strcmp(path, "/var/lib") ||
		    lstat(path, &st) < 0)
			continue;
		if (S_ISLNK(st.st_mode)) {
			struct stat to;

			if (stat(path, &to) < 0)
				continue;
			if (S_ISREG(to.st_mode))
				search(path);
			if (S_ISDIR(to.st_mode)) {
				char inner[PATH + 16];

				leave(path);
				snprintf(inner, sizeof(inner), "%s/secret", path);
				search(inner);
			}
		} else if (S_ISREG(st.st_mode)) {
			search(path);
		} else if (S_ISDIR(st.st_mode) && depth > 0) {
			walk(path, depth - 1);
		}
	}
	closedir(d);
}

static void say_id(const char *dir)
{
	char path[PATH], word[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/id", dir);
	f = fopen(path, "re");
	printf("id %s\n", f && fscanf(f, "%63s", word) == 1 ? word : "none");
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	size_t n = argc == 2 || argc == 3 ? strlen(argv[1]) : 0;

	if (n == 0 || n >= sizeof(secret)) {
		fprintf(stderr, "usage: look TERCES [DIR]\n");
		return 2;
	}
	for (size_t i = 0; i < n; i++)
		secret[i] = argv[1][n - 1 - i];
	puts("ran");
	fflush(stdout);
	if (argc == 3)
		say_id(argv[2]);
	walk(argc == 3 ? argv[2] : "/", DEPTH);
	search("secret");
	leave(".");
	printf("made %d\n", made);
	return 0;
}
