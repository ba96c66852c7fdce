// SPDX-License-Identifier: Apache-2.0
/*
 * timer [-n RUNS] [-w WARM-UPS] [-j FILE] NAME CMD ARG... [::: NAME CMD ARG...]...
 * Runs the commands in turn (A B C, A B C, ...), so that whatever else the machine does falls on
 * all alike, and prints for each the median, 90th percentile, least and most time from
 * posix_spawn to the end of wait4, the processor time of it and its children, their page faults
 * (which hardly vary, whatever the machine does), and the ratio of its median to the first's. -j:
 * the same as JSON lines. A command that does not end with 0 ends the run.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 32, MAX_RUNS = 100000 };

struct command {
	const char *name;
	char **argv;
	double *wall; /* microseconds */
	double *cpu;
	double *faults;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cpu_us(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run(const struct command *c, const posix_spawn_file_actions_t *files, long slot)
{
	struct rusage usage;
	int status;
	pid_t pid;
	double from = now_us();
	int code = posix_spawnp(&pid, c->argv[0], files, NULL, c->argv, environ);

	if (code) {
		fprintf(stderr, "timer: %s: cannot run %s: %s\n", c->name, c->argv[0],
			strerror(code));
		exit(1);
	}
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	double to = now_us();

	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "timer: %s ended with wait status %#x\n", c->name,
			(unsigned)status);
		exit(1);
	}
	if (slot >= 0) {
		c->wall[slot] = to - from;
		c->cpu[slot] = cpu_us(&usage);
		c->faults[slot] = (double)usage.ru_minflt;
	}
}

static int parse(int argc, char **argv, struct command *commands)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (n == MAX_COMMANDS || i + 1 >= argc)
			return -1;
		commands[n].name = argv[i++];
		commands[n].argv = argv + i;
		while (i < argc && strcmp(argv[i], ":::") != 0)
			i++;
		if (commands[n].argv == argv + i)
			return -1;
		if (i < argc)
			argv[i] = NULL;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS] = { 0 };
	posix_spawn_file_actions_t files;
	long runs = 200, warm = 10;
	FILE *json = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "+n:w:j:")) != -1) {
		if (opt == 'n')
			runs = strtol(optarg, NULL, 10);
		else if (opt == 'w')
			warm = strtol(optarg, NULL, 10);
		else if (opt != 'j' || !(json = fopen(optarg, "we")))
			return 2;
	}
	int n = parse(argc - optind, argv + optind, commands);

	if (n < 1 || runs < 1 || runs > MAX_RUNS || warm < 0) {
		fprintf(stderr, "usage: timer [-n RUNS] [-w N] [-j FILE] NAME CMD... [::: NAME "
				"CMD...]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (int i = 0; i < n; i++) {
		commands[i].wall = calloc((size_t)runs, sizeof(double));
		commands[i].cpu = calloc((size_t)runs, sizeof(double));
		commands[i].faults = calloc((size_t)runs, sizeof(double));
		if (!commands[i].wall || !commands[i].cpu || !commands[i].faults)
			return 1;
	}
	for (long r = -warm; r < runs; r++)
		for (int i = 0; i < n; i++)
			run(&commands[i], &files, r);

	printf("%-28s %10s %10s %10s %10s %10s %8s %8s\n", "microseconds", "median", "p90", "min",
	       "max", "cpu", "faults", "ratio");
	double first = 0;

	for (int i = 0; i < n; i++) {
		const struct command *c = &commands[i];

		qsort(c->wall, (size_t)runs, sizeof(double), compare);
		qsort(c->cpu, (size_t)runs, sizeof(double), compare);
		qsort(c->faults, (size_t)runs, sizeof(double), compare);
		double median = c->wall[runs / 2], p90 = c->wall[runs * 9 / 10];

		if (i == 0)
			first = median;
		printf("%-28s %10.0f %10.0f %10.0f %10.0f %10.0f %8.0f %8.2f\n", c->name, median,
		       p90, c->wall[0], c->wall[runs - 1], c->cpu[runs / 2], c->faults[runs / 2],
		       median / first);
		if (json)
			fprintf(json,
				"{\"name\":\"%s\",\"runs\":%ld,\"median_us\":%.1f,\"p90_us\":%.1f,"
				"\"min_us\":%.1f,\"max_us\":%.1f,\"cpu_us\":%.1f,"
				"\"faults\":%.0f,\"ratio\":%.3f}\n",
				c->name, runs, median, p90, c->wall[0], c->wall[runs - 1],
				c->cpu[runs / 2], c->faults[runs / 2], median / first);
	}
	return json && fclose(json) != 0;
}
