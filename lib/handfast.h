/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libhandfast: a whole TCP endpoint on DPDK, one engine a worker, no I/O hidden from its caller.
 *
 *     n = hf_turn(w, now_us, events, max);     receive a burst, run the protocol, expire what is due
 *     ... answer the events: hf_accept, hf_send, hf_recv, hf_shutdown, hf_close, hf_abort, hf_connect
 *     hf_flush(w, now_us);                     emit data, SYNs, FINs, and one ACK a connection that owes one
 *
 * A worker and all that belongs to it is used by one thread at a time. Nothing here locks.
 * Calls return 0 or a count; a negative errno tells what was wrong. Times are microseconds on
 * one monotonic clock which the caller reads. Octets are counted in octets.
 */
#ifndef HANDFAST_H
#define HANDFAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_API __attribute__((visibility("default")))

struct hf_worker; /* one engine: flow table, pools, wheel, one queue of one port */
struct hf_port;	  /* one queue of a device, or the memory port */
struct hf_store;  /* memory that text is sent from where it lies */
struct rte_mbuf;  /* DPDK's */

/** What went wrong in a set-up call, in one line: what, where, how to mend it. */
struct hf_error {
	char text[256];
};

/* ---- Addresses --------------------------------------------------------------------------- */

/** An IP address. octets in wire order; IPv4 uses the first four, the rest are zero. */
struct hf_ip {
	uint8_t octets[16];
	uint8_t version; /* 4 or 6; 0: none given */
};

/** An IP address and a TCP port (host order; 0: any, or let the engine choose). */
struct hf_addr {
	struct hf_ip ip;
	uint16_t port;
};

/** count consecutive addresses from first on. */
struct hf_ip_range {
	struct hf_ip first;
	uint32_t count;
};

/** Room for the longest text hf_addr_format writes: "[v6]:65535" and its end. */
#define HF_ADDR_TEXT 56

/**
 * Read "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" (RFC 4291 2.2, RFC 3986 3.2.2).
 * @return 0; -EINVAL when the text is none of these (out is untouched)
 */
HF_API int hf_addr_parse(const char *text, struct hf_addr *out);

/** Write an address as hf_addr_parse reads it; without ":PORT" when the port is 0. @return text */
HF_API char *hf_addr_format(const struct hf_addr *addr, char text[HF_ADDR_TEXT]);

/* ---- States, as RFC 9293 3.3.2 spells them ------------------------------------------------ */

enum hf_state {
	HF_CLOSED,
	HF_LISTEN,
	HF_SYN_SENT,
	HF_SYN_RECEIVED,
	HF_ESTABLISHED,
	HF_FIN_WAIT_1,
	HF_FIN_WAIT_2,
	HF_CLOSE_WAIT,
	HF_CLOSING,
	HF_LAST_ACK,
	HF_TIME_WAIT,
};
#define HF_STATES 11

/** "SYN-RECEIVED", "FIN-WAIT-1" ...; never NULL. */
HF_API const char *hf_state_name(enum hf_state state);

/* ---- Configuration ----------------------------------------------------------------------- */

/** What happens when TIME-WAIT buckets run out (TW-L2). */
enum hf_tw_overflow {
	HF_TW_EVICT, /* the oldest one at least tw_reuse_delay old makes room */
	HF_TW_KILL,  /* the new one is not made, as Linux does */
};

/** The protocol's knobs; the names and defaults of REQUIREMENTS 24, units in the name. */
struct hf_tcp_config {
	uint32_t tw_len_ms; /* 2MSL (MUST-13): 60000 */
	uint32_t tw_reuse;  /* 0 never, 1 everywhere, 2 loopback-like networks only (TW-A1): 1 */
	uint32_t tw_reuse_delay_ms; /* TW-A4: 1000 */
	enum hf_tw_overflow tw_overflow;
	bool tw_accept_ts_new;	     /* TW-P5: false */
	bool tw_reuse_unsafe;	     /* TW-A11: reuse without timestamps, closed labs only: false */
	bool rfc1337;		     /* RST is ignored in TIME-WAIT: true */
	uint32_t fin_timeout_ms;     /* orphaned FIN-WAIT-2 (HF-FW2-1): 60000 */
	uint32_t syn_retries;	     /* MUST-23: 7 */
	uint32_t synack_retries;     /* HF-OP2: 5 */
	uint32_t retries1, retries2; /* R1, R2 (MUST-20): 3, 15 */
	uint32_t orphan_retries;     /* HF-LA1: 8 */
	uint32_t max_orphans;	     /* HF-LA2; 0: as many as connections */
	uint32_t max_shut_windows;   /* HF-ZW3: of more, the longest shut are reset; 0: no limit */
	uint32_t syn_backlog;	     /* half-opens of a listener and worker (HF-B1): 4096 */
	uint32_t accept_queue;	     /* established and not accepted yet (HF-B3): 4096 */
	uint32_t syncookies;	     /* 0 never, 1 when the backlog is full, 2 always: 1 */
	bool abort_on_overflow;	     /* HF-B3: false */
	uint32_t invalid_ratelimit_ms; /* between challenge ACKs of one connection (RFC5961-7): 500 */
	uint32_t rst_budget;	       /* RSTs to no connection, a second (HF-RL4): 10000 */
	uint32_t icmp_budget;	       /* HF-RL5: 1000 */
	uint32_t arp_budget;	       /* HF-RL5: 1000 */
	uint32_t rto_initial_ms, rto_min_ms, rto_max_ms; /* RFC 6298: 1000, 200, 120000 */
	uint32_t delack_ms;				 /* MUST-40: 40 */
	uint32_t keepalive_ms; /* 0: off (MUST-25); idle time before the first probe */
	uint32_t keepalive_interval_ms, keepalive_probes; /* 75000, 9 (MUST-29) */
	uint32_t user_timeout_ms;			  /* 0: R2 alone decides (MUST-21) */
	uint32_t min_snd_mss;				  /* HF-O4: 216 */
	uint32_t pmtu_floor;				  /* IPv4, RFC1191-b: 552 */
	uint32_t ooo_segs;				  /* SHLD-31: 64 */
	uint32_t rcv_buf, snd_buf; /* octets a connection may hold either way: 65536, 65536 */
	bool timestamps, window_scaling, sack; /* true, true, true */
	bool mss_option; /* SYNs tell our MSS (SHLD-5); false: peers take the default (MUST-15). true */
	uint32_t abc_limit; /* RFC 3465's L, segments that an ACK is worth in slow start; 0: no limit. 1 */
	uint32_t ecn;	 /* RFC 3168. 0: no; 1: asked for and answered; 2: answered alone. 0 */
	bool ts_lenient; /* RFC7323-3.2b: false */
	bool nagle;	 /* MUST-17, SHLD-7: true; hf_nagle says otherwise */
	bool rack;	 /* RFC 8985 in place of counting duplicate ACKs: false */
	bool cubic;	 /* RFC 9438 in place of RFC 5681's growth: false */
	bool soft_error_abort; /* soft ICMP errors end what is not established yet (RFC 5461 4.1): false */
};

