/* SPDX-License-Identifier: BSD-3-Clause */
/* The bad link at the port's edge; see impair.h. Called by worker.c and emit.c once a burst; create.c
 * makes it, check.c and levels.c look at it. */
#include "io/impair.h"

#include <errno.h>

#include "io/why.h"
#include "io/worker.h"

#define LONGEST_US 60000000 /* of any delay */

/* ---- Set-up ---------------------------------------------------------------------------------- */

static int judge_way(const struct hf_impair_way *way, const char *name, struct hf_error *why)
{
	if (way->loss > HF_EVER || way->duplicate > HF_EVER || way->reorder > HF_EVER ||
	    way->corrupt > HF_EVER)
		return why_say(why, -EINVAL, "impair.%s: a rate is above %u, every frame", name,
			       HF_EVER);
	if (way->delay_us > LONGEST_US || way->reorder_us > LONGEST_US)
		return why_say(why, -EINVAL, "impair.%s: a delay is above %u us", name, LONGEST_US);
	if (way->jitter_us > way->delay_us)
		return why_say(why, -EINVAL, "impair.%s: jitter %u us is more than delay %u us",
			       name, way->jitter_us, way->delay_us);
	if (way->rule_count > HF_IMPAIR_RULES)
		return why_say(why, -EINVAL, "impair.%s: %u rules, more than %d", name,
			       way->rule_count, HF_IMPAIR_RULES);
	for (uint32_t i = 0; i < way->rule_count; i++)
		if (way->rules[i].act > HF_IMPAIR_BEHIND || way->rules[i].later_us > LONGEST_US)
			return why_say(why, -EINVAL, "impair.%s: rule %u has no such act or delay",
				       name, i);
	return 0;
}

int impair_judge(const struct hf_impair *config, struct hf_error *why)
{
	int rc = judge_way(&config->in, "in", why);

	if (rc == 0)
		rc = judge_way(&config->out, "out", why);
	if (rc == 0 && config->hold > 1u << 24)
		rc = why_say(why, -EINVAL, "impair.hold is %u: give %u at most", config->hold,
			     1u << 24);
	return rc;
}

uint32_t impair_hold(const struct hf_impair *config)
{
	return config->hold > 0 ? config->hold : HF_IMPAIR_HOLD;
}

void impair_init(struct impair *impair, const struct hf_impair *config, struct waiting *heaps[2])
{
	impair->config = *config;
	way_init(&impair->in, &impair->config.in, config->seed, heaps[0], impair_hold(config));
	way_init(&impair->out, &impair->config.out, ~config->seed, heaps[1], impair_hold(config));
}

/* ---- Frames ---------------------------------------------------------------------------------- */

/* In one fresh segment, so that it may be written. @return NULL: no mbuf, or longer than one */
static struct rte_mbuf *copy(struct hf_worker *w, const struct rte_mbuf *m)
{
	struct rte_mbuf *const c = worker_mbuf(w);

	if (c == NULL)
		return NULL;
	if (m->pkt_len > rte_pktmbuf_tailroom(c)) {
		rte_pktmbuf_free(c);
		return NULL;
	}
	for (const struct rte_mbuf *s = m; s != NULL; s = s->next)
		memcpy(rte_pktmbuf_append(c, s->data_len), rte_pktmbuf_mtod(s, const void *),
		       s->data_len);
	c->ol_flags = m->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	c->tx_offload = m->tx_offload;
	return c;
}

/* One bit of the IP packet is flipped, in a copy: the frame's octets may be somebody else's. Ethernet's
 * FCS would find out what harms the rest, and ARP has no sum of its own. @return NULL: it is lost */
static struct rte_mbuf *corrupt(struct hf_worker *w, struct way *way, struct rte_mbuf *m, size_t ip)
{
	struct rte_mbuf *const c = ip < m->pkt_len ? copy(w, m) : NULL;

