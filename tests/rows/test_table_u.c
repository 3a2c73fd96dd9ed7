/* SPDX-License-Identifier: BSD-3-Clause */
/* Table U of REQUIREMENTS 6: what the application may call in which state (RFC 9293 3.10.1 to
 * 3.10.6, SHLD-3). Names: SE-U-<state>-<call>[-<case>]. A state's "-closed" is the one after CLOSE;
 * where no id is left, calls go by the dead one. */
#include <errno.h>
#include <string.h>

#include "rig/rig.h"

enum use_out {
	NO_OUTPUT,
	OUT_SYN,
	OUT_TEXT, /* ten octets */
	OUT_FIN,
	OUT_RESET, /* Rs */
};

/* One call and all that it does. */
struct use {
	enum rig_state in;
	bool hold;	 /* the application has not closed */
	uint16_t unread; /* octets that wait for the application */
	long (*call)(struct rig *r);
	long rc;
	enum use_out out;
	enum hf_state state;
	uint32_t events;
	int error;
	const char *rises;
};

#define TEN 10

static long open_active(struct rig *r)
{
	uint64_t id;
	const int rc = hf_connect(r->w, &r->local, &r->peer, 9, &id);

	if (rc == 0)
		hf_abort(r->w, id);
	return rc;
}

/* A listener of the rig stands where the connection came from; else one can be made beside it. */
static long open_passive(struct rig *r)
{
	uint32_t listener;
	const int rc = hf_listen(r->w, &r->local, 0, &listener);

	if (r->listener_count != 0)
		return rc;
	assert_int_equal(rc, 0);
	assert_int_equal(hf_unlisten(r->w, listener), 0);
	return -EADDRINUSE;
}

static long call_send(struct rig *r)
{
	uint8_t text[TEN];
	long taken;

	for (unsigned i = 0; i < TEN; i++)
		text[i] = rig_octet((uint32_t)r->written + i);
	taken = hf_send(r->w, r->id, text, TEN);
	if (taken > 0)
		r->written += (size_t)taken;
	return taken;
}

static long call_recv(struct rig *r)
{
	uint8_t text[100];

	return hf_recv(r->w, r->id, text, sizeof(text));
}

static long call_shutdown(struct rig *r)
{
	return hf_shutdown(r->w, r->id);
}

static long call_close(struct rig *r)
{
	return hf_close(r->w, r->id);
}

static long call_abort(struct rig *r)
{
	return hf_abort(r->w, r->id);
}

static bool same_status(const struct hf_status *a, const struct hf_status *b)
{
	return a->state == b->state && a->snd_una == b->snd_una && a->snd_nxt == b->snd_nxt &&
	       a->snd_wnd == b->snd_wnd && a->rcv_nxt == b->rcv_nxt && a->rcv_wnd == b->rcv_wnd &&
	       a->deadline_us == b->deadline_us && a->unsent == b->unsent &&
	       a->unacked == b->unacked && a->readable == b->readable;
}

/* STATUS by id and by tuple: the same thing, and nothing has moved when asked again. */
static long call_status(struct rig *r)
{
	struct hf_status by_id, again, by_tuple;
	const int rc = hf_status(r->w, r->id, &by_id);

	assert_int_equal(hf_status(r->w, r->id, &again), rc);
	if (rc != 0)
		return rc;
	assert_true(same_status(&by_id, &again));
	if (hf_lookup(r->w, &r->local, &r->peer, &by_tuple) == 0) {
		assert_int_equal(by_tuple.state, by_id.state);
		assert_int_equal(by_tuple.rcv_nxt, by_id.rcv_nxt);
	}
	return by_id.state;
}

static void use_output(struct rig *r, enum use_out out)
{
	struct seg seg = rig_ack(r);

	switch (out) {
	case NO_OUTPUT:
		break;
	case OUT_SYN:
		rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN, .options = OPT_MSS });
		break;
	case OUT_TEXT:
		seg.text_len = TEN;
		rig_expect(r, seg);
		break;
	case OUT_FIN:
		seg.flags |= SEG_FIN;
		rig_expect(r, seg);
		break;
	case OUT_RESET:
		rig_expect_rs(r);
		break;
	}
}

static void take_unread(struct rig *r, uint16_t len)
{
	if (len == 0)
		return;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->su, .flags = SEG_ACK, .text_len = len });
	r->rn += len;
	rig_event(r, HF_EV_READABLE);
	rig_advance(r, MS(40));
	rig_expect_ack(r);
}

