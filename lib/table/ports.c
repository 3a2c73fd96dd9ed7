/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports for active opens: two rings a list and two bits a port. Calls are O(1), amortised:
 * an entry gone stale in the waiting ring costs one step, once, to drop. A port that never waits is
 * never looked up in the bits, which are a cache miss each. RFC 6056 3.3, TW-A7. */
#include "table/ports.h"

#include <assert.h>
#include <errno.h>

#include "table/pow2.h"

#define FIRST_FEW 8u /* ports at the head of the free ring that the next one is drawn from */
#define DROPS 2	     /* stale entries dropped when a port is released: more than come */

enum port_state {
	PORT_FOREIGN, /* not one of this list */
	PORT_OURS,    /* in the free ring, in use, or being tried */
	PORT_WAITING, /* in TIME-WAIT; most likely in the waiting ring */
};

static enum port_state state_get(const struct port_list *list, uint16_t port)
{
	const uint32_t i = (uint32_t)port - list->first;

	if (port < list->first || port > list->last)
		return PORT_FOREIGN;
	return (enum port_state)(list->states[i / 16] >> i % 16 * 2 & 3);
}

static void state_set(struct port_list *list, uint16_t port, enum port_state state)
{
	const uint32_t i = (uint32_t)port - list->first;
	const uint32_t shift = i % 16 * 2;

	list->states[i / 16] = (list->states[i / 16] & ~(3u << shift)) | (uint32_t)state << shift;
}

/* A random number below bound (at most 256). A draw takes an octet, SipHash gives eight. */
static uint32_t draw_below(struct port_list *list, uint32_t bound)
{
	if (list->draws % 8 == 0)
		list->random = siphash13(list->key, (const uint64_t[]){ list->draws }, 1);
	else
		list->random >>= 8;
	list->draws++;
	return (uint32_t)(list->random & 0xff) * bound >> 8;
}

/* To the tail of the free ring. Ports come in the order of their release, so two positions are all
 * it takes to tell which came less than two ticks ago. */
static void free_push(struct port_list *list, uint16_t port, uint32_t now_ms)
{
	if (now_ms != list->released_ms) {
		const bool next_tick = now_ms - list->released_ms == 1;

		list->from_prior = next_tick ? list->from_released : list->free_tail;
		list->from_released = list->free_tail;
		list->released_ms = now_ms;
	}
	list->free[list->free_tail++ & list->mask] = port;
}

/* How many ports at the head of the free ring came at least two ticks ago. */
static uint32_t free_ripe(const struct port_list *list, uint32_t now_ms)
{
	const uint32_t age = now_ms - list->released_ms;
	const uint32_t end = age == 0 ? list->from_prior :
			     age == 1 ? list->from_released :
					list->free_tail;

	/* The head is past the end when the tick counter has come round to released_ms. */
	return (int32_t)(end - list->free_head) > 0 ? end - list->free_head : 0;
}

/* Brings one of the ripe ports to the head, unless one is there. */
static uint16_t free_choose(struct port_list *list, uint32_t ripe)
{
	uint16_t *const head = &list->free[list->free_head & list->mask];

	if (!list->drawn) {
		const uint32_t pick = draw_below(list, ripe < FIRST_FEW ? ripe : FIRST_FEW);
		uint16_t *const chosen = &list->free[(list->free_head + pick) & list->mask];
		const uint16_t port = *chosen;

		*chosen = *head;
		*head = port;
		list->drawn = true;
	}
	return *head;
}

bool ports_draw(struct port_list *list, uint32_t now_ms, uint16_t *port)
{
	const uint32_t ripe = free_ripe(list, now_ms);

	if (ripe == 0)
		return false;
	*port = free_choose(list, ripe);
	return true;
}

/* The head of the free ring goes. */
static void free_pop(struct port_list *list)
{
	list->free_head++;
	list->drawn = false;
}

static bool waiting_empty(const struct port_list *list)
{
	return list->waiting_head == list->waiting_tail;
}

static uint16_t waiting_first(const struct port_list *list)
{
	return list->waiting[list->waiting_head & list->mask];
}

int ports_next(struct port_list *list, uint32_t now_ms, uint32_t delay_ms, bool waiting_allowed,
	       struct port_candidate *c)
{
	const uint32_t ripe = free_ripe(list, now_ms);

	c->now_ms = now_ms;
	c->from_waiting = ripe == 0;
	if (ripe != 0 && c->steps < PORT_STEPS) {
		c->steps++;
		c->port = free_choose(list, ripe);
		return 0;
	}
	while (waiting_allowed && !waiting_empty(list) && c->steps < PORT_STEPS) {
		c->steps++;
		c->port = waiting_first(list);
		if (state_get(list, c->port) != PORT_WAITING) {
			list->waiting_head++;
			continue;
		}
		if (now_ms - list->entered[list->waiting_head & list->mask] > delay_ms)
			return 0;
		break;
	}
	return -EADDRNOTAVAIL;
}

void ports_take(struct port_list *list, const struct port_candidate *c)
{
	if (c->from_waiting) {
		assert(waiting_first(list) == c->port);
		list->waiting_head++;
		state_set(list, c->port, PORT_OURS);
	} else {
		assert(list->free[list->free_head & list->mask] == c->port);
		free_pop(list);
	}
}

void ports_skip(struct port_list *list, const struct port_candidate *c)
{
	if (c->from_waiting) {
		assert(waiting_first(list) == c->port);
		list->waiting_head++;
	} else {
		assert(list->free[list->free_head & list->mask] == c->port);
		free_pop(list);
		free_push(list, c->port, c->now_ms);
	}
}

void ports_return(struct port_list *list, uint16_t port, uint32_t now_ms)
{
	free_push(list, port, now_ms);
}

