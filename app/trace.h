/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments as tcpdump prints them, each with the number of its connection and the state of both ends after
 * it: "#1 SYN-SENT > ~SYN-RECEIVED", the sender first; ~ is inferred (follow.c), else the engine has told.
 * trace_file.c feeds it from a capture, watch.c from a run.
 */
#ifndef HF_APP_TRACE_H
#define HF_APP_TRACE_H

#include "config.h"
#include "packet.h"

struct trace {
	const struct settings *s;
	FILE *out;
	struct follow *follow;
	uint64_t segments, shown, others, cut, bad; /* frames, by what they were */
	uint64_t connections;
};

/** @return 0; -ENOMEM */
int trace_open(struct trace *t, const struct settings *s, FILE *out);
void trace_close(struct trace *t);

struct trace_frame {
	enum packet_link link;
	const uint8_t *octets;
	uint32_t len, wire_len;
	uint64_t at_ns;
	const struct hf_seen *own; /* live: what the engine tells; NULL: a capture */
};

/** Print a frame, if it is a segment and passes the filters. @return 0; -ENOMEM */
int trace_take(struct trace *t, const struct trace_frame *frame);

/** `handfast trace FILE`. @return the program's exit status */
int trace_run(const struct settings *s, const char *program);

#endif
