#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: apparmor-6.1 apparmor-new
# as: root
# shellcheck source=tests/lib/harness.sh
# What is different where root launches: ids, and limits that only a cgroup holds for root.
. "$(dirname "$0")/../lib/harness.sh"
LOG=$XDG_STATE_HOME/cordon/audit.jsonl
for policy in default build session strict; do
	expect_output "hello" "$policy" -- "$CORDON" run --policy "$policy" -- echo hello
done
run inside -- "$PROGRAMS/inspect" status
check "no_new_privs, a filter, no capability" jq -e 'select(.what == "status") |
	.NoNewPrivs == "1" and .Seccomp == "2" and (.CapEff, .CapPrm, .CapBnd, .CapAmb | test("^0+$"))' "$OUT"
eat=(dd bs=1M count=32 if=/dev/zero of=/tmp/eaten status=none)
expect_status 0 "32 MiB without a limit" -- "$CORDON" run -- "${eat[@]}"
expect_status 137 "32 MiB in 16: ended by the kernel" -- "$CORDON" run --limit memory=16M -- "${eat[@]}"
check "32 MiB in 16: the log says so" grep -q '"type":"limit".*memory' "$LOG"
expect_denied "pids" --limit pids=8 --twin --limit pids=40 -- \
	sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait'
done_testing
