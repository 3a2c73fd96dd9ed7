/* SPDX-License-Identifier: BSD-3-Clause */
/* Stations on the rig's link. See lan.h. */
#include "rig/lan.h"

#include <string.h>

const uint8_t lan_us[6] = { 2, 0, 0, 0, 0, 1 }, lan_peer[6] = { 2, 0, 0, 0, 0, 9 };
const uint8_t lan_other[6] = { 2, 0, 0, 0, 0, 0x77 };
const uint8_t lan_all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

void lan_set_up(struct rig *r)
{
	r->memport.l3 = false;
	memset(r->config.gateway_mac, 0, 6);
	r->config.local_prefix[0] = 24;
	r->config.local_prefix[1] = 64;
	hf_addr_parse(r->local.ip.version == 4 ? "198.18.0.9:40000" : "[2001:2::9]:40000", &r->peer);
}

void lan_set_up_gateway(struct rig *r)
{
	struct hf_addr addr;

	lan_set_up(r);
	hf_addr_parse("198.18.0.254", &addr);
	r->config.gateway[0] = addr.ip;
	hf_addr_parse("2001:2::fe", &addr);
	r->config.gateway[1] = addr.ip;
	hf_addr_parse(r->local.ip.version == 4 ? "203.0.113.9:40000" : "[2001:db8::9]:40000",
		      &r->peer);
}

void lan_begin(struct rig *r)
{
	r->out_form.any_to = true;
	memcpy(r->in_form.from, lan_peer, 6);
}

struct hf_ip lan_ip(const struct rig *r, uint8_t last)
{
	struct hf_ip ip = r->local.ip;

	ip.octets[ip.version == 4 ? 3 : 15] = last;
	return ip;
}

static void group_of(const uint8_t *address, uint8_t group[16], uint8_t mac[6])
{
	static const uint8_t prefix[13] = { 0xff, 2, [11] = 1, [12] = 0xff };

	memcpy(group, prefix, 13);
	memcpy(group + 13, address + 13, 3);
	memcpy(mac, "\x33\x33\xff", 3);
	memcpy(mac + 3, address + 13, 3);
}

/* What we must have sent. */
static size_t request(const struct rig *r, uint8_t *p, const struct hf_ip *ip, const uint8_t *to)
{
	static const uint8_t nobody[6];
	uint8_t group[16], group_mac[6], body[64];
	size_t len;

	if (ip->version == 4)
		return message_arp(p, to ? to : lan_all, 1, lan_us, r->local.ip.octets, nobody,
				   ip->octets);
	group_of(ip->octets, group, group_mac);
	len = message_nd(body, 135, 0, ip->octets, 1, lan_us);
	message_seal(6, r->local.ip.octets, to ? ip->octets : group, body, len);
	message_ether(p, to ? to : group_mac, lan_us, 0x86dd);
	return MESSAGE_ETHER + message_ip(p + MESSAGE_ETHER, 6, r->local.ip.octets,
					  to ? ip->octets : group, 58, 255, body, len);
}

void lan_expect_request_at(const char *file, int line, struct rig *r, struct hf_ip ip,
			   const uint8_t *to)
{
	const struct frame *f = rig_pop(r);
	uint8_t want[MESSAGE_MAX];
	const size_t len = request(r, want, &ip, to);

	if (!f)
		rig_fail_at(file, line, r, "nothing came out, wanted a request");
	if (f->len != len || memcmp(f->raw, want, len) != 0)
		rig_fail_at(file, line, r, "what came out is no such request");
}

void lan_push_nd(struct rig *r, const uint8_t *to_mac, const uint8_t *from_mac, const uint8_t *src,
		 const uint8_t *dst, uint8_t *body, size_t len)
{
	uint8_t raw[MESSAGE_MAX];

	message_seal(6, src, dst, body, len);
	message_ether(raw, to_mac, from_mac, 0x86dd);
	rig_push_raw(r, raw,
		     MESSAGE_ETHER + message_ip(raw + MESSAGE_ETHER, 6, src, dst, 58, 255, body, len),
		     NULL);
}

void lan_answer(struct rig *r, struct hf_ip ip, const uint8_t mac[6])
{
	uint8_t raw[MESSAGE_MAX], body[64];

	if (ip.version == 4) {
		rig_push_raw(r, raw,
			     message_arp(raw, lan_us, 2, mac, ip.octets, lan_us, r->local.ip.octets),
			     NULL);
	} else {
		const size_t len = message_nd(body, 136, 0x60, ip.octets, 2, mac);

		lan_push_nd(r, lan_us, mac, ip.octets, r->local.ip.octets, body, len);
	}
	rig_turn(r);
}

void lan_announce(struct rig *r, struct hf_ip ip, const uint8_t mac[6])
{
	static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 },
			     all_mac[6] = { 0x33, 0x33, [5] = 1 };
	uint8_t raw[MESSAGE_MAX], body[64];

	if (ip.version == 4) {
		rig_push_raw(r, raw,
			     message_arp(raw, lan_all, 2, mac, ip.octets, lan_all, ip.octets), NULL);
	} else {
		const size_t len = message_nd(body, 136, 0x20, ip.octets, 2, mac);

		lan_push_nd(r, all_mac, mac, ip.octets, all_nodes, body, len);
	}
	rig_turn(r);
}

void lan_ask(struct rig *r, struct hf_ip ip, const uint8_t mac[6], struct hf_ip whom)
{
	static const uint8_t nobody[6];
	uint8_t raw[MESSAGE_MAX], body[64], group[16], group_mac[6];

	if (ip.version == 4) {
		rig_push_raw(r, raw,
			     message_arp(raw, lan_all, 1, mac, ip.octets, nobody, whom.octets), NULL);
	} else {
		const size_t len = message_nd(body, 135, 0, whom.octets, 1, mac);

		group_of(whom.octets, group, group_mac);
		lan_push_nd(r, group_mac, mac, ip.octets, group, body, len);
	}
	rig_turn(r);
}
