# shellcheck shell=bash disable=SC2016,SC2034,SC2154,SC2317 # expanded inside; the variables are tests/escape/run's
# SPDX-License-Identifier: Apache-2.0
# Below podman, as root (a container of the system's own): in a container as podman makes it cordon refuses with
# a sentence; in one whose masks and filter are off it runs, and holds.
cd "$WORK" || exit 1

# crun takes no mixture of cgroup versions, and a machine without a service manager may have one.
cat >own-cgroups <<'END'
#!/bin/sh
[ ! -d /sys/fs/cgroup/unified ] || { umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup; }
exec "$@"
END
chmod +x own-cgroups

# podman takes no name of over 50 bytes there
store=$(mktemp -d /tmp/cordon-test.podman.XXXXXX)
at_exit "rm -rf '$store'"

# container OPTION... -- COMMAND...: with all that a probe wants at its own place
container() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	unshare --mount "$WORK/own-cgroups" podman --root "$store/root" --runroot "$store/run" --tmpdir "$store/tmp" \
		--events-backend none run --rm --network none --cgroups disabled --log-driver none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 \
		--env SECRET --env MARKER --env HOME --env XDG_STATE_HOME --env XDG_CACHE_HOME \
		-v "$CORDON_TEST_ROOT:$CORDON_TEST_ROOT:ro" -v "$CORDON_TEST_HOME:$CORDON_TEST_HOME" \
		"${options[@]}" --rootfs "$WORK/rootfs" "$@" 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null 8</dev/null
}

below_podman() {
	local policy
	mkdir -p rootfs/{bin,dev,etc,proc,sys,tmp,usr/bin,var/lib,run,root}
	cp /bin/busybox rootfs/bin/busybox
	ln -sf busybox rootfs/bin/sh
	ln -sf busybox rootfs/bin/true
	echo 'root:x:0:0::/root:/bin/sh' >rootfs/etc/passwd
	# cordon-policy is a program of the host's: what it is linked with comes along
	ldd "$CORDON_TEST_ROOT/build/cordon-policy" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "rootfs${lib%/*}"
		cp -L "$lib" "rootfs$lib"
	done
	run container -- /bin/sh -c 'echo works'
	if [ "$STATUS" -ne 0 ]; then
		diag "$(cat "$ERR")"
		skip "below podman" "podman starts no container on this machine"
		return
	fi
	run container -- "$CORDON" run --cwd / --audit "file:$WORK/podman.jsonl" -- /bin/true
	check "below podman as it is: refused with a sentence" test "$STATUS $(grep -c '^cordon: cannot' "$ERR")" = "125 1"
	[ "$STATUS" -eq 125 ] || _said
	# its masks make a new proc impossible where the kernel has what they cover
	run container --security-opt seccomp=unconfined -- "$CORDON" run --cwd / --audit "file:$WORK/podman.jsonl" -- /bin/true
	case $STATUS in
	0) ok "below podman without its filter: it runs" ;;
	*) check "below podman without its filter: refused with a sentence" test "$STATUS $(grep -c '^cordon: cannot' "$ERR")" = "125 1" ;;
	esac
	for policy in default strict; do
		wrap=(container --security-opt seccomp=unconfined --security-opt unmask=ALL --preserve-fds 7 --)
		probe_in "$policy" net=policy,uid=own,base=host "$policy, below podman"
		wrap=()
	done
}

if command -v podman >/dev/null; then
	below_podman
else
	skip "below podman" "podman is not installed"
fi
