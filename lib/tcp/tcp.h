/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol: segments, calls and expiries in; a verdict on the text, events, at most three
 * header-only answers and one deadline out (RFC 9293 3.10). No clock, no I/O, no allocation: what
 * it needs of its worker stands in struct tcp_host, data leaves by tcp_next when the worker asks.
 */
#ifndef HF_TCP_H
#define HF_TCP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "stats.h"
#include "tcp/seg.h"
#include "tcp/seq.h"

/* RFC 9293 3.3.2. The order is that of enum hf_state. */
enum tcp_state {
	TCPS_CLOSED,
	TCPS_LISTEN,
	TCPS_SYN_SENT,
	TCPS_SYN_RECEIVED,
	TCPS_ESTABLISHED,
	TCPS_FIN_WAIT_1,
	TCPS_FIN_WAIT_2,
	TCPS_CLOSE_WAIT,
	TCPS_CLOSING,
	TCPS_LAST_ACK,
	TCPS_TIME_WAIT,
};
#define TCPS_COUNT 11

/* The knobs that the protocol itself reads; REQUIREMENTS 24 has names and defaults. */
struct tcp_config {
	uint32_t tw_len_ms, fin_timeout_ms, invalid_ratelimit_ms, delack_ms;
	uint32_t rto_initial_ms, rto_min_ms, rto_max_ms;
	uint32_t rcv_buf, snd_buf;
	uint16_t mss[2]; /* that we advertise: IPv4, IPv6 (MUST-67) */
	uint16_t min_snd_mss;
	uint16_t pmtu_floor; /* IPv4 (RFC1191-b) */
	uint8_t syn_mss;     /* OPT_MSS; 0: SYNs are without (SHLD-5) */
	uint8_t abc_limit;   /* L of RFC 3465, segments; 0: none */
	uint8_t syn_retries, synack_retries, retries1, retries2, orphan_retries;
	uint8_t rcv_wscale, keepalive_probes;
	uint8_t ecn; /* RFC 3168. 0: no, 1: asked for and answered, 2: answered */
	uint16_t ooo_segs;
	uint16_t tso_max; /* octets of a segment that the device cuts (HF-CK6); 0: it does not */
	uint32_t keepalive_ms, keepalive_interval_ms; /* keepalive_ms 0: off */
	uint32_t max_shut;			      /* HF-ZW3; 0: no limit */
	uint32_t user_timeout_ms;		      /* 0: R2 alone decides */
	bool cubic;				      /* RFC 9438; false: RFC 5681 alone */
	bool rack;				      /* RFC 8985; false: RFC 6675 alone */
	bool timestamps, window_scaling, sack, ts_lenient, nagle, rfc1337, tw_accept_ts_new;
};

/* Text queued for sending: len octets from sequence number seq on. What holds them is the host's
 * matter and goes by the range's own number. */
struct range {
	uint32_t next; /* RANGE_NONE ends a list */
	uint32_t seq, len;
	uint32_t came; /* held text: which arrival, counted by the worker */
};
#define RANGE_NONE UINT32_MAX

struct ranges {
	struct range *at;
	uint32_t spare; /* ready for text out of order; RANGE_NONE: the host has no more, or no buffer it may write */
	uint32_t arrivals; /* of text out of order */
	uint32_t done;	   /* acknowledged or dropped: the host frees what they stood for */
};

/* See flight.h; lent to connections that met a loss. */
struct flights {
	struct flight *at;
	uint32_t free; /* 1 + number of the first that nobody uses; 0: none */
	uint32_t used, peak;
};

#define SHUT_CLASSES 12

struct state_level {
	uint64_t entered;
	uint32_t now, peak;
};

/* What a worker lends the protocol. The worker moves the time; one turn has one time. */
struct tcp_host {
	uint64_t now_us;
	uint32_t now_ms;  /* now_us in whole milliseconds, on the 2^32 circle: ticks and TSval */
	uint32_t ceil_ms; /* the first whole millisecond not before now_us */
	struct tcp_config config;
	struct ranges ranges;
	struct flights flights;
	uint32_t shut;			/* connections whose persist timer runs (HF-ZW3) ... */
	uint32_t shut_by[SHUT_CLASSES]; /* ... of them, by doublings; the last: and more */
	struct state_level levels[TCPS_COUNT];
	uint64_t *stats; /* STAT_COUNT counters */
};

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline void tcp_count(struct tcp_host *host, enum stat stat)
{
	host->stats[stat]++;
}

