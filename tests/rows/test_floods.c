/* SPDX-License-Identifier: BSD-3-Clause */
/* Millions of frames that draw nothing, one a burst's place, from strangers and at a connection: what was held before
 * is held afterwards, and no more (SEC-12, SEC-16). */
#include <string.h>

#include "rig/lan.h"
#include "rig/pair.h"
#include "rig/random.h"

#define TRIGGERS (10000000u / PAIR_SLOWER) /* of each limiter */
#define BURST 32

static void set_cookies(struct rig *r)
{
	r->active = false;
	r->config.tcp.syncookies = 2;
	r->config.seed.iss_fixed = false;
}

static void set_own(struct rig *r) /* a worker whose budgets are untouched */
{
	r->config.listeners = 9;
}

/* A turn whose answers nobody looks at. @return how many there were */
static unsigned turn(struct rig *r)
{
	struct hf_event events[BURST];
	uint8_t raw[FRAME_MAX];
	unsigned answers = 0;

	hf_turn(r->w, r->now_us, events, BURST);
	hf_flush(r->w, r->now_us);
	while (hf_memport_pop(r->port, raw, sizeof(raw)) > 0)
		answers++;
	return answers;
}

/* The same frame, so many times at one instant. @return answers */
static unsigned repeat(struct rig *r, const uint8_t *raw, size_t len, unsigned times)
{
	const struct hf_push plain = { .ip = HF_CHECKSUM_UNKNOWN };
	unsigned answers = 0;

	rig_flush(r);
	for (unsigned i = 0; i < times; i++) {
		assert_int_equal(hf_memport_push(r->port, raw, len, &plain), 0);
		if (i % BURST == BURST - 1)
			answers += turn(r);
	}
	return answers + turn(r);
}

/* The limiter is full all the time: what it suppresses is counted, and holds no mbuf. */
static void saturate(struct rig *r, const uint8_t *raw, size_t len, const char *suppressed,
		     unsigned most)
{
	uint32_t used;
	unsigned answers;

	answers = repeat(r, raw, len, most);
	rig_advance(r, 0);
	rig_discard(r);
	used = hf_port_mbufs_used(r->port);
	rig_mark(r);
	answers += repeat(r, raw, len, TRIGGERS);
	assert_true(answers <= most);
	assert_int_equal(hf_port_mbufs_used(r->port), used);
	if (suppressed != NULL)
		assert_true(rig_counter(r, suppressed) >= TRIGGERS - most);
}

static void saturate_seg(struct rig *r, struct seg seg, const char *suppressed, unsigned most)
{
	uint8_t raw[FRAME_MAX];

	seg.wnd = 1000;
	saturate(r, raw, frame_build(raw, &r->in_form, &r->peer, &r->local, &seg, NULL, NULL, 0),
		 suppressed, most);
}

