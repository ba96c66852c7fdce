#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016 # expanded inside
# cordon policy lint and score, as gates of a build.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
corpus=$CORDON_TEST_ROOT/tests/lint

# --- lint
for policy in base-libc process default build session strict; do
	expect_status 0 "$policy: nothing at warning" -- "$CORDON" policy lint "$policy"
done
expect_status 0 "the good ones together" -- "$CORDON" policy lint "$corpus"/good/*.policy
expect_status 1 "a bad one" -- "$CORDON" policy lint "$corpus/bad/dangerous-ptrace.policy"
check "a bad one: place, level, id" \
	grep -Eq 'dangerous-ptrace.policy:5:7: warning CP402: ptrace ' "$OUT"
check "a bad one: the line and a caret" bash -c "grep -A1 'allow ptrace' '$OUT' | grep -q '^ *\^$'"
check "a bad one: what to write" grep -q 'write: ' "$OUT"
expect_status 0 "a note below the level" -- "$CORDON" policy lint "$corpus/bad/untested.policy"
expect_status 1 "a note at the level" -- \
	"$CORDON" policy lint --level note "$corpus/bad/untested.policy"
expect_status 0 "a warning below the level" -- \
	"$CORDON" policy lint --level error "$corpus/bad/dangerous-ptrace.policy"
expect_status 1 "an error" -- "$CORDON" policy lint --level error "$corpus/bad/default-allow.policy"
expect_status 125 "no such level" -- "$CORDON" policy lint --level fatal default
expect_status 125 "no such policy" -- "$CORDON" policy lint no-such-policy
echo 'allow opnat' >broken.policy
expect_status 1 "a mistake" -- "$CORDON" policy lint ./broken.policy
printf 'allow ptrace\n' >answered.policy
expect_status 1 "unanswered" -- "$CORDON" policy lint ./answered.policy
printf 'allow ptrace # lint: allow CP402 because it is a debugger\n' >answered.policy
expect_status 0 "answered" -- "$CORDON" policy lint ./answered.policy
printf 'alow ptrace\n' >mistaken.policy
expect_status 1 "two with mistakes" -- "$CORDON" policy lint ./mistaken.policy ./mistaken.policy
expect_match '0 findings .*; not all could be read$' "what was not read is said" -- bash -c \
	"'$CORDON' policy lint ./mistaken.policy ./answered.policy || [ \$? = 1 ]"
expect_status 125 "one that is not there" -- "$CORDON" policy lint ./nowhere.policy ./mistaken.policy
expect_match '"unread": 1}' "the same as JSON" -- bash -c \
	"'$CORDON' policy lint --json ./mistaken.policy || [ \$? = 1 ]"
for policy in "$corpus"/bad/*.policy; do
	run "$CORDON" policy lint --level note --json "$policy"
	[ "$STATUS" -le 1 ] && python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert d["level"] == "note"
for f in d["findings"]:
    assert f["line"] > 0 and f["column"] > 0 and f["id"].startswith("CP") and f["message"]' "$OUT" ||
		echo "${policy##*/}"
done >wrong
check "JSON of the whole corpus parses" test ! -s wrong

# --- score
expect_status 0 "score" -- "$CORDON" policy score default
check "score: points" grep -Eq '^default: [0-9]+ points$' "$OUT"
check "score: beside the shipped ones" grep -Eq 'beside it: strict [0-9]+ default [0-9]+' "$OUT"
points=$(awk '$1 == "default:" { print $2 }' "$OUT")
expect_status 0 "a gate that holds" -- "$CORDON" policy score --max "$points" default
expect_error 1 "$points points, and $((points - 1)) are" "a gate that does not" -- \
	"$CORDON" policy score --max $((points - 1)) default
expect_status 125 "a gate without a number" -- "$CORDON" policy score --max many default
expect_match "\"points\":$points" "score: JSON" -- "$CORDON" policy score --json default
check "score: JSON parses" python3 -m json.tool "$OUT"
printf 'use default\nallow ptrace\nremove deny ptrace\n' >wider.policy
expect_match "^ +15  ptrace: " "what is opened is named" -- "$CORDON" policy score ./wider.policy
wider=$(awk '$1 == "wider:" { print $2 }' "$OUT")
check "what is opened counts" test "$wider" -gt "$points"

done_testing