static inline void tcp_stat_add(struct tcp_host *host, enum stat stat, uint64_t n)
{
	host->stats[stat] += n;
}

/* The tick at which ms milliseconds will have passed: never early, at most one tick late. */
static inline uint32_t tcp_after(const struct tcp_host *host, uint32_t ms)
{
	return host->ceil_ms + ms;
}

static inline bool tick_due(uint32_t tick, uint32_t now_ms)
{
	return (int32_t)(now_ms - tick) >= 0;
}

/* What holds for a connection, beside its state. */
enum tcb_flags {
	TCB_PASSIVE = 1 << 0,	   /* SYN-RECEIVED came from LISTEN (MUST-11) */
	TCB_TS = 1 << 1,	   /* timestamps agreed (RFC 7323 3.2) */
	TCB_WSCALE = 1 << 2,	   /* window scaling agreed (RFC 7323 2.2) */
	TCB_SACK = 1 << 3,	   /* SACK agreed (RFC 2018 2) */
	TCB_ACK_NOW = 1 << 4,	   /* an ACK leaves with the flush of this turn */
	TCB_SYN_NOW = 1 << 5,	   /* our SYN, or SYN and ACK, has to be sent */
	TCB_RTX = 1 << 6,	   /* what lies in rtx_nxt..snd_nxt is being sent again */
	TCB_FIN_QUEUED = 1 << 7,   /* the application will send no more */
	TCB_FIN_SENT = 1 << 8,	   /* our FIN has its number: snd_nxt - 1 */
	TCB_ORPHAN = 1 << 9,	   /* the application has closed: nobody reads */
	TCB_TIMING = 1 << 10,	   /* rtt_seq is being timed */
	TCB_SYN_RETRIED = 1 << 11, /* RFC 6298 5.7 */
	TCB_PROBE = 1 << 12,	   /* one octet may leave beyond the window (3.8.6.1) */
	TCB_NAGLE_OTHER = 1 << 13, /* Nagle's algorithm on where it is off by configuration, or off */
	TCB_WANT_WRITE = 1 << 14,  /* a SEND was cut short: tell when there is room */
	TCB_ESTABLISHED = 1 << 15, /* has been ESTABLISHED */
	TCB_RECOVERY = 1 << 17,	   /* fast recovery, until RECOVER is acknowledged (RFC 6582) */
	TCB_FAST = 1 << 18,	   /* the segment at SND.UNA is to be sent again, it alone */
	TCB_BY_SACK = 1 << 20,	   /* ... as RFC 6675 has it, with a flight attached */
	TCB_KEEPALIVE = 1 << 19,   /* a keepalive probe is to be sent (3.8.4) */
	TCB_FIN_AHEAD = 1 << 16,   /* a FIN at fin_seq waits for the gap before it to fill */
	TCB_CORK = 1 << 21,	   /* short text waits for more */
	TCB_RTO_START = 1 << 27,   /* the slow start after a timeout (RFC 3465 2.3) */
	TCB_TLP = 1 << 23,	   /* a tail loss probe is to be sent (RFC 8985 7.3) */
	TCB_ECN = 1 << 24, /* ECN agreed (RFC 3168 6.1.1); in SYN-SENT: only ever asked for */
	TCB_ECE = 1 << 25, /* every ACK tells of congestion, till CWR comes (6.1.3) */
	TCB_CWR = 1 << 26, /* the next new text tells that the window was reduced (6.1.2) */
	TCB_TS_CARRIED = 1 << 28, /* in SYN-SENT: ts_recent is the old connection's (TW-A5) */
	TCB_OWN_MSS = 1 << 22, /* less than config.mss was asked for; in SYN-SENT snd_mss holds it */
};

