/* SPDX-License-Identifier: BSD-3-Clause */
/* hf_connect, the active OPEN (RFC 9293 3.10.1): which address, which port, and whether a tuple that
 * sits in TIME-WAIT may be used again (RFC 6056, RFC 6191; TW-A1 to TW-A7). */
#include <errno.h>

#include "io/recorder.h"
#include "wire/octets.h"

#define ADDRESS_TRIES 64

/* A tuple that may be opened, and what it leads to now. */
struct choice {
	struct flow flow;
	uint64_t hash;
	handle bucket; /* to be reused, or HANDLE_NONE */
	uint16_t list; /* 1 + number of the port list, or 0 */
};

static bool is_test_network(const struct hf_ip *ip)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (ip->version == 4) /* 127/8; 198.18/15 (RFC 2544) */
		return ip->octets[0] == 127 || (ip->octets[0] == 198 && (ip->octets[1] & 0xfe) == 18);
	/* ::1; 2001:2::/48 (RFC 5180) */
	return memcmp(ip->octets, loopback6, 16) == 0 ||
	       memcmp(ip->octets, "\x20\x01\x00\x02\x00\x00", 6) == 0;
}

/* Of one of our networks. */
static bool is_broadcast(const struct hf_worker *w, uint32_t address)
{
	for (unsigned i = 0; i < w->wire.ranges4; i++)
		if (address == w->wire.range4[i].broadcast)
			return true;
	return false;
}

/* MUST-46. */
static bool may_be_peer(const struct hf_worker *w, const struct hf_addr *peer)
{
	static const uint8_t zero[16];

	if (peer->port == 0)
		return false;
	if (peer->ip.version == 4)
		return peer->ip.octets[0] != 0 && peer->ip.octets[0] < 224 &&
		       !is_broadcast(w, get32(peer->ip.octets));
	return peer->ip.version == 6 && peer->ip.octets[0] != 0xff &&
	       memcmp(peer->ip.octets, zero, 16) != 0;
}

/* Our n-th address, all ranges counted on. @return how many its range has from there on */
static uint32_t local_address(const struct hf_worker *w, uint32_t n, struct hf_ip *ip)
{
	const struct hf_ip_range *range = w->config.local;
	unsigned last;
	uint32_t carry;

	while (n >= range->count)
		n -= (range++)->count;
	*ip = range->first;
	last = ip->version == 6 ? 15 : 3;
	for (carry = n; carry > 0; last--) {
		carry += ip->octets[last];
		ip->octets[last] = (uint8_t)carry;
		carry >>= 8;
	}
	return range->count - n;
}

/* Whether an OPEN may take this tuple from its record (TW-A1 to TW-A4, TW-A11). */
static bool reusable(struct hf_worker *w, handle h, const struct hf_ip *peer)
{
	const struct hf_tcp_config *const config = &w->config.tcp;
	const struct timewait *const tw = bucket_at(w, h);

	if (config->tw_reuse == 0 || (config->tw_reuse == 2 && !is_test_network(peer)))
		return false;
	if (w->host.now_ms - tw->entered_ms <= config->tw_reuse_delay_ms) {
		count(w, STAT_TW_REUSE_YOUNG);
		return false;
	}
	if ((tw->flags & TW_TS) && config->timestamps)
		return true;
	if (!config->tw_reuse_unsafe) {
		count(w, STAT_TW_REUSE_NOTS);
		return false;
	}
	count(w, STAT_TW_REUSE_UNSAFE);
	return true;
}

/* The tuple as it stands. @return 0, -EADDRINUSE, -EADDRNOTAVAIL */
static int look_up(struct hf_worker *w, struct choice *choice, const struct hf_ip *peer)
{
	handle h;

	choice->hash = flow_hash(&w->secrets, &choice->flow);
	choice->bucket = HANDLE_NONE;
	h = flow_find(&w->flows, choice->hash, &choice->flow);
	if (h == HANDLE_NONE)
		return 0;
	if (handle_kind(h) != KIND_BUCKET || (bucket_at(w, h)->flags & TW_FIN_WAIT_2))
		return -EADDRINUSE;
	if (!reusable(w, h, peer))
		return -EADDRNOTAVAIL;
	choice->bucket = h;
	return 0;
}

/* As look_up, for a port that the application has named: in LISTEN it is taken (Table U). */
static int look_up_named(struct hf_worker *w, struct choice *choice, const struct hf_ip *peer)
{
	int rc;

	if (w->steer != NULL && !steer_is_mine(w, &choice->flow)) /* HF-P1 */
		return -EADDRNOTAVAIL;
	rc = look_up(w, choice, peer);
	if (rc == 0 && choice->bucket == HANDLE_NONE && listen_find(&w->listeners, &choice->flow) >= 0)
		return -EADDRINUSE;
	return rc;
}

/* The next open from here finds its table line fetched: among millions of tuples it is in no cache. */
static void fetch_next(struct hf_worker *w, struct port_list *list, const struct flow *flow)
{
	struct flow next = *flow;
	uint16_t port;

	if (!ports_draw(list, w->host.now_ms, &port))
		return;
	flow_set_local_port(&next, port);
	flow_prefetch(&w->flows, flow_hash(&w->secrets, &next));
}

