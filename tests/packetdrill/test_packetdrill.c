/* SPDX-License-Identifier: BSD-3-Clause */
/* libhandfast_pd.so through its table. Where a packet must not come the flag `poll` shows that none does. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packetdrill/helper.h"
#include "packetdrill/host.h"

#define CALL(h, slot, ...) ((h)->t.slot((h)->t.stack, __VA_ARGS__))
#define S 1000000

static int option(struct host *h, int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	assert_int_equal(CALL(h, getsockopt, fd, level, name, &value, &len), 0);
	assert_int_equal(len, sizeof(int));
	return value;
}

static void set_option(struct host *h, int fd, int level, int name, int value)
{
	assert_int_equal(CALL(h, setsockopt, fd, level, name, &value, sizeof(value)), 0);
}

static void assert_fails(long rc, int error)
{
	assert_int_equal(rc, -1);
	assert_int_equal(errno, error);
}

static void every_slot_is_filled(void **state)
{
	static const struct pd_table empty;
	struct host h;

	(void)state;
	host_begin(&h, NULL, 4);
	for (size_t i = 0; i < sizeof(empty) / sizeof(void *); i++)
		assert_non_null(((void **)&h.t)[i]);
	assert_fails(CALL(&h, pipe, (int[2]){ 0 }), ENOSYS);
	assert_fails(CALL(&h, splice, 0, NULL, 0, NULL, 0, 0), ENOSYS);
	assert_fails(CALL(&h, close, 999), EBADF);
	host_end(&h);
}

/* Handshake, data both ways, the peer closes, we close. */
static void a_passive_connection(uint8_t version)
{
	char text[100] = "";
	struct host h;
	int fd;

	host_begin(&h, "poll", version);
	fd = host_accepted(&h);
	host_expect_silence(&h);
	assert_int_equal(CALL(&h, write, fd, text, 100), 100);
	host_expect(&h, SEG_ACK | SEG_PSH, 1, 1, 100);
	host_send(&h, SEG_ACK | SEG_PSH, 1, 101, 10);
	assert_int_equal(CALL(&h, read, fd, text, sizeof(text)), 10);
	assert_memory_equal(text, "xxxxxxxxxx", 10);
	host_send(&h, SEG_ACK | SEG_FIN, 11, 101, 0);
	host_expect(&h, SEG_ACK, 101, 12, 0);
	assert_int_equal(CALL(&h, read, fd, text, sizeof(text)), 0);
	assert_int_equal(CALL(&h, close, fd), 0);
	host_expect(&h, SEG_ACK | SEG_FIN, 101, 12, 0);
	host_send(&h, SEG_ACK, 12, 102, 0);
	host_expect_silence(&h);
	host_send(&h, SEG_ACK, 12, 102, 0); /* nobody is there any more */
	host_expect(&h, SEG_RST, 102, 0, 0);
	host_end(&h);
}

static void passive_connection_ipv4(void **state)
{
	(void)state;
	a_passive_connection(4);
}

static void passive_connection_ipv6(void **state)
{
	(void)state;
	a_passive_connection(6);
}

static void active_connection(void **state)
{
	struct pollfd fds = { .events = POLLOUT };
	struct host h;

	(void)state;
	host_begin(&h, "poll,local=192.168.7.7", 4);
	fds.fd = host_socket(&h, SOCK_NONBLOCK);
	assert_int_equal(CALL(&h, fcntl, fds.fd, F_GETFL), O_RDWR | O_NONBLOCK);
	assert_fails(host_connect(&h, fds.fd), EINPROGRESS);
	assert_fails(host_connect(&h, fds.fd), EALREADY);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	assert_memory_equal(h.last.src.ip.octets, ((uint8_t[]){ 192, 168, 7, 7 }), 4);
	assert_int_equal(CALL(&h, poll, &fds, 1, 0), 0);
	host_send(&h, SEG_SYN | SEG_ACK, 0, 1, 0);
	host_expect(&h, SEG_ACK, 1, 1, 0);
	assert_int_equal(CALL(&h, poll, &fds, 1, 0), 1);
	assert_int_equal(fds.revents, POLLOUT);
	assert_int_equal(option(&h, fds.fd, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(host_connect(&h, fds.fd), 0); /* told once, as Linux does */
	assert_fails(host_connect(&h, fds.fd), EISCONN);
	assert_int_equal(option(&h, fds.fd, IPPROTO_TCP, TCP_MAXSEG), 1000);
	assert_int_equal(CALL(&h, shutdown, fds.fd, SHUT_WR), 0);
	host_expect(&h, SEG_ACK | SEG_FIN, 1, 1, 0);
	assert_fails(CALL(&h, write, fds.fd, "x", 1), EPIPE);
	host_end(&h);
}

static void refused_once(void **state)
{
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	host_send(&h, SEG_RST | SEG_ACK, 0, 1, 0);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), 0);
	host_expect_silence(&h);
	host_end(&h);
}

