// SPDX-License-Identifier: Apache-2.0
#include "policies/danger.h"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/fd.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* linux/sched.h */
#endif

/* The table's shorthand: an argument's value, any bit of a mask, the bits of a mask. */
#define ANY	      .n_tests = 0
#define IS(a, v)      .n_tests = 1, .tests = { { (a), POLICY_EQ, false, 0, (v) } }
#define HAS(a, m)     .n_tests = 1, .tests = { { (a), POLICY_MASKED_EQ, true, (m), 0 } }
#define BITS(a, m, v) .n_tests = 1, .tests = { { (a), POLICY_MASKED_EQ, false, (m), (v) } }
#define IS_AND_IS(a, v, b, w)                                                                      \
	.n_tests = 2,                                                                              \
	.tests = { { (a), POLICY_EQ, false, 0, (v) }, { (b), POLICY_EQ, false, 0, (w) } }
#define IS_AND_BITS(a, v, b, m, w)                                                                 \
	.n_tests = 2,                                                                              \
	.tests = { { (a), POLICY_EQ, false, 0, (v) }, { (b), POLICY_MASKED_EQ, false, (m), (w) } }

#define D(name, shown, kind, points, pattern, reason, origin)                                      \
	{                                                                                          \
		.call = (name), .what = (shown), .class = DANGER_##kind, .weight = (points),       \
		pattern, .why = (reason), .source = (origin)                                       \
	}

/* Values that no header names: who lets these through lets through what no line names. */
#define UNNAMED(a) BITS(a, 0xffff0000, 0x00aa0000)

