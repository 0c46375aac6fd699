/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a process holds, as the kernel says it. */

#include <stddef.h>
#include <sys/types.h>

typedef struct Gauge {
        size_t anonymous_kb, pss_kb;
        size_t fds, threads;
} Gauge;

Gauge gauge_read(pid_t pid);
