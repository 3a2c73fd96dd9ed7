/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in, turns, frames out and events against what a test wants. See rig.h. */
#include <stdio.h>
#include <string.h>

#include "rig/inner.h"
#include "tcp/seq.h"

static void rig_checked(struct rig *r)
{
	struct hf_error why;

	if (hf_check(r->w, &why) != 0)
		rig_fail(r, "hf_check: %s", why.text);
}

static void rig_log(struct rig *r, const struct seg *seg, bool sent)
{
	const unsigned i = r->logged++ % RIG_LOG;

	r->log[i].at_us = r->now_us;
	r->log[i].seg = *seg;
	r->log[i].sent = sent;
}

static void rig_drop_id(struct rig *r, uint64_t id)
{
	for (unsigned i = 0; i < r->id_count; i++) {
		if (r->ids[i] != id)
			continue;
		r->ids[i] = r->ids[--r->id_count];
		return;
	}
}

static void rig_half_turn(struct rig *r)
{
	struct hf_event events[32];
	unsigned n;

	if (r->turn_open)
		rig_flush(r);
	n = hf_turn(r->w, r->now_us, events, 32);
	r->turn_open = true;
	for (unsigned i = 0; i < n; i++) {
		if (r->event_count == RIG_EVENTS)
			rig_fail(r, "more than %u events wait for the test", RIG_EVENTS);
		r->events[(r->event_first + r->event_count++) % RIG_EVENTS] = events[i];
		if (events[i].what & HF_EV_CLOSED)
			rig_drop_id(r, events[i].id);
	}
	rig_checked(r);
}

void rig_turn(struct rig *r)
{
	rig_half_turn(r);
}

void rig_flush(struct rig *r)
{
	if (!r->turn_open)
		rig_half_turn(r);
	r->turn_open = false;
	hf_flush(r->w, r->now_us);
	rig_checked(r);
	rig_collect(r);
}

void rig_step(struct rig *r, uint64_t end_us)
{
	const uint64_t deadline_us = hf_next_deadline(r->w);

	if (deadline_us > r->now_us)
		r->now_us = deadline_us < end_us ? deadline_us : end_us;
	else if (r->now_us < end_us)
		r->now_us++; /* due already: the turn comes now, and time must not stand still */
	rig_half_turn(r);
	rig_flush(r);
}

void rig_advance(struct rig *r, uint64_t us)
{
	const uint64_t end_us = r->now_us + us;

	rig_flush(r);
	while (r->now_us < end_us)
		rig_step(r, end_us);
}

uint8_t rig_octet(uint32_t offset)
{
	return (uint8_t)(offset * 7 + offset / 251);
}

uint32_t rig_len(struct seg seg)
{
	return seg.text_len + (seg.flags & SEG_SYN ? 1u : 0) + (seg.flags & SEG_FIN ? 1u : 0);
}

void rig_push_raw(struct rig *r, const void *frame, size_t len, const struct hf_push *how)
{
	const struct hf_push plain = { .ip = HF_CHECKSUM_UNKNOWN };
	const int err = hf_memport_push(r->port, frame, len, how ? how : &plain);

	if (err != 0)
		rig_fail(r, "hf_memport_push: %d", err);
}

void rig_push_from(struct rig *r, const struct hf_addr *peer, struct seg seg, const void *text)
{
	uint8_t raw[FRAME_MAX];
	const size_t len = frame_build(raw, &r->in_form, peer, &r->local, &seg, text, NULL, 0);

	rig_log(r, &seg, false);
	rig_push_raw(r, raw, len, NULL);
}

void rig_push(struct rig *r, struct seg seg)
{
	uint8_t text[FRAME_MAX];

	if (seg.wnd == 0)
		seg.wnd = r->wnd;
	if (r->ts_agreed && !(seg.flags & (SEG_SYN | SEG_RST)) && !(seg.options & OPT_TS)) {
		seg.options |= OPT_TS;
		seg.tsval = r->ts_base + (uint32_t)(r->now_us / 1000);
		seg.tsecr = r->tsecr;
	}
	for (unsigned i = 0; i < seg.text_len; i++)
		text[i] = rig_octet(seg.seq - r->irs - 1 + i) ^ r->spoil;
	rig_push_from(r, &r->peer, seg, text);
}

void rig_send(struct rig *r, struct seg seg)
{
	if (r->turn_open)
		rig_flush(r);
	rig_push(r, seg);
	rig_half_turn(r);
}

