/* SPDX-License-Identifier: BSD-3-Clause */
/* Reckons the columns of tables.c and does what they say; see model.h. RFC 9293 3.10.7 in its order. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "model/model.h"

static bool before(uint32_t a, uint32_t b) /* on the circle, 3.4 */
{
	return (int32_t)(a - b) < 0;
}

static bool within(uint32_t x, uint32_t from, uint32_t to)
{
	return x - from < to - from;
}

static bool half_open(const struct model *m)
{
	return m->state == S_SYN_RCVD_P || m->state == S_SYN_RCVD_A;
}

void model_begin(struct model *m, const struct model_knobs *knobs, uint64_t now, uint32_t iss,
		 bool listener)
{
	memset(m, 0, sizeof(*m));
	m->first_iss = iss;
	m->knobs = knobs;
	m->now = now;
	m->listener = listener;
	m->state = listener ? S_LISTEN : S_CLOSED;
}

/* ---- What comes of it ---- */

/* C: one in so many ms. Where a C may have gone before, another may or may not go now. */
static void challenge(struct model *m, struct model_want *want)
{
	const uint64_t most = m->challenged > m->challenged_may ? m->challenged : m->challenged_may;
	const bool surely = most == 0 || m->now - most >= m->knobs->ratelimit;
	const bool maybe = m->challenged == 0 || m->now - m->challenged >= m->knobs->ratelimit;

	if (want->acks > 0)
		return; /* the same segment goes already */
	if (surely) {
		want->acks++;
		m->challenged = m->now;
	} else if (maybe) {
		want->acks_may++;
		m->challenged_may = m->now;
	}
}

static void tell(struct model *m, struct model_want *want, enum model_told what)
{
	if (m->has && !m->closed)
		want->told |= what;
}

/* The application's id dies, told how; in order only after its own CLOSE, else it lives on. */
static void tell_end(struct model *m, struct model_want *want, enum model_end end)
{
	if (want->told & T_ENDED) /* by the ACK of our FIN in the same segment */
		want->end = END_ANY;
	if (!m->has || (end == END_ORDER && !m->closed))
		return;
	if (m->told_end) {
		m->has = false;
		return;
	}
	want->told |= T_ENDED;
	want->end = end;
	m->has = false;
}

static void reset(struct model_want *want, uint32_t seq, uint32_t ack, uint8_t flags)
{
	want->rst = true;
	want->rst_is = (struct model_seg){ .seq = seq, .ack = ack, .flags = flags };
}

static void forget(struct model *m)
{
	m->again_at = m->wait_until = m->ack_until = 0;
	m->tries = m->dupacks = m->helds = 0;
	m->fin = m->fin_ahead = m->loose = m->reopened = false;
	m->challenged = m->challenged_may = m->sa_at = m->kept_at = 0;
}

static void enter(struct model *m, enum model_state next, enum model_end end, struct model_want *want)
{
	if (next == S_SAME)
		return;
	if (next == S_ESTABLISHED && m->fin) /* SHUTDOWN came before */
		next = S_FIN_WAIT_1;
	if (next == S_CLOSED && m->reopened && half_open(m))
		m->over = true; /* TW-P10 is open */
	if (next == S_LISTEN && m->reopened)
		m->over = true;
	m->state = next;
	if (next == S_FIN_WAIT_2 && m->closed) { /* a record: nobody is left to be told of more */
		m->wait_until = m->now + m->knobs->fin_timeout;
		tell_end(m, want, END_ORDER);
	}
	if (next == S_TIME_WAIT) {
		const uint32_t least = m->knobs->rto * 7 / 2;

		m->again_at = 0;
		m->wait_until = m->now + (m->knobs->tw_len > least ? m->knobs->tw_len : least);
		tell_end(m, want, END_ORDER);
	}
	if (next == S_CLOSED || next == S_LISTEN) {
		if (next == S_CLOSED)
			tell_end(m, want, end);
		forget(m);
		m->state = m->listener ? S_LISTEN : S_CLOSED;
	}
}

/* ---- Columns ---- */

static enum column syn_column(const struct model *m, const struct model_seg *seg)
{
	const bool ack = seg->flags & M_ACK;

