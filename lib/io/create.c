/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker comes and goes: its configuration is judged, its memory laid out in one piece and touched,
 * its secrets drawn. Nothing is allocated after that. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "io/memory.h"
#include "io/recorder.h"
#include "io/watch.h"
#include "io/why.h"
#include "tcp/flight.h"
#include "tcp/open.h"

#define LINE 64

/* ---- Is it sound? -------------------------------------------------------------------------------- */

struct bound {
	const char *name;
	uint32_t value, least, most;
};

static int check_bounds(const struct bound *bounds, size_t n, struct hf_error *why)
{
	for (size_t i = 0; i < n; i++)
		if (bounds[i].value < bounds[i].least || bounds[i].value > bounds[i].most)
			return why_say(why, -EINVAL, "%s is %u: give %u to %u", bounds[i].name,
				       bounds[i].value, bounds[i].least, bounds[i].most);
	return 0;
}

/* REQUIREMENTS 24. */
static int check_tcp(const struct hf_tcp_config *t, struct hf_error *why)
{
	const struct bound bounds[] = {
		{ "tw_len", t->tw_len_ms, 1000, 240000 },
		{ "tw_reuse", t->tw_reuse, 0, 2 },
		{ "tw_reuse_delay", t->tw_reuse_delay_ms, 1, 60000 },
		{ "fin_timeout", t->fin_timeout_ms, 1000, 600000 },
		{ "syn_retries", t->syn_retries, 0, 127 },
		{ "synack_retries", t->synack_retries, 0, 127 },
		{ "retries1", t->retries1, 1, 255 },
		{ "retries2", t->retries2, 1, 255 },
		{ "orphan_retries", t->orphan_retries, 0, 255 },
		{ "syncookies", t->syncookies, 0, 2 },
		{ "invalid_ratelimit", t->invalid_ratelimit_ms, 0, 10000 },
		{ "rto_initial", t->rto_initial_ms, 1, 120000 },
		{ "rto_min", t->rto_min_ms, 1, t->rto_max_ms },
		{ "rto_max", t->rto_max_ms, 1000, 600000 },
		{ "keepalive", t->keepalive_ms, 0, INT32_MAX }, /* ticks lie on a circle of 2^32 */
		{ "keepalive_interval", t->keepalive_interval_ms, 1, INT32_MAX },
		{ "keepalive_probes", t->keepalive_probes, 1, 127 },
		{ "user_timeout", t->user_timeout_ms, 0, INT32_MAX },
		{ "delack", t->delack_ms, 0, 499 },
		{ "min_snd_mss", t->min_snd_mss, 48, 536 },
		{ "pmtu_floor", t->pmtu_floor, 68, 1500 },
		{ "ecn", t->ecn, 0, 2 },
		{ "abc_limit", t->abc_limit, 0, UINT8_MAX },
		{ "tw_overflow", t->tw_overflow, HF_TW_EVICT, HF_TW_KILL },
		{ "ooo_segs", t->ooo_segs, 0, 1024 },
		{ "rcv_buf", t->rcv_buf, 1024, 1u << 30 },
		{ "snd_buf", t->snd_buf, 1024, 1u << 30 },
	};

	return check_bounds(bounds, sizeof(bounds) / sizeof(bounds[0]), why);
}

/* Gateways need to know what they are not for. */
static int check_routes(const struct hf_config *c, struct hf_error *why)
{
	for (unsigned i = 0; i < 2; i++)
		if (c->gateway[i].version != 0 && c->gateway[i].version != (i == 0 ? 4 : 6))
			return why_say(why, -EINVAL, "gateway[%u] is no IPv%u address", i,
				       i == 0 ? 4 : 6);
	for (uint32_t i = 0; i < c->locals; i++) {
		const bool v6 = c->local[i].first.version == 6;

		if (c->local_prefix[i] > (v6 ? 128 : 32))
			return why_say(why, -EINVAL, "local_prefix[%u] is %u: give 0 to %u", i,
				       c->local_prefix[i], v6 ? 128 : 32);
		if (c->local_prefix[i] == 0 && c->gateway[v6].version != 0)
			return why_say(
				why, -EINVAL,
				"local_prefix[%u] is 0: with a gateway, say what is on the link", i);
	}
	return 0;
}

