/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 9: TIME-WAIT, how long it lasts, who may use its tuple again and when, and what
 * happens when its records run out (RFC 9293 3.6.1, 3.10.7.4; RFC 1337, RFC 6191, RFC 6056). */
#include <errno.h>

#include "rig/rig.h"

#define SYNACK (SEG_SYN | SEG_ACK)
#define FINACK (SEG_FIN | SEG_ACK)
#define ISS_STEP 65537

/* The side that opens: only a listener's tuple can be taken by a SYN, only our own by an OPEN. */
static void set_passive(struct rig *r)
{
	r->active = false;
}

static void set_active(struct rig *r)
{
	r->active = true;
}

static uint64_t deadline(const struct rig *r)
{
	struct hf_status status;

	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &status), 0);
	assert_int_equal(status.state, HF_TIME_WAIT);
	return status.deadline_us;
}

static uint32_t next_iss(uint32_t sn)
{
	return sn + ISS_STEP ? sn + ISS_STEP : 1;
}

static uint32_t peer_clock(const struct rig *r)
{
	return r->ts_base + (uint32_t)(r->now_us / 1000);
}

/* ---- MUST-13 ----------------------------------------------------------------------------- */

static void set_240s(struct rig *r)
{
	r->config.tcp.tw_len_ms = 240000;
}

static void time_wait__tw_len__to_the_tick(struct rig *r)
{
	const uint64_t len = MS(r->config.tcp.tw_len_ms);

	rig_to(r, RIG_TIME_WAIT);
	assert_int_equal(deadline(r), r->now_us + len);
	rig_expect_silence(r, len - MS(1));
	rig_expect_state(r, HF_TIME_WAIT);
	assert_int_equal(rig_levels(r).oldest_wait_ms, r->config.tcp.tw_len_ms - 1);
	rig_expect_silence(r, MS(2));
	assert_int_equal(rig_levels(r).oldest_wait_ms, 0);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "tw_expired"), 1);
}

static void set_slow(struct rig *r)
{
	r->config.tcp.rto_initial_ms = 60000;
	r->active = false;
}

/* A round trip of 20 s makes an RTO of about a minute: 2MSL is 3.5 of them. */
static void time_wait__slow_path__three_and_a_half_rto(struct rig *r)
{
	struct hf_status status;
	uint64_t len;

	rig_to(r, RIG_SYN_RCVD_P);
	rig_advance(r, SEC(20));
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	assert_int_equal(hf_shutdown(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = FINACK });
	r->sn++;
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.rto_ms, 60000);
	len = MS(60000) / 2 * 7;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = FINACK });
	r->rn++;
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_silence(r, len - 1);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, MS(8));
	rig_expect_state(r, HF_CLOSED);
}

/* ---- TW-1 to TW-6, RFC 1337 ---------------------------------------------------------------- */

/* From each of the three states; the next frame of the same burst already meets the record. */
static void entry__fin_twice_in_a_burst__second_meets_record(struct rig *r)
{
	static const enum rig_state from[] = { RIG_FIN_WAIT_1, RIG_FIN_WAIT_2, RIG_CLOSING };

	for (unsigned i = 0; i < 6; i++) {
		const bool hold = i / 3;
		struct seg fin;

		rig_another(r);
		r->hold = hold;
		rig_to(r, from[i % 3]);
		rig_mark(r);
		fin = (struct seg){ .seq = r->rn, .ack = r->sn, .flags = FINACK };
		if (from[i % 3] == RIG_CLOSING)
			rig_push(r, (struct seg){ .seq = r->rn--, .ack = r->sn, .flags = SEG_ACK });
		else
			rig_push(r, fin);
		r->rn++;
		fin.seq = r->rn - 1;
		rig_push(r, fin);
		rig_turn(r);
		if (from[i % 3] != RIG_CLOSING)
			rig_expect_ack(r);
		rig_expect_ack(r);
		rig_expect_silence(r, MS(1));
		rig_expect_rose(r, "tw_entered", 1);
		rig_expect_rose(r, "tw_restarted", 1);
		rig_expect_rose(r, "rst_out", 0);
		rig_expect_state(r, HF_TIME_WAIT);
		assert_int_equal(rig_levels(r).flows.used, i + 1);
		assert_int_equal(rig_levels(r).buckets.used, i + 1);
		rig_turn(r);
		rig_forget_events(r);
		assert_int_equal(rig_levels(r).connections.used, hold ? i - 2 : 0);
	}
}

/* What the application holds stays, apart from the record, until CLOSE. */
static void entry__text_unread__stays_until_close(struct rig *r)
{
	struct hf_status status;

	r->hold = true;
	rig_to(r, RIG_FIN_WAIT_2);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = FINACK, .text_len = 100 });
	r->rn += 101;
	assert_int_equal(rig_event(r, HF_EV_READABLE | HF_EV_EOF)->readable, 100);
	rig_expect_ack(r);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.state, HF_TIME_WAIT);
	assert_int_equal(status.readable, 100);
	rig_expect_silence(r, SEC(61)); /* the record goes, the text stays */
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_levels(r).queued_mbufs, 1);
	rig_read(r, 100);
	rig_flush(r); /* which gives buffers back */
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_turn(r);
	rig_event_closed(r, 0);
	rig_turn(r);
	assert_int_equal(rig_levels(r).connections.used, 0);
}

/* TW-2 */
static void record__size__a_cache_line(struct rig *r)
{
	const struct hf_levels levels = rig_levels(r);

	assert_true(levels.bytes_per_bucket[0] <= 64);
	assert_true(levels.bytes_per_bucket[1] <= 96);
}