	if ((m->state == S_CLOSED || m->state == S_LISTEN) && ack) /* judged first: 3.10.7.1, .2 */
		return COL_SYNACK_OUT;
	if (m->state == S_SYN_SENT && ack && (!before(m->iss, seg->ack) || before(m->sn, seg->ack)))
		return COL_SYNACK_OUT; /* 3.10.7.3 */
	if (seg->flags & M_FIN)
		return COL_SYN_FIN;
	if (m->state == S_CLOSED || m->state == S_LISTEN || m->state == S_SYN_SENT)
		return ack ? COL_SYNACK_GOOD : COL_SYN_OUT;
	if (m->state == S_TIME_WAIT && !ack && m->listener && !before(seg->seq, m->rn))
		return COL_SYN_NEW;
	if (seg->seq == m->irs) {
		if (!ack)
			return COL_SYN_FIRST;
		return seg->ack == m->sn ? COL_SYNACK_GOOD : COL_SYNACK_FIRST;
	}
	if (within(seg->seq, m->rn, m->edge))
		return ack ? COL_SYNACK_IN : COL_SYN_IN;
	return ack ? COL_SYNACK_OUT : COL_SYN_OUT;
}

static enum column rst_column(const struct model *m, const struct model_seg *seg)
{
	if (m->state == S_CLOSED || m->state == S_LISTEN)
		return COL_RST_OUT;
	if (m->state == S_SYN_SENT)
		return seg->flags & M_ACK && before(m->iss, seg->ack) && !before(m->sn, seg->ack) ?
			       COL_RST_GOOD :
			       COL_RST_BAD;
	if (seg->seq == m->rn)
		return COL_RST_AT;
	return within(seg->seq, m->rn, m->edge) ? COL_RST_IN : COL_RST_OUT;
}

/* The four cases of 3.10.7.4. */
static bool acceptable(const struct model *m, const struct model_seg *seg)
{
	const uint32_t len = model_length(seg);

	if (m->edge == m->rn)
		return len == 0 && seg->seq == m->rn;
	if (len == 0)
		return within(seg->seq, m->rn, m->edge);
	return within(seg->seq, m->rn, m->edge) || within(seg->seq + len - 1, m->rn, m->edge);
}

static enum column place_column(const struct model *m, const struct model_seg *seg)
{
	const uint32_t len = model_length(seg);

	if (acceptable(m, seg))
		return COL_PLACE_GOOD;
	if (seg->seq == m->rn)
		return COL_PLACE_SHUT;
	if (len > 0 && seg->seq + len == m->rn)
		return COL_PLACE_LAST;
	if (seg->seq == m->rn - 1 && len == 0)
		return COL_PLACE_KEEP;
	if (len > 0 && before(seg->seq, m->rn) && !before(m->rn, seg->seq + len))
		return COL_PLACE_OLD;
	return COL_PLACE_OUT;
}

static enum column ack_column(const struct model *m, const struct model_seg *seg)
{
	if (m->state == S_CLOSED || m->state == S_LISTEN)
		return COL_ACK_OLD;
	if (before(m->sn, seg->ack))
		return COL_ACK_AHEAD;
	if (before(m->su, seg->ack))
		return m->fin && m->sn == m->end + 1 && seg->ack == m->sn ? COL_ACK_FIN : COL_ACK_NEW;
	return before(seg->ack, m->su - m->mw) ? COL_ACK_FAR : COL_ACK_OLD;
}

static const struct rule *rule_for(struct model *m, bool orphan, enum column column,
				   const struct model_seg *seg)
{
	const struct model_knobs *const k = m->knobs;

	for (unsigned i = 0; i < k->habits_count; i++) {
		const struct habit *const habit = &k->habits[i];

		if (!(habit->rule.in & 1u << m->state) || habit->rule.column != column ||
		    (habit->when != NULL && (seg == NULL || !habit->when(m, seg))))
			continue;
		m->habit = habit;
		m->over = m->over || habit->last;
		return &habit->rule;
	}
	return table_rule(m->state, orphan, column);
}

/* ---- ACK field ---- */

static void window(struct model *m, const struct model_seg *seg)
{
	if (before(m->wl1, seg->seq) || (m->wl1 == seg->seq && !before(seg->ack, m->wl2))) {
		if (m->wl1 != seg->seq || m->wl2 != seg->ack || seg->wnd > m->lw || seg->wnd == 0)
			m->lw = seg->wnd;
		m->sw = seg->wnd;
		m->wl1 = seg->seq;
		m->wl2 = seg->ack;
		if (m->mw < m->sw)
			m->mw = m->sw;
	}
}

