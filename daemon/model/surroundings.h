/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What may change around the daemon, and which failures such a change may mend. A session that
 * waits in vain is hurried; one that the service itself refused keeps its back-off, however often a
 * network comes and goes (aws-greengrass-nucleus issue 1107). Pure. */

#include <stdbool.h>

#include "protocol/ipc/error-code.h"

typedef enum Surroundings {
        SURROUNDINGS_CLOCK_SET,    /* somebody set the real clock */
        SURROUNDINGS_NETWORK_CAME, /* a link, an address or a route came */
        SURROUNDINGS_MAX,
} Surroundings;

/* Whether a session whose last error is `code` may do better after that. */
bool surroundings_mend(Surroundings change, ErrorCode code);