/** How many of each a worker can hold, of one IP version; for each request it also remembers 16 SYN cookies that
 * have made a connection. All memory is taken at hf_worker_create. */
struct hf_sizes {
	uint32_t connections, requests, buckets;
};

/** What secrets (ISN, table hash, ports, cookies, timestamp offset) are made of (HF-H2). */
struct hf_seed {
	bool seeded;	/* true: from seed; refused on every port but memory and pcap */
	bool iss_fixed; /* true: every ISS is iss (tests of the sequence circle); needs seeded */
	uint64_t seed;
	uint32_t iss;
};

/* ---- A bad link (HF-H6) ---- */

#define HF_EVER 1000000u /* of a rate: every frame */
#define HF_IMPAIR_RULES 16
#define HF_IMPAIR_HOLD 8192

enum hf_impair_act {
	HF_IMPAIR_DROP,
	HF_IMPAIR_TWICE,
	HF_IMPAIR_CORRUPT, /* one bit of the IP packet is flipped */
	HF_IMPAIR_LATER,   /* by later_us, and others may overtake it */
	HF_IMPAIR_BEHIND,  /* comes right after the next frame of its direction, or 10 s late */
};

#define HF_FRAME_TEXT 0x100 /* carries text */
#define HF_FRAME_TCP 0x200  /* TCP over IPv4, or over IPv6 without extension headers */

/** What becomes of single frames, instead of what the rates say; delay and jitter apply. */
struct hf_impair_rule {
	enum hf_impair_act act;
	uint16_t mask, kind; /* frames whose TCP flags and HF_FRAME_*, masked, are these; 0, 0: all */
	uint32_t first, last; /* the first-th such frame to the last-th; 0: no such end */
	uint32_t later_us;
};

/** One direction; rates are in a million frames, each drawn by itself. All zero: nothing happens. */
struct hf_impair_way {
	uint32_t loss, duplicate, reorder, corrupt;
	uint32_t delay_us, jitter_us; /* delay - jitter to delay + jitter, evenly and in order */
	uint32_t reorder_us;	      /* ... but one reordered comes up to so much later; 0: 1000 */
	uint32_t rule_count;
	struct hf_impair_rule rules[HF_IMPAIR_RULES]; /* the first that fits decides */
};

/** A seeded link model at the port's edge, before all else on receive, after all else on transmit. */
struct hf_impair {
	struct hf_impair_way in, out;
	uint32_t hold; /* frames that may wait, each way; what is over is lost; 0: HF_IMPAIR_HOLD */
	uint64_t seed; /* the same seed and frames, the same fates */
};

/** One end of what is wanted. All zero: any. */
struct hf_match {
	struct hf_ip ip;		/* version 0: any */
	uint8_t prefix;			/* leading bits of ip that count */
	uint16_t port_first, port_last; /* 0, 0: any */
};

/** What is wanted: all of it must hold. */
struct hf_filter {
	uint16_t states; /* 1 << enum hf_state, any of these; 0: all but LISTEN */
	struct hf_match local, peer;
};

#define HF_MAX_RANGES 8
#define HF_MTU_MAX 9000

