/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet, IP and TCP header input (REQUIREMENTS 2, 3, 17, 19). Every frame is judged in a copy of
 * exactly its size, so that the sanitizer sees an octet read beside it (SEC-1, SEC-2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "packet.h"
#include "rig/random.h"
#include "rig/usual.h"
#include "wire/parse.h"
#include "wire/peek.h"

#define PIECES 4

static struct wire_config config_make(bool l2)
{
	struct wire_config c = { .l3 = !l2, .usual = l2 };

	memcpy(c.mac, packet_us, 6);
	assert_true(wire_config_range(&c, 4, packet_us4, 1, 24));
	assert_true(wire_config_range(&c, 6, packet_us6, 1, 0));
	return c;
}

/* A frame ends as one kind, a drop has a reason, text lies in the frame (HF-G1, HF-G3). */
static void assert_sane(enum wire_kind kind, const struct wire_in *in, uint32_t total)
{
	switch (kind) {
	case WIRE_DROP:
		assert_in_range(in->drop, STAT_RX_DROP_ETH, STAT_RX_DROP_PORT0);
		return;
	case WIRE_TCP:
		assert_int_equal(in->text_len, in->seg.text_len);
		assert_int_equal(in->seg.len, in->text_len + !!(in->seg.flags & SEG_SYN) +
						      !!(in->seg.flags & SEG_FIN));
		assert_true(flow_local_port(&in->flow) != 0 && flow_remote_port(&in->flow) != 0);
		assert_true(in->seg.sacks <= SEG_SACK_MAX);
		break;
	case WIRE_ARP:
	case WIRE_ICMP:
	case WIRE_ICMP6:
		break;
	}
	assert_true(in->text_offset + in->text_len <= total);
}

/* The first look (HF-M2) reads no octet beside the frame, and of a segment the same flow. */
static void assert_peek(const struct wire_config *c, const struct wire_piece *first,
			enum wire_kind kind, const struct wire_in *in)
{
	struct flow flow;
	const bool is_tcp = wire_peek(c, first->octets, first->len, &flow);

	if (kind != WIRE_TCP)
		return;
	assert_true(is_tcp);
	assert_int_equal(flow.version, in->flow.version);
	assert_true(tuple_is(&in->flow.v4, &flow));
}

/* Judge len octets cut into pieces at the offsets given, which end with 0. */
static enum wire_kind judge_cut(const struct wire_config *c, const uint8_t *octets, uint32_t len,
				const uint32_t *cuts, unsigned hints, struct wire_in *in)
{
	struct wire_piece pieces[PIECES];
	uint8_t *copies[PIECES];
	enum wire_kind kind;
	uint32_t at = 0;
	unsigned n = 0;

	for (bool last = false; !last; n++) {
		const uint32_t end = cuts[n] != 0 ? cuts[n] : len;

		last = cuts[n] == 0;
		copies[n] = malloc(end - at);
		assert_true(copies[n] != NULL || end == at);
		if (end > at)
			memcpy(copies[n], octets + at, end - at);
		pieces[n] = (struct wire_piece){ copies[n], end - at };
		at = end;
	}
	memset(in, 0xa5, sizeof(*in));
	kind = wire_parse(c, pieces, n, hints, in);
	assert_sane(kind, in, len);
	assert_peek(c, &pieces[0], kind, in);
	assert_true(n > 1 || usual_agrees(c, pieces, hints));
	while (n > 0)
		free(copies[--n]);
	return kind;
}

static enum wire_kind judge(const struct wire_config *c, const uint8_t *octets, uint32_t len,
			    struct wire_in *in)
{
	static const uint32_t whole[] = { 0 };

	return judge_cut(c, octets, len, whole, 0, in);
}

static void assert_drop_by(const struct wire_config *c, const struct packet *p, enum stat why)
{
	struct wire_in in;

	assert_int_equal(judge(c, p->octets, p->len, &in), WIRE_DROP);
	assert_int_equal(in.drop, why);
}

static void assert_drop(const struct packet *p, enum stat why)
{
	const struct wire_config c = config_make(p->ip != 0);

	assert_drop_by(&c, p, why);
}

static struct wire_in assert_tcp_by(const struct wire_config *c, const struct packet *p)
{
	struct wire_in in;

	assert_int_equal(judge(c, p->octets, p->len, &in), WIRE_TCP);
	return in;
}

static struct wire_in assert_tcp(const struct packet *p)
{
	const struct wire_config c = config_make(p->ip != 0);

	return assert_tcp_by(&c, p);
}

static const uint8_t ts[] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };

/* ---- What is right ------------------------------------------------------------------------ */

static void segment__each_version_and_layer__is_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const int version = i & 1 ? 4 : 6;
		const struct packet p = packet_make(version, i & 2, SEG_ACK | SEG_PSH, ts, 12, 7);
		const struct wire_in in = assert_tcp(&p);

		assert_int_equal(in.flow.version, version);
		if (version == 4) {
			assert_memory_equal(&in.flow.v4.local, packet_us4, 4);
			assert_memory_equal(&in.flow.v4.remote, packet_them4, 4);
		} else {
			assert_memory_equal(in.flow.v6.local, packet_us6, 16);
			assert_memory_equal(in.flow.v6.remote, packet_them6, 16);
		}
		assert_int_equal(flow_local_port(&in.flow), 80);
		assert_int_equal(flow_remote_port(&in.flow), 1025);
		assert_int_equal(in.seg.seq, 0x11223344);
		assert_int_equal(in.seg.ack, 0x55667788);
		assert_int_equal(in.seg.flags, SEG_ACK | SEG_PSH);
		assert_int_equal(in.seg.options, OPT_TS);
		assert_int_equal(in.seg.tsval, 0x01020304);
		assert_int_equal(in.seg.tsecr, 0x05060708);
		assert_int_equal(in.seg.text_len, 7);
		assert_int_equal(in.seg.len, 7);
		assert_int_equal(in.text_offset, p.len - 7);
		assert_false(in.opt_bad);
	}
}

/* Whatever its length, its options and what the device says: usual.c leaves to parse.c what is not usual, no more. */
static void segment__usual__goes_the_short_way(void **state)
{
	struct wire_config c = config_make(true);
	uint8_t nops[40];
	struct wire_in in;

	(void)state;
	c.range4[0].count = 8; /* all between us and them */
	memset(nops, 1, sizeof(nops));
	for (uint32_t options = 0; options <= sizeof(nops); options += 4) {
		for (uint32_t text = 0; text < 40; text++) {
			struct packet p = packet_make(4, true, SEG_ACK, nops, options, text);

			packet_put16(p.octets + p.tcp, 1); /* the least port */
			packet_seal(&p);
			memset(p.octets + p.len, 0x5a, 60); /* padding, and what lies behind it */
			for (unsigned hints = 0; hints < 16; hints++)
				if (!(hints & (WIRE_IP_BAD | WIRE_L4_BAD)))
					assert_true(usual_parse(&c, p.octets, p.len + text / 2,
								hints, &in));
		}
	}
}