enum tcb_timers {
	TIMER_RTX = 1 << 0,	/* RFC 6298 5 */
	TIMER_PERSIST = 1 << 1, /* RFC 9293 3.8.6.1; never together with TIMER_RTX */
	TIMER_DELACK = 1 << 2,	/* RFC 9293 3.8.6.3 */
	TIMER_IDLE = 1 << 3,	/* keepalive (RFC 9293 3.8.4) */
	TIMER_USER = 1 << 4,	/* user timeout: since something is not acknowledged (3.8.3) */
	TIMER_PTO = 1 << 5,	/* with TIMER_RTX: it expires for a probe (RFC 8985 7.2) */
	TIMER_REO = 1 << 6,	/* ... or to see what is lost (RFC 8985 6.2) */
};

/* Transmission control block (RFC 9293 3.3.1). What a SYN, ACK or FIN needs comes first. */
struct tcb {
	uint8_t state;	      /* enum tcp_state; written by tcp_set_state alone */
	uint8_t timers;	      /* TIMER_*: which of the ticks below count */
	uint8_t version;      /* 4 or 6 */
	uint8_t unacked_segs; /* segments of text received since our last ACK (SHLD-19) */
	uint32_t flags;	      /* TCB_* */
	uint32_t snd_una, snd_nxt, snd_wnd;
	uint32_t rcv_nxt;
	uint32_t rcv_adv; /* right edge that was promised: RCV.NXT + RCV.WND */
	uint32_t ts_recent, last_ack_sent;
	uint32_t ts_offset; /* TSval is the millisecond clock plus this */
	uint32_t snd_end;   /* after the last octet queued; a FIN gets this number */
	/* once a connection or a flight */
	uint32_t snd_wl1, snd_wl2, max_wnd;
	uint32_t rtx_nxt;
	uint32_t rtx_tick, ack_tick;
	uint32_t cwnd, ssthresh;
	uint32_t srtt_us, rttvar_us; /* srtt_us 0: no sample yet */
	uint32_t sent_ms; /* when text, a FIN or a SYN-ACK last left (RFC 5681 4.1, HF-RL6) */
	uint32_t rtt_seq, rtt_at_us; /* the low 32 bits of the time */
	uint32_t rto_ms;
	uint32_t iss, irs;
	uint32_t sndq_head, sndq_tail,
		sndq_next;     /* ranges: first unacknowledged, last, holding snd_nxt */
	uint32_t ts_recent_ms; /* when ts_recent was seen (RFC 7323 5.5) */
	uint32_t challenge_ms; /* when the last challenge ACK left (RFC5961-7) */
	uint32_t keepalive_ms; /* when the peer's last keepalive was answered (HF-KA1) */
	union {
		uint32_t fin_seq; /* with TCB_FIN_AHEAD */
		uint32_t eof_ms;  /* when the FIN was taken */
	};
	uint32_t held;	   /* ranges ahead of RCV.NXT, in order */
	uint32_t recover;  /* RFC 6582 */
	uint32_t heard_ms; /* when a segment last came */
	uint32_t idle_tick, user_tick;
	uint32_t rto_tick; /* with TIMER_PTO: when the retransmission timer would expire */
	uint16_t held_count;
	uint8_t dupacks;	  /* RFC 5681 3.2 */
	uint8_t keepalive_probes; /* unanswered */
	uint32_t flight;	  /* 1 + number of the one attached; 0: none */
	uint32_t user_timeout_ms; /* 0: R2 alone decides (3.8.3) */
	uint32_t rcv_queued;	  /* octets delivered that the application has not taken */
	uint16_t snd_mss;	  /* text a segment may hold, options of every segment taken off */
	uint8_t snd_wscale, rcv_wscale;
	uint8_t retransmits; /* of the oldest segment, unanswered */
	uint8_t backoff;     /* doublings since something was acknowledged */
	uint8_t soft_error;  /* errno of the last soft ICMP error; 0: none (MUST-47) */
};

_Static_assert(sizeof(struct tcb) <= 184, "256 octets a connection");

/* Our FIN has its ACK. */
static inline bool tcb_fin_acked(const struct tcb *tcb)
{
	return (tcb->flags & TCB_FIN_SENT) && tcb->snd_una == tcb->snd_nxt;
}

static inline unsigned shut_class(uint8_t backoff)
{
	return backoff < SHUT_CLASSES ? backoff : SHUT_CLASSES - 1;
}

