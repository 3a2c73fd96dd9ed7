/* SPDX-License-Identifier: BSD-3-Clause */
/* /handfast/connections and /handfast/listeners: a page of what one worker holds, asked for over its ring.
 * An entry tells what is not 0, and nothing that would help a blind attacker: no sequence number (MUST-9,
 * SEC-37). As many entries as fit into an answer of DPDK's telemetry, and where the next page begins. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/telemetry.h"
#include "io/why.h"

#define OCTETS 15000	    /* of an answer; DPDK cuts off at 16 Ki */
#define PATIENCE_US 3000000 /* the core may be busy with others; ss itself waits for 5 s */
#define POLL_US 50

/* ---- What is asked ----------------------------------------------------------------------------------- */

/* ADDR[/LEN] */
static bool read_network(const char *text, struct hf_match *match)
{
	char address[64];
	const char *const slash = strchr(text, '/');
	unsigned long bits, all;
	struct hf_addr addr;
	char *end = NULL;

	snprintf(address, sizeof(address), "%.*s",
		 slash != NULL ? (int)(slash - text) : (int)strlen(text), text);
	if (hf_addr_parse(address, &addr) != 0 || addr.port != 0)
		return false;
	bits = all = addr.ip.version == 6 ? 128 : 32;
	if (slash != NULL)
		bits = strtoul(slash + 1, &end, 10);
	match->ip = addr.ip;
	match->prefix = (uint8_t)bits;
	return slash == NULL || (isdigit((unsigned char)slash[1]) && *end == '\0' && bits <= all);
}

/* PORT[-PORT] */
static bool read_ports(const char *text, struct hf_match *match)
{
	char *end;
	const unsigned long first = strtoul(text, &end, 10);
	const unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

	if (*end != '\0' || first > last || last == 0 || last > UINT16_MAX)
		return false;
	match->port_first = (uint16_t)first;
	match->port_last = (uint16_t)last;
	return true;
}

static bool read_state(const char *text, struct hf_filter *filter)
{
	for (unsigned i = 0; i < HF_STATES; i++) {
		if (strcasecmp(text, hf_state_name((enum hf_state)i)) == 0) {
			filter->states |= (uint16_t)(1u << i);
			return true;
		}
	}
	return false;
}

static bool read_word(const char *word, struct told *told)
{
	struct hf_question *const q = &told->question;
	const char *const value = strchr(word, '=');

	if (value == NULL) {
		char *end;

		if (strcmp(word, "brief") == 0) {
			q->max = TOLD_BRIEF;
			return true;
		}
		q->cursor = strtoull(word, &end, 10);
		return isdigit((unsigned char)*word) && *end == '\0';
	}
	switch (value - word) {
	case 4:
		return memcmp(word, "peer", 4) == 0 && read_network(value + 1, &q->filter.peer);
	case 5:
		return (memcmp(word, "state", 5) == 0 && read_state(value + 1, &q->filter)) ||
		       (memcmp(word, "local", 5) == 0 && read_network(value + 1, &q->filter.local));
	case 9:
		return memcmp(word, "peer_port", 9) == 0 && read_ports(value + 1, &q->filter.peer);
	case 10:
		return memcmp(word, "local_port", 10) == 0 && read_ports(value + 1, &q->filter.local);
	default:
		return false;
	}
}

/* ---- Asking -------------------------------------------------------------------------------------------- */

static int wait_answer(struct told *told, struct hf_error *why)
{
	const uint64_t end_us = hf_now_us() + PATIENCE_US;

	while (hf_now_us() < end_us) {
		if (hf_answered(&told->question)) {
			told->asked = false;
			return 0;
		}
		if (atomic_load(told->wanted) != 0)
			break;
		usleep(POLL_US);
	}
	return why_say(why, -ETIMEDOUT, "%s does not answer: nobody runs it now", told->name);
}

static int ask(struct told *told, const char *params, uint16_t states, struct hf_error *why)
{
	char words[1024];
	char *save = NULL;
	int rc;

	if (told->asked && wait_answer(told, why) != 0)
		return -ETIMEDOUT;
	told->question = (struct hf_question){ .entries = told->entries,
					       .max = TOLD_PAGE,
					       .filter = { .states = states } };
	snprintf(words, sizeof(words), "%s", params);
	for (char *word = strtok_r(words, ",", &save); word != NULL;
	     word = strtok_r(NULL, ",", &save))
		if (!read_word(word, told))
			return why_say(why, -EINVAL,
				       "'%.32s' is none of CURSOR, state=NAME, local=ADDR[/LEN], peer=, "
				       "local_port=N[-N], peer_port=, brief",
				       word);
	rc = hf_ask(told->w, &told->question);
	if (rc != 0)
		return why_say(why, rc, "%s has too many questions to answer: try again", told->name);
	told->asked = true;
	return wait_answer(told, why);
}

