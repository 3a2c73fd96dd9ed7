/* SPDX-License-Identifier: BSD-3-Clause */
/* What the start of DPDK has for others than its caller. */
#ifndef HF_ENV_H
#define HF_ENV_H

/* The rights of telemetry's socket: this user's alone. telemetry.c calls it. */
void telemetry_socket_is_ours(void);

#endif