static short ready(struct host *h, int fd)
{
	struct pollfd fds = { .fd = fd, .events = ~0 };

	CALL(h, poll, &fds, 1, 0);
	return fds.revents;
}

#define CONNECTED_READY (POLLOUT | POLLWRNORM)
#define ENDED_READY (POLLIN | POLLRDNORM | POLLRDHUP | CONNECTED_READY | POLLHUP)
#define FRESH_READY (CONNECTED_READY | POLLHUP)

/* A socket whose open has failed is as new, once connect has said so. */
static void failed_open_is_tried_again(void **state)
{
	struct host h;
	char text[10];
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ready(&h, fd), FRESH_READY);
		assert_fails(CALL(&h, read, fd, text, sizeof(text)), ENOTCONN);
		assert_fails(host_connect(&h, fd), EINPROGRESS);
		host_expect(&h, SEG_SYN, 0, 0, 0);
		host_send(&h, SEG_RST | SEG_ACK, 0, 1, 0);
		assert_int_equal(ready(&h, fd), ENDED_READY | POLLERR);
		assert_fails(host_connect(&h, fd), ECONNREFUSED);
	}
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	host_send(&h, SEG_RST | SEG_ACK, 0, 1, 0);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(CALL(&h, read, fd, text, sizeof(text)), 0);
	assert_fails(host_connect(&h, fd), ECONNABORTED);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_end(&h);
}

static void tuple_in_use(void **state)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(8080) };
	static const int errors[] = { EINPROGRESS, EADDRNOTAVAIL };
	struct host h;

	(void)state;
	host_begin(&h, "poll", 4);
	for (unsigned i = 0; i < 2; i++) {
		const int fd = host_socket(&h, SOCK_NONBLOCK);

		set_option(&h, fd, SOL_SOCKET, SO_REUSEADDR, 1);
		assert_int_equal(CALL(&h, bind, fd, (struct sockaddr *)&any, sizeof(any)), 0);
		assert_fails(host_connect(&h, fd), errors[i]);
	}
	host_end(&h);
}

/* By shutdown of an open under way, and by AF_UNSPEC. */
static void disconnected(void **state)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	assert_fails(CALL(&h, write, fd, "", 0), EAGAIN);
	assert_int_equal(CALL(&h, shutdown, fd, SHUT_WR), 0);
	assert_int_equal(ready(&h, fd), FRESH_READY | POLLERR);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	host_send(&h, SEG_SYN | SEG_ACK, 0, 1, 0);
	host_expect(&h, SEG_ACK, 1, 1, 0);
	assert_int_equal(CALL(&h, connect, fd, &nobody, sizeof(nobody)), 0);
	host_expect(&h, SEG_RST | SEG_ACK, 1, 1, 0);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_end(&h);
}

/* With both SYNs there is a connection, and what it is told goes on: the FIN leaves (RFC 9293 3.10.4). */
static void shut_in_simultaneous_open(void **state)
{
	struct host h;
	char text[20];
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	host_send(&h, SEG_SYN, 0, 0, 0);
	host_expect(&h, SEG_SYN | SEG_ACK, 0, 1, 0);
	assert_fails(host_connect(&h, fd), EALREADY);
	assert_int_equal(CALL(&h, shutdown, fd, SHUT_WR), 0);
	host_expect(&h, SEG_ACK | SEG_FIN, 1, 1, 0);
	host_send(&h, SEG_ACK, 1, 2, 10);
	assert_int_equal(ready(&h, fd), POLLIN | POLLRDNORM | CONNECTED_READY);
	assert_int_equal(CALL(&h, read, fd, text, sizeof(text)), 10);
	host_end(&h);
}

/* Whoever is told of the end of the text is told of it ever after. */
static void reset_behind_the_fin(void **state)
{
	struct host h;
	char text[10];
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	host_send(&h, SEG_ACK | SEG_FIN, 1, 1, 0);
	host_send(&h, SEG_RST, 2, 0, 0);
	assert_int_equal(ready(&h, fd), ENDED_READY | POLLERR);
	assert_int_equal(CALL(&h, read, fd, text, sizeof(text)), 0);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
	assert_fails(CALL(&h, write, fd, text, sizeof(text)), EPIPE);
	assert_fails(CALL(&h, shutdown, fd, SHUT_WR), ENOTCONN);
	host_end(&h);
}

/* With both FINs acknowledged there is no connection to shut any more. */
static void shut_again(void **state)
{
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(CALL(&h, shutdown, fd, SHUT_WR), 0);
	host_expect(&h, SEG_ACK | SEG_FIN, 1, 1, 0);
	host_send(&h, SEG_ACK | SEG_FIN, 1, 2, 0);
	host_expect(&h, SEG_ACK, 2, 2, 0);
	assert_int_equal(ready(&h, fd), ENDED_READY);
	assert_fails(CALL(&h, shutdown, fd, SHUT_WR), ENOTCONN);
	host_end(&h);
}

