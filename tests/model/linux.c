/* SPDX-License-Identifier: BSD-3-Clause */
/* See linux.h. Observed of Linux 6.18; docs/linux.md is this list for people. */
#include <errno.h>
#include <stddef.h>

#include "model/linux.h"

#define IN(s) (1u << S_##s)
#define EOF_SEEN (IN(CLOSE_WAIT) | IN(CLOSING) | IN(LAST_ACK))
#define FW (IN(FIN_WAIT_1) | IN(FIN_WAIT_2))
#define FW2 IN(FIN_WAIT_2)
#define LIVE (IN(ESTABLISHED) | FW | EOF_SEEN)
#define HALF_OPEN (IN(SYN_RCVD_P) | IN(SYN_RCVD_A))
#define TW IN(TIME_WAIT)
#define P IN(SYN_RCVD_P)

/* ---- When ---- */

/* A half-open: the ACK field is judged first. */
static bool bad_ack(const struct model *m, const struct model_seg *seg)
{
	return seg->flags & M_ACK && seg->ack != m->sn;
}

/* Neither at RN nor touching the window. */
static bool outside(const struct model *m, const struct model_seg *seg)
{
	const uint32_t len = model_length(seg);
	const uint32_t from = seg->seq - m->rn, wnd = m->edge - m->rn;

	if (from == 0 || (from == wnd && len == 0))
		return false;
	return !((int32_t)(from + len) > 0 && (int32_t)(from - wnd) < 0);
}

static bool first_syn(const struct model *m, const struct model_seg *seg)
{
	return seg->seq == m->irs;
}

static bool begins_at_rn(const struct model *m, const struct model_seg *seg)
{
	return seg->seq == m->rn;
}

/* It goes on past the window, FIN apart. */
static bool beyond(const struct model *m, const struct model_seg *seg)
{
	const uint32_t len = model_length(seg) - (seg->flags & M_FIN ? 1 : 0);

	return (int32_t)(seg->seq + len - m->edge) > 0;
}

/* ... and something unread waits: text, or the FIN of the peer. */
static bool too_much(const struct model *m, const struct model_seg *seg)
{
	return !m->closed && (m->unread > 0 || m->eof) && beyond(m, seg);
}

static bool at_edge(const struct model *m, const struct model_seg *seg)
{
	return seg->seq == m->edge && !too_much(m, seg);
}

static bool bare_at_edge(const struct model *m, const struct model_seg *seg)
{
	return at_edge(m, seg) && model_length(seg) == 0;
}

static bool begins_old(const struct model *m, const struct model_seg *seg)
{
	return (int32_t)(seg->seq - m->rn) < 0;
}

/* Nothing counts as old before it has been acknowledged. */
static bool unacked(const struct model *m, const struct model_seg *seg)
{
	return begins_old(m, seg) && (int32_t)(seg->seq + model_length(seg) - m->acked) >= 0;
}

static bool passes_rn(const struct model *m, const struct model_seg *seg)
{
	return begins_old(m, seg) && (int32_t)(seg->seq + model_length(seg) - m->rn) > 0;
}

static bool at_fin(const struct model *m, const struct model_seg *seg)
{
	return seg->seq == m->rn - 1;
}

static bool orphan(const struct model *m, const struct model_seg *seg)
{
	(void)seg;
	return !m->has || m->closed;
}

static bool orphan_at_edge(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && at_edge(m, seg);
}

static bool orphan_inside(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && !outside(m, seg);
}

static bool orphan_outside(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && outside(m, seg);
}

static bool has_ack(const struct model *m, const struct model_seg *seg)
{
	(void)m;
	return seg->flags & M_ACK;
}

static bool before_all(const struct model *m, const struct model_seg *seg)
{
	return m->su - seg->ack > m->su - m->iss - (m->listener ? 1 : 0); /* the SYN counts once */
}

static bool new_syn(const struct model *m, const struct model_seg *seg)
{
	return m->listener && !has_ack(m, seg) && (int32_t)(seg->seq - m->rn) > 0;
}

