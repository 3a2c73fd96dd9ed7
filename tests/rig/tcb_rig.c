/* SPDX-License-Identifier: BSD-3-Clause */
/* The rig of tcb_rig.h: variants, clock, what a worker does between segments, and the standing checks. */
#include "rig/tcb_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIANTS 6
#define TS_OFFSET 0xfffff000u

/* Edges taken by any test of the process; the last test asks. */
static bool edge_taken[TCPS_COUNT][TCPS_COUNT];

static const struct {
	uint32_t isn;
	uint64_t now_us;
	const char *name[2];
} offsets[3] = {
	{ 1, SEC(10), { "from 1", "from 1, timestamps" } },
	{ 0x7ffffffe, MS(0x7fffff00u) + 1, { "across 2^31", "across 2^31, timestamps" } },
	{ 0xfffffffe, MS(0xffffff00u) + 999, { "across 2^32", "across 2^32, timestamps" } },
};

/* ---- Variants ---- */

static void set_clock(struct tcb_rig *r, uint64_t now_us)
{
	r->host.now_us = now_us;
	r->host.now_ms = (uint32_t)(now_us / 1000);
	r->host.ceil_ms = (uint32_t)((now_us + 999) / 1000);
}

static struct tcb_rig *rig_make(unsigned v)
{
	struct tcb_rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->iss = r->irs = offsets[v % 3].isn;
	r->timestamps = v >= 3;
	r->variant = offsets[v % 3].name[v / 3];
	r->began_us = offsets[v % 3].now_us;
	r->wscale = -1;
	r->mss = MSS;
	r->wnd = 10000;
	r->tsval = r->irs + 5;
	r->config = &r->host.config;
	r->host.stats = r->stats;
	flights_init(&r->host.flights, r->flights, RIG_FLIGHTS);
	r->host.ranges = (struct ranges){ .at = r->ranges, .spare = RANGE_NONE, .done = RANGE_NONE };
	r->host.levels[TCPS_LISTEN].now = 1;
	set_clock(r, r->began_us);
	*r->config = (struct tcp_config){
		.tw_len_ms = 60000,
		.fin_timeout_ms = 60000,
		.invalid_ratelimit_ms = 500,
		.delack_ms = 40,
		.rto_initial_ms = 1000,
		.rto_min_ms = 1000, /* so that times are round */
		.rto_max_ms = 120000,
		.rcv_buf = 20000,
		.snd_buf = 20000,
		.mss = { MSS, MSS - 60 },
		.syn_mss = OPT_MSS,
		.abc_limit = 1,
		.min_snd_mss = 216,
		.syn_retries = 7,
		.synack_retries = 5,
		.retries1 = 3,
		.retries2 = 15,
		.orphan_retries = 8,
		.ooo_segs = 64,
		.keepalive_interval_ms = 75000,
		.keepalive_probes = 9,
		.rcv_wscale = 3,
		.timestamps = true,
		.window_scaling = true,
		.sack = true,
		.nagle = true,
		.rfc1337 = true,
	};
	return r;
}

static bool wanted(unsigned variants, unsigned v)
{
	if (variants & ROW_ONCE)
		return v == 0;
	if (variants & ROW_PLAIN)
		return v < 3;
	if (variants & ROW_TS)
		return v >= 3;
	return true;
}

/* What cmocka hands around: the row, and the rig while a variant runs. */
struct run {
	const struct tcb_row *row;
	struct tcb_rig *rig;
};

static void row_run(void **state)
{
	struct run *const run = *state;

	for (unsigned v = 0; v < VARIANTS; v++) {
		if (!wanted(run->row->variants, v))
			continue;
		run->rig = rig_make(v);
		run->row->test(run->rig);
		free(run->rig);
		run->rig = NULL;
	}
}

static int row_end(void **state)
{
	struct run *const run = *state;

	if (run->rig)
		print_message("%s failed %s, in %s\n", run->row->name, run->rig->variant,
			      tcp_state_name((enum tcp_state)run->rig->tcb.state));
	free(run->rig);
	run->rig = NULL;
	return 0;
}

