/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker: all that one core touches, and what its handles lead to. The files of io/ that make up
 * the turn share this header; nothing outside io/ sees it. */
#ifndef HF_WORKER_H
#define HF_WORKER_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ring.h>

#include "handfast.h"
#include "io/budget.h"
#include "io/impair.h"
#include "io/port.h"
#include "io/steer.h"
#include "stats.h"
#include "table/cookie.h"
#include "table/flow.h"
#include "table/iss.h"
#include "table/listen.h"
#include "table/neigh.h"
#include "table/pool.h"
#include "table/ports.h"
#include "table/wheel.h"
#include "tcp/reassembly.h"
#include "tcp/sendq.h"
#include "tcp/tcp.h"
#include "wire/build.h"
#include "wire/parse.h"

#define BURST 32     /* frames received in a turn */
#define TX_QUEUE 128 /* frames gathered before the device is asked to take them */
#define TX_HELD_UP \
	(TX_QUEUE - BURST - 1) /* ... of which a flush leaves those after for the answers of a turn */
#define TSO_MAX 65280	       /* octets of text: with the longest headers they fit an IP packet */
#define SPARE 64	       /* mbufs at hand between a turn and its flush */

enum connection_flags {
	CONN_OWED = 1 << 0,	 /* in the list of those that hf_flush asks */
	CONN_READY = 1 << 1,	 /* in the list of those that have events */
	CONN_WAITING = 1 << 2,	 /* in its listener's accept queue */
	CONN_DETACHED = 1 << 3,	 /* TIME-WAIT or CLOSED, held by the application: in no table */
	CONN_CLOSED = 1 << 4,	 /* over; HF_EV_CLOSED is the last thing it gives */
	CONN_DEAD = 1 << 5,	 /* given back as soon as it leaves the list of the owed */
	CONN_ANNOUNCED = 1 << 6, /* HF_EV_ACCEPT has been given */
};

/* Behind tuple and entry. The TCB begins in the first cache line. */
struct connection {
	struct tcb tcb;
	uint32_t generation; /* survives the connection, so that an old id is told from a new one */
	uint16_t flags;	     /* CONN_* */
	uint16_t port_list;  /* 1 + number of its port list; 0: the port was given, or passive */
	handle owed_next, ready_next;
	uint16_t events;   /* HF_EV_*, not told yet */
	uint16_t listener; /* passive: whose */
	int32_t error;
	struct rte_mbuf *rxq_head, *rxq_tail; /* text not taken yet, first octet first */
	union {
		uint64_t cookie; /* accepted, or active */
		struct {
			handle next, prev; /* CONN_WAITING */
		} accept;
	};
};

_Static_assert(RECORD_OCTETS(4, sizeof(struct request)) <= 64 &&
		       RECORD_OCTETS(6, sizeof(struct request)) <= 96,
	       "");
_Static_assert(RECORD_OCTETS(4, sizeof(struct timewait)) <= 64 &&
		       RECORD_OCTETS(6, sizeof(struct timewait)) <= 96,
	       "");
_Static_assert(RECORD_OCTETS(4, sizeof(struct connection)) <= 256 &&
		       RECORD_OCTETS(6, sizeof(struct connection)) <= 320,
	       "");

