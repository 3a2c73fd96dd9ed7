/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers as they leave (REQUIREMENTS 3, 4, 18, 19), against octets written by hand, the slow
 * checksum of packet.h, and wire_parse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "packet.h"
#include "rig/random.h"
#include "wire/build.h"
#include "wire/csum.h"
#include "wire/parse.h"

static struct wire_link link_make(bool l2)
{
	struct wire_link link = { .l3 = !l2, .ttl = 64 };

	memcpy(link.dst_mac, packet_us, 6);
	memcpy(link.src_mac, packet_them, 6);
	return link;
}

/* From them:1025 to us:80, as packet_make has it. */
static struct flow flow_make(int version)
{
	struct flow flow = { .version = (uint8_t)version };

	if (version == 4) {
		memcpy(&flow.v4.local, packet_them4, 4);
		memcpy(&flow.v4.remote, packet_us4, 4);
		flow.v4.local_port = 1025;
		flow.v4.remote_port = 80;
	} else {
		memcpy(flow.v6.local, packet_them6, 16);
		memcpy(flow.v6.remote, packet_us6, 16);
		flow.v6.local_port = 1025;
		flow.v6.remote_port = 80;
	}
	return flow;
}

/* A frame with text 0, 1, 2 ...: exactly as large as wire_header_len says, or the sanitizer speaks. */
static struct packet build(const struct wire_link *link, const struct flow *flow,
			   const struct seg *seg, unsigned offload, uint8_t canary)
{
	const uint32_t header = wire_header_len(link, flow->version, seg);
	const uint32_t ip = link->l3 ? 0 : link->vlan != 0 ? 18 : 14;
	const uint32_t tcp = ip + (flow->version == 4 ? 20u : 40u);
	struct packet p = { .len = header + seg->text_len,
			    .ip = ip,
			    .tcp = tcp,
			    .tcp_len = header - tcp + seg->text_len };
	uint8_t *exact = malloc(header), text[512];

	assert_non_null(exact);
	assert_true(header <= WIRE_HEADER_MAX && seg->text_len <= sizeof(text));
	memset(exact, canary, header);
	for (uint32_t i = 0; i < seg->text_len; i++)
		text[i] = (uint8_t)i;
	assert_int_equal(
		wire_build(exact, link, flow, seg, csum_partial(text, seg->text_len), offload),
		header);
	memcpy(p.octets, exact, header);
	memcpy(p.octets + header, text, seg->text_len);
	free(exact);
	return p;
}

static const uint8_t ts[] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };

static const struct seg ack = { .seq = 0x11223344,
				.ack = 0x55667788,
				.wnd = 0x9abc,
				.flags = SEG_ACK,
				.options = OPT_TS,
				.tsval = 0x01020304,
				.tsecr = 0x05060708,
				.text_len = 7 };

static void segment__each_version_and_layer__is_byte_exact(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const int version = i & 1 ? 4 : 6;
		const struct packet want = packet_make(version, i & 2, SEG_ACK, ts, 12, 7);
		const struct wire_link link = link_make(i & 2);
		const struct flow flow = flow_make(version);
		const struct packet p = build(&link, &flow, &ack, 0, 0x5a);

		assert_int_equal(p.len, want.len);
		assert_memory_equal(p.octets, want.octets, p.len);
	}
}

static void vlan_and_tos__set__stand_in_their_place(void **state)
{
	struct wire_link link = link_make(true);
	struct packet p;

	(void)state;
	link.vlan = 0x123;
	link.tos = 0xb9;
	for (int version = 4; version <= 6; version += 2) {
		const struct flow flow = flow_make(version);

		p = build(&link, &flow, &ack, 0, 0x5a);
		assert_int_equal(p.octets[12] << 8 | p.octets[13], 0x8100);
		assert_int_equal(p.octets[14] << 8 | p.octets[15], 0x123);
		assert_int_equal(p.octets[16] << 8 | p.octets[17], version == 4 ? 0x0800 : 0x86dd);
		if (version == 4) {
			assert_int_equal(p.octets[19], 0xb9);
		} else {
			assert_int_equal(p.octets[18], 0x6b);
			assert_int_equal(p.octets[19], 0x90);
		}
	}
}

static struct seg random_seg(uint64_t *seed)
{
	struct seg seg = { .seq = (uint32_t)random_next(seed),
			   .ack = (uint32_t)random_next(seed),
			   .tsval = (uint32_t)random_next(seed),
			   .tsecr = (uint32_t)random_next(seed),
			   .wnd = (uint16_t)random_next(seed),
			   .up = (uint16_t)random_next(seed),
			   .mss = (uint16_t)(1 + random_below(seed, 65535)),
			   .wscale = (uint8_t)random_next(seed),
			   .flags = (uint8_t)random_next(seed),
			   .text_len = (uint16_t)random_below(seed, 400) };

