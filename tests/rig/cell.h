/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cell of the tables of REQUIREMENTS 6 as data: in this state, this segment draws this answer, leads
 * to this state, tells the application this, and nothing else happens. Rows made by CELL are run by cell_run.
 */
#ifndef RIG_CELL_H
#define RIG_CELL_H

#include "rig/rig.h"

/* What a number of the segment is counted from. */
enum cell_from {
	FROM_RN,   /* RCV.NXT */
	FROM_EDGE, /* RCV.NXT + RCV.WND */
	FROM_IRS,
	FROM_SN, /* SND.NXT */
	FROM_SU, /* SND.UNA */
	FROM_MW, /* SND.UNA - MAX.SND.WND */
};

enum cell_answer {
	OUT_NOTHING,
	OUT_ACK,       /* C or A */
	OUT_ACK_LATER, /* Ad: by the delayed-ACK timer */
	OUT_RA,
	OUT_RN,
	OUT_RS,
	OUT_SA,
	OUT_NEW_SA, /* of the new incarnation in TIME-WAIT: ISS = old SND.NXT + 65537 (TW-P8) */
};

struct cell {
	enum rig_state in;
	bool hold;	   /* the application has not closed */
	uint16_t unacked;  /* as in struct rig */
	uint64_t after_us; /* let this much time pass first */

	uint8_t flags;
	enum cell_from seq_from, ack_from; /* the ACK field is 0 without SEG_ACK */
	int32_t seq, ack;		   /* ... plus this */
	uint16_t text_len, wnd;

	enum cell_answer out;
	uint32_t rn_by; /* how far RCV.NXT and SND.UNA move */
	uint32_t su_by;
	enum hf_state state;
	uint32_t events;
	int error;
	bool any_event;	   /* the table is silent about it */
	uint16_t reads;	   /* octets that the application gets */
	uint16_t snd_wnd;  /* SND.WND afterwards, where it matters */
	const char *rises; /* a counter that rises by one */
};

#define CELL(id, ...)                                                           \
	{                                                                       \
		.name = "SE-" id, .test = cell_run, .arg = &(const struct cell) \
		{                                                               \
			__VA_ARGS__                                             \
		}                                                               \
	}

void cell_run(struct rig *r);

#endif
