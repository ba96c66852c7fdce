// SPDX-License-Identifier: Apache-2.0
/*
 * guard PROGRAM ARG...: run one test script and judge what it leaves behind. As the subreaper of
 * the script (prctl(2) PR_SET_CHILD_SUBREAPER) it inherits every process that outlives its parent,
 * also those that made a session of their own; whatever is alive two seconds after the script
 * ended is a leak, is named, is killed, and fails the script. Works without privilege.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 2000, STEP_MS = 20, LEAKED = 97 };

/* Call each process whose parent we are; returns how many there were. */
static int each_child(int report, int sig)
{
	int n = 0;
	DIR *proc = opendir("/proc");

	if (!proc)
		return 0;
	for (struct dirent *e; (e = readdir(proc));) {
		char path[300], comm[64] = "";
		int pid = atoi(e->d_name), parent = 0;
		FILE *f;

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (!f)
			continue;
		/* The name may hold anything: the fields begin behind the last ')'. */
		char line[512] = "";
		size_t len = fread(line, 1, sizeof(line) - 1, f);

		fclose(f);
		line[len] = '\0';
		char *open = strchr(line, '('), *close = strrchr(line, ')');

		if (!open || !close || sscanf(close + 1, " %*c %d", &parent) != 1 ||
		    parent != getpid())
			continue;
		snprintf(comm, sizeof(comm), "%.*s", (int)(close - open - 1), open + 1);
		n++;
		if (report)
			printf("# left behind: process %d (%s)\n", pid, comm);
		if (sig)
			kill(pid, sig);
	}
	closedir(proc);
	return n;
}

int main(int argc, char **argv)
{
	int status = 0, left;
	pid_t script;

	if (argc < 2) {
		fprintf(stderr, "usage: guard PROGRAM ARG...\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	script = fork();
	if (script < 0)
		return 2;
	if (script == 0) {
		execvp(argv[1], argv + 1);
		fprintf(stderr, "guard: cannot run %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	for (pid_t pid; (pid = waitpid(-1, &status, 0)) != script;)
		if (pid < 0 && errno != EINTR)
			return 2;
	for (int waited = 0; waited < GRACE_MS; waited += STEP_MS) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
	}
	left = each_child(0, 0);
	if (left)
		printf("not ok 0 - no process outlives the script\n");
	each_child(1, SIGKILL);
	for (int more = left; more > 0; more = each_child(0, SIGKILL)) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
	}
	if (left)
		return LEAKED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