static void listener_is_shut(void **state)
{
	struct host h;
	int listener;

	(void)state;
	host_begin(&h, "poll", 4);
	listener = host_listen(&h, 0);
	host_handshake(&h);
	assert_int_equal(CALL(&h, shutdown, listener, SHUT_WR), 0);
	assert_int_equal(ready(&h, listener), POLLIN | POLLRDNORM);
	assert_int_equal(CALL(&h, shutdown, listener, SHUT_RD), 0);
	host_expect(&h, SEG_RST | SEG_ACK, 1, 1, 0);
	assert_fails(host_accept(&h, listener), EINVAL);
	assert_int_equal(CALL(&h, listen, listener, 1), 0);
	host_end(&h);
}

/* An error that a call could not tell, since it had octets to tell of, waits for the next. */
static void error_waits(void **state)
{
	struct host h;
	char text[20];
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	host_send(&h, SEG_ACK | SEG_PSH, 1, 1, 10);
	assert_int_equal(CALL(&h, read, fd, text, 0), 0);
	assert_int_equal(CALL(&h, recv, fd, text, 20, MSG_WAITALL | MSG_DONTWAIT), 10);
	assert_int_equal(CALL(&h, read, fd, text, 0), 0);
	host_send(&h, SEG_RST, 11, 0, 0);
	assert_int_equal(ready(&h, fd), ENDED_READY | POLLERR);
	assert_fails(host_connect(&h, fd), EISCONN);
	assert_fails(CALL(&h, write, fd, text, 1), ECONNRESET);
	assert_fails(CALL(&h, write, fd, text, 1), EPIPE);
	host_end(&h);
}

static void reset_by_peer(void **state)
{
	struct host h;
	char text[10];
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	host_send(&h, SEG_RST, 1, 0, 0);
	assert_fails(CALL(&h, read, fd, text, sizeof(text)), ECONNRESET);
	assert_int_equal(CALL(&h, read, fd, text, sizeof(text)), 0);
	assert_fails(CALL(&h, write, fd, text, sizeof(text)), EPIPE);
	assert_int_equal(CALL(&h, close, fd), 0);
	host_expect_silence(&h);
	host_end(&h);
}