static void tos__each_version__is_read(void **state)
{
	struct packet p = packet_make(4, true, SEG_ACK, NULL, 0, 0);

	(void)state;
	p.octets[p.ip + 1] = 0xb9;
	packet_seal(&p);
	assert_int_equal(assert_tcp(&p).tos, 0xb9);
	p = packet_make(6, true, SEG_ACK, NULL, 0, 0);
	packet_put32(p.octets + p.ip, 0x6b9fffff); /* a flow label too */
	assert_int_equal(assert_tcp(&p).tos, 0xb9);
}

/* ---- Ethernet ----------------------------------------------------------------------------- */

static void frames__too_short_or_of_other_type__drop(void **state)
{
	const struct wire_config c = config_make(true);
	struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);
	uint64_t seed = 1;
	struct wire_in in;

	(void)state;
	for (uint32_t len = 0; len < 34; len++) {
		assert_int_equal(judge(&c, p.octets, len, &in), WIRE_DROP);
		assert_int_equal(in.drop, STAT_RX_DROP_ETH);
	}
	for (unsigned i = 0; i < 1000; i++) {
		const uint16_t type = (uint16_t)random_next(&seed);

		if (type == 0x0800 || type == 0x0806 || type == 0x8100 || type == 0x86dd ||
		    type == 0x88a8)
			continue;
		packet_put16(p.octets + 12, type);
		assert_drop(&p, STAT_RX_DROP_ETH);
	}
	p = packet_make(6, true, SEG_SYN, NULL, 0, 0);
	for (uint32_t len = 0; len < 54; len++) {
		assert_int_equal(judge(&c, p.octets, len, &in), WIRE_DROP);
		assert_int_equal(in.drop, STAT_RX_DROP_ETH);
	}
}

static void others_unicast__valid_syn__drops(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 48; bit++) {
		struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);

		p.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_drop(&p, bit == 0 ? STAT_RX_DROP_GROUP : STAT_RX_DROP_MAC);
	}
}

/* SYN, ACK and RST to each kind of broadcast and multicast. */
static void groups__any_segment__drop(void **state)
{
	static const uint8_t flags[] = { SEG_SYN, SEG_ACK, SEG_RST };
	static const uint8_t dst4[][4] = {
		{ 224, 0, 0, 1 }, { 239, 255, 255, 255 }, { 255, 255, 255, 255 }, { 192, 0, 2, 255 }
	};
	static const uint8_t macs[][6] = { { 255, 255, 255, 255, 255, 255 },
					   { 1, 0, 0x5e, 0, 0, 1 },
					   { 0x33, 0x33, 0, 0, 0, 1 } };

	(void)state;
	for (unsigned f = 0; f < 3; f++) {
		for (unsigned m = 0; m < 3; m++) {
			for (int version = 4; version <= 6; version += 2) {
				struct packet p = packet_make(version, true, flags[f], NULL, 0, 0);

				memcpy(p.octets, macs[m], 6);
				assert_drop(&p, STAT_RX_DROP_GROUP);
			}
		}
		for (unsigned d = 0; d < 4; d++) {
			struct packet p = packet_make(4, d & 1, flags[f], NULL, 0, 0);

			memcpy(p.octets + p.ip + 16, dst4[d], 4);
			packet_seal(&p);
			assert_drop(&p, STAT_RX_DROP_GROUP);
		}
		for (unsigned scope = 0; scope < 16; scope++) {
			struct packet p = packet_make(6, true, flags[f], NULL, 0, 0);

			p.octets[p.ip + 24] = 0xff;
			p.octets[p.ip + 25] = (uint8_t)scope;
			packet_seal(&p);
			assert_drop(&p, STAT_RX_DROP_GROUP);
		}
	}
}

static struct packet tagged(const uint16_t *tags, unsigned n)
{
	const struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);
	struct packet t = p;

	for (unsigned i = 0; i < n; i++) {
		packet_put16(t.octets + 12 + 4 * i, 0x8100);
		packet_put16(t.octets + 14 + 4 * i, tags[i]);
	}
	memcpy(t.octets + 12 + 4 * n, p.octets + 12, p.len - 12);
	t.ip += 4 * n;
	t.tcp += 4 * n;
	t.len += 4 * n;
	return t;
}

static void vlan_tags__0_to_3__match_or_drop(void **state)
{
	static const uint16_t tags[][3] = { { 7, 7, 7 }, { 8, 7, 7 }, { 0, 0, 0 } };
	struct wire_config c = config_make(true);
	struct packet p;
	struct wire_in in;

	(void)state;
	for (unsigned n = 0; n <= 3; n++) {
		for (unsigned t = 0; t < 3; t++) {
			p = tagged(tags[t], n);
			c.vlan = 0;
			c.usual = true;
			if (n == 0)
				assert_tcp_by(&c, &p);
			else
				assert_drop_by(&c, &p, STAT_RX_DROP_VLAN);
			c.vlan = 7;
			c.usual = false;
			if (n == 1 && t == 0)
				assert_tcp_by(&c, &p);
			else
				assert_drop_by(&c, &p, STAT_RX_DROP_VLAN);
		}
	}
	p = tagged((const uint16_t[]){ 0xe007 }, 1); /* priority bits are not the VLAN's number */
	assert_tcp_by(&c, &p);
	for (uint32_t len = 0; len < p.len; len++)
		assert_int_equal(judge(&c, p.octets, len, &in), WIRE_DROP);
	packet_put16(p.octets + 12, 0x88a8);
	c.vlan = 0;
	assert_drop_by(&c, &p, STAT_RX_DROP_VLAN);
}

static void assert_same(const struct wire_in *a, const struct wire_in *b)
{
	assert_true(a->flow.version == b->flow.version);
	assert_true(tuple_is(&a->flow.v6, &b->flow));
	assert_int_equal(a->text_offset, b->text_offset);
	assert_int_equal(a->text_len, b->text_len);
	assert_int_equal(a->seg.seq, b->seg.seq);
	assert_int_equal(a->seg.tsval, b->seg.tsval);
}

/* Cut everywhere, once and twice: the headers are whole in the first piece, or the frame goes. */
static void chain__cut_at_every_octet__is_read_or_dropped(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		const struct packet p = packet_make(version, true, SEG_ACK, ts, 12, 37);
		const struct wire_config c = config_make(true);
		const struct wire_in whole = assert_tcp(&p);

		for (uint32_t a = 1; a < p.len; a++) {
			for (uint32_t b = a + 1; b <= p.len; b++) {
				const uint32_t cuts[] = { a, b < p.len ? b : 0, 0 };
				struct packet bad = p;
				struct wire_in in;

				if (a < p.len - 37) {
					assert_int_equal(judge_cut(&c, p.octets, p.len, cuts, 0, &in),
							 WIRE_DROP);
					assert_int_equal(in.drop, STAT_RX_DROP_CHAIN);
					continue;
				}
				assert_int_equal(judge_cut(&c, p.octets, p.len, cuts, 0, &in),
						 WIRE_TCP);
				assert_same(&in, &whole);
				bad.octets[b - 1] ^= 1;
				assert_int_equal(judge_cut(&c, bad.octets, p.len, cuts, 0, &in),
						 WIRE_DROP);
				assert_int_equal(in.drop, STAT_RX_DROP_TCP_CSUM);
			}
		}
	}
}