static bool addr_is(const struct hf_addr *a, const struct hf_addr *b)
{
	return memcmp(a->ip.octets, b->ip.octets, 16) == 0 && a->ip.version == b->ip.version &&
	       a->port == b->port;
}

/* What a frame tells of the connection under test. */
static void rig_learn(struct rig *r, const struct frame *f)
{
	const struct seg *seg = &f->seg;

	if (!addr_is(&f->dst, &r->peer) || seg->flags & SEG_RST)
		return;
	if (seg->options & OPT_TS) {
		if (r->ts_agreed && seq_lt(seg->tsval, r->tsecr))
			rig_fail(r, "our timestamp clock went back (RFC7323-5.4)");
		r->tsecr = seg->tsval;
	}
	if (seg->flags & SEG_SYN)
		r->rw = seg->wnd;
	else
		r->rw = (uint32_t)seg->wnd << r->rcv_shift;
}

void rig_collect(struct rig *r)
{
	for (;;) {
		struct frame *f = &r->out[(r->out_first + r->out_count) % RIG_OUT];
		const char *wrong;
		ssize_t len;

		if (r->out_count == RIG_OUT)
			rig_fail(r, "more than %u frames wait for the test", RIG_OUT);
		len = hf_memport_pop(r->port, f->raw, sizeof(f->raw));
		if (len < 0)
			return;
		f->len = (size_t)len;
		f->at_us = r->now_us;
		wrong = frame_parse(f, &r->out_form);
		if (f->tcp != 0)
			rig_log(r, &f->seg, true);
		if (wrong)
			rig_fail(r, "a frame came out that should not: %s", wrong);
		rig_learn(r, f);
		r->out_count++;
	}
}

const struct frame *rig_pop(struct rig *r)
{
	const struct frame *f = &r->out[r->out_first];

	if (r->turn_open || r->out_count == 0)
		rig_flush(r);
	if (r->out_count == 0)
		return NULL;
	r->out_first = (r->out_first + 1) % RIG_OUT;
	r->out_count--;
	return f;
}

void rig_discard(struct rig *r)
{
	rig_flush(r);
	r->out_count = 0;
}

/* The timestamps of a segment of the connection under test (RFC7323-3.2a). @return what is wrong */
static const char *timestamps_wrong(const struct rig *r, const struct seg *seg)
{
	const uint32_t now = r->ts_base + (uint32_t)(r->now_us / 1000);

	if (seg->flags & (SEG_SYN | SEG_RST))
		return NULL;
	if (!r->ts_agreed)
		return seg->options & OPT_TS ? "timestamps, though not agreed" : NULL;
	if (!(seg->options & OPT_TS))
		return "no timestamps, though agreed";
	if (now - seg->tsecr > now - r->ts_base)
		return "TSecr is nothing the peer has sent";
	return NULL;
}

const struct frame *rig_expect_at(const char *file, int line, struct rig *r, struct seg want)
{
	const uint8_t compared = want.flags & SEG_PSH ? 0xff : (uint8_t)~SEG_PSH;
	const struct frame *f = rig_pop(r);
	const struct seg *seg;
	char a[256], b[256];
	const char *wrong;

	frame_describe(a, sizeof(a), &want);
	if (!f)
		rig_fail_at(file, line, r, "nothing came out, wanted %s", a);
	if (f->tcp == 0)
		rig_fail_at(file, line, r, "no TCP segment came out, wanted %s", a);
	seg = &f->seg;
	frame_describe(b, sizeof(b), seg);
	if (!addr_is(&f->src, &r->local) || !addr_is(&f->dst, &r->peer))
		rig_fail_at(file, line, r, "came out of or to another tuple: %s", b);
	if ((seg->flags & compared) != (want.flags & compared) || seg->seq != want.seq ||
	    seg->ack != want.ack || seg->text_len != want.text_len ||
	    (seg->options & want.options) != want.options)
		rig_fail_at(file, line, r, "wanted %s\n    came   %s", a, b);
	if ((want.options & OPT_MSS && want.mss && seg->mss != want.mss) ||
	    (want.options & OPT_TS && want.tsecr && seg->tsecr != want.tsecr) ||
	    (want.wnd && seg->wnd != want.wnd))
		rig_fail_at(file, line, r, "wanted %s\n    came   %s", a, b);
	for (unsigned i = 0; i < seg->text_len; i++)
		if (f->raw[f->text + i] != rig_octet(seg->seq - r->iss - 1 + i))
			rig_fail_at(file, line, r, "text differs at octet %u of %s", i, b);
	wrong = timestamps_wrong(r, seg);
	if (wrong)
		rig_fail_at(file, line, r, "%s: %s", wrong, b);
	return f;
}

