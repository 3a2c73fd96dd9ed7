/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * REQUIREMENTS 6 once more: slow, obvious, and shared with the engine in nothing, not a header (HF-GOAL-3).
 * What a segment, call or expiry comes to is looked up in tables.c, written from RFC 9293 3.10 and the
 * requirement tables; model.c reckons the columns. Where the rules leave a choice (an ACK that may wait, a
 * loss mended early) the model says what may be and learns from what was.
 *
 * Its world: one tuple, no options but MSS, text by its length, a peer whose window never shuts (REQUIREMENTS
 * 13 has other tests), and a retransmission timeout that is always the same (RTO min = max).
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum model_state { /* P from LISTEN, A from SYN-SENT (MUST-11) */
		   S_CLOSED,
		   S_LISTEN,
		   S_SYN_SENT,
		   S_SYN_RCVD_P,
		   S_SYN_RCVD_A,
		   S_ESTABLISHED,
		   S_FIN_WAIT_1,
		   S_FIN_WAIT_2,
		   S_CLOSE_WAIT,
		   S_CLOSING,
		   S_LAST_ACK,
		   S_TIME_WAIT,
		   S_SAME, /* in tables: no change */
};
#define MODEL_STATES 12

extern const char *const model_names[MODEL_STATES];

enum model_flag { /* RFC 9293 3.1 */
		  M_FIN = 0x01,
		  M_SYN = 0x02,
		  M_RST = 0x04,
		  M_PSH = 0x08,
		  M_ACK = 0x10,
		  M_URG = 0x20,
};

struct model_seg {
	uint32_t seq, ack;
	uint16_t wnd, text;
	uint8_t flags;
};

/* SEG.LEN */
static inline uint32_t model_length(const struct model_seg *seg)
{
	return seg->text + (seg->flags & M_SYN ? 1u : 0) + (seg->flags & M_FIN ? 1u : 0);
}

enum model_call {
	CALL_LISTEN,
	CALL_OPEN,
	CALL_SEND,
	CALL_RECEIVE,
	CALL_SHUTDOWN,
	CALL_CLOSE,
	CALL_ABORT
};
#define MODEL_CALLS 7

extern const char *const model_calls[MODEL_CALLS];

/* What the application is told. */
enum model_told {
	T_CONNECTED = 0x01,
	T_ACCEPT = 0x02,
	T_READABLE = 0x04,
	T_EOF = 0x08,
	T_ENDED = 0x10,
};

enum model_end { END_ORDER, END_REFUSED, END_RESET, END_TIMEOUT, END_ABORTED, END_ANY };

struct habit;

/* Who is judged is set up so, in ms; each as REQUIREMENTS 24 means it. */
struct model_knobs {
	uint32_t rto, tw_len, fin_timeout, delack, ratelimit;
	uint32_t synack_repeat, keepalive; /* between answers (HF-RL6, HF-KA1) */
	unsigned syn_retries, synack_retries, retries2, orphan_retries;
	bool fin_ack_waits; /* the ACK of a FIN may wait as any other does */
	const struct habit *habits;
	unsigned habits_count;
};

/* What must, or may, come of one step. */
struct model_want {
	unsigned acks, acks_may; /* bare <SN, RN>: so many, and so many more */
	bool ack;		 /* something with ACK=RN (A) */
	bool rst, syn;		 /* these, with numbers below */
	struct model_seg rst_is;
	bool again, again_may; /* what lies at SND.UNA is sent again */
	bool text;	       /* all that is queued must leave */
	unsigned told, told_may;
	enum model_end end;
};

#define MODEL_HELD 64

struct model {
	const struct model_knobs *knobs;
	bool listener;
	uint32_t first_iss; /* of a tuple that is not remembered */
	/* the connection */
	enum model_state state;
	uint64_t now;			/* ms */
	uint32_t iss, irs, su, sn, end; /* end: after the last octet queued, where our FIN is */
	uint32_t sw, wl1, wl2, mw;
	uint32_t lw; /* SND.WND as Linux has it: with the same SEQ and ACK it is opened or shut, not made less */
	uint32_t rn, edge; /* edge: RCV.NXT + RCV.WND as promised by what came out */
	uint32_t acked;	   /* the last ACK field that came out */
	bool fin;	   /* our FIN is queued, or sent */
	bool reopened;	   /* out of TIME-WAIT: ISS is iss (TW-P8) */
	struct {
		uint32_t from, to;
	} held[MODEL_HELD];
	unsigned helds;
	bool fin_ahead;
	uint32_t fin_at;
	/* the application's end */
	bool has, closed; /* it has an id; it has called CLOSE */
	bool told_end;
	uint32_t unread;
	bool eof;
	/* timers and limiters; 0: off */
	uint64_t again_at, wait_until, ack_until;
	unsigned tries, dupacks;
	bool loose; /* a loss is being mended: what is sent again, and when new text goes, is open */
	uint64_t challenged, challenged_may, sa_at, kept_at;
	bool over;		   /* the peer has contradicted itself: no rule says what follows */
	const struct habit *habit; /* the last that counted */
};