int rig_run(const struct tcb_group *group)
{
	struct CMUnitTest *const tests = calloc(group->count, sizeof(*tests));
	struct run *const runs = calloc(group->count, sizeof(*runs));
	int failed;

	if (!tests || !runs)
		abort();
	for (size_t i = 0; i < group->count; i++) {
		runs[i].row = &group->rows[i];
		tests[i] = (struct CMUnitTest){ .name = group->rows[i].name,
						.test_func = row_run,
						.teardown_func = row_end,
						.initial_state = &runs[i] };
	}
	failed = _cmocka_run_group_tests(group->name, tests, group->count, NULL, NULL);
	free(tests);
	free(runs);
	return failed;
}

/* ---- Edges ---- */

static void edge(enum tcp_state from, enum tcp_state to)
{
	assert_true(tcp_may_follow(from, to));
	edge_taken[from][to] = true;
}

int rig_edges_left(void)
{
	int left = 0;

	for (int from = 0; from < TCPS_COUNT; from++) {
		for (int to = 0; to < TCPS_COUNT; to++) {
			if (!tcp_may_follow((enum tcp_state)from, (enum tcp_state)to) ||
			    edge_taken[from][to])
				continue;
			print_message("no test goes from %s to %s\n",
				      tcp_state_name((enum tcp_state)from),
				      tcp_state_name((enum tcp_state)to));
			left++;
		}
	}
	return left;
}

/* How a step began: a state may have been passed through, which only the levels tell. */
struct before {
	enum tcp_state state;
	uint64_t entered[TCPS_COUNT];
};

static struct before before(const struct tcb_rig *r)
{
	struct before b = { .state = (enum tcp_state)r->tcb.state };

	for (int s = 0; s < TCPS_COUNT; s++)
		b.entered[s] = r->host.levels[s].entered;
	return b;
}

static void note_edges(const struct tcb_rig *r, const struct before *b)
{
	const enum tcp_state after = (enum tcp_state)r->tcb.state;
	enum tcp_state from = b->state;
	unsigned passed = 0;

	for (int s = 0; s < TCPS_COUNT; s++) {
		if (r->host.levels[s].entered == b->entered[s] || s == (int)after)
			continue;
		edge(from, (enum tcp_state)s);
		from = (enum tcp_state)s;
		passed++;
	}
	assert_true(passed <= 2);
	if (after != from)
		edge(from, after);
}

/* ---- What always holds ---- */

static void check_timers(const struct tcb_rig *r)
{
	const struct tcb *const t = &r->tcb;
	const bool retransmits = t->timers & (TIMER_RTX | TIMER_PERSIST);

	assert_false((t->timers & TIMER_RTX) && (t->timers & TIMER_PERSIST));
	if (t->snd_una != t->snd_nxt)
		assert_true(retransmits);
	switch ((enum tcp_state)t->state) { /* HF-T-INV */
	case TCPS_SYN_SENT:
	case TCPS_SYN_RECEIVED:
	case TCPS_FIN_WAIT_1:
	case TCPS_CLOSING:
	case TCPS_LAST_ACK:
		assert_true(retransmits);
		break;
	case TCPS_ESTABLISHED:
	case TCPS_FIN_WAIT_2:
	case TCPS_CLOSE_WAIT:
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_TIME_WAIT:
		break;
	}
}

/* Of all that is on its way, or nothing. */
static void check_sentlog(const struct tcb_rig *r, const struct sentlog *log)
{
	if (log->count > 0)
		assert_int_equal(log->span[log->count - 1].end, r->tcb.snd_nxt);
}

static void check_tcb(struct tcb_rig *r)
{
	const struct tcb *const t = &r->tcb;
	const uint32_t fin = t->flags & TCB_FIN_SENT ? 1 : 0;

	if (t->state == TCPS_CLOSED || t->state == TCPS_TIME_WAIT) {
		flight_end(&r->host, &r->tcb); /* with sendq_drop */
		persist_end(&r->host, &r->tcb);
		return;
	}
	assert_true(seq_le(t->snd_una, t->snd_nxt));
	assert_true(seq_le(t->snd_nxt, t->snd_end + fin));
	if (t->state != TCPS_SYN_SENT) {
		assert_true(t->rcv_adv - t->rcv_nxt <= r->config->rcv_buf);
		if (r->edge_known) /* SHLD-14 */
			assert_true(seq_le(r->right_edge, t->rcv_adv));
		r->right_edge = t->rcv_adv;
		r->edge_known = true;
	}
	assert_int_equal(t->flight != 0, r->host.flights.used);
	assert_true(t->flight == 0 || t->snd_una != t->snd_nxt || flight_of(&r->host, t)->rack.tlp);
	if (t->flight != 0)
		check_sentlog(r, &flight_of(&r->host, t)->rack.log);
	check_timers(r);
}