/* ---- Telling --------------------------------------------------------------------------------------------- */

/* A dictionary, and the octets of JSON it comes to. */
struct row {
	struct rte_tel_data *d;
	size_t octets;
};

static void tell_text(struct row *row, const char *name, const char *text)
{
	rte_tel_data_add_dict_string(row->d, name, text);
	row->octets += strlen(name) + strlen(text) + 6;
}

static void tell(struct row *row, const char *name, uint64_t value)
{
	char digits[24];

	if (value == 0)
		return;
	tel_add_uint(row->d, name, value);
	row->octets += strlen(name) + (size_t)snprintf(digits, sizeof(digits), "%lu", value) + 4;
}

static void tell_addr(struct row *row, const char *name, const struct hf_addr *addr)
{
	char text[HF_ADDR_TEXT];

	tell_text(row, name, hf_addr_format(addr, text));
}

static void tell_timer(struct row *row, const struct hf_status *s, uint64_t now_us)
{
	static const char *const names[] = {
		[HF_TIMER_NONE] = "",
		[HF_TIMER_RETRANSMIT] = "retransmit",
		[HF_TIMER_PERSIST] = "persist",
		[HF_TIMER_DELACK] = "delack",
		[HF_TIMER_KEEPALIVE] = "keepalive",
		[HF_TIMER_USER] = "user",
		[HF_TIMER_FIN_WAIT_2] = "finwait2",
		[HF_TIMER_TIME_WAIT] = "timewait",
	};

	if (s->timer == HF_TIMER_NONE)
		return;
	tell_text(row, "timer", names[s->timer]);
	tell(row, "timer_ms", s->deadline_us > now_us ? (s->deadline_us - now_us + 999) / 1000 : 0);
}

static void tell_status(struct row *row, const struct hf_status *s, uint64_t now_us)
{
	tell(row, "recv_q", s->readable);
	tell(row, "send_q", (uint64_t)s->unsent + s->unacked);
	tell(row, "unacked", s->unacked);
	tell_timer(row, s, now_us);
	tell(row, "retransmits", s->retransmits);
	tell(row, "keepalive_probes", s->keepalive_probes);
	tell(row, "rto_ms", s->rto_ms);
	tell(row, "srtt_us", s->srtt_us);
	tell(row, "rttvar_us", s->rttvar_us);
	tell(row, "mss", s->snd_mss);
	tell(row, "cwnd", s->cwnd);
	tell(row, "ssthresh", s->ssthresh == UINT32_MAX ? 0 : s->ssthresh);
	tell(row, "snd_wnd", s->snd_wnd);
	tell(row, "rcv_wnd", s->rcv_wnd);
	tell(row, "timestamps", s->timestamps);
	tell(row, "sack", s->sack);
	tell(row, "window_scaling", s->window_scaling);
	tell(row, "snd_wscale", s->snd_wscale);
	tell(row, "rcv_wscale", s->rcv_wscale);
	tell(row, "soft_error", (uint64_t)s->soft_error);
	tell(row, "shut", s->shut);
	tell(row, "closed", s->closed);
	if (s->eof_us != 0)
		tell(row, "eof_ms", now_us > s->eof_us ? (now_us - s->eof_us) / 1000 : 0);
}

static void tell_entry(struct row *row, const struct hf_entry *e, uint64_t now_us)
{
	static const char *const kinds[] = { [HF_KIND_LISTENER] = "listener",
					     [HF_KIND_REQUEST] = "request",
					     [HF_KIND_CONNECTION] = "connection",
					     [HF_KIND_BUCKET] = "bucket" };

	tell_text(row, "kind", kinds[e->kind]);
	tell_text(row, "state", hf_state_name(e->status.state));
	tell_addr(row, "local", &e->status.local);
	tell_addr(row, "peer", &e->status.peer);
	tell(row, "id", e->id);
	if (e->kind == HF_KIND_CONNECTION && !e->status.accepted)
		tell(row, "unaccepted", 1);
	tell(row, "half_open", e->half_open);
	tell(row, "waiting", e->waiting);
	tell_status(row, &e->status, now_us);
}

