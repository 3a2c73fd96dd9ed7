/* SPDX-License-Identifier: BSD-3-Clause */
/* statefile=PATH: what is in which state, for the backquoted commands of a script. One line each, "ID STATE";
 * what is CLOSED has none. Half-opens and 2MSL records count too, so the engine is asked about every pair of
 * ends that a segment has named. */
#include "stack.h"

#include <stdio.h>

#define LINES 4096

static uint16_t port_at(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

bool packet_ends(const uint8_t *packet, size_t len, struct hf_addr *from, struct hf_addr *to)
{
	const uint8_t version = len > 0 ? packet[0] >> 4 : 0;
	const size_t addr_len = version == 6 ? 16 : 4;
	const size_t at = version == 6 ? 8 : 12;
	const size_t header = version == 6 ? 40 : (packet[0] & 15u) * 4u;

	memset(from, 0, sizeof(*from));
	memset(to, 0, sizeof(*to));
	if ((version != 4 && version != 6) || len < (version == 6 ? 40 : 20))
		return false;
	from->ip.version = to->ip.version = version;
	memcpy(from->ip.octets, packet + at, addr_len);
	memcpy(to->ip.octets, packet + at + addr_len, addr_len);
	if (packet[version == 6 ? 6 : 9] == 6 /* TCP */ && len >= header + 4) {
		from->port = port_at(packet + header);
		to->port = port_at(packet + header + 2);
	}
	return true;
}

static bool address_is(const struct hf_addr *a, const struct hf_addr *b)
{
	return memcmp(&a->ip, &b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

static bool same(const struct tuple *tuple, const struct hf_addr *local, const struct hf_addr *peer)
{
	return address_is(&tuple->local, local) && address_is(&tuple->peer, peer);
}

void statefile_note(struct stack *s, const uint8_t *packet, size_t len, bool ours)
{
	struct hf_addr from, to;
	/* cppcheck-suppress uninitvar ; these are their addresses */
	const struct hf_addr *const local = ours ? &from : &to, *const peer = ours ? &to : &from;

	if (!packet_ends(packet, len, &from, &to) || from.port == 0)
		return;
	for (unsigned i = 0; i < s->tuples; i++)
		if (same(&s->tuple[i], local, peer))
			return;
	if (s->tuples < TUPLES)
		s->tuple[s->tuples++] = (struct tuple){ .local = *local, .peer = *peer };
}

/* RFC 9293's names, as netstat writes them. */
static const char *state_word(enum hf_state state)
{
	static const char *const words[HF_STATES] = {
		"CLOSED",     "LISTEN",	    "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
		"FIN_WAIT_2", "CLOSE_WAIT", "CLOSING",	"LAST_ACK", "TIME_WAIT",
	};

	return words[state];
}

static size_t states(const struct stack *s, char *text, size_t room)
{
	size_t len = 0;
	unsigned id = 0;

	for (const struct sock *sock = s->socks; sock < s->socks + SOCKS; sock++)
		if (sock->kind == SOCK_LISTENER && len < room)
			len += (size_t)snprintf(text + len, room - len, "%u LISTEN\n", id++);
	for (unsigned i = 0; s->w != NULL && i < s->tuples && len < room; i++) {
		struct hf_status status;

		if (hf_lookup(s->w, &s->tuple[i].local, &s->tuple[i].peer, &status) == 0)
			len += (size_t)snprintf(text + len, room - len, "%u %s\n", id++,
						state_word(status.state));
	}
	return len < room ? len : room - 1;
}

void statefile_write(const struct stack *s)
{
	char text[LINES] = "";
	bool written;
	size_t len;
	FILE *out;

	if (s->flags.statefile[0] == '\0')
		return;
	len = states(s, text, sizeof(text));
	out = fopen(s->flags.statefile, "we");
	written = out != NULL && fwrite(text, 1, len, out) == len;
	if (out != NULL && fclose(out) != 0)
		written = false;
	if (!written)
		fprintf(stderr, "libhandfast_pd: statefile: %s: %s\n", s->flags.statefile,
			strerror(errno));
}
