/* SPDX-License-Identifier: BSD-3-Clause */
/* --app none: connections that are opened and closed again. Called by hf_run, once a turn. */
#include "end.h"

static void close_at_once(struct end *e, struct conn *c, uint64_t now_us)
{
	switch (e->run->plan->close) {
	case CLOSE_CLIENT:
		if (e->side == CLIENT)
			end_close(e, c, now_us);
		break;
	case CLOSE_SERVER:
		if (e->side == SERVER)
			end_close(e, c, now_us);
		break;
	case CLOSE_BOTH: /* the client once its ACK is away, so that the FINs can cross */
		if (e->side == CLIENT)
			end_later(e, c);
		else
			end_close(e, c, now_us);
		break;
	case CLOSE_RST: /* the ACK first: the server is to see a connection */
		if (e->side == CLIENT)
			end_later(e, c);
		break;
	case CLOSE_AUTO:
		break;
	}
}

bool none_answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *events,
		 unsigned n)
{
	struct end *e = arg;
	char text[1];

	for (unsigned i = 0; i < n; i++) {
		struct conn *c = end_event(e, &events[i], now_us);
		bool eof = c && events[i].what & HF_EV_EOF;

		if (events[i].what & HF_EV_ACCEPT) {
			c = end_accept(e, now_us);
			eof = c && hf_recv(w, c->id, text, sizeof(text)) ==
					   0; /* a FIN may have come along */
		}
		if (!c)
			continue;
		if (events[i].what & (HF_EV_CONNECTED | HF_EV_ACCEPT))
			close_at_once(e, c, now_us);
		if (events[i].what & HF_EV_READABLE && !c->closing)
			c->wrong = true; /* nobody sends anything */
		if (eof)
			end_close(e, c, now_us);
	}
	return end_turn(e, now_us);
}