/* Segments to an orphan that begin before the window and end in it. */
static bool old_syn(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && passes_rn(m, seg) && !has_ack(m, seg);
}

static bool old_synack(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && passes_rn(m, seg) && has_ack(m, seg);
}

static bool old_synack_fin(const struct model *m, const struct model_seg *seg)
{
	return old_synack(m, seg) && seg->seq + model_length(seg) == m->rn + 1;
}

static bool acks_nothing(const struct model *m, const struct model_seg *seg)
{
	return seg->ack == m->su;
}

static bool acks_fin(const struct model *m, const struct model_seg *seg)
{
	return m->fin && m->sn == m->end + 1 && seg->ack == m->sn;
}

static bool unacked_acks_fin(const struct model *m, const struct model_seg *seg)
{
	return unacked(m, seg) && acks_fin(m, seg);
}

/* Van Jacobson's header prediction. */
static bool fast(const struct model *m, const struct model_seg *seg)
{
	return (seg->flags & ~M_PSH) == M_ACK && seg->text > 0 && seg->seq == m->rn &&
	       seg->wnd == m->lw && m->helds == 0;
}

static bool fast_and_old(const struct model *m, const struct model_seg *seg)
{
	return fast(m, seg) && before_all(m, seg);
}

/* With a FIN that is not taken. */
static bool orphan_odd_fin(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && seg->flags & M_FIN && seg->seq + seg->text != m->rn;
}

static bool orphan_acks_fin(const struct model *m, const struct model_seg *seg)
{
	return orphan(m, seg) && acks_fin(m, seg) && !orphan_odd_fin(m, seg);
}

static bool fin_before_held(const struct model *m, const struct model_seg *seg)
{
	return seg->flags & M_FIN && m->helds > 0 && !orphan(m, seg);
}

static bool not_bare_at_rn(const struct model *m, const struct model_seg *seg)
{
	return seg->seq != m->rn || model_length(seg) != 0;
}

static bool first_synack(const struct model *m, const struct model_seg *seg)
{
	return has_ack(m, seg) && first_syn(m, seg) && model_length(seg) > 1;
}

/* ---- Why ---- */

#define SYN_SENT_FIN "SYN-SENT: the FIN of a SYN is not looked at (HF-T3)"
#define BAD_ACK_FIRST \
	"SYN-RECEIVED: a bad ACK field draws its RST before the sequence number is looked at"
#define RECORD_RST_OUT "FIN-WAIT-2, orphans: a RST outside the window draws an ACK"
#define RECORD_RST "FIN-WAIT-2, orphans: any RST in the window ends it (not RFC 5961 3.2)"
#define EDGE "RCV.NXT + RCV.WND counts as in the window"
#define TOO_MUCH \
	"while unread text or a FIN waits, a segment that goes on past the window is dropped whole"
#define AFTER_FIN \
	"CLOSE-WAIT, CLOSING, LAST-ACK: what comes after the FIN is dropped without an answer"
#define UNACKED "what is old but not acknowledged yet counts as in the window"
#define SYN_IN_WINDOW "SYN-RECEIVED: a SYN in the window draws a RST when it ends a half-open"
#define SYNACK_TEXT \
	"SYN-RECEIVED: the first SYN again, with more in it and a good ACK field, begins a half-made connection"
#define SYN_FIN "SYN-RECEIVED: the FIN of a SYN is not looked at"
#define NULL_OUTSIDE "SYN-RECEIVED: without SYN, RST and ACK, but outside the window: an ACK"
#define ACKS_NOTHING "SYN-RECEIVED after a simultaneous open: an ACK of nothing new draws no RST"
#define SYNACK_WITH_TEXT \
	"SYN-RECEIVED after a simultaneous open: a SYN-ACK with text does not end the open"
#define SYN_AGAIN \
	"SYN-RECEIVED after a simultaneous open: the peer's SYN again draws an ACK, not the SYN-ACK"
#define RST_AT_FIN \
	"CLOSE-WAIT, CLOSING, LAST-ACK: a RST with the SEQ of the FIN counts as one at RCV.NXT"
