/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libhandfast_pd.so: sockets over libhandfast on a virtual clock, for packetdrill. One lock round all of it.
 * The thread that called init handles the packets; others may block in calls, and do so on virtual time.
 * Uses nothing of the library but handfast.h.
 */
#ifndef HF_PACKETDRILL_STACK_H
#define HF_PACKETDRILL_STACK_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "config.h"
#include "handfast.h"

#define NEVER UINT64_MAX
#define SOCKS 64
#define PACKET_ROOM 65536

/* ---- flags.c: what --so_flags says ------------------------------------------------------------- */

struct flags {
	struct hf_ip local[2]; /* IPv4, IPv6: where active opens come from */
	char statefile[TEXT_ROOM];
	uint32_t rwnd; /* 0: the profile's */
	uint64_t seed;
	bool poll;		  /* the host moves the clock, netdev_receive does not */
	struct settings settings; /* of the profile, and mtu */
};

/* @return 0; -EINVAL, why says what */
int flags_read(const char *text, struct flags *flags, struct hf_error *why);

/* ---- sock.c: descriptors ----------------------------------------------------------------------- */

enum sock_kind {
	SOCK_NONE,
	SOCK_FRESH,	 /* neither of the next two yet */
	SOCK_LISTENER,	 /* number is the engine's */
	SOCK_CONNECTION, /* id is the engine's, until over */
	SOCK_EPOLL,
};

struct watch {	/* of an epoll */
	int fd; /* -1: none */
	uint32_t events;
	uint64_t data;
	uint64_t told; /* the sock's news when this was last reported (EPOLLET) */
};
#define WATCHES 16

struct sock {
	enum sock_kind kind;
	int fd;		 /* an eventfd that keeps the number ours */
	uint64_t cookie; /* names it in events; never used twice */
	int family;	 /* AF_INET, AF_INET6 */
	bool nonblock, bound;
	bool opening;	/* connect has not said yet what came of it */
	bool connected; /* has been ESTABLISHED */
	bool eof;	/* the peer's FIN is here */
	bool over;	/* HF_EV_CLOSED: the id is dead */
	bool rd_shut, wr_shut;
	bool full;	    /* the engine took less than was given: HF_EV_WRITABLE will come */
	bool short_of_room; /* a send was not taken whole: that there is room again is news */
	int error;	    /* SO_ERROR: told once */
	struct hf_addr local, peer;
	uint64_t id;
	uint32_t number, waiting; /* listener: connections to accept */
	uint64_t news;		  /* events so far (EPOLLET) */
	/* options */
	bool reuse, nodelay, cork, more; /* more: MSG_MORE with the last send */
	struct linger linger;
	uint32_t mss, user_timeout_ms, snd_buf, rcv_buf; /* 0: the stack's */
	uint64_t rcv_timeout_us, snd_timeout_us;	 /* 0: none */
	struct watch watches[WATCHES];
};

/* ---- stack.c: engine, packets and time --------------------------------------------------------- */

struct packet {
	STAILQ_ENTRY(packet) link;
	uint64_t at_us;
	size_t len;
	uint8_t octets[];
};

struct stack;

/* A call that waits; it lives on its thread's stack. */
struct waiter {
	LIST_ENTRY(waiter) link;
	bool (*ready)(struct stack *s, const void *arg); /* ends it, or until_us does */
	const void *arg;
	uint64_t until_us;
	bool woken;
	pthread_t thread;
};

#define TUPLES 64

/* A pair of ends seen in a segment, for the state file. */
struct tuple {
	struct hf_addr local, peer;
};

struct stack {
	pthread_mutex_t lock;
	pthread_cond_t changed, paid;
	pthread_t host; /* moves the clock */
	struct flags flags;
	uint64_t now_us;
	struct hf_port *port;
	struct hf_worker *w; /* NULL until an address of ours is known */
	STAILQ_HEAD(, packet) out;
	LIST_HEAD(, waiter) waiters;
	unsigned debts;	  /* calls that have come back and not looked at the clock yet */
	pthread_t debtor; /* the last of them */
	uint64_t cookies;
	struct sock socks[SOCKS];
	unsigned tuples;
	struct tuple tuple[TUPLES];
};

