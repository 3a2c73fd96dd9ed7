/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's side of a device that it shares with us: addresses, MTU, up, by rtnetlink (rtnetlink(7)).
 * Called by one.c; kernel_number by doctor.c, plan.c and site.c. */
#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
	} body;
	char attributes[128];
};

static void attribute(struct message *m, unsigned short type, const void *data, unsigned short len)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Send one request. @return 0 or the negative errno of the kernel's answer */
static int talk(int fd, struct message *m)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[sizeof(struct message)];
	} answer;

	m->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, m, m->head.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		return -errno;
	return answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

/* No duplicate address detection: nobody else is on this wire, and it would take a second. */
static int add_address(int fd, unsigned index, const struct net *net)
{
	const bool six = net->range.first.version == 6;
	const uint32_t flags = IFA_F_NODAD;
	struct message m = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			  .nlmsg_type = RTM_NEWADDR,
			  .nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE },
		.body.addr = { .ifa_family = six ? AF_INET6 : AF_INET,
			       .ifa_prefixlen = net->length,
			       .ifa_index = index },
	};

	attribute(&m, IFA_LOCAL, net->range.first.octets, six ? 16 : 4);
	attribute(&m, IFA_ADDRESS, net->range.first.octets, six ? 16 : 4);
	if (six)
		attribute(&m, IFA_FLAGS, &flags, sizeof(flags));
	return talk(fd, &m);
}

static int set_link(int fd, unsigned index, uint32_t mtu)
{
	struct message m = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			  .nlmsg_type = RTM_NEWLINK },
		.body.link = { .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP },
	};

	attribute(&m, IFLA_MTU, &mtu, sizeof(mtu));
	return talk(fd, &m);
}

int kernel_set(const char *iface, const struct nets *addrs, unsigned mtu, struct hf_error *why)
{
	const unsigned index = if_nametoindex(iface);
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int error = index && fd >= 0 ? set_link(fd, index, mtu) : -errno;

	for (uint32_t i = 0; error == 0 && i < addrs->count; i++)
		error = add_address(fd, index, &addrs->at[i]);
	if (fd >= 0)
		close(fd);
	if (error != 0)
		snprintf(why->text, sizeof(why->text),
			 "%s: the kernel's side cannot be set: %s; try `ip addr add ... dev %s` by hand",
			 iface, strerror(-error), iface);
	return error;
}

/* Ask the kernel about an interface (netdevice(7)). @return false: there is none */
static bool ask(const char *iface, unsigned long what, struct ifreq *answer)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	memset(answer, 0, sizeof(*answer));
	snprintf(answer->ifr_name, sizeof(answer->ifr_name), "%s", iface);
	error = ioctl(fd, what, answer);
	close(fd);
	return error == 0;
}

int kernel_tap_free(const char *iface, struct hf_error *why)
{
	struct ifreq answer;

	if (!ask(iface, SIOCGIFFLAGS, &answer) || !(answer.ifr_flags & IFF_RUNNING))
		return 0; /* one that `ip tuntap add` has made has no carrier while nobody has it */
	snprintf(why->text, sizeof(why->text),
		 "%s is in use: another program has it, or it is no tap; end that, or name another one, such as --dev tap:%.11s1",
		 iface, iface);
	return -EBUSY;
}

int kernel_carries(const char *iface, unsigned mtu, struct hf_error *why)
{
	struct ifreq answer;

	if (!ask(iface, SIOCGIFMTU, &answer) || answer.ifr_mtu >= (int)mtu)
		return 0; /* that there is none the driver will say */
	snprintf(why->text, sizeof(why->text),
		 "%s carries packets of %d octets at most, not %u: lower mtu, or `ip link set %s mtu %u`",
		 iface, answer.ifr_mtu, mtu, iface, mtu);
	return -EINVAL;
}

/* @return its version 0 when it is no address of IP */
static struct hf_ip ip_of(const struct sockaddr *sa)
{
	struct hf_ip ip = { .version = 0 };

	if (sa && sa->sa_family == AF_INET) {
		ip.version = 4;
		memcpy(ip.octets, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else if (sa && sa->sa_family == AF_INET6) {
		ip.version = 6;
		memcpy(ip.octets, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	}
	return ip;
}

static bool one_of(const struct nets *nets, const struct hf_ip *ip)
{
	for (uint32_t i = 0; i < nets->count; i++)
		if (range_holds(&nets->at[i].range, ip))
			return true;
	return false;
}

int kernel_lacks(const struct settings *s, struct hf_error *why)
{
	struct ifaddrs *list = NULL;
	int error = 0;

	if (getifaddrs(&list) < 0)
		return 0; /* whether it has any cannot be known */
	for (const struct ifaddrs *a = list; a && error == 0; a = a->ifa_next) {
		const struct hf_addr addr = { .ip = ip_of(a->ifa_addr) };
		const bool from = one_of(&s->from, &addr.ip);
		char text[HF_ADDR_TEXT];

		if (!from && !one_of(&s->addr, &addr.ip))
			continue;
		error = -EADDRINUSE;
		snprintf(why->text, sizeof(why->text),
			 "%s is the kernel's too, on %s: it would reset our connections; "
			 "`ip addr del`, another --%s, or --allow-kernel-address",
			 hf_addr_format(&addr, text), a->ifa_name, from ? "from" : "addr");
	}
	freeifaddrs(list);
	return error;
}

uint64_t kernel_number(const char *path, const char *word)
{
	FILE *in = fopen(path, "re");
	char line[128];
	uint64_t n = 0;

	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, word, strlen(word)) == 0) {
			n = strtoull(line + strlen(word), NULL, 10);
			break;
		}
	if (in)
		(void)fclose(in);
	return n;
}
