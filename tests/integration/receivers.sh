#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by check
# Debian's own journald and rsyslog receive what --audit journal and --audit syslog send, and say what they
# understood: journald in a namespace where it finds an empty /run, rsyslog on a socket of its own.
. "$(dirname "$0")/../lib/harness.sh"
HERE=$(cd "$(dirname "$0")/.." && pwd)
cd "$WORK" || exit 1

sandbox() { # OPTIONS -- COMMAND: its id
	inside --audit "file:$WORK/id.jsonl" "$@" >/dev/null
	jq -r .sandbox id.jsonl | tail -n 1
}
denials() { # records on standard input: how many denials they tell of
	jq -s 'map(select(.type == "denial" or .type == "summary").count) | add // 0'
}

# --- journald
JOURNALD=/lib/systemd/systemd-journald
LIBS=
if [ ! -x "$JOURNALD" ] && [ -x "$HERE/.cache/systemd/systemd-journald" ]; then
	JOURNALD=$HERE/.cache/systemd/systemd-journald
	LIBS=$HERE/.cache/systemd
fi
journalctl() {
	local program
	program=$(type -P journalctl || echo "$HERE/.cache/systemd/journalctl")
	nsenter -t "$holder" -U -m --preserve-credentials env LD_LIBRARY_PATH="$LIBS" "$program" \
		--no-pager -q -D /run/log/journal "$@"
}
start_journald() { # in the holder's namespaces
	nsenter -t "$holder" -U -m --preserve-credentials env LD_LIBRARY_PATH="$LIBS" "$JOURNALD" \
		>/dev/null 2>journald.err 7>&- & # 7: a payload's orders, whose end must be seen
	journald=$!
	wait_for 20 test -S "$run/systemd/journal/socket"
}
# The journal has what was sent when a later entry is there.
arrived() {
	[ -n "$(journalctl "CORDON_SANDBOX=$1" CORDON_TYPE=close -o cat 2>/dev/null)" ]
}

