/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: the pool, rings and devices that some of them share, and how frames find their worker.
 * Called at set-up and at the end; the bursts are in port.h. What a device offers is asked of it
 * (ethdev.c); what it does not offer the worker does in software (HF-CK3).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_ring.h>

#include "io/ethdev.h"
#include "io/mend.h"
#include "io/port.h"
#include "io/rss.h"
#include "io/steer.h"
#include "io/why.h"

#define CACHE 512 /* mbufs that a core keeps to itself, at most */
#define DEVICES 2
#define RINGS (2 * RTE_PMD_RING_MAX_RX_RINGS)

struct port_share {
	struct rte_mempool *pool;
	struct rte_ring *rings[RINGS];
	uint16_t devices[DEVICES];
	unsigned ring_count, device_count;
	struct steer *steer; /* NULL: frames need none */
	struct gate *gate;   /* NULL: bursts need none */
	unsigned holds;	     /* the ports', and the maker's */
	unsigned ports;	     /* that were made */
	uint32_t received;   /* mbufs that the devices' queues hold for what they receive */
	uint16_t mtu;	     /* of the largest packets */
};

/* ---- What ports share -------------------------------------------------------------------- */

/* Where mbufs may cross pages the pool tells no IOVA; without hugepages that is the address itself. */
static void mbuf_ready(struct rte_mempool *pool, void *argument, void *object, unsigned i)
{
	struct rte_mbuf *m = object;

	(void)argument, (void)i;
	if (pool->flags & RTE_MEMPOOL_F_NO_IOVA_CONTIG)
		rte_mbuf_iova_set(m, (rte_iova_t)(uintptr_t)m->buf_addr);
	memset(m->buf_addr, PORT_CANARY, m->buf_len);
}

/* EAL takes the memory back and may write all of it. */
static void poison_leave(struct rte_mempool *pool, void *argument, void *object, unsigned i)
{
	const struct rte_mbuf *m = object;

	(void)pool, (void)argument, (void)i;
	poison_lift(m);
}

static void memory_unwatch(struct rte_mempool *pool, void *argument, struct rte_mempool_memhdr *at,
			   unsigned i)
{
	(void)pool, (void)argument, (void)i;
	poison_unwatch(at->addr, at->len);
}

/*
 * rte_pktmbuf_pool_create, but that mbufs may cross pages where pages are small. It would put one on
 * each 4 KiB page: nearly twice the memory, and all headers in the same few sets of the first cache.
 * Taking, touching and freeing one is 17 cycles instead of 50.
 */
static struct rte_mempool *pool_make(const char *name, uint32_t mbufs, uint32_t cache, uint16_t mtu)
{
	const uint16_t octets = (uint16_t)(RTE_PKTMBUF_HEADROOM + hf_frame_room(mtu));
	const unsigned flags = rte_eal_has_hugepages() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
	struct rte_pktmbuf_pool_private room = { .mbuf_data_room_size = octets };
	struct rte_mempool *pool =
		rte_mempool_create_empty(name, mbufs, sizeof(struct rte_mbuf) + octets, cache,
					 sizeof(room), SOCKET_ID_ANY, flags);
	int error;

	if (pool == NULL)
		return NULL;
	error = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
	rte_pktmbuf_pool_init(pool, &room);
	if (error == 0)
		error = RTE_MIN(rte_mempool_populate_default(pool), 0);
	if (error != 0) {
		rte_mempool_free(pool);
		rte_errno = -error;
		return NULL;
	}
	rte_mempool_mem_iter(pool, memory_unwatch, NULL);
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	rte_mempool_obj_iter(pool, mbuf_ready, NULL);
	return pool;
}

int port_share_make(const char *name, uint32_t mbufs, uint16_t mtu, struct port_share **share,
		    struct hf_error *why)
{
	struct port_share *made;

	if (mtu > HF_MTU_MAX)
		return why_say(why, -EINVAL, "%s: mtu is %u: %d at most", name, mtu, HF_MTU_MAX);
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return why_say(why, -ENOMEM, "%s: no memory", name);
	made->holds = 1;
	made->mtu = mtu > RTE_ETHER_MTU ? mtu : RTE_ETHER_MTU;
	/* Few enough in the cores' caches that a small pool can still be used to its end. */
	made->pool = pool_make(name, mbufs, RTE_MIN(mbufs / 16, (uint32_t)CACHE), made->mtu);
	if (made->pool == NULL) {
		const int error = rte_errno == ENOBUFS ? ENOMEM : rte_errno;

		port_share_drop(made);
		return why_say(why, -error, "%s: no pool of %u mbufs: %s; give EAL more memory",
			       name, mbufs, rte_strerror(error));
	}
	*share = made;
	return 0;
}