static void use_run(struct rig *r)
{
	const struct use *u = r->row->arg;

	r->hold = u->hold;
	rig_to(r, u->in);
	take_unread(r, u->unread);
	rig_mark(r);
	assert_int_equal(u->call(r), u->rc);
	use_output(r, u->out);
	rig_turn(r);
	if (u->events)
		rig_event_at(__FILE__, __LINE__, r, u->events, u->error);
	rig_no_event(r);
	rig_expect_state(r, u->state);
	if (u->rises)
		rig_expect_rose(r, u->rises, 1);
	rig_expect_silence(r, MS(100)); /* shorter than the shortest RTO */
	rig_no_event(r);
	rig_expect_state(r, u->state);
}

#define USE(id, ...)                                                            \
	{                                                                       \
		.name = "SE-U-" id, .test = use_run, .arg = &(const struct use) \
		{                                                               \
			__VA_ARGS__                                             \
		}                                                               \
	}

/* Either OPEN: the tuple, or the listener's place, is taken. */
#define TAKEN(id, ...)                                                               \
	USE(id "-OPEN-active", .call = open_active, .rc = -EADDRINUSE, __VA_ARGS__), \
		USE(id "-OPEN-passive", .call = open_passive, .rc = -EADDRINUSE, __VA_ARGS__)

#define ENDS(how) .state = HF_CLOSED, .events = HF_EV_CLOSED, .error = (how)

/* The application has closed: only ABORT and CLOSE know the id. */
#define CLOSED_ONE(id, ...)                                                                    \
	TAKEN(id, __VA_ARGS__), USE(id "-SEND", .call = call_send, .rc = -EBADF, __VA_ARGS__), \
		USE(id "-RECEIVE", .call = call_recv, .rc = -EBADF, __VA_ARGS__),              \
		USE(id "-SHUTDOWN", .call = call_shutdown, .rc = -EBADF, __VA_ARGS__),         \
		USE(id "-CLOSE", .call = call_close, .rc = -EALREADY, __VA_ARGS__)

/* The id is dead: nothing can be done by it. */
#define DEAD(id, ...)                                                                  \
	USE(id "-SEND", .call = call_send, .rc = -EBADF, __VA_ARGS__),                 \
		USE(id "-RECEIVE", .call = call_recv, .rc = -EBADF, __VA_ARGS__),      \
		USE(id "-SHUTDOWN", .call = call_shutdown, .rc = -EBADF, __VA_ARGS__), \
		USE(id "-CLOSE", .call = call_close, .rc = -EBADF, __VA_ARGS__),       \
		USE(id "-ABORT", .call = call_abort, .rc = -EBADF, __VA_ARGS__),       \
		USE(id "-STATUS", .call = call_status, .rc = -EBADF, __VA_ARGS__)

/* Our side has ended, the application still reads. */
#define ENDED(id, ...)                                                                         \
	TAKEN(id, __VA_ARGS__), USE(id "-SEND", .call = call_send, .rc = -EPIPE, __VA_ARGS__), \
		USE(id "-SHUTDOWN", .call = call_shutdown, .rc = -EPIPE, __VA_ARGS__)

static struct seg peer_ack(const struct rig *r)
{
	return (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK };
}

static void expect_ours(struct rig *r, uint8_t flags, uint16_t len)
{
	struct seg seg = rig_ack(r);

	seg.flags |= flags;
	seg.text_len = len;
	rig_expect(r, seg);
	r->sn += rig_len(seg);
}

/* The peer's SYN-ACK to our SYN. */
static void answer_syn(struct rig *r)
{
	struct seg seg = rig_syn(r);

	seg.flags = SEG_SYN | SEG_ACK;
	seg.ack = r->iss + 1;
	seg.tsecr = r->tsecr;
	rig_send(r, seg);
	r->rn = r->irs + 1;
	r->ts_agreed = r->timestamps;
}

/* ---- CLOSED, LISTEN ---------------------------------------------------------------------- */

static void closed__open_active__syn(struct rig *r)
{
	rig_connect(r);
	use_output(r, OUT_SYN);
	rig_expect_state(r, HF_SYN_SENT);
	rig_expect_silence(r, MS(100));
	assert_int_equal(rig_counter(r, "active_attempted"), 1);
}

