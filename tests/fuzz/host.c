/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine, its application and the oracles; see host.h. */
#include "fuzz/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/books.h"
#include "rig/message.h"

#define NONE UINT32_MAX
#define EVENTS 8 /* fewer than there may be, so that some wait */
/* No chain of timers is longer: 15 retransmissions of 120 s and 2MSL; nor has so many steps. */
#define LONGEST_US (3 * 3600 * UINT64_C(1000000))
#define MOST_STEPS 100000

void host_fail(const struct host *h, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "fuzz: input %llu of this engine, at %llu us: ",
		(unsigned long long)h->slot->inputs, (unsigned long long)h->now_us);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static uint8_t octet_at(uint32_t seq)
{
	return (uint8_t)(seq * 0x9du ^ seq >> 8);
}

/* ---- Making and ending ---- */

void host_start(struct host *h, const char *program)
{
	const struct hf_env env = { .program = program, .memory_mb = 64 };
	const struct hf_memport l3 = { .name = "fuzz-l3", .l3 = true };
	const struct hf_memport l2 = { .name = "fuzz-l2" };
	struct hf_error why;

	if (hf_env_start(&env, &why) != 0 || hf_port_memory(&l3, &h->ports[0], &why) != 0 ||
	    hf_port_memory(&l2, &h->ports[1], &why) != 0) {
		fprintf(stderr, "%s: %s\n", program, why.text);
		exit(1);
	}
}

static void configure(struct hf_config *c, const struct host_form *form)
{
	const uint32_t few = form->small ? 3 : form->connections;
	struct hf_addr local, peer;

	hf_config_defaults(c);
	c->ipv4 = c->ipv6 = (struct hf_sizes){ .connections = few, .requests = few, .buckets = few };
	c->seed = (struct hf_seed){ .seeded = true, .seed = 1 };
	c->clock_start_ms = UINT32_MAX - 5000; /* it wraps on the way */
	c->locals = 2;
	for (unsigned i = 0; i < 2; i++) {
		place_path(i, &local, &peer);
		c->local[i] = (struct hf_ip_range){ .first = local.ip, .count = 4 };
		c->local_prefix[i] = (uint8_t)(i == 0 ? 24 : 64);
	}
	c->port_first = 1024;
	c->port_last = 1151;
	c->port_lists = 4;
	c->listeners = HOST_LISTENERS;
	c->neighbours = 8;
	c->ranges = form->small ? 12 : 256;
	memcpy(c->mac, place_mac, 6);
	if (!form->neighbours)
		memcpy(c->gateway_mac, place_peer_mac, 6);
	c->tcp.syncookies = form->cookies ? 2 : 1;
	c->tcp.tw_overflow = form->kill ? HF_TW_KILL : HF_TW_EVICT;
	c->tcp.timestamps = c->tcp.sack = c->tcp.window_scaling = !form->plain;
	if (form->small) {
		c->tcp.rcv_buf = c->tcp.snd_buf = 4096;
		c->tcp.syn_backlog = 2;
		c->tcp.accept_queue = 2;
		c->tcp.max_orphans = 2;
		c->tcp.ooo_segs = 4;
		c->tcp.keepalive_ms = 60000;
		c->tcp.user_timeout_ms = 30000;
	}
}

static unsigned form_number(const struct host_form *f)
{
	return (unsigned)f->l2 | (unsigned)f->neighbours << 1 | (unsigned)f->small << 2 |
	       (unsigned)f->lazy << 3 | (unsigned)f->any_text << 4 | (unsigned)f->cookies << 5 |
	       (unsigned)f->kill << 6 | (unsigned)f->plain << 7;
}

static void make_worker(struct host *h)
{
	struct hf_config config;
	struct hf_error why;

	configure(&config, &h->form);
	if (hf_worker_create(&config, h->port, &h->slot->w, &why) != 0)
		host_fail(h, "hf_worker_create: %s", why.text);
	h->slot->now_us = 1000000;
	h->slot->inputs = 0;
}

static void begin_paths(struct host *h)
{
	memset(h->paths, 0, sizeof(h->paths));
	for (unsigned i = 0; i < PLACE_PATHS; i++) {
		struct host_path *const path = &h->paths[i];

		place_path(i, &path->local, &path->peer);
		path->irs = 0xfffffff0 - i * 1000; /* text crosses 2^32 */
		path->timestamps = i / 2 % 2;
	}
}

