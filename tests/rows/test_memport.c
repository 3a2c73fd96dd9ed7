/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies below the worker: the memory port and pairs over net_ring.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/port.h"

#define FRAME_MAX_LEN 4096

/* A frame of this length whose octets tell their place. */
static const uint8_t *frame(size_t len)
{
	static uint8_t octets[FRAME_MAX_LEN];

	for (size_t i = 0; i < len; i++)
		octets[i] = (uint8_t)(i * 7 + 1);
	return octets;
}

static struct hf_port *memport(const struct hf_memport *config)
{
	struct hf_port *port;
	struct hf_error why;

	if (hf_port_memory(config, &port, &why) != 0)
		fail_msg("%s", why.text);
	return port;
}

static struct rte_mbuf *receive_one(struct hf_port *port)
{
	struct rte_mbuf *m;

	assert_int_equal(port_receive(port, &m, 1), 1);
	return m;
}

/* ---- The memory port --------------------------------------------------------------------- */

static void frames__pushed__are_received_in_order(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "order", .frames = 8 });
	struct rte_mbuf *rx[8];

	(void)state;
	for (unsigned round = 0; round < 3; round++) { /* round the end of the arrays */
		for (size_t len = 60; len < 65; len++)
			assert_int_equal(hf_memport_push(port, frame(len), len, NULL), 0);
		assert_int_equal(port_receive(port, rx, 3), 3);
		assert_int_equal(port_receive(port, rx + 3, 5), 2);
		for (unsigned i = 0; i < 5; i++) {
			assert_int_equal(rx[i]->pkt_len, 60 + i);
			assert_memory_equal(rte_pktmbuf_mtod(rx[i], void *), frame(60 + i), 60 + i);
			rte_pktmbuf_free(rx[i]);
		}
	}
	assert_int_equal(hf_port_mbufs_used(port), 0);
	hf_port_free(port);
}

static void frames__transmitted__are_popped_in_order(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "back", .multi_segs = true });
	const struct hf_push cut = { .cut = { 20, 20 } };
	uint8_t got[FRAME_MAX_LEN];
	struct rte_mbuf *rx[2];

	(void)state;
	assert_int_equal(hf_memport_pop(port, got, sizeof(got)), -EAGAIN);
	hf_memport_push(port, frame(60), 60, NULL);
	hf_memport_push(port, frame(1500), 1500, &cut);
	assert_int_equal(port_receive(port, rx, 2), 2);
	assert_int_equal(port_transmit(port, rx, 2), 2);
	assert_int_equal(hf_memport_pop(port, got, 59), -EMSGSIZE);
	assert_int_equal(hf_memport_pop(port, got, 60), 60);
	assert_memory_equal(got, frame(60), 60);
	assert_int_equal(hf_memport_pop(port, got, sizeof(got)), 1500);
	assert_memory_equal(got, frame(1500), 1500);
	assert_int_equal(hf_port_mbufs_used(port), 0);
	hf_port_free(port);
}

/* HF-E4 */
static void frame__cut_at_every_octet__keeps_its_octets(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "cut", .multi_segs = true });
	const size_t len = 200;
	uint8_t got[FRAME_MAX_LEN];

	(void)state;
	for (uint16_t at = 1; at <= 201; at++) {
		const struct hf_push how = { .cut = { at, 3, 1 } };
		struct rte_mbuf *m;

		assert_int_equal(hf_memport_push(port, frame(len), len, &how), 0);
		m = receive_one(port);
		assert_int_equal(m->data_len, RTE_MIN(at, len));
		assert_int_equal(m->nb_segs, at < 196 ? 4 : at < 197 ? 3 : at < 200 ? 2 : 1);
		assert_int_equal(port_transmit(port, &m, 1), 1);
		assert_int_equal(hf_memport_pop(port, got, sizeof(got)), len);
		assert_memory_equal(got, frame(len), len);
	}
	hf_port_free(port);
}

