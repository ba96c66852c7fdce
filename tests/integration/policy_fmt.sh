#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# cordon policy fmt, and what show says of variables, ports and composition.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

cat >used.policy <<'END'
policy used
let web 80
net loopback
allow getpid
END
cat >loose.policy <<'END'
policy loose
use   used
let web  80   443
net host
net connect tcp $web     # the sites
remove allow getpid


allow read   write
END
chmod 640 loose.policy

expect_status 0 "the shipped policies are formatted" -- "$CORDON" policy fmt --check "$LIBRARY"/*.policy
expect_status 1 "--check: one differs" -- "$CORDON" policy fmt --check used.policy loose.policy
check "--check names it, and no other" test "$(cat "$OUT")" = loose.policy
expect_status 1 "--json" -- "$CORDON" policy fmt --json used.policy loose.policy
check "--json says which" test "$(jq -r '.files[] | .path + " " + .result' "$OUT" | tr '\n' ' ')" = "used.policy formatted loose.policy differs "
expect_status 0 "to standard output" -- "$CORDON" policy fmt loose.policy
check "one blank between words, two before a comment" grep -qx 'net connect tcp $web  # the sites' "$OUT"
check "nothing is written without -w" grep -q '   443' loose.policy
"$CORDON" policy show --json ./loose.policy | jq 'del(.digest)' >before.json
expect_status 0 "-w" -- "$CORDON" policy fmt -w loose.policy
expect_status 0 "-w: formatted now" -- "$CORDON" policy fmt --check loose.policy
check "-w: the mode stays" test "$(stat -c %a loose.policy)" = 640
"$CORDON" policy show --json ./loose.policy | jq 'del(.digest)' >after.json
check "-w: the meaning stays, but for its lines' places" cmp \
	<(jq 'del(.. | .where?, .other?)' before.json) <(jq 'del(.. | .where?, .other?)' after.json)
printf 'allow read\nenv "x\n' >broken.policy
expect_status 1 "what cannot be read" -- "$CORDON" policy fmt broken.policy
check "is named by its place" grep -q '^broken.policy:2:5: ' "$ERR"
expect_status 125 "a file that is not there" -- "$CORDON" policy fmt nowhere.policy

expect_status 0 "show" -- "$CORDON" policy show ./loose.policy
check "show: ports" grep -q '^net connect tcp 443  # .*loose.policy:5$' "$OUT"
check "show: variables" grep -q '^let web 80 443  # .*loose.policy:3$' "$OUT"
check "show: what was removed" grep -q '^  allow getpid  # .*used.policy:4, by .*loose.policy:6$' "$OUT"
check "show: what was overridden" grep -q '^  net loopback  # .*used.policy:3, by .*loose.policy:4$' "$OUT"
check "show --json: notes" test "$(jq -r '[.notes[].kind] | join(" ")' before.json)" = "overridden overridden removed"

done_testing