/* The persist timer takes over from the retransmission timer, or stops. */
static inline void persist_begin(struct tcp_host *host, struct tcb *tcb)
{
	tcb->timers = (uint8_t)((tcb->timers & ~(TIMER_RTX | TIMER_PTO | TIMER_REO)) | TIMER_PERSIST);
	host->shut++;
	host->shut_by[shut_class(tcb->backoff)]++;
}

static inline void persist_end(struct tcp_host *host, struct tcb *tcb)
{
	if (!(tcb->timers & TIMER_PERSIST))
		return;
	tcb->timers &= (uint8_t)~TIMER_PERSIST;
	host->shut--;
	host->shut_by[shut_class(tcb->backoff)]--;
}

/* ... or goes on, with another backoff. */
static inline void tcb_set_backoff(struct tcp_host *host, struct tcb *tcb, uint8_t backoff)
{
	if (tcb->timers & TIMER_PERSIST) {
		host->shut_by[shut_class(tcb->backoff)]--;
		host->shut_by[shut_class(backoff)]++;
	}
	tcb->backoff = backoff;
}

/* What an application or the worker is told. */
enum tcp_event { /* the same bits as enum hf_event_what */
		 TCP_EV_CONNECTED = 1 << 0,
		 TCP_EV_READABLE = 1 << 2,
		 TCP_EV_EOF = 1 << 3,
		 TCP_EV_WRITABLE = 1 << 4,
		 TCP_EV_SENT = 1 << 5,
		 TCP_EV_SUSPECT = 1 << 7,
};

#define TCP_ANSWERS 3

/* What one segment, call or expiry came to. A state of CLOSED, TIME-WAIT or orphaned FIN-WAIT-2
 * afterwards is for the worker to act on. */
struct out {
	uint8_t answers;
	bool text;	  /* deliver text_len octets, text_skip octets into the segment's text */
	uint32_t hold;	  /* or hold them as this range; RANGE_NONE: not */
	uint32_t covered; /* with hold: ranges whose octets go over the text's, then are let go */
	uint32_t join;	  /* ranges held till now that follow the text; RANGE_NONE ends them */
	uint16_t text_skip, text_len;
	uint32_t events; /* TCP_EV_* */
	int32_t error;	 /* with CLOSED: why (positive errno), 0 in order */
	struct seg answer[TCP_ANSWERS];
};

static inline void out_init(struct out *out)
{
	out->answers = 0;
	out->text = false;
	out->hold = out->join = RANGE_NONE;
	out->events = 0;
	out->error = 0;
}

/* SYN-RECEIVED from LISTEN: all that is kept until the handshake's last ACK. */
struct request {
	uint32_t irs, iss;
	uint32_t ts_recent, ts_offset;
	uint32_t sent_us; /* low 32 bits of when the last SYN-ACK left */
	uint32_t challenge_ms;
	uint16_t mss, wnd; /* of the SYN, MSS after HF-O4 */
	uint8_t flags;	   /* REQUEST_* */
	uint8_t snd_wscale;
	uint8_t retransmits; /* by the timer */
	uint8_t version;
	uint16_t listener; /* the worker's number of it */
	uint16_t our_mss;  /* that our SYN-ACK tells */
};

enum request_flags {
	REQUEST_TS = 1 << 0,
	REQUEST_WSCALE = 1 << 1,
	REQUEST_SACK = 1 << 2,
	REQUEST_REPEATED = 1 << 3, /* the SYN-ACK has been sent again: no round trip from it */
	REQUEST_ECN = 1 << 4,
	REQUEST_RETRIED = 1 << 5, /* ... and had to be: RTO is 3 s when text starts (RFC6298-5.7) */
};

/* 2MSL record: TIME-WAIT, or FIN-WAIT-2 whose application is gone. SND.UNA is SND.NXT. */
struct timewait {
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_recent_ms, ts_offset;
	uint32_t max_wnd;    /* MW of Table K */
	uint32_t entered_ms; /* TW-A4 */
	uint32_t challenge_ms;
	uint16_t rcv_wnd;   /* as on the wire */
	uint16_t len_8ms;   /* 2MSL in units of 8 ms, fixed when entered (MUST-13) */
	uint16_t port_list; /* the worker's */
	uint8_t flags;	    /* TW_* */
	uint8_t rcv_wscale;
};

