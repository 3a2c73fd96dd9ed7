/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scripts against a live engine (HF-GOAL-2, SECURITY 4.3): an input is the form of the engine and up to
 * 96 steps, each a segment relative to the live numbers of one of eight tuples, a call of the
 * application, a step of the clock, a fault or an ICMP error. hf_check after each; at the end all
 * timers run out and everything is zero (HF-LK1). Text is compared octet by octet, either way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/bytes.h"
#include "fuzz/fuzz.h"
#include "fuzz/host.h"
#include "fuzz/mend.h"
#include "rig/message.h"
#include "rig/random.h"

#define MOST_STEPS 96
#define PATHS 8

/* The first octet of an input. */
enum form {
	FORM_LAZY = 0x01,
	FORM_SMALL = 0x02,
	FORM_COOKIES = 0x04,
	FORM_KILL = 0x08,
	FORM_PLAIN = 0x10,
	FORM_L2 = 0x20,
	FORM_NEIGHBOURS = 0x40, /* with FORM_L2 */
};

/* What a segment of the peer is; an octet of the input says which. */
enum template {
	TEMPLATE_ACK,
	TEMPLATE_TEXT,
	TEMPLATE_FIN,
	TEMPLATE_TEXT_FIN,
	TEMPLATE_SYN,
	TEMPLATE_SYN_ACK,
	TEMPLATE_RST,
	TEMPLATE_RST_ACK,
	TEMPLATE_URGENT,
	TEMPLATE_SACK,
	TEMPLATE_ZERO_WINDOW,
	TEMPLATE_SMALL_WINDOW,
	TEMPLATE_DSACK,
	TEMPLATE_NEW_SYN, /* of a later incarnation */
	TEMPLATE_FLAGS,	  /* any */
	TEMPLATE_STAMP,	  /* text with an odd timestamp */
	TEMPLATES,
};

static uint16_t text_len_of(unsigned what)
{
	static const uint16_t lens[16] = { 100,	 1,   2,    10,	  64,	500,  536, 1000,
					   1400, 999, 1440, 1460, 1448, 1428, 7,   333 };

	return lens[what % 16];
}

/* 7 in 8 are near something that matters. */
static uint32_t choose_seq(const struct host_path *path, unsigned how, uint16_t by)
{
	switch (how % 8) {
	case 0:
	case 1:
		return path->rn;
	case 2: /* before: a repetition, or an overlap */
		return path->rn - by % 3000;
	case 3: /* ahead: a hole */
		return path->rn + by % 3000;
	case 4:
		return path->rn + path->rw - by % 16;
	case 5:
		return path->rn + path->rw + by % 16;
	case 6:
		return path->irs + by % 4;
	default:
		return by * 0x10001u;
	}
}

static uint32_t choose_ack(const struct host_path *path, unsigned how, uint16_t by)
{
	switch (how % 8) {
	case 0:
	case 1:
	case 2:
		return path->sn;
	case 3:
		return path->su;
	case 4: /* some of what is on its way */
		return path->su + (path->sn == path->su ? 0 : by % (path->sn - path->su));
	case 5:
		return path->sn + 1 + by % 8;
	case 6:
		return path->su - by % 70000;
	default:
		return by * 0x10001u;
	}
}

static void fill_syn(struct host *h, unsigned n, struct bytes *b, struct seg *seg, bool later)
{
	static const uint16_t sizes[4] = { 1460, 536, 100, 9000 };
	const uint8_t options = bytes_8(b);

	if (later)
		h->paths[n].irs = h->paths[n].rn + 1000;
	seg->seq = h->paths[n].irs;
	seg->flags |= SEG_SYN;
	seg->options = OPT_MSS | (options & 4 ? 0 : OPT_WSCALE | OPT_SACK_PERMITTED);
	seg->mss = sizes[options % 4];
	seg->wscale = options >> 4;
}

static void fill_sacks(const struct host_path *path, struct bytes *b, struct seg *seg, bool low)
{
	seg->options |= OPT_SACK;
	seg->sacks = (uint8_t)(1 + bytes_8(b) % 3);
	for (unsigned i = 0; i < seg->sacks; i++) {
		const uint8_t left = bytes_8(b), len = bytes_8(b);

		seg->sack[i].left = path->su + left * 100u - (low && i == 0 ? 1000 : 0);
		seg->sack[i].right = seg->sack[i].left + len * 50u;
	}
}

