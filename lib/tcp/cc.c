/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control: slow start, congestion avoidance, fast retransmit and fast recovery (RFC 5681, the
 * NewReno of RFC 6582, with SACK prr.c), growth by octets (RFC 3465), initial window of ten segments
 * (RFC 6928), and what is taken back when no loss was met (RFC 3522, RFC 4015). cwnd and ssthresh are octets. */
#include "tcp/cc.h"
#include "tcp/answer.h"
#include "tcp/rack.h"
#include "tcp/sack.h"

/* RFC 6928 2 */
static uint32_t initial_window(const struct tcb *tcb)
{
	const uint32_t two = 2u * tcb->snd_mss;

	return min_u32(10u * tcb->snd_mss, two > 14600 ? two : 14600);
}

void cc_init(struct tcb *tcb)
{
	/* RFC 5681 3.1: a lost SYN or SYN-ACK lets only one segment go first. */
	tcb->cwnd = tcb->flags & TCB_SYN_RETRIED ? tcb->snd_mss : initial_window(tcb);
	tcb->ssthresh = UINT32_MAX;
}

static struct cubic *cubic_of(const struct tcp_host *host, const struct tcb *tcb)
{
	return host->config.cubic && tcb->flight != 0 ? &flight_of(host, tcb)->cubic : NULL;
}

/* What an ACK of more than a segment is worth in slow start: L at most (RFC 3465 2.2). After a timeout that is one
 * segment, for such ACKs then tell of what arrived long ago (2.3). */
static uint32_t stretch(const struct tcp_host *host, const struct tcb *tcb, uint32_t acked)
{
	const uint32_t limit = tcb->flags & TCB_RTO_START ? 1 : host->config.abc_limit;

	return limit > 0 ? min_u32(acked, limit * tcb->snd_mss) : acked;
}

/* New text was acknowledged; growth goes by octets, so dividing ACKs gains nothing. */
void cc_ack(const struct tcp_host *host, struct tcb *tcb, uint32_t acked)
{
	struct cubic *cubic;
	uint32_t more;

	if (tcb->cwnd < tcb->ssthresh) {
		more = acked <= tcb->snd_mss ? acked : stretch(host, tcb, acked);
	} else if ((cubic = cubic_of(host, tcb)) != NULL) {
		more = cubic_growth(cubic, tcb->cwnd, tcb->snd_mss, acked, tcb->srtt_us / 1000,
				    host->now_ms);
	} else {
		more = (uint32_t)((uint64_t)tcb->snd_mss * min_u32(acked, tcb->snd_mss) / tcb->cwnd);
		more = more > 0 ? more : 1;
	}
	if (tcb->cwnd <= UINT32_MAX / 2)
		tcb->cwnd += more;
}

static uint32_t in_flight(const struct tcb *tcb)
{
	return tcb->snd_nxt - tcb->snd_una;
}

/* Without what limited transmit has sent beyond cwnd (RFC 5681 3.2 step 2). */
static uint32_t in_flight_by_cwnd(const struct tcb *tcb)
{
	const uint32_t flight = in_flight(tcb);
	const uint32_t beyond = flight > tcb->cwnd ? flight - tcb->cwnd : 0;

	return flight - min_u32(beyond, (DUP_THRESH - 1) * tcb->snd_mss);
}

/* A loss was met with so much in flight: half of it, or 0.7, two segments at least (RFC 5681 3.1,
 * equation 4). What was before is remembered, for the loss may be none. */
static void shrink(struct tcp_host *host, struct tcb *tcb, uint32_t flight)
{
	const uint32_t floor = 2u * tcb->snd_mss;
	struct flight *const f = flight_begin(host, tcb);
	uint32_t ssthresh = flight / 2;

	if (f != NULL) {
		f->undo = tcb->flags & TCB_TS;
		f->ssthresh_before = tcb->ssthresh;
		f->cubic_before = f->cubic;
		f->sent_again_ts = tcp_tsval(host, tcb->ts_offset);
	}
	if (cubic_of(host, tcb) != NULL)
		/* what of cwnd nobody filled is no window that was tried (RFC 9438 5.8) */
		ssthresh = cubic_reduce(&f->cubic, min_u32(tcb->cwnd, flight), flight);
	tcb->ssthresh = ssthresh > floor ? ssthresh : floor;
	if (!(tcb->flags & TCB_ECN))
		return;
	tcb->flags |= TCB_CWR;
	if (f != NULL)
		f->reduced = tcb->snd_nxt;
}

/* RFC 5681 3.2, or step 4 of RFC 6675 5; with RACK, which tells what is lost in its place, RFC 3042 alone. */
void cc_duplicate(struct tcp_host *host, struct tcb *tcb)
{
	const bool sack = (tcb->flags & TCB_SACK) && tcb->flight != 0;

	tcp_count(host, STAT_DUP_ACK_IN);
	if (sack && rack_is_on(host, tcb)) {
		if (tcb->dupacks < DUP_THRESH && !(tcb->flags & TCB_RECOVERY))
			tcb->dupacks++;
		return;
	}
	if (tcb->flags & TCB_RECOVERY) {
		if (!sack)
			tcb->cwnd += tcb->snd_mss; /* one more segment has left the network */
		return;
	}
	if (tcb->dupacks < UINT8_MAX)
		tcb->dupacks++;
	if ((tcb->dupacks < DUP_THRESH && !sack_una_lost(host, tcb)) || cc_was_met(tcb))
		return;
	cc_recovery(host, tcb, sack);
	tcp_count(host, STAT_RETRANSMIT_FAST);
	if (sack)
		tcp_count(host, STAT_SACK_RECOVERY);
	tcb->flags |= TCB_FAST;
}

