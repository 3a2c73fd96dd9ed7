/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 10: what somebody off the path can provoke, and how often (RFC 5961, RFC 1122 4.2.2.21). */
#include <errno.h>

#include "rig/rig.h"

/* What draws a challenge ACK from a connection that lives. */
static const struct {
	uint8_t flags;
	int32_t seq, ack; /* from RN, from SN */
	uint16_t text_len;
} provocations[] = {
	{ .flags = SEG_SYN },			       /* SYN in a synchronised state */
	{ .flags = SEG_RST, .seq = 1 },		       /* RST in the window, not at RN */
	{ .flags = SEG_ACK, .ack = 1 },		       /* ACK of what was not sent */
	{ .flags = SEG_ACK, .ack = 1, .text_len = 5 }, /* the same with text */
	{ .flags = SEG_ACK, .seq = 9000 },	       /* out of the window */
	{ .flags = SEG_ACK, .seq = -2 },	       /* before it, without text */
};

#define PROVOCATIONS (sizeof(provocations) / sizeof(provocations[0]))

static struct seg provocation(const struct rig *r, unsigned i)
{
	return (struct seg){ .seq = r->rn + (uint32_t)provocations[i].seq,
			     .ack = provocations[i].flags & SEG_ACK ?
					    r->sn + (uint32_t)provocations[i].ack :
					    0,
			     .flags = provocations[i].flags,
			     .text_len = provocations[i].text_len };
}

/* HF-RL1: each kind is under the one limiter: the first is answered, the second within 500 ms not. */
static void established__each_kind__under_the_limiter(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < PROVOCATIONS; i++) {
		rig_mark(r);
		rig_send(r, provocation(r, i));
		rig_expect_ack(r);
		rig_advance(r, MS(499));
		rig_send(r, provocation(r, i));
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "challenge_sent", 1);
		rig_expect_rose(r, "challenge_suppressed", 1);
		rig_advance(r, MS(1));
	}
	rig_no_event(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* ... and all kinds share it. */
static void established__kinds_mixed__one_in_500ms(struct rig *r)
{
	unsigned count = 0;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned ms = 0; ms < 1000; ms++) { /* at 0 and 500 */
		rig_send(r, provocation(r, ms % PROVOCATIONS));
		while (rig_pop(r))
			count++;
		rig_advance(r, MS(1));
	}
	assert_int_equal(count, 2);
	assert_int_equal(rig_counter(r, "challenge_suppressed"), 998);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* RFC5961-7: what one connection has used up is nothing to another: no shared level to probe. */
static void two_connections__limiters_apart(struct rig *r)
{
	const struct hf_addr first = r->peer;

	rig_to(r, RIG_ESTABLISHED);
	r->peer.port++;
	r->local.port += r->active;
	r->ts_agreed = false;
	rig_to(r, RIG_ESTABLISHED);
	r->peer = first;
	r->local.port = (uint16_t)(r->local.port - r->active);
	for (unsigned i = 0; i < 1000; i++)
		rig_send(r, provocation(r, 1));
	rig_expect_ack(r);
	rig_expect_silence(r, 0);
	r->peer.port++;
	r->local.port += r->active;
	rig_send(r, provocation(r, 1));
	rig_expect_ack(r);
	rig_expect_silence(r, 0);
}

/* HF-RL1: repeats of text that was received are answered each time, the peer may need every one. */
static void established__old_text__answered_each_time(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_advance(r, MS(100));
	rig_discard(r);
	rig_forget_events(r);
	for (unsigned i = 0; i < 20; i++) {
		rig_send(r,
			 (struct seg){
				 .seq = r->rn - 10, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
		rig_expect_ack(r);
	}
	rig_no_event(r);
	assert_int_equal(rig_counter(r, "text_in"), 10);
	rig_read(r, 10);
}

/* RFC7323-5.3: a timestamp of the past is refused, with whatever comes along. */
static void established__paws__under_the_limiter(struct rig *r)
{
	struct seg old;

	rig_to(r, RIG_ESTABLISHED);
	old = (struct seg){ .seq = r->rn,
			    .ack = r->sn,
			    .flags = SEG_ACK,
			    .text_len = 10,
			    .options = OPT_TS,
			    .tsval = r->ts_base - 5,
			    .tsecr = r->tsecr };
	rig_send(r, old);
	rig_expect_ack(r);
	rig_advance(r, MS(499));
	rig_send(r, old);
	rig_expect_silence(r, 0);
	assert_int_equal(rig_counter(r, "paws_refused"), 2);
	assert_int_equal(rig_counter(r, "challenge_suppressed"), 1);
	assert_int_equal(rig_counter(r, "text_in"), 0);
	rig_no_event(r);
	/* but a RST needs no timestamp, nor a new one */
	old.flags = SEG_RST;
	old.text_len = 0;
	rig_send(r, old);
	rig_event_closed(r, ECONNRESET);
}

static void set_limit_off(struct rig *r)
{
	r->config.tcp.invalid_ratelimit_ms = 0;
}

static void established__limit_off__each_answered(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 20; i++) {
		rig_send(r, provocation(r, i % PROVOCATIONS));
		rig_expect_ack(r);
	}
	rig_expect_silence(r, 0);
}

/* The record of a connection limits as the connection did. */
static void time_wait__provoked__one_in_500ms(struct rig *r)
{
	unsigned count = 0;

	rig_to(r, RIG_TIME_WAIT);
	for (unsigned ms = 0; ms < 1000; ms++) {
		rig_send(r, (struct seg){ .seq = r->rn + 1, .ack = r->sn, .flags = SEG_ACK });
		while (rig_pop(r))
			count++;
		rig_advance(r, MS(1));
	}
	assert_int_equal(count, 2);
}

/* HF-KA1: a keepalive is answered, outside the challenges' limiter, once a second. */
static void established__keepalives__one_a_second(struct rig *r)
{
	unsigned count = 0;

	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, provocation(r, 1));
	rig_expect_ack(r);
	for (unsigned ms = 0; ms < 2000; ms += 10) { /* at 0 and 1000, but for challenges */
		rig_mark(r);
		rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = SEG_ACK });
		if (rig_pop(r))
			count++;
		if (ms == 0)
			assert_int_equal(count, 1);
		rig_expect_silence(r, 0);
		rig_advance(r, MS(10));
	}
	assert_int_equal(rig_counter(r, "keepalives_in"), 2);
	assert_in_range(count, 2, 6);
	rig_no_event(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* HF-RL2: both ends think the other wrong: each ACK out of range provokes the next, yet no storm comes. */
static void established__each_answer_answered__settles(struct rig *r)
{
	unsigned count = 0;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned ms = 0; ms < 10000; ms++) {
		if (ms == 0 || rig_pop(r)) {
			rig_send(r, provocation(r, 2));
			count++;
		} else if (ms % 250 == 0) { /* the other end's own limit is looser */
			rig_send(r, provocation(r, 2));
		}
		rig_advance(r, MS(1));
	}
	rig_discard(r);
	assert_in_range(count, 2, 21);
}

