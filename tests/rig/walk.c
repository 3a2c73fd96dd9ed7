/* SPDX-License-Identifier: BSD-3-Clause */
/* The application's calls, and the ways into each state (RFC 9293 figure 5). See rig.h. */
#include <string.h>

#include "rig/inner.h"

void rig_keep(struct rig *r, uint64_t id)
{
	if (r->id_count == RIG_IDS)
		rig_fail(r, "more than %u connections at once", RIG_IDS);
	r->ids[r->id_count++] = id;
}

uint32_t rig_listen_at(struct rig *r, const struct hf_addr *local, uint64_t cookie)
{
	uint32_t listener;
	const int err = hf_listen(r->w, local, cookie, &listener);

	if (err != 0 || r->listener_count == RIG_LISTENERS)
		rig_fail(r, "hf_listen: %d", err);
	r->listeners[r->listener_count++] = listener;
	return listener;
}

void rig_listen(struct rig *r)
{
	r->listener = rig_listen_at(r, &r->local, 7);
}

uint64_t rig_accept(struct rig *r)
{
	uint64_t id;
	const int err = hf_accept(r->w, r->listener, 9, &id);

	if (err != 0)
		rig_fail(r, "hf_accept: %d", err);
	rig_keep(r, id);
	r->id = id;
	return id;
}

uint64_t rig_connect(struct rig *r)
{
	const int err = hf_connect(r->w, &r->local, &r->peer, 9, &r->id);
	struct hf_status status;

	if (err != 0)
		rig_fail(r, "hf_connect: %d", err);
	if (hf_status(r->w, r->id, &status) == 0)
		r->local.port = status.local.port;
	rig_keep(r, r->id);
	return r->id;
}

void rig_write(struct rig *r, size_t len)
{
	uint8_t text[1024];

	while (len != 0) {
		const size_t n = len < sizeof(text) ? len : sizeof(text);
		ssize_t taken;

		for (size_t i = 0; i < n; i++)
			text[i] = rig_octet((uint32_t)(r->written + i));
		taken = hf_send(r->w, r->id, text, n);
		if (taken != (ssize_t)n)
			rig_fail(r, "hf_send of %zu took %zd", n, taken);
		r->written += n;
		len -= n;
	}
}

void rig_read(struct rig *r, size_t len)
{
	uint8_t text[1024];

	while (len != 0) {
		const size_t room = len < sizeof(text) ? len : sizeof(text);
		const ssize_t n = hf_recv(r->w, r->id, text, room);

		if (n <= 0)
			rig_fail(r, "hf_recv: %zd with %zu octets missing", n, len);
		for (size_t i = 0; i < (size_t)n; i++)
			if (text[i] != rig_octet((uint32_t)(r->read + i)))
				rig_fail(r, "text received differs at octet %zu", r->read + i);
		r->read += (size_t)n;
		len -= (size_t)n;
	}
}

struct seg rig_ack(const struct rig *r)
{
	return (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK };
}

struct seg rig_rs(const struct rig *r)
{
	struct seg seg = rig_ack(r);

	seg.flags |= SEG_RST;
	seg.options = r->ts_agreed ? OPT_TS : 0;
	return seg;
}

struct seg rig_syn(const struct rig *r)
{
	return (struct seg){ .seq = r->irs,
			     .flags = SEG_SYN,
			     .options = (uint8_t)(OPT_MSS | (r->timestamps ? OPT_TS : 0)),
			     .mss = (uint16_t)(r->config.mtu - (r->local.ip.version == 4 ? 40 : 60)),
			     .tsval = r->ts_base + (uint32_t)(r->now_us / 1000) };
}

/* The peer's next segment in order, acknowledging all of ours. */
static struct seg from_peer(const struct rig *r, unsigned flags)
{
	return (struct seg){ .seq = r->rn, .ack = r->sn, .flags = (uint8_t)(flags | SEG_ACK) };
}

static void to_syn_sent(struct rig *r)
{
	const uint8_t ts = r->config.tcp.timestamps ? OPT_TS : 0;

	rig_connect(r);
	rig_expect(r,
		   (struct seg){ .seq = ISS, .flags = SEG_SYN, .options = (uint8_t)(OPT_MSS | ts) });
	r->su = ISS;
	r->sn = ISS + 1;
	r->mw = r->wnd;
	rig_expect_state(r, HF_SYN_SENT);
}

