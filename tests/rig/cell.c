/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs one cell of REQUIREMENTS 6; see cell.h. */
#include "rig/cell.h"

static uint32_t cell_number(const struct rig *r, enum cell_from from, int32_t by)
{
	switch (from) {
	case FROM_RN:
		return r->rn + (uint32_t)by;
	case FROM_EDGE:
		return r->rn + r->rw + (uint32_t)by;
	case FROM_IRS:
		return r->irs + (uint32_t)by;
	case FROM_SN:
		return r->sn + (uint32_t)by;
	case FROM_SU:
		return r->su + (uint32_t)by;
	case FROM_MW:
		return r->su - r->mw + (uint32_t)by;
	}
	return 0;
}

static struct seg cell_segment(const struct rig *r, const struct cell *c)
{
	struct seg seg = { .flags = c->flags, .text_len = c->text_len, .wnd = c->wnd };

	if (c->flags & SEG_SYN) { /* a SYN worth its name: MSS, timestamps */
		const struct seg syn = rig_syn(r);

		seg.options = syn.options;
		seg.mss = syn.mss;
		seg.tsval = syn.tsval;
		seg.tsecr = c->flags & SEG_ACK ? r->tsecr : 0;
	}
	seg.seq = cell_number(r, c->seq_from, c->seq);
	if (c->flags & SEG_ACK)
		seg.ack = cell_number(r, c->ack_from, c->ack);
	return seg;
}

/* TW-P8: past everything used before, and never 0. */
static uint32_t next_iss(const struct rig *r)
{
	const uint32_t iss = r->sn + 65537;

	return iss ? iss : 1;
}

static void cell_answer(struct rig *r, const struct cell *c, struct seg in)
{
	switch (c->out) {
	case OUT_NOTHING:
		break;
	case OUT_ACK:
		rig_expect_ack(r);
		break;
	case OUT_ACK_LATER:
		rig_expect_silence(r, MS(r->config.tcp.delack_ms) - 1);
		rig_advance(r, 1);
		rig_expect_ack(r);
		break;
	case OUT_RA:
		rig_expect_ra(r, in);
		break;
	case OUT_RN:
		rig_expect_rn(r, in);
		break;
	case OUT_RS:
		rig_expect_rs(r);
		break;
	case OUT_SA:
		rig_expect_sa(r);
		break;
	case OUT_NEW_SA:
		rig_expect(r, (struct seg){ .seq = next_iss(r),
					    .ack = in.seq + 1,
					    .flags = SEG_SYN | SEG_ACK,
					    .options = OPT_MSS });
		break;
	}
}

static void cell_afterwards(struct rig *r, const struct cell *c)
{
	struct hf_status status;

	rig_expect_state(r, c->state);
	if (c->state == HF_CLOSED) { /* LISTEN too */
		const struct hf_levels levels = rig_levels(r);

		assert_int_equal(levels.flows.used, 0);
		assert_int_equal(levels.timers, 0);
		return;
	}
	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &status), 0);
	if (c->state != HF_SYN_SENT && c->out != OUT_NEW_SA)
		assert_int_equal(status.rcv_nxt, r->rn);
	if (c->snd_wnd)
		assert_int_equal(status.snd_wnd, c->snd_wnd);
	if (c->su_by)
		assert_int_equal(status.snd_una, r->su);
}

void cell_run(struct rig *r)
{
	const struct cell *c = r->row->arg;
	struct seg in;

	r->hold = c->hold;
	r->unacked = c->unacked;
	rig_to(r, c->in);
	rig_advance(r, c->after_us);
	in = cell_segment(r, c);
	rig_mark(r);
	rig_send(r, in);
	r->rn += c->rn_by;
	r->su += c->su_by;
	if (c->flags & SEG_SYN && c->state == HF_ESTABLISHED && c->in != RIG_ESTABLISHED)
		r->ts_agreed = r->timestamps;
	cell_answer(r, c, in);
	if (c->any_event)
		rig_forget_events(r);
	else if (c->events)
		rig_event_at(__FILE__, __LINE__, r, c->events, c->error);
	rig_no_event(r);
	rig_read(r, c->reads);
	cell_afterwards(r, c);
	if (c->rises)
		rig_expect_rose(r, c->rises, 1);
	rig_expect_silence(r, MS(100)); /* shorter than the shortest RTO */
	rig_no_event(r);
	rig_expect_state(r, c->state);
}
