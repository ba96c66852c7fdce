// SPDX-License-Identifier: Apache-2.0
/* Names for sockets and for requests to devices. */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "audit/names.h"

#ifndef AF_MCTP
#define AF_MCTP 45 /* linux/socket.h, Linux 5.15; musl 1.2.3 lacks it */
#endif

static const struct name_value family_values[] = {
	NAME(AF_UNSPEC),     NAME(AF_UNIX),	 NAME(AF_INET),	    NAME(AF_AX25),
	NAME(AF_IPX),	     NAME(AF_APPLETALK), NAME(AF_NETROM),   NAME(AF_BRIDGE),
	NAME(AF_ATMPVC),     NAME(AF_X25),	 NAME(AF_INET6),    NAME(AF_ROSE),
	NAME(AF_DECnet),     NAME(AF_NETBEUI),	 NAME(AF_SECURITY), NAME(AF_KEY),
	NAME(AF_NETLINK),    NAME(AF_PACKET),	 NAME(AF_ASH),	    NAME(AF_ECONET),
	NAME(AF_ATMSVC),     NAME(AF_RDS),	 NAME(AF_SNA),	    NAME(AF_IRDA),
	NAME(AF_PPPOX),	     NAME(AF_WANPIPE),	 NAME(AF_LLC),	    NAME(AF_IB),
	NAME(AF_MPLS),	     NAME(AF_CAN),	 NAME(AF_TIPC),	    NAME(AF_BLUETOOTH),
	NAME(AF_IUCV),	     NAME(AF_RXRPC),	 NAME(AF_ISDN),	    NAME(AF_PHONET),
	NAME(AF_IEEE802154), NAME(AF_CAIF),	 NAME(AF_ALG),	    NAME(AF_NFC),
	NAME(AF_VSOCK),	     NAME(AF_KCM),	 NAME(AF_QIPCRTR),  NAME(AF_SMC),
	NAME(AF_XDP),	     NAME(AF_MCTP),
};
NAMES_ENUM(names_families, family_values);

static const struct name_value type_low[] = {
	NAME(SOCK_STREAM),    NAME(SOCK_DGRAM), NAME(SOCK_RAW),	   NAME(SOCK_RDM),
	NAME(SOCK_SEQPACKET), NAME(SOCK_DCCP),	NAME(SOCK_PACKET),
};
static const struct name_value type_bits[] = { NAME(SOCK_CLOEXEC), NAME(SOCK_NONBLOCK) };
static NAMES_BOTH(socket_types, 0xf, type_low, type_bits);

static const struct name_value level_values[] = {
	NAME(SOL_SOCKET),      { 0, "SOL_IP" },	       { 41, "SOL_IPV6" },
	{ 6, "SOL_TCP" },      { 17, "SOL_UDP" },      { 255, "SOL_RAW" },
	{ 263, "SOL_PACKET" }, { 270, "SOL_NETLINK" }, { 279, "SOL_ALG" },
};
static NAMES_ENUM(socket_levels, level_values);

/* socketcall(2) of i386, uapi/linux/net.h. */
static const struct name_value socketcall_values[] = {
	{ 1, "SYS_SOCKET" },	  { 2, "SYS_BIND" },	    { 3, "SYS_CONNECT" },
	{ 4, "SYS_LISTEN" },	  { 5, "SYS_ACCEPT" },	    { 6, "SYS_GETSOCKNAME" },
	{ 7, "SYS_GETPEERNAME" }, { 8, "SYS_SOCKETPAIR" },  { 9, "SYS_SEND" },
	{ 10, "SYS_RECV" },	  { 11, "SYS_SENDTO" },	    { 12, "SYS_RECVFROM" },
	{ 13, "SYS_SHUTDOWN" },	  { 14, "SYS_SETSOCKOPT" }, { 15, "SYS_GETSOCKOPT" },
	{ 16, "SYS_SENDMSG" },	  { 17, "SYS_RECVMSG" },    { 18, "SYS_ACCEPT4" },
	{ 19, "SYS_RECVMMSG" },	  { 20, "SYS_SENDMMSG" },
};
static NAMES_ENUM(socketcalls, socketcall_values);