/* RFC 9293 3.10.7.4 fifth, RFC 6298 5.2, 5.3. */
static void take_ack(struct model *m, const struct model_seg *seg, struct model_want *want)
{
	const bool newer = before(m->su, seg->ack) && !before(m->sn, seg->ack);

	if (newer) {
		if (m->su == m->iss) /* our SYN, in FIN-WAIT-1 after an early SHUTDOWN */
			tell(m, want, T_CONNECTED);
		m->su = seg->ack;
		m->tries = m->dupacks = 0;
		m->again_at = m->su == m->sn ? 0 : m->now + m->knobs->rto;
		if (m->su == m->sn)
			m->loose = false;
	} else if (seg->ack == m->su && m->su != m->sn && model_length(seg) == 0 &&
		   ++m->dupacks >= 3) {
		m->loose = true; /* RFC 5681 3.2 */
	}
	if (!before(seg->ack, m->su) &&
	    !(m->state == S_FIN_WAIT_2 && m->wait_until)) /* a record keeps MW */
		window(m, seg);
}

static void establish(struct model *m, const struct model_seg *seg, struct model_want *want)
{
	const bool passive = m->state == S_SYN_RCVD_P;

	m->again_at = 0;
	m->tries = 0;
	m->su = seg->ack;
	m->sw = m->mw = seg->wnd > m->mw ? seg->wnd : m->mw;
	m->sw = m->lw = seg->wnd;
	m->wl1 = seg->seq;
	m->wl2 = seg->ack;
	if (passive) {
		m->has = true;
		m->closed = m->eof = m->told_end = false;
		m->unread = 0;
		want->told |= T_ACCEPT;
	} else {
		tell(m, want, T_CONNECTED);
	}
	m->reopened = false;
	enter(m, S_ESTABLISHED, 0, want);
}

static void take_syn(struct model *m, const struct model_seg *seg)
{
	m->irs = seg->seq;
	m->rn = seg->seq + 1;
	m->edge = m->rn; /* until something is promised */
	m->sw = m->lw = m->mw = seg->wnd;
	m->wl1 = seg->seq;
	/* without the bit there is no SEG.ACK (3.1) */
	m->wl2 = seg->flags & M_ACK ? seg->ack : m->iss;
}

static void send_synack(struct model *m, struct model_want *want)
{
	want->syn = true;
	m->sa_at = m->now;
	if (m->again_at == 0) /* RFC 6298 5.1 */
		m->again_at = m->now + m->knobs->rto;
}

/* ---- Text and FIN ---- */

/* Text past a FIN, a FIN before text: no rule says what becomes of it. */
static void contradiction(struct model *m, uint32_t to, bool fin)
{
	if (m->fin_ahead && (before(m->fin_at, to) || (fin && m->fin_at != to)))
		m->over = true;
	for (unsigned i = 0; fin && i < m->helds; i++)
		if (before(to, m->held[i].to))
			m->over = true;
}

/* Held text that follows RN joins. @return whether any did */
static bool join(struct model *m)
{
	bool joined = false;

	for (unsigned i = 0; i < m->helds; i++) {
		if (before(m->rn, m->held[i].from))
			continue;
		if (before(m->rn, m->held[i].to)) {
			m->unread += m->held[i].to - m->rn;
			m->rn = m->held[i].to;
		}
		m->held[i] = m->held[--m->helds];
		joined = true;
		i = UINT32_MAX; /* from the first again */
	}
	return joined;
}

static void take_fin(struct model *m, struct model_want *want)
{
	m->rn++;
	m->fin_ahead = false;
	m->eof = true;
	if (!m->knobs->fin_ack_waits)
		want->ack = true;
	else if (m->ack_until == 0)
		m->ack_until = m->now + m->knobs->delack;
	tell(m, want, T_EOF);
}

static enum column content_column(const struct model *m, uint32_t from, uint32_t to)
{
	if (from == to)
		return COL_BARE;
	return from == m->rn ? COL_TEXT_NEXT : COL_TEXT_AHEAD;
}

/* @return whether what follows in the segment counts */
static bool obey(struct model *m, const struct rule *rule, const struct model_seg *seg,
		 uint32_t from, uint32_t to, struct model_want *want);

