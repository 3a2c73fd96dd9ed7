/* SPDX-License-Identifier: BSD-3-Clause */
/* Tuples chosen by somebody who knows the NIC's key, or how the flow table hashes but not its key, cost lookups what
 * any tuples cost (HF-GOAL-14, HF-M3, SEC-15, SEC-35): mean cache lines of a hit and of a miss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "table/flow.h"
#include "table/iss.h"
#include "table/toeplitz.h"

#define TUPLES (1u << 20)
#define FREE4 48u /* bits of a tuple that its sender chooses: address and port */
#define FREE6 144u

/* As published, and as most drivers set it. */
static const uint8_t nic_key[TOEPLITZ_KEY] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* Somebody's tuples, all different, all to one server. */
struct chooser {
	void (*choose)(struct chooser *c, struct flow *flow);
	uint8_t version;
	uint64_t n, random;
	struct secrets other;	  /* not the table's */
	struct flow basis[FREE6]; /* adding any of them leaves the NIC's hash as it is */
	unsigned rank;
};

static void flow_add(struct flow *to, const struct flow *what)
{
	uint8_t *const a = (uint8_t *)to;
	const uint8_t *const b = (const uint8_t *)what;

	for (size_t i = 0; i < offsetof(struct flow, version); i++)
		a[i] ^= b[i];
}

static struct flow server(uint8_t version)
{
	struct flow flow = { .version = version };

	if (version == 4)
		flow.v4.local = 0x0100130a, flow.v4.local_port = 80;
	else
		flow.v6.local[0] = 0xb80d0120, flow.v6.local_port = 80;
	return flow;
}

/* One bit of what the sender chooses. */
static struct flow one_bit(uint8_t version, unsigned bit)
{
	struct flow flow = { .version = version };
	const unsigned address = version == 4 ? 32 : 128;

	if (bit >= address && version == 4)
		flow.v4.remote_port = (uint16_t)(1u << (bit - address));
	else if (bit >= address)
		flow.v6.remote_port = (uint16_t)(1u << (bit - address));
	else if (version == 4)
		flow.v4.remote = 1u << bit;
	else
		flow.v6.remote[bit / 32] = 1u << bit % 32;
	return flow;
}

static void choose_at_random(struct chooser *c, struct flow *flow)
{
	const uint64_t x = random_mix(c->n++); /* one to one: no tuple comes twice */

	*flow = server(c->version);
	if (c->version == 4) {
		flow->v4.remote = (uint32_t)(x >> 16);
		flow->v4.remote_port = (uint16_t)x;
		flow->v4.local_port = (uint16_t)(x >> 48);
	} else {
		memcpy(flow->v6.remote, &x, sizeof(x));
	}
}

/* What the NIC's linear hash makes 0 of, in its low bits at least (Gauss). */
static void nic_kernel(struct chooser *c, uint32_t mask)
{
	const unsigned bits = c->version == 4 ? FREE4 : FREE6;
	struct flow row[FREE6];
	uint32_t hash[FREE6];
	struct toeplitz t;

	toeplitz_init(&t, nic_key);
	for (unsigned i = 0; i < bits; i++) {
		row[i] = one_bit(c->version, i);
		hash[i] = toeplitz_flow(&t, &row[i]) & mask;
	}
	for (unsigned i = 0; i < bits; i++) {
		if (hash[i] == 0) {
			c->basis[c->rank++] = row[i];
			continue;
		}
		for (unsigned k = i + 1; k < bits; k++)
			if (hash[k] & hash[i] & -hash[i]) {
				flow_add(&row[k], &row[i]);
				hash[k] ^= hash[i];
			}
	}
	assert_true(c->rank >= 20);
}

static void choose_for_the_nic(struct chooser *c, struct flow *flow)
{
	*flow = server(c->version);
	for (unsigned i = 0; i < 20; i++)
		if (c->n >> i & 1)
			flow_add(flow, &c->basis[i]);
	c->n++;
}

/* All in a sixteenth of the lines, if the table had that key. */
static void choose_by_another_key(struct chooser *c, struct flow *flow)
{
	do
		choose_at_random(c, flow);
	while (flow_hash(&c->other, flow) >> 60 != 0);
}

struct bed {
	struct pools pools;
	struct flow_table flows;
	void *things, *lines;
};

