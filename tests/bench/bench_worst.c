/* SPDX-License-Identifier: BSD-3-Clause */
/* HF-G4: the frames that cost most of what a peer can send, one a turn. worst.py counts the instructions of each
 * kind under callgrind, by the function that takes its turn; this prints how many frames a kind has. Among them single
 * octets with holes between them (SEC-8), and SACKs of every second segment of 16 MiB in flight (SEC-7). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast.h"
#include "rig/frame.h"
#include "rig/random.h"

#define ROUNDS 50
#define RUN 10000 /* ... where what came before matters */
#define FLIGHT (16u << 20)
#define SMALL 216u /* octets: a segment where the peer offers an MSS of 1 (min_snd_mss) */
#define HELD 63	   /* ranges out of order; ooo_segs is 64 */
#define ISS 1000u

struct bench {
	struct hf_worker *w;
	struct hf_port *port;
	struct hf_addr here, here6, peer, peer6, small;
	uint64_t id, now_us, random;
	uint32_t listener;
	uint32_t nxt; /* the peer's next octet */
	uint64_t small_id;
	uint32_t una,
		top; /* of the flight to small: its first octet, and what was sent beyond its last */
	int kind;
};

static const struct frame_form form = {
	.l2 = true, .to = { 2, 0, 0, 0, 0, 2 }, .from = { 2, 0, 0, 0, 0, 1 }, .ttl = 64
};

static void turn(struct bench *b)
{
	struct hf_event events[8];

	hf_turn(b->w, b->now_us, events, 8);
	hf_flush(b->w, b->now_us);
}

/* Each kind's own turn, which the compiler must not take for another's. */
#define WORST(name, number)                                                 \
	static __attribute__((noinline)) void worst_##name(struct bench *b) \
	{                                                                   \
		b->kind = number;                                           \
		turn(b);                                                    \
	}
WORST(options, 1)
WORST(sacks, 2)
WORST(repeats, 3)
WORST(covers, 4)
WORST(joins, 5)
WORST(strangers, 6)
WORST(cookies, 7)
WORST(headers, 8)
WORST(in_order, 9)
WORST(at_random, 10)
WORST(backward, 11)
WORST(board, 12)

/* ---- What the peer sends, and the application does, between them ------------------------- */

static void push(struct bench *b, const uint8_t *raw, size_t len)
{
	const int rc = hf_memport_push(b->port, raw, len, &(struct hf_push){ 0 });

	assert(rc == 0);
}

static void send_seg(struct bench *b, const struct hf_addr *from, struct seg seg,
		     const uint8_t *options, size_t options_len)
{
	static const uint8_t text[2 * HELD + 2];
	uint8_t raw[FRAME_MAX];

	if (seg.wnd == 0)
		seg.wnd = 65535;
	push(b, raw,
	     frame_build(raw, &form, from, from->ip.version == 6 ? &b->here6 : &b->here, &seg, text,
			 options, options_len));
}

/* len octets of text, offset octets beyond what is next. */
static void send_text(struct bench *b, uint32_t offset, uint16_t len)
{
	send_seg(b, &b->peer,
		 (struct seg){
			 .seq = b->nxt + offset, .ack = ISS + 1, .flags = SEG_ACK, .text_len = len },
		 NULL, 0);
}

static void settle(struct bench *b)
{
	uint8_t raw[FRAME_MAX];
	char text[4096];

	b->now_us += 1000;
	turn(b);
	while (hf_recv(b->w, b->id, text, sizeof(text)) > 0)
		;
	turn(b);
	while (hf_memport_pop(b->port, raw, sizeof(raw)) > 0)
		;
}

/* One octet each, from the second on, step octets apart. */
static void hold(struct bench *b, uint32_t step)
{
	for (uint32_t i = 0; i < HELD; i++) {
		send_text(b, 1 + i * step, 1);
		settle(b);
	}
}

/* ---- The kinds -------------------------------------------------------------------------- */

static void options(struct bench *b)
{
	uint8_t nops[40];

	memset(nops, 1, sizeof(nops));
	send_seg(b, &b->peer, (struct seg){ .seq = b->nxt, .ack = ISS + 1, .flags = SEG_ACK }, nops,
		 sizeof(nops));
	worst_options(b);
}

static void sacks(struct bench *b)
{
	struct seg seg = {
		.seq = b->nxt, .ack = ISS + 1, .flags = SEG_ACK, .options = OPT_SACK, .sacks = 4
	};

	for (unsigned i = 0; i < 4; i++) {
		seg.sack[i].left = ISS + 1 + random_below(&b->random, 14000);
		seg.sack[i].right = seg.sack[i].left + 1;
	}
	send_seg(b, &b->peer, seg, NULL, 0);
	worst_sacks(b);
}

static void repeats(struct bench *b) /* of the last of those held: walked to over all others */
{
	hold(b, 2);
	send_text(b, 1 + 2 * (HELD - 1), 1);
	worst_repeats(b);
}

