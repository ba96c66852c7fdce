#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016 # expanded inside
# cordon policy import and export: other programs' policies as ours, and the way back.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

cat >profile.json <<'END'
{ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
  "archMap": [ { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": [] },
               { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": [] } ],
  "syscalls": [
    { "names": [ "read", "write", "exit_group", "s390_sthyi" ], "action": "SCMP_ACT_ALLOW" },
    { "names": [ "socket" ], "action": "SCMP_ACT_ALLOW",
      "args": [ { "index": 0, "value": 38, "op": "SCMP_CMP_LT" } ] },
    { "names": [ "mount" ], "action": "SCMP_ACT_ALLOW", "includes": { "caps": [ "CAP_SYS_ADMIN" ] } } ] }
END
expect_status 0 "oci" -- "$CORDON" policy import --from oci -o imported.policy profile.json
check "oci: what is left out is said" grep -q 'profile.json:/syscalls/0/names/3: warning: left out: s390_sthyi' "$ERR"
check "oci: and is a comment" grep -q '^# left out: s390_sthyi' imported.policy
check "oci: the name is the file's" grep -qx 'policy profile' imported.policy
expect_status 0 "oci: --quiet" -- "$CORDON" policy import --from oci --quiet profile.json
check "oci: --quiet says nothing" test ! -s "$ERR"
"$CORDON" policy import --from oci --quiet --name imported -o imported.policy profile.json
cat >>imported.policy <<'END'
expect allow read
expect allow socket(37)
expect deny socket(38)
expect deny socket(-1)
expect deny mount
END
expect_status 0 "oci: it compiles" -- "$CORDON" policy check ./imported.policy
expect_status 0 "oci: it means what it should" -- "$CORDON" policy test ./imported.policy
expect_match '^allow mount$' "oci: with a capability" -- "$CORDON" policy import --from oci --cap CAP_SYS_ADMIN profile.json
expect_match '^cap CAP_SYS_ADMIN$' "oci: which the policy then keeps" -- "$CORDON" policy import --from oci --cap CAP_SYS_ADMIN profile.json

printf 'read: 1\nwrite: arg0 == 1\n' >mini.policy
expect_match '^allow write if fd == 1$' "minijail" -- "$CORDON" policy import --from minijail mini.policy
printf '@include ./mini.policy\nopen: return EACCES\n' >outer
expect_match '^allow read$' "minijail: an included file" -- "$CORDON" policy import --from minijail --name o outer
printf 'ALLOW { read, write { fd == 1 } }\nDEFAULT ERRNO(13)\n' >kafel.policy
expect_match '^default errno EACCES$' "kafel" -- "$CORDON" policy import --from kafel kafel.policy
printf '#include "kafel.policy"\nKILL { ptrace }\n' >outer
expect_match '^kill ptrace$' "kafel: an included file" -- "$CORDON" policy import --from kafel --name o outer

# --- what is wrong is named, and its twin without the mistake is not
printf 'read: 1\nraed: 1\n' >broken
expect_error 1 'broken:2:1: error: .*raed.*read' "an unknown call" -- "$CORDON" policy import --from minijail broken
check "an unknown call: no policy" test ! -s "$OUT"
expect_status 0 "an unknown call: may be denied" -- "$CORDON" policy import --from minijail --unknown deny broken
printf '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":0,"op":"SCMP_CMP_EQ"}]}]}' >address.json
expect_error 1 'address.json:/syscalls/0/args/0: error: .*address' "an address" -- "$CORDON" policy import --from oci address.json
expect_status 0 "an address: narrowed when asked" -- "$CORDON" policy import --from oci --narrow address.json
expect_error 125 '--from' "no format" -- "$CORDON" policy import profile.json
expect_error 125 'CAP_NOTHING' "no such capability" -- "$CORDON" policy import --from oci --cap CAP_NOTHING profile.json
expect_error 125 'No such file' "no such file" -- "$CORDON" policy import --from oci none.json
mkfifo fifo
expect_error 125 'fifo' "a FIFO" -- timeout 10 "$CORDON" policy import --from oci fifo
head -c 1100000 /dev/zero >large
expect_error 125 'large' "too large a file" -- "$CORDON" policy import --from oci large
printf '{"a\x1b[2J":1' >escape.json
run "$CORDON" policy import --from oci escape.json
check "escapes do not reach the terminal" bash -c "[ '$STATUS' -eq 1 ] && ! grep -q $'\e' '$ERR' '$OUT'"

# --- who reads what others wrote
# Its warning finds no room, and it waits.
fill_fifo full
"$CORDON" policy import --from oci -o late.policy profile.json 2>full &
pid=$!
reader() {
	cat "/proc/$pid/task/$pid/children" 2>/dev/null
}
check "who reads it is under a filter" wait_for 20 eval 'is_filtered "$(xargs <<<"$(reader)")" 1'
check "and cannot gain by executing" grep -q $'^NoNewPrivs:\t1' "/proc/$(xargs <<<"$(reader)")/status"
check "and is not who writes the policy" is_filtered "$pid" 0
kill -KILL "$(xargs <<<"$(reader)")"
cat full 7>&- >said &
drain=$!
wait "$pid"
check "when it is ended, there is no policy" [ $? -eq 125 -a ! -e late.policy ]
exec 7>&-
wait "$drain"
check "and that is told" grep -qx 'cordon: cannot read the policy: what reads it was ended by signal 9' said
expect_status 0 "the twin: it ends by itself" -- "$CORDON" policy import --from oci --quiet -o late.policy profile.json
check "and what it made is written as it is printed" cmp late.policy <("$CORDON" policy import --from oci --quiet profile.json)

# --- the way back
expect_status 0 "export" -- "$CORDON" policy export --to oci -o exported.json ./imported.policy
expect_status 0 "export: is imported" -- "$CORDON" policy import --from oci --quiet --name again -o again.policy exported.json
sed -n 's/^expect/&/p' imported.policy >>again.policy
expect_status 0 "export: means the same" -- "$CORDON" policy test ./again.policy
for policy in default build session strict; do
	expect_match '"SCMP_ACT_ALLOW"' "export: $policy" -- "$CORDON" policy export --to oci "$policy"
done
expect_error 125 '--to' "export: no format" -- "$CORDON" policy export ./imported.policy
printf 'policy p\nabi native i386\nallow read on i386\n' >p.policy
expect_error 1 'p.policy:3: error: read' "export: what the format cannot say" -- "$CORDON" policy export --to oci ./p.policy
done_testing
