/* SPDX-License-Identifier: BSD-3-Clause */
/* The flight recorder: the last 64 events of a connection, kept when it ends badly; bounded, and off by itself. */
#include <errno.h>
#include <string.h>

#include "rig/rig.h"

static void set_recorder(struct rig *r)
{
	r->config.record = 4;
}

static void set_filter(struct rig *r)
{
	r->config.record = 4;
	r->config.record_filter.peer = (struct hf_match){ .port_first = 1, .port_last = 1 };
}

/* How many recordings there are; *out is the last one, kept ones before others. */
static unsigned recordings(struct rig *r, struct hf_recording *out)
{
	struct hf_recording one;
	uint32_t cursor = 0;
	unsigned n = 0;

	memset(out, 0, sizeof(*out));
	while (hf_recording(r->w, &cursor, &one))
		if (n++ == 0 || one.kept || !out->kept)
			*out = one;
	return n;
}

static void expect(const struct hf_recording *rec, uint32_t i, enum hf_record_what what,
		   unsigned flags, enum hf_state after)
{
	assert_true(i < rec->count);
	assert_int_equal(rec->events[i].what, what);
	assert_int_equal(rec->events[i].flags & ~(unsigned)SEG_PSH, flags);
	assert_int_equal(rec->events[i].after, after);
}

/* Segments, calls and states in their order; the end and why. */
static void reset__after_text__told_from_the_syn_on(struct rig *r)
{
	struct hf_recording rec;
	const uint64_t began_us = r->now_us;

	r->active = true;
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	rig_discard(r);
	rig_advance(r, MS(5));
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn + 10, .flags = SEG_RST | SEG_ACK });
	rig_forget_events(r);
	assert_int_equal(recordings(r, &rec), 1);
	assert_true(rec.kept);
	assert_int_equal(rec.error, ECONNRESET);
	assert_int_equal(rec.lost, 0);
	assert_int_equal(rec.peer.port, r->peer.port);
	expect(&rec, 0, HF_RECORD_CONNECT, 0, HF_SYN_SENT);
	expect(&rec, 1, HF_RECORD_OUT, SEG_SYN, HF_SYN_SENT);
	expect(&rec, 2, HF_RECORD_IN, SEG_SYN | SEG_ACK, HF_ESTABLISHED);
	expect(&rec, 3, HF_RECORD_OUT, SEG_ACK, HF_ESTABLISHED);
	expect(&rec, 4, HF_RECORD_SEND, 0, HF_ESTABLISHED);
	expect(&rec, 5, HF_RECORD_OUT, SEG_ACK, HF_ESTABLISHED);
	assert_int_equal(rec.events[1].seq, ISS);
	assert_int_equal(rec.events[2].before, HF_SYN_SENT);
	assert_int_equal(rec.events[5].text_len, 10);
	assert_int_equal(rec.events[rec.count - 1].what, HF_RECORD_END);
	assert_int_equal(rec.events[1].at_us, began_us);
}

/* Text that changes hands without a copy is sent and received all the same. */
static void established__lent_text__calls_are_kept(struct rig *r)
{
	struct rte_mbuf *m;
	struct hf_store *store;
	struct hf_recording rec;
	uint32_t from;

	rig_to(r, RIG_ESTABLISHED);
	rig_discard(r);
	assert_int_equal(recordings(r, &rec), 1);
	from = rec.count + 1; /* the text's arrival */
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	assert_int_equal(hf_recv_mbuf(r->w, r->id, &m), 10);
	assert_int_equal(hf_send_mbuf(r->w, r->id, m), 10);
	assert_int_equal(hf_store_make("a", 1, NULL, NULL, &store), 0);
	assert_int_equal(hf_send_store(r->w, r->id, store, 0, 1), 1);
	hf_store_free(store);
	assert_int_equal(recordings(r, &rec), 1);
	expect(&rec, from, HF_RECORD_RECV, 0, HF_ESTABLISHED);
	expect(&rec, from + 1, HF_RECORD_SEND, 0, HF_ESTABLISHED);
	expect(&rec, from + 2, HF_RECORD_SEND, 0, HF_ESTABLISHED);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_flush(r);
	rig_discard(r);
	rig_forget_events(r);
}

