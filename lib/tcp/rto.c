/* SPDX-License-Identifier: BSD-3-Clause */
/* The retransmission timer (RFC 6298), in microseconds inside and milliseconds outside. */
#include "tcp/tcp.h"

#define GRANULARITY_US 1000 /* G of RFC 6298 2.3: one tick */

static uint32_t rto_bound(const struct tcp_host *host, uint64_t rto_ms)
{
	if (rto_ms < host->config.rto_min_ms)
		return host->config.rto_min_ms;
	if (rto_ms > host->config.rto_max_ms)
		return host->config.rto_max_ms;
	return (uint32_t)rto_ms;
}

static uint32_t rto_now(const struct tcp_host *host, const struct tcb *tcb)
{
	uint64_t spread = 4 * (uint64_t)tcb->rttvar_us;

	if (tcb->srtt_us == 0) {
		/* RFC 6298 2.1, and 5.7 once text flows after a SYN that had to be repeated */
		const bool after_syn =
			(tcb->flags & TCB_SYN_RETRIED) && (tcb->flags & TCB_ESTABLISHED);

		return rto_bound(host, after_syn ? 3 * (uint64_t)host->config.rto_initial_ms :
						   host->config.rto_initial_ms);
	}
	if (spread < GRANULARITY_US)
		spread = GRANULARITY_US;
	return rto_bound(host, (tcb->srtt_us + spread + 999) / 1000);
}

/* RFC 6298 2.2, 2.3. */
void rto_sample(const struct tcp_host *host, struct tcb *tcb, uint32_t rtt_us)
{
	const uint32_t sample = rtt_us > 0 ? rtt_us : 1;

	host->stats[STAT_RTT_SAMPLES]++;
	if (tcb->srtt_us == 0) {
		tcb->srtt_us = sample;
		tcb->rttvar_us = sample / 2;
		return;
	}
	const uint32_t apart = sample > tcb->srtt_us ? sample - tcb->srtt_us : tcb->srtt_us - sample;

	tcb->rttvar_us = (uint32_t)((3 * (uint64_t)tcb->rttvar_us + apart) / 4);
	tcb->srtt_us = (uint32_t)((7 * (uint64_t)tcb->srtt_us + sample) / 8); /* never 0 */
}

/* Start or restart the timer that runs, with as many doublings as have happened (5.1, 5.3, 5.5). */
void rto_arm(const struct tcp_host *host, struct tcb *tcb)
{
	uint64_t rto_ms = rto_now(host, tcb);

	for (uint8_t i = 0; i < tcb->backoff && rto_ms < host->config.rto_max_ms; i++)
		rto_ms *= 2;
	tcb->rto_ms = rto_bound(host, rto_ms);
	tcb->rtx_tick = tcp_after(host, tcb->rto_ms);
	tcb->timers &= (uint8_t) ~(TIMER_PTO | TIMER_REO);
}

void rto_backoff(struct tcp_host *host, struct tcb *tcb)
{
	if (tcb->backoff < UINT8_MAX)
		tcb_set_backoff(host, tcb, tcb->backoff + 1);
	rto_arm(host, tcb);
}
