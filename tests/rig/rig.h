/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker on a memory port, its peer played by the test, under the test's clock (DESIGN 1).
 * A test is a function of a rig; rig_run calls it once for each variant: three sequence offsets and clocks,
 * both IP versions, without and with timestamps. After each, the leak oracle runs (HF-LK1, HF-G1, HF-G2).
 *
 * A turn stays open after rig_send or rig_turn, so that the test's calls join it; the next rig_expect...,
 * rig_pop or rig_advance flushes it. hf_check runs after every step.
 */
#ifndef RIG_RIG_H
#define RIG_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "handfast.h"
#include "rig/frame.h"

#define MS(n) ((uint64_t)(n)*1000)
#define SEC(n) ((uint64_t)(n)*1000000)

/* Of the rig r in scope: our and the peer's initial sequence numbers. */
#define ISS (r->iss)
#define IRS (r->irs)

#define RIG_OUT 128 /* frames that may wait for the test */
#define RIG_EVENTS 128
#define RIG_IDS 64
#define RIG_LISTENERS 16
#define RIG_LOG 48 /* last frames, printed when a test fails */

/* Where rig_to takes a connection. _P from LISTEN, _A from SYN-SENT; of the synchronised states, r->active says. */
enum rig_state {
	RIG_CLOSED,
	RIG_LISTEN,
	RIG_SYN_SENT,
	RIG_SYN_RCVD_P,
	RIG_SYN_RCVD_A,
	RIG_ESTABLISHED,
	RIG_FIN_WAIT_1,
	RIG_FIN_WAIT_2,
	RIG_CLOSE_WAIT,
	RIG_CLOSING,
	RIG_LAST_ACK,
	RIG_TIME_WAIT,
};

struct rig;

/* One test. Its name is a row ID. */
struct row {
	const char *name;
	void (*test)(struct rig *r);
	const void *arg; /* of data-driven tests: r->row->arg */
	/* May change r->config, r->memport before anything is made. Rows without one use a worker for
	 * several variants in turn: its clock goes on, and rig_counter counts from the variant's start. */
	void (*set_up)(struct rig *r);
	unsigned variants; /* ROW_*; 0: all twelve */
};

#define ROW_ONCE 0x01  /* the first variant only: IPv4, no timestamps, ISS 1 */
#define ROW_PLAIN 0x02 /* without timestamps only */
#define ROW_TS 0x04    /* with timestamps only */

struct rig {
	const struct row *row;
	const char *variant; /* in words */

	/* The set-up; a row's set_up may change it. */
	struct hf_config config;
	struct hf_memport memport;
	bool timestamps;  /* the peer offers them */
	bool active;	  /* rig_to opens from our side */
	bool hold;	  /* rig_to ends our side by hf_shutdown, not hf_close */
	uint16_t wnd;	  /* window field of the peer's segments that set none; also MW: 1000 */
	uint8_t spoil;	  /* the peer's text differs from the pattern by this */
	uint16_t unacked; /* octets that our side has sent and rig_to leaves unacknowledged */

	/* The connection under test. rig_to sets these; a test that goes on keeps them up itself. */
	struct hf_addr local, peer;
	uint32_t listener;   /* rig_listen's */
	uint64_t id;	     /* 0: none */
	uint32_t iss, irs;   /* ISS, IRS */
	uint32_t su, sn, mw; /* SND.UNA, SND.NXT, the largest window the peer has offered */
	uint32_t rn, rw;     /* RCV.NXT, RCV.WND: as the last frame out promised, scale applied */
	uint8_t rcv_shift;   /* ... the scale our side offered, 0 until both agreed */
	bool ts_agreed;	     /* peer's segments carry TS by themselves, ours must */
	uint32_t ts_base, tsecr; /* the peer's timestamp clock at time 0; last TSval of ours */
	size_t written, read;	 /* octets so far, of rig_write and rig_read */