/* What still lies in it may refer to text that others wait for. */
static void ring_free(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_sc_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void port_share_drop(struct port_share *share)
{
	if (--share->holds > 0)
		return;
	if (share->gate != NULL) {
		gate_end(share->gate);
		share->device_count = 0;
	}
	for (unsigned i = 0; i < share->device_count; i++) {
		struct rte_eth_dev_info info;

		rte_eth_promiscuous_disable(share->devices[i]);
		rte_eth_dev_stop(share->devices[i]);
		if (rte_eth_dev_info_get(share->devices[i], &info) == 0)
			rte_dev_remove(info.device);
	}
	for (unsigned i = 0; i < share->ring_count; i++)
		ring_free(share->rings[i]);
	steer_free(share->steer);
	if (share->pool != NULL)
		rte_mempool_obj_iter(share->pool, poison_leave, NULL);
	rte_mempool_free(share->pool);
	free(share);
}

struct rte_ring *port_share_ring(struct port_share *share, const char *name, uint32_t size)
{
	struct rte_ring *ring;

	assert(share->ring_count < RINGS);
	ring = rte_ring_create(name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (ring != NULL)
		share->rings[share->ring_count++] = ring;
	return ring;
}

void port_share_steer(struct port_share *share, struct steer *steer, struct hf_port **ports,
		      unsigned queues)
{
	share->steer = steer;
	for (unsigned i = 0; i < queues; i++)
		ports[i]->steer = steer;
}

/* ---- Ports ------------------------------------------------------------------------------- */

/* A locally administered address, the same for the same name (FNV-1a). */
static void mac_from_name(const char *name, uint8_t mac[6])
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	mac[0] = 0x02;
	mac[1] = 0x00;
	memcpy(mac + 2, &hash, sizeof(hash));
}

int port_make(struct port_share *share, enum port_kind kind, const char *name,
	      struct hf_port **port, struct hf_error *why)
{
	struct hf_port *made = aligned_alloc(alignof(struct hf_port), sizeof(*made));

	if (made == NULL)
		return why_say(why, -ENOMEM, "%s: no memory", name);
	*made = (struct hf_port){
		.kind = kind,
		.pool = share->pool,
		.share = share,
		.mtu = share->mtu,
	};
	mac_from_name(name, made->mac);
	share->holds++;
	share->ports++;
	*port = made;
	return 0;
}

uint32_t port_share_mbufs(const struct hf_port *port)
{
	const struct port_share *const share = port->share;
	const uint32_t size = share->pool->size, least = size / 4;
	const uint32_t queues = share->received; /* and as many for what they have sent */

	return (queues < (size - least) / 2 ? size - 2 * queues : least) / share->ports;
}

void hf_port_free(struct hf_port *port)
{
	if (port == NULL)
		return;
	memport_free(port->mem);
	port_share_drop(port->share);
	free(port);
}

/* Whatever a tap's other end sends comes here. */
void port_station(const struct hf_port *port, const uint8_t mac[6])
{
	static const char *const unfiltered[] = { "net_tap" };
	struct rte_ether_addr address;
	struct rte_eth_dev_info info;

	if (port->kind == PORT_MEMORY || memcmp(mac, port->mac, 6) == 0 ||
	    rte_eth_dev_info_get(port->id, &info) != 0 ||
	    ethdev_driver_in(info.driver_name, unfiltered, RTE_DIM(unfiltered)))
		return;
	memcpy(address.addr_bytes, mac, 6);
	if (rte_eth_dev_mac_addr_add(port->id, &address, 0) != 0)
		rte_eth_promiscuous_enable(port->id); /* others' frames are dropped (HF-E2) */
}

/* What has no switch for all groups, such as af_packet, gets by its device's filter only what others have joined. */
void port_groups(const struct hf_port *port)
{
	if (port->kind != PORT_MEMORY && rte_eth_allmulticast_get(port->id) != 1)
		rte_eth_promiscuous_enable(port->id);
}

uint64_t hf_port_missed(const struct hf_port *port)
{
	struct rte_eth_stats stats;

	switch (port->kind) {
	case PORT_ETHDEV:
	case PORT_GATED:
		if (rte_eth_stats_get(port->id, &stats) != 0)
			return 0;
		return stats.imissed + stats.rx_nombuf;
	case PORT_MEMORY:
		return memport_missed(port->mem);
	}
	return 0;
}

/* Frames under way in a ring are counted too: nobody has freed them. */
uint32_t hf_port_mbufs_used(const struct hf_port *port)
{
	return rte_mempool_in_use_count(port->pool);
}

/* ---- Devices ----------------------------------------------------------------------------- */

/* What was wished, or what suits the device. */
static enum hf_steering steering_of(const struct rte_eth_dev_info *info, const struct hf_steer *wish)
{
	static const char *const joined[] = { "net_ring", "net_memif", "net_virtio_user" };

	if (wish->steering != HF_STEERING_AUTO)
		return wish->steering;
	if (ethdev_driver_in(info->driver_name, joined, RTE_DIM(joined)))
		return HF_STEERING_QUEUE;
	return rss_offered(info) ? HF_STEERING_RSS : HF_STEERING_SOFTWARE;
}

/* The device runs; how do its frames find their worker? RSS is believed only as read back. */
static int device_steer(struct port_share *share, uint16_t id, const struct rte_eth_dev_info *info,
			unsigned queues, const struct hf_steer *wish, const uint8_t *key,
			struct hf_port **ports, struct hf_error *why)
{
	struct steer_table table = { .reta_size = 0 };
	enum hf_steering steering = steering_of(info, wish);
	struct steer *steer;
	int error = 0;

	if (steering == HF_STEERING_RSS) {
		error = rss_read(id, info, queues, key, &table, why);
		if (error != 0 && wish->steering == HF_STEERING_RSS)
			return error;
		if (error != 0)
			steering = HF_STEERING_SOFTWARE;
	}
	if (steering != HF_STEERING_RSS) {
		table.reta_size = 0;
		error = steer_table_make(wish, queues, &table, why);
	}
	if (error == 0)
		error = steer_make(steering, wish, &table, queues, &steer, why);
	if (error == 0)
		port_share_steer(share, steer, ports, queues);
	return error;
}

/* The driver may do behind the workers' backs what they must not see. */
static int device_gate(struct port_share *share, uint16_t id, struct hf_port **ports,
		       unsigned queues, struct hf_error *why)
{
	share->gate = gate_make(id, (uint16_t)queues);
	if (share->gate == NULL)
		return why_say(why, -ENOMEM, "no memory for a gate");
	for (unsigned i = 0; i < queues; i++) {
		ports[i]->kind = PORT_GATED;
		ports[i]->gate = share->gate;
	}
	return 0;
}

int port_start(struct port_share *share, uint16_t id, unsigned queues, const struct hf_steer *steer,
	       struct hf_port **ports, struct hf_error *why)
{
	const bool steered = steer != NULL && queues > 1;
	char name[RTE_ETH_NAME_MAX_LEN] = "";
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint8_t key[RSS_KEY_MAX];
	uint16_t made = 0;
	int error;

	assert(share->device_count < DEVICES);
	rte_eth_dev_get_name_by_port(id, name);
	error = rte_eth_dev_info_get(id, &info);
	if (error != 0)
		return why_say(why, error, "%s says nothing of itself", name);
	if (queues > info.max_rx_queues || queues > info.max_tx_queues)
		return why_say(why, -EINVAL, "%s has %u queues, not %u: use fewer cores", name,
			       RTE_MIN(info.max_rx_queues, info.max_tx_queues), queues);
	if (share->mtu > ethdev_mtu(&info))
		return why_say(why, -EINVAL,
			       "%s carries packets of %u octets at most, not %u: lower mtu", name,
			       ethdev_mtu(&info), share->mtu);
	conf = ethdev_conf(&info, share->mtu);
	if (steered && steering_of(&info, steer) == HF_STEERING_RSS) {
		error = rss_conf(&info, steer, key, &conf, why);
		if (error != 0)
			return error;
	}
	error = ethdev_start(id, queues, share->pool, &conf, name, why);
	if (error != -EALREADY) /* else others run it */
		share->devices[share->device_count++] = id;
	share->received = rte_mempool_in_use_count(share->pool);
	while (error == 0 && made < queues) {
		error = port_make(share, PORT_ETHDEV, name, &ports[made], why);
		if (error != 0)
			break;
		ethdev_describe(ports[made], id, made, (uint16_t)queues, &conf, &info);
		made++;
	}
	if (error == 0 && steered)
		error = device_steer(share, id, &info, queues, steer, key, ports, why);
	if (error == 0 && strcmp(info.driver_name, "net_memif") == 0)
		error = device_gate(share, id, ports, queues, why);
	while (error != 0 && made > 0)
		hf_port_free(ports[--made]);
	return error;
}

int port_open(uint16_t id, const struct hf_device *device, struct hf_port **ports,
	      struct hf_error *why)
{
	const unsigned queues = device->queues > 0 ? device->queues : 1;
	char name[RTE_ETH_NAME_MAX_LEN] = "";
	struct port_share *share;
	int error;

	if (!rte_eth_dev_is_valid_port(id))
		return why_say(why, -EINVAL, "there is no device %u", id);
	rte_eth_dev_get_name_by_port(id, name);
	error = port_share_make(name, device->mbufs, device->mtu, &share, why);
	if (error != 0)
		return error;
	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): no error, so there is one */
	error = port_start(share, id, queues, &device->steer, ports, why);
	port_share_drop(share);
	return error;
}

int hf_port_open(const struct hf_device *device, struct hf_port **ports, struct hf_error *why)
{
	char line[MEND_ROOM];
	uint16_t id;

	if (rte_eth_dev_get_port_by_name(device->name, &id) != 0)
		return why_say(why, -ENODEV, "device %s: EAL has no such port, and %u in all; %s",
			       device->name, rte_eth_dev_count_avail(),
			       mend_line(device->name, "", line, sizeof(line)));
	return port_open(id, device, ports, why);
}

unsigned hf_port_queue(const struct hf_port *port)
{
	return port->queue;
}

bool hf_port_link(const struct hf_port *port)
{
	struct rte_eth_link link = { 0 };

	if (port->kind == PORT_MEMORY)
		return true;
	return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}