/* ---- IPv4 --------------------------------------------------------------------------------- */

/* Version, header length and total length: every value, in frames with and without padding. */
static void version_ihl_total_length__every_value__is_checked(void **state)
{
	const struct wire_config c = config_make(true);

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		struct packet p = packet_make(4, true, SEG_ACK, NULL, 0, 40);
		const uint32_t header = (first & 15) * 4;
		struct wire_in in;
		enum wire_kind kind;

		memset(p.octets + p.ip + 20, 1, 40); /* options of NOPs, if that is what they are */
		p.octets[p.ip] = (uint8_t)first;
		if (first >> 4 == 4 && header >= 20)
			packet_seal_ip(&p);
		kind = judge(&c, p.octets, p.len, &in);
		assert_int_equal(kind, WIRE_DROP);
		assert_int_equal(in.drop, first >> 4 == 4 && header >= 20 ? STAT_RX_DROP_TCP_CSUM :
									    STAT_RX_DROP_IP_LEN);
	}
	for (uint32_t total = 0; total < 65536; total++) {
		struct packet p = packet_make(4, true, SEG_ACK, NULL, 0, 6);

		packet_put16(p.octets + p.ip + 2, total);
		p.tcp_len = total - 20;
		if (total >= 40 && total <= 46) {
			packet_seal(&p);
			assert_int_equal(assert_tcp_by(&c, &p).text_len, total - 40);
			continue;
		}
		packet_seal_ip(&p);
		assert_drop_by(&c, &p,
			       total < 20 || total > 46 ? STAT_RX_DROP_IP_LEN : STAT_RX_DROP_TCP_LEN);
	}
}

static void padding__behind_total_length__is_not_text(void **state)
{
	struct packet p = packet_make(4, true, SEG_ACK, NULL, 0, 0);
	struct wire_in in;

	(void)state;
	memset(p.octets + p.len, 0x5a, 60 - p.len);
	p.len = 60;
	in = assert_tcp(&p);
	assert_int_equal(in.seg.len, 0);
	assert_int_equal(in.text_len, 0);
	p = packet_make(6, true, SEG_ACK, NULL, 0, 3);
	p.len += 9;
	assert_int_equal(assert_tcp(&p).text_len, 3);
}

static void header_bits__each_flipped__drop_by_checksum(void **state)
{
	(void)state;
	for (unsigned bit = 8; bit < 160; bit++) {
		struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);

		p.octets[p.ip + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		assert_drop(&p, STAT_RX_DROP_IP_CSUM);
	}
}

/* Every first octet of a source, and the broadcasts. */
static void sources__invalid__drop(void **state)
{
	struct wire_config c = config_make(true);

	(void)state;
	for (unsigned net = 0; net < 256; net++) {
		struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);
		const bool reserved = net == 127 || net >= 240;

		packet_put32(p.octets + p.ip + 12, net << 24 | 0x010203);
		packet_seal(&p);
		c.accept_reserved = false;
		if (net == 0 || reserved || net >= 224)
			assert_drop_by(&c, &p, STAT_RX_DROP_IP_ADDR);
		else
			assert_tcp_by(&c, &p);
		c.accept_reserved = true;
		if (net == 0 || (net >= 224 && net < 240))
			assert_drop_by(&c, &p, STAT_RX_DROP_IP_ADDR);
		else
			assert_tcp_by(&c, &p);
		packet_put32(p.octets + p.ip + 12, net == 0 ? 0xffffffff : 0xc00002ff);
		packet_seal(&p);
		assert_drop_by(&c, &p, STAT_RX_DROP_IP_ADDR);
	}
}

static void land__own_source__drops(void **state)
{
	struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);

	(void)state;
	memcpy(p.octets + p.ip + 12, packet_us4, 4);
	packet_seal(&p);
	assert_drop(&p, STAT_RX_DROP_LAND);
	packet_put32(p.octets + p.tcp, 80u << 16 | 80); /* the classic: ports equal too */
	packet_seal(&p);
	assert_drop(&p, STAT_RX_DROP_LAND);
	p = packet_make(6, true, SEG_SYN, NULL, 0, 0);
	memcpy(p.octets + p.ip + 8, packet_us6, 16);
	packet_seal(&p);
	assert_drop(&p, STAT_RX_DROP_LAND);
}

/* Of several ranges, in frames that are usual in all else: what is ours or a broadcast in any of them is no source. */
static void source__in_another_range_of_ours__drops(void **state)
{
	static const uint8_t other4[] = { 198, 18, 0, 1 };
	struct wire_config c = config_make(true);
	struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);

	(void)state;
	assert_true(wire_config_range(&c, 4, other4, 2, 24));
	packet_put32(p.octets + p.ip + 12, 0xc6120002);
	packet_seal(&p);
	assert_drop_by(&c, &p, STAT_RX_DROP_LAND);
	packet_put32(p.octets + p.ip + 12, 0xc61200ff);
	packet_seal(&p);
	assert_drop_by(&c, &p, STAT_RX_DROP_IP_ADDR);
	packet_put32(p.octets + p.ip + 12, 0xc6120003);
	packet_seal(&p);
	assert_tcp_by(&c, &p);
}

/* Ranges of addresses: the first, the last and their neighbours. */
static void destination__not_in_our_ranges__drops(void **state)
{
	struct wire_config c = { .l3 = true };
	static const uint8_t first4[] = { 198, 18, 0, 250 };
	static const uint8_t first6[16] = { 0x20, 1, 0, 2, [14] = 0, [15] = 250 };
	struct packet p;

	(void)state;
	assert_true(wire_config_range(&c, 4, packet_us4, 1, 0));
	assert_true(wire_config_range(&c, 4, first4, 64, 0));
	assert_true(wire_config_range(&c, 6, packet_us6, 1, 0));
	assert_true(wire_config_range(&c, 6, first6, 64, 0));
	for (uint32_t i = 0; i < 70; i++) {
		const bool ours = i >= 3 && i < 67;

		p = packet_make(4, false, SEG_SYN, NULL, 0, 0);
		packet_put32(p.octets + 16, 0xc61200fa - 3 + i);
		packet_seal(&p);
		if (ours)
			assert_tcp_by(&c, &p);
		else
			assert_drop_by(&c, &p, STAT_RX_DROP_NOT_OURS);
		p = packet_make(6, false, SEG_SYN, NULL, 0, 0);
		memcpy(p.octets + 24, first6, 16);
		packet_put32(p.octets + 36, 250 - 3 + i);
		packet_seal(&p);
		if (ours)
			assert_tcp_by(&c, &p);
		else
			assert_drop_by(&c, &p, STAT_RX_DROP_NOT_OURS);
		p.octets[24 + 7] ^= 1; /* another /64 */
		packet_seal(&p);
		assert_drop_by(&c, &p, STAT_RX_DROP_NOT_OURS);
	}
	c.ranges6 = 1; /* what lies behind the last one is none */
	p = packet_make(6, false, SEG_SYN, NULL, 0, 0);
	memcpy(p.octets + 24, first6, 16);
	packet_seal(&p);
	assert_drop_by(&c, &p, STAT_RX_DROP_NOT_OURS);
}

