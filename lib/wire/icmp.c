/* SPDX-License-Identifier: BSD-3-Clause */
/* No field is looked at before the checksum holds, no quoted octet before its header says it is there. */
#include "wire/icmp.h"

#include <errno.h>

#include "wire/csum.h"
#include "wire/frame.h"
#include "wire/octets.h"

#define HEADER 8     /* of ICMP and ICMPv6 */
#define QUOTED_TCP 8 /* octets of the segment: ports and SEQ */
#define ND_LEN 24    /* of a solicitation or advertisement without options */
#define ND_HOP_LIMIT 255

enum type4 {
	ECHO_REPLY4 = 0,
	UNREACHABLE4 = 3,
	ECHO4 = 8,
	TIME_EXCEEDED4 = 11,
	PARAMETER4 = 12,
};

enum type6 {
	UNREACHABLE6 = 1,
	TOO_BIG6 = 2,
	TIME_EXCEEDED6 = 3,
	PARAMETER6 = 4,
	ECHO6 = 128,
	ECHO_REPLY6 = 129,
};

enum nd_option {
	OPTION_SOURCE = 1, /* link-layer address of who solicits */
	OPTION_TARGET = 2, /* ... of who is solicited */
};

/* The quoted packet is one of ours: a first fragment of IPv4 with TCP, ports and SEQ whole. */
static bool quote4(const uint8_t *ip, uint32_t len, struct icmp *icmp)
{
	uint32_t header;

	if (len < IPV4_LEN)
		return false;
	header = (uint32_t)(ip[0] & 0xf) * 4;
	if (ip[0] >> 4 != 4 || header < IPV4_LEN || len < header + QUOTED_TCP ||
	    ip[9] != PROTOCOL_TCP || (get16(ip + 6) & IPV4_MF_OFFSET) != 0)
		return false;
	icmp->quoted.version = 4;
	icmp->quoted.v4.local = load32(ip + 12);
	icmp->quoted.v4.remote = load32(ip + 16);
	icmp->quoted.v4.local_port = get16(ip + header);
	icmp->quoted.v4.remote_port = get16(ip + header + 2);
	icmp->seq = get32(ip + header + 4);
	return true;
}

/* We send no extension headers. */
static bool quote6(const uint8_t *ip, uint32_t len, struct icmp *icmp)
{
	if (len < IPV6_LEN + QUOTED_TCP || ip[0] >> 4 != 6 || ip[6] != PROTOCOL_TCP)
		return false;
	icmp->quoted.version = 6;
	memcpy(icmp->quoted.v6.local, ip + 8, 16);
	memcpy(icmp->quoted.v6.remote, ip + 24, 16);
	icmp->quoted.v6.local_port = get16(ip + IPV6_LEN);
	icmp->quoted.v6.remote_port = get16(ip + IPV6_LEN + 2);
	icmp->seq = get32(ip + IPV6_LEN + 4);
	return true;
}

/* RFC 792, RFC 1122 3.2.2.1; 4: fragmentation needed. */
static enum icmp_kind unreachable4(uint8_t code, struct icmp *icmp)
{
	static const uint8_t errors[16] = {
		ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED, EMSGSIZE,     EOPNOTSUPP,
		ENETUNREACH,  EHOSTUNREACH, EHOSTUNREACH, ENETUNREACH,	EHOSTUNREACH, ENETUNREACH,
		EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
	};

	if (code >= sizeof(errors))
		return ICMP_UNWANTED;
	icmp->error = errors[code];
	if (code == 4)
		return ICMP_TOO_BIG;
	return code == 2 || code == 3 ? ICMP_HARD : ICMP_SOFT;
}

static enum icmp_kind kind4(const uint8_t *p, struct icmp *icmp)
{
	switch (p[0]) {
	case UNREACHABLE4:
		icmp->mtu = get16(p + 6);
		return unreachable4(p[1], icmp);
	case TIME_EXCEEDED4:
		icmp->error = EHOSTUNREACH;
		return ICMP_SOFT;
	case PARAMETER4:
		icmp->error = EPROTO;
		return ICMP_SOFT;
	case ECHO4:
		return p[1] == 0 ? ICMP_ECHO : ICMP_MALFORMED;
	default:
		return ICMP_UNWANTED;
	}
}

