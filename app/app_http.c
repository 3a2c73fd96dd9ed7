/* SPDX-License-Identifier: BSD-3-Clause */
/* --app http: the server answers GET and HEAD of / with --response octets, one request after another; the
 * client gets / once and looks at status and length. Called by turn.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"
#include "http.h"

#define PIECE 2048

/* What a connection keeps. text[at..len) has been received and not been looked at. */
struct talk {
	struct http http;
	char head[256];
	uint32_t head_len, body_len; /* of the answer that is being sent; head_len 0: none is */
	const char *body;	     /* NULL: generated */
	bool last;		     /* no request is taken after it */
	uint32_t at, len;
	char text[PIECE];
};

static struct talk *talk_begin(struct end *e, struct conn *c, enum http_kind kind)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	c->own = talk;
	if (!talk)
		hf_abort(e->w, c->id);
	else
		http_begin(&talk->http, kind);
	return talk;
}

/* ---- Server ------------------------------------------------------------------------------ */

static void answer_begin(const struct end *e, struct conn *c, struct talk *talk)
{
	const unsigned status = http_verdict(&talk->http);
	const bool head_only = talk->http.complete && talk->http.parser.method == HTTP_HEAD;
	const bool ours = e->run->plan->close_auto || e->ending == END_AFTER || e->ending == END_HOLD;
	uint32_t length = e->run->s->response;

	talk->body = status == 200 ? NULL : http_reason(status);
	if (talk->body)
		length = (uint32_t)strlen(talk->body);
	talk->last = !talk->http.persists || !ours || e->stopping;
	talk->head_len =
		(uint32_t)http_head(talk->head, sizeof(talk->head), status, length, !talk->last);
	talk->body_len = head_only ? 0 : length;
	c->sent = 0;
}

/* @return whether all of it is away */
static bool answer_send(struct end *e, struct conn *c, struct talk *talk)
{
	while (c->sent < talk->head_len + talk->body_len) {
		const bool head = c->sent < talk->head_len;
		const uint32_t offset = head ? c->sent : c->sent - talk->head_len;
		const uint32_t left = (head ? talk->head_len : talk->body_len) - offset;
		const void *text = head	      ? talk->head + offset :
				   talk->body ? (const void *)(talk->body + offset) :
						text_at(e->run, offset);
		const ssize_t taken =
			hf_send(e->w, c->id, text, left < TEXT_CHUNK ? left : TEXT_CHUNK);

		if (taken <= 0)
			return false;
		c->sent += (uint32_t)taken;
	}
	talk->head_len = 0;
	http_begin(&talk->http, HTTP_KIND_REQUEST);
	return true;
}

/* Look at what has been received. @return false when more is needed */
static bool request_take(const struct end *e, struct conn *c, struct talk *talk)
{
	if (c->finished)
		talk->at = talk->len; /* nobody asked for it */
	if (talk->at == talk->len)
		return false;
	talk->at += (uint32_t)http_take(&talk->http, talk->text + talk->at, talk->len - talk->at);
	if (!talk->http.complete && !http_malformed(&talk->http))
		return false;
	answer_begin(e, c, talk);
	return true;
}

static void server_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	struct talk *talk = c->own;
	ssize_t n = 1;

	while (n > 0) {
		if (talk->head_len && !answer_send(e, c, talk))
			return; /* until there is room */
		if (talk->last && !c->finished) {
			end_finish(e, c, true, now_us);
			if (c->closing)
				return;
		}
		if (request_take(e, c, talk))
			continue;
		n = hf_recv(e->w, c->id, talk->text, sizeof(talk->text));
		talk->at = 0;
		talk->len = n > 0 ? (uint32_t)n : 0;
	}
	if (n == 0)
		end_eof(e, c, now_us);
}

/* ---- Client ------------------------------------------------------------------------------ */

static void client_begun(struct end *e, struct conn *c)
{
	char host[HF_ADDR_TEXT], text[256];
	int len;

	len = snprintf(text, sizeof(text),
		       "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: handfast/%s\r\n%s\r\n",
		       hf_addr_format(&e->run->target, host), hf_version(),
		       e->ending == END_AFTER ? "Connection: close\r\n" : "");
	if (hf_send(e->w, c->id, text, (size_t)len) != len)
		hf_abort(e->w, c->id);
}

static void client_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	struct talk *talk = c->own;
	struct http *http = &talk->http;
	ssize_t n;

	while ((n = hf_recv(e->w, c->id, talk->text, sizeof(talk->text))) >= 0) {
		const size_t used = http->complete ? 0 : http_take(http, talk->text, (size_t)n);

		if (used < (size_t)n || (http->complete && http->parser.status_code != 200))
			c->wrong = true;
		if (http->complete && !c->finished) {
			if (e->measuring && !c->wrong)
				histogram_record(&e->transaction, now_us - c->start_us);
			end_finish(e, c, false, now_us);
		}
		if (c->closing)
			return;
		if (n == 0)
			break;
	}
	if (n == 0) {
		c->cut = !http->complete;
		end_eof(e, c, now_us);
	}
}

/* ---- Both -------------------------------------------------------------------------------- */

static void begun(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool client = e->side == CLIENT;

	(void)now_us;
	if (talk_begin(e, c, client ? HTTP_KIND_RESPONSE : HTTP_KIND_REQUEST) && client)
		client_begun(e, c);
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	if (!c->own)
		return;
	if (e->side == CLIENT)
		client_arrival(e, c, now_us);
	else
		server_arrival(e, c, now_us);
}

static void room(struct end *e, struct conn *c, uint64_t now_us)
{
	if (c->own && e->side == SERVER)
		server_arrival(e, c, now_us);
}

/* Within a request or its answer. */
static bool busy(const struct end *e, const struct conn *c)
{
	const struct talk *talk = c->own;

	(void)e;
	return talk && (talk->head_len || talk->http.url);
}

const struct app app_http = { .begun = begun, .arrival = arrival, .room = room, .busy = busy };
