/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 8200 4. An atomic fragment (RFC 6946) is whole and passes; any other is dropped (HF-FR1). */
#include "wire/ext6.h"

#include "wire/frame.h"
#include "wire/octets.h"

#define HEADERS_MAX 8
#define OCTETS_MAX 256

enum extension {
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_DESTINATION = 60,
};

/* RFC 8200 4.2: an option we do not know is skipped only where its two high bits say so. */
static bool options_pass(const uint8_t *o, uint32_t len)
{
	uint32_t at = 2;

	while (at < len) {
		if (o[at] == 0) { /* Pad1 */
			at++;
			continue;
		}
		if (len - at < 2 || o[at + 1] > len - at - 2 || o[at] >> 6 != 0)
			return false;
		at += 2 + (uint32_t)o[at + 1];
	}
	return true;
}

/* Whether one header of len octets lets the packet pass; if not, ext->drop says why. */
static bool header_passes(struct ext6 *ext, const uint8_t *h, uint32_t len)
{
	switch (ext->next) {
	case EXT_FRAGMENT:
		ext->fragment = true;
		ext->drop = STAT_RX_DROP_FRAG;
		return (get16(h + 2) & 0xfff9) == 0; /* offset and M flag; the rest is reserved */
	case EXT_ROUTING:
		return h[2] != 0 && h[3] == 0; /* RFC 5095; segments left */
	default:
		/* EXT_HOP_BY_HOP, EXT_DESTINATION */
		return options_pass(h, len);
	}
}

bool ext6_walk(struct ext6 *ext, const uint8_t *frame, uint32_t end, uint32_t have)
{
	const uint32_t first = ext->at;

	for (unsigned n = 0; ext->next != PROTOCOL_TCP && ext->next != PROTOCOL_ICMP6; n++) {
		const uint8_t *h = frame + ext->at;
		uint32_t len = 8;

		ext->drop = STAT_RX_DROP_PROTO;
		if (ext->next != EXT_HOP_BY_HOP && ext->next != EXT_ROUTING &&
		    ext->next != EXT_FRAGMENT && ext->next != EXT_DESTINATION)
			return false;
		ext->drop = STAT_RX_DROP_IP_EXT;
		if (n == HEADERS_MAX || end - ext->at < len || (ext->next == EXT_HOP_BY_HOP && n > 0))
			return false;
		if (ext->at + len <= have && ext->next != EXT_FRAGMENT)
			len += (uint32_t)h[1] * 8;
		if (len > end - ext->at || ext->at + len - first > OCTETS_MAX)
			return false;
		if (ext->at + len > have) {
			ext->drop = STAT_RX_DROP_CHAIN;
			return false;
		}
		if (!header_passes(ext, h, len))
			return false;
		ext->next = h[0];
		ext->at += len;
	}
	return true;
}