/** All a worker has to know. Copied by hf_worker_create. */
struct hf_config {
	struct hf_tcp_config tcp;
	struct hf_sizes ipv4, ipv6;
	struct hf_seed seed;
	struct hf_ip_range local[HF_MAX_RANGES]; /* our addresses; active opens use them in turn */
	uint32_t locals;
	/* Of local[i]: its network's prefix length. What is in none of these networks is behind the
	 * gateway of its version. 0 (with no gateway): every address is on the link. */
	uint8_t local_prefix[HF_MAX_RANGES];
	struct hf_ip gateway[2]; /* IPv4, IPv6; its MAC address is asked for (RFC 826, RFC 4861) */
	uint32_t neighbours;	 /* next hops known at once, gateways included: 256 */
	uint16_t port_first, port_last; /* local ports of active opens: 1024 to 65535 */
	uint32_t port_lists;	/* (local address, target) pairs that active opens can serve: 16 */
	uint32_t listeners;	/* 64 */
	uint32_t ranges;	/* pieces of text queued either way, all connections: 65536 */
	uint32_t flights;	/* losses mended by SACK at once; one more goes by NewReno: 1024 */
	uint8_t mac[6];		/* ours, which the device is told; all zero: the port's */
	uint8_t gateway_mac[6]; /* where all frames go, and nobody is asked; all zero: next hops are */
	uint16_t vlan;		/* 1 to 4094: frames carry this tag; 0: none (HF-E3) */
	uint16_t mtu;		/* 1500; up to HF_MTU_MAX, if the port is made for it */
	uint8_t ttl;		/* MUST-49: 64 */
	bool accept_reserved; /* take segments from 240/4 and from 127/8 (RFC1122-3.2.1.3): false */
	const struct hf_impair *impair; /* copied too; NULL: the link is left as it is */
	bool long_way; /* no short cuts on the hot path; for tests that compare the two: false */
	/* The flight recorder: connections of record_filter (its states do not matter) whose last HF_RECORDS
	 * events are kept, 2.7 KB each; 0: none */
	uint32_t record;
	struct hf_filter record_filter;
	uint32_t clock_start_ms; /* added to the protocol's millisecond clock, to test its wrap (HF-G7) */
};

/** Fill in the defaults above; addresses and sizes are small (64 connections of each version). */
HF_API void hf_config_defaults(struct hf_config *config);

/** Octets of tables and pools that hf_worker_create would take for this configuration. */
HF_API uint64_t hf_config_memory(const struct hf_config *config);

#define HF_POOLS_MAX ((UINT64_C(16) << 30) - 384) /* of hf_config_pools: what handles reach */

/** Those of its pools alone: the records that ipv4 and ipv6 ask for. hf_worker_create refuses more than HF_POOLS_MAX. */
HF_API uint64_t hf_config_pools(const struct hf_config *config);

/* ---- Environment and ports --------------------------------------------------------------- */

/** How to start DPDK. A program that has called rte_eal_init itself leaves hf_env_start out. */
struct hf_env {
	const char *program;	/* argv[0] */
	const char *const *eal; /* the user's own EAL options, or NULL */
	int eal_count;
	const char *cores; /* "0-1,3": CPUs for workers, in order; NULL: those of this process */
	const char *const *vdevs; /* "net_tap0,iface=hf0" ... */
	int vdev_count;
	uint32_t memory_mb; /* for mbufs and rings; given to EAL unless eal speaks of memory */
};

/**
 * Start EAL: rootless and without hugepages where there are none, one lcore a CPU of cores, and the
 * calling thread as a main lcore that shares these CPUs and mostly sleeps.
 * @return 0; -ENODEV when a vdev failed to probe; -EDOM when EAL does not take an option of eal; -EPERM, -ENOMEM ... as
 *   rte_eal_init failed
 */
HF_API int hf_env_start(const struct hf_env *env, struct hf_error *why);
HF_API void hf_env_stop(void);

/** How many workers hf_env_start made room for. */
HF_API unsigned hf_env_cores(void);

/** Run fn(arg) on worker core i (0-based). @return 0; -EINVAL no such core; -EBUSY it runs something */
HF_API int hf_env_launch(unsigned core, int (*fn)(void *), void *arg);

/** Wait for worker core i. @return what fn returned */
HF_API int hf_env_wait(unsigned core);

/** Octets that an mbuf of a port for this MTU (0: 1500) has for a frame and what drivers put beside it. */
static inline uint32_t hf_frame_room(uint16_t mtu)
{
	return mtu <= 1500 ? 2048 : (mtu + 128u + 1023) / 1024 * 1024;
}

/**
 * Two ports of `queues` queues each over net_ring, queue n of one to queue n of the other.
 * @param a, b   out: `queues` ports each
 * @param ring   frames a ring holds, a power of two
 * @param mbufs  of each side's pool
 * @param mtu    of the largest packets, 0: 1500
 */
HF_API int hf_port_ring_pair(const char *name, unsigned queues, uint32_t ring, uint32_t mbufs,
			     uint16_t mtu, struct hf_port **a, struct hf_port **b,
			     struct hf_error *why);

/** How frames of a device with many queues come to the worker that owns their flow. */
enum hf_steering {
	HF_STEERING_AUTO, /* as the device is: queue, rss, else software; with one queue none is needed */
	/* What we send by queue n comes to the other end's queue n, and its answers to ours: rings, memif. */
	HF_STEERING_QUEUE,
	HF_STEERING_RSS, /* the device hashes; its key and table are read back, the workers reckon by them */
	HF_STEERING_SOFTWARE, /* whoever receives a frame hands it to its worker, by a ring between the two */
};

/** All zero: as the device is, with a random key. */
struct hf_steer {
	enum hf_steering steering;
	const uint8_t *key; /* of the Toeplitz hash; NULL: random */
	unsigned key_len;   /* 40, or as the device wants */
	uint32_t ring; /* frames on their way from one worker to another, a power of two; 0: 1024 */
};

/** A device to be opened. */
struct hf_device {
	const char *name; /* its EAL name: "net_tap0", "0000:3b:00.0" */
	unsigned queues;  /* of each direction, one a worker; the device must have as many. 0: 1 */
	uint32_t mbufs;	  /* of the pool that its queues share */
	uint16_t mtu; /* of the largest packets, 0: 1500; the device must be able to carry them */
	struct hf_steer steer;
};

/**
 * Open a device that EAL has probed, a vdev of hf_env_start or a NIC: configure and start it.
 * @param ports  out: one a queue; their worker is the only one to use each
 * @return 0; -ENODEV there is no such device; -EINVAL too many queues, too large an MTU, or a key of the
 *   wrong length;
 *   -EALREADY it runs; -ENOTSUP it does not hash TCP, and RSS was asked for; -ENOMEM
 */
