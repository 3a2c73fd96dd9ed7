/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a command makes of its settings on so many cores: how many workers, what each one owns, how
 * much memory that takes. Used by run.c to start and by `config --print` to tell.
 */
#ifndef HF_APP_PLAN_H
#define HF_APP_PLAN_H

#include "config.h"

enum side { CLIENT, SERVER };
#define SIDES 2
#define PLAN_ADDRESSES_MAX 32768u /* that one worker opens from: hf_config.port_lists */

/** How an end closes its connections. */
enum ending {
	END_FIRST,    /* before its peer, both ways */
	END_AFTER,    /* when the peer has */
	END_TOGETHER, /* so that FINs can cross */
	END_RST,      /* it aborts them */
	END_HALF,     /* before its peer, but it goes on receiving */
	END_HOLD,     /* not before the end of the run */
};

struct plan {
	enum command command;
	unsigned cores; /* that are used */
	unsigned pairs; /* client workers, and server workers */
	bool split; /* pair n: its client on core n, its server on core pairs + n; else both on core n */
	enum closing close; /* settled */
	bool close_auto;    /* ... by us */
	enum ending ending[SIDES];
	bool counted; /* --count alone says when the run ends: its connections do so by themselves */
	enum hf_idle idle;
	bool exact;	      /* the device holds a constant number of mbufs: a leak shows */
	uint64_t duration_us; /* UINT64_MAX: until the count, or a signal */
	uint32_t concurrency; /* of all client workers */
	unsigned openers; /* client workers that open: fewer than all when there is little to do */
	uint32_t addresses; /* of the clients */
	uint64_t tuples;    /* T: addresses times ports */
	uint32_t ring, mbufs, memory_mb;
	struct hf_steer steer; /* of load and serve with several workers; its key lies in key */
	uint8_t key[64];
	bool impaired;
	struct hf_impair impair; /* of a port of ours; with pair the clients', so that each frame passes it once */
};

/** CPUs the settings allow. */
unsigned plan_cores(const struct settings *s);

/** Octets that an mbuf takes, and EAL beside it. */
static inline uint64_t plan_mbuf_octets(const struct settings *s)
{
	return hf_frame_room(s->mtu) + 2048;
}

/** Of EAL, for so many mbufs of one port, and what it wants for itself. */
static inline uint32_t plan_port_mb(const struct settings *s, uint32_t mbufs)
{
	return (uint32_t)(mbufs * plan_mbuf_octets(s) >> 20) + 64;
}

/** Whether this process has such an end. */
static inline bool plan_has(const struct plan *plan, enum side side)
{
	return plan->command == COMMAND_PAIR ||
	       plan->command == (side == CLIENT ? COMMAND_LOAD : COMMAND_SERVE);
}

/** @return 0; -EINVAL, why says which settings do not fit so many cores */
int plan_make(const struct settings *s, enum command command, unsigned cores, struct plan *plan,
	      struct hf_error *why);

/** What a profile is for: pair; with a device load or serve. Where nobody listens yet, an address of ours is listened on. */
enum command plan_command_for(struct settings *s);

/** "pair" */
static inline const char *plan_command(const struct plan *plan)
{
	return plan->command == COMMAND_LOAD  ? "load" :
	       plan->command == COMMAND_SERVE ? "serve" :
						"pair";
}

/* plan_one.c: the same for load and serve, called by plan.c */

int plan_one(const struct settings *s, unsigned cores, struct plan *plan, struct hf_error *why);
void plan_one_worker(const struct settings *s, const struct plan *plan, unsigned i,
		     struct hf_config *config);

/** Now that the ports are there it is known which tuples come home to each: its records are as many. */
void plan_fit(const struct settings *s, const struct plan *plan, const struct hf_port *port,
	      struct hf_config *config);

/** Frames that the text of one connection makes, at most at once. */
uint64_t plan_text_frames(const struct settings *s);

/** What every worker is told alike. */
void plan_common(const struct settings *s, struct hf_config *config);

/** The offset-th address of a range. */
struct hf_ip plan_address(const struct hf_ip_range *range, uint32_t offset);

/** The i-th of n shares of a whole. */
static inline uint64_t plan_share(uint64_t whole, unsigned i, unsigned n)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): nobody divides by no workers */
	return whole / n + (i < whole % n);
}

/** What the i-th worker of a side is to be. */
void plan_worker(const struct settings *s, const struct plan *plan, enum side side, unsigned i,
		 struct hf_config *config);

/** Octets of all workers' tables, mbufs apart. */
uint64_t plan_memory(const struct settings *s, const struct plan *plan);

/** Whether this machine has the memory: all of it is touched at the start. why says how much is wanted and there is,
 *  either way. @return 0 or -ENOMEM */
int plan_fits_machine(const struct settings *s, const struct plan *plan, struct hf_error *why);

#endif