static void linger_of_zero_resets(void **state)
{
	const struct linger linger = { .l_onoff = 1 };
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	assert_int_equal(CALL(&h, setsockopt, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	assert_int_equal(CALL(&h, close, fd), 0);
	host_expect(&h, SEG_RST | SEG_ACK, 1, 1, 0);
	host_end(&h);
}

/* ---- Time -------------------------------------------------------------------------------------- */

/* RFC 6298 5.5 with an initial RTO of 1 s; syn_retries are 7, and the last wait is 120 s. */
static const long long syn_at_s[] = { 0, 1, 3, 7, 15, 31, 63, 127 };

static void timers_have_their_own_stamps(void **state)
{
	struct host h;
	uint64_t begun;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	begun = host_now(&h);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	assert_int_equal(CALL(&h, usleep, 8 * S), 0);
	assert_true(host_now(&h) - begun >= 8 * S && host_now(&h) - begun < 8 * S + 100);
	for (unsigned i = 0; i < 4; i++) {
		host_expect(&h, SEG_SYN, 0, 0, 0);
		assert_in_range(h.at_us - (long long)begun, syn_at_s[i] * S, syn_at_s[i] * S + 2000);
	}
	host_expect_silence(&h);
	host_end(&h);
}

static void receive_moves_the_clock(void **state)
{
	struct host h;
	uint64_t begun;
	int fd;

	(void)state;
	host_begin(&h, NULL, 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	begun = host_now(&h);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	for (unsigned i = 0; i < 8; i++) {
		host_expect(&h, SEG_SYN, 0, 0, 0);
		assert_in_range(h.at_us - (long long)begun, syn_at_s[i] * S, syn_at_s[i] * S + 2000);
	}
	host_expect_silence(&h); /* the open has failed, and with no deadline left there is nothing */
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
	host_end(&h);
}

static void the_clock_moves_by_itself(void **state)
{
	struct host h;
	uint64_t before;

	(void)state;
	host_begin(&h, NULL, 4);
	before = host_now(&h);
	for (unsigned i = 1; i <= 10; i++)
		assert_int_equal(host_now(&h), before + i);
	host_end(&h);
}

/* ---- Calls that block, on a thread of their own ------------------------------------------------ */

static long blocking_accept(struct host *h, int fd)
{
	return host_accept(h, fd);
}

static long blocking_connect(struct host *h, int fd)
{
	return host_connect(h, fd);
}

static long blocking_read(struct host *h, int fd)
{
	char text[20];

	return CALL(h, read, fd, text, sizeof(text));
}

static long blocking_write(struct host *h, int fd)
{
	static char text[2500];

	return CALL(h, write, fd, text, sizeof(text));
}

static long polling(struct host *h, int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLIN };

	return CALL(h, poll, &fds, 1, 50);
}

static void accept_blocks(void **state)
{
	struct host h;
	struct helper helper;
	int listener;

	(void)state;
	host_begin(&h, NULL, 4);
	listener = host_listen(&h, 0);
	helper_start(&helper, &h, blocking_accept, listener);
	CALL(&h, usleep, 100000);
	host_handshake(&h);
	assert_true(helper_end(&helper) >= 0);
	assert_in_range(helper.ended_us - helper.begun_us, 100000, 100100);
	host_end(&h);
}

static void connect_blocks(void **state)
{
	struct host h;
	struct helper helper;

	(void)state;
	host_begin(&h, NULL, 4);
	helper_start(&helper, &h, blocking_connect, host_socket(&h, 0));
	host_expect(&h, SEG_SYN, 0, 0, 0);
	CALL(&h, usleep, 100000);
	host_send(&h, SEG_SYN | SEG_ACK, 0, 1, 0);
	host_expect(&h, SEG_ACK, 1, 1, 0);
	assert_int_equal(helper_end(&helper), 0);
	assert_in_range(helper.ended_us - helper.begun_us, 100000, 100100);
	host_end(&h);
}

static void connect_times_out(void **state)
{
	struct host h;
	struct helper helper;

	(void)state;
	host_begin(&h, NULL, 4);
	helper_start(&helper, &h, blocking_connect, host_socket(&h, 0));
	for (unsigned i = 0; i < 8; i++)
		host_expect(&h, SEG_SYN, 0, 0, 0);
	host_expect_silence(&h);
	assert_int_equal(helper_end(&helper), -ETIMEDOUT);
	assert_in_range(helper.ended_us - helper.begun_us, 247ull * S, 247ull * S + 10000);
	host_end(&h);
}

static void read_blocks_and_others_write(void **state)
{
	struct host h;
	struct helper helper;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	helper_start(&helper, &h, blocking_read, fd);
	assert_int_equal(CALL(&h, write, fd, "xxx", 3), 3);
	host_expect(&h, SEG_ACK | SEG_PSH, 1, 1, 3);
	CALL(&h, usleep, 5000);
	host_send(&h, SEG_ACK | SEG_PSH, 1, 4, 10);
	CALL(&h, usleep, 5000); /* waits for the reader to have looked at the clock */
	assert_int_equal(helper_end(&helper), 10);
	assert_in_range(helper.ended_us - helper.begun_us, 5000, 5100);
	host_end(&h);
}

static void write_blocks(void **state)
{
	struct host h;
	struct helper helper;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	set_option(&h, fd, SOL_SOCKET, SO_SNDBUF, 600); /* counts double, as with Linux */
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_SNDBUF), 1200);
	helper_start(&helper, &h, blocking_write, fd);
	host_expect(&h, SEG_ACK, 1, 1, 1000);
	assert_int_equal(helper.done, 0);
	host_send(&h, SEG_ACK, 1, 1001, 0);
	helper_settle(&helper);
	host_send(&h, SEG_ACK, 1, 1201, 0);
	helper_settle(&helper);
	host_send(&h, SEG_ACK, 1, 2201, 0);
	assert_int_equal(helper_end(&helper), 2500);
	host_end(&h);
}

static long waiting_for_all(struct host *h, int fd)
{
	char text[20];

	return CALL(h, recv, fd, text, sizeof(text), MSG_WAITALL);
}

