/* SPDX-License-Identifier: BSD-3-Clause */
/* What an application wants of one connection: hf_set, hf_set_listener, hf_peek (RFC 9293 3.7.1, 3.7.4, 3.8.3). */
#include <errno.h>

#include "rig/rig.h"

/* ---- hf_nagle, HF_CORK ---- */

static void expect_text(struct rig *r, uint32_t offset, uint16_t len, uint8_t flags)
{
	rig_expect(r, (struct seg){ .seq = r->iss + 1 + offset,
				    .ack = r->rn,
				    .flags = flags,
				    .text_len = len });
}

static void nodelay__short_writes__go_at_once(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	expect_text(r, 0, 10, SEG_ACK | SEG_PSH);
	rig_write(r, 10);
	rig_expect_silence(r, MS(1)); /* Nagle */
	assert_int_equal(hf_nagle(r->w, r->id, false), 0);
	rig_flush(r);
	expect_text(r, 10, 10, SEG_ACK | SEG_PSH);
	rig_write(r, 10);
	expect_text(r, 20, 10, SEG_ACK | SEG_PSH);
	assert_int_equal(hf_nagle(r->w, r->id, true), 0);
	rig_write(r, 10);
	rig_expect_silence(r, MS(1));
	rig_discard(r);
}

static void cork__short_text__waits_for_more(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_nagle(r->w, r->id, false), 0);
	assert_int_equal(hf_set(r->w, r->id, HF_CORK, 1), 0);
	rig_write(r, 10);
	rig_write(r, 10);
	rig_expect_silence(r, MS(100));
	assert_int_equal(hf_set(r->w, r->id, HF_CORK, 0), 0);
	rig_flush(r);
	expect_text(r, 0, 20, SEG_ACK | SEG_PSH);
	rig_discard(r);
}

/* No longer than the timer that probes windows: a forgotten cork does not hold text for ever (MAY-15). */
static void cork__forgotten__text_goes_all_the_same(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_set(r->w, r->id, HF_CORK, 1), 0);
	rig_write(r, 10);
	rig_expect_silence(r, MS(100));
	rig_advance(r, SEC(1));
	expect_text(r, 0, 10, SEG_ACK | SEG_PSH);
	rig_discard(r);
}

static void cork__shutdown__sends_all(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_set(r->w, r->id, HF_CORK, 1), 0);
	rig_write(r, 10);
	rig_expect_silence(r, MS(1));
	assert_int_equal(hf_shutdown(r->w, r->id), 0);
	rig_flush(r);
	expect_text(r, 0, 10, SEG_ACK | SEG_PSH | SEG_FIN);
	rig_discard(r);
}

/* ---- HF_USER_TIMEOUT ---- */

static void user_timeout__of_one_connection(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	rig_advance(r, SEC(1));
	assert_int_equal(hf_set(r->w, r->id, HF_USER_TIMEOUT, 3000), 0); /* counts from here */
	rig_advance(r, SEC(3) - MS(2));
	rig_expect_state(r, HF_ESTABLISHED);
	rig_forget_events(r);
	rig_advance(r, MS(4));
	rig_expect_state(r, HF_CLOSED);
	rig_event_closed(r, ETIMEDOUT);
	rig_discard(r);
}

/* ---- HF_MSS ---- */

static void mss__of_an_open__told_and_kept_to(struct rig *r)
{
	struct seg syn, synack;

	rig_connect(r);
	assert_int_equal(hf_set(r->w, r->id, HF_MSS, 800), 0);
	rig_flush(r);
	syn = rig_pop(r)->seg;
	assert_int_equal(syn.mss, 800);
	assert_int_equal(hf_set(r->w, r->id, HF_MSS, 700), -EISCONN);
	synack = rig_syn(r);
	synack.flags |= SEG_ACK;
	synack.ack = r->iss + 1;
	synack.mss = 1000;
	synack.tsecr = syn.tsval;
	rig_send(r, synack);
	rig_discard(r);
	assert_true(rig_event_bits(r) & HF_EV_CONNECTED);
	rig_write(r, 2000);
	assert_int_equal(rig_pop(r)->seg.text_len, 800 - (r->timestamps ? 12 : 0));
	rig_discard(r);
}

