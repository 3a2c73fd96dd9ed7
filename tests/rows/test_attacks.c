/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks that no row of another file is a test of (docs/security.md). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig/rig.h"
#include "table/iss.h"

static void set_passive(struct rig *r)
{
	r->active = false;
}

/* What is left of the connection, or has come after it, ends; the next one begins as the first did. */
static void let_go(struct rig *r)
{
	const struct frame *f;

	if (r->id != 0)
		hf_abort(r->w, r->id);
	rig_flush(r);
	while ((f = rig_pop(r)) != NULL)
		if (f->seg.flags & SEG_SYN) {
			const struct seg rst = { .seq = f->seg.ack, .flags = SEG_RST };

			rig_push(r, rst);
		}
	rig_turn(r);
	rig_advance(r, MS(1));
	rig_discard(r);
	rig_forget_events(r);
	rig_another(r);
	r->ts_agreed = false;
}

/* What an attacker learns on his own connection: answers to a probe every 100 ms for two seconds. */
static unsigned meter(struct rig *r)
{
	const struct frame *f;
	unsigned answers = 0;

	for (unsigned i = 0; i < 20; i++) {
		rig_send(r, (struct seg){ .seq = r->rn + 1, .flags = SEG_RST });
		rig_flush(r);
		while ((f = rig_pop(r)) != NULL)
			answers += f->dst.port == r->peer.port;
		rig_advance(r, MS(100));
	}
	return answers;
}

/* SEC-10: guesses about a victim's connection, right or wrong, change nothing that is seen on the own one. */
static void own_connection__as_meter__tells_nothing(struct rig *r)
{
	static const uint8_t kinds[] = { SEG_SYN, SEG_RST, SEG_ACK };
	struct hf_addr victim;
	uint32_t rn, sn;

	rig_to(r, RIG_ESTABLISHED);
	victim = r->peer, rn = r->rn, sn = r->sn;
	rig_another(r);
	r->ts_agreed = false;
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned kind = 0; kind < sizeof(kinds); kind++) {
		unsigned seen[3];

		for (unsigned guess = 0; guess < 3;
		     guess++) { /* tuple and SEQ; the tuple alone; nothing */
			struct hf_addr from = victim;

			from.port = (uint16_t)(from.port + 1000 * (guess == 2));
			for (unsigned i = 0; i < 200; i++)
				rig_push_from(r, &from,
					      (struct seg){ .seq = rn + 1 + (guess == 1) * (1u << 30),
							    .ack = kinds[kind] & SEG_ACK ? sn + 1 : 0,
							    .flags = kinds[kind],
							    .wnd = 1000 },
					      NULL);
			rig_turn(r);
			for (unsigned i = 0; i < 8; i++) {
				rig_turn(r);
				rig_discard(r);
			}
			seen[guess] = meter(r);
		}
		assert_int_equal(seen[0], seen[1]);
		assert_int_equal(seen[0], seen[2]);
		assert_true(seen[0] > 0);
	}
}

/* Every type, with every code where it may be an error's, about each of these SEQs. */
static void push_icmp(struct rig *r, const uint32_t *seqs, unsigned count)
{
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned code = 0; code < (type < 16 ? 256 : 16); code++) {
			for (unsigned i = 0; i < count; i++)
				rig_push_error(r, NULL, (uint8_t)type, (uint8_t)code, 0, seqs[i]);
			if (code % 8 == 7)
				rig_turn(r);
		}
		rig_discard(r);
	}
}

/* SEC-21: no ICMP message ends what is synchronised, whatever it quotes and however small an MTU it tells of.
 * SEC-22: every frame out afterwards has DF and ID 0 (frame_parse). */