/* clang-format off */
static const struct danger table[] = {
	D("acct", NULL, MACHINE, 5, ANY,
	  "makes the kernel write a record of every process to a file of the caller's choice",
	  "acct(2)"),
	D("add_key", NULL, SUBSYSTEM, 8, ANY,
	  "puts keys into keyrings that no namespace separates by default; the key code has had "
	  "use-after-free holes",
	  "add_key(2); CVE-2016-0728, CVE-2017-15951"),
	D("adjtimex", NULL, MACHINE, 5, ANY,
	  "steers the machine's clock, which certificates and logs are judged by",
	  "adjtimex(2)"),
	D("bpf", NULL, PROGRAM, 20, ANY,
	  "loads programs into the kernel; its verifier has let through reads and writes of "
	  "kernel memory many times",
	  "bpf(2); CVE-2020-8835, CVE-2021-3490, CVE-2022-23222"),
	D("chroot", NULL, PATH, 8, ANY,
	  "changes what paths mean, and with an open directory leads out of the new root",
	  "chroot(2), NOTES"),
	D("clock_adjtime", NULL, MACHINE, 5, ANY,
	  "steers the machine's clock", "clock_adjtime(2)"),
	D("clock_settime", NULL, MACHINE, 5, ANY,
	  "sets the machine's clock, which certificates and logs are judged by",
	  "clock_settime(2)"),
	D("clone", "clone(CLONE_NEWUSER)", NAMESPACE, 15, HAS(0, CLONE_NEWUSER),
	  "a new user namespace has every capability in it: most kernel holes of the last years "
	  "were reached that way",
	  "user_namespaces(7); CVE-2022-0185, CVE-2023-32233, CVE-2024-1086"),
	D("clone", "clone(CLONE_NEWNS and other namespaces)", NAMESPACE, 8,
	  HAS(0, CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
	      CLONE_NEWNET),
	  "makes namespaces whose set-up code expects an administrator",
	  "namespaces(7)"),
	D("clone3", NULL, NAMESPACE, 10, ANY,
	  "has its flags in memory, where no filter reads them: it makes every namespace that "
	  "clone's filter refuses",
	  "clone(2); kernel doc userspace-api/seccomp_filter"),
	D("copy_file_range", NULL, SIDE, 1, ANY,
	  "moves data without read or write", "copy_file_range(2)"),
	D("create_module", NULL, MACHINE, 5, ANY,
	  "loaded modules before Linux 2.6", "create_module(2)"),
	D("delete_module", NULL, MACHINE, 15, ANY,
	  "takes code out of the kernel", "delete_module(2)"),
	D("execve", NULL, PROCESS, 2, ANY,
	  "runs any program that the view shows as executable", "execve(2)"),
	D("execveat", NULL, PROCESS, 2, ANY,
	  "runs programs by descriptor, so also a memfd that no path names", "execveat(2)"),
	D("fanotify_init", NULL, PATH, 5, ANY,
	  "watches, and with privilege holds, file accesses of other processes",
	  "fanotify(7)"),
	D("finit_module", NULL, MACHINE, 20, ANY, "loads code into the kernel", "init_module(2)"),
	D("fsconfig", NULL, NAMESPACE, 10, ANY,
	  "sets up file systems from text of the caller's; a heap overflow there was an escape "
	  "from containers",
	  "fsconfig(2); CVE-2022-0185"),
	D("fsmount", NULL, NAMESPACE, 8, ANY, "makes mounts", "fsmount(2)"),
	D("fsopen", NULL, NAMESPACE, 8, ANY, "begins a mount of any file system type", "fsopen(2)"),
	D("fspick", NULL, NAMESPACE, 8, ANY, "reconfigures a mounted file system", "fspick(2)"),
	D("futex", NULL, SIDE, 2, ANY,
	  "every threaded program needs it; its priority inheritance was a road to root",
	  "futex(2); CVE-2014-3153, CVE-2021-3347"),
	D("init_module", NULL, MACHINE, 20, ANY, "loads code into the kernel", "init_module(2)"),
	D("io_setup", NULL, SUBSYSTEM, 2, ANY,
	  "asynchronous I/O of the old kind; seldom used", "io_setup(2)"),
	D("io_uring_enter", NULL, FILTER, 15, ANY,
	  "operations of a ring are no system calls: nothing that is denied by number or "
	  "argument is denied there",
	  "io_uring(7); CVE-2022-29582, CVE-2023-2598"),
	D("io_uring_register", NULL, FILTER, 10, ANY,
	  "keeps files and memory registered for operations that no filter sees",
	  "io_uring_register(2)"),
	D("io_uring_setup", NULL, FILTER, 20, ANY,
	  "operations of a ring are no system calls, so the filter does not see them; 60 % of "
	  "what one vendor's kernel bounty was sent in 2022 used it",
	  "io_uring(7); CVE-2022-29582, CVE-2023-2598"),
	D("ioctl", "ioctl(TIOCSTI)", TERMINAL, 15, IS(1, TIOCSTI),
	  "types into the terminal: what is typed runs in the caller's shell outside",
	  "ioctl_tty(2); CVE-2017-5226, CVE-2019-7303, CVE-2023-1523"),
	D("ioctl", "ioctl(TIOCLINUX)", TERMINAL, 10, IS(1, TIOCLINUX),
	  "selects and pastes on a virtual console: the same as typing into it",
	  "ioctl_console(2); CVE-2023-28100"),
	D("ioctl", "ioctl(TIOCCONS)", TERMINAL, 5, IS(1, TIOCCONS),
	  "takes the console's output to another terminal", "ioctl_tty(2)"),
	D("ioctl", "ioctl(TIOCSETD)", SUBSYSTEM, 10, IS(1, TIOCSETD),
	  "loads line disciplines, old drivers with a steady record of holes",
	  "ioctl_tty(2); CVE-2017-2636, CVE-2020-14416"),
	D("ioctl", "ioctl of commands that no line names", SUBSYSTEM, 4, UNNAMED(1),
	  "each driver that the view shows adds its own",
	  "ioctl(2)"),
	D("ioctl", "ioctl(USERFAULTFD_IOC_NEW)", SIDE, 5, IS(1, 0xaa00),
	  "/dev/userfaultfd makes what userfaultfd makes, where the device is shown",
	  "linux/userfaultfd.h, Linux 6.1"),
	D("ioperm", NULL, MACHINE, 15, ANY, "opens I/O ports of the machine", "ioperm(2)"),
	D("iopl", NULL, MACHINE, 15, ANY, "opens all I/O ports of the machine", "iopl(2)"),
	D("ipc", NULL, FILTER, 4, ANY,
	  "is many calls in one whose arguments lie in memory: rules for shmget, semop and "
	  "others do not reach it",
	  "ipc(2)"),
	D("kcmp", NULL, PROCESS, 8, ANY,
	  "compares kernel addresses of other processes' objects", "kcmp(2)"),
	D("kexec_file_load", NULL, MACHINE, 20, ANY, "replaces the kernel", "kexec_file_load(2)"),
	D("kexec_load", NULL, MACHINE, 20, ANY, "replaces the kernel", "kexec_load(2)"),
	D("keyctl", NULL, SUBSYSTEM, 10, ANY,
	  "reads and changes keys of the same user that no namespace separates by default; has "
	  "had several holes",
	  "keyctl(2); CVE-2016-0728, CVE-2017-2647"),
	D("kill", NULL, PROCESS, 1, ANY,
	  "signals processes of the same pid namespace", "kill(2)"),
	D("lookup_dcookie", NULL, SIDE, 5, ANY,
	  "turns cookies into paths of others", "lookup_dcookie(2)"),
	D("lsm_set_self_attr", NULL, HARDENING, 5, ANY,
	  "changes the process's own security label", "lsm_set_self_attr(2)"),
	D("mbind", NULL, SUBSYSTEM, 2, ANY,
	  "steers where memory lies; its code has had leaks", "mbind(2); CVE-2017-7616"),
	D("memfd_create", NULL, PROGRAM, 2, ANY,
	  "makes files that no path names and that can be executed", "memfd_create(2)"),
	D("memfd_secret", NULL, SIDE, 3, ANY,
	  "takes memory out of the kernel's own map, and hibernation away", "memfd_secret(2)"),
	D("migrate_pages", NULL, PROCESS, 5, ANY,
	  "moves another process's pages", "migrate_pages(2)"),
	D("mmap", "mmap(PROT_WRITE|PROT_EXEC)", HARDENING, 3,
	  BITS(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC),
	  "memory that is written and executed is what injected code needs", "mmap(2)"),
	D("modify_ldt", NULL, SUBSYSTEM, 10, ANY,
	  "writes segment descriptors; code of the 32-bit past with a record of holes",
	  "modify_ldt(2); CVE-2014-9090, CVE-2017-17053"),
	D("mount", NULL, NAMESPACE, 15, ANY,
	  "rearranges what paths mean, and reaches every file system's code",
	  "mount(2); CVE-2021-3493, CVE-2023-0386"),
	D("mount_setattr", NULL, NAMESPACE, 8, ANY,
	  "makes read-only mounts writable again", "mount_setattr(2)"),
	D("move_mount", NULL, NAMESPACE, 10, ANY,
	  "puts mounts elsewhere: a list that denies mount alone forgot it",
	  "move_mount(2); CVE-2021-41133"),
	D("move_pages", NULL, PROCESS, 5, ANY, "moves, and locates, another process's pages",
	  "move_pages(2)"),
	D("mprotect", "mprotect(PROT_EXEC)", HARDENING, 2, HAS(2, PROT_EXEC),
	  "makes written memory executable", "mprotect(2)"),
	D("mq_notify", NULL, SUBSYSTEM, 2, ANY,
	  "sends messages through netlink sockets inside the kernel",
	  "mq_notify(3); CVE-2017-11176"),
	D("msgsnd", NULL, SIDE, 2, ANY,
	  "fills kernel memory with content and size of choice, which exploits are built of",
	  "msgop(2); CVE-2021-22555"),
	D("name_to_handle_at", NULL, PATH, 3, ANY,
	  "gives handles that open_by_handle_at takes, and mount ids", "name_to_handle_at(2)"),
	D("nfsservctl", NULL, MACHINE, 5, ANY,
	  "spoke with the kernel's NFS server before Linux 3.1",
	  "nfsservctl(2)"),
	D("open_by_handle_at", NULL, PATH, 15, ANY,
	  "opens any inode of a file system by number, past every path and mount",
	  "open_by_handle_at(2)"),
	D("open_tree", NULL, NAMESPACE, 8, ANY, "copies mounts, also to where none could be made",
	  "open_tree(2); CVE-2021-41133"),
	D("open_tree_attr", NULL, NAMESPACE, 8, ANY, "copies mounts and changes their attributes",
	  "Linux 6.15"),
	D("openat2", NULL, FILTER, 1, ANY,
	  "has its flags in memory, where no filter reads them", "openat2(2)"),
	D("perf_event_open", NULL, SIDE, 15, ANY,
	  "measures other processes and the kernel; its code has been a road to root several times",
	  "perf_event_open(2); CVE-2013-2094, CVE-2022-1729"),
	D("personality", "personality(READ_IMPLIES_EXEC)", HARDENING, 8, IS(0, READ_IMPLIES_EXEC),
	  "makes all readable memory executable, in every program that is run after it",
	  "personality(2)"),
	D("personality", "personality(ADDR_NO_RANDOMIZE)", HARDENING, 5, IS(0, ADDR_NO_RANDOMIZE),
	  "switches address randomisation off", "personality(2)"),
	D("personality", "personality(MMAP_PAGE_ZERO)", HARDENING, 5, IS(0, MMAP_PAGE_ZERO),
	  "maps page zero, which turns null pointers of the kernel into data",
	  "personality(2); CVE-2009-1895"),
	D("pidfd_getfd", NULL, PROCESS, 10, ANY,
	  "takes open files out of another process", "pidfd_getfd(2)"),
	D("pivot_root", NULL, PATH, 8, ANY, "changes the root of the mount tree", "pivot_root(2)"),
	D("pkey_mprotect", "pkey_mprotect(PROT_EXEC)", HARDENING, 2, HAS(2, PROT_EXEC),
	  "makes written memory executable", "pkey_mprotect(2)"),
	D("prctl", "prctl(PR_SET_MM)", PROCESS, 5, IS(0, PR_SET_MM),
	  "rewrites what /proc says about the process, which logs rely on", "prctl(2)"),
	D("prctl", "prctl(PR_SET_PTRACER)", PROCESS, 2, IS(0, PR_SET_PTRACER),
	  "lets other processes trace this one where Yama would not", "prctl(2)"),
	D("prctl", "prctl(PR_SET_SPECULATION_CTRL)", HARDENING, 2, IS(0, PR_SET_SPECULATION_CTRL),
	  "can switch mitigations of speculation off that nothing forced on", "prctl(2)"),
	D("prctl", "prctl(PR_SET_DUMPABLE)", PROCESS, 1, IS(0, PR_SET_DUMPABLE),
	  "makes the process readable by others of the user", "prctl(2)"),
	D("prctl", "prctl of options that no line names", SUBSYSTEM, 2, UNNAMED(0),
	  "a bag of process settings that grows with each kernel", "prctl(2)"),
	D("preadv2", NULL, SIDE, 1, ANY, "reads without blocking", "preadv2(2)"),
	D("process_madvise", NULL, PROCESS, 5, ANY, "advises on another process's memory",
	  "process_madvise(2)"),
	D("process_vm_readv", NULL, PROCESS, 10, ANY,
	  "reads another process's memory", "process_vm_readv(2)"),
	D("process_vm_writev", NULL, PROCESS, 15, ANY,
	  "writes another process's memory", "process_vm_writev(2)"),
	D("ptrace", NULL, PROCESS, 15, ANY,
	  "steers other processes; before Linux 4.8 also past the filter, by changing the number "
	  "after the check",
	  "ptrace(2); CVE-2019-13272"),
	D("query_module", NULL, MACHINE, 3, ANY,
	  "told of modules before Linux 2.6", "query_module(2)"),
	D("quotactl", NULL, MACHINE, 8, ANY, "turns disk quotas on and off, and reads others' use",
	  "quotactl(2)"),
	D("quotactl_fd", NULL, MACHINE, 8, ANY, "turns disk quotas on and off", "quotactl(2)"),
	D("reboot", NULL, MACHINE, 15, ANY, "stops the machine, or the pid namespace", "reboot(2)"),
	D("remap_file_pages", NULL, SUBSYSTEM, 2, ANY, "deprecated since Linux 3.16",
	  "remap_file_pages(2)"),
	D("request_key", NULL, SUBSYSTEM, 8, ANY,
	  "makes the kernel run a helper program outside to find a key", "request_key(2)"),
	D("sched_setscheduler", NULL, MACHINE, 1, ANY, "real-time scheduling, with the right limit",
	  "sched_setscheduler(2)"),
	D("seccomp", "seccomp(SECCOMP_SET_MODE_FILTER)", PROGRAM, 2,
	  IS(0, SECCOMP_SET_MODE_FILTER),
	  "loads classic BPF that can only narrow; a listener among it can stall, never open",
	  "seccomp(2)"),
	D("seccomp", "seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER)", FILTER, 3,
	  IS_AND_BITS(0, SECCOMP_SET_MODE_FILTER, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		      SECCOMP_FILTER_FLAG_NEW_LISTENER),
	  "a notifier of the payload's own answers calls; what this policy denies outranks it",
	  "seccomp_unotify(2)"),
	D("sethostname", NULL, MACHINE, 3, ANY,
	  "renames the machine where the UTS namespace is shared",
	  "sethostname(2)"),
	D("setns", NULL, NAMESPACE, 15, ANY, "enters namespaces of other processes", "setns(2)"),
	D("settimeofday", NULL, MACHINE, 5, ANY, "sets the machine's clock", "settimeofday(2)"),
	D("setxattr", NULL, SIDE, 1, ANY, "content of choice for a moment in kernel memory",
	  "setxattr(2)"),
	D("shmat", NULL, SIDE, 1, ANY, "maps shared memory, also executable", "shmop(2)"),
	D("socket", "socket(AF_INET)", SUBSYSTEM, 2, IS(0, AF_INET),
	  "the network, as far as the net line opens it", "ip(7)"),
	D("socket", "socket(AF_INET6)", SUBSYSTEM, 2, IS(0, AF_INET6),
	  "the network, as far as the net line opens it", "ipv6(7)"),
	D("socket", "socket(AF_UNIX)", SUBSYSTEM, 2, IS(0, AF_UNIX),
	  "reaches services whose sockets the view shows; descriptors in flight have had "
	  "use-after-free holes",
	  "unix(7); CVE-2021-0920"),
	D("socket", "socket(SOCK_RAW of internet families)", SUBSYSTEM, 8,
	  IS_AND_BITS(0, AF_INET, 1, 0xf, SOCK_RAW),
	  "sends packets with headers of its own", "raw(7); CVE-2017-17712"),
	D("socket", "socket(AF_PACKET)", SUBSYSTEM, 12, IS(0, AF_PACKET),
	  "sees and sends whole frames; its rings have had several roads to root",
	  "packet(7); CVE-2016-8655, CVE-2017-7308, CVE-2020-14386"),
	D("socket", "socket(AF_NETLINK, NETLINK_ROUTE)", SUBSYSTEM, 3,
	  IS_AND_IS(0, AF_NETLINK, 2, NETLINK_ROUTE),
	  "configures the network of the namespace; getifaddrs needs it to look", "rtnetlink(7)"),
	D("socket", "socket(AF_NETLINK, NETLINK_NETFILTER)", SUBSYSTEM, 15,
	  IS_AND_IS(0, AF_NETLINK, 2, NETLINK_NETFILTER),
	  "nf_tables: the part of the kernel with most roads to root since 2021",
	  "netlink(7); CVE-2022-34918, CVE-2023-32233, CVE-2024-1086"),
	D("socket", "socket(AF_NETLINK, NETLINK_XFRM)", SUBSYSTEM, 10,
	  IS_AND_IS(0, AF_NETLINK, 2, NETLINK_XFRM),
	  "IPsec's tables, a record of overflows", "netlink(7); CVE-2017-7184, CVE-2022-27666"),
	D("socket", "socket(AF_NETLINK, NETLINK_SOCK_DIAG)", SUBSYSTEM, 8,
	  IS_AND_IS(0, AF_NETLINK, 2, NETLINK_SOCK_DIAG),
	  "lists sockets of others; has had an array index from the caller",
	  "sock_diag(7); CVE-2013-1763"),
	D("socket", "socket(AF_NETLINK, NETLINK_AUDIT)", SUBSYSTEM, 5,
	  IS_AND_IS(0, AF_NETLINK, 2, NETLINK_AUDIT),
	  "writes to the machine's audit log", "netlink(7)"),
	D("socket", "socket(AF_NETLINK, NETLINK_GENERIC)", SUBSYSTEM, 8,
	  IS_AND_IS(0, AF_NETLINK, 2, NETLINK_GENERIC),
	  "speaks with every driver that registered a family", "netlink(7)"),
	D("socket", "socket(AF_ALG)", SUBSYSTEM, 8, IS(0, AF_ALG),
	  "the kernel's ciphers from outside; loads modules by name, and has had overflows",
	  "kernel doc crypto/userspace-if; CVE-2017-17805, CVE-2019-8912"),
	D("socket", "socket(AF_VSOCK)", SUBSYSTEM, 10, IS(0, AF_VSOCK),
	  "speaks with the hypervisor past every network namespace",
	  "vsock(7); CVE-2021-26708, CVE-2025-21756"),
	D("socket", "socket(AF_KEY)", SUBSYSTEM, 8, IS(0, AF_KEY), "IPsec keys, the old interface",
	  "RFC 2367; CVE-2022-1353"),
	D("socket", "socket(AF_CAN)", SUBSYSTEM, 8, IS(0, AF_CAN),
	  "a car's bus; its broadcast manager has had races to root",
	  "kernel doc networking/can; CVE-2021-3609"),
	D("socket", "socket(AF_TIPC)", SUBSYSTEM, 8, IS(0, AF_TIPC),
	  "cluster messages; an overflow was reached from outside the machine", "CVE-2021-43267"),
	D("socket", "socket(AF_RDS)", SUBSYSTEM, 8, IS(0, AF_RDS),
	  "reliable datagrams; wrote where the caller said", "CVE-2010-3904, CVE-2019-11815"),
	D("socket", "socket(AF_BLUETOOTH)", SUBSYSTEM, 8, IS(0, AF_BLUETOOTH),
	  "Bluetooth, past every network namespace", "CVE-2020-12351, CVE-2021-3573"),
	D("socket", "socket(AF_NFC)", SUBSYSTEM, 8, IS(0, AF_NFC),
	  "near field devices", "CVE-2021-23134"),
	D("socket", "socket(AF_XDP)", SUBSYSTEM, 8, IS(0, AF_XDP),
	  "frames of a network card in user memory",
	  "kernel doc networking/af_xdp"),
	D("socket", "socket(AF_RXRPC)", SUBSYSTEM, 8, IS(0, AF_RXRPC),
	  "calls of a distributed file system",
	  "kernel doc networking/rxrpc"),
	D("socket", "socket(AF_KCM)", SUBSYSTEM, 5, IS(0, AF_KCM),
	  "messages over streams, cut by BPF",
	  "kernel doc networking/kcm"),
	D("socket", "socket(AF_PPPOX)", SUBSYSTEM, 5, IS(0, AF_PPPOX),
	  "PPP over other networks", "CVE-2014-4943"),
	D("socket", "socket(AF_LLC)", SUBSYSTEM, 5, IS(0, AF_LLC),
	  "a link layer of the past", "CVE-2017-6345"),
	D("socketcall", NULL, FILTER, 8, ANY,
	  "is every socket call in one whose arguments lie in memory: no filter on socket(2) "
	  "reaches it",
	  "socketcall(2)"),
	D("splice", NULL, SIDE, 2, ANY, "moves pages between files and pipes without a copy",
	  "splice(2); CVE-2022-0847"),
	D("swapoff", NULL, MACHINE, 8, ANY, "takes swap from the machine", "swapon(2)"),
	D("swapon", NULL, MACHINE, 8, ANY, "makes a file the machine's swap", "swapon(2)"),
	D("sysfs", NULL, SUBSYSTEM, 2, ANY, "an old list of file system types", "sysfs(2)"),
	D("syslog", NULL, SIDE, 8, ANY,
	  "reads the kernel's log, with addresses in it", "syslog(2)"),
	D("umount2", NULL, NAMESPACE, 10, ANY, "takes away what was mounted over something",
	  "umount(2)"),
	D("unshare", "unshare(CLONE_NEWUSER)", NAMESPACE, 15, HAS(0, CLONE_NEWUSER),
	  "a new user namespace has every capability in it: most kernel holes of the last years "
	  "were reached that way",
	  "user_namespaces(7); CVE-2022-0185, CVE-2023-32233, CVE-2024-1086"),
	D("unshare", "unshare(CLONE_NEWNS and other namespaces)", NAMESPACE, 8,
	  HAS(0, CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
	      CLONE_NEWNET | CLONE_NEWTIME),
	  "makes namespaces whose set-up code expects an administrator", "namespaces(7)"),
	D("uselib", NULL, SUBSYSTEM, 8, ANY,
	  "loads a library the way of 1995; has had races to root",
	  "uselib(2); CVE-2004-1235"),
	D("userfaultfd", NULL, SIDE, 10, ANY,
	  "stops the kernel in the middle of a copy for as long as wanted, which turns races "
	  "into certainties",
	  "userfaultfd(2); kernel doc admin-guide/mm/userfaultfd"),
	D("ustat", NULL, SUBSYSTEM, 2, ANY, "deprecated: statfs tells the same", "ustat(2)"),
	D("vhangup", NULL, TERMINAL, 5, ANY, "hangs up the terminal", "vhangup(2)"),
	D("vm86", NULL, SUBSYSTEM, 10, ANY, "runs 16-bit code; seldom compiled in", "vm86(2)"),
	D("vm86old", NULL, SUBSYSTEM, 10, ANY, "runs 16-bit code; seldom compiled in", "vm86(2)"),
	D("vmsplice", NULL, SIDE, 3, ANY, "gives pages of the process to pipes; was a road to root",
	  "vmsplice(2); CVE-2008-0600"),
	D("waitid", NULL, SIDE, 1, ANY,
	  "wrote where the caller said, once", "waitid(2); CVE-2017-5123"),
};
/* clang-format on */

