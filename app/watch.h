/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --trace and --capture of a run: the main thread reads what the workers have kept of their frames (hf_watch)
 * and prints or writes it. With pair the clients' end is watched, so that each frame shows once. Called by run.c.
 */
#ifndef HF_APP_WATCH_H
#define HF_APP_WATCH_H

#include "end.h"
#include "trace.h"

struct watch_source;

struct watching {
	const struct settings *s;
	struct trace trace;
	struct hf_capture *capture;
	struct watch_source *sources;
	unsigned count;	       /* of sources; 0: nobody watches */
	uint64_t epoch_ns;     /* what to add to hf_now_us's clock */
	uint64_t frames, lost; /* lost: for want of places in the workers' rings, known at the end */
	int error;	       /* the first of the capture's file */
};

static inline bool watch_wanted(const struct settings *s)
{
	return s->live || s->capture[0] != '\0';
}

/** The ends' workers exist and do not run yet. @return 0 or a negative errno */
int watch_open(struct watching *watch, const struct settings *s, struct end *ends, unsigned n,
	       struct hf_error *why);

/** Print and write what there is, up to a bound. @return whether there was anything */
bool watch_drain(struct watching *watch);

/** The workers stand still: the rest, and the end of the file. @return 0; -EIO, said why on stderr */
int watch_close(struct watching *watch, const char *program);

#endif