/* HF-CK1: a device that may not speak of checksums is not heard. */
static void checksums__of_a_frame__are_known_where_offered(void **state)
{
	(void)state;
	for (unsigned offered = 0; offered < 2; offered++) {
		const struct hf_memport config = { .name = "sums", .rx_checksum = offered == 1 };
		struct hf_port *port = memport(&config);

		for (enum hf_checksum ip = HF_CHECKSUM_UNKNOWN; ip <= HF_CHECKSUM_NONE; ip++)
			for (enum hf_checksum l4 = HF_CHECKSUM_UNKNOWN; l4 <= HF_CHECKSUM_NONE; l4++) {
				const struct hf_push how = { .ip = ip, .l4 = l4 };
				struct rte_mbuf *m;

				hf_memport_push(port, frame(60), 60, &how);
				m = receive_one(port);
				assert_int_equal(port_ip_checksum(port, m), offered ? ip : 0);
				assert_int_equal(port_l4_checksum(port, m), offered ? l4 : 0);
				rte_pktmbuf_free(m);
			}
		hf_port_free(port);
	}
}

/* HF-L4 */
static void transmit__limited__takes_so_many_a_burst(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "limit", .frames = 8 });
	uint8_t got[FRAME_MAX_LEN];
	struct rte_mbuf *tx[10];

	(void)state;
	assert_true(port_mbufs(port, tx, 10));
	for (unsigned i = 0; i < 10; i++)
		rte_pktmbuf_append(tx[i], 60);
	hf_memport_tx_limit(port, 0);
	assert_int_equal(port_transmit(port, tx, 10), 0);
	hf_memport_tx_limit(port, 3);
	assert_int_equal(port_transmit(port, tx, 10), 3);
	hf_memport_tx_limit(port, UINT32_MAX);
	assert_int_equal(port_transmit(port, tx + 3, 7), 5); /* its array is full */
	rte_pktmbuf_free_bulk(tx + 8, 2);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(hf_memport_pop(port, got, sizeof(got)), 60);
	assert_int_equal(hf_port_mbufs_used(port), 0);
	hf_port_free(port);
}

/* An Ethernet header, an IPv4 header, a TCP header, no options, no text. */
static struct rte_mbuf *segment_v4(struct hf_port *port)
{
	struct rte_mbuf *m = port_mbuf(port);
	uint8_t *octets = (uint8_t *)rte_pktmbuf_append(m, 54);

	memset(octets, 0, 54);
	octets[12] = 0x08;
	octets[14] = 0x45;
	octets[46] = 0x50;
	m->l2_len = 14;
	m->l3_len = 20;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM;
	return m;
}

/* Whether transmit stops the program; in a process of its own. */
static bool transmit_aborts(struct hf_port *port, struct rte_mbuf *m)
{
	const pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		port_transmit(port, &m, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

#ifdef HF_ASAN
/* The octet after a pushed frame's last, and the one before its first. */
static void frame__overrun__is_seen(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "over" });
	struct rte_mbuf *m;

	(void)state;
	hf_memport_push(port, frame(60), 60, NULL);
	m = receive_one(port);
	for (int at = -1; at <= 60; at++) {
		const uint8_t *octet = rte_pktmbuf_mtod(m, uint8_t *) + at;

		assert_int_equal(__asan_address_is_poisoned(octet), at == -1 || at == 60);
	}
	rte_pktmbuf_free(m);
	hf_port_free(port);
}
#endif

/* HF-CK2: what a device would misread is our own bug. */
static void transmit__wrong_offload__aborts(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "tx", .tx_checksum = true });
	struct hf_port *plain = memport(&(struct hf_memport){ .name = "plain" });
	struct rte_mbuf *m = segment_v4(port);

	(void)state;
	assert_false(transmit_aborts(port, m));
	assert_true(transmit_aborts(plain, m)); /* does not offer it */
	m->l2_len = 0;
	assert_true(transmit_aborts(port, m));
	m->l2_len = 14;
	m->l3_len = 24;
	assert_true(transmit_aborts(port, m));
	m->l3_len = 20;
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 14) = 0x46; /* options, not counted */
	assert_true(transmit_aborts(port, m));
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 14) = 0x45;
	m->l4_len = 24;
	assert_true(transmit_aborts(port, m));
	m->l4_len = 20;
	assert_false(transmit_aborts(port, m));
	m->ol_flags ^= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6;
	assert_true(transmit_aborts(port, m));
	m->ol_flags = 0;
	assert_false(transmit_aborts(plain, m));
	assert_int_equal(rte_pktmbuf_chain(m, segment_v4(port)), 0);
	assert_true(transmit_aborts(plain, m)); /* nor chains */
	rte_pktmbuf_free(m);
	hf_port_free(port);
	hf_port_free(plain);
}