/* The octets of a segment lie in the send queue where their numbers say. */
static void check_text(const struct tcb_rig *r, const struct seg *seg, const struct text *text)
{
	uint32_t range = text->range;
	uint32_t offset = text->offset;
	uint32_t got = 0;

	while (got < seg->text_len) {
		assert_true(range < RIG_RANGES);
		assert_true(offset < r->ranges[range].len);
		assert_int_equal(r->ranges[range].seq + offset, seg->seq + got);
		got += r->ranges[range].len - offset;
		range = r->ranges[range].next;
		offset = 0;
	}
}

static void check_segment(struct tcb_rig *r, const struct seg *seg)
{
	const uint32_t marked = (seg->flags & SEG_SYN ? 1u : 0) + (seg->flags & SEG_FIN ? 1u : 0);
	const bool stranger = (seg->flags & (SEG_RST | SEG_ACK)) == SEG_RST;
	const bool of_tcb = r->kind == RIG_TCB && (r->tcb.flags & TCB_TS) && !stranger;

	assert_int_equal(seg->len, seg->text_len + marked);
	assert_int_equal(seg->up, 0);
	assert_true(seg->sacks <= SEG_SACK_MAX);
	assert_int_equal(seg->sacks > 0, !!(seg->options & OPT_SACK));
	if (seg->sacks > 0) { /* RFC2018-2, MUST-16 */
		assert_true((seg->flags & (SEG_SYN | SEG_RST | SEG_ACK)) == SEG_ACK &&
			    (r->tcb.flags & TCB_SACK));
		assert_true(seg->text_len == 0 ||
			    seg->text_len + 4 + 8 * seg->sacks <= r->tcb.snd_mss);
	}
	assert_int_equal(
		seg->options & ~(OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TS | OPT_SACK), 0);
	if (!(seg->flags & SEG_SYN)) /* MUST-65, RFC7323-2.2, RFC2018-2 */
		assert_int_equal(seg->options & (OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED), 0);
	if (r->ts_agreed && !stranger)
		assert_true(seg->options & OPT_TS);
	if (of_tcb) { /* RFC7323-3.2a */
		assert_true(seg->options & OPT_TS);
		assert_int_equal(seg->tsval, r->host.now_ms + TS_OFFSET);
		assert_int_equal(seg->tsecr, r->tcb.ts_recent);
	}
	if (seg->options & OPT_TS)
		r->last_tsval = seg->tsval;
	if (seg->flags & SEG_FIN) { /* HF-LA3 */
		if (r->fin_seen)
			assert_int_equal(seg->seq + seg->text_len, r->fin_seq);
		r->fin_seen = true;
		r->fin_seq = seg->seq + seg->text_len;
	}
}

/* ---- What a worker does ---- */

static void took(struct tcb_rig *r, const struct seg *seg)
{
	struct rig_sent *const s = &r->sent[(r->sent_first + r->sent_count) % RIG_SENT];

	assert_true(r->sent_count < RIG_SENT);
	check_segment(r, seg);
	s->seg = *seg;
	s->at_us = rig_now(r);
	r->sent_count++;
}

static void take_ranges(struct tcb_rig *r)
{
	while (r->host.ranges.done != RANGE_NONE) {
		const uint32_t range = r->host.ranges.done;

		r->host.ranges.done = r->ranges[range].next;
		r->ranges[range] = (struct range){ .next = RANGE_NONE };
		r->ranges_freed++;
	}
}