void host_begin(struct host *h, const struct host_form *form)
{
	h->form = *form;
	h->port = h->ports[form->l2];
	h->slot = &h->kept[form_number(form)];
	h->mbufs = hf_port_mbufs_used(h->port);
	h->id_count = 0;
	hf_memport_tx_limit(h->port, UINT32_MAX);
	if (h->slot->w == NULL)
		make_worker(h);
	h->w = h->slot->w;
	h->now_us = h->slot->now_us;
	h->in = (struct frame_form){ .l2 = form->l2, .ttl = 64 };
	memcpy(h->in.to, place_mac, 6);
	memcpy(h->in.from, place_peer_mac, 6);
	h->out = (struct frame_form){ .l2 = form->l2, .any_to = true, .ttl = 64 };
	memcpy(h->out.from, place_mac, 6);
	begin_paths(h);
	for (unsigned i = 0; i < HOST_LISTENERS; i++) {
		h->listeners[i] = NONE;
		host_listen(h, i);
	}
}

/* Turns until nothing is left in the device: of what had come, and of answers to what that made it ask. */
static void take_all(struct host *h)
{
	unsigned long long pushed;

	do {
		pushed = h->pushed;
		host_turn(h);
	} while (h->pushed != pushed || hf_next_deadline(h->w) == 0);
}

static void fall_silent(struct host *h)
{
	const uint64_t end_us = h->now_us + LONGEST_US;
	unsigned steps = 0;
	struct hf_error why;

	hf_memport_tx_limit(h->port, UINT32_MAX);
	hf_fail_allocation(h->w, 0);
	for (unsigned i = 0; i < HOST_LISTENERS; i++)
		host_unlisten(h, i);
	for (unsigned i = 0; i < h->id_count; i++)
		host_close(h, &h->ids[i]);
	host_turn(h);
	while (h->now_us < end_us && hf_next_deadline(h->w) != UINT64_MAX) {
		host_step(h, end_us);
		if (++steps == MOST_STEPS)
			host_fail(h, "no end of timers");
	}
	take_all(h); /* a device that was behind asks for neighbours late, when nobody waits for them */
	if (books_open(h->w, &why))
		host_fail(h, "leak: %s", why.text);
	if (h->id_count != 0)
		host_fail(h, "leak: %u ids", h->id_count);
}

void host_end(struct host *h, bool silence)
{
	struct hf_error why;

	if (silence) {
		fall_silent(h);
		h->slot->now_us = h->now_us;
		h->slot->inputs++;
	} else {
		take_all(h);
		if (books_wrong(h->w, &why))
			host_fail(h, "books: %s", why.text);
		hf_worker_destroy(h->w);
		h->slot->w = NULL;
	}
	if (hf_port_mbufs_used(h->port) != h->mbufs)
		host_fail(h, "leak: %d mbufs", (int)(hf_port_mbufs_used(h->port) - h->mbufs));
}

/* ---- The peers ---- */

enum hf_state host_look(struct host *h, unsigned n)
{
	struct host_path *const path = &h->paths[n];
	struct hf_status s;

	if (hf_lookup(h->w, &path->local, &path->peer, &s) != 0)
		return HF_CLOSED;
	path->su = s.snd_una;
	path->sn = s.snd_nxt;
	if (s.state != HF_SYN_SENT) {
		path->rn = s.rcv_nxt;
		path->rw = s.rcv_wnd;
	}
	return s.state;
}

void host_push(struct host *h, const void *frame, size_t len, const struct hf_push *how)
{
	h->pushed++;
	hf_memport_push(h->port, frame, len, how); /* where there is no mbuf it is lost */
}

void host_segment(struct host *h, unsigned n, const struct seg *seg)
{
	const struct host_path *const path = &h->paths[n];
	const uint32_t first = seg->seq + (seg->flags & SEG_SYN ? 1 : 0);
	uint8_t frame[FRAME_MAX], text[FRAME_MAX];
	struct seg copy = *seg;

	if (path->timestamps && !(copy.options & OPT_TS) && copy.sacks < 4 &&
	    !(copy.flags & SEG_RST)) {
		copy.options |= OPT_TS;
		copy.tsval = (uint32_t)(h->now_us / 1000);
		copy.tsecr = copy.flags & SEG_ACK ? path->tsecr : 0;
	}
	for (unsigned i = 0; i < seg->text_len; i++)
		text[i] = octet_at(first + i);
	host_push(h, frame,
		  frame_build(frame, &h->in, &path->peer, &path->local, &copy, text, NULL, 0), NULL);
}