HF_API int hf_port_open(const struct hf_device *device, struct hf_port **ports, struct hf_error *why);

/** What the steering has come to; AUTO: there is one queue, and nothing to steer. */
HF_API enum hf_steering hf_port_steering(const struct hf_port *port);

/** "queue", "rss", "software"; "none" of AUTO. */
HF_API const char *hf_steering_name(enum hf_steering steering);

/** Which of its device's queues the port is. */
HF_API unsigned hf_port_queue(const struct hf_port *port);

/**
 * The queue, and so the worker, that owns connections between these two (HF-M1). hf_connect chooses its
 * ports by it. With steering by queue a connection that others open is owned by the worker they chose.
 */
HF_API unsigned hf_port_home(const struct hf_port *port, const struct hf_addr *local,
			     const struct hf_addr *peer);

/** Whether the device has a carrier. The memory port always has. */
HF_API bool hf_port_link(const struct hf_port *port);

/** Free a port of any kind; its worker must be gone. NULL is allowed. */
HF_API void hf_port_free(struct hf_port *port);

/** Frames the device dropped for want of buffers or room since the start (imissed, rx_nombuf). */
HF_API uint64_t hf_port_missed(const struct hf_port *port);

/** Mbufs of the port's pool that are in use now (all queues that share it). */
HF_API uint32_t hf_port_mbufs_used(const struct hf_port *port);

/* ---- The memory port: a device made of arrays -------------------------------------------- */

/** What a receive flag of a frame says about its checksums (HF-CK1). */
enum hf_checksum {
	HF_CHECKSUM_UNKNOWN,
	HF_CHECKSUM_GOOD,
	HF_CHECKSUM_BAD,
	HF_CHECKSUM_NONE,
};

struct hf_memport {
	const char *name;      /* names its mempool; unique in the process */
	bool l3;	       /* frames are IP packets: no Ethernet header, no ARP */
	uint32_t mbufs;	       /* of its pool: 512 when 0 */
	uint16_t mtu;	       /* of the largest packets: 1500 when 0 */
	uint32_t frames;       /* that each side's array holds: 256 when 0 */
	unsigned queues;       /* ports that are made, one a queue, sharing the pool; 1 when 0 */
	struct hf_steer steer; /* AUTO: software */
	bool rx_checksum;      /* advertises (and enables) checksum offload on receive */
	bool tx_checksum;      /* ... on transmit: the field then holds the pseudo-header's sum */
	bool multi_segs;       /* takes segment chains on transmit */
	uint16_t segs;	       /* ... of so many at most, for each frame on the wire; 0: any */
	bool tso; /* advertises TCP segmentation too, with both of these, and does it */
};

/** Needs an EAL (hf_env_start, or --no-huge -m 64 of the caller's own). */
HF_API int hf_port_memory(const struct hf_memport *config, struct hf_port **ports,
			  struct hf_error *why);

/** How hf_memport_push hands a frame over. All zero: one segment, checksums unknown, rx queue full order. */
struct hf_push {
	enum hf_checksum ip, l4;
	uint16_t cut[4]; /* lengths of the first segments; 0 ends the list, the rest is the last one */
};

/** Put a frame where the next turn receives it; copied. @return 0; -ENOBUFS no mbuf or no room; -EMSGSIZE */
HF_API int hf_memport_push(struct hf_port *port, const void *frame, size_t len,
			   const struct hf_push *how);

/** Take the oldest frame the engine has sent. @return its length; -EAGAIN none; -EMSGSIZE (it stays) */
HF_API ssize_t hf_memport_pop(struct hf_port *port, void *frame, size_t room);

/** From now on transmit takes at most k frames a burst (HF-L4); UINT32_MAX: all. */
HF_API void hf_memport_tx_limit(struct hf_port *port, uint32_t k);

/* ---- A worker ---------------------------------------------------------------------------- */

/**
 * Make a worker on a port. All memory is taken and touched here, on the NUMA node of the calling thread.
 * @return 0; -EINVAL a value is out of range (why names it); -ENOMEM
 */
HF_API int hf_worker_create(const struct hf_config *config, struct hf_port *port,
			    struct hf_worker **w, struct hf_error *why);

/** Free it and every mbuf it holds. Nothing is sent. NULL is allowed. */
HF_API void hf_worker_destroy(struct hf_worker *w);

enum hf_event_what {
	HF_EV_CONNECTED = 1 << 0, /* our hf_connect is ESTABLISHED */
	HF_EV_ACCEPT = 1 << 1,	  /* a listener's connection is ESTABLISHED: call hf_accept */
	HF_EV_READABLE = 1 << 2,  /* new text has arrived */
	HF_EV_EOF = 1 << 3,	  /* the peer's FIN: no more text will come */
	HF_EV_WRITABLE = 1 << 4, /* room in the send queue after hf_send took less than it was given */
	HF_EV_SENT = 1 << 5,	 /* all text and the FIN, if any, are acknowledged */
	HF_EV_CLOSED = 1 << 6,	/* the end; the id is dead. error says how */
	HF_EV_SUSPECT = 1 << 7, /* R1 reached: the path is suspected (MUST-20) */
};

/**
 * What happened to a connection during a turn; at most one event a connection and turn.
 *
 * An id lives until HF_EV_CLOSED. That event comes once: with error 0 after the application's own
 * hf_close, when the connection has ended in order (TIME-WAIT included, which needs no id);
 * with ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH or ECONNABORTED when it has not, and
 * then whether the application had closed it or not. Unread text is gone with it.
 */
