/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries in buckets by keyed hash; on a list by age, from which the oldest goes; and, while something
 * is asked or has failed, on a list by tick: every wait is one second, so it is sorted as it grows. */
#include "table/neigh.h"

#include <assert.h>
#include <string.h>

#include "table/pow2.h"
#include "table/siphash.h"

#define LINE 64
#define ENTRY(link, member) ((struct neigh *)((char *)(link)-offsetof(struct neigh, member)))

static void link_out(struct neigh_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->next = l->prev = l;
}

static void link_last(struct neigh_link *list, struct neigh_link *l)
{
	link_out(l);
	l->prev = list->prev;
	l->next = list;
	l->prev->next = l;
	list->prev = l;
}

static void link_init(struct neigh_link *l)
{
	l->next = l->prev = l;
}

static uint32_t bucket_count(uint32_t size)
{
	return (uint32_t)pow2_from(1, size);
}

static size_t entry_octets(uint32_t size)
{
	return (size * sizeof(struct neigh) + LINE - 1) / LINE * LINE;
}

size_t neigh_memory(uint32_t size)
{
	return entry_octets(size) + bucket_count(size) * sizeof(struct neigh *);
}

void neigh_init(struct neighbours *t, void *memory, uint32_t size, const uint64_t key[2])
{
	*t = (struct neighbours){
		.at = memory,
		.buckets = (struct neigh **)((char *)memory + entry_octets(size)),
		.key = { key[0], key[1] },
		.size = size,
		.mask = bucket_count(size) - 1,
	};
	link_init(&t->ages);
	link_init(&t->dues);
	for (uint32_t i = size; i-- > 0;) {
		t->at[i].next = t->unused;
		t->unused = &t->at[i];
	}
}

static struct neigh **bucket_of(const struct neighbours *t, uint8_t version,
				const uint32_t address[4])
{
	uint64_t words[3] = { [2] = version };

	memcpy(words, address, 16);
	return &t->buckets[siphash13(t->key, words, 3) & t->mask];
}

static bool is(const struct neigh *n, uint8_t version, const uint32_t address[4])
{
	return n->version == version && memcmp(n->address, address, 16) == 0;
}

struct neigh *neigh_find(struct neighbours *t, uint8_t version, const uint32_t address[4])
{
	struct neigh *n = t->last;

	if (n != NULL && is(n, version, address))
		return n;
	n = *bucket_of(t, version, address);
	while (n != NULL && !is(n, version, address))
		n = n->next;
	if (n != NULL)
		t->last = n;
	return n;
}

struct neigh *neigh_add(struct neighbours *t, uint8_t version, const uint32_t address[4],
			bool permanent)
{
	struct neigh **const bucket = bucket_of(t, version, address);
	struct neigh *const n = t->unused;

	if (n == NULL)
		return NULL;
	t->unused = n->next;
	*n = (struct neigh){ .version = version, .permanent = permanent, .next = *bucket };
	memcpy(n->address, address, 16);
	*bucket = n;
	link_init(&n->age);
	link_init(&n->due);
	if (!permanent)
		link_last(&t->ages, &n->age);
	if (++t->used > t->peak)
		t->peak = t->used;
	return n;
}

struct neigh *neigh_oldest(struct neighbours *t)
{
	return t->ages.next == &t->ages ? NULL : ENTRY(t->ages.next, age);
}

void neigh_forget(struct neighbours *t, struct neigh *n)
{
	struct neigh **at;

	assert(n->waiting == 0);
	link_out(&n->due);
	n->state = NEIGH_IDLE;
	if (n->permanent)
		return;
	link_out(&n->age);
	at = bucket_of(t, n->version, n->address);
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	if (t->last == n)
		t->last = NULL;
	n->next = t->unused;
	t->unused = n;
	t->used--;
}

static void arm(struct neighbours *t, struct neigh *n, enum neigh_state state, uint32_t tick)
{
	n->state = (uint8_t)state;
	n->tick = tick;
	link_last(&t->dues, &n->due);
}