void rig_flush(struct tcb_rig *r)
{
	struct seg seg;
	struct text text = { RANGE_NONE, 0 };
	const bool owed = tcp_owes(&r->host, &r->tcb);
	bool any = false;

	r->turn_open = false;
	memset(&seg, 0xa5, sizeof(seg)); /* what is not written shows */
	while (tcp_next(&r->host, &r->tcb, &seg, &text)) {
		any = true;
		check_text(r, &seg, &text);
		took(r, &seg);
	}
	assert_true(owed || !any);
	take_ranges(r);
	check_tcb(r);
}

static void step_begin(struct tcb_rig *r)
{
	memset(&r->out, 0xa5, sizeof(r->out));
	out_init(&r->out);
}

static void step_end(struct tcb_rig *r)
{
	for (unsigned i = 0; i < r->out.answers; i++)
		took(r, &r->out.answer[i]);
	r->events |= r->out.events;
	if (r->out.text)
		r->delivered += r->out.text_len;
	if (r->out.hold != RANGE_NONE)
		for (uint32_t at = r->out.covered; at != RANGE_NONE; at = r->ranges[at].next)
			r->ranges_freed++;
	for (uint32_t range = r->out.join; range != RANGE_NONE; range = r->ranges[range].next) {
		r->delivered += r->ranges[range].len;
		r->ranges_freed++;
	}
	if (r->kind == RIG_TCB && r->tcb.state == TCPS_CLOSED)
		r->error = r->out.error;
	if (r->kind == RIG_TCB && !r->turn_open)
		rig_flush(r);
}

struct seg rig_fill(const struct tcb_rig *r, struct seg seg)
{
	seg.len = seg.text_len + (seg.flags & SEG_SYN ? 1u : 0) + (seg.flags & SEG_FIN ? 1u : 0);
	if (seg.wnd == 0)
		seg.wnd = r->wnd;
	if (!(seg.options & OPT_TS) && r->timestamps) {
		seg.options |= OPT_TS;
		seg.tsval = r->tsval;
		seg.tsecr = r->last_tsval;
	}
	return seg;
}

void rig_send_raw(struct tcb_rig *r, const struct seg *seg)
{
	const struct before b = before(r);

	step_begin(r);
	if (r->host.ranges.spare == RANGE_NONE && r->ranges_used < RIG_RANGES / 2)
		r->host.ranges.spare = r->ranges_used++;
	tcp_input(&r->host, &r->tcb, seg, &r->out);
	note_edges(r, &b);
	if (b.state == TCPS_SYN_SENT && r->tcb.state != TCPS_SYN_SENT)
		r->ts_agreed = r->config->timestamps && (seg->options & OPT_TS);
	step_end(r);
}

void rig_send(struct tcb_rig *r, struct seg seg)
{
	seg = rig_fill(r, seg);
	rig_send_raw(r, &seg);
}

enum request_verdict rig_send_rq(struct tcb_rig *r, struct seg seg)
{
	enum request_verdict verdict;

	seg = rig_fill(r, seg);
	step_begin(r);
	verdict = request_input(&r->host, &r->rq, &seg, &r->out);
	step_end(r);
	if (verdict == REQUEST_FREE) {
		tcp_level_leave(&r->host, TCPS_SYN_RECEIVED);
		edge(TCPS_SYN_RECEIVED, TCPS_LISTEN);
	} else if (verdict == REQUEST_PROMOTE) {
		request_promote(&r->host, &r->rq, &r->tcb);
		r->kind = RIG_TCB;
		rig_send_raw(r, &seg);
	}
	return verdict;
}

static void record_went(struct tcb_rig *r, enum timewait_verdict verdict, enum tcp_state from)
{
	switch (verdict) {
	case TW_KEEP:
		break;
	case TW_RESTART:
		r->deadline = timewait_deadline(&r->host, &r->tw);
		break;
	case TW_REOPEN:
		edge(from, TCPS_SYN_RECEIVED);
		break;
	case TW_START:
		tcp_level_leave(&r->host, TCPS_FIN_WAIT_2);
		tcp_level_enter(&r->host, TCPS_TIME_WAIT);
		edge(from, TCPS_TIME_WAIT);
		r->deadline = timewait_deadline(&r->host, &r->tw);
		break;
	case TW_FREE:
		tcp_level_leave(&r->host, from);
		edge(from, TCPS_CLOSED);
		break;
	}
}

