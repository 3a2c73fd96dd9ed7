/* SPDX-License-Identifier: BSD-3-Clause */
/* The 28 octets of RFC 826 for hardware space 1 and protocol space 0x0800. */
#include "wire/arp.h"

#include "wire/frame.h"
#include "wire/octets.h"

#define HARDWARE_ETHERNET 1
#define LENGTHS 0x0604 /* of a MAC and of an IPv4 address */

bool arp_parse(const uint8_t *octets, uint32_t len, struct arp *arp)
{
	if (len < ARP_LEN || get16(octets) != HARDWARE_ETHERNET ||
	    get16(octets + 2) != ETHERTYPE_IPV4 || get16(octets + 4) != LENGTHS)
		return false;
	arp->op = get16(octets + 6);
	memcpy(arp->sender_mac, octets + 8, 6);
	arp->sender_ip = load32(octets + 14);
	memcpy(arp->target_mac, octets + 18, 6);
	arp->target_ip = load32(octets + 24);
	return arp->op == ARP_REQUEST || arp->op == ARP_REPLY;
}

uint32_t arp_build(uint8_t *frame, const struct wire_link *link, const struct arp *arp)
{
	const uint32_t ether = wire_ether_build(frame, link, ETHERTYPE_ARP);
	uint8_t *const p = frame + ether;

	put16(p, HARDWARE_ETHERNET);
	put16(p + 2, ETHERTYPE_IPV4);
	put16(p + 4, LENGTHS);
	put16(p + 6, arp->op);
	memcpy(p + 8, arp->sender_mac, 6);
	store32(p + 14, arp->sender_ip);
	memcpy(p + 18, arp->target_mac, 6);
	store32(p + 24, arp->target_ip);
	return ether + ARP_LEN;
}