enum timewait_flags {
	TW_TS = 1 << 0,
	TW_FIN_WAIT_2 = 1 << 1,
	TW_ACTIVE = 1 << 2, /* the local port is one of a port list */
};

_Static_assert(sizeof(struct timewait) == 40 && sizeof(struct request) <= 40,
	       "64 octets with the entry and an IPv4 tuple");

/* ---- state.c --------------------------------------------------------------------------------- */

/* The only writer of tcb->state. */
void tcp_set_state(struct tcp_host *host, struct tcb *tcb, enum tcp_state next);
/* The same bookkeeping for requests and 2MSL records, which hold no state of their own. */
void tcp_level_enter(struct tcp_host *host, enum tcp_state state);
void tcp_level_leave(struct tcp_host *host, enum tcp_state state);
bool tcp_may_follow(enum tcp_state state, enum tcp_state next);
const char *tcp_state_name(enum tcp_state state);

/* ---- open.c: CLOSED, LISTEN, SYN-SENT (3.10.7.1 to .3) ---------------------------------------- */

void input_closed(const struct seg *seg, struct out *out);
enum listen_verdict { LISTEN_DROP, LISTEN_ANSWER, LISTEN_REQUEST };
enum listen_verdict input_listen(const struct seg *seg, struct out *out);
void input_syn_sent(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out);

/* Text and options a segment to the sender of this SYN may hold (MUST-14, MUST-15, HF-O4), ours being the
 * most we take. */
uint16_t syn_mss(const struct tcp_host *host, const struct seg *syn, uint8_t version, uint16_t ours);

/* ---- request.c --------------------------------------------------------------------------------- */

/* Begin with a SYN that input_listen passed; its SYN-ACK, which tells our_mss, is the answer. */
void request_open(struct tcp_host *host, struct request *rq, const struct seg *syn, uint8_t version,
		  uint16_t our_mss, uint32_t iss, uint32_t ts_offset, struct out *out);
enum request_verdict {
	REQUEST_KEEP,	 /* answered or dropped */
	REQUEST_FREE,	 /* back to LISTEN */
	REQUEST_PROMOTE, /* the last ACK: make a TCB, then give it this segment */
};
enum request_verdict request_input(struct tcp_host *host, struct request *rq, const struct seg *seg,
				   struct out *out);
/* The SYN-ACK timer. @return false when the request is to be freed (HF-OP2) */
bool request_timeout(struct tcp_host *host, struct request *rq, struct out *out);
uint32_t request_deadline(const struct tcp_host *host, const struct request *rq);
/* The SYN-ACK of a SYN that no request is kept for: iss is the cookie, the other terms ride on TSval. */
void request_cookie(struct tcp_host *host, const struct seg *syn, uint8_t version, uint16_t our_mss,
		    uint32_t iss, uint32_t ts_offset, struct out *out);
/* The request that an ACK with a good cookie stands for; to be promoted at once. */
void request_recall(struct tcp_host *host, struct request *rq, const struct seg *ack,
		    uint8_t version, uint16_t mss, uint32_t ts_offset);
/* A TCB in SYN-RECEIVED, passive. */
void request_promote(struct tcp_host *host, const struct request *rq, struct tcb *tcb);

/* What the range stood for is needed no more. */
static inline void range_let_go(struct ranges *ranges, uint32_t range)
{
	ranges->at[range].next = ranges->done;
	ranges->done = range;
}

/* ---- input.c, output.c ------------------------------------------------------------------------- */

/* A segment has arrived for a connection (3.10.7). */
void tcp_input(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out);

/* Where the text of a segment from tcp_next lies. */
struct text {
	uint32_t range, offset;
};

/* The next segment to send now, if any (3.8). seg->text_len octets begin at text. */
bool tcp_next(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text);

/* Whether tcp_next may have something: the worker asks after every input, call and expiry. */
bool tcp_owes(const struct tcp_host *host, const struct tcb *tcb);

/* ---- timeout.c ---------------------------------------------------------------------------------- */