static void fin_again__2msl_again(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = FINACK });
	rig_expect_ack(r);
	rig_expect_silence(r, SEC(60) - MS(1));
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, MS(2));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "tw_restarted"), 1);
}

/* TW-4: a stream of everything else cannot hold the record. */
static void all_but_fin__deadline_stays(struct rig *r)
{
	static const struct {
		uint8_t flags;
		int32_t seq, ack;
		uint16_t len;
	} junk[] = {
		{ SEG_ACK, 0, 0, 0 },	 { SEG_ACK, -10, 0, 10 },
		{ SEG_SYN, -100, 0, 0 }, { SEG_ACK, 0, 0, 10 },
		{ FINACK, -1, 1, 0 },	 { FINACK, -1, -2000, 0 },
		{ FINACK, 0, 0, 0 },	 { FINACK, 100, 0, 0 },
		{ FINACK, -20, 0, 5 },	 { SYNACK, 0, 0, 0 },
		{ SYNACK, -1, 0, 0 },	 { SEG_RST, 0, 0, 0 },
		{ SEG_RST, 10, 0, 0 },	 { SEG_FIN, -1, 0, 0 },
		{ 0, 0, 0, 0 },		 { SEG_SYN | SEG_FIN, 0, 0, 0 },
	};
	const unsigned kinds = sizeof(junk) / sizeof(junk[0]);
	uint64_t was;

	r->timestamps = false; /* else a SYN that is older by SEQ is newer by TSval */
	rig_to(r, RIG_TIME_WAIT);
	was = deadline(r);
	for (unsigned i = 0; i < 59; i++) {
		rig_advance(r, SEC(1));
		rig_send(r, (struct seg){ .seq = r->rn + (uint32_t)junk[i % kinds].seq,
					  .ack = r->sn + (uint32_t)junk[i % kinds].ack,
					  .flags = junk[i % kinds].flags,
					  .text_len = junk[i % kinds].len });
		rig_discard(r);
		assert_int_equal(deadline(r), was);
	}
	rig_expect_silence(r, SEC(1) - 1);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, 1);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "tw_restarted"), 0);
}

/* TW-5: out of the window, one answer in 500 ms; a RST none at all. */
static void out_of_window__limited__rst_unanswered(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	for (unsigned i = 0; i < 100; i++) {
		rig_send(r, (struct seg){ .seq = r->rn + 10000, .ack = r->sn, .flags = SEG_ACK });
		rig_send(r, (struct seg){ .seq = r->rn + i, .flags = SEG_RST });
	}
	rig_expect_ack(r);
	rig_expect_silence(r, MS(499));
	assert_int_equal(rig_counter(r, "challenge_suppressed"), 99);
	rig_advance(r, MS(1));
	rig_send(r, (struct seg){ .seq = r->rn + 10000, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
}

/* RFC 1337 2: an old duplicate draws our ACK, to which a peer that is gone says RST. */
static void assassination__three_steps__record_stays(struct rig *r)
{
	const struct frame *challenge;
	uint64_t was;

	rig_to(r, RIG_TIME_WAIT);
	was = deadline(r);
	for (unsigned i = 0; i < 3; i++) {
		rig_advance(r, SEC(5));
		rig_send(r,
			 (struct seg){
				 .seq = r->rn - 20, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
		challenge = rig_expect_ack(r);
		rig_send(r, (struct seg){ .seq = challenge->seg.ack, .flags = SEG_RST });
		rig_expect_silence(r, 0);
		assert_int_equal(deadline(r), was);
	}
	rig_advance(r, was - r->now_us - 1);
	rig_expect_state(r, HF_TIME_WAIT);
	assert_int_equal(rig_counter(r, "rst_ignored"), 3);
}

/* ---- TW-P: the peer opens the tuple anew ---------------------------------------------------- */

static struct seg new_syn(const struct rig *r, int32_t by, int32_t ts_by)
{
	struct seg syn = rig_syn(r);

	syn.seq = r->rn + (uint32_t)by;
	syn.tsval = peer_clock(r) + (uint32_t)ts_by;
	return syn;
}

static void expect_refused(struct rig *r, struct seg syn, const char *counter)
{
	const uint64_t was = deadline(r);

	rig_mark(r);
	rig_advance(r, MS(500)); /* the challenge limiter's time is over */
	rig_send(r, syn);
	rig_expect_ack(r);
	rig_expect_silence(r, 0);
	assert_int_equal(deadline(r), was);
	rig_expect_rose(r, "tw_reused_passive", 0);
	if (counter)
		rig_expect_rose(r, counter, 1);
	assert_int_equal(rig_levels(r).requests.used, 0);
}

/* The SYN is a new connection's, which is now the one under test. */
static void expect_accepted(struct rig *r, struct seg syn)
{
	const uint32_t old_tsval = r->tsecr;
	const struct seg *seg;

	rig_mark(r);
	rig_send(r, syn);
	r->irs = syn.seq;
	r->iss = next_iss(r->sn);
	r->su = r->iss;
	r->sn = r->iss + 1;
	r->rn = r->irs + 1;
	r->ts_agreed = false;
	seg = &rig_expect(r, (struct seg){ .seq = r->iss,
					   .ack = syn.seq + 1,
					   .flags = SYNACK,
					   .options = (uint8_t)(OPT_MSS | (syn.options & OPT_TS)) })
		       ->seg;
	if (syn.options & OPT_TS) {
		assert_int_equal(seg->tsecr, syn.tsval);
		assert_true((int32_t)(seg->tsval - old_tsval) >= 0);
	}
	r->ts_agreed = syn.options & OPT_TS;
	rig_expect_state(r, HF_SYN_RECEIVED);
	rig_expect_rose(r, "tw_reused_passive", 1);
	assert_int_equal(rig_levels(r).buckets.used, 0);
	assert_int_equal(rig_levels(r).requests.used, 1);
	assert_int_equal(rig_levels(r).flows.used, 1);
}

/* The last ACK; then everything works, and the end leaves a record again. */
static void finish_accepted(struct rig *r)
{
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	r->written = r->read = 0;
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = FINACK });
	r->sn++;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = FINACK });
	r->rn++;
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
}