struct stack *stack_new(const char *flags, struct hf_error *why);
void stack_free(struct stack *s);

/* The engine exists from when this address is known to be ours. @return 0; -ENOMEM ... */
int stack_need(struct stack *s, const struct hf_ip *ours);

/* One turn now: packets in, events to the socks, packets out, waiting calls woken. After every call. */
void stack_turn(struct stack *s);

/* Hand a packet over, whole. @return 0; -1 and errno */
int stack_packet(struct stack *s, const void *packet, size_t len);

/* Move the clock on to until_us, each deadline on the way at its own time. */
void stack_clock(struct stack *s, uint64_t until_us);
/* ... to the next deadline. @return false: there is none by until_us */
bool stack_step(struct stack *s, uint64_t until_us);

/* Wait until ready(arg). Releases the lock. @return false: time is over, or nothing will ever happen */
bool stack_wait(struct stack *s, bool (*ready)(struct stack *s, const void *arg), const void *arg,
		uint64_t until_us);

/* The clock of this call: 1 us later each time. The thread that owes a reading pays. */
uint64_t stack_read_clock(struct stack *s);

/* Calls that have been woken come back and look at the clock before it moves. */
void stack_settle(struct stack *s);

/* ---- statefile.c ------------------------------------------------------------------------------- */

/* Note the two ends of a segment. */
void statefile_note(struct stack *s, const uint8_t *packet, size_t len, bool ours);
/* Where a packet goes. @return false: it is none */
bool packet_ends(const uint8_t *packet, size_t len, struct hf_addr *from, struct hf_addr *to);
void statefile_write(const struct stack *s);

/* ---- sock.c, poll.c ---------------------------------------------------------------------------- */

struct sock *sock_new(struct stack *s, enum sock_kind kind);
/* NULL and errno EBADF: none of ours. */
struct sock *sock_find(struct stack *s, int fd);
void sock_free(struct stack *s, struct sock *sock);
void sock_event(struct stack *s, const struct hf_event *event);
/* poll's events that are true now. */
short sock_ready(const struct stack *s, const struct sock *sock);
/* STATUS; all zero when there is no connection. */
void sock_status(const struct stack *s, const struct sock *sock, struct hf_status *status);
/* No epoll watches this descriptor any more. */
void poll_forget(struct stack *s, int fd);
/* Tell the engine the options it knows. */
void sock_apply(struct stack *s, const struct sock *sock);
/* The error that waits, told once. */
int sock_take_error(struct sock *sock);

/* Wait for events of one sock unless it does not block. @return 0; EAGAIN, a positive errno */
int sock_wait(struct stack *s, const struct sock *sock, short events, bool dontwait,
	      uint64_t timeout_us);

/* rc as a system call gives it: -1 and errno for a negative one. */
static inline int result(long rc)
{
	if (rc >= 0)
		return (int)rc;
	errno = (int)-rc;
	return -1;
}

/* ---- The slots, by file ------------------------------------------------------------------------ */

struct pd_table;
void calls_fill(struct pd_table *table);   /* calls.c: socket to shutdown */
void text_fill(struct pd_table *table);	   /* text.c: read to sendmsg */
void options_fill(struct pd_table *table); /* options.c: fcntl, ioctl, getsockopt, setsockopt */
void poll_fill(struct pd_table *table);	   /* poll.c: poll and epoll */
void device_fill(struct pd_table *table);  /* device.c: packets and the clock */

static inline struct stack *stack_lock(void *stack)
{
	struct stack *s = stack;

	pthread_mutex_lock(&s->lock);
	return s;
}

static inline void stack_unlock(struct stack *s)
{
	pthread_mutex_unlock(&s->lock);
}

#endif
