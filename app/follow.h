/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Follows connections by the segments that pass and infers the state of both ends (RFC 9293 3.3.2). It
 * supposes that what passes arrives, and is corrected by what the ends then say. Used by trace.c.
 */
#ifndef HF_APP_FOLLOW_H
#define HF_APP_FOLLOW_H

#include "line.h"
#include "packet.h"

/** One end, as far as its segments and those to it tell. */
struct follow_end {
	enum hf_state state;
	uint32_t iss;	  /* with syn */
	uint32_t snd_nxt; /* behind all that it has sent */
	uint32_t rcv_nxt; /* behind all that it must have received in order */
	uint32_t fin;	  /* sequence number of its FIN, with finished */
	bool syn, finished;
	bool known; /* snd_nxt is known: it has sent something, or something acknowledges it */
	uint64_t waits_ns; /* when it entered TIME-WAIT */
};

/** What a segment was, beyond what its flags say. */
enum follow_note {
	NOTE_NEW = 1 << 0,	/* the first of a connection */
	NOTE_REOPENED = 1 << 1, /* ... whose tuple was in TIME-WAIT */
	NOTE_AGAIN = 1 << 2,	/* holds nothing that has not passed before */
	NOTE_AHEAD = 1 << 3,	/* something before it has not passed */
};

/** One connection; side 0 sent the first segment of its tuple. */
struct follow;
struct talk {
	uint32_t number; /* of the connection, from 1 as they begin */
	struct hf_addr addr[2];
	struct follow_end end[2];
	uint32_t base[2]; /* of the numbers shown, with based: tcpdump's rule */
	bool based;
};

/** What has become of a segment. */
struct follow_step {
	struct talk *talk;	  /* until the next call */
	unsigned from;		  /* the side that sent it */
	unsigned notes;		  /* NOTE_* */
	struct follow_end was[2]; /* the ends before it */
	struct line_base base;
};

/**
 * @param tw_len_ms  2MSL, after which an end is taken to have left TIME-WAIT
 * @param most       connections known at once; then the oldest is forgotten
 * @return NULL: no memory
 */
struct follow *follow_create(uint32_t tw_len_ms, uint32_t most);
void follow_destroy(struct follow *f);

/** Take the next segment. @return false: no memory */
bool follow_segment(struct follow *f, const struct packet *p, struct follow_step *step);

/** Connections that had to be forgotten. */
uint64_t follow_forgotten(const struct follow *f);

#endif