static void syn_newer_ts__accepted_whatever_seq(struct rig *r)
{
	static const int32_t seqs[] = { -100, -1, 0, 1, 100000, INT32_MAX, INT32_MIN };

	rig_to(r, RIG_TIME_WAIT);
	for (unsigned i = 0; i < 7; i++) {
		expect_accepted(r, new_syn(r, seqs[i], (int32_t)i + 1));
		r->ts_base += i + 1;
		finish_accepted(r);
	}
}

static void syn_same_ts__only_above(struct rig *r)
{
	struct seg syn;

	rig_to(r, RIG_TIME_WAIT);
	syn = new_syn(r, -1, 0);
	expect_refused(r, syn, "tw_refused_seq");
	syn.seq = r->rn - 1000;
	expect_refused(r, syn, "tw_refused_seq");
	syn.seq = r->rn;
	expect_accepted(r, syn);
	finish_accepted(r);
	syn = new_syn(r, INT32_MAX - 1, 0);
	expect_accepted(r, syn);
}

static void syn_older_ts__refused(struct rig *r)
{
	static const int32_t seqs[] = { -1, 0, 1, 100000 };
	struct seg syn;

	rig_to(r, RIG_TIME_WAIT);
	syn = new_syn(r, 0, -1);
	for (unsigned i = 0; i < 4; i++) {
		syn.seq = r->rn + (uint32_t)seqs[i];
		expect_refused(r, syn, "tw_refused_ts");
		syn.tsval -= 1000;
	}
}

/* Without timestamps of both, SEQ alone decides, across the circle. */
static void syn_by_seq__only_above(struct rig *r, bool with_ts)
{
	static const int32_t refused[] = { -1, -2, -65536, INT32_MIN + 1 };
	static const int32_t accepted[] = { 0, 1, 65536, INT32_MAX - 1 };

	for (unsigned i = 0; i < 4; i++) {
		struct seg syn;

		rig_another(r);
		rig_to(r, RIG_TIME_WAIT);
		syn = new_syn(r, 0, 0);
		syn.options = (uint8_t)(OPT_MSS | (with_ts ? OPT_TS : 0));
		for (unsigned k = 0; i == 0 && k < 4; k++) {
			syn.seq = r->rn + (uint32_t)refused[k];
			expect_refused(r, syn, "tw_refused_seq");
		}
		syn.seq = r->rn + (uint32_t)accepted[i];
		expect_accepted(r, syn);
		rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
		rig_expect_silence(r, 0);
		assert_int_equal(rig_levels(r).requests.used, 0);
		r->iss = r->config.seed.iss;
		r->irs = r->iss;
	}
}

static void syn_without_ts__by_seq(struct rig *r)
{
	syn_by_seq__only_above(r, false);
}

static void syn_with_ts_first__by_seq(struct rig *r)
{
	syn_by_seq__only_above(r, true);
}

static void set_accept_ts_new(struct rig *r)
{
	r->active = false;
	r->config.tcp.tw_accept_ts_new = true;
}

static void syn_with_ts_first__knob__accepted(struct rig *r)
{
	struct seg syn;

	rig_to(r, RIG_TIME_WAIT);
	syn = new_syn(r, -1000, 0);
	expect_refused(r, syn, "tw_refused_seq"); /* still without */
	syn.options |= OPT_TS;
	expect_accepted(r, syn);
}

static void set_backlog_1(struct rig *r)
{
	r->active = false;
	r->config.tcp.syn_backlog = 1;
	r->config.tcp.syncookies = 1;
}

/* TW-P9: only a cookie could be sent, and its ISS may lie among the old connection's numbers. */
static void syn__backlog_full__no_cookie(struct rig *r)
{
	struct hf_addr other = r->peer;
	uint64_t was;

	other.port += 1000;
	rig_to(r, RIG_TIME_WAIT);
	rig_push_from(r, &other, rig_syn(r), NULL);
	rig_turn(r);
	rig_discard(r);
	assert_int_equal(rig_levels(r).requests.used, 1);
	was = deadline(r);
	rig_mark(r);
	rig_send(r, new_syn(r, 0, 1));
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "tw_refused_no_room", 1);
	rig_expect_rose(r, "rx_drop_no_room", 1);
	rig_expect_rose(r, "cookie_sent", 0);
	assert_int_equal(deadline(r), was);

	/* room again, and the same SYN is welcome */
	rig_push_from(r, &other, (struct seg){ .seq = IRS + 1, .flags = SEG_RST }, NULL);
	rig_turn(r);
	rig_discard(r);
	expect_accepted(r, new_syn(r, 0, 1));
}

static void syn__listener_gone__refused(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	r->listener_count = 0;
	expect_refused(r, new_syn(r, 1, 1), "tw_refused_no_listener");
	rig_expect_silence(r, SEC(60));
	rig_expect_state(r, HF_CLOSED);
}