static void covers(struct bench *b)
{
	hold(b, 2);
	send_text(b, 1, 2 * HELD);
	worst_covers(b);
	settle(b);
	send_text(b, 0, 1);
	settle(b);
	b->nxt += 2 * HELD + 1;
}

static void joins(struct bench *b)
{
	hold(b, 1);
	send_text(b, 0, 1);
	worst_joins(b);
	settle(b);
	b->nxt += HELD + 1;
}

static void strangers(struct bench *b)
{
	struct hf_addr from = b->peer;

	from.port = (uint16_t)(2000 + random_below(&b->random, 60000));
	send_seg(b, &from, (struct seg){ .seq = 1, .ack = 1, .flags = SEG_ACK, .text_len = 100 },
		 NULL, 0);
	worst_strangers(b);
}

static void cookies(struct bench *b) /* the backlog is full: a SYN, with every option and padding */
{
	struct hf_addr from = b->peer;
	uint8_t many[40] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7 };

	memset(many + 19, 1, sizeof(many) - 19);
	from.port = (uint16_t)(2000 + random_below(&b->random, 60000));
	send_seg(b, &from, (struct seg){ .seq = 1, .flags = SEG_SYN }, many, sizeof(many));
	worst_cookies(b);
}

static void headers(struct bench *b) /* destination options of eight octets, as many as fit */
{
	enum { FIRST = 14 + 40, EACH = 8, MANY = 160 };
	const struct seg seg = { .seq = 1, .flags = SEG_SYN, .wnd = 1000 };
	uint8_t raw[FRAME_MAX];
	const size_t len = frame_build(raw, &form, &b->peer6, &b->here6, &seg, NULL, NULL, 0);
	uint16_t payload = (uint16_t)(len - FIRST + EACH * MANY);

	memmove(raw + FIRST + EACH * MANY, raw + FIRST, len - FIRST);
	for (unsigned i = 0; i < MANY; i++)
		memcpy(raw + FIRST + EACH * i, (uint8_t[EACH]){ i + 1 < MANY ? 60 : 6, 0, 1, 4 },
		       EACH);
	raw[14 + 6] = 60;
	raw[14 + 4] = (uint8_t)(payload >> 8);
	raw[14 + 5] = (uint8_t)payload;
	push(b, raw, len + EACH * MANY);
	worst_headers(b);
}

/* ---- One octet each, out of order --------------------------------------------------------- */

static void empty(struct bench *b)
{
	uint8_t raw[FRAME_MAX];

	while (hf_memport_pop(b->port, raw, sizeof(raw)) > 0)
		;
}

static void in_order(struct bench *b)
{
	send_text(b, 0, 1);
	b->nxt++;
	worst_in_order(b);
	empty(b);
}

/* Every second octet of a window of 65,000, over and over. */
static void at_random(struct bench *b)
{
	send_text(b, 1 + 2 * random_below(&b->random, 32000), 1);
	worst_at_random(b);
	empty(b);
}

static void backward(struct bench *b)
{
	static uint32_t next;

	next = next == 0 ? 32000 : next - 1;
	send_text(b, 1 + 2 * next, 1);
	worst_backward(b);
	empty(b);
}

/* All holes are filled. */
static void fill(struct bench *b)
{
	for (unsigned i = 0; i < 65000 / HELD; i++, b->nxt += HELD) {
		send_text(b, 0, HELD);
		settle(b);
	}
}

/* ---- Every second segment of many acknowledged ---------------------------------------------- */

static void small_ack(struct bench *b, struct seg seg)
{
	seg.seq = 5001;
	seg.ack = b->una;
	seg.flags = SEG_ACK;
	send_seg(b, &b->small, seg, NULL, 0);
}

/* ACKs of two segments each until the congestion window is so large, then none until all of it is in flight. */
static void small_fill(struct bench *b)
{
	static const char text[1 << 16];
	struct hf_status status;

	do {
		while (hf_send(b->w, b->small_id, text, sizeof(text)) > 0)
			;
		turn(b);
		empty(b);
		b->now_us += 100;
		hf_status(b->w, b->small_id, &status);
		b->top = status.snd_nxt;
		while (status.cwnd < FLIGHT + 64 * SMALL && b->top - b->una > 2 * SMALL) {
			b->una += 2 * SMALL;
			small_ack(b, (struct seg){ 0 });
		}
	} while (b->top - b->una < FLIGHT);
}

static void small_open(struct bench *b)
{
	const struct seg syn = { .seq = 5000,
				 .flags = SEG_SYN,
				 .options = OPT_MSS | OPT_SACK_PERMITTED | OPT_WSCALE,
				 .mss = 1,
				 .wscale = 14 };
	int rc;

	send_seg(b, &b->small, syn, NULL, 0);
	turn(b);
	b->una = ISS + 1;
	small_ack(b, (struct seg){ 0 });
	turn(b);
	rc = hf_accept(b->w, b->listener, 0, &b->small_id);
	assert(rc == 0);
	small_fill(b);
}

