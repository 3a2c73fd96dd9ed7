/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker of one end: its connections, its books, its clock. The applications (app_*.c) answer
 * events with it, run.c makes it, books.c reads it after the run.
 */
#ifndef HF_APP_END_H
#define HF_APP_END_H

#include <stdatomic.h>

#include "histogram.h"
#include "plan.h"
#include "site.h"

struct app;

/** How opens fail, and how established connections are lost. */
enum failure {
	FAILED_TIMEOUT,
	FAILED_REFUSED,
	FAILED_RESET,
	FAILED_UNREACHABLE,
	FAILED_NO_PORT,
	FAILED_NO_MEMORY,
	FAILED_ABORTED,
};
#define FAILURES 7
enum loss { LOST_RESET, LOST_TIMEOUT, LOST_ABORTED };
#define LOSSES 3

/** What an end has counted itself; each number at the place where it happens, none computed. */
struct books {
	uint64_t attempted, established, accepted;
	uint64_t closed, closed_by_rst; /* as the settings say: by FIN, by our RST */
	uint64_t failed[FAILURES], lost[LOSSES];
	uint64_t wrong_text; /* connections whose text was not what was expected */
	uint64_t cut_short;  /* ... ended before all of it was there */
	uint64_t responses, wrong_status, wrong_length; /* http: to the client; from the server */
};

#define TEXT_PERIOD 251	  /* octet i of a text is i mod 251, so that text displaced shows */
#define TEXT_LINES 7030	  /* the same of chargen's lines */
#define TEXT_CHUNK 16384  /* octets copied at once */
#define TEXT_PIECE 131072 /* ... sent from where they lie */

/** What all ends of a run share; written seldom. */
struct run {
	const struct settings *s;
	const struct plan *plan;
	const struct app *app;
	struct hf_addr target;
	uint64_t start_us;	      /* when opening begins */
	atomic_bool go, stop, cancel; /* cancel: go, and straight home */
	atomic_bool hurry;	      /* after stop: wait for nothing that is open */
	atomic_uint opening;	      /* clients that still open or wait for theirs to end */
	atomic_ulong taken;	      /* by all servers, when they are to stop at a count */
	atomic_uint busy;	      /* ends of both sides that have something unfinished */
	struct site site;	      /* of --root */
	uint32_t period;	      /* of text */
	uint8_t text[TEXT_PIECE + TEXT_LINES]; /* what requests and responses are made of */
};

/** TEXT_PIECE octets of any text from offset on. */
static inline const uint8_t *text_at(const struct run *run, uint64_t offset)
{
	return run->text + offset % run->period;
}

enum conn_phase { CONN_FREE, CONN_OPENING, CONN_OPEN };

struct conn {
	uint64_t id;
	uint64_t start_us;  /* when it was to be opened */
	uint64_t mark_us;   /* when we closed it */
	uint32_t sent, got; /* octets of text */
	uint8_t phase;	    /* enum conn_phase */
	bool closing;	    /* hf_close or hf_abort has been called */
	bool aborting;	    /* ... hf_abort, as the settings want it */
	bool finished;	    /* end_finish has been called */
	bool wrong;	    /* its text was not what was expected */
	bool cut;	    /* the peer's FIN came before all of it */
	void *own;	    /* the application's, ended with the connection */
};

/** A connection to be closed a turn later. */
struct put_off {
	uint64_t id;
	uint32_t conn;
};

/** Counters at the edges of the measured time. */
struct mark {
	uint64_t us, attempted, offered, offered_us, opened_us, closed, packets, octets, text,
		responses, cycles;
};

struct end {
	struct run *run;
	struct hf_worker *w;
	struct hf_port *port;
	struct end *peer; /* at the other end of the queue; NULL: another program is */
	enum side side;
	enum ending ending;
	uint32_t *listeners, listener_count;

	struct conn *conns;
	uint32_t *free; /* stack of free conns */
	uint32_t size, frees;
	struct put_off *later; /* due in this turn, then those of the next */
	uint32_t laters, dues;

	uint64_t count, rate; /* this client's shares; count UINT64_MAX, rate 0: no limit */
	uint32_t concurrency;
	uint64_t phase_us;  /* of this client's arrivals within their interval */
	uint64_t retry_us;  /* no open before: no port was free */
	uint64_t opened_us; /* the last open, what was made up for after the end apart */
	uint64_t frames_taken, held_up_before; /* of a rate's turn before, and connections then */
	uint32_t frees_before;
	uint64_t stopped_us, drain_us; /* how long what is open then may take */
	uint64_t stayed_us; /* until when others had something unfinished, and this end nothing */
	bool measuring, stopping, measured, idle, aborted;
	uint64_t missed;	/* of run->taken: ended before they were accepted */
	uint32_t mbufs;		/* that the device held before the run */
	struct mark from, to;	/* edges of the measured time */
	uint64_t frames;	/* on this queue's wire */
	uint64_t frames_turn;	/* the peer's when these were all; UINT64_MAX: not yet */
	uint64_t frames_us;	/* without a peer: when the last one left */
	atomic_bool over;	/* it has fallen silent */
	struct hf_store *store; /* what is sent from where it lies: the site, or the text */
	unsigned turns, received, packets, packets_in, held_up, octets, octets_in, text_in, text_out,
		cycles, unaccepted[3]; /* numbers of counters: what a mark reads, and others */