/* TW-P8: a thousand incarnations, each above the last. */
static void reuse__thousand_times__iss_climbs(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	for (unsigned i = 0; i < 1000; i++) {
		if (i % 7 == 0)
			rig_advance(r, MS(1));
		expect_accepted(r, new_syn(r, 0, 0));
		finish_accepted(r);
	}
	assert_int_equal(rig_counter(r, "tw_reused_passive"), 1000);
	assert_int_equal(rig_counter(r, "tw_entered"), 1001);
}

static void set_iss_to_zero(struct rig *r)
{
	r->active = false;
	r->iss = r->config.seed.iss = 0u - ISS_STEP - 2; /* SYN and FIN: SN + ISS_STEP is 0 */
}

static void reuse__iss_would_be_0__is_1(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	assert_int_equal(r->sn + ISS_STEP, 0);
	expect_accepted(r, new_syn(r, 0, 0));
	assert_int_equal(r->iss, 1);
	finish_accepted(r);
}

/* TW-P11: everything the old connection's peer sent comes again, into the new one. */
static void reuse__old_trace_replayed__stream_unharmed(struct rig *r)
{
	struct seg old[6];
	const uint32_t mss = 200;

	for (unsigned newer = 0; newer < (r->timestamps ? 2 : 1); newer++) {
		rig_another(r);
		r->iss = r->irs = r->config.seed.iss;
		rig_to(r, RIG_ESTABLISHED);
		old[0] = rig_syn(r);
		for (unsigned i = 1; i < 6; i++) {
			old[i] = (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK };
			old[i].options = r->ts_agreed ? OPT_TS : 0;
			old[i].tsval = peer_clock(r);
			old[i].tsecr = r->tsecr;
			old[i].text_len = i > 1 && i < 5 ? (uint16_t)mss : 0;
			if (i == 5) {
				rig_discard(r);
				rig_read(r, 3 * mss);
				assert_int_equal(hf_close(r->w, r->id), 0);
				rig_expect(r, (struct seg){
						      .seq = r->sn, .ack = r->rn, .flags = FINACK });
				old[i].ack = ++r->sn;
				old[i].flags |= SEG_FIN;
			}
			rig_send(r, old[i]);
			r->rn += rig_len(old[i]);
		}
		rig_discard(r);
		rig_turn(r);
		rig_forget_events(r);
		rig_expect_state(r, HF_TIME_WAIT);
		rig_advance(r, MS(10));

		/* with newer timestamps the two windows may lie over each other */
		expect_accepted(r, new_syn(r, newer ? -300 : 0, 0));
		for (unsigned i = 0; i < 6; i++) {
			rig_send(r, old[i]);
			rig_expect_state(r, HF_SYN_RECEIVED);
		}
		rig_discard(r);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_event(r, HF_EV_ACCEPT);
		rig_accept(r);
		r->written = r->read = 0;
		for (unsigned i = 0; i < 12; i++) {
			rig_send(r, old[i % 6]);
			rig_no_event(r);
			rig_expect_state(r, HF_ESTABLISHED);
			rig_send(r, (struct seg){ .seq = r->rn,
						  .ack = r->sn,
						  .flags = SEG_ACK,
						  .text_len = 50 });
			r->rn += 50;
			rig_event(r, HF_EV_READABLE);
		}
		rig_discard(r);
		rig_read(r, 600);
		assert_int_equal(hf_abort(r->w, r->id), 0);
		rig_discard(r);
		rig_turn(r);
		rig_forget_events(r);
	}
}

/* ---- TW-A: an OPEN of ours wants the tuple ---------------------------------------------------- */

static int reopen(struct rig *r)
{
	return hf_connect(r->w, &r->local, &r->peer, 9, &r->id);
}

/* The reused tuple's SYN; the connection under test is now the new one. */
static void expect_reopened(struct rig *r)
{
	const uint32_t old_tsval = r->tsecr;
	const struct seg *seg;

	rig_mark(r);
	rig_connect(r);
	r->iss = next_iss(r->sn);
	r->ts_agreed = false;
	seg = &rig_expect(r,
			  (struct seg){ .seq = r->iss, .flags = SEG_SYN, .options = OPT_MSS | OPT_TS })
		       ->seg;
	assert_true((int32_t)(seg->tsval - old_tsval) > 0);
	assert_int_equal(seg->tsecr, 0);
	r->su = r->iss;
	r->sn = r->iss + 1;
	rig_expect_rose(r, "tw_reused_active", 1);
	rig_expect_state(r, HF_SYN_SENT);
	assert_int_equal(rig_levels(r).buckets.used, 0);
	assert_int_equal(rig_levels(r).flows.used, 1);
	assert_int_equal(rig_levels(r).timers, 1);
}

static void answer_reopened(struct rig *r)
{
	struct seg seg;

	r->irs += 0x10000;
	seg = rig_syn(r);
	seg.flags = SYNACK;
	seg.ack = r->sn;
	seg.tsecr = r->tsecr;
	rig_send(r, seg);
	r->rn = r->irs + 1;
	r->ts_agreed = r->timestamps;
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, SEC(2));
}

/* The old connection's SYN, late, opens nothing; one that is newer does, simultaneously. */
static void reopened__old_syn__no_simultaneous_open(struct rig *r)
{
	struct seg syn;

	rig_to(r, RIG_TIME_WAIT);
	syn = rig_syn(r);
	rig_advance(r, MS(1001));
	expect_reopened(r);
	syn.tsval--;
	rig_mark(r);
	rig_send(r, syn);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "paws_refused", 1);
	rig_expect_state(r, HF_SYN_SENT);
	syn.tsval++;
	rig_send(r, syn);
	rig_expect_state(r, HF_SYN_RECEIVED);
	rig_discard(r);
}

