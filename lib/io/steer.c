/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steering of a device: its key, its table, its rings. Called by port.c and memport.c at set-up; what
 * workers do with it in a turn is in handover.c.
 */
#include "io/steer.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <rte_errno.h>
#include <rte_mbuf_dyn.h>

#include "io/memory.h"
#include "io/why.h"
#include "io/worker.h"

#define TABLE 512 /* entries, where no device has one: even shares for any number of workers */

static int key_draw(struct steer_table *table, struct hf_error *why)
{
	const unsigned bits = (unsigned)__builtin_ctz(table->reta_size);
	struct toeplitz toeplitz;

	do {
		if (getrandom(table->key, sizeof(table->key), 0) != (ssize_t)sizeof(table->key))
			return why_say(why, -EIO, "getrandom gives no key for steering");
		toeplitz_init(&toeplitz, table->key);
	} while (!toeplitz_spreads(&toeplitz, bits));
	return 0;
}

int steer_table_make(const struct hf_steer *config, unsigned workers, struct steer_table *table,
		     struct hf_error *why)
{
	if (table->reta_size == 0)
		table->reta_size = TABLE;
	if (workers > table->reta_size)
		return why_say(why, -EINVAL, "%u workers are too many to steer to: %u at most",
			       workers, table->reta_size);
	for (uint32_t i = 0; i < table->reta_size; i++)
		table->reta[i] = (uint16_t)(i % workers);
	if (config->key == NULL)
		return key_draw(table, why);
	if (config->key_len < TOEPLITZ_KEY)
		return why_say(why, -EINVAL, "the key for steering has %u octets: give %u or more",
			       config->key_len, TOEPLITZ_KEY);
	memcpy(table->key, config->key, TOEPLITZ_KEY);
	return 0;
}

enum hf_steering hf_port_steering(const struct hf_port *port)
{
	return port->steer != NULL ? port->steer->steering :
	       port->queues > 1	   ? HF_STEERING_QUEUE :
				     HF_STEERING_AUTO;
}

const char *hf_steering_name(enum hf_steering steering)
{
	switch (steering) {
	case HF_STEERING_AUTO:
		break;
	case HF_STEERING_QUEUE:
		return "queue";
	case HF_STEERING_RSS:
		return "rss";
	case HF_STEERING_SOFTWARE:
		return "software";
	}
	return "none";
}

unsigned hf_port_home(const struct hf_port *port, const struct hf_addr *local,
		      const struct hf_addr *peer)
{
	struct flow flow;

	if (port->steer == NULL)
		return port->queue;
	flow_of(local, peer, &flow);
	return steer_home(port->steer, &flow);
}

static struct rte_ring *ring_at(const struct steer *steer, unsigned i)
{
	return (struct rte_ring *)(steer->rings + i * steer->ring_octets);
}

/* Flags that no driver sets. */
static int flags_register(struct steer *steer, struct hf_error *why)
{
	static const struct rte_mbuf_dynflag flags[2] = { { .name = "handfast_dynflag_shared" },
							  { .name = "handfast_dynflag_word" } };
	const int shared = rte_mbuf_dynflag_register(&flags[0]);
	const int word = rte_mbuf_dynflag_register(&flags[1]);

	if (shared < 0 || word < 0)
		return why_say(why, -rte_errno, "no mbuf flags are left for steering: %s",
			       rte_strerror(rte_errno));
	steer->shared = 1ull << shared;
	steer->word = 1ull << word;
	return 0;
}

static int secrets_draw(struct steer *steer, struct hf_error *why)
{
	uint8_t random[SECRETS_OCTETS];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return why_say(why, -EIO, "getrandom gives no secrets");
	secrets_fill(&steer->secrets, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
	return 0;
}

int steer_make(enum hf_steering steering, const struct hf_steer *config,
	       const struct steer_table *table, unsigned workers, struct steer **steer,
	       struct hf_error *why)
{
	const uint32_t size = config->ring != 0 ? config->ring : STEER_RING;
	const size_t head = RTE_ALIGN_CEIL(sizeof(struct steer), RTE_CACHE_LINE_SIZE);
	const ssize_t ring_octets = rte_ring_get_memsize(size);
	struct steer *made;
	size_t octets;
	int rc;

	if (size < 2 || ring_octets < 0)
		return why_say(why, -EINVAL, "a ring between workers holds a power of two, not %u",
			       size);
	octets = head + (size_t)ring_octets * workers * workers;
	made = memory_take(octets);
	if (made == NULL)
		return why_say(why, -ENOMEM, "no memory for rings between %u workers", workers);
	made->steering = steering;
	made->workers = workers;
	made->octets = octets;
	made->ring_octets = (size_t)ring_octets;
	made->rings = (uint8_t *)made + head;
	made->reta_mask = table->reta_size - 1;
	memcpy(made->reta, table->reta, sizeof(made->reta));
	toeplitz_init(&made->toeplitz, table->key);
	for (unsigned i = 0; i < workers * workers; i++)
		rte_ring_init(ring_at(made, i), "steer", size, RING_F_SP_ENQ | RING_F_SC_DEQ);
	poison_unwatch(made->rings, octets - head); /* others count what is in them (hf_levels) */
	rc = flags_register(made, why);
	if (rc == 0)
		rc = secrets_draw(made, why);
	if (rc != 0) {
		steer_free(made);
		return rc;
	}
	*steer = made;
	return 0;
}

void steer_free(struct steer *steer)
{
	void *m;

	if (steer == NULL)
		return;
	for (unsigned i = 0; i < steer->workers * steer->workers; i++)
		while (rte_ring_sc_dequeue(ring_at(steer, i), &m) == 0)
			rte_pktmbuf_free(m);
	explicit_bzero(&steer->secrets, sizeof(steer->secrets));
	memory_give(steer, steer->octets);
}
