/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue of a connection as a list of ranges (RFC 9293 3.8, 3.10.2). */
#include "tcp/sendq.h"
#include "tcp/flight.h"

void sendq_acked(struct tcp_host *host, struct tcb *tcb)
{
	struct ranges *const ranges = &host->ranges;

	while (tcb->sndq_head != RANGE_NONE) {
		const uint32_t head = tcb->sndq_head;
		const struct range *const range = &ranges->at[head];

		if (seq_gt(range->seq + range->len, tcb->snd_una))
			return;
		if (tcb->sndq_next == head)
			tcb->sndq_next = RANGE_NONE;
		if (tcb->sndq_tail == head)
			tcb->sndq_tail = RANGE_NONE;
		tcb->sndq_head = range->next;
		range_let_go(ranges, head);
	}
}

void sendq_drop(struct tcp_host *host, struct tcb *tcb)
{
	while (tcb->sndq_head != RANGE_NONE) {
		const uint32_t head = tcb->sndq_head;

		tcb->sndq_head = host->ranges.at[head].next;
		range_let_go(&host->ranges, head);
	}
	tcb->sndq_tail = tcb->sndq_next = RANGE_NONE;
	flight_end(host, tcb);
	persist_end(host, tcb);
}

/* From a range found earlier, if it is not past. */
static uint32_t find_from(const struct tcp_host *host, const struct tcb *tcb, uint32_t range,
			  uint32_t seq, struct text *text)
{
	const struct range *const at = host->ranges.at;

	if (range == RANGE_NONE || seq_lt(seq, at[range].seq))
		range = tcb->sndq_head;
	while (range != RANGE_NONE && seq_ge(seq, at[range].seq + at[range].len))
		range = at[range].next;
	assert(range != RANGE_NONE);
	text->range = range;
	text->offset = seq - at[range].seq;
	return range;
}

void sendq_find(const struct tcp_host *host, struct tcb *tcb, uint32_t seq, struct text *text)
{
	struct flight *const flight = flight_of(host, tcb);

	if (flight == NULL || seq == tcb->snd_nxt) {
		tcb->sndq_next = find_from(host, tcb, tcb->sndq_next, seq, text);
		return;
	}
	flight->range = find_from(host, tcb, flight->range, seq, text);
	flight->range_end = host->ranges.at[flight->range].seq + host->ranges.at[flight->range].len;
}