static void expect_not_reopened(struct rig *r, const char *counter)
{
	const uint64_t was = deadline(r);

	rig_mark(r);
	assert_int_equal(reopen(r), -EADDRNOTAVAIL);
	if (counter)
		rig_expect_rose(r, counter, 1);
	rig_expect_rose(r, "failed_no_port", 1);
	rig_expect_silence(r, 0);
	assert_int_equal(deadline(r), was);
}

static void set_reuse_0(struct rig *r)
{
	r->active = true;
	r->config.tcp.tw_reuse = 0;
}

static void set_reuse_2(struct rig *r)
{
	r->active = true;
	r->config.tcp.tw_reuse = 2;
}

static void set_no_timestamps(struct rig *r)
{
	r->active = true;
	r->config.tcp.timestamps = r->timestamps = false;
}

static void set_unsafe(struct rig *r)
{
	r->active = true;
	r->config.tcp.tw_reuse_unsafe = true;
}

static void reuse_0__never(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	expect_not_reopened(r, NULL);
	rig_advance(r, SEC(31));
	assert_int_equal(reopen(r), 0); /* the tuple is free again */
	hf_abort(r->w, r->id);
}

static void reuse_1__everywhere(struct rig *r)
{
	struct hf_addr elsewhere;

	hf_addr_parse(r->local.ip.version == 4 ? "192.0.2.1" : "2001:db8::1", &elsewhere);
	r->peer.ip = elsewhere.ip;
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, MS(1001));
	expect_reopened(r);
	answer_reopened(r);
}

static void reuse_2__test_networks_only(struct rig *r)
{
	const struct hf_addr inside = r->peer;

	hf_addr_parse(r->local.ip.version == 4 ? "192.0.2.1" : "2001:db8::1", &r->peer);
	r->peer.port = inside.port;
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	expect_not_reopened(r, NULL);
	rig_advance(r, SEC(31));
	r->peer = inside;
	r->ts_agreed = false;
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, MS(1001));
	expect_reopened(r);
}

static void set_two_ports(struct rig *r)
{
	r->active = true;
	r->config.port_first = 2000;
	r->config.port_last = 2001;
}

/* TW-A2: a tuple in FIN-WAIT-2, or one that lives, is passed over: the other port, then none. */
static void reuse__fin_wait_2__next_port(struct rig *r)
{
	const struct hf_addr any = { .ip = r->local.ip };
	const struct hf_addr first = { .ip = r->local.ip, .port = 2000 };
	struct hf_status status;
	uint64_t id;

	r->local = first;
	rig_to(r, RIG_FIN_WAIT_2);
	rig_advance(r, SEC(2));
	assert_int_equal(reopen(r), -EADDRINUSE);
	assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, &id), 0);
	assert_int_equal(hf_status(r->w, id, &status), 0);
	assert_int_equal(status.local.port, 2001);
	assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, &r->id), -EADDRNOTAVAIL);
	rig_expect_state(r, HF_FIN_WAIT_2);
	assert_int_equal(rig_counter(r, "tw_reused_active"), 0);
	assert_int_equal(hf_close(r->w, id), 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);
}

static void set_16_ports(struct rig *r)
{
	r->active = true;
	r->config.port_first = 2000;
	r->config.port_last = 2015;
	r->config.ipv4.connections = r->config.ipv6.connections = 32;
}

/* TW-A7: an OPEN that fails for want of memory has not taken the record's port out of its list, nor put
 * it among the free ones. All ports are there once, whatever becomes of the record. */
static void reuse__no_memory__every_port_once(struct rig *r)
{
	const struct hf_addr any = { .ip = r->local.ip };
	uint64_t id[15], more;

	r->local.port = 0;
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(2));
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, &id[i]), 0);
	hf_abort(r->w, id[14]); /* free, but of this tick */
	hf_fail_allocation(r->w, 1);
	assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, &more), -ENOBUFS);
	assert_int_equal(hf_connect(r->w, &r->local, &r->peer, 0, &more), 0);
	hf_abort(r->w, more);
	for (unsigned i = 0; i < 14; i++)
		hf_abort(r->w, id[i]);
	rig_discard(r);
	rig_turn(r);
	rig_forget_events(r);

	rig_advance(r, MS(10));
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, i < 15 ? &id[i] : &more), 0);
	assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, &r->id), -EADDRNOTAVAIL);
	for (unsigned i = 0; i < 16; i++)
		hf_abort(r->w, i < 15 ? id[i] : more);
	rig_discard(r);
	rig_turn(r);
	rig_forget_events(r);
}

static void reuse__no_timestamps__not_without_knob(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	expect_not_reopened(r, "tw_reuse_nots");
}

static void reuse__unsafe__counted(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	rig_connect(r);
	rig_expect(r, (struct seg){ .seq = next_iss(r->sn), .flags = SEG_SYN });
	assert_int_equal(rig_counter(r, "tw_reuse_unsafe"), 1);
	r->iss = r->config.seed.iss;
}

/* TW-A4: more than tw_reuse_delay. */
static void reuse__delay__at_1000_no_at_1001_yes(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	expect_not_reopened(r, "tw_reuse_young");
	rig_advance(r, MS(1000));
	expect_not_reopened(r, "tw_reuse_young");
	rig_advance(r, MS(1));
	expect_reopened(r);
	answer_reopened(r);
}

static void set_clock_wrap(struct rig *r)
{
	r->active = true;
	r->config.clock_start_ms = 0u - 1500; /* the rig starts at 1 s */
}