/* A worker owns what is in here and nothing else. */
struct hf_worker { /* NOLINT(clang-analyzer-optin.performance.Padding): in groups of who writes */
	/* set by hf_worker_create, then read-only */
	struct hf_config config;
	struct hf_port *port;
	struct secrets secrets;
	struct wire_config wire;
	struct wire_link link;
	unsigned offload; /* WIRE_OFFLOAD_* */
	bool resolves;	  /* next hops are looked up: a link, and no gateway_mac for all */
	uint32_t local_count;
	void *memory;
	size_t memory_octets;
	struct impair *impair;	   /* NULL: the link is left as it is */
	const struct steer *steer; /* NULL: no other worker shares the device */
	bool detour;		   /* either of them is there: steer_receive */
	bool hashed;	     /* the device tells flows apart by RSS, and may err: steer_stranger */
	struct watch *watch; /* NULL: nobody sees what passes */
	/* this worker only */
	struct tcp_host host;
	struct pools pools;
	struct flow_table flows;
	struct wheel timers;   /* connections, requests, orphaned FIN-WAIT-2 */
	struct wheel waits[2]; /* TIME-WAIT: IPv4, IPv6 */
	struct listeners listeners;
	struct cookies_used cookies;
	struct ports ports;
	struct budget rst_budget, icmp_budget, arp_budget;
	handle owed_head, owed_tail;   /* who must be asked at the flush */
	bool parted;		       /* the last flush did not come to all of them */
	bool late_first;	       /* of the late ones one, at this flush */
	handle late_head, late_tail;   /* who was, and has more than its share: after the others */
	handle ready_head, ready_tail; /* who has events */
	uint32_t local_next;	       /* the address that the next active open takes */
	bool local_used;	       /* in this turn: the next one takes another */
	uint32_t orphans;
	uint32_t detached;   /* connections in no table */
	uint32_t steer_next; /* the worker whose frames are taken over first */
	bool overdue;	     /* expiry was cut short: another turn at once */
	bool rx_more;	     /* the last turn may have left frames in the device */
	bool replying;	     /* to a frame that came from reply_mac (HF-N2) */
	uint8_t reply_mac[6];
	struct neighbours neighbours;
	struct rte_mbuf **waiting; /* NEIGH_WAITING of each neighbour */
	uint32_t waiting_mbufs;
	uint32_t opener_next, opener_left; /* connections still to be told of a neighbour's failure */
	uint32_t opener_walked;		   /* places looked at so far, of all rounds */
	uint16_t tx_count, tx_full; /* tx_full: from which count on emit_frame looks closer */
	uint16_t tx_high; /* from which count on a flush builds no more: TX_HELD_UP; 0: for want of mbufs */
	bool tx_behind;	       /* the device has not taken all that it was offered last */
	uint32_t tx_behind_ms; /* ... and nothing at all since */
	struct rte_mbuf *tx[TX_QUEUE];
	uint16_t spare_count;
	struct rte_mbuf *spare[SPARE]; /* received and done with: empty after a flush */
	struct rte_mbuf **buffer;      /* of each range */
	uint32_t range_free, range_used, range_peak;
	uint64_t range_refused;
	uint32_t held_mbufs;	      /* by ranges and receive queues */
	uint32_t queue_most;	      /* ... with so many, ranges take no more */
	uint32_t receive_most;	      /* ... nor receive queues: text is as if lost */
	struct recorder *recorder;    /* NULL: nothing is recorded */
	struct hf_question *question; /* being answered, a piece a turn */
	/* any thread asks */
	struct rte_ring *questions;
	/* this worker writes, anyone may read (relaxed) */
	alignas(RTE_CACHE_LINE_SIZE) uint64_t stats[STAT_COUNT];
};

static inline void count(struct hf_worker *w, enum stat stat)
{
	w->stats[stat]++;
}

/* ---- What a handle leads to ----------------------------------------------------------------- */

static inline struct connection *connection_at(const struct hf_worker *w, handle h)
{
	return pools_body(&w->pools, h);
}

static inline struct request *request_at(const struct hf_worker *w, handle h)
{
	return pools_body(&w->pools, h);
}

static inline struct timewait *bucket_at(const struct hf_worker *w, handle h)
{
	return pools_body(&w->pools, h);
}

/* What goes before it. */
static inline struct entry *connection_entry(struct connection *c)
{
	return (struct entry *)(void *)c - 1;
}

/* The flow of an entry, and into one. */
static inline void entry_flow(const struct hf_worker *w, handle h, struct flow *flow)
{
	const void *const tuple = pools_tuple(&w->pools, h);

	flow->version = handle_version(h);
	if (flow->version == 6)
		memcpy(&flow->v6, tuple, sizeof(flow->v6));
	else
		memcpy(&flow->v4, tuple, sizeof(flow->v4));
}