struct hf_event {
	uint64_t id;	   /* the connection; with HF_EV_ACCEPT only a name until hf_accept */
	uint64_t cookie;   /* the application's; with HF_EV_ACCEPT the listener's */
	uint32_t what;	   /* HF_EV_* */
	uint32_t readable; /* octets waiting to be received */
	uint32_t listener; /* with HF_EV_ACCEPT: which */
	int32_t error;	   /* with HF_EV_CLOSED: 0 or a positive errno */
};

/**
 * First half of a turn: receive one burst, run the protocol on it, expire what is due.
 * @param now_us  the caller's clock; never less than in the turn before
 * @param events  out: at most max; what does not fit comes with the next turn
 * @return the number of events
 */
HF_API unsigned hf_turn(struct hf_worker *w, uint64_t now_us, struct hf_event *events, unsigned max);

/** Second half: emit what the protocol and the application have to send. */
HF_API void hf_flush(struct hf_worker *w, uint64_t now_us);

/** When the engine next wants a turn: 0 at once, UINT64_MAX never (frames still to come apart). */
HF_API uint64_t hf_next_deadline(const struct hf_worker *w);

/** One worker of a loop and the function that answers its events. */
struct hf_task {
	struct hf_worker *worker;
	/* Called every turn, with n = 0 too. @return false when this task has nothing left to do */
	bool (*answer)(void *arg, struct hf_worker *w, uint64_t now_us,
		       const struct hf_event *events, unsigned n);
	void *arg;
};

enum hf_idle { HF_IDLE_SPIN, HF_IDLE_SLEEP };

/**
 * The loop: a turn, its answers and its flush, for each task in order, until all tasks are done.
 * HF_IDLE_SLEEP sleeps at most 50 us after 1 ms of empty turns. The clock is the TSC's.
 */
HF_API void hf_run(const struct hf_task *tasks, unsigned n, enum hf_idle idle);

/** The clock hf_run uses, for a caller with a loop of its own: microseconds, monotonic. */
HF_API uint64_t hf_now_us(void);

/* ---- Connections (RFC 9293 3.10.1 to 3.10.6) --------------------------------------------- */

/**
 * Listen (passive OPEN, MUST-41..43).
 * @param local  port required; address 0.0.0.0 or :: with version 4 or 6: every address of ours of that
 *               version. An exact address wins over a wildcard.
 * @param cookie comes back in HF_EV_ACCEPT
 * @return 0; -EADDRINUSE a listener has it; -EADDRNOTAVAIL not ours; -ENOBUFS; -EINVAL
 */
HF_API int hf_listen(struct hf_worker *w, const struct hf_addr *local, uint64_t cookie,
		     uint32_t *listener);

/** CLOSE in LISTEN: half-opens vanish, connections nobody accepted are reset. @return 0; -EBADF */
HF_API int hf_unlisten(struct hf_worker *w, uint32_t listener);

/** Take the listener's oldest waiting connection. @return 0; -EAGAIN none waits; -EBADF */
HF_API int hf_accept(struct hf_worker *w, uint32_t listener, uint64_t cookie, uint64_t *id);

/**
 * Open a connection (active OPEN, RFC 9293 3.10.1); its SYN leaves with the next flush.
 * @param local  NULL, or an address of ours, or a port, or both; what is not given is chosen (RFC 6056)
 * @param peer   address and port; copied
 * @return 0; -EINVAL peer is broadcast, multicast, unspecified or port 0 (MUST-46); -EADDRNOTAVAIL local
 *   is not ours, or no port toward this peer is free or may be reused (TW-A1..A7); -EADDRINUSE the tuple
 *   given has a connection; -ENOBUFS no connection, table or list free
 */
HF_API int hf_connect(struct hf_worker *w, const struct hf_addr *local, const struct hf_addr *peer,
		      uint64_t cookie, uint64_t *id);

/**
 * Queue text (SEND). Copied; leaves with the flush as windows allow. When less is taken than given,
 * HF_EV_WRITABLE follows as the peer acknowledges; with nothing of this connection on its way it was
 * ranges or mbufs that had run out, and the event comes with the next turn.
 * @return octets taken, 0 to len; -EPIPE after hf_shutdown; -EBADF
 */
HF_API ssize_t hf_send(struct hf_worker *w, uint64_t id, const void *text, size_t len);

/** Take text (RECEIVE). @return octets; 0 at end of file; -EAGAIN nothing waits; -EBADF */
HF_API ssize_t hf_recv(struct hf_worker *w, uint64_t id, void *text, size_t room);

/*
 * The same without a copy. Text that waits is the engine's; what hf_recv_mbuf has handed over is the
 * caller's. Text that is sent is the engine's, from the call that took it until it is acknowledged or the
 * connection has ended. Nobody writes it meanwhile: frames on their way may lie in the same memory.
 */

/**
 * Take the oldest text that waits, in the mbuf it came in: one segment, pkt_len octets of text and nothing
 * else. It is the caller's: to be sent by hf_send_mbuf, or given back by hf_mbuf_free (rte_pktmbuf_free).
 * @param m  out: untouched but when octets are returned
 * @return octets; 0 at end of file; -EAGAIN nothing waits; -EBADF
 */
HF_API ssize_t hf_recv_mbuf(struct hf_worker *w, uint64_t id, struct rte_mbuf **m);

/** Where its text lies. */
HF_API const void *hf_mbuf_text(const struct rte_mbuf *m);

/** Give back a mbuf of hf_recv_mbuf. NULL is allowed. */
HF_API void hf_mbuf_free(struct rte_mbuf *m);