static void set_iss_to_zero_active(struct rig *r)
{
	set_iss_to_zero(r);
	r->active = true;
}

static void reuse__active_iss_would_be_0__is_1(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, MS(1001));
	expect_reopened(r);
	assert_int_equal(r->iss, 1);
	answer_reopened(r);
}

/* TW-A6: the record's time has come and the wheel has not turned yet. */
static void reuse__deadline_now__once(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, deadline(r) - r->now_us - 1);
	rig_turn(r);
	r->now_us++;
	rig_flush(r);
	expect_reopened(r);
	assert_int_equal(rig_counter(r, "tw_expired"), 0);
	answer_reopened(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* TW-A10: the OPEN ends as any other that is refused, and another tuple's record is as it was. */
static void reuse__peer_refuses__told_as_ever(struct rig *r)
{
	const uint16_t other = r->peer.port;

	rig_to(r, RIG_TIME_WAIT);
	rig_another(r);
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, MS(1001));
	rig_connect(r);
	r->ts_agreed = false;
	rig_expect(r, (struct seg){ .seq = next_iss(r->sn),
				    .flags = SEG_SYN,
				    .options = OPT_MSS | OPT_TS });
	rig_send(r, (struct seg){ .ack = next_iss(r->sn) + 1, .flags = SEG_RST | SEG_ACK });
	rig_event_closed(r, ECONNREFUSED);
	rig_expect_silence(r, SEC(2));
	assert_int_equal(rig_counter(r, "failed_refused"), 1);
	assert_int_equal(rig_counter(r, "tw_reused_active"), 1);
	rig_expect_state(r, HF_CLOSED);
	r->peer.port = other;
	rig_expect_state(r, HF_TIME_WAIT);
}

/* TW-A8: the peer has not got our last ACK and sits in LAST-ACK: C, our RST, and the SYN again. */
static void reuse__peer_in_last_ack__second_syn_connects(struct rig *r)
{
	struct seg challenge;

	rig_to(r, RIG_TIME_WAIT);
	challenge = (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK };
	rig_advance(r, MS(1001));
	expect_reopened(r);
	challenge.options = OPT_TS;
	challenge.tsval = peer_clock(r);
	challenge.tsecr = r->tsecr;
	rig_send(r, challenge);
	rig_expect_ra(r, challenge);
	rig_no_event(r);
	rig_expect_state(r, HF_SYN_SENT);
	rig_expect_silence(r, SEC(1) - 1);
	rig_advance(r, 1);
	rig_expect(r, (struct seg){ .seq = r->iss, .flags = SEG_SYN });
	answer_reopened(r);
}

static void set_true_iss(struct rig *r)
{
	r->active = true;
	r->config.seed.iss_fixed = false;
}

/* TW-A12: the peer closed first, so that our tuple is free at once. */
static void reopen__peer_in_time_wait__syn_carries_evidence(struct rig *r)
{
	static const uint64_t waits[] = { 0, MS(1), MS(10), SEC(1) };
	struct hf_status status;
	uint32_t iss, tsval;

	for (unsigned i = 0; i < 4; i++) {
		const struct seg *seg;
		uint64_t opened;

		rig_another(r);
		rig_turn(r);
		rig_connect(r);
		opened = r->now_us;
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		r->iss = iss = status.iss;
		tsval = rig_expect(r, (struct seg){ .seq = iss, .flags = SEG_SYN })->seg.tsval;
		r->sn = iss + 1;
		answer_reopened(r);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = FINACK });
		r->rn++;
		rig_event(r, HF_EV_EOF);
		rig_expect_ack(r);
		assert_int_equal(hf_close(r->w, r->id), 0);
		rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = FINACK });
		r->sn++;
		if (r->ts_agreed)
			tsval = r->tsecr;
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_event_closed(r, 0);
		rig_expect_silence(r, waits[i]);
		rig_expect_state(r, HF_CLOSED);

		r->ts_agreed = false;
		rig_connect(r);
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		assert_int_equal(status.iss - iss, (r->now_us - opened) / 4);
		seg = &rig_expect(r, (struct seg){ .seq = status.iss, .flags = SEG_SYN })->seg;
		if (waits[i] >= MS(1))
			assert_true((int32_t)(seg->tsval - tsval) > 0);
		else
			assert_true((int32_t)(status.iss - r->sn) > 0);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_expect(r, (struct seg){ .seq = r->sn, .flags = SEG_RST });
		r->iss = status.iss;
		r->sn = r->iss + 1;
		rig_advance(r, SEC(1));
		rig_expect(r, (struct seg){ .seq = r->iss, .flags = SEG_SYN });
		answer_reopened(r);
	}
}

/* ---- TW-L: limits --------------------------------------------------------------------------- */

#define LIMIT 100

static void set_limit(struct rig *r)
{
	r->active = false;
	r->config.ipv4.buckets = r->config.ipv6.buckets = LIMIT;
}

static void set_limit_kill(struct rig *r)
{
	set_limit(r);
	r->config.tcp.tw_overflow = HF_TW_KILL;
}

/* So many connections end here, one every so many microseconds. */
static void fill(struct rig *r, unsigned n, uint64_t every_us)
{
	for (unsigned i = 0; i < n; i++) {
		rig_another(r);
		rig_to(r, RIG_TIME_WAIT);
		rig_advance(r, every_us);
	}
}

static void expect_tuple(struct rig *r, uint16_t port, enum hf_state state)
{
	const uint16_t now = r->peer.port;

	r->peer.port = port;
	rig_expect_state(r, state);
	r->peer.port = now;
}