enum timewait_verdict rig_send_tw(struct tcb_rig *r, struct seg seg, bool listener)
{
	const enum tcp_state from = r->tw.flags & TW_FIN_WAIT_2 ? TCPS_FIN_WAIT_2 : TCPS_TIME_WAIT;
	enum timewait_verdict verdict;

	assert_int_equal(r->kind, RIG_RECORD);
	seg = rig_fill(r, seg);
	step_begin(r);
	verdict = timewait_input(&r->host, &r->tw, &seg, listener, &r->out);
	step_end(r);
	record_went(r, verdict, from);
	return verdict;
}

void rig_sack(struct tcb_rig *r, uint32_t una, uint32_t from, uint32_t to, uint32_t from2,
	      uint32_t to2)
{
	const uint32_t mss = r->tcb.snd_mss;
	struct seg seg = { .seq = IRS + 1, .ack = ISS + 1 + una * mss, .flags = SEG_ACK };

	if (to != 0) {
		seg.options |= OPT_SACK;
		seg.sack[seg.sacks].left = ISS + 1 + from * mss;
		seg.sack[seg.sacks++].right = ISS + 1 + to * mss;
	}
	if (to2 != 0) {
		seg.sack[seg.sacks].left = ISS + 1 + from2 * mss;
		seg.sack[seg.sacks++].right = ISS + 1 + to2 * mss;
	}
	rig_send(r, seg);
}

void rig_write(struct tcb_rig *r, uint32_t len)
{
	assert_true(r->ranges_used < RIG_RANGES);
	assert_true(tcp_room(&r->host, &r->tcb) >= (int64_t)len);
	tcp_queue(&r->host, &r->tcb, r->ranges_used++, len);
	if (!r->turn_open)
		rig_flush(r);
}

void rig_read(struct tcb_rig *r, uint32_t len)
{
	tcp_taken(&r->host, &r->tcb, len);
	if (!r->turn_open)
		rig_flush(r);
}

int rig_shutdown(struct tcb_rig *r)
{
	const struct before b = before(r);
	int result;

	step_begin(r);
	result = tcp_shutdown(&r->host, &r->tcb);
	note_edges(r, &b);
	step_end(r);
	return result;
}

int rig_close(struct tcb_rig *r)
{
	const struct before b = before(r);
	int result;

	step_begin(r);
	result = tcp_close(&r->host, &r->tcb, &r->out);
	note_edges(r, &b);
	step_end(r);
	return result;
}

void rig_abort(struct tcb_rig *r)
{
	const struct before b = before(r);

	step_begin(r);
	tcp_abort(&r->host, &r->tcb, &r->out);
	note_edges(r, &b);
	step_end(r);
}

/* ---- Clock ---- */

uint64_t rig_now(const struct tcb_rig *r)
{
	return r->host.now_us - r->began_us;
}

void rig_clock(struct tcb_rig *r, uint64_t us)
{
	set_clock(r, r->host.now_us + us);
}

static bool next_deadline(const struct tcb_rig *r, uint32_t *tick)
{
	if (r->kind == RIG_TCB)
		return tcp_deadline(&r->tcb, tick);
	*tick = r->deadline;
	return true;
}

/* @return false when a request or record is gone */
static bool expire(struct tcb_rig *r)
{
	const struct before b = before(r);
	const enum tcp_state from = r->tw.flags & TW_FIN_WAIT_2 ? TCPS_FIN_WAIT_2 : TCPS_TIME_WAIT;

	step_begin(r);
	switch (r->kind) {
	case RIG_TCB:
		tcp_timeout(&r->host, &r->tcb, &r->out);
		note_edges(r, &b);
		break;
	case RIG_REQUEST:
		if (!request_timeout(&r->host, &r->rq, &r->out)) {
			tcp_level_leave(&r->host, TCPS_SYN_RECEIVED);
			edge(TCPS_SYN_RECEIVED, TCPS_LISTEN);
			r->done = true;
			return false;
		}
		r->deadline = request_deadline(&r->host, &r->rq);
		break;
	case RIG_RECORD:
		tcp_level_leave(&r->host, from);
		edge(from, TCPS_CLOSED);
		r->done = true;
		return false;
	}
	step_end(r);
	return true;
}

