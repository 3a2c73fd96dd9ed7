/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control: slow start, congestion avoidance, fast retransmit and fast recovery (RFC 5681 and
 * the NewReno of RFC 6582), initial window of ten segments (RFC 6928). cwnd and ssthresh are octets. */
#include "tcp/scoreboard.h"
#include "tcp/tcp.h"

#define INITIAL_WINDOW_SEGMENTS 10

void cc_init(struct tcb *tcb)
{
	/* RFC 5681 3.1: a lost SYN or SYN-ACK lets only one segment go first. */
	tcb->cwnd = (tcb->flags & TCB_SYN_RETRIED ? 1u : INITIAL_WINDOW_SEGMENTS) * tcb->snd_mss;
	tcb->ssthresh = UINT32_MAX;
}

/* New text was acknowledged; growth goes by octets, so dividing ACKs gains nothing. */
void cc_ack(struct tcb *tcb, uint32_t acked)
{
	uint32_t more;

	if (tcb->cwnd < tcb->ssthresh) {
		more = acked < tcb->snd_mss ? acked : tcb->snd_mss;
	} else {
		more = (uint32_t)((uint64_t)tcb->snd_mss * tcb->snd_mss / tcb->cwnd);
		more = more > 0 ? more : 1;
	}
	if (tcb->cwnd <= UINT32_MAX / 2)
		tcb->cwnd += more;
}

/* Half of what is in flight, two segments at least (RFC 5681 3.1, equation 4). */
static uint32_t half(const struct tcb *tcb, uint32_t flight)
{
	const uint32_t floor = 2u * tcb->snd_mss;

	return flight / 2 > floor ? flight / 2 : floor;
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

/* RFC 5681 3.2, or step 4 of RFC 6675 5. What was in flight when an earlier loss was met begins no second
 * recovery (RFC 6582 3.2, step 2). */
bool cc_duplicate(struct tcb *tcb, bool sack, bool lost)
{
	if (tcb->flags & TCB_RECOVERY) {
		if (!sack)
			tcb->cwnd += tcb->snd_mss; /* one more segment has left the network */
		return false;
	}
	if (tcb->dupacks < UINT8_MAX)
		tcb->dupacks++;
	if ((tcb->dupacks < DUP_THRESH && !lost) || !seq_gt(tcb->snd_una, tcb->recover))
		return false;
	tcb->ssthresh = half(tcb, in_flight_by_cwnd(tcb));
	tcb->cwnd = tcb->ssthresh + (sack ? 0 : DUP_THRESH * tcb->snd_mss);
	tcb->recover = tcb->snd_nxt - 1;
	tcb->flags |= TCB_RECOVERY | (sack ? TCB_BY_SACK : 0u);
	return true;
}

/* RFC 6582 3.2 step 3: all that was in flight is acknowledged, or there is another hole. */
bool cc_recover(struct tcb *tcb, bool sack, uint32_t acked)
{
	const uint32_t flight = in_flight(tcb);

	if (seq_gt(tcb->snd_una, tcb->recover)) {
		const uint32_t least = (flight > tcb->snd_mss ? flight : tcb->snd_mss) + tcb->snd_mss;

		tcb->cwnd = tcb->ssthresh < least ? tcb->ssthresh : least;
		tcb->flags &= ~(uint32_t)(TCB_RECOVERY | TCB_BY_SACK);
		tcb->dupacks = 0;
		return false;
	}
	if (sack)
		return false; /* the pipe tells (RFC 6675 5, step C) */
	tcb->cwnd -= acked < tcb->cwnd ? acked : tcb->cwnd;
	tcb->cwnd += tcb->snd_mss;
	return true;
}

/* The retransmission timer expired (RFC 5681 3.1, equation 4): once a flight, not once a try. */
void cc_timeout(struct tcb *tcb)
{
	if (tcb->retransmits <= 1)
		tcb->ssthresh = half(tcb, in_flight(tcb));
	tcb->cwnd = tcb->snd_mss;
	tcb->recover = tcb->snd_nxt - 1;
	tcb->dupacks = 0;
	tcb->flags &= ~(uint32_t)(TCB_RECOVERY | TCB_BY_SACK | TCB_FAST);
}
