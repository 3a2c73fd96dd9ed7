/* SPDX-License-Identifier: BSD-3-Clause */
/* See host.h. */
#include "packetdrill/host.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void init_fn(const char *flags, struct pd_table *table);

static init_fn *find_init(void)
{
	void *const so = dlopen(getenv("HANDFAST_PD"), RTLD_NOW | RTLD_LOCAL);

	if (so == NULL)
		fail_msg("%s", dlerror());
	return (init_fn *)dlsym(so, "packetdrill_interface_init");
}

void host_begin(struct host *h, const char *flags, uint8_t version)
{
	init_fn *const init = find_init();

	assert_non_null(init);
	memset(h, 0, sizeof(*h));
	hf_addr_parse(version == 6 ? "[fd3d:fa7b:d17d::1]:8080" : "192.168.0.1:8080", &h->ours);
	hf_addr_parse(version == 6 ? "[2001:db8::1]:1234" : "192.0.2.1:1234", &h->peer);
	h->irs = 0xfffffff0;
	init(flags, &h->t);
}

void host_end(struct host *h)
{
	h->t.free(h->t.stack);
}

uint64_t host_now(struct host *h)
{
	struct timeval now;

	assert_int_equal(h->t.gettimeofday(h->t.stack, &now, NULL), 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
}

static const struct frame_form form = { .l2 = false, .ttl = 64 };

void host_send(struct host *h, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len)
{
	uint8_t raw[FRAME_MAX], text[1024];
	struct seg seg = {
		.seq = h->irs + seq,
		.flags = flags,
		.wnd = 32768,
		.text_len = len,
	};
	size_t size;

	assert_true(len <= sizeof(text));
	memset(text, 'x', sizeof(text));
	if (flags & SEG_ACK)
		seg.ack = h->iss + ack;
	if (flags & SEG_SYN) {
		seg.options = OPT_MSS;
		seg.mss = 1000;
	}
	size = frame_build(raw, &form, &h->peer, &h->ours, &seg, text, NULL, 0);
	assert_int_equal(h->t.netdev_send(h->t.stack, raw, size), 0);
}

void host_expect(struct host *h, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len)
{
	const char *wrong;

	h->last.len = sizeof(h->last.raw);
	assert_int_equal(h->t.netdev_receive(h->t.stack, h->last.raw, &h->last.len, &h->at_us), 0);
	if (h->last.len == 0)
		fail_msg("no packet came");
	wrong = frame_parse(&h->last, &form);
	if (wrong != NULL)
		fail_msg("%s", wrong);
	if (h->last.seg.flags & SEG_SYN) {
		h->iss = h->last.seg.seq;
		h->ours = h->last.src;
	}
	assert_int_equal(h->last.seg.flags, flags);
	assert_int_equal(h->last.seg.seq, h->iss + seq);
	if (flags & SEG_ACK)
		assert_int_equal(h->last.seg.ack, h->irs + ack);
	assert_int_equal(h->last.seg.text_len, len);
}

void host_expect_silence(struct host *h)
{
	uint8_t raw[FRAME_MAX];
	size_t len = sizeof(raw);
	long long at_us;

	assert_int_equal(h->t.netdev_receive(h->t.stack, raw, &len, &at_us), 0);
	assert_int_equal(len, 0);
}

static socklen_t sockaddr_of(const struct hf_addr *addr, struct sockaddr_storage *sa)
{
	struct sockaddr_in *const in = (void *)sa;
	struct sockaddr_in6 *const in6 = (void *)sa;

	memset(sa, 0, sizeof(*sa));
	if (addr->ip.version == 6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(addr->port);
		memcpy(&in6->sin6_addr, addr->ip.octets, 16);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(addr->port);
	memcpy(&in->sin_addr, addr->ip.octets, 4);
	return sizeof(*in);
}

int host_socket(struct host *h, int flags)
{
	const int domain = h->ours.ip.version == 6 ? AF_INET6 : AF_INET;
	const int fd = h->t.socket(h->t.stack, domain, SOCK_STREAM | flags, IPPROTO_TCP);

	assert_true(fd >= 0);
	return fd;
}

int host_connect(struct host *h, int fd)
{
	struct sockaddr_storage sa;
	const socklen_t len = sockaddr_of(&h->peer, &sa);

	return h->t.connect(h->t.stack, fd, (struct sockaddr *)&sa, len);
}

int host_listen(struct host *h, int flags)
{
	struct sockaddr_storage sa;
	const socklen_t len = sockaddr_of(&h->ours, &sa);
	const int fd = host_socket(h, flags);

	assert_int_equal(h->t.bind(h->t.stack, fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(h->t.listen(h->t.stack, fd, 1), 0);
	return fd;
}

int host_accept(struct host *h, int listener)
{
	struct sockaddr_storage want, sa;
	const socklen_t want_len = sockaddr_of(&h->peer, &want);
	socklen_t len = sizeof(sa);
	const int fd = h->t.accept(h->t.stack, listener, (struct sockaddr *)&sa, &len);

	if (fd >= 0) {
		assert_int_equal(len, want_len);
		assert_memory_equal(&sa, &want, len);
	}
	return fd;
}

void host_handshake(struct host *h)
{
	host_send(h, SEG_SYN, 0, 0, 0);
	host_expect(h, SEG_SYN | SEG_ACK, 0, 1, 0);
	host_send(h, SEG_ACK, 1, 1, 0);
}

int host_accepted(struct host *h)
{
	const int listener = host_listen(h, 0);
	int fd;

	host_handshake(h);
	fd = host_accept(h, listener);
	assert_true(fd >= 0);
	return fd;
}