void model_begin(struct model *m, const struct model_knobs *knobs, uint64_t now, uint32_t iss,
		 bool listener);

void model_segment(struct model *m, const struct model_seg *seg, struct model_want *want);

/* @return what the call gives: 0 or octets; MODEL_ERROR: some error, MODEL_EITHER: either */
#define MODEL_ERROR (-1)
#define MODEL_EITHER (-2)
int model_call(struct model *m, enum model_call call, uint32_t octets, struct model_want *want);

/* The time is now: what is due, happens. */
void model_time(struct model *m, uint64_t now, struct model_want *want);
/* When something is due next; UINT64_MAX: never. */
uint64_t model_due(const struct model *m);

/* These came out, in this order; *why says what is wrong with them. */
bool model_accepts(struct model *m, const struct model_want *want, const struct model_seg *out,
		   unsigned count, const char **why);

/* ---- tables.c ---- */

enum column {
	/* first check: where it lies. Of RST and SYN the columns below say it */
	COL_NULL, /* none of SYN, RST, ACK */
	COL_RST_AT,
	COL_RST_IN,
	COL_RST_OUT,
	COL_RST_GOOD,
	COL_RST_BAD, /* SYN-SENT: ISS < ACK <= SN, or not */
	COL_SYN_FIN,
	COL_SYN_FIRST,
	COL_SYN_IN,
	COL_SYN_OUT, /* SEQ is IRS; in window; neither */
	COL_SYN_NEW, /* TIME-WAIT: SEQ > RN - 1 */
	COL_SYNACK_GOOD,
	COL_SYNACK_FIRST,
	COL_SYNACK_IN,
	COL_SYNACK_OUT,
	COL_PLACE_GOOD,
	COL_PLACE_OUT,	/* not acceptable, and no octet of it is old */
	COL_PLACE_OLD,	/* wholly old */
	COL_PLACE_LAST, /* ... and ends at RN (HF-T5) */
	COL_PLACE_SHUT, /* SEQ = RN, text, RCV.WND 0 */
	COL_PLACE_KEEP, /* SEQ = RN - 1, no text */
	/* the ACK field */
	COL_ACK_NEW,
	COL_ACK_FIN,
	COL_ACK_OLD,
	COL_ACK_FAR,
	COL_ACK_AHEAD,
	/* text and FIN, trimmed to the window */
	COL_BARE,
	COL_TEXT_NEXT,
	COL_TEXT_AHEAD,
	COL_FIN_NEXT,
	COL_FIN_AHEAD,
	COL_LATE, /* either, its ACK field having just brought TIME-WAIT */
};

enum act {
	ACT_NONE, /* - */
	ACT_C,
	ACT_C_MAY, /* C or A: the rules can be read either way */
	ACT_A,
	ACT_RA,
	ACT_RN,
	ACT_RS,
	ACT_SA,	      /* a new half-open */
	ACT_SA_AGAIN, /* limited */
	ACT_SA_REOPEN,
	ACT_A_KEEP, /* A, but only one a second (HF-KA1) */
	ACT_GO_ON,  /* to the next check */
	ACT_A_GO_ON,
	ACT_TAKE_ACK,
	ACT_ESTABLISH, /* and the ACK field is taken */
	ACT_CONNECT,   /* SYN-SENT: the peer's SYN is taken too, A */
	ACT_DELIVER,
	ACT_HOLD,
	ACT_FIN, /* RN moves over it, A */
	ACT_FIN_HOLD,
};

struct rule {
	uint16_t in; /* 1 << enum model_state */
	enum column column;
	enum act act;
	enum model_state next;
	enum model_end end; /* if next is CLOSED and somebody is told */
};

/* What another than handfast does in the place of the tables' rule, and why; the first that fits. */
struct habit {
	struct rule rule;
	bool (*when)(const struct model *m, const struct model_seg *seg); /* NULL: always */
	const char *why;
	bool last; /* what follows is not foreseen: the script ends */
};

/* The first that fits; there is one for all that can be. orphan: the application has closed. */
const struct rule *table_rule(enum model_state state, bool orphan, enum column column);

/* Table U. @return MODEL_ERROR, MODEL_EITHER, 0: it is done; then *next */
struct call_rule {
	uint16_t in;
	enum model_call call;
	int result;
	enum model_state next;
	bool rst; /* Rs */
};
const struct call_rule *table_call(enum model_state state, enum model_call call);

#endif
