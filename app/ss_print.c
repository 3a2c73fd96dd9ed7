/* SPDX-License-Identifier: BSD-3-Clause */
/* An entry as a line of ss, and the summary of ss -s. Called by ss.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

static const char *short_state(const char *state)
{
	for (unsigned i = 0; i < HF_STATES; i++)
		if (strcasecmp(hf_state_name((enum hf_state)i), state) == 0)
			return ss_state_name((enum hf_state)i);
	return state;
}

/* ss knows no timer of FIN-WAIT-2 but TIME-WAIT's, and no other name for a retransmission's than on. */
static const char *timer_name(const char *timer)
{
	static const char *const names[][2] = { { "retransmit", "on" }, { "finwait2", "timewait" } };

	for (unsigned i = 0; i < 2; i++)
		if (strcmp(names[i][0], timer) == 0)
			return names[i][1];
	return timer;
}

static void print_timer(const json_t *e)
{
	const char *const timer = instance_text(e, "timer");
	const bool keepalive = strcmp(timer, "keepalive") == 0;
	char left[24];

	if (*timer)
		printf(" timer:(%s,%s,%" PRIu64 ")", timer_name(timer),
		       ss_time(instance_number(e, "timer_ms"), left),
		       instance_number(e, keepalive ? "keepalive_probes" : "retransmits"));
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

void ss_print(const json_t *e, const struct ss_columns *columns)
{
	const char *const state = instance_text(e, "state");
	const bool listens = strcmp(state, "LISTEN") == 0;
	char peer[HF_ADDR_TEXT + 2], age[24];

	/* a listener's queues are, as with ss, those who wait for accept and who wait to get there */
	snprintf(peer, sizeof(peer), "%s%s", instance_text(e, "peer"), listens ? ":*" : "");
	printf("%-10s %-6" PRIu64 " %-6" PRIu64 " %26s %26s", short_state(state),
	       instance_number(e, listens ? "waiting" : "recv_q"),
	       instance_number(e, listens ? "half_open" : "send_q"), instance_text(e, "local"), peer);
	if (columns->timer)
		print_timer(e);
	if (strcmp(state, "CLOSE-WAIT") == 0 && !instance_number(e, "closed") &&
	    !instance_number(e, "shut"))
		printf(" never-closed:(%s)", ss_time(instance_number(e, "eof_ms"), age));
	if (columns->details)
		print_details(e);
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
