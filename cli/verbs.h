// SPDX-License-Identifier: Apache-2.0
/* One function a verb: takes the arguments behind the verb's name (argv[0] is the verb), prints to
 * people, returns the exit status. */
#pragma once

int cmd_run(int argc, char **argv);
int cmd_shell(int argc, char **argv);
int cmd_learn(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_gc(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* The status of cordon's own failures; 126 and 127 speak of the payload (DESIGN, "A launch"). */
enum { EXIT_CORDON = 125 };
