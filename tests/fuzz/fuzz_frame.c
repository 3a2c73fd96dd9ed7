/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames into an engine that has a connection in every state (HF-GOAL-1, SECURITY 4.2), over both IP
 * versions, with and without timestamps. An input is the form of the engine and up to 64 frames; each
 * names one of 64 connections, which is brought into its state when it is first named.
 * In 7 of 8 frames addresses, ports, lengths and sums are made right, and what they hold as sequence
 * numbers, acknowledgments, timestamps, SACK edges and quotes counts from the live ones.
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

#define MOST_FRAMES 64
#define LONGEST_FRAME 1700

/* The first octet of an input. */
enum form {
	FORM_L2 = 0x01,
	FORM_NEIGHBOURS = 0x02, /* with FORM_L2 */
	FORM_LAZY = 0x04,
	FORM_SMALL = 0x08,
	FORM_COOKIES = 0x10,
	FORM_PLAIN = 0x20,
	FORM_NOISY = 0xc0, /* both: no silence at the end */
};

/* A frame: how, connection, length, and its octets. */
#define HEAD 4
enum how {
	HOW_RAW = 0x07,	  /* all: the octets as they are */
	HOW_BURST = 0x08, /* and the next frame comes with it */
	HOW_TIME = 0x30,  /* what the clock does before */
	HOW_CUT = 0x40,	  /* in two pieces */
	HOW_GOOD = 0x80,  /* the device says the sums are good */
};

/* What connections n / 4 are: of each, one for each IP version with and without timestamps. */
enum kind {
	KIND_ESTABLISHED,
	KIND_ESTABLISHED_TEXT, /* ours is on its way */
	KIND_SYN_SENT,
	KIND_REQUEST,
	KIND_SYN_RECEIVED,
	KIND_FIN_WAIT_1,
	KIND_FIN_WAIT_2,
	KIND_FIN_WAIT_2_RECORD,
	KIND_CLOSE_WAIT,
	KIND_CLOSING,
	KIND_LAST_ACK,
	KIND_TIME_WAIT,
	KIND_TIME_WAIT_HELD, /* with text that nobody has read */
	KIND_LISTEN,
	KIND_FIN_WAIT_1_TEXT,
	KIND_CLOSE_WAIT_TEXT,
};

/* The peer's next segment in order, acknowledging all of ours. */
static void peer_says(struct host *h, unsigned n, uint8_t flags, uint16_t text_len)
{
	host_look(h, n);
	host_segment(h, n,
		     &(struct seg){ .seq = h->paths[n].rn,
				    .ack = h->paths[n].sn,
				    .wnd = 8000,
				    .flags = flags | SEG_ACK,
				    .text_len = text_len });
	host_turn(h);
}

static void peer_syn(struct host *h, unsigned n, uint8_t flags)
{
	const struct host_path *const path = &h->paths[n];

	host_segment(h, n,
		     &(struct seg){ .seq = path->irs,
				    .ack = flags & SEG_ACK ? path->sn : 0,
				    .wnd = 8000,
				    .flags = flags | SEG_SYN,
				    .options = OPT_MSS | OPT_SACK_PERMITTED | OPT_WSCALE,
				    .mss = 1400,
				    .wscale = 2 });
	host_turn(h);
}

/* @return the application's end; NULL where the engine had no room for it */
static struct host_id *establish(struct host *h, unsigned n, bool active)
{
	const unsigned before = h->id_count;

	if (active) {
		host_connect(h, n, false);
		host_turn(h);
		host_look(h, n);
		peer_syn(h, n, SEG_ACK);
	} else {
		peer_syn(h, n, 0);
		peer_says(h, n, 0, 0);
		host_accept(h, n % 2);
	}
	return h->id_count > before ? &h->ids[h->id_count - 1] : NULL;
}

static void end_ours(struct host *h, struct host_id *id, size_t text_len, bool hold)
{
	host_send(h, id, text_len);
	if (hold)
		host_shutdown(h, id);
	else
		host_close(h, id);
	host_turn(h);
}