static enum icmp_kind parse4(const uint8_t *p, uint32_t len, struct icmp *icmp)
{
	enum icmp_kind kind;

	if (len < HEADER || csum_fold(csum_partial(p, len)) != 0xffff)
		return ICMP_MALFORMED;
	kind = kind4(p, icmp);
	if ((kind == ICMP_SOFT || kind == ICMP_HARD || kind == ICMP_TOO_BIG) &&
	    !quote4(p + HEADER, len - HEADER, icmp))
		return ICMP_MALFORMED;
	return kind;
}

/* RFC 4861 4.6: every option has a length; of those with a link-layer address the first one counts. */
static bool nd_options(const uint8_t *p, uint32_t len, uint8_t wanted, struct icmp *icmp)
{
	uint32_t at = 0;

	icmp->has_mac = false;
	while (at < len) {
		const uint32_t option = len - at < 2 ? 0 : (uint32_t)p[at + 1] * 8;

		if (option == 0 || option > len - at)
			return false;
		if (p[at] == wanted && !icmp->has_mac) {
			memcpy(icmp->mac, p + at + 2, 6);
			icmp->has_mac = true;
		}
		at += option;
	}
	return true;
}

/* :: asks whether an address is taken, and nothing else (RFC 4862 5.4.2). */
static bool from_nobody(const struct wire_in *in)
{
	static const uint32_t unspecified[4];

	return memcmp(in->flow.v6.remote, unspecified, sizeof(unspecified)) == 0;
}

static bool is_solicited_node(const struct wire_in *in, const uint32_t target[4])
{
	uint32_t group[4];

	nd_group(target, group);
	return memcmp(group, in->flow.v6.local, sizeof(group)) == 0;
}

/* RFC 4861 7.1.1, 7.1.2; never behind a fragment header, for guards on the way look no further (RFC 6980 5). */
static enum icmp_kind parse_nd(const uint8_t *p, uint32_t len, const struct wire_in *in,
			       struct icmp *icmp)
{
	const bool solicit = p[0] == ND_SOLICIT;

	if (in->ttl != ND_HOP_LIMIT || in->fragment || p[1] != 0 || len < ND_LEN || p[8] == 0xff ||
	    !nd_options(p + ND_LEN, len - ND_LEN, solicit ? OPTION_SOURCE : OPTION_TARGET, icmp))
		return ICMP_ND_MALFORMED;
	memcpy(icmp->target, p + 8, 16);
	icmp->flags = p[4] & (ND_ROUTER | ND_SOLICITED | ND_OVERRIDE);
	if (!solicit)
		return in->group && (icmp->flags & ND_SOLICITED) ? ICMP_ND_MALFORMED : ICMP_ADVERTISE;
	if (in->group && !is_solicited_node(in, icmp->target))
		return ICMP_ND_MALFORMED;
	if (from_nobody(in) && (icmp->has_mac || !in->group))
		return ICMP_ND_MALFORMED;
	return ICMP_SOLICIT;
}

/* RFC 4443 3.1; 4: port. */
static enum icmp_kind unreachable6(uint8_t code, struct icmp *icmp)
{
	static const uint8_t errors[7] = {
		ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EACCES,
	};

	if (code >= sizeof(errors))
		return ICMP_UNWANTED;
	icmp->error = errors[code];
	return code == 4 ? ICMP_HARD : ICMP_SOFT;
}