static inline void entry_set_flow(const struct hf_worker *w, handle h, const struct flow *flow)
{
	void *const tuple = pools_tuple(&w->pools, h);

	if (flow->version == 6)
		memcpy(tuple, &flow->v6, sizeof(flow->v6));
	else
		memcpy(tuple, &flow->v4, sizeof(flow->v4));
}

static inline uint64_t connection_id(const struct connection *c, handle h)
{
	return (uint64_t)c->generation << 32 | h;
}

/* ---- worker.c: the turn ----------------------------------------------------------------------- */

/* The clock of this turn. */
void worker_time(struct hf_worker *w, uint64_t now_us);

/* ---- arrival.c: what a segment comes to --------------------------------------------------------- */

/* A frame with a TCP segment in it, and where its flow goes in the table. */
struct arrival {
	struct rte_mbuf *m; /* NULL once it belongs to somebody */
	uint64_t hash;
	struct wire_in in;
};

void arrival_segment(struct hf_worker *w, struct arrival *a);

void connection_arrival(struct hf_worker *w, handle h, struct connection *c, struct arrival *a);

/* ---- passive.c: listeners and their requests ------------------------------------------------- */

void request_arrival(struct hf_worker *w, handle h, struct arrival *a);
/* For nothing: a listener's, or nobody's. */
void stranger_arrival(struct hf_worker *w, struct arrival *a);

/* A SYN that a limit refuses: nothing is said, the peer will ask again. */
COLD void refuse_syn(struct hf_worker *w, enum stat why);
/* Whether the accept queue is full, and the SYN so refused (HF-B3). */
bool listener_is_full(struct hf_worker *w, const struct listener *l);
/* A half-open for this SYN, not in the table yet; HANDLE_NONE: no room. */
handle request_make(struct hf_worker *w, int listener, const struct arrival *a, uint32_t iss,
		    struct out *out);
/* ... and now that it is: its timer, its SYN-ACK. */
void request_begin(struct hf_worker *w, handle h, int listener, const struct arrival *a,
		   const struct out *out);

/* ---- life.c: one thing becomes another ------------------------------------------------------------ */

/* A connection taken from its pool gets its tuple and a new generation; its TCB is the caller's to fill. */
struct connection *connection_begin(struct hf_worker *w, handle h, const struct flow *flow);
/* Act on what the protocol made of a connection: answers, events, its end, its place. */
void connection_settle(struct hf_worker *w, handle h, struct connection *c, const struct flow *flow,
		       uint64_t hash, const struct out *out);
/* The same when its flow is not at hand. */
void connection_after(struct hf_worker *w, handle h, struct connection *c, const struct out *out);
/* To the end of one of the two lists of those that hf_flush asks, of which it is in neither. */
static inline void owed_append(struct hf_worker *w, handle *head, handle *tail, handle h,
			       struct connection *c)
{
	c->flags |= CONN_OWED;
	c->owed_next = HANDLE_NONE;
	if (*head == HANDLE_NONE)
		*head = h;
	else
		connection_at(w, *tail)->owed_next = h;
	*tail = h;
}

/* hf_flush will ask it, and look at its timers. */
void connection_owe(struct hf_worker *w, handle h, struct connection *c);
void connection_raise(struct hf_worker *w, handle h, struct connection *c, uint16_t events);
/* Out of every list and back into the pool. */
void connection_release(struct hf_worker *w, handle h, struct connection *c);
void connection_rearm(struct hf_worker *w, handle h, struct connection *c);
/* A listener's connection leaves its accept queue. */
void accept_remove(struct hf_worker *w, struct connection *c);

/* The request leaves the table, counted as why. */
void request_release(struct hf_worker *w, handle h, enum stat why);
/* The record leaves wheel, table and port list, counted as why. */
void bucket_release(struct hf_worker *w, handle h, enum stat why);
/* ... but for the table, where something else has taken its place. */
void bucket_drop(struct hf_worker *w, handle h, enum stat why);
/* TIME-WAIT begins for a record that was FIN-WAIT-2, or again (TW-3). */
void bucket_start(struct hf_worker *w, handle h);
void bucket_restart(struct hf_worker *w, handle h);

