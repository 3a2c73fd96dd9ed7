/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 15: ICMP and ICMPv6 that are about no connection: echo, and what is ignored. */
#include <string.h>

#include "rig/message.h"
#include "rig/rig.h"

/* The IP packet around a body, from the peer to us. */
static size_t packet(const struct rig *r, uint8_t *raw, uint8_t *body, size_t len)
{
	const unsigned version = r->local.ip.version;

	if (len >= 4)
		message_seal(version, r->peer.ip.octets, r->local.ip.octets, body, len);
	return message_ip(raw, version, r->peer.ip.octets, r->local.ip.octets,
			  version == 4 ? 1 : 58, 64, body, len);
}

static void send_body(struct rig *r, uint8_t *body, size_t len)
{
	uint8_t raw[MESSAGE_MAX];

	rig_push_raw(r, raw, packet(r, raw, body, len), NULL);
	rig_turn(r);
}

/* An echo request of len octets, header counted. */
static void echo(const struct rig *r, uint8_t *body, size_t len)
{
	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)(i * 3 + i / 256);
	body[0] = r->local.ip.version == 4 ? 8 : 128;
	body[1] = 0;
}

static void expect_reply(struct rig *r, uint8_t *body, size_t len)
{
	const unsigned version = r->local.ip.version;
	const struct frame *f = rig_pop(r);
	uint8_t want[MESSAGE_MAX];
	size_t whole;

	body[0] = version == 4 ? 0 : 129;
	message_seal(version, r->local.ip.octets, r->peer.ip.octets, body, len);
	whole = message_ip(want, version, r->local.ip.octets, r->peer.ip.octets,
			   version == 4 ? 1 : 58, 64, body, len);
	if (!f)
		rig_fail(r, "no echo reply of %zu octets", len);
	assert_int_equal(f->len, whole);
	assert_memory_equal(f->raw, want, whole);
}

static void echo__every_size__same_data_back(struct rig *r)
{
	const size_t most = r->local.ip.version == 4 ? 1480 : 1460;
	uint8_t body[MESSAGE_MAX];

	for (size_t len = 8; len <= most; len++) {
		if (len > 70 && len < most - 10 && len % 97)
			continue;
		rig_mark(r);
		echo(r, body, len);
		send_body(r, body, len);
		expect_reply(r, body, len);
		rig_expect_rose(r, "rx_answered", 1);
		rig_expect_rose(r, "icmp_echo", 1);
	}
	for (size_t len = most + 1; len < most + 20; len++) {
		rig_mark(r);
		echo(r, body, len);
		send_body(r, body, len);
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "rx_drop_icmp", 1);
	}
}

static void echo__fragment__dropped(struct rig *r)
{
	static const uint8_t first6[8] = { 58, 0, 0, 1, 0, 0, 0, 1 };
	uint8_t raw[MESSAGE_MAX], body[72];
	size_t len;

	echo(r, body + 8, 64);
	if (r->local.ip.version == 4) {
		len = packet(r, raw, body + 8, 64);
		raw[6] = 0x20;
		message_put16(raw + 10, 0);
		message_put16(raw + 10, ~message_sum(0, raw, 20) & 0xffff);
	} else {
		memcpy(body, first6, 8);
		len = message_ip(raw, 6, r->peer.ip.octets, r->local.ip.octets, 44, 64, body, 72);
	}
	rig_mark(r);
	rig_push_raw(r, raw, len, NULL);
	rig_turn(r);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "rx_drop_frag", 1);
}

/* To a group, or from one: never answered (HF-IC4). */
static void echo__group__dropped(struct rig *r)
{
	static const uint8_t all4[16] = { 255, 255, 255, 255 }, all6[16] = { 0xff, 2, [15] = 1 };
	static const uint8_t nobody[16];
	const unsigned version = r->local.ip.version;
	const uint8_t *const group = version == 4 ? all4 : all6;
	const uint8_t *const src[] = { r->peer.ip.octets, group, nobody };
	const uint8_t *const dst[] = { group, r->local.ip.octets, r->local.ip.octets };

	for (unsigned i = 0; i < 3; i++) {
		uint8_t raw[MESSAGE_MAX], body[64];

		echo(r, body, 64);
		message_seal(version, src[i], dst[i], body, 64);
		rig_mark(r);
		rig_push_raw(r, raw,
			     message_ip(raw, version, src[i], dst[i], version == 4 ? 1 : 58, 64,
					body, 64),
			     NULL);
		rig_turn(r);
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "rx_answered", 0);
	}
}