static void contents(struct model *m, const struct model_seg *seg, enum model_state was,
		     struct model_want *want)
{
	uint32_t from = seg->seq, to = seg->seq + seg->text;
	const uint32_t fin = to;
	const bool orphan = m->has ? m->closed : m->state != S_TIME_WAIT;
	bool whole = true; /* the FIN is within the window */

	if (before(from, m->rn))
		from = before(to, m->rn) ? to : m->rn;
	if (before(m->edge, to)) {
		to = m->edge;
		whole = false;
	}
	if (m->state == S_TIME_WAIT) { /* all in the window beyond RN is C, once */
		if (model_length(seg) > 0 || (was == S_TIME_WAIT && seg->seq != m->rn))
			obey(m,
			     rule_for(m, orphan, was == S_TIME_WAIT ? COL_TEXT_NEXT : COL_LATE, seg),
			     seg, from, to, want);
		return;
	}
	if (from != to || seg->flags & M_FIN)
		contradiction(m, fin, seg->flags & M_FIN && whole);
	if (!obey(m, rule_for(m, orphan, content_column(m, from, to), seg), seg, from, to, want))
		return;
	if (!(seg->flags & M_FIN) || !whole || !within(fin, m->rn, m->edge))
		return;
	obey(m, rule_for(m, orphan, fin == m->rn ? COL_FIN_NEXT : COL_FIN_AHEAD, seg), seg, fin,
	     fin, want);
}

static void deliver(struct model *m, uint32_t to, struct model_want *want)
{
	m->unread += to - m->rn;
	m->rn = to;
	tell(m, want, T_READABLE);
	if (join(m))
		want->ack = true;
	else if (m->helds > 0)
		want->acks_may++;
	if (m->ack_until == 0)
		m->ack_until = m->now + m->knobs->delack; /* Ad */
	if (m->fin_ahead && m->fin_at == m->rn)
		obey(m, rule_for(m, false, COL_FIN_NEXT, NULL), NULL, m->rn, m->rn, want);
}

static bool obey(struct model *m, const struct rule *rule, const struct model_seg *seg,
		 uint32_t from, uint32_t to, struct model_want *want)
{
	switch (rule->act) {
	case ACT_NONE:
		enter(m, rule->next, rule->end, want);
		return rule->column == COL_BARE;
	case ACT_C:
		challenge(m, want);
		return false;
	case ACT_C_MAY:
		want->acks_may++;
		m->challenged_may = m->now;
		return false;
	case ACT_A_KEEP:
		if (m->kept_at == 0 || m->now - m->kept_at >= m->knobs->keepalive) {
			want->acks++;
			m->kept_at = m->now;
		} else {
			want->acks_may++;
			m->challenged_may = m->now;
		}
		return false;
	case ACT_A:
		want->acks++;
		return false;
	case ACT_RA:
	case ACT_RN:
		if (seg->flags & M_ACK)
			reset(want, seg->ack, 0, M_RST);
		else
			reset(want, 0, seg->seq + model_length(seg), M_RST | M_ACK);
		enter(m, rule->next, rule->end, want);
		return false;
	case ACT_RS:
		reset(want, m->sn, m->rn, M_RST | M_ACK);
		enter(m, rule->next, rule->end, want);
		return false;
	case ACT_SA:
		take_syn(m, seg);
		if (m->state == S_LISTEN) {
			m->su = m->iss = m->first_iss;
			m->sn = m->end = m->iss + 1;
		}
		enter(m, rule->next, 0, want);
		send_synack(m, want);
		return false;
	case ACT_SA_REOPEN:
		m->iss = m->sn + 65537 != 0 ? m->sn + 65537 : 1; /* TW-P8 */
		forget(m);
		m->reopened = true;
		take_syn(m, seg);
		enter(m, rule->next, 0, want);
		m->su = m->iss;
		m->sn = m->end = m->iss + 1;
		send_synack(m, want);
		return false;
	case ACT_SA_AGAIN:
		if (m->now - m->sa_at >= m->knobs->synack_repeat) { /* HF-RL6 */
			want->syn = true;
			m->sa_at = m->now;
		}
		return false;
	case ACT_CONNECT:
		take_syn(m, seg);
		want->ack = true;
		m->ack_until = m->now + 1;
		establish(m, seg, want);
		return false;
	case ACT_GO_ON:
		return true;
	case ACT_A_GO_ON:
		want->acks++;
		return true;
	case ACT_TAKE_ACK:
		take_ack(m, seg, want);
		enter(m, rule->next, rule->end, want);
		return m->state != S_CLOSED && m->state != S_LISTEN;
	case ACT_ESTABLISH:
		if (seg->flags & M_SYN) {
			want->ack = true;
			m->ack_until = m->now + 1;
		}
		establish(m, seg, want);
		return true;
	case ACT_DELIVER:
		deliver(m, to, want);
		return true;
	case ACT_HOLD:
		want->acks++;
		assert(m->helds < MODEL_HELD);
		m->held[m->helds].from = from;
		m->held[m->helds++].to = to;
		return true;
	case ACT_FIN:
		take_fin(m, want);
		enter(m, rule->next, rule->end, want);
		return true;
	case ACT_FIN_HOLD:
		if (want->acks == 0)
			want->acks++;
		m->fin_ahead = true;
		m->fin_at = from;
		return true;
	}
	return false;
}

