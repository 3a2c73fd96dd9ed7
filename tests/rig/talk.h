/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection of a pair and the applications at its ends, each of which follows a plan: what to
 * send and when, how and when to end. Every octet that arrives is compared with what was sent.
 */
#ifndef RIG_TALK_H
#define RIG_TALK_H

#include "rig/pair.h"

enum talk_end {
	TALK_CLOSE,
	TALK_SHUTDOWN, /* and CLOSE on the peer's FIN */
	TALK_ABORT,
	TALK_HOLD, /* nothing: talk_release lets go */
};

struct plan {
	uint32_t send;	   /* octets in all */
	uint32_t after;	   /* ... the first once so many have come */
	uint32_t drip;	   /* ... at most so many at once, and then ... */
	uint32_t drip_us;  /* ... nothing for so long */
	uint32_t sip;	   /* takes at most so many at once ... (0: all) */
	uint32_t sip_us;   /* ... and then nothing for so long */
	enum talk_end end; /* once all is queued, and ... */
	uint32_t until;	   /* ... so many have been taken */
	bool eof;	   /* ... and the peer has no more */
	uint64_t at_us;	   /* ... and it is so late */
	bool deaf;	   /* takes nothing at all */
	uint64_t abort_us; /* ABORT then, wherever it stands, and no CLOSE before (0: no) */
};

struct talker {
	struct plan plan;
	struct hf_addr local, peer;
	uint64_t id;	       /* 0: none, or dead */
	bool connected, ended; /* the plan's end has been done */
	bool eof, closed;      /* HF_EV_EOF and hf_recv's 0; HF_EV_CLOSED */
	int error;	       /* with closed */
	enum hf_state aborted; /* the state that abort_us found */
	uint32_t queued, taken;
	uint64_t send_us, sip_us; /* not before */
	uint32_t events;	  /* all that came */
};

struct talk {
	struct talker side[2];
	bool strict; /* connections end as planned: an error is a failure */
};

/* p's application is t from now on, and side 1 listens. */
void talk_begin(struct pair *p, struct talk *t, const struct plan *first, const struct plan *second);

/* Side 0 opens, from a port (0: any). */
void talk_open(struct pair *p, struct talk *t, uint16_t port);

/* Both sides open, toward each other: simultaneous open. */
void talk_open_both(struct pair *p, struct talk *t);

/* Both ends know that it is over. */
bool talk_over(const struct pair *p);

/* The first has been told CONNECTED, the other has accepted or been told. */
bool talk_connected(const struct pair *p);

/* Both ends have done what their plans say, and every octet has come. */
void talk_expect_whole(struct pair *p, const struct talk *t);

/* hf_close of what is still held. */
void talk_release(struct pair *p, struct talk *t);

/* The state at one side, by its own tuple. */
enum hf_state talk_state(const struct pair *p, const struct talk *t, unsigned side);

#endif
