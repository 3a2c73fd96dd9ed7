/* SPDX-License-Identifier: BSD-3-Clause */
/* What the flight recorders hold: a line for each connection, then one for each segment, call and change of state. */
#include "recorded.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "line.h"
#include "ss_filter.h"

/* ---- What is recorded ---------------------------------------------------------------------------------- */

static int read_filter(const struct settings *s, struct ss_filter *f, struct hf_error *why)
{
	char text[TEXT_ROOM];
	char *word = text;

	snprintf(text, sizeof(text), "%s", s->record_filter);
	return ss_filter_read(1, &word, f, why);
}

int recorded_check(const struct settings *s, struct hf_error *why)
{
	struct ss_filter f;
	struct hf_error what;

	if (!s->record_filter[0])
		return 0;
	if (s->record == 0) {
		snprintf(why->text, sizeof(why->text),
			 "--record-filter: how many connections are to be kept, say --record 64");
		return -EINVAL;
	}
	if (read_filter(s, &f, &what) < 0) {
		snprintf(why->text, sizeof(why->text), "--record-filter: %.180s", what.text);
		return -EINVAL;
	}
	if (f.states) {
		snprintf(why->text, sizeof(why->text),
			 "--record-filter: a connection is recorded in all its states; leave out state and exclude");
		return -EINVAL;
	}
	return 0;
}

/* All terms that must hold, of a tree of ANDs; the rest is left to recorded_print. */
/* NOLINTNEXTLINE(misc-no-recursion): FILTER_NODES at most */
static void narrow(const struct ss_filter *f, int i, struct hf_filter *filter)
{
	const struct filter_node *const node = &f->nodes[i];
	const bool local = node->what == FILTER_SRC || node->what == FILTER_SPORT;
	struct hf_match *const match = local ? &filter->local : &filter->peer;

	if (node->what == FILTER_AND) {
		narrow(f, node->left, filter);
		narrow(f, node->right, filter);
	}
	if (node->what < FILTER_SRC || node->how != FILTER_EQ)
		return;
	if (node->addr.port)
		match->port_first = match->port_last = node->addr.port;
	if (node->what <= FILTER_DST && node->addr.ip.version) {
		match->ip = node->addr.ip;
		match->prefix = node->prefix;
	}
}

void recorded_config(const struct settings *s, struct hf_config *config)
{
	struct ss_filter f;
	struct hf_error why;

	config->record = s->record;
	if (read_filter(s, &f, &why) == 0 && f.root >= 0)
		narrow(&f, f.root, &config->record_filter);
}

/* ---- How it is shown ------------------------------------------------------------------------------------- */

struct sheet {
	FILE *out;
	uint64_t epoch_us; /* what to add to the workers' clock */
	unsigned number;   /* of the connection */
	bool relative;
	uint32_t iss, irs; /* 0 when not among the events */
};

/* As tcpdump does, from the two SYNs; of a connection whose SYNs are not here any more as they are. */
static void find_base(struct sheet *sheet, const struct hf_recording *rec)
{
	sheet->iss = sheet->irs = 0;
	for (uint32_t i = 0; sheet->relative && rec->lost == 0 && i < rec->count; i++) {
		const struct hf_record *const e = &rec->events[i];
		const bool stray = e->what == HF_RECORD_IN && e->before > HF_SYN_SENT;

		if (!(e->flags & FLAG_SYN) || stray)
			continue;
		*(e->what == HF_RECORD_OUT ? &sheet->iss : &sheet->irs) = e->seq;
	}
}