/* ---- Segments ---- */

/* TIME-WAIT and HF-T5: what ends at RN. */
static void last_octets(struct model *m, const struct model_seg *seg, struct model_want *want)
{
	const enum column column = ack_column(m, seg);
	const bool good = column != COL_ACK_FAR && column != COL_ACK_AHEAD;

	if (m->state == S_TIME_WAIT) { /* TW-3 */
		if (!good || !(seg->flags & M_FIN)) {
			challenge(m, want);
			return;
		}
		want->acks++;
		m->wait_until = m->now + m->knobs->tw_len;
		return;
	}
	if (obey(m, rule_for(m, false, COL_PLACE_LAST, seg), seg, 0, 0, want))
		obey(m, rule_for(m, false, column, seg), seg, 0, 0, want);
}

void model_segment(struct model *m, const struct model_seg *seg, struct model_want *want)
{
	const enum model_state was = m->state;
	const bool synchronised = was > S_SYN_SENT;
	bool orphan = !m->has || m->closed;
	enum column column;

	memset(want, 0, sizeof(*want));
	if (seg->flags & M_RST) {
		obey(m, rule_for(m, orphan, rst_column(m, seg), seg), seg, 0, 0, want);
		return;
	}
	if (!(seg->flags & (M_SYN | M_ACK))) {
		obey(m, rule_for(m, orphan, COL_NULL, seg), seg, 0, 0, want);
		return;
	}
	if (seg->flags & M_SYN) {
		obey(m, rule_for(m, orphan, syn_column(m, seg), seg), seg, 0, 0, want);
		want->text = true;
		return;
	}
	if (synchronised) {
		column = place_column(m, seg);
		if (column == COL_PLACE_LAST && !half_open(m) &&
		    !(orphan && m->state == S_FIN_WAIT_2)) {
			last_octets(m, seg, want);
			want->text = true;
			return;
		}
		if (!obey(m, rule_for(m, orphan, column, seg), seg, 0, 0, want))
			return;
	}
	if (!obey(m, rule_for(m, orphan, ack_column(m, seg), seg), seg, 0, 0, want))
		return;
	want->text = true;
	if (synchronised && place_column(m, seg) != COL_PLACE_SHUT)
		contents(m, seg, was, want);
}

/* ---- Calls ---- */

static int receive(struct model *m, uint32_t octets, struct model_want *want)
{
	const uint32_t n = octets < m->unread ? octets : m->unread;

	if (n == 0)
		return m->eof ? 0 : MODEL_ERROR;
	m->unread -= n;
	want->acks_may++; /* the window opens (3.8.6.2.2) */
	return (int)n;
}

static void finish_sending(struct model *m, struct model_want *want)
{
	m->fin = true;
	want->text = true;
}