#define RST_TEXT "a RST before the window is in it if its text reaches there, and draws an ACK"
#define LAST_OLD \
	"CLOSING, LAST-ACK, orphans in FIN-WAIT-1: old text with the ACK of our FIN draws no answer (HF-T5)"
#define ODD_FIN \
	"FIN-WAIT-1, orphans: the ACK of our FIN with a FIN out of order leaves a whole connection in FIN-WAIT-2"
#define FAST "ESTABLISHED: header prediction takes text in order before it looks at the ACK field"
#define RECORD_ACK "FIN-WAIT-2, orphans, and TIME-WAIT: the ACK field is not looked at"
#define ACK_OLD "an ACK field older than the connection is out of range, however large the window"
#define OVER_FIN \
	"CLOSE-WAIT, CLOSING, LAST-ACK: what begins before the FIN and goes on after it draws a RST"
#define FIN_TWICE \
	"CLOSE-WAIT, CLOSING, LAST-ACK: a FIN after the FIN is taken for one if old octets lead to it"
#define FIN_PURGES \
	"a FIN in order throws away what is held, and the ACK of the gap it fills may wait"
#define ORPHAN_RST \
	"FIN-WAIT, orphans: the RST that text draws has SEG.ACK for its SEQ and no ACK (as from CLOSED)"
#define RECORD_SYN_OLD \
	"FIN-WAIT-2, orphans: the SYN of a segment that begins before the window and ends in it is not looked at"
#define RECORD_SYN \
	"FIN-WAIT-2, orphans: a SYN in the window draws a RST and ends it (not RFC 5961 4.2)"
#define TW_SYN_FIN "TIME-WAIT: a new SYN with a FIN ends it and opens nothing"
#define TW_NULL "TIME-WAIT: without SYN, RST and ACK: an ACK"
#define TW_SYN "TIME-WAIT: a new SYN has to lie beyond RCV.NXT"