	if (seg.flags & SEG_SYN)
		seg.options = (uint8_t)(random_next(seed) & (OPT_SACK - 1));
	else
		seg.options = (uint8_t)(random_next(seed) & (OPT_TS | OPT_SACK));
	if (seg.options & OPT_SACK)
		seg.sacks = (uint8_t)(1 + random_below(seed, SEG_SACK_MAX));
	for (unsigned i = 0; i < seg.sacks; i++) {
		seg.sack[i].left = (uint32_t)random_next(seed);
		seg.sack[i].right = (uint32_t)random_next(seed);
	}
	seg.len = seg.text_len + (seg.flags & SEG_SYN ? 1u : 0) + (seg.flags & SEG_FIN ? 1u : 0);
	return seg;
}

static struct flow random_flow(uint64_t *seed)
{
	struct flow flow = flow_make(random_next(seed) & 1 ? 4 : 6);

	if (flow.version == 4) {
		flow.v4.local_port = (uint16_t)(1 + random_below(seed, 65535));
		flow.v4.remote_port = (uint16_t)(1 + random_below(seed, 65535));
	} else {
		flow.v6.local_port = (uint16_t)(1 + random_below(seed, 65535));
		flow.v6.remote_port = (uint16_t)(1 + random_below(seed, 65535));
		flow.v6.local[3] ^= (uint32_t)random_next(seed) << 8;
	}
	return flow;
}

/* What all frames have in common, read by hand. */
static void assert_conforms(const struct packet *p)
{
	const uint8_t *ip = p->octets + p->ip, *tcp = p->octets + p->tcp;

	assert_int_equal(packet_tcp_sum(p), 0xffff);
	assert_int_equal(tcp[12] & 0xf, 0);
	if (packet_v6(p)) {
		assert_int_equal(ip[4] << 8 | ip[5], p->tcp_len);
		assert_int_equal(ip[1] & 0xf, 0);
		assert_int_equal(ip[2] | ip[3], 0);
		return;
	}
	assert_int_equal(slow_sum(0, ip, 20), 0xffff);
	assert_int_equal(ip[2] << 8 | ip[3], 20 + p->tcp_len);
	assert_int_equal(ip[4] | ip[5], 0);	      /* identification 0 (RFC6864-4) */
	assert_int_equal(ip[6] << 8 | ip[7], 0x4000); /* DF, no fragment (RFC1191-a, HF-FR2) */
}

/* The short way writes the same octets. */
static void assert_usual(const struct wire_link *link, const struct flow *flow,
			 const struct seg *seg, const struct packet *p)
{
	struct wire_link usual = *link;
	struct packet q;

	usual.usual = link->vlan == 0 && !link->l3;
	q = build(&usual, flow, seg, 0, 0xa5);
	assert_int_equal(q.len, p->len);
	assert_memory_equal(q.octets, p->octets, p->len);
}

/* Random segments: both checksums by the oracle, and wire_parse reads what was meant. */
static void random_segments__built_and_parsed__come_back(void **state)
{
	uint64_t seed = 6;

	(void)state;
	for (unsigned round = 0; round < 50000; round++) {
		struct seg seg = random_seg(&seed);
		const struct flow flow = random_flow(&seed);
		struct wire_link link = link_make(round & 1);
		struct wire_config c = { .l3 = link.l3 };
		struct wire_piece piece;
		struct wire_in in;
		struct packet p;

		link.ttl = (uint8_t)(1 + random_below(&seed, 255));
		link.tos = (uint8_t)random_next(&seed);
		link.vlan = round & 2 ? (uint16_t)(1 + random_below(&seed, 4094)) : 0;
		p = build(&link, &flow, &seg, 0, 0x5a);
		assert_conforms(&p);
		assert_usual(&link, &flow, &seg, &p);
		c.vlan = link.vlan;
		memcpy(c.mac, packet_us, 6);
		wire_config_range(&c, 4, packet_us4, 1, 24);
		wire_config_range(&c, 6, packet_us6, 1, 0);
		piece = (struct wire_piece){ p.octets, p.len };
		assert_int_equal(wire_parse(&c, &piece, 1, 0, &in), WIRE_TCP);
		assert_int_equal(in.ttl, link.ttl);
		assert_int_equal(in.tos, link.tos);
		assert_int_equal(flow_local_port(&in.flow), flow_remote_port(&flow));
		assert_int_equal(flow_remote_port(&in.flow), flow_local_port(&flow));
		assert_int_equal(in.text_offset, p.len - seg.text_len);
		assert_int_equal(in.seg.sacks,
				 seg.sacks < 3 || !(seg.options & OPT_TS) ? seg.sacks : 3);
		assert_memory_equal(in.seg.sack, seg.sack, in.seg.sacks * sizeof(seg.sack[0]));
		assert_int_equal(in.seg.options,
				 seg.options | ((link.tos & ECN_CE) == ECN_CE ? OPT_CE : 0));
		assert_true(in.seg.seq == seg.seq && in.seg.ack == seg.ack &&
			    in.seg.len == seg.len && in.seg.wnd == seg.wnd && in.seg.up == seg.up &&
			    in.seg.text_len == seg.text_len && in.seg.flags == seg.flags);
		assert_true(!(seg.options & OPT_TS) ||
			    (in.seg.tsval == seg.tsval && in.seg.tsecr == seg.tsecr));
		assert_true(!(seg.options & OPT_MSS) || in.seg.mss == seg.mss);
		assert_true(!(seg.options & OPT_WSCALE) || in.seg.wscale == seg.wscale);
	}
}