int model_call(struct model *m, enum model_call call, uint32_t octets, struct model_want *want)
{
	const struct call_rule *rule;
	const bool gone = m->state == S_CLOSED || m->state == S_LISTEN;

	memset(want, 0, sizeof(*want));
	if (call == CALL_OPEN) {
		rule = table_call(m->state, call);
		if (rule->result != 0)
			return rule->result;
		forget(m);
		m->state = S_SYN_SENT;
		m->has = true;
		m->closed = m->eof = m->told_end = false;
		m->unread = 0;
		m->su = m->iss = m->first_iss;
		m->sn = m->end = m->iss + 1;
		m->mw = 0;
		want->syn = true;
		m->again_at = m->now + m->knobs->rto;
		return 0;
	}
	if (!m->has || (m->closed && call != CALL_ABORT))
		return MODEL_ERROR;
	rule = table_call(m->state, call);
	if (call == CALL_RECEIVE)
		return receive(m, octets, want);
	if (call == CALL_CLOSE &&
	    (gone || m->state == S_TIME_WAIT)) { /* what the application still held */
		m->closed = true;
		tell_end(m, want, END_ORDER);
		return 0;
	}
	if (call == CALL_ABORT && (gone || m->state == S_TIME_WAIT)) {
		m->closed = true;
		tell_end(m, want, END_ANY);
		return 0;
	}
	if (rule->result != 0)
		return rule->result;
	if (call == CALL_SEND) {
		if (m->fin)
			return MODEL_ERROR;
		m->end += octets;
		want->text = true;
		return (int)octets;
	}
	if (call == CALL_SHUTDOWN && m->fin)
		return MODEL_ERROR;
	if (call == CALL_CLOSE)
		m->closed = true;
	if (call == CALL_ABORT || (call == CALL_CLOSE && m->unread > 0 && m->state != S_CLOSING &&
				   m->state != S_LAST_ACK)) { /* SHLD-3 */
		if (rule->rst || call == CALL_CLOSE)
			reset(want, m->sn, m->rn, M_RST | M_ACK);
		if (call == CALL_CLOSE && m->state == S_SYN_SENT)
			want->rst = false;
		enter(m, S_CLOSED, call == CALL_ABORT ? END_ABORTED : END_ANY, want);
		return 0;
	}
	if (m->state == S_SYN_RCVD_A && (m->fin || m->end != m->iss + 1)) { /* after ESTABLISHED */
		m->fin = true;
		return 0;
	}
	if (m->state == S_SYN_SENT && call == CALL_CLOSE) {
		enter(m, S_CLOSED, END_ANY, want);
		return 0;
	}
	if (rule->next != S_SAME || m->state == S_SYN_SENT)
		finish_sending(m, want);
	enter(m, rule->next, 0, want);
	if (call == CALL_CLOSE && m->state == S_FIN_WAIT_2) {
		m->wait_until = m->now + m->knobs->fin_timeout;
		tell_end(m, want, END_ORDER);
	}
	return 0;
}

/* ---- Table T ---- */

uint64_t model_due(const struct model *m)
{
	uint64_t due = UINT64_MAX;

	if (m->again_at && m->again_at < due)
		due = m->again_at;
	if (m->wait_until && m->wait_until < due)
		due = m->wait_until;
	if (m->ack_until && m->ack_until < due)
		due = m->ack_until;
	return due;
}

static unsigned retries(const struct model *m)
{
	if (m->state != S_SYN_RCVD_P && m->su == m->iss) /* it is a SYN that goes again */
		return m->knobs->syn_retries;
	if (m->state == S_SYN_RCVD_P)
		return m->knobs->synack_retries;
	return m->closed || !m->has ? m->knobs->orphan_retries : m->knobs->retries2;
}

static void retransmit(struct model *m, struct model_want *want)
{
	const bool opening = m->su == m->iss; /* in FIN-WAIT-1 too, after an early SHUTDOWN */

	if (m->tries >= retries(m)) {
		if (m->state == S_ESTABLISHED || m->state == S_CLOSE_WAIT)
			reset(want, m->sn, m->rn, M_RST | M_ACK);
		enter(m, m->state == S_SYN_RCVD_P ? S_LISTEN : S_CLOSED, END_TIMEOUT, want);
		return;
	}
	m->tries++;
	m->again_at = m->now + m->knobs->rto;
	if (opening) {
		want->syn = true;
		m->sa_at = m->now;
		m->loose = m->fin;
	} else {
		want->again = true;
		m->loose = true;
	}
}

void model_time(struct model *m, uint64_t now, struct model_want *want)
{
	memset(want, 0, sizeof(*want));
	m->now = now;
	if (m->wait_until && now >= m->wait_until)
		enter(m, S_CLOSED, END_ORDER, want);
	if (m->again_at && now >= m->again_at)
		retransmit(m, want);
	if (m->ack_until && now >= m->ack_until)
		want->ack = true;
}

/* ---- What came out ---- */

struct verdict {
	unsigned acks;
	bool acked, rst, syn, again;
};