static void ranges__too_many_or_wrapping__are_refused(void **state)
{
	static const uint8_t last[16] = { [8] = 255, 255, 255, 255, 255, 255, 255, 254 };
	static const uint8_t last4[4] = { 255, 255, 255, 254 };
	struct wire_config c = { 0 };

	(void)state;
	assert_false(wire_config_range(&c, 4, packet_us4, 0, 0));
	assert_false(wire_config_range(&c, 4, last4, 3, 0));
	assert_true(wire_config_range(&c, 4, last4, 2, 0));
	c.ranges4 = 0;
	assert_false(wire_config_range(&c, 6, last, 3, 0));
	assert_false(wire_config_range(&c, 6, packet_us6, 0, 0));
	assert_false(wire_config_range(&c, 4, packet_us4, 1, 33));
	assert_true(wire_config_range(&c, 4, packet_us4, 1, 32));
	assert_true(wire_config_range(&c, 4, packet_us4, 1, 1));
	assert_int_equal(c.range4[1].broadcast, UINT32_MAX);
	c.ranges4 = 0;
	for (unsigned i = 0; i < WIRE_RANGES; i++)
		assert_true(wire_config_range(&c, 6, last, 2, 0));
	assert_false(wire_config_range(&c, 6, packet_us6, 1, 0));
	for (unsigned i = 0; i < WIRE_RANGES; i++)
		assert_true(wire_config_range(&c, 4, packet_us4, 1, 31));
	assert_int_equal(c.range4[0].broadcast, 0);
	assert_false(wire_config_range(&c, 4, packet_us4, 1, 0));
}

static struct packet with_ip_options(const uint8_t *options, uint32_t len)
{
	struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);

	memmove(p.octets + p.tcp + len, p.octets + p.tcp, p.tcp_len);
	memcpy(p.octets + p.tcp, options, len);
	p.octets[p.ip] = (uint8_t)(0x45 + len / 4);
	p.tcp += len;
	p.len += len;
	packet_put16(p.octets + p.ip + 2, p.len - p.ip);
	packet_seal(&p);
	return p;
}

/* Every kind at every length and offset: skipped, or refused for its length. */
static void ip_options__every_kind_and_length__are_walked(void **state)
{
	const struct wire_config c = config_make(true);
	struct packet p;

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		for (uint32_t len = 0; len <= 42; len++) {
			for (uint32_t at = 0; at < 40; at += 13) {
				const bool source_route = kind == 131 || kind == 137;
				uint8_t options[40];

				memset(options, 1, 40);
				options[at] = (uint8_t)kind;
				if (at < 39)
					options[at + 1] = (uint8_t)len;
				if (kind == 1 && at < 39)
					options[at + 1] = 0;
				p = with_ip_options(options, 40);
				if (kind <= 1)
					assert_tcp_by(&c, &p);
				else if (at == 39 || len < 2 || len > 40 - at)
					assert_drop_by(&c, &p, STAT_RX_DROP_IP_OPT);
				else if (source_route)
					assert_drop_by(&c, &p, STAT_RX_DROP_IP_SRCROUTE);
				else
					assert_tcp_by(&c, &p);
			}
		}
	}
	p = with_ip_options((const uint8_t[]){ 1, 1, 1, 1 }, 4); /* and nothing behind them */
	p.octets[p.ip + 9] = 17;
	packet_put16(p.octets + p.ip + 2, 24);
	packet_seal_ip(&p);
	p.len = p.tcp;
	assert_drop(&p, STAT_RX_DROP_PROTO);
}

static void source_routes__syn__drop(void **state)
{
	struct packet p;

	(void)state;
	p = with_ip_options((const uint8_t[]){ 131, 7, 4, 192, 0, 2, 1, 0 }, 8);
	assert_drop(&p, STAT_RX_DROP_IP_SRCROUTE);
	p = with_ip_options((const uint8_t[]){ 1, 137, 7, 4, 192, 0, 2, 1 }, 8);
	assert_drop(&p, STAT_RX_DROP_IP_SRCROUTE);
	p = with_ip_options((const uint8_t[]){ 0, 131, 7, 4, 192, 0, 2, 1 }, 8); /* behind the end */
	assert_tcp(&p);
}

static void ttl__0__drops(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (unsigned ttl = 0; ttl < 256; ttl++) {
			struct packet p = packet_make(version, true, SEG_SYN, NULL, 0, 0);

			p.octets[p.ip + (version == 4 ? 8 : 7)] = (uint8_t)ttl;
			packet_seal(&p);
			if (ttl == 0)
				assert_drop(&p, STAT_RX_DROP_TTL);
			else
				assert_int_equal(assert_tcp(&p).ttl, ttl);
		}
	}
}

static void fragments__of_ipv4__drop(void **state)
{
	(void)state;
	for (uint32_t field = 0; field < 65536; field++) {
		struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);

		packet_put16(p.octets + p.ip + 6, field);
		packet_seal_ip(&p);
		if (field & 0x3fff)
			assert_drop(&p, STAT_RX_DROP_FRAG);
		else
			assert_tcp(&p);
	}
}

/* ---- IPv6 --------------------------------------------------------------------------------- */

/* Put len octets between the IPv6 header and TCP. The IPv6 header says first comes next. */
static struct packet with_chain(uint8_t first, const uint8_t *chain, uint32_t len)
{
	struct packet p = packet_make(6, true, SEG_SYN, NULL, 0, 0);

	memmove(p.octets + p.tcp + len, p.octets + p.tcp, p.tcp_len);
	memcpy(p.octets + p.tcp, chain, len);
	p.octets[p.ip + 6] = first;
	p.tcp += len;
	p.len += len;
	packet_put16(p.octets + p.ip + 4, len + p.tcp_len);
	packet_seal(&p);
	return p;
}

