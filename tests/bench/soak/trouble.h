/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What befalls the daemon in a soak, by chance: the test cloud's faults, cut connections, claims
 * that are replaced, a configuration that changes and is reloaded. */

#include "tests/integration/lib/agent.h"
#include "tests/integration/lib/daemon.h"

typedef struct Trouble {
        Cloud *cloud;
        Daemon *daemon;
        fleetprov_client *client;         /* root's */
        unsigned claim;                   /* 0 or 1: which is in force */
        unsigned faults, reloads, claims; /* that there were */
} Trouble;

/* Daemon and claims as they are without trouble; started. */
void trouble_start(Trouble *t, Cloud *cloud, Daemon *daemon);

/* One stroke, or none. */
void trouble_strike(Trouble *t);

/* All is well again, from now on. */
void trouble_end(Trouble *t);