#define WRONG(text)           \
	do {                  \
		*why = text;  \
		return false; \
	} while (0)

static bool accept_rst(const struct model_want *want, const struct model_seg *out,
		       struct verdict *v, const char **why)
{
	if (!want->rst || v->rst)
		WRONG("a RST that no rule asks for");
	if (out->flags != want->rst_is.flags || out->seq != want->rst_is.seq ||
	    (out->flags & M_ACK && out->ack != want->rst_is.ack))
		WRONG("a RST with other numbers");
	v->rst = true;
	return true;
}

static bool accept_syn(struct model *m, const struct model_want *want, const struct model_seg *out,
		       struct verdict *v, const char **why)
{
	const bool ack = m->state != S_SYN_SENT;

	if (!want->syn || v->syn)
		WRONG("a SYN that no rule asks for");
	if (out->seq != m->iss || out->text != 0 ||
	    (out->flags & (M_ACK | M_FIN)) != (ack ? M_ACK : 0) || (ack && out->ack != m->rn))
		WRONG("a SYN with other numbers");
	m->sn = before(m->sn, m->iss + 1) ? m->iss + 1 : m->sn;
	v->syn = true;
	return true;
}

/* Text and FIN: new, or what is not acknowledged again. */
static bool accept_text(struct model *m, const struct model_want *want, const struct model_seg *out,
			struct verdict *v, const char **why)
{
	const uint32_t to = out->seq + model_length(out), last = m->end + (m->fin ? 1 : 0);

	if (m->state < S_ESTABLISHED)
		WRONG("text before ESTABLISHED");
	if (before(last, to) || (out->flags & M_FIN && to != last) || (out->flags & M_FIN && !m->fin))
		WRONG("text or a FIN that nobody has sent");
	if (before(out->seq, m->sn)) {
		if (!want->again && !m->loose)
			WRONG("text or a FIN again that is not due");
		if (before(out->seq, m->su))
			WRONG("text or a FIN again that was acknowledged");
		v->again = v->again || out->seq == m->su;
	} else if (out->seq != m->sn) {
		WRONG("text that leaves a gap");
	}
	if (before(m->sn, to)) {
		m->sn = to;
		if (m->again_at == 0)
			m->again_at = m->now + m->knobs->rto;
	}
	return true;
}

static bool accept_one(struct model *m, const struct model_want *want, const struct model_seg *out,
		       struct verdict *v, const char **why)
{
	if (out->flags & M_RST)
		return accept_rst(want, out, v, why);
	if (out->flags & M_SYN	  ? !accept_syn(m, want, out, v, why) :
	    model_length(out) > 0 ? !accept_text(m, want, out, v, why) :
				    false)
		return false;
	if (!(out->flags & M_ACK))
		return true;
	if (out->ack != m->rn)
		WRONG("another ACK field than RCV.NXT");
	if (before(out->ack + out->wnd, m->edge))
		WRONG("the window's right edge goes back (SHLD-14)");
	m->edge = out->ack + out->wnd;
	m->acked = out->ack;
	if (model_length(out) == 0) {
		if (out->seq != m->sn)
			WRONG("an ACK with another SEQ than SND.NXT");
		v->acks++;
	}
	v->acked = true;
	return true;
}

bool model_accepts(struct model *m, const struct model_want *want, const struct model_seg *out,
		   unsigned count, const char **why)
{
	const bool owed = m->ack_until != 0;
	const uint32_t last = m->end + (m->fin ? 1 : 0);
	struct verdict v = { 0 };

	for (unsigned i = 0; i < count; i++)
		if (!accept_one(m, want, &out[i], &v, why))
			return false;
	if (want->rst && !v.rst)
		WRONG("no RST");
	if (want->syn && !v.syn)
		WRONG("no SYN");
	if (want->again && !v.again)
		WRONG("nothing is sent again");
	if (v.acks < want->acks)
		WRONG("an ACK is missing");
	if (want->ack && !v.acked)
		WRONG("what came is not acknowledged");
	if (v.acks > want->acks + want->acks_may + (want->ack || owed ? 1 : 0))
		WRONG("an ACK too many");
	if (want->text && !m->loose && m->state >= S_ESTABLISHED && m->state != S_TIME_WAIT &&
	    m->sn != last)
		WRONG("text or a FIN that could leave has not");
	if (v.acked)
		m->ack_until = 0;
	return true;
}