/* One more, that finds no record: its last ACK goes out, and it is CLOSED. */
static void close_without_record(struct rig *r)
{
	rig_another(r);
	rig_to(r, RIG_FIN_WAIT_1);
	rig_mark(r);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = FINACK });
	r->rn++;
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
	rig_expect_rose(r, "tw_overflow", 1);
	rig_expect_rose(r, "tw_entered", 0);
	rig_expect_rose(r, "closed", 1);
}

static void limit__filled__memory_flat(struct rig *r)
{
	const struct hf_levels before = rig_levels(r);
	struct hf_levels after;

	fill(r, LIMIT, 0);
	after = rig_levels(r);
	assert_int_equal(after.buckets.used, LIMIT);
	assert_int_equal(after.buckets.size, LIMIT * 2);
	assert_int_equal(after.memory, before.memory);
	assert_int_equal(after.connections.used, 0);
	assert_int_equal(after.requests.used, 0);
	assert_int_equal(after.ranges.used, 0);
	assert_int_equal(after.queued_mbufs, 0);
	assert_int_equal(after.timers, LIMIT);
}

static void limit__evict__oldest_goes(struct rig *r)
{
	const uint16_t first = (uint16_t)(r->peer.port + 1);

	fill(r, LIMIT, MS(20));
	rig_another(r);
	rig_to(r, RIG_TIME_WAIT);
	assert_int_equal(rig_counter(r, "tw_evicted"), 1);
	assert_int_equal(rig_counter(r, "tw_overflow"), 0);
	assert_int_equal(rig_levels(r).buckets.used, LIMIT);
	expect_tuple(r, first, HF_CLOSED);
	for (uint16_t i = 1; i <= LIMIT; i++)
		expect_tuple(r, (uint16_t)(first + i), HF_TIME_WAIT);
}

/* The oldest is the one with the earliest deadline, not the one that came first. */
static void limit__evict__by_deadline(struct rig *r)
{
	const uint16_t first = (uint16_t)(r->peer.port + 1);
	struct rig was;

	rig_another(r);
	rig_to(r, RIG_TIME_WAIT);
	was = *r;
	rig_advance(r, MS(20));
	fill(r, LIMIT - 1, MS(20));
	r->peer = was.peer;
	r->ts_agreed = was.ts_agreed;
	rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = FINACK });
	rig_expect_ack(r); /* restarted */
	r->peer.port = (uint16_t)(first + LIMIT);
	rig_another(r);
	rig_to(r, RIG_TIME_WAIT);
	expect_tuple(r, first, HF_TIME_WAIT);
	expect_tuple(r, (uint16_t)(first + 1), HF_CLOSED);
	expect_tuple(r, (uint16_t)(first + 2), HF_TIME_WAIT);
	assert_int_equal(rig_counter(r, "tw_evicted"), 1);
}

static void limit__none_old_enough__overflow(struct rig *r)
{
	const uint16_t first = (uint16_t)(r->peer.port + 1);

	fill(r, LIMIT, MS(5));
	close_without_record(r);
	for (uint16_t i = 0; i < LIMIT; i++)
		expect_tuple(r, (uint16_t)(first + i), HF_TIME_WAIT);
	assert_int_equal(rig_counter(r, "tw_evicted"), 0);
}

static void limit__kill__overflow(struct rig *r)
{
	const uint16_t first = (uint16_t)(r->peer.port + 1);

	fill(r, LIMIT, MS(100));
	close_without_record(r);
	expect_tuple(r, first, HF_TIME_WAIT);
	assert_int_equal(rig_counter(r, "tw_evicted"), 0);
}

/* The small record of FIN-WAIT-2 needs one as well. */
static void limit__none_for_fin_wait_2__closed(struct rig *r)
{
	fill(r, LIMIT, MS(5));
	rig_another(r);
	rig_to(r, RIG_FIN_WAIT_1);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, MS(100));
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "tw_overflow"), 1);
}

static void evicted__tuple_is_closed(struct rig *r)
{
	struct seg fin;

	rig_another(r);
	rig_to(r, RIG_TIME_WAIT);
	fin = (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = FINACK };
	rig_advance(r, MS(20));
	fill(r, LIMIT, MS(20));
	r->peer.port = (uint16_t)(r->peer.port - LIMIT);
	rig_expect_state(r, HF_CLOSED);
	r->ts_agreed = false;
	rig_send(r, fin);
	rig_expect_ra(r, fin);
	rig_to(r, RIG_SYN_RCVD_P); /* a plain SYN: the ISS is no old one's */
}

/* TW-L4: evictions in numbers; hf_check after each step. */
static void evictions__many__wheel_and_table_in_step(struct rig *r)
{
	r->config.tcp.tw_reuse_delay_ms = 1;
	fill(r, 5000, MS(20));
	assert_int_equal(rig_counter(r, "tw_evicted"), 5000 - LIMIT - rig_counter(r, "tw_expired"));
	assert_int_equal(rig_levels(r).buckets.used, LIMIT);
}

static void set_many(struct rig *r)
{
	r->active = false;
	r->config.ipv4.buckets = r->config.ipv6.buckets = 500;
}

/* TW-L5: a crowd with one deadline, so many a turn, none lost. */
static void expiry__crowd__spread_over_turns(struct rig *r)
{
	uint64_t before = 0;
	unsigned turns = 0;

	fill(r, 500, 0);
	rig_advance(r, SEC(60) - 1);
	assert_int_equal(rig_levels(r).buckets.used, 500);
	rig_flush(r);
	r->now_us++;
	while (rig_levels(r).buckets.used != 0) {
		rig_turn(r);
		assert_true(rig_counter(r, "tw_expired") - before <= 64);
		before = rig_counter(r, "tw_expired");
		if (before < 500)
			assert_int_equal(hf_next_deadline(r->w), 0);
		assert_true(++turns <= 500 / 64 + 2);
	}
	assert_int_equal(before, 500);
	rig_flush(r);
	assert_int_equal(hf_next_deadline(r->w), UINT64_MAX);
}

