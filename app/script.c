/* SPDX-License-Identifier: BSD-3-Clause */
/* --calls of `replay`: "TIME CALL [ARGUMENT...]", by commas, in the order of time; called by replay.c. */
#include "script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const verbs[CALL_VERBS] = {
	[CALL_CONNECT] = "connect",   [CALL_SEND] = "send",   [CALL_RECV] = "recv",
	[CALL_SHUTDOWN] = "shutdown", [CALL_CLOSE] = "close", [CALL_ABORT] = "abort",
	[CALL_STATUS] = "status",
};

/* ---- Reading ------------------------------------------------------------------------------- */

/* Seconds, with at most six digits after the point. */
static bool parse_time(const char *word, uint64_t *us)
{
	uint64_t whole = 0, scale = 1000000;
	const char *p = word;

	for (; *p >= '0' && *p <= '9' && p - word < 9; p++)
		whole = whole * 10 + (uint64_t)(*p - '0');
	*us = whole * 1000000;
	if (p == word)
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && scale > 1; p++)
			*us += (uint64_t)(*p - '0') * (scale /= 10);
	return *p == '\0';
}

static bool parse_count(const char *word, uint32_t *n)
{
	char *end;
	const unsigned long value =
		word && *word >= '0' && *word <= '9' ? strtoul(word, &end, 10) : 0;

	*n = (uint32_t)value;
	return value > 0 && value <= INT32_MAX && *end == '\0';
}

/* One call; its words end in blanks. */
static bool parse_call(char *text, struct call *call)
{
	char *rest = NULL, *word[5] = { NULL };
	unsigned n = 0, verb = 0;
	uint32_t conn = 0;

	for (char *w = strtok_r(text, " \t\n", &rest); w && n < 5; w = strtok_r(NULL, " \t\n", &rest))
		word[n++] = w;
	if (n < 3 || n > 4 || !parse_time(word[0], &call->at_us))
		return false;
	while (verb < CALL_VERBS && strcmp(word[1], verbs[verb]) != 0)
		verb++;
	if (verb == CALL_VERBS)
		return false;
	call->verb = (enum call_verb)verb;
	if (call->verb == CALL_CONNECT)
		return hf_addr_parse(word[2], &call->peer) == 0 && call->peer.port &&
		       (n == 3 || hf_addr_parse(word[3], &call->local) == 0);
	if (!parse_count(word[2], &conn))
		return false;
	call->conn = conn;
	if (call->verb == CALL_SEND || call->verb == CALL_RECV)
		return parse_count(word[3], &call->octets);
	return n == 3;
}

int script_parse(struct script *script, const char *text, struct hf_error *why)
{
	char copy[TEXT_ROOM], one[TEXT_ROOM], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *call = strtok_r(copy, ",", &rest); call; call = strtok_r(NULL, ",", &rest)) {
		struct call *const to = &script->calls[script->n];

		while (*call == ' ')
			call++;
		snprintf(one, sizeof(one), "%s", call);
		if (script->n == SCRIPT_CALLS) {
			snprintf(why->text, sizeof(why->text), "--calls: more than %d", SCRIPT_CALLS);
			return -EINVAL;
		}
		if (!parse_call(one, to)) {
			snprintf(why->text, sizeof(why->text),
				 "--calls: '%.60s' is no call, such as 0.5 send 1 100; see replay --help",
				 call);
			return -EINVAL;
		}
		if (script->n && to->at_us < to[-1].at_us) {
			snprintf(why->text, sizeof(why->text),
				 "--calls: '%.60s' is earlier than the one before it", call);
			return -EINVAL;
		}
		script->n++;
	}
	return 0;
}

/* ---- Doing --------------------------------------------------------------------------------- */

uint64_t script_next(const struct script *script)
{
	return script->done < script->n ? script->calls[script->done].at_us : UINT64_MAX;
}

static const char *outcome(int rc)
{
	return rc < 0 ? strerrorname_np(-rc) : "ok";
}

static void connect_one(struct script *script, const struct call *call)
{
	const struct hf_addr *local = call->local.ip.version ? &call->local : NULL;
	const size_t i = replay_conn_add(script);
	struct replay_conn *const c = script->conns[i];
	struct hf_status status;
	const int rc = hf_connect(script->w, local, &call->peer, i, &c->id);

	script->opened++;
	script->failed += rc < 0;
	c->peer = call->peer;
	if (rc == 0 && hf_status(script->w, c->id, &status) == 0)
		c->local = status.local;
	replay_note(script, i, "connect %s", outcome(rc));
}

static void call_one(struct script *script, const struct call *call)
{
	const size_t i = call->conn - 1;
	struct replay_conn *const c = i < script->count ? script->conns[i] : NULL;
	int rc = 0;

	if (!c && call->verb != CALL_CONNECT) {
		replay_note(script, i, "%s ENOENT", verbs[call->verb]);
		return;
	}
	switch (call->verb) {
	case CALL_CONNECT:
		connect_one(script, call);
		return;
	case CALL_SEND:
		c->owed += call->octets; /* what is not taken now follows as there is room */
		rc = replay_push(script, c);
		if (rc < 0) {
			c->owed = 0;
			break;
		}
		replay_note(script, i, "send %" PRIu32, call->octets);
		return;
	case CALL_RECV:
		replay_note(script, i, "recv %" PRIu64,
			    replay_take(script, c, REPLAY_DISCARD, call->octets));
		return;
	case CALL_SHUTDOWN:
		rc = hf_shutdown(script->w, c->id);
		break;
	case CALL_CLOSE:
		c->closing = true;
		rc = hf_close(script->w, c->id);
		break;
	case CALL_ABORT:
		c->closing = true;
		rc = hf_abort(script->w, c->id);
		break;
	case CALL_STATUS:
		break;
	}
	replay_note(script, i, rc ? "%s %s" : "%s", verbs[call->verb], outcome(rc));
}

void script_run(struct script *script, uint64_t now_us)
{
	while (script_next(script) <= now_us)
		call_one(script, &script->calls[script->done++]);
}

/* ---- Telling ------------------------------------------------------------------------------- */

void script_tell(struct script *script, uint64_t now_us, FILE *out)
{
	for (size_t i = 0; i < script->noted && out; i++) {
		const struct note *const note = &script->notes[i];
		const struct replay_conn *const c =
			note->conn < script->count ? script->conns[note->conn] : NULL;
		struct hf_status status = { .state = HF_CLOSED };

		if (c)
			hf_lookup(script->w, &c->local, &c->peer, &status);
		fprintf(out, "%" PRIu64 ".%06" PRIu64 " %zu %s %s\n", now_us / 1000000,
			now_us % 1000000, note->conn + 1, note->text, hf_state_name(status.state));
	}
	script->noted = 0;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->conns[i]);
	free(script->conns);
	free(script->notes);
}
