/* SPDX-License-Identifier: BSD-3-Clause */
/* --app chargen: the server sends lines of characters for as long as they are taken (RFC 864), or, when
 * it is to end the connection first, --response octets of them. A client takes them. Called by turn.c. */
#include <string.h>

#include "end.h"

#define WIDTH 72
#define FIRST ' '
#define PRINTABLE 95 /* from space to tilde */
#define LOOK \
	32 /* octets at the start of each buffer that a client compares: displaced text shows */

_Static_assert(TEXT_LINES == PRINTABLE * (WIDTH + 2), "then the pattern repeats");

/* RFC 864's pattern: line n begins with the n-th printable character. */
uint8_t chargen_at(uint32_t i)
{
	const uint32_t line = i / (WIDTH + 2), column = i % (WIDTH + 2);

	if (column >= WIDTH)
		return column == WIDTH ? '\r' : '\n';
	return (uint8_t)(FIRST + (line + column) % PRINTABLE);
}

static void room(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool endless = e->ending == END_AFTER || e->ending == END_HOLD;
	const uint32_t len = endless ? UINT32_MAX : e->run->s->response;

	if (e->side == CLIENT || c->finished)
		return;
	while (c->sent < len) {
		const ssize_t taken = end_send_stored(e, c, c->sent, len - c->sent);

		if (taken <= 0)
			return;
		c->sent += (uint32_t)taken;
		if (endless)
			c->sent %= TEXT_LINES;
	}
	end_finish(e, c, true, now_us);
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	struct rte_mbuf *m;
	ssize_t n;

	while ((n = hf_recv_mbuf(e->w, c->id, &m)) > 0) {
		const size_t look = n < LOOK ? (size_t)n : LOOK;

		if (e->side == CLIENT && memcmp(hf_mbuf_text(m), text_at(e->run, c->got), look) != 0)
			c->wrong = true;
		c->got = (uint32_t)((c->got + (uint64_t)n) % TEXT_LINES);
		hf_mbuf_free(m);
	}
	if (n == 0)
		end_eof(e, c, now_us);
}

const struct app app_chargen = { .begun = room, .arrival = arrival, .room = room, .endless = true };
