/* SPDX-License-Identifier: BSD-3-Clause */
/* What load and serve make of their settings: workers on one device, their addresses and their sizes.
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
#define MBUFS 16384	  /* beside those of texts */
#define MBUFS_WORKER 4096 /* of each further one: its queue, its cache, what others hand it */
#define MBUFS_TEXT 65536
#define PORTS_MAX 65535u /* listened to by one worker: hf_config.listeners */

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

static bool same(const struct net *a, const struct hf_ip *ip)
{
	return memcmp(&a->range.first, ip, sizeof(*ip)) == 0;
}

static bool ours(const struct settings *s, const struct hf_ip *ip)
{
	for (uint32_t i = 0; i < s->addr.count; i++)
		if (same(&s->addr.at[i], ip))
			return true;
	return false;
}

/* fe80::/10, which is on every link (RFC 4291 2.5.6). */
static bool link_local(const struct hf_ip *ip)
{
	return ip->version == 6 && ip->octets[0] == 0xfe && ip->octets[1] >> 6 == 2;
}

/* @return what is wrong with the addresses, or NULL */
static const char *own_refuses(const struct settings *s)
{
	for (uint32_t i = 0; i < s->addr.count; i++) {
		const struct net *net = &s->addr.at[i];

		if (broadcast(net, &net->range.first))
			return "--addr is the broadcast address of its network; take another one of it (MUST-46)";
		for (uint32_t k = 0; k < i; k++)
			if (same(net, &s->addr.at[k].range.first))
				return "--addr: one address is given twice; leave one";
	}
	for (uint32_t i = 0; i < s->tap_kernel_addr.count; i++)
		if (ours(s, &s->tap_kernel_addr.at[i].range.first))
			return "--tap-kernel-addr is an address of --addr too; give the kernel another one of that network";
	for (uint32_t i = 0; i < s->gateway.count; i++)
		if (ours(s, &s->gateway.at[i].range.first))
			return "--gateway is an address of --addr; give the router's";
	if (s->gateway.count == 2 &&
	    s->gateway.at[0].range.first.version == s->gateway.at[1].range.first.version)
		return "--gateway: one of each IP version";
	return NULL;
}

/* @return what is wrong with a range of --from, or NULL */
static const char *from_refuses(const struct settings *s, const struct hf_ip_range *range)
{
	const struct net *net = net_of(s, &range->first);
	const struct hf_ip last = plan_address(range, range->count - 1);

	if (!net)
		return "--from is in no network of --addr; give an ADDR/LEN there that holds it";
	if (!in_net(net, &last))
		return "--from goes on past its network of --addr; end it there, or give a shorter /LEN";
	if (broadcast(net, &last))
		return "--from holds the broadcast address of its network; end it before (MUST-46)";
	if (range_holds(range, &s->target.at[0].range.first))
		return "--from holds the address of --target; leave that out";
	return NULL;
}

static const char *load_refuses(const struct settings *s)
{
	const struct hf_ip *target = &s->target.at[0].range.first;
	const char *refusal = NULL;

	if (!s->target.count)
		return "load needs --target ADDR:PORT; there is no default (HF-LG3)";
	if (s->app == APP_ECHO)
		return "--app: load has none, rr, http, discard and chargen";
	if (broadcast(net_of(s, target), target))
		return "--target is the broadcast address of a network of --addr (MUST-46)";
	if (ours(s, target))
		return "--target is an address of --addr, so ours; both ends is what pair is for";
	if (!has_version(s->from.count ? &s->from : &s->addr, target->version))
		return "--addr, --from: none is of the IP version of --target";
	if (!net_of(s, target) && !link_local(target) && !has_version(&s->gateway, target->version))
		return "--target is in no network of --addr; give the --gateway to it";
	for (uint32_t i = 0; i < s->from.count && !refusal; i++) {
		const struct hf_ip_range *range = &s->from.at[i].range;

		refusal = from_refuses(s, range);
		for (uint32_t k = 0; k < i; k++)
			if (range_holds(range, &s->from.at[k].range.first) ||
			    range_holds(&s->from.at[k].range, &range->first))
				return "--from: one address is given twice; leave one";
	}
	return refusal;
}

/* 0.0.0.0 or [::] */
static bool is_any(const struct net *net)
{
	static const struct hf_ip any[2] = { { .version = 4 }, { .version = 6 } };

	return same(net, &any[net->range.first.version == 6]);
}