	struct books books;
	struct histogram connect, close, transaction;
};

/** Make the end with its worker on the calling thread's node. @return 0 or a negative errno */
int end_create(struct end *e, struct run *run, enum side side, unsigned i, struct hf_port *port,
	       struct hf_error *why);
void end_destroy(struct end *e);

/**
 * Enter an event in the books; every event of a turn goes through here first.
 * @return the connection it is about; NULL when that has ended, or is not accepted yet
 */
struct conn *end_event(struct end *e, const struct hf_event *event, uint64_t now_us);

/** Accept the next connection of the event's listener. @return NULL when none waits */
struct conn *end_accept(struct end *e, const struct hf_event *event, uint64_t now_us);

/** Close it now, whatever the settings want. */
void end_close(struct end *e, struct conn *c, uint64_t now_us);

/**
 * Our part of what the connection is for is done: end it as the settings want.
 * @param later  something is still to leave with this turn's flush, and a RST or a crossing FIN would
 *               overtake it: do these a turn later
 */
void end_finish(struct end *e, struct conn *c, bool later, uint64_t now_us);

/** Whether end_finish has sent a FIN or RST, or is about to: there is nothing to say any more. */
static inline bool end_mute(const struct end *e, const struct conn *c)
{
	return c->finished && e->ending != END_AFTER && e->ending != END_HOLD;
}

/** The run ends: an endless connection says that nothing more will come of us. */
void end_quit(struct end *e, struct conn *c, uint64_t now_us);

/** Queue len octets of the run's text, or the site's with --root, from offset on. @return as hf_send_store */
static inline ssize_t end_send_stored(struct end *e, const struct conn *c, uint64_t offset,
				      uint64_t len)
{
	if (!e->run->site.octets) {
		offset %= e->run->period;
		len = len < TEXT_PIECE ? len : TEXT_PIECE;
	}
	return hf_send_store(e->w, c->id, e->store, offset, len);
}

/** Whether all of a message has been taken. What of it fills no segment then leaves at once (MUST-17): by Nagle's rule it
 *  would wait for an ACK, which the peer delays because it waits for that rest. */
static inline void end_said(const struct end *e, const struct conn *c, bool all)
{
	hf_nagle(e->w, c->id, !all && e->run->s->tcp.nagle);
}

/** The peer's FIN has come and we have nothing more to send. */
void end_eof(struct end *e, struct conn *c, uint64_t now_us);

/** Open a connection. @return 0; or a negative errno, entered in the books */
int end_open(struct end *e, uint64_t start_us);

/** What end_finish has put off until this turn. */
void end_later_run(struct end *e, uint64_t now_us);

static inline uint64_t end_counter(const struct end *e, unsigned counter)
{
	return counter < hf_counters() ? hf_counter(e->w, counter) : 0;
}

/** Record how long something took that began in the measured time; the slowest may have ended in the drain. */
static inline void end_time(struct end *e, struct histogram *h, uint64_t since_us, uint64_t now_us)
{
	const struct run *run = e->run;

	if ((e->measuring || e->measured) && since_us >= run->start_us + run->s->warmup_us)
		histogram_record(h, now_us - since_us);
}

/** Connections in a phase, counted one by one. */
uint64_t end_count(const struct end *e, enum conn_phase phase);

/** All events of a turn, for an application that has this to say to a connection. */
struct app {
	void (*begun)(struct end *e, struct conn *c, uint64_t now_us);	 /* it is ESTABLISHED */
	void (*arrival)(struct end *e, struct conn *c, uint64_t now_us); /* text, or the peer's FIN */
	void (*room)(struct end *e, struct conn *c, uint64_t now_us);	 /* in the send queue */
	bool (*busy)(const struct end *e, const struct conn *c); /* not to be let go yet; NULL: never */
	void (*drop)(void *own); /* of a connection that has ended; NULL: free */
	bool endless; /* a client's connections go on until the end of the run, and then half-close */
};

/** For struct hf_task; arg is the struct end. */
bool end_answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *events,
		unsigned n);

/** Octet i of chargen's text, which repeats after TEXT_LINES. */
uint8_t chargen_at(uint32_t i);

extern const struct app app_none, app_rr, app_echo, app_discard, app_chargen, app_http;

#endif
