/* SPDX-License-Identifier: BSD-3-Clause */
/* What the turn and each other call of neigh.c, solicit.c, opener.c and icmp.c; what more of neigh.c is
 * called from outside stands in worker.h. */
#ifndef HF_IO_NEIGH_H
#define HF_IO_NEIGH_H

#include "io/worker.h"
#include "wire/icmp.h"

/* ---- neigh.c ---- */

/* The next hop of a flow: its peer, or the gateway. */
void neigh_hop(const struct hf_worker *w, const struct flow *flow, uint32_t hop[4]);

/* The neighbour is known: what waits for it goes. */
void neigh_pass_waiting(struct hf_worker *w, struct neigh *n);

/* ---- solicit.c ---- */

/* A MAC address of one station, and not our own (RFC826-c). */
bool neigh_is_station(const struct hf_worker *w, const uint8_t mac[6]);

/* Ask everybody while nothing is known, else the station itself (RFC 1122 2.3.2.1, RFC 4861 7.3.3). */
void neigh_ask(struct hf_worker *w, const struct neigh *n);

/* A message has arrived; it is counted as one fate here. */
void neigh_arp(struct hf_worker *w, const uint8_t *frame, const struct wire_in *in);
void neigh_nd(struct hf_worker *w, const uint8_t *frame, const struct flow *flow,
	      enum icmp_kind kind, const struct icmp *icmp);

/* What a neighbour said, here or to another worker. @return whether anything was learned */
bool neigh_hear(struct hf_worker *w, uint8_t version, const uint32_t address[4], const uint8_t *mac,
		unsigned word);

/* ---- opener.c: opens whose next hop does not answer ---- */

/* A neighbour has just FAILED: opens toward it end, a few a turn; and whether all have, however many
 * neighbours have FAILED since. */
void opener_fail(struct hf_worker *w, struct neigh *n);
bool opener_done(const struct hf_worker *w, const struct neigh *n);
void opener_turn(struct hf_worker *w);

/* ---- icmp.c ---- */

void icmp_arrival(struct hf_worker *w, struct rte_mbuf *m, const struct wire_in *in);

#endif
