/* SPDX-License-Identifier: BSD-3-Clause */
/* The usual frame, in one straight run: untagged Ethernet or none, IPv4 without options, TCP. Of those that come,
 * whole in one piece, only yes is said: what is in any way unusual, damaged or not for us goes to parse.c,
 * which judges it from the start and knows the reason. Those that leave have timestamps and no other option.
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

/* Version and IHL, fragment, TTL, protocol: all at their usual values. */
static inline bool ip_usual(const struct ip_words *w)
{
	return ((w->first ^ be32(UINT32_C(0x45) << 24)) & be32(0xff000000)) == 0 &&
	       (w->fragment & be32(IPV4_MF_OFFSET)) == 0 &&
	       ((w->ttl ^ be32(PROTOCOL_TCP << 16)) & be32(0x00ff0000)) == 0 &&
	       (w->ttl & be32(0xff000000)) != 0;
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
				     csum_wide(tcp, len)));
}

/* at: where the IP header begins. */
static inline void fill(const uint8_t *tcp, const struct ip_words *w, uint32_t at, uint32_t len,
			uint32_t header, struct wire_in *in)
{
	struct seg *const seg = &in->seg;
	const uint32_t text_len = len - header;

	flow_set4(&in->flow, w->dst, w->src, get16(tcp + 2), get16(tcp));
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13];
	seg->wnd = get16(tcp + 14);
	seg->up = get16(tcp + 18);
	seg->text_len = (uint16_t)text_len;
	seg->len = text_len + (seg->flags & SEG_FIN) + (seg->flags >> 1 & 1);
	in->l3_offset = at;
	in->text_offset = at + IPV4_LEN + header;
	in->text_len = text_len;
	in->ttl = tcp[8 - IPV4_LEN];
	in->tos = tcp[1 - IPV4_LEN];
	in->group = false;
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
	const uint32_t at = c->l3 ? 0 : ETHER_LEN;
	const uint8_t *const ip = frame + at, *const tcp = ip + IPV4_LEN;
	struct ip_words w;
	uint32_t len, header;

	if (have < at + IPV4_LEN + TCP_LEN || !(c->l3 || ether_usual(c, frame)))
		return false;
	w = (struct ip_words){ load32(ip), load32(ip + 4), load32(ip + 8), load32(ip + 12),
			       load32(ip + 16) };
	len = be32(w.first) & 0xffff;
	if (!ip_usual(&w) || len > have - at || len < IPV4_LEN + TCP_LEN)
		return false;
	len -= IPV4_LEN;
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (header < TCP_LEN || header > len || load16(tcp) == 0 || load16(tcp + 2) == 0 ||
	    !addresses4_pass(c, be32(w.src), be32(w.dst), in) || !sums_right(tcp, &w, len, hints))
		return false;
	fill(tcp, &w, at, len, header, in);
	return true;
}

_Static_assert(offsetof(struct wire_link, src_mac) == 6, "both addresses at once");

uint32_t usual_build(uint8_t *frame, const struct wire_link *link, const struct tuple4 *t,
		     const struct seg *seg, uint32_t text_sum)
{
	const uint32_t header = TCP_LEN + 12, len = header + seg->text_len;
	const uint64_t addresses = (uint64_t)t->local + t->remote;
	uint8_t *const ip = frame + (link->l3 ? 0 : ETHER_LEN), *const tcp = ip + IPV4_LEN;
	uint64_t sum = addresses;

	if (!link->l3) {
		memcpy(frame, link, 12);
		store16(frame + 12, be16(ETHERTYPE_IPV4));
	}
	sum += put32(ip, UINT32_C(0x45) << 24 | (uint32_t)link->tos << 16 | (IPV4_LEN + len));
	sum += put32(ip + 4, IPV4_DF);
	sum += be32((uint32_t)link->ttl << 24 | PROTOCOL_TCP << 16);
	store16(ip + 8, be16((uint16_t)(link->ttl << 8 | PROTOCOL_TCP)));
	store16(ip + 10, csum_make(sum));
	memcpy(ip + 12, t, 8);
	sum = addresses + be16(PROTOCOL_TCP) + be16((uint16_t)len) + text_sum;
	sum += put32(tcp, (uint32_t)t->local_port << 16 | t->remote_port);
	sum += put32(tcp + 4, seg->seq);
	sum += put32(tcp + 8, seg->ack);
	sum += put32(tcp + 12, header << 26 | (uint32_t)seg->flags << 16 | seg->wnd);
	sum += put32(tcp + 20, OPTS_TS);
	sum += put32(tcp + 24, seg->tsval);
	sum += put32(tcp + 28, seg->tsecr);
	store16(tcp + 16, csum_make(sum + be16(seg->up)));
	put16(tcp + 18, seg->up);
	return (uint32_t)(tcp - frame) + header;
}
