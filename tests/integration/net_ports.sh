#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ports of a policy, live: those that a net line names work, the others are refused, and what the
# kernel cannot hold is not launched.
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by run
. "$(dirname "$0")/../lib/harness.sh"

# policy NAME LINE...: default's calls and view, and these lines.
policy() {
	local name=$1
	shift
	{
		printf 'policy %s\nuse default\nkernel 6.18\n' "$name"
		printf '%s\n' "$@"
	} >"$WORK/$name.policy"
}

# Does one thing with an address; prints "ok" or the name of the errno.
cat >"$WORK/net.py" <<'END'
import errno, socket, sys

def name(e):
    return errno.errorcode.get(e.errno, str(e.errno))

def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET

def bind(host, port, kind=socket.SOCK_STREAM):
    s = socket.socket(family(host), kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    return s

what, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
try:
    if what == "bind":
        bind(host, port)
    elif what == "bind-udp":
        bind(host, port, socket.SOCK_DGRAM)
    elif what == "connect":
        socket.create_connection((host, port), 2)
    elif what == "connect-udp":
        socket.socket(family(host), socket.SOCK_DGRAM).connect((host, port))
    elif what == "fastopen":
        s = socket.socket(family(host))
        s.sendto(b"x", 0x20000000, (host, port))
    elif what == "mptcp":
        socket.socket(family(host), socket.SOCK_STREAM, 262).connect((host, port))
    elif what == "both":
        server = bind(host, port)
        client = socket.create_connection((host, port), 2)
        server.accept()[0].sendall(b"hello")
        assert client.recv(5) == b"hello"
    elif what == "socket-udp":
        socket.socket(family(host), socket.SOCK_DGRAM)
    elif what == "socket":
        socket.socket(family(host))
    print("ok")
except OSError as e:
    print(name(e))
END
net() {
	local policy=$1
	shift
	"$CORDON" run --policy "$WORK/$policy.policy" --ro "$WORK/net.py" -- python3 "$WORK/net.py" "$@"
}

# --- bind: one port, a range, none

policy bind "net bind tcp 8000-8010" "net bind tcp 9000"
expect_output ok "a port of the range" -- net bind bind 127.0.0.1 8000
expect_output ok "the last of the range" -- net bind bind 127.0.0.1 8010
expect_output ok "a single port, IPv6" -- net bind bind ::1 9000
expect_output EACCES "one below the range" -- net bind bind 127.0.0.1 7999
expect_output EACCES "one above the range" -- net bind bind 127.0.0.1 8011
expect_output EACCES "a port of the kernel's choice" -- net bind bind 127.0.0.1 0
expect_output EACCES "beside the single port, IPv6" -- net bind bind ::1 9001
expect_output ok "connecting is not closed by a bind line" -- net bind both 127.0.0.1 8005

# --- connect

policy both "net bind tcp 8000-8001" "net connect tcp 8000"
expect_output ok "a server and its client" -- net both both 127.0.0.1 8000
expect_output EACCES "a server whose port no connect line names" -- net both both 127.0.0.1 8001
policy connect "net connect tcp 443"
expect_output ECONNREFUSED "a port that is allowed, and nobody there" -- net connect connect 127.0.0.1 443
expect_output EACCES "a port that is not allowed" -- net connect connect 127.0.0.1 80
expect_output EACCES "a port that is not allowed, IPv6" -- net connect connect ::1 80
expect_output ok "binding is not closed by a connect line" -- net connect bind 127.0.0.1 8080
policy open
expect_output ECONNREFUSED "the twin without lines connects anywhere" -- net open connect 127.0.0.1 80
expect_output ok "the twin without lines binds anywhere" -- net open bind 127.0.0.1 7999
policy any "net connect tcp any"
expect_output ECONNREFUSED "any is every port" -- net any connect 127.0.0.1 80

# --- ways round: protocols that Landlock does not know, and a first packet that connects

expect_output EPERM "no UDP socket where no line names udp" -- net connect socket-udp 127.0.0.1 0
expect_output ok "the twin without lines has one" -- net open socket-udp 127.0.0.1 0
expect_output EPERM "no MPTCP socket, which goes round" -- net connect mptcp 127.0.0.1 80
run net connect fastopen 127.0.0.1 80
case $(cat "$OUT") in
EOPNOTSUPP | ENOTSUP) ok "TCP fast open does not go round a port" ;;
*)
	not_ok "TCP fast open does not go round a port"
	_said
	;;
esac
run net open fastopen 127.0.0.1 80
check "the twin without lines connects by it" grep -qx ECONNREFUSED "$OUT"

# --- families

policy four "net connect tcp4 443"
expect_output ECONNREFUSED "the family that is named" -- net four connect 127.0.0.1 443
expect_output EACCES "the family that is named, another port" -- net four connect 127.0.0.1 80
expect_output EAFNOSUPPORT "no socket of the other family" -- net four socket ::1 0
policy same "net connect tcp4 443" "net connect tcp6 443"
expect_output ECONNREFUSED "the same ports for both families" -- net same connect 127.0.0.1 443

# --- what cannot be held is not launched

policy mixed "net connect tcp4 443" "net connect tcp6 80"
expect_error 125 "different ports for IPv4 and IPv6" "families with different ports" -- \
	net mixed connect 127.0.0.1 443
check "the line is named" grep -q "mixed.policy:[45]" "$ERR"
policy many "net bind tcp 1024-65535"
expect_error 125 "more than 4096 ports" "too many ports" -- net many bind 127.0.0.1 8000
check "a way out is named" grep -q "^hint: .*any" "$ERR"
ABI=$("$CORDON" doctor --json 2>/dev/null | jq -r '.[] | select(.id == "landlock") | .detail' |
	sed -n 's/^ABI \([0-9]*\).*/\1/p')
policy udp "net connect udp 53"
if [ "${ABI:-0}" -ge 10 ]; then
	expect_output ok "a UDP port that is allowed" -- net udp connect-udp 127.0.0.1 53
	expect_output EACCES "a UDP port that is not" -- net udp connect-udp 127.0.0.1 54
else
	expect_error 125 "udp.policy:4: this kernel cannot hold .net connect udp. to ports" \
		"UDP ports before Landlock ABI 10" -- net udp connect-udp 127.0.0.1 53
	check "a newer kernel is named" grep -q "^hint: .*any.*Linux 7.2" "$ERR"
fi
policy udpany "net connect udp any" "net connect tcp 443"
expect_output ok "any UDP port beside one TCP port" -- net udpany connect-udp 127.0.0.1 53
expect_output EACCES "and that is one TCP port" -- net udpany connect 127.0.0.1 80

# --- the plan says them

run "$CORDON" run --policy "$WORK/both.policy" --dry-run -- true
check "a dry run prints a range" grep -q "^ports    bind tcp 8000-8001  (both.policy:4)$" "$OUT"
check "a dry run prints a port" grep -q "^ports    connect tcp 8000  (both.policy:5)$" "$OUT"
run "$CORDON" run --policy "$WORK/both.policy" --dry-run --json -- true
check "a dry run as JSON has both" \
	[ "$(jq -c '[.ports[] | [.do, .first, .last]]' "$OUT")" = \
	'[["connect tcp",8000,8000],["bind tcp",8000,8001]]' ]
done_testing
