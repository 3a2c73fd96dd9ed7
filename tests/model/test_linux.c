/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux's TCP against the same model on the same random scripts (HF-GOAL-3): what it does otherwise is listed, each
 * with its reason (linux.c, docs/linux.md); anything else fails. A check of the model more than of Linux: what both
 * hold has two witnesses.
 * Segments and calls only: each comes at once after the one before, so nothing falls due. A script that took too
 * long for that runs again. Of what calls give only octets are compared: errors are each API's own.
 * test_linux [SCRIPTS] [SEED]: a difference is printed with the script that shows it, made as short as it gets.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "model/kernel.h"
#include "model/linux.h"
#include "model/script.h"
#include "model/segment.h"
#include "rig/random.h"

#define MOST_OUT 32
#define ROOM 799      /* octets that may wait: less than any window of the peer */
#define MOST_SENDS 8  /* on their way: less than the initial window */
#define AT_ONCE_MS 35 /* nothing of Linux's is due sooner: its delayed ACK is after 40 */
#define TRIES 50
#define RECURS 4

static struct model_knobs knobs = { .rto = 1000000,
				    .tw_len = 1000000,
				    .fin_timeout = 1000000,
				    .delack = 1000000,
				    .syn_retries = 1,
				    .synack_retries = 1,
				    .retries2 = 1,
				    .orphan_retries = 1,
				    .fin_ack_waits = true };

struct bench {
	struct kernel kernel;
	int listener[2]; /* IPv4, IPv6 */
	uint32_t tuple;	 /* each script has its own */
	uint64_t steps, slow, once, hits[MODEL_STATES];
	unsigned long used[128];
	/* the script's */
	struct model m;
	struct hf_addr local, peer;
	int fd; /* -1: none, or closed */
	unsigned sends;
	bool hasty;
	bool learn; /* its ISS, which is its own choice */
	struct model_seg out[MOST_OUT];
	unsigned outs;
	char why[256], log[16384]; /* what has been said */
	unsigned logged;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool differ(struct bench *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->why, sizeof(b->why), format, args);
	va_end(args);
	return false;
}

static void note(struct bench *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(b->log + b->logged, sizeof(b->log) - b->logged, format, args);
	va_end(args);
	if (n > 0 && b->logged + (unsigned)n < sizeof(b->log))
		b->logged += (unsigned)n;
}

static void say(struct bench *b, const char *who, const struct model_seg *s)
{
	char text[256];

	note(b, "  %s %s\n", who, segment_describe(text, sizeof(text), s));
}

static void let_fd_go(struct bench *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

/* ---- Agreement ---- */

/* The first SYN of a life tells its ISS, unless that is ruled (TW-P8). */
static void learn_iss(struct bench *b)
{
	struct model *const m = &b->m;

	for (unsigned i = 0; i < b->outs && b->learn; i++)
		if (b->out[i].flags & M_SYN) {
			m->iss = m->su = b->out[i].seq;
			m->sn = m->end = m->iss + 1;
			b->learn = false;
		}
}

/* After a RST out of SYN-SENT its SYN goes again in a moment, whatever the timer says: not to be waited for. */
static void forgive_syn(struct bench *b, const struct model_want *want, enum model_state was)
{
	b->hasty = b->hasty || (was == S_SYN_SENT && want->rst);
	for (unsigned i = 0; i < b->outs && b->hasty; i++)
		if (b->out[i].flags & M_SYN && (!want->syn || !(b->out[i].flags & M_ACK))) {
			memmove(&b->out[i], &b->out[i + 1], (b->outs - i - 1) * sizeof(b->out[0]));
			b->outs--;
			i = UINT32_MAX;
		}
}

static bool same_end(struct bench *b, const struct model_want *want, enum model_state was)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!(want->told & T_ENDED))
		return true;
	if (b->fd >= 0 && (want->end == END_REFUSED || want->end == END_RESET)) {
		getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error != linux_error(was, want->end))
			return differ(b, "it ended with %s", strerror(error));
	}
	let_fd_go(b);
	return true;
}

static bool same_state(struct bench *b)
{
	const struct model *const m = &b->m;
	const enum model_state half = m->state == S_SYN_RCVD_A ? S_SYN_RCVD_P : m->state;
	const enum model_state wanted = half == S_LISTEN ? S_CLOSED : half;
	const uint32_t unacked = m->end + (m->fin ? 1 : 0) - m->su;
	struct kernel_says says;

	kernel_ask(&b->kernel, &b->peer, &b->local, &says);
	if (says.state != wanted)
		return differ(b, "Linux is in %s, the model in %s", model_names[says.state],
			      model_names[m->state]);
	if (wanted < S_ESTABLISHED || wanted == S_TIME_WAIT || b->fd < 0)
		return true;
	if (says.unread != m->unread && says.unread != m->unread + (m->eof ? 1 : 0))
		return differ(b, "%u octets can be read, not %u", says.unread, m->unread);
	if (says.unacked != unacked)
		return differ(b, "%u octets are not acknowledged, not %u", says.unacked, unacked);
	return true;
}