/* Two canaries, one result: every octet of every header is written (SEC-4), and padding is NOPs. */
static void header_octets__two_canaries__are_all_written(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const struct seg seg = random_seg(&seed);
		const struct flow flow = random_flow(&seed);
		const struct wire_link link = link_make(round & 1);
		const unsigned offload = random_below(&seed, 4);
		const struct packet a = build(&link, &flow, &seg, offload, 0xaa);
		const struct packet b = build(&link, &flow, &seg, offload, 0x55);

		assert_memory_equal(a.octets, b.octets, a.len);
	}
}

/* With offload the TCP field holds the pseudo-header's sum, and IPv4's own is zero. */
static void offload__each_way__differs_only_in_sums(void **state)
{
	uint64_t seed = 8;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const struct seg seg = random_seg(&seed);
		const struct flow flow = random_flow(&seed);
		const struct wire_link link = link_make(true);
		const struct packet soft = build(&link, &flow, &seg, 0, 0);
		struct packet ip = build(&link, &flow, &seg, WIRE_OFFLOAD_IP, 0);
		struct packet l4 = build(&link, &flow, &seg, WIRE_OFFLOAD_L4, 0);
		uint8_t *field = l4.octets + l4.tcp + 16;
		struct packet bare = l4;

		if (flow.version == 4)
			assert_int_equal(ip.octets[ip.ip + 10] | ip.octets[ip.ip + 11], 0);
		packet_seal_ip(&ip);
		assert_memory_equal(ip.octets, soft.octets, soft.len);
		/* The sum of a segment of zeros is that of its pseudo-header. */
		memset(bare.octets + bare.tcp, 0, bare.tcp_len);
		assert_int_equal(field[0] << 8 | field[1], packet_tcp_sum(&bare));
		/* What the device does: sum it all with that in the field, store the complement. */
		packet_put16(field, 0xffffu ^ slow_sum(0, l4.octets + l4.tcp, l4.tcp_len));
		assert_memory_equal(l4.octets, soft.octets, soft.len);
	}
}

/* Text whose sum makes the field 0: it is sent as 0. */
static void checksum__that_is_zero__is_sent_as_zero(void **state)
{
	const struct wire_link link = link_make(true);
	const struct flow flow = flow_make(4);
	struct seg seg = { .seq = 1, .flags = SEG_ACK };
	struct packet p = build(&link, &flow, &seg, 0, 0x5a);

	(void)state;
	seg.up = (uint16_t)(p.octets[p.tcp + 16] << 8 | p.octets[p.tcp + 17]);
	p = build(&link, &flow, &seg, 0, 0x5a);
	assert_int_equal(p.octets[p.tcp + 16] | p.octets[p.tcp + 17], 0);
	assert_int_equal(packet_tcp_sum(&p), 0xffff);
}

/* RST, SYN, everything: nothing that could be counted from outside, and never to be fragmented. */
static void identification__any_flags__is_0_with_df(void **state)
{
	const struct wire_link link = link_make(true);
	const struct flow flow = flow_make(4);

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct seg seg = { .flags = (uint8_t)flags, .text_len = (uint16_t)flags };

		for (unsigned repeat = 0; repeat < 3; repeat++) {
			const struct packet p = build(&link, &flow, &seg, 0, 0x5a);

			assert_conforms(&p);
			assert_int_equal(p.octets[p.tcp + 13], flags);
		}
	}
}

static void ttl__set__stands_in_every_frame(void **state)
{
	struct wire_link link = link_make(true);
	struct packet p;

	(void)state;
	for (unsigned ttl = 1; ttl < 256; ttl++) {
		const struct flow flow4 = flow_make(4), flow6 = flow_make(6);

		link.ttl = (uint8_t)ttl;
		p = build(&link, &flow4, &ack, 0, 0x5a);
		assert_int_equal(p.octets[p.ip + 8], ttl);
		p = build(&link, &flow6, &ack, 0, 0x5a);
		assert_int_equal(p.octets[p.ip + 7], ttl);
	}
}

#define TEST(id, function)                             \
	{                                              \
		.name = (id), .test_func = (function), \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("RFC9293-3.1-built", segment__each_version_and_layer__is_byte_exact),
		TEST("HF-E3-built", vlan_and_tos__set__stand_in_their_place),
		TEST("MUST-2", random_segments__built_and_parsed__come_back),
		TEST("MUST-69, SEC-4", header_octets__two_canaries__are_all_written),
		TEST("HF-CK2", offload__each_way__differs_only_in_sums),
		TEST("HF-CK5-built", checksum__that_is_zero__is_sent_as_zero),
		TEST("RFC6864-4, MAY-4, SEC-22", identification__any_flags__is_0_with_df),
		TEST("MUST-49", ttl__set__stands_in_every_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
