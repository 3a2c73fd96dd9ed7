/* SPDX-License-Identifier: BSD-3-Clause */
/* What a connection needs beside its TCB once something of what it has in flight was lost or overtaken:
 * the scoreboard, and what the window was before. Attached with the first such sign, given back when all
 * is acknowledged, from a pool that the host lends; without one a connection goes by the TCB alone: NewReno. */
#ifndef HF_FLIGHT_H
#define HF_FLIGHT_H

#include <stddef.h>

#include "tcp/rack.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp.h"

/* RFC 9438 4.1, in octets and milliseconds. */
struct cubic {
	uint32_t w_max, w_est, cwnd_prior;
	uint32_t k_ms, began_ms;
	bool running; /* congestion avoidance has begun since the last loss */
};

/* RFC 9937 5, in octets. */
struct prr {
	uint32_t arrived;   /* SND.UNA, and what was held beyond it, when last looked at */
	uint32_t una;	    /* ... SND.UNA alone */
	uint32_t unmoved;   /* ... what was in flight, but for what was sent since recovery began */
	uint32_t again;	    /* sent again since then: prr_out, with new text */
	uint32_t delivered; /* prr_delivered */
	uint32_t recover_fs;
};

struct flight {
	uint32_t next; /* 1 + number of the next that is free; 0: none */
	uint32_t high_rxt; /* HighRxt of RFC 6675 2: behind the last octet sent again in this recovery */
	uint32_t range;		  /* of the send queue, where the last retransmission was found */
	uint32_t range_end;	  /* it is still queued while this is past SND.UNA */
	bool rescued;		  /* RescueRxt is set (RFC 6675 4) */
	bool undo;		  /* the loss may turn out to be none (RFC 3522) */
	uint32_t ssthresh_before; /* ... and this is what it was */
	uint32_t sent_again_ts;	  /* TSval of what was sent again first */
	uint32_t reduced;	  /* with TCB_ECN: SND.NXT when the window was reduced last */
	struct cubic cubic;
	struct cubic cubic_before; /* with undo */
	struct prr prr;
	struct scoreboard board;
	struct rack rack;
};

/* NULL: none is attached. */
static inline struct flight *flight_of(const struct tcp_host *host, const struct tcb *tcb)
{
	return tcb->flight != 0 ? &host->flights.at[tcb->flight - 1] : NULL;
}

/* The one attached, or one attached now. @return NULL: the host has no more */
static inline struct flight *flight_begin(struct tcp_host *host, struct tcb *tcb)
{
	struct flight *flight = flight_of(host, tcb);

	if (flight != NULL)
		return flight;
	if (host->flights.free == 0) {
		tcp_count(host, STAT_FLIGHTS_EMPTY);
		return NULL;
	}
	tcb->flight = host->flights.free;
	flight = flight_of(host, tcb);
	host->flights.free = flight->next;
	if (++host->flights.used > host->flights.peak)
		host->flights.peak = host->flights.used;
	flight->high_rxt = tcb->snd_una;
	flight->range = RANGE_NONE;
	flight->rescued = flight->undo = false;
	flight->reduced = tcb->snd_una;
	flight->cubic = (struct cubic){ .running = false };
	flight->prr = (struct prr){ .arrived = tcb->snd_una };
	scoreboard_clear(&flight->board);
	rack_init(&flight->rack);
	return flight;
}

static inline void flight_end(struct tcp_host *host, struct tcb *tcb)
{
	struct flight *const flight = flight_of(host, tcb);

	if (flight == NULL)
		return;
	flight->next = host->flights.free;
	host->flights.free = tcb->flight;
	host->flights.used--;
	tcb->flight = 0;
}

/* The numbers that one segment takes of what was sent: the FIN goes beside a whole one. */
static inline uint32_t segment_most(const struct tcb *tcb, const struct span *span)
{
	return tcb->snd_mss + ((tcb->flags & TCB_FIN_SENT) && span->right == tcb->snd_nxt ? 1u : 0u);
}

static inline void span_clip(struct span *span, const struct tcb *tcb)
{
	if (span->right - span->left > segment_most(tcb, span))
		span->right = span->left + tcb->snd_mss;
}

/* A pool of n, all free. */
static inline void flights_init(struct flights *flights, struct flight *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		at[i].next = i + 1 < n ? i + 2 : 0;
	*flights = (struct flights){ .at = at, .free = n > 0 ? 1 : 0 };
}

#endif