static void closed__open_passive__listens(struct rig *r)
{
	struct hf_state_level levels[HF_STATES];

	rig_listen(r);
	rig_expect_silence(r, MS(100));
	hf_state_levels(r->w, levels);
	assert_int_equal(levels[HF_LISTEN].now, 1);
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	rig_expect_state(r, HF_SYN_RECEIVED);
}

/* Ids that were never given out. */
static void closed__calls_by_no_id__ebadf(struct rig *r)
{
	static const uint64_t ids[] = { 0, 1, UINT64_MAX, 1ull << 63, 0x0000000100000001 };

	for (unsigned i = 0; i < 5; i++) {
		r->id = ids[i];
		assert_int_equal(call_send(r), -EBADF);
		assert_int_equal(call_recv(r), -EBADF);
		assert_int_equal(call_shutdown(r), -EBADF);
		assert_int_equal(call_close(r), -EBADF);
		assert_int_equal(call_abort(r), -EBADF);
		assert_int_equal(call_status(r), -EBADF);
	}
	rig_expect_silence(r, MS(100));
}

/* An id whose place another connection has taken since stays dead. */
static void closed__place_taken_again__old_id_dead(struct rig *r)
{
	uint64_t old;

	rig_to(r, RIG_ESTABLISHED);
	old = r->id;
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	for (unsigned i = 0; i < 16; i++) { /* all there are */
		rig_another(r);
		rig_to(r, RIG_ESTABLISHED);
		assert_int_not_equal(r->id, old);
	}
	r->id = old;
	assert_int_equal(call_send(r), -EBADF);
	assert_int_equal(call_recv(r), -EBADF);
	assert_int_equal(call_shutdown(r), -EBADF);
	assert_int_equal(call_close(r), -EBADF);
	assert_int_equal(call_abort(r), -EBADF);
	rig_expect_silence(r, MS(100));
	assert_int_equal(rig_levels(r).connections.used, 16);
}

/* Each call on a listener's own port, and the listener stays. */
static void listen__open_active__exists(struct rig *r)
{
	struct hf_addr peer = r->peer;
	uint64_t id;

	rig_listen(r);
	peer.port++;
	assert_int_equal(hf_connect(r->w, &r->local, &peer, 0, &id), -EADDRINUSE);
	rig_expect_silence(r, MS(100));
	rig_open_passive(r);
}

static void listen__close__children_reset_half_opens_vanish(struct rig *r)
{
	struct rig child;

	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_ACCEPT);
	rig_flush(r);
	child = *r;
	rig_another(r);
	rig_to(r, RIG_SYN_RCVD_P);
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	r->listener_count = 0;
	assert_int_equal(hf_unlisten(r->w, r->listener), -EBADF);
	r->peer = child.peer;
	r->ts_agreed = child.ts_agreed;
	rig_expect_rs(r);
	rig_expect_silence(r, SEC(2));
	rig_turn(r);
	rig_no_event(r);
	assert_int_equal(rig_levels(r).flows.used, 0);
	assert_int_equal(rig_levels(r).connections.used, 0);
}

static void listen__calls_by_its_number__ebadf(struct rig *r)
{
	rig_listen(r);
	r->id = r->listener;
	assert_int_equal(call_send(r), -EBADF);
	assert_int_equal(call_recv(r), -EBADF);
	assert_int_equal(call_shutdown(r), -EBADF);
	assert_int_equal(call_abort(r), -EBADF);
	r->id = 0;
	rig_open_passive(r);
}

/* ---- SYN-SENT, SYN-RECEIVED --------------------------------------------------------------- */

/* SEND is queued and leaves, whole and in order, once the peer has answered. */
static void syn_sent__send__leaves_when_established(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	assert_int_equal(call_send(r), TEN);
	rig_expect_silence(r, MS(100));
	assert_int_equal(call_recv(r), -EAGAIN);
	answer_syn(r);
	rig_event(r, HF_EV_CONNECTED);
	expect_ours(r, 0, TEN); /* which is the handshake's ACK as well */
	rig_expect_silence(r, MS(100));
	rig_expect_state(r, HF_ESTABLISHED);
}

static void syn_sent__shutdown__fin_after_syn(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	assert_int_equal(call_shutdown(r), 0);
	assert_int_equal(call_send(r), -EPIPE);
	assert_int_equal(call_shutdown(r), -EPIPE);
	rig_expect_silence(r, MS(100));
	answer_syn(r);
	rig_event(r, HF_EV_CONNECTED);
	expect_ours(r, SEG_FIN, 0);
	rig_expect_state(r, HF_FIN_WAIT_1);
	rig_expect_silence(r, MS(100));
}

