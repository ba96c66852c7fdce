#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016 # awk's own
# A selection of all faults (`make faults`), chosen by a seed: none leaves a launch weaker, silent,
# hanging or with anything left behind.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

: "${CORDON_FAULTS_SEED:=1}"
seed=$CORDON_FAULTS_SEED
# Of all errors those that each call may give; `make faults` has the others, and holds each sentence against its call.
usual=EINVAL,EPERM,ENOMEM,EINTR,EIO,ENOSPC,EMFILE,ENOSYS,lie,kill
if [ ! -x "$PROGRAMS/inject" ]; then
	echo "1..0 # SKIP the injector is built for x86_64 and without sanitizers"
	exit 0
fi
inject() { # OPTION...
	run timeout 120 "$PROGRAMS/inject" "$@" "$CORDON" "$PROGRAMS/fingerprint"
}
# Root's part is short: little is another call.
count=350
[ "$WHO" = user ] || count=100
for scenario in plain full; do
	inject --scenario "$scenario" --seed "$seed" --only $usual,one,half,but-one --count $count
	diag "$(grep ' faults, ' "$OUT")"
	check "$scenario, seed $seed: no finding" test "$STATUS" -eq 0
	[ "$STATUS" -eq 0 ] || _said
	check "$scenario: the faults were reached" \
		awk -v count=$count '/ faults, / { seen = $1 >= count && $3 >= $1 - 5 } END { exit !seen }' "$OUT"
done

# Reads and writes of the relay come in an order of their own, so that not each of them is there again.
for scenario in plain full terminal; do
	inject --scenario "$scenario" --seed "$seed" --only one,half,but-one --count 25
	diag "$(grep ' faults, ' "$OUT")"
	check "$scenario, short reads and writes, seed $seed: no finding" test "$STATUS" -eq 0
	[ "$STATUS" -eq 0 ] || _said
	check "$scenario: they were short" \
		awk '/ faults, / { seen = $1 == 25 && $3 >= 18 } END { exit !seen }' "$OUT"
done
# The policy is compiled: what is asked of the compiler, and what is read of it.
inject --scenario cold --seed "$seed" --only $usual --count 20 --reach 90
diag "$(grep ' faults, ' "$OUT")"
check "cold, seed $seed: no finding" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
inject --scenario cold --replay supervisor:wait4:1:EPERM
check "a compiler that cannot be waited for is told" grep -q 'cannot wait for the policy compiler' "$OUT"
inject --scenario cold --replay supervisor:wait4:1:EINTR
check "one whose wait is interrupted is waited for again: the twin" grep -q '^confined' "$OUT"

# A launch on a terminal, a share of its own; not each call of its relay is there again.
inject --scenario terminal --seed "$seed" --count 60 --reach 80 \
	--only EINVAL,EPERM,ENOMEM,EIO,EMFILE,ENOSYS,lie,kill
diag "$(grep ' faults, ' "$OUT")"
check "terminal, seed $seed: no finding" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said

# What is asked about terminals, each wait for one, and what is relayed.
inject --scenario terminal --only EINVAL --calls ioctl,poll,read,write --reach 80
check "terminal: the caller's is not handed on, nor left raw, and what is not shown is told" \
	test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
inject --scenario terminal --only lie --calls dup2
check "terminal: what is on a descriptor is the sandbox's, whatever the kernel says" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
inject --scenario terminal --replay supervisor:ioctl:1:EPERM
check "what may be the caller's terminal is no file to hand on" grep -q '^refused .*ioctl' "$OUT"

inject --only EIO --calls access --say
check "who cannot tell where its programs lie takes no other place's" grep -q '^refused .*access' "$OUT"

# Of each exchange about a denial, "nobody is there".
inject --only ENOENT --calls ioctl --reach 80
check "a caller that waits for an answer is not left waiting" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
# What is not there, and what is closed, is not shown, and nothing else is shown for it.
inject --only ENOENT,EACCES --calls newfstatat,getdents64 --seed "$seed" --count 40
check "what cannot be looked at is left out" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said

inject --replay supervisor:pwrite64:2:half
check "half of a head is no head: the rest is written" grep -q '^confined' "$OUT"
inject --replay pid1:fcntl:1:EPERM
check "a descriptor that cannot be looked at is not passed on" grep -q '^refused .*fcntl' "$OUT"

inject --replay pid1:mkdirat:1:EIO
check "a failing call is refused with a sentence" grep -q '^refused .*mkdirat' "$OUT"
inject --replay supervisor:poll:1:kill
check "a killed launcher leaves nothing" grep -q '^killed' "$OUT"

# The judge judges: a launcher that goes on when its setrlimit fails is found out.
cat >careless <<END
#!/bin/sh
ulimit -n 64 2>/dev/null || :
exec "$CORDON" "\$@"
END
chmod +x careless
SPEAKS=$CORDON
CORDON=$WORK/careless
inject --replay supervisor:prlimit64:3:EPERM
check "a careless launcher is found to be weaker" test "$STATUS" -eq 1
check "and what differs is told" grep -q '^  + limit 7: 4096 4096$' "$OUT"
inject --replay supervisor:prlimit64:4000:EPERM
check "without its failure it is not: the twin" test "$STATUS" -eq 0

# One that says something else, or says it twice, is found out as well.
for words in 's/cannot .*/cannot set the host name/' p; do
	cat >speaker <<-END
		#!/bin/bash
		( while kill -0 \$\$; do sleep 0.1; done; sed -i '$words' ../err ) 2>/dev/null &
		exec "$SPEAKS" "\$@"
	END
	chmod +x speaker
	CORDON=$WORK/speaker
	inject --subjects --replay pid1:mkdirat:1:EIO
	check "a launcher that says what is not so is found astray ($words)" grep -q '^ASTRAY' "$OUT"
done
done_testing
