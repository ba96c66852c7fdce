# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# bash completion for cordon; also printed by `cordon completion bash`.

_cordon_policies() {
	local dir file
	for dir in "${XDG_CONFIG_HOME:-$HOME/.config}/cordon/policies" /etc/cordon/policies \
		/usr/share/cordon/policies /usr/local/share/cordon/policies; do
		for file in "$dir"/*.policy; do
			[ ! -e "$file" ] || basename "$file" .policy
		done
	done
	echo base-libc process default build session strict
}

# $1: words to choose from; $2: what was typed
_cordon_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_cordon_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_cordon_launch() { # verb, current word, word before
	local i own=
	[ "$1" != learn ] || own="-o --phase --quick --static"
	# Behind "--" stands the command, which has a completion of its own.
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			if declare -F _command_offset >/dev/null && [ "$1" = run ]; then
				_command_offset $((i + 1))
			else
				_cordon_files "$2"
			fi
			return
		fi
	done
	case $3 in
	--policy)
		_cordon_words "$(_cordon_policies)" "$2"
		[ "${#COMPREPLY[@]}" -gt 0 ] || _cordon_files "$2"
		;;
	--net) _cordon_words "none loopback host" "$2" ;;
	--pty) _cordon_words "auto always never" "$2" ;;
	--upper)
		_cordon_words "tmpfs none" "$2"
		[ "${#COMPREPLY[@]}" -gt 0 ] || _cordon_files "$2"
		;;
	--limit)
		compopt -o nospace 2>/dev/null
		_cordon_words "pids= memory= memory-high= swap= cpu= cpu-weight= cpuset= io-weight= nofile= upper= inodes= wall=" "$2"
		;;
	--label)
		compopt -o nospace 2>/dev/null
		_cordon_words "apparmor=auto apparmor=none apparmor= selinux=auto selinux=none selinux=" "$2"
		;;
	--audit)
		compopt -o nospace 2>/dev/null
		_cordon_words "file: stderr fd:" "$2"
		;;
	--env) mapfile -t COMPREPLY < <(compgen -v -- "$2") ;;
	-o | --base | --cwd | --ro | --rw | --overlay | --hide | --tmpfs | --dir) _cordon_files "$2" ;;
	--uid | --hostname | --argv0 | --fd | --file | --symlink) ;;
	*)
		_cordon_words "--policy --base --upper --cwd --ro --rw --overlay --hide --tmpfs --dir --symlink
			--file --net --env --uid --hostname --argv0 --limit --label --audit --fd --pty --new-time
			--dry-run --json -v -q --help -- ${own-}" "$2"
		;;
	esac
}

_cordon_policy_options() {
	local common="--search --arch"
	case $1 in
	build) echo "-o --usage --report --emit --landlock-abi --apparmor-abi --home --pwd $common" ;;
	cost) echo "--usage --json $common" ;;
	diff) echo "--live --json $common" ;;
	explain) echo "--json --gate --cwd --abi --landlock-abi $common" ;;
	export) echo "--to -o $common" ;;
	fmt) echo "--check --json -w" ;;
	import) echo "--from --name --cap --kernel --arch --unknown --narrow --quiet -o" ;;
	lint) echo "--level --json $common" ;;
	load) echo "--apparmor-namespace --apparmor-abi --home --pwd --parser $common" ;;
	report) echo "--json --all --strict --mechanism --landlock-abi --apparmor-abi $common" ;;
	score) echo "--max --json $common" ;;
	show) echo "--bpf --json $common" ;;
	test) echo "--live --format $common" ;;
	*) echo "$common" ;;
	esac
}

_cordon_audit_options() { # verb
	case $1 in
	show)
		echo "--group --count --follow --json --sandbox --policy --call --path --rule --comm --since" \
			"--until -n"
		;;
	explain) echo "--json --sandbox --seq --policy --search" ;;
	replay) echo "--json --sandbox --policy --search --expect" ;;
	suggest) echo "--json --sandbox --policy --search --all --patch -o" ;;
	export) echo "--format --sandbox -o" ;;
	verify) echo "--seal-key" ;;
	esac
}

_cordon_learn() { # CURRENT BEFORE
	case ${COMP_WORDS[2]} in
	--static)
		if [[ $1 == -* ]]; then _cordon_words "--with --against --json -v" "$1"; else _cordon_files "$1"; fi
		;;
	merge | write)
		if [[ $1 == -* ]]; then _cordon_words "-o" "$1"; else _cordon_files "$1"; fi
		;;
	*)
		if [ "$COMP_CWORD" -eq 2 ] && [[ $1 != -* ]]; then
			_cordon_words "merge write" "$1"
		else
			_cordon_launch learn "$1" "$2"
		fi
		;;
	esac
}

_cordon() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		_cordon_words "run shell learn gc doctor audit policy completion version --help" "$current"
		return
	fi
	case ${COMP_WORDS[1]} in
	learn) _cordon_learn "$current" "$before" ;;
	run | shell) _cordon_launch "${COMP_WORDS[1]}" "$current" "$before" ;;
	doctor) _cordon_words "--json" "$current" ;;
	gc) _cordon_words "-n" "$current" ;;
	completion) _cordon_words "bash" "$current" ;;
	audit)
		if [ "$COMP_CWORD" -eq 2 ]; then
			_cordon_words "explain export replay seal-setup show suggest verify" "$current"
		elif [ "$before" = --policy ]; then
			_cordon_words "$(_cordon_policies)" "$current"
		elif [ "$before" = --sandbox ]; then
			_cordon_words "last" "$current"
		elif [ "$before" = --format ]; then
			_cordon_words "csv ausearch" "$current"
		elif [ "$before" = --expect ]; then
			_cordon_words "allowed denied same" "$current"
		elif [[ $current == -* ]]; then
			_cordon_words "$(_cordon_audit_options "${COMP_WORDS[2]}")" "$current"
		else
			_cordon_files "$current"
		fi
		;;
	policy)
		if [ "$COMP_CWORD" -eq 2 ]; then
			_cordon_words "build check cost diff explain export fmt import lint load report score show test" "$current"
		elif [[ $current == -* ]]; then
			_cordon_words "$(_cordon_policy_options "${COMP_WORDS[2]}")" "$current"
		elif [ "$before" = --from ] && [ "${COMP_WORDS[2]}" = import ]; then
			_cordon_words "oci minijail kafel" "$current"
		elif [ "$before" = --format ] && [ "${COMP_WORDS[2]}" = test ]; then
			_cordon_words "tap junit json" "$current"
		elif [ "$before" = --level ]; then
			_cordon_words "note warning error" "$current"
		else
			_cordon_words "$(_cordon_policies)" "$current"
			[ "${#COMPREPLY[@]}" -gt 0 ] || _cordon_files "$current"
		fi
		;;
	esac
}
complete -F _cordon cordon
