/* SPDX-License-Identifier: BSD-3-Clause */
/* hf_watch: what another thread sees of the frames that pass a worker, and of the states they lead to. */
#include <errno.h>

#include "rig/rig.h"

#define FRAMES 32

static void watch(struct rig *r, uint32_t frames)
{
	struct hf_error why;

	assert_int_equal(hf_watch(r->w, frames, 100, &why), 0);
}

static void see(struct rig *r, bool out, enum hf_state state, uint8_t flags)
{
	const uint32_t ip = r->memport.l3 ? 0 : 14, tcp = ip + (r->local.ip.version == 6 ? 40 : 20);
	struct hf_seen seen;

	if (!hf_watch_next(r->w, &seen))
		rig_fail(r, "no frame where one that leads to %s was due", hf_state_name(state));
	if (seen.out != out || !seen.known || seen.state != state || seen.octets[tcp + 13] != flags)
		rig_fail(r, "%s, %s, flags %#x instead of %s, flags %#x", seen.out ? "out" : "in",
			 hf_state_name(seen.state), seen.octets[tcp + 13], hf_state_name(state),
			 flags);
	assert_int_equal(seen.at_us, r->now_us);
	assert_true(seen.at_ns > 0 && seen.len <= 100 && seen.wire_len >= seen.len);
	assert_int_equal(seen.wait_us, state == HF_TIME_WAIT ? r->config.tcp.tw_len_ms * 1000ull : 0);
}

static void see_nothing(struct rig *r)
{
	struct hf_seen seen;

	assert_false(hf_watch_next(r->w, &seen));
	assert_int_equal(hf_watch_lost(r->w), 0);
}

/* Each segment with the state right after it, though a whole connection is one burst and one flush. */
static void states_in_a_burst(struct rig *r)
{
	rig_listen(r);
	watch(r, FRAMES);
	rig_send(r, rig_syn(r));
	rig_flush(r);
	see(r, false, HF_SYN_RECEIVED, SEG_SYN);
	see(r, true, HF_SYN_RECEIVED, SEG_SYN | SEG_ACK);
	see_nothing(r);
	rig_expect_sa(r);
	rig_push(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_push(r,
		 (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK, .text_len = 700 });
	rig_push(r, (struct seg){ .seq = IRS + 701, .ack = ISS + 1, .flags = SEG_ACK | SEG_FIN });
	rig_turn(r);
	rig_accept(r);
	rig_read(r, 700);
	rig_write(r, 1000);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_flush(r);
	see(r, false, HF_ESTABLISHED, SEG_ACK);
	see(r, false, HF_ESTABLISHED, SEG_ACK);
	see(r, false, HF_CLOSE_WAIT, SEG_ACK | SEG_FIN);
	see(r, true, HF_LAST_ACK, SEG_ACK | SEG_PSH); /* the call moves it (3.10.4), its FIN waits */
	see_nothing(r);
	rig_discard(r);
	r->id = 0;
}

/* By CLOSE, or with the application still there. */
static void our_close(struct rig *r)
{
	const bool held = r->row->arg != NULL;

	rig_to(r, RIG_ESTABLISHED);
	watch(r, FRAMES);
	assert_int_equal(held ? hf_shutdown(r->w, r->id) : hf_close(r->w, r->id), 0);
	rig_flush(r);
	see(r, true, HF_FIN_WAIT_1, SEG_ACK | SEG_FIN);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn + 1, .flags = SEG_ACK });
	rig_flush(r);
	see(r, false, HF_FIN_WAIT_2, SEG_ACK);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn + 1, .flags = SEG_ACK | SEG_FIN });
	rig_flush(r);
	see(r, false, HF_TIME_WAIT, SEG_ACK | SEG_FIN);
	see(r, true, HF_TIME_WAIT, SEG_ACK);
	see_nothing(r);
	rig_discard(r);
	rig_forget_events(r);
}

/* No segment of a connection: LISTEN and CLOSED are told apart; what is damaged has no state. */
static void strangers(struct rig *r)
{
	const struct seg rst = { .seq = IRS, .ack = 7, .flags = SEG_ACK };
	struct hf_seen seen;

	watch(r, FRAMES);
	rig_send(r, rst);
	rig_flush(r);
	see(r, false, HF_CLOSED, SEG_ACK);
	see(r, true, HF_CLOSED, SEG_RST);
	rig_listen(r);
	rig_send(r, rst);
	rig_flush(r);
	see(r, false, HF_LISTEN, SEG_ACK);
	see(r, true, HF_LISTEN, SEG_RST);
	rig_push_raw(r, "0123456789012345678901234567890123456789", 40, NULL);
	rig_turn(r);
	rig_flush(r);
	assert_true(hf_watch_next(r->w, &seen));
	assert_false(seen.known);
	assert_int_equal(seen.wire_len, 40);
	see_nothing(r);
	rig_discard(r);
}

/* Nothing waits for a reader that does not come. */
static void no_room(struct rig *r)
{
	struct hf_seen seen;

	watch(r, 4);
	for (unsigned i = 0; i < 5; i++) {
		rig_send(r, (struct seg){ .seq = IRS, .ack = 7, .flags = SEG_ACK });
		rig_flush(r);
	}
	assert_int_equal(hf_watch_lost(r->w), 6);
	for (unsigned i = 0; i < 4; i++)
		see(r, i % 2, HF_CLOSED, i % 2 ? SEG_RST : SEG_ACK);
	assert_false(hf_watch_next(r->w, &seen));
	rig_send(r, (struct seg){ .seq = IRS, .ack = 7, .flags = SEG_ACK });
	rig_flush(r);
	see(r, false, HF_CLOSED, SEG_ACK);
	see(r, true, HF_CLOSED, SEG_RST);
	assert_int_equal(hf_watch_lost(r->w), 6);
	rig_discard(r);
}

static void set_up(struct rig *r)
{
	(void)r; /* a worker of its own: a watch lasts as long as it does */
}

static void refused(struct rig *r)
{
	struct hf_error why;

	assert_int_equal(hf_watch(r->w, 5, 100, &why), -EINVAL);
	assert_int_equal(hf_watch(r->w, 8, 20, &why), -EINVAL);
	watch(r, 8);
	assert_int_equal(hf_watch(r->w, 8, 100, &why), -EBUSY);
	assert_int_equal(hf_capture_open("/dev/null", &r->port, 1, NULL, &why), -EINVAL);
	assert_int_equal(hf_capture_open("/dev/null", &r->port, 0, NULL, &why), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		{ "watch-burst", states_in_a_burst, NULL, set_up, ROW_PLAIN },
		{ "watch-close", our_close, NULL, set_up, 0 },
		{ "watch-close-held", our_close, "held", set_up, 0 },
		{ "watch-strangers", strangers, NULL, set_up, ROW_ONCE },
		{ "watch-no-room", no_room, NULL, set_up, ROW_PLAIN },
		{ "watch-refused", refused, NULL, set_up, ROW_ONCE },
	};

	return rig_run("watch", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
