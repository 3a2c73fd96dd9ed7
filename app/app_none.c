/* SPDX-License-Identifier: BSD-3-Clause */
/* --app none: connections that are opened and closed again. Called by turn.c. */
#include "end.h"

static void begun(struct end *e, struct conn *c, uint64_t now_us)
{
	/* the client's ACK first: the server is to see a connection, the FINs can then cross */
	end_finish(e, c, e->side == CLIENT, now_us);
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	char text[TEXT_CHUNK];
	ssize_t n;

	while ((n = hf_recv(e->w, c->id, text, sizeof(text))) > 0)
		c->wrong = e->peer != NULL; /* our own client and server say nothing */
	if (n == 0)
		end_eof(e, c, now_us);
}

const struct app app_none = { .begun = begun, .arrival = arrival };