static const struct name_value ioctl_values[] = {
	/* terminals */
	NAME(TCGETS),
	NAME(TCSETS),
	NAME(TCSETSW),
	NAME(TCSETSF),
	NAME(TCSBRK),
	NAME(TCXONC),
	NAME(TCFLSH),
	NAME(TIOCEXCL),
	NAME(TIOCNXCL),
	NAME(TIOCSCTTY),
	NAME(TIOCGPGRP),
	NAME(TIOCSPGRP),
	NAME(TIOCOUTQ),
	NAME(TIOCSTI),
	NAME(TIOCGWINSZ),
	NAME(TIOCSWINSZ),
	NAME(TIOCMGET),
	NAME(TIOCMSET),
	NAME(FIONREAD),
	NAME(TIOCLINUX),
	NAME(TIOCCONS),
	NAME(TIOCPKT),
	NAME(FIONBIO),
	NAME(TIOCNOTTY),
	NAME(TIOCSETD),
	NAME(TIOCGETD),
	NAME(TIOCSBRK),
	NAME(TIOCCBRK),
	NAME(TIOCGSID),
	NAME(TIOCGPTN),
	NAME(TIOCSPTLCK),
	NAME(TIOCGPTPEER),
	NAME(TIOCVHANGUP),
	/* descriptors */
	NAME(FIOCLEX),
	NAME(FIONCLEX),
	NAME(FIOASYNC),
	NAME(FIOQSIZE),
	NAME(FIOSETOWN),
	NAME(FIOGETOWN),
	/* file systems and block devices */
	NAME(FICLONE),
	NAME(FICLONERANGE),
	NAME(FIDEDUPERANGE),
	NAME(FIFREEZE),
	NAME(FITHAW),
	NAME(FITRIM),
	NAME(FIBMAP),
	NAME(FIGETBSZ),
	NAME(FS_IOC_GETFLAGS),
	NAME(FS_IOC_SETFLAGS),
	NAME(FS_IOC_FSGETXATTR),
	NAME(FS_IOC_FSSETXATTR),
	NAME(FS_IOC_FIEMAP),
	NAME(BLKROSET),
	NAME(BLKROGET),
	NAME(BLKRRPART),
	NAME(BLKGETSIZE64),
	NAME(BLKFLSBUF),
	NAME(BLKDISCARD),
	NAME(LOOP_SET_FD),
	NAME(LOOP_CLR_FD),
	NAME(LOOP_CONFIGURE),
	NAME(LOOP_CTL_GET_FREE),
	/* namespaces */
	NAME(NS_GET_USERNS),
	NAME(NS_GET_PARENT),
	NAME(NS_GET_NSTYPE),
	NAME(NS_GET_OWNER_UID),
	/* sockets and interfaces */
	NAME(SIOCOUTQNSD),
	NAME(SIOCADDRT),
	NAME(SIOCDELRT),
	NAME(SIOCGIFNAME),
	NAME(SIOCGIFCONF),
	NAME(SIOCGIFFLAGS),
	NAME(SIOCSIFFLAGS),
	NAME(SIOCGIFADDR),
	NAME(SIOCSIFADDR),
	NAME(SIOCGIFNETMASK),
	NAME(SIOCSIFNETMASK),
	NAME(SIOCGIFMTU),
	NAME(SIOCSIFMTU),
	NAME(SIOCSIFNAME),
	NAME(SIOCGIFHWADDR),
	NAME(SIOCSIFHWADDR),
	NAME(SIOCGIFINDEX),
	NAME(SIOCETHTOOL),
	NAME(SIOCDARP),
	NAME(SIOCGARP),
	NAME(SIOCSARP),
	NAME(SIOCBRADDBR),
	NAME(SIOCBRDELBR),
	NAME(TUNSETIFF),
	NAME(TUNSETPERSIST),
};
static NAMES_ENUM(ioctl_requests, ioctl_values);

const struct name_row names_devices[] = {
	{ "socket", 0, &names_families },     { "socket", 1, &socket_types },
	{ "socketpair", 0, &names_families }, { "socketpair", 1, &socket_types },
	{ "socketcall", 0, &socketcalls },    { "setsockopt", 1, &socket_levels },
	{ "getsockopt", 1, &socket_levels },  { "ioctl", 1, &ioctl_requests },
};
const size_t names_n_devices = sizeof(names_devices) / sizeof(names_devices[0]);
