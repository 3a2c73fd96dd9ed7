/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_memif's listening sockets, minded. A peer that connects and is gone before the driver has said hello
 * leaves a closed descriptor among EAL's interrupt sources, and EAL panics over it (22.11 to 26.07,
 * memif_listener_handler). Used by gate.c, and by env.c for those who come before there is a gate.
 */
#ifndef HF_LISTENER_H
#define HF_LISTENER_H

#include <stdbool.h>

/** Begin, or end, to look after what the driver has accepted; begun twice is begun once. Ends before its device does. */
void listener_mind(bool begin);

/** Keep the interrupt thread for good. A source that was left behind lies in memory that rte_eal_cleanup
 * unmaps, and the thread, which is not ended by that, would look at it once more. */
void interrupts_park(void);

#endif
