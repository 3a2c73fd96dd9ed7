/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers, their addresses and their sizes (tuple arithmetic); called by run.c, doctor.c and main.c. */
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "device.h"
#include "impair.h"
#include "recorded.h"
#include "threshold.h"

#define DURATION_US 5000000   /* of a run that says neither --duration nor --count */
#define SPARE_MB 48	      /* what EAL wants for itself */
#define MBUFS_MOST (1u << 24) /* of an end */

unsigned plan_cores(const struct settings *s)
{
	cpu_set_t set;

	if (s->cores[0])
		return (unsigned)cores_count(s->cores);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

static uint32_t power_of_two(uint64_t least)
{
	uint32_t n = 1;

	while (n < least && n < 1u << 31)
		n <<= 1;
	return n;
}

uint64_t plan_text_frames(const struct settings *s)
{
	const uint32_t segment =
		s->mtu < 1500 ? 1400 : s->mtu - 100u; /* text that an mbuf surely carries */
	const uint32_t longest = s->request > s->response ? s->request : s->response;
	const uint32_t held = longest < s->tcp.snd_buf && !s->root[0] ? longest : s->tcp.snd_buf;

	switch (s->app) {
	case APP_NONE:
		return 0;
	case APP_RR:
	case APP_HTTP:
		return 1 + held / segment;
	case APP_ECHO:
	case APP_DISCARD:
	case APP_CHARGEN:
		break;
	}
	return 1 + s->tcp.snd_buf / segment;
}

static enum closing settle_close(const struct settings *s, enum command command)
{
	const enum closing us = command == COMMAND_LOAD ? CLOSE_CLIENT : CLOSE_SERVER;
	const enum closing peer = command == COMMAND_LOAD ? CLOSE_SERVER : CLOSE_CLIENT;
	const enum closing one[] = {
		[ONE_AUTO] = CLOSE_AUTO, [ONE_US] = us,		[ONE_PEER] = peer,
		[ONE_BOTH] = CLOSE_BOTH, [ONE_RST] = CLOSE_RST, [ONE_HALF] = CLOSE_HALF,
		[ONE_HOLD] = CLOSE_HOLD,
	};
	enum closing close = s->close;

	if (command == COMMAND_LOAD || command == COMMAND_SERVE)
		close = one[s->one_close];
	if (close != CLOSE_AUTO)
		return close;
	return s->app == APP_RR || s->app == APP_HTTP ? CLOSE_SERVER : CLOSE_CLIENT;
}

/* @param us  the end that does what is not both ends' to do: reset, half-close */
static enum ending ending(enum closing close, enum side side, enum side us)
{
	switch (close) {
	case CLOSE_AUTO:
	case CLOSE_CLIENT:
		return side == CLIENT ? END_FIRST : END_AFTER;
	case CLOSE_SERVER:
		return side == SERVER ? END_FIRST : END_AFTER;
	case CLOSE_BOTH:
		return END_TOGETHER;
	case CLOSE_RST:
		return side == us ? END_RST : END_AFTER;
	case CLOSE_HALF:
		return side == us ? END_HALF : END_AFTER;
	case CLOSE_HOLD:
		break;
	}
	return END_HOLD;
}

/* What is in flight fits the rings: a frame dropped costs its connection an RTO. */
static int plan_frames(const struct settings *s, struct plan *plan, struct hf_error *why)
{
	const uint64_t each =
		plan_share(plan->concurrency, 0, plan->pairs) * (4 + plan_text_frames(s));
	uint64_t mbufs, held = 0;

	plan->ring = s->ring ? s->ring :
			       power_of_two(each < 512	 ? 512 :
					    each > 32768 ? 32768 :
							   each);
	mbufs = ((uint64_t)plan->ring + 1024) * plan->pairs +
		plan->concurrency * (1 + plan_text_frames(s));
	if (plan->impaired) /* of each side, and held both ways by one */
		held = (uint64_t)impair_frames(&plan->impair) * plan->pairs;
	plan->mbufs = (uint32_t)(mbufs + held);
	if (mbufs + held <= MBUFS_MOST)
		return 0;
	if (plan->impair.hold && held > mbufs)
		snprintf(why->text, sizeof(why->text),
			 "--impair hold=%u needs %" PRIu64 " mbufs; lower it", plan->impair.hold,
			 mbufs + held);
	else
		snprintf(why->text, sizeof(why->text),
			 "--concurrency %u with texts of that length needs %" PRIu64
			 " mbufs; lower one of them",
			 plan->concurrency, mbufs + held);
	return -EINVAL;
}

static int plan_pair(const struct settings *s, unsigned cores, struct plan *plan, struct hf_error *why)
{
	const struct hf_ip_range *client = s->ipv6 ? &s->client6 : &s->client;
	const uint32_t ports = (uint32_t)(s->client_ports.last - s->client_ports.first) + 1;

	if (s->app == APP_ECHO) {
		snprintf(why->text, sizeof(why->text),
			 "--app: pair has none, rr, http, discard and chargen");
		return -EINVAL;
	}
	if (s->layout == LAYOUT_SPLIT && cores < 2) {
		snprintf(why->text, sizeof(why->text),
			 "--layout split needs two cores and there is one; use --layout local");
		return -EINVAL;
	}
	plan->split = s->layout != LAYOUT_LOCAL && cores >= 2;
	plan->pairs = plan->split ? cores / 2 : cores;
	plan->cores = plan->split ? 2 * plan->pairs : cores;
	if (client->count < plan->pairs) {
		snprintf(why->text, sizeof(why->text),
			 "pair.client%s: %u addresses for %u client workers; give one each, or fewer --cores",
			 s->ipv6 ? "6" : "", client->count, plan->pairs);
		return -EINVAL;
	}
	if (plan_share(client->count, 0, plan->pairs) > PLAN_ADDRESSES_MAX) {
		snprintf(why->text, sizeof(why->text),
			 "pair.client%s: %u addresses for %u client workers; at most %u each",
			 s->ipv6 ? "6" : "", client->count, plan->pairs, PLAN_ADDRESSES_MAX);
		return -EINVAL;
	}
	plan->exact = true;
	plan->idle = s->idle == IDLE_SLEEP ? HF_IDLE_SLEEP : HF_IDLE_SPIN;
	plan->duration_us = s->duration_us ? s->duration_us :
			    plan->counted  ? UINT64_MAX :
					     DURATION_US;
	plan->concurrency = s->concurrency ? s->concurrency : (s->rate ? 2048 : 512) * plan->pairs;
	plan->openers = plan->pairs;
	if (plan->openers > plan->concurrency)
		plan->openers = plan->concurrency;
	if (s->rate && plan->openers > s->rate)
		plan->openers = (unsigned)s->rate;
	plan->addresses = client->count;
	plan->tuples = (uint64_t)client->count * ports;
	if (plan_frames(s, plan, why) < 0)
		return -EINVAL;
	plan->memory_mb = (uint32_t)((SIDES * (uint64_t)plan->mbufs * plan_mbuf_octets(s) +
				      SIDES * (uint64_t)plan->pairs * plan->ring * 16) >>
				     20) +
			  SPARE_MB;
	return 0;
}

enum command plan_command_for(struct settings *s)
{
	if (!s->dev[0])
		return COMMAND_PAIR;
	if (s->target.count)
		return COMMAND_LOAD;
	if (!s->listen.count && s->addr.count) {
		s->listen.count = 1;
		s->listen.at[0] = s->addr.at[0];
		s->listen.at[0].range.count = 1;
		s->listen.at[0].length = 0;
		s->listen.at[0].port = s->listen.at[0].port_last = 80;
	}
	return COMMAND_SERVE;
}

/* What hf_worker_create would refuse, in the words of the settings. */
static int plan_pools(const struct settings *s, const struct plan *plan, struct hf_error *why)
{
	struct hf_config config;

	for (unsigned i = 0; i < plan->pairs; i++) {
		for (enum side side = CLIENT; side <= SERVER; side++) {
			if (!plan_has(plan, side))
				continue;
			plan_worker(s, plan, side, i, &config);
			if (hf_config_pools(&config) <= HF_POOLS_MAX)
				continue;
			snprintf(why->text, sizeof(why->text),
				 "tcp.max_tw_buckets and --concurrency come to more than the 16 GiB of records that one worker reaches; lower one of them, or give more --cores");
			return -EINVAL;
		}
	}
	return 0;
}

int plan_make(const struct settings *s, enum command command, unsigned cores, struct plan *plan,
	      struct hf_error *why)
{
	const enum side us = command == COMMAND_SERVE ? SERVER : CLIENT;
	int rc;

	memset(plan, 0, sizeof(*plan));
	plan->command = command;
	plan->close = settle_close(s, command);
	plan->close_auto =
		command == COMMAND_PAIR ? s->close == CLOSE_AUTO : s->one_close == ONE_AUTO;
	for (enum side side = CLIENT; side <= SERVER; side++)
		plan->ending[side] = ending(plan->close, side, us);
	plan->counted = s->count && ((s->app != APP_DISCARD && s->app != APP_CHARGEN) ||
				     plan->ending[CLIENT] == END_AFTER);
	plan->impaired = s->impair[0] != '\0';
	if (s->app != APP_HTTP && (s->root[0] || s->requests != 1)) {
		snprintf(why->text, sizeof(why->text), "%s",
			 s->root[0] ? "--root: only --app http has files" :
				      "--requests: only --app http has several");
		return -EINVAL;
	}
	if (impair_parse(s->impair, &plan->impair, why) < 0 || threshold_check(s->threshold, why) < 0)
		return -EINVAL;
	rc = command == COMMAND_PAIR ? plan_pair(s, cores, plan, why) : plan_one(s, cores, plan, why);
	return rc == 0 ? plan_pools(s, plan, why) : rc;
}

struct hf_ip plan_address(const struct hf_ip_range *range, uint32_t offset)
{
	struct hf_ip ip = range->first;

	for (int i = (ip.version == 6 ? 16 : 4) - 1; i >= 0 && offset; i--) {
		offset += ip.octets[i];
		ip.octets[i] = (uint8_t)offset;
		offset >>= 8;
	}
	return ip;
}

void plan_common(const struct settings *s, struct hf_config *config)
{
	hf_config_defaults(config);
	config->tcp = s->tcp;
	config->tcp.keepalive_ms = s->keepalive ? s->keepalive_time_ms : 0;
	config->ipv4 = config->ipv6 = (struct hf_sizes){ .connections = 0 };
	config->mtu = s->mtu;
	config->ttl = s->ttl;
	config->accept_reserved = s->accept_reserved;
	config->port_first = s->client_ports.first;
	config->port_last = s->client_ports.last;
	recorded_config(s, config);
}

void plan_worker(const struct settings *s, const struct plan *plan, enum side side, unsigned i,
		 struct hf_config *config)
{
	static const uint8_t mac[SIDES][6] = { { 2, 0x68, 0x66, 0, 0, 1 },
					       { 2, 0x68, 0x66, 0, 0, 2 } };
	const struct hf_ip_range *client = s->ipv6 ? &s->client6 : &s->client;
	const uint32_t mine = (uint32_t)plan_share(client->count, i, plan->pairs);
	const uint32_t in_flight = (uint32_t)plan_share(plan->concurrency, i, plan->pairs);
	const bool waits = plan->close == CLOSE_BOTH ||
			   plan->close == (side == CLIENT ? CLOSE_CLIENT : CLOSE_SERVER);
	struct hf_sizes *sizes;
	uint32_t before = 0;

	if (plan->command != COMMAND_PAIR) {
		plan_one_worker(s, plan, i, config);
		config->impair = plan->impaired ? &plan->impair : NULL;
		return;
	}
	plan_common(s, config);
	config->listeners = 4;
	memcpy(config->mac, mac[side], sizeof(config->mac));
	memcpy(config->gateway_mac, mac[!side], sizeof(config->gateway_mac));

	for (unsigned k = 0; k < i; k++)
		before += (uint32_t)plan_share(client->count, k, plan->pairs);
	config->locals = 1;
	if (side == CLIENT) {
		config->local[0] = (struct hf_ip_range){ plan_address(client, before), mine };
		config->port_lists = mine;
		config->impair = plan->impaired ? &plan->impair : NULL;
	} else {
		config->local[0] = s->ipv6 ? s->server6 : s->server;
		config->port_lists = 1;
	}
	/* The server still waits for last ACKs when the client already opens anew. */
	sizes = s->ipv6 ? &config->ipv6 : &config->ipv4;
	sizes->connections = 2 * in_flight + 256;
	sizes->requests = side == SERVER ? 2 * in_flight + 256 : 64;
	/* Buckets go by tuples, so that no worker has fewer than its tuples when the whole has enough. */
	sizes->buckets = waits ? (uint32_t)(((uint64_t)s->max_tw_buckets * mine + client->count - 1) /
					    client->count) :
				 2 * in_flight + 256;
	config->ranges = (uint32_t)(in_flight * 2ull * (1 + plan_text_frames(s))) + 1024;
}

uint64_t plan_memory(const struct settings *s, const struct plan *plan)
{
	struct hf_config config;
	uint64_t octets = 0;

	for (unsigned i = 0; i < plan->pairs; i++) {
		for (enum side side = CLIENT; side <= SERVER; side++) {
			if (!plan_has(plan, side))
				continue;
			plan_worker(s, plan, side, i, &config);
			octets += hf_config_memory(&config);
		}
	}
	return octets;
}

/* Whether DPDK finds hugepages for its part, as io/env.c looks for them: what is available leaves these out. */
static bool in_hugepages(uint32_t memory_mb)
{
	return 2 * kernel_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "") >=
		       memory_mb ||
	       1024 * kernel_number("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages",
				    "") >=
		       memory_mb;
}

int plan_fits_machine(const struct settings *s, const struct plan *plan, struct hf_error *why)
{
	const uint64_t tables_mb = plan_memory(s, plan) >> 20;
	const uint64_t small_mb = tables_mb + (in_hugepages(plan->memory_mb) ? 0 : plan->memory_mb);
	const uint64_t free_kb = kernel_number("/proc/meminfo", "MemAvailable:");
	const bool fits = free_kb == 0 || small_mb <= free_kb >> 10;

	snprintf(why->text, sizeof(why->text),
		 "%" PRIu64 " MiB of tables and mbufs wanted, %" PRIu64 " MiB available%s",
		 tables_mb + plan->memory_mb, free_kb >> 10,
		 fits ? "" : "; lower tcp.max_tw_buckets or --concurrency");
	return fits ? 0 : -ENOMEM;
}
