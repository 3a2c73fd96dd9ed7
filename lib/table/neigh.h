/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: which MAC address a next hop on the link has (RFC 826, RFC 1122 2.3.2; RFC 4861 5.1, 7.2,
 * 7.3). What a frame, an answer or an expiry comes to is told here, io/neigh.c acts on it. An entry is
 * made only for a frame of ours (RFC826-c); when there is no room, the one used longest ago makes some.
 * Memory is the caller's.
 */
#ifndef HF_NEIGH_H
#define HF_NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEIGH_WAITING 16	 /* frames an entry may have waiting (RFC826-d) */
#define NEIGH_TRIES 3		 /* requests, a second apart */
#define NEIGH_REACHABLE_MS 30000 /* how long an answer is believed unasked (RFC 4861 10) */
#define NEIGH_MAX 65535u

enum neigh_state {
	NEIGH_IDLE,	  /* nothing known, nothing asked: a gateway that nobody uses */
	NEIGH_INCOMPLETE, /* everybody is being asked */
	NEIGH_KNOWN,
	NEIGH_PROBE,  /* known, and it is being asked itself whether that still holds */
	NEIGH_FAILED, /* nobody answers; until the tick nothing goes there */
};

struct neigh_link {
	struct neigh_link *next, *prev;
};

struct neigh {
	struct neigh_link age; /* among those that may go, last used last */
	struct neigh_link due; /* among those with a tick, in its order */
	struct neigh *next;    /* in its bucket, or unused */
	uint32_t address[4];   /* in wire order; IPv4 uses the first, the rest is zero */
	uint32_t local[4];     /* of ours, which asks */
	uint32_t tick;	       /* INCOMPLETE, PROBE, FAILED: when neigh_expire has work */
	uint32_t confirmed_ms; /* KNOWN: when it last answered */
	uint32_t until;	       /* FAILED: when all have heard; the host's own count */
	uint8_t mac[6];
	uint8_t version, state, tries;
	bool permanent;		/* a gateway: never evicted */
	uint8_t first, waiting; /* frames: the host's ring, all its own matter */
};

struct neighbours {
	struct neigh *at, **buckets;
	struct neigh *unused, *last; /* found */
	struct neigh_link ages, dues;
	uint64_t key[2];
	uint32_t size, used, peak, mask;
	uint64_t evicted;
};

/* Octets that neigh_init needs for so many entries. */
size_t neigh_memory(uint32_t size);

/* memory: neigh_memory() octets, zero, aligned to 64, the caller's while the table is used. The key is of
 * the buckets' hash. */
void neigh_init(struct neighbours *t, void *memory, uint32_t size, const uint64_t key[2]);

/* NULL: no such entry. */
struct neigh *neigh_find(struct neighbours *t, uint8_t version, const uint32_t address[4]);

/* A new entry, IDLE; NULL: no room. */
struct neigh *neigh_add(struct neighbours *t, uint8_t version, const uint32_t address[4],
			bool permanent);

/* Who may go to make room; NULL: nobody. */
struct neigh *neigh_oldest(struct neighbours *t);

/* Forget what is known: the entry goes, or is IDLE again when it is permanent. Nothing waits there. */
void neigh_forget(struct neighbours *t, struct neigh *n);

static inline bool neigh_is_known(const struct neigh *n)
{
	return n->state == NEIGH_KNOWN || n->state == NEIGH_PROBE;
}

enum neigh_verdict {
	NEIGH_PASS, /* to n->mac */
	NEIGH_HOLD, /* until an answer comes */
	NEIGH_REFUSE,
};

/**
 * A frame is to go there.
 * @param tick  a second from now
 * @param ask   out: a request has to leave too: to everybody when INCOMPLETE, to n->mac when PROBE
 */
enum neigh_verdict neigh_use(struct neighbours *t, struct neigh *n, uint32_t now_ms, uint32_t tick,
			     bool *ask);

/* What kind of word came (RFC 4861 7.2.5). An ARP reply to us has both, other ARP overrides. */
enum neigh_word {
	NEIGH_SOLICITED = 1, /* an answer to us */
	NEIGH_OVERRIDE = 2,  /* a MAC address that differs is the better one */
};

/**
 * The neighbour has spoken.
 * @param mac  what it says its address is; NULL: nothing
 * @return false: not asked for, nothing is learned (RFC826-c)
 */
bool neigh_learn(struct neigh *n, const uint8_t *mac, unsigned word, uint32_t now_ms);

/* The entry whose tick has come; NULL: none. */
struct neigh *neigh_due(const struct neighbours *t, uint32_t now_ms);

/* When neigh_due will have one. @return false: never */
bool neigh_deadline(const struct neighbours *t, uint32_t *tick);

enum neigh_expiry {
	NEIGH_ASK,  /* again, as neigh_use says */
	NEIGH_FAIL, /* FAILED now: those who wait hear of it */
	NEIGH_GONE, /* to be forgotten: it does not answer probes, or has been FAILED long enough */
};

/* @param tick  a second from now */
enum neigh_expiry neigh_expire(struct neighbours *t, struct neigh *n, uint32_t tick);

/* FAILED stays so until this tick. */
void neigh_postpone(struct neighbours *t, struct neigh *n, uint32_t tick);

/* Whether lists, buckets and counts agree. Slow. */
bool neigh_check(const struct neighbours *t);

#endif