/* HF-L1 */
static void pool__exhausted__refuses_and_recovers(void **state)
{
	const struct hf_memport config = { .name = "empty", .mbufs = 64, .frames = 128 };
	struct hf_port *port = memport(&config);
	const struct hf_push cut = { .cut = { 20 } };
	struct rte_mbuf *rx[64], *fresh[2];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 63; i++)
			assert_int_equal(hf_memport_push(port, frame(60), 60, NULL), 0);
		assert_int_equal(hf_memport_push(port, frame(60), 60, &cut), -ENOBUFS);
		assert_false(port_mbufs(port, fresh, 2));
		assert_int_equal(hf_memport_push(port, frame(60), 60, NULL), 0);
		assert_int_equal(hf_memport_push(port, frame(60), 60, NULL), -ENOBUFS);
		assert_null(port_mbuf(port));
		assert_int_equal(hf_port_mbufs_used(port), 64);
		assert_int_equal(hf_port_missed(port), 2 * (round + 1));
		assert_int_equal(port_receive(port, rx, 64), 64);
		rte_pktmbuf_free_bulk(rx, 64);
		assert_int_equal(hf_port_mbufs_used(port), 0);
	}
	hf_port_free(port);
}

static void push__without_room__is_refused(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "room", .frames = 2 });

	(void)state;
	assert_int_equal(hf_memport_push(port, frame(2049), 2049, NULL), -EMSGSIZE);
	assert_int_equal(hf_memport_push(port, frame(2048), 2048, NULL), 0);
	assert_int_equal(hf_memport_push(port, frame(0), 0, NULL), 0);
	assert_int_equal(hf_memport_push(port, frame(60), 60, NULL), -ENOBUFS);
	assert_int_equal(hf_port_mbufs_used(port), 2);
	assert_int_equal(hf_port_missed(port), 1);
	hf_port_free(port); /* and what it holds */
}

/* SEC-4 */
static void mbufs__fresh__are_full_of_canaries(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "canary", .mbufs = 32 });
	struct rte_mbuf *fresh[32];

	(void)state;
	assert_true(port_mbufs(port, fresh, 32));
	for (unsigned i = 0; i < 32; i++)
		for (unsigned at = 0; at < fresh[i]->buf_len; at++)
			assert_int_equal(((uint8_t *)fresh[i]->buf_addr)[at], PORT_CANARY);
	rte_pktmbuf_free_bulk(fresh, 32);
	hf_port_free(port);
}

/* DESIGN 2, 7: a received buffer is written only if it is ours alone. */
static void mbuf__received__is_writable_when_ours_alone(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "own" });
	const struct hf_push cut = { .cut = { 20 } };
	struct rte_mbuf *m, *borrower;

	(void)state;
	hf_memport_push(port, frame(60), 60, NULL);
	m = receive_one(port);
	assert_true(port_mbuf_writable(m, 2048));
	memset(rte_pktmbuf_append(m, 60), 0, 60); /* no poison is left */
	assert_false(port_mbuf_writable(m, 2049));
	borrower = port_mbuf(port);
	rte_pktmbuf_attach(borrower, m);
	assert_false(port_mbuf_writable(m, 60));
	assert_false(port_mbuf_writable(borrower, 60));
	rte_pktmbuf_free(borrower);
	assert_true(port_mbuf_writable(m, 60));
	rte_pktmbuf_free(m);
	hf_memport_push(port, frame(60), 60, &cut);
	m = receive_one(port);
	assert_false(port_mbuf_writable(m, 20));
	rte_pktmbuf_free(m);
	hf_port_free(port);
}

static void ports__with_one_name__are_refused(void **state)
{
	struct hf_port *port = memport(&(struct hf_memport){ .name = "one" }), *second;
	struct hf_error why;

	(void)state;
	assert_int_equal(hf_port_memory(&(struct hf_memport){ .name = "one" }, &second, &why),
			 -EEXIST);
	assert_non_null(strstr(why.text, "one"));
	hf_port_free(port);
	port = memport(&(struct hf_memport){ .name = "one" }); /* the name is free again */
	hf_port_free(port);
	hf_port_free(NULL);
}

/* ---- Pairs ------------------------------------------------------------------------------- */

static void send_one(struct hf_port *from, uint16_t len)
{
	struct rte_mbuf *m = port_mbuf(from);

	assert_non_null(m);
	assert_non_null(rte_pktmbuf_append(m, len));
	assert_int_equal(port_transmit(from, &m, 1), 1);
}

static void expect_one(struct hf_port *at, uint16_t len)
{
	struct rte_mbuf *m = receive_one(at);

	assert_int_equal(m->pkt_len, len);
	rte_pktmbuf_free(m);
	assert_int_equal(port_receive(at, &m, 1), 0);
}