/**
 * Queue the text of a mbuf, of any pool: one segment, all of it or nothing.
 * @return its octets: it is the engine's now; 0: there is no room, it is still the caller's, and the rest is
 *   as with hf_send; -EINVAL it is empty or a chain; -EPIPE; -EBADF
 */
HF_API ssize_t hf_send_mbuf(struct hf_worker *w, uint64_t id, struct rte_mbuf *m);

/**
 * Make a store of memory that texts are sent from by reference: a file, a response. It must neither change
 * nor go away before done(arg) is called. Counts of use are in it: give each worker one of its own.
 * @param done  once nothing refers to the memory any more after hf_store_free; on whichever thread frees
 *              the last frame, a peer's over net_ring included; NULL: nobody needs to know
 * @return 0; -ENOMEM
 */
HF_API int hf_store_make(const void *octets, size_t len, void (*done)(void *arg), void *arg,
			 struct hf_store **store);

/** Let go of the store: it ends with the last frame that refers to it. NULL is allowed. */
HF_API void hf_store_free(struct hf_store *store);

/**
 * Queue len octets of a store from offset on. They are copied like hf_send's where the device does not
 * read frames by the CPU (a NIC reaches only memory that it was shown); else they stay where they are.
 * @return as hf_send; -EINVAL they are not all in the store
 */
HF_API ssize_t hf_send_store(struct hf_worker *w, uint64_t id, struct hf_store *store,
			     size_t offset, size_t len);

/** Nagle's algorithm for this connection alone (MUST-17): off, small writes leave at once. @return 0; -EBADF */
HF_API int hf_nagle(struct hf_worker *w, uint64_t id, bool on);

/** As hf_recv, but the text goes on waiting, and the window stays as it is. */
HF_API ssize_t hf_peek(struct hf_worker *w, uint64_t id, void *text, size_t room);

/** What an application may want of one connection rather than of all that a worker has. */
enum hf_option {
	HF_CORK, /* 1: text that fills no segment waits for more, but no longer than a window probe; 0: no more */
	HF_USER_TIMEOUT, /* ms that text may stay unacknowledged before ETIMEDOUT (3.8.3); 0: R2 alone decides */
	HF_MSS, /* octets a segment holds at most, either way, told in our SYN (3.7.1); the worker's if that is less */
};

/**
 * Set an option of a connection. HF_MSS only before hf_flush has sent its SYN.
 * @return 0; -EINVAL the value is out of range; -EISCONN the peer has been told the MSS; -EBADF
 */
HF_API int hf_set(struct hf_worker *w, uint64_t id, enum hf_option option, uint32_t value);

/**
 * Set an option of the connections a listener will give: HF_MSS; the others can wait for hf_accept.
 * @return 0; -EINVAL; -EBADF
 */
HF_API int hf_set_listener(struct hf_worker *w, uint32_t listener, enum hf_option option,
			   uint32_t value);

/** No more will be sent: FIN after all queued text; receiving goes on. @return 0; -EPIPE again; -EBADF */
HF_API int hf_shutdown(struct hf_worker *w, uint64_t id);

/**
 * CLOSE both ways. FIN after all queued text; unread or later text draws a RST (SHLD-3). The only events
 * left are HF_EV_CLOSED. @return 0; -EALREADY; -EBADF
 */
HF_API int hf_close(struct hf_worker *w, uint64_t id);

/**
 * ABORT: RST where the peer knows of us, all text dropped; HF_EV_CLOSED follows with ECONNABORTED. To a device that is
 * behind by hundreds of frames a RST is lost as on a wire (tx_ring_full): the peer gets one when it speaks next.
 */
HF_API int hf_abort(struct hf_worker *w, uint64_t id);

/** What the earliest timer of a connection is for. */
enum hf_timer {
	HF_TIMER_NONE,
	HF_TIMER_RETRANSMIT, /* a SYN, a SYN-ACK, text or a FIN goes again (RFC 6298 5) */
	HF_TIMER_PERSIST,    /* a closed window is probed (3.8.6.1) */
	HF_TIMER_DELACK,     /* an ACK has been put off (3.8.6.3) */
	HF_TIMER_KEEPALIVE,  /* a silent peer is probed (3.8.4) */
	HF_TIMER_USER,	     /* user timeout (3.8.3) */
	HF_TIMER_FIN_WAIT_2, /* nobody waits for the peer's FIN longer than that (HF-FW2-1) */
	HF_TIMER_TIME_WAIT,  /* 2MSL */
};

/** STATUS (3.10.6). */
struct hf_status {
	struct hf_addr local, peer;
	enum hf_state state;
	uint32_t snd_una, snd_nxt, snd_wnd, iss, rcv_nxt, rcv_wnd, irs;
	uint32_t unsent, unacked, readable; /* octets */
	uint32_t snd_mss, srtt_us, rttvar_us, rto_ms, cwnd, ssthresh;
	uint32_t retransmits;	   /* of the segment at SND.UNA */
	uint32_t keepalive_probes; /* unanswered */
	uint64_t deadline_us;	   /* of the earliest timer; UINT64_MAX none */
	enum hf_timer timer;	   /* ... what it is for */
	uint64_t eof_us; /* CLOSE-WAIT, CLOSING, LAST-ACK: when the peer's FIN was taken; else 0 */
	int32_t soft_error;		/* MUST-47: last soft ICMP error, positive errno */
	uint8_t snd_wscale, rcv_wscale; /* shifts, with window_scaling */
	bool timestamps, sack, window_scaling, accepted;
	bool shut, closed; /* hf_shutdown, hf_close has been called */
};