static void syn_sent__send_shutdown__text_and_fin_after_syn(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	assert_int_equal(call_send(r), TEN);
	assert_int_equal(call_shutdown(r), 0);
	rig_expect_silence(r, MS(100));
	answer_syn(r);
	rig_event(r, HF_EV_CONNECTED);
	expect_ours(r, SEG_FIN, TEN);
	rig_expect_state(r, HF_FIN_WAIT_1);
}

static void syn_rcvd_a__send__leaves_when_established(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	assert_int_equal(call_send(r), TEN);
	assert_int_equal(call_recv(r), -EAGAIN);
	rig_expect_silence(r, MS(100));
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_CONNECTED);
	expect_ours(r, 0, TEN);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, MS(100));
}

/* With text queued the FIN waits for ESTABLISHED, CLOSE's like SHUTDOWN's. */
static void syn_rcvd_a__send_then_end__waits(struct rig *r)
{
	for (unsigned i = 0; i < 2; i++) {
		rig_another(r);
		rig_to(r, RIG_SYN_RCVD_A);
		assert_int_equal(call_send(r), TEN);
		assert_int_equal(i ? call_close(r) : call_shutdown(r), 0);
		rig_expect_silence(r, MS(100));
		rig_expect_state(r, HF_SYN_RECEIVED);
		rig_send(r, peer_ack(r));
		if (i == 0)
			rig_event(r, HF_EV_CONNECTED);
		rig_no_event(r);
		expect_ours(r, SEG_FIN, TEN);
		rig_expect_state(r, HF_FIN_WAIT_1);
		rig_expect_silence(r, MS(100));
		assert_int_equal(call_abort(r), 0);
		rig_expect_rs(r);
		rig_turn(r);
		rig_event_closed(r, ECONNABORTED);
	}
}

/* FIN-WAIT-1 straight from SYN-RECEIVED: what comes then is judged by the new state. */
static void syn_rcvd_a__shutdown__goes_on_from_fin_wait_1(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	assert_int_equal(call_shutdown(r), 0);
	expect_ours(r, SEG_FIN, 0);
	rig_expect_state(r, HF_FIN_WAIT_1);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = ISS + 1, .flags = SEG_ACK });
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_state(r, HF_FIN_WAIT_1);
	assert_int_equal(rig_counter(r, "active_established"), 1);
	rig_advance(r, MS(200));
	r->sn--;
	expect_ours(r, SEG_FIN, 0);
	rig_send(r, peer_ack(r));
	rig_expect_silence(r, MS(100));
	rig_expect_state(r, HF_FIN_WAIT_2);
}

/* ... and the SYN, which the FIN must not overtake, is what the timer repeats. */
static void syn_rcvd_a__shutdown_silence__syn_ack_again(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	assert_int_equal(call_shutdown(r), 0);
	expect_ours(r, SEG_FIN, 0);
	rig_advance(r, SEC(1));
	rig_expect_sa(r);
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_silence(r, MS(100));
	rig_expect_state(r, HF_FIN_WAIT_2);
}

/* ---- Ends --------------------------------------------------------------------------------- */

/* RECEIVE after the peer's FIN: the rest, then end of file as often as asked. */
static void after_fin__recv__rest_then_eof(struct rig *r)
{
	for (unsigned i = 0; i < 2; i++) {
		rig_another(r);
		rig_to(r, RIG_ESTABLISHED);
		take_unread(r, TEN);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
		r->rn++;
		rig_event(r, HF_EV_EOF);
		rig_expect_ack(r);
		if (i == 1) {
			assert_int_equal(call_shutdown(r), 0);
			expect_ours(r, SEG_FIN, 0);
			rig_expect_state(r, HF_LAST_ACK);
		}
		rig_read(r, TEN);
		assert_int_equal(call_recv(r), 0);
		assert_int_equal(call_recv(r), 0);
	}
}

/* TW-1: text unread when TIME-WAIT begins is still there. */
static void time_wait__recv__rest_then_eof(struct rig *r)
{
	r->hold = true;
	rig_to(r, RIG_FIN_WAIT_2);
	take_unread(r, TEN);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
	r->rn++;
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_read(r, TEN);
	assert_int_equal(call_recv(r), 0);
	assert_int_equal(call_status(r), HF_TIME_WAIT);
	assert_int_equal(call_close(r), 0);
	assert_int_equal(call_close(r), -EBADF);
	rig_turn(r);
	rig_event_closed(r, 0);
	rig_expect_silence(r, SEC(1));
	rig_expect_state(r, HF_TIME_WAIT);
}

