/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of Ethernet, IPv4 and IPv6 headers that parse.c and build.c share. */
#ifndef HF_FRAME_H
#define HF_FRAME_H

#define ETHER_LEN 14
#define VLAN_LEN 4
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8

#define IPV4_LEN 20 /* without options */
#define IPV4_DF 0x4000
#define IPV4_MF_OFFSET 0x3fff /* more fragments, and the offset */
#define IPV6_LEN 40
#define TCP_LEN 20 /* without options */
#define ARP_LEN 28 /* of IPv4 over Ethernet */

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_ICMP6 58

#define ND_SOLICIT 135 /* types of ICMPv6 */
#define ND_ADVERTISE 136

#endif
