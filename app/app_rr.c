/* SPDX-License-Identifier: BSD-3-Clause */
/* --app rr: the client sends a request, the server answers when all of it is in; both check lengths,
 * and octets where both are ours. Called by turn.c. */
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
	if (len > e->run->s->tcp.min_snd_mss) /* else it is one segment */
		end_said(e, c, true);
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
		    (e->peer && memcmp(text, text_at(e->run, c->got), (size_t)n) != 0)) {
			c->wrong = true;
			return true;
		}
		c->got += (uint32_t)n;
	}
	if (n == 0 && c->got < len)
		c->cut = true;
	return n == 0;
}

static void client_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool eof = take_text(e, c);

	if (c->got == e->run->s->response && !c->finished) {
		end_time(e, &e->transaction, c->start_us, now_us);
		end_finish(e, c, false, now_us);
	}
	if (eof)
		end_eof(e, c, now_us);
}

static void server_answer(struct end *e, struct conn *c, uint64_t now_us)
{
	/* once the response is away, so that no RST overtakes it and FINs can cross */
	if (c->sent < e->run->s->response && send_text(e, c))
		end_finish(e, c, true, now_us);
}

static void server_arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool eof = take_text(e, c);

	if (c->got == e->run->s->request)
		server_answer(e, c, now_us);
	if (eof && (c->wrong || c->cut || c->sent == e->run->s->response))
		end_eof(e, c, now_us);
}

static void begun(struct end *e, struct conn *c, uint64_t now_us)
{
	(void)now_us;
	if (e->side == CLIENT)
		send_text(e, c);
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	if (e->side == CLIENT)
		client_arrival(e, c, now_us);
	else
		server_arrival(e, c, now_us);
}

static void room(struct end *e, struct conn *c, uint64_t now_us)
{
	if (e->side == CLIENT)
		send_text(e, c);
	else if (c->got == e->run->s->request)
		server_arrival(e, c, now_us);
}

static bool busy(const struct end *e, const struct conn *c)
{
	return c->got && c->sent < e->run->s->response;
}

const struct app app_rr = { .begun = begun, .arrival = arrival, .room = room, .busy = busy };
