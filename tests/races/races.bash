# shellcheck shell=bash disable=SC2154,SC2317 # the variables are those of who reads this
# SPDX-License-Identifier: Apache-2.0
# X4: somebody of the same user exchanges what is named while it is launched on.
SECRET=secret-$(od -An -N 8 -t x8 /dev/urandom | tr -d ' ')
export SECRET
serial=0

# race PREFIX -- OPTION...: PREFIX is what the race is run by
race() {
	local prefix=()
	while [ "$1" != -- ]; do
		prefix+=("$1")
		shift
	done
	shift
	serial=$((serial + 1))
	mkdir "arena.$serial"
	run timeout "${race_timeout:-250}" "${prefix[@]}" "$PROGRAMS/race" "$@" "$launcher" "$PROGRAMS/look" "$WORK/arena.$serial"
	diag "$(grep -E 'exchange' "$OUT")"
	chmod -R u+rwX "arena.$serial"
	rm -rf "arena.$serial"
}

# races TITLE PREFIX -- OPTION...: no finding, and each kind met exchanges
races() {
	race "${@:2}"
	check "X4 $1: no finding" test "$STATUS" -eq 0
	[ "$STATUS" -eq 0 ] || _said
	check "X4 $1: every kind of path met exchanges" awk \
		'/launches/ { kinds++; if (/ 0 of them with an exchange|  0 launches with one exchange/) bad = 1 } END { exit kinds < 10 || bad }' "$OUT"
}
launcher=$CORDON

races_judge() {
	cat >by-name <<-'END'
		#!/bin/bash
		# a launcher that looks once and goes by the name again
		for last; do :; done
		echo ran
		echo "id $(cat "$last/id" 2>/dev/null || echo none)"
	END
	chmod +x by-name
	launcher=$WORK/by-name
	race -- --kind --ro --launches 60
	check "twin X4 a launcher that goes by names is found out" test "$STATUS" -eq 1
	check "twin X4 by what it shows" grep -q 'the payload saw what lies outside' "$OUT"
	launcher=$CORDON
}