/* Whether two of --listen would take the same connections. */
static bool overlap(const struct net *a, const struct net *b)
{
	const struct hf_ip *ip = &b->range.first;

	return a->port <= b->port_last && b->port <= a->port_last &&
	       (same(a, ip) || (a->range.first.version == ip->version && (is_any(a) || is_any(b))));
}

static uint32_t ports_listened_to(const struct settings *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->listen.count; i++)
		n += 1u + s->listen.at[i].port_last - s->listen.at[i].port;
	return n;
}

static const char *listen_refuses(const struct settings *s, const struct net *listen)
{
	const struct hf_ip *ip = &listen->range.first;

	if (!is_any(listen))
		return ours(s, ip) ?
			       NULL :
			       "--listen is no address of --addr; name it there too, or listen to 0.0.0.0 or [::]";
	if (has_version(&s->addr, ip->version))
		return NULL;
	return ip->version == 6 ?
		       "--listen [::] needs an IPv6 address of ours; give one, such as --addr fd99::2/64" :
		       "--listen 0.0.0.0 needs an IPv4 address of ours; give one, such as --addr 10.99.0.2/24";
}

static const char *serve_refuses(const struct settings *s)
{
	if (!s->listen.count)
		return "serve needs --listen ADDR:PORT; 0.0.0.0 and [::] stand for all of --addr";
	if (ports_listened_to(s) > PORTS_MAX)
		return "--listen: more than 65535 ports; leave some of them out";
	for (uint32_t i = 0; i < s->listen.count; i++) {
		const struct net *listen = &s->listen.at[i];
		const char *const refusal = listen_refuses(s, listen);

		if (refusal)
			return refusal;
		for (uint32_t k = 0; k < i; k++)
			if (overlap(listen, &s->listen.at[k]))
				return "--listen: one port is given twice; leave one, or the address that stands for all";
	}
	return NULL;
}