/* A port toward this peer from the address in choice->flow. @return 0, -EADDRNOTAVAIL, -ENOBUFS */
static int choose_port(struct hf_worker *w, struct choice *choice, const struct hf_ip *peer)
{
	struct port_list *const list = ports_list(&w->ports, &choice->flow, true);
	struct port_candidate candidate = { 0 };
	int rc;

	if (list == NULL)
		return -ENOBUFS;
	for (;;) {
		rc = ports_next(list, w->host.now_ms, w->config.tcp.tw_reuse_delay_ms,
				w->config.tcp.tw_reuse != 0, &candidate);
		if (rc != 0)
			return rc;
		flow_set_local_port(&choice->flow, candidate.port);
		/* A waiting port whose record is gone has come back to the list as a free one. */
		if (look_up(w, choice, peer) == 0 &&
		    candidate.from_waiting == (choice->bucket != HANDLE_NONE))
			break;
		ports_skip(list, &candidate);
	}
	ports_take(list, &candidate);
	fetch_next(w, list, &choice->flow);
	choice->list = (uint16_t)(ports_number(&w->ports, list) + 1);
	return 0;
}

/* Address and port by turns, or as given. All that one turn of the worker opens comes from one address, as
 * long as that has ports: so its port list stays in the cache. */
static int choose(struct hf_worker *w, const struct hf_addr *local, const struct hf_addr *peer,
		  struct choice *choice)
{
	struct hf_addr from = { 0 };
	uint64_t step = 0;
	int rc = -EADDRNOTAVAIL;

	if (local != NULL)
		from = *local;
	choice->list = 0;
	if (from.ip.version != 0) {
		if (!worker_owns(w, &from.ip))
			return -EADDRNOTAVAIL;
		flow_of(&from, peer, &choice->flow);
		return from.port != 0 ? look_up_named(w, choice, &peer->ip) :
					choose_port(w, choice, &peer->ip);
	}
	for (uint64_t i = 0, n = 0; i < w->local_count && n < ADDRESS_TRIES && rc != 0; i += step) {
		if (i > 0)
			w->local_next = (uint32_t)((w->local_next + step) % w->local_count);
		w->local_used = true;
		step = local_address(w, w->local_next, &from.ip);
		if (from.ip.version != peer->ip.version)
			continue;
		step = 1;
		n++;
		flow_of(&from, peer, &choice->flow);
		rc = from.port != 0 ? look_up_named(w, choice, &peer->ip) :
				      choose_port(w, choice, &peer->ip);
		if (rc == -ENOBUFS)
			break;
	}
	return rc;
}

/* The connection enters the table, in its record's place if there is one: one step (TW-A6). */
static int enter(struct hf_worker *w, const struct choice *choice, handle h, struct connection *c)
{
	const uint8_t version = choice->flow.version;
	const uint32_t offset =
		choice->list != 0 ? ports_at(&w->ports, (uint16_t)(choice->list - 1))->ts_offset :
				    ts_offset(&w->secrets, &choice->flow);
	uint32_t iss;

	if (choice->bucket == HANDLE_NONE) {
		if (flow_insert(&w->flows, choice->hash, h) != 0) {
			count(w, STAT_TABLE_FULL);
			if (choice->list != 0) /* it was a free one */
				ports_return(ports_at(&w->ports, (uint16_t)(choice->list - 1)),
					     flow_local_port(&choice->flow), w->host.now_ms);
			return -ENOBUFS;
		}
		iss = iss_generate(&w->secrets, &choice->flow, w->host.now_us);
		tcp_open(&w->host, &c->tcb, version, iss, offset);
	} else {
		struct timewait *const tw = bucket_at(w, choice->bucket);

		iss = timewait_iss(tw);
		tcp_open(&w->host, &c->tcb, version, iss, offset);
		if (tw->flags & TW_TS) { /* TW-A5 */
			c->tcb.ts_recent = tw->ts_recent;
			c->tcb.ts_recent_ms = tw->ts_recent_ms;
			c->tcb.flags |= TCB_TS_CARRIED;
		}
		if (tw->flags & TW_ACTIVE) { /* the port stays taken */
			c->port_list = (uint16_t)(tw->port_list + 1);
			if (choice->list == 0)
				ports_claim(ports_at(&w->ports, tw->port_list),
					    flow_local_port(&choice->flow));
			tw->flags &= (uint8_t)~TW_ACTIVE;
		}
		flow_replace(&w->flows, choice->hash, choice->bucket, h);
		bucket_drop(w, choice->bucket, STAT_TW_REUSED_ACTIVE);
	}
	if (choice->list != 0)
		c->port_list = choice->list;
	return 0;
}

int hf_connect(struct hf_worker *w, const struct hf_addr *local, const struct hf_addr *peer,
	       uint64_t cookie, uint64_t *id)
{
	struct connection *c;
	struct choice choice;
	handle h;
	int rc;

	if (!may_be_peer(w, peer) ||
	    (local != NULL && local->ip.version != 0 && local->ip.version != peer->ip.version))
		return -EINVAL;
	count(w, STAT_ACTIVE_ATTEMPTED);
	h = pools_take(&w->pools, KIND_CONNECTION, peer->ip.version);
	if (h == HANDLE_NONE) { /* before a port is taken, which might be one of a record */
		count(w, STAT_CONN_LIMIT);
		count(w, STAT_FAILED_NO_MEMORY);
		return -ENOBUFS;
	}
	rc = choose(w, local, peer, &choice);
	if (rc == 0) {
		c = connection_begin(w, h, &choice.flow);
		rc = enter(w, &choice, h, c);
	}
	if (rc != 0) {
		pools_give(&w->pools, h);
		count(w, rc == -ENOBUFS ? STAT_FAILED_NO_MEMORY : STAT_FAILED_NO_PORT);
		return rc;
	}
	c->cookie = cookie;
	record_call(w, h, HF_RECORD_CONNECT);
	connection_owe(w, h, c);
	*id = connection_id(c, h);
	return 0;
}