enum neigh_verdict neigh_use(struct neighbours *t, struct neigh *n, uint32_t now_ms, uint32_t tick,
			     bool *ask)
{
	*ask = false;
	if (!n->permanent && t->ages.prev != &n->age)
		link_last(&t->ages, &n->age);
	switch ((enum neigh_state)n->state) {
	case NEIGH_KNOWN:
		if (now_ms - n->confirmed_ms >= NEIGH_REACHABLE_MS) {
			n->tries = 1;
			arm(t, n, NEIGH_PROBE, tick);
			*ask = true;
		}
		return NEIGH_PASS;
	case NEIGH_PROBE:
		return NEIGH_PASS;
	case NEIGH_IDLE:
		n->tries = 1;
		arm(t, n, NEIGH_INCOMPLETE, tick);
		*ask = true;
		return NEIGH_HOLD;
	case NEIGH_INCOMPLETE:
		return NEIGH_HOLD;
	case NEIGH_FAILED:
		break;
	}
	return NEIGH_REFUSE;
}

/* stale: the next frame will have it asked. */
static void know(struct neigh *n, uint32_t now_ms, bool stale)
{
	link_out(&n->due);
	n->state = NEIGH_KNOWN;
	n->confirmed_ms = stale ? now_ms - NEIGH_REACHABLE_MS : now_ms;
}

bool neigh_learn(struct neigh *n, const uint8_t *mac, unsigned word, uint32_t now_ms)
{
	const bool known = neigh_is_known(n);
	const bool moved = known && mac != NULL && memcmp(mac, n->mac, 6) != 0;

	if (!known && (n->state == NEIGH_IDLE || mac == NULL || !(word & NEIGH_SOLICITED)))
		return false;
	if (moved && !(word & NEIGH_OVERRIDE)) { /* two say different things: ask the one we know */
		if (n->state == NEIGH_KNOWN)
			know(n, now_ms, true);
		return true;
	}
	if (mac != NULL)
		memcpy(n->mac, mac, 6);
	if ((word & NEIGH_SOLICITED) || moved)
		know(n, now_ms, !(word & NEIGH_SOLICITED));
	return true;
}

static bool tick_is_due(uint32_t tick, uint32_t now_ms)
{
	return (int32_t)(now_ms - tick) >= 0;
}

struct neigh *neigh_due(const struct neighbours *t, uint32_t now_ms)
{
	uint32_t tick;

	return neigh_deadline(t, &tick) && tick_is_due(tick, now_ms) ? ENTRY(t->dues.next, due) :
								       NULL;
}

bool neigh_deadline(const struct neighbours *t, uint32_t *tick)
{
	if (t->dues.next == &t->dues)
		return false;
	*tick = ENTRY(t->dues.next, due)->tick;
	return true;
}

enum neigh_expiry neigh_expire(struct neighbours *t, struct neigh *n, uint32_t tick)
{
	if (n->state == NEIGH_FAILED)
		return NEIGH_GONE;
	if (n->tries < NEIGH_TRIES) {
		n->tries++;
		arm(t, n, (enum neigh_state)n->state, tick);
		return NEIGH_ASK;
	}
	if (n->state == NEIGH_PROBE)
		return NEIGH_GONE;
	arm(t, n, NEIGH_FAILED, tick);
	return NEIGH_FAIL;
}

void neigh_postpone(struct neighbours *t, struct neigh *n, uint32_t tick)
{
	arm(t, n, NEIGH_FAILED, tick);
}

/* Links of a list, or size + 1 when it does not end. */
static uint32_t list_length(const struct neigh_link *list, uint32_t size)
{
	uint32_t n = 0;

	for (const struct neigh_link *l = list->next; l != list && n <= size; l = l->next)
		n++;
	return n;
}

bool neigh_check(const struct neighbours *t)
{
	uint32_t used = 0, ages = 0, dues = 0, unused = 0;

	for (uint32_t i = 0; i <= t->mask; i++) {
		for (const struct neigh *n = t->buckets[i]; n != NULL && used <= t->size;
		     n = n->next) {
			used++;
			ages += !n->permanent;
			dues += n->state != NEIGH_IDLE && n->state != NEIGH_KNOWN;
			if (bucket_of(t, n->version, n->address) != &t->buckets[i])
				return false;
			if (n->waiting > 0 && n->state != NEIGH_INCOMPLETE)
				return false;
		}
	}
	for (const struct neigh *n = t->unused; n != NULL && unused <= t->size; n = n->next)
		unused++;
	return used == t->used && used + unused == t->size &&
	       ages == list_length(&t->ages, t->size) && dues == list_length(&t->dues, t->size);
}