/* What was there is told first, and the error with the next call. */
static void reset_cuts_short(void **state)
{
	static const struct {
		helper_call *call;
		long done;
	} calls[] = { { waiting_for_all, 10 }, { blocking_write, 1200 } };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct host h;
		struct helper helper;
		int fd;

		host_begin(&h, "poll", 4);
		fd = host_accepted(&h);
		set_option(&h, fd, SOL_SOCKET, SO_SNDBUF, 600);
		host_send(&h, SEG_ACK | SEG_PSH, 1, 1, 10);
		helper_start(&helper, &h, calls[i].call, fd);
		host_send(&h, SEG_RST, 11, 0, 0);
		assert_int_equal(helper_end(&helper), calls[i].done);
		assert_int_equal(option(&h, fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
		host_end(&h);
	}
}

static long closing(struct host *h, int fd)
{
	return CALL(h, close, fd);
}

/* Until the FIN is acknowledged, though the socket does not block. */
static void close_lingers(void **state)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 5 };
	struct host h;
	struct helper helper;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	assert_int_equal(CALL(&h, fcntl, fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(CALL(&h, setsockopt, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	helper_start(&helper, &h, closing, fd);
	host_expect(&h, SEG_ACK | SEG_FIN, 1, 1, 0);
	CALL(&h, usleep, 100000);
	host_send(&h, SEG_ACK, 1, 2, 0);
	assert_int_equal(helper_end(&helper), 0);
	assert_in_range(helper.ended_us - helper.begun_us, 100000, 100100);
	host_end(&h);
}

static void poll_times_out(void **state)
{
	struct host h;
	struct helper helper;

	(void)state;
	host_begin(&h, "poll", 4);
	helper_start(&helper, &h, polling, host_accepted(&h));
	CALL(&h, usleep, 100000);
	assert_int_equal(helper_end(&helper), 0);
	assert_in_range(helper.ended_us - helper.begun_us, 50000, 50100);
	host_end(&h);
}

/* ---- The rest of the calls --------------------------------------------------------------------- */

static void vectors_and_queues(void **state)
{
	char a[3], b[4];
	struct iovec iov[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct host h;
	int fd, n;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	host_send(&h, SEG_ACK | SEG_PSH, 1, 1, 12);
	assert_int_equal(CALL(&h, ioctl, fd, SIOCINQ, &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(CALL(&h, recv, fd, a, 3, MSG_PEEK), 3);
	assert_int_equal(CALL(&h, readv, fd, iov, 2), 7);
	assert_int_equal(CALL(&h, recvmsg, fd, &msg, 0), 5);
	assert_fails(CALL(&h, recv, fd, a, 1, MSG_DONTWAIT), EAGAIN);
	assert_fails(CALL(&h, recv, fd, a, 1, MSG_OOB), EOPNOTSUPP);
	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	assert_int_equal(CALL(&h, writev, fd, iov, 2), 7);
	host_expect(&h, SEG_ACK | SEG_PSH, 1, 13, 7);
	assert_memory_equal(h.last.raw + h.last.text, "aaabbbb", 7);
	assert_int_equal(CALL(&h, ioctl, fd, SIOCOUTQ, &n), 0);
	assert_int_equal(n, 7);
	host_send(&h, SEG_ACK, 13, 8, 0);
	assert_int_equal(CALL(&h, sendmsg, fd, &msg, 0), 7);
	host_expect(&h, SEG_ACK | SEG_PSH, 8, 13, 7);
	host_end(&h);
}

static void options_are_kept(void **state)
{
	static const int flags[][2] = { { SOL_SOCKET, SO_REUSEADDR },
					{ IPPROTO_TCP, TCP_NODELAY },
					{ IPPROTO_TCP, TCP_CORK } };
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll,rwnd=20000", 4);
	fd = host_accepted(&h);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		assert_int_equal(option(&h, fd, flags[i][0], flags[i][1]), 0);
		set_option(&h, fd, flags[i][0], flags[i][1], 1);
		assert_int_equal(option(&h, fd, flags[i][0], flags[i][1]), 1);
	}
	set_option(&h, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	assert_int_equal(option(&h, fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 3000);
	assert_int_equal(option(&h, fd, SOL_SOCKET, SO_RCVBUF), 20000);
	assert_fails(CALL(&h, setsockopt, fd, IPPROTO_TCP, TCP_MD5SIG, &fd, sizeof(fd)), ENOPROTOOPT);
	assert_int_equal(CALL(&h, getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info.tcpi_snd_mss, 1000);
	host_end(&h);
}

/* A connection has what its listener was told, and holds the port without it. */
static void options_are_inherited(void **state)
{
	const struct timeval patience = { .tv_sec = 3, .tv_usec = 5 }, ages = { .tv_sec = LONG_MAX };
	static const int flags[][2] = { { SOL_SOCKET, SO_REUSEADDR },
					{ IPPROTO_TCP, TCP_NODELAY },
					{ IPPROTO_TCP, TCP_CORK } };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct timeval got;
	socklen_t len = sizeof(got);
	struct host h;
	int fd, listener;

	(void)state;
	host_begin(&h, "poll", 4);
	listener = host_listen(&h, 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		set_option(&h, listener, flags[i][0], flags[i][1], 1);
	assert_int_equal(CALL(&h, setsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, &patience, len), 0);
	assert_int_equal(CALL(&h, setsockopt, listener, SOL_SOCKET, SO_SNDTIMEO, &ages, len), 0);
	host_handshake(&h);
	fd = host_accept(&h, listener);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		assert_int_equal(option(&h, fd, flags[i][0], flags[i][1]), 1);
	assert_int_equal(CALL(&h, getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	assert_memory_equal(&got, &patience, sizeof(got));
	assert_int_equal(CALL(&h, getsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &got, &len), 0);
	assert_int_equal(got.tv_sec, 0);
	assert_int_equal(CALL(&h, close, listener), 0);
	listener = host_socket(&h, 0);
	assert_fails(CALL(&h, bind, listener, (struct sockaddr *)&any, sizeof(any)), EADDRINUSE);
	set_option(&h, listener, SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(CALL(&h, bind, listener, (struct sockaddr *)&any, sizeof(any)), 0);
	host_end(&h);
}

/* Nagle, a cork, MSG_MORE: what leaves and when. */
static void options_are_obeyed(void **state)
{
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	assert_int_equal(CALL(&h, send, fd, "aa", 2, MSG_MORE), 2);
	host_expect_silence(&h);
	assert_int_equal(CALL(&h, send, fd, "bb", 2, 0), 2);
	host_expect(&h, SEG_ACK | SEG_PSH, 1, 1, 4);
	assert_int_equal(CALL(&h, write, fd, "cc", 2), 2);
	host_expect_silence(&h);
	set_option(&h, fd, IPPROTO_TCP, TCP_NODELAY, 1);
	host_expect(&h, SEG_ACK | SEG_PSH, 5, 1, 2);
	set_option(&h, fd, IPPROTO_TCP, TCP_CORK, 1);
	assert_int_equal(CALL(&h, write, fd, "ee", 2), 2);
	host_expect_silence(&h);
	set_option(&h, fd, IPPROTO_TCP, TCP_NODELAY, 1); /* takes the cork out once */
	host_expect(&h, SEG_ACK | SEG_PSH, 7, 1, 2);
	assert_int_equal(CALL(&h, write, fd, "ff", 2), 2);
	host_expect_silence(&h);
	set_option(&h, fd, IPPROTO_TCP, TCP_CORK, 0);
	host_expect(&h, SEG_ACK | SEG_PSH, 9, 1, 2);
	set_option(&h, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	CALL(&h, usleep, 4 * S);
	assert_fails(CALL(&h, write, fd, "dd", 2), ETIMEDOUT);
	host_end(&h);
}

static void mss_of_either_side(void **state)
{
	struct host h;
	int fd, listener;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	set_option(&h, fd, IPPROTO_TCP, TCP_MAXSEG, 700);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	assert_int_equal(h.last.seg.mss, 700);
	host_begin(&h, "poll", 4);
	listener = host_listen(&h, 0);
	set_option(&h, listener, IPPROTO_TCP, TCP_MAXSEG, 700);
	host_handshake(&h);
	assert_int_equal(h.last.seg.mss, 700);
	fd = host_accept(&h, listener);
	assert_int_equal(option(&h, fd, IPPROTO_TCP, TCP_MAXSEG), 700);
	host_end(&h);
}

/* Less than IPv6 can do (RFC 8200 5), and IPv4 works. */
static void smallest_mtu(void **state)
{
	struct host h;

	(void)state;
	host_begin(&h, "poll,mtu=576", 4);
	host_listen(&h, 0);
	host_handshake(&h);
	assert_int_equal(h.last.seg.mss, 536);
	host_end(&h);
}

static void keepalive_before_the_open(void **state)
{
	struct host h;
	int fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_socket(&h, SOCK_NONBLOCK);
	set_option(&h, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(&h, fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	assert_fails(host_connect(&h, fd), EINPROGRESS);
	host_expect(&h, SEG_SYN, 0, 0, 0);
	host_send(&h, SEG_SYN | SEG_ACK, 0, 1, 0);
	host_expect(&h, SEG_ACK, 1, 1, 0);
	CALL(&h, usleep, 11 * S);
	host_expect(&h, SEG_ACK, 0, 1, 0);
	assert_fails(CALL(&h, setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &fd, sizeof(fd)), EOPNOTSUPP);
	fd = host_socket(&h, 0); /* for which it would come too late as well */
	assert_fails(CALL(&h, setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &fd, sizeof(fd)), EOPNOTSUPP);
	host_end(&h);
}

static void shut_for_reading(void **state)
{
	struct pollfd fds = { .events = POLLIN };
	struct host h;
	char text[10];

	(void)state;
	host_begin(&h, "poll", 4);
	fds.fd = host_accepted(&h);
	assert_int_equal(CALL(&h, shutdown, fds.fd, SHUT_RD), 0);
	assert_int_equal(CALL(&h, poll, &fds, 1, 0), 1);
	assert_int_equal(CALL(&h, read, fds.fd, text, sizeof(text)), 0);
	host_expect_silence(&h);
	host_end(&h);
}

static void epoll_level_edge_and_once(void **state)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 }, got[4];
	struct host h;
	int epfd, fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	epfd = CALL(&h, epoll_create, 1);
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_ADD, fd, &event), 0);
	assert_fails(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_ADD, fd, &event), EEXIST);
	assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, 10), 0); /* this moves the clock */
	host_send(&h, SEG_ACK | SEG_PSH, 1, 1, 10);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, -1), 1);
		assert_int_equal(got[0].events, EPOLLIN);
		assert_int_equal(got[0].data.u32, 7);
	}
	event.events = EPOLLIN | EPOLLET;
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_MOD, fd, &event), 0);
	assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, 0), 1);
	assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, 10), 0);
	host_send(&h, SEG_ACK | SEG_PSH, 11, 1, 10);
	assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, 0), 1);
	event.events = EPOLLIN | EPOLLONESHOT;
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_MOD, fd, &event), 0);
	assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, 0), 1);
	assert_int_equal(CALL(&h, epoll_wait, epfd, got, 4, 0), 0);
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_DEL, fd, NULL), 0);
	assert_fails(CALL(&h, epoll_wait, epfd, got, 4, -1), EDEADLK);
	host_end(&h);
}

