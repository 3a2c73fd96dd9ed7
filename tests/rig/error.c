/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors about what we have sent; see rig.h. */
#include "rig/message.h"
#include "rig/rig.h"

void rig_push_error(struct rig *r, const uint8_t *from, uint8_t type, uint8_t code, uint32_t rest,
		    uint32_t seq)
{
	static const uint8_t router[2][16] = { { 203, 0, 113, 1 }, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	const unsigned version = r->local.ip.version;
	uint8_t raw[MESSAGE_MAX], body[128], quote[64];
	size_t len = message_quote(quote, version, r->local.ip.octets, r->peer.ip.octets,
				   r->local.port, r->peer.port, seq);

	if (from == NULL)
		from = router[version == 6];
	len = message_body(body, type, code, rest, quote, len);
	message_seal(version, from, r->local.ip.octets, body, len);
	rig_push_raw(r, raw,
		     message_ip(raw, version, from, r->local.ip.octets, version == 4 ? 1 : 58, 64,
				body, len),
		     NULL);
}