static void mss__of_a_simultaneous_open__told_again(struct rig *r)
{
	rig_connect(r);
	assert_int_equal(hf_set(r->w, r->id, HF_MSS, 800), 0);
	rig_flush(r);
	assert_int_equal(rig_pop(r)->seg.mss, 800);
	rig_send(r, rig_syn(r));
	rig_flush(r);
	assert_int_equal(rig_pop(r)->seg.mss, 800);
}

static void mss__of_a_listener__told_and_kept_to(struct rig *r)
{
	rig_listen(r);
	assert_int_equal(hf_set_listener(r->w, r->listener, HF_MSS, 800), 0);
	rig_send(r, rig_syn(r));
	assert_int_equal(rig_pop(r)->seg.mss, 800);
	rig_discard(r);
}

static void set__bad_calls__errors(struct rig *r)
{
	rig_listen(r);
	assert_int_equal(hf_set(r->w, 12345, HF_CORK, 1), -EBADF);
	assert_int_equal(hf_set_listener(r->w, 99, HF_MSS, 800), -EBADF);
	assert_int_equal(hf_set_listener(r->w, r->listener, HF_CORK, 1), -EINVAL);
	assert_int_equal(hf_set_listener(r->w, r->listener, HF_MSS, 63), -EINVAL);
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_set(r->w, r->id, HF_MSS, 63), -EINVAL);
	assert_int_equal(hf_set(r->w, r->id, HF_MSS, 65536), -EINVAL);
	assert_int_equal(hf_set(r->w, r->id, HF_USER_TIMEOUT, UINT32_MAX), -EINVAL);
	assert_int_equal(hf_set(r->w, r->id, (enum hf_option)99, 1), -EINVAL);
}

static void config__beyond_half_the_circle_of_ticks__refused(struct rig *r)
{
	struct hf_config config = r->config;
	uint32_t *const knobs[] = { &config.tcp.keepalive_ms, &config.tcp.keepalive_interval_ms,
				    &config.tcp.user_timeout_ms };
	struct hf_worker *w;
	struct hf_error why;

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		const uint32_t before = *knobs[i];

		*knobs[i] = (uint32_t)INT32_MAX + 1;
		assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
		*knobs[i] = before;
	}
}

/* ---- hf_peek ---- */

static void peek__takes_nothing(struct rig *r)
{
	uint8_t text[100];

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_peek(r->w, r->id, text, sizeof(text)), -EAGAIN);
	for (unsigned i = 0; i < 2; i++) {
		rig_send(r, (struct seg){ .seq = r->rn,
					  .ack = r->sn,
					  .flags = SEG_ACK | SEG_PSH,
					  .text_len = 20 });
		r->rn += 20;
	}
	rig_discard(r);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hf_peek(r->w, r->id, text, sizeof(text)), 40);
		for (uint32_t k = 0; k < 40; k++)
			assert_int_equal(text[k], rig_octet(k));
	}
	assert_int_equal(hf_peek(r->w, r->id, text, 5), 5);
	rig_read(r, 40);
	assert_int_equal(hf_peek(r->w, r->id, text, sizeof(text)), -EAGAIN);
}

static const struct row rows[] = {
	{ .name = "MUST-17-connection", .test = nodelay__short_writes__go_at_once },
	{ .name = "MAY-15-cork", .test = cork__short_text__waits_for_more },
	{ .name = "MAY-15-forgotten", .test = cork__forgotten__text_goes_all_the_same },
	{ .name = "MAY-15-shutdown", .test = cork__shutdown__sends_all },
	{ .name = "MUST-21-connection", .test = user_timeout__of_one_connection },
	{ .name = "MUST-67-open", .test = mss__of_an_open__told_and_kept_to },
	{ .name = "MUST-67-simultaneous", .test = mss__of_a_simultaneous_open__told_again },
	{ .name = "MUST-67-listener", .test = mss__of_a_listener__told_and_kept_to },
	{ .name = "set-errors", .test = set__bad_calls__errors, .variants = ROW_ONCE },
	{ .name = "HF-KN1-ticks",
	  .test = config__beyond_half_the_circle_of_ticks__refused,
	  .variants = ROW_ONCE },
	{ .name = "peek", .test = peek__takes_nothing },
};

int main(int argc, char **argv)
{
	return rig_run("set", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
