/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker of one end of `pair`: its connections, its books, its clock. The applications
 * (app_none.c, app_rr.c) answer events with it, pair.c makes it, report.c reads it after the run.
 */
#ifndef HF_APP_END_H
#define HF_APP_END_H

#include <stdatomic.h>

#include "histogram.h"
#include "plan.h"

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
};

#define TEXT_PERIOD 251 /* octet i of a text is i mod 251, so that text displaced shows */
#define TEXT_CHUNK 16384

/** What all ends of a run share; written seldom. */
struct run {
	const struct settings *s;
	const struct plan *plan;
	struct hf_addr target;
	uint64_t start_us;	      /* when opening begins */
	atomic_bool go, stop, cancel; /* cancel: go, and straight home */
	atomic_uint opening;	      /* clients that still open or wait for theirs to end */
	atomic_uint busy;	      /* ends of both sides that have something unfinished */
	uint8_t text[TEXT_CHUNK + TEXT_PERIOD]; /* what requests and responses are made of */
};

/** TEXT_CHUNK octets of any text from offset on. */
static inline const uint8_t *text_at(const struct run *run, uint32_t offset)
{
	return run->text + offset % TEXT_PERIOD;
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
	bool wrong;	    /* its text was not what was expected */
};

/** A connection to be closed a turn later. */
struct put_off {
	uint64_t id;
	uint32_t conn;
};

/** Counters at the edges of the measured time. */
struct mark {
	uint64_t us, attempted, offered, closed, packets, octets, cycles;
};

struct end {
	struct run *run;
	struct hf_worker *w;
	struct hf_port *port;
	struct end *peer; /* at the other end of the queue */
	enum side side;
	uint32_t listener;

	struct conn *conns;
	uint32_t *free; /* stack of free conns */
	uint32_t size, frees;
	struct put_off *later; /* due in this turn, then those of the next */
	uint32_t laters, dues;

	uint64_t count, rate; /* this client's shares; count UINT64_MAX, rate 0: no limit */
	uint32_t concurrency;
	uint64_t phase_us; /* of this client's arrivals within their interval */
	uint64_t retry_us; /* no open before: no port was free */
	uint64_t stopped_us;
	bool measuring, stopping, measured, idle, aborted;
	struct mark from, to; /* edges of the measured time */
	uint64_t frames,
		frames_turn; /* on this queue's wire, and the peer's turn when last they changed */
	atomic_bool over;    /* it has fallen silent */
	unsigned turns, received, packets, octets, cycles; /* numbers of the counters a mark reads */

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

/** Accept the listener's next connection. @return NULL when none waits */
struct conn *end_accept(struct end *e, uint64_t now_us);

void end_close(struct end *e, struct conn *c, uint64_t now_us);
void end_abort(struct end *e, struct conn *c, uint64_t now_us);

/** Close (or abort, when that is how connections end) after this turn's flush. */
void end_later(struct end *e, struct conn *c);

/** The rest of a turn: what was put off, new opens, the end of the run. @return false when all is over */
bool end_turn(struct end *e, uint64_t now_us);

/** Connections in a phase, counted one by one. */
uint64_t end_count(const struct end *e, enum conn_phase phase);

/* The applications: functions for struct hf_task, arg is the struct end. */
bool none_answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *events,
		 unsigned n);
bool rr_answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *events,
	       unsigned n);

#endif
