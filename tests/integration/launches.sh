#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by run
# Random options and random policies: each launch is refused with a sentence that one of its options
# explains, or what the program inside finds is what was asked for, and nothing stays. And the judges
# judged: the program inside where nothing holds, and a launcher that lies. `make launches` has more.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
mkdir -p l

launches() {
	"$PROGRAMS/launches" --dir "$WORK/l" "$@"
}

# --- what looks from inside, outside: each check says that it does not hold. An ordinary user without
# supplementary groups has none to be found.
run launches --twin "$CORDON"
sed -nE 's/^(breach|lost) ([A-Z0-9]+ [^:]*):.*/\2/p' "$OUT" | sort -u >found
"$PROGRAMS/inside" --list | sort -u >wanted
[ "$WHO" = root ] || sed -i '/^C3 groups$/d' wanted
check "twin: there are checks" test "$(wc -l <wanted)" -gt 25
check "twin: each of them fails outside" test -z "$(comm -13 found wanted)"
comm -13 found wanted | sed 's/^/# holds outside: /'

# --- a launcher that lies is found out
lie() { # KIND TEXT [COUNT]
	run launches --seed 7 --count "${3-4}" --launcher "$CORDON_TEST_ROOT/tests/launches/liar $1" "$CORDON"
	if [ "$STATUS" -eq 1 ] && grep -q "^FAILED" "$OUT" && grep -q "^$2" "$OUT"; then
		ok "a launcher that lies: $1"
	else
		not_ok "a launcher that lies: $1"
		_said
	fi
}
lie crash "the launcher was ended by signal 11"
lie silent "X6 status 125 without a sentence"
lie unexplained "it was refused, and nothing asked for explains it"
lie two-sentences "X6 status 125 with 2 sentences"
lie nothing "the program inside did not come to its end"
lie status "G1 status 7, not"
lie process "G2 a process is left" 1
lie file "M10 the host's files have changed"
lie no-log "L1 no log"
lie cut-log "L5 .*: it does not end with a closing record"
lie forged-log "L7 .*: not whole"
lie report "a sanitizer's report"
lie breach "breach X1 by hand: made up"
lie terminal "T1 the caller's terminal" 12
run launches --seed 7 --count 4 --launcher "$CORDON_TEST_ROOT/tests/launches/liar honest" "$CORDON"
check "twin: one that does not" test "$STATUS" -eq 0

# --- random launches
run launches --seed "${CORDON_TEST_SEED:-1}" --count 150 "$CORDON"
check "random launches: each holds and leaves nothing, or is refused with a sentence" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
diag "$(tail -n 1 "$OUT")"

done_testing
