/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time spans as systemd writes them (systemd.time(7)): "30d", "1w 2d", "90", "1.5h", "2 months". */

#include "libclient/macro.h"

/* A number without a unit counts seconds. "infinity" is USEC_INFINITY. -EINVAL: no span; -ERANGE:
 * longer than can be counted. */
int time_span_parse(const char *s, usec_t *ret);
