/* SPDX-License-Identifier: BSD-3-Clause */
/* --app http: the server answers GET, HEAD and POST of its pages, one request after another; the client asks
 * for --path as often as --requests says, and looks at status and length. Called by turn.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"
#include "http.h"

#define LINGER \
	262144 /* octets taken of a request that was refused: a RST would overtake the answer */
#define COPY_MAX 2048 /* octets of a body that are sent right behind the head, in its buffer */

/* What a connection keeps. */
struct talk {
	struct http http;
	char head[HTTP_HEAD_ROOM];
	uint32_t head_len;	   /* of the answer that is being sent; 0: none is */
	uint64_t body_len, offset; /* ... and where its body is in the store */
	uint64_t sent;		   /* of head and body */
	const char *reason;	   /* the body itself; NULL: it is in the store */
	bool interim;		   /* 100: the answer proper follows */
	bool refused;		   /* it was no request that we take */
	bool last;		   /* no request is taken after it */
	uint64_t requests;	   /* begun */
	uint64_t asked_us;
	struct rte_mbuf *m; /* received, and from at to len not looked at */
	uint32_t at, len;
};

static struct talk *talk_begin(struct end *e, struct conn *c, enum http_kind kind)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	c->own = talk;
	if (!talk)
		hf_abort(e->w, c->id);
	else
		http_begin(&talk->http, kind,
			   kind == HTTP_KIND_REQUEST ? e->run->s->body_max : UINT64_MAX);
	return talk;
}

static void drop(void *own)
{
	struct talk *talk = own;

	hf_mbuf_free(talk->m);
	free(talk);
}

/* The next buffer of text. @return as hf_recv_mbuf */
static ssize_t text_next(struct end *e, struct conn *c, struct talk *talk)
{
	ssize_t n;

	hf_mbuf_free(talk->m);
	talk->m = NULL;
	talk->at = talk->len = 0;
	n = hf_recv_mbuf(e->w, c->id, &talk->m);
	if (n > 0)
		talk->len = (uint32_t)n;
	return n;
}

/* Parse on. @return whether all that was there is of this message */
static bool text_take(struct talk *talk)
{
	const char *text = (const char *)hf_mbuf_text(talk->m) + talk->at;
	const size_t len = talk->len - talk->at;
	const size_t used = http_take(&talk->http, text, len);

	talk->at += (uint32_t)used;
	return used == len;
}

/* ---- Server ------------------------------------------------------------------------------ */

static const struct page *page_find(const struct end *e, const struct http *http)
{
	static const struct page generated = { .type = "application/octet-stream" };
	char path[2];

	if (e->run->s->root[0])
		return site_find(&e->run->site, http->target, http->url);
	return site_path(http->target, http->url, path, sizeof(path)) == 1 ? &generated : NULL;
}

static void answer_begin(const struct end *e, struct conn *c, struct talk *talk)
{
	const struct settings *s = e->run->s;
	const bool head_only = talk->http.complete && talk->http.parser.method == HTTP_HEAD;
	const bool ours = e->run->plan->close_auto || e->ending == END_AFTER || e->ending == END_HOLD;
	unsigned status = http_verdict(&talk->http);
	const struct page *page = status == 200 ? page_find(e, &talk->http) : NULL;
	uint64_t length;

	(void)c;
	if (status == 200 && !page)
		status = 404;
	talk->reason = page ? NULL : http_reason(status);
	length = !page ? strlen(talk->reason) : s->root[0] ? page->len : s->response;
	talk->offset = page ? page->offset : 0;
	talk->last = !talk->http.persists || !ours || e->stopping ||
		     ++talk->requests == s->keepalive_requests;
	talk->head_len = (uint32_t)http_head(talk->head, status, page ? page->type : "text/plain",
					     length, !talk->last);
	talk->body_len = head_only ? 0 : length;
	talk->sent = 0;
}

/* The client waits for a word before it sends its body. */
static void interim_begin(struct talk *talk)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	talk->head_len = sizeof(text) - 1;
	memcpy(talk->head, text, talk->head_len);
	talk->body_len = talk->sent = 0;
	talk->interim = true;
}

static ssize_t body_send(struct end *e, const struct conn *c, const struct talk *talk)
{
	const struct run *run = e->run;
	const uint64_t done = talk->sent - talk->head_len;
	const uint64_t left = talk->body_len - done;

	if (talk->reason)
		return hf_send(e->w, c->id, talk->reason + done, left);
	if (left > COPY_MAX)
		return end_send_stored(e, c, talk->offset + done, left);
	return hf_send(e->w, c->id,
		       run->site.octets ? run->site.octets + talk->offset + done : text_at(run, done),
		       left);
}

