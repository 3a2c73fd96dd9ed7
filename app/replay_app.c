/* SPDX-License-Identifier: BSD-3-Clause */
/* The application of `replay`: accepts, reads, answers and closes as the settings say; called by replay.c
 * with each turn's events, and by script.c for the calls it is told to make. */
#include "script.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t zeros[HELD];

/* One place more in an array that grows. */
static void *grow(void *array, size_t used, size_t *room, size_t size)
{
	if (used < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	array = reallocarray(array, *room, size);
	assert(array && "memory for one connection more");
	return array;
}

size_t replay_conn_add(struct script *script)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	script->conns = grow(script->conns, script->count, &script->room, sizeof(*script->conns));
	script->conns[script->count] = calloc(1, sizeof(struct replay_conn));
	assert(script->conns[script->count]);
	return script->count++;
}

void replay_note(struct script *script, size_t conn, const char *format, ...)
{
	struct note *note;
	va_list ap;

	script->notes =
		grow(script->notes, script->noted, &script->note_room, sizeof(*script->notes));
	note = &script->notes[script->noted++];
	note->conn = conn;
	va_start(ap, format);
	vsnprintf(note->text, sizeof(note->text), format, ap);
	va_end(ap);
}

int replay_push(struct script *script, struct replay_conn *c)
{
	ssize_t n = 0;

	while (c->held && (n = hf_send(script->w, c->id, c->text, c->held)) > 0) {
		c->held -= (uint32_t)n;
		memmove(c->text, c->text + n, c->held);
	}
	while (c->owed &&
	       (n = hf_send(script->w, c->id, zeros, c->owed < HELD ? (size_t)c->owed : HELD)) > 0)
		c->owed -= (uint64_t)n;
	return n < 0 ? (int)n : 0;
}

uint64_t replay_take(struct script *script, struct replay_conn *c, enum replay_app app, uint64_t most)
{
	uint64_t taken = 0;

	while (taken < most && !c->held) {
		const uint64_t left = most - taken;
		const ssize_t n =
			hf_recv(script->w, c->id, c->text, left < HELD ? (size_t)left : HELD);

		c->eof |= n == 0;
		if (n <= 0)
			break;
		taken += (uint64_t)n;
		if (app == REPLAY_ECHO)
			c->held = (uint32_t)n;
		replay_push(script, c);
	}
	return taken;
}

/* Read and answer what there is; close when it is time. */
static void serve(struct script *script, struct replay_conn *c)
{
	const struct settings *s = script->s;
	bool said = s->replay.app != REPLAY_RR;

	if (s->replay.app != REPLAY_NONE)
		c->got += replay_take(script, c, s->replay.app, UINT64_MAX);
	for (; s->replay.app == REPLAY_RR && c->got >= s->request; c->got -= s->request) {
		c->owed += s->response;
		said = true;
	}
	replay_push(script, c);
	if (c->closing || c->held || c->owed || s->replay.close == REPLAY_HOLD)
		return;
	if (c->eof || (s->replay.close == REPLAY_US && said)) {
		c->closing = true;
		hf_close(script->w, c->id);
	}
}

/* @return the flags of this connection's event; 0 when another one was accepted, or none */
static uint32_t accept_one(struct script *script, const struct hf_event *event)
{
	const size_t i = replay_conn_add(script);
	struct replay_conn *const c = script->conns[i];
	struct hf_status status;

	if (hf_accept(script->w, event->listener, i, &c->id) < 0) {
		free(c);
		script->count--;
		return 0;
	}
	hf_status(script->w, c->id, &status);
	c->local = status.local;
	c->peer = status.peer;
	c->established = true;
	script->accepted++;
	script->established++;
	replay_note(script, i, "accepted");
	return c->id == event->id ? event->what : 0;
}

static void note_closed(struct script *script, struct replay_conn *c, size_t i, int error)
{
	if (!c->established)
		script->failed++;
	else if (error)
		script->lost++;
	else
		script->closed++;
	c->id = 0;
	replay_note(script, i, "closed%s%s", error ? " " : "", error ? strerrorname_np(error) : "");
}

static void answer_one(struct script *script, const struct hf_event *event)
{
	const bool fresh = event->what & HF_EV_ACCEPT;
	const uint32_t what = fresh ? accept_one(script, event) : event->what;
	const size_t i = fresh ? script->count - 1 : (size_t)event->cookie;
	struct replay_conn *c;

	if (fresh && !what)
		return;
	c = script->conns[i];
	if (what & HF_EV_CONNECTED) {
		c->established = true;
		script->established++;
		replay_note(script, i, "connected");
	}
	if (what & HF_EV_SUSPECT)
		replay_note(script, i, "suspect");
	if (what & HF_EV_READABLE)
		replay_note(script, i, "readable %u", event->readable);
	if (what & HF_EV_SENT)
		replay_note(script, i, "sent");
	if (what & HF_EV_EOF) {
		c->eof = true;
		replay_note(script, i, "eof");
	}
	if (what & HF_EV_CLOSED)
		note_closed(script, c, i, event->error);
	else
		serve(script, c);
}

void replay_answer(struct script *script, const struct hf_event *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		answer_one(script, &events[i]);
}
