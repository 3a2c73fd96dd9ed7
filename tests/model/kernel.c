/* SPDX-License-Identifier: BSD-3-Clause */
/* See kernel.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/kernel.h"
#include "model/segment.h"
#include "rig/message.h"

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

/* ---- The namespace ---- */

static void set(const char *path, const char *value, bool needed)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value)) {
		close(fd);
		return;
	}
	must(!needed, path);
}

#define TCP_SYSCTL "/proc/sys/net/ipv4/tcp_"

/* Nothing that would come later than at once, nothing rationed, no options that the scripts do not have. */
static void tune(void)
{
	static const char *const off[] = {
		"invalid_ratelimit", "timestamps",	     "sack",	 "window_scaling", "ecn",
		"autocorking",	     "early_retrans",	     "recovery", "syncookies",	   "frto",
		"fastopen",	     "slow_start_after_idle"
	};
	char path[128];

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		snprintf(path, sizeof(path), TCP_SYSCTL "%s", off[i]);
		set(path, "0", true);
	}
	set(TCP_SYSCTL "rfc1337", "1", true);
	set(TCP_SYSCTL "challenge_ack_limit", "2147483647", false);
	set(TCP_SYSCTL "max_syn_backlog", "65536", true);
	set(TCP_SYSCTL "no_metrics_save", "1", true);
	set("/proc/sys/net/core/somaxconn", "4096", false);
	set("/proc/sys/net/ipv6/conf/all/accept_dad", "0", true);
	set("/proc/sys/net/ipv6/conf/default/accept_dad", "0", true);
}

/* As linux/ipv6.h has it, which does not go with netinet/in.h. */
struct address6 {
	struct in6_addr addr;
	uint32_t prefix;
	int index;
};

static void configure(const char *name)
{
	const int fd4 = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a630001) };
	struct address6 in6 = { .addr.s6_addr = { 0xfd, 0x99, [15] = 1 }, .prefix = 32 };
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6 };
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	memcpy(&ifr.ifr_addr, &in, sizeof(in));
	must(ioctl(fd4, SIOCSIFADDR, &ifr) == 0, "address");
	in.sin_addr.s_addr = htonl(0xffff0000);
	memcpy(&ifr.ifr_netmask, &in, sizeof(in));
	must(ioctl(fd4, SIOCSIFNETMASK, &ifr) == 0, "netmask");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	must(ioctl(fd4, SIOCSIFFLAGS, &ifr) == 0, "up");
	must(ioctl(fd4, SIOCGIFINDEX, &ifr) == 0, "index");
	in6.index = ifr.ifr_ifindex;
	must(ioctl(fd6, SIOCSIFADDR, &in6) == 0, "address of IPv6");
	memcpy(&at6.sin6_addr, &in6.addr, sizeof(in6.addr));
	for (unsigned i = 0; bind(fd6, (struct sockaddr *)&at6, sizeof(at6)) != 0; i++) {
		must(i < 500, "use of the IPv6 address"); /* it is in use a little later */
		usleep(10000);
	}
	close(fd4);
	close(fd6);
}

int kernel_start(struct kernel *k)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	cpu_set_t cpu;

	if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		perror("skipped: unshare");
		return 77;
	}
	k->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (k->tun < 0) {
		perror("skipped: /dev/net/tun");
		return 77;
	}
	CPU_ZERO(&cpu); /* one queue of arrivals: what is sent first is dealt with first */
	CPU_SET((unsigned)sched_getcpu(), &cpu);
	must(sched_setaffinity(0, sizeof(cpu), &cpu) == 0, "sched_setaffinity");
	tune();
	must(ioctl(k->tun, TUNSETIFF, &ifr) == 0, "TUNSETIFF");
	configure(ifr.ifr_name);
	k->diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	must(k->diag >= 0, "NETLINK_SOCK_DIAG");
	return 0;
}

/* ---- Sockets ---- */

