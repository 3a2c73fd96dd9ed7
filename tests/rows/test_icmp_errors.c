/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 15: ICMP errors about segments of ours (RFC 1122 4.2.3.9, RFC 5461, RFC 5927). */
#include <errno.h>
#include <string.h>

#include "rig/message.h"
#include "rig/rig.h"

#define HARD true
#define SOFT false

struct error {
	uint8_t type, code;
	bool hard; /* where hard errors are believed */
	int error;
};

static const struct error errors4[] = {
	{ 3, 0, SOFT, ENETUNREACH },   { 3, 1, SOFT, EHOSTUNREACH }, { 3, 2, HARD, ENOPROTOOPT },
	{ 3, 3, HARD, ECONNREFUSED },  { 3, 5, SOFT, EOPNOTSUPP },   { 3, 13, SOFT, EHOSTUNREACH },
	{ 11, 0, SOFT, EHOSTUNREACH }, { 12, 0, SOFT, EPROTO },
};
static const struct error errors6[] = {
	{ 1, 0, SOFT, ENETUNREACH },  { 1, 1, SOFT, EACCES },	    { 1, 3, SOFT, EHOSTUNREACH },
	{ 1, 4, HARD, ECONNREFUSED }, { 3, 0, SOFT, EHOSTUNREACH }, { 4, 0, SOFT, EPROTO },
	{ 4, 1, HARD, EPROTO }, /* unrecognized Next Header: IPv6's protocol unreachable */
};

static const struct error *errors_of(const struct rig *r, size_t *n)
{
	const bool v4 = r->local.ip.version == 4;

	*n = v4 ? sizeof(errors4) / sizeof(errors4[0]) : sizeof(errors6) / sizeof(errors6[0]);
	return v4 ? errors4 : errors6;
}

/* An error from a router on the way, about our segment of this SEQ. */
static void send_error(struct rig *r, uint8_t type, uint8_t code, uint32_t seq)
{
	rig_flush(r);
	rig_push_error(r, NULL, type, code, 0, seq);
	rig_mark(r);
	rig_turn(r);
}

static void send_soft(struct rig *r, uint32_t seq)
{
	send_error(r, r->local.ip.version == 4 ? 3 : 1, r->local.ip.version == 4 ? 1 : 3, seq);
}

static void send_hard(struct rig *r, uint32_t seq)
{
	send_error(r, r->local.ip.version == 4 ? 3 : 1, r->local.ip.version == 4 ? 3 : 4, seq);
}

static int soft_error(const struct rig *r)
{
	return rig_status(r).soft_error;
}

static void expect_bad(struct rig *r)
{
	rig_expect_rose(r, "icmp_bad", 1);
	rig_expect_rose(r, "rx_drop_icmp", 1);
	rig_no_event(r);
	rig_expect_silence(r, 0);
}

/* The connection ends, and the next one begins as the first did. */
static void let_go(struct rig *r)
{
	if (r->id != 0)
		hf_abort(r->w, r->id);
	rig_advance(r, MS(1));
	rig_discard(r);
	rig_forget_events(r);
	rig_another(r);
	r->su = ISS, r->sn = ISS + 1, r->rn = IRS + 1;
}

static const enum rig_state synchronised[] = { RIG_ESTABLISHED, RIG_FIN_WAIT_1, RIG_CLOSE_WAIT,
					       RIG_CLOSING, RIG_LAST_ACK };
#define SYNCHRONISED (sizeof(synchronised) / sizeof(synchronised[0]))

/* MUST-56, SHLD-25, and in synchronised states the hard ones too (RFC5927-5.2). */
static void synchronised__any_error__kept_and_survived(struct rig *r)
{
	const struct error *errors;
	size_t n;

	errors = errors_of(r, &n);
	r->unacked = 10;
	r->hold = true;
	for (unsigned i = 0; i < SYNCHRONISED; i++) {
		enum hf_state state;

		rig_to(r, synchronised[i]);
		state = rig_state(r);
		assert_int_equal(soft_error(r), 0);
		for (size_t k = 0; k < n; k++) {
			send_error(r, errors[k].type, errors[k].code, r->su);
			rig_expect_rose(r, "icmp_soft", 1);
			rig_expect_rose(r, "rx_consumed", 1);
			rig_no_event(r);
			rig_expect_silence(r, 0);
			rig_expect_state(r, state);
			assert_int_equal(soft_error(r), errors[k].error);
		}
		let_go(r);
	}
}

/* MUST-47, SHLD-20: nobody is told who does not ask; the last one counts. */
static void soft__reported_on_request_alone(struct rig *r)
{
	struct hf_status status;

	rig_to(r, RIG_SYN_SENT);
	send_soft(r, ISS);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.soft_error, EHOSTUNREACH);
	send_error(r, r->local.ip.version == 4 ? 12 : 4, 0, ISS);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.soft_error, EPROTO);
	rig_no_event(r);
	rig_advance(r, SEC(260)); /* and why it was given up in the end is not guessed from it */
	rig_event_closed(r, ETIMEDOUT);
	rig_discard(r);
}