/* The record goes its own way; the application's side of the connection may outlive it. */
static void time_wait__held_beyond_2msl__id_lives(struct rig *r)
{
	r->hold = true;
	rig_to(r, RIG_TIME_WAIT);
	rig_expect_silence(r, SEC(61));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(call_send(r), -EPIPE);
	assert_int_equal(call_shutdown(r), -EPIPE);
	assert_int_equal(call_recv(r), 0);
	assert_int_equal(call_close(r), 0);
	rig_turn(r);
	rig_event_closed(r, 0);
	rig_expect_silence(r, SEC(1));
}

/* MAY-1, SHLD-3, in CLOSE-WAIT: what waits was sent before the FIN. */
static void close_wait__close_with_unread__rs(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	take_unread(r, TEN);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
	r->rn++;
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	assert_int_equal(call_close(r), 0);
	rig_expect_rs(r);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "rst_out_unread"), 1);
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
}

/* A second CLOSE or ABORT is an error code, and there is one FIN. */
static void twice__each_state__errors_and_one_fin(struct rig *r)
{
	static const enum rig_state states[] = { RIG_SYN_RCVD_A, RIG_ESTABLISHED, RIG_CLOSE_WAIT };

	for (unsigned i = 0; i < 3; i++) {
		rig_another(r);
		rig_to(r, states[i]);
		assert_int_equal(call_close(r), 0);
		assert_int_equal(call_close(r), -EALREADY);
		assert_int_equal(call_shutdown(r), -EBADF);
		expect_ours(r, SEG_FIN, 0);
		assert_int_equal(call_close(r), -EALREADY);
		rig_expect_silence(r, MS(100));
		assert_int_equal(call_abort(r), 0);
		assert_int_equal(call_abort(r), -EBADF);
		assert_int_equal(call_close(r), -EBADF);
		if (states[i] != RIG_CLOSE_WAIT) /* LAST-ACK goes without a word */
			rig_expect_rs(r);
		rig_turn(r);
		rig_event_closed(r, ECONNABORTED);
		rig_no_event(r);
		assert_int_equal(call_abort(r), -EBADF);
		rig_expect_silence(r, MS(100));
		rig_expect_state(r, HF_CLOSED);
	}
	assert_int_equal(rig_counter(r, "fin_out"), 3);
}

/* ABORT with text on its way and waiting either way: all of it goes. */
static void established__abort_with_queues__all_dropped(struct rig *r)
{
	r->unacked = 500;
	rig_to(r, RIG_ESTABLISHED);
	take_unread(r, TEN);
	rig_write(r, 3000); /* more than the peer's window takes */
	assert_int_equal(call_abort(r), 0);
	rig_expect_rs(r);
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	assert_int_equal(rig_levels(r).ranges.used, 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);
	rig_expect_silence(r, SEC(5));
	assert_int_equal(rig_counter(r, "rst_out_abort"), 1);
	assert_int_equal(rig_counter(r, "lost_aborted"), 1);
}

#define ALONE(id, function)                          \
	{                                            \
		.name = "SE-U-" id, .test = function \
	}

