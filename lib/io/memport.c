/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory port: a device made of two arrays of frames, under its caller's hand. What the engine
 * sends is held as it was handed over, chains and borrowed text included, until hf_memport_pop; what
 * a device would misread (lengths, flags, chains it does not take) is asserted at once (HF-CK2).
 * Under AddressSanitizer the room round a pushed frame is poisoned.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "io/port.h"
#include "io/steer.h"
#include "io/why.h"

#define MBUFS 512
#define FRAMES 256

/* Frames in order; count of them from first on, round the end. */
struct frames {
	struct rte_mbuf **at;
	uint32_t size, first, count;
};

struct memport {
	struct frames rx, tx;
	uint32_t tx_limit; /* frames a burst */
	uint64_t missed;
};

static bool frames_make(struct frames *frames, uint32_t size)
{
	frames->at = calloc(size, sizeof(struct rte_mbuf *));
	frames->size = size;
	return frames->at != NULL;
}

static void frames_put(struct frames *frames, struct rte_mbuf *m)
{
	assert(frames->count < frames->size);
	frames->at[(frames->first + frames->count++) % frames->size] = m;
}

static struct rte_mbuf *frames_take(struct frames *frames)
{
	struct rte_mbuf *m = frames->at[frames->first];

	assert(frames->count > 0);
	frames->first = (frames->first + 1) % frames->size;
	frames->count--;
	return m;
}

static void frames_free(struct frames *frames)
{
	while (frames->count > 0)
		rte_pktmbuf_free(frames_take(frames));
	free(frames->at);
}

/* ---- The engine's side ------------------------------------------------------------------- */

uint16_t memport_receive(struct hf_port *port, struct rte_mbuf **rx, uint16_t n)
{
	struct frames *frames = &port->mem->rx;
	uint16_t k = 0;

	while (k < n && frames->count > 0)
		rx[k++] = frames_take(frames);
	return k;
}

/* The lengths and flags by which a device finds the headers whose sums it is to finish. */
static void assert_offload(const struct hf_port *port, const struct rte_mbuf *m)
{
	const uint8_t *l2 = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *l3 = l2 + m->l2_len;
	const bool v4 = (m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0;

	assert(port->tx_csum && rte_validate_tx_offload(m) == 0);
	assert(v4 != ((m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0));
	assert(port->l3 ? m->l2_len == 0 : m->l2_len >= RTE_ETHER_HDR_LEN);
	assert(m->data_len >= m->l2_len + m->l3_len);
	if (!port->l3)
		assert(l3[-2] == (v4 ? 0x08 : 0x86) && l3[-1] == (v4 ? 0x00 : 0xdd));
	assert(l3[0] >> 4 == (v4 ? 4 : 6));
	assert(v4 ? m->l3_len == 4 * (l3[0] & 15) : m->l3_len >= sizeof(struct rte_ipv6_hdr));
	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)
		assert(((const struct rte_ipv4_hdr *)l3)->hdr_checksum == 0);
	if (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
		const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(l3 + m->l3_len);

		assert((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM);
		assert(!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) ||
		       (port->tso && m->tso_segsz >= 256 && m->l4_len > 0));
		assert(m->data_len >= m->l2_len + m->l3_len + sizeof(*tcp));
		assert(m->l4_len == 0 || m->l4_len == tcp->data_off >> 4 << 2);
	}
}

/* A frame that any device would take from us. */
static void assert_frame(const struct hf_port *port, const struct rte_mbuf *m)
{
	const uint64_t offloads = RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK;
	const char *reason;

	assert(rte_mbuf_check(m, 1, &reason) == 0);
	assert(m->nb_segs == 1 || port->multi_segs);
	assert(m->nb_segs <= port->segs || (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG));
	if (m->ol_flags & offloads)
		assert_offload(port, m);
}

/* The headers of piece i of a frame that is cut: FIN and PSH are the last one's (HF-CK6). */
static void cut_headers(const struct rte_mbuf *m, uint8_t *piece, uint32_t offset, uint16_t len,
			bool last)
{
	uint8_t *const l3 = piece + m->l2_len;
	struct rte_tcp_hdr *const tcp = (struct rte_tcp_hdr *)(l3 + m->l3_len);
	const uint16_t l4 = (uint16_t)(m->l4_len + len);
	const uint32_t sum = (uint32_t)tcp->cksum + rte_cpu_to_be_16(l4);

	if (m->ol_flags & RTE_MBUF_F_TX_IPV4)
		((struct rte_ipv4_hdr *)l3)->total_length =
			rte_cpu_to_be_16((uint16_t)(m->l3_len + l4));
	else
		((struct rte_ipv6_hdr *)l3)->payload_len = rte_cpu_to_be_16(l4);
	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + offset);
	tcp->cksum = (uint16_t)((sum & 0xffff) + (sum >> 16));
	if (!last)
		tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
}