static bool agree(struct bench *b, const struct model_want *want, enum model_state was)
{
	const char *why = NULL;

	b->outs = kernel_sent(&b->kernel, &b->peer, &b->local, b->out, MOST_OUT);
	for (unsigned i = 0; i < b->outs; i++)
		say(b, "out", &b->out[i]);
	learn_iss(b);
	forgive_syn(b, want, was);
	b->hits[b->m.state]++;
	if (b->m.habit != NULL)
		b->used[b->m.habit - linux_habits]++;
	if (b->m.over)
		return true;
	if (!model_accepts(&b->m, want, b->out, b->outs, &why))
		return differ(b, "%s", why);
	if (want->told & T_ACCEPT) {
		b->fd = accept4(b->listener[b->local.ip.version == 6], NULL, NULL, SOCK_NONBLOCK);
		if (b->fd < 0)
			return differ(b, "nothing to accept");
	}
	if (b->m.su == b->m.sn)
		b->sends = 0;
	return same_state(b) && same_end(b, want, was);
}

/* ---- Steps ---- */

/* The application lets go of what has ended before its tuple begins anew. */
static void let_go(struct bench *b)
{
	struct model_want want;

	if (b->m.has && (b->m.state <= S_LISTEN || b->m.state == S_TIME_WAIT))
		model_call(&b->m, CALL_CLOSE, 0, &want);
	if (b->m.state <= S_LISTEN || b->m.state == S_TIME_WAIT)
		let_fd_go(b);
}

static bool do_segment(struct bench *b, const struct model_seg *seg)
{
	const enum model_state was = b->m.state;
	struct model_want want;

	if (seg->flags & M_SYN)
		let_go(b);
	b->learn = b->learn || b->m.state == S_LISTEN;
	say(b, "in ", seg);
	b->m.habit = NULL;
	model_segment(&b->m, seg, &want);
	kernel_send(&b->kernel, &b->peer, &b->local, seg);
	return agree(b, &want, was);
}

