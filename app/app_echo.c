/* SPDX-License-Identifier: BSD-3-Clause */
/* --app echo: the server sends back what it gets (RFC 862), and takes no more than it can send back: the
 * client's window closes while it does not read. Called by turn.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"

/* What has been taken and not sent back yet. */
struct rest {
	uint32_t at, len;
	uint8_t octets[TEXT_CHUNK];
};

/* @return whether nothing is left */
static bool send_rest(struct end *e, struct conn *c)
{
	struct rest *rest = c->own;
	ssize_t taken;

	if (!rest)
		return true;
	taken = hf_send(e->w, c->id, rest->octets + rest->at, rest->len - rest->at);
	if (taken > 0)
		rest->at += (uint32_t)taken;
	if (rest->at < rest->len)
		return false;
	free(rest);
	c->own = NULL;
	return true;
}

/* @return whether it is kept; there may be no memory, and then the connection is lost */
static bool keep_rest(struct conn *c, const uint8_t *octets, uint32_t len)
{
	struct rest *rest = malloc(sizeof(*rest));

	if (!rest)
		return false;
	rest->at = 0;
	rest->len = len;
	memcpy(rest->octets, octets, len);
	c->own = rest;
	return true;
}

static void arrival(struct end *e, struct conn *c, uint64_t now_us)
{
	uint8_t text[TEXT_CHUNK];
	ssize_t n = -EAGAIN;
	bool some = false;

	while (send_rest(e, c) && (n = hf_recv(e->w, c->id, text, sizeof(text))) > 0) {
		const ssize_t taken = end_mute(e, c) ? n : hf_send(e->w, c->id, text, (size_t)n);
		const uint32_t sent = taken > 0 ? (uint32_t)taken : 0;

		some = true;
		if (sent < n && !keep_rest(c, text + sent, (uint32_t)n - sent)) {
			hf_abort(e->w, c->id);
			return;
		}
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

const struct app app_echo = { .begun = begun, .arrival = arrival, .room = arrival, .busy = busy };
