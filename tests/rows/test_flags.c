/* SPDX-License-Identifier: BSD-3-Clause */
/* HF-T3: every flag byte in every state, against a model of REQUIREMENTS 6 for a segment without text
 * at RN (at IRS where there is no RN yet) whose ACK field, if it has one, is SN. */
#include <errno.h>

#include "rig/rig.h"

enum answer { NOTHING, ACK, SYNACK, RA, RN };

struct outcome {
	enum answer out;
	enum hf_state state;
};

/* No connection: RST is never answered; LISTEN takes a SYN alone. */
static struct outcome without_connection(bool listen, unsigned flags)
{
	if (flags & SEG_RST)
		return (struct outcome){ NOTHING, HF_CLOSED };
	if (flags & SEG_ACK)
		return (struct outcome){ RA, HF_CLOSED };
	if (!listen)
		return (struct outcome){ RN, HF_CLOSED };
	if ((flags & (SEG_SYN | SEG_FIN)) == SEG_SYN)
		return (struct outcome){ SYNACK, HF_SYN_RECEIVED };
	return (struct outcome){ NOTHING, HF_CLOSED };
}

static struct outcome syn_sent(unsigned flags)
{
	if (flags & SEG_RST)
		return (struct outcome){ NOTHING, flags & SEG_ACK ? HF_CLOSED : HF_SYN_SENT };
	if ((flags & (SEG_SYN | SEG_FIN)) != SEG_SYN)
		return (struct outcome){ NOTHING, HF_SYN_SENT };
	if (flags & SEG_ACK)
		return (struct outcome){ ACK, HF_ESTABLISHED };
	return (struct outcome){ SYNACK, HF_SYN_RECEIVED };
}

static struct outcome syn_received(bool passive, unsigned flags)
{
	if (flags & SEG_RST)
		return (struct outcome){ NOTHING, HF_CLOSED };
	if (flags & SEG_SYN && passive && !(flags & SEG_FIN))
		return (struct outcome){ NOTHING, HF_CLOSED };
	if (flags & SEG_SYN)
		return (struct outcome){ ACK, HF_SYN_RECEIVED };
	if (!(flags & SEG_ACK))
		return (struct outcome){ NOTHING, HF_SYN_RECEIVED };
	if (flags & SEG_FIN)
		return (struct outcome){ ACK, HF_CLOSE_WAIT };
	return (struct outcome){ NOTHING, HF_ESTABLISHED };
}

/* From ESTABLISHED to LAST-ACK: what an ACK of all we sent makes of the state, and a FIN of that. */
static struct outcome synchronised(enum hf_state state, enum hf_state acked, enum hf_state ended,
				   unsigned flags)
{
	if (flags & SEG_RST)
		return (struct outcome){ NOTHING, HF_CLOSED };
	if (flags & SEG_SYN)
		return (struct outcome){ ACK, state };
	if (!(flags & SEG_ACK))
		return (struct outcome){ NOTHING, state };
	if (!(flags & SEG_FIN))
		return (struct outcome){ NOTHING, acked };
	return (struct outcome){ ended == HF_CLOSED ? NOTHING : ACK, ended };
}

/* The timestamp, or that SEQ is beyond RN-1, lets a SYN open anew where somebody listens. */
static struct outcome time_wait(bool listener, unsigned flags)
{
	if (flags & SEG_RST)
		return (struct outcome){ NOTHING, HF_TIME_WAIT };
	if ((flags & (SEG_SYN | SEG_ACK | SEG_FIN)) == SEG_SYN && listener)
		return (struct outcome){ SYNACK, HF_SYN_RECEIVED };
	if (flags & SEG_SYN || (flags & (SEG_ACK | SEG_FIN)) == (SEG_ACK | SEG_FIN))
		return (struct outcome){ ACK, HF_TIME_WAIT };
	return (struct outcome){ NOTHING, HF_TIME_WAIT };
}