static int linux_call(struct bench *b, enum model_call call, uint32_t octets)
{
	static uint8_t text[4096];
	const struct linger now = { .l_onoff = 1 };

	switch (call) {
	case CALL_LISTEN:
		break;
	case CALL_OPEN:
		b->fd = kernel_connect(&b->local, &b->peer);
		b->learn = true;
		b->hasty = false;
		break;
	case CALL_SEND:
		b->sends++;
		return (int)send(b->fd, text, octets, MSG_NOSIGNAL);
	case CALL_RECEIVE:
		return (int)recv(b->fd, text, octets, 0);
	case CALL_SHUTDOWN:
		return shutdown(b->fd, SHUT_WR);
	case CALL_ABORT:
		setsockopt(b->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		let_fd_go(b);
		break;
	case CALL_CLOSE:
		let_fd_go(b);
		break;
	}
	return 0;
}

/* Whether a call means the same to sockets as to us; what is left out is in docs/linux.md. */
static bool is_common(const struct bench *b, enum model_call call)
{
	const struct model *const m = &b->m;
	struct model try = *m;
	struct model_want want;

	if (call == CALL_OPEN)
		return !m->listener && m->state == S_CLOSED;
	if (b->fd < 0 || (m->state < S_ESTABLISHED && call != CALL_CLOSE && call != CALL_ABORT))
		return false;
	if ((call == CALL_CLOSE || call == CALL_ABORT) && m->unread > 0 &&
	    (m->state == S_CLOSING || m->state == S_LAST_ACK))
		return false;
	if (call == CALL_SEND && (b->sends == MOST_SENDS || m->end - m->su >= ROOM))
		return false;
	if (call == CALL_RECEIVE) /* whether a FIN still waits there matters (linux.c, TOO_MUCH) */
		return !m->eof;
	return model_call(&try, call, 1, &want) >= 0;
}

static bool do_call(struct bench *b, enum model_call call, uint32_t octets)
{
	const enum model_state was = b->m.state;
	struct model_want want;
	int is, wanted;

	if (call == CALL_OPEN)
		let_go(b);
	if (!is_common(b, call))
		return true;
	if (call == CALL_SEND && octets > ROOM - (b->m.end - b->m.su))
		octets = ROOM - (b->m.end - b->m.su);
	b->m.habit = NULL;
	wanted = model_call(&b->m, call, octets, &want);
	is = linux_call(b, call, octets);
	note(b, "  %s %u: %d\n", model_calls[call], octets, is);
	if (wanted == MODEL_ERROR ? is >= 0 : wanted != MODEL_EITHER && is != wanted)
		return differ(b, "%s gives %d, not %d", model_calls[call], is, wanted);
	return agree(b, &want, was);
}

static bool do_step(struct bench *b, const struct script *script, const struct step *s)
{
	struct model_seg seg;
	enum model_call call;
	uint32_t octets;

	b->steps++;
	switch (s->what) {
	case DO_CONVERSE:
		if (!script_converse(&b->m, script, s, &seg))
			return do_call(b, CALL_OPEN, 0);
		break;
	case DO_WAIT:
		return true;
	case DO_CALL:
		call = script_call(s, &octets);
		return do_call(b, call, octets);
	case DO_SEGMENT:
		script_segment(&b->m, s, &seg);
		seg.flags &= (uint8_t)~M_URG; /* it has Linux keep an octet from the stream */
		break;
	}
	return do_segment(b, &seg);
}

/* ---- Scripts ---- */

#define PORTS 60000u

static void begin(struct bench *b, const struct script *script)
{
	const bool four = script->version == 4;
	char text[64];
	const unsigned net = 1 + b->tuple / PORTS % 250;
	const uint16_t port = (uint16_t)(2000 + b->tuple % PORTS);

	hf_addr_parse(four ? "10.99.0.1:1080" : "[fd99::1]:1080", &b->local);
	snprintf(text, sizeof(text), four ? "10.99.%u.2:40000" : "[fd99:0:%u::2]:40000", net);
	hf_addr_parse(text, &b->peer);
	if (script->listener)
		b->peer.port = port;
	else
		b->local.port = port;
	b->tuple++;
	b->logged = 0;
	b->fd = -1;
	b->sends = 0;
	b->learn = b->hasty = false;
	model_begin(&b->m, &knobs, 1, 0, script->listener);
}

/* Nothing is left of it but TIME-WAIT. */
static void finish(struct bench *b)
{
	const struct linger now = { .l_onoff = 1 };
	struct model_seg rst = { .seq = b->m.rn, .ack = b->m.sn, .flags = M_RST | M_ACK };

	if (b->fd < 0) /* of a half-open that has become one against the model's will */
		b->fd = accept4(b->listener[b->local.ip.version == 6], NULL, NULL, SOCK_NONBLOCK);
	if (b->fd >= 0)
		setsockopt(b->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	let_fd_go(b);
	kernel_send(&b->kernel, &b->peer, &b->local, &rst);
	kernel_sent(&b->kernel, &b->peer, &b->local, b->out, MOST_OUT);
}

static bool run(struct bench *b, const struct script *script)
{
	for (unsigned i = 0; i < TRIES; i++) {
		const uint64_t from = now_ms();
		bool good = true;

		begin(b, script);
		for (unsigned k = 0; k < script->count && !b->m.over && good; k++)
			good = do_step(b, script, &script->steps[k]);
		finish(b);
		if (now_ms() - from < AT_ONCE_MS)
			return good;
		b->slow++;
	}
	return differ(b, "no script is done within %u ms here", AT_ONCE_MS);
}

/* A delayed ACK may fall due within a jiffy, between any two steps: what does not recur is no difference. */
static bool fails(void *arg, const struct script *script)
{
	struct bench *const b = arg;

	for (unsigned i = 0; i < RECURS; i++)
		if (run(b, script)) {
			b->once += i > 0;
			return false;
		}
	return true;
}

static void report(struct bench *b, struct script *script, unsigned long n, uint64_t seed)
{
	printf("script %lu of seed %llu: %s\n", n, (unsigned long long)seed, b->why);
	script_minimise(script, fails, b);
	while (run(b, script))
		continue;
	printf("IPv%u, %s, %u steps:\n%s  %s (model: %s)\n", script->version,
	       script->listener ? "a listener" : "no listener", script->count, b->log, b->why,
	       model_names[b->m.state]);
}

/* Another version may have other habits: then there is nothing to fail. */
static bool is_the_observed(void)
{
	struct utsname name;

	if (uname(&name) == 0 && strncmp(name.release, LINUX_OBSERVED, strlen(LINUX_OBSERVED)) == 0)
		return true;
	printf("skipped: the list was made of Linux " LINUX_OBSERVED "x, and this is %s\n",
	       name.release);
	return false;
}

int main(int argc, char **argv)
{
	const unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct bench b = { 0 };
	struct script script;
	int status = kernel_start(&b.kernel);

	if (status != 0)
		return status;
	setvbuf(stdout, NULL, _IOLBF, 0);
	knobs.habits = linux_habits;
	knobs.habits_count = linux_habits_count;
	for (unsigned i = 0; i < 2; i++) {
		hf_addr_parse(i == 0 ? "10.99.0.1:1080" : "[fd99::1]:1080", &b.local);
		b.listener[i] = kernel_listen(&b.local);
	}
	printf("%lu scripts, seed %llu\n", count, (unsigned long long)seed);
	for (unsigned long n = 0; n < count && status == 0; n++) {
		script_make(&script, random_mix(seed) + n * 0x9e3779b97f4a7c15u);
		script.offset = (uint8_t)(n % 3);
		if (fails(&b, &script)) {
			report(&b, &script, n, seed);
			status = is_the_observed() ? 1 : 77;
		}
	}
	printf("%llu steps, run again for slowness %llu, for what did not recur %llu; they ended in",
	       (unsigned long long)b.steps, (unsigned long long)b.slow, (unsigned long long)b.once);
	for (unsigned i = 0; i < MODEL_STATES; i++)
		printf(" %s %llu", model_names[i], (unsigned long long)b.hits[i]);
	printf("\n");
	for (unsigned i = 0; i < linux_habits_count; i++)
		printf("%8lu  %s\n", b.used[i], linux_habits[i].why);
	return status;
}