#define ROW(id, function, set)                              \
	{                                                   \
		.name = id, .test = function, .set_up = set \
	}
#define ROW_OF(id, function, set, which)                                       \
	{                                                                      \
		.name = id, .test = function, .set_up = set, .variants = which \
	}

static const struct row rows[] = {
	ROW("MUST-13", time_wait__tw_len__to_the_tick, NULL),
	ROW("MUST-13-strict", time_wait__tw_len__to_the_tick, set_240s),
	ROW("MUST-13-slow", time_wait__slow_path__three_and_a_half_rto, set_slow),

	ROW("TW-1", entry__fin_twice_in_a_burst__second_meets_record, NULL),
	ROW("TW-1-held", entry__text_unread__stays_until_close, NULL),
	ROW("TW-2", record__size__a_cache_line, NULL),
	ROW("TW-3", fin_again__2msl_again, NULL),
	ROW("TW-4, SEC-19", all_but_fin__deadline_stays, NULL),
	ROW("TW-5", out_of_window__limited__rst_unanswered, NULL),
	ROW("RFC1337-F1, SEC-17", assassination__three_steps__record_stays, NULL),

	ROW_OF("TW-P1, SHLD-4", syn_newer_ts__accepted_whatever_seq, set_passive, ROW_TS),
	ROW_OF("TW-P2", syn_same_ts__only_above, set_passive, ROW_TS),
	ROW_OF("TW-P3", syn_older_ts__refused, set_passive, ROW_TS),
	ROW_OF("TW-P4", syn_without_ts__by_seq, set_passive, ROW_TS),
	ROW_OF("TW-P5", syn_with_ts_first__by_seq, set_passive, ROW_PLAIN),
	ROW_OF("TW-P5-knob", syn_with_ts_first__knob__accepted, set_accept_ts_new, ROW_PLAIN),
	ROW_OF("TW-P6", syn_without_ts__by_seq, set_passive, ROW_PLAIN),
	ROW("TW-P7", syn__listener_gone__refused, set_passive),
	ROW("TW-P8", reuse__thousand_times__iss_climbs, set_passive),
	ROW("TW-P8-zero", reuse__iss_would_be_0__is_1, set_iss_to_zero),
	ROW("TW-P9", syn__backlog_full__no_cookie, set_backlog_1),
	ROW("TW-P11", reuse__old_trace_replayed__stream_unharmed, set_passive),

	ROW_OF("TW-A1-0", reuse_0__never, set_reuse_0, ROW_TS),
	ROW_OF("TW-A1-1", reuse_1__everywhere, set_active, ROW_TS),
	ROW_OF("TW-A1-2", reuse_2__test_networks_only, set_reuse_2, ROW_TS),
	ROW("TW-A2", reuse__fin_wait_2__next_port, set_two_ports),
	ROW_OF("TW-A3", reuse__no_timestamps__not_without_knob, set_active, ROW_PLAIN),
	ROW_OF("TW-A3-off", reuse__no_timestamps__not_without_knob, set_no_timestamps, ROW_PLAIN),
	ROW_OF("TW-A11", reuse__unsafe__counted, set_unsafe, ROW_PLAIN),
	ROW_OF("TW-A4", reuse__delay__at_1000_no_at_1001_yes, set_active, ROW_TS),
	ROW_OF("TW-A4-wrap", reuse__delay__at_1000_no_at_1001_yes, set_clock_wrap, ROW_TS),
	ROW_OF("TW-A5", reuse__active_iss_would_be_0__is_1, set_iss_to_zero_active, ROW_TS),
	ROW_OF("TW-A5-ts-recent", reopened__old_syn__no_simultaneous_open, set_active, ROW_TS),
	ROW_OF("TW-A6, SEC-18", reuse__deadline_now__once, set_active, ROW_TS),
	ROW_OF("TW-A7-no-memory", reuse__no_memory__every_port_once, set_16_ports, ROW_TS),
	ROW_OF("TW-A8", reuse__peer_in_last_ack__second_syn_connects, set_active, ROW_TS),
	ROW_OF("TW-A10", reuse__peer_refuses__told_as_ever, set_active, ROW_TS),
	ROW("TW-A12", reopen__peer_in_time_wait__syn_carries_evidence, set_true_iss),

	ROW("TW-L1", limit__filled__memory_flat, set_limit),
	ROW("TW-L2-evict", limit__evict__oldest_goes, set_limit),
	ROW("TW-L2-deadline", limit__evict__by_deadline, set_limit),
	ROW("TW-L2-young", limit__none_old_enough__overflow, set_limit),
	ROW("TW-L2-kill", limit__kill__overflow, set_limit_kill),
	ROW("TW-L2-fin-wait-2", limit__none_for_fin_wait_2__closed, set_limit),
	ROW("TW-L3", evicted__tuple_is_closed, set_limit),
	ROW_OF("TW-L4", evictions__many__wheel_and_table_in_step, set_limit, ROW_ONCE),
	ROW_OF("TW-L5, SEC-36", expiry__crowd__spread_over_turns, set_many, ROW_ONCE),
};

int main(int argc, char **argv)
{
	return rig_run("TIME-WAIT", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