static const struct row rows[] = {
	ALONE("CLOSED-OPEN-active", closed__open_active__syn),
	ALONE("CLOSED-OPEN-passive", closed__open_passive__listens),
	DEAD("CLOSED", .in = RIG_CLOSED),
	ALONE("CLOSED-calls", closed__calls_by_no_id__ebadf),
	ALONE("CLOSED-calls-stale", closed__place_taken_again__old_id_dead),

	ALONE("LISTEN-OPEN-active", listen__open_active__exists),
	USE("LISTEN-OPEN-passive", .in = RIG_LISTEN, .call = open_passive, .rc = -EADDRINUSE),
	ALONE("LISTEN-CLOSE, -ABORT", listen__close__children_reset_half_opens_vanish),
	ALONE("LISTEN-SEND, -RECEIVE, -SHUTDOWN", listen__calls_by_its_number__ebadf),

	TAKEN("SYN_SENT", .in = RIG_SYN_SENT, .state = HF_SYN_SENT),
	ALONE("SYN_SENT-SEND", syn_sent__send__leaves_when_established),
	USE("SYN_SENT-RECEIVE", .in = RIG_SYN_SENT, .call = call_recv, .rc = -EAGAIN,
	    .state = HF_SYN_SENT),
	ALONE("SYN_SENT-SHUTDOWN", syn_sent__shutdown__fin_after_syn),
	ALONE("SYN_SENT-SHUTDOWN-text", syn_sent__send_shutdown__text_and_fin_after_syn),
	USE("SYN_SENT-CLOSE", .in = RIG_SYN_SENT, .call = call_close, ENDS(ECONNABORTED),
	    .rises = "failed_aborted"),
	USE("SYN_SENT-ABORT", .in = RIG_SYN_SENT, .call = call_abort, ENDS(ECONNABORTED),
	    .rises = "failed_aborted"),
	USE("SYN_SENT-STATUS", .in = RIG_SYN_SENT, .call = call_status, .rc = HF_SYN_SENT,
	    .state = HF_SYN_SENT),

	TAKEN("SYN_RCVD/p", .in = RIG_SYN_RCVD_P, .state = HF_SYN_RECEIVED),
	TAKEN("SYN_RCVD/a", .in = RIG_SYN_RCVD_A, .state = HF_SYN_RECEIVED),
	ALONE("SYN_RCVD/a-SEND", syn_rcvd_a__send__leaves_when_established),
	USE("SYN_RCVD/a-RECEIVE", .in = RIG_SYN_RCVD_A, .call = call_recv, .rc = -EAGAIN,
	    .state = HF_SYN_RECEIVED),
	USE("SYN_RCVD/a-SHUTDOWN", .in = RIG_SYN_RCVD_A, .call = call_shutdown, .out = OUT_FIN,
	    .state = HF_FIN_WAIT_1),
	ALONE("SYN_RCVD/a-SHUTDOWN, -CLOSE-text", syn_rcvd_a__send_then_end__waits),
	ALONE("SYN_RCVD/a-SHUTDOWN-on", syn_rcvd_a__shutdown__goes_on_from_fin_wait_1),
	ALONE("SYN_RCVD/a-SHUTDOWN-silence", syn_rcvd_a__shutdown_silence__syn_ack_again),
	USE("SYN_RCVD/a-CLOSE", .in = RIG_SYN_RCVD_A, .call = call_close, .out = OUT_FIN,
	    .state = HF_FIN_WAIT_1, .rises = "orphans"),
	USE("SYN_RCVD/a-ABORT", .in = RIG_SYN_RCVD_A, .call = call_abort, .out = OUT_RESET,
	    ENDS(ECONNABORTED), .rises = "rst_out_abort"),
	USE("SYN_RCVD/a-STATUS", .in = RIG_SYN_RCVD_A, .call = call_status, .rc = HF_SYN_RECEIVED,
	    .state = HF_SYN_RECEIVED),

	TAKEN("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	USE("ESTABLISHED-SEND", .in = RIG_ESTABLISHED, .call = call_send, .rc = TEN,
	    .out = OUT_TEXT, .state = HF_ESTABLISHED),
	USE("ESTABLISHED-RECEIVE", .in = RIG_ESTABLISHED, .call = call_recv, .rc = -EAGAIN,
	    .state = HF_ESTABLISHED),
	USE("ESTABLISHED-RECEIVE-text", .in = RIG_ESTABLISHED, .unread = 33, .call = call_recv,
	    .rc = 33, .state = HF_ESTABLISHED),
	USE("ESTABLISHED-SHUTDOWN", .in = RIG_ESTABLISHED, .call = call_shutdown, .out = OUT_FIN,
	    .state = HF_FIN_WAIT_1),
	USE("ESTABLISHED-SHUTDOWN-unread", .in = RIG_ESTABLISHED, .unread = TEN,
	    .call = call_shutdown, .out = OUT_FIN, .state = HF_FIN_WAIT_1),
	USE("ESTABLISHED-CLOSE", .in = RIG_ESTABLISHED, .call = call_close, .out = OUT_FIN,
	    .state = HF_FIN_WAIT_1, .rises = "orphans"),
	USE("ESTABLISHED-CLOSE-unread", .in = RIG_ESTABLISHED, .unread = TEN, .call = call_close,
	    .out = OUT_RESET, ENDS(ECONNABORTED), .rises = "rst_out_unread"),
	USE("ESTABLISHED-ABORT", .in = RIG_ESTABLISHED, .call = call_abort, .out = OUT_RESET,
	    ENDS(ECONNABORTED), .rises = "lost_aborted"),
	ALONE("ESTABLISHED-ABORT-queues", established__abort_with_queues__all_dropped),
	USE("ESTABLISHED-STATUS", .in = RIG_ESTABLISHED, .call = call_status, .rc = HF_ESTABLISHED,
	    .state = HF_ESTABLISHED),

	ENDED("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	USE("FIN_WAIT_1-RECEIVE", .in = RIG_FIN_WAIT_1, .hold = true, .call = call_recv,
	    .rc = -EAGAIN, .state = HF_FIN_WAIT_1),
	USE("FIN_WAIT_1-RECEIVE-text", .in = RIG_FIN_WAIT_1, .hold = true, .unread = 33,
	    .call = call_recv, .rc = 33, .state = HF_FIN_WAIT_1),
	USE("FIN_WAIT_1-CLOSE", .in = RIG_FIN_WAIT_1, .hold = true, .call = call_close,
	    .state = HF_FIN_WAIT_1, .rises = "orphans"),
	USE("FIN_WAIT_1-CLOSE-unread", .in = RIG_FIN_WAIT_1, .hold = true, .unread = TEN,
	    .call = call_close, .out = OUT_RESET, ENDS(ECONNABORTED), .rises = "rst_out_unread"),
	USE("FIN_WAIT_1-ABORT", .in = RIG_FIN_WAIT_1, .hold = true, .call = call_abort,
	    .out = OUT_RESET, ENDS(ECONNABORTED)),
	USE("FIN_WAIT_1-STATUS", .in = RIG_FIN_WAIT_1, .hold = true, .call = call_status,
	    .rc = HF_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	CLOSED_ONE("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	USE("FIN_WAIT_1-closed-ABORT", .in = RIG_FIN_WAIT_1, .call = call_abort, .out = OUT_RESET,
	    ENDS(ECONNABORTED)),

	ENDED("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	USE("FIN_WAIT_2-RECEIVE", .in = RIG_FIN_WAIT_2, .hold = true, .call = call_recv,
	    .rc = -EAGAIN, .state = HF_FIN_WAIT_2),
	USE("FIN_WAIT_2-RECEIVE-text", .in = RIG_FIN_WAIT_2, .hold = true, .unread = 33,
	    .call = call_recv, .rc = 33, .state = HF_FIN_WAIT_2),
	USE("FIN_WAIT_2-CLOSE", .in = RIG_FIN_WAIT_2, .hold = true, .call = call_close,
	    .state = HF_FIN_WAIT_2, .events = HF_EV_CLOSED, .rises = "fw2_entered"),
	USE("FIN_WAIT_2-CLOSE-unread", .in = RIG_FIN_WAIT_2, .hold = true, .unread = TEN,
	    .call = call_close, .out = OUT_RESET, ENDS(ECONNABORTED), .rises = "rst_out_unread"),
	USE("FIN_WAIT_2-ABORT", .in = RIG_FIN_WAIT_2, .hold = true, .call = call_abort,
	    .out = OUT_RESET, ENDS(ECONNABORTED)),
	USE("FIN_WAIT_2-STATUS", .in = RIG_FIN_WAIT_2, .hold = true, .call = call_status,
	    .rc = HF_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	TAKEN("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	DEAD("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),

	TAKEN("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	USE("CLOSE_WAIT-SEND", .in = RIG_CLOSE_WAIT, .call = call_send, .rc = TEN, .out = OUT_TEXT,
	    .state = HF_CLOSE_WAIT),
	USE("CLOSE_WAIT-RECEIVE", .in = RIG_CLOSE_WAIT, .call = call_recv, .rc = 0,
	    .state = HF_CLOSE_WAIT),
	ALONE("CLOSE_WAIT, LAST_ACK-RECEIVE-text", after_fin__recv__rest_then_eof),
	USE("CLOSE_WAIT-SHUTDOWN", .in = RIG_CLOSE_WAIT, .call = call_shutdown, .out = OUT_FIN,
	    .state = HF_LAST_ACK),
	USE("CLOSE_WAIT-CLOSE", .in = RIG_CLOSE_WAIT, .call = call_close, .out = OUT_FIN,
	    .state = HF_LAST_ACK, .rises = "orphans"),
	ALONE("CLOSE_WAIT-CLOSE-unread", close_wait__close_with_unread__rs),
	USE("CLOSE_WAIT-ABORT", .in = RIG_CLOSE_WAIT, .call = call_abort, .out = OUT_RESET,
	    ENDS(ECONNABORTED)),
	USE("CLOSE_WAIT-STATUS", .in = RIG_CLOSE_WAIT, .call = call_status, .rc = HF_CLOSE_WAIT,
	    .state = HF_CLOSE_WAIT),

	ENDED("CLOSING", .in = RIG_CLOSING, .hold = true, .state = HF_CLOSING),
	USE("CLOSING-RECEIVE", .in = RIG_CLOSING, .hold = true, .call = call_recv, .rc = 0,
	    .state = HF_CLOSING),
	USE("CLOSING-CLOSE", .in = RIG_CLOSING, .hold = true, .call = call_close,
	    .state = HF_CLOSING, .rises = "orphans"),
	USE("CLOSING-ABORT", .in = RIG_CLOSING, .hold = true, .call = call_abort, ENDS(ECONNABORTED)),
	USE("CLOSING-STATUS", .in = RIG_CLOSING, .hold = true, .call = call_status,
	    .rc = HF_CLOSING, .state = HF_CLOSING),
	CLOSED_ONE("CLOSING-closed", .in = RIG_CLOSING, .state = HF_CLOSING),
	USE("CLOSING-closed-ABORT", .in = RIG_CLOSING, .call = call_abort, ENDS(ECONNABORTED)),

	ENDED("LAST_ACK", .in = RIG_LAST_ACK, .hold = true, .state = HF_LAST_ACK),
	USE("LAST_ACK-RECEIVE", .in = RIG_LAST_ACK, .hold = true, .call = call_recv, .rc = 0,
	    .state = HF_LAST_ACK),
	USE("LAST_ACK-CLOSE", .in = RIG_LAST_ACK, .hold = true, .call = call_close,
	    .state = HF_LAST_ACK, .rises = "orphans"),
	USE("LAST_ACK-ABORT", .in = RIG_LAST_ACK, .hold = true, .call = call_abort,
	    ENDS(ECONNABORTED)),
	USE("LAST_ACK-STATUS", .in = RIG_LAST_ACK, .hold = true, .call = call_status,
	    .rc = HF_LAST_ACK, .state = HF_LAST_ACK),
	CLOSED_ONE("LAST_ACK-closed", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),
	USE("LAST_ACK-closed-ABORT", .in = RIG_LAST_ACK, .call = call_abort, ENDS(ECONNABORTED)),

	USE("TIME_WAIT-OPEN-active", .in = RIG_TIME_WAIT, .call = open_active, .rc = -EADDRNOTAVAIL,
	    .state = HF_TIME_WAIT, .rises = "tw_reuse_young"),
	USE("TIME_WAIT-SEND", .in = RIG_TIME_WAIT, .hold = true, .call = call_send, .rc = -EPIPE,
	    .state = HF_TIME_WAIT),
	USE("TIME_WAIT-RECEIVE", .in = RIG_TIME_WAIT, .hold = true, .call = call_recv, .rc = 0,
	    .state = HF_TIME_WAIT),
	ALONE("TIME_WAIT-RECEIVE-text", time_wait__recv__rest_then_eof),
	ALONE("TIME_WAIT-calls-late", time_wait__held_beyond_2msl__id_lives),
	USE("TIME_WAIT-SHUTDOWN", .in = RIG_TIME_WAIT, .hold = true, .call = call_shutdown,
	    .rc = -EPIPE, .state = HF_TIME_WAIT),
	USE("TIME_WAIT-CLOSE", .in = RIG_TIME_WAIT, .hold = true, .call = call_close,
	    .state = HF_TIME_WAIT, .events = HF_EV_CLOSED),
	USE("TIME_WAIT-ABORT", .in = RIG_TIME_WAIT, .hold = true, .call = call_abort,
	    .state = HF_TIME_WAIT, .events = HF_EV_CLOSED),
	USE("TIME_WAIT-STATUS", .in = RIG_TIME_WAIT, .hold = true, .call = call_status,
	    .rc = HF_TIME_WAIT, .state = HF_TIME_WAIT),
	DEAD("TIME_WAIT-closed", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),

	ALONE("CLOSE, -ABORT-twice", twice__each_state__errors_and_one_fin),
};

int main(int argc, char **argv)
{
	return rig_run("Table U", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