/* Segments that the octets from offset on lie in. */
static unsigned segs_under(const struct rte_mbuf *m, uint32_t offset, uint32_t len)
{
	unsigned n = 0;

	for (; m != NULL && len > 0; m = m->next) {
		const uint32_t skip = RTE_MIN(offset, (uint32_t)m->data_len);
		const uint32_t take = RTE_MIN(m->data_len - skip, len);

		n += take > 0;
		offset -= skip;
		len -= take;
	}
	return n;
}

/* Cut it as a device does that takes TSO. @return false: no room for all pieces, or no mbufs */
static bool frames_cut(struct frames *frames, struct hf_port *port, const struct rte_mbuf *m)
{
	const uint32_t header = (uint32_t)m->l2_len + m->l3_len + m->l4_len;
	const uint32_t text = m->pkt_len - header;
	const uint32_t n = (text + m->tso_segsz - 1) / m->tso_segsz;
	struct rte_mbuf *pieces[UINT16_MAX / 256];

	if (n > RTE_DIM(pieces) || frames->size - frames->count < n || !port_mbufs(port, pieces, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t offset = i * m->tso_segsz;
		const uint16_t len = (uint16_t)RTE_MIN(text - offset, (uint32_t)m->tso_segsz);
		uint8_t *const to =
			(uint8_t *)rte_pktmbuf_append(pieces[i], (uint16_t)(header + len));
		const void *from;

		assert(1 + segs_under(m, header + offset, len) <= port->segs);
		memcpy(to, rte_pktmbuf_mtod(m, const void *), header);
		from = rte_pktmbuf_read(m, header + offset, len, to + header);
		if (from != to + header)
			memcpy(to + header, from, len);
		cut_headers(m, to, offset, len, i + 1 == n);
		frames_put(frames, pieces[i]);
	}
	return true;
}

uint16_t memport_transmit(struct hf_port *port, struct rte_mbuf **tx, uint16_t n)
{
	struct frames *frames = &port->mem->tx;
	uint16_t k = 0;

	while (k < n && k < port->mem->tx_limit && frames->count < frames->size) {
		assert_frame(port, tx[k]);
		if (!(tx[k]->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
			frames_put(frames, tx[k++]);
		else if (frames_cut(frames, port, tx[k]))
			rte_pktmbuf_free(tx[k++]);
		else
			break;
	}
	return k;
}

/* ---- The other side ---------------------------------------------------------------------- */

static uint64_t ip_flags(enum hf_checksum ip)
{
	switch (ip) {
	case HF_CHECKSUM_UNKNOWN:
		return RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN;
	case HF_CHECKSUM_GOOD:
		return RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	case HF_CHECKSUM_BAD:
		return RTE_MBUF_F_RX_IP_CKSUM_BAD;
	case HF_CHECKSUM_NONE:
		return RTE_MBUF_F_RX_IP_CKSUM_NONE;
	}
	return 0;
}

static uint64_t l4_flags(enum hf_checksum l4)
{
	switch (l4) {
	case HF_CHECKSUM_UNKNOWN:
		return RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN;
	case HF_CHECKSUM_GOOD:
		return RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	case HF_CHECKSUM_BAD:
		return RTE_MBUF_F_RX_L4_CKSUM_BAD;
	case HF_CHECKSUM_NONE:
		return RTE_MBUF_F_RX_L4_CKSUM_NONE;
	}
	return 0;
}

/* Copy len octets into one fresh segment at the end of the chain, if there is one. */
static int chain_add(struct hf_port *port, struct rte_mbuf **head, const uint8_t *octets, size_t len)
{
	struct rte_mbuf *m = port_mbuf(port);

	if (m == NULL)
		return -ENOBUFS;
	if (len > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return -EMSGSIZE;
	}
	memcpy(rte_pktmbuf_mtod(m, void *), octets, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
	poison_round(m);
	if (*head == NULL)
		*head = m;
	else if (rte_pktmbuf_chain(*head, m) != 0)
		assert(0 && "five segments fit a chain");
	return 0;
}

int hf_memport_push(struct hf_port *port, const void *frame, size_t len, const struct hf_push *how)
{
	const struct hf_push plain = { .ip = HF_CHECKSUM_UNKNOWN };
	const size_t cuts = RTE_DIM(plain.cut);
	struct rte_mbuf *head = NULL;
	const uint8_t *octets = frame;
	int error = 0;

	assert(port->kind == PORT_MEMORY);
	how = how == NULL ? &plain : how;
	if (port->mem->rx.count == port->mem->rx.size)
		error = -ENOBUFS;
	for (size_t i = 0; error == 0 && i < cuts && how->cut[i] > 0 && how->cut[i] < len; i++) {
		error = chain_add(port, &head, octets, how->cut[i]);
		octets += how->cut[i];
		len -= how->cut[i];
	}
	if (error == 0)
		error = chain_add(port, &head, octets, len);
	if (error != 0) {
		port->mem->missed += error == -ENOBUFS;
		rte_pktmbuf_free(head);
		return error;
	}
	head->ol_flags = ip_flags(how->ip) | l4_flags(how->l4);
	frames_put(&port->mem->rx, head);
	return 0;
}

ssize_t hf_memport_pop(struct hf_port *port, void *frame, size_t room)
{
	struct frames *frames = &port->mem->tx;
	uint8_t *octets = frame;
	struct rte_mbuf *m;
	ssize_t len;

	assert(port->kind == PORT_MEMORY);
	if (frames->count == 0)
		return -EAGAIN;
	if (rte_pktmbuf_pkt_len(frames->at[frames->first]) > room)
		return -EMSGSIZE;
	m = frames_take(frames);
	len = rte_pktmbuf_pkt_len(m);
	for (const struct rte_mbuf *piece = m; piece != NULL; piece = piece->next) {
		memcpy(octets, rte_pktmbuf_mtod(piece, const void *), piece->data_len);
		octets += piece->data_len;
	}
	rte_pktmbuf_free(m);
	return len;
}

void hf_memport_tx_limit(struct hf_port *port, uint32_t k)
{
	assert(port->kind == PORT_MEMORY);
	port->mem->tx_limit = k;
}

/* ---- Set-up ------------------------------------------------------------------------------ */

static int queue_make(struct port_share *share, const struct hf_memport *config, unsigned queue,
		      struct hf_port **port, struct hf_error *why)
{
	const uint32_t frames = config->frames > 0 ? config->frames : FRAMES;
	struct memport *mem;
	const int error = port_make(share, PORT_MEMORY, config->name, port, why);

	if (error != 0)
		return error;
	mem = calloc(1, sizeof(*mem));
	(*port)->mem = mem;
	if (mem == NULL || !frames_make(&mem->rx, frames) || !frames_make(&mem->tx, frames)) {
		hf_port_free(*port);
		return why_say(why, -ENOMEM, "%s: no memory for %u frames each way", config->name,
			       frames);
	}
	mem->tx_limit = UINT32_MAX;
	(*port)->queue = (uint16_t)queue;
	(*port)->queues = (uint16_t)(config->queues > 0 ? config->queues : 1);
	(*port)->l3 = config->l3;
	(*port)->rx_ip_csum = config->rx_checksum;
	(*port)->rx_l4_csum = config->rx_checksum;
	(*port)->tx_csum = config->tx_checksum || config->tso;
	(*port)->multi_segs = config->multi_segs || config->tso;
	(*port)->segs = config->segs > 0 ? config->segs : UINT16_MAX;
	(*port)->segs_all = UINT16_MAX;
	(*port)->tso = config->tso;
	(*port)->borrows = true;
	(*port)->seedable = true;
	return 0;
}

/* RSS is played by who pushes the frames: hf_port_home tells to which queue. */
static int queues_steer(struct port_share *share, const struct hf_memport *config,
			struct hf_port **ports, struct hf_error *why)
{
	const enum hf_steering steering = config->steer.steering == HF_STEERING_AUTO ?
						  HF_STEERING_SOFTWARE :
						  config->steer.steering;
	struct steer_table table = { .reta_size = 0 };
	struct steer *steer;
	int error = steer_table_make(&config->steer, config->queues, &table, why);

	if (error == 0)
		error = steer_make(steering, &config->steer, &table, config->queues, &steer, why);
	if (error == 0)
		port_share_steer(share, steer, ports, config->queues);
	return error;
}

int hf_port_memory(const struct hf_memport *config, struct hf_port **ports, struct hf_error *why)
{
	const unsigned queues = config->queues > 0 ? config->queues : 1;
	struct port_share *share;
	unsigned made = 0;
	int error;

	error = port_share_make(config->name, config->mbufs > 0 ? config->mbufs : MBUFS,
				config->mtu, &share, why);
	if (error != 0)
		return error;
	while (error == 0 && made < queues) {
		error = queue_make(share, config, made, &ports[made], why);
		made += error == 0;
	}
	if (error == 0 && queues > 1)
		error = queues_steer(share, config, ports, why);
	while (error != 0 && made > 0)
		hf_port_free(ports[--made]);
	port_share_drop(share);
	return error;
}

uint64_t memport_missed(const struct memport *mem)
{
	return mem->missed;
}

void memport_free(struct memport *mem)
{
	if (mem == NULL)
		return;
	frames_free(&mem->rx);
	frames_free(&mem->tx);
	free(mem);
}
