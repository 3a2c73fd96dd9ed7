/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a fuzz target defines (https://llvm.org/docs/LibFuzzer.html) and what it may call. libFuzzer
 * drives it where the build has -Dfuzz=true, replay.c everywhere else. The first two stand in every
 * target; an input alone says what happens, so that what was found once is found again.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Change an input of len octets in its room of max. @return its new length */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed);

/* libFuzzer's own, and without libFuzzer none. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max);

#endif