/* From ESTABLISHED on. */
static void lead(struct host *h, unsigned n, enum kind kind, struct host_id *id)
{
	switch (kind) {
	case KIND_ESTABLISHED_TEXT:
		host_send(h, id, 4000);
		host_turn(h);
		break;
	case KIND_FIN_WAIT_1:
		end_ours(h, id, 0, true);
		break;
	case KIND_FIN_WAIT_1_TEXT:
		end_ours(h, id, 3000, false);
		break;
	case KIND_FIN_WAIT_2:
	case KIND_FIN_WAIT_2_RECORD:
		end_ours(h, id, 0, kind == KIND_FIN_WAIT_2);
		peer_says(h, n, 0, 0);
		break;
	case KIND_CLOSE_WAIT:
		peer_says(h, n, SEG_FIN, 100);
		break;
	case KIND_CLOSE_WAIT_TEXT:
		peer_says(h, n, SEG_FIN, 0);
		host_send(h, id, 3000);
		host_turn(h);
		break;
	case KIND_CLOSING:
		end_ours(h, id, 0, true);
		host_look(h, n);
		h->paths[n].sn--;
		host_segment(h, n,
			     &(struct seg){ .seq = h->paths[n].rn,
					    .ack = h->paths[n].sn,
					    .wnd = 8000,
					    .flags = SEG_FIN | SEG_ACK });
		host_turn(h);
		break;
	case KIND_LAST_ACK:
		peer_says(h, n, SEG_FIN, 0);
		end_ours(h, id, 0, false);
		break;
	case KIND_TIME_WAIT:
	case KIND_TIME_WAIT_HELD:
		end_ours(h, id, 0, kind == KIND_TIME_WAIT_HELD);
		peer_says(h, n, SEG_FIN, kind == KIND_TIME_WAIT ? 0 : 50);
		break;
	case KIND_ESTABLISHED:
	case KIND_SYN_SENT:
	case KIND_REQUEST:
	case KIND_SYN_RECEIVED:
	case KIND_LISTEN:
		break;
	}
}

static void warm(struct host *h, unsigned n)
{
	const enum kind kind = n / 4;
	struct host_id *id;

	switch (kind) {
	case KIND_LISTEN:
		return;
	case KIND_REQUEST:
		peer_syn(h, n, 0);
		return;
	case KIND_SYN_SENT:
	case KIND_SYN_RECEIVED:
		host_connect(h, n, false);
		host_turn(h);
		if (kind == KIND_SYN_RECEIVED)
			peer_syn(h, n, 0);
		return;
	case KIND_ESTABLISHED:
	case KIND_ESTABLISHED_TEXT:
	case KIND_FIN_WAIT_1:
	case KIND_FIN_WAIT_2:
	case KIND_FIN_WAIT_2_RECORD:
	case KIND_CLOSE_WAIT:
	case KIND_CLOSING:
	case KIND_LAST_ACK:
	case KIND_TIME_WAIT:
	case KIND_TIME_WAIT_HELD:
	case KIND_FIN_WAIT_1_TEXT:
	case KIND_CLOSE_WAIT_TEXT:
		break;
	}
	id = establish(h, n, kind % 2);
	if (id != NULL)
		lead(h, n, kind, id);
}

/* ---- Live numbers ---- */

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Of the number at p the low 16 bits count from near, or from far if its first bit is set; what has
 * the second set is meant as it is. */
static void aim_number(uint8_t *p, uint32_t near, uint32_t far)
{
	const uint32_t value = get32(p);
	const uint32_t by = (uint32_t)(int16_t)(value & 0xffff);

	if (!(value & 0x40000000))
		message_put32(p, (value & 0x80000000 ? far : near) + by);
}

