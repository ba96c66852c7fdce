# SPDX-License-Identifier: Apache-2.0
# cordon. One non-recursive make; `make help` lists the targets. Rooms are folders, and which
# room may include which is one table, tools/rooms.allow, kept by `make check-deps`.

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
AR      ?= ar

bindir     := $(PREFIX)/bin
libexecdir := $(PREFIX)/libexec/cordon
datadir    := $(PREFIX)/share/cordon
mandir     := $(PREFIX)/share/man
compdir    := $(PREFIX)/share/bash-completion/completions

IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -n 1))
MACHINE  := $(shell $(CC) -dumpmachine)

# `make V=1` shows whole commands
Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# --- warnings: each one has caught a class of defects in C that handles hostile input
WARN := -Wall -Wextra -Werror -Wpedantic -Wno-gnu-statement-expression -Wno-gnu \
        -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wold-style-definition -Wpointer-arith -Wcast-align -Wcast-qual -Wformat=2 -Wundef \
        -Wvla -Wwrite-strings -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum
ifeq ($(IS_CLANG),)
# gcc's pedantry has no switch for statement expressions alone, which the clean-up macros need
WARN := $(filter-out -Wpedantic -Wno-gnu-statement-expression -Wno-gnu,$(WARN)) \
        -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif

# --- hardening
HARDEN := -fPIE \
          -fstack-protector-strong \
          -fstack-clash-protection \
          -fno-strict-overflow \
          -fno-delete-null-pointer-checks
# -fPIE                      addresses of our code are unknown to who finds a bug in it
# -fstack-protector-strong   a smashed stack ends the program
# -fstack-clash-protection   a big frame cannot jump the guard page
# -fno-strict-overflow       a missed overflow wraps instead of deleting the check after it
# -fno-delete-null-...       a check behind a dereference stays in the program
ifneq ($(findstring x86_64,$(MACHINE)),)
HARDEN += -fcf-protection=full      # CET: returns and indirect calls are checked by the processor
endif
ifneq ($(findstring aarch64,$(MACHINE)),)
HARDEN += -mbranch-protection=standard
endif
ifeq ($(IS_CLANG),)
HARDEN += -ftrivial-auto-var-init=zero     # no old stack bytes reach a record, a wire or a bundle
else
HARDEN += -ftrivial-auto-var-init=pattern  # clang 14 offers zero only behind a flag it disowns
endif
LDHARDEN := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code
# relro, now      relocated tables are read-only before main
# noexecstack     no data is code
# separate-code   no constant data in executable pages

OPT := -O2 -g
ifdef SAN
# Sanitizers replace FORTIFY and the static link, which they cannot live with. Leak checking needs
# ptrace, which a sandbox takes away: it is on for unit tests only.
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT := -O1 -g
STATIC := 0
# The checks hide from gcc which lengths can be (-fsanitize in gcc's manual: "may trigger false positives").
WARN += -Wno-format-truncation
else
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

# The launcher is linked statically (static-pie): no loader work at each start, nothing of the
# caller's LD_* is ever read, and pid 1 of each sandbox is small. See doc/decisions/0002.
STATIC ?= 1
# NAMES: what libcap-ng asks of the name service and we never do (base/glibc/names.c).
STATIC_LDFLAGS := $(if $(filter 1,$(STATIC)),-static-pie,-pie)
ifeq ($(STATIC),1)
NAMES := $(BUILD)/obj/base/glibc/names.o
NAMES_LDFLAGS := -Wl,--wrap=getpwuid -Wl,--wrap=initgroups
endif

# Which libc the launcher is linked with. glibc's start-up asks the processor about its caches with
# some sixty CPUID instructions, each of which a virtual machine traps: half a millisecond of each
# launch there. musl (package musl-tools) does not, but has neither FORTIFY nor CET marks, so it is
# for who asks for it: make LAUNCHER_LIBC=musl. See doc/decisions/0007.
LAUNCHER_LIBC ?= glibc

