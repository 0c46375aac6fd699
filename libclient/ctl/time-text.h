/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Times as text. A result of NULL means: no memory, or no time (0). */

#include "libclient/macro.h"

/* "2026-01-31T13:05:59.123Z" (RFC 3339), for programs; usec since 1970. */
char *time_rfc3339(uint64_t usec);

/* "2026-01-31 14:05:59" in local time, for people. */
char *time_local(uint64_t usec);

/* "250ms", "12.3s", "5min 3s", "2h 5min", "3d 4h" */
char *time_span(usec_t usec);

/* How long ago that was, in one unit: "12s", "5min", "3h", "9d". */
char *time_age(uint64_t usec);

/* "expires 2026-01-31 14:05:59", with ", in 12 days" where that is near, or "expired …". */
#define TIME_END_NEAR_USEC (30 * USEC_PER_DAY)
char *time_end(uint64_t usec, uint64_t now);
uint64_t time_now(void); /* the real clock */

/* "2026-01-31" in local time. */
char *time_date(uint64_t usec);