static void pair__of_two_queues__passes_frames_both_ways(void **state)
{
	struct hf_port *a[2], *b[2];
	struct hf_error why;

	(void)state;
	for (unsigned round = 0; round < 2; round++) { /* all names are free again */
		if (hf_port_ring_pair("pair", 2, 64, 512, 0, a, b, &why) != 0)
			fail_msg("%s", why.text);
		for (unsigned q = 0; q < 2; q++) {
			send_one(a[q], (uint16_t)(60 + q));
			send_one(b[q], (uint16_t)(70 + q));
		}
		for (unsigned q = 0; q < 2; q++) {
			expect_one(b[q], (uint16_t)(60 + q));
			expect_one(a[q], (uint16_t)(70 + q));
		}
		assert_int_equal(hf_port_mbufs_used(a[0]), 0);
		assert_int_equal(hf_port_missed(a[0]), 0);
		assert_memory_not_equal(a[0]->mac, b[0]->mac, 6);
		assert_memory_equal(a[0]->mac, a[1]->mac, 6);
		assert_int_equal(a[0]->mtu, 1500);
		assert_false(a[0]->seedable);
		assert_false(a[0]->l3);
		for (unsigned q = 0; q < 2; q++) {
			hf_port_free(b[q]);
			hf_port_free(a[q]);
		}
	}
}

static void pair__ring_full__keeps_the_rest(void **state)
{
	struct rte_mbuf *tx[80];
	struct hf_port *a, *b;
	struct hf_error why;

	(void)state;
	assert_int_equal(hf_port_ring_pair("full", 1, 64, 512, 0, &a, &b, &why), 0);
	assert_true(port_mbufs(a, tx, 80));
	for (unsigned i = 0; i < 80; i++)
		rte_pktmbuf_append(tx[i], 60);
	assert_int_equal(port_transmit(a, tx, 80), 63);
	rte_pktmbuf_free_bulk(tx + 63, 17);
	assert_int_equal(port_receive(b, tx, 80), 63);
	rte_pktmbuf_free_bulk(tx, 63);
	assert_int_equal(hf_port_mbufs_used(b), 0);
	hf_port_free(a);
	hf_port_free(b);
}

static void pair__impossible__says_why(void **state)
{
	struct hf_port *a, *b;
	struct hf_error why;

	(void)state;
	assert_int_equal(hf_port_ring_pair("odd", 1, 100, 512, 0, &a, &b, &why), -EINVAL);
	assert_non_null(strstr(why.text, "100"));
	assert_int_equal(hf_port_ring_pair("many", 17, 64, 512, 0, &a, &b, &why), -EINVAL);
	assert_int_equal(hf_port_ring_pair("a name that is too long", 1, 64, 512, 0, &a, &b, &why),
			 -EINVAL);
	assert_int_equal(hf_port_ring_pair("large", 1, 64, 1 << 20, 0, &a, &b, &why), -ENOMEM);
	assert_non_null(strstr(why.text, "memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames__pushed__are_received_in_order),
		cmocka_unit_test(frames__transmitted__are_popped_in_order),
		cmocka_unit_test(frame__cut_at_every_octet__keeps_its_octets),
		cmocka_unit_test(checksums__of_a_frame__are_known_where_offered),
		cmocka_unit_test(transmit__limited__takes_so_many_a_burst),
#ifdef HF_ASAN
		cmocka_unit_test(frame__overrun__is_seen),
#endif
		cmocka_unit_test(transmit__wrong_offload__aborts),
		cmocka_unit_test(pool__exhausted__refuses_and_recovers),
		cmocka_unit_test(push__without_room__is_refused),
		{ "SEC-4-pool", mbufs__fresh__are_full_of_canaries, NULL, NULL, NULL },
		cmocka_unit_test(mbuf__received__is_writable_when_ours_alone),
		cmocka_unit_test(ports__with_one_name__are_refused),
		cmocka_unit_test(pair__of_two_queues__passes_frames_both_ways),
		cmocka_unit_test(pair__ring_full__keeps_the_rest),
		cmocka_unit_test(pair__impossible__says_why),
	};
	const struct hf_env env = { .program = "test_memport", .memory_mb = 64 };
	struct hf_error why;
	int failed;

	if (hf_env_start(&env, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return EXIT_FAILURE;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	hf_env_stop();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