/* Fields beyond seq, ack, wnd. */
static void fill(struct host *h, unsigned n, enum template template, struct bytes *b, struct seg *seg)
{
	static const uint8_t windows[8] = { 1, 2, 10, 100, 200, 255, 50, 30 };

	switch (template) {
	case TEMPLATE_ACK:
	case TEMPLATES:
		seg->text_len = 0;
		break;
	case TEMPLATE_TEXT:
		break;
	case TEMPLATE_FIN:
		seg->text_len = 0;
		seg->flags |= SEG_FIN;
		break;
	case TEMPLATE_TEXT_FIN:
		seg->flags |= SEG_FIN | SEG_PSH;
		break;
	case TEMPLATE_SYN:
	case TEMPLATE_NEW_SYN:
		seg->flags = 0;
		seg->ack = 0;
		seg->text_len = seg->text_len == 7 ? 7 : 0;
		fill_syn(h, n, b, seg, template == TEMPLATE_NEW_SYN);
		break;
	case TEMPLATE_SYN_ACK:
		seg->text_len = 0;
		fill_syn(h, n, b, seg, false);
		break;
	case TEMPLATE_RST:
	case TEMPLATE_RST_ACK:
		seg->text_len = 0;
		seg->flags = SEG_RST | (template == TEMPLATE_RST ? 0 : SEG_ACK);
		break;
	case TEMPLATE_URGENT:
		seg->flags |= SEG_URG;
		seg->up = bytes_16(b);
		break;
	case TEMPLATE_SACK:
	case TEMPLATE_DSACK:
		seg->text_len = 0;
		fill_sacks(&h->paths[n], b, seg, template == TEMPLATE_DSACK);
		break;
	case TEMPLATE_ZERO_WINDOW:
		seg->text_len = 0;
		seg->wnd = 0;
		break;
	case TEMPLATE_SMALL_WINDOW:
		seg->text_len = 0;
		seg->wnd = windows[bytes_8(b) % 8];
		break;
	case TEMPLATE_FLAGS:
		seg->flags = bytes_8(b);
		break;
	case TEMPLATE_STAMP:
		seg->options = OPT_TS;
		seg->tsval = (uint32_t)(h->now_us / 1000) + bytes_8(b) * 0x1000000u - 100;
		seg->tsecr = h->paths[n].tsecr + bytes_8(b) - 5u;
		break;
	}
}

/* tuple and SEQ; template and text; ACK; by how much; window. */
static void step_segment(struct host *h, struct bytes *b)
{
	const uint8_t where = bytes_8(b), what = bytes_8(b);
	const uint8_t ack = where & 0x40 ? bytes_8(b) : 0;
	const uint16_t by = where & 0x38 || ack ? bytes_16(b) : 0;
	const unsigned n = where % PATHS;
	struct seg seg = { .flags = SEG_ACK, .wnd = where & 0x80 ? 20000 : 2000 };

	host_look(h, n);
	seg.seq = choose_seq(&h->paths[n], where >> 3, by);
	seg.ack = choose_ack(&h->paths[n], ack, by);
	seg.text_len = text_len_of(what >> 4);
	fill(h, n, what % TEMPLATES, b, &seg);
	if (seg.options & OPT_SACK && h->paths[n].timestamps && seg.sacks > 3)
		seg.sacks = 3;
	host_segment(h, n, &seg);
}

static struct host_id *choose_id(struct host *h, struct bytes *b)
{
	const uint8_t which = bytes_8(b);

	return h->id_count == 0 ? NULL : &h->ids[which % h->id_count];
}

static void step_call(struct host *h, struct bytes *b)
{
	const uint8_t what = bytes_8(b);
	struct host_id *const id = what % 8 < 5 ? choose_id(h, b) : NULL;

	switch (what % 8) {
	case 0:
		if (id != NULL)
			host_send(h, id, what & 0x80 ? 16000 : 1u + (what >> 3) * 100u);
		break;
	case 1:
		if (id != NULL)
			host_receive(h, id, 1u + (what >> 3) * 50u);
		break;
	case 2:
		if (id != NULL)
			host_shutdown(h, id);
		break;
	case 3:
		if (id != NULL)
			host_close(h, id);
		break;
	case 4:
		if (id != NULL)
			host_abort(h, id);
		break;
	case 5:
		host_connect(h, (what >> 3) % PATHS, what & 0x80);
		break;
	case 6:
		host_accept(h, what >> 3 & 1);
		break;
	case 7:
		if (what & 0x80)
			host_unlisten(h, what >> 3 & 1);
		else
			host_listen(h, what >> 3 & 1);
		break;
	}
}

static void step_time(struct host *h, struct bytes *b)
{
	static const uint32_t steps_ms[16] = { 1,     2,      10,     40,     100,  200,
					       500,   1000,   1001,   3000,   5000, 30000,
					       60000, 120000, 600000, 7200000 };
	const uint8_t what = bytes_8(b);

	if (what & 0x80)
		host_step(h, h->now_us + 7200000000);
	else
		h->now_us += steps_ms[what % 16] * UINT64_C(1000) + (what & 0x40 ? 999 : 0);
}

