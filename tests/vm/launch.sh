#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: apparmor-6.1 selinux-6.1 apparmor-new selinux-6.12
# as: user root
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"
expect_status 0 "true" -- "$CORDON" run -- true
done_testing