/* ---- expire.c ---------------------------------------------------------------------------------------- */

/* What is due by now; @return whether anything was. */
bool worker_expire(struct hf_worker *w);

/* ---- ask.c: what other threads want to know ---------------------------------------------------------- */

#define QUESTIONS 16 /* that may wait; one less, in fact */

bool filter_matches(const struct hf_filter *filter, const struct hf_addr *local,
		    const struct hf_addr *peer);

/* Octets of the ring; memory is aligned to 64. */
size_t ask_memory(void);
void ask_init(struct hf_worker *w, void *memory);
/* The next piece of an answer, some microseconds of work. */
COLD void ask_answer(struct hf_worker *w);

static inline bool ask_waits(const struct hf_worker *w)
{
	return w->question != NULL || !rte_ring_empty(w->questions);
}

/* ---- status.c ------------------------------------------------------------------------------------------ */

void flow_addresses(const struct flow *flow, struct hf_addr *local, struct hf_addr *peer);
/* Of whatever has a tuple. */
void status_of(const struct hf_worker *w, handle h, struct hf_status *s);

/* ---- emit.c: segments to frames ------------------------------------------------------------------------ */

/* Build a frame and gather it for the device. Text comes from the send queue. @return false: no mbuf */
bool emit_segment(struct hf_worker *w, const struct flow *flow, const struct seg *seg,
		  const struct text *text);
void emit_answers(struct hf_worker *w, const struct flow *flow, const struct out *out);
/* Gather a frame that is complete. */
void emit_frame(struct hf_worker *w, struct rte_mbuf *m);
/* Have the device take what was gathered. */
void emit_flush(struct hf_worker *w);
/* Of what was gathered. */
uint32_t emit_mbufs(const struct hf_worker *w);
COLD bool emit_still_held_up(struct hf_worker *w);

/* Whether the device is behind, so that no more should be built than must be (HF-L4). */
static inline bool emit_held_up(struct hf_worker *w)
{
	return __builtin_expect(w->tx_count >= w->tx_high, 0) && emit_still_held_up(w);
}

/* ---- neigh.c: next hops on a link ------------------------------------------------------------------------ */

/* A frame that lacks its destination's MAC address: it goes, waits, or is dropped.
 * @param reply  it may go back to where the frame that it answers came from (HF-N2) */
void neigh_send(struct hf_worker *w, const struct flow *flow, struct rte_mbuf *m, bool reply);
/* What is due; @return whether anything was. */
bool neigh_turn(struct hf_worker *w);
/* What waits, counted anew. */
uint32_t neigh_mbufs(const struct hf_worker *w);
void neigh_drop_all(struct hf_worker *w);

static inline void emit_to(struct hf_worker *w, const struct flow *flow, struct rte_mbuf *m,
			   bool reply)
{
	if (__builtin_expect(w->resolves, 0))
		neigh_send(w, flow, m, reply);
	else
		emit_frame(w, m);
}

/* ---- text.c: buffers behind ranges and receive queues ---------------------------------------------------- */

/* Queue text for sending. @return octets taken, as the protocol's room and the pools allow */
ssize_t text_queue(struct hf_worker *w, struct tcb *tcb, const void *text, size_t len);
/* Queue a buffer, one segment, as it is. @return its octets, and it is the queue's; 0: no room, or no range */
ssize_t text_queue_mbuf(struct hf_worker *w, struct tcb *tcb, struct rte_mbuf *m);
/* Queue memory by reference: of info, which counts; or where it counts many, by copy. @return octets taken */
ssize_t text_queue_store(struct hf_worker *w, struct tcb *tcb,
			 struct rte_mbuf_ext_shared_info *info, const uint8_t *octets, size_t len);
