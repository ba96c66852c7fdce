// SPDX-License-Identifier: Apache-2.0
#pragma once

/* "EPERM" for 1; NULL for a number without a name. Constant. */
const char *errno_name(int code);