	rte_pktmbuf_free(m);
	if (c != NULL) {
		const uint32_t bit = way_pick(way, (uint32_t)(c->pkt_len - ip) * 8);

		rte_pktmbuf_mtod(c, uint8_t *)[ip + bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* what the device said of its sums was of another frame */
		c->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
		count(w, STAT_IMPAIR_CORRUPTED);
	}
	return c;
}

static void hold(struct hf_worker *w, struct way *way, struct rte_mbuf *m, const struct fate *fate)
{
	const uint32_t mbufs = m->nb_segs;

	if (way_hold(way, m, fate)) {
		w->impair->mbufs += mbufs;
		return;
	}
	count(w, STAT_IMPAIR_OVERFLOW);
	rte_pktmbuf_free(m);
}

/* A frame meets its fate. */
static void meet(struct hf_worker *w, struct way *way, struct rte_mbuf *m)
{
	size_t ip;
	const uint16_t kind =
		frame_kind(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, w->port->l3, &ip);
	const struct fate fate = way_fate(way, kind, w->host.now_us);
	struct rte_mbuf *const twin = fate.twice ? copy(w, m) : NULL;

	if (fate.corrupt)
		m = corrupt(w, way, m, ip);
	if (fate.lost)
		rte_pktmbuf_free(m);
	if (fate.lost || m == NULL)
		count(w, STAT_IMPAIR_LOST);
	else
		hold(w, way, m, &fate);
	if (fate.at_us > w->host.now_us)
		count(w, STAT_IMPAIR_DELAYED);
	if (fate.late || fate.behind)
		count(w, STAT_IMPAIR_REORDERED);
	if (twin != NULL) {
		count(w, STAT_IMPAIR_DUPLICATED);
		hold(w, way, twin, &fate);
	}
}

static uint16_t take(struct hf_worker *w, struct way *way, struct rte_mbuf **frames, uint16_t n)
{
	uint16_t k = 0;

	while (k < n && (frames[k] = way_take(way, w->host.now_us)) != NULL)
		w->impair->mbufs -= frames[k++]->nb_segs;
	return k;
}

uint16_t impair_receive(struct hf_worker *w, struct rte_mbuf **rx, uint16_t n)
{
	const uint16_t k = port_receive(w->port, rx, n);

	w->stats[STAT_IMPAIR_IN] += k;
	for (uint16_t i = 0; i < k; i++)
		meet(w, &w->impair->in, rx[i]);
	return take(w, &w->impair->in, rx, n);
}

void impair_send(struct hf_worker *w, struct rte_mbuf **tx, uint16_t n)
{
	w->stats[STAT_IMPAIR_OUT] += n;
	for (uint16_t i = 0; i < n; i++)
		meet(w, &w->impair->out, tx[i]);
}

uint16_t impair_leave(struct hf_worker *w, struct rte_mbuf **tx, uint16_t n)
{
	return take(w, &w->impair->out, tx, n);
}

/* ---- What waits ------------------------------------------------------------------------------ */

uint64_t impair_next(const struct impair *impair)
{
	return RTE_MIN(way_next(&impair->in), way_next(&impair->out));
}

static uint32_t walk(const struct way *way)
{
	uint32_t mbufs = 0;

	for (uint32_t i = 0; i < way->used; i++)
		mbufs += ((const struct rte_mbuf *)way->heap[i].frame)->nb_segs;
	if (way->behind.frame != NULL)
		mbufs += ((const struct rte_mbuf *)way->behind.frame)->nb_segs;
	return mbufs;
}

uint32_t impair_walk(const struct impair *impair)
{
	return walk(&impair->in) + walk(&impair->out);
}

static void drop(struct way *way)
{
	struct rte_mbuf *m;

	while ((m = way_take(way, UINT64_MAX)) != NULL)
		rte_pktmbuf_free(m);
}

void impair_drop(struct impair *impair)
{
	drop(&impair->in);
	drop(&impair->out);
	impair->mbufs = 0;
}