static void print_segment(const struct sheet *sheet, const struct hf_recording *rec,
			  const struct hf_record *e)
{
	const bool out = e->what == HF_RECORD_OUT, syn = e->flags & FLAG_SYN;
	const struct line_base base = {
		.seq = syn ? 0 :
		       out ? sheet->iss :
			     sheet->irs,
		.ack = syn ? 0 :
		       out ? sheet->irs :
			     sheet->iss,
	};

	line_print(sheet->out,
		   &(struct packet){
			   .at_ns = (e->at_us + sheet->epoch_us) * 1000,
			   .src = out ? rec->local : rec->peer,
			   .dst = out ? rec->peer : rec->local,
			   .seq = e->seq,
			   .ack = e->ack,
			   .window = e->wnd,
			   .flags = e->flags,
			   .len = e->text_len,
		   },
		   &base);
	fprintf(sheet->out, "  #%u\n", sheet->number);
}

static void print_event(const struct sheet *sheet, const struct hf_recording *rec,
			const struct hf_record *e)
{
	static const char *const calls[] = {
		[HF_RECORD_CONNECT] = "connect",   [HF_RECORD_ACCEPT] = "accept",
		[HF_RECORD_SEND] = "send",	   [HF_RECORD_RECV] = "recv",
		[HF_RECORD_SHUTDOWN] = "shutdown", [HF_RECORD_CLOSE] = "close",
		[HF_RECORD_ABORT] = "abort",
	};
	const uint64_t at_ns = (e->at_us + sheet->epoch_us) * 1000;

	if (e->what == HF_RECORD_IN || e->what == HF_RECORD_OUT) {
		print_segment(sheet, rec, e);
	} else if (e->what != HF_RECORD_END) {
		line_stamp(sheet->out, at_ns);
		fprintf(sheet->out, " call %s  #%u\n", calls[e->what], sheet->number);
	}
	if (e->before != e->after) {
		line_stamp(sheet->out, at_ns);
		fprintf(sheet->out, " state %s > %s  #%u\n", hf_state_name(e->before),
			hf_state_name(e->after), sheet->number);
	}
	if (e->what == HF_RECORD_END) {
		line_stamp(sheet->out, at_ns);
		fprintf(sheet->out, " end %s  #%u\n", strerror(rec->error), sheet->number);
	}
}

static void print_recording(struct sheet *sheet, const char *end, const struct hf_recording *rec)
{
	char local[HF_ADDR_TEXT], peer[HF_ADDR_TEXT];

	sheet->number++;
	find_base(sheet, rec);
	fprintf(sheet->out, "\nrecorded #%u of %s: %s, peer %s, ", sheet->number, end,
		hf_addr_format(&rec->local, local), hf_addr_format(&rec->peer, peer));
	if (rec->lost > 0)
		fprintf(sheet->out, "the last %u of %u events, from %s on\n", rec->count,
			rec->count + rec->lost, hf_state_name(rec->events[0].before));
	else
		fprintf(sheet->out, "%u events\n", rec->count);
	for (uint32_t i = 0; i < rec->count; i++)
		print_event(sheet, rec, &rec->events[i]);
}

static void print_worker(struct sheet *sheet, const struct settings *s, const struct ss_filter *f,
			 const struct end *e)
{
	const char *const name = e->side == CLIENT ? "client" : "server";
	struct hf_recording rec;
	uint32_t cursor = 0;

	while (hf_recording(e->w, &cursor, &rec))
		if (s->record_filter[0] ? ss_filter_passes(f, &rec.local, &rec.peer) : rec.kept)
			print_recording(sheet, name, &rec);
	if (hf_recordings_refused(e->w) > 0)
		fprintf(sheet->out,
			"\nof this %s more connections were there than --record %u has places for\n",
			name, s->record);
}

void recorded_print(const struct settings *s, struct end *const ends[SIDES], unsigned n, FILE *out)
{
	struct sheet sheet = { .out = out, .relative = !s->trace.absolute };
	struct ss_filter f;
	struct hf_error why;
	struct timespec now;

	if (s->record == 0 || read_filter(s, &f, &why) < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	sheet.epoch_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 - hf_now_us();
	for (enum side side = CLIENT; side <= SERVER; side++)
		for (unsigned i = 0; i < n; i++)
			if (ends[side][i].w)
				print_worker(&sheet, s, &f, &ends[side][i]);
	(void)fflush(out);
}