enum { HOP = 0, TCP = 6, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

static void extension_headers__each__pass_or_drop(void **state)
{
	static const struct {
		uint8_t first, len, chain[24];
		enum stat drop; /* 0: passes */
	} cases[] = {
		{ HOP, 8, { TCP, 0, 1, 4 }, 0 },
		{ HOP, 8, { TCP, 0, 5, 2, 0, 0, 1, 0 }, 0 }, /* router alert, PadN */
		{ HOP, 8, { TCP }, 0 },			     /* Pad1 six times */
		{ DESTINATION, 8, { TCP, 0, 1, 4 }, 0 },
		{ DESTINATION, 24, { TCP, 2, 1, 20 }, 0 },
		{ DESTINATION, 8, { TCP, 0, 0x3e, 4 }, 0 }, /* unknown, to be skipped */
		{ DESTINATION, 16, { TCP, 1, 1, 2, 255, 255, 0x3e, 8 }, 0 },
		{ DESTINATION, 16, { TCP, 1, 1, 2, 0, 0, 0xfe, 8 }, STAT_RX_DROP_IP_EXT },
		{ DESTINATION, 8, { TCP, 0, 0x7e, 4 }, STAT_RX_DROP_IP_EXT },
		{ DESTINATION, 8, { TCP, 0, 0xbe, 4 }, STAT_RX_DROP_IP_EXT },
		{ HOP, 8, { TCP, 0, 0xc2, 4, 0, 1, 0, 0 }, STAT_RX_DROP_IP_EXT }, /* jumbo */
		{ HOP, 8, { TCP, 0, 1, 5 }, STAT_RX_DROP_IP_EXT },
		{ HOP, 8, { TCP, 0, 1, 3, 0, 0, 0, 1 }, STAT_RX_DROP_IP_EXT },
		{ HOP, 8, { TCP, 255, 1, 4 }, STAT_RX_DROP_IP_EXT },
		{ ROUTING, 8, { TCP, 0, 2, 0 }, 0 },
		{ ROUTING, 8, { TCP, 0, 2, 1 }, STAT_RX_DROP_IP_EXT },
		{ ROUTING, 8, { TCP, 0, 0, 0 }, STAT_RX_DROP_IP_EXT },
		{ ROUTING, 8, { TCP, 0, 4, 3 }, STAT_RX_DROP_IP_EXT },
		{ HOP, 16, { DESTINATION, 0, 1, 4, 0, 0, 0, 0, TCP, 0, 1, 4 }, 0 },
		{ DESTINATION, 16, { HOP, 0, 1, 4, 0, 0, 0, 0, TCP, 0, 1, 4 }, STAT_RX_DROP_IP_EXT },
		{ HOP, 16, { HOP, 0, 1, 4, 0, 0, 0, 0, TCP, 0, 1, 4 }, STAT_RX_DROP_IP_EXT },
		{ HOP, 8, { 59, 0, 1, 4 }, STAT_RX_DROP_PROTO }, /* no next header */
		{ HOP, 8, { 17, 0, 1, 4 }, STAT_RX_DROP_PROTO },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct packet p = with_chain(cases[i].first, cases[i].chain, cases[i].len);

		if (cases[i].drop != 0)
			assert_drop(&p, cases[i].drop);
		else
			assert_int_equal(assert_tcp(&p).text_offset, p.len);
	}
}

static void next_header__every_value__is_known_or_dropped(void **state)
{
	(void)state;
	for (unsigned next = 0; next < 256; next++) {
		const struct packet p = with_chain((uint8_t)next, (const uint8_t[8]){ TCP, 0, 2 }, 8);
		const struct wire_config c = config_make(true);
		struct wire_in in;
		const enum wire_kind kind = judge(&c, p.octets, p.len, &in);

		if (next == HOP || next == ROUTING || next == DESTINATION) {
			assert_int_equal(kind, WIRE_TCP);
		} else if (next == 58) {
			assert_int_equal(kind, WIRE_ICMP6);
		} else {
			assert_int_equal(kind, WIRE_DROP);
			assert_int_equal(in.drop, next == TCP	   ? STAT_RX_DROP_TCP_CSUM :
						  next == FRAGMENT ? STAT_RX_DROP_FRAG :
								     STAT_RX_DROP_PROTO);
		}
	}
}

/* n empty destination options: 8 headers pass, 9 do not, however many follow. */
static void chains__longer_than_8_headers__drop(void **state)
{
	const struct wire_config c = config_make(true);
	static uint8_t frame[54 + 8 * 1000 + 20];
	uint8_t chain[264];

	(void)state;
	for (uint32_t n = 1; n <= 1000; n = n < 33 ? n + 1 : n * 3) {
		struct wire_in in;
		struct packet p;

		memset(chain, 0, sizeof(chain));
		for (uint32_t i = 0; i < n && i < 33; i++)
			chain[8 * i] = i + 1 < n ? DESTINATION : TCP;
		if (n <= 33) {
			p = with_chain(DESTINATION, chain, 8 * n);
			if (n <= 8)
				assert_int_equal(assert_tcp(&p).text_len, 0);
			else
				assert_drop(&p, STAT_RX_DROP_IP_EXT);
			memcpy(frame, p.octets, 54);
		}
		for (uint32_t i = 0; i < n; i++)
			memcpy(frame + 54 + 8 * i,
			       (const uint8_t[8]){ i + 1 < n ? DESTINATION : TCP }, 8);
		packet_put16(frame + 18, 8 * n + 20);
		if (n > 8) {
			assert_int_equal(judge(&c, frame, 54 + 8 * n + 20, &in), WIRE_DROP);
			assert_int_equal(in.drop, STAT_RX_DROP_IP_EXT);
		}
	}
}

/* One header of up to 2048 octets: 256 pass. */
static void headers__longer_than_256_octets__drop(void **state)
{
	(void)state;
	for (uint32_t units = 0; units < 150; units++) {
		uint8_t chain[8 * 150] = { TCP, (uint8_t)units };
		struct packet p;

		p = with_chain(DESTINATION, chain, 8 * (units + 1));
		if (units < 32)
			assert_tcp(&p);
		else
			assert_drop(&p, STAT_RX_DROP_IP_EXT);
	}
}

static void chain__truncated_or_cut__drops(void **state)
{
	static const uint8_t chain[40] = { DESTINATION, 0,	  1, 4, 0,  0,	       0,
					   0,		FRAGMENT, 2, 1, 20, [32] = TCP };
	const struct packet p = with_chain(HOP, chain, 40);
	const struct wire_config c = config_make(true);
	struct wire_in in;

	(void)state;
	assert_tcp(&p);
	for (uint32_t len = 14; len < p.len; len++) {
		struct packet s = p;

		assert_int_equal(judge(&c, p.octets, len, &in), WIRE_DROP);
		assert_int_equal(in.drop, len < 54 ? STAT_RX_DROP_ETH : STAT_RX_DROP_IP_LEN);
		if (len < 54)
			continue;
		s.len = len; /* the payload length agrees with the frame */
		packet_put16(s.octets + s.ip + 4, len - 54);
		assert_drop(&s, len < p.tcp ? STAT_RX_DROP_IP_EXT : STAT_RX_DROP_TCP_LEN);
	}
	for (uint32_t cut = 1; cut < p.len; cut++) {
		const uint32_t cuts[] = { cut, 0 };

		assert_int_equal(judge_cut(&c, p.octets, p.len, cuts, 0, &in), WIRE_DROP);
		assert_int_equal(in.drop, STAT_RX_DROP_CHAIN);
	}
}

static void version_payload_length__wrong__drop(void **state)
{
	const struct wire_config c = config_make(true);

	(void)state;
	for (unsigned version = 0; version < 16; version++) {
		struct packet p = packet_make(6, true, SEG_SYN, NULL, 0, 0);

		p.octets[p.ip] = (uint8_t)(version << 4);
		if (version == 6)
			assert_tcp(&p);
		else
			assert_drop(&p, STAT_RX_DROP_IP_LEN);
	}
	for (uint32_t len = 0; len < 65536; len++) {
		struct packet p = packet_make(6, true, SEG_SYN, NULL, 0, 4);

		packet_put16(p.octets + p.ip + 4, len);
		p.tcp_len = len;
		if (len >= 20 && len <= 24) {
			packet_seal(&p);
			assert_int_equal(assert_tcp_by(&c, &p).text_len, len - 20);
		} else {
			assert_drop_by(&c, &p, len > 24 ? STAT_RX_DROP_IP_LEN : STAT_RX_DROP_TCP_LEN);
		}
	}
}

static void atomic_fragments__and_others__pass_and_drop(void **state)
{
	(void)state;
	for (uint32_t field = 0; field < 65536; field++) {
		uint8_t chain[8] = { TCP, 0xff, 0, 0, 1, 2, 3, 4 }; /* reserved octet set */
		struct packet p;

		packet_put16(chain + 2, field);
		p = with_chain(FRAGMENT, chain, 8);
		if (field & 0xfff9)
			assert_drop(&p, STAT_RX_DROP_FRAG);
		else
			assert_tcp(&p);
	}
}

static void sources__invalid_ipv6__drop(void **state)
{
	static const uint8_t bad[][16] = {
		{ 0xff, 2, [15] = 1 },
		{ 0xff, 0x0e, 1 },
		{ 0 },
		{ [15] = 1 },
		{ [10] = 0xff, 0xff, 192, 0, 2, 9 },
	};
	static const uint8_t good[][16] = {
		{ 0xfe, 0x80, [15] = 1 },
		{ 0xfd, [15] = 1 },
		{ [15] = 2 },
		{ 0, 0x64, 0xff, 0x9b, [12] = 192, 0, 2, 9 },
		{ [9] = 1, [10] = 0xff, 0xff, 192, 0, 2, 9 },
	};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct packet p = packet_make(6, true, SEG_SYN, NULL, 0, 0);

		memcpy(p.octets + p.ip + 8, bad[i], 16);
		packet_seal(&p);
		assert_drop(&p, STAT_RX_DROP_IP_ADDR);
		memcpy(p.octets + p.ip + 8, good[i], 16);
		packet_seal(&p);
		assert_tcp(&p);
	}
}