static void aim_options(const struct host *h, const struct host_path *path, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len && p[i] != 0;) {
		size_t size = 1;

		if (p[i] != 1) {
			if (i + 1 >= len || p[i + 1] < 2 || p[i + 1] > len - i)
				return;
			size = p[i + 1];
		}
		if (p[i] == 8 && size == 10) {
			aim_number(p + i + 2, (uint32_t)(h->now_us / 1000), 0);
			aim_number(p + i + 6, path->tsecr, 0);
		}
		for (size_t k = 2; p[i] == 5 && k + 4 <= size; k += 4)
			aim_number(p + i + k, path->su, path->sn);
		i += size;
	}
}

static void aim_tcp(const struct host *h, const struct host_path *path, uint8_t *tcp, size_t len)
{
	message_put16(tcp, path->peer.port);
	message_put16(tcp + 2, path->local.port);
	if (tcp[13] & SEG_SYN)
		aim_number(tcp + 4, path->irs, path->rn);
	else
		aim_number(tcp + 4, path->rn, path->rn + path->rw);
	aim_number(tcp + 8, path->sn, path->su);
	if ((tcp[12] >> 4) * 4u <= len)
		aim_options(h, path, tcp + 20, (tcp[12] >> 4) * 4u - 20);
}

/* An error quotes the live segment at SND.UNA, or near it. */
static void aim_error(const struct host_path *path, uint8_t *message, size_t len)
{
	const uint8_t version = path->local.ip.version;
	const bool error = version == 4 ? message[0] == 3 || message[0] == 11 || message[0] == 12 :
					  message[0] < 5;
	const size_t header = version == 4 ? 20 : 40;
	uint8_t seq[4];

	if (!error || len < 8 + header + 8)
		return;
	memcpy(seq, message + 8 + header + 4, 4);
	aim_number(seq, path->su, path->sn);
	message_quote(message + 8, version, path->local.ip.octets, path->peer.ip.octets,
		      path->local.port, path->peer.port, get32(seq));
}

static void aim(const struct host *h, unsigned n, uint8_t *frame, size_t len)
{
	const struct mend found = mend_lengths(frame, len, h->form.l2);
	const uint8_t version = found.message != 0 ? frame[found.ip] >> 4 : 0;
	uint8_t *const ip = frame + found.ip, *const message = frame + found.message;
	const struct host_path *const path = &h->paths[version == 6 ? n | 1 : n & ~1u];
	const size_t octets = path->local.ip.version == 4 ? 4 : 16, left = len - found.message;

	if (h->form.l2 && len >= MESSAGE_ETHER)
		memcpy(frame, place_mac, 6);
	if (found.message == 0)
		return;
	memcpy(ip + (version == 4 ? 12 : 8), path->peer.ip.octets, octets);
	memcpy(ip + (version == 4 ? 16 : 24), path->local.ip.octets, octets);
	if (found.protocol == 6 && left >= 20)
		aim_tcp(h, path, message, left);
	else if (found.protocol == (version == 4 ? 1 : 58) && left >= 8)
		aim_error(path, message, left);
	mend_sums(frame, len, &found);
}

/* ---- Inputs ---- */

static void pass_time(struct host *h, uint8_t how)
{
	static const uint64_t steps_us[3] = { 0, 1000, 300000 };

	if ((how & HOW_TIME) == HOW_TIME)
		host_step(h, h->now_us + 100000000);
	else
		h->now_us += steps_us[(how & HOW_TIME) >> 4];
}