/* Four more of them. */
static void board(struct bench *b)
{
	struct seg seg = { .options = OPT_SACK, .sacks = 4 };
	static uint32_t n;

	if (n == 0)
		small_open(b);
	for (unsigned i = 0; i < 4; i++, n++) {
		const uint32_t left = b->una + (2 * n + 1) * SMALL % (FLIGHT - SMALL);

		seg.sack[i].left = left;
		seg.sack[i].right = left + SMALL;
	}
	small_ack(b, seg);
	worst_board(b);
	empty(b);
	b->now_us += 10;
}

/* It was held for a while, and it all arrives. */
static void small_close(struct bench *b)
{
	struct hf_status status;

	b->una = b->top;
	small_ack(b, (struct seg){ 0 });
	turn(b);
	empty(b);
	if (hf_status(b->w, b->small_id, &status) != 0 || status.state != HF_ESTABLISHED) {
		fprintf(stderr, "the connection of small segments has not lived through it\n");
		exit(1);
	}
	hf_abort(b->w, b->small_id);
	turn(b);
	empty(b);
}

/* ------------------------------------------------------------------------------------------ */

static void worker_make(struct bench *b)
{
	const struct hf_sizes sizes = { 64, 64, 64 };
	struct hf_config config;
	struct hf_error why;

	hf_config_defaults(&config);
	config.ipv4 = config.ipv6 = sizes;
	config.ranges = 16384;
	config.tcp.snd_buf = FLIGHT + FLIGHT / 2;
	config.seed = (struct hf_seed){ .seeded = true, .seed = 1, .iss_fixed = true, .iss = ISS };
	config.tcp.syn_backlog = 1;
	hf_addr_parse("198.19.0.1:80", &b->here);
	hf_addr_parse("[2001:2::1]:80", &b->here6);
	hf_addr_parse("198.18.0.1:1025", &b->peer);
	hf_addr_parse("198.18.0.1:1026", &b->small);
	hf_addr_parse("[2001:2::9]:1025", &b->peer6);
	config.local[config.locals++] = (struct hf_ip_range){ b->here.ip, 1 };
	config.local[config.locals++] = (struct hf_ip_range){ b->here6.ip, 1 };
	memcpy(config.mac, form.to, 6);
	memcpy(config.gateway_mac, form.from, 6);
	if (hf_port_memory(&(struct hf_memport){ .name = "worst", .mbufs = 16383, .frames = 512 },
			   &b->port, &why) != 0 ||
	    hf_worker_create(&config, b->port, &b->w, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
}

/* A connection with 14,000 octets on their way. */
static void establish(struct bench *b)
{
	static const char text[14000];
	ssize_t sent;
	int rc;

	hf_listen(b->w, &b->here, 0, &b->listener);
	b->nxt = 5000;
	send_seg(b, &b->peer,
		 (struct seg){ .seq = b->nxt++,
			       .flags = SEG_SYN,
			       .options = OPT_MSS | OPT_SACK_PERMITTED,
			       .mss = 1400 },
		 NULL, 0);
	turn(b);
	send_seg(b, &b->peer, (struct seg){ .seq = b->nxt, .ack = ISS + 1, .flags = SEG_ACK }, NULL,
		 0);
	turn(b);
	rc = hf_accept(b->w, b->listener, 0, &b->id);
	assert(rc == 0);
	sent = hf_send(b->w, b->id, text, sizeof(text));
	assert(sent == sizeof(text));
	settle(b);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct bench *b);
		unsigned rounds;
		void (*after)(struct bench *b);
	} kinds[] = {
		{ "options", options, ROUNDS, settle },
		{ "covers", covers, ROUNDS, settle },
		{ "joins", joins, ROUNDS, settle },
		{ "repeats", repeats, ROUNDS, settle },
		{ "sacks", sacks, ROUNDS, settle },
		{ "strangers", strangers, ROUNDS, settle },
		{ "headers", headers, ROUNDS, settle },
		{ "in_order", in_order, RUN, settle },
		{ "at_random", at_random, RUN, fill },
		{ "backward", backward, RUN, fill },
		{ "board", board, RUN, small_close },
		{ "cookies", cookies, ROUNDS,
		  settle }, /* the last one: from here on the backlog is full */
	};
	struct bench b = { .now_us = 1000000, .random = 1 };
	struct hf_status status;
	struct hf_error why;

	(void)argc;
	if (hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 96 }, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	worker_make(&b);
	establish(&b);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (unsigned k = 0; k < kinds[i].rounds; k++) {
			kinds[i].run(&b);
			if (kinds[i].after == settle)
				settle(&b);
		}
		kinds[i].after(&b);
		printf("%s %u\n", kinds[i].name, kinds[i].rounds);
	}
	if (hf_status(b.w, b.id, &status) != 0 || status.state != HF_ESTABLISHED) {
		fprintf(stderr, "the connection has not lived through it\n");
		return 1;
	}
	hf_worker_destroy(b.w);
	hf_port_free(b.port);
	hf_env_stop();
	return 0;
}