/* ---- TCP ---------------------------------------------------------------------------------- */

static void segment_bits__each_flipped__drop_by_checksum(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (unsigned options = 0; options < 2; options++) {
			struct packet p = packet_make(version, true, SEG_ACK, ts, 12 * options, 9);

			for (uint32_t bit = 0; bit < 8 * p.tcp_len; bit++) {
				const uint8_t mask = (uint8_t)(0x80 >> bit % 8);

				p.octets[p.tcp + bit / 8] ^= mask;
				assert_drop(&p, STAT_RX_DROP_TCP_CSUM);
				p.octets[p.tcp + bit / 8] ^= mask;
			}
			assert_tcp(&p);
		}
	}
}

static void addresses__bit_flipped__drop_by_pseudo_header(void **state)
{
	struct packet p = packet_make(6, true, SEG_ACK, NULL, 0, 1);

	(void)state;
	for (uint32_t bit = 0; bit < 120;
	     bit++) { /* of the source, the octet apart that makes it ours */
		p.octets[p.ip + 8 + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		assert_drop(&p, STAT_RX_DROP_TCP_CSUM);
		p.octets[p.ip + 8 + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
}

static void data_offset__every_value_and_length__is_checked(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (uint32_t len = 0; len <= 60; len++) {
			for (uint32_t offset = 0; offset < 16; offset++) {
				struct packet p = packet_make(version, true, SEG_ACK, NULL, 0, 40);

				memset(p.octets + p.tcp + 20, 1, 40);
				p.octets[p.tcp + 12] = (uint8_t)(offset << 4);
				p.tcp_len = len;
				p.len = p.tcp + len;
				packet_put16(p.octets + p.ip + (version == 4 ? 2 : 4),
					     len + (version == 4 ? 20 : 0));
				packet_seal_ip(&p);
				if (len >= 18)
					packet_seal(&p);
				if (len < 20 || offset < 5 || offset * 4 > len)
					assert_drop(&p, STAT_RX_DROP_TCP_LEN);
				else
					assert_int_equal(assert_tcp(&p).text_len, len - offset * 4);
			}
		}
	}
}

static void port_0__either_end__drops(void **state)
{
	static const uint32_t ports[] = { 0, 80, 1025u << 16 };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct packet p = packet_make(i & 1 ? 4 : 6, true, SEG_SYN, NULL, 0, 0);

		packet_put32(p.octets + p.tcp, ports[i / 2]);
		packet_seal(&p);
		assert_drop(&p, STAT_RX_DROP_PORT0);
	}
}

static void reserved_bits__set__change_nothing(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 16; bits++) {
		struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);
		struct wire_in in;

		p.octets[p.tcp + 12] |= (uint8_t)bits;
		packet_seal(&p);
		in = assert_tcp(&p);
		assert_int_equal(in.seg.flags, SEG_SYN);
		assert_int_equal(in.text_len, 0);
	}
}

/* All 256: taken as they are; LEN counts SYN and FIN. */
static void flags__all__are_handed_on(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct packet p = packet_make(4, true, (uint8_t)flags, ts, 12, 5);
		const struct wire_in in = assert_tcp(&p);

		assert_int_equal(in.seg.flags, flags);
		assert_int_equal(in.seg.len, 5 + (flags & 1) + (flags >> 1 & 1));
		assert_int_equal(in.seg.text_len, 5);
		assert_int_equal(in.seg.options, OPT_TS);
	}
}