static uint64_t records_octets(const struct hf_sizes *s, uint8_t version)
{
	return RECORD_OCTETS(version, sizeof(struct request)) * s->requests +
	       RECORD_OCTETS(version, sizeof(struct connection)) * s->connections +
	       RECORD_OCTETS(version, sizeof(struct timewait)) * s->buckets;
}

static_assert(HF_POOLS_MAX == POOLS_MAX - 6ul * LINE, "each pool begins with a line of its own");
uint64_t hf_config_pools(const struct hf_config *config)
{
	return records_octets(&config->ipv4, 4) + records_octets(&config->ipv6, 6);
}

static int check_config(const struct hf_config *c, const struct hf_port *port, struct hf_error *why)
{
	const struct bound bounds[] = {
		{ "ipv4.connections", c->ipv4.connections, 0, 1u << 28 },
		{ "ipv4.requests", c->ipv4.requests, 0, 1u << 28 },
		{ "ipv4.buckets", c->ipv4.buckets, 0, 1u << 28 },
		{ "ipv6.connections", c->ipv6.connections, 0, 1u << 28 },
		{ "ipv6.requests", c->ipv6.requests, 0, 1u << 28 },
		{ "ipv6.buckets", c->ipv6.buckets, 0, 1u << 28 },
		{ "locals", c->locals, 1, HF_MAX_RANGES },
		{ "port_first", c->port_first, 1, c->port_last },
		{ "port_lists", c->port_lists, 1, 32768 },
		{ "listeners", c->listeners, 1, LISTEN_MAX },
		{ "ranges", c->ranges, 2, 1u << 28 }, /* one is kept for text out of order */
		{ "flights", c->flights, 0, 1u << 24 },
		{ "neighbours", c->neighbours, 2, NEIGH_MAX },
		{ "vlan", c->vlan, 0, 4094 },
		{ "mtu", c->mtu, c->ipv6.connections ? 1280 : 576, HF_MTU_MAX },
		{ "ttl", c->ttl, 1, 255 },
		{ "record", c->record, 0, 1u << 24 },
	};
	const int rc = check_bounds(bounds, sizeof(bounds) / sizeof(bounds[0]), why);

	if (rc != 0 || check_tcp(&c->tcp, why) != 0 ||
	    (c->impair != NULL && impair_judge(c->impair, why) != 0))
		return -EINVAL;
	if (hf_config_pools(c) > HF_POOLS_MAX)
		return why_say(
			why, -EINVAL,
			"ipv4 and ipv6 come to more than 16 GiB of records: spread them over more workers");
	if (c->mtu > port->mtu)
		return why_say(why, -EINVAL, "mtu is %u: the device carries %u at most", c->mtu,
			       port->mtu);
	if (c->seed.seeded && !port->seedable)
		return why_say(
			why, -EINVAL,
			"seed is given: only the memory port and net_pcap take secrets from one");
	if (c->seed.iss_fixed && !c->seed.seeded)
		return why_say(why, -EINVAL, "seed.iss_fixed is set: it needs seed.seeded");
	return check_routes(c, why);
}

/* ---- Memory in one piece ---------------------------------------------------------------------------- */

struct arena {
	char *base; /* NULL: only count */
	size_t used;
};

static void *arena_take(struct arena *a, size_t octets)
{
	const size_t at = a->used;

	a->used += (octets + LINE - 1) / LINE * LINE;
	return a->base != NULL ? a->base + at : NULL;
}

static void lay_pool(struct hf_worker *w, struct arena *a, enum handle_kind kind, uint8_t version,
		     size_t body, uint32_t size)
{
	void *const memory = arena_take(a, RECORD_OCTETS(version, body) * size);

	if (w != NULL)
		pool_init(&w->pools, kind, version, memory, body, size);
}

static void lay_pools(struct hf_worker *w, struct arena *a, const struct hf_config *c)
{
	if (w != NULL)
		pools_init(&w->pools, arena_take(a, 0));
	lay_pool(w, a, KIND_REQUEST, 4, sizeof(struct request), c->ipv4.requests);
	lay_pool(w, a, KIND_CONNECTION, 4, sizeof(struct connection), c->ipv4.connections);
	lay_pool(w, a, KIND_BUCKET, 4, sizeof(struct timewait), c->ipv4.buckets);
	lay_pool(w, a, KIND_REQUEST, 6, sizeof(struct request), c->ipv6.requests);
	lay_pool(w, a, KIND_CONNECTION, 6, sizeof(struct connection), c->ipv6.connections);
	lay_pool(w, a, KIND_BUCKET, 6, sizeof(struct timewait), c->ipv6.buckets);
}

