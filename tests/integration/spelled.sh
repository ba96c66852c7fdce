#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# What arguments are called in the log, beside what strace calls them: the same calls, refused by a policy
# and by strace's injection. Names must be the same ones, call by call; where they differ on purpose the
# difference is in tests/lib/spelled.py with its reason.
. "$(dirname "$0")/../lib/harness.sh"
HERE=$(cd "$(dirname "$0")/.." && pwd)
cd "$WORK" || exit 1
LOG=$WORK/spelled.jsonl
SPELLED=$PROGRAMS/spelled

# Calls that every program makes: refused on the descriptor that is none.
declare -A by=([mmap]=fd [openat]=dfd [fcntl]=fd [ioctl]=fd [lseek]=fd)
calls=() injected=
while read -r call; do
	if [ -z "${by[$call]-}" ]; then
		calls+=("$call")
		injected+=",$call"
	fi
done < <("$SPELLED" --list | sort -u)
{
	echo "policy spelled"
	echo "use default"
	echo "remove deny clone3"
	echo "remove deny name_to_handle_at"
	echo "deny chdir"
	printf 'deny %s\n' "${calls[@]}"
	for call in "${!by[@]}"; do echo "deny $call if ${by[$call]} == 77"; done
} >spelled.policy
expect_status 0 "the calls in a sandbox" -- inside --policy ./spelled.policy --audit "file:$LOG" -- "$SPELLED"
check "each of them is in the log" test "$(jq -r 'select(.type == "denial" and .syscall.name != "chdir").syscall.name' "$LOG" |
	sort -u | wc -l)" -eq "$("$SPELLED" --list | sort -u | wc -l)"
if ! sanitized && command -v strace >/dev/null && strace -o trace true 2>/dev/null; then
	run strace -s 64 -o trace -e inject="${injected#,}":error=EPERM "$SPELLED"
	check "strace made none of the calls it should not" bash -c '! grep -E "^('"${injected#,}"')\(" trace | grep -v INJECTED' _
	expect_status 0 "the log and strace call things the same" -- python3 "$HERE/lib/spelled.py" trace "$LOG"
	cp "$OUT" said
	expect_match '^[0-9]+ calls, [0-9]{3,} names alike' "and there were many" -- cat said
else
	skip "strace made none of the calls it should not" "strace does not run here"
	skip "the log and strace call things the same" "strace does not run here"
	skip "and there were many" "strace does not run here"
fi

done_testing
