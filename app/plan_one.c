/* SPDX-License-Identifier: BSD-3-Clause */
/* What load and serve make of their settings: one worker on one device, its addresses and its sizes.
 * Called by plan.c. */
#include "plan.h"

#include <errno.h>
#include <string.h>

#include "device.h"
#include "impair.h"

#define DURATION_US 5000000 /* of a load that says neither --duration nor --count */
#define SERVED 16384	    /* connections a server holds when nobody says */
#define HELD 512	    /* ... a load without a rate */
#define HELD_LEAST 2048	    /* ... with one, which is two seconds' worth up to */
#define HELD_MOST 262144
#define MBUFS 16384 /* beside those of texts */
#define MBUFS_TEXT 65536
#define MBUF_OCTETS 4096
#define SPARE_MB 64

static bool in_net(const struct net *net, const struct hf_ip *ip)
{
	const struct hf_ip *own = &net->range.first;

	if (own->version != ip->version)
		return false;
	for (unsigned bit = 0; bit < net->length; bit++)
		if ((own->octets[bit / 8] ^ ip->octets[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

/* The network this address is in, out of --addr's. */
static const struct net *net_of(const struct settings *s, const struct hf_ip *ip)
{
	for (uint32_t i = 0; i < s->addr.count; i++)
		if (in_net(&s->addr.at[i], ip))
			return &s->addr.at[i];
	return NULL;
}

/* All host bits set: IPv4's directed broadcast (MUST-46). */
static bool broadcast(const struct net *net, const struct hf_ip *ip)
{
	if (!net || ip->version == 6 || net->length > 30)
		return false;
	for (unsigned bit = net->length; bit < 32; bit++)
		if (!(ip->octets[bit / 8] & (0x80 >> bit % 8)))
			return false;
	return true;
}

static bool has_version(const struct nets *nets, uint8_t version)
{
	for (uint32_t i = 0; i < nets->count; i++)
		if (nets->at[i].range.first.version == version)
			return true;
	return false;
}

static bool ours(const struct settings *s, const struct hf_ip *ip)
{
	for (uint32_t i = 0; i < s->addr.count; i++)
		if (memcmp(&s->addr.at[i].range.first, ip, sizeof(*ip)) == 0)
			return true;
	return false;
}

/* @return what is wrong with the addresses, or NULL */
static const char *load_refuses(const struct settings *s)
{
	const struct hf_ip *target = &s->target.at[0].range.first;

	if (!s->target.count)
		return "load needs --target ADDR:PORT; there is no default (HF-LG3)";
	if (s->app != APP_NONE && s->app != APP_RR && s->app != APP_HTTP)
		return "--app: load has none, rr and http";
	if (broadcast(net_of(s, target), target))
		return "--target is the broadcast address of a network of --addr (MUST-46)";
	if (!has_version(s->from.count ? &s->from : &s->addr, target->version))
		return "--addr, --from: none is of the IP version of --target";
	for (uint32_t i = 0; i < s->from.count; i++)
		if (!net_of(s, &s->from.at[i].range.first))
			return "--from is in no network of --addr";
	return NULL;
}

static const char *serve_refuses(const struct settings *s)
{
	static const struct hf_ip any[2] = { { .version = 4 }, { .version = 6 } };

	if (!s->listen.count)
		return "serve needs --listen ADDR:PORT; 0.0.0.0 and [::] stand for all of --addr";
	for (uint32_t i = 0; i < s->listen.count; i++) {
		const struct hf_ip *ip = &s->listen.at[i].range.first;

		if (memcmp(ip, &any[ip->version == 6], sizeof(*ip)) == 0 ?
			    !has_version(&s->addr, ip->version) :
			    !ours(s, ip))
			return "--listen is no address of --addr";
	}
	return NULL;
}

static const char *refuses(const struct settings *s, const struct plan *plan)
{
	if (!s->dev[0])
		return "give a device: --dev tap:hf0, or a profile: -c config/tap.yaml";
	if (!s->addr.count)
		return "give an address of ours: --addr 10.99.0.2/24";
	if (s->cores[0] && cores_count(s->cores) > 1)
		return "--cores: load and serve run one worker; name one CPU";
	if (s->gateway.count == 2 &&
	    s->gateway.at[0].range.first.version == s->gateway.at[1].range.first.version)
		return "--gateway: one of each IP version";
	if (has_version(&s->addr, 6) && s->mtu < 1280)
		return "mtu must be 1280 or more with IPv6 (RFC 8200 5)";
	return plan->command == COMMAND_LOAD ? load_refuses(s) : serve_refuses(s);
}

/* Connections in flight. */
static uint32_t held(const struct settings *s, const struct plan *plan)
{
	const uint64_t by_rate = 2 * s->rate;

	if (s->concurrency)
		return s->concurrency;
	if (plan->command == COMMAND_SERVE)
		return SERVED;
	if (!s->rate)
		return HELD;
	return by_rate < HELD_LEAST ? HELD_LEAST :
	       by_rate > HELD_MOST  ? HELD_MOST :
				      (uint32_t)by_rate;
}

int plan_one(const struct settings *s, struct plan *plan, struct hf_error *why)
{
	const uint32_t ports = (uint32_t)(s->client_ports.last - s->client_ports.first) + 1;
	const struct nets *from = s->from.count ? &s->from : &s->addr;
	const char *refusal = refuses(s, plan);
	struct device device;
	uint64_t text;

	if (refusal) {
		snprintf(why->text, sizeof(why->text), "%s", refusal);
		return -EINVAL;
	}
	if (device_read(s->dev, &device, why) < 0)
		return -EINVAL;
	plan->exact = device.exact;
	plan->cores = plan->pairs = plan->openers = 1;
	plan->idle = s->idle == IDLE_SLEEP || (s->idle == IDLE_AUTO && device.shared) ?
			     HF_IDLE_SLEEP :
			     HF_IDLE_SPIN;
	plan->duration_us = s->duration_us			       ? s->duration_us :
			    s->count || plan->command == COMMAND_SERVE ? UINT64_MAX :
									 DURATION_US;
	plan->concurrency = held(s, plan);
	for (uint32_t i = 0; plan->command == COMMAND_LOAD && i < from->count; i++)
		if (from->at[i].range.first.version == s->target.at[0].range.first.version)
			plan->addresses += from->at[i].range.count;
	plan->tuples = (uint64_t)plan->addresses * ports;
	text = plan->concurrency * plan_text_frames(s);
	plan->mbufs = MBUFS + (uint32_t)(text < MBUFS_TEXT ? text : MBUFS_TEXT);
	if (plan->impaired)
		plan->mbufs += 2 * impair_frames(&plan->impair);
	plan->memory_mb = (uint32_t)((uint64_t)plan->mbufs * MBUF_OCTETS >> 20) + SPARE_MB;
	return 0;
}

static void worker_addresses(const struct settings *s, const struct plan *plan,
			     struct hf_config *config)
{
	const bool from = plan->command == COMMAND_LOAD && s->from.count;
	const struct nets *nets = from ? &s->from : &s->addr;

	config->locals = nets->count;
	for (uint32_t i = 0; i < nets->count; i++) {
		config->local[i] = nets->at[i].range;
		config->local_prefix[i] =
			from ? net_of(s, &nets->at[i].range.first)->length : nets->at[i].length;
	}
	for (uint32_t i = 0; i < s->gateway.count; i++) {
		const struct hf_ip *ip = &s->gateway.at[i].range.first;

		config->gateway[ip->version == 6] = *ip;
	}
	device_mac(s, config->mac);
	config->vlan = s->vlan;
}

void plan_one_worker(const struct settings *s, const struct plan *plan, struct hf_config *config)
{
	const bool load = plan->command == COMMAND_LOAD;
	const bool six = load ? s->target.at[0].range.first.version == 6 : has_version(&s->addr, 6);
	const bool four = load ? !six : has_version(&s->addr, 4);
	const uint64_t tuples = load ? plan->tuples : UINT64_MAX;
	const uint32_t share = four && six ? s->max_tw_buckets / 2 : s->max_tw_buckets;
	struct hf_sizes sizes = {
		.connections = plan->concurrency + 256,
		.requests = load ? 64 : plan->concurrency + 256,
		.buckets = share < tuples ? share : (uint32_t)tuples,
	};
	uint64_t ranges = (uint64_t)plan->concurrency * 2 * (1 + plan_text_frames(s));

	plan_common(s, config);
	worker_addresses(s, plan, config);
	if (four)
		config->ipv4 = sizes;
	if (six)
		config->ipv6 = sizes;
	config->port_lists = plan->addresses ? plan->addresses : 1;
	config->listeners = 1;
	for (uint32_t i = 0; i < s->listen.count; i++)
		config->listeners += 1u + s->listen.at[i].port_last - s->listen.at[i].port;
	if (ranges > 2 * (uint64_t)plan->mbufs)
		ranges = 2 * (uint64_t)plan->mbufs; /* each holds an mbuf */
	config->ranges = (uint32_t)ranges + 1024;
}
