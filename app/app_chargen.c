/* SPDX-License-Identifier: BSD-3-Clause */
/* --app chargen: the server sends lines of characters for as long as they are taken (RFC 864), or, when
 * it is to end the connection first, --response octets of them. Called by turn.c. */
#include "end.h"

#define WIDTH 72
#define FIRST ' '
#define PRINTABLE 95 /* from space to tilde */

/* RFC 864's pattern: line n begins with the n-th printable character. */
static char character(uint32_t offset)
{
	const uint32_t line = offset / (WIDTH + 2), column = offset % (WIDTH + 2);

	if (column >= WIDTH)
		return column == WIDTH ? '\r' : '\n';
	return (char)(FIRST + (line + column) % PRINTABLE);
}

static void room(struct end *e, struct conn *c, uint64_t now_us)
{
	const bool endless = e->ending == END_AFTER || e->ending == END_HOLD;
	const uint32_t len = endless ? UINT32_MAX : e->run->s->response;
	char text[PRINTABLE * (WIDTH + 2)]; /* the pattern repeats after so much */

	if (c->finished)
		return;
	while (c->sent < len) {
		const uint32_t left = len - c->sent;
		const uint32_t n = left < sizeof(text) ? left : (uint32_t)sizeof(text);
		ssize_t taken;

		for (uint32_t i = 0; i < n; i++)
			text[i] = character(c->sent + i);
		taken = hf_send(e->w, c->id, text, n);
		if (taken > 0)
			c->sent += (uint32_t)taken;
		if (endless)
			c->sent %= sizeof(text);
		if (taken < (ssize_t)n)
			return;
	}
	end_finish(e, c, true, now_us);
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	char text[TEXT_CHUNK];
	ssize_t n;

	while ((n = hf_recv(e->w, c->id, text, sizeof(text))) > 0)
		;
	if (n == 0)
		end_eof(e, c, now_us);
}

const struct app app_chargen = { .begun = room, .arrival = arrival, .room = room };