void cc_recovery(struct tcp_host *host, struct tcb *tcb, bool sack)
{
	shrink(host, tcb, in_flight_by_cwnd(tcb));
	tcb->recover = tcb->snd_nxt - 1;
	tcb->cwnd = tcb->ssthresh + DUP_THRESH * tcb->snd_mss;
	tcb->flags &= ~(uint32_t)TCB_RTO_START;
	tcb->flags |= TCB_RECOVERY | (sack ? TCB_BY_SACK : 0u);
	if (sack)
		prr_begin(host, tcb);
}

/* For congestion that no echo of what went again takes back; a window that is smaller already stays. */
static void reduce(struct tcp_host *host, struct tcb *tcb, uint32_t flight)
{
	struct flight *f;

	shrink(host, tcb, flight);
	tcb->cwnd = min_u32(tcb->cwnd, tcb->ssthresh);
	f = flight_of(host, tcb);
	if (f != NULL)
		f->undo = false;
}

void cc_mended(struct tcp_host *host, struct tcb *tcb)
{
	reduce(host, tcb, tcb->cwnd);
}

/* With no flight to remember by, what has been reduced is not again before that was told. */
void cc_echo(struct tcp_host *host, struct tcb *tcb, uint32_t ack)
{
	const struct flight *const f = flight_of(host, tcb);

	if (f != NULL ? seq_le(ack, f->reduced) : (tcb->flags & TCB_CWR) != 0)
		return;
	tcp_count(host, STAT_ECN_REDUCED);
	reduce(host, tcb, in_flight_by_cwnd(tcb));
}

/* RFC 6582 3.2 step 3: all that was in flight is acknowledged, or there is another hole. With SACK RFC 9937 6.4,
 * and the pipe tells of holes (RFC 6675 5, step C). */
bool cc_recover(struct tcb *tcb, bool sack, uint32_t acked)
{
	const uint32_t flight = in_flight(tcb);

	if (seq_gt(tcb->snd_una, tcb->recover)) {
		const uint32_t least = (flight > tcb->snd_mss ? flight : tcb->snd_mss) + tcb->snd_mss;

		tcb->cwnd = sack || tcb->ssthresh < least ? tcb->ssthresh : least;
		tcb->flags &= ~(uint32_t)(TCB_RECOVERY | TCB_BY_SACK);
		tcb->dupacks = 0;
		return false;
	}
	if (sack)
		return false;
	tcb->cwnd -= acked < tcb->cwnd ? acked : tcb->cwnd;
	if (acked >= tcb->snd_mss)
		tcb->cwnd += tcb->snd_mss;
	return true;
}

/* The retransmission timer expired: once a flight, not once a try. */
void cc_timeout(struct tcp_host *host, struct tcb *tcb)
{
	struct cubic *cubic;

	if (tcb->retransmits <= 1)
		shrink(host, tcb, in_flight(tcb));
	cubic = cubic_of(host, tcb);
	if (cubic != NULL)
		cubic_timeout(cubic);
	tcb->cwnd = tcb->snd_mss;
	tcb->recover = tcb->snd_nxt - 1;
	tcb->dupacks = 0;
	tcb->flags &= ~(uint32_t)(TCB_RECOVERY | TCB_BY_SACK | TCB_FAST);
	tcb->flags |= TCB_RTO_START;
}

void cc_idle(const struct tcp_host *host, struct tcb *tcb)
{
	const uint32_t initial = initial_window(tcb);

	if (tcb->cwnd <= initial || host->now_ms - tcb->sent_ms <= tcb->rto_ms)
		return;
	tcb->cwnd = initial;
	tcb->flags &= ~(uint32_t)TCB_RTO_START;
}

bool cc_undo(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, uint32_t acked)
{
	struct flight *const f = flight_of(host, tcb);
	const bool undo = f->undo && (seg->options & OPT_TS) && seq_lt(seg->tsecr, f->sent_again_ts);
	const uint32_t cwnd = in_flight(tcb) + min_u32(acked, initial_window(tcb));

	f->undo = false;
	if (!undo)
		return false;
	tcp_count(host, STAT_SPURIOUS);
	/* RFC 9438 4.9; of a window of less than a segment nothing would leave */
	tcb->ssthresh = f->ssthresh_before;
	f->cubic = f->cubic_before;
	tcb->cwnd = cwnd > tcb->snd_mss ? cwnd : tcb->snd_mss;
	tcb->dupacks = 0;
	tcb->flags &= ~(uint32_t)(TCB_RTX | TCB_RECOVERY | TCB_BY_SACK | TCB_FAST | TCB_RTO_START);
	/* without SACK duplicates may be of what went again for nothing (RFC 6582 4) */
	if (tcb->flags & TCB_SACK)
		tcb->recover = tcb->snd_una - 1;
	return true;
}