/* HF-RL3: what is not sent leaves nothing behind. */
static void established__suppressed__no_mbuf_held(struct rig *r)
{
	uint32_t used;

	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, provocation(r, 0));
	rig_expect_ack(r);
	used = hf_port_mbufs_used(r->port);
	for (unsigned i = 0; i < 10000; i++) {
		rig_send(r, provocation(r, i % PROVOCATIONS));
		rig_flush(r);
	}
	assert_int_equal(hf_port_mbufs_used(r->port), used);
	assert_int_equal(rig_counter(r, "challenge_suppressed"), 10000);
	assert_int_equal(r->out_count, 0);
}

static void set_rst_budget(struct rig *r)
{
	r->config.tcp.rst_budget = 100;
}

/* HF-RL4: RSTs to no connection have a budget of their own. */
static void closed__flood__rsts_within_budget(struct rig *r)
{
	unsigned count = 0;

	for (unsigned ms = 0; ms < 3000; ms++) {
		for (unsigned i = 0; i < 2; i++) {
			rig_send(r, (struct seg){ .seq = ms, .flags = SEG_SYN });
			while (rig_pop(r))
				count++;
		}
		rig_advance(r, MS(1));
	}
	assert_in_range(count, 150, 450); /* 100 a second, jittered */
	assert_int_equal(rig_counter(r, "rst_suppressed"), 6000 - count);
	assert_int_equal(rig_counter(r, "rx_drop_budget"), 6000 - count);

	/* A connection's own answers are not of it. */
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, provocation(r, 1));
	rig_expect_ack(r);
}

/* HF-G5: a RST is never answered with a RST, and nobody gets more octets than they sent. */
static void closed__any_frame__no_amplification(struct rig *r)
{
	uint64_t in, out;

	for (unsigned flags = 0; flags < 256; flags++) {
		const struct frame *f;

		in = rig_counter(r, "rx_octets");
		out = rig_counter(r, "tx_octets");
		rig_send(r, (struct seg){ .seq = 77, .ack = 99, .flags = (uint8_t)flags });
		f = rig_pop(r);
		assert_true(!f || !(flags & SEG_RST));
		assert_null(rig_pop(r));
		assert_true(rig_counter(r, "tx_octets") - out <= rig_counter(r, "rx_octets") - in);
	}
}

static const struct row rows[] = {
	{ .name = "HF-RL1", .test = established__each_kind__under_the_limiter },
	{ .name = "HF-RL1-mixed", .test = established__kinds_mixed__one_in_500ms },
	{ .name = "HF-RL1-old-text", .test = established__old_text__answered_each_time },
	{ .name = "HF-RL1-paws", .test = established__paws__under_the_limiter, .variants = ROW_TS },
	{ .name = "HF-RL1-off", .test = established__limit_off__each_answered, .set_up = set_limit_off },
	{ .name = "RFC5961-7, SEC-10", .test = two_connections__limiters_apart },
	{ .name = "RFC5961-7-TIME_WAIT", .test = time_wait__provoked__one_in_500ms },
	{ .name = "HF-KA1", .test = established__keepalives__one_a_second },
	{ .name = "HF-RL2", .test = established__each_answer_answered__settles },
	{ .name = "HF-RL3, SEC-12",
	  .test = established__suppressed__no_mbuf_held,
	  .variants = ROW_ONCE },
	{ .name = "HF-RL4, SEC-23",
	  .test = closed__flood__rsts_within_budget,
	  .set_up = set_rst_budget,
	  .variants = ROW_ONCE },
	{ .name = "HF-G5, SEC-27", .test = closed__any_frame__no_amplification },
};

int main(int argc, char **argv)
{
	return rig_run("Blind", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