if [ -x "$JOURNALD" ]; then
	# It would switch the kernel's audit on and read its messages, were it let.
	unshare -Urm --propagation private sh -c 'mount -t tmpfs tmpfs /run && mkdir -p /run/log/journal \
		/run/systemd/journal /run/systemd/journald.conf.d &&
		printf "[Journal]\nReadKMsg=no\nAudit=no\n" >/run/systemd/journald.conf.d/test.conf &&
		echo >ready && exec sleep 300' &
	holder=$!
	at_exit "kill $holder"
	wait_for 10 test -e ready
	run=/proc/$holder/root/run
	check "journald: it runs" start_journald
	at_exit 'kill "$journald"'
	at=journal:$run/systemd/journal/socket
	one=$(sandbox --audit "$at" -- "$PROGRAMS/denied" 3)
	two=$(sandbox --audit "$at" -- "$PROGRAMS/denied" 2 1 acct)
	wait_for 20 arrived "$one" && wait_for 20 arrived "$two"
	journalctl "CORDON_SANDBOX=$one" -o json >one.json
	check "journald: a sandbox is found by CORDON_SANDBOX" test "$(jq -s -c 'map(.CORDON_TYPE)' one.json)" = \
		'["open","denial","denial","denial","close"]'
	check "journald: another one is not among them" test "$(jq -r .CORDON_SANDBOX one.json | sort -u)" = "$one"
	check "journald: by the call" test "$(journalctl CORDON_SYSCALL=acct -o json | jq -s 'map(.CORDON_SANDBOX) | unique')" = \
		"$(jq -n --arg id "$two" '[$id]')"
	check "journald: by policy and rule" test "$(journalctl CORDON_POLICY=default \
		"CORDON_RULE=$(jq -r 'select(.CORDON_TYPE == "denial").CORDON_RULE' one.json | head -n 1)" -o cat | wc -l)" -ge 3
	check "journald: by the program" test "$(journalctl CORDON_COMM=denied CORDON_TYPE=denial -o cat | wc -l)" -eq 5
	check "journald: and so warnings are told from the rest" test "$(journalctl -p warning "CORDON_SANDBOX=$one" -o cat | wc -l)" -eq 3
	check "journald: one identifier has all" test "$(journalctl -t cordon -o cat | wc -l)" -eq 9
	journalctl "CORDON_SANDBOX=$one" -o cat >text
	check "journald: what a person reads" grep -Eqx 'denied swapoff\("/cordon/denied"\) by default.policy:[0-9]+: EPERM \(denied, pid 2\)' text
	check "journald: how it began and ended" test "$(grep -c -E -e '^began under policy default( \(unseen: landlock\))?: .*/denied 3$' -e '^ended: exit 0; 3 calls denied$' text)" -eq 2
	journalctl "CORDON_SANDBOX=$two" -o json | jq -r .CORDON_RECORD >two.jsonl
	expect_status 0 "journald: the records in it are a whole log" -- "$CORDON" audit verify two.jsonl
	check "journald: hostile bytes are what the log has" test "$(jq -c .decoded two.jsonl | sort -u)" = \
		"$(jq -c --arg id "$two" 'select(.sandbox == $id).decoded' id.jsonl | sort -u)"
	# journald takes 10,000 messages in 30 s of a service: flood control keeps below it
	flood=$(sandbox --audit "$at" -- "$PROGRAMS/denied" 20000 4)
	wait_for 20 arrived "$flood"
	journalctl "CORDON_SANDBOX=$flood" -o json | jq -r .CORDON_RECORD >flood.jsonl
	check "journald: a flood is counted exactly" test "$(denials <flood.jsonl)" = 20000
	# a restart: the socket is another one
	mkfifo orders
	inside --audit "$at" --audit "file:$WORK/id.jsonl" -- "$PROGRAMS/outage" <orders >/dev/null 2>&1 &
	payload=$!
	exec 7>orders
	echo 5 >&7
	sleep 0.5
	kill "$journald"
	wait "$journald" 2>/dev/null
	echo 7 >&7
	sleep 0.5
	rm -f "$run/systemd/journal/socket"
	start_journald
	echo 9 >&7
	exec 7>&-
	wait "$payload"
	again=$(jq -r .sandbox id.jsonl | tail -n 1)
	wait_for 20 arrived "$again"
	journalctl "CORDON_SANDBOX=$again" -o json | jq -r .CORDON_RECORD >again.jsonl
	check "journald: a restart costs what is told" test "$(jq -s -c '[(map(select(.type == "denial")) | length),
		(map(select(.type == "lost").denials) | add // 0)] | add' again.jsonl)" = 21
	check "journald: once" test "$(jq -s 'map(select(.type == "lost")) | length' again.jsonl)" = 1
	kill "$journald"
else
	skip "journald: a sandbox is found by CORDON_SANDBOX" "systemd-journald is not there"
fi

# --- rsyslog
LIBS=
RSYSLOGD=/usr/sbin/rsyslogd MODULES=$(echo /usr/lib/*/rsyslog)
if [ ! -x "$RSYSLOGD" ] && [ -x "$HERE/.cache/rsyslog/rsyslogd" ]; then
	RSYSLOGD=$HERE/.cache/rsyslog/rsyslogd
	MODULES=$HERE/.cache/rsyslog LIBS=$HERE/.cache/rsyslog
fi
if [ -x "$RSYSLOGD" ]; then
	cat >rsyslog.conf <<-END
		global(workDirectory="$WORK" maxMessageSize="64k")
		module(load="$MODULES/imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$WORK/log" UseSpecialParser="off"
			UseSysTimeStamp="off" IgnoreTimestamp="off" RateLimit.Interval="0")
		template(name="t" type="list" option.jsonf="on") {
			property(outname="version" name="protocol-version" format="jsonf")
			property(outname="pri" name="pri" format="jsonf")
			property(outname="host" name="hostname" format="jsonf")
			property(outname="app" name="app-name" format="jsonf")
			property(outname="pid" name="procid" format="jsonf")
			property(outname="id" name="msgid" format="jsonf")
			property(outname="data" name="structured-data" format="jsonf")
			property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
			property(outname="msg" name="msg" format="jsonf")
		}
		action(type="omfile" file="$WORK/syslog.json" template="t")
	END
	LD_LIBRARY_PATH=$LIBS "$RSYSLOGD" -n -f rsyslog.conf -i "$WORK/rsyslog.pid" -M "$MODULES" >rsyslog.err 2>&1 &
	rsyslog=$!
	at_exit "kill $rsyslog"
	check "rsyslog: it runs" wait_for 20 test -S log
	sandbox --audit "syslog:$WORK/log" -- "$PROGRAMS/denied" 3 1 acct >/dev/null
	all_there() {
		[ -e syslog.json ] && [ "$(wc -l <syslog.json)" -ge 5 ]
	}
	wait_for 20 all_there
	check "rsyslog: each message is one of RFC 5424" jq -e -s 'length == 5 and all(.version == "1" and .app == "cordon" and .data == "-")' syslog.json
	check "rsyslog: with the kind of record" test "$(jq -s -c 'map(.id)' syslog.json)" = '["open","denial","denial","denial","close"]'
	check "rsyslog: and its severity" test "$(jq -s -c 'map(.pri)' syslog.json)" = '["14","12","12","12","14"]'
	check "rsyslog: of this host" test "$(jq -r .host syslog.json | sort -u)" = "$(uname -n)"
	jq -r .msg syslog.json >syslog.jsonl
	expect_status 0 "rsyslog: the messages are a whole log" -- "$CORDON" audit verify syslog.jsonl
	check "rsyslog: at the records' times" test "$(jq -r '.time[:26]' syslog.json)" = "$(jq -r '.time[:26]' syslog.jsonl)"
else
	skip "rsyslog: each message is one of RFC 5424" "rsyslog is not there"
fi

done_testing