void ports_release(struct port_list *list, uint16_t port, uint32_t now_ms)
{
	if (state_get(list, port) != PORT_WAITING)
		return;
	state_set(list, port, PORT_OURS);
	free_push(list, port, now_ms);
	/* Buckets go in the order they came, so this port's entry is most often the waiting ring's
	 * first: the ring stays as short as what waits, and a search seldom meets a stale entry. */
	for (int i = 0; i < DROPS && !waiting_empty(list) &&
			state_get(list, waiting_first(list)) != PORT_WAITING;
	     i++)
		list->waiting_head++;
}

void ports_claim(struct port_list *list, uint16_t port)
{
	if (state_get(list, port) == PORT_WAITING)
		state_set(list, port, PORT_OURS);
}

void ports_wait(struct port_list *list, uint16_t port, uint32_t now_ms)
{
	if (state_get(list, port) == PORT_FOREIGN)
		return;
	/* Full: one entry a port and one more, so some are stale. Should the oldest not be, then
	 * its port is only not reused early: it is the next to expire, and comes back by that. */
	if (list->waiting_tail - list->waiting_head > list->mask)
		list->waiting_head++;
	list->waiting[list->waiting_tail & list->mask] = port;
	list->entered[list->waiting_tail++ & list->mask] = now_ms;
	state_set(list, port, PORT_WAITING);
}

#define LISTS_MAX 32768u

static size_t aligned(size_t octets)
{
	return (octets + 63) & ~(size_t)63;
}

static uint32_t index_size(uint32_t lists)
{
	return (uint32_t)pow2_from(16, lists * 2); /* at most half full */
}

static uint32_t ring_size(uint16_t first, uint16_t last)
{
	return (uint32_t)pow2_from(16, (uint32_t)last - first + 1);
}

/* Two rings of ports, when each waiting one entered, two bits a port: 8.25 octets a place. */
static size_t rings_octets(uint32_t size)
{
	return aligned((size_t)size * 8 + size / 4);
}

size_t ports_memory(uint32_t lists, uint16_t first, uint16_t last)
{
	return aligned(lists * sizeof(struct port_list)) +
	       aligned(index_size(lists) * sizeof(uint16_t)) +
	       lists * rings_octets(ring_size(first, last));
}

int ports_init(struct ports *ports, void *memory, uint32_t lists, uint16_t first, uint16_t last,
	       const struct secrets *secrets)
{
	uint8_t *index;

	if (first == 0 || first > last || lists == 0 || lists > LISTS_MAX)
		return -EINVAL;
	index = (uint8_t *)memory + aligned(lists * sizeof(struct port_list));
	*ports = (struct ports){
		.secrets = secrets,
		.max = lists,
		.index_mask = index_size(lists) - 1,
		.first = first,
		.last = last,
		.rings = index + aligned(index_size(lists) * sizeof(uint16_t)),
		.ring_octets = rings_octets(ring_size(first, last)),
		.lists = memory,
		.index = (uint16_t *)index,
	};
	return 0;
}

void ports_filter(struct ports *ports, bool (*mine)(void *arg, const struct flow *flow), void *arg)
{
	ports->mine = mine;
	ports->arg = arg;
}

/* Fills the free ring with the list's ports in keyed random order (Fisher, Yates; inside out). */
static void list_fill(const struct ports *ports, struct port_list *list)
{
	struct flow flow = list->flow;

	for (uint32_t port = list->first; port <= list->last; port++) {
		uint32_t place;

		flow_set_local_port(&flow, (uint16_t)port);
		if (ports->mine != NULL && !ports->mine(ports->arg, &flow))
			continue;
		place = (uint32_t)(siphash24(list->key, (const uint64_t[]){ port }, 1) %
				   (list->free_tail + 1));
		list->free[list->free_tail++] = list->free[place];
		list->free[place] = (uint16_t)port;
		state_set(list, (uint16_t)port, PORT_OURS);
	}
	/* None of them counts as just released. */
	list->from_released = list->from_prior = list->free_tail;
}

static void list_make(const struct ports *ports, struct port_list *list, const struct flow *flow)
{
	const uint32_t size = ring_size(ports->first, ports->last);
	uint8_t *const rings = ports->rings + ports_number(ports, list) * ports->ring_octets;
	struct flow other = *flow;

	flow_set_local_port(&other, 1);
	*list = (struct port_list){
		.entered = (uint32_t *)rings,
		.states = (uint32_t *)rings + size,
		.free = (uint16_t *)(rings + (size_t)size * 4 + size / 4),
		.waiting = (uint16_t *)(rings + (size_t)size * 6 + size / 4),
		.mask = size - 1,
		.first = ports->first,
		.last = ports->last,
		.key = { flow_prf(ports->secrets->ports, flow),
			 flow_prf(ports->secrets->ports, &other) },
		.flow = *flow,
		.ts_offset = ts_offset(ports->secrets, flow),
	};
	list_fill(ports, list);
}

struct port_list *ports_list(struct ports *ports, const struct flow *flow, bool create)
{
	struct flow key = *flow;
	struct port_list *list;
	uint32_t i;

	flow_set_local_port(&key, 0);
	for (i = (uint32_t)flow_hash(ports->secrets, &key) & ports->index_mask;
	     ports->index[i] != 0; i = (i + 1) & ports->index_mask) {
		list = &ports->lists[ports->index[i] - 1];
		if (list->flow.version == key.version && tuple_is(&list->flow.v4, &key))
			return list;
	}
	if (!create || ports->count == ports->max)
		return NULL;
	list = &ports->lists[ports->count++];
	list_make(ports, list, &key);
	ports->index[i] = (uint16_t)ports->count;
	return list;
}
