/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which connections `handfast ss` shows, in the words of ss: states, then an expression of src, dst, sport and
 * dport. Used by ss.c.
 */
#ifndef HF_APP_SS_FILTER_H
#define HF_APP_SS_FILTER_H

#include "handfast.h"

#define FILTER_NODES 64

enum filter_what {
	FILTER_AND,
	FILTER_OR,
	FILTER_NOT,
	FILTER_SRC,
	FILTER_DST,
	FILTER_SPORT,
	FILTER_DPORT
};
enum filter_how { FILTER_EQ, FILTER_NE, FILTER_GT, FILTER_LT, FILTER_GE, FILTER_LE };

struct filter_node {
	enum filter_what what;
	enum filter_how how;
	int left, right;     /* of AND, OR; left of NOT */
	struct hf_addr addr; /* of SRC, DST; port 0: any. Of the ports: port alone */
	uint8_t prefix;
};

struct ss_filter {
	unsigned states; /* 1 << enum hf_state; 0: none named */
	struct filter_node nodes[FILTER_NODES];
	int count, root; /* root -1: everything */
};

/** Read what follows the options. @return 0; -EINVAL, why says what is wrong */
int ss_filter_read(int argc, char **argv, struct ss_filter *f, struct hf_error *why);

bool ss_filter_passes(const struct ss_filter *f, const struct hf_addr *local,
		      const struct hf_addr *peer);

/** What the instance can leave out by itself, as parameters of /handfast/connections; the rest is ours. */
void ss_filter_ask(const struct ss_filter *f, unsigned states, char text[512]);

/** "ESTAB", "SYN-RECV": how ss spells a state. */
const char *ss_state_name(enum hf_state state);

#endif
