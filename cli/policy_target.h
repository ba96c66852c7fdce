// SPDX-License-Identifier: Apache-2.0
/* What policies are judged for when nobody says otherwise. Of cordon-policy and cordon-audit. */
#pragma once

#include "profiles/mechanism.h"

/* This machine and whoever calls: its kernel and Landlock as far as the tables know it,
 * AppArmor 3.0, $HOME, the working directory and the environment. Its text lives as long as the
 * process. */
void policy_target_here(struct profile_target *ret);