/* Copy len octets of a send queue and sum them (csum_partial). */
uint32_t text_copy(const struct hf_worker *w, const struct text *text, uint32_t len, uint8_t *to);
/* Give back what acknowledged ranges held. */
void text_done(struct hf_worker *w);
/* Keep len octets of a frame, offset octets in; the mbuf is taken over. */
void text_receive(struct hf_worker *w, struct connection *c, struct rte_mbuf *m, uint32_t offset,
		  uint32_t len);
/* A range for text that may come out of order, if one is left. */
void text_spare(struct hf_worker *w);
/* Text may cover some that is held, whose octets then go over its own: see to it that its buffer may be
 * written, or that there is no range for it. */
COLD void text_own(struct hf_worker *w, struct arrival *a);
/* Keep text of a frame, which begins offset octets in, as out says; the mbuf is taken over. */
COLD void text_hold(struct hf_worker *w, struct connection *c, const struct out *out,
		    struct rte_mbuf *m, uint32_t offset);
/* Buffers are short: the text of these is not taken, the rest of them is. */
COLD void text_refuse(struct hf_worker *w, struct arrival *arrivals, unsigned n);
/* What these ranges hold is next in the receive queue. */
void text_join(struct hf_worker *w, struct connection *c, uint32_t range);
/* The first octets that wait; they go on waiting. */
size_t text_peek(const struct connection *c, void *to, size_t room);
size_t text_take(struct hf_worker *w, struct connection *c, void *to, size_t room);
/* The first buffer of the receive queue, which holds text, leaves it. */
struct rte_mbuf *text_hand_over(struct hf_worker *w, struct connection *c);
void text_drop(struct hf_worker *w, struct connection *c);

/* An mbuf for transmit or text; NULL: none, or an injected fault (HF-H3). */
static inline struct rte_mbuf *worker_mbuf(struct hf_worker *w)
{
	struct rte_mbuf *m;

	if (pools_fault(&w->pools))
		return NULL;
	if (w->spare_count == 0)
		return port_mbuf(w->port);
	m = w->spare[--w->spare_count]; /* one segment, as worker_free wants it */
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = 0;
	m->pkt_len = 0;
	m->ol_flags = 0;
	m->tx_offload = 0;
	poison_lift(m);
	return m;
}

/* An mbuf that is done with. What a turn receives carries what it sends (DESIGN 2.7): it stays at hand,
 * in this core's cache, until the flush gives the rest back. */
static inline void worker_free(struct hf_worker *w, struct rte_mbuf *m)
{
	if (w->spare_count < SPARE && m->nb_segs == 1 && m->pool == w->port->pool &&
	    RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1)
		w->spare[w->spare_count++] = m;
	else
		rte_pktmbuf_free(m);
}

/* ---- calls.c, connect.c, lend.c ---------------------------------------------------------------------------------- */

/* The connection of an id, whose lower half is its handle, that the application may still use; NULL: -EBADF. */
struct connection *connection_find(const struct hf_worker *w, uint64_t id);
/* ... that may still send. @return 0; -EBADF; -EPIPE: it has come to its end */
int connection_sending(const struct hf_worker *w, uint64_t id, struct connection **c);
/* What a SEND came to: octets, 0 or negative errno. */
void connection_sent(struct hf_worker *w, uint64_t id, struct connection *c, ssize_t taken);
/* Octets that wait to be received. @return 0 at end of file; -EAGAIN; -EBADF */
ssize_t connection_waiting(const struct hf_worker *w, uint64_t id, struct connection **c);
/* The application has taken so many of them. */
void connection_taken(struct hf_worker *w, handle h, struct connection *c, size_t taken);

/* Flow of two public addresses; versions must be equal. */
void flow_of(const struct hf_addr *local, const struct hf_addr *peer, struct flow *flow);
bool listener_is(const struct hf_worker *w, uint32_t listener);

/* Whether an address is one of ours. */
bool worker_owns(const struct hf_worker *w, const struct hf_ip *ip);

#endif
