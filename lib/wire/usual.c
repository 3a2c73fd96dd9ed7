/* SPDX-License-Identifier: BSD-3-Clause */
/* The usual frame, in one straight run: untagged Ethernet, IPv4 without options, TCP. Of those that come,
 * whole in one piece, only yes is said: what is in any way unusual, damaged or not for us goes to parse.c,
 * which judges it from the start and knows the reason. Those that leave have any options.
 * Tests compare both ways: test_parse.c, test_build.c, fuzz_parse.c. */
#include "wire/build.h"
#include "wire/csum.h"
#include "wire/frame.h"
#include "wire/judge.h"
#include "wire/octets.h"
#include "wire/opts.h"

/* Words of the IPv4 header, as they lie there. */
struct ip_words {
	uint32_t first, fragment, ttl, src, dst;
};

/* Version and IHL, ECN, fragment, TTL, protocol: all at their usual values. */
static inline bool ip_usual(const struct ip_words *w)
{
	return ((w->first ^ be32(UINT32_C(0x45) << 24)) & be32(0xff030000)) == 0 &&
	       (w->fragment & be32(IPV4_MF_OFFSET)) == 0 &&
	       ((w->ttl ^ be32(PROTOCOL_TCP << 16)) & be32(0x00ff0000)) == 0 &&
	       (w->ttl & be32(0xff000000)) != 0;
}

static __attribute__((noinline)) uint64_t rest_sum(const uint8_t *octets, uint32_t len)
{
	return csum_wide(octets, len);
}

/* The sum of the TCP segment: of a header with timestamps and no other option, most often all there is. */
static inline uint64_t segment_sum(const uint8_t *tcp, uint32_t len)
{
	uint64_t sum;

	if (unlikely(len < TCP_LEN + 12))
		return rest_sum(tcp, len);
	sum = csum_add64(csum_add64(load64(tcp), load64(tcp + 8)),
			 csum_add64(load64(tcp + 16), load64(tcp + 24)));
	if (len == TCP_LEN + 12)
		return sum;
	if (len <= TCP_LEN + 20) /* a SYN's options, or so little text */
		return csum_add64(sum, csum_last(tcp + len, len - TCP_LEN - 12));
	return csum_add64(sum, rest_sum(tcp + TCP_LEN + 12, len - TCP_LEN - 12));
}

/* Both checksums, as far as the device has not vouched for them. len counts TCP header and text. */
static inline bool sums_right(const uint8_t *tcp, const struct ip_words *w, uint32_t len,
			      unsigned hints)
{
	const uint64_t addresses = (uint64_t)w->src + w->dst;

	if (!(hints & WIRE_IP_GOOD) && !csum_right(addresses + w->first + w->fragment + w->ttl))
		return false;
	if (hints & WIRE_L4_GOOD)
		return true;
	return csum_right(csum_add64(addresses + be16(PROTOCOL_TCP) + be16((uint16_t)len),
				     segment_sum(tcp, len)));
}

static __attribute__((noinline)) bool ranges_pass(const struct wire_config *c, uint32_t src,
						  uint32_t dst)
{
	struct wire_in in;

	return addresses4_pass(c, src, dst, &in);
}

/* As addresses4_pass, whatever the reason: most often there is one range. */
static inline bool addresses_usual(const struct wire_config *c, uint32_t src, uint32_t dst)
{
	const uint32_t first = c->range4[0].first, count = c->range4[0].count;

	if (c->ranges4 != 1)
		return ranges_pass(c, src, dst);
	return dst - first < count && src - first >= count && src != c->range4[0].broadcast &&
	       source4_valid(c, src);
}

/* ports: the peer's in the upper half. */
static inline void fill(const uint8_t *tcp, const struct ip_words *w, uint32_t len, uint32_t header,
			uint32_t ports, struct wire_in *in)
{
	struct seg *const seg = &in->seg;
	const uint32_t text_len = len - header;

	flow_set4(&in->flow, w->dst, w->src, (uint16_t)ports, (uint16_t)(ports >> 16));
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13];
	seg->wnd = get16(tcp + 14);
	seg->up = get16(tcp + 18);
	seg->text_len = (uint16_t)text_len;
	seg->len = text_len + (seg->flags & SEG_FIN) + (seg->flags >> 1 & 1);
	in->text_offset = ETHER_LEN + IPV4_LEN + header;
	in->text_len = text_len;
	in->ttl = tcp[8 - IPV4_LEN];
	in->tos = tcp[1 - IPV4_LEN];
	in->opt_bad = !opts_parse(tcp + TCP_LEN, header - TCP_LEN, seg);
}