static void to_syn_received(struct rig *r)
{
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	r->su = ISS;
	r->sn = ISS + 1;
	r->rn = IRS + 1;
	r->mw = r->wnd;
	r->ts_agreed = r->timestamps;
	rig_expect_state(r, HF_SYN_RECEIVED);
}

static void listen_once(struct rig *r)
{
	if (r->listener_count == 0)
		rig_listen(r);
}

void rig_open_passive(struct rig *r)
{
	listen_once(r);
	to_syn_received(r);
	rig_send(r, from_peer(r, 0));
	r->su = r->sn;
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_silence(r, 0);
	rig_expect_state(r, HF_ESTABLISHED);
}

void rig_open_active(struct rig *r)
{
	struct seg synack;

	to_syn_sent(r);
	synack = rig_syn(r);
	synack.flags |= SEG_ACK;
	synack.ack = ISS + 1;
	synack.tsecr = r->tsecr;
	rig_send(r, synack);
	r->su = r->sn;
	r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

void rig_another(struct rig *r)
{
	r->peer.port++;
	r->id = 0;
	r->ts_agreed = false;
	r->written = r->read = 0;
}

static void to_established(struct rig *r)
{
	if (r->active)
		rig_open_active(r);
	else
		rig_open_passive(r);
}

/* Our side sends what r->unacked says. */
static void write_ours(struct rig *r)
{
	struct seg text = rig_ack(r);

	if (r->unacked == 0)
		return;
	rig_write(r, r->unacked);
	rig_flush(r);
	text.text_len = r->unacked;
	rig_expect(r, text);
	r->sn += r->unacked;
}

/* Our side ends: FIN, with r->unacked octets of text. */
static void end_ours(struct rig *r)
{
	struct seg fin = rig_ack(r);
	int err;

	rig_write(r, r->unacked);
	err = r->hold ? hf_shutdown(r->w, r->id) : hf_close(r->w, r->id);
	if (err != 0)
		rig_fail(r, "%s: %d", r->hold ? "hf_shutdown" : "hf_close", err);
	rig_flush(r);
	fin.flags |= SEG_FIN;
	fin.text_len = r->unacked;
	rig_expect(r, fin);
	r->sn += fin.text_len + 1u;
}

/* The peer's ends: its FIN, with this ACK field. */
static void end_theirs(struct rig *r, uint32_t ack)
{
	struct seg fin = from_peer(r, SEG_FIN);

	fin.ack = ack;
	rig_send(r, fin);
	r->rn++;
	rig_expect_ack(r);
}

static void to_close_wait(struct rig *r)
{
	to_established(r);
	end_theirs(r, r->sn);
	rig_event(r, HF_EV_EOF);
	rig_expect_state(r, HF_CLOSE_WAIT);
}

void rig_to(struct rig *r, enum rig_state state)
{
	switch (state) {
	case RIG_CLOSED:
		break;
	case RIG_LISTEN:
		listen_once(r);
		break;
	case RIG_SYN_SENT:
		to_syn_sent(r);
		break;
	case RIG_SYN_RCVD_P:
		listen_once(r);
		to_syn_received(r);
		break;
	case RIG_SYN_RCVD_A:
		to_syn_sent(r);
		to_syn_received(r);
		break;
	case RIG_ESTABLISHED:
		to_established(r);
		write_ours(r);
		break;
	case RIG_FIN_WAIT_1:
		to_established(r);
		end_ours(r);
		rig_expect_state(r, HF_FIN_WAIT_1);
		break;
	case RIG_FIN_WAIT_2:
		rig_to(r, RIG_FIN_WAIT_1);
		rig_send(r, from_peer(r, 0));
		r->su = r->sn;
		rig_expect_state(r, HF_FIN_WAIT_2);
		break;
	case RIG_CLOSE_WAIT:
		to_close_wait(r);
		write_ours(r);
		break;
	case RIG_CLOSING:
		rig_to(r, RIG_FIN_WAIT_1);
		end_theirs(r, r->su);
		rig_expect_state(r, HF_CLOSING);
		break;
	case RIG_LAST_ACK:
		to_close_wait(r);
		end_ours(r);
		rig_expect_state(r, HF_LAST_ACK);
		break;
	case RIG_TIME_WAIT:
		rig_to(r, RIG_FIN_WAIT_2);
		end_theirs(r, r->sn);
		rig_expect_state(r, HF_TIME_WAIT);
		break;
	}
	rig_expect_silence(r, 0);
	rig_forget_events(r);
}