static void synchronised__any_icmp__lives(struct rig *r)
{
	static const uint16_t mtus[] = { 0, 68, 296, 551, 552, 1279, 1280, 1500, 9000, 65535 };
	static const enum rig_state states[] = { RIG_ESTABLISHED, RIG_FIN_WAIT_1, RIG_FIN_WAIT_2,
						 RIG_CLOSE_WAIT,  RIG_CLOSING,	  RIG_LAST_ACK,
						 RIG_TIME_WAIT };
	const bool v4 = r->local.ip.version == 4;

	r->hold = true;
	for (unsigned s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
		const bool flies = states[s] != RIG_FIN_WAIT_2 && states[s] != RIG_TIME_WAIT;
		struct hf_status status;
		enum hf_state state;

		r->unacked = flies ? 10 : 0;
		rig_to(r, states[s]);
		state = rig_state(r);
		push_icmp(r, (const uint32_t[]){ r->su - 1, r->su, r->sn - 1, r->sn }, 4);
		for (unsigned i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
			rig_push_error(r, NULL, v4 ? 3 : 2, v4 ? 4 : 0, mtus[i], r->su);
			rig_turn(r);
			rig_discard(r);
		}
		rig_no_event(r);
		rig_expect_state(r, state);
		if (states[s] != RIG_TIME_WAIT) {
			assert_int_equal(hf_status(r->w, r->id, &status), 0);
			assert_true(status.snd_mss >= 216);
		}
		if (states[s] == RIG_ESTABLISHED) {
			rig_send(r, (struct seg){ .seq = r->rn,
						  .ack = r->sn,
						  .flags = SEG_ACK,
						  .text_len = 5 });
			rig_advance(r, MS(50));
			assert_int_equal(rig_counter(r, "text_in"), 5);
			rig_read(r, 5);
			rig_discard(r);
		}
		let_go(r);
	}
}

/* SEC-21: what is not synchronised is ended by a hard error, but by none that does not quote its SYN. */
static void half_open__icmp_guesses__lives(struct rig *r)
{
	static const enum rig_state states[] = { RIG_SYN_SENT, RIG_SYN_RCVD_A, RIG_SYN_RCVD_P };

	r->unacked = 0;
	for (unsigned s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
		enum hf_state state;

		rig_to(r, states[s]);
		state = rig_state(r);
		push_icmp(r, (const uint32_t[]){ ISS - 1, ISS + 1, ISS + 0x80000000u }, 3);
		rig_no_event(r);
		rig_expect_state(r, state);
		let_go(r);
	}
}

/* SEC-32: a third party sends SYNs to two listeners, each in the other's name. The SYN-ACK that follows
 * acknowledges a SYN that nobody here has sent. */
static void listen__forged_syn_then_their_syn_ack__no_connection(struct rig *r)
{
	struct seg synack = { .seq = IRS + 5000,
			      .ack = ISS + 777,
			      .flags = SEG_SYN | SEG_ACK,
			      .options = OPT_MSS,
			      .mss = 1460 };

	rig_listen(r);
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	rig_mark(r);
	rig_send(r, synack);
	rig_flush(r);
	rig_discard(r);
	rig_no_event(r);
	assert_int_not_equal(rig_state(r), HF_ESTABLISHED);
	assert_int_equal(rig_counter(r, "request_established"), 0);
	/* and their listener answers our SYN-ACK as we do theirs (3.10.7.2) */
	rig_send(r, (struct seg){ .seq = IRS + 1, .flags = SEG_RST });
	rig_no_event(r);
	rig_expect_state(r, HF_CLOSED);
}

/* What ends, or nearly ends, a connection in a state. */
static struct seg last_of(const struct rig *r, enum rig_state state)
{
	switch ((int)state) {
	case RIG_LAST_ACK:
	case RIG_CLOSING:
		return (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK };
	case RIG_FIN_WAIT_1:
	case RIG_FIN_WAIT_2:
		return (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_FIN | SEG_ACK };
	default:
		return (struct seg){ .seq = r->rn, .flags = SEG_RST };
	}
}

/* SEC-39: every combination of flags, in the same burst as the segment that ends the connection, and a
 * SYN behind both. What is left is walked after every turn (HF-LK1, HF-G6). */
static void each_end__any_segment_right_behind__no_trace(struct rig *r)
{
	static const enum rig_state states[] = { RIG_SYN_RCVD_P, RIG_ESTABLISHED, RIG_FIN_WAIT_1,
						 RIG_FIN_WAIT_2, RIG_CLOSE_WAIT,  RIG_CLOSING,
						 RIG_LAST_ACK };

	for (unsigned s = 0; s < sizeof(states) / sizeof(states[0]); s++)
		for (uint8_t flags = 0; flags < 64; flags++) {
			rig_to(r, states[s]);
			rig_push(r, last_of(r, states[s]));
			rig_push(r, (struct seg){ .seq = r->rn + 1,
						  .ack = flags & SEG_ACK ? r->sn : 0,
						  .flags = flags,
						  .text_len = flags & SEG_PSH ? 3 : 0 });
			rig_push(r, (struct seg){ .seq = r->rn + 100000, .flags = SEG_SYN });
			rig_turn(r);
			let_go(r);
		}
}