/* RFC5927-4: SEQ in [SU, SN). */
static void synchronised__seq_edges(struct rig *r)
{
	r->unacked = 10;
	r->hold = true;
	for (unsigned i = 0; i < SYNCHRONISED; i++) {
		rig_to(r, synchronised[i]);
		send_soft(r, r->su - 1);
		expect_bad(r);
		send_soft(r, r->sn);
		expect_bad(r);
		send_soft(r, r->su + 0x80000000u);
		expect_bad(r);
		assert_int_equal(soft_error(r), 0);
		send_soft(r, r->sn - 1);
		rig_expect_rose(r, "icmp_soft", 1);
		send_soft(r, r->su);
		rig_expect_rose(r, "icmp_soft", 1);
		let_go(r);
	}
}

/* Nothing of it is on its way, or nobody knows it. */
static void nothing_in_flight__dropped(struct rig *r)
{
	static const enum rig_state states[] = { RIG_CLOSED, RIG_ESTABLISHED, RIG_FIN_WAIT_2,
						 RIG_LISTEN };

	r->hold = true;
	for (unsigned i = 0; i < 4; i++) {
		rig_to(r, states[i]);
		send_hard(r, r->sn);
		expect_bad(r);
		send_hard(r, r->sn - 1);
		expect_bad(r);
		let_go(r);
	}
}

/* MUST-55, HF-IC1: source quench and redirects, of what they say they are about too. */
static void established__quench_and_redirect__ignored(struct rig *r)
{
	static const uint8_t types[2][2] = { { 4, 5 }, { 137, 137 } };
	struct hf_status before, after;

	r->unacked = 10;
	r->hold = true;
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_status(r->w, r->id, &before), 0);
	for (uint8_t i = 0; i < 8; i++) {
		send_error(r, types[r->local.ip.version == 6][i / 4], i % 4, r->su);
		rig_expect_rose(r, "icmp_ignored", 1);
		rig_expect_rose(r, "rx_drop_icmp", 1);
		rig_no_event(r);
		rig_expect_silence(r, 0);
	}
	assert_int_equal(hf_status(r->w, r->id, &after), 0);
	assert_memory_equal(&after, &before, sizeof(after));
	let_go(r);
}

/* TW-6: each type, each code. */
static void time_wait__every_error__record_stays(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	for (unsigned type = 0; type < 14; type++) {
		for (unsigned code = 0; code < 16; code++) {
			send_error(r, (uint8_t)type, (uint8_t)code, r->sn - 1);
			rig_expect_state(r, HF_TIME_WAIT);
			rig_expect_rose(r, "rx_consumed", 0);
		}
	}
	rig_discard(r);
	rig_advance(r, SEC(59));
	rig_expect_state(r, HF_TIME_WAIT);
	rig_advance(r, SEC(1) + MS(2));
	rig_expect_state(r, HF_CLOSED);
}

static void syn_sent__soft__goes_on_hard__refused(struct rig *r)
{
	const struct error *errors;
	size_t n;

	errors = errors_of(r, &n);
	for (size_t k = 0; k < n; k++) {
		rig_to(r, RIG_SYN_SENT);
		send_error(r, errors[k].type, errors[k].code, ISS - 1);
		expect_bad(r);
		send_error(r, errors[k].type, errors[k].code, ISS + 1);
		expect_bad(r);
		send_error(r, errors[k].type, errors[k].code, ISS);
		if (errors[k].hard) {
			rig_event_closed(r, ECONNREFUSED);
			rig_expect_state(r, HF_CLOSED);
			rig_expect_rose(r, "icmp_hard", 1);
			rig_expect_rose(r, "failed_refused", 1);
		} else {
			rig_no_event(r);
			rig_expect_state(r, HF_SYN_SENT);
			rig_expect_rose(r, "icmp_soft", 1);
			assert_int_equal(soft_error(r), errors[k].error);
			hf_abort(r->w, r->id);
		}
		rig_expect_silence(r, 0);
		rig_forget_events(r);
		rig_another(r);
	}
}

static void syn_received_passive__hard__half_open_freed(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	send_hard(r, ISS - 1);
	expect_bad(r);
	send_hard(r, ISS + 1);
	expect_bad(r);
	send_soft(r, ISS);
	rig_expect_rose(r, "icmp_soft", 1);
	rig_expect_state(r, HF_SYN_RECEIVED);
	send_hard(r, ISS);
	rig_expect_rose(r, "icmp_hard", 1);
	rig_expect_rose(r, "request_unreachable", 1);
	rig_expect_state(r, HF_CLOSED);
	rig_no_event(r);
	rig_expect_silence(r, SEC(70));
}

static void syn_received_active__hard__refused(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	send_soft(r, ISS);
	rig_expect_state(r, HF_SYN_RECEIVED);
	send_hard(r, ISS + 1);
	expect_bad(r);
	send_hard(r, ISS);
	rig_event_closed(r, ECONNREFUSED);
	rig_expect_state(r, HF_CLOSED);
	rig_expect_rose(r, "failed_refused", 1);
	rig_expect_silence(r, SEC(5));
}