static void one_frame(struct host *h, struct bytes *b, uint64_t *warmed)
{
	const uint8_t how = bytes_8(b);
	const unsigned n = bytes_8(b) % PLACE_PATHS;
	const uint8_t *octets;
	const size_t len = bytes_take(b, bytes_16(b) % LONGEST_FRAME, &octets);
	const struct hf_push push = {
		.ip = how & HOW_GOOD ? HF_CHECKSUM_GOOD : HF_CHECKSUM_UNKNOWN,
		.l4 = how & HOW_GOOD ? HF_CHECKSUM_GOOD : HF_CHECKSUM_UNKNOWN,
		.cut = { (uint16_t)(how & HOW_CUT ? 70 : 0) },
	};
	uint8_t frame[LONGEST_FRAME];

	for (unsigned k = n & ~1u; k <= (n | 1); k++) { /* of either version */
		if (*warmed & UINT64_C(1) << k)
			continue;
		*warmed |= UINT64_C(1) << k;
		warm(h, k);
	}
	host_look(h, n);
	host_look(h, n ^ 1);
	pass_time(h, how);
	memcpy(frame, octets, len);
	if ((how & HOW_RAW) != HOW_RAW)
		aim(h, n, frame, len);
	host_push(h, frame, len, &push);
	if (!(how & HOW_BURST))
		host_turn(h);
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
	uint64_t warmed = 0;

	host_begin(&host, &(struct host_form){
				  .l2 = form & FORM_L2,
				  .neighbours = (form & FORM_L2) && (form & FORM_NEIGHBOURS),
				  .lazy = form & FORM_LAZY,
				  .small = form & FORM_SMALL,
				  .cookies = form & FORM_COOKIES,
				  .plain = form & FORM_PLAIN,
				  .any_text = true,
				  .connections = PLACE_PATHS / 2,
			  });
	for (unsigned i = 0; i < MOST_FRAMES && b.left > 0; i++)
		one_frame(&host, &b, &warmed);
	host_turn(&host);
	host_end(&host, (form & FORM_NOISY) != FORM_NOISY);
	return 0;
}

/* Where frame k of an input begins; its end where there are fewer. */
static size_t frame_at(const uint8_t *data, size_t len, unsigned k)
{
	size_t at = 1;

	while (k-- > 0 && at + HEAD <= len)
		at += HEAD + ((size_t)data[at + 2] << 8 | data[at + 3]) % LONGEST_FRAME;
	return at < len ? at : len;
}

/* A frame of the input, or a new one behind them, is changed; the rest moves. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed)
{
	uint64_t random = seed;
	unsigned frames = 0;
	size_t at, end, size = 0, behind;
	uint8_t frame[LONGEST_FRAME], head[HEAD] = { 0 };

	if (len == 0 || random_below(&random, 16) == 0)
		return LLVMFuzzerMutate(data, len, max);
	while (frames < MOST_FRAMES && frame_at(data, len, frames) < len)
		frames++;
	if (random_below(&random, 16) == 0)
		data[0] = (uint8_t)random_next(&random);
	at = frame_at(data, len, random_below(&random, frames + 1));
	end = frame_at(data + at - 1, len - at + 1, 1) + at - 1;
	if (random_below(&random, 4) != 0 && end >= at + HEAD) { /* else: one more, here */
		memcpy(head, data + at, HEAD);
		size = end - at - HEAD;
		memcpy(frame, data + at + HEAD, size);
	} else {
		end = at;
		head[1] = (uint8_t)random_next(&random);
	}
	behind = len - end;
	if (at + HEAD + 300 + behind > max)
		return LLVMFuzzerMutate(data, len, max);
	if (random_below(&random, 4) == 0)
		LLVMFuzzerMutate(head, 2, 2);
	else
		size = mend_mutate(frame, size,
				   max - behind - at - HEAD < sizeof(frame) - 1 ?
					   max - behind - at - HEAD :
					   sizeof(frame) - 1,
				   data[0] & FORM_L2, random_next(&random));
	if (random_below(&random, 8) == 0)
		head[0] |= HOW_RAW;
	else if ((head[0] & HOW_RAW) == HOW_RAW)
		head[0] &= (uint8_t)~HOW_RAW;
	message_put16(head + 2, (unsigned)size);
	memmove(data + at + HEAD + size, data + end, behind);
	memcpy(data + at, head, HEAD);
	memcpy(data + at + HEAD, frame, size);
	return at + HEAD + size + behind;
}