	/* The machine. */
	struct hf_worker *w;
	struct hf_port *port, *own_port;
	struct frame_form in_form, out_form;
	uint64_t now_us;
	bool turn_open;
	uint32_t mbufs;		 /* in use before the worker was made */
	uint64_t *start, *marks; /* counters when the rig was made, and at rig_mark */
	uint64_t ids[RIG_IDS];	 /* that live */
	unsigned id_count;
	uint32_t listeners[RIG_LISTENERS];
	unsigned listener_count;
	struct hf_event events[RIG_EVENTS];
	unsigned event_first, event_count;
	struct frame *out; /* a ring of RIG_OUT */
	unsigned out_first, out_count;
	struct {
		uint64_t at_us;
		struct seg seg;
		bool sent; /* by the engine */
	} log[RIG_LOG];
	unsigned logged;
};

/* Run all rows as one cmocka group; argv[1] may name some by a pattern with * and ?. @return main's status */
int rig_run(const char *group, const struct row *rows, size_t count, int argc, char **argv);

/* ---- Steps ---- */

/* A frame from the peer, then the first half of a turn. seg.wnd 0: r->wnd; text as rig_octet says; TS is
 * added where agreed, to all but SYN and RST. */
void rig_send(struct rig *r, struct seg seg);

/* As rig_send but without a turn, so that several make one burst; from whom, with what text. */
void rig_push(struct rig *r, struct seg seg);
void rig_push_from(struct rig *r, const struct hf_addr *peer, struct seg seg, const void *text);
void rig_push_raw(struct rig *r, const void *frame, size_t len, const struct hf_push *how);
/* An ICMP error that quotes our segment of this SEQ, and the rest of its header. from NULL: a router on the way */
void rig_push_error(struct rig *r, const uint8_t *from, uint8_t type, uint8_t code, uint32_t rest,
		    uint32_t seq);

void rig_turn(struct rig *r);  /* the first half alone; flushes the turn before, if open */
void rig_flush(struct rig *r); /* the second, if a turn is open; else a turn and its flush */

/* Move the clock by us, with a turn at each deadline on the way and at the end. */
void rig_advance(struct rig *r, uint64_t us);

/* ---- What came out ---- */

/* The octet of text at an offset of either stream. */
uint8_t rig_octet(uint32_t offset);

/* The oldest frame not looked at is this one: flags (PSH only if asked), seq, ack, length of text and
 * the pattern in it, options asked for; TS where agreed. @return it, valid until the next step */
#define rig_expect(r, ...) rig_expect_at(__FILE__, __LINE__, (r), __VA_ARGS__)
const struct frame *rig_expect_at(const char *file, int line, struct rig *r, struct seg want);

/* Nothing waits, nor comes out in the next us. */
#define rig_expect_silence(r, us) rig_expect_silence_at(__FILE__, __LINE__, (r), (us))
void rig_expect_silence_at(const char *file, int line, struct rig *r, uint64_t us);

/* C, and A which looks alike: <SEQ=SN,ACK=RN,CTL=ACK> */
#define rig_expect_ack(r) rig_expect_at(__FILE__, __LINE__, (r), rig_ack(r))
/* Rs: <SEQ=SN,ACK=RN,CTL=RST,ACK> */
#define rig_expect_rs(r) rig_expect_at(__FILE__, __LINE__, (r), rig_rs(r))
/* Ra, Rn: the answers to seg that need no connection */
#define rig_expect_ra(r, in) rig_expect(r, (struct seg){ .seq = (in).ack, .flags = SEG_RST })
#define rig_expect_rn(r, in) \
	rig_expect(r, (struct seg){ .ack = (in).seq + rig_len(in), .flags = SEG_RST | SEG_ACK })
/* SA of the connection under test */
#define rig_expect_sa(r)                                        \
	rig_expect(r, (struct seg){ .seq = ISS,                 \
				    .ack = IRS + 1,             \
				    .flags = SEG_SYN | SEG_ACK, \
				    .options = (uint8_t)(OPT_MSS | ((r)->timestamps ? OPT_TS : 0)) })