static inline bool ether_usual(const struct wire_config *c, const uint8_t *frame)
{
	return load32(frame) == load32(c->mac) && load16(frame + 4) == load16(c->mac + 4) &&
	       load16(frame + 12) == be16(ETHERTYPE_IPV4);
}

bool usual_parse(const struct wire_config *c, const uint8_t *frame, uint32_t have, unsigned hints,
		 struct wire_in *in)
{
	const uint8_t *const ip = frame + ETHER_LEN, *const tcp = ip + IPV4_LEN;
	struct ip_words w;
	uint32_t len, header, ports;

	if (have < ETHER_LEN + IPV4_LEN + TCP_LEN || !ether_usual(c, frame))
		return false;
	w = (struct ip_words){ load32(ip), load32(ip + 4), load32(ip + 8), load32(ip + 12),
			       load32(ip + 16) };
	len = be32(w.first) & 0xffff;
	if (!ip_usual(&w) || len > have - ETHER_LEN || len < IPV4_LEN + TCP_LEN)
		return false;
	len -= IPV4_LEN;
	header = (uint32_t)(tcp[12] >> 4) * 4;
	ports = get32(tcp);
	if (header < TCP_LEN || header > len || ports >> 16 == 0 || (uint16_t)ports == 0 ||
	    !addresses_usual(c, be32(w.src), be32(w.dst)) || !sums_right(tcp, &w, len, hints))
		return false;
	fill(tcp, &w, len, header, ports, in);
	return true;
}

_Static_assert(offsetof(struct wire_link, src_mac) == 6, "both addresses at once");

/* Ethernet and IPv4 in front of len octets. @return the sum of the addresses */
static inline uint64_t put_front(uint8_t *frame, const struct wire_link *link,
				 const struct tuple4 *t, uint32_t len)
{
	const uint64_t addresses = (uint64_t)t->local + t->remote;
	const uint32_t ttl = be32((uint32_t)link->ttl << 24 | PROTOCOL_TCP << 16);
	uint8_t *const ip = frame + ETHER_LEN;
	uint64_t sum = addresses + ttl;

	memcpy(frame, link, 12);
	store16(frame + 12, be16(ETHERTYPE_IPV4));
	sum += put32(ip, UINT32_C(0x45) << 24 | (uint32_t)link->tos << 16 | (IPV4_LEN + len));
	sum += put32(ip + 4, IPV4_DF);
	store32(ip + 8, ttl);
	store16(ip + 10, csum_make(sum));
	memcpy(ip + 12, t, 8);
	return addresses;
}

uint32_t usual_build(uint8_t *frame, const struct wire_link *link, const struct tuple4 *t,
		     const struct seg *seg, uint32_t text_sum)
{
	uint8_t *const tcp = frame + ETHER_LEN + IPV4_LEN;
	const uint32_t ports = (uint32_t)t->local_port << 16 | t->remote_port;
	uint64_t sum = (uint64_t)text_sum + be16(seg->up);
	const uint32_t header = TCP_LEN + opts_build(seg, tcp + TCP_LEN, &sum);
	const uint32_t len = header + seg->text_len;

	sum += be16(PROTOCOL_TCP) + (uint64_t)be16((uint16_t)len);
	sum += put_front(frame, link, t, len);
	sum += put32(tcp, ports);
	sum += put32(tcp + 4, seg->seq);
	sum += put32(tcp + 8, seg->ack);
	sum += put32(tcp + 12, header << 26 | (uint32_t)seg->flags << 16 | seg->wnd);
	store16(tcp + 16, csum_make(sum));
	put16(tcp + 18, seg->up);
	return ETHER_LEN + IPV4_LEN + header;
}
