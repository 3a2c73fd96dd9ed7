/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture that is read frame by frame and one that is written, by libpcap; used by replay.c, trace.c. */
#ifndef HF_APP_CAPFILE_H
#define HF_APP_CAPFILE_H

#include "config.h"
#include "packet.h"

struct capfile; /* both, of one link type */

struct capfile_frame {
	uint64_t at_us, at_ns;	/* the same */
	const uint8_t *octets;	/* until the next call */
	uint32_t len, wire_len; /* captured, and as it was on the wire */
};

/**
 * Open `in` and make `out`, another file; Ethernet and IP only.
 * @param out  NULL: only read, and then from stdin if `in` is "-", and cooked captures too
 * @return 0; -EINVAL, why says what is wrong with which one
 */
int capfile_open(const char *in, const char *out, struct capfile **c, struct hf_error *why);

enum packet_link capfile_link(const struct capfile *c);

/** Whether frames are IP packets, without Ethernet headers. */
static inline bool capfile_l3(const struct capfile *c)
{
	return capfile_link(c) == LINK_IP;
}

/** Read the next frame. @return 1; 0 at the end; -EINVAL the file is damaged */
int capfile_read(struct capfile *c, struct capfile_frame *frame, struct hf_error *why);

void capfile_write(struct capfile *c, uint64_t at_us, const void *octets, uint32_t len);

/** Close both. @return 0; -EIO when out was not written whole */
int capfile_close(struct capfile *c, struct hf_error *why);

/** The stations of the first Ethernet frame of `in` that goes to one of `ips`: we, and whoever sent it.
 *  @return whether there is such a frame */
bool capfile_stations(const char *in, const struct hf_ip *ips, unsigned n, uint8_t ours[6],
		      uint8_t theirs[6]);

#endif
