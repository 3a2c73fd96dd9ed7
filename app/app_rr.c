/* SPDX-License-Identifier: BSD-3-Clause */
/* --app rr: the client sends a request, the server answers when all of it is in; both check lengths and
 * octets. Called by hf_run, once a turn. */
#include "end.h"

#include <string.h>

/* Send what is left of our text, as far as it is taken. @return whether all of it is away */
static bool send_text(struct end *e, struct conn *c)
{
	const uint32_t len = e->side == CLIENT ? e->run->s->request : e->run->s->response;

	while (c->sent < len) {
		const uint32_t left = len - c->sent;
		const ssize_t taken = hf_send(e->w, c->id, text_at(e->run, c->sent),
					      left < TEXT_CHUNK ? left : TEXT_CHUNK);

		if (taken <= 0)
			return false;
		c->sent += (uint32_t)taken;
	}
	return true;
}

/* Take all text that waits. @return whether the peer has said that no more will come */
static bool take_text(struct end *e, struct conn *c)
{
	const uint32_t len = e->side == CLIENT ? e->run->s->response : e->run->s->request;
	uint8_t text[TEXT_CHUNK];
	ssize_t n;

	while ((n = hf_recv(e->w, c->id, text, sizeof(text))) > 0) {
		if ((size_t)n > len - c->got ||
		    memcmp(text, text_at(e->run, c->got), (size_t)n) != 0) {
			c->wrong = true;
			return true;
		}
		c->got += (uint32_t)n;
	}
	if (n == 0 && c->got < len)
		c->wrong = true;
	return n == 0;
}

static void client_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool eof = take_text(e, c);
	const enum closing close = e->run->plan->close;

	if (c->got == e->run->s->response) {
		if (e->measuring && !c->closing)
			histogram_record(&e->transaction, now_us - c->start_us);
		if (close == CLOSE_RST)
			end_abort(e, c, now_us);
		else if (close == CLOSE_CLIENT || close == CLOSE_BOTH)
			end_close(e, c, now_us);
	}
	if (eof)
		end_close(e, c, now_us);
}

static void server_answer(struct end *e, struct conn *c, uint64_t now_us)
{
	const enum closing close = e->run->plan->close;
	const bool unanswered = c->sent < e->run->s->response;

	if (unanswered && send_text(e, c)) {
		if (close == CLOSE_SERVER)
			end_close(e, c, now_us);
		else if (close == CLOSE_BOTH) /* once the response is away, so that the FINs can cross */
			end_later(e, c);
	}
}

static void server_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool eof = take_text(e, c);

	if (c->got == e->run->s->request)
		server_answer(e, c, now_us);
	if (eof && (c->wrong || c->sent == e->run->s->response))
		end_close(e, c, now_us);
}

bool rr_answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *events,
	       unsigned n)
{
	struct end *e = arg;

	(void)w;
	for (unsigned i = 0; i < n; i++) {
		const uint32_t what = events[i].what;
		struct conn *c = end_event(e, &events[i], now_us);

		if (what & HF_EV_ACCEPT) {
			c = end_accept(e, now_us);
			if (c)
				server_arrival(e, c, now_us); /* the request may have come along */
			continue;
		}
		if (!c || c->closing)
			continue;
		if (e->side == CLIENT && what & (HF_EV_CONNECTED | HF_EV_WRITABLE))
			send_text(e, c);
		if (what & (HF_EV_READABLE | HF_EV_EOF)) {
			if (e->side == CLIENT)
				client_arrival(e, c, now_us);
			else
				server_arrival(e, c, now_us);
		} else if (e->side == SERVER && what & HF_EV_WRITABLE) {
			server_answer(e, c, now_us);
		}
	}
	return end_turn(e, now_us);
}
