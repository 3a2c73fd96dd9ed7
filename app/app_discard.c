/* SPDX-License-Identifier: BSD-3-Clause */
/* --app discard: the server takes text and says nothing (RFC 863). Called by turn.c. */
#include "end.h"

static void begun(struct end *e, struct conn *c, uint64_t now_us)
{
	(void)e, (void)c, (void)now_us;
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	char text[TEXT_CHUNK];
	ssize_t n;
	bool some = false;

	while ((n = hf_recv(e->w, c->id, text, sizeof(text))) > 0)
		some = true;
	if (some)
		end_finish(e, c, false, now_us);
	if (n == 0)
		end_eof(e, c, now_us);
}

const struct app app_discard = { .begun = begun, .arrival = arrival };
