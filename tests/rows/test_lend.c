/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that changes hands without a copy (DESIGN 2.7; RFC 9293 3.10.2, 3.10.3): what goes out is what was
 * lent, whoever holds it holds it long enough, and every mbuf comes back (HF-LK1, by the rig). */
#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "rig/rig.h"

#define STORE 70000

static void set_segs(struct rig *r)
{
	r->memport.multi_segs = true;
}

static void count_end(void *arg)
{
	++*(unsigned *)arg;
}

/* The peer's text of len octets, in order. */
static void text_comes(struct rig *r, uint16_t len)
{
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = len });
	r->rn += len;
	rig_event(r, HF_EV_READABLE);
}

static void expect_text(struct rig *r, uint16_t len)
{
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = len });
	r->sn += len;
}

static void acknowledge(struct rig *r)
{
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_forget_events(r);
	rig_discard(r);
}

/* What came is sent back in the buffers it came in; both streams have the rig's pattern. */
static void established__received_mbufs__sent_back(struct rig *r)
{
	static const uint16_t lengths[] = { 1, 255, 300, 1000 };
	struct rte_mbuf *m = NULL;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_recv_mbuf(r->w, r->id, &m), -EAGAIN);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		text_comes(r, lengths[i]);
		assert_int_equal(hf_recv_mbuf(r->w, r->id, &m), lengths[i]);
		assert_int_equal(hf_recv_mbuf(r->w, r->id, &m), -EAGAIN);
		assert_int_equal(hf_send_mbuf(r->w, r->id, m), lengths[i]);
		expect_text(r, lengths[i]);
		rig_advance(r, MS(200)); /* once more: the buffer is still there */
		r->sn -= lengths[i];
		expect_text(r, lengths[i]);
		acknowledge(r);
	}
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
}

/* Short text behind such a buffer goes into one of its own: it is not the engine's to write. */
static void established__text_behind_a_store__leaves_it_alone(struct rig *r)
{
	uint8_t octets[600], before[sizeof(octets)];
	struct hf_store *store;
	unsigned ended = 0;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < sizeof(octets); i++)
		before[i] = octets[i] = rig_octet(i);
	assert_int_equal(hf_store_make(octets, sizeof(octets), count_end, &ended, &store), 0);
	assert_int_equal(hf_send_store(r->w, r->id, store, 0, 400), 400);
	hf_store_free(store);
	r->written = 400;
	rig_write(r, 100);
	assert_memory_equal(octets, before, sizeof(octets));
	expect_text(r, 500);
	assert_int_equal(ended, 0);
	acknowledge(r);
	assert_int_equal(ended, 1);
}

/* A store longer than a window and a range, at the pace of the ACKs, and let go while it is being sent. */
static void established__store__sent_in_place(struct rig *r)
{
	static uint8_t octets[STORE];
	struct hf_store *store;
	unsigned ended = 0;
	size_t queued = 0;
	ssize_t n;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = rig_octet(i);
	assert_int_equal(hf_store_make(octets, STORE, count_end, &ended, &store), 0);
	assert_int_equal(hf_send_store(r->w, r->id, store, 1, STORE), -EINVAL);
	assert_int_equal(hf_send_store(r->w, r->id, store, STORE + 1, 0), -EINVAL);
	while (r->sn - r->iss - 1 < STORE) {
		n = queued < STORE ? hf_send_store(r->w, r->id, store, queued, STORE - queued) : 0;
		assert_true(n >= 0);
		queued += (size_t)n;
		rig_flush(r);
		for (const struct frame *f = rig_pop(r); f != NULL; f = rig_pop(r)) {
			if (f->seg.text_len == 0)
				continue;
			assert_int_equal(f->seg.seq, r->sn);
			for (unsigned i = 0; i < f->seg.text_len; i++)
				assert_int_equal(f->raw[f->text + i], octets[r->sn - r->iss - 1 + i]);
			r->sn += f->seg.text_len;
		}
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_forget_events(r);
	}
	rig_discard(r);
	assert_int_equal(queued, STORE);
	assert_int_equal(ended, 0);
	hf_store_free(store);
	assert_int_equal(ended, 1);
}

