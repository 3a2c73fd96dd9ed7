/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hf_watch has kept, as pcapng by rte_pcapng: the one file that needs that library, which is experimental.
 * It wants mbufs; so a frame goes into one of a small pool here, on the reader's thread, not on the worker's.
 */
#define ALLOW_EXPERIMENTAL_API
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_pcapng.h>
#include <rte_version.h>

#include "io/port.h"
#include "io/why.h"

#define BATCH 32

struct hf_capture {
	rte_pcapng_t *file;
	struct rte_mempool *pool; /* two for each frame: as it was, and as a block of the file */
	uint64_t cycles;	  /* of the last frame */
	uint16_t count;
	struct rte_mbuf *blocks[BATCH];
};

/* ---- Where releases of DPDK differ -------------------------------------------------------------------- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
static int add_port(struct hf_capture *c, const struct hf_port *port)
{
	return rte_pcapng_add_interface(c->file, port->id, NULL, NULL, NULL);
}

/* rte_pcapng_copy stamps the block now, in cycles, the fourth and fifth word of an enhanced packet block. */
static struct rte_mbuf *make_block(const struct hf_port *port, const struct rte_mbuf *m,
				   struct rte_mempool *pool, uint64_t cycles,
				   enum rte_pcapng_direction direction)
{
	struct rte_mbuf *const block =
		rte_pcapng_copy(port->id, port->queue, m, pool, UINT32_MAX, direction, NULL);
	uint32_t *const words = block != NULL ? rte_pktmbuf_mtod(block, uint32_t *) : NULL;

	if (words != NULL) {
		words[3] = (uint32_t)(cycles >> 32);
		words[4] = (uint32_t)cycles;
	}
	return block;
}
#else
static struct rte_mbuf *make_block(const struct hf_port *port, const struct rte_mbuf *m,
				   struct rte_mempool *pool, uint64_t cycles,
				   enum rte_pcapng_direction direction)
{
	return rte_pcapng_copy(port->id, port->queue, m, pool, UINT32_MAX, cycles, direction);
}

/* rte_pcapng_fdopen has added all there are. But the first copy in a process sets the clock, and cycles before
 * that are then told as of the year 2251: so one is copied now, as of a little later, and thrown away. */
static int add_port(struct hf_capture *c, const struct hf_port *port)
{
	struct rte_mbuf *const m = rte_pktmbuf_alloc(c->pool);

	if (m != NULL && rte_pktmbuf_append(m, RTE_ETHER_HDR_LEN) != NULL)
		rte_pktmbuf_free(make_block(port, m, c->pool,
					    rte_get_tsc_cycles() + rte_get_tsc_hz() / 2,
					    RTE_PCAPNG_DIRECTION_UNKNOWN));
	rte_pktmbuf_free(m);
	return 0;
}
#endif

/* ---- The file ------------------------------------------------------------------------------------------ */

static int write_batch(struct hf_capture *c)
{
	const uint16_t count = c->count;
	ssize_t written = 0;

	errno = 0;
	if (count > 0)
		written = rte_pcapng_write_packets(c->file, c->blocks, count);
	rte_pktmbuf_free_bulk(c->blocks, count); /* it says that it does, and does not */
	c->count = 0;
	return written >= 0 ? 0 : errno != 0 ? -errno : -EIO;
}

/* A FIFO that nobody reads is refused, not waited for. */
static int open_path(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);

	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

static int open_file(struct hf_capture *c, const char *path, struct hf_port *const *ports,
		     unsigned n, struct hf_error *why)
{
	const int fd = open_path(path);

	if (fd < 0)
		return why_say(why, -errno, "%s: %s", path,
			       errno == ENXIO ? "nobody reads it yet" : strerror(errno));
	c->file = rte_pcapng_fdopen(fd, NULL, NULL, "handfast " HF_VERSION, NULL);
	if (c->file == NULL) {
		close(fd);
		return why_say(why, -EIO, "%s: cannot be written: %s", path, strerror(errno));
	}
	for (unsigned i = 0; i < n; i++)
		if (ports[i]->queue == 0 && add_port(c, ports[i]) < 0)
			return why_say(why, -ENOMEM, "%s: no memory", path);
	return 0;
}

int hf_capture_open(const char *path, struct hf_port *const *ports, unsigned n,
		    struct hf_capture **capture, struct hf_error *why)
{
	struct hf_capture *c;
	uint16_t mtu = 0;
	int rc;

	if (n == 0)
		return why_say(why, -EINVAL, "hf_capture_open: no port");
	for (unsigned i = 0; i < n; i++) {
		mtu = (uint16_t)RTE_MAX(mtu, ports[i]->mtu);
		if (ports[i]->kind == PORT_MEMORY)
			return why_say(
				why, -EINVAL,
				"hf_capture_open: port %u is the memory port; it can be watched only",
				i);
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return why_say(why, -ENOMEM, "hf_capture_open: no memory");
	c->pool = rte_pktmbuf_pool_create(
		"capture", 4 * BATCH - 1, 0, 0,
		(uint16_t)(rte_pcapng_mbuf_size(mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN) +
			   RTE_PKTMBUF_HEADROOM),
		SOCKET_ID_ANY);
	rc = c->pool != NULL ?
		     open_file(c, path, ports, n, why) :
		     why_say(why, -ENOMEM, "hf_capture_open: no mbufs: %s", rte_strerror(rte_errno));
	if (rc < 0) {
		hf_capture_close(c);
		return rc;
	}
	*capture = c;
	return 0;
}

int hf_capture_write(struct hf_capture *c, const struct hf_port *port, const struct hf_seen *seen)
{
	const uint64_t at =
		(uint64_t)((unsigned __int128)seen->at_ns * rte_get_tsc_hz() / 1000000000);
	struct rte_mbuf *const m = rte_pktmbuf_alloc(c->pool);
	struct rte_mbuf *block = NULL;
	char *octets;

	if (m == NULL)
		return -ENOMEM;
	c->cycles = RTE_MAX(c->cycles, at); /* a clock that goes back is one more way to 2251 */
	octets = rte_pktmbuf_append(m, (uint16_t)seen->len);
	if (octets != NULL) {
		memcpy(octets, seen->octets, seen->len);
		block = make_block(port, m, c->pool, c->cycles,
				   seen->out ? RTE_PCAPNG_DIRECTION_OUT : RTE_PCAPNG_DIRECTION_IN);
	}
	rte_pktmbuf_free(m);
	if (block == NULL)
		return -ENOMEM;
	c->blocks[c->count++] = block;
	return c->count == BATCH ? write_batch(c) : 0;
}

int hf_capture_close(struct hf_capture *c)
{
	int rc = 0;

	if (c == NULL)
		return 0;
	if (c->file != NULL) {
		rc = write_batch(c);
		rte_pcapng_close(c->file);
	}
	rte_mempool_free(c->pool);
	free(c);
	return rc;
}