/* ---- tcp.soft_error_abort (RFC 5461 4.1) ---- */

static void set_abort(struct rig *r)
{
	r->config.tcp.soft_error_abort = true;
}

/* Each soft error, of SYN-SENT and of SYN-RECEIVED after it. */
static void opening__soft__unreachable_at_once(struct rig *r)
{
	static const enum rig_state opening[] = { RIG_SYN_SENT, RIG_SYN_RCVD_A };
	const struct error *errors;
	size_t n;

	errors = errors_of(r, &n);
	for (size_t k = 0; k < 2 * n; k++) {
		const struct error *const e = &errors[k / 2];

		rig_to(r, opening[k % 2]);
		send_error(r, e->type, e->code, ISS + 1);
		expect_bad(r);
		send_error(r, e->type, e->code, ISS);
		rig_event_closed(r, e->hard ? ECONNREFUSED : EHOSTUNREACH);
		rig_expect_state(r, HF_CLOSED);
		rig_expect_rose(r, e->hard ? "icmp_hard" : "icmp_soft", 1);
		rig_expect_rose(r, e->hard ? "failed_refused" : "failed_unreachable", 1);
		rig_expect_silence(r, 0);
		let_go(r);
	}
}

static void half_open__soft__freed(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	send_soft(r, ISS + 1);
	expect_bad(r);
	send_soft(r, ISS);
	rig_expect_rose(r, "icmp_soft", 1);
	rig_expect_rose(r, "request_unreachable", 1);
	rig_expect_state(r, HF_CLOSED);
	rig_no_event(r);
	rig_expect_silence(r, SEC(70));
}

/* Another port, another address: of no connection. */
static void other_tuple__dropped(struct rig *r)
{
	const struct hf_addr local = r->local, peer = r->peer;

	rig_to(r, RIG_SYN_SENT);
	r->peer.port++;
	send_hard(r, ISS);
	expect_bad(r);
	r->peer = peer;
	r->local.port++;
	send_hard(r, ISS);
	expect_bad(r);
	r->local = local;
	r->peer.ip.octets[3] ^= 1;
	send_hard(r, ISS);
	expect_bad(r);
	r->peer = peer;
	rig_expect_state(r, HF_SYN_SENT);
}

/* Every truncation of a good error, in a frame of that size (HF-IC2). */
static void truncated__dropped(struct rig *r)
{
	const unsigned version = r->local.ip.version;
	uint8_t raw[MESSAGE_MAX], body[128], quote[64];
	const size_t quoted = message_quote(quote, version, r->local.ip.octets, r->peer.ip.octets,
					    r->local.port, r->peer.port, ISS);

	rig_to(r, RIG_SYN_SENT);
	for (size_t n = 0; n <= quoted; n++) {
		const size_t len =
			message_body(body, version == 4 ? 3 : 1, version == 4 ? 3 : 4, 0, quote, n);

		message_seal(version, r->peer.ip.octets, r->local.ip.octets, body, len);
		rig_flush(r);
		rig_push_raw(r, raw,
			     message_ip(raw, version, r->peer.ip.octets, r->local.ip.octets,
					version == 4 ? 1 : 58, 64, body, len),
			     NULL);
		rig_mark(r);
		rig_turn(r);
		if (n < quoted)
			expect_bad(r);
	}
	rig_event_closed(r, ECONNREFUSED);
}

int main(int argc, char **argv)
{
	const struct row rows[] = {
		{ "MUST-56", synchronised__any_error__kept_and_survived, NULL, NULL, 0 },
		{ "MUST-47", soft__reported_on_request_alone, NULL, NULL, 0 },
		{ "RFC5927-4, SEC-21", synchronised__seq_edges, NULL, NULL, 0 },
		{ "MUST-54", other_tuple__dropped, NULL, NULL, 0 },
		{ "MUST-54-flight", nothing_in_flight__dropped, NULL, NULL, 0 },
		{ "MUST-55, HF-IC1", established__quench_and_redirect__ignored, NULL, NULL, 0 },
		{ "TW-6", time_wait__every_error__record_stays, NULL, NULL, 0 },
		{ "SHLD-26", syn_sent__soft__goes_on_hard__refused, NULL, NULL, 0 },
		{ "RFC5927-5.2-request", syn_received_passive__hard__half_open_freed, NULL, NULL, 0 },
		{ "RFC5927-5.2-simultaneous", syn_received_active__hard__refused, NULL, NULL, 0 },
		{ "RFC5461-4.1", opening__soft__unreachable_at_once, NULL, set_abort, 0 },
		{ "RFC5461-4.1-request", half_open__soft__freed, NULL, set_abort, 0 },
		{ "RFC5461-4.1-synchronised", synchronised__any_error__kept_and_survived, NULL,
		  set_abort, 0 },
		{ "HF-IC2", truncated__dropped, NULL, NULL, 0 },
	};

	return rig_run("ICMP errors", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