static const char *refuses(const struct settings *s, const struct plan *plan)
{
	const char *refusal;

	if (!s->dev[0])
		return "give a device: --dev tap:hf0, or a profile: -c config/tap.yaml";
	if (!s->addr.count)
		return "give an address of ours: --addr 10.99.0.2/24";
	if (has_version(&s->addr, 6) && s->mtu < 1280)
		return "mtu must be 1280 or more with IPv6 (RFC 8200 5)";
	refusal = own_refuses(s);
	if (refusal)
		return refusal;
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

static int hex(char digit)
{
	const char *const digits = "0123456789abcdef", *at = strchr(digits, digit | 0x20);

	return digit != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* --rss-key: pairs of hex digits, with or without colons between them. */
static int read_key(const char *text, struct plan *plan, struct hf_error *why)
{
	unsigned n = 0;

	for (const char *at = text; *at != '\0'; at += 2) {
		int high, low;

		at += n > 0 && *at == ':';
		high = hex(at[0]);
		low = high < 0 ? -1 : hex(at[1]);
		if (n == sizeof(plan->key) || low < 0) {
			snprintf(why->text, sizeof(why->text),
				 "--rss-key: '%.60s' is no key: give 40 to %zu octets in hex", text,
				 sizeof(plan->key));
			return -EINVAL;
		}
		plan->key[n++] = (uint8_t)(high << 4 | low);
	}
	if (n > 0 && n < 40) {
		snprintf(why->text, sizeof(why->text),
			 "--rss-key has %u octets: give 40, or as many as the device wants", n);
		return -EINVAL;
	}
	plan->steer.key = n > 0 ? plan->key : NULL;
	plan->steer.key_len = n;
	return 0;
}

/* One unless --cores says more: whoever shares a device with others' programs shares the machine too. */
static void plan_workers(const struct settings *s, unsigned cores, struct plan *plan)
{
	plan->cores = plan->pairs = s->cores[0] ? cores : 1;
	plan->openers = plan->pairs;
	if (plan->openers > plan->concurrency)
		plan->openers = plan->concurrency;
	if (s->rate && plan->openers > s->rate)
		plan->openers = (unsigned)s->rate;
	if (s->count && plan->openers > s->count)
		plan->openers = (unsigned)s->count;
}

int plan_one(const struct settings *s, unsigned cores, struct plan *plan, struct hf_error *why)
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
	if (device_read(s->dev, &device, why) < 0 || device_holds(&device, s->mtu, why) < 0 ||
	    read_key(s->rss_key, plan, why) < 0)
		return -EINVAL;
	plan->steer.steering = s->steering;
	plan->exact = device.exact;
	plan->idle = s->idle == IDLE_SLEEP || (s->idle == IDLE_AUTO && device.shared) ?
			     HF_IDLE_SLEEP :
			     HF_IDLE_SPIN;
	plan->duration_us = s->duration_us				    ? s->duration_us :
			    plan->counted || plan->command == COMMAND_SERVE ? UINT64_MAX :
									      DURATION_US;
	plan->concurrency = held(s, plan);
	plan_workers(s, cores, plan);
	for (uint32_t i = 0; plan->command == COMMAND_LOAD && i < from->count; i++)
		if (from->at[i].range.first.version == s->target.at[0].range.first.version)
			plan->addresses += from->at[i].range.count;
	if (plan->addresses > PLAN_ADDRESSES_MAX) {
		snprintf(why->text, sizeof(why->text),
			 "--from has more than %u addresses that suit the target; give fewer",
			 PLAN_ADDRESSES_MAX);
		return -EINVAL;
	}
	plan->tuples = (uint64_t)plan->addresses * ports;
	text = plan->concurrency * plan_text_frames(s);
	plan->mbufs = MBUFS + MBUFS_WORKER * (plan->pairs - 1) +
		      (uint32_t)(text < MBUFS_TEXT ? text : MBUFS_TEXT);
	if (plan->impaired)
		plan->mbufs += 2 * impair_frames(&plan->impair);
	plan->memory_mb = plan_port_mb(s, plan->mbufs);
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

/* What a server's worker has to hold: peers do not spread evenly. */
static uint32_t served(const struct plan *plan, uint32_t share)
{
	return plan->pairs > 1 ? share + share / 4 : share;
}

void plan_one_worker(const struct settings *s, const struct plan *plan, unsigned i,
		     struct hf_config *config)
{
	const bool load = plan->command == COMMAND_LOAD;
	const bool six = load ? s->target.at[0].range.first.version == 6 : has_version(&s->addr, 6);
	const bool four = load ? !six : has_version(&s->addr, 4);
	const uint64_t tuples = load ? plan_share(plan->tuples, i, plan->pairs) : UINT64_MAX;
	const uint32_t mine = (uint32_t)plan_share(s->max_tw_buckets, i, plan->pairs);
	const uint32_t share = four && six ? mine / 2 : mine;
	const uint32_t in_flight = (uint32_t)plan_share(plan->concurrency, i, plan->pairs);
	const uint32_t held = load ? in_flight : served(plan, in_flight);
	struct hf_sizes sizes = {
		.connections = held + 256,
		.requests = load ? 64 : held + 256,
		.buckets = share < tuples ? share : (uint32_t)tuples,
	};
	uint64_t ranges = (uint64_t)held * 2 * (1 + plan_text_frames(s));

	plan_common(s, config);
	worker_addresses(s, plan, config);
	if (four)
		config->ipv4 = sizes;
	if (six)
		config->ipv6 = sizes;
	config->port_lists = plan->addresses ? plan->addresses : 1;
	config->listeners = s->listen.count ? ports_listened_to(s) : 1;
	if (ranges > 2 * (uint64_t)plan->mbufs)
		ranges = 2 * (uint64_t)plan->mbufs; /* each holds an mbuf */
	config->ranges = (uint32_t)ranges + 1024;
}

static uint64_t tuples_of(const struct hf_port *port, const struct settings *s,
			  const struct hf_ip_range *range, unsigned home)
{
	const struct hf_addr peer = { s->target.at[0].range.first, s->target.at[0].port };
	uint64_t n = 0;

	for (uint32_t i = 0; i < range->count; i++) {
		struct hf_addr local = { .ip = plan_address(range, i) };

		for (uint32_t p = s->client_ports.first; p <= s->client_ports.last; p++) {
			local.port = (uint16_t)p;
			n += hf_port_home(port, &local, &peer) == home;
		}
	}
	return n;
}

void plan_fit(const struct settings *s, const struct plan *plan, const struct hf_port *port,
	      struct hf_config *config)
{
	const uint8_t version =
		plan->command == COMMAND_LOAD ? s->target.at[0].range.first.version : 0;
	struct hf_sizes *const sizes = version == 6 ? &config->ipv6 : &config->ipv4;
	uint64_t tuples = 0;

	if (version == 0 || plan->pairs == 1 || plan->tuples > s->max_tw_buckets)
		return;
	for (uint32_t i = 0; i < config->locals; i++)
		if (config->local[i].first.version == version)
			tuples += tuples_of(port, s, &config->local[i], hf_port_queue(port));
	sizes->buckets = (uint32_t)tuples;
}
