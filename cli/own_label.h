// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * Where the launcher's own AppArmor profile (profiles/apparmor.d/cordon) is in force: what this
 * thread executes next, or a child of it, keeps that profile, and is not a payload to it. For
 * programs of ours alone, and not for one that runs what others name: the request cannot be taken
 * back. What may not be asked for is not: the program then runs as a payload does.
 */
void own_label_keep(void);