static void enter(struct bed *b, const struct flow *flow, uint64_t hash)
{
	const handle h = pools_take(&b->pools, KIND_CONNECTION, flow->version);

	assert_int_not_equal(h, HANDLE_NONE);
	if (flow->version == 4)
		memcpy(pools_tuple(&b->pools, h), &flow->v4, sizeof(flow->v4));
	else
		memcpy(pools_tuple(&b->pools, h), &flow->v6, sizeof(flow->v6));
	assert_int_equal(flow_insert(&b->flows, hash, h), 0);
}

/* Half of the chooser's tuples are entered, at 75 % load; the other half is missed. */
static void cost(struct chooser *c, const struct secrets *secrets, double *hit, double *miss)
{
	const size_t octets = TUPLES / 2 * (size_t)RECORD_OCTETS(6, 0);
	struct flow *const flow = calloc(TUPLES, sizeof(*flow));
	uint64_t lines[2] = { 0 };
	struct bed b = { 0 };

	b.things = aligned_alloc(64, octets);
	b.lines = aligned_alloc(64, flow_memory(TUPLES / 2));
	assert_true(flow && b.things && b.lines);
	pools_init(&b.pools, b.things);
	pool_init(&b.pools, KIND_CONNECTION, c->version, b.things, 0, TUPLES / 2);
	assert_int_equal(flow_init(&b.flows, b.lines, TUPLES / 2, &b.pools), 0);
	for (uint32_t i = 0; i < TUPLES; i++)
		c->choose(c, &flow[i]);
	for (uint32_t i = 0; i < TUPLES; i += 2)
		enter(&b, &flow[i], flow_hash(secrets, &flow[i]));
	for (uint32_t i = 0; i < TUPLES; i++)
		lines[i % 2] += flow_lines(&b.flows, flow_hash(secrets, &flow[i]), &flow[i]);
	*hit = (double)lines[0] / (TUPLES / 2);
	*miss = (double)lines[1] / (TUPLES / 2);
	free(flow);
	free(b.things);
	free(b.lines);
}

static void tuples__chosen__cost_what_any_do(void **state)
{
	static void (*const choosers[])(struct chooser *, struct flow *) = { choose_at_random,
									     choose_for_the_nic,
									     choose_by_another_key };
	struct secrets secrets;

	(void)state;
	secrets_seed(&secrets, 8);
	for (unsigned i = 0; i < 4; i++) {
		double hit[3], miss[3];

		secrets.has_aes = i % 2 == 0 && hash_has_aes();
		for (unsigned k = 0; k < 3; k++) {
			struct chooser *const c = calloc(1, sizeof(*c));

			assert_non_null(c);
			c->choose = choosers[k];
			c->version = i / 2 ? 6 : 4;
			secrets_seed(&c->other, 9);
			c->other.has_aes = secrets.has_aes;
			nic_kernel(c, c->version == 4 ? 0xfffffff : UINT32_MAX);
			cost(c, &secrets, &hit[k], &miss[k]);
			free(c);
			print_message("HF-GOAL-14: IPv%u, %s: %.3f lines a hit, %.3f a miss\n",
				      i / 2 ? 6 : 4,
				      k == 0 ? "any tuples" :
				      k == 1 ? "one hash at the NIC" :
					       "one line by another key",
				      hit[k], miss[k]);
		}
		for (unsigned k = 1; k < 3; k++)
			assert_true(hit[k] < 1.1 * hit[0] && miss[k] < 1.1 * miss[0]);
	}
}

/* The attack is one: under the key that it was made for it finds a sixteenth of the lines, and under the NIC's a single
 * value. */
static void tuples__chosen__do_collide(void **state)
{
	struct chooser *const c = calloc(1, sizeof(*c));
	struct toeplitz t;
	struct flow flow, first;

	(void)state;
	assert_non_null(c);
	c->version = 6;
	toeplitz_init(&t, nic_key);
	nic_kernel(c, UINT32_MAX);
	choose_for_the_nic(c, &first);
	for (unsigned i = 0; i < 1000; i++) {
		choose_for_the_nic(c, &flow);
		assert_memory_not_equal(&flow, &first, sizeof(flow));
		assert_int_equal(toeplitz_flow(&t, &flow), toeplitz_flow(&t, &first));
	}
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-GOAL-14-chosen", tuples__chosen__do_collide, NULL, NULL, NULL },
		{ "HF-GOAL-14, SEC-15, SEC-35", tuples__chosen__cost_what_any_do, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("collide", tests, NULL, NULL);
}
