/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many workers on one device (DESIGN 2, 2; HF-M1, HF-M2, HF-IC3, HF-N1): which of them a flow belongs to,
 * and the rings by which a frame that came to another one reaches it. port.c makes a `struct steer` for
 * ports of more than one queue; what a worker does with it is called from its turn. With one queue there
 * is none, and nothing of this runs.
 */
#ifndef HF_STEER_H
#define HF_STEER_H

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "handfast.h"
#include "table/iss.h"
#include "table/toeplitz.h"

#define STEER_RETA 2048 /* entries of the largest redirection table */
#define STEER_RING 1024

/* Set when the ports are made, then read-only; the rings apart, each of which has one writer and one
 * reader. */
struct steer {
	enum hf_steering steering; /* QUEUE, RSS or SOFTWARE */
	unsigned workers;
	uint32_t reta_mask;
	uint16_t reta[STEER_RETA]; /* worker, by the low bits of the hash */
	struct toeplitz toeplitz;
	struct secrets secrets; /* of all workers, so that one address pair has one timestamp offset */
	uint64_t shared;	/* flag of an mbuf: all others have it too, it is not passed on */
	uint64_t word;		/* flag of an mbuf: not a frame but a struct neigh_word_said */
	size_t ring_octets, octets;
	uint8_t *rings; /* workers x workers of them, ring_octets each; none is used from one to itself */
};

/* What port.c has found out about a device. */
struct steer_table {
	uint8_t key[TOEPLITZ_KEY];
	uint32_t reta_size; /* a power of two */
	uint16_t reta[STEER_RETA];
};

/** A key from getrandom, spread evenly (toeplitz_spreads) or, given, the caller's; a table that goes round
 *  the workers. @return 0 or a negative errno, why says what */
int steer_table_make(const struct hf_steer *config, unsigned workers, struct steer_table *table,
		     struct hf_error *why);

/** @return 0 or a negative errno, why says what */
int steer_make(enum hf_steering steering, const struct hf_steer *config,
	       const struct steer_table *table, unsigned workers, struct steer **steer,
	       struct hf_error *why);

/** Frees the frames that are still in the rings too. NULL is allowed. */
void steer_free(struct steer *steer);

/** The worker to whom frames of this flow are to come. */
static inline unsigned steer_home(const struct steer *steer, const struct flow *flow)
{
	return steer->reta[toeplitz_flow(&steer->toeplitz, flow) & steer->reta_mask];
}

/* ---- Called by the worker -------------------------------------------------------------------------- */

struct hf_worker;
struct arrival;

/* A turn's frames where they do not simply come from the device: those of hf_impair, those that other
 * workers pass on; what is theirs in turn goes to them. It counts what it does.
 * @return how many are for this worker, at most BURST */
unsigned steer_receive(struct hf_worker *w, struct rte_mbuf **rx);

/* A segment for nothing that is known here; where the device was to tell flows apart (rss), it may have
 * erred. @return whether the frame has gone to its worker */
bool steer_stranger(struct hf_worker *w, struct arrival *a);

/* An ICMP error, whose outer packet says nothing of the flow it is about (HF-IC3).
 * @param known  the flow has been found here
 * @return whether it is not for this worker: others have been given it */
bool steer_error(struct hf_worker *w, struct rte_mbuf *m, const struct flow *quoted, bool known);

/* What a neighbour has said: the other workers hear of it with their next turn (HF-N1). */
void steer_tell(struct hf_worker *w, uint8_t version, const uint32_t address[4], const uint8_t *mac,
		unsigned word);

/* Whether replies to this flow would come to this worker (HF-P1); of ports_filter. */
bool steer_is_mine(void *worker, const struct flow *flow);

/* Frames on their way to the worker. */
unsigned steer_waiting(const struct hf_worker *w);
void steer_drop_all(struct hf_worker *w);

#endif
