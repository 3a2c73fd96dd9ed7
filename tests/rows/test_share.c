/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection with much to send beside others (REQUIREMENTS 20): a flush gives it 64
 * segments and no more (with TSO the last may be cut into 32), and what others are owed leaves with the same flush. */
#include "rig/rig.h"

#define SHARE 64 /* segments of a connection and flush */
#define TSO 32
#define MSS 256 /* small, so that a window without a scale holds more than a share; TSO's least */
#define WND 60000
#define ROUNDS \
	100 /* slow start, a segment more with each ACK: until a window is more than a share */

static void set_tso(struct rig *r)
{
	r->memport.tso = true;
}

/* The peer's SYN offers the small MSS and nothing else. */
static void open_small(struct rig *r)
{
	const struct frame *f;

	rig_listen(r);
	rig_send(r,
		 (struct seg){
			 .seq = r->irs, .flags = SEG_SYN, .wnd = WND, .mss = MSS, .options = OPT_MSS });
	rig_flush(r);
	f = rig_pop(r);
	assert_non_null(f);
	r->iss = f->seg.seq;
	r->sn = r->iss + 1;
	r->rn = r->irs + 1;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .wnd = WND });
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	rig_forget_events(r);
}

/* Flush; @return segments of text that came out for the bulk connection, and whether others' SYN-ACK did */
static unsigned flush(struct rig *r, bool *answered)
{
	const struct frame *f;
	unsigned n = 0;

	rig_flush(r);
	while (r->out_count > 0) { /* rig_pop would flush once more */
		f = rig_pop(r);
		if (f->seg.flags & SEG_SYN)
			*answered = true;
		if (f->seg.text_len == 0)
			continue;
		assert_int_equal(f->seg.seq, r->sn);
		r->sn += f->seg.text_len;
		n++;
	}
	return n;
}

static void bulk__others_open__share_is_kept(struct rig *r)
{
	struct hf_addr stranger = r->peer;
	const unsigned share = SHARE + (r->memport.tso ? 2 * (TSO - 1) : 0); /* given in two parts */
	unsigned cut = 0;

	open_small(r);
	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct seg syn = {
			.seq = 7, .flags = SEG_SYN, .wnd = 1000, .mss = MSS, .options = OPT_MSS
		};
		bool answered = false;
		unsigned n;

		if (round % 8 == 0) { /* in one burst with what lets the bulk go on */
			stranger.port++;
			rig_push_from(r, &stranger, syn, NULL);
		}
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .wnd = WND });
		rig_forget_events(r);
		rig_write(r, WND - (r->written - (r->sn - r->iss - 1)));
		n = flush(r, &answered);
		assert_int_equal(answered, round % 8 == 0);
		assert_in_range(n, 1, share);
		if (hf_next_deadline(r->w) == 0) { /* there is more, and the next turn has it */
			assert_in_range(n, SHARE, share);
			n = flush(r, &answered);
			assert_in_range(n, 0, share);
			cut += n > 0;
		}
		rig_forget_events(r);
	}
	assert_true(cut > 10);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_flush(r);
	rig_discard(r);
	rig_forget_events(r);
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	rig_discard(r);
}

static const struct row rows[] = {
	{ .name = "HF-L-share", .test = bulk__others_open__share_is_kept },
	{ .name = "HF-L-share-tso", .test = bulk__others_open__share_is_kept, .set_up = set_tso },
};

int main(int argc, char **argv)
{
	return rig_run("Share", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