void rig_advance(struct tcb_rig *r, uint64_t us)
{
	const uint64_t until = r->host.now_us + us;
	uint32_t tick;

	for (unsigned n = 0; !r->done && next_deadline(r, &tick); n++) {
		const int32_t in_ms = (int32_t)(tick - r->host.now_ms);
		const uint64_t at =
			(r->host.now_us / 1000 + (uint64_t)(in_ms > 0 ? in_ms : 0)) * 1000;

		assert_true(n < 100000);
		if (at > until || (r->kind == RIG_TCB && r->tcb.state == TCPS_CLOSED))
			break;
		set_clock(r, at > r->host.now_us ? at : r->host.now_us);
		if (!expire(r))
			return;
	}
	set_clock(r, until);
}

/* ---- To a state ---- */

void rig_forget(struct tcb_rig *r)
{
	r->sent_first = r->sent_count = 0;
	r->events = 0;
	r->delivered = 0;
	memcpy(r->marks, r->stats, sizeof(r->marks));
}

static struct seg peer_syn(const struct tcb_rig *r)
{
	struct seg syn = { .seq = IRS, .flags = SEG_SYN };

	if (r->mss > 0) {
		syn.options |= OPT_MSS;
		syn.mss = r->mss;
	}
	if (r->wscale >= 0) {
		syn.options |= OPT_WSCALE;
		syn.wscale = (uint8_t)r->wscale;
	}
	return syn;
}

static void begin(struct tcb_rig *r)
{
	r->fin_seen = r->edge_known = r->ts_agreed = r->done = false;
	r->error = 0;
}

void rig_open(struct tcb_rig *r)
{
	begin(r);
	r->kind = RIG_TCB;
	r->host.config.timestamps = r->timestamps;
	tcp_open(&r->host, &r->tcb, 4, ISS, TS_OFFSET);
	edge(TCPS_CLOSED, TCPS_SYN_SENT);
	rig_flush(r);
}

void rig_listen(struct tcb_rig *r)
{
	const struct seg syn = rig_fill(r, peer_syn(r));

	begin(r);
	r->kind = RIG_REQUEST;
	r->ts_agreed = r->timestamps;
	step_begin(r);
	assert_int_equal(input_listen(&syn, &r->out), LISTEN_REQUEST);
	request_open(&r->host, &r->rq, &syn, 4, r->host.config.mss[0], ISS, TS_OFFSET, &r->out);
	edge(TCPS_LISTEN, TCPS_SYN_RECEIVED);
	r->deadline = request_deadline(&r->host, &r->rq);
	step_end(r);
}

void rig_bucket(struct tcb_rig *r)
{
	timewait_enter(&r->host, &r->tcb, &r->tw);
	r->deadline = timewait_deadline(&r->host, &r->tw);
	r->kind = RIG_RECORD;
}

static void to_established(struct tcb_rig *r)
{
	if (!r->active) {
		rig_listen(r);
		assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 1,
							      .ack = ISS + 1,
							      .flags = SEG_ACK }),
				 REQUEST_PROMOTE);
	} else {
		struct seg synack = peer_syn(r);

		rig_open(r);
		synack.flags |= SEG_ACK;
		synack.ack = ISS + 1;
		rig_send(r, synack);
	}
	rig_state(r, TCPS_ESTABLISHED);
}

static void send_fin(struct tcb_rig *r, uint32_t ack)
{
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ack, .flags = SEG_FIN | SEG_ACK });
}

static void end_ours(struct tcb_rig *r)
{
	assert_int_equal(r->hold ? rig_shutdown(r) : rig_close(r), 0);
}

static void to_synchronised(struct tcb_rig *r, enum tcp_state state)
{
	to_established(r);
	switch (state) {
	case TCPS_ESTABLISHED:
		break;
	case TCPS_CLOSE_WAIT:
	case TCPS_LAST_ACK:
		send_fin(r, ISS + 1);
		if (state == TCPS_LAST_ACK)
			end_ours(r);
		break;
	case TCPS_FIN_WAIT_1:
	case TCPS_CLOSING:
		end_ours(r);
		if (state == TCPS_CLOSING)
			send_fin(r, ISS + 1);
		break;
	case TCPS_FIN_WAIT_2:
	case TCPS_TIME_WAIT:
		end_ours(r);
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = SEG_ACK });
		if (state == TCPS_TIME_WAIT)
			send_fin(r, ISS + 2);
		break;
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_SYN_SENT:
	case TCPS_SYN_RECEIVED:
		fail_msg("not synchronised: %d", (int)state);
	}
}

