# shellcheck shell=bash disable=SC2016,SC2154,SC2317 # the variables are those of who reads this
# SPDX-License-Identifier: Apache-2.0
# X5: launches on trees that an enemy made. trees COUNT SEED
export SECRET

trees() {
	local count=$1 seed=$2
	mkdir arena."$seed"
	run timeout "${trees_timeout:-250}" "$PROGRAMS/trees" --count "$count" --seed "$seed" "$CORDON" "$PROGRAMS/look" "$WORK/arena.$seed"
	diag "$(grep launches "$OUT")"
	check "X5 hostile trees, by hand and $count from seed $seed: no finding" test "$STATUS" -eq 0
	[ "$STATUS" -eq 0 ] || _said
	check "X5 seed $seed: some ran, and some were refused" awk \
		'/ launches on / { seen = match($0, /[1-9][0-9]* ran, [1-9][0-9]* refused/) } END { exit !seen }' "$OUT"
	chmod -R u+rwX arena."$seed"
	rm -rf arena."$seed"
}

# The judge judges: a launcher that follows what lies there is found out.
trees_judge() {
	cat >follows <<-'END'
		#!/bin/bash
		# goes by names, as the user: shows what links lead to, and writes where it was told to mount
		while [ $# -gt 0 ]; do
			case $1 in
			--base) base=$2 ;;
			--rw | --ro | --dir | --tmpfs | --file) dest=${2#*:} ;;
			esac
			shift
		done
		cat "$base"/{dev,tmp,etc,x,run}/secret 2>/dev/null
		[ -z "$dest" ] || mkdir -p "$base$dest/made" 2>/dev/null
		echo ran
	END
	chmod +x follows
	mkdir arena.judge
	run timeout 100 "$PROGRAMS/trees" "$WORK/follows" "$PROGRAMS/look" "$WORK/arena.judge"
	check "twin X5 a launcher that follows links is found out" test "$STATUS" -eq 1
	check "twin X5 by what it shows" grep -q 'the payload saw what lies outside' "$OUT"
	check "twin X5 and by what it changes" grep -q 'something outside has changed' "$OUT"
	chmod -R u+rwX arena.judge
	rm -rf arena.judge
}