/* @return whether all of it is away */
static bool answer_send(struct end *e, struct conn *c, struct talk *talk)
{
	const bool refused = http_malformed(&talk->http);

	while (talk->sent < talk->head_len + talk->body_len) {
		const ssize_t taken = talk->sent < talk->head_len ?
					      hf_send(e->w, c->id, talk->head + talk->sent,
						      talk->head_len - talk->sent) :
					      body_send(e, c, talk);

		if (taken <= 0) {
			end_said(e, c, false);
			return false;
		}
		talk->sent += (uint64_t)taken;
	}
	end_said(e, c, true);
	talk->head_len = 0;
	if (!talk->interim) {
		e->books.responses++;
		http_begin(&talk->http, HTTP_KIND_REQUEST, e->run->s->body_max);
	}
	talk->interim = false;
	talk->refused = refused;
	return true;
}

/* Look at what has been received. @return false when more is needed */
static bool request_take(const struct end *e, struct conn *c, struct talk *talk)
{
	if (c->finished) { /* nobody asked for it */
		c->got += talk->len - talk->at;
		talk->at = talk->len;
	}
	if (talk->at == talk->len)
		return false;
	text_take(talk);
	if (http_expects(&talk->http)) {
		interim_begin(talk);
		return true;
	}
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
			return;	   /* until there is room */
		if (talk->refused) /* RFC 9112 9.6 */
			end_quit(e, c, now_us);
		else if (talk->last)
			end_finish(e, c, true, now_us);
		if (c->got > LINGER)
			end_close(e, c, now_us);
		if (c->closing)
			return;
		if (!request_take(e, c, talk))
			n = text_next(e, c, talk);
	}
	if (n == 0)
		end_eof(e, c, now_us);
}

/* ---- Client ------------------------------------------------------------------------------ */

/* Whether the request that was made last is the connection's last one. A server that is to close first has to have been
 * told so: at the end of the run one request more may have to. */
static bool client_last(const struct end *e, const struct talk *talk)
{
	return talk->last || (e->stopping && e->ending != END_AFTER);
}

static void client_ask(struct end *e, struct conn *c, struct talk *talk, uint64_t asked_us)
{
	char host[HF_ADDR_TEXT], text[TEXT_ROOM + 256];
	int len;

	talk->last = ++talk->requests == e->run->s->requests || e->stopping;
	talk->asked_us = asked_us;
	len = snprintf(text, sizeof(text),
		       "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: handfast/%s\r\n%s\r\n",
		       e->run->s->path, hf_addr_format(&e->run->target, host), hf_version(),
		       e->ending == END_AFTER && talk->last ? "Connection: close\r\n" : "");
	if (hf_send(e->w, c->id, text, (size_t)len) != len)
		hf_abort(e->w, c->id);
}

/* A response is complete. */
static void client_judge(struct end *e, struct conn *c, struct talk *talk, uint64_t now_us)
{
	const struct settings *s = e->run->s;
	const uint64_t length = e->run->plan->command == COMMAND_PAIR ? s->response : s->length;
	const bool status = talk->http.parser.status_code == 200;
	const bool right = !length || talk->http.body == length;
	const bool persists = talk->http.persists;

	e->books.responses++;
	e->books.wrong_status += !status;
	e->books.wrong_length += status && !right;
	c->wrong |= !status || !right;
	if (status && right)
		end_time(e, &e->transaction, talk->asked_us, now_us);
	if (client_last(e, talk) || !persists) {
		end_finish(e, c, false, now_us);
		return;
	}
	http_begin(&talk->http, HTTP_KIND_RESPONSE, UINT64_MAX);
	client_ask(e, c, talk, now_us);
}

static void client_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	struct talk *talk = c->own;
	struct http *http = &talk->http;
	ssize_t n;

	while (!c->closing && (n = text_next(e, c, talk)) > 0) {
		while (talk->at < talk->len && !http->complete && !http_malformed(http)) {
			text_take(talk);
			if (http->complete && http->parser.status_code / 100 == 1)
				http_begin(http, HTTP_KIND_RESPONSE, UINT64_MAX); /* RFC 9110 15.2 */
		}
		if (talk->at < talk->len) /* more than was asked for, or no HTTP */
			c->wrong = true;
		if (http_malformed(http)) /* nothing that follows can be read */
			end_close(e, c, now_us);
		if (http->complete && !c->finished)
			client_judge(e, c, talk, now_us);
	}
	if (c->closing || n != 0)
		return;
	if (http->begun && !http->complete) { /* it may end with the connection (RFC 9112 6.3) */
		http_take(http, NULL, 0);
		if (http->complete && !c->finished)
			client_judge(e, c, talk, now_us);
	}
	c->cut = !c->finished;
	if (!c->closing)
		end_eof(e, c, now_us);
}

/* ---- Both -------------------------------------------------------------------------------- */

static void begun(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool client = e->side == CLIENT;
	struct talk *talk = talk_begin(e, c, client ? HTTP_KIND_RESPONSE : HTTP_KIND_REQUEST);

	(void)now_us;
	if (talk && client)
		client_ask(e, c, talk, c->start_us);
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
	return talk && (talk->head_len || talk->http.begun);
}

const struct app app_http = {
	.begun = begun, .arrival = arrival, .room = room, .busy = busy, .drop = drop
};