/* What is no edge: an ACK of all that was sent, where nobody waited for room. */
static void epoll_edges(void **state)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET }, got;
	static char text[2000];
	struct host h;
	int epfd, fd;

	(void)state;
	host_begin(&h, "poll", 4);
	fd = host_accepted(&h);
	epfd = CALL(&h, epoll_create, 1);
	assert_int_equal(CALL(&h, fcntl, fd, F_SETFL, O_NONBLOCK), 0);
	set_option(&h, fd, SOL_SOCKET, SO_SNDBUF, 600);
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 1);
	assert_int_equal(got.events, EPOLLOUT);
	assert_int_equal(CALL(&h, write, fd, text, 100), 100);
	host_send(&h, SEG_ACK, 1, 101, 0);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 0);
	assert_int_equal(CALL(&h, write, fd, text, 2000), 1200);
	host_send(&h, SEG_ACK, 1, 1101, 0);
	host_send(&h, SEG_ACK, 1, 1301, 0);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 1);
	assert_int_equal(got.events, EPOLLOUT);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 0);
	assert_int_equal(CALL(&h, shutdown, fd, SHUT_RD), 0);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 1);
	assert_int_equal(got.events, EPOLLIN | EPOLLOUT);
	host_end(&h);
}

/* A watch goes with its descriptor, whose number another socket may have; errors need not be asked for. */
static void epoll_forgets_what_is_closed(void **state)
{
	struct epoll_event event = { .events = 0, .data.u32 = 7 }, got;
	struct host h;
	int epfd, fd;

	(void)state;
	host_begin(&h, "poll", 4);
	epfd = CALL(&h, epoll_create, 1);
	fd = host_socket(&h, 0);
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_ADD, fd, &event), 0);
	assert_fails(CALL(&h, epoll_ctl, epfd, 77, fd, &event), EINVAL);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 1);
	assert_int_equal(got.events, EPOLLHUP);
	assert_int_equal(CALL(&h, close, fd), 0);
	assert_int_equal(host_socket(&h, 0), fd);
	assert_int_equal(CALL(&h, epoll_wait, epfd, &got, 1, 0), 0);
	assert_int_equal(CALL(&h, epoll_ctl, epfd, EPOLL_CTL_ADD, fd, &event), 0);
	host_end(&h);
}

