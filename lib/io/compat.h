/* SPDX-License-Identifier: BSD-3-Clause */
/* What DPDK's releases spell differently: all tests of RTE_VERSION stand here. */
#ifndef HF_COMPAT_H
#define HF_COMPAT_H

#include <rte_telemetry.h>
#include <rte_version.h>

#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define tel_add_uint rte_tel_data_add_dict_uint
#else
#define tel_add_uint rte_tel_data_add_dict_u64
#endif

#endif