static enum icmp_kind kind6(const uint8_t *p, uint32_t len, const struct wire_in *in,
			    struct icmp *icmp)
{
	switch (p[0]) {
	case UNREACHABLE6:
		return unreachable6(p[1], icmp);
	case TOO_BIG6:
		icmp->mtu = get32(p + 4);
		icmp->error = EMSGSIZE;
		return ICMP_TOO_BIG;
	case TIME_EXCEEDED6:
		icmp->error = EHOSTUNREACH;
		return ICMP_SOFT;
	case PARAMETER6: /* 1: unrecognized Next Header, IPv6's protocol unreachable (RFC 8200 4) */
		icmp->error = EPROTO;
		return p[1] == 1 ? ICMP_HARD : ICMP_SOFT;
	case ECHO6:
		if (in->group)
			return ICMP_UNWANTED;
		return p[1] == 0 ? ICMP_ECHO : ICMP_MALFORMED;
	case ND_SOLICIT:
	case ND_ADVERTISE:
		return parse_nd(p, len, in, icmp);
	default:
		return ICMP_UNWANTED;
	}
}

static uint32_t sum6(const struct flow *flow, const uint8_t *p, uint32_t len)
{
	return csum_add(csum_partial(p, len), csum_pseudo6(flow->v6.remote, flow->v6.local,
							   PROTOCOL_ICMP6, (uint16_t)len));
}

static enum icmp_kind parse6(const uint8_t *p, uint32_t len, const struct wire_in *in,
			     struct icmp *icmp)
{
	enum icmp_kind kind;

	if (len < HEADER || csum_fold(sum6(&in->flow, p, len)) != 0xffff)
		return ICMP_MALFORMED;
	kind = kind6(p, len, in, icmp);
	if (kind == ICMP_ADVERTISE && from_nobody(in))
		return ICMP_ND_MALFORMED;
	if (kind == ICMP_ECHO && from_nobody(in))
		return ICMP_MALFORMED;
	if ((kind == ICMP_SOFT || kind == ICMP_HARD || kind == ICMP_TOO_BIG) &&
	    (in->group || !quote6(p + HEADER, len - HEADER, icmp)))
		return ICMP_MALFORMED;
	return kind;
}

enum icmp_kind icmp_parse(const uint8_t *frame, const struct wire_in *in, struct icmp *icmp)
{
	const uint8_t *const p = frame + in->text_offset;

	if (in->flow.version == 6)
		return parse6(p, in->text_len, in, icmp);
	return parse4(p, in->text_len, icmp);
}

uint32_t icmp_echo_build(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
			 const uint8_t *message, uint32_t len)
{
	const bool v6 = flow->version == 6;
	const uint32_t header = wire_ip_build(frame, link, flow,
					      v6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP, link->ttl, len);
	uint8_t *const p = frame + header;

	memcpy(p, message, len);
	p[0] = v6 ? ECHO_REPLY6 : ECHO_REPLY4;
	store16(p + 2, 0);
	store16(p + 2, (uint16_t)~csum_fold(v6 ? sum6(flow, p, len) : csum_partial(p, len)));
	return header + len;
}

uint32_t icmp_nd_build(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
		       enum icmp_kind kind, const uint32_t target[4], uint8_t flags)
{
	const bool solicit = kind == ICMP_SOLICIT;
	const uint32_t len = ND_LEN + 8;
	const uint32_t header = wire_ip_build(frame, link, flow, PROTOCOL_ICMP6, ND_HOP_LIMIT, len);
	uint8_t *const p = frame + header;

	put32(p, (uint32_t)(solicit ? ND_SOLICIT : ND_ADVERTISE) << 24);
	put32(p + 4, (uint32_t)flags << 24);
	memcpy(p + 8, target, 16);
	p[24] = solicit ? OPTION_SOURCE : OPTION_TARGET;
	p[25] = 1;
	memcpy(p + 26, link->src_mac, 6);
	store16(p + 2, (uint16_t)~csum_fold(sum6(flow, p, len)));
	return header + len;
}

void nd_group(const uint32_t address[4], uint32_t group[4])
{
	group[0] = be32(0xff020000);
	group[1] = 0;
	group[2] = be32(1);
	group[3] = address[3] | be32(0xff000000);
}

void nd_group_mac(const uint32_t group[4], uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, &group[3], 4);
}