/* The host closes by libc what a script has left open. */
static void descriptors_are_the_kernels(void **state)
{
	struct host h;
	int a, b;

	(void)state;
	host_begin(&h, NULL, 4);
	a = host_socket(&h, 0);
	b = host_listen(&h, 0);
	assert_int_not_equal(a, b);
	assert_int_equal(close(a), 0);
	assert_int_equal(close(b), 0);
	a = host_socket(&h, 0);
	assert_int_equal(CALL(&h, close, a), 0);
	assert_fails(close(a), EBADF);
	host_end(&h);
}

/* ---- Flags ------------------------------------------------------------------------------------- */

static void assert_states(const char *path, const char *want)
{
	FILE *const file = fopen(path, "r");
	char text[256];
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	assert_string_equal(text, want);
}

static void states_are_written(void **state)
{
	char path[] = "/tmp/handfast-states-XXXXXX", flags[128];
	const int made = mkstemp(path);
	struct host h;
	int listener, fd;

	(void)state;
	assert_true(made >= 0);
	close(made);
	snprintf(flags, sizeof(flags), "poll,statefile=%s", path);
	host_begin(&h, flags, 4);
	assert_states(path, "");
	listener = host_listen(&h, 0);
	assert_states(path, "0 LISTEN\n");
	host_send(&h, SEG_SYN, 0, 0, 0);
	assert_states(path, "0 LISTEN\n1 SYN_RCVD\n");
	host_expect(&h, SEG_SYN | SEG_ACK, 0, 1, 0);
	host_send(&h, SEG_ACK, 1, 1, 0);
	fd = host_accept(&h, listener);
	assert_states(path, "0 LISTEN\n1 ESTABLISHED\n");
	assert_int_equal(CALL(&h, close, fd), 0);
	assert_states(path, "0 LISTEN\n1 FIN_WAIT_1\n");
	host_expect(&h, SEG_ACK | SEG_FIN, 1, 1, 0);
	host_send(&h, SEG_ACK, 1, 2, 0);
	assert_states(path, "0 LISTEN\n1 FIN_WAIT_2\n");
	host_send(&h, SEG_ACK | SEG_FIN, 1, 2, 0);
	assert_states(path, "0 LISTEN\n1 TIME_WAIT\n");
	assert_int_equal(CALL(&h, close, listener), 0);
	CALL(&h, usleep, 61 * S);
	assert_states(path, "");
	host_end(&h);
	unlink(path);
}