/* States, column, what is done, state after, how it ends, when, why. */
#define ROW(in, column, act, next, end, when, why)                               \
	{                                                                        \
		{ in, COL_##column, ACT_##act, S_##next, end }, when, why, false \
	}
#define LAST(in, column, act, next, end, when, why)                             \
	{                                                                       \
		{ in, COL_##column, ACT_##act, S_##next, end }, when, why, true \
	}

const struct habit linux_habits[] = {
	ROW(IN(SYN_SENT), SYN_FIN, CONNECT, ESTABLISHED, 0, has_ack, SYN_SENT_FIN),
	ROW(IN(SYN_SENT), SYN_FIN, SA, SYN_RCVD_A, 0, NULL, SYN_SENT_FIN),
	ROW(P, PLACE_OUT, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, PLACE_OLD, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, PLACE_LAST, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, PLACE_KEEP, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, SYN_FIN, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, SYNACK_FIRST, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, SYNACK_IN, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(P, SYNACK_OUT, RA, SAME, 0, bad_ack, BAD_ACK_FIRST),
	ROW(FW2, RST_OUT, C, SAME, 0, orphan_outside, RECORD_RST_OUT),
	ROW(FW2, RST_OUT, NONE, CLOSED, END_ANY, orphan, RECORD_RST),
	ROW(P, RST_OUT, C, SAME, 0, bare_at_edge, EDGE),
	LAST(IN(CLOSING), RST_OUT, NONE, SAME, 0, beyond, TOO_MUCH),
	ROW(LIVE | IN(SYN_RCVD_A), RST_OUT, C, SAME, 0, at_edge, EDGE),
	ROW(LIVE | HALF_OPEN, PLACE_OUT, GO_ON, SAME, 0, bare_at_edge, EDGE),
	LAST(IN(CLOSING), PLACE_OUT, NONE, SAME, 0, beyond, TOO_MUCH),
	LAST(IN(FIN_WAIT_1), PLACE_OUT, NONE, SAME, 0, orphan_at_edge, EDGE),
	ROW(EOF_SEEN, PLACE_OUT, GO_ON, SAME, 0, at_edge, AFTER_FIN),
	ROW(LIVE, PLACE_OUT, A_GO_ON, SAME, 0, at_edge, EDGE),
	LAST(IN(SYN_RCVD_A), PLACE_OUT, NONE, SAME, 0, at_edge, EDGE),
	LAST(IN(SYN_RCVD_A), PLACE_LAST, NONE, SAME, 0, NULL, UNACKED),
	LAST(IN(CLOSING), PLACE_GOOD, NONE, SAME, 0, beyond, TOO_MUCH),
	ROW(LIVE, PLACE_GOOD, C, SAME, 0, too_much, TOO_MUCH),
	LAST(IN(CLOSING), RST_IN, NONE, SAME, 0, beyond, TOO_MUCH),
	ROW(LIVE, RST_IN, NONE, SAME, 0, too_much, TOO_MUCH),
	ROW(P, SYN_IN, RN, LISTEN, 0, NULL, SYN_IN_WINDOW),
	ROW(P, SYNACK_IN, RA, LISTEN, 0, NULL, SYN_IN_WINDOW),
	ROW(P, SYN_OUT, RN, LISTEN, 0, passes_rn, SYN_IN_WINDOW),
	ROW(P, SYNACK_OUT, RA, LISTEN, 0, passes_rn, SYN_IN_WINDOW),
	LAST(P, SYN_FIN, C, SAME, 0, first_synack, SYNACK_TEXT),
	LAST(P, SYNACK_GOOD, C, SAME, 0, first_synack, SYNACK_TEXT),
	ROW(P, SYN_FIN, SA_AGAIN, SAME, 0, first_syn, SYN_FIN),
	ROW(P, SYN_FIN, C, SAME, 0, outside, SYN_FIN),
	ROW(P, SYN_FIN, RN, LISTEN, 0, NULL, SYN_FIN),
	ROW(P, NULL, C, SAME, 0, outside, NULL_OUTSIDE),
	LAST(IN(SYN_RCVD_A), ACK_OLD, NONE, SAME, 0, acks_nothing, ACKS_NOTHING),
	ROW(IN(SYN_RCVD_A), SYNACK_GOOD, C, SAME, 0, first_synack, SYNACK_WITH_TEXT),
	ROW(IN(SYN_RCVD_A), SYN_FIRST, C, SAME, 0, NULL, SYN_AGAIN),
	ROW(EOF_SEEN, RST_OUT, NONE, CLOSED, END_RESET, at_fin, RST_AT_FIN),
	ROW(LIVE | IN(SYN_RCVD_A), RST_OUT, C, SAME, 0, unacked, RST_TEXT),
	ROW(IN(CLOSING) | IN(LAST_ACK), PLACE_LAST, GO_ON, SAME, 0, acks_fin, LAST_OLD),
	ROW(IN(CLOSING) | IN(LAST_ACK), PLACE_OLD, GO_ON, SAME, 0, unacked_acks_fin, LAST_OLD),
	ROW(IN(FIN_WAIT_1), PLACE_LAST, GO_ON, SAME, 0, orphan_acks_fin, LAST_OLD),
	LAST(IN(FIN_WAIT_1), ACK_FIN, NONE, SAME, 0, orphan_odd_fin, ODD_FIN),
	ROW(LIVE, PLACE_KEEP, GO_ON, SAME, 0, unacked, UNACKED),
	ROW(LIVE, PLACE_OUT, GO_ON, SAME, 0, unacked, UNACKED),
	ROW(LIVE, PLACE_OLD, A_GO_ON, SAME, 0, unacked, UNACKED),
	ROW(P, RST_OUT, C, SAME, 0, passes_rn, RST_TEXT),
	LAST(IN(ESTABLISHED), ACK_OLD, NONE, SAME, 0, fast_and_old, FAST),
	LAST(IN(ESTABLISHED), ACK_FAR, NONE, SAME, 0, fast, FAST),
	ROW(FW2, ACK_FAR, GO_ON, SAME, 0, orphan, RECORD_ACK),
	ROW(FW2, ACK_OLD, GO_ON, SAME, 0, orphan, RECORD_ACK),
	ROW(FW2, ACK_AHEAD, GO_ON, SAME, 0, orphan, RECORD_ACK),
	ROW(LIVE, ACK_OLD, C, SAME, 0, before_all, ACK_OLD),
	ROW(EOF_SEEN, TEXT_NEXT, RA, CLOSED, END_ANY, begins_old, OVER_FIN),
	LAST(EOF_SEEN, FIN_NEXT, FIN, SAME, 0, begins_old, FIN_TWICE),
	ROW(EOF_SEEN, TEXT_NEXT, NONE, SAME, 0, NULL, AFTER_FIN),
	ROW(EOF_SEEN, TEXT_AHEAD, NONE, SAME, 0, NULL, AFTER_FIN),
	ROW(EOF_SEEN, FIN_NEXT, NONE, SAME, 0, NULL, AFTER_FIN),
	ROW(EOF_SEEN, FIN_AHEAD, NONE, SAME, 0, NULL, AFTER_FIN),
	LAST(IN(ESTABLISHED) | FW, TEXT_NEXT, NONE, SAME, 0, fin_before_held, FIN_PURGES),
	ROW(FW, TEXT_NEXT, RA, CLOSED, END_ANY, orphan, ORPHAN_RST),
	ROW(FW, TEXT_AHEAD, RA, CLOSED, END_ANY, orphan, ORPHAN_RST),
	ROW(FW, FIN_AHEAD, RA, CLOSED, END_ANY, orphan, ORPHAN_RST),
	ROW(FW2, RST_IN, NONE, CLOSED, END_ANY, orphan, RECORD_RST),
	ROW(FW2, SYN_FIRST, NONE, SAME, 0, old_syn, RECORD_SYN_OLD),
	ROW(FW2, SYN_OUT, NONE, SAME, 0, old_syn, RECORD_SYN_OLD),
	ROW(FW2, SYN_FIN, NONE, SAME, 0, old_syn, RECORD_SYN_OLD),
	LAST(FW2, SYN_FIN, FIN, TIME_WAIT, 0, old_synack_fin, RECORD_SYN_OLD),
	ROW(FW2, SYN_FIN, RA, CLOSED, END_ANY, old_synack, RECORD_SYN_OLD),
	ROW(FW2, SYNACK_GOOD, RA, CLOSED, END_ANY, old_synack, RECORD_SYN_OLD),
	ROW(FW2, SYNACK_FIRST, RA, CLOSED, END_ANY, old_synack, RECORD_SYN_OLD),
	ROW(FW2, SYNACK_OUT, RA, CLOSED, END_ANY, old_synack, RECORD_SYN_OLD),
	ROW(FW2, SYN_IN, RN, CLOSED, END_ANY, orphan, RECORD_SYN),
	ROW(FW2, SYNACK_IN, RA, CLOSED, END_ANY, orphan, RECORD_SYN),
	ROW(FW2, SYN_FIN, RN, CLOSED, END_ANY, orphan_inside, RECORD_SYN),
	ROW(FW2, NULL, C, SAME, 0, orphan_outside, NULL_OUTSIDE),
	ROW(TW, ACK_FAR, GO_ON, SAME, 0, NULL, RECORD_ACK),
	ROW(TW, ACK_AHEAD, GO_ON, SAME, 0, NULL, RECORD_ACK),
	ROW(TW, SYN_FIN, NONE, CLOSED, END_ORDER, new_syn, TW_SYN_FIN),
	ROW(TW, LATE, NONE, SAME, 0, NULL, AFTER_FIN),
	ROW(TW, NULL, C, SAME, 0, not_bare_at_rn, TW_NULL),
	ROW(TW, SYN_NEW, C, SAME, 0, begins_at_rn, TW_SYN),
};
const unsigned linux_habits_count = sizeof(linux_habits) / sizeof(linux_habits[0]);

int linux_error(enum model_state was, enum model_end end)
{
	if (end == END_REFUSED)
		return was == S_SYN_SENT ? ECONNREFUSED : ECONNRESET;
	return was == S_CLOSE_WAIT ? EPIPE : ECONNRESET;
}