/* Each of these is root, or one step from it, over what it reaches (capabilities(7); "False
 * Boundaries and Arbitrary Code Execution", grsecurity, 2011). */
static const struct danger_cap caps[] = {
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "mounts, and a third of all privileged operations" },
	{ CAP_SYS_MODULE, "CAP_SYS_MODULE", "loads code into the kernel" },
	{ CAP_SYS_RAWIO, "CAP_SYS_RAWIO", "reads and writes the machine's ports and disks" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "steers every process it sees" },
	{ CAP_SYS_BOOT, "CAP_SYS_BOOT", "replaces or stops the kernel" },
	{ CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "changes what paths mean to set-uid programs" },
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "writes every file" },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
	  "reads every file, and opens inodes by number past the view" },
	{ CAP_CHOWN, "CAP_CHOWN", "takes every file" },
	{ CAP_FOWNER, "CAP_FOWNER", "changes every file's mode" },
	{ CAP_SETUID, "CAP_SETUID", "becomes any user" },
	{ CAP_SETGID, "CAP_SETGID", "becomes any group" },
	{ CAP_SETFCAP, "CAP_SETFCAP", "gives programs capabilities" },
	{ CAP_SETPCAP, "CAP_SETPCAP", "passes capabilities on" },
	{ CAP_MKNOD, "CAP_MKNOD", "makes devices" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN",
	  "reaches the kernel's packet filter, where most of the "
	  "recent roads to root were" },
	{ CAP_NET_RAW, "CAP_NET_RAW", "forges packets, and reaches packet sockets' code" },
	{ CAP_MAC_ADMIN, "CAP_MAC_ADMIN", "changes security policies" },
	{ CAP_MAC_OVERRIDE, "CAP_MAC_OVERRIDE", "goes past security policies" },
	{ CAP_BPF, "CAP_BPF", "loads programs into the kernel" },
	{ CAP_PERFMON, "CAP_PERFMON", "reads kernel memory by tracing" },
	{ CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", "restores processes as it likes" },
};