/** Never changes anything. @return 0; -EBADF */
HF_API int hf_status(const struct hf_worker *w, uint64_t id, struct hf_status *status);

/** What the tuple stands for, be it a half-open, a connection or a 2MSL record (HF-H4).
 *  Fields that the thing does not have are 0. @return 0; -ENOENT (CLOSED, or LISTEN) */
HF_API int hf_lookup(const struct hf_worker *w, const struct hf_addr *local,
		     const struct hf_addr *peer, struct hf_status *status);

/* ---- Asking a worker that another thread runs -------------------------------------------- */

/** What a listed thing is; each begins as one and may become the next. */
enum hf_kind {
	HF_KIND_LISTENER,
	HF_KIND_REQUEST,    /* SYN-RECEIVED from LISTEN */
	HF_KIND_CONNECTION, /* has a TCB */
	HF_KIND_BUCKET,	    /* TIME-WAIT, or FIN-WAIT-2 whose application is gone */
};

struct hf_entry {
	enum hf_kind kind;
	uint64_t id; /* of a connection that has been accepted, or is active */
	struct hf_status status;
	uint32_t half_open, waiting; /* of a listener: in SYN-RECEIVED, not accepted yet */
	uint64_t cursor;	     /* of a question that goes on behind it */
};

/** What is asked of a worker. */
enum hf_ask_what {
	HF_ASK_LIST,	 /* a page of what it holds */
	HF_ASK_LISTEN,	 /* hf_listen(local, cookie, &listener) */
	HF_ASK_UNLISTEN, /* hf_unlisten(listener) */
};

/** A question to a worker, or a wish. Zeroed, then filled in. */
struct hf_question {
	/* the asker's */
	enum hf_ask_what what;
	struct hf_addr local; /* of a LISTEN */
	uint64_t cookie;
	uint32_t listener; /* of an UNLISTEN; of a LISTEN out */
	/* ... of a LIST: */
	struct hf_filter filter;
	struct hf_entry *entries; /* out */
	uint32_t max;		  /* entries there is room for: 1 at least */
	uint64_t cursor; /* 0: from the beginning; comes back as where the next page begins */
	/* valid once hf_answered says so */
	int32_t error;	 /* of a LISTEN or UNLISTEN: what the call returned */
	uint32_t count;	 /* entries filled in */
	bool more;	 /* than fitted: ask again */
	uint64_t now_us; /* the worker's clock, by which deadline_us and eof_us go */
	/* the library's */
	uint32_t answered;
};

/**
 * Ask a worker from any thread, over a ring. It answers between its turns, a bounded piece each (some
 * microseconds), so a long list takes many turns and none of them is long. What lives throughout is
 * listed, once unless it becomes another kind meanwhile; other things may be or not. A listener changes
 * between two turns, in one piece: a SYN meets either the old one or the new (HF-M9).
 * @param q  and its entries: must stay until hf_answered or hf_worker_destroy
 * @return 0; -EAGAIN too many questions wait; -EINVAL
 */
HF_API int hf_ask(struct hf_worker *w, struct hf_question *q);

/** Whether the answer is there. Any thread. False for ever when nobody calls hf_turn any more. */
HF_API bool hf_answered(const struct hf_question *q);

/* ---- The flight recorder ------------------------------------------------------------------ */

#define HF_RECORDS 64

enum hf_record_what {
	HF_RECORD_IN,  /* a segment has arrived */
	HF_RECORD_OUT, /* ... has been sent */
	HF_RECORD_CONNECT,
	HF_RECORD_ACCEPT,
	HF_RECORD_SEND,
	HF_RECORD_RECV,
	HF_RECORD_SHUTDOWN,
	HF_RECORD_CLOSE,
	HF_RECORD_ABORT,
	HF_RECORD_END, /* it is over, and not in order */
};

/** One event; the segment's numbers are 0 for others. */
struct hf_record {
	uint64_t at_us;
	uint32_t seq, ack, text_len;
	uint16_t wnd;  /* as in the header */
	uint8_t flags; /* of the TCP header */
	enum hf_record_what what;
	enum hf_state before, after; /* of our end; CLOSED: no connection */
};

/** The last events of a connection, oldest first. */
struct hf_recording {
	struct hf_addr local, peer;
	bool kept; /* it ended badly, and its place with it; else a new connection may take the place */
	int32_t error; /* ... how: ETIMEDOUT, ECONNRESET, ECONNABORTED ...; a positive errno */
	uint32_t lost; /* events before these */
	uint32_t count;
	struct hf_record events[HF_RECORDS];
};

/** All recordings, one a call, until false; *cursor starts at 0. By the thread that runs the worker. */
HF_API bool hf_recording(struct hf_worker *w, uint32_t *cursor, struct hf_recording *out);

/** How often a connection that was about to begin, or its first segments, found no place: 0 only if each has one. */
HF_API uint64_t hf_recordings_refused(const struct hf_worker *w);

/* ---- What other processes may ask: DPDK's telemetry (docs/telemetry.md) ------------------- */

/**
 * Register the commands /handfast/... and let only this user speak to the socket. Once a process, EAL up.
 * @param title  what runs here, such as "serve"
 * @return 0; -ENOTSUP EAL runs without telemetry (why says so)
 */
HF_API int hf_telemetry_start(const char *title, struct hf_error *why);

/**
 * Have a worker, whoever runs it, answer there. Any thread.
 * @param name  "server0": up to 31 octets, copied
 * @return 0; -ENOSPC 128 workers do; -ENOMEM
 */
HF_API int hf_telemetry_add(struct hf_worker *w, const char *name);