/* DPDK counts those who use a store in 16 bits: from so many on text is copied. */
static void store__used_by_many__copied(struct rig *r)
{
	static const uint8_t octets[STORE];
	struct rte_mbuf_ext_shared_info *uses;
	struct hf_store *store;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_store_make(octets, STORE, NULL, NULL, &store), 0);
	uses = (struct rte_mbuf_ext_shared_info *)(void *)store; /* its first member */
	rte_mbuf_ext_refcnt_update(uses, 16382);
	assert_int_equal(hf_send_store(r->w, r->id, store, 0, 40000), 32768);
	assert_int_equal(rte_mbuf_ext_refcnt_read(uses), 16384);
	assert_int_equal(hf_send_store(r->w, r->id, store, 32768, 100), 100);
	assert_int_equal(rte_mbuf_ext_refcnt_read(uses), 16384);
	rte_mbuf_ext_refcnt_update(uses, -16382);
	hf_store_free(store);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_flush(r);
	rig_discard(r);
	rig_event_closed(r, ECONNABORTED);
}

/* Frames too: what a device or a peer's queue holds of a store may be more than can be counted. */
static void store__in_many_frames__copied(struct rig *r)
{
	static uint8_t octets[1000];
	struct rte_mbuf_ext_shared_info *uses;
	struct hf_store *store;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = rig_octet(i);
	assert_int_equal(hf_store_make(octets, sizeof(octets), NULL, NULL, &store), 0);
	uses = (struct rte_mbuf_ext_shared_info *)(void *)store; /* its first member */
	assert_int_equal(hf_send_store(r->w, r->id, store, 0, sizeof(octets)), sizeof(octets));
	rte_mbuf_ext_refcnt_set(uses, UINT16_MAX);
	rig_turn(r);
	hf_flush(r->w, r->now_us);
	assert_int_equal(rte_mbuf_ext_refcnt_read(uses), UINT16_MAX);
	expect_text(r, sizeof(octets));
	rte_mbuf_ext_refcnt_set(uses, 2);
	acknowledge(r);
	assert_int_equal(rte_mbuf_ext_refcnt_read(uses), 1);
	hf_store_free(store);
}

/* An abort lets go of all at once. */
static void established__abort__store_ends(struct rig *r)
{
	static const uint8_t octets[STORE];
	struct hf_store *store;
	unsigned ended = 0;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_store_make(octets, STORE, count_end, &ended, &store), 0);
	assert_true(hf_send_store(r->w, r->id, store, 0, STORE) > 0);
	hf_store_free(store);
	assert_int_equal(ended, 0);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_flush(r);
	rig_discard(r);
	rig_event_closed(r, ECONNABORTED);
	assert_int_equal(ended, 1);
}

/* All or nothing: what is not taken is the caller's, who gives it back. */
static void full__mbuf__not_taken(struct rig *r)
{
	static const uint8_t octets[STORE];
	struct rte_mbuf *m = NULL;

	rig_to(r, RIG_ESTABLISHED);
	text_comes(r, 300);
	assert_true(hf_send(r->w, r->id, octets, STORE) < STORE);
	assert_int_equal(hf_recv_mbuf(r->w, r->id, &m), 300);
	assert_int_equal(hf_send_mbuf(r->w, r->id, m), 0);
	assert_int_equal(hf_shutdown(r->w, r->id), 0);
	assert_int_equal(hf_send_mbuf(r->w, r->id, m), -EPIPE);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	assert_int_equal(hf_send_mbuf(r->w, r->id, m), -EBADF);
	assert_int_equal(hf_recv_mbuf(r->w, r->id, &m), -EBADF);
	hf_mbuf_free(m);
	hf_mbuf_free(NULL);
	hf_store_free(NULL);
	rig_flush(r);
	rig_discard(r);
	rig_event_closed(r, ECONNABORTED);
}

static const struct row rows[] = {
	{ .name = "DESIGN-2.7-mbuf", .test = established__received_mbufs__sent_back },
	{ .name = "DESIGN-2.7-mbuf-chains",
	  .test = established__received_mbufs__sent_back,
	  .set_up = set_segs },
	{ .name = "DESIGN-2.7-not-written",
	  .test = established__text_behind_a_store__leaves_it_alone },
	{ .name = "DESIGN-2.7-store", .test = established__store__sent_in_place },
	{ .name = "DESIGN-2.7-store-chains",
	  .test = established__store__sent_in_place,
	  .set_up = set_segs },
	{ .name = "DESIGN-2.7-store-uses", .test = store__used_by_many__copied },
	{ .name = "DESIGN-2.7-store-frames", .test = store__in_many_frames__copied, .set_up = set_segs },
	{ .name = "DESIGN-2.7-abort", .test = established__abort__store_ends },
	{ .name = "DESIGN-2.7-full", .test = full__mbuf__not_taken },
};

int main(int argc, char **argv)
{
	return rig_run("Lend", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
