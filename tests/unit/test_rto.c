/* SPDX-License-Identifier: BSD-3-Clause */
/* The retransmission timer against RFC 6298 in floating point. */
#include "rig/random.h"
#include "test_tcp.h"

#define SAMPLES 2000

/* RFC 6298 2, in seconds. */
struct oracle {
	double srtt, rttvar;
	bool any;
};

static void oracle_sample(struct oracle *o, double rtt)
{
	const double apart = o->srtt > rtt ? o->srtt - rtt : rtt - o->srtt;

	if (!o->any) {
		o->srtt = rtt;
		o->rttvar = rtt / 2;
		o->any = true;
		return;
	}
	o->rttvar = 0.75 * o->rttvar + 0.25 * apart;
	o->srtt = 0.875 * o->srtt + 0.125 * rtt;
}

static double oracle_rto(const struct oracle *o, double min, double max)
{
	const double spread = 4 * o->rttvar > 0.001 ? 4 * o->rttvar : 0.001;
	const double rto = o->srtt + spread;

	return rto < min ? min : rto > max ? max : rto;
}

/* Within a tick, and what whole microseconds lose: under 8 us in SRTT, under 4 * 4 in 4 RTTVAR. */
static void compare(struct tcb_rig *r, const struct oracle *o)
{
	const double want = oracle_rto(o, r->config->rto_min_ms / 1e3, r->config->rto_max_ms / 1e3);
	double apart;

	rto_arm(&r->host, &r->tcb);
	apart = r->tcb.rto_ms / 1e3 - want;
	if (apart < -0.000025 || apart > 0.001025)
		fail_msg("RTO is %u ms, not %f", r->tcb.rto_ms, want * 1e3);
}

static void rto__random_samples__follow_the_rfc(struct tcb_rig *r)
{
	static const uint32_t upto_us[] = { 20, 1000, 100000, 3000000, 60000000 };
	uint64_t seed = 6298;

	r->config->rto_min_ms = 1;
	for (size_t i = 0; i < COUNT(upto_us); i++) {
		struct oracle o = { 0 };

		r->tcb = (struct tcb){ 0 };
		for (unsigned n = 0; n < SAMPLES; n++) {
			const uint32_t rtt_us = 1 + random_below(&seed, upto_us[i]);

			rto_sample(&r->host, &r->tcb, rtt_us);
			oracle_sample(&o, rtt_us / 1e6);
			compare(r, &o);
		}
	}
}

static void rto__steady_then_a_jump__follows_the_rfc(struct tcb_rig *r)
{
	struct oracle o = { 0 };

	for (unsigned n = 0; n < 200; n++) {
		const uint32_t rtt_us = n < 100 ? 30000 : 900000;

		rto_sample(&r->host, &r->tcb, rtt_us);
		oracle_sample(&o, rtt_us / 1e6);
		compare(r, &o);
	}
}

static void rto__no_sample__is_initial(struct tcb_rig *r)
{
	rto_arm(&r->host, &r->tcb);
	assert_int_equal(r->tcb.rto_ms, 1000);
	assert_int_equal(r->tcb.rtx_tick, r->host.ceil_ms + 1000);
	r->tcb.flags = TCB_SYN_RETRIED;
	rto_arm(&r->host, &r->tcb);
	assert_int_equal(r->tcb.rto_ms, 1000); /* not before the handshake is over */
	r->tcb.flags = TCB_SYN_RETRIED | TCB_ESTABLISHED;
	rto_arm(&r->host, &r->tcb);
	assert_int_equal(r->tcb.rto_ms, 3000);
}

static void rto__bounds(struct tcb_rig *r)
{
	r->config->rto_min_ms = 200;
	rto_sample(&r->host, &r->tcb, 10);
	rto_arm(&r->host, &r->tcb);
	assert_int_equal(r->tcb.rto_ms, 200);
	r->tcb.srtt_us = 0;
	rto_sample(&r->host, &r->tcb, 200000000);
	rto_arm(&r->host, &r->tcb);
	assert_int_equal(r->tcb.rto_ms, 120000);
	r->tcb.srtt_us = 0;
	rto_sample(&r->host, &r->tcb, 0); /* within the clock's grain */
	assert_int_equal(r->tcb.srtt_us, 1);
	for (unsigned n = 0; n < 100; n++)
		rto_sample(&r->host, &r->tcb, 0);
	assert_int_equal(r->tcb.srtt_us, 1); /* 0 would say: no sample */
	rto_sample(&r->host, &r->tcb, UINT32_MAX);
	rto_arm(&r->host, &r->tcb);
	assert_int_equal(r->tcb.rto_ms, 120000);
}

static void rto__back_off__doubles_to_the_limit(struct tcb_rig *r)
{
	r->config->rto_min_ms = 200;
	rto_sample(&r->host, &r->tcb, 100000); /* 300 ms */
	rto_arm(&r->host, &r->tcb);
	for (uint32_t want = 300; want < 120000; want *= 2) {
		assert_int_equal(r->tcb.rto_ms, want);
		assert_int_equal(r->tcb.rtx_tick, r->host.ceil_ms + want);
		rto_backoff(&r->host, &r->tcb);
	}
	for (unsigned n = 0; n < 300; n++) {
		assert_int_equal(r->tcb.rto_ms, 120000);
		rto_backoff(&r->host, &r->tcb);
	}
	assert_int_equal(r->tcb.backoff, UINT8_MAX);
}

/* A sample is of the segment that was timed, whatever comes in between, on any wrap of the clock. */
static void rto__sample__is_of_the_timed_segment(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.srtt_us = 0;
	rig_write(r, 100);
	rig_clock(r, 70000);
	rig_write(r, 2000);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 100, .flags = SEG_ACK });
	rig_counted(r, STAT_RTT_SAMPLES, 0);
	rig_clock(r, 7777);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 101, .flags = SEG_ACK });
	assert_int_equal(r->tcb.srtt_us, 77777);
	assert_int_equal(r->tcb.rttvar_us, 38888);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = r->tcb.snd_nxt, .flags = SEG_ACK });
	rig_counted(r, STAT_RTT_SAMPLES, 1);
}

static const struct tcb_row rows[] = {
	{ "RFC6298-2", rto__random_samples__follow_the_rfc, ROW_ONCE },
	{ "RFC6298-2.3", rto__steady_then_a_jump__follows_the_rfc, ROW_ONCE },
	{ "RFC6298-2.1", rto__no_sample__is_initial, ROW_ONCE },
	{ "RFC6298-2.4", rto__bounds, ROW_ONCE },
	{ "RFC6298-5.5", rto__back_off__doubles_to_the_limit, 0 },
	{ "RFC6298-3", rto__sample__is_of_the_timed_segment, 0 },
};
GROUP(rto);