# -ffile-prefix-map: the same bytes whatever folder the build runs in
CFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) -I. -I$(BUILD)/gen \
              -ffile-prefix-map='$(CURDIR)=.' -MMD -MP \
              -DCORDON_VERSION='"$(VERSION)"' -DCORDON_LIBEXECDIR='"$(libexecdir)"' \
              -DCORDON_DATADIR='"$(datadir)"' $(CFLAGS)
LDFLAGS_ALL := $(LDHARDEN) $(SANFLAGS) $(LDFLAGS)

# --- sources: a room is the .c files of its folder
ROOMS := base policies profiles audit sandbox collect
GEN   := $(patsubst %,$(BUILD)/gen/%_table.c,consts layout syscall)
GEN_H := $(BUILD)/gen/consts_sets.h
room_src  = $(wildcard $(1)/*.c) $(if $(filter policies,$(1)),$(GEN))
room_objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(subst $(BUILD)/gen,gen,$(call room_src,$(1))))

# cli: policy*.c is cordon-policy, audit*.c cordon-audit, learn_*.c cordon-learn, static*.c cordon-static, scope_main.c
# cordon-scope, collect_main.c cordon-collect, probe.c what policy tests run inside a sandbox, print.c serves all, the rest is cordon
CLI_SHARED := cli/print.c
# what those of them give up that read what others wrote
CLI_CONFINE := cli/confine.c
CLI_PROBE  := cli/probe.c
CLI_POLICY := $(wildcard cli/policy*.c)
CLI_AUDIT  := $(wildcard cli/audit*.c)
CLI_LEARN  := $(wildcard cli/learn_*.c)
CLI_STATIC := $(wildcard cli/static*.c)
CLI_SCOPE  := cli/scope_main.c
CLI_COLLECT := cli/collect_main.c
# what to write so that a call is allowed: for cordon-policy and cordon-audit
CLI_ADVICE := cli/policy_dirs.c cli/policy_target.c cli/policy_advice.c cli/policy_advice_put.c cli/policy_call.c
# what keeps the launcher's own AppArmor profile: for cordon, and for cordon-policy, which launches
CLI_LABEL  := cli/own_label.c $(patsubst %,sandbox/%.c,lsm lsm_text host_proc)
CLI_CORDON := $(filter-out $(CLI_SHARED) $(CLI_CONFINE) $(CLI_POLICY) $(CLI_AUDIT) $(CLI_LEARN) $(CLI_STATIC) $(CLI_SCOPE) $(CLI_COLLECT) $(CLI_PROBE),$(wildcard cli/*.c))

LIBS := $(foreach r,$(ROOMS),$(BUILD)/lib$(r).a)
L = $(foreach r,$(1),$(BUILD)/lib$(r).a)
o = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

PROGRAMS := $(BUILD)/cordon $(BUILD)/cordon-policy $(BUILD)/cordon-audit $(BUILD)/cordon-learn $(BUILD)/cordon-static $(BUILD)/cordon-scope $(BUILD)/cordon-collect $(BUILD)/cordon-probe
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
PROBES := $(patsubst tests/programs/%.c,$(BUILD)/tests/programs/%,$(wildcard tests/programs/*.c))
ifdef SAN
PROBES := $(filter-out %/attempts %/alone,$(PROBES))
endif
PROBES += $(patsubst %,$(BUILD)/tests/programs/%,probe outside look trees race inside launches)
FAULTS :=
# The injector writes x86_64's registers; under a sanitizer most calls of a launch are the sanitizer's.
ifneq ($(findstring x86_64,$(MACHINE)),)
ifndef SAN
FAULTS := $(patsubst %,$(BUILD)/tests/programs/%,inject fingerprint crash)
endif
endif
FUZZERS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard fuzz/fuzz_*.c))
CORPORA := $(patsubst fuzz/%.c,$(BUILD)/tests/%,$(wildcard fuzz/fuzz_*.c))

.PHONY: all help build-tests check check-unit check-corpus check-integration check-deps check-tables check-promises check-static check-binaries check-install check-reproducible check-format check-lint check-asan check-tsan check-threads check-aarch64 check-vm check-vm-all cross-objects faults escape hostile-trees races launches concurrency demo bench fuzz dist install clean
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

all: $(PROGRAMS)  ## build the programs (the default)

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

$(GEN) $(GEN_H) &: policies/consts.tbl policies/layouts.tbl policies/syscalls.tbl tools/gen-tables
	@mkdir -p $(@D)
	tools/gen-tables policies/consts.tbl policies/layouts.tbl policies/syscalls.tbl $(BUILD)/gen

$(BUILD)/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

define room_rule
$(BUILD)/lib$(1).a: $(call room_objs,$(1))
	@rm -f $$@
	@mkdir -p $$(@D)
	$$(call say,AR,$$@)
	$(Q)$(AR) rcsD $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

ifeq ($(LAUNCHER_LIBC),musl)
# What a launch links and no more; a symbol of the compiler's that creeps in fails the link.
LAUNCHER_SRC := $(wildcard base/*.c base/musl/*.c audit/*.c sandbox/*.c) $(CLI_CORDON) $(CLI_SHARED) \
                policies/syscall.c policies/consts.c policies/layout.c policies/cond.c policies/label.c policies/limit.c profiles/bundle.c profiles/bundle_verdict.c profiles/program.c profiles/cache.c profiles/cache_gc.c profiles/landlock.c
LAUNCHER_OBJS := $(patsubst %.c,$(BUILD)/musl/%.o,$(LAUNCHER_SRC)) $(GEN:$(BUILD)/gen/%.c=$(BUILD)/musl/gen/%.o) $(BUILD)/musl/gen/supervisor_program.o
# musl's wrapper sees none of the system's headers: these, and no other of glibc's.
MUSL_INCLUDE := $(BUILD)/musl-include
# Conversions and fortification are the glibc build's business: musl's ioctl() takes an int, and
# its headers have no checks to switch on.
MUSL_CFLAGS = $(filter-out -Wconversion -Wsign-conversion -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3,$(CFLAGS_ALL)) \
              -idirafter $(MUSL_INCLUDE)

$(MUSL_INCLUDE)/.made:
	@mkdir -p $(@D)
	@for name in linux asm-generic asm cap-ng.h sha2.h xxhash.h; do \
		for dir in /usr/include /usr/include/$(MACHINE) /usr/include/$$(gcc -print-multiarch); do \
			[ ! -e $$dir/$$name ] || ln -sfn $$dir/$$name $(@D)/$$name; \
		done; \
	done
	@mkdir -p $(@D)/sys && printf '#define __BEGIN_DECLS\n#define __END_DECLS\n' >$(@D)/sys/cdefs.h
	@touch $@

$(BUILD)/musl/%.o: %.c $(MUSL_INCLUDE)/.made | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,MUSL,$<)
	$(Q)musl-gcc $(MUSL_CFLAGS) -c -o $@ $<

$(BUILD)/musl/gen/%.o: $(BUILD)/gen/%.c $(MUSL_INCLUDE)/.made
	@mkdir -p $(@D)
	$(call say,MUSL,$<)
	$(Q)musl-gcc $(MUSL_CFLAGS) -c -o $@ $<

# The wrapper's own start files want a dynamic loader; rcrt1.o relocates the program itself.
system_file = $(shell gcc -print-file-name=$(1))
MUSL_LIB   := /usr/lib/$(subst gnu,musl,$(shell gcc -print-multiarch))/
$(BUILD)/cordon: $(LAUNCHER_OBJS)
	$(call say,LINK,$@)
	$(Q)musl-gcc -nostartfiles -static -Wl,-pie -Wl,--no-dynamic-linker -Wl,-z,text $(LDFLAGS_ALL) -o $@ \
		$(MUSL_LIB)rcrt1.o $(MUSL_LIB)crti.o $(call system_file,crtbeginS.o) $^ \
		$(call system_file,libcap-ng.a) $(call system_file,libmd.a) \
		$(call system_file,crtendS.o) $(MUSL_LIB)crtn.o
else
$(BUILD)/cordon: $(call o,$(CLI_CORDON) $(CLI_SHARED)) $(BUILD)/obj/gen/supervisor_program.o $(NAMES) $(call L,sandbox audit profiles policies base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(STATIC_LDFLAGS) $(NAMES_LDFLAGS) $(LDFLAGS_ALL) -o $@ $^ -lcap-ng -lmd
endif

$(BUILD)/cordon-policy: $(call o,$(CLI_POLICY) $(CLI_CONFINE) $(CLI_SHARED) $(CLI_LABEL)) $(BUILD)/obj/gen/reader_policy.o $(call L,audit profiles policies base)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ -ljson-c -lmd

$(BUILD)/cordon-audit: $(call o,$(CLI_AUDIT) $(CLI_ADVICE) $(CLI_CONFINE) $(CLI_SHARED)) $(BUILD)/obj/gen/reader_program.o $(call L,audit profiles policies base)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ -ljson-c -lmd

# Static, too: it runs at the end of each recording, and its loader would take longer than it does.
$(BUILD)/cordon-learn: $(call o,$(CLI_LEARN) $(CLI_CONFINE) $(CLI_SHARED)) $(BUILD)/obj/gen/reader_program.o $(call L,audit profiles policies base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(STATIC_LDFLAGS) $(LDFLAGS_ALL) -o $@ $^ -lmd

# The disassembler and the ELF library are this program's alone.
$(BUILD)/cordon-static: $(call o,$(CLI_STATIC) cli/learn_read.c cli/learn_merge.c $(CLI_CONFINE) $(CLI_SHARED)) $(BUILD)/obj/gen/reader_program.o \
		$(call L,audit profiles policies base)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ -lelf -lcapstone

$(BUILD)/cordon-scope: $(call o,$(CLI_SCOPE)) $(call L,base)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ -lsystemd

# The filters of our own programs, the supervisor, the collector and the reader of logs: our generator's, checked as every other
# is, and built in, so that nothing is read for it when it starts. The generator runs on the machine that builds: for another processor's
# programs there is a second one, made by BUILD_CC.
BUILD_CC  ?= cc
PROCESSOR := $(firstword $(subst -, ,$(MACHINE)))
GENERATOR ?= $(BUILD)/$(if $(filter $(PROCESSOR)-%,$(shell $(BUILD_CC) -dumpmachine)),,host/)cordon-policy
$(BUILD)/host/cordon-policy: $(wildcard $(foreach r,base policies profiles audit,$(r)/*.[ch])) $(CLI_POLICY) $(CLI_CONFINE) $(CLI_SHARED) $(CLI_LABEL) cli/reader.policy policies/syscalls.tbl
	$(MAKE) CC='$(BUILD_CC)' CFLAGS= LDFLAGS= SAN= BUILD=$(BUILD)/host $@

# The generator reads what others wrote as well (import), and compiles the reader's for itself.
$(BUILD)/gen/reader_policy.c: cli/reader.policy tools/gen-text
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)tools/gen-text $< reader_policy >$@.tmp && mv $@.tmp $@

$(BUILD)/gen/collect_program.c: collect/collect.policy
$(BUILD)/gen/supervisor_program.c: sandbox/supervisor.policy
$(BUILD)/gen/reader_program.c: cli/reader.policy
$(BUILD)/gen/%_program.c: tools/gen-program $(GENERATOR)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)tools/gen-program $(GENERATOR) $(PROCESSOR) $(filter %.policy,$^) $*_program > $@

$(BUILD)/cordon-collect: $(call o,$(CLI_COLLECT) $(CLI_SHARED)) $(BUILD)/obj/gen/collect_program.o $(call L,collect audit profiles policies base)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ -lcap-ng -lmd

# No libc and no loader, so that the only calls it makes are those that a test asks for: what needs
# either (stack protector, fortification, sanitizers) is off.
$(BUILD)/cordon-probe: cli/probe.c cli/probe.h
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARN) -ffreestanding -fno-stack-protector -fno-pie -I. \
		-ffile-prefix-map='$(CURDIR)=.' -nostdlib -static $(LDHARDEN) -o $@ cli/probe.c

# --- tests
$(BUILD)/tests/test_confine: $(BUILD)/obj/gen/supervisor_program.o $(BUILD)/obj/gen/reader_program.o $(BUILD)/obj/cli/confine.o
$(BUILD)/tests/test_%: $(BUILD)/obj/tests/unit/test_%.o $(call L,collect sandbox audit profiles policies base)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -lseccomp -lcap-ng -ljson-c -lmd

# A harness as a test: fuzz/replay.c feeds it its corpus, and the rest is what all else is made of.
CLI_ELF := $(filter-out cli/static.c cli/static_put.c,$(CLI_STATIC))
CLI_RECORDING := $(filter-out cli/learn_main.c,$(CLI_LEARN))
$(BUILD)/tests/fuzz_options: $(call o,cli/options.c)
$(BUILD)/tests/fuzz_elf: $(call o,$(CLI_ELF))
$(BUILD)/tests/fuzz_recording: $(call o,$(CLI_RECORDING))
$(BUILD)/tests/fuzz_elf $(BUILD)/fuzz/fuzz_elf: FUZZ_LIBS := -lelf -lcapstone
$(BUILD)/tests/fuzz_%: $(BUILD)/obj/fuzz/fuzz_%.o $(BUILD)/obj/fuzz/replay.o $(call L,collect sandbox audit profiles policies base)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS) -lcap-ng -ljson-c -lmd

# Programs that run inside a sandbox as its payload: static, so that any base will do.
$(BUILD)/tests/programs/%: tests/programs/%.c $(wildcard tests/programs/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -static -I. -o $@ $<

$(BUILD)/tests/programs/fingerprint: tests/faults/fingerprint.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -static -I. -o $@ $<

INJECT := $(addprefix tests/faults/,inject.c trace.c transfer.c judge.c sentence.c place.c)
$(BUILD)/tests/programs/inject: $(INJECT) tests/faults/faults.h tests/faults/transfer.h tests/lib/traced.h $(call L,policies base)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -I. -o $@ $(INJECT) $(call L,policies base)

# What a power failure may leave of files that a program wrote.
CRASH := $(addprefix tests/durability/,crash.c record.c disk.c audit.c cache.c)
$(BUILD)/tests/programs/crash: $(CRASH) $(wildcard tests/durability/*.h) tests/lib/traced.h $(call L,audit policies base)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -I. -o $@ $(CRASH) $(call L,audit policies base) -lmd

# What is attempted, static as it runs inside; and the judge of what it prints. Neither can be a
# sanitizer's: the one may not be dynamic, and the other launches.
$(BUILD)/tests/programs/attempts: tests/programs/attempts.c $(wildcard tests/programs/attempts_*.h) $(call L,policies base)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -static -I. -o $@ $< $(call L,policies base) -lmd

$(BUILD)/tests/programs/alone: tests/programs/alone.c $(call L,sandbox audit profiles policies base)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -I. -o $@ $< \
		$(call L,sandbox audit profiles policies base) -lcap-ng -lmd

# What a payload tries, a file a class; and the host that it wants to get at. For any base: static.
ESCAPE := $(patsubst %,tests/escape/%.c,probe world expect namespaces mounts files proc fds terminal who calls network limits)
$(BUILD)/tests/programs/probe: $(ESCAPE) tests/escape/probe.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-missing-field-initializers -Werror -static -I. -o $@ $(ESCAPE)

$(BUILD)/tests/programs/outside $(BUILD)/tests/programs/look: $(BUILD)/tests/programs/%: tests/escape/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -static -I. -o $@ $<

# Random launches: the program that draws and judges them, and the one that looks from inside.
INSIDE   := $(patsubst %,tests/launches/%.c,inside inside_self inside_view inside_others)
LAUNCHES := $(patsubst %,tests/launches/%.c,main draw draw_places policy expect world run)
$(BUILD)/tests/programs/inside: $(INSIDE) tests/launches/inside.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-format-truncation -Werror -static -I. -o $@ $(INSIDE)

$(BUILD)/tests/programs/launches: $(LAUNCHES) tests/launches/launches.h tests/unit/random_policy.h tests/unit/mutant.h $(call L,policies base)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-missing-field-initializers -Wno-format-truncation \
		-Werror $(SANFLAGS) -I. -I$(BUILD)/gen -o $@ $(LAUNCHES) $(call L,policies base) -lmd

# Launches on trees that an enemy made; and while he exchanges what they name. Paths are cut, not
# overrun, where a name is too long.
TREES := $(patsubst %,tests/escape/%.c,trees trees_make trees_hand)
RACES := $(patsubst %,tests/races/%.c,race arena launch exact)
$(BUILD)/tests/programs/trees: $(TREES) tests/escape/trees.h
$(BUILD)/tests/programs/race: $(RACES) tests/races/races.h
$(BUILD)/tests/programs/trees $(BUILD)/tests/programs/race:
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-missing-field-initializers \
		-Wno-format-truncation -Werror -I. -o $@ $(filter %.c,$^)

check: all check-deps check-tables check-promises check-binaries check-install check-unit check-corpus check-integration  ## everything that needs no virtual machine

build-tests: $(UNIT) $(CORPORA) $(PROBES) $(FAULTS)

check-unit: $(UNIT)  ## unit tests (cmocka)
	tools/run-tests unit $(BUILD) $(UNIT)

check-corpus: $(CORPORA)  ## each fuzzer's corpus once, without the fuzzer
	tools/run-tests unit $(BUILD) $(CORPORA)

INTEGRATION ?= $(sort $(wildcard tests/integration/*.sh)) tests/faults/selection.sh
check-integration: all $(PROBES) $(FAULTS)  ## whole programs, rootless; as root too when root runs it
	tools/run-tests integration $(BUILD) $(INTEGRATION)

# One boot a lane: Debian's kernel in QEMU, software emulation, as whom you are. The longest first.
VM_LANES ?= selinux-6.12 apparmor-new selinux-6.1 apparmor-6.1
VM_UNIT  := $(addprefix $(BUILD)/tests/,$(shell awk '!/^#/ { print $$2 }' tests/vm/unit-tests))
check-vm: all $(PROBES) $(VM_UNIT)  ## AppArmor, SELinux, cgroup v2, Landlock 2 to 11: in guests with Debian's kernels, each test in one
	tools/run-tests vm-once $(BUILD) $(VM_LANES)
check-vm-all: all $(PROBES) $(VM_UNIT)  ## the same, each test in every guest that it names
	tools/run-tests vm $(BUILD) $(VM_LANES)

check-deps:  ## no room includes what tools/rooms.allow does not let it
	tools/check-deps

check-static: all  ## gcc's analyser, cppcheck and clang-tidy find nothing but what tools/static.allow explains
	BUILD=$(BUILD) tools/check-static

check-promises:  ## each promise of SECURITY.md and each advisory names its tests, and they are there
	tools/check-promises

check-binaries: all  ## the hardening asked for above is in the programs
	tools/check-binaries $(BUILD)

check-install: all  ## what make install puts where, and that an ordinary user can have it put
	tools/check-install $(BUILD)

check-reproducible:  ## two builds of what is committed, in different places and circumstances, are equal
	tools/check-reproducible

check-tables: $(BUILD)/tests/test_decode_all  ## the tables in policies/ against the headers and the schema
	CC="$(CC)" tools/check-tables $(BUILD)

check-format:  ## clang-format agrees
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')

check-lint:  ## shellcheck finds nothing in any script, mandoc nothing in any man page
	tools/check-lint

check-asan:  ## the same tests under AddressSanitizer and UBSan
	$(MAKE) SAN=1 BUILD=$(BUILD)-asan all check-unit check-corpus check-integration

# ThreadSanitizer does not go with the address's. Of what has threads: the supervisor's two, and the tests that make some.
# One of them asks for more memory than there is, which TSan ends a program for unless it is told not to.
THREADED := recorder notify fd path
check-tsan:  ## the unit tests that have threads under ThreadSanitizer
	$(MAKE) SAN=1 SANFLAGS=-fsanitize=thread BUILD=$(BUILD)-tsan check-threads

check-threads: $(THREADED:%=$(BUILD)/tests/test_%)
	TSAN_OPTIONS=allocator_may_return_null=1 tools/run-tests unit $(BUILD) $^

# Another processor's compiler says whether the tree is written for it, and an emulator whether the
# compiler of policies works there. The libraries are not at hand for it, only their headers, which
# are the same: tests/cross stands in for two of them.
CROSS_CC    ?= aarch64-linux-gnu-gcc
CROSS_RUN   ?= qemu-aarch64-static
CROSS_TESTS := seccomp_random bundle policy_eval usage groups hash
check-aarch64: $(BUILD)/cordon-policy  ## the tree compiles for aarch64, and the policy compiler works there, emulated
	@mkdir -p $(BUILD)-aarch64/include
	@for name in cap-ng.h sha2.h xxhash.h json-c; do ln -sfn /usr/include/$$name $(BUILD)-aarch64/include/$$name; done
	$(MAKE) CC=$(CROSS_CC) BUILD=$(BUILD)-aarch64 GENERATOR=$(BUILD)/cordon-policy CFLAGS='-idirafter $(BUILD)-aarch64/include' cross-objects
	CORDON_RANDOM_POLICIES=$${CORDON_RANDOM_POLICIES:-100} \
		tools/run-tests unit $(BUILD)-aarch64 $(CROSS_TESTS:%=$(BUILD)-aarch64/tests/aarch64_%)

cross-objects: $(LIBS) $(BUILD)/obj/gen/reader_program.o $(BUILD)/obj/gen/collect_program.o $(BUILD)/obj/gen/supervisor_program.o $(CROSS_TESTS:%=$(BUILD)/tests/aarch64_%)

# A script, because nothing else runs a program of another processor.
$(BUILD)/tests/aarch64_%: tests/unit/test_%.c tests/cross/cmocka.h tests/cross/sha2.c $(call L,profiles policies base)
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -Itests/cross $(LDFLAGS_ALL) -static -o $@.program $< tests/cross/sha2.c $(call L,profiles policies base)
	$(Q)printf '#!/bin/sh\nexec $(CROSS_RUN) $(CURDIR)/$@.program\n' >$@ && chmod +x $@

# The rooms are compiled once for all harnesses.
FUZZ_CC := clang -std=gnu11 -D_GNU_SOURCE -O1 -g -I. -I$(BUILD)/gen -fno-sanitize-recover=all \
           -DCORDON_VERSION='"fuzz"' -DCORDON_DATADIR='"$(datadir)"'
fuzz_objects = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(patsubst $(BUILD)/%,%,$(1)))
FUZZ_ROOMS := $(call fuzz_objects,$(wildcard base/*.c policies/*.c profiles/*.c audit/*.c) $(filter %.c,$(GEN)))

# What a harness needs beyond them.
$(BUILD)/fuzz/fuzz_options: $(call fuzz_objects,cli/options.c)
$(BUILD)/fuzz/fuzz_cgroup: $(call fuzz_objects,sandbox/cgroup_text.c)
$(BUILD)/fuzz/fuzz_wire: $(call fuzz_objects,sandbox/wire.c)
$(BUILD)/fuzz/fuzz_kernel_record: $(call fuzz_objects,collect/process.c collect/forks.c collect/netlink.c)
$(BUILD)/fuzz/fuzz_elf: $(call fuzz_objects,$(CLI_ELF))
$(BUILD)/fuzz/fuzz_recording: $(call fuzz_objects,$(CLI_RECORDING))
$(BUILD)/fuzz/fuzz_passwd: $(call fuzz_objects,sandbox/plan_home.c)
$(BUILD)/fuzz/fuzz_collected: $(call fuzz_objects,collect/clients.c collect/process.c)
$(BUILD)/fuzz/obj/gen/%.o: $(BUILD)/gen/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/fuzz/fuzz_%.o $(FUZZ_ROOMS)
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(FUZZ_LIBS) -ljson-c -lmd

faults: all $(FAULTS)  ## every call of a launch fails, lies, or is the last one: some minutes
	tests/faults/all $(BUILD)

# These take longer than a test of `make check` may.
LONG_TESTS = CORDON_TEST_TALK=1 CORDON_TEST_TIMEOUT=$${CORDON_TEST_TIMEOUT:-14400} tools/run-tests integration $(BUILD)
escape: all $(PROBES)  ## what a payload tries, in every kind of sandbox: some minutes
	$(LONG_TESTS) tests/escape/modes.sh

hostile-trees: all $(PROBES)  ## launches on 10,000 trees that an enemy made
	$(LONG_TESTS) tests/escape/forest.sh

races: all $(PROBES)  ## 100,000 exchanges of each kind of path while it is launched on: an hour
	$(LONG_TESTS) tests/races/tries.sh

COUNT ?= 1000
SEED  ?= $(shell date +%s)
launches: all $(PROBES)  ## COUNT launches of random options under random policies, from SEED
	$(BUILD)/tests/programs/launches --seed $(SEED) --count $(COUNT) $(BUILD)/cordon

concurrency: all $(PROBES)  ## two hundred launches at any time, for ten minutes
	$(LONG_TESTS) tests/concurrency/many.sh

TIME ?= 60
fuzz: $(FUZZERS)  ## every fuzzer for TIME seconds
	tools/run-fuzz $(TIME) $(FUZZERS)

bench: all  ## launch, call and flood costs beside their peers, interleaved
	bench/run
	bench/flood 10

demo:  ## the main job, end to end, as an unprivileged user
	tools/demo

# What is committed, as a source archive, and what the programs are made of. Both follow from the
# commit alone: git-archive(1) takes its times, and gzip -n none.
dist: all  ## the source archive and the SBOM (SPDX), in build/
	git archive --format=tar --prefix=cordon-$(VERSION)/ HEAD | gzip -9n >$(BUILD)/cordon-$(VERSION).tar.gz
	LAUNCHER_LIBC=$(LAUNCHER_LIBC) tools/sbom $(BUILD) $(VERSION) >$(BUILD)/cordon-$(VERSION).spdx.json
	tools/check-sbom $(BUILD)/cordon-$(VERSION).spdx.json

# The launcher's AppArmor profile: beside the data always, and where the host loads it from when that
# host knows the profile's ABI and the prefix is the system's. APPARMOR_DIR= keeps it out of there.
APPARMOR_DIR ?= $(and $(filter /usr /usr/local,$(PREFIX)),$(wildcard /etc/apparmor.d/abi/4.0),/etc/apparmor.d)

install: all  ## into DESTDIR/PREFIX
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(datadir)/policies $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(compdir)
	install -m 0755 $(BUILD)/cordon $(DESTDIR)$(bindir)/cordon
	install -m 0755 $(BUILD)/cordon-policy $(BUILD)/cordon-audit $(BUILD)/cordon-learn $(BUILD)/cordon-static $(BUILD)/cordon-scope $(BUILD)/cordon-collect $(BUILD)/cordon-probe $(DESTDIR)$(libexecdir)/
	install -m 0644 policies/library/*.policy $(DESTDIR)$(datadir)/policies/
	install -d $(DESTDIR)$(datadir)/selinux
	install -m 0644 profiles/cordon-base.cil $(DESTDIR)$(datadir)/selinux/
	install -d $(DESTDIR)$(datadir)/systemd
	sed 's|^ExecStart=.*|ExecStart=$(libexecdir)/cordon-collect|' collect/cordon-collect.service >$(DESTDIR)$(datadir)/systemd/cordon-collect.service
	chmod 0644 $(DESTDIR)$(datadir)/systemd/cordon-collect.service
	install -m 0644 doc/man/*.1 $(DESTDIR)$(mandir)/man1/
	install -m 0644 tools/completion.bash $(DESTDIR)$(compdir)/cordon
	install -m 0644 tools/completion.bash $(DESTDIR)$(datadir)/completion.bash
	for dir in $(datadir)/apparmor.d $(APPARMOR_DIR); do \
		install -d $(DESTDIR)$$dir && \
		sed 's|^@{cordon} = .*|@{cordon} = $(bindir)/cordon|' profiles/apparmor.d/cordon >$(DESTDIR)$$dir/cordon && \
		chmod 0644 $(DESTDIR)$$dir/cordon || exit 1; \
	done

clean:  ## remove what was built
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-clang

-include $(shell find $(BUILD)/obj $(BUILD)/musl $(BUILD)/fuzz/obj -name '*.d' 2>/dev/null)
