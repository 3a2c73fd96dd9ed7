/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table beside DPDK's rte_hash: the same tuples, as many of them in as many slots, looked up in bursts at
 * random. Either is timed from tuple to record, its hash included: keyed AES here, CRC-32C unkeyed there, as is
 * rte_hash's default. bench_hash [SMALL] leaves out the largest. */
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "bed.h"
#include "rig/random.h"
#include "table/flow.h"
#include "table/iss.h"

#define LOOKUPS (1u << 21)

struct bed {
	struct secrets secrets;
	struct pools pools;
	struct flow_table flows;
	struct rte_hash *hash;
	void *lines, *entries;
	uint32_t count;
};

static struct flow flow_number(uint64_t n)
{
	const uint64_t mixed = random_mix(n);

	return (struct flow){ .v4 = { .local = 0x0101a8c0, /* 192.168.1.1 */
				      .remote = (uint32_t)mixed,
				      .local_port = 80,
				      .remote_port = (uint16_t)(mixed >> 32) },
			      .version = 4 };
}

static void bed_make(struct bed *b, uint32_t slots, unsigned percent)
{
	const uint32_t most = (uint32_t)((uint64_t)slots * percent / 100);
	const uint32_t capacity = (uint32_t)((uint64_t)slots * 3 / 4);
	const struct rte_hash_parameters parameters = { .name = "bench",
							.entries = slots,
							.key_len = sizeof(struct tuple4),
							.hash_func = rte_hash_crc };

	secrets_seed(&b->secrets, 1);
	b->lines = memory_take(flow_memory(capacity));
	b->entries = memory_take((uint64_t)most * RECORD_OCTETS(4, BODY));
	pools_init(&b->pools, b->entries);
	pool_init(&b->pools, KIND_BUCKET, 4, b->entries, BODY, most);
	flow_init(&b->flows, b->lines, capacity, &b->pools);
	b->hash = rte_hash_create(&parameters);
	if (b->hash == NULL) {
		fprintf(stderr, "no memory for rte_hash of %u\n", slots);
		exit(1);
	}
	for (b->count = 0; b->count < most; b->count++) {
		const struct flow flow = flow_number(b->count);
		const handle h = pools_take(&b->pools, KIND_BUCKET, 4);

		*(struct tuple4 *)pools_tuple(&b->pools, h) = flow.v4;
		if (flow_insert(&b->flows, flow_hash(&b->secrets, &flow), h) != 0 ||
		    rte_hash_add_key(b->hash, &flow.v4) < 0) {
			fprintf(stderr, "%u of %u: full\n", b->count, slots);
			break;
		}
	}
}

static void bed_free(struct bed *b)
{
	rte_hash_free(b->hash);
	free(b->lines);
	free(b->entries);
}

static uint32_t find_flows(const struct bed *b, const struct flow flow[BURST])
{
	uint64_t hash[BURST];
	uint32_t found = 0;

	for (unsigned k = 0; k < BURST; k++) {
		hash[k] = flow_hash(&b->secrets, &flow[k]);
		flow_prefetch(&b->flows, hash[k]);
	}
	for (unsigned k = 0; k < BURST; k++)
		flow_prefetch_entry(&b->flows, hash[k]);
	for (unsigned k = 0; k < BURST; k++)
		found += flow_find(&b->flows, hash[k], &flow[k]) != HANDLE_NONE;
	return found;
}

static uint32_t find_bulk(const struct bed *b, const struct flow flow[BURST])
{
	const void *keys[BURST];
	int32_t at[BURST];
	uint32_t found = 0;

	for (unsigned k = 0; k < BURST; k++)
		keys[k] = &flow[k].v4;
	rte_hash_lookup_bulk(b->hash, keys, BURST, at);
	for (unsigned k = 0; k < BURST; k++)
		found += at[k] >= 0;
	return found;
}

static double time_lookups(const struct bed *b, uint64_t first,
			   uint32_t find(const struct bed *, const struct flow[BURST]))
{
	uint64_t seed = first + 7, spent = 0, start, found = 0;

	for (uint32_t i = 0; i < LOOKUPS; i += BURST) {
		struct flow flow[BURST];

		for (unsigned k = 0; k < BURST; k++)
			flow[k] = flow_number(first + random_below(&seed, b->count));
		_mm_lfence();
		start = __rdtsc();
		found += find(b, flow);
		_mm_lfence();
		spent += __rdtsc() - start;
	}
	if (found != (first == 0 ? LOOKUPS : 0) && first == 0)
		exit(1);
	return (double)spent / LOOKUPS;
}

int main(int argc, char **argv)
{
	static const uint32_t slots[] = { 1u << 14, 1u << 20, 1u << 24 };
	static const unsigned loads[] = { 50, 90 };
	static const char *const kinds[] = { "hit", "miss" };
	char program[] = "bench_hash", pci[] = "--no-pci", conf[] = "--no-shconf",
	     level[] = "--log-level=3", huge[] = "--no-huge", memory[] = "-m2048",
	     telemetry[] = "--no-telemetry";
	char *args[] = { program, pci, conf, level, telemetry, huge, memory };
	const unsigned sizes = argc > 1 ? 2 : 3;

	(void)argv;
	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		return 1;
	for (unsigned i = 0; i < sizes; i++)
		for (unsigned k = 0; k < 2; k++) {
			static struct bed b;

			bed_make(&b, slots[i], loads[k]);
			for (unsigned m = 0; m < 2; m++) {
				const uint64_t first = m == 0 ? 0 : UINT64_C(1) << 40;

				printf("%u flows, %u %%, %s, flow table: %.0f cycles\n", b.count,
				       loads[k], kinds[m], time_lookups(&b, first, find_flows));
				printf("%u flows, %u %%, %s, rte_hash bulk: %.0f cycles\n", b.count,
				       loads[k], kinds[m], time_lookups(&b, first, find_bulk));
			}
			bed_free(&b);
		}
	rte_eal_cleanup();
	return 0;
}