const struct danger_cap *danger_caps(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(caps);
	return caps;
}

const struct danger *danger_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(table);
	return table;
}

size_t danger_pattern(const struct danger *danger, const struct syscall_desc *call,
		      struct policy_cond ret[DANGER_TESTS])
{
	for (size_t i = 0; i < danger->n_tests; i++) {
		ret[i] = (struct policy_cond){
			.arg = danger->tests[i].arg,
			.op = danger->tests[i].op,
			.negate = danger->tests[i].negate,
			.width = call->args[danger->tests[i].arg].width,
			.mask = danger->tests[i].mask,
			.value = danger->tests[i].value,
		};
	}
	return danger->n_tests;
}

const char *danger_class_name(enum danger_class class)
{
	static const char *const names[] = {
		[DANGER_MACHINE] = "machine",	  [DANGER_PROCESS] = "process",
		[DANGER_NAMESPACE] = "namespace", [DANGER_PROGRAM] = "program",
		[DANGER_SUBSYSTEM] = "subsystem", [DANGER_FILTER] = "filter",
		[DANGER_PATH] = "path",		  [DANGER_TERMINAL] = "terminal",
		[DANGER_HARDENING] = "hardening", [DANGER_SIDE] = "side",
	};

	return names[class];
}

const char *danger_name(const struct danger *danger)
{
	return danger->what ? danger->what : danger->call;
}