/* What is due by now expires (3.10.8). */
void tcp_timeout(struct tcp_host *host, struct tcb *tcb, struct out *out);
/* The earliest tick at which tcp_timeout has work. @return false: none */
bool tcp_deadline(const struct tcb *tcb, uint32_t *tick);

/* ---- user.c: calls (3.10.1 to .5) ---------------------------------------------------------------- */

void tcp_open(struct tcp_host *host, struct tcb *tcb, uint8_t version, uint32_t iss,
	      uint32_t ts_offset);
/* How many octets SEND may queue now, -EPIPE after SHUTDOWN or CLOSE. */
int64_t tcp_room(const struct tcp_host *host, const struct tcb *tcb);
/* Queue a range of len octets (its number and buffer are the host's), or lengthen the last one. */
void tcp_queue(struct tcp_host *host, struct tcb *tcb, uint32_t range, uint32_t len);
void tcp_lengthen(struct tcp_host *host, struct tcb *tcb, uint32_t len);
/* The application has taken len octets: the window may open. */
void tcp_taken(struct tcp_host *host, struct tcb *tcb, uint32_t len);
/* Nagle's algorithm for this connection (MUST-17). */
void tcp_nagle(const struct tcp_host *host, struct tcb *tcb, bool on);
int tcp_shutdown(struct tcp_host *host, struct tcb *tcb);
/* Whether text that fills no segment waits for more. */
void tcp_cork(struct tcb *tcb, bool on);
/* The most text and options a segment may hold, either way; before the SYN has left. @return 0; -EISCONN */
int tcp_set_mss(struct tcb *tcb, uint16_t mss);
void tcp_set_user_timeout(const struct tcp_host *host, struct tcb *tcb, uint32_t ms);
int tcp_close(struct tcp_host *host, struct tcb *tcb, struct out *out);
void tcp_abort(struct tcp_host *host, struct tcb *tcb, struct out *out);

/* ---- timewait.c ----------------------------------------------------------------------------------- */

/* Fill a record from a TCB in TIME-WAIT or FIN-WAIT-2. */
void timewait_enter(const struct tcp_host *host, const struct tcb *tcb, struct timewait *tw);
enum timewait_verdict {
	TW_KEEP,    /* answered or dropped */
	TW_RESTART, /* the peer's FIN again: 2MSL from now (TW-3) */
	TW_REOPEN,  /* a new SYN that is past all of the old connection: to the listener */
	TW_START,   /* FIN-WAIT-2 has got its FIN: now TIME-WAIT */
	TW_FREE,    /* gone; TW_FIN_WAIT_2 tells of what */
};
enum timewait_verdict timewait_input(struct tcp_host *host, struct timewait *tw,
				     const struct seg *seg, bool listener, struct out *out);
uint32_t timewait_deadline(const struct tcp_host *host, const struct timewait *tw);
/* TW-P8, TW-A5: an ISS past everything the old connection used. */
uint32_t timewait_iss(const struct timewait *tw);

/* ---- icmp.c --------------------------------------------------------------------------------------- */

/* Whether an error that quotes this SEQ is about something on its way (RFC5927-4). */
bool tcp_seq_in_flight(const struct tcb *tcb, uint32_t seq);
/* SYN-SENT, SYN-RECEIVED: hard errors are believed (SHLD-26). */
bool tcp_is_opening(const struct tcb *tcb);
void tcp_soft_error(struct tcb *tcb, int32_t error);
/* An open ends for what the network says: a hard error, or a next hop that does not answer. */
void tcp_refused(struct tcp_host *host, struct tcb *tcb, int32_t error, struct out *out);
/* The path takes packets of mtu octets at most: what is on its way is sent again, in smaller pieces.
 * @return false: not believed (RFC1191-b) */
bool tcp_path_mtu(struct tcp_host *host, struct tcb *tcb, uint32_t mtu);

/* ---- rto.c (cc.h has the rest) ----------------------------------------------------------------------------------- */

void rto_sample(const struct tcp_host *host, struct tcb *tcb, uint32_t rtt_us);
void rto_arm(const struct tcp_host *host, struct tcb *tcb);
void rto_backoff(struct tcp_host *host, struct tcb *tcb);

#endif