static struct outcome model(const struct rig *r, enum rig_state state, unsigned flags)
{
	switch (state) {
	case RIG_CLOSED:
		return without_connection(false, flags);
	case RIG_LISTEN:
		return without_connection(true, flags);
	case RIG_SYN_SENT:
		return syn_sent(flags);
	case RIG_SYN_RCVD_P:
		return syn_received(true, flags);
	case RIG_SYN_RCVD_A:
		return syn_received(false, flags);
	case RIG_ESTABLISHED:
		return synchronised(HF_ESTABLISHED, HF_ESTABLISHED, HF_CLOSE_WAIT, flags);
	case RIG_FIN_WAIT_1:
		return synchronised(HF_FIN_WAIT_1, HF_FIN_WAIT_2, HF_TIME_WAIT, flags);
	case RIG_FIN_WAIT_2:
		return synchronised(HF_FIN_WAIT_2, HF_FIN_WAIT_2, HF_TIME_WAIT, flags);
	case RIG_CLOSE_WAIT:
		return synchronised(HF_CLOSE_WAIT, HF_CLOSE_WAIT, HF_CLOSE_WAIT, flags);
	case RIG_CLOSING:
		return synchronised(HF_CLOSING, HF_TIME_WAIT, HF_TIME_WAIT, flags);
	case RIG_LAST_ACK:
		return synchronised(HF_LAST_ACK, HF_CLOSED, HF_CLOSED, flags);
	case RIG_TIME_WAIT:
		return time_wait(!r->active, flags);
	}
	return (struct outcome){ NOTHING, HF_CLOSED };
}

/* Of the same kind; numbers are the tables' matter. NOTHING must be nothing at all. */
static bool came(const struct frame *f, enum answer want)
{
	if (!f)
		return want == NOTHING;
	switch (want) {
	case NOTHING:
		return false;
	case ACK:
		return f->seg.flags == SEG_ACK;
	case SYNACK:
		return f->seg.flags == (SEG_SYN | SEG_ACK);
	case RA:
		return f->seg.flags == SEG_RST;
	case RN:
		return f->seg.flags == (SEG_RST | SEG_ACK);
	}
	return false;
}

/* The next byte meets a new connection: this one is aborted, half-opens and 2MSL records time out. */
static void let_go(struct rig *r)
{
	uint64_t id;

	while (r->listener_count != 0 && hf_accept(r->w, r->listener, 0, &id) == 0)
		hf_abort(r->w, id);
	for (unsigned i = 0; i < r->id_count; i++)
		hf_abort(r->w, r->ids[i]);
	rig_advance(r, SEC(64));
	rig_discard(r);
	rig_forget_events(r);
	r->peer.port++;
	r->ts_agreed = false;
	r->su = ISS;
	r->sn = ISS + 1;
	r->rn = IRS + 1;
}

static void every_flag_byte__as_the_model_says(struct rig *r)
{
	const enum rig_state state = *(const enum rig_state *)r->row->arg;

	for (unsigned flags = 0; flags < 256; flags++) {
		struct seg in = { .flags = (uint8_t)flags };
		struct outcome want;

		rig_to(r, state);
		want = model(r, state, flags);
		in.seq = state <= RIG_SYN_SENT ? IRS : r->rn;
		in.ack = flags & SEG_ACK ? r->sn : 0;
		rig_send(r, in);
		if (!came(rig_pop(r), want.out))
			rig_fail(r, "flags 0x%02x: another answer", flags);
		if (rig_pop(r))
			rig_fail(r, "flags 0x%02x: a second answer", flags);
		if (rig_state(r) != want.state)
			rig_fail(r, "flags 0x%02x: wanted %s, is %s", flags,
				 hf_state_name(want.state), hf_state_name(rig_state(r)));
		let_go(r);
	}
}

#define ROW(text, where)                                                           \
	{                                                                          \
		.name = "HF-T3-" text, .test = every_flag_byte__as_the_model_says, \
		.arg = &(const enum rig_state)                                     \
		{                                                                  \
			where                                                      \
		}                                                                  \
	}

static const struct row rows[] = {
	ROW("CLOSED", RIG_CLOSED),	   ROW("LISTEN", RIG_LISTEN),
	ROW("SYN_SENT", RIG_SYN_SENT),	   ROW("SYN_RCVD/p", RIG_SYN_RCVD_P),
	ROW("SYN_RCVD/a", RIG_SYN_RCVD_A), ROW("ESTABLISHED", RIG_ESTABLISHED),
	ROW("FIN_WAIT_1", RIG_FIN_WAIT_1), ROW("FIN_WAIT_2", RIG_FIN_WAIT_2),
	ROW("CLOSE_WAIT", RIG_CLOSE_WAIT), ROW("CLOSING", RIG_CLOSING),
	ROW("LAST_ACK", RIG_LAST_ACK),	   ROW("TIME_WAIT", RIG_TIME_WAIT),
};

int main(int argc, char **argv)
{
	return rig_run("Flags", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