/* What the kernel says of the mapping that holds an address: its flags, as /proc/self/smaps has them. */
static void mapping_flags(const void *at, char *flags, int room)
{
	FILE *const smaps = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	bool here = false;
	char line[512];

	assert_non_null(smaps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), smaps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (uintptr_t)at && (uintptr_t)at < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, (size_t)room, "%s", line);
	}
	fclose(smaps);
}

/* MUST-9: no secret gets into a core dump; a worker's memory, secrets and tables, is left out of it. */
static void worker__dumped__without_secrets(struct rig *r)
{
	char flags[512];

	mapping_flags(r->w, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	mapping_flags(r, flags, sizeof(flags)); /* what is not ours to hide is there */
	assert_null(strstr(flags, " dd"));
}

/* ---- Secrets ----------------------------------------------------------------------------------------- */

/* What the library asks the system for, and gives back to it, passes here. */
static struct {
	bool no_random;
	const uint64_t *words; /* looked for in what is given back */
	size_t count, found, maps;
} hook;

static size_t words_in(const uint64_t *memory, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < hook.count; k++)
			n += memory[i] == hook.words[k];
	return n;
}

int munmap(void *at, size_t len)
{
	if (hook.words != NULL) {
		hook.found += words_in(at, len / sizeof(uint64_t));
		hook.maps++;
	}
	return (int)syscall(SYS_munmap, at, len);
}

ssize_t getrandom(void *to, size_t len, unsigned flags)
{
	if (hook.no_random) {
		errno = EAGAIN;
		return -1;
	}
	return syscall(SYS_getrandom, to, len, flags);
}

static struct hf_worker *another_worker(const struct rig *r)
{
	struct hf_worker *w;
	struct hf_error why;

	if (hf_worker_create(&r->config, r->port, &w, &why) != 0)
		rig_fail(r, "%s", why.text);
	return w;
}

/* MUST-9: what is given back to the system when a worker ends has no secret in it, nor a copy of one. Before that its
 * memory has them, or the test would not see a thing. */
static void worker__ended__leaves_no_secret(struct rig *r)
{
	struct hf_worker *const w = another_worker(r);
	struct secrets secrets;

	secrets_seed(&secrets, r->config.seed.seed);
	hook.words = secrets.table;
	hook.count = SECRETS_OCTETS / sizeof(uint64_t);
	hook.found = hook.maps = 0;
	assert_true(words_in((const uint64_t *)(const void *)w, 65536 / sizeof(uint64_t)) >=
		    hook.count);
	hf_worker_destroy(w);
	hook.words = NULL;
	assert_int_equal(hook.maps, 1);
	assert_int_equal(hook.found, 0);
}

/* MUST-9: without the system's CSPRNG there is no worker, rather than one with poor secrets. */
static void worker__no_random__is_not_made(struct rig *r)
{
	struct hf_worker *w = NULL;
	struct hf_error why;
	int rc;

	r->config.seed.seeded = r->config.seed.iss_fixed = false;
	hook.no_random = true;
	rc = hf_worker_create(&r->config, r->port, &w, &why);
	hook.no_random = false;
	assert_int_equal(rc, -EIO);
	assert_null(w);
	assert_string_equal(why.text, "getrandom gives no secrets");
}

static const struct row rows[] = {
	{ "MUST-9-wiped", worker__ended__leaves_no_secret, .variants = ROW_ONCE },
	{ "MUST-9-random", worker__no_random__is_not_made, .variants = ROW_ONCE },
	{ "MUST-9-dump", worker__dumped__without_secrets, .variants = ROW_ONCE },
	{ "SEC-10", own_connection__as_meter__tells_nothing, .set_up = set_passive },
	{ "SEC-21, SEC-22", synchronised__any_icmp__lives, .set_up = set_passive,
	  .variants = ROW_PLAIN },
	{ "SEC-21-half-open", half_open__icmp_guesses__lives, .set_up = set_passive,
	  .variants = ROW_PLAIN },
	{ "SEC-32", listen__forged_syn_then_their_syn_ack__no_connection, .set_up = set_passive },
	{ "SEC-39", each_end__any_segment_right_behind__no_trace, .set_up = set_passive },
};

int main(int argc, char **argv)
{
	return rig_run("attacks", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
