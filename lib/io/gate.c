/* SPDX-License-Identifier: BSD-3-Clause */
/* The taking of turns: the interrupt thread's side, and the bursts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_dev.h>

#include "io/listener.h"
#include "io/port.h"

#define HOLD_US 5000 /* as late as this a peer's leaving may be noticed */
#define STEP_US 500  /* ... and the end of the run */
#define LOOK_US 1000 /* for a peer, while there is none */
#define PASS_US \
	100 /* less, and EAL finds the next alarm due before it has looked at anything else */
#define WAIT_US 10

static bool peer_there(const struct gate *gate)
{
	struct rte_eth_link link = { .link_status = RTE_ETH_LINK_DOWN };

	return rte_eth_link_get_nowait(gate->device, &link) == 0 &&
	       link.link_status == RTE_ETH_LINK_UP;
}

/* From here on no burst is under way, and none begins. */
static void shut(struct gate *gate, enum gate_state state)
{
	atomic_store(&gate->state, state);
	for (unsigned i = 0; i < gate->queues; i++)
		while (atomic_load(&gate->sides[i].inside))
			usleep(WAIT_US);
}

static void remove_device(const struct gate *gate)
{
	struct rte_eth_dev_info info;

	rte_eth_dev_stop(gate->device);
	if (rte_eth_dev_info_get(gate->device, &info) == 0)
		rte_dev_remove(info.device);
}

/* The alarm. Between two of them the thread goes once around its devices. */
static void hold(void *argument)
{
	struct gate *const gate = argument;
	const bool up = peer_there(gate);

	if (up)
		atomic_store(&gate->state, GATE_OPEN);
	for (unsigned us = 0; up && us < HOLD_US && !atomic_load(&gate->ending); us += STEP_US)
		usleep(STEP_US);
	shut(gate, up ? GATE_PAUSED : GATE_DOWN);
	if (atomic_load(&gate->ending)) {
		listener_mind(false);
		remove_device(gate);
		atomic_store(&gate->ended, true);
		return;
	}
	while (rte_eal_alarm_set(up ? PASS_US : LOOK_US, hold, gate) != 0)
		usleep(STEP_US);
}

struct gate *gate_make(uint16_t device, uint16_t queues)
{
	const size_t octets = sizeof(struct gate) + queues * sizeof(struct gate_side);
	struct gate *gate = aligned_alloc(RTE_CACHE_LINE_SIZE, octets);

	if (gate == NULL)
		return NULL;
	memset(gate, 0, octets);
	atomic_init(&gate->state, GATE_DOWN);
	gate->device = device;
	gate->queues = queues;
	listener_mind(true);
	if (rte_eal_alarm_set(1, hold, gate) == 0)
		return gate;
	listener_mind(false);
	free(gate);
	return NULL;
}

void gate_end(struct gate *gate)
{
	atomic_store(&gate->ending, true);
	while (!atomic_load(&gate->ended))
		usleep(STEP_US);
	free(gate);
}

/* ---- The workers ------------------------------------------------------------------------- */

uint16_t port_receive_gated(struct hf_port *port, struct rte_mbuf **rx, uint16_t n)
{
	if (!gate_enter(port->gate, port->queue))
		return 0;
	n = rte_eth_rx_burst(port->id, port->queue, rx, n);
	gate_leave(port->gate, port->queue);
	return n;
}

uint16_t port_transmit_gated(struct hf_port *port, struct rte_mbuf **tx, uint16_t n)
{
	if (!gate_enter(port->gate, port->queue)) {
		while (atomic_load(&port->gate->state) == GATE_PAUSED) /* what is not taken is lost */
			usleep(WAIT_US);
		return 0;
	}
	n = rte_eth_tx_burst(port->id, port->queue, tx, n);
	gate_leave(port->gate, port->queue);
	return n;
}
