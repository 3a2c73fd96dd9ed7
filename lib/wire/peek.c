/* SPDX-License-Identifier: BSD-3-Clause */
/* Frame octets -> flow. As a NIC's parser does, it reads the addresses and the ports and believes them. */
#include "wire/peek.h"

#include "wire/ext6.h"
#include "wire/frame.h"
#include "wire/octets.h"

static bool peek_ipv4(const uint8_t *ip, uint32_t len, struct flow *flow)
{
	const uint32_t header = len > 0 ? (uint32_t)(ip[0] & 15) * 4 : 0;

	if (header < IPV4_LEN || len < header + 4 || ip[9] != PROTOCOL_TCP ||
	    (get16(ip + 6) & IPV4_MF_OFFSET) != 0)
		return false;
	flow->version = 4;
	flow->v4 = (struct tuple4){ .local = load32(ip + 16),
				    .remote = load32(ip + 12),
				    .local_port = get16(ip + header + 2),
				    .remote_port = get16(ip + header) };
	return true;
}

static bool peek_ipv6(const uint8_t *ip, uint32_t len, struct flow *flow)
{
	struct ext6 ext = { .at = IPV6_LEN };

	if (len < IPV6_LEN)
		return false;
	ext.next = ip[6];
	if (!ext6_walk(&ext, ip, len, len) || ext.next != PROTOCOL_TCP || len - ext.at < 4)
		return false;
	flow->version = 6;
	memcpy(flow->v6.remote, ip + 8, 16);
	memcpy(flow->v6.local, ip + 24, 16);
	flow->v6.local_port = get16(ip + ext.at + 2);
	flow->v6.remote_port = get16(ip + ext.at);
	return true;
}

bool wire_peek(const struct wire_config *c, const uint8_t *frame, uint32_t len, struct flow *flow)
{
	const uint32_t at = c->l3 ? 0 : ETHER_LEN + (c->vlan != 0 ? VLAN_LEN : 0);
	uint16_t type;

	if (len <= at)
		return false;
	if (c->l3)
		type = frame[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
	else
		type = get16(frame + at - 2);
	if (type == ETHERTYPE_IPV4)
		return peek_ipv4(frame + at, len - at, flow);
	return type == ETHERTYPE_IPV6 && peek_ipv6(frame + at, len - at, flow);
}