void rig_expect_silence_at(const char *file, int line, struct rig *r, uint64_t us)
{
	char text[256];

	rig_advance(r, us);
	if (r->out_count != 0)
		rig_fail_at(file, line, r, "wanted silence, came %s",
			    frame_describe(text, sizeof(text), &r->out[r->out_first].seg));
}

static void describe_event(char text[128], uint32_t what, int error)
{
	static const char *const names[] = { "CONNECTED ", "ACCEPT ", "READABLE ", "EOF ",
					     "WRITABLE ",  "SENT ",   "CLOSED ",   "SUSPECT " };
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < 8; i++)
		if (what & 1u << i)
			n += (size_t)snprintf(text + n, 128 - n, "%s", names[i]);
	if (error)
		snprintf(text + n, 128 - n, "(%s)", strerrorname_np(error));
}

/* Events of nothing but what tests seldom ask for are passed over. */
static const struct hf_event *next_event(struct rig *r, uint32_t ignored)
{
	while (r->event_count != 0) {
		const struct hf_event *e = &r->events[r->event_first];

		r->event_first = (r->event_first + 1) % RIG_EVENTS;
		r->event_count--;
		if (e->what & ~ignored)
			return e;
	}
	return NULL;
}

const struct hf_event *rig_event_at(const char *file, int line, struct rig *r, uint32_t what,
				    int error)
{
	const uint32_t ignored = (HF_EV_SENT | HF_EV_WRITABLE) & ~what;
	const struct hf_event *e = next_event(r, ignored);
	char a[128], b[128];

	describe_event(a, what, error);
	if (!e)
		rig_fail_at(file, line, r, "no event, wanted %s", a);
	describe_event(b, e->what, e->error);
	if ((e->what & ~ignored) != what || e->error != error)
		rig_fail_at(file, line, r, "wanted event %s, got %s", a, b);
	return e;
}

uint32_t rig_event_bits(struct rig *r)
{
	const struct hf_event *e = next_event(r, 0);

	return e ? e->what : 0;
}

void rig_no_event_at(const char *file, int line, struct rig *r)
{
	const struct hf_event *e = next_event(r, HF_EV_SENT | HF_EV_WRITABLE);
	char text[128];

	if (e) {
		describe_event(text, e->what, e->error);
		rig_fail_at(file, line, r, "wanted no event, got %s", text);
	}
}

void rig_forget_events(struct rig *r)
{
	r->event_count = 0;
}

struct hf_status rig_status(const struct rig *r)
{
	struct hf_status status;

	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &status), 0);
	return status;
}

enum hf_state rig_state(const struct rig *r)
{
	struct hf_status status;

	return hf_lookup(r->w, &r->local, &r->peer, &status) == 0 ? status.state : HF_CLOSED;
}

void rig_expect_state_at(const char *file, int line, struct rig *r, enum hf_state state)
{
	const enum hf_state is = rig_state(r);

	if (is != state)
		rig_fail_at(file, line, r, "wanted %s, is %s", hf_state_name(state),
			    hf_state_name(is));
}

struct hf_levels rig_levels(const struct rig *r)
{
	struct hf_levels levels;

	hf_levels(r->w, &levels);
	return levels;
}

/* @return its number */
static unsigned counter_find(const char *file, int line, const struct rig *r, const char *name)
{
	for (unsigned i = 0; i < hf_counters(); i++)
		if (strcmp(hf_counter_name(i), name) == 0)
			return i;
	rig_fail_at(file, line, r, "no counter is named %s", name);
	return 0;
}

uint64_t rig_counter(const struct rig *r, const char *name)
{
	const unsigned i = counter_find(__FILE__, __LINE__, r, name);

	return hf_counter(r->w, i) - r->start[i];
}

void rig_mark(struct rig *r)
{
	for (unsigned i = 0; i < hf_counters(); i++)
		r->marks[i] = hf_counter(r->w, i);
}

void rig_expect_rose_at(const char *file, int line, struct rig *r, const char *name, uint64_t by)
{
	const unsigned i = counter_find(file, line, r, name);
	const uint64_t rose = hf_counter(r->w, i) - r->marks[i];

	if (rose != by)
		rig_fail_at(file, line, r, "%s rose by %llu, not %llu", name,
			    (unsigned long long)rose, (unsigned long long)by);
}