static void one_bit_flipped__dropped(struct rig *r)
{
	uint8_t raw[MESSAGE_MAX], body[40];
	size_t len, header;

	echo(r, body, 40);
	len = packet(r, raw, body, 40);
	header = len - 40;
	for (size_t bit = 0; bit < 40 * 8; bit++) {
		raw[header + bit / 8] ^= (uint8_t)(1 << bit % 8);
		rig_mark(r);
		rig_push_raw(r, raw, len, NULL);
		rig_turn(r);
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "icmp_bad", 1);
		rig_expect_rose(r, "rx_drop_icmp", 1);
		raw[header + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void every_truncation__dropped(struct rig *r)
{
	uint8_t body[64];

	for (size_t len = 0; len < 8; len++) {
		echo(r, body, 64);
		rig_mark(r);
		send_body(r, body, len);
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "icmp_bad", 1);
	}
}

/* Every type that is neither echo request nor error nor neighbour discovery (MUST-55, HF-IC1, RFC4443-2.4). */
static void other_types__ignored(struct rig *r)
{
	static const uint8_t wanted4[] = { 3, 8, 11, 12 }, wanted6[] = { 1, 2, 3, 4, 128, 135, 136 };
	const bool v4 = r->local.ip.version == 4;
	uint8_t body[64];

	for (unsigned type = 0; type < 256; type++) {
		if (memchr(v4 ? wanted4 : wanted6, (int)type, v4 ? sizeof(wanted4) : sizeof(wanted6)))
			continue;
		memset(body, 0, sizeof(body));
		body[0] = (uint8_t)type;
		rig_mark(r);
		send_body(r, body, sizeof(body));
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "icmp_ignored", 1);
		rig_expect_rose(r, "rx_drop_icmp", 1);
	}
}

static void echo__flood__within_budget(struct rig *r)
{
	uint64_t answered, sent = 0;

	rig_mark(r);
	for (unsigned i = 0; i < 100; i++) {
		uint8_t raw[MESSAGE_MAX], body[16];

		echo(r, body, 16);
		for (unsigned k = 0; k < 32; k++, sent++)
			rig_push_raw(r, raw, packet(r, raw, body, 16), NULL);
		rig_turn(r);
		rig_discard(r);
		rig_advance(r, MS(10));
	}
	answered = rig_counter(r, "rx_answered");
	assert_in_range(answered, 500, 1600);
	rig_expect_rose(r, "icmp_suppressed", sent - answered);
	rig_expect_rose(r, "rx_drop_budget", sent - answered);
	rig_expect_rose(r, "rst_suppressed", 0);
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN }); /* RSTs have their own */
	rig_expect(r, (struct seg){ .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
}

static void set_up_own(struct rig *r)
{
	r->config.listeners = 9; /* a worker of its own: its budget is untouched */
}

static void echo__no_mbuf__counted(struct rig *r)
{
	uint8_t body[64];

	echo(r, body, 64);
	hf_fail_allocation(r->w, 1);
	rig_mark(r);
	send_body(r, body, 64);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "rx_drop_no_mbuf", 1);
}

int main(int argc, char **argv)
{
	const struct row rows[] = {
		{ "RFC792-echo, RFC4443-4.2", echo__every_size__same_data_back, NULL, set_up_own,
		  ROW_PLAIN },
		{ "RFC792-echo-frag", echo__fragment__dropped, NULL, NULL, ROW_PLAIN },
		{ "HF-IC4", echo__group__dropped, NULL, NULL, ROW_PLAIN },
		{ "RFC4443-2.4", one_bit_flipped__dropped, NULL, NULL, ROW_PLAIN },
		{ "HF-IC2-short", every_truncation__dropped, NULL, NULL, ROW_PLAIN },
		{ "MUST-55", other_types__ignored, NULL, NULL, ROW_PLAIN },
		{ "HF-IC1", other_types__ignored, NULL, NULL, ROW_TS },
		{ "HF-RL5-icmp", echo__flood__within_budget, NULL, set_up_own, ROW_PLAIN },
		{ "HF-L2-echo", echo__no_mbuf__counted, NULL, NULL, ROW_PLAIN },
	};

	return rig_run("ICMP", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