static void window_and_urgent_pointer__any_value__are_unsigned(void **state)
{
	static const uint16_t values[] = { 0, 1, 5, 6, 0x7fff, 0x8000, 0xffff };

	(void)state;
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct packet p = packet_make(4, true, SEG_ACK | SEG_URG, NULL, 0, i & 1 ? 5 : 0);
		struct wire_in in;

		packet_put16(p.octets + p.tcp + 14, values[i]);
		packet_put16(p.octets + p.tcp + 18, values[i]);
		packet_seal(&p);
		in = assert_tcp(&p);
		assert_int_equal(in.seg.wnd, values[i]);
		assert_int_equal(in.seg.up, values[i]);
	}
}

static void options__bad_length__segment_stands(void **state)
{
	static const uint8_t options[] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 1 };
	const struct packet p = packet_make(4, true, SEG_ACK, options, 16, 3);
	const struct wire_in in = assert_tcp(&p);

	(void)state;
	assert_true(in.opt_bad);
	assert_int_equal(in.seg.options, OPT_TS);
	assert_int_equal(in.text_len, 3);
}

/* Text chosen so that the field holds 0x0000, and so that it holds 0xffff's other form. */
static void checksum_field__0_or_ffff__is_no_exception(void **state)
{
	struct packet p = packet_make(4, true, SEG_ACK, NULL, 0, 2);
	uint8_t *field = p.octets + p.tcp + 16;

	(void)state;
	packet_put16(p.octets + p.tcp + 20, 0);
	packet_seal(&p);
	packet_put16(p.octets + p.tcp + 20, (uint32_t)field[0] << 8 | field[1]);
	packet_seal(&p);
	assert_int_equal(field[0] | field[1], 0);
	assert_tcp(&p);
	packet_put16(field, 0xffff); /* minus zero: an equal sum in one's complement */
	assert_tcp(&p);
	packet_put16(field, 1);
	assert_drop(&p, STAT_RX_DROP_TCP_CSUM);
}

static void hints__every_combination__are_believed(void **state)
{
	static const uint32_t whole[] = { 0 };
	const struct wire_config c = config_make(true);

	(void)state;
	for (unsigned hints = 0; hints < 16; hints++) {
		for (unsigned wrong = 0; wrong < 4; wrong++) {
			struct packet p = packet_make(4, true, SEG_ACK, NULL, 0, 4);
			const bool ip_drops =
				hints & WIRE_IP_BAD || (wrong & 1 && !(hints & WIRE_IP_GOOD));
			const bool l4_drops =
				hints & WIRE_L4_BAD || (wrong & 2 && !(hints & WIRE_L4_GOOD));
			struct wire_in in;
			enum wire_kind kind;

			p.octets[p.ip + 11] ^= wrong & 1;
			p.octets[p.tcp + 17] ^= (uint8_t)(wrong & 2);
			kind = judge_cut(&c, p.octets, p.len, whole, hints, &in);
			assert_int_equal(kind, ip_drops || l4_drops ? WIRE_DROP : WIRE_TCP);
			if (kind == WIRE_DROP)
				assert_int_equal(in.drop, ip_drops ? STAT_RX_DROP_IP_CSUM :
								     STAT_RX_DROP_TCP_CSUM);
		}
	}
}

/* ---- What is not TCP ---------------------------------------------------------------------- */

static void arp__to_us_or_all__is_handed_on(void **state)
{
	const struct wire_config c = config_make(true);
	struct packet p = { .len = 60 };
	struct wire_in in;

	(void)state;
	memset(p.octets, 0xff, 6);
	packet_put16(p.octets + 12, 0x0806);
	for (uint32_t len = 0; len <= 60; len++) {
		assert_int_equal(judge(&c, p.octets, len, &in), len < 42 ? WIRE_DROP : WIRE_ARP);
		if (len < 42)
			assert_int_equal(in.drop, STAT_RX_DROP_ETH);
	}
	assert_int_equal(in.group, 1);
	assert_int_equal(in.text_offset, 14);
	assert_int_equal(in.text_len, 28);
	memcpy(p.octets, packet_us, 6);
	assert_int_equal(judge(&c, p.octets, p.len, &in), WIRE_ARP);
	assert_int_equal(in.group, 0);
	for (uint32_t cut = 1; cut < 60; cut++) {
		const uint32_t cuts[] = { cut, 0 };

		assert_int_equal(judge_cut(&c, p.octets, p.len, cuts, 0, &in),
				 cut < 42 ? WIRE_DROP : WIRE_ARP);
		if (cut < 42)
			assert_int_equal(in.drop, STAT_RX_DROP_CHAIN);
	}
	p.octets[0] ^= 2;
	assert_drop(&(struct packet){ .len = 60, .ip = 14, .octets = { 2, 0, 0, 0, 0, 7 } },
		    STAT_RX_DROP_MAC);
}

static void protocols__other_than_tcp_and_icmp__drop(void **state)
{
	const struct wire_config c = config_make(true);

	(void)state;
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		struct packet p = packet_make(4, true, SEG_SYN, NULL, 0, 0);
		struct wire_in in;
		enum wire_kind kind;

		p.octets[p.ip + 9] = (uint8_t)protocol;
		packet_seal_ip(&p);
		kind = judge(&c, p.octets, p.len, &in);
		if (protocol == 6)
			assert_int_equal(kind, WIRE_TCP);
		else if (protocol == 1)
			assert_int_equal(kind, WIRE_ICMP);
		else
			assert_int_equal(in.drop, STAT_RX_DROP_PROTO);
		if (kind == WIRE_ICMP) {
			assert_int_equal(in.text_offset, p.tcp);
			assert_int_equal(in.text_len, 20);
			assert_int_equal(flow_local_port(&in.flow), 0);
		}
	}
}

/* Neighbour discovery lives in groups, and asks from :: (RFC 4861, RFC 4862 5.4.2). */
static void icmp6__to_groups_and_from_nobody__is_handed_on(void **state)
{
	const struct wire_config c = config_make(true);
	struct packet p = packet_make(6, true, 0, NULL, 0, 4);
	struct wire_in in;

	(void)state;
	p.octets[p.ip + 6] = 58;
	assert_int_equal(judge(&c, p.octets, p.len, &in), WIRE_ICMP6);
	assert_false(in.group);
	assert_int_equal(in.text_len, 24);
	memset(p.octets + p.ip + 8, 0, 16);
	memcpy(p.octets, (const uint8_t[]){ 0x33, 0x33, 0xff, 0, 0, 1 }, 6);
	memcpy(p.octets + p.ip + 24,
	       (const uint8_t[16]){ 0xff, 2, [11] = 1, [12] = 0xff, [15] = 1 }, 16);
	assert_int_equal(judge(&c, p.octets, p.len, &in), WIRE_ICMP6);
	assert_true(in.group);
	p.octets[p.ip + 23] = 1; /* from ::1 */
	assert_drop(&p, STAT_RX_DROP_IP_ADDR);
	p.octets[p.ip + 6] = 17;
	assert_drop(&p, STAT_RX_DROP_PROTO);
}

