/* SPDX-License-Identifier: BSD-3-Clause */
/* What bench_connection does, by the kernel: a request and a response of one octet, the server closes first.
 * bench_kernel server ADDRESS PORT
 * bench_kernel client ADDRESS PORT SECONDS CONCURRENCY: prints connections a second, after a second of warm-up. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

static void serve(const struct sockaddr_in *at)
{
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
		  epoll = epoll_create1(0);
	struct epoll_event events[EVENTS];
	char octet;

	if (bind(listener, (const struct sockaddr *)at, sizeof(*at)) != 0 ||
	    listen(listener, 4096) != 0)
		fail("listen");
	watch(epoll, listener, EPOLLIN);
	for (;;) {
		const int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != listener) {
				if (read(fd, &octet, 1) == 1 && write(fd, "!", 1) != 1)
					fail("write");
				close(fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
				watch(epoll, fd, EPOLLIN);
		}
	}
}

static void begin(int epoll, const struct sockaddr_in *to)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 && errno != EINPROGRESS)
		fail("connect");
	watch(epoll, fd, EPOLLOUT);
}

/* One connection goes on. @return whether it is over */
static int go_on(int epoll, const struct epoll_event *event)
{
	struct epoll_event next = { .events = EPOLLIN, .data.fd = event->data.fd };
	char octets[2];

	if (event->events & EPOLLOUT) {
		if (write(next.data.fd, "?", 1) != 1)
			fail("write");
		epoll_ctl(epoll, EPOLL_CTL_MOD, next.data.fd, &next);
		return 0;
	}
	if (read(next.data.fd, octets, 2) > 0 && read(next.data.fd, octets, 2) != 0)
		return 0; /* the FIN is to come */
	close(next.data.fd);
	return 1;
}

static void load(const struct sockaddr_in *to, double seconds, unsigned concurrency)
{
	const int epoll = epoll_create1(0);
	struct epoll_event events[EVENTS];
	const double from = now() + 1;
	unsigned long done = 0;

	while (concurrency-- > 0)
		begin(epoll, to);
	while (now() < from + seconds) {
		const int n = epoll_wait(epoll, events, EVENTS, 100);

		for (int i = 0; i < n; i++)
			if (go_on(epoll, &events[i])) {
				done += now() >= from;
				begin(epoll, to);
			}
	}
	printf("%.0f\n", (double)done / seconds);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	if (argc < 4)
		return 2;
	inet_pton(AF_INET, argv[2], &at.sin_addr);
	at.sin_port = htons((uint16_t)atoi(argv[3]));
	if (strcmp(argv[1], "server") == 0)
		serve(&at);
	else if (argc > 5)
		load(&at, atof(argv[4]), (unsigned)atoi(argv[5]));
	return 0;
}