/* An arrival goes before what it draws, be that an answer or the end. */
static void passive__reset__each_segment_before_its_effect(struct rig *r)
{
	struct hf_recording rec;

	rig_open_passive(r);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_RST | SEG_ACK });
	rig_forget_events(r);
	assert_int_equal(recordings(r, &rec), 1);
	expect(&rec, 0, HF_RECORD_IN, SEG_SYN, HF_SYN_RECEIVED);
	expect(&rec, 1, HF_RECORD_OUT, SEG_SYN | SEG_ACK, HF_SYN_RECEIVED);
	expect(&rec, 2, HF_RECORD_IN, SEG_ACK, HF_ESTABLISHED);
	expect(&rec, 3, HF_RECORD_ACCEPT, 0, HF_ESTABLISHED);
	expect(&rec, 4, HF_RECORD_IN, SEG_RST | SEG_ACK, HF_CLOSED);
	expect(&rec, 5, HF_RECORD_END, 0, HF_CLOSED);
	assert_int_equal(rec.count, 6);
	for (uint32_t i = 1; i < rec.count; i++)
		assert_int_equal(rec.events[i].before, rec.events[i - 1].after);
	assert_int_equal(rec.events[0].before, HF_CLOSED);
	assert_true(rec.kept);
}

/* Retransmissions until R2: the last 64 of them, and how many came before is told. */
static void give_up__many_events__last_64(struct rig *r)
{
	struct hf_recording rec;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 50; i++) {
		rig_write(r, 1);
		rig_discard(r);
		r->sn++;
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	}
	rig_write(r, 1);
	rig_advance(r, SEC(2000));
	rig_discard(r);
	rig_forget_events(r);
	recordings(r, &rec);
	assert_true(rec.kept);
	assert_int_equal(rec.error, ETIMEDOUT);
	assert_int_equal(rec.count, HF_RECORDS);
	assert_true(rec.lost > 50);
	assert_int_equal(rec.events[HF_RECORDS - 1].what, HF_RECORD_END);
	for (uint32_t i = 1; i < rec.count; i++)
		assert_true(rec.events[i].at_us >= rec.events[i - 1].at_us);
}

/* What ends in order gives its place back; bad ends fill them all, and then others are counted. */
static void places__four__bad_ends_keep_them(struct rig *r)
{
	struct hf_recording rec;

	for (unsigned i = 0; i < 6; i++) {
		rig_to(r, RIG_ESTABLISHED);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_RST | SEG_ACK });
		rig_event_closed(r, ECONNRESET);
		rig_another(r);
		if (i < 4)
			assert_int_equal(recordings(r, &rec), i + 1);
	}
	assert_int_equal(recordings(r, &rec), 4);
	assert_true(hf_recordings_refused(r->w) > 0);
}

static void abort__own_application__not_kept(struct rig *r)
{
	struct hf_recording rec;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_discard(r);
	rig_forget_events(r);
	assert_int_equal(recordings(r, &rec), 1);
	assert_false(rec.kept);
	assert_int_equal(rec.events[rec.count - 1].what, HF_RECORD_END);
	assert_int_equal(rec.error, ECONNABORTED);
}

static void places__ends_in_order__used_again(struct rig *r)
{
	struct hf_recording rec;

	for (unsigned i = 0; i < 9; i++) {
		rig_to(r, RIG_LAST_ACK);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_forget_events(r);
		rig_another(r);
	}
	assert_true(recordings(r, &rec) <= 4);
	assert_false(rec.kept);
	assert_int_equal(hf_recordings_refused(r->w), 0);
}

static void filter__others__not_recorded(struct rig *r)
{
	struct hf_recording rec;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(recordings(r, &rec), 0);
	assert_int_equal(hf_recordings_refused(r->w), 0);
}

static void off__nothing_is_recorded(struct rig *r)
{
	struct hf_recording rec;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(recordings(r, &rec), 0);
}

static void more__than_there_can_be__refused(struct rig *r)
{
	struct hf_worker *w;
	struct hf_error why;

	r->config.record = UINT32_MAX;
	assert_true(hf_config_memory(&r->config) > UINT64_C(1) << 43);
	assert_int_equal(hf_worker_create(&r->config, r->port, &w, &why), -EINVAL);
	assert_string_equal(why.text, "record is 4294967295: give 0 to 16777216");
}

static const struct row rows[] = {
	{ .name = "record-reset",
	  .test = reset__after_text__told_from_the_syn_on,
	  .set_up = set_recorder },
	{ .name = "record-order",
	  .test = passive__reset__each_segment_before_its_effect,
	  .set_up = set_recorder },
	{ .name = "record-lent",
	  .test = established__lent_text__calls_are_kept,
	  .set_up = set_recorder },
	{ .name = "record-give-up", .test = give_up__many_events__last_64, .set_up = set_recorder },
	{ .name = "record-full", .test = places__four__bad_ends_keep_them, .set_up = set_recorder },
	{ .name = "record-abort", .test = abort__own_application__not_kept, .set_up = set_recorder },
	{ .name = "record-again", .test = places__ends_in_order__used_again, .set_up = set_recorder },
	{ .name = "record-filter", .test = filter__others__not_recorded, .set_up = set_filter },
	{ .name = "record-bound", .test = more__than_there_can_be__refused, .variants = ROW_ONCE },
	{ .name = "record-off", .test = off__nothing_is_recorded },
};

int main(int argc, char **argv)
{
	return rig_run("Flight recorder", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