/** Before hf_worker_destroy, when nobody runs the worker any more. One that was never added is fine. */
HF_API void hf_telemetry_remove(struct hf_worker *w);

/** A number of the program's own, told by /handfast/report. */
struct hf_number {
	const char *name; /* letters, digits and _; static */
	uint64_t value;
};

/** What /handfast/report says: fill in at most room numbers. Called by telemetry's thread; NULL: no more. */
HF_API void hf_telemetry_report(unsigned (*fill)(void *arg, struct hf_number *numbers, unsigned room),
				void *arg);

/* ---- Watching ---------------------------------------------------------------------------- */

/** A frame that has passed between a worker and its link; with hf_impair at the worker's side of it. */
struct hf_seen {
	uint64_t at_us; /* the turn's now_us */
	uint64_t at_ns; /* on the clock of hf_now_us, whatever the caller's is */
	const uint8_t *octets;
	uint32_t len, wire_len; /* octets that were kept, and of the frame */
	bool out;		/* we have sent it */
	bool known;		/* it holds a segment that we have sent or judged, and so: */
	enum hf_state state;	/* of our end of the connection after that */
	uint64_t wait_us;	/* in TIME-WAIT: how long still */
};

/**
 * Keep copies of all frames from now on, for one other thread to read. The worker never waits: what finds
 * no place is counted.
 * @param frames  places, a power of two
 * @param octets  of a frame that are kept, from its first on: 78 to 65535
 * @return 0; -EINVAL; -EBUSY it is watched already; -ENOMEM
 */
HF_API int hf_watch(struct hf_worker *w, uint32_t frames, uint32_t octets, struct hf_error *why);

/** The next frame, for the one thread that reads; *seen is good until the next call. @return false: none yet */
HF_API bool hf_watch_next(struct hf_worker *w, struct hf_seen *seen);

/** Frames that found no place. Any thread. */
HF_API uint64_t hf_watch_lost(const struct hf_worker *w);

struct hf_capture;

/**
 * Begin a capture in pcapng, with the nanoseconds of at_ns.
 * @param ports  all that frames will come from; those of devices
 * @return 0; -EINVAL there is no port, or one is no device; -ENOMEM; a negative errno of the file, -ENXIO of a FIFO
 *  that nobody reads
 */
HF_API int hf_capture_open(const char *path, struct hf_port *const *ports, unsigned n,
			   struct hf_capture **capture, struct hf_error *why);

/** Add a frame that has passed this port. @return 0; a negative errno of the file */
HF_API int hf_capture_write(struct hf_capture *capture, const struct hf_port *port,
			    const struct hf_seen *seen);

/** Write what is left and close; freed in any case. NULL is allowed. @return as hf_capture_write */
HF_API int hf_capture_close(struct hf_capture *capture);

/* ---- Counters, levels, checks ------------------------------------------------------------ */

/** Counters are numbered 0 to hf_counters() - 1; names are stable (docs/counters.md). */
HF_API unsigned hf_counters(void);
HF_API const char *hf_counter_name(unsigned counter);
HF_API const char *hf_counter_unit(unsigned counter);
HF_API const char *hf_counter_help(unsigned counter);

/** Read one counter; any thread, any time (HF-CT1). */
HF_API uint64_t hf_counter(const struct hf_worker *w, unsigned counter);

/** Read by name. @return the value; UINT64_MAX when there is no such counter */
HF_API uint64_t hf_counter_named(const struct hf_worker *w, const char *name);

/** How often a state was entered, how many are in it and were at most. Any thread. */
struct hf_state_level {
	uint64_t entered;
	uint32_t now, peak;
};
HF_API void hf_state_levels(const struct hf_worker *w, struct hf_state_level levels[HF_STATES]);

struct hf_level {
	uint32_t used, peak, size;
	uint64_t refused; /* how often it was empty when one was wanted */
};

/** Levels of every pool (section 20). Any thread; exact between turns. */
struct hf_levels {
	struct hf_level connections, requests, buckets, ranges, flows; /* both IP versions together */
	struct hf_level flights;    /* refused: losses met with none left, mended by NewReno */
	struct hf_level neighbours; /* refused: how often the oldest made room */
	uint32_t timers;	    /* armed in the wheels */
	uint32_t oldest_wait_ms; /* since when the TIME-WAIT record that ends first has been there */
	uint32_t orphans;
	uint32_t shut_windows; /* connections that wait for the peer's window to open (HF-ZW3) */
	uint32_t queued_mbufs; /* held for text either way, by the transmit queue and by hf_impair */
	struct hf_level impair_in,
		impair_out; /* frames that hf_impair holds; refused: lost for want of room */
	uint64_t memory;    /* octets taken at creation, mbufs apart */
	uint32_t bytes_per_connection[2], bytes_per_request[2], bytes_per_bucket[2]; /* IPv4, IPv6 */
};
HF_API void hf_levels(const struct hf_worker *w, struct hf_levels *levels);

/**
 * Walk everything and compare (HF-G6, HF-M6, HF-T-INV, SEC-40): each flow once, each entry in the wheel
 * that must be, gauges equal to what is counted. Slow. @return 0; -EFAULT, why says what
 */
HF_API int hf_check(const struct hf_worker *w, struct hf_error *why);

/** Make the n-th allocation from now on fail, once (HF-H3): mbuf, connection, request, bucket, range,
 *  flow slot; 0 switches it off. For tests. */
HF_API void hf_fail_allocation(struct hf_worker *w, uint64_t n);

/** "0.1.0" */
HF_API const char *hf_version(void);

#ifdef __cplusplus
}
#endif

#endif
