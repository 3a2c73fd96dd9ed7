/* SPDX-License-Identifier: BSD-3-Clause */
/* --app discard: the server takes text and says nothing (RFC 863); a client sends for as long as it is
 * taken. No octet is looked at, or moved. Called by turn.c. */
#include "end.h"

static void room(struct end *e, struct conn *c, uint64_t now_us)
{
	ssize_t n = 1;

	(void)now_us;
	while (e->side == CLIENT && !c->finished && n > 0) {
		n = end_send_stored(e, c, c->sent, TEXT_PIECE);
		if (n > 0)
			c->sent = (uint32_t)((c->sent + (uint64_t)n) % e->run->period);
	}
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	struct rte_mbuf *m;
	ssize_t n;
	bool some = false;

	for (; (n = hf_recv_mbuf(e->w, c->id, &m)) > 0; some = true)
		hf_mbuf_free(m);
	if (some)
		end_finish(e, c, false, now_us);
	if (n == 0)
		end_eof(e, c, now_us);
}

const struct app app_discard = { .begun = room, .arrival = arrival, .room = room, .endless = true };
