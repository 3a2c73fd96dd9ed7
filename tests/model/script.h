/* SPDX-License-Identifier: BSD-3-Clause */
/* Random scripts for whoever is held against the model: segments with live numbers (legal, at the edges, old,
 * future, wrong ACKs, all flags), calls, steps of the clock. A step means what it does when it is reached. */
#ifndef MODEL_SCRIPT_H
#define MODEL_SCRIPT_H

#include "model/model.h"

#define MOST_STEPS 32

enum what { DO_CONVERSE, DO_SEGMENT, DO_CALL, DO_WAIT };

struct step {
	enum what what;
	uint8_t how, flags, seq, ack, text;
	uint16_t by;
};

struct script {
	bool listener;
	uint8_t version, offset;
	unsigned count;
	struct step steps[MOST_STEPS];
};

/* What sequence numbers begin near: 1, where 2^31 is crossed, where 2^32 is. */
extern const uint32_t script_offsets[3];

void script_make(struct script *script, uint64_t seed);

/* Any segment. */
void script_segment(const struct model *m, const struct step *s, struct model_seg *seg);

/* One that a peer in order would send. @return false: it is our turn, to OPEN */
bool script_converse(const struct model *m, const struct script *script, const struct step *s,
		     struct model_seg *seg);

/* *octets: for SEND and RECEIVE */
enum model_call script_call(const struct step *s, uint32_t *octets);
uint32_t script_wait_ms(const struct step *s);

/* Leave steps out while `fails` still says so. */
void script_minimise(struct script *script, bool (*fails)(void *, const struct script *), void *arg);

#endif