static void step_fault(struct host *h, struct bytes *b)
{
	const uint8_t what = bytes_8(b);

	if (what & 0x80)
		hf_memport_tx_limit(h->port, what & 0x40 ? UINT32_MAX : what % 4);
	else
		hf_fail_allocation(h->w, what % 16);
}

/* An error about a segment at or near SND.UNA. */
static void step_icmp(struct host *h, struct bytes *b)
{
	static const uint8_t types[2][4][2] = { { { 3, 1 }, { 3, 3 }, { 3, 4 }, { 11, 0 } },
						{ { 1, 0 }, { 1, 4 }, { 2, 0 }, { 3, 0 } } };
	static const uint16_t mtus[8] = { 1400, 1280, 576, 552, 68, 0, 1500, 1000 };
	const uint8_t what = bytes_8(b);
	const unsigned n = what % PATHS;
	const struct host_path *const path = &h->paths[n];
	const uint8_t version = path->local.ip.version;
	const uint8_t *const us = path->local.ip.octets, *const peer = path->peer.ip.octets;
	const uint8_t *const type = types[version == 6][what >> 3 & 3];
	const uint8_t by = bytes_8(b);
	uint8_t frame[FRAME_MAX], body[128], quote[64];
	size_t len, at = 0;

	host_look(h, n);
	len = message_quote(quote, version, us, peer, path->local.port, path->peer.port,
			    path->su + (by & 0x80 ? by * 16u : 0));
	len = message_body(body, type[0], type[1], mtus[by % 8], quote, len);
	message_seal(version, peer, us, body, len);
	if (h->form.l2)
		at = message_ether(frame, place_mac, place_peer_mac, version == 4 ? 0x0800 : 0x86dd);
	len = message_ip(frame + at, version, peer, us, version == 4 ? 1 : 58, 64, body, len);
	host_push(h, frame, at + len, NULL);
}

/* The peer of a tuple behaves: opens, acknowledges, reads all. */
static void step_converse(struct host *h, struct bytes *b)
{
	const uint8_t what = bytes_8(b);
	const unsigned n = what % PATHS;
	struct host_path *const path = &h->paths[n];
	const enum hf_state state = host_look(h, n);
	struct seg seg = { .seq = path->rn, .ack = path->sn, .wnd = 8000, .flags = SEG_ACK };

	if (state == HF_CLOSED || state == HF_SYN_SENT) {
		seg.seq = path->irs;
		seg.ack = state == HF_CLOSED ? 0 : path->sn;
		seg.flags = state == HF_CLOSED ? SEG_SYN : SEG_SYN | SEG_ACK;
		seg.options = OPT_MSS | OPT_SACK_PERMITTED | OPT_WSCALE;
		seg.mss = 1400;
		seg.wscale = what >> 6;
	} else if (what & 0x20) {
		seg.text_len = 500;
	}
	host_segment(h, n, &seg);
	if (state != HF_CLOSED)
		return;
	host_turn(h);
	host_look(h, n);
	seg = (struct seg){ .seq = path->irs + 1, .ack = path->sn, .wnd = 8000, .flags = SEG_ACK };
	host_segment(h, n, &seg);
}

/* @return whether a turn follows */
static bool step(struct host *h, struct bytes *b)
{
	const uint8_t op = bytes_8(b);

	switch (op % 16) {
	case 0:
	case 1:
		step_converse(h, b);
		return true;
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		step_segment(h, b);
		return true;
	case 7:
		step_segment(h, b);
		return false; /* the next comes in the same burst */
	case 8:
	case 9:
		step_time(h, b);
		return true;
	case 10:
		step_fault(h, b);
		return false;
	case 11:
		step_icmp(h, b);
		return true;
	default:
		step_call(h, b);
		return op & 0x80;
	}
}

/* libFuzzer hands nothing on from the one call to the other. */
static struct host host;

static void say_frames(void)
{
	fprintf(stderr, "%llu frames\n", (unsigned long long)host.pushed);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	host_start(&host, (*argv)[0]);
	atexit(say_frames);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes b = { data, len };
	const uint8_t form = bytes_8(&b);

	host_begin(&host, &(struct host_form){
				  .lazy = form & FORM_LAZY,
				  .small = form & FORM_SMALL,
				  .cookies = form & FORM_COOKIES,
				  .kill = form & FORM_KILL,
				  .plain = form & FORM_PLAIN,
				  .connections = 2 * PATHS,
				  .l2 = form & FORM_L2,
				  .neighbours = (form & FORM_L2) && (form & FORM_NEIGHBOURS),
			  });
	for (unsigned i = 0; i < MOST_STEPS && b.left > 0; i++)
		if (step(&host, &b))
			host_turn(&host);
	host_turn(&host);
	host_end(&host, true);
	return 0;
}