/* ---- Anything ----------------------------------------------------------------------------- */

static void frames__truncated_anywhere__drop(void **state)
{
	static const uint8_t options[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2,
					   3, 4, 5, 6,	  7, 8, 1, 3,  3, 7 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const struct packet p =
			packet_make(i & 1 ? 4 : 6, i & 2, SEG_SYN, options, sizeof(options), 30);
		const struct wire_config c = config_make(i & 2);
		struct wire_in in;

		for (uint32_t len = 0; len < p.len; len++)
			assert_int_equal(judge(&c, p.octets, len, &in), WIRE_DROP);
	}
}

/* All length fields together at 0, 1, right - 1, right, right + 1 and their most, in short frames. */
static void length_fields__wrong_in_pairs__stay_inside(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6 * 6 * 6 * 6; i++) {
		struct packet p = packet_make(4, true, SEG_SYN, ts, 12, 8);
		const struct wire_config c = config_make(true);
		const uint32_t total[] = { 0, 1, 59, 60, 61, 65535 }, ihl[] = { 0, 1, 4, 5, 6, 15 };
		const uint32_t offset[] = { 0, 1, 7, 8, 9, 15 }, option[] = { 0, 1, 9, 10, 11, 255 };
		struct wire_in in;
		enum wire_kind kind;

		packet_put16(p.octets + p.ip + 2, total[i % 6]);
		p.octets[p.ip] = (uint8_t)(0x40 | ihl[i / 6 % 6]);
		p.octets[p.tcp + 12] = (uint8_t)(offset[i / 36 % 6] << 4);
		p.octets[p.tcp + 23] = (uint8_t)option[i / 216];
		packet_seal(&p);
		for (uint32_t len = p.len - 12; len <= p.len; len += 4)
			judge_cut(&c, p.octets, len, (const uint32_t[]){ 0 },
				  WIRE_IP_GOOD | WIRE_L4_GOOD, &in);
		kind = judge(&c, p.octets, p.len, &in);
		if (i % 6 == 3 && i / 6 % 6 == 3 && i / 36 % 6 == 3)
			assert_int_equal(kind, WIRE_TCP);
	}
}

/* Pure noise, and right frames with noise in a few octets, checksums waived or not. */
static void noise__a_million_frames__is_survived(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (unsigned round = 0; round < 1000000; round++) {
		const uint64_t r = random_next(&seed);
		const int version = r & 1 ? 4 : 6;
		const struct wire_config c = config_make(r & 2);
		uint8_t octets[128];
		uint32_t len = (uint32_t)(r >> 8) & 127;
		struct wire_in in;

		for (uint32_t i = 0; i < sizeof(octets); i += 8) {
			const uint64_t word = random_next(&seed);

			memcpy(octets + i, &word, 8);
		}
		if (r & 4) {
			struct packet p = packet_make(version, r & 2, (uint8_t)(r >> 16), ts, 12, 8);

			for (unsigned n = (unsigned)(r >> 24) & 7; n > 0; n--)
				p.octets[random_below(&seed, p.len)] = (uint8_t)random_next(&seed);
			memcpy(octets, p.octets, p.len);
			len = r & 8 ? p.len : random_below(&seed, p.len + 1);
		}
		judge_cut(&c, octets, len, (const uint32_t[]){ 0 },
			  r & 16 ? WIRE_IP_GOOD | WIRE_L4_GOOD : 0, &in);
	}
}

#define TEST(id, function)                             \
	{                                              \
		.name = (id), .test_func = (function), \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("RFC9293-3.1", segment__each_version_and_layer__is_read),
		TEST("RFC9293-3.1-usual", segment__usual__goes_the_short_way),
		TEST("MAY-9-read", tos__each_version__is_read),
		TEST("HF-E1", frames__too_short_or_of_other_type__drop),
		TEST("HF-E2", others_unicast__valid_syn__drops),
		TEST("HF-E3", vlan_tags__0_to_3__match_or_drop),
		TEST("HF-E4", chain__cut_at_every_octet__is_read_or_dropped),
		TEST("RFC791-v", version_ihl_total_length__every_value__is_checked),
		TEST("RFC791-len", padding__behind_total_length__is_not_text),
		TEST("RFC1122-3.2.1.2", header_bits__each_flipped__drop_by_checksum),
		TEST("RFC1122-3.2.1.3", sources__invalid__drop),
		TEST("HF-IP1", land__own_source__drops),
		TEST("HF-IP1-ranges", source__in_another_range_of_ours__drops),
		TEST("MUST-57", groups__any_segment__drop),
		TEST("HF-IP2", destination__not_in_our_ranges__drops),
		TEST("HF-IP2-ranges", ranges__too_many_or_wrapping__are_refused),
		TEST("MUST-50", ip_options__every_kind_and_length__are_walked),
		TEST("HF-IP3", source_routes__syn__drop),
		TEST("HF-IP4", ttl__0__drops),
		TEST("HF-FR1, SEC-9", fragments__of_ipv4__drop),
		TEST("RFC8200-4", extension_headers__each__pass_or_drop),
		TEST("RFC8200-4-next", next_header__every_value__is_known_or_dropped),
		TEST("RFC8200-4-chain, SEC-2", chains__longer_than_8_headers__drop),
		TEST("RFC8200-4-octets", headers__longer_than_256_octets__drop),
		TEST("RFC8200-4-cut", chain__truncated_or_cut__drops),
		TEST("RFC8200-4-len", version_payload_length__wrong__drop),
		TEST("RFC6946", atomic_fragments__and_others__pass_and_drop),
		TEST("RFC4291-2", sources__invalid_ipv6__drop),
		TEST("MUST-3", segment_bits__each_flipped__drop_by_checksum),
		TEST("MUST-3-pseudo", addresses__bit_flipped__drop_by_pseudo_header),
		TEST("HF-T1", data_offset__every_value_and_length__is_checked),
		TEST("HF-T2", port_0__either_end__drops),
		TEST("RFC9293-3.1-rsv", reserved_bits__set__change_nothing),
		TEST("HF-T3-read", flags__all__are_handed_on),
		TEST("MUST-1", window_and_urgent_pointer__any_value__are_unsigned),
		TEST("MUST-7-segment", options__bad_length__segment_stands),
		TEST("HF-CK5", checksum_field__0_or_ffff__is_no_exception),
		TEST("HF-CK1", hints__every_combination__are_believed),
		TEST("RFC826-a-len", arp__to_us_or_all__is_handed_on),
		TEST("RFC1122-3.2.2", protocols__other_than_tcp_and_icmp__drop),
		TEST("RFC4861-groups", icmp6__to_groups_and_from_nobody__is_handed_on),
		TEST("SEC-1-truncated", frames__truncated_anywhere__drop),
		TEST("SEC-1", length_fields__wrong_in_pairs__stay_inside),
		TEST("HF-G3", noise__a_million_frames__is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