static void lay_wheel(struct hf_worker *w, struct arena *a, struct wheel *wheel, uint32_t size)
{
	const unsigned bits = size > 0 ? WHEEL_BITS : WHEEL_BITS_MIN;
	void *const memory = arena_take(a, wheel_memory(bits));

	if (w != NULL)
		wheel_init(wheel, memory, bits, &w->pools, w->config.clock_start_ms);
}

static void lay_ranges(struct hf_worker *w, struct arena *a, uint32_t n)
{
	struct range *const at = arena_take(a, n * sizeof(*at));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	struct rte_mbuf **const buffer = arena_take(a, n * sizeof(*buffer));

	if (w == NULL)
		return;
	for (uint32_t i = 0; i < n; i++)
		at[i].next = i + 1 < n ? i + 1 : RANGE_NONE;
	w->host.ranges = (struct ranges){ .at = at, .spare = RANGE_NONE, .done = RANGE_NONE };
	w->buffer = buffer;
	w->range_free = 0;
}

static void lay_flights(struct hf_worker *w, struct arena *a, uint32_t n)
{
	struct flight *const at = arena_take(a, n * sizeof(*at));

	if (w != NULL)
		flights_init(&w->host.flights, at, n);
}

static void lay_neighbours(struct hf_worker *w, struct arena *a, uint32_t n)
{
	void *const memory = arena_take(a, neigh_memory(n));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	struct rte_mbuf **const waiting = arena_take(a, n * sizeof(*waiting) * NEIGH_WAITING);

	if (w == NULL)
		return;
	neigh_init(&w->neighbours, memory, n, w->secrets.table);
	w->waiting = waiting;
	for (unsigned i = 0; i < 2; i++) {
		const struct hf_ip *const ip = &w->config.gateway[i];
		uint32_t address[4];

		memcpy(address, ip->octets, 16);
		if (ip->version != 0)
			neigh_add(&w->neighbours, ip->version, address, true);
	}
}

static void lay_impair(struct hf_worker *w, struct arena *a, const struct hf_impair *config)
{
	struct impair *const impair = arena_take(a, sizeof(*impair));
	struct waiting *heaps[2];

	for (unsigned i = 0; i < 2; i++)
		heaps[i] = arena_take(a, impair_hold(config) * sizeof(struct waiting));
	if (w == NULL)
		return;
	impair_init(impair, config, heaps);
	w->impair = impair;
	w->config.impair = &impair->config;
}

static uint32_t flow_capacity(const struct hf_config *c)
{
	return c->ipv4.connections + c->ipv4.requests + c->ipv4.buckets + c->ipv6.connections +
	       c->ipv6.requests + c->ipv6.buckets;
}

/* Once to count (w is NULL), once for real. */
static void lay_out(struct hf_worker *w, struct arena *a, const struct hf_config *c)
{
	const uint32_t requests = c->ipv4.requests + c->ipv6.requests;
	void *memory;

	lay_pools(w, a, c);
	memory = arena_take(a, flow_memory(flow_capacity(c)));
	if (w != NULL)
		flow_init(&w->flows, memory, flow_capacity(c), &w->pools);
	lay_wheel(w, a, w ? &w->timers : NULL, 1);
	lay_wheel(w, a, w ? &w->waits[0] : NULL, c->ipv4.buckets);
	lay_wheel(w, a, w ? &w->waits[1] : NULL, c->ipv6.buckets);
	memory = arena_take(a, listen_memory(c->listeners));
	if (w != NULL)
		listen_init(&w->listeners, memory, c->listeners);
	memory = arena_take(a, ports_memory(c->port_lists, c->port_first, c->port_last));
	if (w != NULL)
		ports_init(&w->ports, memory, c->port_lists, c->port_first, c->port_last,
			   &w->secrets);
	memory = arena_take(a, cookies_memory(requests));
	if (w != NULL)
		cookies_init(&w->cookies, memory, requests);
	lay_ranges(w, a, c->ranges);
	lay_flights(w, a, c->flights);
	lay_neighbours(w, a, c->neighbours);
	memory = arena_take(a, ask_memory());
	if (w != NULL)
		ask_init(w, memory);
	memory = arena_take(a, recorder_memory(c->record));
	if (w != NULL)
		recorder_init(w, memory);
	if (c->impair != NULL)
		lay_impair(w, a, c->impair);
}