/* @return 0, with the page in d */
static int tell_page(const struct told *told, struct rte_tel_data *d)
{
	const struct hf_question *const q = &told->question;
	bool more = q->more;
	uint64_t cursor = q->cursor;
	size_t octets = 0;

	rte_tel_data_start_dict(d);
	for (uint32_t i = 0; i < q->count; i++) {
		struct row row = { .d = rte_tel_data_alloc(), .octets = 16 };
		char name[16];

		if (row.d == NULL)
			return -ENOMEM;
		rte_tel_data_start_dict(row.d);
		tell_entry(&row, &q->entries[i], q->now_us);
		if (octets + row.octets > OCTETS) {
			rte_tel_data_free(row.d);
			cursor = q->entries[i - 1].cursor;
			more = true;
			break;
		}
		octets += row.octets;
		snprintf(name, sizeof(name), "%u", i);
		rte_tel_data_add_dict_container(d, name, row.d, 0);
	}
	return more ? tel_add_uint(d, "next", cursor) : 0;
}

/* Address and port as octets are: 32 or 8 digits, 4 more. @return digits and the colon */
static int brief_addr(char *text, const struct hf_addr *addr)
{
	const unsigned octets = addr->ip.version == 6 ? 16 : 4;
	int n = 0;

	for (unsigned i = 0; i < octets; i++)
		n += snprintf(text + n, 3, "%02x", addr->ip.octets[i]);
	return n + snprintf(text + n, 6, ":%04x", addr->port);
}

/* What ss shows by itself, all in hexadecimal; at most 122 octets of the 127 that a string may have. */
static void brief_row(char text[RTE_TEL_MAX_STRING_LEN], const struct hf_entry *e, uint64_t now_us)
{
	const struct hf_status *const s = &e->status;
	const bool listens = s->state == HF_LISTEN, timed = s->timer != HF_TIMER_NONE;
	const bool leaks = s->state == HF_CLOSE_WAIT && !s->shut && !s->closed;
	const uint64_t left_us = timed && s->deadline_us > now_us ? s->deadline_us - now_us : 0;
	const uint64_t age_us = leaks && now_us > s->eof_us ? now_us - s->eof_us : 0;
	int n = brief_addr(text, &s->local);

	text[n++] = ' ';
	n += brief_addr(text + n, &s->peer);
	snprintf(text + n, (size_t)(RTE_TEL_MAX_STRING_LEN - n), " %x %x %x %x %x %x %x",
		 (unsigned)s->state, listens ? e->waiting : s->readable,
		 listens ? e->half_open : s->unsent + s->unacked, (unsigned)s->timer,
		 (uint32_t)((left_us + 999) / 1000),
		 s->timer == HF_TIMER_KEEPALIVE ? s->keepalive_probes : s->retransmits,
		 leaks ? (uint32_t)(age_us / 1000) + 1 : 0);
}

/* As tell_page, of a question for `brief`. */
static int tell_brief(const struct told *told, struct rte_tel_data *d)
{
	const struct hf_question *const q = &told->question;
	struct rte_tel_data *const rows = rte_tel_data_alloc();
	bool more = q->more;
	uint64_t cursor = q->cursor;
	size_t octets = 0;

	if (rows == NULL)
		return -ENOMEM;
	rte_tel_data_start_array(rows, RTE_TEL_STRING_VAL);
	for (uint32_t i = 0; i < q->count; i++) {
		char text[RTE_TEL_MAX_STRING_LEN];

		brief_row(text, &q->entries[i], q->now_us);
		octets += strlen(text) + 4;
		if (octets > OCTETS) {
			cursor = q->entries[i - 1].cursor;
			more = true;
			break;
		}
		rte_tel_data_add_array_string(rows, text);
	}
	rte_tel_data_start_dict(d);
	if (more)
		tel_add_uint(d, "next", cursor);
	return rte_tel_data_add_dict_container(d, "rows", rows, 0);
}

static int tell_answer(struct told *told, const char *params, uint16_t states,
		       struct rte_tel_data *d, struct hf_error *why)
{
	const int rc = ask(told, params, states, why);

	if (rc != 0)
		return rc;
	return told->question.max == TOLD_BRIEF ? tell_brief(told, d) : tell_page(told, d);
}

int tell_connections(struct told *told, const char *params, struct rte_tel_data *d,
		     struct hf_error *why)
{
	return tell_answer(told, params, 0, d, why);
}

int tell_listeners(struct told *told, const char *params, struct rte_tel_data *d, struct hf_error *why)
{
	return tell_answer(told, params, 1u << HF_LISTEN, d, why);
}