/* Challenge ACKs of a connection, and of its record. */
static void connection__provoked__no_mbuf_held(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	saturate_seg(r, (struct seg){ .seq = r->rn + 1, .flags = SEG_RST }, "challenge_suppressed",
		     1);
	saturate_seg(r, (struct seg){ .seq = r->rn + 1, .ack = r->sn + 9, .flags = SEG_ACK },
		     "challenge_suppressed", 1);
	saturate_seg(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = SEG_ACK }, NULL, 2);
	rig_forget_events(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

static void record__provoked__no_mbuf_held(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	saturate_seg(r, (struct seg){ .seq = r->rn + 1, .ack = r->sn, .flags = SEG_ACK },
		     "challenge_suppressed", 1);
	rig_expect_state(r, HF_TIME_WAIT);
}

/* SYN-ACKs of a half-open whose SYN comes again and again. */
static void half_open__syn_repeated__no_mbuf_held(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	saturate_seg(r, rig_syn(r), NULL, 1);
	rig_expect_state(r, HF_SYN_RECEIVED);
}

/* RSTs and ICMP answers to strangers; the mean of a slice is a tenth of the budget, at most one and a half of that. */
static void strangers__budgets_used_up__no_mbuf_held(struct rig *r)
{
	uint8_t raw[MESSAGE_MAX], body[16] = { r->local.ip.version == 4 ? 8 : 128 };

	saturate_seg(r, (struct seg){ .seq = 1, .ack = 1, .flags = SEG_ACK }, "rst_suppressed", 1500);
	message_seal(r->local.ip.version, r->peer.ip.octets, r->local.ip.octets, body, sizeof(body));
	saturate(r, raw,
		 message_ip(raw, r->local.ip.version, r->peer.ip.octets, r->local.ip.octets,
			    r->local.ip.version == 4 ? 1 : 58, 64, body, sizeof(body)),
		 "icmp_suppressed", 150);
}

static void neighbours__budget_used_up__no_mbuf_held(struct rig *r)
{
	static const uint8_t nobody[6];
	uint8_t raw[MESSAGE_MAX];
	const struct hf_ip peer = lan_ip(r, 9);

	lan_begin(r);
	saturate(r, raw,
		 message_arp(raw, lan_all, 1, lan_peer, peer.octets, nobody, r->local.ip.octets),
		 "arp_suppressed", 150);
}

/* SEC-16: ACKs that would be cookies, at a listener that sends nothing else: none is right, each costs one check, and
 * nothing is left of them. */
static void listen__acks_forged__none_gets_in(struct rig *r)
{
	const struct hf_push plain = { .ip = HF_CHECKSUM_UNKNOWN };
	const uint32_t used = hf_port_mbufs_used(r->port);
	struct hf_addr from = r->peer;
	uint64_t random = 16;

	rig_listen(r);
	rig_send(r, rig_syn(r));
	rig_discard(r);
	rig_mark(r);
	rig_flush(r);
	for (uint32_t i = 1; i <= TRIGGERS / 10; i++) {
		const uint64_t x = random_next(&random);
		const struct seg seg = {
			.seq = IRS + 1, .ack = (uint32_t)x, .flags = SEG_ACK, .wnd = 1000
		};
		uint8_t raw[FRAME_MAX];
		size_t len;

		from.port = (uint16_t)(x >> 32 | 1);
		len = frame_build(raw, &r->in_form, &from, &r->local, &seg, NULL, NULL, 0);
		assert_int_equal(hf_memport_push(r->port, raw, len, &plain), 0);
		if (i % BURST == 0)
			turn(r);
	}
	turn(r);
	rig_expect_rose(r, "cookie_checked", TRIGGERS / 10);
	rig_expect_rose(r, "cookie_ok", 0);
	rig_expect_rose(r, "request_established", 0);
	assert_int_equal(hf_port_mbufs_used(r->port), used);
	assert_int_equal(rig_levels(r).requests.used + rig_levels(r).connections.used, 0);
}

static const struct row rows[] = {
	{ "HF-RL3-connection, SEC-12", connection__provoked__no_mbuf_held, .variants = ROW_ONCE },
	{ "HF-RL3-record, SEC-12", record__provoked__no_mbuf_held, .variants = ROW_ONCE },
	{ "HF-RL3-request, SEC-12", half_open__syn_repeated__no_mbuf_held, .variants = ROW_ONCE },
	{ "HF-RL3-strangers, SEC-12", strangers__budgets_used_up__no_mbuf_held, .set_up = set_own,
	  .variants = ROW_ONCE },
	{ "HF-RL3-neighbours, SEC-12", neighbours__budget_used_up__no_mbuf_held,
	  .set_up = lan_set_up, .variants = ROW_ONCE },
	{ "RFC4987-cookie1-flood, SEC-16", listen__acks_forged__none_gets_in, .set_up = set_cookies,
	  .variants = ROW_ONCE },
};

int main(int argc, char **argv)
{
	return rig_run("floods", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
