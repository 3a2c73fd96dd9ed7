/* SPDX-License-Identifier: BSD-3-Clause */
/* --app echo: the server sends back what it gets (RFC 862) in the buffers it came in, and takes no more than
 * it can send back: the client's window closes while it does not read. Called by turn.c. */
#include <errno.h>

#include "end.h"

/* The buffer that has been taken and not sent back yet, if any. @return whether it is away */
static bool send_back(struct end *e, struct conn *c)
{
	ssize_t n;

	if (!c->own)
		return true;
	n = end_mute(e, c) ? -EPIPE : hf_send_mbuf(e->w, c->id, c->own);
	if (n == 0)
		return false; /* until there is room */
	if (n < 0)
		hf_mbuf_free(c->own);
	c->own = NULL;
	return true;
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	struct rte_mbuf *m;
	ssize_t n = -EAGAIN;
	bool some = c->own != NULL;

	while (send_back(e, c) && (n = hf_recv_mbuf(e->w, c->id, &m)) > 0) {
		c->own = m;
		some = true;
	}
	if (some && !c->own)
		end_finish(e, c, true, now_us);
	if (n == 0)
		end_eof(e, c, now_us);
}

static void begun(struct end *e, struct conn *c, uint64_t now_us)
{
	(void)e, (void)c, (void)now_us;
}

static bool busy(const struct end *e, const struct conn *c)
{
	(void)e;
	return c->own != NULL;
}

static void drop(void *own)
{
	hf_mbuf_free(own);
}

const struct app app_echo = {
	.begun = begun, .arrival = arrival, .room = arrival, .busy = busy, .drop = drop
};