/* Somebody answers at every address asked for. */
static void answer_arp(struct host *h, const uint8_t *arp)
{
	uint8_t frame[64];

	if (arp[7] == 1)
		host_push(h, frame,
			  message_arp(frame, place_mac, 2, place_peer_mac, arp + 24, place_mac,
				      arp + 14),
			  NULL);
}

static void answer_solicitation(struct host *h, const uint8_t *ip, const uint8_t *message)
{
	uint8_t frame[128], body[64];
	size_t len, n;

	len = message_nd(body, 136, 0x60, message + 8, 2, place_peer_mac);
	message_seal(6, message + 8, ip + 8, body, len);
	n = message_ether(frame, place_mac, place_peer_mac, 0x86dd);
	n += message_ip(frame + n, 6, message + 8, ip + 8, 58, 255, body, len);
	host_push(h, frame, n, NULL);
}

static void learn(struct host *h, const struct frame *f)
{
	const unsigned n = f->dst.port - 40000u;
	const uint32_t first = f->seg.seq + (f->seg.flags & SEG_SYN ? 1 : 0);

	for (unsigned i = 0; i < f->seg.text_len; i++)
		if (f->raw[f->text + i] != octet_at(first + i))
			host_fail(h, "text sent differs at SEQ %u", first + i);
	if (n >= PLACE_PATHS)
		return;
	if (f->seg.options & OPT_TS)
		h->paths[n].tsecr = f->seg.tsval;
	if (f->seg.flags & SEG_RST) /* of a connection, a stranger's, or a challenge */
		return;
	if (f->seg.flags & SEG_SYN)
		h->paths[n].su = f->seg.seq;
	h->paths[n].sn = f->seg.seq + f->seg.len;
	if (f->seg.flags & SEG_ACK)
		h->paths[n].rn = f->seg.ack;
	h->paths[n].rw = f->seg.wnd;
}

static void take_frames(struct host *h)
{
	struct frame *const f = &h->frame;
	const char *wrong;
	ssize_t len;

	while ((len = hf_memport_pop(h->port, f->raw, sizeof(f->raw))) >= 0) {
		f->len = (size_t)len;
		f->at_us = h->now_us;
		wrong = frame_parse(f, &h->out);
		if (wrong)
			host_fail(h, "frame out: %s", wrong);
		if (f->tcp != 0)
			learn(h, f);
		else if (h->form.l2 && f->raw[12] == 8 && f->raw[13] == 6)
			answer_arp(h, f->raw + MESSAGE_ETHER);
		else if (h->form.neighbours && f->raw[f->ip] >> 4 == 6 && f->raw[f->ip + 40] == 135)
			answer_solicitation(h, f->raw + f->ip, f->raw + f->ip + 40);
	}
	if (len != -EAGAIN)
		host_fail(h, "hf_memport_pop: %zd", len);
}

/* ---- The application ---- */

void host_listen(struct host *h, unsigned i)
{
	struct hf_addr any, peer;

	if (h->listeners[i] != NONE)
		return;
	place_path(i, &any, &peer);
	memset(any.ip.octets, 0, sizeof(any.ip.octets));
	if (hf_listen(h->w, &any, i, &h->listeners[i]) != 0)
		host_fail(h, "hf_listen");
}

void host_unlisten(struct host *h, unsigned i)
{
	if (h->listeners[i] != NONE && hf_unlisten(h->w, h->listeners[i]) != 0)
		host_fail(h, "hf_unlisten");
	h->listeners[i] = NONE;
}

static struct host_id *keep(struct host *h, uint64_t id)
{
	struct host_id *const new = &h->ids[h->id_count];

	for (unsigned i = 0; i < h->id_count; i++)
		if (h->ids[i].id == id)
			host_fail(h, "an id comes twice");
	*new = (struct host_id){ .id = id };
	h->id_count++;
	return new;
}

void host_connect(struct host *h, unsigned n, bool choose_port)
{
	const struct host_path *const path = &h->paths[n];
	uint64_t id;
	int err;

	if (h->id_count == HOST_IDS)
		return;
	err = hf_connect(h->w, choose_port ? NULL : &path->local, &path->peer, n, &id);
	if (err == 0)
		keep(h, id);
	else if (err != -EADDRNOTAVAIL && err != -EADDRINUSE && err != -ENOBUFS)
		host_fail(h, "hf_connect: %d", err);
}

