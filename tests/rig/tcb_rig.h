/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol alone, without worker or frames: one TCB, request or 2MSL record of lib/tcp, its peer played by
 * the test, under the test's clock. Of unit/test_tcp; rows/ and pair/ have the larger rig of rig.h.
 *
 * After each segment, call or expiry the rig does what a worker does: takes the answers, asks tcp_next until
 * it has no more, frees ranges, and looks at what must always hold. A turn may be kept open for calls.
 */
#ifndef RIG_TCB_RIG_H
#define RIG_TCB_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tcp/flight.h"
#include "tcp/tcp.h"

#define MS(n) ((uint64_t)(n)*1000)
#define SEC(n) ((uint64_t)(n)*1000000)

/* Of the rig r in scope. */
#define ISS (r->iss)
#define IRS (r->irs)

#define RIG_SENT 256
#define RIG_RANGES 128
#define RIG_FLIGHTS 1
#define MSS 1000 /* that both sides announce */

struct rig_sent {
	struct seg seg;
	uint64_t at_us; /* since the test began */
};

struct tcb_rig {
	/* The set-up, for a test to change before the first step. */
	struct tcp_config *config; /* of host */
	bool timestamps;	   /* the peer offers them */
	int wscale;		   /* that the peer offers; -1: none */
	uint16_t mss;		   /* that the peer announces; 0: no option */
	bool active;		   /* rig_to opens from our side */
	bool hold;		   /* rig_to ends our side by SHUTDOWN, not by CLOSE */
	uint16_t wnd;		   /* window field of the peer's segments */
	uint32_t iss, irs;
	uint32_t tsval; /* the peer's; its echo is our last */

	struct tcp_host host;
	struct tcb tcb;
	struct request rq;
	struct timewait tw;
	uint32_t deadline; /* of rq or tw */
	enum { RIG_TCB, RIG_REQUEST, RIG_RECORD } kind;

	struct out out; /* of the last step */
	uint32_t events;
	int32_t error;
	uint32_t delivered; /* octets of text */
	bool turn_open;	    /* nothing is flushed until rig_flush */

	uint64_t began_us, stats[STAT_COUNT], marks[STAT_COUNT];
	struct flight flights[RIG_FLIGHTS];
	struct range ranges[RIG_RANGES];
	uint32_t ranges_used, ranges_freed;
	struct rig_sent sent[RIG_SENT];
	unsigned sent_first, sent_count;
	uint32_t last_tsval; /* of ours */
	uint32_t fin_seq, right_edge;
	bool fin_seen, edge_known, ts_agreed, done;
	const char *variant;
};

/* A test and what it is a test of; run at three sequence offsets, without and with timestamps. */
struct tcb_row {
	const char *name;
	void (*test)(struct tcb_rig *r);
	unsigned variants; /* ROW_*; 0: all six */
};

#define ROW_PLAIN 0x01 /* without timestamps only */
#define ROW_TS 0x02    /* with timestamps only */
#define ROW_ONCE 0x04  /* one variant */

struct tcb_group {
	const char *name;
	const struct tcb_row *rows;
	size_t count;
};

int rig_run(const struct tcb_group *group);

/* Print each edge of tcp_may_follow that no step has taken. @return how many */
int rig_edges_left(void);

/* ---- Steps ---- */

/* Take the TCB to a state through segments and calls; what is sent and said on the way is checked and forgotten.
 * TIME-WAIT and orphaned FIN-WAIT-2 become a record, SYN-RECEIVED a request unless r->active. */
void rig_to(struct tcb_rig *r, enum tcp_state state);
void rig_open(struct tcb_rig *r);   /* active OPEN */
void rig_listen(struct tcb_rig *r); /* the peer's SYN to a listener: a request */
void rig_bucket(struct tcb_rig *r); /* trade the TCB for its record */
/* Forget what has been sent and said so far, and mark the counters. */
void rig_forget(struct tcb_rig *r);

/* A segment from the peer. Left 0 are: len, counted here; wnd, then r->wnd; timestamps, then r->tsval and our last. */
void rig_send(struct tcb_rig *r, struct seg seg);
/* The same, untouched: zero means zero. */
void rig_send_raw(struct tcb_rig *r, const struct seg *seg);
/* ... and on a record, with or without a listener; on a request. */
enum timewait_verdict rig_send_tw(struct tcb_rig *r, struct seg seg, bool listener);
enum request_verdict rig_send_rq(struct tcb_rig *r, struct seg seg);
struct seg rig_fill(const struct tcb_rig *r, struct seg seg);

/* An ACK of all before the una-th full segment of ours, with blocks of segments [from, to); to 0: without. */
void rig_sack(struct tcb_rig *r, uint32_t una, uint32_t from, uint32_t to, uint32_t from2,
	      uint32_t to2);

void rig_write(struct tcb_rig *r, uint32_t len); /* SEND, a range of its own */
void rig_read(struct tcb_rig *r, uint32_t len);
int rig_shutdown(struct tcb_rig *r);
int rig_close(struct tcb_rig *r);
void rig_abort(struct tcb_rig *r);
void rig_flush(struct tcb_rig *r);

/* Move the clock, running every expiry on the way at its time. */
void rig_advance(struct tcb_rig *r, uint64_t us);
/* Move it with nothing run; to see what a late worker does. */
void rig_clock(struct tcb_rig *r, uint64_t us);
uint64_t rig_now(const struct tcb_rig *r); /* since the test began */

/* ---- Expectations ---- */

/* The next segment out has these flags, SEQ, ACK and length of text. @return the whole of it */
const struct seg *rig_expect(struct tcb_rig *r, struct seg seg);
/* ... and left at this time since the test began, give or take one tick late. */
const struct seg *rig_expect_at(struct tcb_rig *r, uint64_t at_us, struct seg seg);
/* The next segment out has len octets of text, the first those of the n-th full segment. */
void rig_expect_text(struct tcb_rig *r, uint32_t n, uint16_t len);
/* Nothing else has come out. */
void rig_silent(struct tcb_rig *r);
/* That counter has risen by so much since rig_forget. */
void rig_counted(struct tcb_rig *r, enum stat stat, uint64_t by);
void rig_state(const struct tcb_rig *r, enum tcp_state state);

#endif