struct seg rig_ack(const struct rig *r); /* the bare ACK of SN and RN, from us */
struct seg rig_rs(const struct rig *r); /* the RST of a live connection, from us; TS where agreed */
struct seg rig_syn(const struct rig *r); /* the peer's SYN as rig_to sends it: MSS, TS if r->timestamps */
uint32_t rig_len(struct seg seg);	 /* SEG.LEN */

/* The oldest frame waiting, whatever it is; NULL: none. Valid until the next step. */
const struct frame *rig_pop(struct rig *r);
void rig_discard(struct rig *r); /* flush, and forget all that waits */

/* ---- What the application sees and does ---- */

/* The oldest event not looked at. SENT and WRITABLE are left out of the comparison unless asked for.
 * @return it */
#define rig_event(r, what) rig_event_at(__FILE__, __LINE__, (r), (what), 0)
#define rig_event_closed(r, error) rig_event_at(__FILE__, __LINE__, (r), HF_EV_CLOSED, (error))
const struct hf_event *rig_event_at(const char *file, int line, struct rig *r, uint32_t what,
				    int error);
uint32_t rig_event_bits(struct rig *r); /* the oldest event's, whatever it is; 0: none */
#define rig_no_event(r) rig_no_event_at(__FILE__, __LINE__, (r))
void rig_no_event_at(const char *file, int line, struct rig *r);
void rig_forget_events(struct rig *r);

/* Sockets made here are let go by the rig at the end. They set r->listener, r->id. */
void rig_listen(struct rig *r); /* at r->local */
uint32_t rig_listen_at(struct rig *r, const struct hf_addr *local, uint64_t cookie);
uint64_t rig_accept(struct rig *r);  /* r->listener's oldest */
uint64_t rig_connect(struct rig *r); /* r->local to r->peer; of port 0, which is then set */

/* hf_send, hf_recv of exactly so many octets more of the pattern, on r->id. */
void rig_write(struct rig *r, size_t len);
void rig_read(struct rig *r, size_t len);

/* ---- States, counters ---- */

/* Take a new connection into a state, by frames and calls. All frames and events of the way are checked
 * and forgotten. Sets id (0 where none lives), su, sn, mw, rn, rw. */
void rig_to(struct rig *r, enum rig_state state);

/* rig_to's first steps alone */
void rig_open_active(struct rig *r);
void rig_open_passive(struct rig *r);

/* From here on another connection, of the peer's next port, is the one under test. */
void rig_another(struct rig *r);

/* What is known of the connection under test, which lives. */
struct hf_status rig_status(const struct rig *r);

/* The state of r->local, r->peer; HF_CLOSED when nothing is known of them (LISTEN too). */
enum hf_state rig_state(const struct rig *r);
#define rig_expect_state(r, state) rig_expect_state_at(__FILE__, __LINE__, (r), (state))
void rig_expect_state_at(const char *file, int line, struct rig *r, enum hf_state state);

struct hf_levels rig_levels(const struct rig *r);
uint64_t rig_counter(const struct rig *r, const char *name); /* since the rig was made */
void rig_mark(struct rig *r);				     /* all counters, for rig_rose */
#define rig_expect_rose(r, name, by) rig_expect_rose_at(__FILE__, __LINE__, (r), (name), (by))
void rig_expect_rose_at(const char *file, int line, struct rig *r, const char *name, uint64_t by);

/* This frame, at this instant, comes to nothing but one drop counter (NULL: any): no answer, no event, no
 * change of the connection under test or of a level. */
#define rig_expect_dropped(r, frame, len, counter) \
	rig_expect_dropped_at(__FILE__, __LINE__, (r), (frame), (len), (counter))
void rig_expect_dropped_at(const char *file, int line, struct rig *r, const void *frame, size_t len,
			   const char *counter);

#define rig_fail(r, ...) rig_fail_at(__FILE__, __LINE__, (r), __VA_ARGS__)
__attribute__((format(printf, 4, 5))) void rig_fail_at(const char *file, int line,
						       const struct rig *r, const char *format, ...);

#endif
