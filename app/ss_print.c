/* SPDX-License-Identifier: BSD-3-Clause */
/* An entry as a line of ss, and the summary of ss -s. Called by ss.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "instance.h"
#include "ss.h"
#include "ss_filter.h"

char *ss_time(uint64_t ms, char text[24])
{
	const uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(text, 24, "%" PRIu64 "ms", ms);
	else if (s < 10)
		snprintf(text, 24, "%.1fsec", (double)ms / 1e3);
	else if (s < 60)
		snprintf(text, 24, "%" PRIu64 "sec", s);
	else
		snprintf(text, 24, "%" PRIu64 "min%" PRIu64 "sec", s / 60, s % 60);
	return text;
}

/* ss knows no timer of FIN-WAIT-2 but TIME-WAIT's, and no other name for a retransmission's than on. */
static void print_timer(const struct ss_row *row)
{
	static const char *const names[] = {
		[HF_TIMER_RETRANSMIT] = "on",	   [HF_TIMER_PERSIST] = "persist",
		[HF_TIMER_DELACK] = "delack",	   [HF_TIMER_KEEPALIVE] = "keepalive",
		[HF_TIMER_USER] = "user",	   [HF_TIMER_FIN_WAIT_2] = "timewait",
		[HF_TIMER_TIME_WAIT] = "timewait",
	};
	char left[24];

	if (row->timer != HF_TIMER_NONE)
		printf(" timer:(%s,%s,%u)", names[row->timer], ss_time(row->timer_ms, left),
		       row->retransmits);
}

static void print_details(const json_t *e)
{
	const uint64_t mss = instance_number(e, "mss"), cwnd = instance_number(e, "cwnd");
	const uint64_t ssthresh = instance_number(e, "ssthresh");

	fputs("\n\t", stdout);
	if (instance_number(e, "timestamps"))
		fputs(" ts", stdout);
	if (instance_number(e, "sack"))
		fputs(" sack", stdout);
	if (instance_number(e, "window_scaling"))
		printf(" wscale:%" PRIu64 ",%" PRIu64, instance_number(e, "snd_wscale"),
		       instance_number(e, "rcv_wscale"));
	if (instance_number(e, "rto_ms"))
		printf(" rto:%" PRIu64, instance_number(e, "rto_ms"));
	if (instance_number(e, "srtt_us"))
		printf(" rtt:%.3f/%.3f", (double)instance_number(e, "srtt_us") / 1e3,
		       (double)instance_number(e, "rttvar_us") / 1e3);
	if (mss)
		printf(" mss:%" PRIu64, mss);
	if (mss && cwnd)
		printf(" cwnd:%" PRIu64, cwnd / mss);
	if (mss && ssthresh)
		printf(" ssthresh:%" PRIu64, ssthresh / mss);
	if (instance_number(e, "unacked"))
		printf(" unacked:%" PRIu64, instance_number(e, "unacked"));
	if (instance_number(e, "snd_wnd"))
		printf(" snd_wnd:%" PRIu64, instance_number(e, "snd_wnd"));
	if (instance_number(e, "rcv_wnd"))
		printf(" rcv_wnd:%" PRIu64, instance_number(e, "rcv_wnd"));
	if (instance_number(e, "soft_error"))
		printf(" err:%s", strerror((int)instance_number(e, "soft_error")));
}

void ss_print_header(const struct ss_columns *columns)
{
	printf("%-10s %-6s %-6s %26s %26s%s\n", "State", "Recv-Q", "Send-Q", "Local Address:Port",
	       "Peer Address:Port", columns->timer ? " Timer" : "");
}

void ss_print(const struct ss_row *row, const json_t *entry, const struct ss_columns *columns)
{
	const char *const anyone = row->peer.ip.version == 6 ? "[::]:*" : "0.0.0.0:*";
	char local[HF_ADDR_TEXT], peer[HF_ADDR_TEXT], age[24];

	hf_addr_format(&row->local, local);
	hf_addr_format(&row->peer, peer);
	printf("%-10s %-6u %-6u %26s %26s", ss_state_name(row->state), row->recv_q, row->send_q,
	       local, row->state == HF_LISTEN ? anyone : peer);
	if (columns->timer)
		print_timer(row);
	if (row->leak_ms)
		printf(" never-closed:(%s)", ss_time(row->leak_ms - 1, age));
	if (columns->details)
		print_details(entry);
	putchar('\n');
}

/* ---- Summary ------------------------------------------------------------------------------------- */

static void print_pool(const json_t *levels, const char *label, const char *name)
{
	static const char *const parts[] = { "used", "peak", "size", "refused" };
	char key[64];

	printf("%-13s", label);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(key, sizeof(key), "%s_%s", name, parts[i]);
		printf(" %10" PRIu64, instance_number(levels, key));
	}
	putchar('\n');
}

void ss_print_summary(const json_t *states, const json_t *levels, const json_t *counters)
{
	const uint64_t requests = instance_number(levels, "requests_used");
	const uint64_t connections = instance_number(levels, "connections_used");
	const uint64_t buckets = instance_number(levels, "buckets_used");

	printf("Total: %" PRIu64 "\n", requests + connections + buckets);
	printf("TCP:   %" PRIu64 " (estab %" PRIu64 ", synsent %" PRIu64 ", synrecv %" PRIu64
	       ", finwait %" PRIu64 ", closewait %" PRIu64 ", closing %" PRIu64 ", lastack %" PRIu64
	       ", orphaned %" PRIu64 ", timewait %" PRIu64 ")\n\n",
	       requests + connections + buckets, instance_number(states, "established_now"),
	       instance_number(states, "syn_sent_now"), instance_number(states, "syn_received_now"),
	       instance_number(states, "fin_wait_1_now") + instance_number(states, "fin_wait_2_now"),
	       instance_number(states, "close_wait_now"), instance_number(states, "closing_now"),
	       instance_number(states, "last_ack_now"), instance_number(levels, "orphans"),
	       instance_number(states, "time_wait_now"));
	printf("%-13s %10s %10s %10s %10s\n", "Pool", "used", "peak", "size", "refused");
	print_pool(levels, "connections", "connections");
	print_pool(levels, "half-opens", "requests");
	print_pool(levels, "2MSL records", "buckets");
	print_pool(levels, "ranges", "ranges");
	printf("\nTIME-WAIT: %" PRIu64 " entered = %" PRIu64 " expired + %" PRIu64
	       " reused + %" PRIu64 " evicted + %" PRIu64 " reset + %" PRIu64 " resident\n",
	       instance_number(counters, "tw_entered"), instance_number(counters, "tw_expired"),
	       instance_number(counters, "tw_reused_active") +
		       instance_number(counters, "tw_reused_passive"),
	       instance_number(counters, "tw_evicted"), instance_number(counters, "tw_reset"),
	       instance_number(states, "time_wait_now"));
}
