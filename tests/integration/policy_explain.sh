#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by check
# cordon policy explain: what it says of one attempt, and that its advice holds.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

explain() {
	"$CORDON" policy explain "$@"
}
cat >own.policy <<'END'
policy own
allow execve exit_group read
allow openat if flags & O_ACCMODE == O_RDONLY
deny ptrace errno EINVAL quiet
exec /usr
read /etc
END

expect_match '^denied by seccomp: the program sees EINVAL$' "a denial: by whom, and what is seen" -- \
	explain ./own.policy ptrace
expect_match '^  seccomp +denies EINVAL  # .*own.policy:4: deny ptrace errno EINVAL quiet$' \
	"the line and its text" -- explain ./own.policy ptrace
expect_match '^  remove: deny ptrace  # at .*own.policy:4$' "what to take out" -- explain ./own.policy ptrace
expect_match '^  add:    allow getpid$' "what to add" -- explain ./own.policy getpid
expect_match '^  add:    allow openat if flags == O_RDWR$' "the smallest rule" -- \
	explain ./own.policy 'openat("/usr/x", O_RDWR)'
expect_match 'opens also: any dfd, filename, mode \(2\^64 values' "what else it would open" -- \
	explain ./own.policy 'openat("/usr/x", O_RDWR)'
expect_match '^openat\(AT_FDCWD, "/usr/a", O_WRONLY\|O_CREAT, 0644\)' "the call in words" -- \
	explain ./own.policy 'openat("/usr/a", 0101, 420)'
expect_match '^allowed$' "what is allowed" -- explain ./own.policy 'openat("/etc/passwd", O_RDONLY)'
expect_match '^denied by view: the program sees ENOENT$' "what is not visible" -- \
	explain ./own.policy 'openat("/home/x", O_RDONLY)'
expect_match '^  add:    read /home/x$' "what would show it" -- \
	explain ./own.policy 'openat("/home/x", O_RDONLY)'
expect_match '"/etc/motd"' "a relative path is taken from --cwd" -- \
	explain --cwd /etc ./own.policy 'openat("motd", O_RDONLY)'
expect_match 'landlock' "Landlock has its say" -- explain --landlock-abi 3 ./own.policy 'openat("/etc/x", O_RDWR)'
check "and none where it is not" bash -c "! '$CORDON' policy explain --landlock-abi 0 ./own.policy mount | grep -q landlock"

# --- as a gate
expect_status 0 "a gate that holds" -- explain --gate allow ./own.policy read
expect_status 1 "a gate that does not" -- explain --gate deny ./own.policy read
expect_status 1 "nor this one" -- explain --gate allow ./own.policy ptrace
expect_status 0 "but its twin does" -- explain --gate deny ./own.policy ptrace
expect_error 125 "perhaps" "a gate that is none" -- explain --gate perhaps ./own.policy read
expect_error 125 "opn.*no system call" "a call that is none" -- explain ./own.policy 'opn("/x")'
expect_error 125 "no such ABI: 'vax'" "an ABI that is none" -- explain --abi vax ./own.policy read
expect_error 125 "not an absolute path" "a directory that is none" -- explain --cwd x ./own.policy read
expect_error 125 "as an address" "an address that is none" -- explain ./own.policy 'connect(3, "tcp:1")'
run explain ./own.policy $'open("/x\e[2J")'
check "no escape reaches the terminal" bash -c "! grep -q $'\e' '$OUT' '$ERR'"
expect_status 0 "--json" -- explain --json ./own.policy 'openat("/usr/x", O_RDWR)'
check "--json is JSON with file and line" jq -e '.verdict == "deny" and .by == "seccomp" and .errno == "EPERM" and
	(.mechanisms | length) >= 4 and .advice.steps[0].edit == "add"' "$OUT"

# --- 200 denials and more: the advice is followed
if [ "$WHO" = user ]; then
	run python3 "$(dirname "$0")/../lib/explain.py" "$CORDON"
	check "the advice for more than 200 denials, followed, allows them" test "$STATUS" -eq 0
	diag "$(tail -n 5 "$OUT")"
fi
done_testing