/* A script that failed frees nothing; the next one finds a stack as new, with the same numbers. */
static void init_begins_anew(void **state)
{
	struct host h;
	uint64_t begun;
	uint32_t iss;

	(void)state;
	host_begin(&h, "seed=5", 4);
	begun = host_now(&h);
	host_accepted(&h);
	iss = h.iss;
	CALL(&h, usleep, 5 * S);
	host_begin(&h, "seed=5", 4);
	assert_int_equal(host_now(&h), begun);
	host_accepted(&h);
	assert_int_equal(h.iss, iss);
	host_end(&h);
}

/* Ends the process, as packetdrill wants it, and says why. */
static void assert_refused(const char *flags, const char *why)
{
	char said[512];
	struct host h;
	int fds[2], status;
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[1]);
		host_begin(&h, flags, 4);
		_exit(0);
	}
	close(fds[1]);
	len = read(fds[0], said, sizeof(said) - 1);
	said[len > 0 ? len : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	if (strstr(said, why) == NULL)
		fail_msg("%s: %s", flags, said);
}

static void wrong_flags_are_refused(void **state)
{
	(void)state;
	assert_refused("rwnd", "so_flags: \"rwnd\": NAME=VALUE");
	assert_refused("rwnd=x", "so_flags: \"rwnd=x\": a number");
	assert_refused("local=here", "an IPv4 or IPv6 address");
	assert_refused("mtv=1500", "no such key");
	assert_refused("mtu=1", "576 to 9000");
	assert_refused("profile=/nowhere", "/nowhere");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_flags_are_refused), /* forks: before EAL has threads */
		cmocka_unit_test(every_slot_is_filled),
		cmocka_unit_test(passive_connection_ipv4),
		cmocka_unit_test(passive_connection_ipv6),
		cmocka_unit_test(active_connection),
		cmocka_unit_test(refused_once),
		cmocka_unit_test(failed_open_is_tried_again),
		cmocka_unit_test(tuple_in_use),
		cmocka_unit_test(disconnected),
		cmocka_unit_test(shut_in_simultaneous_open),
		cmocka_unit_test(reset_behind_the_fin),
		cmocka_unit_test(shut_again),
		cmocka_unit_test(listener_is_shut),
		cmocka_unit_test(error_waits),
		cmocka_unit_test(reset_by_peer),
		cmocka_unit_test(linger_of_zero_resets),
		cmocka_unit_test(timers_have_their_own_stamps),
		cmocka_unit_test(receive_moves_the_clock),
		cmocka_unit_test(the_clock_moves_by_itself),
		cmocka_unit_test(accept_blocks),
		cmocka_unit_test(connect_blocks),
		cmocka_unit_test(connect_times_out),
		cmocka_unit_test(read_blocks_and_others_write),
		cmocka_unit_test(write_blocks),
		cmocka_unit_test(reset_cuts_short),
		cmocka_unit_test(close_lingers),
		cmocka_unit_test(poll_times_out),
		cmocka_unit_test(vectors_and_queues),
		cmocka_unit_test(options_are_kept),
		cmocka_unit_test(options_are_inherited),
		cmocka_unit_test(options_are_obeyed),
		cmocka_unit_test(mss_of_either_side),
		cmocka_unit_test(smallest_mtu),
		cmocka_unit_test(keepalive_before_the_open),
		cmocka_unit_test(shut_for_reading),
		cmocka_unit_test(epoll_level_edge_and_once),
		cmocka_unit_test(epoll_edges),
		cmocka_unit_test(epoll_forgets_what_is_closed),
		cmocka_unit_test(descriptors_are_the_kernels),
		cmocka_unit_test(states_are_written),
		cmocka_unit_test(init_begins_anew),
	};

	if (argc == 2)
		setenv("HANDFAST_PD", argv[1], 1);
	return cmocka_run_group_tests_name("packetdrill", tests, NULL, NULL);
}