void rig_to(struct tcb_rig *r, enum tcp_state state)
{
	switch (state) {
	case TCPS_SYN_SENT:
		rig_open(r);
		break;
	case TCPS_SYN_RECEIVED:
		if (!r->active) {
			rig_listen(r);
			rig_forget(r);
			return;
		}
		rig_open(r);
		rig_send(r, peer_syn(r));
		break;
	case TCPS_ESTABLISHED:
	case TCPS_FIN_WAIT_1:
	case TCPS_FIN_WAIT_2:
	case TCPS_CLOSE_WAIT:
	case TCPS_CLOSING:
	case TCPS_LAST_ACK:
	case TCPS_TIME_WAIT:
		to_synchronised(r, state);
		break;
	case TCPS_CLOSED:
	case TCPS_LISTEN:
		break;
	}
	rig_state(r, state);
	if (state == TCPS_TIME_WAIT || (state == TCPS_FIN_WAIT_2 && !r->hold))
		rig_bucket(r);
	rig_forget(r);
}

/* ---- Expectations ---- */

void rig_state(const struct tcb_rig *r, enum tcp_state state)
{
	if ((enum tcp_state)r->tcb.state != state)
		fail_msg("in %s, not in %s", tcp_state_name((enum tcp_state)r->tcb.state),
			 tcp_state_name(state));
}

static void print_segment(const char *what, const struct seg *seg, const struct tcb_rig *r)
{
	print_message("%s: flags 0x%02x seq iss+%d ack irs+%d text %u\n", what, seg->flags,
		      (int)(seg->seq - ISS), (int)(seg->ack - IRS), seg->text_len);
}

const struct seg *rig_expect(struct tcb_rig *r, struct seg want)
{
	const struct seg *got;

	if (r->sent_count == 0) {
		print_segment("wanted", &want, r);
		fail_msg("nothing was sent");
	}
	got = &r->sent[r->sent_first].seg;
	if (got->flags != want.flags || got->seq != want.seq || got->ack != want.ack ||
	    got->text_len != want.text_len) {
		print_segment("wanted", &want, r);
		print_segment("got", got, r);
		fail();
	}
	r->sent_first = (r->sent_first + 1) % RIG_SENT;
	r->sent_count--;
	return got;
}

const struct seg *rig_expect_at(struct tcb_rig *r, uint64_t at_us, struct seg want)
{
	const uint64_t got_us = r->sent[r->sent_first].at_us;
	const struct seg *got = rig_expect(r, want);

	if (got_us < at_us || got_us > at_us + MS(1))
		fail_msg("sent at %llu us, not at %llu", (unsigned long long)got_us,
			 (unsigned long long)at_us);
	return got;
}

void rig_expect_text(struct tcb_rig *r, uint32_t n, uint16_t len)
{
	const uint32_t seq = ISS + 1 + n * r->tcb.snd_mss;
	const uint8_t psh = seq + len == r->tcb.snd_end ? SEG_PSH : 0;

	rig_expect(r, (struct seg){ .seq = seq,
				    .ack = IRS + 1,
				    .text_len = len,
				    .flags = (uint8_t)(SEG_ACK | psh) });
}

void rig_silent(struct tcb_rig *r)
{
	if (r->sent_count > 0) {
		print_segment("got", &r->sent[r->sent_first].seg, r);
		fail_msg("something was sent");
	}
}

static const char *const stat_names[] = {
#define STAT(name, unit, help) #name,
#include "stats.def"
#undef STAT
};

void rig_counted(struct tcb_rig *r, enum stat stat, uint64_t by)
{
	const uint64_t rose = r->stats[stat] - r->marks[stat];

	if (rose != by)
		fail_msg("%s rose by %llu, not by %llu", stat_names[stat], (unsigned long long)rose,
			 (unsigned long long)by);
}
