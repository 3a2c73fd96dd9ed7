/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rig on a link: frames with Ethernet headers, next hops that have to be asked for, stations played by
 * the test. ARP in the rig's IPv4 variants, neighbour discovery in its IPv6 ones. Use lan_set_up as, or
 * from, the row's set_up, and begin the test with lan_begin.
 */
#ifndef RIG_LAN_H
#define RIG_LAN_H

#include "rig/message.h"
#include "rig/rig.h"

extern const uint8_t lan_us[6], lan_peer[6], lan_other[6], lan_all[6];

/* Our addresses are 198.18.0.1 to .4 of a /24 and 2001:2::1 to ::4 of a /64, the peer is .9 or ::9. */
void lan_set_up(struct rig *r);
/* The same with a gateway at .254 or ::fe, and the peer behind it. */
void lan_set_up_gateway(struct rig *r);
void lan_begin(struct rig *r);

/* An address of the link: the peer's with another last octet. */
struct hf_ip lan_ip(const struct rig *r, uint8_t last);

/* The next frame out is our request for an address, octet by octet: to everybody, or to one station. */
#define lan_expect_request(r, ip, to) lan_expect_request_at(__FILE__, __LINE__, (r), (ip), (to))
void lan_expect_request_at(const char *file, int line, struct rig *r, struct hf_ip ip,
			   const uint8_t *to);

/* The station answers our request, and a turn. */
void lan_answer(struct rig *r, struct hf_ip ip, const uint8_t mac[6]);
/* It says unasked that the address is its own now. */
void lan_announce(struct rig *r, struct hf_ip ip, const uint8_t mac[6]);
/* It asks for an address of ours. */
void lan_ask(struct rig *r, struct hf_ip ip, const uint8_t mac[6], struct hf_ip whom);

/* IPv6 message to an address and MAC, sealed, hop limit 255. */
void lan_push_nd(struct rig *r, const uint8_t *to_mac, const uint8_t *from_mac, const uint8_t *src,
		 const uint8_t *dst, uint8_t *body, size_t len);

#endif