uint64_t hf_config_memory(const struct hf_config *config)
{
	struct arena a = { 0 };

	lay_out(NULL, &a, config);
	return sizeof(struct hf_worker) + a.used;
}

/* ---- Parts ------------------------------------------------------------------------------------------- */

static int draw_secrets(struct hf_worker *w)
{
	uint8_t random[SECRETS_OCTETS];

	if (w->steer != NULL && !w->config.seed.seeded) {
		w->secrets = w->steer->secrets;
		return 0;
	}
	if (w->config.seed.seeded) {
		secrets_seed(&w->secrets, w->config.seed.seed);
		w->secrets.iss_fixed = w->config.seed.iss_fixed;
		w->secrets.iss_value = w->config.seed.iss;
		return 0;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	secrets_fill(&w->secrets, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
	return 0;
}

static void set_host(struct hf_worker *w)
{
	const struct hf_tcp_config *const t = &w->config.tcp;

	w->host.stats = w->stats;
	w->host.config = (struct tcp_config){
		.tw_len_ms = t->tw_len_ms,
		.fin_timeout_ms = t->fin_timeout_ms,
		.invalid_ratelimit_ms = t->invalid_ratelimit_ms,
		.delack_ms = t->delack_ms,
		.rto_initial_ms = t->rto_initial_ms,
		.rto_min_ms = t->rto_min_ms,
		.rto_max_ms = t->rto_max_ms,
		.rcv_buf = t->rcv_buf,
		.snd_buf = t->snd_buf,
		.mss = { (uint16_t)(w->config.mtu - 40), (uint16_t)(w->config.mtu - 60) },
		.min_snd_mss = (uint16_t)t->min_snd_mss,
		.pmtu_floor = (uint16_t)t->pmtu_floor,
		.syn_retries = (uint8_t)t->syn_retries,
		.synack_retries = (uint8_t)t->synack_retries,
		.retries1 = (uint8_t)t->retries1,
		.retries2 = (uint8_t)t->retries2,
		.orphan_retries = (uint8_t)t->orphan_retries,
		.rcv_wscale = window_scale_for(t->rcv_buf),
		.syn_mss = t->mss_option ? OPT_MSS : 0,
		.abc_limit = (uint8_t)t->abc_limit,
		.ecn = (uint8_t)t->ecn,
		.ooo_segs = (uint16_t)t->ooo_segs,
		.keepalive_ms = t->keepalive_ms,
		.keepalive_interval_ms = t->keepalive_interval_ms,
		.keepalive_probes = (uint8_t)t->keepalive_probes,
		.max_shut = t->max_shut_windows,
		.user_timeout_ms = t->user_timeout_ms,
		.timestamps = t->timestamps,
		.window_scaling = t->window_scaling,
		.sack = t->sack,
		.ts_lenient = t->ts_lenient,
		.nagle = t->nagle,
		.cubic = t->cubic,
		.rack = t->rack,
		.rfc1337 = t->rfc1337,
		.tw_accept_ts_new = t->tw_accept_ts_new,
	};
	budget_init(&w->rst_budget, t->rst_budget, w->secrets.cookie[0], 0);
	budget_init(&w->icmp_budget, t->icmp_budget, w->secrets.cookie[0], 1);
	budget_init(&w->arp_budget, t->arp_budget, w->secrets.cookie[0], 2);
}

static int set_wire(struct hf_worker *w, struct hf_error *why)
{
	static const uint8_t no_mac[6];
	const struct hf_config *const c = &w->config;

	memcpy(w->link.src_mac, memcmp(c->mac, no_mac, 6) ? c->mac : w->port->mac, 6);
	port_station(w->port, w->link.src_mac);
	memcpy(w->link.dst_mac, c->gateway_mac, 6);
	w->link.l3 = w->port->l3;
	w->link.ttl = c->ttl;
	w->link.vlan = w->wire.vlan = c->vlan;
	w->resolves = !w->link.l3 && memcmp(c->gateway_mac, no_mac, 6) == 0;
	memcpy(w->wire.mac, w->link.src_mac, 6);
	w->wire.l3 = w->port->l3;
	w->wire.accept_reserved = c->accept_reserved;
	w->link.usual = w->wire.usual = c->vlan == 0 && !w->port->l3 && !c->long_way;
	/* a sum made by the device would cover what hf_impair has corrupted */
	w->tx_full = TX_QUEUE;
	w->offload = w->port->tx_csum && !c->impair ? WIRE_OFFLOAD_IP | WIRE_OFFLOAD_L4 : 0;
	w->host.config.tso_max = w->port->tso && !c->impair ? TSO_MAX : 0;
	for (uint32_t i = 0; i < c->locals; i++) {
		const struct hf_ip_range *const range = &c->local[i];

		if ((range->first.version != 4 && range->first.version != 6) || range->count == 0 ||
		    !wire_config_range(&w->wire, range->first.version, range->first.octets,
				       range->count, c->local_prefix[i]))
			return why_say(
				why, -EINVAL,
				"local[%u]: give an IPv4 or IPv6 address and how many follow it", i);
		if (range->first.version == 6 && !w->link.l3)
			port_groups(w->port);
		if (range->count > UINT32_MAX - w->local_count)
			return why_say(why, -EINVAL,
				       "local[%u]: with it there are more than %u addresses", i,
				       UINT32_MAX);
		w->local_count += range->count;
	}
	return 0;
}

/* The worker itself holds secrets and, its budgets and neighbours, what was made of them. */
static void give_back(struct hf_worker *w)
{
	const uint64_t octets = w->memory_octets;

	explicit_bzero(w, sizeof(*w));
	memory_give(w, octets);
}

int hf_worker_create(const struct hf_config *config, struct hf_port *port,
		     struct hf_worker **worker, struct hf_error *why)
{
	const uint64_t octets = hf_config_memory(config);
	struct hf_worker *w;
	struct arena a;
	int rc = check_config(config, port, why);

	if (rc != 0)
		return rc;
	w = memory_take(octets);
	if (w == NULL)
		return why_say(why, -ENOMEM,
			       "%lu MiB for tables and pools are not to be had: lower the sizes",
			       (unsigned long)(octets >> 20));
	w->config = *config;
	w->port = port;
	w->steer = port->steer;
	w->memory_octets = octets;
	poison_unwatch(w->stats, sizeof(w->stats));
	poison_unwatch(w->host.levels, sizeof(w->host.levels));
	rc = draw_secrets(w);
	if (rc != 0) {
		why_say(why, rc, "getrandom gives no secrets");
	} else {
		set_host(w);
		rc = set_wire(w, why);
	}
	if (rc != 0) {
		give_back(w);
		return rc;
	}
	a = (struct arena){ .base = (char *)w, .used = (sizeof(*w) + LINE - 1) / LINE * LINE };
	lay_out(w, &a, config);
	if (w->steer != NULL)
		ports_filter(&w->ports, steer_is_mine, w);
	w->queue_most = port_share_mbufs(port) / 4 * 3;
	w->receive_most = port_share_mbufs(port) / 8 * 7;
	w->detour = w->steer != NULL || w->impair != NULL;
	w->hashed = w->steer != NULL && w->steer->steering == HF_STEERING_RSS;
	worker_time(w, 0);
	*worker = w;
	return 0;
}

/* Mbufs that connections hold, in whatever state. */
static void free_text(struct hf_worker *w)
{
	for (uint8_t version = 4; version <= 6; version += 2) {
		const struct pool *const pool = pools_pool(&w->pools, KIND_CONNECTION, version);

		for (uint32_t i = 0; i < pool->size; i++) {
			const handle h = pool_nth(pool, i);

			if (pools_entry(&w->pools, h)->prev == ENTRY_FREE)
				continue;
			text_drop(w, connection_at(w, h));
			sendq_drop(&w->host, &connection_at(w, h)->tcb);
		}
	}
	text_done(w);
	neigh_drop_all(w);
	for (uint16_t i = 0; i < w->tx_count; i++)
		rte_pktmbuf_free(w->tx[i]);
	rte_pktmbuf_free_bulk(w->spare, w->spare_count);
}

void hf_worker_destroy(struct hf_worker *w)
{
	if (w == NULL)
		return;
	free_text(w);
	steer_drop_all(w);
	if (w->impair != NULL)
		impair_drop(w->impair);
	watch_drop(w);
	give_back(w);
}
