/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: ranges in order, found by sequence number, let go when acknowledged (HF-D6, HF-RTX1). */
#include "tcp/sendq.h"
#include "test_tcp.h"

/* Three ranges of 10, 1 and 20 octets from ISS+1 on. */
static void queue(struct tcb_rig *r)
{
	static const uint32_t lens[] = { 10, 1, 20 };

	tcp_open(&r->host, &r->tcb, 4, ISS, 0);
	r->tcb.snd_una = ISS + 1;
	for (uint32_t n = 0; n < COUNT(lens); n++)
		tcp_queue(&r->host, &r->tcb, n, lens[n]);
}

static void find(struct tcb_rig *r, uint32_t seq, uint32_t range, uint32_t offset)
{
	struct text text;

	sendq_find(&r->host, &r->tcb, ISS + seq, &text);
	assert_int_equal(text.range, range);
	assert_int_equal(text.offset, offset);
}

static void find__every_octet__in_any_order(struct tcb_rig *r)
{
	queue(r);
	for (uint32_t n = 0; n < 31; n++)
		find(r, 1 + n, n < 10 ? 0 : n < 11 ? 1 : 2, n < 10 ? n : n < 11 ? 0 : n - 11);
	for (uint32_t n = 31; n-- > 0;)
		find(r, 1 + n, n < 10 ? 0 : n < 11 ? 1 : 2, n < 10 ? n : n < 11 ? 0 : n - 11);
}

static uint32_t done(struct tcb_rig *r)
{
	uint32_t count = 0;

	while (r->host.ranges.done != RANGE_NONE) {
		r->host.ranges.done = r->ranges[r->host.ranges.done].next;
		count++;
	}
	return count;
}

static void acked__whole_ranges_go(struct tcb_rig *r)
{
	static const struct {
		uint32_t una, gone;
	} steps[] = { { 10, 0 }, { 11, 1 }, { 12, 1 }, { 31, 0 }, { 32, 1 } };

	queue(r);
	find(r, 31, 2, 19);
	assert_int_equal(r->tcb.sndq_next, 2); /* the next search begins here */
	for (size_t i = 0; i < COUNT(steps); i++) {
		r->tcb.snd_una = ISS + steps[i].una;
		sendq_acked(&r->host, &r->tcb);
		assert_int_equal(done(r), steps[i].gone);
		assert_int_equal(r->tcb.sndq_tail, i + 1 < COUNT(steps) ? 2 : RANGE_NONE);
		if (steps[i].una < 32)
			find(r, 31, 2, 19);
	}
	assert_int_equal(r->tcb.sndq_head, RANGE_NONE);
	assert_int_equal(r->tcb.sndq_tail, RANGE_NONE);
	assert_int_equal(r->tcb.sndq_next, RANGE_NONE);
	tcp_queue(&r->host, &r->tcb, 7, 3); /* and begins anew */
	find(r, 34, 7, 2);
}

static void drop__all_go(struct tcb_rig *r)
{
	queue(r);
	find(r, 5, 0, 4);
	sendq_drop(&r->host, &r->tcb);
	assert_int_equal(done(r), 3);
	assert_int_equal(r->tcb.sndq_head, RANGE_NONE);
	assert_int_equal(r->tcb.sndq_tail, RANGE_NONE);
	sendq_drop(&r->host, &r->tcb);
	assert_int_equal(done(r), 0);
}

static void lengthen__grows_the_last(struct tcb_rig *r)
{
	queue(r);
	tcp_lengthen(&r->host, &r->tcb, 4);
	assert_int_equal(r->tcb.snd_end, ISS + 36);
	find(r, 35, 2, 23);
}

static const struct tcb_row rows[] = {
	{ "HF-RTX1-find", find__every_octet__in_any_order, 0 },
	{ "HF-L10-acked", acked__whole_ranges_go, 0 },
	{ "HF-LK1-queue", drop__all_go, 0 },
	{ "HF-L10-lengthen", lengthen__grows_the_last, 0 },
};
GROUP(sendq);
