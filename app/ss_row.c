/* SPDX-License-Identifier: BSD-3-Clause */
/* What a line of ss shows, from either form of /handfast/connections: rows in brief, entries in full (docs/telemetry.md). */
#include <ctype.h>
#include <string.h>

#include "instance.h"
#include "ss.h"

/* A number of at most so many digits, and what parts it from the next. */
static uint32_t hex(const char **at, unsigned most)
{
	uint32_t n = 0;

	for (; most > 0 && isxdigit((unsigned char)**at); most--, (*at)++) {
		const int c = tolower((unsigned char)**at);

		n = n << 4 | (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	*at += **at == ' ' || **at == ':';
	return n;
}

static bool read_addr(const char **at, struct hf_addr *addr)
{
	const size_t digits = strcspn(*at, ": ");

	memset(addr, 0, sizeof(*addr));
	if (digits != 8 && digits != 32)
		return false;
	addr->ip.version = digits == 8 ? 4 : 6;
	for (size_t i = 0; i < digits / 2; i++)
		addr->ip.octets[i] = (uint8_t)hex(at, 2);
	addr->port = (uint16_t)hex(at, 4);
	return true;
}

bool ss_row_brief(const char *text, struct ss_row *row)
{
	if (!text || !read_addr(&text, &row->local) || !read_addr(&text, &row->peer))
		return false;
	row->state = hex(&text, 1);
	row->recv_q = hex(&text, 8);
	row->send_q = hex(&text, 8);
	row->timer = hex(&text, 1);
	row->timer_ms = hex(&text, 8);
	row->retransmits = hex(&text, 8);
	row->leak_ms = hex(&text, 8);
	return row->state < HF_STATES && row->timer <= HF_TIMER_TIME_WAIT;
}

static enum hf_state read_state(const char *name)
{
	enum hf_state state = HF_CLOSED;

	while (state + 1 < HF_STATES && strcmp(hf_state_name(state), name) != 0)
		state++;
	return state;
}

static enum hf_timer read_timer(const char *name)
{
	static const char *const names[] = { "",	  "retransmit", "persist",  "delack",
					     "keepalive", "user",	"finwait2", "timewait" };
	enum hf_timer timer = HF_TIMER_NONE;

	while (timer < HF_TIMER_TIME_WAIT && strcmp(names[timer], name) != 0)
		timer++;
	return timer;
}

bool ss_row_entry(const json_t *e, struct ss_row *row)
{
	const bool listens = strcmp(instance_text(e, "kind"), "listener") == 0;
	bool probes;

	row->state = read_state(instance_text(e, "state"));
	row->timer = read_timer(instance_text(e, "timer"));
	probes = row->timer == HF_TIMER_KEEPALIVE;
	row->recv_q = (uint32_t)instance_number(e, listens ? "waiting" : "recv_q");
	row->send_q = (uint32_t)instance_number(e, listens ? "half_open" : "send_q");
	row->timer_ms = (uint32_t)instance_number(e, "timer_ms");
	row->retransmits = (uint32_t)instance_number(e, probes ? "keepalive_probes" : "retransmits");
	row->leak_ms = row->state == HF_CLOSE_WAIT && !instance_number(e, "closed") &&
				       !instance_number(e, "shut") ?
			       (uint32_t)instance_number(e, "eof_ms") + 1 :
			       0;
	return hf_addr_parse(instance_text(e, "local"), &row->local) == 0 &&
	       hf_addr_parse(instance_text(e, "peer"), &row->peer) == 0;
}
