/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP messages of IPv4 over Ethernet (RFC 826): octets to a struct and back. io/neigh.c decides what
 * they mean. */
#ifndef HF_ARP_H
#define HF_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/build.h"

enum arp_op {
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

/* Octets that arp_build may write. */
#define ARP_FRAME_MAX (18 + 28)

/* Whose MAC and IP address (a word in wire order) the sender's are, and the target's. */
struct arp {
	uint16_t op; /* enum arp_op */
	uint8_t sender_mac[6], target_mac[6];
	uint32_t sender_ip, target_ip;
};

/* @return false: not a request or a reply of IPv4 over Ethernet (RFC826-a) */
bool arp_parse(const uint8_t *octets, uint32_t len, struct arp *arp);

/* A whole frame. @return octets written */
uint32_t arp_build(uint8_t *frame, const struct wire_link *link, const struct arp *arp);

#endif
