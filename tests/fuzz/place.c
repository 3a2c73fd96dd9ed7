/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses; see place.h. */
#include "fuzz/place.h"

const uint8_t place_mac[6] = { 2, 0, 0, 0, 0, 1 }, place_peer_mac[6] = { 2, 0, 0, 0, 0, 9 };

void place_path(unsigned n, struct hf_addr *local, struct hf_addr *peer)
{
	static const struct hf_ip ours[2] = {
		{ .version = 4, .octets = { 198, 18, 0, 1 } },
		{ .version = 6, .octets = { 0x20, 1, 0, 2, [15] = 1 } },
	};

	*local = (struct hf_addr){ .ip = ours[n % 2], .port = 1080 };
	*peer = (struct hf_addr){ .ip = ours[n % 2], .port = (uint16_t)(40000 + n) };
	peer->ip.octets[n % 2 ? 15 : 3] = 9;
}
