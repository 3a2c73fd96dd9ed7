/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The application's side of `replay`: what it does by itself as events come (replay_app.c), what it is told
 * to do and when (script.c), and a line of text about each, with the state the connection is then in.
 */
#ifndef HF_APP_SCRIPT_H
#define HF_APP_SCRIPT_H

#include "config.h"

#define SCRIPT_CALLS 64
#define HELD 2048 /* octets that echo keeps until they can be sent */

enum call_verb {
	CALL_CONNECT,
	CALL_SEND,
	CALL_RECV,
	CALL_SHUTDOWN,
	CALL_CLOSE,
	CALL_ABORT,
	CALL_STATUS,
};
#define CALL_VERBS 7

struct call {
	uint64_t at_us; /* since the clock's start */
	enum call_verb verb;
	unsigned conn; /* from 1 on */
	uint32_t octets;
	struct hf_addr peer, local; /* of connect */
};

struct replay_conn {
	uint64_t id; /* 0: it has ended */
	struct hf_addr local, peer;
	uint64_t got;  /* octets received and not yet answered (rr) */
	uint64_t owed; /* octets to send, beside what echo holds */
	bool established, eof, closing;
	uint32_t held;
	uint8_t text[HELD];
};

/* What has happened in this turn. */
struct note {
	size_t conn;
	char text[64];
};

struct script {
	const struct settings *s;
	struct hf_worker *w;
	struct call calls[SCRIPT_CALLS];
	unsigned n, done;
	struct replay_conn **conns;
	size_t count, room;
	struct note *notes;
	size_t noted, note_room;
	uint64_t opened, accepted, established, closed, failed, lost;
};

/** Read settings.replay.calls. @return 0; -EINVAL, why says which call is wrong */
int script_parse(struct script *script, const char *text, struct hf_error *why);

/** When the next call is due; UINT64_MAX: none is left. */
uint64_t script_next(const struct script *script);

/** Make all calls that are due. */
void script_run(struct script *script, uint64_t now_us);

/** Print what has happened since the last time, "TIME N WHAT STATE" a line; out NULL: forget it. */
void script_tell(struct script *script, uint64_t now_us, FILE *out);

void script_free(struct script *script);

/* replay_app.c */

/** React to a turn's events as the settings say. */
void replay_answer(struct script *script, const struct hf_event *events, unsigned n);

/** A connection more, by the id that hf_connect or hf_accept gave. @return its index; exits without memory */
size_t replay_conn_add(struct script *script);

/** Note what happened to a connection. */
__attribute__((format(printf, 3, 4))) void replay_note(struct script *script, size_t conn,
						       const char *format, ...);

/** Send of what is held and owed as much as is taken. @return 0, or hf_send's error */
int replay_push(struct script *script, struct replay_conn *c);

/** Take up to `most` octets that wait, and do with them what the application does. @return how many */
uint64_t replay_take(struct script *script, struct replay_conn *c, enum replay_app app,
		     uint64_t most);

#endif
