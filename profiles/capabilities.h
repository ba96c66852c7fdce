// SPDX-License-Identifier: Apache-2.0
/* Names of capabilities, and how the lack of one shows. */
#pragma once

/* As AppArmor and SELinux write it: "sys_admin" for CAP_SYS_ADMIN. NULL for a number that
 * linux/capability.h does not have. Constant text. */
const char *capabilities_name(unsigned capability);

/* What the kernel answers to a call whose capability is missing, whoever refuses it. */
int capabilities_errno(const char *call);