void host_accept(struct host *h, unsigned i)
{
	uint64_t id;
	int err;

	if (h->listeners[i] == NONE || h->id_count == HOST_IDS)
		return;
	err = hf_accept(h->w, h->listeners[i], i, &id);
	if (err == 0)
		keep(h, id);
	else if (err != -EAGAIN)
		host_fail(h, "hf_accept: %d", err);
}

void host_send(struct host *h, struct host_id *id, size_t len)
{
	static const size_t most = 16384;
	uint8_t text[16384];
	struct hf_status s;
	ssize_t n;

	len = len < most ? len : most;
	if (hf_status(h->w, id->id, &s) != 0)
		return; /* it has ended, and the event waits */
	for (size_t i = 0; i < len; i++)
		text[i] = octet_at(s.iss + 1 + id->written + (uint32_t)i);
	n = hf_send(h->w, id->id, text, len);
	if (n > (ssize_t)len || (n < 0 && n != -EPIPE && n != -EBADF))
		host_fail(h, "hf_send: %zd", n);
	id->written += n > 0 ? (uint32_t)n : 0;
}

void host_receive(struct host *h, struct host_id *id, size_t room)
{
	uint8_t text[4096];
	struct hf_status s;
	ssize_t n;

	room = room < sizeof(text) ? room : sizeof(text);
	if (hf_status(h->w, id->id, &s) != 0)
		return; /* it has ended, and the event waits */
	n = hf_recv(h->w, id->id, text, room);
	if (n > (ssize_t)room || (n < 0 && n != -EAGAIN && n != -EBADF))
		host_fail(h, "hf_recv: %zd", n);
	for (ssize_t i = 0; i < n && !h->form.any_text; i++)
		if (text[i] != octet_at(s.irs + 1 + id->read + (uint32_t)i))
			host_fail(h, "text received differs at octet %u", id->read + (uint32_t)i);
	id->read += n > 0 ? (uint32_t)n : 0;
}

void host_shutdown(struct host *h, struct host_id *id)
{
	const int err = hf_shutdown(h->w, id->id);

	if (err != 0 && err != -EPIPE && err != -EBADF)
		host_fail(h, "hf_shutdown: %d", err);
}

void host_close(struct host *h, struct host_id *id)
{
	const int err = hf_close(h->w, id->id);

	if (err != 0 && err != -EALREADY && err != -EBADF)
		host_fail(h, "hf_close: %d", err);
}

void host_abort(struct host *h, struct host_id *id)
{
	const int err = hf_abort(h->w, id->id);

	if (err != 0 && err != -EBADF)
		host_fail(h, "hf_abort: %d", err);
}

static void on_event(struct host *h, const struct hf_event *event)
{
	unsigned i = 0;

	while (i < h->id_count && h->ids[i].id != event->id)
		i++;
	if (event->what & HF_EV_ACCEPT) {
		if (i != h->id_count || event->listener != h->listeners[event->cookie])
			host_fail(h, "HF_EV_ACCEPT of what is not new");
		if (!h->form.lazy)
			host_accept(h, (unsigned)event->cookie);
		return;
	}
	if (i == h->id_count)
		host_fail(h, "event %x of an id that does not live", event->what);
	if (event->what & HF_EV_CLOSED)
		h->ids[i] = h->ids[--h->id_count];
	else if (event->what & (HF_EV_READABLE | HF_EV_EOF) && !h->form.lazy)
		host_receive(h, &h->ids[i], 4096);
}

/* ---- Time ---- */

void host_turn(struct host *h)
{
	struct hf_event events[EVENTS];
	struct hf_error why;
	unsigned n;

	n = hf_turn(h->w, h->now_us, events, EVENTS);
	for (unsigned i = 0; i < n; i++)
		on_event(h, &events[i]);
	hf_flush(h->w, h->now_us);
	take_frames(h);
	if (hf_check(h->w, &why) != 0)
		host_fail(h, "hf_check: %s", why.text);
}

void host_step(struct host *h, uint64_t until_us)
{
	const uint64_t next_us = hf_next_deadline(h->w);

	if (next_us > h->now_us)
		h->now_us = next_us < until_us ? next_us : until_us;
	host_turn(h);
}