static socklen_t to_sockaddr(const struct hf_addr *addr, struct sockaddr_storage *out)
{
	struct sockaddr_in *const in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *const in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (addr->ip.version == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(addr->port);
		memcpy(&in->sin_addr, addr->ip.octets, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(addr->port);
	memcpy(&in6->sin6_addr, addr->ip.octets, 16);
	return sizeof(*in6);
}

static int open_socket(const struct hf_addr *local)
{
	struct sockaddr_storage at;
	const socklen_t len = to_sockaddr(local, &at);
	const int room = 30000,
		  one = 1; /* a room that does not grow, or the window is more than it says */
	const int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	must(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	must(bind(fd, (struct sockaddr *)&at, len) == 0, "bind");
	return fd;
}

int kernel_listen(const struct hf_addr *local)
{
	const int fd = open_socket(local);

	must(listen(fd, 4096) == 0, "listen");
	return fd;
}

int kernel_connect(const struct hf_addr *local, const struct hf_addr *peer)
{
	const int fd = open_socket(local);
	struct sockaddr_storage to;
	const socklen_t len = to_sockaddr(peer, &to);

	must(connect(fd, (struct sockaddr *)&to, len) != 0 && errno == EINPROGRESS, "connect");
	return fd;
}

/* ---- Packets ---- */

void kernel_send(const struct kernel *k, const struct hf_addr *peer, const struct hf_addr *local,
		 const struct model_seg *s)
{
	uint8_t raw[FRAME_MAX];
	const size_t len = segment_build(raw, peer, local, s);

	must(write(k->tun, raw, len) == (ssize_t)len, "write to the tun device");
}

static uint32_t get(const uint8_t *at, unsigned octets)
{
	uint32_t n = 0;

	while (octets-- > 0)
		n = n << 8 | *at++;
	return n;
}

/* An echo request to the kernel; the driver is 10.99.0.2. */
static void ask_echo(struct kernel *k)
{
	static const uint8_t driver[4] = { 10, 99, 0, 2 }, kernel[4] = { 10, 99, 0, 1 };
	uint8_t raw[MESSAGE_MAX], body[8];
	size_t len = message_body(body, 8, 0, ++k->asked, driver, 0);

	message_seal(4, driver, kernel, body, len);
	len = message_ip(raw, 4, driver, kernel, IPPROTO_ICMP, 64, body, len);
	must(write(k->tun, raw, len) == (ssize_t)len, "write to the tun device");
}

static bool is_reply(const struct kernel *k, const uint8_t *raw, size_t len)
{
	return len >= 28 && raw[0] == 0x45 && raw[9] == 1 && raw[20] == 0 &&
	       get(raw + 26, 2) == k->asked;
}

/* @return whether it is a segment of this connection */
static bool take_apart(const uint8_t *raw, size_t len, const struct hf_addr *peer,
		       const struct hf_addr *local, struct model_seg *seg)
{
	const bool four = raw[0] >> 4 == 4;
	const size_t ip = four ? 20 : 40, octets = four ? 4 : 16;
	const uint8_t *const tcp = raw + ip, *const from = raw + (four ? 12 : 8);

	if (len < ip + 20 || raw[four ? 9 : 6] != IPPROTO_TCP || four != (peer->ip.version == 4) ||
	    memcmp(from, local->ip.octets, octets) != 0 ||
	    memcmp(from + octets, peer->ip.octets, octets) != 0 || get(tcp, 2) != local->port ||
	    get(tcp + 2, 2) != peer->port)
		return false;
	*seg = (struct model_seg){ .seq = get(tcp + 4, 4),
				   .ack = get(tcp + 8, 4),
				   .wnd = (uint16_t)get(tcp + 14, 2),
				   .text = (uint16_t)(len - ip - (tcp[12] >> 4) * 4u),
				   .flags = tcp[13] & 0x3f };
	return true;
}

unsigned kernel_sent(struct kernel *k, const struct hf_addr *peer, const struct hf_addr *local,
		     struct model_seg *out, unsigned room)
{
	unsigned n = 0;
	uint8_t raw[65536];

	ask_echo(k);
	for (;;) {
		struct pollfd wait = { .fd = k->tun, .events = POLLIN };
		const ssize_t len = read(k->tun, raw, sizeof(raw));

		if (len < 0) {
			must(poll(&wait, 1, 5000) > 0, "no echo");
			continue;
		}
		if (is_reply(k, raw, (size_t)len))
			return n;
		if (n < room && take_apart(raw, (size_t)len, peer, local, &out[n]))
			n++;
	}
}

/* ---- What the kernel says ---- */

void kernel_ask(const struct kernel *k, const struct hf_addr *peer, const struct hf_addr *local,
		struct kernel_says *says)
{
	static const enum model_state states[] = {
		[TCP_ESTABLISHED] = S_ESTABLISHED,
		[TCP_SYN_SENT] = S_SYN_SENT,
		[TCP_SYN_RECV] = S_SYN_RCVD_P,
		[TCP_FIN_WAIT1] = S_FIN_WAIT_1,
		[TCP_FIN_WAIT2] = S_FIN_WAIT_2,
		[TCP_TIME_WAIT] = S_TIME_WAIT,
		[TCP_CLOSE] = S_CLOSED,
		[TCP_CLOSE_WAIT] = S_CLOSE_WAIT,
		[TCP_LAST_ACK] = S_LAST_ACK,
		[TCP_LISTEN] = S_CLOSED,
		[TCP_CLOSING] = S_CLOSING,
	};
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} ask = { .head = { .nlmsg_len = sizeof(ask),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		  .req = { .sdiag_family = local->ip.version == 4 ? AF_INET : AF_INET6,
			   .sdiag_protocol = IPPROTO_TCP,
			   .idiag_states = ~0u,
			   .id = { .idiag_sport = htons(local->port),
				   .idiag_dport = htons(peer->port),
				   .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } } };
	const size_t octets = local->ip.version == 4 ? 4 : 16;
	alignas(struct nlmsghdr) uint8_t raw[4096];
	const struct nlmsghdr *const head = (const struct nlmsghdr *)raw;
	const struct inet_diag_msg *msg;

	memcpy(ask.req.id.idiag_src, local->ip.octets, octets);
	memcpy(ask.req.id.idiag_dst, peer->ip.octets, octets);
	must(send(k->diag, &ask, sizeof(ask), 0) == sizeof(ask), "sock_diag");
	must(recv(k->diag, raw, sizeof(raw), 0) > 0, "sock_diag");
	*says = (struct kernel_says){ .state = S_CLOSED };
	if (head->nlmsg_type == NLMSG_ERROR)
		return;
	msg = NLMSG_DATA(head);
	must(msg->idiag_state <= TCP_CLOSING, "a state unknown to us");
	says->state = states[msg->idiag_state];
	says->unread = msg->idiag_rqueue;
	says->unacked = msg->idiag_wqueue;
}
