/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The connection to a bus daemon. Opening it never blocks; where the bus is absent, ends, or does
 * not give us our name, it is tried again, less and less often, for as long as the daemon runs. */

#include "daemon/front/link.h"

#define BUS_RETRY_FIRST_USEC (USEC_PER_SEC / 2)
#define BUS_RETRY_LAST_USEC (15 * USEC_PER_SEC)

typedef struct Bus Bus;

/* `address`: "system", "session", or a D-Bus address; it is copied. -EINVAL, with a line in the
 * log: it is neither. That nobody is there is no failure. */
int bus_new(sd_event *event, const FrontContext *context, const char *address, Bus **ret);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus *, bus_free);

Link *bus_link(Bus *b); /* NULL while there is none */
