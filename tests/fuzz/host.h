/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine on a memory port, all of whose peers are the fuzzer: what fuzz_frame and fuzz_script share.
 * It plays the application, keeps up what the peers know of each connection, and after every turn asks
 * hf_check; every frame out is taken apart and verified (rig/frame.h), and its text is compared.
 * Octets of text are a function of their sequence number, either way.
 */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "fuzz/place.h"
#include "handfast.h"
#include "rig/frame.h"

#define HOST_IDS 128
#define HOST_LISTENERS 2
#define HOST_FORMS 256 /* all values of a host_form */

/* A four-tuple of place.h, and what its peer has seen of us. */
struct host_path {
	struct hf_addr local, peer;
	uint32_t irs; /* of the peer's next SYN */
	uint32_t su, sn, rn, rw, tsecr;
	bool timestamps; /* the peer uses them */
};

/* A connection that the application holds. */
struct host_id {
	uint64_t id;
	uint32_t written, read;
};

/* What an engine is like; all zero is usual. */
struct host_form {
	bool l2;	 /* frames are Ethernet's */
	bool neighbours; /* and no gateway takes them all */
	bool small;	 /* buffers, pools and queues are */
	bool lazy;	 /* the application accepts and reads only when told */
	bool any_text;	 /* peers' text is not the pattern */
	bool cookies;
	bool kill;	      /* TIME-WAIT overflow */
	bool plain;	      /* we offer neither timestamps, SACK nor window scale */
	uint32_t connections; /* of each version, and requests and records, where not small */
};

/* An engine that has passed the leak oracle serves the next input of its form. */
struct host_kept {
	struct hf_worker *w; /* NULL: none */
	uint64_t now_us;
	uint64_t inputs;
};

struct host {
	/* These outlive an input. */
	struct hf_port *ports[2]; /* whose frames are IP's, Ethernet's */
	struct host_kept kept[HOST_FORMS];
	uint64_t pushed; /* frames */
	/* These do not. */
	struct host_kept *slot;
	struct host_form form;
	struct hf_port *port; /* one of ports */
	struct hf_worker *w;
	struct frame_form in, out;
	uint64_t now_us;
	uint32_t mbufs;
	uint32_t listeners[HOST_LISTENERS]; /* UINT32_MAX: none */
	struct host_path paths[PLACE_PATHS];
	struct host_id ids[HOST_IDS];
	unsigned id_count;
	struct frame frame; /* the last one out */
};

/* EAL and the ports, once a process. */
void host_start(struct host *h, const char *program);

void host_begin(struct host *h, const struct host_form *form);

/* silence: all peers fall silent, the application lets go, and when the clock has passed the last timer
 * everything is zero (HF-LK1). Without, the engine goes at once, and no mbuf is left of it. */
void host_end(struct host *h, bool silence);

/* Bring path up to what the engine says of it. @return its state; HF_CLOSED: nothing known */
enum hf_state host_look(struct host *h, unsigned path);

void host_push(struct host *h, const void *frame, size_t len, const struct hf_push *how);

/* A segment of the peer, its text the pattern; TS where it uses them and none are given. */
void host_segment(struct host *h, unsigned path, const struct seg *seg);

/* A turn, its answers, its flush, everything that came out, hf_check. */
void host_turn(struct host *h);

/* Go on to the engine's next deadline, at most until then, and take a turn. */
void host_step(struct host *h, uint64_t until_us);

/* Of the application; which of ids. */
void host_listen(struct host *h, unsigned listener);
void host_unlisten(struct host *h, unsigned listener);
void host_connect(struct host *h, unsigned path, bool choose_port);
void host_accept(struct host *h, unsigned listener);
void host_send(struct host *h, struct host_id *id, size_t len);
void host_receive(struct host *h, struct host_id *id, size_t room);
void host_shutdown(struct host *h, struct host_id *id);
void host_close(struct host *h, struct host_id *id);
void host_abort(struct host *h, struct host_id *id);

/* Something is wrong: say it and abort. */
__attribute__((noreturn, format(printf, 2, 3))) void host_fail(const struct host *h,
							       const char *format, ...);

#endif
